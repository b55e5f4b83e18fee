# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup that reads lists of identities from files."""

from __future__ import annotations

DOCUMENTATION = r"""
name: identity_files
short_description: Read a list of machine identities from files
version_added: 1.0.0
author:
  - The community.infisical authors (@ansible-collections)
description:
  - Reads files and folders, and returns the list that the option O(community.infisical.infisical_identities#module:identities) of
    M(community.infisical.infisical_identities) takes.
  - A file is JSON if its name ends in C(.json), and YAML otherwise. You can encrypt the whole file with Ansible Vault.
  - Each entry has its file and line as C(source). The module's messages show both.
  - If anything is wrong, the task fails and reports all problems of all files at once, each with its file, line and entry. The lookup checks
    the form, and the module checks the values.
  - The filter P(community.infisical.identity_entries#filter) does the same for a variable.
options:
  _terms:
    description:
      - Files and folders, or lists of them. The lookup searches for a relative path as the lookup C(ansible.builtin.file) does, beside the playbook and in
        the C(files) folders of the playbook and the role.
      - In a folder and its subfolders, the lookup reads all files whose names end in C(.yml), C(.yaml) or C(.json), in any letter case. It does
        not read files and folders whose names start with a dot. There must be at least one file with a list.
      - The lookup follows symbolic links. A broken link, or a link to a folder that contains the link, is an error.
    type: list
    elements: path
    required: true
  template:
    description:
      - Whether to render Jinja templates in the files with the variables of the play. By default, files are data, and a template in them is an
        error.
      - The lookup first parses a file and then renders its strings one by one, so the value of a template cannot change the text around it.
      - A template may return a list or a dictionary where one is allowed. For a name, an ID or another string, it must return a string.
      - An undefined variable and C(omit) are errors.
      - Templates can call lookups, which can run commands and read files on the host where Ansible runs. Set this option only if you trust the
        authors of the files as much as the authors of the playbook.
    type: bool
    default: false
  strict:
    description:
      - Whether it is an error if a folder contains a file that the lookup skips because of its name. By default, a warning names the file.
      - Hidden files count too, if their names end in C(.yml), C(.yaml) or C(.json).
      - Set this option if you revoke Azure Auth from identities that are not in the list.
    type: bool
    default: false
notes:
  - A file has a list of entries, or a dictionary of entries by name. Either may be under the key C(identities), with C(defaults) beside it.
    In a dictionary by name, the key is the name of the identity, and C(null) is an entry without settings.
  - C(defaults) apply to all entries of the file. A file C(defaults.yml), C(defaults.yaml) or C(defaults.json) has a dictionary of defaults
    for all files in its folder and its subfolders. An entry wins over the defaults of its file. These win over the defaults of the folder,
    which win over those of the folders above, up to the folder that you name. If you name a single file, it gets the defaults of its own
    folder.
  - >-
    Dictionaries merge key by key. Lists and other values replace the default. C(null) in an entry drops the default. An entry without
    C(azure_auth) gets the default C(azure_auth); write C(azure_auth: null) to leave Azure Auth alone.
  - An entry with C(allow_all_service_principals=true) does not get a default for C(allowed_service_principal_ids).
  - An entry with C(state=absent), or one that only revokes Azure Auth, gets the default C(project_id) and no other defaults.
  - Defaults cannot have C(id), C(name), C(state), C(azure_auth.state) or C(azure_auth.allow_all_service_principals). Therefore, an entry
    without C(allowed_service_principal_ids) is never open to the whole tenant by accident.
  - C(access_token_ttl) and C(access_token_max_ttl) may be durations of whole weeks, days, hours, minutes and seconds, such as C(30d), C(1h),
    C(90m) or C(1d12h). The lookup returns seconds.
  - IDs, names, metadata and other strings must be strings in the file. YAML reads C(010) as the number 8 and C(12:30) as 750, so put such
    values in quotes.
  - You can encrypt a single string with Ansible Vault, with the tag C(!vault). Output shows the decrypted string like any other. Other tags,
    such as C(!unsafe), are errors. YAML anchors, aliases and merge keys work. A key that appears twice is an error.
  - An identity that is listed twice, in one file or in two, is an error.
seealso:
  - plugin: community.infisical.infisical_identities
    plugin_type: module
  - plugin: community.infisical.identity_entries
    plugin_type: filter
  - ref: ansible_collections.community.infisical.docsite.guide_fleet
    description: How to write such files, and how to apply them.
"""

