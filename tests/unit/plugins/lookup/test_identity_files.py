# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists in files: which are read, and what is particular to files.

The rules that they share with lists in variables are in the tests of the filter identity_entries.
"""

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
from ansible.template import Templar
from ansible.vars.manager import VariableManager
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.lookup import identity_files
from ansible_collections.community.infisical.plugins.lookup.identity_files import LookupModule
from ansible_collections.community.infisical.plugins.module_utils._text import has_template, trim
from ansible_collections.community.infisical.plugins.plugin_utils._lists import syntax

PASSWORD = (("default", VaultSecret(b"a password")),)
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


def read(
    *terms: t.Any,
    basedir: Path = Path("/"),
    secrets: t.Any = PASSWORD,
    variables: dict[str, t.Any] | None = None,
    **options: t.Any,
) -> list[dict[str, t.Any]]:
    loader = DataLoader()
    loader.set_basedir(str(basedir))
    loader.set_vault_secrets(secrets)
    lookup = LookupModule(loader=loader, templar=Templar(loader=loader, variables=variables or {}))
    lookup._load_name = NAME
    entries: list[dict[str, t.Any]] = lookup.run(list(terms), variables, **options)
    return entries


def problems_of(folder: Path, files: t.Mapping[str, str], **options: t.Any) -> str:
    """What is wrong with the files of a folder, which is left out in front of their names."""
    write(folder, files)
    with pytest.raises(AnsibleLookupError) as caught:
        read(str(folder), **options)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(f"{folder}/", "")


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
    found = names("last.list", [str(tmp_path / "fleet")], basedir=tmp_path)
    assert found == ["last", "az", "b1", "b2", "c"]


def test_a_file_is_read_once(tmp_path: Path) -> None:
    write(tmp_path, {"a.yml": "[{name: a}]"})
    (tmp_path / "b.yml").symlink_to("a.yml")
    with pytest.raises(AnsibleLookupError) as caught:
        read(str(tmp_path), str(tmp_path / "a.yml"))
    told = str(caught.value).replace(f"{tmp_path}/", "")
    assert "b.yml is the same file as a.yml; name it once." in told
    assert "a.yml is the same file as a.yml; name it once." in told


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
    told = f"These files in the folder {tmp_path} are not read as lists: '{name}'. The name"
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
    write(tmp_path, {"a.yml": "[{name: a}]", **{f"{number:02}.txt": "" for number in range(13)}})
    read(str(tmp_path))
    (warning,) = warnings
    assert "'00.txt', '01.txt'" in warning
    assert "'09.txt', and 3 more. The name" in warning


def test_a_folder_without_a_list_says_what_else_there_is(
    tmp_path: Path, warnings: list[str]
) -> None:
    write(tmp_path, {"a.yml.bak": "[{name: a}]"})
    with pytest.raises(AnsibleLookupError, match="has no file with a list; the name of"):
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
        (
            "a.yml",
            "- role: 2026-13-01",
            "a.yml:1: '2026-13-01' is not a valid timestamp; put quotes around",
        ),
        (
            "a.yml",
            "- role: !!int ''",
            "a.yml:1: '' is not a valid int; put quotes around it if it is a string",
        ),
        ("a.yml", "- role: !!bool b", "a.yml:1: 'b' is not a valid bool; put quotes"),
        ("a.yml", f"- name: {'9' * 5000}", "a.yml:1: '999"),
        (
            "a.yml",
            f"- name: 0x{'F' * 5000}",
            "entry 1: name is read as a huge number, which is not",
        ),
        ("a.yml", "- \x01", "a.yml: this is not YAML: unacceptable character #x0001: "),
        ("a.yml", "- {a: *b}", "a.yml:1: this is not YAML: column 7: found undefined alias"),
        ("a.yml", "\t- {}", "a.yml:1: this is not YAML: column 1: found character"),
        ("a.yml", "- ? [a]\n  : b", "a.yml:1: this is not YAML: column 5: found unhashable key."),
        ("a.yml", "- {}\n---\n- {}", "a.yml:2: this is not YAML: column 1: but found another doc"),
        ("a.yml", "- <<: a", "a.yml:1: this is not YAML: column 7: expected a mapping or list of"),
        (
            "a.yml",
            "[" * 10**4 + "]" * 10**4,
            ": this is not YAML: ",
        ),
        ("a.json", "[" * 10**5, "a.json: this is not JSON: it is nested too deeply"),
        ("a.json", "[{}", "a.json:1: this is not JSON: column 4: Expecting ',' delimiter."),
        ("a.json", "[\n- {}", "a.json:2: this is not JSON: column 1: Expecting value."),
        ("a.json", f"[{'9' * 5000}]", "a.json: this is not JSON: Exceeds the limit"),
        ("a.yml", "", "a.yml: it has no entries. Write a list of dictionaries, each with"),
        ("a.json", "null", "a.json: it has no entries."),
        ("a.yml", "identities:", "a.yml: it has no entries."),
        ("a.yml", "a: {}\na: {}", "a.yml:2: the key 'a' appears twice; write it once."),
        ("a.yml", "- name: b\n  name: c", "a.yml:2: the key 'name' appears twice; write it once."),
        ("a.yml", "- b: &b {}\n  c: {<<: *b, <<: *b}", "a.yml:2: the key '<<' appears twice;"),
        ("a.json", '[{"a": 1,\n"a": 2}]', "a.json:2: the key 'a' appears twice; write it once."),
        ("a.json", '[{"id": NaN}]', "a.json:1: entry 1: id is read as NaN, which is not a string;"),
        (
            "a.yml",
            "- a: !!set {c}",
            "a.yml:1: the tag '!!set' is not allowed in lists; only !vault",
        ),
        ("a.yml", "-\n  !!binary YQ==", "a.yml:2: the tag '!!binary' is not allowed in lists;"),
        (
            "a.yml",
            "- name: !unsafe a",
            "a.yml:1: the tag '!unsafe' is not allowed in lists; only",
        ),
        (
            "a.yml",
            "- !!python/name:os.system a",
            "the tag '!!python/name:os.system' is not allowed",
        ),
        ("a.yml", "\n- &a {b: *a}", "a.yml:2: an alias below refers to a value that contains it;"),
        ("a.yml", "- &a [*a]", "a.yml:1: an alias below refers to a value that contains it;"),
        ("a.yml", "- {name: a}\n- [b]", "a.yml: entry 2: it is ['b'], which is not a dictionary;"),
        (
            "a.yml",
            "8: {}",
            "a.yml:1: entry 1: its key is read as 8, which is not a string; put quotes",
        ),
        ("a.yml", "b:\n  rol: c", "a.yml:2: entry 1 (b): 'rol' is not an option of an entry; did"),
        ("a.json", '{"b":\n{"rol":\n"c"}}', "a.json:2: entry 1 (b): 'rol' is not an option of an"),
    ],
)
def test_what_is_not_right_is_told_with_its_place(
    name: str, text: str, message: str, tmp_path: Path
) -> None:
    assert message in problems_of(tmp_path, {name: text})


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(AnsibleLookupError, match=r"a\.yml' is neither a file nor a folder\."):
        read(str(tmp_path / "a.yml"))


def test_all_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    files = {
        "a.yml": "- name: a\n  rol: b\n- name: c\n",
        "b.json": "[",
        "c/d.yml": "c: {}\nid: {state: absent, role: 8}",
        "c/defaults.yml": "role: admin\nname: d",
        "d.bak": "",
    }
    told = problems_of(tmp_path, files, strict=True)
    assert told.startswith("6 errors, and nothing was done: These files in the folder ")
    for part in (
        "a.yml:2: entry 1 (a): 'rol' is not an option of an entry; did you mean role?",
        "b.json:1: this is not JSON: column 2: Expecting value.",
        "c/defaults.yml:2: name cannot be a default; write it into the entries that need it.",
        "c/d.yml:2: entry 2 (id): role is read as 8, which is not a string;",
        "c/d.yml:1 (c) is the same identity as a.yml:3 (c); list it once.",
    ):
        assert part in told


def test_aliases_stand_for_a_bounded_number_of_values(tmp_path: Path) -> None:
    """Some lines could stand for more values than there is memory for."""
    lines = ["- &a0 [x, x]", *(f"- &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 64))]
    told = problems_of(tmp_path, {"a.yml": "\n".join(lines)})
    assert "its aliases stand for more than 5000000 values; write a shorter list." in told


def test_as_many_values_as_are_allowed_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list, the entry, its key and its value."""
    monkeypatch.setattr(syntax, "MAX_VALUES", 4)
    write(tmp_path, {"a.yml": "- name: a"})
    assert len(read(str(tmp_path))) == 1
    told = problems_of(tmp_path, {"a.yml": "- name: a\n- name: b"})
    assert "its aliases stand for more than 4 values" in told


