# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tokens that end, and who may use them, without a server."""

from __future__ import annotations

import threading
import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest

from ansible_collections.community.infisical.plugins.module_utils._errors import InterruptError
from ansible_collections.community.infisical.plugins.module_utils._server.tokens import (
    Token,
    Tokens,
)


class Server:
    """Issues tokens that are good for so many uses, None for all."""

    def __init__(self, uses: int | None) -> None:
        self.tokens = Tokens()
        self.logins = 0
        self.refused = 0
        self._uses = uses
        self._left = 0
        self._lock = threading.Lock()

    def log_in(self) -> None:
        with self._lock:
            self.logins += 1
            self._left = self._uses if self._uses is not None else 1_000_000
        self.tokens.use(f"token {self.logins}", self.log_in)

    def request(self, _number: int = 0) -> bool:
        """Make a request, with another token if need be; return whether it was accepted."""
        while True:
            token = self.tokens.take()
            assert token
            accepted = self.accepts(token)
            self.tokens.give_back(token, accepted=accepted)
            if accepted or not self.tokens.renew(token):
                return accepted

    def accepts(self, token: Token) -> bool:
        with self._lock:
            accepted = token.text == f"token {self.logins}" and self._left > 0
            self._left -= accepted
            self.refused += not accepted
            return accepted


def take(tokens: Tokens) -> Token:
    token = tokens.take()
    assert token
    return token


@pytest.mark.parametrize("workers", [1, 2, 8, 32])
@pytest.mark.parametrize("uses", [1, 2, 3, 7, 8, 50])
def test_a_login_is_had_again_as_often_as_need_be_and_no_more_often(
    uses: int, workers: int
) -> None:
    server = Server(uses)
    server.log_in()
    with ThreadPoolExecutor(workers) as pool:
        assert all(pool.map(server.request, range(200)))
    assert server.logins == -(-200 // uses)
    # One refusal ends a token; only of the first one nobody knew how many may share it.
    assert server.refused <= server.logins - 1 + workers


def test_of_a_token_without_an_end_nobody_waits_for_the_others() -> None:
    tokens = Tokens()
    tokens.use("it", pytest.fail)
    taken = [take(tokens) for _number in range(64)]
    assert {token.text for token in taken} == {"it"}


def test_after_one_that_ended_as_many_share_the_next_as_it_was_good_for() -> None:
    tokens = ended_after(3)
    room = []
    taken = [take(tokens) for _number in range(3)]
    for token in taken:
        room.append(tokens._room())
        tokens.give_back(token, accepted=True)
    # As many are under way as are left. Then, whether it is good for more, one finds out.
    assert room == [False] * 3
    assert tokens._room()


def test_one_that_outlives_the_other_is_shared_by_more_and_more() -> None:
    tokens = ended_after(1)
    together = []
    for _round in range(4):
        taken = []
        while tokens._room():
            taken.append(take(tokens))
        together.append(len(taken))
        for token in taken:
            tokens.give_back(token, accepted=True)
    assert together == [1, 1, 2, 4]


def test_the_first_one_may_be_refused_from_the_start_and_no_second() -> None:
    server = Server(0)
    server.log_in()
    assert not server.request()
    assert server.logins == 2


def test_a_given_one_is_followed_by_none() -> None:
    tokens = Tokens()
    tokens.use("given")
    token = take(tokens)
    tokens.give_back(token, accepted=True)
    assert not tokens.renewable
    assert not tokens.renew(token)


def test_a_login_that_fails_is_not_tried_again() -> None:
    tokens = Tokens()
    tries = []

    def log_in() -> t.NoReturn:
        tries.append("again")
        raise ZeroDivisionError

    tokens.use("it", log_in)
    token = take(tokens)
    tokens.give_back(token, accepted=False)
    with pytest.raises(ZeroDivisionError):
        tokens.renew(token)
    assert not tokens.renew(token)
    assert tries == ["again"]


def test_one_of_which_others_hear_later_that_it_was_of_use_is_followed_by_another() -> None:
    """Answers may overtake each other."""
    tokens = ended_after(2)
    slow, refused = take(tokens), take(tokens)
    tokens.give_back(refused, accepted=False)
    with ThreadPoolExecutor(1) as pool:
        renewed = pool.submit(tokens.renew, refused)
        tokens.give_back(slow, accepted=True)
        assert renewed.result(10)


def test_after_stop_nobody_waits() -> None:
    tokens = ended_after(1)
    take(tokens)
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(tokens.take)
        tokens.stop()
        with pytest.raises(InterruptError):
            waits.result(10)
    with pytest.raises(InterruptError):
        tokens.take()


def ended_after(uses: int) -> Tokens:
    """Return tokens of which the first has ended after so many uses."""
    tokens = Tokens()
    tokens.use("first", lambda: tokens.use("next", lambda: None))
    first = [take(tokens) for _number in range(uses + 1)]
    for number, token in enumerate(first):
        tokens.give_back(token, accepted=number < uses)
    assert tokens.renew(first[-1])
    return tokens