EXAMPLES = r"""
- name: Read every identity
  community.infisical.infisical_identity_info:
  register: info

- name: Write the identities of the organization into a file
  ansible.builtin.copy:
    content: "{{ info.identities | rejectattr('project_id') | to_nice_yaml(sort_keys=false) }}"
    dest: "{{ playbook_dir }}/identities.yml"
    mode: "0644"

- name: Show the names in the list
  ansible.builtin.debug:
    msg: "{{ query('community.infisical.identity_files', 'identities.yml') | map(attribute='name') | join(', ') }}"

- name: Apply the list, and revoke Azure Auth from all other identities of the organization
  community.infisical.infisical_identities:
    identities: "{{ listed }}"
    purge_azure_auth_except: "{{ listed | map(attribute='id') }}"
  vars:
    listed: "{{ query('community.infisical.identity_files', 'identities.yml', strict=true) }}"

- name: Write a list for several environments
  ansible.builtin.copy:
    content: |
      {% raw %}
      defaults:
        azure_auth:
          tenant_id: 3f6c1b52-9d0e-4a87-8c21-5b7e0f4d9a16
          resource: https://management.azure.com/
          access_token_ttl: 1h
          access_token_max_ttl: 1d
      identities:
        "{{ environment_name }}-orders":
          azure_auth:
            allowed_service_principal_ids:
              - c9a1e7d4-02b8-4f35-9e6a-71d5b3f08c2e
        "{{ environment_name }}-reports":
          azure_auth: null
      {% endraw %}
    dest: "{{ playbook_dir }}/environments.yml"
    mode: "0644"

- name: Apply the identities of one environment
  community.infisical.infisical_identities:
    identities: "{{ query('community.infisical.identity_files', 'environments.yml', template=true) }}"
  vars:
    environment_name: stage
"""