def test_anchors_and_merge_keys_work(tmp_path: Path) -> None:
    text = """
- &first
  name: a
  azure_auth: &common
    resource: b
    access_token_trusted_ips: &ips [192.0.2.7]
- <<: *first
  name: c
  azure_auth: {<<: *common, resource: d}
- {name: e, azure_auth: {access_token_trusted_ips: *ips}}
- name: f
  azure_auth: {<<: [{tenant_id: g}, *common]}
"""
    write(tmp_path, {"a.yml": text})
    ips = {"access_token_trusted_ips": ["192.0.2.7"]}
    assert contents(str(tmp_path)) == [
        {"name": "a", "azure_auth": {"resource": "b", **ips}},
        {"name": "c", "azure_auth": {"resource": "d", **ips}},
        {"name": "e", "azure_auth": ips},
        {"name": "f", "azure_auth": {"resource": "b", "tenant_id": "g", **ips}},
    ]


def test_a_merge_key_may_come_before_the_anchor_that_is_merged_is_built(tmp_path: Path) -> None:
    """PyYAML writes merged keys into the node of the anchor, which then seems to have them twice."""
    text = """
- name: a
  azure_auth: &deep {<<: {resource: b}, resource: c}
- {name: d, azure_auth: {<<: *deep}}
"""
    write(tmp_path, {"a.yml": text})
    methods = [entry["azure_auth"] for entry in contents(str(tmp_path))]
    assert methods == [{"resource": "c"}, {"resource": "c"}]


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("a.yml", "- {name: a}\n- name:\n    '{{ b }}'", "a.yml:3: entry 2 ({{ b }}): name is '{{"),
        ("a.yml", "- role: |\n    b\n    {% if c %}", "a.yml:1: entry 1: role is 'b\\n{% if c"),
        (
            "a.yml",
            "- metadata: {b: c,\n  d: '{# e #}'}",
            "a.yml:2: entry 1: metadata['d'] is '{# e",
        ),
        (
            "a.yml",
            "- azure_auth:\n    allowed_service_principal_ids:\n    - b\n    - '{{ c }}'",
            "a.yml:4: entry 1: azure_auth: allowed_service_principal_ids[1] is '{{ c }}', and",
        ),
        ("a.yml", "- name: &b '{{ c }}'\n- role: *b", "a.yml:1: entry 2: role is '{{ c }}', and"),
        ("a.yml", "- '{{ a }}': b", "a.yml:1: entry 1: a key is '{{ a }}', and templates in files"),
        ("a.yml", "'{{ a }}': {}", "a.yml:1: entry 1: its key is '{{ a }}', and templates in fil"),
        ("a.yml", "identities: '{{ a }}'", "a.yml:1: identities is '{{ a }}', and templates in"),
        ("a.yml", "defaults:\n  role: '{{ a }}'", "a.yml:2: defaults: role is '{{ a }}', and"),
        ("defaults.yml", "role: '{{ a }}'", "defaults.yml:1: role is '{{ a }}', and templates in"),
        (
            "a.json",
            '[{"id":\n"{{ b }}"}]',
            "a.json:2: entry 1 ({{ b }}): id is '{{ b }}', and temp",
        ),
    ],
)
def test_templates_are_refused(name: str, text: str, place: str, tmp_path: Path) -> None:
    """They would be stored as they are, and the run be green."""
    told = problems_of(tmp_path, {"z.yml": "[{name: z}]", name: text})
    assert place in told
    assert "; write its value, or set template to true." in told


