# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists of identities: from the content of a file or variable to entries that the modules take.

The reader checks the form, and reports all problems at once. The modules check the values.
"""

from __future__ import annotations

import typing as t
from contextlib import contextmanager
from copy import deepcopy
from difflib import get_close_matches

from ...module_utils._errors import ManyProblemsError, OptionError, Problem
from ...module_utils._module.entries import entry_spec, repeated
from ...module_utils._module.options import Spec, unknown_option
from ...module_utils._state.auth_methods import AUTH_METHODS
from ...module_utils._state.fields import Values
from ...module_utils._state.identities import Reference
from ...module_utils._state.identity import METADATA
from ...module_utils._text import printable, quoted, trim, uuid_or_none
from .defaults import SWITCHES, merged
from .options import IGNORED, FormError, OptionReader, Options, Place, Render, shown
from .syntax import Mapping, Secret, line_of

LIST = "identities"
DEFAULTS = "defaults"

_SETTINGS = "the settings of the identity"
_NO_LIST = (
    "it has no entries. Write a list of dictionaries, each with id or name and"
    f" {_SETTINGS}; or a dictionary of them by name; or either of these below the key {LIST}."
)
_ENTRY = entry_spec(AUTH_METHODS)
# The keys that only an entry can have: which identity it is about, its state, and that everyone may
# log in. As a default, the last would open each entry that does not list who may log in.
_OWN = ("id", "name", "state", IGNORED, "source", *SWITCHES.values())


def _shared(spec: Spec) -> Spec:
    """Return the options of a spec that defaults can have."""
    return {
        key: (
            {**details, "options": _shared(details["options"])} if "options" in details else details
        )
        for key, details in spec.items()
        if key not in _OWN
    }


_SHARED = _shared(_ENTRY)


class Reader:
    """Reads lists one by one, and collects their entries and their problems.

    `render` renders templates or refuses them.
    """

    def __init__(self, render: Render) -> None:
        self._options = OptionReader(render, self._tell)
        self._problems: list[Problem] = []
        self._entries: list[Options] = []
        self._references: list[Reference] = []

    def add_problem(self, sentence: object) -> None:
        """Add a problem, which is a sentence."""
        self._problems.append(Problem(str(sentence)))

    @contextmanager
    def telling(self) -> t.Iterator[None]:
        """Add an OptionError to the problems and go on."""
        try:
            yield
        except OptionError as why:
            self.add_problem(why)

    def entries(self) -> list[Options]:
        """Return the entries of all lists. Raises ManyProblemsError if there are problems."""
        problems = self._problems + repeated(
            (reference, _key(reference)) for reference in self._references
        )
        if problems:
            raise ManyProblemsError(problems)
        return self._entries

    def read_defaults(self, where: str, content: t.Any) -> Options:
        """Return the defaults that a dictionary has. Null stands for none."""
        return self._defaults(Place(where), content)

    def read_list(self, where: str, content: t.Any, defaults: Values) -> None:
        """Read a list of entries, a dictionary of entries by name, or a dictionary that has either.

        `defaults` apply to the entries. Defaults in the list itself win over them.
        """
        place = Place(where)
        if isinstance(content, dict) and not {LIST, DEFAULTS}.isdisjoint(content):
            self._refuse_others(place, content)
            own = self._defaults(place.below(DEFAULTS), content.get(DEFAULTS))
            defaults = merged(defaults, own)
            content = content.get(LIST)
        with self._options.telling(place):
            items = self._options.rendered(LIST, content)
            if not isinstance(items, (list, dict)) or not items:
                raise FormError(_NO_LIST, content)
            if isinstance(items, dict):
                self._read_by_name(place, items, defaults)
                return
            for number, item in enumerate(items, 1):
                at = place.below(f"entry {number}")
                with self._options.telling(at):
                    self._read_item(at, item, defaults)

    def _tell(self, place: Place, sentence: str) -> None:
        self.add_problem(f"{place}: {sentence}")

    def _refuse_others(self, place: Place, content: t.Mapping[t.Any, t.Any]) -> None:
        """Report every key except those of the list and its defaults."""
        spec: Spec = {DEFAULTS: {}, LIST: {}}
        for key in content:
            if key not in spec:
                self._tell(place.at(line_of(key)), unknown_option(key, spec, "a list"))

    def _defaults(self, place: Place, content: t.Any) -> Options:
        with self._options.telling(place):
            given = self._options.rendered("it", content)
            if isinstance(given, dict):
                at = place.at(line_of(given))
                return self._options.read(at, "defaults", _SHARED, given, _OWN)
            if given is not None:
                raise FormError(
                    f"it is {shown(given)}, which is not a dictionary; write one with the settings"
                    " that entries get.",
                    content,
                )
        return {}

    def _read_by_name(self, place: Place, items: t.Mapping[t.Any, t.Any], defaults: Values) -> None:
        """Read the entries of a dictionary of entries by name. Raises FormError."""
        if any(key in _ENTRY and not _may_be_entry(item) for key, item in items.items()):
            raise FormError(
                "this is an entry and not a list of entries; put '- ' in front of it.", items
            )
        for number, (key, item) in enumerate(items.items(), 1):
            at = place.at(line_of(key) or line_of(item)).below(f"entry {number}")
            with self._options.telling(at):
                self._read_named(at, key, item, defaults)

    def _read_named(self, place: Place, key: t.Any, item: t.Any, defaults: Values) -> None:
        """Read an entry of a dictionary of entries by name. Raises FormError."""
        name = self._options.text("its key", key)
        given = self._options.rendered("it", item)
        if not _may_be_entry(given):
            close = get_close_matches(name, (LIST, DEFAULTS), n=1)
            meant = f"did you mean {close[0]}?" if close else f"write {_SETTINGS} there."
            raise FormError(
                f"{quoted(name)} is {shown(given)}, which is not a dictionary; {meant}", key
            )
        entry = Mapping(given or {})
        if entry.get("name", key) not in (key, name):
            raise FormError(
                f"{quoted(name)} contains another name; remove that. To rename an identity, write"
                " its new name as the key, and its ID below it.",
                key,
            )
        self._read_entry(place, Mapping(entry, name=key), defaults)

    def _read_item(self, place: Place, item: t.Any, defaults: Values) -> None:
        """Read an entry of a list. Raises FormError."""
        given = self._options.rendered("it", item)
        if not isinstance(given, dict):
            raise FormError(
                f"it is {shown(given)}, which is not a dictionary; write one with id or name and"
                f" {_SETTINGS}.",
                item,
            )
        self._read_entry(place.at(line_of(given)), given, defaults)

    def _read_entry(self, place: Place, given: t.Mapping[t.Any, t.Any], defaults: Values) -> None:
        name = _name_of(given)
        place = place._replace(label=f"{place.label} ({name})" if name else place.label)
        entry = self._options.read(place, "an entry", _ENTRY, given)
        self._require_name(place, entry, given)
        found = merged(deepcopy(defaults), entry)
        if found.get(METADATA):
            self._require_texts(place, entry.get(METADATA) or {}, defaults.get(METADATA) or {})
            pairs = found[METADATA].items()
            found[METADATA] = {key: value for key, value in pairs if value is not None}
        if place.line:
            found["source"] = f"{place.where}:{place.line}"
        self._entries.append(found)
        if found.get("id") or found.get("name"):
            self._references.append(_reference(place, name, found))

    def _require_name(self, place: Place, entry: Values, given: t.Mapping[t.Any, t.Any]) -> None:
        """Report an entry that does not say which identity it is about."""
        if any(entry.get(key) or (key in given and key not in entry) for key in ("id", "name")):
            return
        if "name" in entry:
            # Null counts as left out, but the name of an identity can be "null".
            self._tell(
                place,
                "name is null or blank; write a name or the ID of the identity, or put quotes"
                " around null if that is the name.",
            )
        else:
            self._tell(place, "neither id nor name is given; give one of them.")

    def _require_texts(self, place: Place, pairs: Values, known: Values) -> None:
        """Report metadata that is null, unless it drops a default."""
        for key, value in pairs.items():
            if value is None and key not in known:
                self._tell(
                    place,
                    f"{METADATA}[{quoted(key)}] is null, which is not a string, and there is no"
                    " default to drop; put quotes around it or leave it out.",
                )


def _may_be_entry(value: t.Any) -> bool:
    """Return whether a value can be an entry, apart from its name."""
    return value is None or isinstance(value, dict)


def _name_of(entry: t.Mapping[t.Any, t.Any]) -> str:
    """Return the name or ID of an entry for messages, blank if it has neither."""
    for key in ("name", "id"):
        text = entry.get(key)
        if isinstance(text, str) and not isinstance(text, Secret) and trim(text):
            return printable(trim(text), 80)
    return ""


def _reference(place: Place, name: str, entry: Values) -> Reference:
    """Return which identity an entry is about, and what messages call the entry."""
    texts = {key: trim(entry.get(key) or "") for key in ("id", "name", "project_id")}
    source = entry.get("source")
    label = f"{source} ({name})" if source and name else str(source or place)
    return Reference(
        uuid_or_none(texts["id"]) or texts["id"] or None,
        texts["name"] or None,
        uuid_or_none(texts["project_id"]) or texts["project_id"] or None,
        label,
    )


def _key(reference: Reference) -> t.Hashable:
    """Return a key that two entries share if they are visibly about the same identity."""
    return reference.id or (reference.project_id, reference.name)
