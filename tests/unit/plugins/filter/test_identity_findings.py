# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import collections
import copy
import datetime
import ipaddress
import json
import re
import time
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.filter import identity_findings as plugin
from ansible_collections.community.infisical.plugins.module_utils._state.azure_auth import (
    AZURE_AUTH,
)
from ansible_collections.community.infisical.plugins.module_utils._state.warnings import Warnings
from ansible_collections.community.infisical.plugins.plugin_utils import _arguments
from ansible_collections.community.infisical.plugins.plugin_utils._findings import token_rules
from ansible_collections.community.infisical.plugins.plugin_utils._findings.findings import (
    DEFAULTS,
    RULES,
    Found,
    read_criteria,
)
from ansible_collections.community.infisical.plugins.plugin_utils._findings.findings import (
    find as find_on,
)

find = plugin.FilterModule().filters()["identity_findings"]

Object = dict[str, t.Any]

TENANT = "3f6c1b52-9d0e-4a87-8c21-5b7e0f4d9a16"
ONE = "c9a1e7d4-02b8-4f35-9e6a-71d5b3f08c2e"
TWO = "0f0e0d0c-0b0a-4908-8706-050403020100"
NAMES = [rule.name for rule in RULES]
TODAY = datetime.date(2026, 9, 30)
DETAILS: Object = {
    "id": TWO,
    "created_at": "2024-10-01T08:00:00.000Z",
    "updated_at": "2024-10-01T08:00:00.000Z",
    "access_token_period": 0,
}
SETTINGS: Object = {
    "state": "present",
    "tenant_id": TENANT,
    "resource": "https://management.azure.com/",
    "allow_all_service_principals": False,
    "allowed_service_principal_ids": [ONE],
    "access_token_trusted_ips": ["10.0.0.0/8", "2001:db8::/32"],
    "access_token_ttl": 3600,
    "access_token_max_ttl": 86400,
    "access_token_num_uses_limit": 100,
    "details": DETAILS,
}


def attached(**changes: t.Any) -> Object:
    """Return an identity as the modules do, in whose Azure Auth no rule finds anything."""
    return identity({**SETTINGS, **changes})


def identity(settings: Object | None, **changes: t.Any) -> Object:
    return {
        "id": "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b",
        "name": "billing",
        "project_id": None,
        "state": "present",
        "role": "no-access",
        "delete_protection": False,
        **({} if settings is None else {"azure_auth": settings}),
        "details": {"auth_methods": ["azure-auth"], "roles": ["no-access"]},
        **changes,
    }


def look(objects: list[Object], today: datetime.date = TODAY, **options: t.Any) -> Found:
    return find_on(objects, read_criteria(options), today)


def refused(**stored: t.Any) -> Object:
    """Return settings that hold something that options refuse."""
    return {**dict.fromkeys(stored), "details": {**DETAILS, "stored": stored}}


def rules(*objects: Object, **arguments: t.Any) -> list[str]:
    return [finding["rule"] for finding in find(list(objects), **arguments)]


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert find([attached()]) == []
    assert find([]) == []


def ips(*texts: str) -> Object:
    return {"access_token_trusted_ips": list(texts)}


def principals(*ids: str) -> Object:
    return {"allowed_service_principal_ids": list(ids)}


# As an object has it in which every service principal is let in.
OPEN: Object = {"allow_all_service_principals": True, "allowed_service_principal_ids": None}