TEMPLATES = """
defaults:
  azure_auth: '{{ method }}'
identities:
  "{{ environment }}-a":
    role: "{{ role | default('no-access') }}"
    metadata: {environment: '{{ environment }}', "{{ environment }}": plain}
    azure_auth:
      allowed_service_principal_ids: '{{ ids }}'
      access_token_ttl: '{{ hours }}h'
      access_token_max_ttl: '{{ seconds }}'
      allow_all_service_principals: '{{ hours == 7 }}'
  b: '{{ entry }}'
  c:
    azure_auth: '{{ nothing }}'
"""


def test_templates_are_rendered_on_request(tmp_path: Path) -> None:
    write(tmp_path, {"a.yml": TEMPLATES})
    variables = {
        "environment": "stage",
        "method": {"resource": "c", "access_token_num_uses_limit": 3},
        "ids": ["d", "e"],
        "hours": 8,
        "seconds": "86400",
        "entry": {"role": "f"},
        "nothing": None,
    }
    found = read(str(tmp_path), variables=variables, template=True)
    assert [entry.pop("source") for entry in found] == [
        f"{tmp_path}/a.yml:{line}" for line in (5, 13, 14)
    ]
    assert found[0] == {
        "name": "stage-a",
        "role": "no-access",
        "metadata": {"environment": "stage", "stage": "plain"},
        "azure_auth": {
            "resource": "c",
            "access_token_num_uses_limit": 3,
            "allowed_service_principal_ids": ["d", "e"],
            "access_token_ttl": 28800,
            "access_token_max_ttl": 86400,
            "allow_all_service_principals": False,
        },
    }
    assert found[1]["role"] == "f"
    # Before ansible-core 2.19, null is rendered as a blank text.
    assert found[2] == {"name": "c", "azure_auth": None}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "role: '{{ nobody }}'",
            "a.yml:2: entry 1 (a): role is '{{ nobody }}', which cannot be rend",
        ),
        (
            "role: '{{ nobody }}'",
            "'nobody' is undefined; define the variable, or give it a default.",
        ),
        ("metadata: '{{ {\"b\": nobody} }}'", "; define the variable, or give it a default."),
        ("metadata: '{{ {\"b\": [nobody]} }}'", "; define the variable, or give it a default."),
        ("role: '{{ omit }}'", "role is '{{ omit }}', which contains omit; write null, or leave"),
        ("role: '{{ 1 // 0 }}'", "which cannot be rendered: "),
        ("role: '{{ b'", "role is '{{ b', which cannot be rendered: "),
        ("role: '{{ \"{{\" }} b }}'", "role is rendered as '{{ b }}', which contains a template "),
        (
            "role: '{{ number }}'",
            "role '{{ number }}' is rendered as 8, which is not a string; end",
        ),
        ("role: '{{ [1] }}'", "role is [1], which is not a string; write one."),
        (
            "azure_auth:\n    access_token_ttl: '{{ 1.5 }}h'",
            "a.yml:3: entry 1 (a): azure_auth: access_token_ttl is '1.5h', which is not a du",
        ),
        (
            "azure_auth:\n    ? access_token_ttl\n    : '{{ 1.5 }}h'",
            "a.yml:4: entry 1 (a): azure_auth: access_token_ttl is '1.5h', which is not a du",
        ),
        ("metadata: {'{{ one }}': b, c: d}", "metadata['c'] appears twice; write it once."),
        (
            "role: b\n  '{{ option }}': c",
            "a.yml:3: entry 1 (a): role appears twice; write it once.",
        ),
        # As ansible-core renders a dictionary with an undefined value before 2.19.
        ("metadata: '{{ undefined }}'", "a variable in it is undefined; define the variable, or"),
    ],
)
def test_what_templates_cannot_be_is_told(text: str, problem: str, tmp_path: Path) -> None:
    variables = {
        "number": 8,
        "one": "c",
        "option": "role",
        "undefined": "{'b': AnsibleUndefined}",
        "omit": "__omit_place_holder__0",
    }
    told = problems_of(
        tmp_path, {"a.yml": f"- name: a\n  {text}"}, variables=variables, template=True
    )
    assert problem in told


