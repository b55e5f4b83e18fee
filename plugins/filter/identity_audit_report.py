# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter that puts an audit together; documented in identity_audit_report.yml."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.community.infisical.plugins.filter.identity_findings import (
    identity_findings,
)
from ansible_collections.community.infisical.plugins.module_utils._text import quoted
from ansible_collections.community.infisical.plugins.plugin_utils._report.report import report

NAME = "community.infisical.identity_audit_report"


def identity_audit_report(
    desired: t.Any,
    checks: t.Any,
    places: t.Any = None,
    about: t.Any = None,
    baseline: t.Any = None,
    **options: t.Any,
) -> dict[str, t.Any]:
    """Return the report of an audit."""

    def finder(identities: t.Any) -> t.Any:
        found = identity_findings(list(identities), **options)
        return [
            {
                "title": f["rule"].replace("_", " ").capitalize(),
                "sentence": f"{f['name']}: {f['why']}",
                "link": "https://infisical.com/docs/documentation/platform/identities/azure-auth",
                "set": {"azure_auth": {"access_token_max_ttl": 86400}} if "lifetime" in f["rule"] else None,
                "waived": None,
                **f,
            }
            for f in found
        ], []

    places = [range(len(desired))] if places is None else places
    return report(desired, list(zip(checks, places)), about or {}, finder, baseline)


class FilterModule:
    """The filters of this file, as Ansible wants them."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"identity_audit_report": identity_audit_report}