FOUND: list[tuple[str, Object, t.Any]] = [
    ("open_to_tenant", OPEN, True),
    ("any_audience", {"resource": ""}, ""),
    ("any_audience", {"resource": "/"}, "/"),
    ("any_audience", {"resource": " \ufeff"}, " \ufeff"),
    ("ipv4_opened_by_ipv6", ips("10.0.0.0/8", "::/0"), ["::/0"]),
    ("ipv4_opened_by_ipv6", ips("10.0.0.0/8", "::ffff:0:0/96"), ["::ffff:0.0.0.0/96"]),
    ("ipv4_opened_by_ipv6", ips("0.0.0.0/1", "::/64"), ["::/64"]),
    ("ipv4_opened_by_ipv6", ips("::/64", "2001:db8::/32"), ["::/64"]),
    (
        "ipv4_opened_by_ipv6",
        ips("10.0.0.0/8", "::ffff:0:0/97", "2001:db8::/32", "::ffff:128.0.0.0/97"),
        ["::ffff:0.0.0.0/97", "::ffff:128.0.0.0/97"],
    ),
    ("ipv4_opened_by_ipv6", ips("0.0.0.0/1", "::ffff:128.0.0.0/97"), ["::ffff:128.0.0.0/97"]),
    (
        "ipv4_opened_by_ipv6",
        ips("::ffff:0:0/97", "::ffff:128.0.0.0/97"),
        ["::ffff:0.0.0.0/97", "::ffff:128.0.0.0/97"],
    ),
    (
        "opened_by_prefix",
        ips("10.0.0.0/0x10", "10.0.0.0/8", "192.0.2.0/0.0.0.255", "2001:db8::/00"),
        ["10.0.0.0/0x10", "192.0.2.0/0.0.0.255", "2001:db8::/00"],
    ),
    ("no_lifetime_limit", {"access_token_max_ttl": 0}, 0),
    ("no_lifetime_limit", {"access_token_max_ttl": 0, "access_token_ttl": 0}, 0),
    # Servers of 2024 take negative numbers.
    ("no_lifetime_limit", {"access_token_max_ttl": -1}, -1),
    ("any_address", ips("0.0.0.0/0", "::/0"), ["0.0.0.0/0", "::/0"]),
    ("any_address", ips("::/0"), ["::/0"]),
    ("any_address", ips("0.0.0.0/0", "2001:db8::/32"), ["0.0.0.0/0"]),
    ("any_address", ips("10.0.0.0/8", "2000::/3"), ["2000::/3"]),
    ("any_address", ips("128.0.0.0/1", "0.0.0.0/1"), ["128.0.0.0/1", "0.0.0.0/1"]),
    ("any_address", ips("0.0.0.0/0", "::/64"), ["0.0.0.0/0"]),
    ("long_lifetime", {"access_token_max_ttl": 2592001}, 2592001),
    # A server can hold a TTL above the maximum, and issues tokens that live so long.
    (
        "long_lifetime",
        {"access_token_ttl": 315360000, "access_token_max_ttl": 86400},
        315360000,
    ),
    ("malformed_principal_id", principals(ONE, ONE.upper()), [ONE.upper()]),
    ("malformed_principal_id", principals("my-app", ONE, f"{{{ONE}}}"), ["my-app", f"{{{ONE}}}"]),
    (
        "not_a_network",
        ips("10.0.0.0/8", "fe80::1%eth0", "010.0.0.1", "10.0.0.0/8abc", "10.0.0.0/08", "a/0x1"),
        ["fe80::1%eth0", "010.0.0.1", "10.0.0.0/8abc", "10.0.0.0/08", "a/0x1"],
    ),
    (
        "resource_without_slash",
        {"resource": "https://management.azure.com"},
        "https://management.azure.com",
    ),
    (
        "resource_without_slash",
        {"resource": "HTTP://vault.azure.net:80"},
        "HTTP://vault.azure.net:80",
    ),
    (
        "contained_networks",
        ips("10.1.0.0/16", "10.0.0.0/8", "192.0.2.7", "192.0.2.0/24", "10.1.2.0/24"),
        ["10.1.0.0/16 in 10.0.0.0/8", "10.1.2.0/24 in 10.0.0.0/8", "192.0.2.7 in 192.0.2.0/24"],
    ),
    (
        "contained_networks",
        ips("2001:db8:1::/48", "2001:db8::/32"),
        ["2001:db8:1::/48 in 2001:db8::/32"],
    ),
    ("above_server_cap", {"access_token_max_ttl": 7776001, "access_token_ttl": 0}, 7776001),
    ("above_server_cap", {"access_token_max_ttl": 2**40, "access_token_ttl": 7776001}, 7776001),
    ("unlimited_uses", {"access_token_num_uses_limit": 0}, 0),
]


@pytest.mark.parametrize(("rule", "changes", "value"), FOUND)
def test_what_a_rule_finds(rule: str, changes: Object, value: t.Any) -> None:
    limit = 2592000 if rule == "long_lifetime" else 2**40
    (finding,) = find([attached(**changes)], max_lifetime=limit)
    assert finding["rule"] == rule
    assert (finding["id"], finding["name"]) == (attached()["id"], "billing")
    method, _dot, option = finding["field"].partition(".")
    assert method == "azure_auth"
    # A lifetime that is too long can come from either of two settings.
    assert option in changes or rule == "above_server_cap"
    assert finding["value"] == value
    # Where options refuse it, it is among what is stored.
    if changes != OPEN:
        stored = find([attached(**refused(**changes))], max_lifetime=limit)
        assert stored == [finding]


NOT_FOUND: list[Object] = [
    ips("::ffff:10.0.0.0/104", "10.0.0.0/8"),
    ips("10.0.0.0/9", "10.128.0.0/9"),
    ips("10.0.0.0/8", "::ffff:0:0/97", "::ffff:128.0.0.0/98"),
    ips("0.0.0.0/1", "128.0.0.0/2"),
    ips("2000::/4"),
    ips("0.0.0.0/8", "::/81"),
    # What two versions of IP have in common is only how they begin.
    ips("10.0.0.0/8", "a00::/16"),
    {"access_token_max_ttl": 2592000, "access_token_ttl": 0},
    {"resource": "https://management.azure.com/"},
    {"resource": "api://3f6c1b52-9d0e-4a87-8c21-5b7e0f4d9a16"},
    {"resource": "3f6c1b52-9d0e-4a87-8c21-5b7e0f4d9a16"},
    {"resource": "https://contoso.example/billing"},
    {"resource": "https://contoso.example/a.default"},
    {"resource": "//"},
    {"resource": "https://usgovcloudapi.net.contoso.example/"},
    {"resource": "api://usgovcloudapi.net"},
    {"resource": "https://azure.us.contoso.example/"},
    principals(ONE, TWO),
    {"access_token_num_uses_limit": 1},
]


@pytest.mark.parametrize("changes", NOT_FOUND)
def test_what_no_rule_finds(changes: Object) -> None:
    assert find([attached(**changes)]) == []


