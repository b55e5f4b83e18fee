# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Azure Auth object: its shape, its defaults, and what the server makes of values."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from contract.api import ATTACH, PRINCIPAL, RESOURCE, TENANT, Api, only_2026, refusal

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z\Z")
ANYWHERE = [
    {"ipAddress": "0.0.0.0", "type": "ipv4", "prefix": 0},
    {"ipAddress": "::", "type": "ipv6", "prefix": 0},
]
FIELDS = {
    "id",
    "createdAt",
    "updatedAt",
    "identityId",
    "tenantId",
    "resource",
    "allowedServicePrincipalIds",
    "accessTokenTTL",
    "accessTokenMaxTTL",
    "accessTokenNumUsesLimit",
    "accessTokenTrustedIps",
}


def test_attach_answers_the_whole_object(api: Api, identity: str) -> None:
    attached = api.attach(identity)
    assert set(attached) - {"accessTokenPeriod"} == FIELDS
    assert ("accessTokenPeriod" in attached) == (api.generation > "2024-10")
    assert attached["identityId"] == identity
    assert UUID.match(attached["id"])
    assert TIMESTAMP.match(attached["createdAt"])
    assert TIMESTAMP.match(attached["updatedAt"])
    assert api.get(api.azure_auth(identity)).json() == {"identityAzureAuth": attached}


def test_attach_fills_in_the_documented_defaults(api: Api, identity: str) -> None:
    answer = api.post(api.azure_auth(identity), {"tenantId": TENANT, "resource": RESOURCE})
    attached = answer.json()["identityAzureAuth"]
    assert attached["allowedServicePrincipalIds"] == ""
    assert attached["accessTokenTTL"] == 2592000
    assert attached["accessTokenMaxTTL"] == 2592000
    assert attached["accessTokenNumUsesLimit"] == 0
    assert attached["accessTokenTrustedIps"] == ANYWHERE


def test_revoke_answers_the_object_as_it_was(api: Api, identity: str) -> None:
    attached = api.attach(identity)
    answer = api.delete(api.azure_auth(identity))
    assert (answer.status_code, answer.json()) == (200, {"identityAzureAuth": attached})


def test_attaching_again_makes_another_object(api: Api, identity: str) -> None:
    first = api.attach(identity)
    api.delete(api.azure_auth(identity))
    assert api.attach(identity)["id"] != first["id"]


@pytest.mark.parametrize("field", ["tenantId", "resource"])
@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("  padded  ", "padded"),
        ("\u00a0\ufeffjavascript blanks\u3000\u2028", "javascript blanks"),
        ("\x1cpython blanks\x85", "\x1cpython blanks\x85"),
        ("Upper Case", "Upper Case"),
        ("not a tenant!", "not a tenant!"),
        ("", ""),
        ("   ", ""),
        ("x" * 255, "x" * 255),
        ("caf\u00e9 \U0001f600", "caf\u00e9 \U0001f600"),
    ],
)
def test_text_is_trimmed_and_otherwise_kept(
    api: Api, attached: str, field: str, given: str, stored: str
) -> None:
    answer = api.patch(api.azure_auth(attached), {**ATTACH, field: given})
    assert answer.json()["identityAzureAuth"][field] == stored


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("", ""),
        ("   ", ""),
        ("\ufeff", ""),
        ("\u2003\t", ""),
        (",", ", "),
        (" , ", ", "),
        ("a", "a"),
        ("a,b", "a, b"),
        ("  a ,\tb  ", "a, b"),
        ("a,,b", "a, , b"),
        ("a, , b", "a, , b"),
        ("a,", "a, "),
        ("B,a,B", "B, a, B"),
        (f"{PRINCIPAL},{PRINCIPAL.upper()}", f"{PRINCIPAL}, {PRINCIPAL.upper()}"),
    ],
)
@pytest.mark.parametrize("verb", ["attach", "update"])
def test_principals_are_split_trimmed_and_joined(
    api: Api, bare: str, attached: str, verb: str, given: str, stored: str
) -> None:
    if verb == "attach":
        found = api.attach(bare, allowedServicePrincipalIds=given)
        api.delete(api.azure_auth(bare))
    else:
        answer = api.patch(api.azure_auth(attached), {"allowedServicePrincipalIds": given})
        found = answer.json()["identityAzureAuth"]
    assert found["allowedServicePrincipalIds"] == stored


