# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules do that manage, or read, many identities' auth method."""

from __future__ import annotations

import contextlib
import typing as t

from .._errors import (
    ApiError,
    InfisicalError,
    InterruptError,
    ManyProblemsError,
    OptionError,
)
from .._server.api import Api, Identity, left_out
from .._server.login import Login
from .._state.fields import AuthMethod
from .._state.fleet import Fleet, Visit
from .._state.reconcile import Reconciliation
from .._state.warnings import Notes
from .._text import printable
from . import results as report
from .entries import (
    Entry,
    Found,
    Reference,
    missing,
    read_entries,
    read_references,
    repeated,
    resolve,
)
from .module import Module, logged_in
from .options import CONCURRENCY_SPEC, LOOKUP_SPEC, VALIDATE_SPEC, Spec, concurrency_of
from .results import Result


def manage_many(method: AuthMethod, spec: Spec) -> None:
    """Run a module that manages many identities' auth method; `spec` is that of its options."""
    option = f"{method.key}s"
    listed: Spec = {
        option: {"type": "list", "elements": "raw", "required": True},
        "purge_except": {"type": "list", "elements": "raw"},
    }
    module = Module({**listed, **VALIDATE_SPEC, **CONCURRENCY_SPEC}, listed)
    result: Result = {
        **_counts(Fleet(0)),
        "changed": False,
        "results": [],
    }
    fleet: Fleet | None = None
    try:
        notes = Notes()
        concurrency = concurrency_of(module.params)
        entries = read_entries(option, module.params[option], method, spec, notes)
        kept = _kept(module.params["purge_except"])
        with logged_in(module, notes, concurrency) as (api, login):
            found, surplus, not_visible = _meant(method, api, entries, kept)
            if kept is not None:
                result["not_visible"] = not_visible
            if module.params["validate_only"]:
                found, surplus = [], []
            surplus = _spare_own_login(module, method, login, surplus)

            def work_on(item: Found, identity: Identity | None, purging: bool) -> Visit:
                work = Reconciliation(
                    api, login, method, item.identity_id, identity, check=module.check_mode
                )
                return Visit(item, work, purging)

            def changed(visit: Visit) -> bool:
                return visit.work.changed

            elsewhere: list[Visit] = []
            wanted = {item.reference: entry.wanted for item, entry in zip(found, entries)}
            fleet = Fleet(concurrency)
            with _stopping(fleet, api):
                fleet.visit(
                    [work_on(item, item.identity, purging=False) for item in found],
                    lambda visit: visit.work.run(wanted[visit.found.reference]),
                    changed,
                )
                if fleet.complete:
                    # What was listed at the start is looked at again right before it is revoked.
                    fleet.visit(
                        [work_on(item, None, purging=True) for item in surplus],
                        lambda visit: _if_here(api, visit, lambda: visit.work.run(None), elsewhere),
                        changed,
                    )
                    if elsewhere:
                        not_visible.append(left_out(len(elsewhere)))
                elif surplus:
                    fleet.remark = "Nothing was purged."
        problem = fleet.message()
    except InfisicalError as failure:
        result.update(report.failure(failure))
        problem = _together(failure, fleet)
        if isinstance(failure, ManyProblemsError):
            refused = report.refused(module.params[option], failure.problems)
            result.update(results=refused, failed_count=len(refused))
    if fleet:
        result.update(
            changed=any(visit.work.changed for visit in fleet.visits),
            **_counts(fleet),
            results=[report.visited(method, visit) for visit in fleet.visits],
        )
        after = Notes()
        for visit in fleet.visits:
            if visit.work.changed:
                subject = visit.found.reference.label
                report.note_change(method, visit.work, visit.state, subject, after)
        module.warn_of(after)
        if module._diff:
            result["diff"] = [
                report.difference(method, visit.work, visit.state, visit.identity_name)
                for visit in fleet.visits
                if visit.work.changed
            ]
    module.end(result, problem)