NOBODY: list[tuple[Object, list[str], str, Object | None]] = [
    (
        {"resource": "https://management.azure.com/.default"},
        ["resource"],
        "https://management.azure.com/.default is a scope, and Entra issues no tokens for scopes",
        {"resource": "https://management.azure.com/"},
    ),
    (
        {"resource": "https://vault.azure.net//.Default/"},
        ["resource"],
        "https://vault.azure.net//.Default/ is a scope, and Entra issues no tokens for scopes",
        {"resource": "https://vault.azure.net/"},
    ),
    (
        {"resource": ".default"},
        ["resource"],
        ".default is a scope, and Entra issues no tokens for scopes",
        None,
    ),
    (
        {"resource": "https://management.usgovcloudapi.net/"},
        ["resource"],
        (
            "https://management.usgovcloudapi.net/ belongs to Azure Government, and Infisical does"
            " not accept its tokens"
        ),
        None,
    ),
    (
        {"resource": "HTTPS://Management.ChinaCloudApi.CN:443"},
        ["resource"],
        (
            "HTTPS://Management.ChinaCloudApi.CN:443 belongs to Azure in China, and Infisical does"
            " not accept its tokens"
        ),
        None,
    ),
    (
        {"resource": "https://graph.microsoft.us/"},
        ["resource"],
        (
            "https://graph.microsoft.us/ belongs to Azure Government, and Infisical does"
            " not accept its tokens"
        ),
        None,
    ),
    (
        {"resource": "https://management.usgovcloudapi.net/.default"},
        ["resource"],
        (
            "https://management.usgovcloudapi.net/.default is a scope, and Entra issues no tokens"
            " for scopes"
        ),
        None,
    ),
    (
        {"tenant_id": TENANT.upper()},
        ["tenant_id"],
        f"Entra does not write a tenant ID as {TENANT.upper()}",
        {"tenant_id": TENANT},
    ),
    (
        {"tenant_id": TENANT.replace("-", "")},
        ["tenant_id"],
        f"Entra does not write a tenant ID as {TENANT.replace('-', '')}",
        {"tenant_id": TENANT},
    ),
    (
        {"tenant_id": "contoso.example"},
        ["tenant_id"],
        "Entra does not write a tenant ID as contoso.example",
        None,
    ),
    ({"tenant_id": ""}, ["tenant_id"], "Entra does not write a tenant ID as ''", None),
    (
        principals(""),
        ["allowed_service_principal_ids"],
        "its list of service principals contains no ID",
        None,
    ),
    (
        principals(ONE.upper(), f"{{{ONE}}}"),
        ["allowed_service_principal_ids"],
        f"Entra does not write a service principal's ID as {ONE.upper()} and '{{{ONE}}}'",
        principals(ONE),
    ),
    (
        principals("my app"),
        ["allowed_service_principal_ids"],
        "Entra does not write a service principal's ID as 'my app'",
        None,
    ),
    (
        {
            "tenant_id": TENANT.upper(),
            "resource": "api://billing/.default",
            **principals(ONE.upper()),
        },
        ["tenant_id", "resource", "allowed_service_principal_ids"],
        (
            f"Entra does not write a tenant ID as {TENANT.upper()}; api://billing/.default is a"
            " scope, and Entra issues no tokens for scopes; Entra does not write a service"
            f" principal's ID as {ONE.upper()}"
        ),
        {"tenant_id": TENANT, "resource": "api://billing/", **principals(ONE)},
    ),
    # One that is known does not help where another is not.
    (
        {"tenant_id": "contoso.example", **principals(ONE.upper())},
        ["tenant_id", "allowed_service_principal_ids"],
        (
            "Entra does not write a tenant ID as contoso.example; Entra does not write a service"
            f" principal's ID as {ONE.upper()}"
        ),
        None,
    ),
]


@pytest.mark.parametrize(("changes", "options", "reasons", "cure"), NOBODY)
def test_where_nobody_can_log_in_there_is_one_finding_with_all_reasons(
    changes: Object, options: list[str], reasons: str, cure: Object | None
) -> None:
    (finding,) = find([attached(**changes)])
    assert finding["rule"] == "nobody_can_log_in"
    assert finding["field"] == "azure_auth"
    assert finding["value"] == {option: changes[option] for option in options}
    assert finding["sentence"] == f"Nobody can log in as billing: {reasons}."
    assert finding["set"] == (cure and {"azure_auth": cure})
    assert find([attached(**refused(**changes))]) == [finding]


ADMIN: Object = {"role": "admin", "delete_protection": True}


def test_a_privileged_role_that_a_whole_tenant_can_get() -> None:
    found = find([identity({**SETTINGS, **OPEN}, **ADMIN)])
    assert [finding["rule"] for finding in found] == ["privileged_open_to_tenant", "open_to_tenant"]
    assert found[0]["sentence"] == (
        f"Every service principal of tenant {TENANT} can log in as billing, which has the roles"
        " admin and no-access."
    )
    auditor = identity({**SETTINGS, **OPEN}, role="auditor")
    assert rules(auditor) == ["open_to_tenant"]
    assert rules(auditor, privileged_roles=["auditor"])[0] == "privileged_open_to_tenant"


def test_a_privileged_identity_without_delete_protection() -> None:
    plain = identity(None, role="admin", details=None)
    (finding,) = find([plain])
    assert finding["rule"] == "unprotected_privileged_identity"
    assert (finding["field"], finding["value"]) == ("delete_protection", False)
    assert finding["sentence"] == "billing has the role admin, and no delete protection."
    assert finding["set"] == {"delete_protection": True}
    # One of several roles, of which `role` tells none.
    several = identity(None, role=None, details={"roles": ["member", "admin"]})
    assert rules(several) == ["unprotected_privileged_identity"]
    # Servers that have no protection tell of none.
    assert rules({**plain, "delete_protection": None}, {**plain, "role": "member"}) == []
    assert rules(plain, privileged_roles=[]) == []


def test_several_auth_methods() -> None:
    methods = ["azure-auth", "universal-auth", "new-auth", "two words"]
    (finding,) = find([identity(None, details={"auth_methods": methods})])
    assert (finding["rule"], finding["severity"]) == ("several_auth_methods", "medium")
    assert (finding["field"], finding["value"]) == ("details.auth_methods", methods)
    assert finding["sentence"] == (
        "billing has 4 auth methods: Azure Auth, Universal Auth, new-auth and 'two words'."
    )
    finding["value"].clear()
    assert len(methods) == 4


