# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings as a table of fields, each of which describes one setting once.

A field knows a setting in its three spellings: the option, the field of the API, and the value in
between, on which everything is decided. Argument specs, entries, results, diffs, requests and the
comparison of states go through the table, and so know no setting by name.
"""

from __future__ import annotations

import re
import typing as t

from .._errors import OptionError
from .._text import no_value, quoted, refuse_nul, texts_in, trim, uuid_or_none
from .networks import Network, opens_ipv4, parse, stored
from .warnings import Warnings

MAX_SECONDS = 315360000
MAX_USES = 2**53 - 1
DEFAULT_SECONDS = 2592000

# What is shown in place of a secret.
HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"

HOST_BITS = "access_token_trusted_ips: host bits were dropped from {count} of the networks: {items}"
OPENS_IPV4 = (
    "access_token_trusted_ips lists {count} IPv6 network(s) that also allow every IPv4 address,"
    " although it does not list 0.0.0.0/0: {items}. Remove them to restrict IPv4 addresses"
)

Values = t.Mapping[str, t.Any]

# What stands between ids in a text that has several.
_SEVERAL = re.compile(r"\w[\s,;]+\w")


def same(one: t.Any, other: t.Any) -> bool:
    """Return whether two values are equal: the meaning of most fields."""
    return bool(one == other)


def unchanged(value: t.Any) -> t.Any:
    """Return the value as it is."""
    return value


def as_wanted(_current: t.Any, wanted: t.Any) -> t.Any:
    """Return the wanted value, which most fields' options say in full."""
    return wanted


class Field(t.NamedTuple):
    """One setting.

    `option` and `api` are its names, `type` the option's type as Ansible calls it; the items of a
    list are taken as they are. `from_option(option, raw, warnings)` raises OptionError,
    `from_api(raw)` raises ValueError.

    What is `required` has to be given to create the object. `default` is what the API documents
    for creating it otherwise, as an option takes it; a setting without either is optional, and null
    where the server has none. `since` names the servers that have the setting, where older ones
    lack it. A `secret` is in no output. `resend` puts the field into every update.

    `switch` is the name of a second option, a boolean, that says what no value of the first can;
    `from_switch(raw, given)` returns the value that it stands for: `given` says whether the first
    option is given too, whose value then counts. In results `to_result(value)` is the value of the
    first option, and `to_switch(value)` that of the second; a diff shows `to_diff(value)`, if that
    is another. `resolve(current, wanted)` returns the wanted value where that depends on the
    current one (None: there is no object), and None where it asks for nothing. The two raise
    OptionError. `warning(current, value)` returns what to warn of where a run makes the one of the
    other, as a kind of warning.
    """

    option: str
    api: str
    type: str
    from_option: t.Callable[[str, t.Any, Warnings], t.Any]
    from_api: t.Callable[[t.Any], t.Any]
    required: bool = False
    default: t.Any = None
    since: str | None = None
    secret: bool = False
    to_api: t.Callable[[t.Any], t.Any] = unchanged
    to_result: t.Callable[[t.Any], t.Any] = unchanged
    to_diff: t.Callable[[t.Any], t.Any] | None = None
    same: t.Callable[[t.Any, t.Any], bool] = same
    resend: bool = False
    switch: str | None = None
    from_switch: t.Callable[[t.Any, bool], t.Any] | None = None
    to_switch: t.Callable[[t.Any], bool] | None = None
    resolve: t.Callable[[t.Any, t.Any], t.Any] = as_wanted
    warning: t.Callable[[t.Any, t.Any], str | None] | None = None

    def read(self, options: Values, warnings: Warnings) -> t.Any:
        """Return the value that options ask for, None where they don't. Raises OptionError."""
        try:
            return self._read(options, warnings)
        except OptionError:
            if not self.secret:
                raise
            # What is wrong with it may tell it.
            raise OptionError(f"{self.option} is not valid; give another secret.") from None

    def _read(self, options: Values, warnings: Warnings) -> t.Any:
        raw = options.get(self.option)
        switched = None
        if self.switch and self.from_switch and options.get(self.switch) is not None:
            switched = self.from_switch(options[self.switch], raw is not None)
        return switched if raw is None else self.from_option(self.option, raw, warnings)

    def read_api(self, raw: t.Any) -> t.Any:
        """Return the value of the API's field. Raises ValueError."""
        return None if raw is None and self.optional else self.from_api(raw)

    def results(self, value: t.Any) -> dict[str, t.Any]:
        """Return a value as options take it."""
        shown = {self.option: None if value is None else self.to_result(value)}
        if self.switch and self.to_switch:
            shown[self.switch] = self.to_switch(value)
        return shown

    def in_words(self, value: t.Any) -> str:
        """Return a value as a message has it: the option that says it, and what it says."""
        shown = {name: item for name, item in self.results(value).items() if item is not None}
        option = next(iter(shown), self.option)
        return f"{option} {quoted(shown[option])}" if shown else f"no {self.option}"

    @property
    def optional(self) -> bool:
        """Whether an object can be without the setting, which is null then."""
        return not self.required and self.default is None

    @property
    def needed(self) -> str:
        """The options of which creating the object needs one, as a message names them."""
        return f"{self.option} (or {self.switch})" if self.switch else self.option


