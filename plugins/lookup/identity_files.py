# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup that reads the list of a fleet from files."""

from __future__ import annotations

DOCUMENTATION = r"""
name: identity_files
short_description: Read what machine identities shall be from files
version_added: 1.0.0
author:
  - The community.infisical authors (@ansible-collections)
description:
  - Puts together, from files and folders of files, the list that O(community.infisical.infisical_identities#module:identities) takes.
  - A file has a list of entries, or a dictionary whose only key, C(identities), has one.
  - It is JSON if its name ends in C(.json), and else YAML. As a whole it may be encrypted by Ansible Vault.
  - Files are data, and no template in them is rendered. A text with C({{), C({%) or C({#) in it is an error.
  - IDs, names, metadata and the other texts of an entry have to be texts in the file, too. YAML reads V(010) as the number 8 and
    V(12:30) as 750, so that they would mean another identity; put them in quotes.
  - Each entry says where it is from, with the file and the line as its C(source). The module names it in its messages.
  - A file that is not right ends the task, with a sentence that says which file, where in it, and what is wrong. What else is in an entry
    is for the module to judge.
options:
  _terms:
    description:
      - Files and folders, or lists of them. One that is not absolute is looked for where C(ansible.builtin.file) looks, which is beside the
        playbook, and in a folder C(files) there or in the role.
      - Of a folder, the files are read whose names end in C(.yml), C(.yaml) or C(.json), in capitals or not, those in folders below it too,
        but none whose name, or whose folder's name below that one, starts with a dot. There has to be at least one.
      - Links are followed. One that leads nowhere, or back to a folder that it is in, is an error.
    type: list
    elements: path
    required: true
  strict:
    description:
      - Whether a file in a folder that is not read is an error. Otherwise a warning names it.
      - This is about hidden files, too, if their names end like those of lists.
      - Set it where identities that are not in the list lose Azure Auth.
    type: bool
    default: false
seealso:
  - plugin: community.infisical.infisical_identities
    plugin_type: module
  - ref: ansible_collections.community.infisical.docsite.guide_fleet
    description: From what is there to such files, to applying them.
"""

EXAMPLES = r"""
- name: Read every identity
  community.infisical.infisical_identity_info:
  register: info

- name: Write down those of the organization
  ansible.builtin.copy:
    content: "{{ info.identities | rejectattr('project_id') | to_nice_yaml(sort_keys=false) }}"
    dest: "{{ playbook_dir }}/identities.yml"
    mode: "0644"

- name: Show who is listed
  ansible.builtin.debug:
    msg: "{{ query('community.infisical.identity_files', 'identities.yml') | map(attribute='name') | join(', ') }}"

- name: Keep all that are listed, and Azure Auth with nobody else
  community.infisical.infisical_identities:
    identities: "{{ listed }}"
    purge_azure_auth_except: "{{ listed | map(attribute='id') }}"
  vars:
    listed: "{{ query('community.infisical.identity_files', 'identities.yml', strict=true) }}"
"""

RETURN = r"""
_raw:
  description: The entries, in the order of the terms, then of the paths of the files of a folder, then as they are in a file.
  type: list
  elements: dict
  sample:
    - name: billing
      azure_auth:
        tenant_id: 3f6c1b52-9d0e-4a87-8c21-5b7e0f4d9a16
        resource: https://management.azure.com/
        allowed_service_principal_ids:
          - c9a1e7d4-02b8-4f35-9e6a-71d5b3f08c2e
      source: /etc/infisical/identities.yml:2
"""

import json
import math
import os
import typing as t
from datetime import date
from pathlib import Path

import yaml
from ansible.errors import AnsibleError, AnsibleLookupError
from ansible.module_utils.common.yaml import SafeLoader
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

from ansible_collections.community.infisical.plugins.module_utils._text import printable, quoted

ENDINGS = (".yml", ".yaml", ".json")
KEY = "identities"
# The keys of an entry whose values are texts, or have some.
TEXTS = {
    "id",
    "name",
    "project_id",
    "role",
    "metadata",
    "tenant_id",
    "resource",
    "allowed_service_principal_ids",
    "access_token_trusted_ips",
}
EXPECTED = "id or name and what the identity shall be"
TEMPLATES = ("{{", "{%", "{#")
# So many files are named that are not read.
NAMED = 10

Entry = dict[str, t.Any]

display = Display()


