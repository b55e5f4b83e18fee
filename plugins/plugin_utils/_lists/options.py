# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of an entry of a list: whether they have the form that the modules' spec asks for."""

from __future__ import annotations

import json
import typing as t
from contextlib import contextmanager
from datetime import date

from ...module_utils._errors import OptionError
from ...module_utils._module.options import Spec, absent, unknown_option
from ...module_utils._state.lifetimes import MAX_TTL, TTL
from ...module_utils._text import has_template, quoted, trim
from .durations import EXPECTED, seconds
from .syntax import Mapping, Secret, Text, line_of

# Results have this key for people. It is accepted and ignored.
IGNORED = "details"
# Nobody writes larger numbers, and they are too large for JSON.
_MAX_NUMBER = 2**63

Options = dict[str, t.Any]
# Returns the value of a template. Raises OptionError, whose text continues a sentence.
Render = t.Callable[[str], t.Any]


class Place(t.NamedTuple):
    """A place in a list: the file or variable, the line if it is known, and a label."""

    where: str
    line: int = 0
    label: str = ""

    def __str__(self) -> str:
        source = f"{self.where}:{self.line}" if self.line else self.where
        return f"{source}: {self.label}" if self.label else source

    def at(self, line: int) -> Place:
        """Return the place with another line, if that line is known."""
        return self._replace(line=line or self.line)

    def below(self, label: str) -> Place:
        """Return a place within this one."""
        return self._replace(label=f"{self.label}: {label}" if self.label else label)


class FormError(OptionError):
    """A value that a list cannot have. `line` is where it begins, 0 if that is unknown."""

    def __init__(self, sentence: str, value: t.Any) -> None:
        super().__init__(sentence)
        self.line = line_of(value)


class _Rendered(Text):
    """A string that a template returned, which is not rendered again."""


class OptionReader:
    """Reads dictionaries of options, and reports each problem with `tell(place, sentence)`."""

    def __init__(self, render: Render, tell: t.Callable[[Place, str], None]) -> None:
        self._render = render
        self._tell = tell

    def read(
        self,
        place: Place,
        what: str,
        spec: Spec,
        given: t.Mapping[t.Any, t.Any],
        refused: t.Collection[str] = (),
    ) -> Options:
        """Return the options whose form is right.

        `what` is what messages call the dictionary. Only an entry can have the `refused` options.
        """
        options: Options = {}
        for key, raw in given.items():
            here = place.at(line_of(key))
            with self.telling(here):
                name = self.text("a key", key)
                if name in refused:
                    raise FormError(
                        f"{name} cannot be a default; write it into the entries that need it.",
                        key,
                    )
                if name not in spec:
                    raise FormError(unknown_option(name, spec, what), key)
                if name in options:
                    raise FormError(f"{name} appears twice; write it once.", key)
                if name != IGNORED:
                    options[name] = self._value(here, name, spec[name], raw, refused)
        return options

    @contextmanager
    def telling(self, place: Place) -> t.Iterator[None]:
        """Report what is wrong with the form of a value at a place."""
        try:
            yield
        except FormError as error:
            self._tell(place.at(error.line), str(error))

    def text(self, option: str, raw: t.Any) -> str:
        """Return a string. Raises FormError for a value that YAML reads as something else."""
        return _text(option, raw, self.rendered(option, raw))

    def rendered(self, option: str, raw: t.Any) -> t.Any:
        """Return a value, rendered if it is a template. Raises FormError."""
        if not isinstance(raw, str) or not has_template(raw):
            return raw
        if isinstance(raw, Secret):
            raise FormError(
                f"{option} has a template in a string that Ansible Vault encrypted; templates there"
                " are not rendered, so encrypt a string without one.",
                raw,
            )
        try:
            value = raw if isinstance(raw, _Rendered) else self._render(str(raw))
        except OptionError as why:
            raise FormError(f"{option} is {quoted(raw)}, {why}", raw) from None
        if isinstance(value, str) and has_template(value):
            raise FormError(
                f"{option} is rendered as {quoted(value)}, which contains a template again; write a"
                " template that returns the value itself.",
                raw,
            )
        return _marked(value, line_of(raw))

    def _value(
        self,
        place: Place,
        name: str,
        details: t.Mapping[str, t.Any],
        raw: t.Any,
        refused: t.Collection[str],
    ) -> t.Any:
        value = self.rendered(name, raw)
        if absent(value):
            return None
        if "options" in details:
            given = _dictionary(name, value)
            return self.read(place.below(name), name, details["options"], given, refused)
        if details["type"] == "list":
            return self._list(name, raw, value)
        if details["type"] == "dict":
            return self._texts(name, value)
        if details["type"] == "bool":
            return _flag(name, value)
        if details["type"] == "int":
            return _whole(name, value)
        return _text(name, raw, value)

    def _list(self, name: str, raw: t.Any, value: t.Any) -> t.Any:
        if isinstance(value, list):
            return [self._item(f"{name}[{index}]", item) for index, item in enumerate(value)]
        if isinstance(value, dict):
            raise FormError(f"{name} is a dictionary, which is not a list; write one.", value)
        # One string with several items: the modules check it.
        return _text(name, raw, value)

    def _item(self, name: str, raw: t.Any) -> t.Any:
        value = self.rendered(name, raw)
        if not isinstance(value, dict):
            return _text(name, raw, value)
        # A network in the form of the API. The modules say which string to write instead.
        return {
            self.text(f"a key of {name}", key): (
                _whole(name, item) if isinstance(item, int) else self.text(name, item)
            )
            for key, item in value.items()
        }

    def _texts(self, name: str, value: t.Any) -> dict[str, str | None]:
        pairs: dict[str, str | None] = {}
        for raw, item in _dictionary(name, value).items():
            key = self.text(f"a key of {name}", raw)
            where = f"{name}[{quoted(key)}]"
            if key in pairs:
                raise FormError(f"{where} appears twice; write it once.", raw)
            try:
                pairs[key] = None if item is None else self.text(where, item)
            except FormError as error:
                error.line = error.line or line_of(raw)
                raise
        return pairs