def test_an_entry_that_cannot_be_rendered_is_told(tmp_path: Path) -> None:
    told = problems_of(tmp_path, {"a.yml": "- '{{ nobody }}'"}, variables={}, template=True)
    assert "a.yml:1: entry 1: it is '{{ nobody }}', which cannot be rendered: 'nobody' is" in told


def test_what_ansible_omits_is_told(tmp_path: Path) -> None:
    """It is a variable before ansible-core 2.19, and an object of its own since."""
    variables = VariableManager(loader=DataLoader()).get_vars()
    files = {"a.yml": "- {name: a, role: '{{ omit }}'}"}
    told = problems_of(tmp_path, files, variables=variables, template=True)
    assert "role is '{{ omit }}', which contains omit; write null, or leave the key or" in told


def test_what_a_template_says_is_a_value_and_no_more_of_the_file(tmp_path: Path) -> None:
    write(tmp_path, {"a.yml": "- {name: a, role: '{{ role }}'}"})
    role = "b}\n- {name: c, role: *d, e: '\"#"
    (entry,) = read(str(tmp_path), variables={"role": role}, template=True)
    assert entry["role"] == role


def encrypted(text: str | bytes, secret: bytes = b"a password") -> str:
    """A text as `ansible-vault encrypt_string` writes it into YAML."""
    lines = VaultLib([("default", VaultSecret(secret))]).encrypt(text).decode().splitlines()
    return "!vault |\n" + "\n".join(f"      {line}" for line in lines) + "\n"


