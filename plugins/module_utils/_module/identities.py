# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module does to manage many identities, each with its auth methods."""

from __future__ import annotations

import typing as t

from .._errors import ApiError, InfisicalError, ManyProblemsError, OptionError, Problem
from .._server.api import Api
from .._server.login import Login
from .._state.auth_method import AuthMethod
from .._state.creations import Creations
from .._state.directory import (
    Listing,
    left_out,
    list_everything,
    read_by_id,
    resolve,
    whole_organization,
    with_roles,
)
from .._state.entry import Desired, EntryReconciler
from .._state.fleet import Fleet, stopping
from .._state.identities import Identity, Reference, list_members, read_identity
from .._state.names import name_problems, names_afterwards
from .._state.plan import plan
from .._state.purge import surplus, to_keep
from .._state.reading import Reading, listed_readings, not_read
from .._state.warnings import Warnings
from .._text import quoted
from .entries import Entry, read_entries, read_references, repeated
from .entry_results import (
    difference_of,
    outcome_of,
    outcome_of_reading,
    refused,
    warn_of_changes,
)
from .module import Module, logged_in
from .options import CONCURRENCY_SPEC, LIST, Spec, concurrency_of
from .results import Result, failure

Works = Fleet[EntryReconciler]

_OPTION = "identities"
_PURGE = "list the identities to purge"


class _Targets(t.NamedTuple):
    """The identities that a task works on.

    `identities` has those of the entries (None if there is none yet, or no need to read it) and
    those of the `surplus`, which are to be purged. `listing` has all identities, if the task needs
    to know them.
    """

    identities: dict[Reference, Identity | None]
    surplus: list[Reference]
    listing: Listing | None


def manage_identities(methods: t.Sequence[AuthMethod], purged: AuthMethod) -> None:
    """Run the module that manages many identities; `purged` is the method that it can purge."""
    purge_option = f"purge_{purged.key}_except"
    listed: Spec = {_OPTION: {**LIST, "required": True}, purge_option: LIST}
    spec: Spec = {
        **listed,
        "create": {"type": "bool", "default": True},
        "max_changes": {"type": "int"},
        "return_all": {"type": "bool", "default": False},
        "validate_only": {"type": "bool", "default": False},
        **CONCURRENCY_SPEC,
    }
    module = Module(spec, listed)
    task = _Task(module, methods, purged, purge_option)
    problem = ""
    try:
        task.run()
        problem = task.message()
    except InfisicalError as error:
        task.result.update(failure(error))
        problem = f"{error} {task.message()}".strip()
        if isinstance(error, ManyProblemsError):
            wrong = refused(module.params[_OPTION], error.problems)
            task.result.update(results=wrong, failed_count=len(wrong))
    if task.fleet.total or task.others.total:
        task.report()
    result = task.result
    # Free the memory of the work before the result is built.
    del task
    module.end(result, problem)


