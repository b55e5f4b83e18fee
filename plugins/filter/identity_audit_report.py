# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter that makes the report of an audit; documented in identity_audit_report.yml."""

from __future__ import annotations

import datetime
import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.community.infisical.plugins.module_utils._text import quoted
from ansible_collections.community.infisical.plugins.plugin_utils._arguments import (
    listed,
    require_netaddr,
)
from ansible_collections.community.infisical.plugins.plugin_utils._findings.findings import (
    find,
    read_criteria,
)
from ansible_collections.community.infisical.plugins.plugin_utils._report.baseline import (
    read_report,
)
from ansible_collections.community.infisical.plugins.plugin_utils._report.report import (
    ABOUT,
    report,
)

NAME = "community.infisical.identity_audit_report"


def identity_audit_report(
    desired: t.Any,
    checks: t.Any,
    places: t.Any = None,
    about: t.Any = None,
    baseline: t.Any = None,
    **criteria: t.Any,
) -> dict[str, t.Any]:
    """Return the report of an audit. `criteria` are the options of identity_findings.

    Raises AnsibleFilterError, with one sentence, for arguments other than the documented ones.
    """
    require_netaddr(NAME)
    try:
        limits = read_criteria(criteria)
        today = datetime.datetime.now(tz=datetime.timezone.utc).date()
        entries = listed("its input", desired, "entries")
        results = _results(checks)
        return report(
            entries,
            list(zip(results, _places(places, len(results), len(entries)))),
            _about(about),
            lambda identities: find(identities, limits, today),
            None if baseline is None else read_report("baseline", baseline),
        )
    except ValueError as why:
        raise AnsibleFilterError(f"{NAME}: {why}") from None
    except (AttributeError, IndexError, KeyError, TypeError) as why:
        raise AnsibleFilterError(
            f"{NAME}: checks or baseline contains something that neither infisical_identities nor"
            f" an earlier audit returns ({type(why).__name__}: {why})."
        ) from None


def _results(checks: t.Any) -> list[t.Any]:
    """Return results of infisical_identities. Raises ValueError."""
    results = listed("checks", checks, "results of infisical_identities")
    for index, result in enumerate(results):
        if not isinstance(result, dict):
            raise ValueError(
                f"checks[{index}] is {quoted(result)}, which is not a dictionary; give the result"
                " of infisical_identities."
            )
        if result.get("checked") and "not_visible" not in result:
            raise ValueError(
                f"checks[{index}] does not contain every identity; run infisical_identities with"
                " return_all=true."
            )
    return results


def _places(places: t.Any, checks: int, entries: int) -> list[t.Sequence[int]]:
    """Return, for each task, the places in the list of its entries. Raises ValueError."""
    if places is None:
        if checks > 1:
            raise ValueError(
                f"checks has {checks} results, but places is missing; for each result, give the"
                " places in the list of the entries of its task."
            )
        return [range(entries)] * checks
    given: list[t.Sequence[int]] = [
        listed(f"places[{index}]", item, "places in the list, from 0")
        for index, item in enumerate(listed("places", places, "lists of places in the list"))
    ]
    if len(given) != checks:
        raise ValueError(
            f"places has {len(given)} items, and checks has {checks}; give the same number of both."
        )
    for index, item in enumerate(given):
        for place in item:
            if not isinstance(place, int) or not 0 <= place < entries:
                raise ValueError(
                    f"places[{index}] has {quoted(place)}; write places in a list of {entries}"
                    " entries, counted from 0."
                )
    return given


def _about(about: t.Any) -> dict[str, t.Any]:
    """Return what the report says about how it was made. Raises ValueError."""
    given = {} if about is None else about
    if not isinstance(given, dict):
        raise ValueError(f"about is {quoted(about)}, which is not a dictionary; write one.")
    for key in given:
        if key not in ABOUT:
            raise ValueError(f"about has the key {quoted(key)}; the keys are {', '.join(ABOUT)}.")
    return given


class FilterModule:
    """The filters of this file, as Ansible wants them."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"identity_audit_report": identity_audit_report}
