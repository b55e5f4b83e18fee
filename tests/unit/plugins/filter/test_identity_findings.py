# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import ipaddress
import json
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
from ansible_collections.community.infisical.plugins.plugin_utils._findings import METHODS, RULES

find = plugin.FilterModule().filters()["identity_findings"]

Object = dict[str, t.Any]

TENANT = "3f6c1b52-9d0e-4a87-8c21-5b7e0f4d9a16"
ONE = "c9a1e7d4-02b8-4f35-9e6a-71d5b3f08c2e"
TWO = "0f0e0d0c-0b0a-4908-8706-050403020100"
NAMES = [rule.name for rule in RULES]
DETAILS: Object = {"id": TWO, "created_at": "", "updated_at": "", "access_token_period": 0}
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
    (
        "scope_as_resource",
        {"resource": "https://management.azure.com/.default"},
        "https://management.azure.com/.default",
    ),
    ("scope_as_resource", {"resource": "api://billing/.Default/"}, "api://billing/.Default/"),
    ("scope_as_resource", {"resource": ".default"}, ".default"),
    ("malformed_tenant_id", {"tenant_id": TENANT.upper()}, TENANT.upper()),
    ("malformed_tenant_id", {"tenant_id": TENANT.replace("-", "")}, TENANT.replace("-", "")),
    ("malformed_tenant_id", {"tenant_id": "contoso.example"}, "contoso.example"),
    ("malformed_tenant_id", {"tenant_id": ""}, ""),
    ("malformed_principal_id", principals(ONE, ONE.upper()), [ONE.upper()]),
    ("malformed_principal_id", principals("my-app", f"{{{ONE}}}"), ["my-app", f"{{{ONE}}}"]),
    ("names_nobody", principals(""), [""]),
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
    ("unlimited_uses", {"access_token_num_uses_limit": 0}, 0),
]


@pytest.mark.parametrize(("rule", "changes", "value"), FOUND)
def test_what_a_rule_finds(rule: str, changes: Object, value: t.Any) -> None:
    (finding,) = find([attached(**changes)])
    assert finding["rule"] == rule
    assert (finding["id"], finding["name"]) == (attached()["id"], "billing")
    method, _dot, option = finding["field"].partition(".")
    assert (method, option in changes) == ("azure_auth", True)
    assert finding["value"] == value
    # Where options refuse it, it is among what is stored.
    if changes != OPEN:
        assert find([attached(**refused(**changes))]) == [finding]


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
    principals(ONE, TWO),
    {"access_token_num_uses_limit": 1},
]


@pytest.mark.parametrize("changes", NOT_FOUND)
def test_what_no_rule_finds(changes: Object) -> None:
    assert find([attached(**changes)]) == []


def test_every_rule_is_tested_and_documented() -> None:
    """Identical configuration has tests of its own."""
    assert {rule for rule, _changes, _value in FOUND} == set(NAMES) - {"identical_configuration"}
    sidecar = Path(plugin.__file__).with_suffix(".yml").read_text(encoding="utf-8")
    documentation = yaml.safe_load(sidecar)["DOCUMENTATION"]
    text = "\n".join(documentation["description"])
    order = [text.index(f"B({name})") for name in NAMES]
    assert order == sorted(order)
    options = documentation["options"]
    assert options["max_lifetime"]["default"] == 2592000
    assert options["min_identical"]["default"] == 10


def test_a_finding_says_why_it_matters_and_what_to_set() -> None:
    (finding,) = find([attached(**OPEN)])
    assert set(finding) == {
        *("rule", "severity", "id", "name", "project_id", "field", "value", "why", "fix"),
    }
    assert [
        rule.name for rule in RULES if not (rule.why.endswith(".") and rule.fix.endswith("."))
    ] == []
    assert {rule.option for rule in RULES} - {None} <= set(SETTINGS)


def test_only_the_rules_of_azure_auth_speak_of_entra() -> None:
    own = METHODS["azure_auth"].rules
    words = ("Entra", "tenant", "service principal", "Azure")
    for rule in set(RULES) - set(own):
        assert [word for word in words if word in rule.why + rule.fix] == []


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
    assert rules(*fleet(3), min_identical=3) == ["identical_configuration"] * 3


