# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import time
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleFilterError
from ansible.parsing.dataloader import DataLoader
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.filter import identity_list_files as plugin
from ansible_collections.community.infisical.plugins.lookup import identity_files
from ansible_collections.community.infisical.plugins.module_utils._module.entries import (
    read_entries,
)
from ansible_collections.community.infisical.plugins.module_utils._state.auth_methods import (
    AUTH_METHODS,
)
from ansible_collections.community.infisical.plugins.module_utils._state.warnings import Warnings
from ansible_collections.community.infisical.plugins.plugin_utils._export import list_files

write = plugin.FilterModule().filters()["identity_list_files"]

Object = dict[str, t.Any]

TENANT = "3f6c1b52-9d0e-4a87-8c21-5b7e0f4d9a16"
PRINCIPAL = "c9a1e7d4-02b8-4f35-9e6a-71d5b3f08c2e"
PROJECT = "7b0e94d6-13c5-4f82-a8b2-69e4c07d1f35"
NOTHING: Object = {"state": "absent", "details": None}
SETTINGS: Object = {
    "state": "present",
    "tenant_id": TENANT,
    "resource": "https://management.azure.com/",
    "allow_all_service_principals": False,
    "allowed_service_principal_ids": [PRINCIPAL],
    "access_token_trusted_ips": ["0.0.0.0/0", "::/0"],
    "access_token_ttl": 3600,
    "access_token_max_ttl": 2592000,
    "access_token_num_uses_limit": 0,
    "details": {"id": PRINCIPAL, "created_at": "", "updated_at": "", "access_token_period": 0},
}


