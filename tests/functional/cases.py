# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module is asked for, from which stored state, and what must come of it.

Each case runs in check mode, for real, and once more: see test_cases.py.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

# What 2025-06 does otherwise than 2026 has a file of its own.
BOTH = ("2026", "2024-10")
CURRENT = ("2026",)
LEGACY = ("2024-10",)

TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
RESOURCE = "https://management.azure.com/"
ONE = "8a6d3f0e-5d0c-4c43-9a0e-0d6b5a1f7c21"
TWO = "0f0e0d0c-0b0a-4908-8706-050403020100"
EVERYWHERE = ["0.0.0.0/0", "::/0"]
DAY = 86400
MONTH = 2592000

ATTACHED: dict[str, t.Any] = {
    "tenantId": TENANT,
    "resource": RESOURCE,
    "allowedServicePrincipalIds": ONE,
    "accessTokenTrustedIps": [
        {"ipAddress": "0.0.0.0", "type": "ipv4", "prefix": 0},
        {"ipAddress": "::", "type": "ipv6", "prefix": 0},
    ],
    "accessTokenTTL": 3600,
    "accessTokenMaxTTL": 7200,
    "accessTokenNumUsesLimit": 0,
}
REQUIRED: dict[str, t.Any] = {
    "tenant_id": TENANT,
    "resource": RESOURCE,
    "allowed_service_principal_ids": [ONE],
}
OPEN: dict[str, t.Any] = {
    "tenant_id": TENANT,
    "resource": RESOURCE,
    "allow_all_service_principals": True,
}
PRINCIPALS = {"allowedServicePrincipalIds": ONE}


@dataclass(frozen=True)
class Case:
    """One case.

    `stored` are the fields of the API that differ from ATTACHED, None is "not attached".
    `methods` are the identity's other auth methods. `writes` are the requests that the real run
    must make, and no others. Either `refused` is in the message of both runs, or `leaves` in
    the state that they return, with `keeps` among its details as what no option takes.
    """

    id: str
    stored: t.Mapping[str, t.Any] | None
    options: t.Mapping[str, t.Any]
    writes: t.Sequence[tuple[str, t.Mapping[str, t.Any]]] = ()
    leaves: t.Mapping[str, t.Any] = field(default_factory=dict)
    keeps: t.Mapping[str, t.Any] = field(default_factory=dict)
    refused: str | None = None
    methods: t.Sequence[str] = ()
    generations: t.Sequence[str] = BOTH
    warns: str | None = None


def trusted(*texts: str) -> dict[str, t.Any]:
    """Return the field of the API with these addresses (no prefix) and networks."""
    items = []
    for text in texts:
        address, slash, prefix = text.partition("/")
        item: dict[str, t.Any] = {
            "ipAddress": address,
            "type": "ipv6" if ":" in address else "ipv4",
        }
        if slash:
            item["prefix"] = int(prefix)
        items.append(item)
    return {"accessTokenTrustedIps": items}


def patch(**fields: t.Any) -> tuple[str, dict[str, t.Any]]:
    """Return an update with the fields and the principals, as ATTACHED has them."""
    return "PATCH", {**PRINCIPALS, **fields}


def post(**fields: t.Any) -> tuple[str, dict[str, t.Any]]:
    """Return an attachment with the required fields, the defaults, and the fields."""
    return "POST", {
        "tenantId": TENANT,
        "resource": RESOURCE,
        **PRINCIPALS,
        "accessTokenTrustedIps": [{"ipAddress": "0.0.0.0/0"}, {"ipAddress": "::/0"}],
        "accessTokenTTL": MONTH,
        "accessTokenMaxTTL": MONTH,
        "accessTokenNumUsesLimit": 0,
        **fields,
    }


def sent(*texts: str) -> list[dict[str, str]]:
    """Return trusted IPs as they are to be sent."""
    return [{"ipAddress": text} for text in texts]


