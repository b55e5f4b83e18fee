# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter that writes lists of identities; documented in identity_list_files.yml."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.community.infisical.plugins.module_utils._text import quoted
from ansible_collections.community.infisical.plugins.plugin_utils._arguments import (
    listed,
    require_netaddr,
)
from ansible_collections.community.infisical.plugins.plugin_utils._export.list_files import (
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
    """Return files that list identities, and the settings that no list can express.

    Raises AnsibleFilterError, with one sentence, for anything that the modules cannot have
    returned, and for wrong arguments.
    """
    require_netaddr(NAME)
    try:
        wanted = Wanted(
            _split(split_by),
            _separator(prefix_separator),
            _flag("defaults", defaults),
            _flag("without_azure_auth", without_azure_auth),
            _sentences(comment),
        )
        given = listed("its input", identities, "identities")
        return export(given, wanted, listed("beside", beside, "entries"))
    except ValueError as why:
        raise AnsibleFilterError(f"{NAME}: {why}") from None


def _split(value: t.Any) -> str:
    """Return how to split a list. Raises ValueError."""
    if value not in SPLITS:
        raise ValueError(f"split_by is {quoted(value)}; write one of {', '.join(SPLITS)}.")
    return str(value)


def _separator(value: t.Any) -> str:
    """Return the text that ends a prefix. Raises ValueError."""
    if not isinstance(value, str) or not value:
        raise ValueError(
            f"prefix_separator is {quoted(value)}; write the text that ends the prefix of a name,"
            " such as '-'."
        )
    return value


def _sentences(value: t.Any) -> tuple[str, ...]:
    """Return the comment at the beginning of each file. Raises ValueError."""
    sentences = [value] if isinstance(value, str) else listed("comment", value, "strings")
    if not sentences or not all(isinstance(sentence, str) for sentence in sentences):
        raise ValueError(
            f"comment is {quoted(value)}; write sentences for the beginning of each file."
        )
    return tuple(sentences)


def _flag(name: str, value: t.Any) -> bool:
    """Return a boolean; variables from the command line arrive as strings. Raises ValueError."""
    try:
        return bool(boolean(value))
    except TypeError:
        raise ValueError(f"{name} is {quoted(value)}; write true or false.") from None


class FilterModule:
    """The filters of this file, as Ansible wants them."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"identity_list_files": identity_list_files}
