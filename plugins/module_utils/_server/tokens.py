# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token in use: which requests may go with it, and when another is needed.

Infisical may limit how often a token is used. It counts every request that carries it, and the
first one too many ends it. So a token that is refused after some requests may have been used up,
and the next one may be good for as many: it is not shared by more at a time.
"""

from __future__ import annotations

import threading
import typing as t

from .._errors import InterruptError


class Token:
    """A token. `used` are the requests that it was accepted for so far."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.used = 0
        self.under_way = 0


class Tokens:
    """The token in use, and the one before. Made for several threads.

    `renewable` is whether a login gave it, and not the user.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._current: Token | None = None
        self._before: Token | None = None
        self._log_in_again: t.Callable[[], None] | None = None
        self._renewing = False
        self._stopped = False
        self.renewable = False

    def use(self, text: str, log_in_again: t.Callable[[], None] | None = None) -> None:
        """Use this token from now on. `log_in_again` has to call this with another one."""
        with self._changed:
            self._before, self._current = self._current, Token(text)
            self._log_in_again = log_in_again
            self.renewable = log_in_again is not None
            self._changed.notify_all()

    def take(self) -> Token | None:
        """Wait until a request may go, and return the token for it, which give_back() takes.

        Raises InterruptError after stop().
        """
        with self._changed:
            while not self._stopped and (self._renewing or not self._room()):
                self._changed.wait()
            if self._stopped:
                raise InterruptError("The task was stopped before this was done; run it again.")
            if self._current:
                self._current.under_way += 1
            return self._current

    def give_back(self, token: Token, *, accepted: bool) -> None:
        """Take note of the answer to a request that a token was taken for."""
        with self._changed:
            token.under_way -= 1
            token.used += accepted
            self._changed.notify_all()

    def renew(self, refused: Token) -> bool:
        """Return whether there is another token than the refused one, logging in if need be.

        The first one may be refused from the start. Each later one has to have been of use, so that
        this comes to an end. A login that fails is never tried again. Raises what that raises.
        """
        with self._changed:
            # Whether it was of use, others may be about to hear.
            while self._renewing or (self._before and not refused.used and refused.under_way):
                self._changed.wait()
            log_in_again = self._log_in_again
            useless = self._before and not refused.used
            if self._current is not refused or not log_in_again or useless:
                return self._current is not refused
            self._log_in_again = None
            self._renewing = True
        try:
            log_in_again()
        finally:
            with self._changed:
                self._renewing = False
                self._changed.notify_all()
        return True

    def stop(self) -> None:
        """Let no further token be taken."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _room(self) -> bool:
        """Return whether one more request may go with the token in use.

        At most as many at a time as are left, if it is good for as many as the one before was; then
        one, and the longer that goes well, the more.
        """
        if not self._current or not self._before:
            return True
        left = max(1, self._before.used) - self._current.used
        return self._current.under_way < (left if left > 0 else 1 - left)
