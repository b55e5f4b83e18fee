# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the auth methods of a machine identity have in common.

An auth method is a row of constants and a table of fields. A field knows one setting in its three
spellings: the option of the module, the field of the API, and the value in between, on which
everything is decided. The rooms that plan, write and report go through the table, and so know no
method by name.
"""

from __future__ import annotations

import re
import typing as t

from .._errors import OptionError
from .._text import quoted, refuse_nul, trim, uuid_or_none
from .networks import Network, opens_ipv4, parse, stored
from .warnings import Notes

# Generations of servers, as far as plans depend on them: since 2025, several auth methods an
# identity and lifetimes of 0; before, neither. See Identity and Attached in _server/api.py for what tells.
CURRENT = "since 2025"
LEGACY = "2024"

MAX_SECONDS = 315360000
MAX_USES = 2**53 - 1
DEFAULT_SECONDS = 2592000

HOST_BITS = "access_token_trusted_ips: host bits were dropped from {count} of the networks: {items}"
OPENS_IPV4 = (
    "access_token_trusted_ips lists {count} IPv6 network(s) that also admit every IPv4 address,"
    " without listing 0.0.0.0/0: {items}. Leave them out to limit IPv4"
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
    """One setting of an auth method.

    `option` and `api` are its names. `from_option(option, raw, notes)` raises OptionError,
    `from_api(raw)` raises ValueError. `default` is what the API documents for attaching, as an
    option takes it; a field without one is required to attach. `resend` puts the field into every
    update.

    `switch` is the name of a second option, a boolean, that says what no value of the first can;
    `from_switch(raw, given)` returns the value that it stands for: `given` says whether the first
    option is given too, whose value then counts. In results `to_result(value)` is the value of the
    first option, and `to_switch(value)` that of the second. `resolve(current, wanted)` returns the
    wanted value where that depends on the current one (None: not attached), and None where it asks
    for nothing. The two raise OptionError. `warning(current, value)` returns what to warn of where
    a run makes the one of the other, as a kind of note.
    """

    option: str
    api: str
    from_option: t.Callable[[str, t.Any, Notes], t.Any]
    from_api: t.Callable[[t.Any], t.Any]
    default: t.Any = None
    to_api: t.Callable[[t.Any], t.Any] = unchanged
    to_result: t.Callable[[t.Any], t.Any] = unchanged
    same: t.Callable[[t.Any, t.Any], bool] = same
    resend: bool = False
    switch: str | None = None
    from_switch: t.Callable[[t.Any, bool], t.Any] | None = None
    to_switch: t.Callable[[t.Any], bool] | None = None
    resolve: t.Callable[[t.Any, t.Any], t.Any] = as_wanted
    warning: t.Callable[[t.Any, t.Any], str | None] | None = None

    def read(self, options: Values, notes: Notes) -> t.Any:
        """Return the value that options ask for, None where they don't. Raises OptionError."""
        raw = options.get(self.option)
        switched = None
        if self.switch and self.from_switch and options.get(self.switch) is not None:
            switched = self.from_switch(options[self.switch], raw is not None)
        return switched if raw is None else self.from_option(self.option, raw, notes)

    def results(self, value: t.Any) -> dict[str, t.Any]:
        """Return a value as options take it."""
        shown = {self.option: self.to_result(value)}
        if self.switch and self.to_switch:
            shown[self.switch] = self.to_switch(value)
        return shown

    def told(self, value: t.Any) -> str:
        """Return a value as a message has it: the option that says it, and what it says."""
        option, shown = next(item for item in self.results(value).items() if item[1] is not None)
        return f"{option} {quoted(shown)}"

    @property
    def required(self) -> str:
        """The options of which attaching needs one, as a message names them."""
        return f"{self.option} (or {self.switch})" if self.switch else self.option


class AuthMethod(t.NamedTuple):
    """An auth method of identities.

    `name` is what the API calls it in paths and in `authMethods`, `title` what people call it,
    `envelope` the key that wraps the object in answers.
    """

    name: str
    title: str
    envelope: str
    fields: tuple[Field, ...]

    @property
    def key(self) -> str:
        """The name as options and results spell it."""
        return self.name.replace("-", "_")

    def from_options(self, options: Values, notes: Notes) -> dict[str, t.Any]:
        """Return the values of the options that were given.

        Raises OptionError for the first that is not valid, or for a TTL above the max.
        """
        values, errors = self.read_options(options, notes)
        if errors:
            raise errors[0]
        return values

    def read_options(
        self, options: Values, notes: Notes
    ) -> tuple[dict[str, t.Any], list[OptionError]]:
        """Return the values of the options that were given and are valid, and what is not."""
        values = {}
        errors = []
        for field in self.fields:
            try:
                value = field.read(options, notes)
            except OptionError as error:
                errors.append(error)
                continue
            if value is not None:
                values[field.option] = value
        if "access_token_ttl" in values and "access_token_max_ttl" in values:
            try:
                check_lifetimes(values, {})
            except OptionError as error:
                errors.append(error)
        return values, errors

    def from_api(self, body: Values) -> dict[str, t.Any]:
        """Return the values in an object of the API. Raises ValueError if it is not one."""
        values = {}
        for field in self.fields:
            if field.api not in body:
                raise ValueError(f"no {field.api}")
            values[field.option] = field.from_api(body[field.api])
        return values

    def to_api(self, values: Values) -> dict[str, t.Any]:
        """Return a request body with the values."""
        return {
            field.api: field.to_api(values[field.option])
            for field in self.fields
            if field.option in values
        }

    def to_result(self, values: Values) -> dict[str, t.Any]:
        """Return the values as the user sees them, which is how the options take them."""
        return {
            option: shown
            for field in self.fields
            for option, shown in field.results(values[field.option]).items()
        }

    def defaults(self) -> dict[str, t.Any]:
        """Return the values that the API documents for attaching where a field is left out."""
        return {
            field.option: field.from_option(field.option, field.default, Notes())
            for field in self.fields
            if field.default is not None
        }

    def resolved(self, current: Values | None, wanted: Values) -> dict[str, t.Any]:
        """Return the wanted values, those that depend on the current ones worked out.

        Raises OptionError.
        """
        values = {
            field.option: field.resolve(
                current[field.option] if current else None, wanted[field.option]
            )
            for field in self.fields
            if field.option in wanted
        }
        return {option: value for option, value in values.items() if value is not None}

    def note_change(
        self, subject: str, current: Values | None, values: Values | None, notes: Notes
    ) -> None:
        """Note what to warn of where a run gives an identity these values; None: not attached."""
        for field in self.fields:
            if field.warning and values:
                before = current[field.option] if current else None
                kind = field.warning(before, values[field.option])
                if kind:
                    notes.add(kind, subject)

    def differing(self, current: Values, wanted: Values) -> dict[str, t.Any]:
        """Return the wanted values whose meaning is not that of the current ones."""
        return {
            field.option: wanted[field.option]
            for field in self.fields
            if field.option in wanted
            and not field.same(current[field.option], wanted[field.option])
        }


