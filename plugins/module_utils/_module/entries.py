# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Identities as options describe them: one, or a list whose mistakes are reported together."""

from __future__ import annotations

import typing as t

from .._errors import ManyProblemsError, OptionError, Problem
from .._state.auth_method import AuthMethod
from .._state.entry import Desired
from .._state.fields import Settings, Values
from .._state.identities import Reference
from .._state.identity import IDENTITY, PROTECTION, name_option
from .._state.warnings import Warnings
from .._text import printable, quoted, refuse_nul, trim, uuid_or_none, visible
from .options import (
    DETAILS_SPEC,
    STATE_SPEC,
    Spec,
    absent,
    id_of,
    project_of,
    read_values,
    reader_of_type,
    spec_of,
    unknown_option,
)

if t.TYPE_CHECKING:
    from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

    _Level = tuple[Spec, Values, ArgumentSpecValidator]

ABSENT = "absent"
# Ansible leaves values of these types unchanged.
_TYPES = {"str": str, "int": int, "bool": bool}


class Entry(t.NamedTuple):
    """One identity as desired. `secrets` must be kept out of all output."""

    reference: Reference
    desired: Desired
    secrets: tuple[str, ...] = ()


def entry_spec(methods: t.Sequence[AuthMethod]) -> Spec:
    """Return the argument spec of an identity with its auth methods."""
    return {
        "id": {"type": "str"},
        "project_id": {"type": "str"},
        **STATE_SPEC,
        **spec_of(IDENTITY),
        **{
            method.key: {
                "type": "dict",
                "options": {**STATE_SPEC, **spec_of(method), **DETAILS_SPEC},
            }
            for method in methods
        },
        **DETAILS_SPEC,
        "source": {"type": "str"},
    }


def read_entry(
    options: Values,
    methods: t.Sequence[AuthMethod],
    warnings: Warnings,
    *,
    refused: t.Collection[str] = (),
) -> tuple[Entry | None, list[str]]:
    """Read an identity from options of this spec. Also return a message for each mistake.

    The entry is None if the options do not say which identity is meant. `refused` has options that
    are missing because they were refused before.
    """
    problems: list[str] = []
    reference = None
    try:
        reference = _reference(options)
    except OptionError as error:
        if not {"id", "name"} & set(refused):
            problems.append(str(error))
    named = {key: value for key, value in options.items() if key != "name" or options.get("id")}
    values, errors = IDENTITY.read_options(named, warnings)
    problems += map(str, errors)
    lift = False
    wanted: Values | None = values
    if options["state"] == ABSENT:
        wanted, lift = None, values.get(PROTECTION) is False
    desired = {}
    for method in methods:
        given = options.get(method.key)
        if given is None:
            continue
        settings, errors = method.read_options(given, warnings)
        problems += [f"{method.key}: {error}" for error in errors]
        desired[method.key] = settings if given["state"] != ABSENT else None
    if reference is None:
        return None, problems
    return Entry(reference, Desired(wanted, desired, lift), _secrets(options, methods)), problems


def read_entries(
    option: str, raw: t.Sequence[t.Any], methods: t.Sequence[AuthMethod], warnings: Warnings
) -> list[Entry]:
    """Read a list of identities. Raises ManyProblemsError."""
    validator = _Validator(entry_spec(methods))
    entries: list[Entry] = []
    problems: list[Problem] = []
    for index, item in enumerate(raw):
        label = _label(f"{option}[{index}]", item)
        if not isinstance(item, dict):
            sentence = (
                f"{label} is {quoted(item)}, which is not a dictionary; write one with name or id"
                " and the settings of the identity."
            )
            problems.append(Problem(sentence, index))
            continue
        options, sentences, refused = validator.validate(item)
        entry, more = read_entry(options, methods, warnings.about(label), refused=refused)
        if entry:
            reference = entry.reference._replace(label=label, option=f"{label}: name", place=index)
            entries.append(entry._replace(reference=reference))
        sentences += more
        problems += [Problem(f"{label}: {sentence}", index) for sentence in sentences]
    problems += repeated((item.reference, _key(item.reference)) for item in entries)
    if problems:
        raise ManyProblemsError(problems)
    return entries


def read_references(
    option: str,
    raw: t.Sequence[t.Any],
    *,
    ids: bool = True,
    names: bool = True,
    project_id: str | None = None,
) -> list[Reference]:
    """Read a list of IDs of identities, of names, or of both. Raises ManyProblemsError."""
    references = []
    problems: list[Problem] = []
    what = " or ".join((["the ID"] if ids else []) + (["the name"] if names else []))
    for index, item in enumerate(raw):
        source = f"{option}[{index}]"
        text = trim(item) if isinstance(item, str) else ""
        if not text:
            shown = "blank" if isinstance(item, str) else f"{quoted(item)}, which is not a string"
            problems.append(Problem(f"{source} is {shown}; write {what} of an identity."))
            continue
        try:
            identity_id = uuid_or_none(text) if names else id_of(source, text)
            refuse_nul(source, text)
        except OptionError as error:
            problems.append(Problem(str(error)))
            continue
        if not ids:
            identity_id = None
        label = _shown(source, text)
        name = None if identity_id else text
        references.append(Reference(identity_id, name, project_id, label, source))
    if problems:
        raise ManyProblemsError(problems)
    return references


