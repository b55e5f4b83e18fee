# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module does that reads identities with their auth methods."""

from __future__ import annotations

import typing as t

from .._errors import ApiError, InfisicalError, InterruptError, ManyProblemsError, OptionError
from .._server.api import Api
from .._server.login import Login
from .._state.auth_method import AuthMethod, AuthMethodResource
from .._state.creations import Creations
from .._state.directory import Listing, left_out, list_everything, read_by_id, resolve
from .._state.fleet import Fleet
from .._state.identities import Identity, Reference, list_of_project, read_identity
from .._state.identity import METADATA, ROLE, IdentityResource
from .._state.reconcile import State
from .._state.warnings import Warnings
from .._text import printable, quoted
from .entries import read_references
from .entry_results import entry_of
from .module import Module, logged_in
from .options import CONCURRENCY_SPEC, LIST, Spec, concurrency_of, project_of
from .results import Result, failure

# What a project answers to those who are no members of it.
_NO_MEMBER = "ProjectMembershipNotFound"


class _Question(t.NamedTuple):
    """What the options ask for: whom, and what of them."""

    references: list[Reference]
    all: bool
    project_id: str | None
    methods: tuple[AuthMethod, ...]
    metadata: bool

    @property
    def listed(self) -> bool:
        """Whether it is a list that says whom, and not the options."""
        return self.all or (not self.references and self.project_id is not None)


class _Reading:
    """One identity to read. `gone` says that it is none of those to tell of after all."""

    purged = changed = created = deleted = creates = False

    def __init__(self, reference: Reference, identity: Identity | None) -> None:
        self.reference = reference
        self.identity = identity
        self.failure: InfisicalError | None = None
        self.gone = False
        self.unreadable = False
        self.elsewhere = False
        self.methods: dict[str, tuple[AuthMethod, State | None]] = {}

    def note_interrupt(self, failure: InterruptError) -> None:
        """Take note that the reading was cut off."""
        self.failure = failure

    def run(self, api: Api, login: Login, question: _Question) -> None:
        """Read it. Raises InfisicalError."""
        needed = ([METADATA] if question.metadata else []) + ([] if question.listed else [ROLE])
        resource = IdentityResource(
            api, login, self.reference, Creations(api, Warnings()), self.identity, needed=needed
        )
        resource.read()
        if resource.identity is None:
            raise OptionError(
                f"id {quoted(self.reference.id)} is not the id of any identity that this login can"
                " see.",
                resource.missing,
            )
        self.identity = resource.identity
        if not question.metadata:
            # Left out unless it is asked for, so that a task it is given to leaves it alone.
            self.identity = self.identity._replace(metadata=None)
        for method in question.methods:
            auth = AuthMethodResource(
                api,
                login,
                method,
                self.identity.id,
                self.identity,
                project_id=self.identity.project_id,
            )
            self.methods[method.key] = (method, auth.read())
            if auth.identity:
                # That the method is attached may be no longer so.
                self.identity = self.identity._replace(methods=auth.identity.methods)

    def run_listed(self, api: Api, login: Login, question: _Question) -> None:
        """Read one of a list of all, which may have changed since, or may not be read."""
        try:
            self.run(api, login, question)
        except ApiError as error:
            identity = self.identity
            if identity and (
                error.error == _NO_MEMBER or (identity.project_id and error.http_status == 403)
            ):
                self.unreadable = True
            elif error.http_status == 404 and not error.unknown_route:
                self.gone = True
            elif error.error == "ForbiddenError" and identity and not identity.project_id:
                if read_identity(api, identity.id).here:
                    raise
                self.gone = self.elsewhere = True
            else:
                raise


