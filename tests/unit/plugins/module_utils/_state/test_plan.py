# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.community.infisical.plugins.module_utils._errors import OptionError
from ansible_collections.community.infisical.plugins.module_utils._state.azure_auth import (
    AZURE_AUTH,
)
from ansible_collections.community.infisical.plugins.module_utils._state.lifetimes import (
    depends_on_generation,
)
from ansible_collections.community.infisical.plugins.module_utils._state.plan import plan
from ansible_collections.community.infisical.plugins.module_utils._state.warnings import Warnings

BOTH = (False, True)
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
ONE = "8a6d3f0e-5d0c-4c43-9a0e-0d6b5a1f7c21"
REQUIRED = {"tenant_id": TENANT, "resource": "r", "allowed_service_principal_ids": [ONE]}


def values(**options: t.Any) -> dict[str, t.Any]:
    return AZURE_AUTH.from_options(options, Warnings())


def stored(ttl: int = 3600, max_ttl: int = 7200, **fields: t.Any) -> dict[str, t.Any]:
    return AZURE_AUTH.from_api(
        {
            "tenantId": TENANT,
            "resource": "r",
            "allowedServicePrincipalIds": ONE,
            "accessTokenTrustedIps": [{"ipAddress": "10.0.0.0", "prefix": 8}],
            "accessTokenTTL": ttl,
            "accessTokenMaxTTL": max_ttl,
            "accessTokenNumUsesLimit": 0,
            **fields,
        }
    )


def bodies(
    current: dict[str, t.Any] | None, wanted: dict[str, t.Any] | None, of_2024: bool = False
) -> list[tuple[str, dict[str, t.Any]]]:
    steps = plan(AZURE_AUTH, current, wanted, of_2024=of_2024).steps
    return [(step.verb, dict(step.body)) for step in steps]


def lifetimes(body: dict[str, t.Any]) -> tuple[t.Any, t.Any]:
    return body.get("accessTokenTTL"), body.get("accessTokenMaxTTL")


def test_nothing_that_differs_is_no_request() -> None:
    assert bodies(stored(), values(access_token_trusted_ips=["10.9.9.9/8"], **REQUIRED)) == []
    assert bodies(stored(), {}) == []
    assert bodies(None, None) == []


def test_revoke() -> None:
    assert bodies(stored(), None) == [("revoke", {})]


def test_only_what_differs_is_sent_and_the_principals_always() -> None:
    assert bodies(stored(), values(resource="other")) == [
        ("update", {"resource": "other", "allowedServicePrincipalIds": ONE})
    ]


@pytest.mark.parametrize("text", ["", ", ", f"{ONE}, , {ONE.upper()}", "odd"])
def test_principals_that_do_not_change_are_sent_back_verbatim(text: str) -> None:
    current = stored(allowedServicePrincipalIds=text)
    ((_verb, body),) = bodies(current, values(resource="other"))
    assert body["allowedServicePrincipalIds"] == text


def test_principals_equal_in_meaning_are_sent_back_verbatim() -> None:
    current = stored(allowedServicePrincipalIds=f"{ONE}, , {ONE}")
    wanted = values(resource="other", allowed_service_principal_ids=[ONE.upper()])
    ((_verb, body),) = bodies(current, wanted)
    assert body["allowedServicePrincipalIds"] == f"{ONE}, , {ONE}"


def test_blank_stored_principals_are_a_refusal_unless_they_are_replaced() -> None:
    current = stored(allowedServicePrincipalIds="\ufeff")
    with pytest.raises(OptionError, match="turn into access for every service principal"):
        bodies(current, values(resource="other"))
    wanted = values(resource="other", allowed_service_principal_ids=[ONE])
    ((_verb, body),) = bodies(current, wanted)
    assert body["allowedServicePrincipalIds"] == ONE


def test_an_upper_case_id_on_the_server_is_a_difference() -> None:
    current = stored(tenantId=TENANT.upper(), allowedServicePrincipalIds=ONE.upper())
    assert bodies(current, values(**REQUIRED)) == [
        ("update", {"tenantId": TENANT, "allowedServicePrincipalIds": ONE})
    ]


def test_attaching_sends_every_field() -> None:
    assert bodies(None, values(**REQUIRED)) == [
        (
            "attach",
            {
                "tenantId": TENANT,
                "resource": "r",
                "allowedServicePrincipalIds": ONE,
                "accessTokenTrustedIps": [{"ipAddress": "0.0.0.0/0"}, {"ipAddress": "::/0"}],
                "accessTokenTTL": 2592000,
                "accessTokenMaxTTL": 2592000,
                "accessTokenNumUsesLimit": 0,
            },
        )
    ]