ATTACHING = [
    Case(
        "attach with the API's defaults",
        None,
        REQUIRED,
        [post()],
        {
            "state": "present",
            **REQUIRED,
            "access_token_trusted_ips": EVERYWHERE,
            "access_token_ttl": MONTH,
            "access_token_max_ttl": MONTH,
            "access_token_num_uses_limit": 0,
        },
    ),
    Case(
        "attach with every option",
        None,
        {
            "tenant_id": TENANT.upper(),
            "resource": f" {RESOURCE}\ufeff",
            "allowed_service_principal_ids": [TWO.upper(), f"{{{ONE}}}", ONE.replace("-", "")],
            "access_token_trusted_ips": ["2001:DB8:0::1", "10.1.2.3/8", "10.0.0.0/8"],
            "access_token_ttl": 60,
            "access_token_max_ttl": "120",
            "access_token_num_uses_limit": 9007199254740991,
        },
        [
            post(
                allowedServicePrincipalIds=f"{TWO}, {ONE}",
                accessTokenTrustedIps=sent("2001:db8::1", "10.0.0.0/8"),
                accessTokenTTL=60,
                accessTokenMaxTTL=120,
                accessTokenNumUsesLimit=9007199254740991,
            )
        ],
        {
            "tenant_id": TENANT,
            "allowed_service_principal_ids": [TWO, ONE],
            "access_token_trusted_ips": ["2001:db8::1", "10.0.0.0/8"],
        },
        warns="host bits were dropped from 1 of the networks: 10.1.2.3/8 is 10.0.0.0/8",
    ),
    Case(
        "attach for every service principal, asked for as such",
        None,
        OPEN,
        [post(allowedServicePrincipalIds="")],
        {"allowed_service_principal_ids": None, "allow_all_service_principals": True},
        warns=(
            "allow_all_service_principals opens 1 of the identities,"
            " which were not open before, to every"
        ),
    ),
    Case(
        "attach for not everyone, who are not listed",
        None,
        {**OPEN, "allow_all_service_principals": False},
        refused=(
            "requires allowed_service_principal_ids (or"
            " allow_all_service_principals); set it too"
        ),
    ),
    Case(
        "attach without a maximum takes two requests",
        None,
        {**REQUIRED, "access_token_ttl": 60, "access_token_max_ttl": 0},
        [post(accessTokenTTL=60, accessTokenMaxTTL=60), patch(accessTokenMaxTTL=0)],
        {"access_token_ttl": 60, "access_token_max_ttl": 0},
        generations=CURRENT,
    ),
    Case(
        "attach without any limit",
        None,
        {**REQUIRED, "access_token_ttl": 0, "access_token_max_ttl": 0},
        [post(accessTokenTTL=0, accessTokenMaxTTL=0)],
        {"access_token_ttl": 0, "access_token_max_ttl": 0},
        generations=CURRENT,
    ),
    Case(
        "attach without a TTL of its own",
        None,
        {**REQUIRED, "access_token_ttl": 0, "access_token_max_ttl": 60},
        [post(accessTokenTTL=0, accessTokenMaxTTL=60)],
        {"access_token_ttl": 0, "access_token_max_ttl": 60},
        generations=CURRENT,
    ),
    Case(
        "attach without a TTL of its own takes two requests",
        None,
        {**REQUIRED, "access_token_ttl": 0, "access_token_max_ttl": 60},
        [post(accessTokenTTL=60, accessTokenMaxTTL=60), patch(accessTokenTTL=0)],
        {"access_token_ttl": 0, "access_token_max_ttl": 60},
        generations=LEGACY,
    ),
    Case(
        "attach without a maximum is out of reach",
        None,
        {**REQUIRED, "access_token_ttl": 60, "access_token_max_ttl": 0},
        refused=(
            "access_token_max_ttl is 0 (no maximum), which this server, released in 2024, does not"
        ),
        generations=LEGACY,
    ),
    Case(
        "attach beside another auth method",
        None,
        REQUIRED,
        [post()],
        methods=["universal-auth"],
        generations=CURRENT,
    ),
    Case(
        "attach beside another auth method is out of reach",
        None,
        REQUIRED,
        refused=(
            "the identity has universal-auth, and this server, released in 2024,"
            " allows only one auth method per"
        ),
        methods=["universal-auth"],
        generations=LEGACY,
    ),
    Case(
        "attach with only a max below the default TTL",
        None,
        {**REQUIRED, "access_token_max_ttl": 3600},
        refused="access_token_ttl 2592000 (default) is above access_token_max_ttl 3600 (given)",
    ),
    *(
        Case(
            f"attach without {missing}",
            None,
            {name: value for name, value in REQUIRED.items() if name != missing},
            refused=f"attaching it requires {missing}",
        )
        for missing in REQUIRED
    ),
    Case(
        "attach without anything",
        None,
        {},
        refused="attaching it requires tenant_id, resource, allowed_service_principal_ids",
    ),
]