def repeated(references: t.Iterable[tuple[Reference, t.Hashable]]) -> list[Problem]:
    """Return a problem for each reference that has the key of an earlier one."""
    first: dict[t.Hashable, Reference] = {}
    return [
        Problem(
            f"{item.label} is the same identity as {first[key].label}; list it once.", item.place
        )
        for item, key in references
        if first.setdefault(key, item) is not item
    ]


class _Validator:
    """Checks entries as Ansible checks options, with one sentence for each problem."""

    def __init__(self, spec: Spec) -> None:
        # Imported here because only lists need it, and imports slow down the start of a task.
        from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

        self._make = ArgumentSpecValidator
        self._top = self._level(spec)
        self._nested = {
            option: self._level(details["options"])
            for option, details in spec.items()
            if "options" in details
        }

    def validate(self, item: Values) -> tuple[dict[str, t.Any], list[str], set[str]]:
        """Return the valid options, the mistakes, and the names of the invalid options."""
        nested = {
            key: value
            for key, value in item.items()
            if key in self._nested and isinstance(value, dict)
        }
        wrong = [key for key in self._nested if key not in nested and not absent(item.get(key))]
        flat = {key: value for key, value in item.items() if key not in (*nested, *wrong)}
        options, problems, refused = _validate("an entry", self._top, flat)
        # The value may contain a secret, so it is not shown.
        problems += [f"{key} is not a dictionary; write one." for key in wrong]
        for key, value in nested.items():
            options[key], more, _refused = _validate(key, self._nested[key], value)
            problems += [f"{key}: {problem}" for problem in more]
        return options, problems, refused

    def _level(self, spec: Spec) -> _Level:
        plain = {
            key: {name: value for name, value in details.items() if name != "options"}
            for key, details in spec.items()
        }
        defaults = {key: details.get("default") for key, details in spec.items()}
        return spec, defaults, self._make(plain)


def _validate(
    what: str, level: _Level, item: Values
) -> tuple[dict[str, t.Any], list[str], set[str]]:
    """Return the valid options of one level of an entry, the mistakes, and the other options."""
    spec, defaults, validator = level
    problems = [unknown_option(name, spec, what) for name in item if name not in spec]
    known = {name: value for name, value in item.items() if name in spec}
    values, wrong = read_values(known, lambda name: reader_of_type(spec[name]))
    problems += wrong.values()
    options = {**defaults, **values}
    refused = set(wrong)
    # Ansible's check copies values and takes time, and most values need none.
    doubtful = {name: value for name, value in values.items() if not _is_valid(spec[name], value)}
    if doubtful:
        checked = validator.validate(doubtful)
        problems += [f"{visible(message).rstrip('.')}." for message in checked.error_messages]
        options.update((name, checked.validated_parameters[name]) for name in doubtful)
        # Ansible does not say which options it refuses, and keeps their values.
        for name in doubtful if checked.error_messages else ():
            if type(validator)({name: spec[name]}).validate({name: values[name]}).error_messages:
                options[name] = defaults[name]
                refused.add(name)
    return options, problems, refused


def _is_valid(details: t.Mapping[str, t.Any], value: t.Any) -> bool:
    """Return whether Ansible would take the value of an option as it is."""
    if isinstance(value, (list, dict)):
        # Ansible does not check anything in these.
        return True
    kind = _TYPES.get(details["type"])
    # A boolean is an integer to Python.
    same = (
        kind is not None and isinstance(value, kind) and isinstance(value, bool) == (kind is bool)
    )
    return same and ("choices" not in details or value in details["choices"])


def _reference(options: Values) -> Reference:
    identity_id, name = options.get("id"), trim(options.get("name") or "")
    if not identity_id and not name:
        raise OptionError("Neither id nor name is set; set one of them.")
    if not identity_id:
        name = name_option("name", name, Warnings())
    return Reference(
        id_of("id", identity_id, ", or set only name") if identity_id else None,
        name or None,
        project_of(options),
    )


def _key(reference: Reference) -> t.Hashable:
    """Return a key that is equal for two entries of one identity, as far as options show."""
    return reference.id or (reference.project_id, reference.name)


def _secrets(options: Values, methods: t.Sequence[AuthMethod]) -> tuple[str, ...]:
    return tuple(
        str(options[method.key][option])
        for method in methods
        if options.get(method.key)
        for option in secret_options(method)
        if options[method.key].get(option)
    )


def secret_options(settings: Settings) -> list[str]:
    """Return the options whose values must not be in any output."""
    return [field.option for field in settings.fields if field.secret]


def _label(source: str, item: t.Any) -> str:
    """Return how messages call an entry: its place, and the name or ID of the identity."""
    if not isinstance(item, dict):
        return source
    file = item.get("source")
    if isinstance(file, str) and trim(file):
        source = printable(trim(file), 120)
    for key in ("name", "id"):
        text = trim(item[key]) if isinstance(item.get(key), str) else ""
        if text:
            return _shown(source, text)
    return source


def _shown(source: str, text: str) -> str:
    return f"{source} ({printable(text, 80)})"