RETURN = r"""
_raw:
  description:
    - The entries, with their defaults. They are sorted by the order of the terms, then by the path of the file within a folder, then by the
      order in the file.
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

import typing as t
from functools import partial
from os.path import realpath, relpath
from pathlib import Path

from ansible.errors import AnsibleError, AnsibleLookupError, AnsibleUndefinedVariable
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

from ansible_collections.community.infisical.plugins.module_utils._errors import OptionError
from ansible_collections.community.infisical.plugins.module_utils._text import (
    OMITTED,
    printable,
    quoted,
    texts_in,
)
from ansible_collections.community.infisical.plugins.plugin_utils._lists.defaults import merged
from ansible_collections.community.infisical.plugins.plugin_utils._lists.files import (
    ListFile,
    in_folder,
    single,
)
from ansible_collections.community.infisical.plugins.plugin_utils._lists.options import Render
from ansible_collections.community.infisical.plugins.plugin_utils._lists.reader import Reader
from ansible_collections.community.infisical.plugins.plugin_utils._lists.syntax import parse

try:
    from ansible.errors import AnsibleValueOmittedError
    from ansible.template import trust_as_template
except ImportError:
    # Before ansible-core 2.19, omit is a string, and every string is a template.
    AnsibleValueOmittedError = ()

    def trust_as_template(value: str) -> str:
        """Return the string as it is."""
        return value


# How many of the files that are not read a message names.
NAMED = 10
_OMIT = "which contains omit; write null, or leave the key or item out."
# The value of an undefined variable in a list or dictionary before ansible-core 2.19.
UNDEFINED = "AnsibleUndefined"

Entry = dict[str, t.Any]

display = Display()


class LookupModule(LookupBase):
    """The lookup."""

    def run(
        self, terms: list[t.Any], variables: dict[str, t.Any] | None = None, **kwargs: t.Any
    ) -> list[Entry]:
        """Return the entries of files and folders.

        Raises AnsibleLookupError, with a sentence for each problem.
        """
        self.set_options(var_options=variables, direct=kwargs)
        self._variables = variables or {}
        render: Render = _refuse_template
        if self.get_option("template"):
            render = partial(
                _rendered, self._templar.copy_with_new_env(available_variables=variables)
            )
        self._reader = Reader(render)
        self._defaults: dict[str, Entry] = {}
        self._read_as: dict[str, str] = {}
        for term in terms:
            for name in term if isinstance(term, list) else [term]:
                with self._reader.telling():
                    for file in self._files(name):
                        self._read(file)
        try:
            return self._reader.entries()
        except OptionError as why:
            raise AnsibleLookupError(str(why)) from None

    def _files(self, name: t.Any) -> list[ListFile]:
        """Return the files of a term. Raises OptionError."""
        if not isinstance(name, str) or not name.strip():
            raise OptionError(f"{quoted(name)} is not the path of a file or folder.")
        found = self.find_file_in_search_path(self._variables, "files", name, ignore_missing=True)
        if not found:
            raise OptionError(f"{quoted(name)} is neither a file nor a folder.")
        if not Path(found).is_dir():
            return [single(found)]
        read, unread = in_folder(found)
        if unread:
            self._tell_unread(found, unread)
        if not read:
            raise OptionError(
                f"The folder {found} has no file with a list; the name of such a file ends in .yml,"
                " .yaml or .json."
            )
        return read

    def _tell_unread(self, folder: str, unread: list[str]) -> None:
        names = [quoted(relpath(path, folder)) for path in unread[:NAMED]]
        if len(unread) > NAMED:
            names.append(f"and {len(unread) - NAMED} more")
        message = (
            f"These files in the folder {folder} are not read as lists: {', '.join(names)}. The name"
            " of a file with a list ends in .yml, .yaml or .json and does not start with a dot;"
            " rename such files, and move the other ones out of the folder."
        )
        if self.get_option("strict"):
            self._reader.add_problem(message)
        else:
            display.warning(message)

    def _read(self, file: ListFile) -> None:
        real = realpath(file.path)
        if real in self._read_as:
            self._reader.add_problem(
                f"{file.path} is the same file as {self._read_as[real]}; name it once."
            )
            return
        self._read_as[real] = file.path
        defaults: Entry = {}
        for path in file.defaults:
            defaults = merged(defaults, self._read_defaults(path))
        with self._reader.telling():
            self._reader.read_list(file.path, self._content(file.path), defaults)

    def _read_defaults(self, path: str) -> Entry:
        if path not in self._defaults:
            self._defaults[path] = {}
            with self._reader.telling():
                self._defaults[path] = self._reader.read_defaults(path, self._content(path))
        return self._defaults[path]

    def _content(self, path: str) -> t.Any:
        return parse(path, self._text(path), self._decrypt)

    def _text(self, path: str) -> str:
        try:
            readable = self._loader.get_real_file(path)
        except AnsibleError as why:
            raise OptionError(f"{path} cannot be read: {why}") from None
        try:
            # Some programs write a byte order mark before UTF-8.
            return Path(readable).read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise OptionError(f"{path} is not UTF-8; save it in that encoding.") from None
        finally:
            # The decrypted copy, if Ansible Vault encrypted the file.
            self._loader.cleanup_tmp_file(readable)

    def _decrypt(self, text: str) -> str:
        vault = self._loader._vault
        if not vault.secrets:
            raise ValueError("there is no vault password; give the one that encrypted it.")
        try:
            return str(vault.decrypt(text), "utf-8")
        except UnicodeDecodeError:
            raise ValueError("it is not UTF-8; encrypt it in that encoding.") from None
        except AnsibleError as why:
            raise ValueError(
                f"{printable(str(why)).rstrip('.')}; give the password that encrypted it, or encrypt"
                " it again."
            ) from None


def _rendered(templar: t.Any, text: str) -> t.Any:
    """Return the value of a template. Raises OptionError."""
    try:
        value = templar.template(trust_as_template(text), fail_on_undefined=True)
    except AnsibleUndefinedVariable as why:
        raise OptionError(
            f"which cannot be rendered: {printable(str(why).partition('. ')[0])}; define the"
            " variable, or give it a default."
        ) from None
    except AnsibleValueOmittedError:
        raise OptionError(_OMIT) from None
    except Exception as why:
        # Templates can call anything.
        raise OptionError(
            f"which cannot be rendered: {printable(str(why)).rstrip('.')}; correct it."
        ) from None
    for rendered in texts_in(value):
        if UNDEFINED in rendered:
            raise OptionError(
                "which cannot be rendered: a variable in it is undefined; define the variable, or"
                " give it a default."
            )
        if OMITTED in rendered:
            raise OptionError(_OMIT)
    return value


def _refuse_template(_text: str) -> t.NoReturn:
    raise OptionError(
        "and templates in files are not rendered; write its value, or set template to true."
    )
