# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules for accessTokenTTL and accessTokenMaxTTL, as tables of what is answered.

A row is the TTL given, a column the max given, ``-`` is "not given". ``ok`` is a 200,
``invalid`` a validation failure, ``refused`` the 400 of the rule that looks at what is stored.
"""

from __future__ import annotations

from typing import Any

import pytest
import requests

from contract.api import ATTACH, PRINCIPAL, Api, only_2024, refusal, since_2025

# By the generation that brought the rules.
ATTACH_TABLES = {
    "2025-06": """
                      -         -1          0          1        100  315360000  315360001
           -         ok    invalid    invalid    invalid    invalid         ok    invalid
          -1    invalid    invalid    invalid    invalid    invalid    invalid    invalid
           0         ok    invalid         ok         ok         ok         ok    invalid
           1         ok    invalid    invalid         ok         ok         ok    invalid
         100         ok    invalid    invalid    invalid         ok         ok    invalid
   315360000    invalid    invalid    invalid    invalid    invalid         ok    invalid
   315360001    invalid    invalid    invalid    invalid    invalid    invalid    invalid
""",
    "2024-10": """
                      -         -1          0          1        100  315360000  315360001
           -         ok         ok    invalid    refused    refused         ok    invalid
          -1    invalid    invalid    invalid    invalid    invalid    invalid    invalid
           0    invalid    invalid    invalid    invalid    invalid    invalid    invalid
           1         ok         ok    invalid         ok         ok         ok    invalid
         100         ok         ok    invalid    refused         ok         ok    invalid
   315360000    refused         ok    invalid    refused    refused         ok    invalid
   315360001    invalid    invalid    invalid    invalid    invalid    invalid    invalid
""",
}

# By generation and stored max. The stored TTL plays no part, which is why each table holds for
# several of them.
UPDATE_TABLES = {
    ("2025-06", 300): """
               -          0        100        200        300        400
    -         ok         ok    refused    refused         ok         ok
    0         ok         ok    refused    refused         ok         ok
  100         ok         ok         ok         ok         ok         ok
  200         ok         ok    invalid         ok         ok         ok
  300         ok         ok    invalid    invalid         ok         ok
  400    refused    refused    invalid    invalid    invalid         ok
""",
    ("2025-06", 0): """
               -          0        100        200        300        400
    -         ok         ok         ok         ok         ok         ok
    0         ok         ok         ok         ok         ok         ok
  100         ok         ok         ok         ok         ok         ok
  200         ok         ok    invalid         ok         ok         ok
  300         ok         ok    invalid    invalid         ok         ok
  400         ok         ok    invalid    invalid    invalid         ok
""",
    ("2025-06", 100): """
               -          0        100        200        300        400
    -         ok         ok         ok         ok         ok         ok
    0         ok         ok         ok         ok         ok         ok
  100         ok         ok         ok         ok         ok         ok
  200    refused    refused    invalid         ok         ok         ok
  300    refused    refused    invalid    invalid         ok         ok
  400    refused    refused    invalid    invalid    invalid         ok
""",
    ("2024-10", 300): """
               -          0        100        200        300        400
    -         ok    invalid    refused    refused         ok         ok
    0         ok    invalid    refused    refused         ok         ok
  100         ok    invalid         ok         ok         ok         ok
  200         ok    invalid    refused         ok         ok         ok
  300         ok    invalid    refused    refused         ok         ok
  400    refused    invalid    refused    refused    refused         ok
""",
    ("2024-10", 100): """
               -          0        100        200        300        400
    -         ok    invalid         ok         ok         ok         ok
    0         ok    invalid         ok         ok         ok         ok
  100         ok    invalid         ok         ok         ok         ok
  200    refused    invalid    refused         ok         ok         ok
  300    refused    invalid    refused    refused         ok         ok
  400    refused    invalid    refused    refused    refused         ok