class Settings:
    """A table of fields, as a whole.

    `title` is what people call the object. `check(given, otherwise, source)` refuses values that do
    not go together: `given` come from options, `otherwise` (from `source`) is what holds where an
    option is left out. It raises OptionError.
    """

    def __init__(
        self,
        title: str,
        fields: tuple[Field, ...],
        check: t.Callable[[Values, Values, str], None] | None = None,
    ) -> None:
        self.title = title
        self.fields = fields
        self._check = check

    def from_options(self, options: Values, warnings: Warnings) -> dict[str, t.Any]:
        """Return the values of the options that were given.

        Raises OptionError for the first that is not valid, or for values that do not go together.
        """
        values, errors = self.read_options(options, warnings)
        if errors:
            raise errors[0]
        return values

    def read_options(
        self, options: Values, warnings: Warnings
    ) -> tuple[dict[str, t.Any], list[OptionError]]:
        """Return the values of the options that were given and are valid, and what is not."""
        values = {}
        errors = []
        for field in self.fields:
            try:
                value = field.read(options, warnings)
            except OptionError as error:
                errors.append(error)
                continue
            if value is not None:
                values[field.option] = value
        try:
            self.check(values, {})
        except OptionError as error:
            errors.append(error)
        return values, errors

    def check(self, given: Values, otherwise: Values, source: str = "stored") -> None:
        """Refuse values that do not go together. Raises OptionError."""
        if self._check:
            self._check(given, otherwise, source)

    def from_api(self, body: Values) -> dict[str, t.Any]:
        """Return the values in an object of the API. Raises ValueError if it is not one."""
        values = {}
        for field in self.fields:
            if field.api in body:
                values[field.option] = field.read_api(body[field.api])
            elif not field.since:
                raise ValueError(f"no {field.api}")
        return values

    def to_api(self, values: Values) -> dict[str, t.Any]:
        """Return a request body with the values."""
        return {
            field.api: field.to_api(values[field.option])
            for field in self.fields
            if values.get(field.option) is not None
        }

    def to_result(self, values: Values) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
        """Return the values as options take them, and apart those that no option takes.

        Of these the first has null.
        """
        shown: dict[str, t.Any] = {}
        stored: dict[str, t.Any] = {}
        for field in self.fields:
            if field.option not in values or field.secret:
                continue
            result = field.results(values[field.option])
            # What is blank counts as left out.
            blank = isinstance(result[field.option], str) and not trim(result[field.option])
            try:
                field.read(result, Warnings())
                taken = not blank and not any(map(no_value, texts_in(result[field.option])))
            except OptionError:
                taken = False
            if not taken:
                stored[field.option] = result[field.option]
                result[field.option] = None
            shown.update(result)
        return shown, stored

    def to_diff(self, values: Values) -> dict[str, t.Any]:
        """Return the values as a diff shows them."""
        shown: dict[str, t.Any] = {}
        for field in self.fields:
            if field.option not in values:
                continue
            value = values[field.option]
            if field.secret:
                shown[field.option] = None if value is None else HIDDEN
            else:
                shown.update(field.results(value))
                if field.to_diff:
                    shown[field.option] = field.to_diff(value)
        return shown

    def missing(self, wanted: Values) -> list[str]:
        """Return the options that creating the object needs besides the wanted values."""
        return [
            field.needed for field in self.fields if field.required and field.option not in wanted
        ]

    def defaults(self) -> dict[str, t.Any]:
        """Return the values of an object that is created where a field is left out.

        They are those that the API documents, and None for what is optional.
        """
        values: dict[str, t.Any] = {}
        for field in self.fields:
            if field.optional:
                values[field.option] = None
            elif not field.required:
                values[field.option] = field.from_option(field.option, field.default, Warnings())
        return values

    def to_create(self, values: Values, wanted: Values) -> dict[str, t.Any]:
        """Return those of the values that are sent to create an object.

        What older servers lack is, unless it is wanted, none of them: it would be dropped.
        """
        return {
            field.option: values[field.option]
            for field in self.fields
            if values.get(field.option) is not None and (field.option in wanted or not field.since)
        }

    def resent(self, values: Values) -> dict[str, t.Any]:
        """Return those of the values that go into every update."""
        return {field.option: values[field.option] for field in self.fields if field.resend}

    def resolved(self, current: Values | None, wanted: Values) -> dict[str, t.Any]:
        """Return the wanted values, those that depend on the current ones worked out.

        Raises OptionError, also for what the server does not have.
        """
        values = {}
        for field in self.fields:
            if field.option not in wanted:
                continue
            if current is not None and field.option not in current:
                raise OptionError(
                    f"{field.option} is set, but this server does not support it; remove it, or"
                    f" upgrade the server to a version from {field.since} or later."
                )
            before = current[field.option] if current else None
            value = field.resolve(before, wanted[field.option])
            if value is not None:
                values[field.option] = value
        return values

    def warn_of_change(
        self, subject: str, current: Values | None, values: Values | None, warnings: Warnings
    ) -> None:
        """Note what to warn of where a run gives an object these values; None: there is none."""
        for field in self.fields:
            if field.warning and values and field.option in values:
                before = current.get(field.option) if current else None
                kind = field.warning(before, values[field.option])
                if kind:
                    warnings.add(kind, subject)

    def differing(self, current: Values, wanted: Values) -> dict[str, t.Any]:
        """Return the wanted values whose meaning is not that of the current ones."""
        return {
            field.option: wanted[field.option]
            for field in self.fields
            if field.option in wanted
            and not _same(field, current.get(field.option), wanted[field.option])
        }

    def in_words(self, current: Values, wanted: Values) -> str:
        """Return how values differ from the wanted ones, for a message."""
        parts = []
        for field in self.fields:
            if field.option not in wanted:
                continue
            if field.secret:
                parts.append(f"another {field.option}")
                continue
            found = field.in_words(current.get(field.option))
            if field.since and field.option not in current:
                found += f" (servers have it from {field.since} on)"
            parts.append(f"{found} instead of {field.in_words(wanted[field.option])}")
        return " and ".join(parts)


