# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter that makes batches of a list; documented in identity_batches.yml."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.community.infisical.plugins.module_utils._text import quoted
from ansible_collections.community.infisical.plugins.plugin_utils._arguments import dictionaries
from ansible_collections.community.infisical.plugins.plugin_utils._selection import batches

NAME = "community.infisical.identity_batches"


def identity_batches(entries: t.Any, size: t.Any = 50) -> list[list[dict[str, t.Any]]]:
    """Return the entries in batches. Raises AnsibleFilterError for wrong arguments."""
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise AnsibleFilterError(
            f"{NAME}: size is {quoted(size)}; write a whole number of at least 1."
        )
    return batches(dictionaries(NAME, "its input", entries), size)


class FilterModule:
    """The filters of this file, as Ansible wants them."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"identity_batches": identity_batches}
