# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter that writes lists of identities; documented in identity_list_files.yml."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.community.infisical.plugins.module_utils._state.networks import (
    NETADDR_IMPORT_ERROR,
)
from ansible_collections.community.infisical.plugins.module_utils._text import quoted
from ansible_collections.community.infisical.plugins.plugin_utils._export import (
    SPLITS,
    Wanted,
    export,
)

NAME = "community.infisical.identity_list_files"


def identity_list_files(
    identities: t.Any,
    split_by: t.Any = SPLITS[0],
    prefix_separator: t.Any = "-",
    defaults: t.Any = True,
    without_azure_auth: t.Any = True,
    comment: t.Any = (f"Written by the filter {NAME}.",),
    beside: t.Any = (),
) -> dict[str, t.Any]:
    """Return files that list identities, and what no list can say of them.

    Raises AnsibleFilterError, with one sentence, for what the modules cannot have returned, and for
    arguments that are not right.
    """
    if NETADDR_IMPORT_ERROR:
        raise AnsibleFilterError(
            f"{NAME}: the Python that runs Ansible needs the package netaddr, which it does not"
            f" find: {NETADDR_IMPORT_ERROR.splitlines()[-1]}"
        )
    if split_by not in SPLITS:
        raise AnsibleFilterError(
            f"{NAME}: split_by is {quoted(split_by)}; write one of {', '.join(SPLITS)}."
        )
    if not isinstance(prefix_separator, str) or not prefix_separator:
        raise AnsibleFilterError(
            f"{NAME}: prefix_separator is {quoted(prefix_separator)}; write the text that ends the"
            " prefix of a name, such as '-'."
        )
    sentences = [comment] if isinstance(comment, str) else _list("comment", comment, "texts")
    if not sentences or not all(isinstance(sentence, str) for sentence in sentences):
        raise AnsibleFilterError(
            f"{NAME}: comment is {quoted(comment)}; write sentences for the beginning of each file."
        )
    wanted = Wanted(
        split_by,
        prefix_separator,
        _flag("defaults", defaults),
        _flag("without_azure_auth", without_azure_auth),
        tuple(sentences),
    )
    try:
        return export(
            _list("its input", identities, "identities"),
            wanted,
            _list("beside", beside, "entries"),
        )
    except ValueError as why:
        raise AnsibleFilterError(f"{NAME}: {why}") from None


def _list(what: str, value: t.Any, of: str) -> list[t.Any]:
    """Return a list, also of what select() and the like yield."""
    if isinstance(value, (str, bytes, t.Mapping)) or not isinstance(value, t.Iterable):
        raise AnsibleFilterError(
            f"{NAME}: {what} is {quoted(value)}, which is not a list; give it a list of {of}."
        )
    return list(value)


def _flag(name: str, value: t.Any) -> bool:
    """Return an argument; variables from the command line arrive as texts."""
    try:
        return bool(boolean(value))
    except TypeError:
        raise AnsibleFilterError(
            f"{NAME}: {name} is {quoted(value)}; write true or false."
        ) from None


class FilterModule:
    """The filters of this file, as Ansible wants them."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"identity_list_files": identity_list_files}