def look_up(method: AuthMethod) -> None:
    """Run a module that reads identities' auth method."""
    key = f"{method.key}s"
    module = Module(LOOKUP_SPEC, ("identity_ids", "identity_names"))
    result: Result = {"changed": False}
    fleet: Fleet | None = None
    try:
        concurrency = concurrency_of(module.params)
        ids, names = module.params["identity_ids"], module.params["identity_names"]
        references = read_references("identity_ids", ids or [], names=False)
        references += read_references("identity_names", names or [], ids=False)
        with logged_in(module, Notes(), concurrency) as (api, login):
            everything = ids is None and names is None
            elsewhere: list[Visit] = []
            if everything:
                everyone = api.everyone()
                found = _those_with(method, everyone.identities)
                result["not_visible"] = everyone.not_visible
            else:
                named, problems = resolve(references, api)
                if problems:
                    raise ManyProblemsError(problems)
                found = list({item.identity_id: item for item in named}.values())
            fleet = Fleet(concurrency)
            with _stopping(fleet, api):
                fleet.visit(
                    [
                        Visit(
                            item,
                            Reconciliation(
                                api, login, method, item.identity_id, item.identity, check=True
                            ),
                        )
                        for item in found
                    ],
                    lambda visit: (
                        _if_here(api, visit, visit.work.look, elsewhere)
                        if everything
                        else visit.work.look()
                    ),
                    lambda visit: bool(visit.work.actual) or not everything,
                )
            if elsewhere:
                result["not_visible"].append(left_out(len(elsewhere)))
        problem = fleet.message()
    except InfisicalError as failure:
        result.update(report.failure(failure))
        problem = _together(failure, fleet)
    if fleet:
        result[key] = [
            report.settled(method, visit.work, visit.work.actual)
            for visit in fleet.visits
            if not visit.failure
        ]
        if problem:
            result["failed_count"] = fleet.failed
            result["failures"] = [
                {**report.named(visit.work, visit.identity_name), **report.failure(visit.failure)}
                for visit in fleet.visits
                if visit.failure
            ]
    module.end(result, problem)


def _counts(fleet: Fleet) -> Result:
    return {
        "checked": fleet.checked,
        "changed_count": fleet.changed,
        "failed_count": fleet.failed,
        "purged_count": fleet.purged,
    }


def _kept(raw: list[t.Any] | None) -> list[Reference] | None:
    """Read who may keep what is not listed, or None if everybody may. Raises OptionError."""
    if raw is None:
        return None
    if not raw:
        raise OptionError(
            "purge_except is an empty list, which would revoke from every identity of the"
            " organization; list the identities that may keep what they have, or leave it out."
        )
    return read_references("purge_except", raw)


def _those_with(method: AuthMethod, everyone: t.Iterable[Identity]) -> list[Found]:
    return [
        Found(
            Reference(
                f"{printable(identity.name, 80)} ({identity.id})", "", identity.id, identity.name
            ),
            identity.id,
            identity,
        )
        for identity in sorted(everyone, key=lambda identity: (identity.name, identity.id))
        if method.name in identity.methods
    ]


def _meant(
    method: AuthMethod, api: Api, entries: t.Sequence[Entry], kept: list[Reference] | None
) -> tuple[list[Found], list[Found], list[str]]:
    """Return the identities of the entries, those that purging would revoke from, and sentences.

    The sentences are on what purging cannot reach. Raises what Client.request() raises, and
    ManyProblemsError.
    """
    references = [entry.reference for entry in entries]
    surplus: list[Found] = []
    not_visible: list[str] = []
    if kept is None:
        found, problems = resolve(references, api)
        problems += repeated(found)
    else:
        everyone, not_visible = api.everyone("list the identities to purge")
        found, problems = resolve(references, api, everyone)
        keep, unknown = resolve(kept, api, everyone)
        problems += repeated(found) + (unknown or missing(found, keep, everyone))
        spared = {item.identity_id for item in keep}
        surplus = [item for item in _those_with(method, everyone) if item.identity_id not in spared]
    if problems:
        raise ManyProblemsError(problems)
    return found, surplus, not_visible


def _spare_own_login(
    module: Module, method: AuthMethod, login: Login, surplus: list[Found]
) -> list[Found]:
    """Return the identities to purge without the one that the task is logged in as."""
    for item in surplus:
        if item.identity_id == login.identity_id:
            module.warn(
                f"purge_except does not list {item.reference.label}, which this task is logged in"
                f" as; its {method.title} is left alone."
            )
            return [other for other in surplus if other is not item]
    return surplus


def _together(failure: InfisicalError, fleet: Fleet | None) -> str:
    """Return what ended a task early, and what came of its identities until then."""
    return f"{failure} {fleet.message()}".strip() if fleet else str(failure)


def _if_here(api: Api, visit: Visit, do: t.Callable[[], None], elsewhere: list[Visit]) -> None:
    """Do the work on an identity of the list of all, which may be none of the organisation's.

    It may have been deleted since it was listed. One that turns out to belong to another
    organisation, which not every list tells, is left alone and put among those `elsewhere`.
    """
    try:
        do()
    except ApiError as failure:
        if failure.error == "ForbiddenError" and api.elsewhere(visit.work.identity_id):
            elsewhere.append(visit)
        elif failure.http_status != 404 or failure.unknown_route:
            raise
        visit.work.end_without_identity()


@contextlib.contextmanager
def _stopping(fleet: Fleet, api: Api) -> t.Iterator[None]:
    """Stop a fleet's work, when this is interrupted in a with block."""
    try:
        yield
    except InterruptError:
        api.stop()
        fleet.stop()
        raise
