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
from ansible.errors import AnsibleLookupError
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultEditor, VaultLib, VaultSecret
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.lookup.azure_auth_entries import LookupModule

PASSWORD = [("default", VaultSecret(b"a password"))]


def write(folder: Path, files: t.Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def read(*terms: t.Any, basedir: Path = Path("/")) -> list[dict[str, t.Any]]:
    loader = DataLoader()
    loader.set_basedir(str(basedir))
    loader.set_vault_secrets(PASSWORD)
    entries: list[dict[str, t.Any]] = LookupModule(loader=loader, templar=None).run(list(terms))
    return entries


def names(*terms: t.Any, basedir: Path = Path("/")) -> list[str]:
    return [entry["identity_name"] for entry in read(*terms, basedir=basedir)]


def test_entries_come_in_the_order_of_terms_and_paths(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "fleet/b.yml": "[{identity_name: b1}, {identity_name: b2}]",
            "fleet/a/z.json": '{"azure_auths": [{"identity_name": "az"}]}',
            "fleet/c.yaml": "azure_auth_audit_desired: [{identity_name: c}]",
            "fleet/d.yml": "azure_auth_apply_desired: [{identity_name: d}]",
            "fleet/notes.txt": "nothing of a list",
            "files/last.list": "[{identity_name: last}]",
        },
    )
    found = names("last.list", str(tmp_path / "fleet"), "fleet/c.yaml", basedir=tmp_path)
    assert found == ["last", "az", "b1", "b2", "c", "d", "c"]


def test_what_is_hidden_is_left_out_and_links_to_it_are_not(tmp_path: Path) -> None:
    """As Kubernetes mounts a ConfigMap."""
    write(
        tmp_path,
        {"..2026/a.yml": "[{identity_name: a}]", ".b.yml": "no list", ".git/c.yml": "no list"},
    )
    (tmp_path / "a.yml").symlink_to("..2026/a.yml")
    assert names(str(tmp_path)) == ["a"]


def test_a_file_may_be_encrypted(tmp_path: Path) -> None:
    write(tmp_path, {"a.yml": "[{identity_name: a}]"})
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
        ("a.yml", "azure_auths:", "a.yml has no list."),
        ("a.yml", "azure_auths: {a: b}", "a.yml has no list."),
        ("a.yml", "azure_auths: [{a: b}]\nb: c", "a.yml has no list."),
        (
            "a.yml",
            "azure_auths: [{a: b}]\nazure_auths: [{a: c}]",
            "line 2, column 1: the key 'azure_",
        ),
        ("a.yml", "- a: b\n  a: c", "line 2, column 3: the key 'a' is there twice."),
        ("a.json", '[{"a": 1, "a": 2}]', "a.json is not JSON: the key 'a' is there twice."),
        ("a.yml", "- a: [.inf]", "a.yml: entry 1, a has inf; write a text, a number or a list."),
        ("a.json", '[{}, {"a": NaN}]', "a.json: entry 2, a has nan; write a text, a number"),
        ("a.yml", "- a: {b: !!set {c}}", "a.yml: entry 1, a, b has {'c'}; write a text"),
        ("a.yml", "- a: !!binary YQ==", "a.yml: entry 1, a has b'a'; write a text"),
        ("a.yml", "- 1: a", "a.yml: entry 1 has the key 1; write a text."),
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


@pytest.mark.parametrize("name", ["a.yml", "a.json"])
def test_files_are_in_utf_8(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes('[{"identity_name": "caf\u00e9"}]'.encode("latin-1"))
    with pytest.raises(AnsibleLookupError, match="is not UTF-8; save it in that encoding"):
        read(str(tmp_path / name))


@pytest.mark.parametrize("term", [None, 1, {}, "", " ", [["a.yml"]]])
def test_terms_are_paths(term: t.Any) -> None:
    with pytest.raises(AnsibleLookupError, match="is no path of a file or a folder"):
        read(term)


def test_dates_are_texts_and_a_byte_order_mark_is_none(tmp_path: Path) -> None:
    write(tmp_path, {"a.yml": "\ufeff- {a: 2026-11-23, b: [2026-11-23T04:45:33Z]}"})
    assert read(str(tmp_path / "a.yml")) == [
        {"a": "2026-11-23", "b": ["2026-11-23T04:45:33+00:00"]}
    ]


def test_merged_keys_are_not_there_twice(tmp_path: Path) -> None:
    text = "- &a {b: 1, c: 2}\n- {<<: *a, b: 3}"
    write(tmp_path, {"a.yml": text})
    assert read(str(tmp_path / "a.yml")) == [{"b": 1, "c": 2}, {"b": 3, "c": 2}]


def test_folders_that_are_links_are_followed_once(tmp_path: Path) -> None:
    write(tmp_path, {"here/a.yml": "[{identity_name: a}]", "there/b.yml": "[{identity_name: b}]"})
    (tmp_path / "here" / "linked").symlink_to("../there")
    (tmp_path / "there" / "back").symlink_to("../here")
    assert names(str(tmp_path / "here")) == ["a", "b"]
    assert names([str(tmp_path / "there")]) == ["b", "a"]


def test_a_folder_that_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For root there is none."""
    write(tmp_path, {"a.yml": "[{identity_name: a}]", "below/b.yml": "[{identity_name: b}]"})
    scandir = os.scandir

    def refuse(path: str) -> t.Any:
        if str(path).endswith("below"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(AnsibleLookupError, match=r"/below cannot be read: Permission denied\."):
        read(str(tmp_path))


_SCALARS = st.none() | st.booleans() | st.integers() | st.text()


@given(st.lists(st.dictionaries(st.text(), _SCALARS | st.lists(_SCALARS)), min_size=1))
def test_json_is_read_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, entries: list[dict[str, t.Any]]
) -> None:
    path = tmp_path_factory.mktemp("json") / "a.json"
    path.write_text(json.dumps(entries), encoding="utf-8")
    assert read(str(path)) == entries
