# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that name many identities: what is wrong with any of them is told at once."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .._errors import ManyProblemsError, OptionError, Problem
from .._server.api import Api, Identity
from .._state.fields import AuthMethod, Values
from .._state.warnings import Notes
from .._text import printable, quoted, refuse_nul, trim, uuid_or_none
from .options import (
    IDENTITY_SPEC,
    Spec,
    identity_id_of,
    labelled_identity_of,
    only_identity,
    types_of,
    with_values,
)


class Reference(t.NamedTuple):
    """An identity as an option names it: by its id, or else by its name.

    `label` is for messages about the identity, `option` for those about its name. `place` is that
    among the entries, where it is one.
    """

    label: str
    option: str
    identity_id: str | None
    identity_name: str | None
    place: int | None = None


class Entry(t.NamedTuple):
    """One of a list of desired states. `wanted` are values by option, None for not attached."""

    reference: Reference
    wanted: Values | None


class Found(t.NamedTuple):
    """The identity that was meant. `identity` is None where there was no need to read it."""

    reference: Reference
    identity_id: str
    identity: Identity | None


def read_entries(
    option: str, raw: t.Sequence[t.Any], method: AuthMethod, spec: Spec, notes: Notes
) -> list[Entry]:
    """Read a list of desired states. Raises ManyProblemsError."""
    reader = _Reader(method, spec)
    entries = []
    references = []
    problems: list[Problem] = []
    for index, item in enumerate(raw):
        label = _label(f"{option}[{index}]", item)
        if not isinstance(item, dict):
            sentence = (
                f"{label} is {quoted(item)}, which is not a dictionary; write one with identity_id"
                f" or identity_name and the options of {method.title}."
            )
            problems.append(Problem(sentence, index))
            continue
        reference, wanted, sentences = reader.read(index, label, item, notes.about(label))
        problems += [Problem(f"{label}: {sentence}", index) for sentence in sentences]
        if reference:
            references.append(reference)
            entries.append(Entry(reference, wanted))
    problems += _repeated((item, item.identity_id) for item in references if item.identity_id)
    problems += _repeated((item, item.identity_name) for item in references if not item.identity_id)
    if problems:
        raise ManyProblemsError(problems)
    return entries


def read_references(
    option: str, raw: t.Sequence[t.Any], *, ids: bool = True, names: bool = True
) -> list[Reference]:
    """Read a list of identities' ids, or names, or either. Raises ManyProblemsError."""
    references = []
    problems: list[Problem] = []
    what = " or ".join((["the id"] if ids else []) + (["the name"] if names else []))
    for index, item in enumerate(raw):
        source = f"{option}[{index}]"
        text = _name_of(item)
        if not text:
            shown = "blank" if isinstance(item, str) else f"{quoted(item)}, which is not a string"
            problems.append(Problem(f"{source} is {shown}; write {what} of an identity."))
            continue
        try:
            identity_id = uuid_or_none(text) if names else identity_id_of(source, text)
            refuse_nul(source, text)
        except OptionError as error:
            problems.append(Problem(str(error)))
            continue
        if not ids:
            identity_id = None
        label = _shown(source, text)
        references.append(Reference(label, source, identity_id, None if identity_id else text))
    if problems:
        raise ManyProblemsError(problems)
    return references


def resolve(
    references: t.Sequence[Reference], api: Api, everyone: t.Sequence[Identity] | None = None
) -> tuple[list[Found], list[Problem]]:
    """Find the identities that are meant, in as few requests as possible.

    `everyone` are all identities of the organisation, where they are known. Returns those found,
    and a problem for each name that is not one identity's. Raises what Client.request() raises.
    """
    names = [item.identity_name or "" for item in references if not item.identity_id]
    by_id: dict[str, Identity] = {}
    by_name: dict[str, list[Identity]] = {}
    if everyone is None:
        by_name = api.named(names) if names else {}
    else:
        for identity in everyone:
            by_id[identity.id] = identity
            by_name.setdefault(identity.name, []).append(identity)
    found = []
    problems: list[Problem] = []
    for item in references:
        if item.identity_id:
            found.append(Found(item, item.identity_id, by_id.get(item.identity_id)))
            continue
        name = item.identity_name or ""
        try:
            identity = only_identity(item.option, name, by_name.get(name, []))
        except OptionError as error:
            problems.append(Problem(str(error), item.place))
        else:
            found.append(Found(item, identity.id, identity))
    return found, problems