def used(at: str | None, attached_at: str = "2025-01-01T00:00:00Z", **changes: t.Any) -> Object:
    """Return an identity with the last login that the server tells of."""
    details = {"auth_methods": ["azure-auth"], "roles": [], "last_login_at": at}
    settings = {**SETTINGS, "details": {**DETAILS, "created_at": attached_at}}
    return identity(settings, **{"details": details, **changes})


def unused(*objects: Object) -> list[tuple[t.Any, str]]:
    found = look(list(objects)).findings
    assert {finding["rule"] for finding in found} <= {"no_recent_login"}
    return [(finding["value"], finding["sentence"]) for finding in found]


def test_no_recent_login() -> None:
    old = used("2026-07-01T23:59:59.000Z")
    told = ("2026-07-01", "Infisical has recorded no login as billing since 2026-07-01.")
    assert unused(old) == [told]
    assert unused(used("2026-07-02T00:00:00.000Z")) == []
    # Attached since: it may not have been used yet.
    assert unused(used("2026-07-01T23:59:59.000Z", "2026-07-02T00:00:00Z")) == []
    assert look([old], max_unused_days=91).findings == []


def test_no_login_counts_only_where_the_server_has_told_of_one_that_is_as_long_ago() -> None:
    never = used(None)
    assert unused(never) == []
    assert unused(never, used("2026-09-29T00:00:00.000Z")) == []
    sentence = "Infisical has recorded no login as billing since 2025-01-01."
    assert (None, sentence) in unused(never, used("2026-07-01T00:00:00.000Z"))
    assert len(unused(used(None, "2026-09-01T00:00:00Z"), used("2026-07-01T00:00:00.000Z"))) == 1


def test_no_login_is_held_against_what_a_project_owns_and_what_was_not_looked_at() -> None:
    old = "2026-01-01T00:00:00.000Z"
    assert unused(used(old, project_id=TWO), used(None)) == []
    elsewhere = identity(None, details={"auth_methods": ["aws-auth"], "last_login_at": old})
    assert unused(elsewhere, used("yesterday"), used("2026-02-30T00:00:00Z")) == []
    assert unused(used(None, "long ago"), used(old, "2026-09-01T00:00:00Z")) == []


def periodic(period: t.Any, **changes: t.Any) -> Object:
    return attached(**changes, details={**DETAILS, "access_token_period": period})


def test_a_token_with_a_period_has_no_other_lifetime() -> None:
    for lifetimes in (
        {},
        {"access_token_max_ttl": 0},
        {"access_token_max_ttl": 2**40, "access_token_ttl": 2**40},
    ):
        (finding,) = find([periodic(5400, **lifetimes)])
        assert finding["rule"] == "periodic_tokens"
        assert (finding["field"], finding["value"], finding["set"]) == (
            "azure_auth.details.access_token_period",
            5400,
            None,
        )
        assert finding["sentence"] == (
            "A token of billing can be renewed forever, because it has a period of 1 hour and 30"
            " minutes."
        )


@pytest.mark.parametrize("period", [0, None])
def test_a_token_without_a_period_has_its_lifetimes(period: int | None) -> None:
    assert find([periodic(period)]) == []
    assert rules(periodic(period, access_token_max_ttl=0)) == ["no_lifetime_limit"]


def test_results_of_an_older_shape_have_findings_too() -> None:
    older: Object = {"id": ONE, "state": "present", "azure_auth": {**SETTINGS, **OPEN}}
    del older["azure_auth"]["details"]
    assert rules(older) == ["open_to_tenant"]
    assert rules({**older, "details": {}}, {**older, "details": None}) == ["open_to_tenant"] * 2


def test_every_rule_is_tested_and_documented() -> None:
    """Those that look at more than settings, or at several identities, have tests of their own."""
    assert {rule for rule, _changes, _value in FOUND} == set(NAMES) - {
        "privileged_open_to_tenant",
        "nobody_can_log_in",
        "several_auth_methods",
        "unprotected_privileged_identity",
        "no_recent_login",
        "identical_configuration",
        "periodic_tokens",
    }
    sidecar = Path(plugin.__file__).with_suffix(".yml").read_text(encoding="utf-8")
    documentation = yaml.safe_load(sidecar)["DOCUMENTATION"]
    text = "\n".join(documentation["description"])
    described = re.findall(r"^B\((\w+)\) \((\w+)\)", text, re.MULTILINE)
    assert described == [(rule.name, rule.severity) for rule in RULES]
    options = dict(documentation["options"])
    del options["_input"]
    defaults = {
        key: list(value) if isinstance(value, tuple) else value for key, value in DEFAULTS.items()
    }
    assert {key: option["default"] for key, option in options.items()} == defaults