def text_option(option: str, raw: t.Any, _notes: Notes) -> str:
    """Read an option that is a text."""
    text = trim(raw)
    refuse_nul(option, text)
    return text


def uuid_option(option: str, raw: t.Any, notes: Notes) -> str:
    """Read an option that is a UUID, as ids of Entra always are."""
    return uuid_of(option, text_option(option, raw, notes))


def uuid_of(source: str, text: str) -> str:
    """Return a UUID in lower case with hyphens. Raises OptionError, naming the source."""
    canonical = uuid_or_none(text)
    if canonical:
        return canonical
    if _SEVERAL.search(text):
        raise OptionError(f"{source} {quoted(text)} has several ids in it; write one id an item.")
    raise OptionError(
        f"{source} {quoted(text)} is not a UUID; write one such as"
        " '6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b'."
    )


def whole_number(lowest: int, highest: int, unit: str) -> t.Callable[[str, t.Any, Notes], int]:
    """Return a reader of options that are whole numbers in a range."""

    def read(option: str, raw: t.Any, _notes: Notes) -> int:
        # Ansible takes a boolean for an integer, because Python does.
        if isinstance(raw, bool) or not lowest <= raw <= highest:
            raise OptionError(
                f"{option} is {quoted(raw)}; write a whole number of {unit}"
                f" from {lowest} to {highest}."
            )
        return int(raw)

    return read


def list_item(option: str, index: int, raw: t.Any, what: str) -> str:
    """Read one item of a list of texts, trimmed. Raises OptionError if it is none, or blank."""
    if not isinstance(raw, str):
        raise OptionError(
            f"{option}[{index}] is {quoted(raw)}, which is not a string; write {what}."
        )
    text = trim(raw)
    if not text:
        raise OptionError(f"{option}[{index}] is blank; write {what}, or leave the item out.")
    refuse_nul(f"{option}[{index}]", text)
    return text


def networks_option(option: str, raw: t.Any, notes: Notes) -> tuple[Network, ...]:
    """Read a list of addresses and networks, without repetitions, in the order given."""
    if not raw:
        raise OptionError(
            f"{option} is an empty list; give at least one address or network,"
            " '0.0.0.0/0' and '::/0' for everywhere."
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
            notes.add(HOST_BITS, f"{text} is {network.text}")
        networks[network] = None
    if parse("0.0.0.0/0")[0] not in networks:
        for network in filter(opens_ipv4, networks):
            notes.add(OPENS_IPV4, network.text)
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


def check_lifetimes(given: Values, otherwise: Values, source: str = "stored") -> None:
    """Refuse a TTL above the max, unless the max is 0, which is none.

    `given` comes from options, `otherwise` (from `source`) is what holds where an option is left
    out. Raises OptionError that names both numbers and where each comes from.
    """
    names = ("access_token_ttl", "access_token_max_ttl")
    ttl, max_ttl = ({**otherwise, **given}[name] for name in names)
    if max_ttl == 0 or ttl <= max_ttl:
        return
    ttl_source, max_source = ("given" if name in given else source for name in names)
    raise OptionError(
        f"access_token_ttl {ttl} ({ttl_source}) is above access_token_max_ttl {max_ttl}"
        f" ({max_source}); set both so that the first is not above the second,"
        " or access_token_max_ttl to 0 for no maximum."
    )


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
        _seconds,
        number_from_api,
        default=DEFAULT_SECONDS,
    ),
    Field(
        "access_token_max_ttl",
        "accessTokenMaxTTL",
        _seconds,
        number_from_api,
        default=DEFAULT_SECONDS,
    ),
    Field(
        "access_token_num_uses_limit",
        "accessTokenNumUsesLimit",
        whole_number(0, MAX_USES, "uses"),
        number_from_api,
        default=0,
    ),
)