@pytest.mark.parametrize("stored", ["a, , b", ", ", "B, a, B", "a, "])
def test_a_stored_string_echoes_unchanged(api: Api, attached: str, stored: str) -> None:
    answer = api.patch(api.azure_auth(attached), {"allowedServicePrincipalIds": stored})
    assert answer.json()["identityAzureAuth"]["allowedServicePrincipalIds"] == stored


def test_principals_may_take_255_characters_on_every_server(api: Api, attached: str) -> None:
    text = "p" * 255
    answer = api.patch(api.azure_auth(attached), {"allowedServicePrincipalIds": text})
    assert answer.json()["identityAzureAuth"]["allowedServicePrincipalIds"] == text


@only_2026
def test_principals_may_take_2048_characters_today(api: Api, attached: str) -> None:
    text = "p" * 2048
    answer = api.patch(api.azure_auth(attached), {"allowedServicePrincipalIds": text})
    if api.emulator is None and answer.status_code == 500:
        pytest.skip("the server is older than March 2026, when the limit was 255")
    assert answer.json()["identityAzureAuth"]["allowedServicePrincipalIds"] == text


def test_principals_above_the_limit_are_a_500(api: Api, attached: str) -> None:
    limit = 2048 if api.generation == "2026" else 255
    # As long as the limit when it is sent, and a blank longer once joined.
    text = "p" * (limit - 2) + ",q"
    assert len(text) == limit
    answer = api.patch(api.azure_auth(attached), {"allowedServicePrincipalIds": text})
    assert refusal(answer) == (500, "Update by id")


ADDRESSES: list[tuple[str, dict[str, Any] | None]] = [
    ("10.0.0.1", {"ipAddress": "10.0.0.1", "type": "ipv4"}),
    ("  10.0.0.1\t", {"ipAddress": "10.0.0.1", "type": "ipv4"}),
    ("10.1.2.3/8", {"ipAddress": "10.1.2.3", "type": "ipv4", "prefix": 8}),
    ("10.0.0.1/32", {"ipAddress": "10.0.0.1", "type": "ipv4", "prefix": 32}),
    ("0.0.0.0/0", {"ipAddress": "0.0.0.0", "type": "ipv4", "prefix": 0}),
    ("2001:DB8::0001", {"ipAddress": "2001:DB8::0001", "type": "ipv6"}),
    ("2001:DB8::/32", {"ipAddress": "2001:DB8::", "type": "ipv6", "prefix": 32}),
    ("::ffff:10.0.0.1", {"ipAddress": "::ffff:10.0.0.1", "type": "ipv6"}),
    ("::ffff:10.0.0.0/104", {"ipAddress": "::ffff:10.0.0.0", "type": "ipv6", "prefix": 104}),
    ("fe80::1%eth0", {"ipAddress": "fe80::1%eth0", "type": "ipv6"}),
    ("fe80::1%eth0/64", {"ipAddress": "fe80::1%eth0", "type": "ipv6", "prefix": 64}),
    ("10.0.0.0/8abc", {"ipAddress": "10.0.0.0", "type": "ipv4", "prefix": 8}),
    ("10.0.0.0/0x10", {"ipAddress": "10.0.0.0", "type": "ipv4", "prefix": 0}),
    ("10.0.0.0/0.0.0.255", {"ipAddress": "10.0.0.0", "type": "ipv4", "prefix": 0}),
    ("10.0.0.0/08", {"ipAddress": "10.0.0.0", "type": "ipv4", "prefix": 8}),
    ("10.0.0.0/8/24", {"ipAddress": "10.0.0.0", "type": "ipv4", "prefix": 8}),
    ("10.0.0.0/33", None),
    ("10.0.0.0/-1", None),
    ("10.0.0.0/", None),
    ("10.0.0.0/255.0.0.0", None),
    ("2001:db8::/129", None),
    ("10", None),
    ("10.1", None),
    ("256.1.1.1", None),
    ("010.0.0.1", None),
    ("host.example", None),
    ("", None),
]


@pytest.mark.parametrize(("given", "stored"), ADDRESSES, ids=[repr(row[0]) for row in ADDRESSES])
@pytest.mark.usefixtures("licensed")
def test_a_trusted_ip_is_read_leniently_and_never_made_canonical(
    api: Api, attached: str, given: str, stored: dict[str, Any] | None
) -> None:
    answer = api.patch(api.azure_auth(attached), {"accessTokenTrustedIps": [{"ipAddress": given}]})
    if stored is None:
        assert refusal(answer) == (400, "BadRequest")
    else:
        assert answer.json()["identityAzureAuth"]["accessTokenTrustedIps"] == [stored]