def test_texts_may_be_encrypted(tmp_path: Path) -> None:
    text = f"- name: {encrypted('grün')}  metadata:\n    b: {encrypted('c')}"
    text += f"  azure_auth:\n    access_token_ttl: {encrypted('1h')}"
    write(tmp_path, {"a.yml": text})
    (entry,) = contents(str(tmp_path))
    assert entry == {
        "name": "grün",
        "metadata": {"b": "c"},
        "azure_auth": {"access_token_ttl": 3600},
    }
    assert type(entry["name"]) is type(entry["metadata"]["b"]) is str


@pytest.mark.parametrize("secrets", [[], None, [("default", VaultSecret(b"another"))]])
def test_what_cannot_be_decrypted_is_told_once_a_file(secrets: t.Any, tmp_path: Path) -> None:
    text = f"- name: a\n- name: {encrypted('b')}- name: {encrypted('c')}"
    told = problems_of(tmp_path, {"a.yml": text}, secrets=secrets)
    assert told.startswith("a.yml:2: the text after !vault cannot be decrypted: ")
    assert told.endswith((" that encrypted it.", ", or encrypt it again."))


def test_encrypted_texts_are_in_utf_8(tmp_path: Path) -> None:
    told = problems_of(tmp_path, {"a.yml": f"- name: {encrypted('grün'.encode('latin-1'))}"})
    assert told == (
        "a.yml:1: the text after !vault cannot be decrypted: it is not UTF-8; encrypt it in that"
        " encoding."
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- role: !vault a", "a.yml:1: the text after !vault cannot be decrypted: "),
        ("- role: !vault {a: b}", "a.yml:1: this is not YAML: column 9: expected a scalar node"),
        (
            f"- name: {encrypted('{{ hidden }}')}",
            "name has a template in a string that Ansible Vau",
        ),
        (
            f"- azure_auth:\n    access_token_ttl: {encrypted('hidden')}",
            "is an encrypted string, wh",
        ),
        (f"- azure_auth: {encrypted('hidden')}", "azure_auth is an encrypted string, which is not"),
        (f"- - {encrypted('hidden')}", "entry 1: it is ['********'], which is not a dictionary;"),
        (
            f"- metadata:\n  - {encrypted('hidden')}",
            "metadata is ['********'], which is not a dict",
        ),
    ],
)
def test_what_is_encrypted_is_in_no_message(text: str, problem: str, tmp_path: Path) -> None:
    told = problems_of(tmp_path, {"a.yml": text}, template=True)
    assert problem in told
    assert "hidden" not in told


def test_the_nearest_defaults_win(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "defaults.yml": "role: root\nmetadata: {a: root, b: root, c: root, d: root}",
            "a.yml": "- name: a",
            "b/Defaults.JSON": '{"metadata": {"b": "b", "c": "b", "d": "b"}}',
            "b/c/defaults.yaml": "metadata: {c: c, d: c}\nrole:",
            "b/c/d.yml": "{defaults: {metadata: {d: file}}, identities: [{name: d}]}",
            "b/c/e.yml": "- {name: e, role: entry, metadata: {d: entry}}",
            "f/defaults.yml": "# Nothing yet.",
            "f/g.yml": "g:",
        },
    )
    found = {entry["name"]: entry for entry in read(str(tmp_path), strict=True)}
    assert {name: entry["role"] for name, entry in found.items()} == {
        "a": "root",
        "d": None,
        "e": "entry",
        "g": "root",
    }
    assert [list(found[name]["metadata"].values()) for name in "adeg"] == [
        ["root", "root", "root", "root"],
        ["root", "b", "c", "file"],
        ["root", "b", "c", "entry"],
        ["root", "root", "root", "root"],
    ]