@pytest.mark.parametrize("missing", sorted(REQUIRED))
def test_attaching_needs_what_has_no_default(missing: str) -> None:
    wanted = values(**{name: value for name, value in REQUIRED.items() if name != missing})
    with pytest.raises(OptionError) as raised:
        bodies(None, wanted)
    if missing == "allowed_service_principal_ids":
        missing += " (or allow_all_service_principals)"
    assert str(raised.value) == (
        "Azure Auth is not attached to the identity, and attaching it requires"
        f" {missing}; set it too."
    )


def test_attaching_names_all_that_is_missing() -> None:
    with pytest.raises(OptionError) as raised:
        bodies(None, values(allow_all_service_principals=True))
    assert str(raised.value) == (
        "Azure Auth is not attached to the identity, and attaching it requires tenant_id, resource;"
        " set them too."
    )


def test_attaching_beside_another_method_is_refused_on_servers_of_2024_only() -> None:
    steps = plan(
        AZURE_AUTH, None, values(**REQUIRED), of_2024=False, others=["universal-auth"]
    ).steps
    assert len(steps) == 1
    others = ["universal-auth", "aws-auth"]
    with pytest.raises(OptionError) as raised:
        plan(AZURE_AUTH, None, values(**REQUIRED), of_2024=True, others=others)
    assert str(raised.value) == (
        "Azure Auth cannot be attached: the identity has universal-auth, aws-auth, and this server,"
        " released in 2024, allows only one auth method per identity; remove the other first."
    )


UPDATES = [
    # stored TTL and max, wanted, the lifetimes of each request, on servers of 2024 or not
    ("lowering only the max sends the TTL along", (3600, 7200), (None, 5000), [(3600, 5000)], BOTH),
    ("raising only the max", (3600, 7200), (None, 9000), [(None, 9000)], BOTH),
    ("lowering only the TTL", (3600, 7200), (60, None), [(60, None)], BOTH),
    ("raising the TTL up to the max", (3600, 7200), (7200, None), [(7200, None)], BOTH),
    ("raising both", (3600, 7200), (8000, 9000), [(8000, 9000)], BOTH),
    ("TTL 0 within the same max", (3600, 7200), (0, None), [(0, None)], BOTH),
    ("A: TTL 0 and a lower max", (3600, 7200), (0, 50), [(50, 50), (0, None)], BOTH),
    ("A: TTL stays 0, lower max", (0, 7200), (0, 50), [(50, 50), (0, None)], BOTH),
    ("A: only the max is wanted lower", (0, 7200), (None, 50), [(50, 50), (0, None)], BOTH),
    ("B: no max, TTL above it", (60, 100), (200, 0), [(200, 200), (None, 0)], (False,)),
    ("no max, TTL below it", (60, 100), (80, 0), [(80, 0)], (False,)),
    ("no max alone", (60, 100), (None, 0), [(None, 0)], (False,)),
    ("no limits at all", (60, 100), (0, 0), [(0, 0)], (False,)),
    ("a stored TTL above the max is kept", (200, 100), (200, 0), [(None, 0)], (False,)),
    ("a max where there was none", (60, 0), (None, 100), [(None, 100)], (False,)),
    ("a TTL where there is no max stays possible", (60, 0), (70, None), [(70, None)], BOTH),
    ("a negative max of 2024 is replaced", (60, -5), (60, 100), [(None, 100)], (True,)),
]


@pytest.mark.parametrize(
    ("current", "wanted", "requests", "servers"),
    [row[1:] for row in UPDATES],
    ids=[row[0] for row in UPDATES],
)
def test_lifetimes_of_an_update(
    current: tuple[int, int],
    wanted: tuple[int | None, int | None],
    requests: list[tuple[int | None, int | None]],
    servers: tuple[bool, ...],
) -> None:
    options = dict(zip(("access_token_ttl", "access_token_max_ttl"), wanted))
    given = values(**{name: value for name, value in options.items() if value is not None})
    for of_2024 in servers:
        steps = bodies(stored(*current), given, of_2024)
        assert [lifetimes(body) for _verb, body in steps] == requests


def test_all_other_fields_go_into_the_first_of_two_requests() -> None:
    wanted = values(access_token_ttl=0, access_token_max_ttl=50, resource="other")
    first, second = bodies(stored(), wanted)
    assert first[1]["resource"] == "other"
    assert second[1] == {"accessTokenTTL": 0, "allowedServicePrincipalIds": ONE}


