# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks that filters share: of their arguments, and for a library."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ..module_utils._state.networks import NETADDR_IMPORT_ERROR
from ..module_utils._text import quoted


def require_netaddr(name: str) -> None:
    """Raise AnsibleFilterError, for the filter of this name, if netaddr is missing."""
    if NETADDR_IMPORT_ERROR:
        raise AnsibleFilterError(
            f"{name}: the Python that runs Ansible needs the package netaddr, but cannot import"
            f" it: {NETADDR_IMPORT_ERROR.splitlines()[-1]}"
        )


def listed(what: str, value: t.Any, of: str) -> list[t.Any]:
    """Return a value as a list, which may be an iterator of a filter. Raises ValueError."""
    if not _is_listed(value):
        raise ValueError(f"{what} is {quoted(value)}, which is not a list; give a list of {of}.")
    return list(value)


def dictionaries(name: str, what: str, value: t.Any) -> list[dict[str, t.Any]]:
    """Return a value as a list of dictionaries; it may be an iterator of a filter such as select().

    `name` is the name of the filter, `what` that of the argument. Raises AnsibleFilterError for any
    other value.
    """
    if not _is_listed(value):
        raise AnsibleFilterError(f"{name}: {what} is {quoted(value)}, which is not a list.")
    items = list(value)
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict):
            raise AnsibleFilterError(
                f"{name}: item {number} of {what} is {quoted(item)}, which is not a dictionary."
            )
    return items


def _is_listed(value: t.Any) -> bool:
    return isinstance(value, t.Iterable) and not isinstance(value, (str, bytes, t.Mapping))
