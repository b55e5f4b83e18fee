# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token in use: which requests may use it, and when a new one is needed.

Infisical may limit the uses of a token. Every request with the token counts, and the first request
above the limit invalidates it. So a token that is refused after some requests may be used up. The
next token probably allows as many requests, so no more requests use it at the same time.
"""

from __future__ import annotations

import threading
import typing as t

from .._errors import InterruptError


class Token:
    """A token. `used` counts the requests for which it was accepted so far."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.used = 0
        self.under_way = 0


class Tokens:
    """The token in use, and the previous one. Thread-safe.

    `renewable` says that it came from a login and not from the user.
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
        """Use this token from now on. `log_in_again` must call this with a new one."""
        with self._changed:
            self._before, self._current = self._current, Token(text)
            self._log_in_again = log_in_again
            self.renewable = log_in_again is not None
            self._changed.notify_all()

    def take(self) -> Token | None:
        """Wait until a request may be sent, and return its token, for give_back() afterwards.

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
        """Note the response to a request with this token."""
        with self._changed:
            token.under_way -= 1
            token.used += accepted
            self._changed.notify_all()

    def renew(self, refused: Token) -> bool:
        """Return whether there is another token than the refused one. Logs in if necessary.

        The first token may be refused from the start. Each later one must have been accepted at
        least once, so that this ends. A login that fails is never repeated; its error is raised.
        """
        with self._changed:
            # Responses to other requests with this token may still show that it was accepted.
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
        """Give out no more tokens."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _room(self) -> bool:
        """Return whether one more request may use the token now.

        If it allows as many requests as the previous one, at most the remaining number may run at
        the same time. After that only one, and more the longer it is accepted.
        """
        if not self._current or not self._before:
            return True
        left = max(1, self._before.used) - self._current.used
        return self._current.under_way < (left if left > 0 else 1 - left)