ATTACHMENTS = [
    ("no max", (60, 0), [("attach", (60, 60)), ("update", (None, 0))], False),
    ("no limits", (0, 0), [("attach", (0, 0))], False),
    ("no TTL", (0, 60), [("attach", (0, 60))], False),
    ("no TTL", (0, 60), [("attach", (60, 60)), ("update", (0, None))], True),
    ("both", (60, 70), [("attach", (60, 70))], True),
]


@pytest.mark.parametrize(
    ("wanted", "requests", "of_2024"),
    [row[1:] for row in ATTACHMENTS],
    ids=[f"{row[0]}, {'2024' if row[3] else 'later'}" for row in ATTACHMENTS],
)
def test_lifetimes_of_an_attachment(
    wanted: tuple[int, int], requests: list[tuple[str, tuple[t.Any, t.Any]]], of_2024: bool
) -> None:
    given = values(access_token_ttl=wanted[0], access_token_max_ttl=wanted[1], **REQUIRED)
    steps = bodies(None, given, of_2024)
    assert [(verb, lifetimes(body)) for verb, body in steps] == requests


LOWER = "; lower the first, raise the second, or set access_token_max_ttl to 0 for no maximum."
LIFETIME_REFUSALS = [
    (
        "raising only the TTL above the stored max",
        stored(60, 100),
        {"access_token_ttl": 101},
        False,
        "access_token_ttl 101 (given) is above access_token_max_ttl 100 (stored)" + LOWER,
    ),
    (
        "lowering only the max below the stored TTL",
        stored(60, 100),
        {"access_token_max_ttl": 50},
        False,
        "access_token_ttl 60 (stored) is above access_token_max_ttl 50 (given)" + LOWER,
    ),
    (
        "attaching with a max below the default TTL",
        None,
        {"access_token_max_ttl": 3600, **REQUIRED},
        False,
        "access_token_ttl 2592000 (default) is above access_token_max_ttl 3600 (given)" + LOWER,
    ),
    (
        "attaching with a TTL above the default max",
        None,
        {"access_token_ttl": 2592001, **REQUIRED},
        False,
        "access_token_ttl 2592001 (given) is above access_token_max_ttl 2592000 (default)" + LOWER,
    ),
    (
        "no maximum on a server of 2024",
        stored(60, 100),
        {"access_token_max_ttl": 0},
        True,
        (
            "access_token_max_ttl is 0 (no maximum), which this server, released in 2024, does not"
            " support; write 1 second or more."
        ),
    ),
    (
        "attaching without a maximum on a server of 2024",
        None,
        {"access_token_max_ttl": 0, **REQUIRED},
        True,
        (
            "access_token_max_ttl is 0 (no maximum), which this server, released in 2024, does not"
            " support; write 1 second or more."
        ),
    ),
]


@pytest.mark.parametrize(
    ("current", "options", "of_2024", "message"),
    [row[1:] for row in LIFETIME_REFUSALS],
    ids=[row[0] for row in LIFETIME_REFUSALS],
)
def test_lifetimes_that_are_refused_before_any_write(
    current: dict[str, t.Any] | None, options: dict[str, t.Any], of_2024: bool, message: str
) -> None:
    with pytest.raises(OptionError) as raised:
        bodies(current, values(**options), of_2024)
    assert str(raised.value) == message


def test_lifetimes_that_nobody_asked_to_change_are_left_alone_even_if_odd() -> None:
    assert bodies(stored(200, 100), values(resource="other")) == [
        ("update", {"resource": "other", "allowedServicePrincipalIds": ONE})
    ]


@pytest.mark.parametrize(
    ("wanted", "requests"),
    [((50, 60), [(50, 60)]), ((0, 60), [(60, 60), (0, None)]), ((80, 0), [(80, 80), (None, 0)])],
)
def test_a_cautious_plan_gives_both_lifetimes_first(
    wanted: tuple[int, int], requests: list[tuple[int | None, int | None]]
) -> None:
    given = values(access_token_ttl=wanted[0], access_token_max_ttl=wanted[1])
    steps = plan(AZURE_AUTH, stored(10, 100), given, of_2024=False, cautious=True).steps
    assert [lifetimes(dict(step.body)) for step in steps] == requests


@pytest.mark.parametrize(
    ("max_ttl", "options", "depends"),
    [
        (100, {"access_token_max_ttl": 0}, True),
        (0, {"access_token_max_ttl": 0}, False),
        (100, {"access_token_max_ttl": 1}, False),
        (100, {"access_token_ttl": 0}, False),
    ],
)
def test_the_generation_matters_only_where_no_maximum_is_wanted(
    max_ttl: int, options: dict[str, int], depends: bool
) -> None:
    assert depends_on_generation(stored(0, max_ttl), values(**options)) is depends