def id_of(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


def identity(number: int, name: str | None, **changes: t.Any) -> Object:
    """Return an identity as the modules do."""
    return {
        "id": id_of(number),
        "name": name,
        "project_id": None,
        "state": "present",
        "role": "no-access",
        "metadata": {},
        "delete_protection": False,
        "azure_auth": copy.deepcopy(SETTINGS),
        "details": {"created_at": "2026-11-07T05:31:54.000Z", "roles": ["no-access"]},
        **changes,
    }


def attached(**changes: t.Any) -> Object:
    return {**SETTINGS, **changes}


def stored(settings: Object, **values: t.Any) -> Object:
    """Return settings of which the server holds something that options refuse."""
    details = {**(settings.get("details") or {}), "stored": values}
    return {**settings, **dict.fromkeys(values), "details": details}


def content(identities: list[Object], **options: t.Any) -> str:
    """Return the only file."""
    (file,) = write(identities, **options)["files"]
    text: str = file["content"]
    return text


@pytest.fixture(scope="module", autouse=True)
def _options() -> None:
    """Let Ansible know the options of the lookup, as it does when it loads the plugin."""
    options = yaml.safe_load(identity_files.DOCUMENTATION)["options"]
    constants.config.initialize_plugin_configuration_definitions(
        "lookup", "identity_files", options
    )


def read(folder: Path, made: Object) -> list[Object]:
    """Write files, and return the entries that apply and audit read; null is as if left out."""
    for file in made["files"]:
        path = folder / file["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file["content"], encoding="utf-8")
    lookup = identity_files.LookupModule(loader=DataLoader(), templar=None)
    lookup._load_name = "identity_files"
    entries: list[Object] = lookup.run([str(folder)])
    return [_without_null({**entry, "source": None}) for entry in entries]


def _without_null(entry: Object) -> Object:
    return {
        key: _without_null(value) if isinstance(value, dict) else value
        for key, value in entry.items()
        if value is not None
    }


def test_a_file_is_what_a_person_would_write() -> None:
    identities = [
        identity(1, "shop", azure_auth=attached(access_token_ttl=900)),
        identity(2, "billing", metadata={"team": "payments"}),
        identity(3, "010", role="member", azure_auth=NOTHING),
        identity(4, "owned", project_id=PROJECT, details={"project_name": "Shop"}),
    ]
    text = content(identities, comment=["Written for a test.", "Twice\n" + 20 * "wrap " + "it."])
    assert text == f"""\
---
# Written for a test.
# Twice\\nwrap wrap wrap wrap wrap wrap wrap wrap wrap wrap wrap wrap wrap wrap wrap wrap wrap wrap
# wrap wrap it.
# The defaults apply to every entry that does not set its own value; null means that an entry gets
# no default.

defaults:
  role: no-access
  metadata: {{}}
  delete_protection: false
  azure_auth:
    tenant_id: {TENANT}
    resource: https://management.azure.com/
    access_token_trusted_ips:
      - 0.0.0.0/0
      - ::/0
    access_token_max_ttl: 30d
    access_token_num_uses_limit: 0

identities:
  - name: "010"
    role: member
    azure_auth:
      state: absent

  - name: billing
    metadata:
      team: payments
    azure_auth:
      allowed_service_principal_ids:
        - {PRINCIPAL}
      access_token_ttl: 1h

  - name: owned
    project_id: {PROJECT}  # Shop
    azure_auth:
      allowed_service_principal_ids:
        - {PRINCIPAL}
      access_token_ttl: 1h

  - name: shop
    azure_auth:
      allowed_service_principal_ids:
        - {PRINCIPAL}
      access_token_ttl: 15m
"""


def test_what_no_list_can_say_is_a_comment_with_the_reason(tmp_path: Path) -> None:
    odd = stored(
        identity(
            1,
            None,
            role=None,
            azure_auth=stored(attached(tenant_id=TENANT.upper()), resource="/"),
        ),
        name="{{ 1 }}\n",
        metadata=[{"key": "a", "value": "1"}, {"key": "a", "value": "2"}],
    )
    odd["details"]["roles"] = ["admin", "member"]
    made = write([odd])
    assert made["files"][0]["content"].partition("identities:\n")[2] == f"""\
  - id: {id_of(1)}
    # Left alone: name has '{{{{ 1 }}}}\\n', which a list reads as a template.
    # name: "{{{{ 1 }}}}\\n"
    # Left alone: the identity has several roles, or a temporary one.
    # role:
    #   - admin
    #   - member
    # Left alone: metadata has a key twice, which a dictionary cannot have.
    # metadata:
    #   - {{"key": "a", "value": "1"}}
    #   - {{"key": "a", "value": "2"}}
    delete_protection: false
    azure_auth:
      # Left alone: a list reads it as '{TENANT}', so apply would change
      # it to that.
      # tenant_id: {TENANT.upper()}
      # Left alone: resource is '/', so Infisical does not check the audience.
      # resource: /
      allowed_service_principal_ids:
        - {PRINCIPAL}
      access_token_trusted_ips:
        - 0.0.0.0/0
        - ::/0
      access_token_ttl: 1h
      access_token_max_ttl: 30d
      access_token_num_uses_limit: 0
"""
    fields = ["name", "role", "metadata", "azure_auth.tenant_id", "azure_auth.resource"]
    assert [(item["id"], item["field"]) for item in made["left_out"]] == [
        (id_of(1), field) for field in fields
    ]
    (entry,) = read(tmp_path, made)
    assert not {"name", "role", "metadata"} & set(entry)
    assert not {"tenant_id", "resource"} & set(entry["azure_auth"])


NOT_SAID = {
    "blank": stored(identity(1, None), name=" "),
    "blanks at its ends": identity(1, " billing"),
    "too long": stored(identity(1, None), name=256 * "x"),
    "a mask": stored(identity(1, None), name="********"),
    "half a character": identity(1, "\ud800"),
}


@pytest.mark.parametrize("case", NOT_SAID)
def test_an_identity_whose_name_cannot_be_said_is_listed_by_its_id(
    case: str, tmp_path: Path
) -> None:
    (entry,) = read(tmp_path, write([NOT_SAID[case]]))
    assert entry["id"] == id_of(1)
    assert "name" not in entry


REASONS = {
    "names nobody": (stored(SETTINGS, allowed_service_principal_ids=[""]), "[0] is blank"),
    "no network": (
        stored(SETTINGS, access_token_trusted_ips=["fe80::1%eth0"]),
        "'fe80::1%eth0' is not an IPv4 or IPv6 address",
    ),
    "principals in capitals": (
        attached(allowed_service_principal_ids=[PRINCIPAL.upper()]),
        f"a list reads it as '{PRINCIPAL}'",
    ),
    "lifetimes that do not fit": (
        attached(access_token_ttl=7200, access_token_max_ttl=3600),
        "access_token_ttl 7200 is above access_token_max_ttl 3600",
    ),
    "too large": (
        stored(SETTINGS, access_token_num_uses_limit=2**53),
        "access_token_num_uses_limit is 9007199254740992",
    ),
}


@pytest.mark.parametrize("case", REASONS)
def test_the_reason_is_that_of_the_modules(case: str) -> None:
    settings, reason = REASONS[case]
    left = write([identity(1, "billing", azure_auth=settings)])["left_out"]
    assert {item["field"] for item in left} <= {f"azure_auth.{key}" for key in settings}
    assert all(reason in item["reason"] for item in left)
    assert left


def test_an_id_is_there_only_where_the_name_does_not_tell() -> None:
    identities = [
        identity(1, "twice"),
        identity(2, "twice"),
        identity(3, "twice", project_id=PROJECT),
        identity(4, "Twice"),
    ]
    entries = [entry.says for entry in list_files.entries_of(identities)]
    assert [(entry["name"], entry.get("id")) for entry in entries] == [
        ("Twice", None),
        ("twice", id_of(1)),
        ("twice", id_of(2)),
        ("twice", None),
    ]


def test_an_identity_without_an_id_is_listed_by_its_name(tmp_path: Path) -> None:
    """Check mode tells no ID of what it would create."""
    (entry,) = read(tmp_path, write([identity(1, "billing", id=None, project_id=PROJECT)]))
    assert (entry["name"], entry["project_id"], entry.get("id")) == ("billing", PROJECT, None)


def test_an_entry_opens_to_a_tenant_only_where_the_identity_is_open() -> None:
    is_open = attached(allow_all_service_principals=True, allowed_service_principal_ids=None)
    identities = [identity(number, f"n{number}", azure_auth=is_open) for number in range(5)]
    text = content(identities)
    # And never by a default, as a new entry would be open then.
    assert text.partition("identities:")[0].count("allow") == 0
    assert text.count("      allow_all_service_principals: true\n") == 5


def test_nobody_becomes_an_administrator_by_a_default() -> None:
    text = content([identity(number, f"n{number}", role="admin") for number in range(5)])
    assert text.count("role: admin") == 5
    # What else they share is a default nevertheless.
    assert text.count("tenant_id: ") == 1


def test_what_the_server_tells_in_another_order_is_written_alike() -> None:
    roles = ["member", "admin", "viewer"]
    pairs = [{"key": "team", "value": value} for value in ("b", "a")]

    def told(order: slice) -> Object:
        odd = stored(identity(1, "billing", role=None), metadata=pairs[order])
        odd["details"]["roles"] = roles[order]
        return odd

    assert write([told(slice(None))]) == write([told(slice(None, None, -1))])


def test_texts_can_be_those_of_ansible() -> None:
    # Ansible has a class of its own for texts, which str() keeps.
    text = type("Text", (str,), {"__str__": lambda self: self})

    def of_ansible(value: t.Any) -> t.Any:
        if isinstance(value, dict):
            return {text(key): of_ansible(item) for key, item in value.items()}
        if isinstance(value, list):
            return [of_ansible(item) for item in value]
        return text(value) if isinstance(value, str) else value

    identities = [
        identity(number, name, role=None, metadata={"team": "a: b"})
        for number, name in enumerate(["a", "yes", "two\nlines"])
    ]
    identities[0]["details"]["roles"] = ["member", "admin"]
    assert write(of_ansible(identities)) == write(identities)


def test_an_identity_stays_listed_if_nothing_can_be_said_of_its_azure_auth() -> None:
    """A purge would revoke it otherwise."""
    odd = stored({"state": "present", "details": {}}, resource="/")
    made = write([identity(1, "billing", azure_auth=odd)], without_azure_auth=False)
    assert made["identities"] == 1


def test_without_azure_auth_can_be_left_out() -> None:
    identities = [identity(1, "twice"), identity(2, "twice", azure_auth=NOTHING)]
    made = write(identities, without_azure_auth=False)
    assert made["identities"] == 1
    # The name is still that of two.
    assert id_of(1) in made["files"][0]["content"]
    assert write(identities[1:], without_azure_auth="no")["files"] == []


def _paths(names: list[str | None], **options: t.Any) -> list[str]:
    identities = [
        identity(number, "x", project_id=id_of(number + 100), details={"project_name": name})
        for number, name in enumerate(names)
    ]
    return [file["path"] for file in write(identities, split_by="project", **options)["files"]]


def test_files_of_projects_are_called_after_them() -> None:
    assert _paths(["Shop", "Zahlungen & Co. Ä", None]) == [
        f"projects/{id_of(102)}.yml",
        "projects/shop.yml",
        "projects/zahlungen-co-a.yml",
    ]


def test_no_name_leads_out_of_the_folder_or_hides_a_file(tmp_path: Path) -> None:
    names: list[str | None] = [
        *("../../etc/passwd", "/etc/passwd", "..", ".hidden", "", " ", "a/b", "a\\b", "a\0b"),
        *("defaults", "DEFAULTS", "x.json", 300 * "x", 299 * "x", "\u202e", "CON", "日本"),
    ]
    paths = _paths(names)
    assert len(set(paths)) == len(names)
    for path in paths:
        folder, _slash, file = path.partition("/")
        assert folder == "projects"
        assert file != "defaults.yml"
        assert len(file) < 150
        assert set(file.removesuffix(".yml")) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_")
    # All of them are read.
    identities = [
        identity(number, f"n{number}", project_id=id_of(number), details={"project_name": name})
        for number, name in enumerate(names)
    ]
    assert len(read(tmp_path, write(identities, split_by="project"))) == len(names)


def test_files_with_one_name_are_told_apart_whatever_the_names() -> None:
    first = _paths(["Shop", "shop"])
    assert all(path.startswith("projects/shop-") for path in first)
    # A project that is called as another's file would be.
    taken = first[0].removeprefix("projects/").removesuffix(".yml")
    assert len(set(_paths(["Shop", "shop", taken]))) == 3
    assert set(_paths(["Shop", "shop", taken])) >= set(_paths(["Shop", "shop"])) - {first[0]}


def test_files_of_prefixes() -> None:
    names = ["mail-in", "mail-out", "billing", "shop-eu-1", "other-x", "-x"]
    identities = [identity(number, name) for number, name in enumerate(names)]
    files = write(identities, split_by="prefix")["files"]
    assert sum(file["identities"] for file in files) == len(names)
    paths = [file["path"] for file in files]
    assert {"mail.yml", "shop.yml", "unnamed.yml"} < set(paths)
    assert len([path for path in paths if path.startswith("other")]) == 2
    assert [file["path"] for file in write(identities)["files"]] == ["identities.yml"]
    by_dash = write(identities, split_by="prefix", prefix_separator="eu")["files"]
    assert [file["path"] for file in by_dash] == ["other.yml", "shop.yml"]


def test_entries_of_other_files_that_are_about_the_same_are_named() -> None:
    identities = [identity(1, "billing"), identity(2, "owned", project_id=PROJECT)]
    beside = [
        {"name": "billing", "source": "mine.yml:2"},
        {"id": id_of(2).replace("-", "").upper(), "source": "mine.yml:3"},
        {"name": "owned", "source": "mine.yml:4"},
        {"name": "new", "source": "mine.yml:5"},
        "billing",
    ]
    assert write(identities, beside=beside)["twice"] == [
        "mine.yml:2 also lists billing.",
        "mine.yml:3 also lists owned.",
    ]


WRONG: dict[str, tuple[t.Any, Object, str]] = {
    "no list": ("billing", {}, "its input is 'billing', which is not a list"),
    "no dictionary": (["billing"], {}, "identities[0] is 'billing', which is not a dictionary"),
    "nobody": ([{"role": "member"}], {}, "identities[0] has neither id nor name"),
    "no text": (
        [identity(1, "a", role=8)],
        {},
        "identities[0] (a) has 8 for role, which is not of the type str",
    ),
    "no settings": ([identity(1, "a", azure_auth="x")], {}, "has 'x' for azure_auth"),
    "a boolean for a number": (
        [identity(1, "a", azure_auth=attached(access_token_ttl=True))],
        {},
        "has True for access_token_ttl",
    ),
    "another way to split": ([], {"split_by": "team"}, "split_by is 'team'; write one of none,"),
    "no separator": ([], {"prefix_separator": ""}, "prefix_separator is ''"),
    "no boolean": ([], {"defaults": "maybe"}, "defaults is 'maybe'; write true or false"),
    "no comment": ([], {"comment": 8}, "comment is 8, which is not a list"),
    "no texts": ([], {"comment": [8]}, "comment is [8]; write sentences"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_in_a_sentence(case: str) -> None:
    identities, options, message = WRONG[case]
    with pytest.raises(AnsibleFilterError) as error:
        write(identities, **options)
    assert message in str(error.value)


_TEXTS = st.text(min_size=1, max_size=12) | st.sampled_from(
    [
        # What YAML takes for something else.
        *("yes", "null", "~", "1e3", "0o17", "12:30", "2026-01-01", ".inf", "1_000", "<<", "="),
        *("a: b", "a #b", "#a", "- a", "{a", "[a", "&a", "*a", "!a", "|", ">", "%a", "@a", "`a"),
        *('"', "'", "\\", "?", ":a", "-", " a", "a ", "a\nb", "a\r\nb", "\x85", "\u2028", "\ufeff"),
        # What a terminal or a template would obey, and what is long.
        *("\x1b[2J", "\U0001f600", "{{ a }}", "{%", "{#", "x" * 130, "x" * 1100),
    ]
)
_SECONDS = st.sampled_from([0, 1, 59, 60, 3600, 5400, 86400, 2592000, 315360000])
_AZURE_AUTH = st.fixed_dictionaries(
    {
        "tenant_id": st.sampled_from([TENANT, PRINCIPAL, TENANT.upper()]),
        "resource": st.sampled_from(["https://management.azure.com/", "api://x", "{{ x }}"])
        | _TEXTS,
        "allowed_service_principal_ids": st.sampled_from([[PRINCIPAL], [TENANT, PRINCIPAL], None]),
        "access_token_trusted_ips": st.sampled_from([["0.0.0.0/0", "::/0"], ["10.0.0.0/8"]]),
        "access_token_ttl": _SECONDS,
        "access_token_max_ttl": _SECONDS,
        "access_token_num_uses_limit": st.sampled_from([0, 1, 2**53 - 1]),
    }
).map(
    lambda settings: attached(
        **settings,
        allow_all_service_principals=settings["allowed_service_principal_ids"] is None,
    )
)
_IDENTITIES = st.lists(
    st.fixed_dictionaries(
        {"azure_auth": _AZURE_AUTH | st.just(NOTHING)},
        optional={
            "name": st.sampled_from(["a", "b", "c-1", "c-2"]) | _TEXTS,
            "project_id": st.sampled_from([None, PROJECT]),
            "role": st.sampled_from(["no-access", "member", "admin", "on", None]),
            "metadata": st.dictionaries(
                st.sampled_from(["team", "state", "role", "access_token_ttl"]) | _TEXTS,
                st.sampled_from(["x", "absent"]) | _TEXTS,
                max_size=3,
            ),
            "delete_protection": st.booleans(),
        },
    ),
    min_size=1,
    max_size=9,
)


@given(
    drawn=_IDENTITIES,
    split_by=st.sampled_from(["none", "project", "prefix"]),
    defaults=st.booleans(),
)
def test_what_is_written_is_read_back(
    drawn: list[Object],
    split_by: str,
    defaults: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Whatever the names and values, defaults included, and it is written alike in any order."""
    identities = [{**identity(number, None), **changes} for number, changes in enumerate(drawn)]
    options = {"split_by": split_by, "defaults": defaults}
    made = write(identities, **options)
    assert write(identities[::-1], **options) == made
    says = [entry.says for entry in list_files.entries_of(identities)]
    found = read(tmp_path_factory.mktemp("list"), made)
    assert sorted(found, key=_whose) == sorted(says, key=_whose)
    # And it is nothing that modules refuse.
    assert len(read_entries("identities", found, AUTH_METHODS, Warnings())) == len(identities)


def test_a_key_that_is_too_long_for_yaml_is_read_back(tmp_path: Path) -> None:
    """A key on the line of its value may have 1,024 characters."""
    metadata = {"k" * 1200: "v", "short": "v"}
    (entry,) = read(tmp_path, write([identity(1, "a", metadata=metadata)]))
    assert entry["metadata"] == metadata


def _whose(entry: Object) -> tuple[str, ...]:
    return tuple(entry.get(key, "") for key in ("id", "name", "project_id"))


@pytest.mark.parametrize("defaults", [True, False])
def test_defaults_make_files_shorter(defaults: bool) -> None:
    identities = [identity(number, f"n{number}") for number in range(100)]
    lines = content(identities, defaults=defaults).count("\n")
    assert lines < 600 if defaults else lines > 1500


def test_what_it_takes_grows_with_the_organization_and_no_faster() -> None:
    def seconds(count: int) -> float:
        identities = [identity(number, f"service-{number}") for number in range(count)]
        begin = time.process_time()
        write(identities, split_by="prefix")
        return time.process_time() - begin

    seconds(10)
    # Ten times as much; what compares each with each would take a hundred times.
    assert seconds(4000) < 30 * seconds(400)