def test_configurations_are_compared_by_meaning() -> None:
    open_, nobody = attached(**OPEN), attached(**principals(""))
    assert rules(open_, nobody, min_identical=2) == ["open_to_tenant", "names_nobody"]
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


def test_thresholds_and_ignored_rules() -> None:
    lax = attached(access_token_max_ttl=86400, access_token_num_uses_limit=0)
    assert rules(lax, max_lifetime=86399) == ["long_lifetime", "unlimited_uses"]
    # As a variable from the command line arrives.
    assert rules(lax, max_lifetime="86399", ignore=["unlimited_uses"]) == ["long_lifetime"]
    assert rules(lax, ignore=NAMES) == []


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
    ("text", {}, "its input is 'text', which is not a list; give it a list of the identities"),
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
    ([attached(access_token_max_ttl="0")], {}, "'0' for azure_auth.access_token_max_ttl, which is"),
    ([], {"max_lifetime": 0}, "max_lifetime is 0; write a whole number of seconds, at least 1."),
    ([], {"max_lifetime": True}, "max_lifetime is True; write a whole number of seconds"),
    ([], {"max_lifetime": "1d"}, "max_lifetime is '1d'; write a whole number of seconds"),
    (
        [],
        {"min_identical": 1},
        "min_identical is 1; write a whole number of identities, at least 2.",
    ),
    ([], {"ignore": "unlimited_uses"}, "ignore is 'unlimited_uses', which is not a list"),
    ([], {"ignore": ["uses"]}, "ignore has 'uses', which is no rule; there are open_to_tenant, "),
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


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin, "NETADDR_IMPORT_ERROR", "Traceback\nImportError: no netaddr\n")
    with pytest.raises(
        AnsibleFilterError, match=r"needs the package netaddr.*ImportError: no netaddr"
    ):
        find([])


texts = st.text(max_size=12) | st.sampled_from(
    [ONE, ONE.upper(), "", "https://a", "a\0b", "{{ x }}"]
)
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
        "resource": texts,
        "allowedServicePrincipalIds": st.text(alphabet=", \ufeffaB-", max_size=9) | texts,
        "accessTokenTrustedIps": st.lists(
            st.fixed_dictionaries({"ipAddress": networks}), max_size=6
        ),
        "accessTokenTTL": st.integers(-1, 2**60),
        "accessTokenMaxTTL": st.integers(-1, 2**60),
        "accessTokenNumUsesLimit": st.integers(-1, 2**60),
    }
)


def as_returned(body: Object, name: str | None) -> Object:
    """Return an identity as the modules do, of what a server holds."""
    shown, odd = AZURE_AUTH.to_result(AZURE_AUTH.from_api(body))
    details = {**DETAILS, "stored": odd} if odd else DETAILS
    return identity({"state": "present", **shown, "details": details}, name=name)


returned = st.builds(as_returned, stored, texts | st.none())


@given(st.lists(returned, max_size=5))
def test_no_object_that_a_module_can_return_is_too_much(objects: list[Object]) -> None:
    found = find(objects, min_identical=2)
    assert json.loads(json.dumps(found)) == found
    assert all(finding["rule"] in NAMES for finding in found)
    assert len(found) <= len(NAMES) * len(objects)


@given(st.lists(networks, max_size=8))
def test_networks_are_judged_as_the_standard_library_would(texts: list[str]) -> None:
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


def test_5000_identities_with_many_networks_take_no_time(record_property: t.Any) -> None:
    """Containment is looked for in order, not pair by pair: 1,000 networks on one identity too."""
    listed = [f"10.{n % 256}.{m}.0/24" for n in range(5) for m in range(4)]
    objects = fleet(5000, **ips(*listed), **OPEN)
    objects.append(attached(**ips(*(f"10.{n >> 8}.{n & 255}.0/24" for n in range(10000)))))
    begin = time.perf_counter()
    found = find(objects)
    seconds = time.perf_counter() - begin
    assert len(found) == 10000
    record_property("5,000 identities, seconds", f"{seconds:.2f}")
    assert seconds < 5