def test_a_file_by_itself_has_the_defaults_of_its_folder(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "defaults.yml": "role: root",
            "b/defaults.yml": "metadata: {a: b}",
            "b/c.yml": "- name: c",
        },
    )
    assert contents(str(tmp_path / "b" / "c.yml")) == [{"name": "c", "metadata": {"a": "b"}}]
    (entry,) = read("c.yml", basedir=tmp_path / "b")
    assert entry["metadata"] == {"a": "b"}


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (
            {"defaults.yml": "- a"},
            "defaults.yml: it is ['a'], which is not a dictionary; write one",
        ),
        ({"defaults.yml": "a: ]"}, "defaults.yml:1: this is not YAML: "),
        (
            {"defaults.yml": "", "defaults.json": "{}"},
            "has defaults in defaults.json and in defaults.yml; put them into one of these",
        ),
    ],
)
def test_defaults_that_are_not_right_are_told_once(
    files: dict[str, str], problem: str, tmp_path: Path
) -> None:
    lists = {"a.yml": "- name: a", "b.yml": "- name: b"}
    assert problems_of(tmp_path, {**lists, **files}).count(problem) == 1


def test_defaults_by_themselves_are_no_list(tmp_path: Path) -> None:
    write(tmp_path, {"defaults.yml": "role: a"})
    with pytest.raises(AnsibleLookupError, match="has no file with a list; the name of such"):
        read(str(tmp_path))
    with pytest.raises(AnsibleLookupError, match=r"/defaults\.yml has defaults and no list; name"):
        read(str(tmp_path / "defaults.yml"))


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
def test_texts_that_yaml_takes_for_something_else_are_refused(
    written: str, is_read: str, tmp_path: Path
) -> None:
    """They would mean another identity: 010 the one named 8, 12:30 the one named 750."""
    method = "azure_auth:\n    tenant_id"
    for option in ("id", "name", "project_id", "role", "metadata:\n    b", method):
        told = problems_of(tmp_path, {"a.yml": f"-\n  {option}: {written}"})
        line = 3 if "\n" in option else 2
        assert f"a.yml:{line}: entry 1: " in told
        refusal = f" is read as {is_read}, which is not a string; put quotes around the value in"
        assert f"{refusal} the list." in told
    for option in ("allowed_service_principal_ids", "access_token_trusted_ips"):
        for value in (written, f"[a, {written}]"):
            text = f"- azure_auth:\n    {option}: {value}"
            told = problems_of(tmp_path, {"a.yml": text})
            assert f"a.yml:2: entry 1: azure_auth: {option}" in told
            assert f" is read as {is_read}, which is not a string;" in told


@pytest.mark.parametrize("written", ["", "~", "null"])
def test_names_that_yaml_takes_for_nothing_are_refused(written: str, tmp_path: Path) -> None:
    told = problems_of(tmp_path, {"a.yml": f"- role: admin\n  name: {written}"})
    assert told.startswith("a.yml:1: entry 1: name is null or blank; write a name or the ID of the")


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("a.yml", "---\n# b\n- name: b\n  role: c\n\n-\n  name: d\n- {name: e}", [3, 7, 8]),
        ("a.yml", "identities:\n  - name: b\n  # c\n  - azure_auth: {}\n    id: d", [2, 4]),
        ("a.yml", "b:\n  role: c\n\nd:\n", [1, 4]),
        ("a.json", '{"defaults": {"role": "["},\n"identities": {"b":\n{},\n"c]": {}}}', [2, 4]),
        ("a.yml", "identities: [{name: b}, {name: c}]", [1, 1]),
        ("a.yml", "- &b {name: b, source: 'c:7'}\n- {<<: *b, name: c}", [1, 2]),
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


