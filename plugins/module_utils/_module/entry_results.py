# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Identities with their auth methods, as users get them."""

from __future__ import annotations

import typing as t

from .._errors import Problem
from .._state.auth_method import AuthMethod
from .._state.entry import EntryReconciler
from .._state.identities import Identity
from .._state.identity import IDENTITY, details_of, values_of
from .._state.reconcile import State
from .._state.warnings import Warnings
from .._text import visible
from .results import (
    ABSENT,
    Result,
    compared,
    difference,
    failure,
    final_state,
    settings_of,
    warn_of_change,
)


def entry_of(
    identity: Identity,
    methods: t.Mapping[str, tuple[AuthMethod, State | None]],
    warnings: Warnings | None = None,
) -> Result:
    """Return an identity as it is, with those of its auth methods that were read."""
    state = State(values_of(identity), details_of(identity))
    return {
        "id": identity.id,
        "name": identity.name,
        "project_id": identity.project_id,
        **settings_of(IDENTITY, state, identity.name, warnings),
        **_methods(methods, identity.name, warnings),
    }


def result_of(work: EntryReconciler, methods: t.Sequence[AuthMethod], warnings: Warnings) -> Result:
    """Return what a run leaves of an identity, or would leave; of a failed one the last known."""
    failed = work.failure is not None
    identity, reference = work.identity, work.reference
    result: Result = {
        # One that would be created has none yet.
        "id": (identity.id if identity else reference.id) or None,
        "name": identity.name if identity else reference.name,
        "project_id": identity.project_id if identity else reference.project_id,
    }
    own = work.identity_work
    subject = result["name"] or result["id"] or ""
    if own and (own.before or own.result or not failed):
        result.update(_of_identity(work, subject, warnings, failed=failed))
    elif identity:
        known = State(values_of(identity), details_of(identity))
        result.update(settings_of(IDENTITY, known, subject, warnings))
    elif work.method_work and not failed:
        # What has an auth method is there.
        result["state"] = "present"
    elif not failed:
        # It was looked for in order to revoke from it.
        result.update(ABSENT)
    states = {
        method.key: (method, final_state(work.method_work[method.key], failed=failed))
        for method in methods
        if method.key in work.method_work
        and _is_known(work.method_work[method.key], failed=work.failed_at == method.key)
    }
    details = result.get("details")
    if details and details.get("auth_methods") is not None:
        # What was read before the work on the methods, and what came of that.
        worked_on = {method.name: done for method, done in states.values()}
        others = [name for name in details["auth_methods"] if name not in worked_on]
        attached = [name for name, done in worked_on.items() if done]
        details["auth_methods"] = sorted([*others, *attached])
    return {**result, **_methods(states, subject, warnings)}


def outcome_of(
    work: EntryReconciler, methods: t.Sequence[AuthMethod], warnings: Warnings
) -> Result:
    """Return what came of one identity of many."""
    result = {
        **result_of(work, methods, warnings),
        "index": work.reference.place,
        "changed": work.changed,
        "created": work.created,
        "deleted": work.deleted,
        "revoked": work.revoked,
        "failed": bool(work.failure),
        "purged": work.purged,
    }
    if work.failure:
        result.update(failure(work.failure))
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
        names = {key: entry[key] for key in ("id", "name") if isinstance(entry.get(key), str)}
        outcome = {
            "index": index,
            "changed": False,
            "created": False,
            "deleted": False,
            "revoked": False,
            "failed": True,
            "purged": False,
        }
        results.append({**names, **outcome, "msg": " ".join(sentences[index])})
    return results


def difference_of(work: EntryReconciler, methods: t.Sequence[AuthMethod]) -> Result:
    """Return what a run has changed of an identity, for Ansible to show."""
    identity, failed = work.identity, work.failure is not None
    name = identity.name if identity else work.reference.name
    identity_id = identity.id if identity and identity.id else work.reference.id
    header = " ".join(filter(None, ("Identity", visible(name or ""), identity_id)))
    before: Result = {}
    after: Result = {}
    own = work.identity_work
    # Where its auth methods alone change, they are what is shown: it may not have been looked at.
    if own and (own.changed or not work.method_work):
        before = compared(IDENTITY, own.before.values if own.before else None)
        state = final_state(own, failed=failed)
        after = compared(IDENTITY, state.values if state else None)
        if work.deleted and work.resource and work.resource.projects:
            before["projects"] = sorted(map(visible, work.resource.projects))
            after["projects"] = []
    for method in methods:
        done = work.method_work.get(method.key)
        if not done:
            continue
        state = final_state(done, failed=failed)
        if before.get("state") != "absent":
            before[method.key] = compared(method, done.before.values if done.before else None)
        after[method.key] = compared(method, state.values if state else None)
    return difference(header, before, after)


def warn_of_changes(work: EntryReconciler, warnings: Warnings) -> None:
    """Note what to warn of where a run leaves an identity as it does."""
    for done in work.works:
        if done.changed:
            label = work.reference.label or work.reference.name or work.reference.id or ""
            warn_of_change(done, label, warnings, failed=work.failure is not None)


def _of_identity(
    work: EntryReconciler, subject: str, warnings: Warnings, *, failed: bool
) -> Result:
    """Return what was found out of the identity itself."""
    own = work.identity_work
    state = final_state(own, failed=failed) if own else None
    result = settings_of(IDENTITY, state, subject, warnings)
    if state is None and work.deleted and own and own.before:
        result = {**settings_of(IDENTITY, own.before), "state": "absent"}
        if work.resource and work.resource.projects:
            result["details"]["projects"] = list(work.resource.projects)
    return result


def _methods(
    methods: t.Mapping[str, tuple[AuthMethod, State | None]],
    name: str,
    warnings: Warnings | None,
) -> Result:
    return {
        key: settings_of(method, state, f"{name}: {key}", warnings)
        for key, (method, state) in methods.items()
    }


def _is_known(work: t.Any, *, failed: bool) -> bool:
    """Return whether a state is known: not where its first read failed."""
    return not failed or bool(work.actual or work.changed)
