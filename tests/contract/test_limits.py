# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rate limits, where the server has any: headers, refusals, and what is counted together."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from contract.api import Api, only_2024, refusal
from emulator import Emulator

LIMIT = "x-ratelimit-limit"
REMAINING = "x-ratelimit-remaining"
RESET = "x-ratelimit-reset"


@pytest.fixture
def limited(api: Api, attached: str) -> Iterator[Emulator | None]:
    """A server that limits; the emulator, if it is one, is told to, in windows of two seconds."""
    if api.emulator:
        api.emulator.settings(read_limit=3, write_limit=5, window=2)
        yield api.emulator
        api.emulator.settings(read_limit=None, write_limit=None, window=60)
        return
    if LIMIT not in api.get(api.azure_auth(attached)).headers:
        pytest.skip("the server does not limit its rate")
    yield None


@pytest.fixture
def small(limited: Emulator | None) -> Emulator:
    """For tests that use a limit up."""
    if limited is None:
        pytest.skip("would use up the limit of an instance that others may be using")
    return limited


@pytest.mark.usefixtures("limited")
def test_counted_answers_say_what_is_left(api: Api, attached: str) -> None:
    headers = api.get(api.azure_auth(attached)).headers
    limit, remaining, reset = (int(headers[name]) for name in (LIMIT, REMAINING, RESET))
    assert 0 <= remaining < limit
    assert 0 < reset <= 60


@pytest.mark.usefixtures("limited")
def test_refusals_of_bad_requests_are_counted(api: Api, bare: str) -> None:
    answer = api.get(api.azure_auth(bare))
    assert answer.status_code == 400
    assert int(answer.headers[REMAINING]) < int(answer.headers[LIMIT])


@pytest.mark.usefixtures("limited")
def test_what_has_no_good_token_is_not_counted(api: Api, attached: str) -> None:
    for token in (None, "garbage"):
        assert LIMIT not in api.get(api.azure_auth(attached), token=token).headers


@pytest.mark.usefixtures("small")
def test_above_the_limit_a_refusal_says_when_to_come_back(api: Api, attached: str) -> None:
    answers = [api.get(api.azure_auth(attached), patient=False) for _time in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers[REMAINING] for answer in answers] == ["2", "1", "0", "0"]
    assert refusal(answers[-1])[0] == 429
    assert refusal(answers[-1])[1] in ("RateLimitError", "RateLimitExceeded")
    assert all("retry-after" not in answer.headers for answer in answers[:-1])
    seconds = int(answers[-1].headers["retry-after"])
    time.sleep(seconds)
    assert api.get(api.azure_auth(attached), patient=False).status_code == 200


@pytest.mark.usefixtures("small")
def test_all_identities_and_tokens_share_a_bucket(api: Api, attached: str, bare: str) -> None:
    token = api.create_token()
    counted = [
        api.get(api.azure_auth(attached)),
        api.get(api.azure_auth(bare)),
        api.get(api.azure_auth(attached), token=token),
    ]
    assert [answer.headers[REMAINING] for answer in counted] == ["2", "1", "0"]


@pytest.mark.usefixtures("small")
def test_methods_and_routes_have_buckets_of_their_own(api: Api, attached: str) -> None:
    first = [
        api.get(api.azure_auth(attached)),
        api.patch(api.azure_auth(attached), {"resource": "r"}),
        api.get(f"/api/v1/identities/{attached}"),
    ]
    assert [answer.headers[REMAINING] for answer in first] == ["2", "4", "2"]


@pytest.mark.usefixtures("small")
def test_the_list_is_a_read_since_2025_and_a_write_on_2024(api: Api) -> None:
    answer = api.get(f"/api/v1/identities?orgId={api.organization_id}")
    assert answer.headers[LIMIT] == ("5" if api.generation == "2024-10" else "3")


@pytest.mark.usefixtures("small")
def test_a_refusal_still_uses_the_token(api: Api, attached: str) -> None:
    token = api.create_token(accessTokenNumUsesLimit=4)
    statuses = [
        api.get(api.azure_auth(attached), token=token, patient=False).status_code
        for _time in range(5)
    ]
    assert statuses == [200, 200, 200, 429, 401]


@only_2024
def test_some_builds_of_2024_answer_a_500_with_retry_after(
    api: Api, attached: str, small: Emulator
) -> None:
    small.settings(rate_limit_status=500)
    answers = [api.get(api.azure_auth(attached), patient=False) for _time in range(4)]
    small.settings(rate_limit_status=429)
    assert refusal(answers[-1]) == (500, "RateLimitError")
    assert int(answers[-1].headers["retry-after"]) > 0