def read_identities(methods: t.Sequence[AuthMethod]) -> None:
    """Run the module that reads identities with their auth methods."""
    spec: Spec = {
        "ids": LIST,
        "names": LIST,
        "project_id": {"type": "str"},
        **{method.key: {"type": "bool", "default": True} for method in methods},
        "metadata": {"type": "bool", "default": False},
        **CONCURRENCY_SPEC,
    }
    module = Module(spec, ("ids", "names"))
    result: Result = {"changed": False}
    fleet: Fleet[_Reading] | None = None
    try:
        concurrency = concurrency_of(module.params)
        question = _question(module, methods)
        with logged_in(module, Warnings(), concurrency) as (api, login):
            readings, not_visible = _readings(api, question)
            if question.all:
                result["not_visible"] = not_visible
            fleet = Fleet(concurrency)
            try:
                fleet.run(
                    readings,
                    lambda reading: (
                        reading.run_listed(api, login, question)
                        if question.listed
                        else reading.run(api, login, question)
                    ),
                    lambda _reading: True,
                )
            except InterruptError:
                api.stop()
                fleet.stop()
                raise
            not_visible += _not_read(fleet.kept)
        problem = fleet.message()
    except InfisicalError as error:
        result.update(failure(error))
        problem = f"{error} {fleet.message()}".strip() if fleet else str(error)
    if fleet:
        result.update(_outcome(module, fleet, failed=bool(problem)))
    module.end(result, problem)


def _question(module: Module, methods: t.Sequence[AuthMethod]) -> _Question:
    """Read the options. Raises OptionError."""
    params = module.params
    ids, names, project_id = params["ids"], params["names"], project_of(params)
    references = read_references("ids", ids or [], names=False, project_id=project_id)
    references += read_references("names", names or [], ids=False, project_id=project_id)
    return _Question(
        references,
        all=ids is None and names is None and project_id is None,
        project_id=project_id if ids is None and names is None else None,
        methods=tuple(method for method in methods if params[method.key]),
        metadata=params["metadata"],
    )


def _readings(api: Api, question: _Question) -> tuple[list[_Reading], list[str]]:
    """Return whom to read, and what cannot be seen. Raises ManyProblemsError."""
    if question.listed:
        if question.project_id is not None:
            listing = Listing(list_of_project(api, question.project_id), [])
        else:
            listing = list_everything(api)
        listed = sorted(listing.identities, key=lambda item: (item.name, item.id))
        return [_Reading(_referring_to(item), item) for item in listed], listing.not_visible
    by_id = [item for item in question.references if item.id]
    listed = read_by_id(api, by_id, roles=True)
    found, problems = resolve(api, question.references, listed=listed, roles=True)
    if problems:
        raise ManyProblemsError(problems)
    readings: dict[str, _Reading] = {}
    for item, identity in found.items():
        identity_id = identity.id if identity else item.id or ""
        readings.setdefault(identity_id, _Reading(item, identity))
    return list(readings.values()), []


def _referring_to(identity: Identity) -> Reference:
    label = f"{printable(identity.name, 80)} ({identity.id})"
    return Reference(identity.id, None, identity.project_id, label)


def _not_read(readings: t.Sequence[_Reading]) -> list[str]:
    """Return sentences on what was listed, and could not be read."""
    sentences = []
    elsewhere = sum(reading.elsewhere for reading in readings)
    if elsewhere:
        sentences.append(left_out(elsewhere))
    unreadable = sum(reading.unreadable for reading in readings)
    if unreadable:
        sentences.append(
            "Identities of projects in which this login may not read them are listed without their"
            f" auth methods ({unreadable})."
        )
    return sentences


def _outcome(module: Module, fleet: Fleet[_Reading], *, failed: bool) -> Result:
    """Return what was read, and what could not be."""
    warnings = Warnings()
    result: Result = {
        "identities": [
            entry_of(reading.identity, reading.methods, warnings)
            for reading in fleet.kept
            if reading.identity and not reading.failure and not reading.gone
        ]
    }
    module.warn_of(warnings)
    if failed:
        result["failed_count"] = fleet.failed
        result["failures"] = [
            {
                "id": reading.identity.id if reading.identity else reading.reference.id,
                "name": reading.identity.name if reading.identity else reading.reference.name,
                **failure(reading.failure),
            }
            for reading in fleet.kept
            if reading.failure
        ]
    return result