def _same(field: Field, current: t.Any, wanted: t.Any) -> bool:
    if current is None or wanted is None:
        return current is wanted
    return field.same(current, wanted)


def text_option(option: str, raw: t.Any, _warnings: Warnings) -> str:
    """Read an option that is a text."""
    text = trim(raw)
    refuse_nul(option, text)
    return text


def uuid_option(option: str, raw: t.Any, warnings: Warnings) -> str:
    """Read an option that is a UUID, as ids of Entra always are."""
    return uuid_of(option, text_option(option, raw, warnings))


def uuid_of(source: str, text: str) -> str:
    """Return a UUID in lower case with hyphens. Raises OptionError, naming the source."""
    canonical = uuid_or_none(text)
    if canonical:
        return canonical
    if _SEVERAL.search(text):
        raise OptionError(f"{source} {quoted(text)} contains several ids; write only one.")
    raise OptionError(
        f"{source} {quoted(text)} is not a UUID; write one such as"
        " '6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b'."
    )


def whole_number(lowest: int, highest: int, unit: str) -> t.Callable[[str, t.Any, Warnings], int]:
    """Return a reader of options that are whole numbers in a range."""

    def read(option: str, raw: t.Any, _warnings: Warnings) -> int:
        # Ansible takes a boolean for an integer, because Python does.
        if isinstance(raw, bool) or not lowest <= raw <= highest:
            raise OptionError(
                f"{option} is {quoted(raw)}; write a whole number of {unit}"
                f" from {lowest} to {highest}."
            )
        return int(raw)

    return read


def flag_option(option: str, raw: t.Any, _warnings: Warnings) -> bool:
    """Read an option that is a boolean."""
    if not isinstance(raw, bool):
        raise OptionError(f"{option} is {quoted(raw)}; write true or false.")
    return raw


