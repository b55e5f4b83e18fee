# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter that chooses entries of a list; documented in identity_selection.yml."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.community.infisical.plugins.plugin_utils._arguments import dictionaries
from ansible_collections.community.infisical.plugins.plugin_utils._selection import select

NAME = "community.infisical.identity_selection"


def identity_selection(
    entries: t.Any, only: t.Any = None, current: t.Any = (), where: str = "only"
) -> list[dict[str, t.Any]]:
    """Return the entries that `only` chooses.

    Raises AnsibleFilterError for wrong arguments, and for anything that is not in the list.
    """
    listed = dictionaries(NAME, "its input", entries)
    identities = dictionaries(NAME, "current", current)
    try:
        return select(listed, only, identities, where)
    except ValueError as why:
        raise AnsibleFilterError(str(why)) from None


class FilterModule:
    """The filters of this file, as Ansible wants them."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"identity_selection": identity_selection}
