# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings as a table of fields. Each field describes one setting.

A setting has three forms: the option, the field of the API, and the internal value, on which all
decisions are made. Argument specs, entries, results, diffs, requests and comparisons use the table
and know no setting by name.
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

# Shown in place of a secret.
HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"

HOST_BITS = "access_token_trusted_ips: host bits were dropped from {count} of the networks: {items}"
OPENS_IPV4 = (
    "access_token_trusted_ips lists {count} IPv6 network(s) that also allow every IPv4 address,"
    " although it does not list 0.0.0.0/0: {items}. Remove them to restrict IPv4 addresses"
)

Values = t.Mapping[str, t.Any]

# The separators between IDs in a text with several IDs.
_SEVERAL = re.compile(r"\w[\s,;]+\w")


def same(one: t.Any, other: t.Any) -> bool:
    """Return whether two values are equal: the meaning of most fields."""
    return bool(one == other)


def unchanged(value: t.Any) -> t.Any:
    """Return the value unchanged."""
    return value


def as_wanted(_current: t.Any, wanted: t.Any) -> t.Any:
    """Return the wanted value. For most fields it does not depend on the current one."""
    return wanted


class Field(t.NamedTuple):
    """One setting.

    `option` and `api` are its names, `type` is Ansible's type of the option. List items are raw.
    `from_option(option, raw, warnings)` raises OptionError, `from_api(raw)` raises ValueError.

    A `required` setting must be set to create the object. `default` is the API's documented default
    for a new object, in the form of the option. A setting without either is optional, and null if
    the server has no value. `since` says when servers got the setting, if older ones lack it. A
    `secret` is never in any output. `resend` adds the field to every update.

    `switch` is the name of a second, boolean option, for a value that the first cannot express.
    `from_switch(raw, given)` returns that value; `given` says that the first option is set too, and
    then the value of the first counts. In results, the first option has `to_result(value)` and the
    second `to_switch(value)`. A diff shows `to_diff(value)`, if it differs. `resolve(current,
    wanted)` returns the wanted value if it depends on the current one (None: there is no object),
    or None to keep the current one. Both raise OptionError. `warning(current, value)` returns the
    kind of warning for a run that changes the one into the other, or None.
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
        """Return the value that options ask for, or None. Raises OptionError."""
        try:
            return self._read(options, warnings)
        except OptionError:
            if not self.secret:
                raise
            # The message could reveal the secret.
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
        """Return a value in the form of options."""
        shown = {self.option: None if value is None else self.to_result(value)}
        if self.switch and self.to_switch:
            shown[self.switch] = self.to_switch(value)
        return shown

    def in_words(self, value: t.Any) -> str:
        """Return a value for a message: the option and its value."""
        shown = {name: item for name, item in self.results(value).items() if item is not None}
        option = next(iter(shown), self.option)
        return f"{option} {quoted(shown[option])}" if shown else f"no {self.option}"

    @property
    def optional(self) -> bool:
        """Whether an object can lack the setting, which is null then."""
        return not self.required and self.default is None

    @property
    def needed(self) -> str:
        """The options that set the value, as a message lists them."""
        return f"{self.option} (or {self.switch})" if self.switch else self.option


class Settings:
    """A table of fields, as a whole.

    `title` is the name of the object in messages. `check(given, otherwise, source)` refuses values
    that contradict each other: `given` come from options, `otherwise` (from `source`) are used for
    options that are not set. It raises OptionError.
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
        """Return the values of the options that are set.

        Raises OptionError for the first invalid option, or for values that contradict each other.
        """
        values, errors = self.read_options(options, warnings)
        if errors:
            raise errors[0]
        return values

    def read_options(
        self, options: Values, warnings: Warnings
    ) -> tuple[dict[str, t.Any], list[OptionError]]:
        """Return the values of the valid options, and an error for each invalid one."""
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
        """Refuse values that contradict each other. Raises OptionError."""
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
        """Return the values in the form of options, and separately those that no option accepts.

        The latter are null in the former.
        """
        shown: dict[str, t.Any] = {}
        stored: dict[str, t.Any] = {}
        for field in self.fields:
            if field.option not in values or field.secret:
                continue
            result = field.results(values[field.option])
            # A blank option counts as not set.
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
        """Return the options that a new object needs in addition to the wanted values."""
        return [
            field.needed for field in self.fields if field.required and field.option not in wanted
        ]

    def defaults(self) -> dict[str, t.Any]:
        """Return the values of the settings of a new object that are not sent.

        They are the API's documented defaults, and None for optional settings.
        """
        values: dict[str, t.Any] = {}
        for field in self.fields:
            if field.optional:
                values[field.option] = None
            elif not field.required:
                values[field.option] = field.from_option(field.option, field.default, Warnings())
        return values

    def to_create(self, values: Values, wanted: Values) -> dict[str, t.Any]:
        """Return the values to send to create an object.

        A setting that older servers lack is sent only if it is wanted.
        """
        return {
            field.option: values[field.option]
            for field in self.fields
            if values.get(field.option) is not None and (field.option in wanted or not field.since)
        }

    def resent(self, values: Values) -> dict[str, t.Any]:
        """Return the values that go into every update."""
        return {field.option: values[field.option] for field in self.fields if field.resend}

    def resolved(self, current: Values | None, wanted: Values) -> dict[str, t.Any]:
        """Return the wanted values, with those resolved that depend on the current ones.

        Raises OptionError, also for settings that the server does not support.
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
        """Collect warnings about a run that gives an object these values (None: no object)."""
        for field in self.fields:
            if field.warning and values and field.option in values:
                before = current.get(field.option) if current else None
                kind = field.warning(before, values[field.option])
                if kind:
                    warnings.add(kind, subject)

    def differing(self, current: Values, wanted: Values) -> dict[str, t.Any]:
        """Return the wanted values that differ in meaning from the current ones."""
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
    """Read an option that is a string."""
    text = trim(raw)
    refuse_nul(option, text)
    return text


def uuid_option(option: str, raw: t.Any, warnings: Warnings) -> str:
    """Read an option that is a UUID, such as an ID in Entra."""
    return uuid_of(option, text_option(option, raw, warnings))


def uuid_of(source: str, text: str) -> str:
    """Return a UUID in lower case with hyphens. Raises OptionError, naming the source."""
    canonical = uuid_or_none(text)
    if canonical:
        return canonical
    if _SEVERAL.search(text):
        raise OptionError(f"{source} {quoted(text)} contains several IDs; write only one.")
    raise OptionError(
        f"{source} {quoted(text)} is not a UUID; write one such as"
        " '6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b'."
    )


def whole_number(lowest: int, highest: int, unit: str) -> t.Callable[[str, t.Any, Warnings], int]:
    """Return a reader for options that are whole numbers in a range."""

    def read(option: str, raw: t.Any, _warnings: Warnings) -> int:
        # Ansible accepts a boolean as an integer, because Python does.
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
    """Read and trim one item of a list of strings. Raises OptionError, also if it is blank."""
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
    """Read a list of addresses and networks, in the given order and without duplicates."""
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
    """Read `accessTokenTrustedIps` of the API, without duplicates."""
    if not isinstance(raw, list) or not all(isinstance(item, dict) for item in raw):
        raise ValueError("accessTokenTrustedIps is not a list of objects")
    return tuple(dict.fromkeys(stored(item) for item in raw))


def same_networks(one: t.Iterable[Network], other: t.Iterable[Network]) -> bool:
    """Return whether two lists contain the same networks. Networks are never merged."""
    return set(one) == set(other)


def text_from_api(raw: t.Any) -> str:
    """Read a string of the API."""
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

# The settings for access tokens, which every auth method has.
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