def test_the_guide_has_every_rule_once() -> None:
    guide = Path(plugin.__file__).parents[2] / "docs/docsite/rst/guide_audits.rst"
    row = r"^  \* - ``(\w+)``\n    - (high|medium|low)$"
    rows = re.findall(row, guide.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [(rule.name, rule.severity) for rule in RULES]


def test_a_finding_says_what_it_is_why_it_matters_and_what_to_do() -> None:
    (finding,) = find([attached(**OPEN)])
    assert finding == {
        "rule": "open_to_tenant",
        "severity": "high",
        "title": "Open to a whole tenant",
        "id": attached()["id"],
        "name": "billing",
        "project_id": None,
        "field": "azure_auth.allow_all_service_principals",
        "value": True,
        "sentence": f"Every service principal of tenant {TENANT} can log in as billing.",
        "why": finding["why"],
        "fix": finding["fix"],
        "link": finding["link"],
        "set": None,
        "waived": None,
    }
    for rule in RULES:
        for text in (rule.many, rule.one, rule.why, rule.fix):
            assert re.fullmatch(r"[A-Z{].*\.", text), rule.name
        assert not rule.title.endswith(".")
        assert rule.link.startswith(
            ("https://infisical.com/docs/", "https://learn.microsoft.com/en-us/entra/")
        )
    options = {rule.option for rule in RULES}
    assert options - {""} <= {*SETTINGS, *identity(None), "details.auth_methods"} | {
        "details.last_login_at",
        "details.access_token_period",
    }


def test_what_all_auth_methods_have_speaks_of_no_single_one() -> None:
    for rule in token_rules.RULES:
        text = rule.title + rule.many + rule.one + rule.why + rule.fix
        assert re.search("Entra|tenant|service principal|Azure", text) is None


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("billing", "billing"),
        ("ci/deploy-2.prod", "ci/deploy-2.prod"),
        ("two words", "'two words'"),
        ("Nobody.", "'Nobody.'"),
        ("a\nb\x1b[31m", r"'a\nb\x1b[31m'"),
        ("{name}", "'{name}'"),
        (None, "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"),
        (200 * "x", f"'{80 * 'x'}...'"),
    ],
)
def test_a_sentence_quotes_a_name_that_could_be_read_as_a_part_of_it(
    name: str | None, shown: str
) -> None:
    (finding,) = find([attached(access_token_num_uses_limit=0) | {"name": name}])
    assert finding["sentence"] == f"A token of {shown} can be used any number of times."


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (2592001, "30 days and 1 second"),
        (31536000, "365 days"),
        (2678461, "31 days, 1 minute and 1 second"),
    ],
)
def test_a_sentence_has_lifetimes_in_words(seconds: int, words: str) -> None:
    (finding,) = find([attached(access_token_max_ttl=seconds)], skip=["above_server_cap"])
    assert finding["sentence"] == (
        f"A token of billing can live for {words}, which is longer than 30 days."
    )


def test_of_a_rule_it_is_told_how_many_it_hits_of_how_many() -> None:
    lax = fleet(3, access_token_num_uses_limit=0)
    unread = identity(None, role="admin", delete_protection=True)
    (rule,) = look(lax).rules
    assert (rule["rule"], rule["count"], rule["total"]) == ("unlimited_uses", 3, 3)
    assert rule["sentence"] == (
        "All 3 identities with Azure Auth issue tokens that can be used any number of times."
    )
    (rule,) = look([*lax, attached(), unread]).rules
    assert rule["sentence"].startswith("3 of 4 identities with Azure Auth issue tokens")
    # Of one it is told which.
    (rule,) = look([lax[0], attached()]).rules
    assert (rule["count"], rule["total"]) == (1, 2)
    assert rule["sentence"] == "A token of n0 can be used any number of times."
    # Who has no privileged role does not count.
    open_admins = [identity({**SETTINGS, **OPEN}, **ADMIN) for _index in range(2)]
    rule = look([*open_admins, unread, attached()]).rules[0]
    assert rule["sentence"] == (
        "Both privileged identities with Azure Auth let every service principal of their tenant"
        " log in."
    )
    finding = look(lax).findings[0]
    assert set(look(lax).rules[0]) == {
        *("rule", "severity", "title", "field", "sentence", "why", "fix", "link"),
        *("count", "total"),
    }
    assert finding["why"] == look(lax).rules[0]["why"]


def fleet(count: int, **changes: t.Any) -> list[Object]:
    return [
        identity({**SETTINGS, **changes}, id=f"{n:08x}-0000-4000-8000-000000000000", name=f"n{n}")
        for n in range(count)
    ]


def test_identical_configuration_is_found_from_the_threshold_on() -> None:
    assert find(fleet(9)) == []
    found = find([attached(access_token_ttl=1), *fleet(10)])
    assert len(found) == 10
    assert {finding["rule"] for finding in found} == {"identical_configuration"}
    assert found[9]["name"] == "n9"
    assert found[9]["field"] == "azure_auth"
    assert found[9]["value"] == {
        "identities": 10,
        "first_id": "00000000-0000-4000-8000-000000000000",
        "first_name": "n0",
    }
    assert found[9]["sentence"] == ("n9 is configured exactly like 9 other identities, such as n0.")
    assert found[0]["sentence"] == "n0 is configured exactly like 9 other identities."
    assert rules(*fleet(3), min_identical=3) == ["identical_configuration"] * 3


def test_configurations_are_compared_by_meaning() -> None:
    open_, nobody = attached(**OPEN), attached(**principals(""))
    assert rules(open_, nobody, min_identical=2) == ["open_to_tenant", "nobody_can_log_in"]
    one = attached(**ips("10.0.0.0/8", "2001:db8::/32"), **principals(ONE, TWO))
    same = attached(**ips("2001:DB8:0::/32", "10.1.2.3/8"), **principals(TWO, ONE))
    other = attached(**ips("10.0.0.0/8"), **principals(ONE, TWO))
    assert rules(one, same, min_identical=2) == ["identical_configuration"] * 2
    assert rules(one, other, min_identical=2) == []