""",
    ("2024-10", -1): """
               -          0        100        200        300        400
    -         ok    invalid         ok         ok         ok         ok
    0         ok    invalid         ok         ok         ok         ok
  100         ok    invalid         ok         ok         ok         ok
  200         ok    invalid    refused         ok         ok         ok
  300         ok    invalid    refused    refused         ok         ok
  400         ok    invalid    refused    refused    refused         ok
""",
}

# How to get to a stored state: the body to attach with, then updates. Of the last of each
# generation the stored TTL is above the stored max, which a server gets into, but not out of.
STORED = [
    ("2025-06", 200, 300, [(200, 300)]),
    ("2025-06", 0, 300, [(0, 300)]),
    ("2025-06", 300, 300, [(300, 300)]),
    ("2025-06", 200, 0, [(200, 200), (None, 0)]),
    ("2025-06", 0, 0, [(0, 0)]),
    ("2025-06", 200, 100, [(200, 200), (None, 0), (None, 100)]),
    ("2024-10", 200, 300, [(200, 300)]),
    ("2024-10", 0, 300, [(300, 300), (0, None)]),
    ("2024-10", 300, 300, [(300, 300)]),
    ("2024-10", 200, -1, [(200, -1)]),
    ("2024-10", 200, 100, [(200, -1), (None, 100)]),
]


ABOUT = {"2024-10": only_2024, "2025-06": since_2025}


def cells(table: str) -> dict[tuple[int | None, int | None], str]:
    """A table as a mapping of (TTL, max) to what is answered."""
    head, *rows = (line.split() for line in table.strip().splitlines())
    return {
        (number(row[0]), number(column)): cell
        for row in rows
        for column, cell in zip(head, row[1:], strict=True)
    }


def number(text: str) -> int | None:
    return None if text == "-" else int(text)


def lifetimes(ttl: int | None, max_ttl: int | None) -> dict[str, int]:
    """The fields of a request."""
    given = {"accessTokenTTL": ttl, "accessTokenMaxTTL": max_ttl}
    return {name: value for name, value in given.items() if value is not None}


def outcome(answer: requests.Response) -> str:
    """What a table says of an answer; anything else as it is."""
    if answer.status_code == 200:
        return "ok"
    if refusal(answer)[1] == "ValidationFailure":
        return "invalid"
    if "TTL cannot be greater than max TTL" in answer.json()["message"]:
        return "refused" if answer.status_code == 400 else answer.text
    return answer.text


def store(api: Api, identity_id: str, steps: list[tuple[int | None, int | None]]) -> Any:
    """Attach anew, and update to the state wanted. Returns the object."""
    api.delete(api.azure_auth(identity_id))
    stored = api.attach(identity_id, **lifetimes(*steps[0]))
    for step in steps[1:]:
        answer = api.patch(api.azure_auth(identity_id), lifetimes(*step))
        assert answer.status_code == 200, answer.text
        stored = answer.json()["identityAzureAuth"]
    return stored


def test_attaching(api: Api, identity: str) -> None:
    expected = cells(ATTACH_TABLES[min(api.generation, "2025-06")])
    found = {}
    for ttl, max_ttl in expected:
        answer = api.post(api.azure_auth(identity), {**ATTACH, **lifetimes(ttl, max_ttl)})
        found[ttl, max_ttl] = outcome(answer)
        if answer.status_code == 200:
            stored = answer.json()["identityAzureAuth"]
            assert stored["accessTokenTTL"] == (2592000 if ttl is None else ttl)
            assert stored["accessTokenMaxTTL"] == (2592000 if max_ttl is None else max_ttl)
            api.delete(api.azure_auth(identity))
    assert found == expected


@pytest.mark.parametrize(
    ("generation", "stored_ttl", "stored_max", "steps"),
    [pytest.param(*row, marks=ABOUT[row[0]]) for row in STORED],
    ids=[f"{generation}-stored-{ttl}-of-{most}" for generation, ttl, most, _refused in STORED],
)
def test_updating(
    api: Api,
    identity: str,
    generation: str,
    stored_ttl: int,
    stored_max: int,
    steps: list[tuple[int | None, int | None]],
) -> None:
    expected = cells(UPDATE_TABLES[generation, stored_max])
    found = {}
    state = store(api, identity, steps)
    assert (state["accessTokenTTL"], state["accessTokenMaxTTL"]) == (stored_ttl, stored_max)
    for ttl, max_ttl in expected:
        # As the client does it: the principals go into every update.
        body = {"allowedServicePrincipalIds": PRINCIPAL, **lifetimes(ttl, max_ttl)}
        answer = api.patch(api.azure_auth(identity), body)
        found[ttl, max_ttl] = outcome(answer)
        if answer.status_code == 200:
            state = answer.json()["identityAzureAuth"]
            assert state["accessTokenTTL"] == (stored_ttl if ttl is None else ttl)
            assert state["accessTokenMaxTTL"] == (stored_max if max_ttl is None else max_ttl)
            if ttl is not None or max_ttl is not None:
                store(api, identity, steps)
    assert found == expected


def test_a_refused_update_changes_nothing(api: Api, identity: str) -> None:
    before = api.attach(identity, accessTokenTTL=200, accessTokenMaxTTL=300)
    answer = api.patch(api.azure_auth(identity), {"tenantId": "changed", "accessTokenMaxTTL": 250})
    assert refusal(answer) == (400, "BadRequest")
    assert api.get(api.azure_auth(identity)).json()["identityAzureAuth"] == before


TWO_STEPS = [
    ("attach-without-a-maximum", "2025-06", None, [(60, 60), (None, 0)], (60, 0)),
    ("attach-without-a-ttl-of-its-own", "2024-10", None, [(60, 60), (0, None)], (0, 60)),
    ("lower-the-max-and-drop-the-ttl", "2025-06", (200, 300), [(100, 100), (0, None)], (0, 100)),
    ("lower-the-max-and-drop-the-ttl", "2024-10", (200, 300), [(100, 100), (0, None)], (0, 100)),
    ("raise-the-ttl-and-drop-the-max", "2025-06", (200, 300), [(400, 400), (None, 0)], (400, 0)),
]


@pytest.mark.parametrize(
    ("stored", "steps", "end"),
    [pytest.param(*row[2:], marks=ABOUT[row[1]]) for row in TWO_STEPS],
    ids=[f"{row[0]}-{row[1]}" for row in TWO_STEPS],
)
def test_states_that_take_two_requests(
    api: Api,
    identity: str,
    stored: tuple[int, int] | None,
    steps: list[tuple[int | None, int | None]],
    end: tuple[int, int],
) -> None:
    if stored:
        for single in (end, (end[0], None), (None, end[1])):
            store(api, identity, [stored])
            answer = api.patch(api.azure_auth(identity), lifetimes(*single))
            if answer.status_code == 200:
                state = answer.json()["identityAzureAuth"]
                assert (state["accessTokenTTL"], state["accessTokenMaxTTL"]) != end
        store(api, identity, [stored])
        answers = [api.patch(api.azure_auth(identity), lifetimes(*step)) for step in steps]
    else:
        direct = api.post(api.azure_auth(identity), {**ATTACH, **lifetimes(*end)})
        assert refusal(direct)[1] == "ValidationFailure"
        answers = [api.post(api.azure_auth(identity), {**ATTACH, **lifetimes(*steps[0])})]
        answers.append(api.patch(api.azure_auth(identity), lifetimes(*steps[1])))
    assert [answer.status_code for answer in answers] == [200, 200]
    state = answers[-1].json()["identityAzureAuth"]
    assert (state["accessTokenTTL"], state["accessTokenMaxTTL"]) == end


@since_2025
def test_where_the_ttl_is_above_the_max_dropping_the_max_alone_passes(
    api: Api, identity: str
) -> None:
    steps: list[tuple[int | None, int | None]] = [(200, 200), (None, 0), (None, 100)]
    store(api, identity, steps)
    both = api.patch(api.azure_auth(identity), lifetimes(200, 0))
    assert outcome(both) == "refused"
    alone = api.patch(api.azure_auth(identity), lifetimes(None, 0))
    assert outcome(alone) == "ok"
