# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter that finds risky or broken settings; documented in identity_findings.yml."""

from __future__ import annotations

import datetime
import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.community.infisical.plugins.plugin_utils._arguments import (
    listed,
    require_netaddr,
)
from ansible_collections.community.infisical.plugins.plugin_utils._findings.findings import (
    find,
    read_criteria,
)

NAME = "community.infisical.identity_findings"


def identity_findings(identities: t.Any, **criteria: t.Any) -> list[dict[str, t.Any]]:
    """Return the findings of identities.

    Raises AnsibleFilterError, with one sentence, for anything that the modules cannot have
    returned, and for wrong arguments.
    """
    require_netaddr(NAME)
    try:
        given = listed("its input", identities, "the identities that the modules return")
        # The server's timestamps are in UTC too.
        today = datetime.datetime.now(tz=datetime.timezone.utc).date()
        return find(given, read_criteria(criteria), today).findings
    except ValueError as why:
        raise AnsibleFilterError(f"{NAME}: {why}") from None


class FilterModule:
    """The filters of this file, as Ansible wants them."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"identity_findings": identity_findings}
