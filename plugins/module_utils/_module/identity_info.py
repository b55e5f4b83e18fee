# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module does to read identities with their auth methods."""

from __future__ import annotations

import typing as t

from .._errors import InfisicalError, ManyProblemsError
from .._server.api import Api
from .._state.auth_method import AuthMethod
from .._state.directory import Listing, list_everything, read_by_id, resolve
from .._state.fleet import Fleet, stopping
from .._state.identities import Reference, list_of_project
from .._state.reading import Reading, listed_readings, not_read
from .._state.warnings import Warnings
from .entries import read_references
from .entry_results import entry_of
from .module import Module, logged_in
from .options import CONCURRENCY_SPEC, LIST, Spec, concurrency_of, project_of
from .results import Result, failure


class _Question(t.NamedTuple):
    """What the options ask for: which identities, and which parts of them."""

    references: list[Reference]
    all: bool
    project_id: str | None
    methods: tuple[AuthMethod, ...]
    metadata: bool

    @property
    def listed(self) -> bool:
        """Whether a list determines the identities, and not the options."""
        return self.all or (not self.references and self.project_id is not None)


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
    fleet: Fleet[Reading] | None = None
    try:
        concurrency = concurrency_of(module.params)
        question = _question(module, methods)
        with logged_in(module, Warnings(), concurrency) as (api, login):
            readings, not_visible = _readings(api, question)
            if question.all:
                result["not_visible"] = not_visible
            fleet = Fleet(concurrency)
            with stopping(fleet, api):
                fleet.run(readings, lambda reading: reading.run(api, login), lambda _reading: True)
            not_visible += not_read(fleet.kept)
        problem = fleet.message()
    except InfisicalError as error:
        result.update(failure(error))
        problem = f"{error} {fleet.message()}".strip() if fleet else str(error)
    if fleet:
        result.update(_outcome(module, methods, fleet, failed=bool(problem)))
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


def _readings(api: Api, question: _Question) -> tuple[list[Reading], list[str]]:
    """Return the identities to read, and what is not visible. Raises ManyProblemsError."""
    if question.listed:
        if question.project_id is not None:
            listing = Listing(list_of_project(api, question.project_id), [])
        else:
            listing = list_everything(api)
        readings = listed_readings(listing.identities, question.methods, metadata=question.metadata)
        return readings, listing.not_visible
    with_ids = [item for item in question.references if item.id]
    listed = read_by_id(api, with_ids, roles=True)
    found, problems = resolve(api, question.references, listed=listed, roles=True)
    if problems:
        raise ManyProblemsError(problems)
    by_id: dict[str, Reading] = {}
    for item, identity in found.items():
        by_id.setdefault(
            identity.id if identity else item.id or "",
            Reading(item, identity, question.methods, metadata=question.metadata),
        )
    return list(by_id.values()), []


def _outcome(
    module: Module, methods: t.Sequence[AuthMethod], fleet: Fleet[Reading], *, failed: bool
) -> Result:
    """Return the identities that were read, and those that could not be read."""
    warnings = Warnings()
    result: Result = {
        "identities": [
            entry_of(reading.identity, methods, reading.states, warnings)
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