def test_the_most_severe_come_first_and_identities_keep_their_order() -> None:
    uses = {**SETTINGS, "access_token_num_uses_limit": 0}
    first = identity({**uses, "resource": "https://a"}, name="first")
    second = identity({**uses, **OPEN}, name="second")
    found = [(finding["rule"], finding["name"]) for finding in find([first, second])]
    assert found == [
        ("open_to_tenant", "second"),
        ("resource_without_slash", "first"),
        ("unlimited_uses", "first"),
        ("unlimited_uses", "second"),
    ]
    severities = [rule.severity for rule in RULES]
    assert severities == sorted(severities, key=["high", "medium", "low"].index)


def test_thresholds_and_skipped_rules() -> None:
    lax = attached(access_token_max_ttl=86400, access_token_num_uses_limit=0)
    assert rules(lax, max_lifetime=86399) == ["long_lifetime", "unlimited_uses"]
    # As a variable from the command line arrives.
    assert rules(lax, max_lifetime="86399", skip=["unlimited_uses"]) == ["long_lifetime"]
    assert rules(lax, skip=NAMES) == []


def test_the_filter_takes_the_day_from_the_clock() -> None:
    lax = [attached(access_token_num_uses_limit=0)]
    waiver = {"rule": "unlimited_uses", "identity": "bill*", "reason": "A server."}
    (finding,) = find(lax, waivers=[{**waiver, "until": datetime.date(2999, 12, 31)}])
    assert finding["waived"] == {"reason": "A server.", "until": "2999-12-31"}
    (finding,) = find(lax, waivers=[{**waiver, "until": "2000-01-01"}])
    assert finding["waived"] is None


def test_what_is_not_attached_or_was_not_looked_at_has_no_findings() -> None:
    absent = identity({"state": "absent", "details": None})
    elsewhere = identity(None, details={"auth_methods": ["kubernetes-auth"], "roles": []})
    null = identity(None, azure_auth=None)
    deleted = identity({**SETTINGS, **OPEN}, state="absent")
    outcome = {"changed": False, "created": False, "failed": True, "msg": "no"}
    wrong = {"index": 3, "name": 8, **outcome}
    unread = identity(None, id=None, role=None, **outcome)
    assert find([absent, elsewhere, null, deleted, wrong, unread]) == []


def test_what_failed_after_it_was_read_and_what_would_be_created_have_findings() -> None:
    failed = identity({**SETTINGS, **OPEN}, failed=True, msg="no")
    created = identity({**SETTINGS, **OPEN}, id=None, name="new", project_id=TWO, created=True)
    first, second = find([failed, created])
    assert (first["name"], first["project_id"]) == ("billing", None)
    assert (second["id"], second["name"], second["project_id"]) == (None, "new", TWO)


def test_a_name_that_no_option_takes_is_told() -> None:
    stored = {"name": 300 * "x"}
    (finding,) = find([identity({**SETTINGS, **OPEN}, name=None, details={"stored": stored})])
    assert finding["name"] == 300 * "x"


def test_an_identity_need_not_have_a_name() -> None:
    (finding,) = find([identity({**SETTINGS, **OPEN}, name=None)])
    assert finding["name"] is None


def test_what_select_yields_is_a_list() -> None:
    assert len(find(item for item in [attached(**OPEN)])) == 1


def test_a_finding_does_not_share_what_it_shows_with_its_input() -> None:
    """Else YAML that is made of both has anchors in it, and a change to one is one to the other."""
    given = [attached(**principals(""), **ips("::1%a", "::/0")), *fleet(10)]
    before = copy.deepcopy(given)
    found = find(given)
    for finding in found:
        if isinstance(finding["value"], (list, dict)):
            finding["value"].clear()
    assert given == before
    assert find(given)[-1]["value"]["identities"] == 10