EQUAL = [
    ("all options as stored", {}, REQUIRED),
    ("no option but the identity", {}, {}),
    ("tenant in upper case with braces", {}, {"tenant_id": f"{{{TENANT.upper()}}}"}),
    (
        "principals in another order, case and form, repeated",
        {"allowedServicePrincipalIds": f"{ONE}, {TWO}"},
        {"allowed_service_principal_ids": [TWO.upper(), TWO.replace("-", ""), ONE]},
    ),
    (
        "principals stored with an empty entry and a repetition",
        {"allowedServicePrincipalIds": f"{ONE}, , {TWO}, {ONE}"},
        {"allowed_service_principal_ids": [ONE, TWO]},
    ),
    (
        "ids that are no UUIDs, left alone",
        {"allowedServicePrincipalIds": "a, , b"},
        {"resource": RESOURCE},
    ),
    (
        "everyone",
        {"allowedServicePrincipalIds": ""},
        {"allow_all_service_principals": True},
    ),
    ("not everyone, where only some are", {}, {"allow_all_service_principals": False}),
    (
        "not everyone, and who",
        {},
        {"allow_all_service_principals": False, "allowed_service_principal_ids": [ONE]},
    ),
    (
        "nulls and blanks",
        {},
        {"tenant_id": "", "resource": None, "allowed_service_principal_ids": "\ufeff"},
    ),
    (
        "the user's host bits",
        trusted("10.0.0.0/8"),
        {"access_token_trusted_ips": ["10.1.2.3/8"]},
    ),
    (
        "the server's host bits",
        trusted("10.1.2.3/8"),
        {"access_token_trusted_ips": ["10.0.0.0/8"]},
    ),
    (
        "a host and its /32, the user's",
        trusted("10.1.2.3"),
        {"access_token_trusted_ips": ["10.1.2.3/32"]},
    ),
    (
        "a host and its /32, the server's",
        trusted("10.1.2.3/32", "2001:db8::1/128"),
        {"access_token_trusted_ips": ["10.1.2.3", "2001:db8::1"]},
    ),
    (
        "the server's upper-case IPv6 with leading zeros",
        trusted("2001:0DB8:0:0::1"),
        {"access_token_trusted_ips": ["2001:db8::1"]},
    ),
    (
        "the user's upper-case IPv6",
        trusted("2001:db8::1"),
        {"access_token_trusted_ips": ["2001:DB8:0::1"]},
    ),
    (
        "order and repetitions of networks, the user's",
        trusted("10.0.0.0/8", "192.0.2.0/24"),
        {"access_token_trusted_ips": ["192.0.2.0/24", "10.0.0.0/8", "192.0.2.9/24"]},
    ),
    (
        "order and repetitions of networks, the server's",
        trusted("10.0.0.0/8", "192.0.2.0/24", "10.9.0.0/8", "10.0.0.0/8"),
        {"access_token_trusted_ips": ["192.0.2.0/24", "10.0.0.0/8"]},
    ),
    (
        "an address that netaddr cannot parse, left alone",
        trusted("fe80::1%eth0", "10.0.0.0/8"),
        {"resource": RESOURCE},
    ),
]

