# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parameters that Ansible passes to a module, processed before Ansible checks them.

Ansible includes a module's parameters in every result, even if it refuses one of them itself.
Therefore secrets, and all values that may be secrets by mistake, are removed first. Blanks, which
AWX writes for empty inputs, are removed too.
"""

from __future__ import annotations

import re
import typing as t

from ansible.module_utils.common.validation import check_type_dict

from .._errors import OptionError
from .._server.connection import base_url
from .._state.fields import HIDDEN, Values
from .._text import has_template, trim
from .options import (
    CONNECTION_SPEC,
    Reader,
    Spec,
    absent,
    read_values,
    reader_of_type,
    spec_by_name,
    unknown_option,
)

_URL, _LOGIN_DATA, _TOKEN = "url", "login_data", "access_token"
_KEY = re.compile(r"[a-z_]{1,40}", re.ASCII)


class Parameters(t.NamedTuple):
    """Parameters, split into public and secret ones.

    `public` has those for Ansible, including its own. `secret` has the secret options that have a
    value; for an option with suboptions, a dictionary of the secret ones. `problems` has a sentence
    about each mistake.
    """

    public: dict[str, t.Any]
    secret: dict[str, t.Any]
    problems: list[str]

    @property
    def of_settings(self) -> frozenset[str]:
        """The secrets among the settings that a module manages, without those of logins."""
        return frozenset(
            text
            for option, value in self.secret.items()
            if option not in CONNECTION_SPEC
            for text in (value.values() if isinstance(value, dict) else [value])
        )

    def with_secrets(self, options: Values) -> dict[str, t.Any]:
        """Return a module's options, including the secret ones."""
        return self._with(options, self.secret)

    def shown(self, arguments: Values) -> dict[str, t.Any]:
        """Return a module's arguments as results show them, with secrets masked."""
        hidden = {
            option: dict.fromkeys(value, HIDDEN) if isinstance(value, dict) else HIDDEN
            for option, value in self.secret.items()
        }
        return self._with(arguments, hidden)

    @staticmethod
    def _with(options: Values, others: Values) -> dict[str, t.Any]:
        merged = dict(options)
        for option, value in others.items():
            # Ansible may have put null in place of each missing suboption.
            nested = isinstance(value, dict)
            merged[option] = {**(options.get(option) or {}), **value} if nested else value
        return merged


def settle(given: Values, spec: Spec) -> Parameters:
    """Split the given parameters by the options of a spec."""
    own = {key: raw for key, raw in given.items() if key.startswith("_ansible_")}
    by_name = spec_by_name(spec)
    known = {key: raw for key, raw in given.items() if key in by_name}
    unknown = [key for key in given if key not in own and key not in by_name]
    problems = [unknown_option(key, by_name, "this module") for key in unknown]
    values, wrong = read_values(known, lambda option: _reader(option, by_name[option]))
    public = {**own, **dict.fromkeys(unknown, HIDDEN)}
    secret = {}
    for option, value in values.items():
        details = by_name[option]
        hidden = [key for key, sub in details.get("options", {}).items() if sub.get("no_log")]
        if details.get("no_log"):
            secret[option] = value
        elif hidden and isinstance(value, dict):
            public[option] = {key: item for key, item in value.items() if key not in hidden}
            apart = {key: item for key, item in value.items() if key in hidden}
            if apart:
                secret[option] = apart
        else:
            public[option] = value
    # Let Ansible refuse these too, so that ansible-lint finds them.
    public.update(
        (option, HIDDEN)
        for option in wrong
        if not _is_secret(by_name[option])
        and option != _URL
        and (by_name[option].get("required") or not _by_templates(option, known, by_name))
    )
    return Parameters(public, secret, [*problems, *wrong.values()])


def _by_templates(option: str, given: Values, by_name: Spec) -> bool:
    """Return whether only templates make an option invalid: ansible-lint does not render them."""
    raw = given[option]
    if not isinstance(raw, dict):
        return has_template(raw)
    rest = {key: None if has_template(value) else value for key, value in raw.items()}
    _values, wrong = read_values({option: rest}, lambda key: _reader(key, by_name[key]))
    return not wrong


def _is_secret(details: t.Mapping[str, t.Any]) -> bool:
    """Return whether an option is a secret or contains one."""
    return bool(details.get("no_log")) or any(map(_is_secret, details.get("options", {}).values()))


def _reader(option: str, details: t.Mapping[str, t.Any]) -> Reader:
    if option == _LOGIN_DATA:
        return _login_data
    if option == _URL:
        return _url
    if "options" in details:
        return lambda name, raw: _dictionary(name, raw, details["options"])
    return reader_of_type(details)


def _dictionary(option: str, raw: t.Any, spec: Spec) -> dict[str, t.Any]:
    """Read an option with suboptions. Raises OptionError with all mistakes."""
    if isinstance(raw, str):
        reader_of_type({"type": "str"})(option, raw)
        try:
            raw = check_type_dict(trim(raw))
        except TypeError:
            raise OptionError(f"{option} is a string, not a dictionary; write one.") from None
    if not isinstance(raw, dict):
        raise OptionError(
            f"{option} is not a dictionary; write one with the keys {', '.join(spec)}."
        )
    problems = [unknown_option(key, spec, option) for key in raw if key not in spec]
    known = {key: value for key, value in raw.items() if key in spec}
    values, wrong = read_values(known, lambda key: _reader(key, spec[key]))
    problems += [f"{option}: {problem}" for problem in wrong.values()]
    if problems:
        raise OptionError(" ".join(problems))
    return values


def _url(option: str, raw: t.Any) -> str:
    """Return a URL unchanged. Raises OptionError without anything that may be a secret."""
    if not isinstance(raw, str):
        raise OptionError(
            f"{option} is not a string; write the URL of the server, such as"
            " 'https://app.infisical.com'."
        )
    base_url(option, raw)
    return raw


def _login_data(option: str, raw: t.Any) -> dict[str, str]:
    """Read a login. Raises OptionError without anything that may be a secret."""
    cure = (
        f"set {option} to the value that infisical_login returned, as in"
        f" {option}: '{{{{ login.{option} }}}}'"
    )
    if isinstance(raw, str) and trim(raw).startswith("{"):
        try:
            raw = check_type_dict(trim(raw))
        except TypeError:
            raise OptionError(f"{option} is a string, not a dictionary; {cure}.") from None
    if not isinstance(raw, dict):
        raise OptionError(f"{option} is not a dictionary; {cure}.")
    if option in raw:
        raise OptionError(
            "login_data is the whole result of the login; set it to login.login_data, which is a"
            " part of that result."
        )
    others = [
        key if isinstance(key, str) and _KEY.fullmatch(key) else "a key that is not shown"
        for key in raw
        if key not in (_URL, _TOKEN)
    ]
    if others:
        raise OptionError(
            f"{option} has keys other than {_URL} and {_TOKEN} ({', '.join(others)}); {cure}."
        )
    login = {}
    for key in (_URL, _TOKEN):
        value = raw.get(key)
        if absent(value):
            continue
        if not isinstance(value, str):
            raise OptionError(f"{option}.{key} is not a string; {cure}.")
        if key == _URL and not _is_url(value):
            # It may be the token, in the wrong place.
            raise OptionError(f"login_data.url is not the URL of a server; {cure}.")
        login[key] = value
    return login


def _is_url(text: str) -> bool:
    try:
        base_url("", text)
    except OptionError:
        return False
    return True