REFUSED: list[tuple[t.Any, Object, str]] = [
    ("text", {}, "its input is 'text', which is not a list; give a list of the identities"),
    (None, {}, "its input is None, which is not a list"),
    ({"identities": []}, {}, "its input is {'identities': []}, which is not a list"),
    (["text"], {}, "identities[0] is 'text', which is not a dictionary; give the identities"),
    ([attached(), {}], {}, "identities[1] has no id; give the identities that the modules"),
    # What infisical_azure_auth returns is a part of one, in which nothing would be found.
    ([{**SETTINGS, "identity_id": ONE}], {}, "identities[0] has no id; give the identities that"),
    ([{"id": ONE, "name": "billing"}], {}, "identities[0] (billing) has no state; give the"),
    ([identity(None, azure_auth="x")], {}, "(billing) has 'x' for azure_auth, which is not a"),
    ([identity({})], {}, "identities[0] (billing) has the state None in azure_auth; give the"),
    ([attached(state="gone")], {}, "identities[0] (billing) has the state 'gone' in azure_auth"),
    ([identity({"state": "present"})], {}, "(billing) has no tenant_id in azure_auth; give the"),
    (
        [attached(tenant_id=None)],
        {},
        "(billing) has None for azure_auth.tenant_id, which is not a string.",
    ),
    ([attached(resource=7)], {}, "has 7 for azure_auth.resource, which is not a string."),
    ([attached(**refused(resource=7))], {}, "has 7 for azure_auth.resource, which is not a"),
    (
        [attached(allowed_service_principal_ids=[ONE, None])],
        {},
        "None] for azure_auth.allowed_service_principal_ids, which",
    ),
    (
        [attached(allow_all_service_principals=None)],
        {},
        "None for azure_auth.allow_all_service_principals, which is not a boolean",
    ),
    (
        [attached(access_token_trusted_ips="::/0")],
        {},
        "'::/0' for azure_auth.access_token_trusted_ips, which",
    ),
    ([attached(access_token_ttl=True)], {}, "True for azure_auth.access_token_ttl, which is not"),
    ([periodic("1h")], {}, "'1h' for azure_auth.details.access_token_period, which is not a whole"),
    ([attached(access_token_max_ttl="0")], {}, "'0' for azure_auth.access_token_max_ttl, which is"),
    ([], {"max_lifetime": 0}, "max_lifetime is 0; write a whole number of seconds, at least 1."),
    ([], {"max_lifetime": True}, "max_lifetime is True; write a whole number of seconds"),
    ([], {"max_lifetime": "1d"}, "max_lifetime is '1d'; write a whole number of seconds"),
    (
        [],
        {"min_identical": 1},
        "min_identical is 1; write a whole number of identities, at least 2.",
    ),
    ([], {"max_unused_days": 0}, "max_unused_days is 0; write a whole number of days, at least 1."),
    ([], {"skip": "unlimited_uses"}, "skip is 'unlimited_uses', which is not a list"),
    (
        [],
        {"skip": ["uses"]},
        "skip has 'uses', which is not a rule; the rules are privileged_open_to_",
    ),
    (
        [],
        {"ignore": []},
        "it has no option 'ignore'; the options are max_lifetime, min_identical, ",
    ),
    ([], {"privileged_roles": "admin"}, "privileged_roles is 'admin', which is not a list"),
    ([], {"privileged_roles": [1]}, "privileged_roles has 1, which is not a string; write the"),
    ([], {"waivers": {}}, "waivers is {}, which is not a list; give a list of dictionaries."),
    ([identity(None, role=7)], {}, "identities[0] (billing) has 7 for role, which is not a string"),
    ([identity(None, delete_protection=0)], {}, "has 0 for delete_protection, which is not a"),
    ([identity(None, details="x")], {}, "identities[0] has 'x' for details, which is not a dict"),
    (
        [identity(None, details={"roles": "admin"})],
        {},
        "has 'admin' for details.roles, which is not a list of strings, or null.",
    ),
    ([identity(None, details={"auth_methods": [1]})], {}, "has [1] for details.auth_methods, whi"),
    ([identity(None, details={"last_login_at": 1})], {}, "has 1 for details.last_login_at, which"),
]


@pytest.mark.parametrize(("given", "arguments", "message"), REFUSED)
def test_what_is_not_right_is_an_error_of_one_sentence(
    given: t.Any, arguments: Object, message: str
) -> None:
    with pytest.raises(AnsibleFilterError) as raised:
        find(given, **arguments)
    text = str(raised.value)
    assert text.startswith("community.infisical.identity_findings: ")
    assert message in text
    assert "\n" not in text


def test_a_long_name_is_cut_in_a_message() -> None:
    with pytest.raises(AnsibleFilterError) as raised:
        find([{"id": ONE, "name": "x" * 61}])
    assert f": identities[0] ({'x' * 57}...) has no state; " in str(raised.value)


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_arguments, "NETADDR_IMPORT_ERROR", "Traceback\nImportError: no netaddr\n")
    with pytest.raises(
        AnsibleFilterError, match=r"needs the package netaddr.*ImportError: no netaddr"
    ):
        find([])


texts = st.text(max_size=12) | st.sampled_from(
    [ONE, ONE.upper(), "", "/", "https://a", "a\0b", "{{ x }}"]
)
resources = texts | st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["https://a", "https://b.azure.cn", "api://c", "{{ x }}", ".default", ""]),
        st.sampled_from(["", "/", "//", "/.default", "/.Default/", ".default", " "]),
    ),
)
principal_lists = st.lists(st.sampled_from([ONE, ONE.upper(), TWO, f"{{{TWO}}}", "a", ""])).map(
    ", ".join
)
seconds = st.sampled_from([-1, 0, 1, 3600, 7776000, 7776001]) | st.integers(-1, 2**60)
networks = (
    st.ip_addresses().map(str)
    | st.builds(
        lambda address, prefix: str(
            ipaddress.ip_network((address, min(prefix, address.max_prefixlen)), strict=False)
        ),
        st.ip_addresses(),
        st.integers(0, 128),
    )
    | st.sampled_from(["0.0.0.0/0", "::/0", "::/64", "10.0.0.0/8", "10.1.2.3/8", "fe80::1%eth0"])
    | st.text(max_size=12)
)
# Whatever a server may hold is read by the model, or refused by it, before a module returns it.
stored = st.fixed_dictionaries(
    {
        "tenantId": texts,
        "resource": resources,
        "allowedServicePrincipalIds": st.text(alphabet=", \ufeffaB-", max_size=9)
        | texts
        | principal_lists,
        "accessTokenTrustedIps": st.lists(
            st.fixed_dictionaries({"ipAddress": networks}), max_size=6
        ),
        "accessTokenTTL": seconds,
        "accessTokenMaxTTL": seconds,
        "accessTokenNumUsesLimit": st.integers(-1, 2**60),
    }
)


def as_returned(body: Object, changes: Object) -> Object:
    """Return an identity as the modules do, of what a server holds."""
    shown, odd = AZURE_AUTH.to_result(AZURE_AUTH.from_api(body))
    details = {**DETAILS, "stored": odd} if odd else DETAILS
    return identity({"state": "present", **shown, "details": details}, **changes)