UNEQUAL = [
    Case(
        "an upper-case tenant on the server",
        {"tenantId": TENANT.upper()},
        {"tenant_id": TENANT.upper()},
        [patch(tenantId=TENANT)],
        {"tenant_id": TENANT},
    ),
    Case(
        "an upper-case principal on the server",
        {"allowedServicePrincipalIds": ONE.upper()},
        {"allowed_service_principal_ids": [ONE.upper()]},
        [patch()],
        {"allowed_service_principal_ids": [ONE]},
    ),
    Case(
        "nobody is not everyone, and no option says it",
        {"allowedServicePrincipalIds": ", "},
        {"resource": "other"},
        [patch(resource="other", allowedServicePrincipalIds=", ")],
        {"allowed_service_principal_ids": None, "allow_all_service_principals": False},
        {"allowed_service_principal_ids": [""]},
    ),
    Case(
        "everyone, asked for where nobody may",
        {"allowedServicePrincipalIds": ", "},
        {"allow_all_service_principals": True},
        [patch(allowedServicePrincipalIds="")],
        {"allowed_service_principal_ids": None, "allow_all_service_principals": True},
        warns=(
            "allow_all_service_principals opens 1 of the identities,"
            " which were not open before, to every"
        ),
    ),
    Case(
        "not everyone, where everyone may",
        {"allowedServicePrincipalIds": ""},
        {"allow_all_service_principals": False},
        refused="set allowed_service_principal_ids to those that may log in",
    ),
    Case(
        "no audience on the server, left alone",
        {"resource": ""},
        {"tenant_id": TWO},
        [patch(tenantId=TWO)],
        {"resource": None},
        {"resource": ""},
    ),
    Case(
        "an audience that is none on the server, left alone",
        {"resource": "/"},
        {"access_token_ttl": 60},
        [patch(accessTokenTTL=60)],
        {"resource": None},
        {"resource": "/"},
    ),
    Case(
        "a tenant and principals that are no UUIDs on the server, left alone",
        {"tenantId": "contoso", "allowedServicePrincipalIds": "A, , b c;d, e"},
        {"access_token_ttl": 60},
        [patch(accessTokenTTL=60, allowedServicePrincipalIds="A, , b c;d, e")],
        {"tenant_id": None, "allowed_service_principal_ids": None},
        {"tenant_id": "contoso", "allowed_service_principal_ids": ["A", "b c;d", "e"]},
    ),
    Case(
        "a tenant that is no UUID on the server, replaced",
        {"tenantId": "contoso"},
        {"tenant_id": TENANT},
        [patch(tenantId=TENANT)],
        {"tenant_id": TENANT},
    ),
    Case(
        "details are accepted and ignored",
        {},
        {"resource": "other", "details": {"id": "x", "stored": {"resource": "/"}, "other": [1]}},
        [patch(resource="other")],
        {"resource": "other"},
    ),
    Case(
        "one principal, where everyone may",
        {"allowedServicePrincipalIds": ""},
        {"allowed_service_principal_ids": [ONE]},
        [patch()],
        {"allowed_service_principal_ids": [ONE]},
    ),
    Case(
        "principals stored oddly go back verbatim where they are not what changes",
        {"allowedServicePrincipalIds": f"{ONE}, , {TWO.upper()}, {ONE}"},
        {"resource": "other"},
        [patch(resource="other", allowedServicePrincipalIds=f"{ONE}, , {TWO.upper()}, {ONE}")],
        {"allowed_service_principal_ids": [ONE, TWO.upper()]},
    ),
    Case(
        "principals equal in meaning go back verbatim",
        {"allowedServicePrincipalIds": f"{TWO}, , {ONE}"},
        {"resource": "other", "allowed_service_principal_ids": [ONE, TWO]},
        [patch(resource="other", allowedServicePrincipalIds=f"{TWO}, , {ONE}")],
        {"allowed_service_principal_ids": [TWO, ONE]},
    ),
    Case(
        "stored blanks are never sent back",
        {"allowedServicePrincipalIds": "\ufeff "},
        {"resource": "other"},
        refused="turn into access for every service principal",
    ),
    Case(
        "IPv4-mapped IPv6 is not the IPv4 that it maps",
        trusted("10.0.0.0/8"),
        {"access_token_trusted_ips": ["::ffff:10.0.0.0/104"]},
        [patch(accessTokenTrustedIps=sent("::ffff:10.0.0.0/104"))],
        {"access_token_trusted_ips": ["::ffff:10.0.0.0/104"]},
    ),
    Case(
        "adjacent networks are not merged",
        trusted("10.0.0.0/9", "10.128.0.0/9"),
        {"access_token_trusted_ips": ["10.0.0.0/8"]},
        [patch(accessTokenTrustedIps=sent("10.0.0.0/8"))],
        {"access_token_trusted_ips": ["10.0.0.0/8"]},
    ),
    Case(
        "a network within another is not left out",
        trusted("10.0.0.0/8"),
        {"access_token_trusted_ips": ["10.0.0.0/8", "10.1.0.0/16"]},
        [patch(accessTokenTrustedIps=sent("10.0.0.0/8", "10.1.0.0/16"))],
        {"access_token_trusted_ips": ["10.0.0.0/8", "10.1.0.0/16"]},
    ),
    Case(
        "an address that netaddr cannot parse differs, and is shown",
        trusted("fe80::1%eth0"),
        {"resource": "other"},
        [patch(resource="other")],
        {"access_token_trusted_ips": None},
        {"access_token_trusted_ips": ["fe80::1%eth0"]},
    ),
    Case(
        "an address that netaddr cannot parse is replaced",
        trusted("fe80::1%eth0", "10.0.0.0/8"),
        {"access_token_trusted_ips": ["10.0.0.0/8"]},
        [patch(accessTokenTrustedIps=sent("10.0.0.0/8"))],
        {"access_token_trusted_ips": ["10.0.0.0/8"]},
    ),
    Case(
        "IPv4 limited and opened again by IPv6",
        {},
        {"access_token_trusted_ips": ["10.0.0.0/8", "::/0"]},
        [patch(accessTokenTrustedIps=sent("10.0.0.0/8", "::/0"))],
        {"access_token_trusted_ips": ["10.0.0.0/8", "::/0"]},
        warns="allow every IPv4 address, although it does not list 0.0.0.0/0: ::/0",
    ),
    Case(
        "resources are compared letter by letter",
        {},
        {"resource": RESOURCE.rstrip("/")},
        [patch(resource=RESOURCE.rstrip("/"))],
        {"resource": RESOURCE.rstrip("/")},
    ),
    Case(
        "every option at once, in one request",
        {},
        {
            "tenant_id": TWO,
            "resource": "other",
            "allowed_service_principal_ids": [TWO],
            "access_token_trusted_ips": ["192.0.2.1"],
            "access_token_ttl": 60,
            "access_token_max_ttl": 60,
            "access_token_num_uses_limit": 5,
        },
        [
            patch(
                tenantId=TWO,
                resource="other",
                allowedServicePrincipalIds=TWO,
                accessTokenTrustedIps=sent("192.0.2.1"),
                accessTokenTTL=60,
                accessTokenMaxTTL=60,
                accessTokenNumUsesLimit=5,
            )
        ],
        {"access_token_num_uses_limit": 5},
    ),
    Case(
        "the API's names are aliases",
        {},
        {
            "tenantId": TWO,
            "allowedServicePrincipalIds": [TWO],
            "accessTokenTrustedIps": ["192.0.2.1"],
            "accessTokenTTL": 60,
            "accessTokenMaxTTL": 61,
            "accessTokenNumUsesLimit": 5,
        },
        [
            patch(
                tenantId=TWO,
                allowedServicePrincipalIds=TWO,
                accessTokenTrustedIps=sent("192.0.2.1"),
                accessTokenTTL=60,
                accessTokenMaxTTL=61,
                accessTokenNumUsesLimit=5,
            )
        ],
    ),
]


