# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""States, differences and failures, as users get them."""

from __future__ import annotations

import typing as t

from .._errors import InfisicalError
from .._state.fields import Settings, Values
from .._state.reconcile import Reconciler, State
from .._state.warnings import Warnings
from .._text import printable, visible

Result = dict[str, t.Any]

# What is stored by other means than this collection, or by an older server.
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
    """Return a state as options take it, which can be fed back into the modules.

    What no option takes is among the details, and warned of as a setting of `subject`.
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
    """Return values as a diff shows them: lists sorted, since their order means nothing.

    It is for a terminal, which must not obey what the server holds.
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
    """Return the state that a run leaves, or would leave; of a failed one the last known."""
    return work.actual if failed else work.result


def warn_of_change(work: Reconciler, subject: str, warnings: Warnings, *, failed: bool) -> None:
    """Note what to warn of where a run leaves an object, called `subject`, as it does."""
    if work.before and work.resource.own_unknown:
        warnings.add(OWN_UNKNOWN, printable(subject, 80))
    before = work.before.values if work.before else None
    state = final_state(work, failed=failed)
    after = state.values if state else None
    work.resource.settings.warn_of_change(printable(subject, 80), before, after, warnings)


def failure(problem: InfisicalError) -> Result:
    """Return a failure: its sentence, and what the server answered."""
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