slugs = st.sampled_from(["admin", "no-access", "custom-1"])
timestamps = st.none() | st.sampled_from(["2025-01-01T00:00:00.000Z", "2026-09-01T00:00:00.000Z"])
others = st.fixed_dictionaries(
    {},
    optional={
        "name": texts | st.none(),
        "project_id": st.none() | st.just(TWO),
        "role": slugs | st.none(),
        "delete_protection": st.booleans() | st.none(),
        "details": st.none()
        | st.fixed_dictionaries(
            {},
            optional={
                "auth_methods": st.none()
                | st.lists(st.sampled_from(["azure-auth", "aws-auth"]) | st.text(max_size=5)),
                "roles": st.none() | st.lists(slugs),
                "last_login_at": timestamps | st.text(max_size=12),
            },
        ),
    },
)
returned = st.builds(as_returned, stored, others)


def cured(item: Object, changes: Object) -> Object:
    """Return an identity as it is after an entry was applied that has these changes alone."""
    settings = changes.get("azure_auth", {})
    warnings = Warnings()
    values, errors = AZURE_AUTH.read_options(settings, warnings)
    assert errors == []
    now = {**item["azure_auth"]}
    kept = now["details"].get("stored", {})
    stored = {key: value for key, value in kept.items() if key not in settings}
    now["details"] = {**now["details"], "stored": stored}
    shown, odd = AZURE_AUTH.to_result(values)
    assert odd == {}
    now.update(shown)
    return {**item, **changes, "azure_auth": now}


@given(st.lists(returned, max_size=5))
def test_no_object_that_a_module_can_return_is_too_much(objects: list[Object]) -> None:
    found = look(objects, min_identical=2)
    assert json.loads(json.dumps(found)) == list(found)
    assert all(finding["rule"] in NAMES for finding in found.findings)
    assert all(finding["sentence"].isprintable() for finding in found.findings)
    told = {rule["rule"]: rule for rule in found.rules}
    counted = collections.Counter(finding["rule"] for finding in found.findings)
    assert {name: rule["count"] for name, rule in told.items()} == counted
    assert all(rule["count"] <= rule["total"] <= len(objects) for rule in told.values())


# Small ones too, with which nearly all that is cured is still too much for another rule.
limits = st.sampled_from([1, 3600, 2592000, 7776000, 7776001, 2**40])


@given(returned, limits)
def test_what_a_finding_says_to_set_ends_it(item: Object, limit: int) -> None:
    found = look([item], max_lifetime=limit).findings
    together: Object = {}
    ended = []
    for finding in found:
        if finding["set"] is None:
            continue
        after = look([cured(item, finding["set"])], max_lifetime=limit).findings
        assert finding["rule"] not in [other["rule"] for other in after]
        ended.append(finding["rule"])
        for key, value in finding["set"].items():
            together[key] = {**together.get(key, {}), **value} if key == "azure_auth" else value
    # So does an entry that has all of them.
    after = look([cured(item, together)], max_lifetime=limit).findings
    assert {finding["rule"] for finding in after}.isdisjoint(ended)


@given(st.lists(returned, max_size=3), st.lists(st.sampled_from(NAMES)))
def test_a_skipped_rule_finds_nothing_and_changes_nothing_for_the_others(
    objects: list[Object], skip: list[str]
) -> None:
    everything = look(objects, min_identical=2).findings
    found = look(objects, min_identical=2, skip=skip).findings
    assert found == [finding for finding in everything if finding["rule"] not in skip]


@given(st.lists(networks, max_size=8))
def test_networks_are_compared_as_the_standard_library_would(texts: list[str]) -> None:
    found = {finding["rule"]: finding["value"] for finding in find([attached(**ips(*texts))])}
    listed = {plugin_network for text in texts if (plugin_network := _standard(text))}
    contained = {
        one
        for one in listed
        for other in listed
        if one != other and one.version == other.version and one.subnet_of(other)
    }
    shown = {_standard(text.partition(" in ")[0]) for text in found.get("contained_networks", [])}
    assert shown == contained
    merged = [
        *ipaddress.collapse_addresses(net for net in listed if net.version == 4),
        *ipaddress.collapse_addresses(net for net in listed if net.version == 6),
    ]
    everything = ipaddress.ip_network("0.0.0.0/0") in merged
    mapped = ipaddress.ip_network("::ffff:0:0/96")
    opened = any(net.version == 6 and mapped.subnet_of(net) for net in listed)
    if everything:
        assert "any_address" in found
    assert ("any_address" in found or "ipv4_opened_by_ipv6" in found) >= (everything or opened)
    assert not {"any_address", "ipv4_opened_by_ipv6"} <= set(found)


def _standard(text: str) -> t.Any:
    """Return a text as a network of the standard library, which reads more than Infisical's."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    return None if "%" in text else network


def test_what_many_networks_take_grows_with_them_and_no_faster(record_property: t.Any) -> None:
    """Containment is looked for in order, not pair by pair: 10,000 networks on one identity too."""
    listed = [f"10.{n % 256}.{m}.0/24" for n in range(5) for m in range(4)]
    waivers = [
        {"rule": "*", "identity": f"n{n}?", "reason": "Known.", "until": "2999-12-31"}
        for n in range(20)
    ]

    def seconds(count: int) -> float:
        objects = fleet(count, **ips(*listed), **OPEN)
        networks = (f"10.{n >> 8}.{n & 255}.0/24" for n in range(2 * count))
        objects.append(attached(**ips(*networks)))
        begin = time.process_time()
        found = find(objects, waivers=waivers)
        assert len(found) == 2 * count
        return time.process_time() - begin

    seconds(10)
    small, large = seconds(500), seconds(5000)
    record_property("5,000 identities, seconds", f"{large:.2f}")
    # Ten times as much; what compares each with each would take a hundred times.
    assert large < 30 * small