def lifetimes(
    title: str,
    stored: tuple[int, int],
    wanted: t.Mapping[str, int],
    *requests: t.Mapping[str, int],
    refused: str | None = None,
    generations: t.Sequence[str] = BOTH,
) -> Case:
    """Return a case about the two lifetimes alone; `stored` are the TTL and the max."""
    end = {
        "access_token_ttl": wanted.get("ttl", stored[0]),
        "access_token_max_ttl": wanted.get("max_ttl", stored[1]),
    }
    return Case(
        title,
        {"accessTokenTTL": stored[0], "accessTokenMaxTTL": stored[1]},
        {f"access_token_{name}": value for name, value in wanted.items()},
        [patch(**request) for request in requests],
        {} if refused else end,
        refused=refused,
        generations=generations,
    )


LIFETIMES = [
    lifetimes(
        "lowering only the max sends the TTL along",
        (3600, 7200),
        {"max_ttl": 5000},
        {"accessTokenTTL": 3600, "accessTokenMaxTTL": 5000},
    ),
    lifetimes(
        "lowering only the max below the stored TTL",
        (3600, 7200),
        {"max_ttl": 3599},
        refused="access_token_ttl 3600 (stored) is above access_token_max_ttl 3599 (given)",
    ),
    lifetimes(
        "raising only the TTL above the stored max",
        (3600, 7200),
        {"ttl": 7201},
        refused="access_token_ttl 7201 (given) is above access_token_max_ttl 7200 (stored)",
    ),
    lifetimes(
        "raising only the TTL up to the stored max",
        (3600, 7200),
        {"ttl": 7200},
        {"accessTokenTTL": 7200},
    ),
    lifetimes(
        "TTL 0 and a lower max takes two requests",
        (3600, 7200),
        {"ttl": 0, "max_ttl": 60},
        {"accessTokenTTL": 60, "accessTokenMaxTTL": 60},
        {"accessTokenTTL": 0},
    ),
    lifetimes(
        "no maximum and a TTL above the stored max takes two requests",
        (3600, 7200),
        {"ttl": DAY, "max_ttl": 0},
        {"accessTokenTTL": DAY, "accessTokenMaxTTL": DAY},
        {"accessTokenMaxTTL": 0},
        generations=CURRENT,
    ),
    lifetimes(
        "no maximum is out of reach",
        (3600, 7200),
        {"max_ttl": 0},
        refused="which this server, released in 2024, does not support",
        generations=LEGACY,
    ),
    lifetimes(
        "a maximum where there was none",
        (3600, 0),
        {"max_ttl": 5000},
        {"accessTokenMaxTTL": 5000},
        generations=CURRENT,
    ),
    lifetimes(
        "a stored TTL above the max, and no maximum wanted",
        (200, 100),
        {"ttl": 200, "max_ttl": 0},
        {"accessTokenMaxTTL": 0},
        generations=CURRENT,
    ),
]

REVOKING = [
    Case("revoke", {}, {"state": "absent"}, [("DELETE", {})], {"state": "absent"}),
    Case("revoke where nothing is", None, {"state": "absent"}, [], {"state": "absent"}),
    Case(
        "revoke with the options of present",
        {},
        {"state": "absent", **REQUIRED},
        [("DELETE", {})],
        {"state": "absent"},
    ),
]

CASES = [
    *ATTACHING,
    *(Case(f"equal: {title}", stored, options) for title, stored, options in EQUAL),
    *UNEQUAL,
    *LIFETIMES,
    *REVOKING,
]