def repeated(found: t.Iterable[Found]) -> list[Problem]:
    """Return a problem for each identity that is listed twice, by its id and by its name."""
    return _repeated((item.reference, item.identity_id) for item in found)


def missing(
    entries: t.Sequence[Found], kept: t.Sequence[Found], everyone: t.Sequence[Identity]
) -> list[Problem]:
    """Return what is wrong with a list of the identities to keep, of which nothing may be missing.

    What is not in the organisation is taken for a mistake: purging would revoke what was meant.
    """
    known = {identity.id for identity in everyone}
    keep = {item.identity_id for item in kept}
    unknown = [
        Problem(
            f"{item.reference.option} {quoted(item.identity_id)} is not the id of any identity that"
            " this login can see in its organization; correct it, or take it out."
        )
        for item in kept
        if item.identity_id not in known
    ]
    unlisted = [
        Problem(
            f"{item.reference.label} is not in purge_except, which has to list every identity that"
            " may keep what it has; add it.",
            item.reference.place,
        )
        for item in entries
        if item.identity_id not in keep
    ]
    return unknown + unlisted


class _Reader:
    """Reads entries. They are checked as Ansible checks options, with an error for each problem."""

    def __init__(self, method: AuthMethod, spec: Spec) -> None:
        self._method = method
        # What is returned goes back in, metadata too.
        self._spec = {**IDENTITY_SPEC, **spec, "metadata": {"type": "raw"}}
        self._lists = [key for key, option in self._spec.items() if option["type"] == "list"]
        self._types = types_of(self._spec)
        self._validator = ArgumentSpecValidator(self._spec)

    def read(
        self, index: int, label: str, item: Values, notes: Notes
    ) -> tuple[Reference | None, Values | None, list[str]]:
        """Return the identity, the wanted values (None: not attached), and what is wrong."""
        problems = [self._unknown(key) for key in item if key not in self._spec]
        known = {key: value for key, value in item.items() if key in self._spec}
        values, wrong = with_values(self._types, known)
        problems += wrong.values()
        # Ansible copies what it checks, and finds nothing to check in these.
        lists = {key: values.pop(key) for key in self._lists if isinstance(values.get(key), list)}
        checked = self._validator.validate(values)
        problems += [f"{message.rstrip('.')}." for message in checked.error_messages]
        options = {**checked.validated_parameters, **lists}
        reference = None
        try:
            identity_id, name = labelled_identity_of(options)
            reference = Reference(label, f"{label}: identity_name", identity_id, name, index)
        except OptionError as error:
            if wrong.keys().isdisjoint(("identity_id", "identity_name")):
                problems.append(str(error))
        if checked.error_messages:
            return reference, None, problems
        wanted, errors = self._method.read_options(options, notes)
        problems += map(str, errors)
        return reference, wanted if options["state"] == "present" else None, problems

    def _unknown(self, key: t.Any) -> str:
        meant = [field.option for field in self._method.fields if field.api == key]
        return (
            f"{quoted(key)} is not an option of an entry;"
            f" write {meant[0] if meant else 'one of ' + ', '.join(sorted(self._spec))}."
        )


def _label(source: str, item: t.Any) -> str:
    """Return what an entry is called: its place in the list, and its name or its id."""
    if isinstance(item, dict):
        for key in ("identity_name", "identity_id"):
            text = _name_of(item.get(key))
            if text:
                return _shown(source, text)
    return source


def _name_of(value: t.Any) -> str:
    """Return what may be an identity's name or id, which is blank if it is none."""
    return trim(value) if isinstance(value, str) else ""


def _shown(source: str, text: str) -> str:
    return f"{source} ({printable(text, 80)})"


def _repeated(references: t.Iterable[tuple[Reference, t.Hashable]]) -> list[Problem]:
    """Return a problem for each reference whose key another one before had."""
    first: dict[t.Hashable, Reference] = {}
    return [
        Problem(
            f"{item.label} is the same identity as {first[key].label}; list it once.", item.place
        )
        for item, key in references
        if first.setdefault(key, item) is not item
    ]
