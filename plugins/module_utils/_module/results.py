# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""States, differences and failures in the form that results have."""

from __future__ import annotations

import typing as t

from .._errors import InfisicalError
from .._state.fields import Settings, Values
from .._state.reconcile import Reconciler, State
from .._state.warnings import Warnings
from .._text import printable, visible

Result = dict[str, t.Any]

# For values that another tool or an older server has stored.
STORED = (
    "{count} of the settings have values that the options do not accept; they are returned under"
    " details.stored, and left alone unless their options are set: {items}"
)

OWN_UNKNOWN = (
    "The token does not say which identity it belongs to, so the task cannot know whether it is"
    " logged in as one of the identities that it changes ({count}): {items}"
)

ABSENT: Result = {"state": "absent", "details": None}


def settings_of(
    settings: Settings, state: State | None, subject: str = "", warnings: Warnings | None = None
) -> Result:
    """Return a state in the form of options, which can be given back to the modules.

    Values that no option accepts are in the details, with a warning about `subject`.
    """
    if state is None:
        return dict(ABSENT)
    shown, stored = settings.to_result(state.values)
    details = dict(state.details)
    if stored:
        details["stored"] = stored
        for option in stored if warnings else ():
            t.cast(Warnings, warnings).add(STORED, f"{printable(subject, 80)}: {option}")
    return {"state": "present", **shown, "details": details}


def compared(settings: Settings, values: Values | None) -> Result:
    """Return values as a diff shows them, with sorted lists, because order has no meaning.

    Control characters are escaped, so that values cannot control the user's terminal.
    """
    if values is None:
        return {"state": "absent"}
    shown = {key: _visible(value) for key, value in settings.to_diff(values).items()}
    return {"state": "present", **shown}


def difference(header: str, before: Result, after: Result) -> Result:
    """Return a difference, for Ansible to show."""
    return {
        "before_header": header,
        "before": before,
        "after_header": header,
        "after": after,
    }


def final_state(work: Reconciler, *, failed: bool) -> State | None:
    """Return the state after a run, or after a real run; the last known state on failure."""
    return work.actual if failed else work.result


def warn_of_change(work: Reconciler, subject: str, warnings: Warnings, *, failed: bool) -> None:
    """Collect warnings about the state in which a run leaves an object, called `subject`."""
    if work.before and work.resource.own_unknown:
        warnings.add(OWN_UNKNOWN, printable(subject, 80))
    before = work.before.values if work.before else None
    state = final_state(work, failed=failed)
    after = state.values if state else None
    work.resource.settings.warn_of_change(printable(subject, 80), before, after, warnings)


def failure(problem: InfisicalError) -> Result:
    """Return a failure: its sentence, and the details of the server's response."""
    answered = {
        "http_status": problem.http_status,
        "error": problem.error,
        "request_id": problem.request_id,
    }
    return {
        "msg": str(problem),
        **{key: value for key, value in answered.items() if value is not None},
    }


def _visible(value: t.Any) -> t.Any:
    if isinstance(value, list):
        return sorted((_visible(item) for item in value), key=str)
    if isinstance(value, dict):
        return {_visible(key): _visible(item) for key, item in sorted(value.items())}
    return visible(value) if isinstance(value, str) else value
