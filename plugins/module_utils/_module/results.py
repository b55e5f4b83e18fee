# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of the work: states, differences and failures, as users get them."""

from __future__ import annotations

import typing as t

from .._errors import InfisicalError, Problem
from .._server.api import Attached
from .._state.fields import AuthMethod
from .._state.reconcile import Reconciliation
from .._state.warnings import Notes
from .._text import printable, visible

if t.TYPE_CHECKING:
    from .._state.fleet import Visit

Result = dict[str, t.Any]


def settled(
    method: AuthMethod,
    work: Reconciliation,
    attached: Attached | None,
    identity_name: str | None = None,
) -> Result:
    """Return a state of an identity, which can be fed back into the modules.

    `identity_name` is what it is called, where its name was not read.
    """
    return {
        **named(work, identity_name),
        **_settings(method, attached),
        "metadata": dict(attached.metadata) if attached else None,
    }


def named(work: Reconciliation, identity_name: str | None = None) -> Result:
    """Return an identity of which nothing else is known."""
    result: Result = {"identity_id": work.identity_id}
    name = work.identity_name or identity_name
    if name is not None:
        result["identity_name"] = name
    return result


def difference(
    method: AuthMethod,
    work: Reconciliation,
    attached: Attached | None,
    identity_name: str | None = None,
) -> Result:
    """Return how a state of an identity differs from the one before, for Ansible to show."""
    name = work.identity_name or identity_name
    called = None if name is None else visible(name)
    header = " ".join(filter(None, (method.title, "of", called, work.identity_id)))
    return {
        "before_header": header,
        "before": _compared(method, work.before),
        "after_header": header,
        "after": _compared(method, attached),
    }


def note_change(
    method: AuthMethod,
    work: Reconciliation,
    attached: Attached | None,
    subject: str,
    notes: Notes,
) -> None:
    """Note what to warn of where a run leaves an identity, called `subject`, in this state."""
    before = work.before.values if work.before else None
    after = attached.values if attached else None
    method.note_change(printable(subject), before, after, notes)


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


def visited(method: AuthMethod, visit: Visit) -> Result:
    """Return what came of one identity of many: its state, as far as it is known, and how."""
    work = visit.work
    if visit.failure and not work.actual and not work.changed:
        result = named(work, visit.identity_name)
    else:
        result = settled(method, work, visit.state, visit.identity_name)
    result.update(
        index=visit.found.reference.place,
        changed=work.changed,
        failed=bool(visit.failure),
        purged=visit.purged,
    )
    if visit.failure:
        result.update(failure(visit.failure))
    return result


def refused(entries: t.Sequence[t.Any], problems: t.Iterable[Problem]) -> list[Result]:
    """Return the entries of a list that was refused as a whole which were the reason."""
    sentences: dict[int, list[str]] = {}
    for problem in problems:
        if problem.place is not None:
            sentences.setdefault(problem.place, []).append(problem.sentence)
    results = []
    for index in sorted(sentences):
        entry = entries[index] if isinstance(entries[index], dict) else {}
        names = {
            key: entry[key]
            for key in ("identity_id", "identity_name")
            if isinstance(entry.get(key), str)
        }
        outcome = {"index": index, "changed": False, "failed": True, "purged": False}
        results.append({**names, **outcome, "msg": " ".join(sentences[index])})
    return results


def _compared(method: AuthMethod, attached: Attached | None) -> Result:
    """Return a state as a diff shows it: lists sorted, since their order means nothing.

    It is for a terminal, which must not obey what the server holds.
    """
    return {key: _shown(value) for key, value in _settings(method, attached).items()}


def _shown(value: t.Any) -> t.Any:
    if isinstance(value, list):
        return sorted(map(visible, value))
    return visible(value) if isinstance(value, str) else value


def _settings(method: AuthMethod, attached: Attached | None) -> Result:
    if attached is None:
        return {"state": "absent"}
    return {"state": "present", **method.to_result(attached.values)}
