# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Identities with their auth methods in the form that results have."""

from __future__ import annotations

import typing as t

from .._errors import InfisicalError, OptionError, Problem
from .._state.auth_method import AuthMethod
from .._state.entry import EntryReconciler
from .._state.identities import Identity
from .._state.identity import IDENTITY, details_of, values_of
from .._state.reading import Reading
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
    methods: t.Sequence[AuthMethod],
    states: t.Mapping[str, State | None],
    warnings: Warnings | None = None,
) -> Result:
    """Return an identity, with those of its auth methods that were read."""
    return {
        "id": identity.id,
        "name": identity.name,
        "project_id": identity.project_id,
        **settings_of(IDENTITY, _state_of(identity), identity.name, warnings),
        **_methods(methods, states, identity.name, warnings),
    }


def result_of(work: EntryReconciler, methods: t.Sequence[AuthMethod], warnings: Warnings) -> Result:
    """Return an identity after a run, or after a real run; the last known state on failure."""
    failed = work.failure is not None
    identity, reference = work.identity, work.reference
    result: Result = {
        # An identity that would be created has no ID yet.
        "id": (identity.id if identity else reference.id) or None,
        "name": identity.name if identity else reference.name,
        "project_id": identity.project_id if identity else reference.project_id,
    }
    own = work.identity_work
    subject = result["name"] or result["id"] or ""
    if own and (own.before or own.result or not failed):
        result.update(_of_identity(work, subject, warnings, failed=failed))
    elif any(done.gone for done in work.method_work.values()):
        result.update(ABSENT)
    elif identity:
        result.update(settings_of(IDENTITY, _state_of(identity), subject, warnings))
    elif work.method_work and not failed:
        # An identity with an auth method exists.
        result["state"] = "present"
    elif not failed:
        # The entry only revokes, and no identity was found.
        result.update(ABSENT)
    states = {} if work.deleted else dict(work.states)
    for key, done in work.method_work.items():
        if _is_known(done, failed=work.failed_at == key):
            states[key] = final_state(done, failed=failed)
    details = result.get("details")
    if details and details.get("auth_methods") is not None:
        # These were read before the work on the methods, so add its outcome.
        worked_on = {method.name: states[method.key] for method in methods if method.key in states}
        others = [name for name in details["auth_methods"] if name not in worked_on]
        attached = [name for name, state in worked_on.items() if state]
        details["auth_methods"] = sorted([*others, *attached])
    return {**result, **_methods(methods, states, subject, warnings)}


def before_of(work: EntryReconciler, methods: t.Sequence[AuthMethod]) -> Result:
    """Return an identity before a run that changed it, or would change it."""
    own, identity = work.identity_work, work.known or work.identity
    if identity is None or (own and own.before is None):
        return {"state": ABSENT["state"]}
    state = own.before if own and own.before else _state_of(identity)
    states = dict(work.states)
    for key, done in work.method_work.items():
        if _is_known(done, failed=work.failed_at == key):
            states[key] = done.before
    return {
        "id": identity.id,
        "name": state.values["name"],
        "project_id": identity.project_id,
        **settings_of(IDENTITY, state),
        **_methods(methods, states),
    }


def outcome_of(
    work: EntryReconciler,
    methods: t.Sequence[AuthMethod],
    warnings: Warnings,
    *,
    before: bool = False,
) -> Result:
    """Return the outcome for one identity of many; with its state `before`, if asked."""
    result = {
        **result_of(work, methods, warnings),
        **_outcome(
            index=work.reference.place,
            changed=work.changed,
            created=work.created,
            deleted=work.deleted,
            revoked=work.revoked,
            purged=work.purged,
            problem=work.failure,
        ),
    }
    if before and work.changed:
        result["before"] = before_of(work, methods)
    return result


def outcome_of_reading(
    reading: Reading, methods: t.Sequence[AuthMethod], warnings: Warnings
) -> Result:
    """Return an identity that was only read, in the form of the others."""
    identity = t.cast(Identity, reading.identity)
    known = entry_of(identity, methods, reading.states, warnings)
    return {**known, **_outcome(problem=reading.failure)}


def refused(entries: t.Sequence[t.Any], problems: t.Iterable[Problem]) -> list[Result]:
    """Return the entries with errors, for a list that was refused as a whole."""
    sentences: dict[int, list[str]] = {}
    for problem in problems:
        if problem.place is not None:
            sentences.setdefault(problem.place, []).append(problem.sentence)
    results = []
    for index in sorted(sentences):
        entry = entries[index] if isinstance(entries[index], dict) else {}
        names = {key: entry[key] for key in ("id", "name") if isinstance(entry.get(key), str)}
        why = OptionError(" ".join(sentences[index]))
        results.append({**names, **_outcome(index=index, problem=why)})
    return results


def difference_of(work: EntryReconciler, methods: t.Sequence[AuthMethod]) -> Result:
    """Return what a run changed in an identity, for Ansible to show."""
    identity, failed = work.identity, work.failure is not None
    name = identity.name if identity else work.reference.name
    identity_id = identity.id if identity and identity.id else work.reference.id
    header = " ".join(filter(None, ("Identity", visible(name or ""), identity_id)))
    before: Result = {}
    after: Result = {}
    own = work.identity_work
    # If only auth methods change, show only these: the identity may not have been read.
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
    """Collect warnings about the state in which a run leaves an identity."""
    for done in work.works:
        if done.changed:
            label = work.reference.label or work.reference.name or work.reference.id or ""
            warn_of_change(done, label, warnings, failed=work.failure is not None)


def _outcome(
    *,
    index: int | None = None,
    changed: bool = False,
    created: bool = False,
    deleted: bool = False,
    revoked: bool = False,
    purged: bool = False,
    problem: InfisicalError | None = None,
) -> Result:
    """Return the keys that every result of many identities has."""
    return {
        "index": index,
        "changed": changed,
        "created": created,
        "deleted": deleted,
        "revoked": revoked,
        "failed": problem is not None,
        "purged": purged,
        **(failure(problem) if problem else {}),
    }


def _state_of(identity: Identity) -> State:
    return State(values_of(identity), details_of(identity))


def _of_identity(
    work: EntryReconciler, subject: str, warnings: Warnings, *, failed: bool
) -> Result:
    """Return what is known about the identity itself."""
    own = work.identity_work
    state = final_state(own, failed=failed) if own else None
    result = settings_of(IDENTITY, state, subject, warnings)
    if state is None and work.deleted and own and own.before:
        result = {**settings_of(IDENTITY, own.before), "state": "absent"}
        if work.resource and work.resource.projects:
            result["details"]["projects"] = list(work.resource.projects)
    return result


def _methods(
    methods: t.Sequence[AuthMethod],
    states: t.Mapping[str, State | None],
    name: str = "",
    warnings: Warnings | None = None,
) -> Result:
    return {
        method.key: settings_of(method, states[method.key], f"{name}: {method.key}", warnings)
        for method in methods
        if method.key in states
    }


def _is_known(work: t.Any, *, failed: bool) -> bool:
    """Return whether a state is known. It is not, if the first read failed."""
    return not failed or bool(work.actual or work.changed)