@pytest.mark.usefixtures("licensed")
def test_order_and_duplicates_of_trusted_ips_stay(api: Api, attached: str) -> None:
    given = ["10.0.0.2", "10.0.0.1", "10.0.0.2"]
    answer = api.patch(
        api.azure_auth(attached), {"accessTokenTrustedIps": [{"ipAddress": ip} for ip in given]}
    )
    stored = answer.json()["identityAzureAuth"]["accessTokenTrustedIps"]
    assert [entry["ipAddress"] for entry in stored] == given


@pytest.mark.usefixtures("licensed")
def test_the_returned_shape_sent_back_loses_its_prefix(api: Api, attached: str) -> None:
    shown = {"ipAddress": "10.0.0.0", "type": "ipv4", "prefix": 8}
    answer = api.patch(api.azure_auth(attached), {"accessTokenTrustedIps": [shown]})
    stored = answer.json()["identityAzureAuth"]["accessTokenTrustedIps"]
    assert stored == [{"ipAddress": "10.0.0.0", "type": "ipv4"}]


@pytest.mark.usefixtures("unlicensed")
def test_without_a_licence_only_anywhere_is_allowed(api: Api, attached: str) -> None:
    path = api.azure_auth(attached)
    anywhere = [{"ipAddress": "::/0"}, {"ipAddress": "0.0.0.0/0"}]
    assert api.patch(path, {"accessTokenTrustedIps": anywhere}).status_code == 200
    for ip in ("10.0.0.0/8", "0.0.0.0/00", "nonsense"):
        answer = api.patch(path, {"accessTokenTrustedIps": [{"ipAddress": ip}]})
        assert refusal(answer) == (400, "BadRequest")
        assert "plan restriction" in answer.json()["message"]


@pytest.mark.parametrize("limit", [0, 1, 2**31, 2**53 - 1])
def test_a_use_limit_below_2_to_the_53_is_exact(api: Api, attached: str, limit: int) -> None:
    answer = api.patch(api.azure_auth(attached), {"accessTokenNumUsesLimit": limit})
    assert answer.json()["identityAzureAuth"]["accessTokenNumUsesLimit"] == limit


@pytest.mark.parametrize(
    "field",
    [
        {"tenantId": "changed"},
        {"resource": "changed"},
        {"allowedServicePrincipalIds": "changed"},
        {"accessTokenTTL": 60},
        {"accessTokenNumUsesLimit": 5},
    ],
    ids=lambda field: next(iter(field)),
)
def test_update_changes_only_what_is_given(api: Api, identity: str, field: dict[str, Any]) -> None:
    before = api.attach(identity)
    answer = api.patch(api.azure_auth(identity), field)
    after = answer.json()["identityAzureAuth"]
    assert after == {**before, **field, "updatedAt": after["updatedAt"]}


def test_update_with_unchanged_values_only_bumps_the_time(api: Api, attached: str) -> None:
    before = api.get(api.azure_auth(attached)).json()["identityAzureAuth"]
    time.sleep(0.01)
    same = {"allowedServicePrincipalIds": before["allowedServicePrincipalIds"]}
    after = api.patch(api.azure_auth(attached), same).json()["identityAzureAuth"]
    assert after["updatedAt"] > before["updatedAt"]
    assert after == {**before, "updatedAt": after["updatedAt"]}


def test_unknown_fields_are_dropped(api: Api, attached: str) -> None:
    answer = api.patch(api.azure_auth(attached), {"resource": RESOURCE, "identityId": "other"})
    assert answer.json()["identityAzureAuth"]["identityId"] == attached


def test_if_match_is_ignored(api: Api, attached: str) -> None:
    answer = api.patch(
        api.azure_auth(attached), {"resource": RESOURCE}, headers={"If-Match": '"nonsense"'}
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("verb", ["attach", "update"])
def test_blanks_around_the_id_are_trimmed_where_it_is_written(
    api: Api, bare: str, attached: str, verb: str
) -> None:
    if verb == "attach":
        answer = api.post(f"{api.azure_auth('%20' + bare)}%20", ATTACH)
        api.delete(api.azure_auth(bare))
    else:
        answer = api.patch(f"{api.azure_auth('%20' + attached)}%20", ATTACH)
    assert answer.status_code == 200
