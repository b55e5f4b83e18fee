# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter that puts an audit together; documented in identity_audit_report.yml."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.community.infisical.plugins.module_utils._text import quoted
from ansible_collections.community.infisical.plugins.plugin_utils._audit import report

NAME = "community.infisical.identity_audit_report"


def identity_audit_report(
    desired: t.Any,
    checks: t.Any,
    info: t.Any,
    findings: t.Any,
    url: t.Any = None,
    created_at: t.Any = None,
    places: t.Any = None,
) -> dict[str, t.Any]:
    """Return the report of an audit.

    Raises AnsibleFilterError, with one sentence, for what is not of the types that are documented.
    """
    lists = {"its input": desired, "checks": checks, "findings": findings}
    if places is not None:
        lists["places"] = places
    for what, value in lists.items():
        if not isinstance(value, (list, tuple)):
            raise AnsibleFilterError(f"{NAME}: {what} is {quoted(value)}, which is not a list.")
    if not isinstance(info, dict):
        raise AnsibleFilterError(f"{NAME}: info is {quoted(info)}, which is not a dictionary.")
    if places is None:
        # One task was given the list as it is; of several, nobody knows what each had.
        places = [range(len(desired))] if len(checks) == 1 else [()] * len(checks)
    if len(places) != len(checks):
        raise AnsibleFilterError(
            f"{NAME}: places has {len(places)} items, and checks {len(checks)}; give as many."
        )
    about = {"url": url, "created_at": created_at}
    try:
        return report(desired, list(zip(checks, places)), info, findings, about)
    except (AttributeError, IndexError, KeyError, TypeError) as why:
        raise AnsibleFilterError(
            f"{NAME}: it was given something that the modules and the filter identity_findings do"
            f" not return ({type(why).__name__}: {why})."
        ) from None


class FilterModule:
    """The filters of this file, as Ansible wants them."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"identity_audit_report": identity_audit_report}