def list_item(option: str, index: int, raw: t.Any, what: str) -> str:
    """Read one item of a list of texts, trimmed. Raises OptionError if it is none, or blank."""
    if not isinstance(raw, str):
        raise OptionError(
            f"{option}[{index}] is {quoted(raw)}, which is not a string; write {what}."
        )
    text = trim(raw)
    if not text:
        raise OptionError(f"{option}[{index}] is blank; write {what}, or remove the item.")
    refuse_nul(f"{option}[{index}]", text)
    return text


def networks_option(option: str, raw: t.Any, warnings: Warnings) -> tuple[Network, ...]:
    """Read a list of addresses and networks, without repetitions, in the order given."""
    if not raw:
        raise OptionError(
            f"{option} is an empty list; list at least one address or network, or '0.0.0.0/0' and"
            " '::/0' to allow every address."
        )
    networks: dict[Network, None] = {}
    for index, item in enumerate(raw):
        if isinstance(item, dict) and isinstance(item.get("ipAddress"), str):
            raise OptionError(
                f"{option}[{index}] is a dictionary; write the string '{_network_text(item)}'."
            )
        text = list_item(option, index, item, "an address such as '192.0.2.7' or '192.0.2.0/24'")
        try:
            network, dropped = parse(text)
        except ValueError as why:
            raise OptionError(
                f"{option}[{index}] {quoted(text)} {why};"
                " write an address or network such as '192.0.2.7' or '192.0.2.0/24'."
            ) from None
        if dropped:
            warnings.add(HOST_BITS, f"{text} is {network.text}")
        networks[network] = None
    if parse("0.0.0.0/0")[0] not in networks:
        for network in filter(opens_ipv4, networks):
            warnings.add(OPENS_IPV4, network.text)
    return tuple(networks)


def networks_from_api(raw: t.Any) -> tuple[Network, ...]:
    """Read `accessTokenTrustedIps` of the API, without repetitions."""
    if not isinstance(raw, list) or not all(isinstance(item, dict) for item in raw):
        raise ValueError("accessTokenTrustedIps is not a list of objects")
    return tuple(dict.fromkeys(stored(item) for item in raw))


def same_networks(one: t.Iterable[Network], other: t.Iterable[Network]) -> bool:
    """Return whether two lists name the same networks, compared one by one and never merged."""
    return set(one) == set(other)


def text_from_api(raw: t.Any) -> str:
    """Read a text of the API."""
    if not isinstance(raw, str):
        raise ValueError("a text is of another type")
    return raw


def number_from_api(raw: t.Any) -> int:
    """Read a whole number of the API, which may be written as 7200.0."""
    if isinstance(raw, float) and raw.is_integer():
        return int(raw)
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise ValueError("a whole number is of another type")
    return raw


def flag_from_api(raw: t.Any) -> bool:
    """Read a boolean of the API."""
    if not isinstance(raw, bool):
        raise ValueError("a boolean is of another type")
    return raw


def _network_text(item: t.Mapping[str, t.Any]) -> str:
    """Return the string to write for a trusted IP in the API's shape."""
    address, prefix = item["ipAddress"], item.get("prefix")
    text = address if prefix is None or "/" in address else f"{address}/{prefix}"
    return quoted(text)[1:-1]


_seconds = whole_number(0, MAX_SECONDS, "seconds")

# What every auth method of an identity has: how its access tokens behave.
TOKEN_FIELDS = (
    Field(
        "access_token_trusted_ips",
        "accessTokenTrustedIps",
        "list",
        networks_option,
        networks_from_api,
        default=("0.0.0.0/0", "::/0"),
        to_api=lambda networks: [{"ipAddress": network.text} for network in networks],
        to_result=lambda networks: [network.text for network in networks],
        same=same_networks,
    ),
    Field(
        "access_token_ttl",
        "accessTokenTTL",
        "int",
        _seconds,
        number_from_api,
        default=DEFAULT_SECONDS,
    ),
    Field(
        "access_token_max_ttl",
        "accessTokenMaxTTL",
        "int",
        _seconds,
        number_from_api,
        default=DEFAULT_SECONDS,
    ),
    Field(
        "access_token_num_uses_limit",
        "accessTokenNumUsesLimit",
        "int",
        whole_number(0, MAX_USES, "uses"),
        number_from_api,
        default=0,
    ),
)
