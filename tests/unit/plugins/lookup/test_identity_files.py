# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup that reads lists from files; what it refuses is also in the tests of the playbooks."""

from __future__ import annotations

import errno
import json
import os
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleLookupError
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultEditor, VaultLib, VaultSecret
from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.lookup import identity_files
from ansible_collections.community.infisical.plugins.lookup.identity_files import LookupModule

PASSWORD = [("default", VaultSecret(b"a password"))]
NAME = "identity_files"


def write(folder: Path, files: t.Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.fixture(autouse=True)
def _options() -> None:
    """Let Ansible know the options, as it does when it loads the plugin."""
    options = yaml.safe_load(identity_files.DOCUMENTATION)["options"]
    constants.config.initialize_plugin_configuration_definitions("lookup", NAME, options)


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The warnings that are given."""
    told: list[str] = []
    monkeypatch.setattr(identity_files.display, "warning", told.append)
    return told


def read(*terms: t.Any, basedir: Path = Path("/"), **options: t.Any) -> list[dict[str, t.Any]]:
    loader = DataLoader()
    loader.set_basedir(str(basedir))
    loader.set_vault_secrets(PASSWORD)
    lookup = LookupModule(loader=loader, templar=None)
    lookup._load_name = NAME
    entries: list[dict[str, t.Any]] = lookup.run(list(terms), **options)
    return entries


def contents(*terms: t.Any) -> list[dict[str, t.Any]]:
    """The entries without what says where they are from."""
    return [{key: entry[key] for key in entry if key != "source"} for entry in read(*terms)]


def names(*terms: t.Any, basedir: Path = Path("/")) -> list[str]:
    return [entry["name"] for entry in read(*terms, basedir=basedir)]


def test_entries_come_in_the_order_of_terms_and_paths(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "fleet/b.yml": "[{name: b1}, {name: b2}]",
            "fleet/a/z.json": '{"identities": [{"name": "az"}]}',
            "fleet/c.yaml": "identities: [{name: c}]",
            "files/last.list": "[{name: last}]",
        },
    )
    found = names("last.list", str(tmp_path / "fleet"), "fleet/c.yaml", basedir=tmp_path)
    assert found == ["last", "az", "b1", "b2", "c", "c"]


def test_hidden_files_that_links_lead_to_are_read(tmp_path: Path, warnings: list[str]) -> None:
    """As Kubernetes mounts a ConfigMap."""
    write(tmp_path, {"..2026/a.yml": "[{name: a}]", ".git/c": "no list", ".b": ""})
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "a.yml").symlink_to("..data/a.yml")
    assert names(str(tmp_path)) == ["a"]
    assert read(str(tmp_path), strict=True)
    assert warnings == []


def test_endings_are_in_any_case(tmp_path: Path, warnings: list[str]) -> None:
    write(
        tmp_path,
        {
            "a.yml": "[{name: a}]",
            "B.YML": "[{name: B}]",
            "c.Yaml": "[{name: c}]",
            "d.JSON": '[{"name": "\\ud83d\\udd11"}]',
        },
    )
    assert names(str(tmp_path)) == ["B", "a", "c", "\U0001f511"]
    assert warnings == []


@pytest.mark.parametrize(
    "name",
    [
        "b.yml.bak",
        "b.yml~",
        "b.yml ",
        "b.yamll",
        "below/b.txt",
        "b",
        ".b.yml",
        ".B.JSON",
        ".below/b.yaml",
        "below/.below/below/b.YML",
    ],
)
def test_what_is_not_read_is_named(name: str, tmp_path: Path, warnings: list[str]) -> None:
    write(tmp_path, {"a.yml": "[{name: a}]", name: "[{name: b}]"})
    told = f"Not every file in the folder {tmp_path} is read as a list: '{name}'. Lists are in"
    assert names(str(tmp_path)) == ["a"]
    (warning,) = warnings
    assert warning.startswith(told)
    with pytest.raises(AnsibleLookupError) as caught:
        read(str(tmp_path), strict=True)
    assert str(caught.value).startswith(told)
    assert len(warnings) == 1


def test_what_is_not_read_is_named_once_and_not_without_end(
    tmp_path: Path, warnings: list[str]
) -> None:
    write(tmp_path, {"a.yml": "[{a: b}]", **{f"{number:02}.txt": "" for number in range(13)}})
    read(str(tmp_path))
    (warning,) = warnings
    assert "'00.txt', '01.txt'" in warning
    assert "'09.txt', and 3 more. Lists are" in warning


def test_a_folder_without_a_list_says_what_else_there_is(
    tmp_path: Path, warnings: list[str]
) -> None:
    write(tmp_path, {"a.yml.bak": "[{a: b}]"})
    with pytest.raises(AnsibleLookupError, match="has no file whose name ends in"):
        read(str(tmp_path))
    assert "'a.yml.bak'" in warnings[0]


def test_a_file_may_be_encrypted(tmp_path: Path) -> None:
    write(tmp_path, {"a.yml": "[{name: a}]"})
    VaultEditor(VaultLib(PASSWORD)).encrypt_file(str(tmp_path / "a.yml"), PASSWORD[0][1])
    assert (tmp_path / "a.yml").read_bytes().startswith(b"$ANSIBLE_VAULT;")
    assert names(str(tmp_path / "a.yml")) == ["a"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.yml", "- since: 2026-13-01", "a.yml is not YAML: month must be in 1..12"),
        ("a.yml", "- \x01", "a.yml is not YAML: unacceptable character #x0001: "),
        ("a.yml", "- {a: *b}", "a.yml is not YAML: line 1, column 7: found undefined alias"),
        ("a.yml", "- !vault b", "a.yml is not YAML: line 1, column 3: could not determine a const"),
        ("a.json", "[{}", "a.json is not JSON: line 1, column 4: Expecting ',' delimiter."),
        ("a.json", "- {}", "a.json is not JSON: line 1, column 1: Expecting value."),
        ("a.json", "[" * 10**5, "a.json is not JSON: "),
        ("a.yaml", "\t- {}", "a.yaml is not YAML: line 1, column 1: found character"),
        ("a.yml", "", "a.yml has no list. Write a list of entries into it"),
        ("a.yml", "[]", "a.yml has no list."),
        ("a.json", "null", "a.json has no list."),
        ("a.yml", "{desired: [{a: b}]}", "a.yml has no list."),
        ("a.yml", "identities:", "a.yml has no list."),
        ("a.yml", "identities: {a: b}", "a.yml has no list."),
        ("a.yml", "identities: [{a: b}]\nb: c", "a.yml has no list."),
        (
            "a.yml",
            "identities: [{a: b}]\nidentities: [{a: c}]",
            "line 2, column 1: the key 'identities' is there twice.",
        ),
        ("a.yml", "- a: b\n  a: c", "line 2, column 3: the key 'a' is there twice."),
        ("a.json", '[{"a": 1, "a": 2}]', "a.json is not JSON: the key 'a' is there twice."),
        (
            "a.yml",
            "- a: [.inf]",
            "a.yml: entry 1, a (line 1) has inf; write a text, a number or a list.",
        ),
        ("a.json", '[{}, {"a": NaN}]', "a.json: entry 2, a has nan; write a text, a number"),
        ("a.yml", "- a: {b: !!set {c}}", "a.yml: entry 1, a, b (line 1) has {'c'}; write a text"),
        ("a.yml", "- a: !!binary YQ==", "a.yml: entry 1, a (line 1) has b'a'; write a text"),
        ("a.yml", "- 1: a", "a.yml: entry 1 (line 1) has the key 1; write a text."),
        ("a.yml", "- &a {b: *a}", "a.yml: entry 1 has itself in it; write what is meant."),
        ("a.yml", "- {}\n- [b]", "a.yml: entry 2 is ['b'], which is not a dictionary; write"),
        ("b.yml", "[{}]", "a.yml' is neither a file nor a folder."),
    ],
)
def test_what_is_not_right_is_told_with_its_place(
    name: str, text: str, message: str, tmp_path: Path
) -> None:
    write(tmp_path, {name: text})
    with pytest.raises(AnsibleLookupError) as caught:
        read(str(tmp_path / name.replace("b", "a")))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("a.yml", "- {}\n- a:\n    '{{ b }}'", "a.yml: entry 2, a (line 3) has '{{ b }}'. Files"),
        ("a.yml", "- a: |\n    b\n    {% if c %}", "a.yml: entry 1, a (line 1) has 'b\\n{% if c"),
        ("a.yml", "- a:\n    - b\n    - 'c{# d #}'", "a.yml: entry 1, a (line 3) has 'c{# d"),
        ("a.yml", "- a: &b '{{ c }}'\n- d: *b", "a.yml: entry 1, a (line 1) has '{{ c }}'. "),
        ("a.yml", "- a: {b: 'c {{'}", "a.yml: entry 1, a, b (line 1) has 'c {{'. "),
        ("a.yml", "- '{{ a }}': b", "a.yml: entry 1 (line 1) has '{{ a }}'. "),
        ("a.json", '[{"a": "{{ b }}"}]', "a.json: entry 1, a has '{{ b }}'. Files are data: no"),
    ],
)
def test_templates_are_refused(name: str, text: str, place: str, tmp_path: Path) -> None:
    """They would be stored as they are, and the run be green."""
    write(tmp_path, {name: text})
    with pytest.raises(AnsibleLookupError) as caught:
        read(str(tmp_path))
    assert place in str(caught.value)


@pytest.mark.parametrize(
    ("written", "is_read"),
    [
        ("010", "8"),
        ("12:30", "750"),
        ("1_000", "1000"),
        ("1.10", "1.1"),
        (".inf", "Infinity"),
        ("no", "false"),
        ("2024-01-01", "2024-01-01"),
        ("2024-01-01T10:00:00Z", "2024-01-01 10:00:00+00:00"),
    ],
)
@pytest.mark.parametrize("key", sorted(identity_files.TEXTS))
def test_texts_that_yaml_takes_for_something_else_are_refused(
    key: str, written: str, is_read: str, tmp_path: Path
) -> None:
    """They would mean another identity: 010 the one named 8, 12:30 the one named 750."""
    for value in (written, f"[a, {written}]", f"[{{b: {written}}}]"):
        write(tmp_path, {"a.yml": f"- {{}}\n- a: b\n  {key}: {value}"})
        with pytest.raises(AnsibleLookupError) as caught:
            read(str(tmp_path))
        nested = ", b" if "b:" in value else ""
        told = f"a.yml: entry 2, {key}{nested} (line 3) is read as {is_read}, and not as a text;"
        assert told in str(caught.value)
    write(tmp_path, {"a.yml": f"- {key}: '{written}'"})
    assert contents(str(tmp_path)) == [{key: written}]


def test_texts_of_azure_auth_and_metadata_are_texts_too(tmp_path: Path) -> None:
    for text, place in (
        ("azure_auth:\n    tenant_id: 010", "azure_auth, tenant_id (line 3)"),
        ("metadata:\n    version: 1.10", "metadata, version (line 3)"),
        ("metadata: {owner: no}", "metadata, owner (line 2)"),
    ):
        write(tmp_path, {"a.yml": f"- name: a\n  {text}"})
        with pytest.raises(AnsibleLookupError) as caught:
            read(str(tmp_path))
        assert f"a.yml: entry 1, {place} is read as " in str(caught.value)


@pytest.mark.parametrize("written", ["", "~", "null"])
def test_names_that_yaml_takes_for_nothing_are_refused(written: str, tmp_path: Path) -> None:
    write(tmp_path, {"a.yml": f"- role: admin\n  name: {written}"})
    told = r"entry 1, name is null, and not a text; put quotes around it, or write the id"
    with pytest.raises(AnsibleLookupError, match=told):
        read(str(tmp_path))


@pytest.mark.parametrize("text", ["metadata: {a: }", "allowed_service_principal_ids: [a, ~]"])
def test_nothing_among_texts_is_refused(text: str, tmp_path: Path) -> None:
    write(tmp_path, {"a.yml": f"- {text}"})
    with pytest.raises(AnsibleLookupError, match=r"\(line 1\) is null, and not a text; put quotes"):
        read(str(tmp_path))


def test_what_the_modules_return_is_taken(tmp_path: Path) -> None:
    entry = {
        "id": "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b",
        "name": "8",
        "project_id": None,
        "role": None,
        "metadata": {"since": "2026-01-01"},
        "azure_auth": {
            "state": "present",
            "allowed_service_principal_ids": None,
            "allow_all_service_principals": True,
            "access_token_ttl": 3600,
            "details": {"id": "1", "created_at": "2026-11-23T04:45:33Z", "access_token_period": 0},
        },
        "details": {"roles": ["a", "b"], "auth_methods": []},
    }
    write(tmp_path, {"a.yml": yaml.safe_dump([entry]), "b.json": json.dumps([entry])})
    assert contents(str(tmp_path)) == [entry, entry]


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("a.yml", "---\n# b\n- name: b\n  role: c\n\n-\n  name: d\n- {name: e}", [3, 7, 8]),
        ("a.yml", "identities:\n  - name: b\n  # c\n  - azure_auth: {}", [2, 4]),
        ("a.yml", "identities: [{name: b}, {name: c}]", [1, 1]),
        ("a.yml", "- &b {name: b, source: 'c:7'}\n- *b", [1, 1]),
        ("a.json", '[{"name": "b]"},\n\n {"name": "c"}]\n', [1, 3]),
        ("a.JSON", '\ufeff{"identities"\n:[\r\n{"name":\n"[b"}\t,{"name": "c"} ] }', [3, 4]),
    ],
)
def test_entries_say_where_they_are_from(
    name: str, text: str, lines: list[int], tmp_path: Path
) -> None:
    write(tmp_path, {name: text})
    sources = [entry["source"] for entry in read(str(tmp_path))]
    assert sources == [f"{tmp_path / name}:{line}" for line in lines]


def test_texts_of_json_are_texts_too(tmp_path: Path) -> None:
    write(tmp_path, {"a.json": '[{"name": 8}]'})
    with pytest.raises(AnsibleLookupError, match=r"a\.json: entry 1, name is read as 8, "):
        read(str(tmp_path))


def test_numbers_are_numbers(tmp_path: Path) -> None:
    write(tmp_path, {"a.yml": "- {access_token_ttl: 3600, details: {a: 1.5, b: false, c: null}}"})
    assert contents(str(tmp_path)) == [
        {"access_token_ttl": 3600, "details": {"a": 1.5, "b": False, "c": None}}
    ]


@pytest.mark.parametrize("name", ["a.yml", "a.json"])
def test_files_are_in_utf_8(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes('[{"name": "caf\u00e9"}]'.encode("latin-1"))
    with pytest.raises(AnsibleLookupError, match="is not UTF-8; save it in that encoding"):
        read(str(tmp_path / name))


@pytest.mark.parametrize("term", [None, 1, {}, "", " ", [["a.yml"]]])
def test_terms_are_paths(term: t.Any) -> None:
    with pytest.raises(AnsibleLookupError, match="is no path of a file or a folder"):
        read(term)


def test_dates_are_texts_and_a_byte_order_mark_is_none(tmp_path: Path) -> None:
    write(tmp_path, {"a.yml": "\ufeff- {a: 2026-11-23, b: [2026-11-23T04:45:33Z]}"})
    assert contents(str(tmp_path / "a.yml")) == [
        {"a": "2026-11-23", "b": ["2026-11-23T04:45:33+00:00"]}
    ]


def test_merged_keys_are_not_there_twice(tmp_path: Path) -> None:
    text = "- &a {b: 1, c: 2}\n- {<<: *a, b: 3}"
    write(tmp_path, {"a.yml": text})
    assert contents(str(tmp_path / "a.yml")) == [{"b": 1, "c": 2}, {"b": 3, "c": 2}]


def test_folders_that_are_links_are_read_once(tmp_path: Path) -> None:
    write(tmp_path, {"here/a.yml": "[{name: a}]", "there/b.yml": "[{name: b}]"})
    (tmp_path / "here" / "linked").symlink_to("../there")
    (tmp_path / "here" / "linked too").symlink_to("../there")
    assert names(str(tmp_path / "here")) == ["a", "b"]


@pytest.mark.parametrize(
    ("link", "target", "message"),
    [
        ("gone.yml", "nowhere.yml", "gone.yml is a link to nowhere.yml, which is not there."),
        ("gone", "nowhere", "gone is a link to nowhere, which is not there."),
        ("itself", "itself", "itself is a link to itself, which is not there."),
        ("below/up", "../..", "/below/up/root leads back to a folder that it is in; remove"),
        ("below/up", "..", "/below/up leads back to a folder that it is in; remove the link."),
        ("below/up", ".", "/below/up leads back to a folder that it is in; remove the link."),
    ],
)
def test_links_lead_somewhere(link: str, target: str, message: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root, {"a.yml": "[{a: b}]", "below/b.yml": "[{a: b}]"})
    (root / link).symlink_to(target)
    with pytest.raises(AnsibleLookupError) as caught:
        read(str(root))
    assert message in str(caught.value)


def test_a_file_that_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For root there is none."""
    write(tmp_path, {"a.yml": "[{name: a}]"})
    opened = open

    def refuse(path: t.Any, *arguments: t.Any, **options: t.Any) -> t.Any:
        if os.fsdecode(path).endswith("a.yml"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, *arguments, **options)

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(AnsibleLookupError, match=r"a\.yml cannot be read: .*Permission denied"):
        read(str(tmp_path))


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.yml")
    with pytest.raises(AnsibleLookupError, match=r"a\.yml cannot be read: "):
        read(str(tmp_path))


def test_a_folder_that_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For root there is none."""
    write(tmp_path, {"a.yml": "[{name: a}]", "below/b.yml": "[{name: b}]"})
    scandir = os.scandir

    def refuse(path: str) -> t.Any:
        if str(path).endswith("below"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(AnsibleLookupError, match=r"/below cannot be read: Permission denied\."):
        read(str(tmp_path))


_SCALARS = st.none() | st.booleans() | st.integers() | st.text()
_KEYS = st.text().filter(lambda key: key not in {*identity_files.TEXTS, "source"})


@given(st.lists(st.dictionaries(_KEYS, _SCALARS | st.lists(_SCALARS)), min_size=1))
def test_json_is_read_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, entries: list[dict[str, t.Any]]
) -> None:
    text = json.dumps(entries)
    assume(not any(start in text for start in identity_files.TEMPLATES))
    path = tmp_path_factory.mktemp("json") / "a.json"
    path.write_text(text, encoding="utf-8")
    assert contents(str(path)) == entries
    lines = [f"{path}:{number}" for number in range(2, len(entries) + 2)]
    path.write_text("[\n" + ",\n".join(map(json.dumps, entries)) + "]", encoding="utf-8")
    assert [entry["source"] for entry in read(str(path))] == lines