def _text(option: str, raw: t.Any, value: t.Any) -> str:
    """Return a value that is a string; `raw` is what was written. Raises FormError."""
    if isinstance(value, str):
        return str(value)
    if value is None:
        raise FormError(
            f"{option} is null, which is not a string; put quotes around it, or leave it out.", raw
        )
    if not isinstance(value, (bool, int, float, date)):
        raise FormError(f"{option} is {shown(value)}, which is not a string; write one.", raw)
    if isinstance(raw, str):
        raise FormError(
            f"{option} {quoted(raw)} is rendered as {shown(value)}, which is not a string; end the"
            " template with '| string'.",
            raw,
        )
    raise FormError(
        f"{option} is read as {shown(value)}, which is not a string; put quotes around the value in"
        " the list.",
        raw,
    )


def _dictionary(name: str, value: t.Any) -> t.Mapping[t.Any, t.Any]:
    if not isinstance(value, dict):
        raise FormError(f"{name} is {shown(value)}, which is not a dictionary; write one.", value)
    return value


def _flag(name: str, value: t.Any) -> bool | str:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    raise FormError(f"{name} is {shown(value)}; write true or false.", value)


def _whole(name: str, value: t.Any) -> t.Any:
    if isinstance(value, str):
        if name not in (TTL, MAX_TTL):
            return str(value)
        number = seconds(trim(value))
        if number is None:
            raise FormError(
                f"{name} is {shown(value)}, which is not a duration; write {EXPECTED}.", value
            )
        return number
    if isinstance(value, (int, float)) and abs(value) < _MAX_NUMBER:
        return value
    raise FormError(f"{name} is {shown(value)}, which is not a whole number; write one.", value)


def _marked(value: t.Any, line: int) -> t.Any:
    """Return the value of a template, with the line of the template in it."""
    if isinstance(value, str):
        text = _Rendered(value)
        text.line = line
        return text
    if isinstance(value, t.Mapping):
        mapping = Mapping((_marked(key, line), _marked(item, line)) for key, item in value.items())
        mapping.line = line
        return mapping
    if isinstance(value, (list, tuple)):
        return [_marked(item, line) for item in value]
    return value


def shown(value: t.Any) -> str:
    """Return a value for a message, as it was written. Encrypted values are not shown."""
    if isinstance(value, Secret):
        return "an encrypted string"
    if isinstance(value, date):
        return str(value)
    if value is None or isinstance(value, (bool, float)):
        return json.dumps(value)
    if isinstance(value, int) and abs(value) >= _MAX_NUMBER:
        return "a huge number"
    return quoted(value)