class _Task:
    """One run of the module. `result` grows as it works, so that a failure loses nothing."""

    def __init__(
        self, module: Module, methods: t.Sequence[AuthMethod], purged: AuthMethod, option: str
    ) -> None:
        self._module = module
        self._methods = methods
        self._purged = purged
        self._purge_option = option
        self._concurrency = 1
        self._all: bool = module.params["return_all"]
        self._entries: list[Entry] = []
        self._targets = _Targets({}, [], None)
        self._warnings = Warnings()
        self.fleet: Works = Fleet(1)
        # With return_all: the identities without an entry.
        self.others: Fleet[Reading] = Fleet(1)
        self.result: Result = {
            "changed": False,
            "results": [],
            "refused": False,
            **_counts(self.fleet),
        }

    def run(self) -> None:
        """Read the options, and do the work. Raises InfisicalError."""
        module, warnings = self._module, Warnings()
        self._concurrency = concurrency_of(module.params)
        limit = _limit(module.params["max_changes"])
        self._entries = read_entries(_OPTION, module.params[_OPTION], self._methods, warnings)
        for entry in self._entries:
            for secret in entry.secrets:
                module.hide(secret)
        kept = self._kept()
        with logged_in(module, warnings, self._concurrency) as (api, login):
            self._targets = self._find(api, kept)
            if self._targets.listing:
                self.result["not_visible"] = [*self._targets.listing.not_visible]
            if module.params["validate_only"]:
                return
            self._spare_own_login(login)
            if limit is not None and not module.check_mode:
                rehearsal: Works = Fleet(self._concurrency)
                self._work(api, login, rehearsal, Warnings(), check=True, whole=False)
                self._refuse_too_many(rehearsal, limit)
            self.fleet = Fleet(self._concurrency)
            elsewhere = self._work(
                api, login, self.fleet, self._warnings, check=module.check_mode, whole=self._all
            )
            if elsewhere:
                self.result["not_visible"].append(left_out(len(elsewhere)))
            if limit is not None and module.check_mode:
                self._refuse_too_many(self.fleet, limit)
            if self._all:
                self._read_others(api, login, elsewhere)

    def message(self) -> str:
        """Return a message about what failed. It is empty if nothing did."""
        return self.fleet.message(self.others)

    def report(self) -> None:
        """Add the outcome of the work to the result."""
        works = self.fleet.kept
        changed = [work for work in works if work.changed]
        self.result.update(changed=bool(changed), **_counts(self.fleet), results=self._results())
        self.result["failed_count"] += self.others.failed
        self.result["untried_count"] += self.others.untried
        for work in changed:
            warn_of_changes(work, self._warnings)
        self._module.warn_of(self._warnings)
        if self._module._diff:
            self.result["diff"] = [difference_of(work, self._methods) for work in changed]

    def _results(self) -> list[Result]:
        """Return the outcome of each identity that results show, in their order."""
        methods, warnings = self._methods, self._warnings
        listed: list[Result] = []
        # Purged identities have no entry.
        others: list[tuple[str, str, Result]] = []
        for work in self.fleet.kept:
            result = outcome_of(work, methods, warnings, before=self._all)
            if work.reference.place is None and work.identity:
                others.append((work.identity.name, work.identity.id, result))
            else:
                listed.append(result)
        for reading in self.others.kept:
            if reading.identity and not reading.gone:
                result = outcome_of_reading(reading, methods, warnings)
                others.append((reading.identity.name, reading.identity.id, result))
        # A result may lack the name, if options would refuse it, so it is kept beside the result.
        return listed + [result for _name, _id, result in sorted(others, key=lambda item: item[:2])]

    def _kept(self) -> list[Reference] | None:
        """Read the identities that may keep the auth method; None means all. Raises OptionError."""
        raw = self._module.params[self._purge_option]
        if raw is None:
            return None
        if not raw:
            raise OptionError(
                f"{self._purge_option} is an empty list, which would revoke {self._purged.title}"
                " from every identity of the organization; list the identities that may keep it, or"
                " remove the option."
            )
        return read_references(self._purge_option, raw)

    def _find(self, api: Api, kept: list[Reference] | None) -> _Targets:
        """Find the identities that the options name. Raises ManyProblemsError for all mistakes."""
        desired = {entry.reference: entry.desired for entry in self._entries}
        listing = self._list(api, purge=kept is not None)
        detailed = [item for item, wanted in desired.items() if item.id and wanted.identity != {}]
        with_role = [item for item, wanted in desired.items() if "role" in (wanted.identity or {})]
        found, problems = resolve(
            api,
            [*desired],
            members=listing.members if listing else None,
            owned=listing.owned if listing and self._all else None,
            listed=read_by_id(api, detailed, roles=bool(with_role)) if listing is None else (),
            roles=bool(with_role),
            may_be_new=[item for item, wanted in desired.items() if self._may_be_new(wanted)],
        )
        problems += repeated(
            (item, identity.id if identity else item.id or (item.project_id, item.name))
            for item, identity in found.items()
        )
        problems += name_problems(api, found, desired)
        problems += self._unattachable(found, desired)
        to_purge: dict[Reference, Identity] = {}
        if kept is not None and listing:
            own = [identity for identity in listing.identities if identity.project_id is None]
            keep, wrong = to_keep(self._purge_option, kept, own, found, desired)
            problems += wrong
            # Identities with an entry are never purged.
            keep.update(identity.id for identity in found.values() if identity)
            to_purge = surplus(self._purged.name, own, keep)
        if problems:
            raise ManyProblemsError(problems)
        found = with_roles(api, found, with_role)
        return _Targets({**found, **to_purge}, list(to_purge), listing)

    def _list(self, api: Api, *, purge: bool) -> Listing | None:
        """Return all identities, or None if the task does not need them.

        Raises UnexpectedAnswerError if it is for a purge and the list is incomplete.
        """
        if not self._all:
            return whole_organization(api, _PURGE) if purge else None
        members = list_members(api, _PURGE if purge else "list the identities")
        if purge:
            whole_organization(api, _PURGE, members)
        return list_everything(api, members)

    def _may_be_new(self, desired: Desired) -> bool:
        """Return whether it is fine that no identity has the name of an entry."""
        gone = desired.identity is None or desired.only_revokes
        return gone or bool(self._module.params["create"])

    def _unattachable(
        self,
        found: t.Mapping[Reference, Identity | None],
        desired: t.Mapping[Reference, Desired],
    ) -> list[Problem]:
        """Return a problem for each new identity whose auth methods could not be attached."""
        problems = []
        for item, identity in found.items():
            wanted = desired[item]
            if identity or item.id or not wanted.creates:
                continue
            for method in self._methods:
                values = wanted.methods.get(method.key)
                try:
                    if values is not None:
                        plan(method, None, values, of_2024=False)
                except OptionError as error:
                    problems.append(Problem(f"{item.label}: {method.key}: {error}", item.place))
        return problems

    def _spare_own_login(self, login: Login) -> None:
        """Remove the task's own identity from those to purge. Raises OptionError."""
        if self._targets.surplus and login.identity_id is None:
            raise OptionError(
                "The token does not say which identity it belongs to, so purging might lock the"
                " task out; use another login, or do not purge."
            )
        for item in self._targets.surplus:
            if item.id == login.identity_id:
                self._module.warn(
                    f"{self._purge_option} does not list {item.label}, which this task is logged in"
                    f" as; its {self._purged.title} is not revoked."
                )
                self._targets.surplus.remove(item)
                return

    def _work(
        self, api: Api, login: Login, fleet: Works, warnings: Warnings, *, check: bool, whole: bool
    ) -> list[EntryReconciler]:
        """Work on the identities of the entries, and then on those to purge.

        Return those that turned out to belong to another organization and were left alone.
        """
        targets = self._targets
        creations = Creations(
            api,
            warnings,
            allowed=self._module.params["create"],
            members=targets.listing.members if targets.listing else None,
        )
        desired = {entry.reference: entry.desired for entry in self._entries}
        renamed = names_afterwards(targets.identities, desired)

        def work_on(item: Reference, desired: Desired, *, purged: bool) -> EntryReconciler:
            return EntryReconciler(
                api,
                login,
                self._methods,
                item,
                desired,
                creations,
                targets.identities.get(item),
                check=check,
                renamed=renamed,
                absent=not item.id and targets.identities.get(item) is None,
                purged=purged,
                whole=whole,
            )

        elsewhere: list[EntryReconciler] = []
        with stopping(fleet, api):
            fleet.run(
                [work_on(entry.reference, entry.desired, purged=False) for entry in self._entries],
                lambda work: work.run(),
                lambda work: work.changed or whole,
            )
            if fleet.complete:
                # Each is read again right before its auth method is revoked.
                revoked = Desired({}, {self._purged.key: None})
                fleet.run(
                    [work_on(item, revoked, purged=True) for item in targets.surplus],
                    lambda work: _purge(api, work, elsewhere),
                    lambda work: work.changed,
                )
            elif targets.surplus:
                fleet.remark = "Nothing was purged."
        return elsewhere

    def _read_others(self, api: Api, login: Login, elsewhere: t.Iterable[EntryReconciler]) -> None:
        """Read the identities that were not worked on."""
        targets = self._targets
        works = [*self.fleet.kept, *elsewhere]
        done = {work.identity.id for work in works if work.identity}
        for entry in self._entries:
            identity = targets.identities[entry.reference]
            done.add(identity.id if identity else entry.reference.id or "")
        listing = t.cast(Listing, targets.listing)
        self.others = Fleet(self._concurrency, given_up=self.fleet.given_up)
        with stopping(self.others, api):
            self.others.run(
                listed_readings(
                    [item for item in listing.identities if item.id not in done], self._methods
                ),
                lambda reading: reading.run(api, login),
                lambda _reading: True,
            )
        readings = [work.reading for work in self.fleet.kept if work.reading]
        self.result["not_visible"] += not_read([*readings, *self.others.kept])

    def _refuse_too_many(self, fleet: Works, limit: int) -> None:
        """Refuse a run that would change more identities than allowed. Check mode warns instead.

        Identities that could not be checked count as changed.
        """
        unknown = fleet.failed + fleet.untried
        if fleet.remark:
            # Nothing was purged then, so it is not known how many would be.
            unknown += len(self._targets.surplus)
        count = fleet.changed + fleet.purged + unknown
        if count <= limit:
            return
        what = f"{count} of the identities would change, but max_changes is {limit}"
        if unknown:
            what += f" ({unknown} of them could not be checked and count as changed)"
        if not self._module.check_mode:
            raise OptionError(f"{what}; nothing was changed. Check the list, or raise max_changes.")
        self.result["refused"] = True
        self._module.warn(f"A real run would fail: {what}.")


def _limit(raw: t.Any) -> int | None:
    if raw is not None and (isinstance(raw, bool) or raw < 0):
        raise OptionError(f"max_changes is {quoted(raw)}; write a whole number of 0 or more.")
    return t.cast(t.Optional[int], raw)


def _counts(fleet: Works) -> Result:
    return {
        "checked": fleet.checked,
        "changed_count": fleet.changed,
        "created_count": fleet.created,
        "deleted_count": fleet.deleted,
        "failed_count": fleet.failed,
        "purged_count": fleet.purged,
        "untried_count": fleet.untried,
    }


def _purge(api: Api, work: EntryReconciler, elsewhere: list[EntryReconciler]) -> None:
    """Revoke the auth method of an identity from the list of all.

    Not every list shows to which organization an identity belongs. If it turns out to belong to
    another one, it is left alone and added to `elsewhere`.
    """
    try:
        work.run()
    except ApiError as error:
        if error.error != "ForbiddenError" or read_identity(api, work.reference.id or "").here:
            raise
        elsewhere.append(work)
        work.end_without_object()