class LookupModule(LookupBase):
    """The lookup."""

    def run(
        self, terms: list[t.Any], variables: dict[str, t.Any] | None = None, **kwargs: t.Any
    ) -> list[Entry]:
        """Return the entries that files and folders have.

        Raises AnsibleLookupError, with one sentence, for a file that is not right.
        """
        self.set_options(var_options=variables, direct=kwargs)
        return [
            entry
            for term in terms
            for name in (term if isinstance(term, list) else [term])
            for path in self._files(name, variables or {})
            for entry in _entries(path, self._text(path))
        ]

    def _files(self, name: t.Any, variables: dict[str, t.Any]) -> list[str]:
        if not isinstance(name, str) or not name.strip():
            raise AnsibleLookupError(f"{quoted(name)} is no path of a file or a folder.")
        found = self.find_file_in_search_path(variables, "files", name, ignore_missing=True)
        if not found:
            raise AnsibleLookupError(f"{quoted(name)} is neither a file nor a folder.")
        if Path(found).is_file():
            return [found]
        read, unread = _in_folder(found)
        if unread:
            self._tell_unread(found, unread)
        if not read:
            raise AnsibleLookupError(
                f"The folder {found} has no file whose name ends in .yml, .yaml or .json."
            )
        return read

    def _tell_unread(self, folder: str, unread: list[str]) -> None:
        names = [quoted(os.path.relpath(path, folder)) for path in unread[:NAMED]]
        if len(unread) > NAMED:
            names.append(f"and {len(unread) - NAMED} more")
        message = (
            f"Not every file in the folder {folder} is read as a list: {', '.join(names)}."
            " Lists are in files whose names end in .yml, .yaml or .json and do not start with a"
            " dot; rename what is one, and move the rest out of the folder."
        )
        if self.get_option("strict"):
            raise AnsibleLookupError(message)
        display.warning(message)

    def _text(self, path: str) -> str:
        try:
            readable = self._loader.get_real_file(path)
        except AnsibleError as why:
            raise AnsibleLookupError(f"{path} cannot be read: {why}") from None
        try:
            # Some programs begin UTF-8 with a byte order mark.
            return Path(readable).read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise AnsibleLookupError(f"{path} is not UTF-8; save it in that encoding.") from None
        finally:
            # What Ansible Vault decrypted.
            self._loader.cleanup_tmp_file(readable)


