# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter for identities that a purge leaves alone; documented in identity_keepers.yml."""

from __future__ import annotations

import typing as t

from ansible_collections.community.infisical.plugins.plugin_utils._arguments import dictionaries
from ansible_collections.community.infisical.plugins.plugin_utils._selection import keepers

NAME = "community.infisical.identity_keepers"


def identity_keepers(entries: t.Any, *, attached: bool = False) -> list[str]:
    """Return the identities that a list keeps. Raises AnsibleFilterError for wrong arguments."""
    return keepers(dictionaries(NAME, "its input", entries), attached=attached)


class FilterModule:
    """The filters of this file, as Ansible wants them."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"identity_keepers": identity_keepers}