@pytest.mark.parametrize("name", ["a.yml", "a.json"])
def test_files_are_in_utf_8(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes('[{"name": "caf\u00e9"}]'.encode("latin-1"))
    with pytest.raises(AnsibleLookupError, match="is not UTF-8; save it in that encoding"):
        read(str(tmp_path / name))


@pytest.mark.parametrize("term", [None, 1, {}, "", " ", [["a.yml"]]])
def test_terms_are_paths(term: t.Any) -> None:
    with pytest.raises(AnsibleLookupError, match="is not the path of a file or folder"):
        read(term)


def test_a_byte_order_mark_is_none(tmp_path: Path) -> None:
    write(tmp_path, {"a.yml": "\ufeff- name: a"})
    assert names(str(tmp_path)) == ["a"]


def test_folders_that_are_links_are_read_once(tmp_path: Path) -> None:
    write(tmp_path, {"here/a.yml": "[{name: a}]", "there/b.yml": "[{name: b}]"})
    (tmp_path / "here" / "linked").symlink_to("../there")
    (tmp_path / "here" / "linked too").symlink_to("../there")
    assert names(str(tmp_path / "here")) == ["a", "b"]


@pytest.mark.parametrize(
    ("link", "target", "message"),
    [
        ("gone.yml", "nowhere.yml", "gone.yml is a broken link to nowhere.yml."),
        ("gone", "nowhere", "gone is a broken link to nowhere."),
        ("itself", "itself", "itself is a broken link to itself."),
        ("below/up", "../..", "/below/up/root contains itself through a link; remove"),
        ("below/up", "..", "/below/up contains itself through a link; remove the link."),
        ("below/up", ".", "/below/up contains itself through a link; remove the link."),
    ],
)
def test_links_lead_somewhere(link: str, target: str, message: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root, {"a.yml": "[{name: a}]", "below/b.yml": "[{name: b}]"})
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


def test_a_file_in_a_folder_that_cannot_be_listed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder could have defaults for it."""
    write(tmp_path, {"a.yml": "[{name: a}]"})
    listdir = os.listdir

    def refuse(path: t.Any) -> t.Any:
        if str(path) == str(tmp_path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return listdir(path)

    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(AnsibleLookupError) as caught:
        read(str(tmp_path / "a.yml"))
    assert str(caught.value) == f"The folder {tmp_path} cannot be read: Permission denied."


_TEXTS = st.text(min_size=1).filter(lambda text: bool(trim(text)) and not has_template(text))
_JSON_ENTRIES = st.lists(
    st.fixed_dictionaries(
        {"name": _TEXTS},
        optional={
            "role": st.none() | _TEXTS,
            "metadata": st.dictionaries(_TEXTS, _TEXTS),
            "azure_auth": st.fixed_dictionaries(
                {}, optional={"access_token_trusted_ips": st.lists(_TEXTS)}
            ),
        },
    ),
    min_size=1,
    unique_by=lambda entry: trim(str(entry["name"])),
)


@settings(max_examples=50)
@given(_JSON_ENTRIES)
def test_json_is_read_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, entries: list[dict[str, t.Any]]
) -> None:
    path = tmp_path_factory.mktemp("json") / "a.json"
    path.write_text(json.dumps(entries), encoding="utf-8")
    assert contents(str(path)) == entries
    lines = [f"{path}:{number}" for number in range(2, len(entries) + 2)]
    path.write_text("[\n" + ",\n".join(map(json.dumps, entries)) + "]", encoding="utf-8")
    assert [entry["source"] for entry in read(str(path))] == lines


_PIECES = st.sampled_from(
    [
        *["- ", "  ", "\n", ": ", "{", "}", "[", "]", ",", "&a ", "*a", "<<", "|", "'", '"', "? "],
        *[
            "!vault ",
            "!!int ",
            "!!null ",
            "!!map ",
            "!!float ",
            "!unsafe ",
            "#",
            "---",
            "%",
            "=",
            "~",
        ],
        *["identities", "defaults", "name", "id", "state", "azure_auth", "metadata", "role"],
        *["access_token_ttl", "1h", "8", "yes", "2026-01-01", ".nan", "{{ a }}", "{% b", "\t"],
    ]
)


@given(st.lists(_PIECES | st.text(max_size=3)).map("".join), st.booleans(), st.booleans())
def test_any_file_has_entries_or_is_an_error(
    tmp_path_factory: pytest.TempPathFactory, text: str, is_json: bool, template: bool
) -> None:
    path = tmp_path_factory.mktemp("any") / ("a.json" if is_json else "a.yml")
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        entries = read(str(path), variables={"a": ["b"]}, template=template)
    except AnsibleLookupError:
        return
    assert entries
    assert all(isinstance(entry, dict) for entry in entries)