def _in_folder(folder: str) -> tuple[list[str], list[str]]:
    """Return the files with entries in a folder and below it, and those that are not read.

    None is left out in silence: who is not listed may lose Azure Auth. Raises AnsibleLookupError.
    """
    read: list[str] = []
    unread: list[str] = []
    hidden: list[Path] = []

    def refuse(why: OSError) -> t.NoReturn:
        raise AnsibleLookupError(f"The folder {why.filename} cannot be read: {why.strerror}.")

    # A folder that several links lead to is read once.
    seen = set()
    for parent, folders, files in os.walk(folder, onerror=refuse, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen:
            if any(os.path.realpath(above) == real for above in Path(parent).parents):
                raise AnsibleLookupError(
                    f"{parent} leads back to a folder that it is in; remove the link."
                )
            folders.clear()
            continue
        seen.add(real)
        hidden += [Path(parent, name) for name in folders if name.startswith(".")]
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            path = os.path.join(parent, name)  # noqa: PTH118 as os.walk has it
            if name.startswith("."):
                hidden.append(Path(path))
            elif not os.path.exists(path):  # noqa: PTH110
                raise AnsibleLookupError(
                    f"{path} is a link to {os.readlink(path)}, which is not there."  # noqa: PTH115
                )
            else:
                (read if _is_list(name) else unread).append(path)
    # Links lead to hidden files where Kubernetes mounts a ConfigMap.
    known = {os.path.realpath(path) for path in read}
    unread += [
        str(found)
        for start in hidden
        for found in (start.rglob("*") if start.is_dir() else [start])
        if _is_list(found.name) and not found.is_dir() and os.path.realpath(found) not in known
    ]
    return sorted(read), sorted(unread)


def _is_list(name: str) -> bool:
    return name.lower().endswith(ENDINGS)


def _entries(path: str, text: str) -> list[Entry]:
    content = _parsed(path, text)
    if isinstance(content, dict) and len(content) == 1:
        content = content.get(KEY)
    if not isinstance(content, list) or not content:
        raise AnsibleLookupError(
            f"{path} has no list. Write a list of entries into it, each a dictionary with"
            f" {EXPECTED}; or a dictionary whose only key is {KEY}, with such a list."
        )
    entries = [_entry(f"{path}: entry {number}", entry) for number, entry in enumerate(content, 1)]
    lines = _json_lines(text) if _is_json(path) else [entry.line for entry in content]
    return [{**entry, "source": f"{path}:{line}"} for entry, line in zip(entries, lines)]


def _entry(place: str, entry: t.Any) -> Entry:
    if not isinstance(entry, dict):
        raise AnsibleLookupError(
            f"{place} is {quoted(entry)}, which is not a dictionary; write {EXPECTED} into it."
        )
    try:
        plain: Entry = _plain(place, entry)
    except RecursionError:
        # An alias can make a dictionary one of its own values.
        raise AnsibleLookupError(f"{place} has itself in it; write what is meant.") from None
    # Null is as if left out, but an identity can be called "null".
    if "name" in plain and plain["name"] is None and plain.get("id") is None:
        raise AnsibleLookupError(
            f"{place}, name is null, and not a text; put quotes around it, or write the id of the"
            " identity."
        )
    return plain


def _plain(place: str, value: t.Any, *, line: int = 0, is_text: bool = False) -> t.Any:
    """Return a value as JSON would have it. With `is_text` it is a text, or has some.

    Older releases of ansible-core make one text of a list that has anything else in it.
    """
    line = getattr(value, "line", line)
    at = f"{place} (line {line})" if line else place
    if isinstance(value, str):
        if any(start in value for start in TEMPLATES):
            raise AnsibleLookupError(
                f"{at} has {quoted(value)}. Files are data: no template in them is rendered; write"
                " what it stands for."
            )
        return str(value)
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise AnsibleLookupError(f"{at} has the key {quoted(key)}; write a text.")
        return {
            _plain(place, key): _plain(
                f"{place}, {printable(key, 80)}",
                item,
                line=getattr(key, "line", 0),
                # Null is as if left out.
                is_text=is_text or (key in TEXTS and item is not None),
            )
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_plain(place, item, line=line, is_text=is_text) for item in value]
    if is_text and value is None:
        raise AnsibleLookupError(
            f"{at} is null, and not a text; put quotes around it, or leave it out."
        )
    if is_text and isinstance(value, (int, float, date)):
        shown = value if isinstance(value, date) else json.dumps(value)
        raise AnsibleLookupError(
            f"{at} is read as {shown}, and not as a text; put quotes around what is written there."
        )
    if isinstance(value, date):
        return value.isoformat()
    number = isinstance(value, (int, float)) and math.isfinite(value)
    if value is None or number:
        return value
    raise AnsibleLookupError(f"{at} has {quoted(value)}; write a text, a number or a list.")


class _Text(str):
    """A text of a YAML file, and the line where it begins."""

    line: int


class _Mapping(dict[t.Any, t.Any]):
    """A dictionary of a YAML file, and the line where it begins."""

    line: int


class _Loader(SafeLoader):
    """A loader of YAML that knows the lines of texts and dictionaries, and takes no key twice.

    The first would be lost in silence.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[t.Any, t.Any]:
        """Return the dictionary. Raises yaml.constructor.ConstructorError."""
        keys = set()
        for key in (key for key, _value in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in keys:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {quoted(key.value)} is there twice", key.start_mark
                )
            keys.add(key.value)
        mapping: dict[t.Any, t.Any] = super().construct_mapping(node, deep)
        return mapping

    def construct_entry(self, node: yaml.MappingNode) -> t.Iterator[_Mapping]:
        """Yield the dictionary, empty at first: an alias in it can stand for the whole."""
        entry = _Mapping()
        entry.line = node.start_mark.line + 1
        yield entry
        entry.update(self.construct_mapping(node))

    def construct_text(self, node: yaml.ScalarNode) -> _Text:
        """Return the text."""
        text = _Text(self.construct_scalar(node))
        text.line = node.start_mark.line + 1
        return text


_Loader.add_constructor("tag:yaml.org,2002:str", _Loader.construct_text)
_Loader.add_constructor("tag:yaml.org,2002:map", _Loader.construct_entry)


def _object(pairs: list[tuple[str, t.Any]]) -> Entry:
    """Return an object of JSON. Raises ValueError for a key that is there twice."""
    found: Entry = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {quoted(key)} is there twice")
        found[key] = value
    return found


def _is_json(path: str) -> bool:
    return path.lower().endswith(".json")


def _json_lines(text: str) -> t.Iterator[int]:
    """Yield the lines where the entries begin of a list that has been parsed."""
    decoder = json.JSONDecoder()
    line = 1
    counted = 0
    # The only key before a list has no bracket.
    place = text.index("[")
    while text[place] != "]":
        place = _after_blanks(text, place + 1)
        line += text.count("\n", counted, place)
        counted = place
        yield line
        _value, place = decoder.raw_decode(text, place)
        place = _after_blanks(text, place)


def _after_blanks(text: str, place: int) -> int:
    while text[place] in " \t\r\n":
        place += 1
    return place


def _parsed(path: str, text: str) -> t.Any:
    # YAML 1.1, which PyYAML reads, is not all of JSON: it has no pairs of surrogates.
    language = "JSON" if _is_json(path) else "YAML"
    try:
        if language == "JSON":
            return json.loads(text, object_pairs_hook=_object)
        return yaml.load(text, Loader=_Loader)
    except json.JSONDecodeError as why:
        reason = f"line {why.lineno}, column {why.colno}: {why.msg}"
    except yaml.MarkedYAMLError as why:
        mark = why.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        reason = f"{place}{why.problem}"
    except (yaml.YAMLError, ValueError, RecursionError) as why:
        # A character that is not allowed, a date that does not exist, a list in thousands of lists.
        reason = printable(str(why))
    raise AnsibleLookupError(f"{path} is not {language}: {reason}.")
