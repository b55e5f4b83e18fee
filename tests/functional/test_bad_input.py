# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad input: one clear sentence each, before any request."""

from __future__ import annotations

import json
import typing as t

import pytest
from functional.cases import ONE, REQUIRED
from functional.harness import THOROUGH, Result, Task, play_tasks, run_in_process

from ansible_collections.community.infisical.plugins.modules import (
    infisical_azure_auth,
    infisical_identities,
    infisical_identity,
    infisical_identity_info,
)

ID = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
IPS = "access_token_trusted_ips"
PRINCIPALS = "allowed_service_principal_ids"
CIDR = "write an address or network such as '192.0.2.7' or '192.0.2.0/24'."


def ips(text: str, why: str) -> tuple[dict[str, t.Any], str]:
    return {IPS: ["10.0.0.0/8", text]}, f"{IPS}[1] '{text}' {why}; {CIDR}"


NO_NETWORK = "is not an IPv4 or IPv6 address or network in CIDR notation"
NO_PREFIX = "has no valid prefix length (a decimal number from 0 to 32)"

# What is wrong -> the options (None: left out), and what the message must say.
TABLE: dict[str, tuple[dict[str, t.Any], str]] = {
    "identity_id is no UUID": (
        {"identity_id": "billing"},
        "identity_id 'billing' is not a UUID; write one such as",
    ),
    "identity_id would change the path": (
        {"identity_id": f"{ID}/../../../identities"},
        f"identity_id '{ID}/../../../identities' is not a UUID",
    ),
    "identity_id with a query": ({"identity_id": f"{ID}?x=1"}, "is not a UUID"),
    "identity_id in full-width digits": (
        {"identity_id": ID.replace("1", "\uff11")},
        "is not a UUID",
    ),
    "identity_id as a URN": ({"identity_id": f"urn:uuid:{ID}"}, "is not a UUID"),
    "both id and name": (
        {"identity_name": "billing"},
        f"identity_id '{ID}' and identity_name 'billing' are both set; set only one of them.",
    ),
    "neither id nor name": (
        {"identity_id": None},
        "Neither identity_id nor identity_name is set; set one of them.",
    ),
    "blank id and blank name": (
        {"identity_id": " ", "identity_name": "\ufeff"},
        "Neither identity_id nor identity_name is set",
    ),
    "NUL in a name": (
        {"identity_id": None, "identity_name": "a\0b"},
        r"identity_name 'a\x00b' contains a NUL character",
    ),
    "an unknown option": (
        {"tenant": "x"},
        "'tenant' is not an option of this module; did you mean tenantId?",
    ),
    "an unknown state": ({"state": "attached"}, "value of state must be one of: present, absent"),
    "an unknown state that a terminal would obey": (
        {"state": "\x1b[2J"},
        r"value of state must be one of: present, absent, got: \x1b[2J",
    ),
    "a name that YAML made a number": (
        {"identity_id": None, "identity_name": 8},
        (
            "identity_name is 8, which is not a string; put it in"
            " quotes, because YAML reads 010, 12:30 and"
        ),
    ),
    "a name that YAML made a boolean": (
        {"identity_id": None, "identity_name": True},
        "identity_name is True, which is not a string; put it in quotes",
    ),
    "a template that nobody rendered": (
        {"resource": "https://{{ '{' }}{ cloud }}/"},
        "resource 'https://{{ cloud }}/' is a template that was not rendered; write the value.",
    ),
    "masked text": (
        {"resource": "https://********.azure.com/"},
        "resource 'https://********.azure.com/' is masked text, which Ansible prints in place of",
    ),
    "masked text in a list": ({IPS: ["$REDACTED$"]}, f"{IPS}[0] '$REDACTED$' is masked text"),
    "a masked secret": (
        {"token": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"},
        "token is masked text, which Ansible prints in place of a secret; write the value.",
    ),
    "omit in a list": ({PRINCIPALS: ["{{ omit }}"]}, f"{PRINCIPALS}"),
    "no principals": (
        {PRINCIPALS: []},
        (
            f"{PRINCIPALS} is an empty list; list the object IDs of the service principals that may"
            " log in, or set allow_all_service_principals to true to let every service principal of"
            " the tenant log in."
        ),
    ),
    "a default that is an empty list": (
        {PRINCIPALS: "{{ nothing | default([]) }}"},
        f"{PRINCIPALS} is an empty list",
    ),
    "everyone, and a list": (
        {"allow_all_service_principals": True},
        f"allow_all_service_principals is true, but {PRINCIPALS} is set too; set only one of them.",
    ),
    "false for a list of principals": ({PRINCIPALS: False}, f"{PRINCIPALS} is False, which is not"),
    "0 for a list of principals": ({PRINCIPALS: 0}, f"{PRINCIPALS} is 0, which is not a list"),
    "None for a list of principals": ({PRINCIPALS: "None"}, f"{PRINCIPALS}[0] 'None' is not a"),
    "[] as a text": ({PRINCIPALS: ["[]"]}, f"{PRINCIPALS}[0] '[]' is not a UUID; write one such"),
    "a principal by its name": ({PRINCIPALS: ["My-App"]}, f"{PRINCIPALS}[0] 'My-App' is not a"),
    **{
        f"several ids in one text, with {name} between": (
            {PRINCIPALS: [f"{ONE}{between}{ONE}"]},
            "contains several IDs; write only one.",
        )
        for name, between in (("a line end", "\n"), ("a blank", " "), ("a semicolon", ";"))
    },
    "a tenant by its domain": (
        {"tenant_id": "contoso.onmicrosoft.com"},
        "tenant_id 'contoso.onmicrosoft.com' is not a UUID; write one such as",
    ),
    "no audience at all": (
        {"resource": " / "},
        "resource is '/', so Infisical does not check the audience; write the audience",
    ),
    "a scope with a slash": (
        {"resource": "https://x/.Default/"},
        "resource 'https://x/.Default/' is a scope, which is never the audience of a token; write",
    ),
    "a line end in a resource": (
        {"resource": "https://x\ny"},
        "resource 'https://x\\ny' contains a line break or another control character; remove",
    ),
    "a scope for an audience": (
        {"resource": "https://management.azure.com/.default"},
        (
            "resource 'https://management.azure.com/.default' is a scope, which is never the"
            " audience of a token; write 'https://management.azure.com/'."
        ),
    ),
    "a TTL below 0": (
        {"access_token_ttl": -1},
        "access_token_ttl is -1; write a whole number of seconds from 0 to 315360000.",
    ),
    "a TTL above the longest": (
        {"access_token_ttl": 315360001},
        "access_token_ttl is 315360001; write a whole number of seconds from 0 to 315360000.",
    ),
    "a TTL that is a float": (
        {"access_token_ttl": 1.5},
        "access_token_ttl is 1.5, which is not a whole number; write one, and end a template",
    ),
    "a TTL that a template divided, as ansible-core 2.16 passes it on": (
        {"access_token_ttl": "3600.0"},
        "access_token_ttl is '3600.0', which is not a whole number; write one, and end a template",
    ),
    "a TTL in words": (
        {"access_token_ttl": "1h"},
        "access_token_ttl is '1h', which is not a whole number",
    ),
    "a boolean for a TTL": (
        {"access_token_ttl": True},
        "access_token_ttl is True; write a whole number of seconds from 0 to 315360000.",
    ),
    "a boolean for a max": ({"access_token_max_ttl": False}, "access_token_max_ttl is False"),
    "a max below 0": ({"access_token_max_ttl": -5}, "access_token_max_ttl is -5; write a whole"),
    "TTL above max": (
        {"access_token_ttl": 7201, "access_token_max_ttl": 7200},
        "access_token_ttl 7201 (given) is above access_token_max_ttl 7200 (given); lower the",
    ),
    "a negative use limit": (
        {"access_token_num_uses_limit": -1},
        "access_token_num_uses_limit is -1; write a whole number of uses from 0 to",
    ),
    "a use limit beyond what JSON carries": (
        {"access_token_num_uses_limit": 2**53},
        "from 0 to 9007199254740991.",
    ),
    "no trusted IP": ({IPS: []}, f"{IPS} is an empty list; list at least one"),
    "prefix too long": ips("10.0.0.0/33", NO_PREFIX),
    "prefix with letters": ips("10.0.0.0/8abc", NO_PREFIX),
    "netmask": ips("10.0.0.0/255.0.0.0", NO_PREFIX),
    "wildcard mask": ips("10.0.0.0/0.0.0.255", NO_PREFIX),
    "prefix in hexadecimal": ips("10.0.0.0/0x10", NO_PREFIX),
    "one number": ips("10", NO_NETWORK),
    "two numbers": ips("10.1", NO_NETWORK),
    "octet too large": ips("256.1.1.1", "has no valid IPv4 address"),
    "octet with a leading zero": ips("010.0.0.1", NO_NETWORK),
    "zone id": ips("fe80::1%eth0", NO_NETWORK),
    "host name": ips("db.example.org", NO_NETWORK),
    "empty trusted IP": ({IPS: [""]}, f"{IPS}[0] is blank; write an address such as"),
    "null trusted IP": ({IPS: [None]}, f"{IPS}[0] is None, which is not a string; write"),
    "dictionary as the API writes it": (
        {IPS: [{"ipAddress": "10.0.0.0", "type": "ipv4", "prefix": 8}]},
        f"{IPS}[0] is a dictionary; write the string '10.0.0.0/8'.",
    ),
    "dictionary of a host": (
        {IPS: [{"ipAddress": "192.0.2.7"}]},
        f"{IPS}[0] is a dictionary; write the string '192.0.2.7'.",
    ),
    "NUL in a resource": ({"resource": "a\0b"}, r"resource 'a\x00b' contains a NUL character"),
    "NUL in a principal": ({PRINCIPALS: ["a\0b"]}, r"'a\x00b' contains a NUL character"),
    "an id with a comma": (
        {PRINCIPALS: [f"{ONE},{ONE}"]},
        f"{PRINCIPALS}[0] '{ONE},{ONE}' contains several IDs; write only one.",
    ),
    "a number for a principal": ({PRINCIPALS: [7]}, f"{PRINCIPALS}[0] is 7, which is not a string"),
    "a dictionary of principals": ({PRINCIPALS: {"id": ONE}}, PRINCIPALS),
    "too many principals": (
        {PRINCIPALS: [f"{number:032x}" for number in range(54)]},
        (
            f"{PRINCIPALS} has 54 IDs, which take 2050 characters, but Infisical stores at most"
            " 2048; list at most 53 IDs."
        ),
    ),
    "no credentials": ({"token": None}, "No credentials are set; set login_data, or token, or"),
    "two methods' worth of credentials": (
        {"universal_auth_client_id": "x"},
        (
            "Credentials of 2 login methods are set (token for token_auth;"
            " universal_auth_client_id for universal_auth)"
        ),
    ),
    "half of the credentials": (
        {"token": None, "universal_auth_client_id": "x"},
        "universal_auth_client_secret is not set, but universal_auth needs it",
    ),
    "unknown login method": ({"auth_method": "basic"}, "auth_method 'basic' is not a login"),
    "URL without a scheme": (
        {"url": "app.infisical.com"},
        (
            "url 'app.infisical.com' is not the URL of a server; write one such as"
            " 'https://app.infisical.com', with http:// or https:// in front."
        ),
    ),
    "timeout of 0": (
        {"timeout": 0},
        "timeout is 0; write a number of seconds from 0.001 to 86400.",
    ),
    "timeout that is no number": ({"timeout": "nan"}, "timeout is nan; write a number of seconds"),
    "negative rate_limit_timeout": (
        {"rate_limit_timeout": -1},
        "rate_limit_timeout is -1; write a number of seconds from 0 to 86400.",
    ),
    "negative retries": ({"retries": -1}, "retries is -1; write a whole number from 0 to 100."),
    "ca_path that is not there": (
        {"ca_path": "/nowhere/ca.pem"},
        "ca_path '/nowhere/ca.pem' does not exist on the host that runs the module",
    ),
}

# Spellings of a blank, as templates and mistakes produce them, that are not simply left out.
BLANKS: dict[str, t.Any] = {
    "a list of an empty string": [""],
    "a list of a null": [None],
    "a list of a blank": [" "],
    "a list of U+FEFF": ["\ufeff"],
    "a comma": ",",
    "a comma in a list": [","],
    "an id and a blank": [ONE, ""],
    "a list of an empty template": ["{{ nothing | default('') }}"],
}


@pytest.fixture(scope="module")
def results(server: t.Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    rows = {title: options for title, (options, _message) in TABLE.items()}
    rows.update({title: {PRINCIPALS: value} for title, value in BLANKS.items()})
    server.create_identity("bad input")
    server.clear_requests()
    found: dict[str, Result] = {}
    tasks: dict[str, Task] = {}
    for title, options in rows.items():
        every = {
            "url": server.url,
            "token": server.token,
            "identity_id": ID,
            **REQUIRED,
            **options,
        }
        given = {name: value for name, value in every.items() if value is not None}
        if THOROUGH or "{{" in json.dumps(given):
            tasks[title] = Task(given)
        else:
            # Ansible does nothing with it but hand it on.
            found[title] = run_in_process(infisical_azure_auth.main, given)
    found.update(zip(tasks, play_tasks(tmp_path_factory.mktemp("bad_input"), tasks.values())))
    assert server.requests() == []
    return found


@pytest.mark.parametrize("title", TABLE)
def test_bad_input(title: str, results: dict[str, Result]) -> None:
    result = results[title]
    assert result["failed"]
    assert TABLE[title][1] in result["msg"]
    assert "Traceback" not in result["msg"]
    assert result["msg"].count("\n") == 0
    assert not result.get("changed")


@pytest.mark.parametrize("title", BLANKS)
def test_no_spelling_of_a_blank_opens_an_identity(title: str, results: dict[str, Result]) -> None:
    result = results[title]
    assert result["failed"]
    assert result["msg"].startswith(f"{PRINCIPALS}[")
    assert any(why in result["msg"] for why in ("is blank", "is not a UUID", "is None"))


BASE = {"name": "billing"}
AZURE = {**BASE, "azure_auth": REQUIRED}

# What is wrong with an identity -> its options (None: left out), and what the message must say, of
# the module for one as of that for many.
IDENTITIES: dict[str, tuple[dict[str, t.Any], str]] = {
    "neither id nor name": ({"name": None}, "Neither id nor name is set; set one of them."),
    "blank id and blank name": (
        {"id": " ", "name": "\ufeff"},
        "Neither id nor name is set; set one of them.",
    ),
    "an id that is no UUID": (
        {"id": "billing", "name": None},
        (
            "id 'billing' is not a UUID; write one such as '6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b',"
            " or set only name."
        ),
    ),
    "an id that would change the path": (
        {"id": f"{ID}/../x", "name": None},
        f"id '{ID}/../x' is not a UUID; write one such as",
    ),
    "a name that YAML made a number": (
        {"name": 8},
        (
            "name is 8, which is not a string; put it in quotes, because"
            " YAML reads 010, 12:30 and yes as"
        ),
    ),
    "a name that YAML made a boolean": ({"name": True}, "name is True, which is not a string; put"),
    "a list for a name": ({"name": ["a"]}, "name is ['a'], which is not a string; put it in"),
    "NUL in a name": ({"name": "a\0b"}, r"name 'a\x00b' contains a NUL character"),
    "a template for a name": (
        {"name": "app-{{ item }}"},
        "name 'app-{{ item }}' is a template that was not rendered; write the value.",
    ),
    "a masked name": (
        {"name": "app ********"},
        "name 'app ********' is masked text, which Ansible prints in place of a secret; write",
    ),
    "a name that is too long": (
        {"name": "n" * 256},
        f"name '{'n' * 80}...' has 256 characters; write a name of 1 to 255.",
    ),
    "a name to rename to that is too long": (
        {"id": ID, "name": "n" * 256},
        f"name '{'n' * 80}...' has 256 characters; write a name of 1 to 255.",
    ),
    "a project by its slug": (
        {"project_id": "shop"},
        (
            "project_id 'shop' is not a UUID; write one such as"
            " '6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b', not the name or slug of the project."
        ),
    ),
    "an unknown state": (
        {"state": "deleted"},
        "value of state must be one of: present, absent, got: deleted",
    ),
    "an unknown state that a terminal would obey": (
        {"state": "\x1b[2J"},
        r"value of state must be one of: present, absent, got: \x1b[2J",
    ),
    "the role custom": (
        {"role": " custom "},
        (
            "role is 'custom', which Infisical shows in place of any custom role; write the slug"
            " of the role."
        ),
    ),
    "a role that YAML made a boolean": ({"role": False}, "role is False, which is not a string"),
    "several roles": ({"role": ["member", "admin"]}, "role is ['member', 'admin'], which is not a"),
    "a masked role": ({"role": "$REDACTED$"}, "role '$REDACTED$' is masked text"),
    "NUL in a role": ({"role": "a\0b"}, r"role 'a\x00b' contains a NUL character"),
    "a list of metadata": (
        {"metadata": [{"key": "team", "value": "a"}]},
        "metadata is [{'key': 'team', 'value': 'a'}], which is not a dictionary; write one.",
    ),
    "a number for metadata": ({"metadata": 7}, "metadata is 7, which is not a dictionary; write"),
    "a number in metadata": (
        {"metadata": {"cost": 10}},
        "metadata['cost'] is 10; keys and values must be strings, so put them in quotes.",
    ),
    "a boolean in metadata": ({"metadata": {"open": True}}, "metadata['open'] is True; keys and"),
    "a null in metadata": ({"metadata": {"team": None}}, "metadata['team'] is None; keys and"),
    "a blank in metadata": (
        {"metadata": {"team": "\ufeff "}},
        ("metadata['team'] has a blank key or value, which Infisical does not store; remove it."),
    ),
    "a blank key in metadata": ({"metadata": {" ": "a"}}, "metadata[' '] has a blank key or"),
    "a key of metadata twice": (
        {"metadata": {"team": "a", " team": "b"}},
        "metadata[' team'] differs from another key only in spaces; write it once.",
    ),
    "NUL in metadata": ({"metadata": {"a": "b\0"}}, r"contains a NUL character"),
    "a template in metadata": (
        {"metadata": {"team": "{{ team }}"}},
        "metadata['team'] is a template that was not rendered; write the value.",
    ),
    "a masked value in metadata": ({"metadata": {"a": "********"}}, "metadata['a'] is masked text"),
    "a word for the protection": (
        {"delete_protection": "maybe"},
        "delete_protection",
    ),
    "Azure Auth that is true": (
        {"azure_auth": True},
        "azure_auth is",
    ),
    "Azure Auth that is a text": ({"azure_auth": "yes"}, "azure_auth is"),
    "Azure Auth that is a list": ({"azure_auth": [REQUIRED]}, "azure_auth is"),
    "an unknown suboption": (
        {"azure_auth": {**REQUIRED, "tenant": "x"}},
        "'tenant' is not an option of azure_auth; did you mean tenant_id?",
    ),
    "the API's name of a suboption": (
        {"azure_auth": {**REQUIRED, "tenantId": "x"}},
        "'tenantId' is not an option of azure_auth; did you mean tenant_id?",
    ),
    "no principals": (
        {"azure_auth": {**REQUIRED, PRINCIPALS: []}},
        f"azure_auth: {PRINCIPALS} is an empty list; list the object IDs of the service principals",
    ),
    "everyone, and a list": (
        {"azure_auth": {**REQUIRED, "allow_all_service_principals": True}},
        f"azure_auth: allow_all_service_principals is true, but {PRINCIPALS} is set too; set",
    ),
    "a tenant by its domain": (
        {"azure_auth": {**REQUIRED, "tenant_id": "contoso.com"}},
        "azure_auth: tenant_id 'contoso.com' is not a UUID; write one such as",
    ),
    "a tenant that YAML made a number": (
        {"azure_auth": {**REQUIRED, "tenant_id": 7}},
        "azure_auth: tenant_id is 7, which is not a string; put it in quotes",
    ),
    "a TTL in words": (
        {"azure_auth": {**REQUIRED, "access_token_ttl": "1h"}},
        "azure_auth: access_token_ttl is '1h', which is not a whole number",
    ),
    "a template in a suboption": (
        {"azure_auth": {**REQUIRED, "resource": "{{ r }}"}},
        "azure_auth: resource '{{ r }}' is a template that was not rendered; write the value.",
    ),
    "details that are a text": ({"details": 7}, "details is 7, which is not a dictionary; write"),
    "an unknown key": ({"roles": ["member"]}, "'roles' is not an option of"),
    "the name of another module's option": (
        {"identity_name": "x"},
        "'identity_name' is not an option of",
    ),
}


def run_bad(server: t.Any, main: t.Callable[[], None], **options: t.Any) -> Result:
    """Run a module that must make no request."""
    server.clear_requests()
    result = run_in_process(main, {"url": server.url, "token": server.token, **options})
    assert server.requests() == []
    assert result["failed"]
    assert not result.get("changed")
    assert result["msg"].isprintable()
    assert len(result["msg"]) < 1000
    return result


def given(
    options: t.Mapping[str, t.Any], base: t.Mapping[str, t.Any] | None = None
) -> dict[str, t.Any]:
    whole = {**(BASE if base is None else base), **options}
    return {key: value for key, value in whole.items() if value is not None}


@pytest.mark.parametrize("title", IDENTITIES)
def test_bad_input_of_one_identity(title: str, server: t.Any) -> None:
    options, message = IDENTITIES[title]
    for base in (BASE, AZURE):
        result = run_bad(server, infisical_identity.main, **given(options, base))
        assert message in result["msg"]
        assert "identity" not in result


@pytest.mark.parametrize("title", IDENTITIES)
def test_bad_input_of_an_entry(title: str, server: t.Any) -> None:
    options, message = IDENTITIES[title]
    entries = [{"name": "first"}, given(options), {"name": "last"}]
    result = run_bad(server, infisical_identities.main, identities=entries)
    assert message in result["msg"]
    assert result["msg"].startswith("identities[1]")
    assert (result["failed_count"], result["changed_count"]) == (1, 0)
    (wrong,) = result["results"]
    assert (wrong["index"], wrong["failed"], wrong["msg"]) == (1, True, result["msg"])


def test_all_that_is_wrong_with_an_identity_is_told_at_once(server: t.Any) -> None:
    options = {
        "name": "n" * 256,
        "role": "custom",
        "metadata": {"a": ""},
        "project_id": "shop",
        "azure_auth": {"tenant_id": "x", "access_token_ttl": -1},
    }
    result = run_bad(server, infisical_identity.main, **options, id=ID)
    assert result["msg"].startswith("6 errors, and nothing was done: ")
    for part in ("project_id 'shop'", "256 characters", "role is 'custom'", "metadata['a'] has a"):
        assert part in result["msg"]
    assert "azure_auth: tenant_id 'x' is not a UUID" in result["msg"]
    assert "azure_auth: access_token_ttl is -1" in result["msg"]


# What is wrong -> the options of the module for many beside a valid list, and the message.
OF_LISTS: dict[str, tuple[dict[str, t.Any], str]] = {
    "no list": ({"identities": None}, "missing required arguments: identities"),
    "a text for a list": ({"identities": "billing"}, "identities[0] is 'billing', which is not a"),
    "a number for a list": (
        {"identities": 7},
        "identities is 7, which is not a list; write a list of strings",
    ),
    "a dictionary for a list": ({"identities": {"name": "a"}}, "identities"),
    "a number for an entry": (
        {"identities": [7]},
        (
            "identities[0] is 7, which is not a dictionary; write one with name or id and the"
            " settings of the identity."
        ),
    ),
    "a null for an entry": ({"identities": [None]}, "identities[0] is None, which is not a"),
    "an empty entry": ({"identities": [{}]}, "identities[0]: Neither id nor name is set; set"),
    "one name twice": (
        {"identities": [{"name": "a"}, {"name": " a "}]},
        "identities[1] (a) is the same identity as identities[0] (a); list it once.",
    ),
    "one id twice": (
        {"identities": [{"id": ID}, {"id": ID.upper()}]},
        f"identities[1] ({ID.upper()}) is the same identity as identities[0] ({ID}); list it once.",
    ),
    "a negative number of changes": (
        {"max_changes": -1},
        "max_changes is -1; write a whole number of 0 or more.",
    ),
    "a boolean number of changes": ({"max_changes": True}, "max_changes is True"),
    "a number of changes in words": ({"max_changes": "few"}, "max_changes is 'few', which is not"),
    "an empty list of those to keep": (
        {"purge_azure_auth_except": []},
        (
            "purge_azure_auth_except is an empty list, which would revoke Azure Auth from every"
            " identity of the organization; list the identities that may keep it, or remove the"
            " option."
        ),
    ),
    "a blank among those to keep": (
        {"purge_azure_auth_except": ["billing", " "]},
        "purge_azure_auth_except[1] is blank; write the ID or the name of an identity.",
    ),
    "a number among those to keep": (
        {"purge_azure_auth_except": [7]},
        "purge_azure_auth_except[0] is 7, which is not a string; write the ID or the name of an",
    ),
    "NUL among those to keep": (
        {"purge_azure_auth_except": ["a\0b"]},
        r"purge_azure_auth_except[0] 'a\x00b' contains a NUL character",
    ),
    "a template among those to keep": (
        {"purge_azure_auth_except": ["{{ name }}"]},
        "purge_azure_auth_except[0] '{{ name }}' is a template that was not rendered; write the",
    ),
    "true for those to keep": (
        {"purge_azure_auth_except": True},
        "purge_azure_auth_except is True, which is not a list",
    ),
    "no concurrency": (
        {"concurrency": 0},
        "concurrency is 0; write a whole number from 1 to 64.",
    ),
    "too much concurrency": ({"concurrency": 65}, "concurrency is 65; write a whole number from"),
    "a word for create": ({"create": "perhaps"}, "create"),
    "an option of old": ({"purge_except": ["a"]}, "'purge_except' is not an option of this module"),
}


@pytest.mark.parametrize("title", OF_LISTS)
def test_bad_input_of_a_list(title: str, server: t.Any) -> None:
    options, message = OF_LISTS[title]
    result = run_bad(
        server, infisical_identities.main, **given(options, {"identities": [{"name": "billing"}]})
    )
    assert message in result["msg"]


# What is wrong with whom to read -> the options, and what the message must say.
OF_INFO: dict[str, tuple[dict[str, t.Any], str]] = {
    "an id that is none": ({"ids": ["billing"]}, "ids[0] 'billing' is not a UUID; write one such"),
    "a blank id": ({"ids": [""]}, "ids[0] is blank; write the ID of an identity."),
    "a number for a name": (
        {"names": [7]},
        "names[0] is 7, which is not a string; write the name of an identity.",
    ),
    "NUL in a name": ({"names": ["a\0"]}, r"names[0] 'a\x00' contains a NUL character"),
    "a project by its slug": (
        {"project_id": "shop"},
        "project_id 'shop' is not a UUID; write one such as",
    ),
    "true for ids": ({"ids": True}, "ids is True, which is not a list; write a list of strings"),
    "no concurrency": ({"concurrency": -1}, "concurrency is -1; write a whole number from 1"),
    "a word for a switch": ({"metadata": "all"}, "metadata"),
    "a dictionary for Azure Auth": ({"azure_auth": {"a": 1}}, "azure_auth"),
}


@pytest.mark.parametrize("title", OF_INFO)
def test_bad_input_of_what_to_read(title: str, server: t.Any) -> None:
    options, message = OF_INFO[title]
    result = run_bad(server, infisical_identity_info.main, **options)
    assert message in result["msg"]
    assert "identities" not in result


# What is wrong with the project of an Azure Auth -> the options, and what the message must say.
OF_PROJECTS: dict[str, tuple[dict[str, t.Any], str]] = {
    "a slug": (
        {"identity_name": "a", "project_id": "shop"},
        (
            "project_id 'shop' is not a UUID; write one such as"
            " '6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b', not the name or slug of the project."
        ),
    ),
    "a number": ({"identity_name": "a", "project_id": 7}, "project_id is 7, which is not a string"),
    "details that are no dictionary": (
        {"identity_id": ID, "details": [1]},
        "details is [1], which is not a dictionary; write one.",
    ),
}


@pytest.mark.parametrize("title", OF_PROJECTS)
def test_bad_input_of_an_azure_auth_of_a_project(title: str, server: t.Any) -> None:
    options, message = OF_PROJECTS[title]
    result = run_bad(server, infisical_azure_auth.main, **REQUIRED, **options)
    assert message in result["msg"]
