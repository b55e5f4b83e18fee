# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Argument specs of the modules, built from tables of fields, and reading of raw options."""

from __future__ import annotations

import re
import typing as t

from .._errors import OptionError
from .._state.fields import Settings, Values
from .._text import no_value, quoted, refuse_nul, trim, uuid_or_none

Spec = dict[str, dict[str, t.Any]]

# auth_method has no choices, because a blank must count as absent: AWX fills unused inputs with
# blanks.
CONNECTION_SPEC: Spec = {
    "url": {"type": "str"},
    "ca_path": {"type": "path"},
    "validate_certs": {"type": "bool", "default": True},
    "timeout": {"type": "float", "default": 30},
    "retries": {"type": "int", "default": 3},
    "rate_limit_timeout": {"type": "float", "default": 300},
    "organization_slug": {"type": "str"},
    "auth_method": {"type": "str"},
    "token": {"type": "str", "no_log": True},
    "universal_auth_client_id": {"type": "str"},
    "universal_auth_client_secret": {"type": "str", "no_log": True},
    "auth_identity_id": {"type": "str"},
    "jwt": {"type": "str", "no_log": True},
    "azure_resource": {"type": "str"},
    "azure_client_id": {"type": "str"},
    "azure_identity_object_id": {"type": "str"},
    "azure_identity_resource_id": {"type": "str"},
    "ldap_username": {"type": "str"},
    "ldap_password": {"type": "str", "no_log": True},
    "login_data": {
        "type": "dict",
        "options": {
            "url": {"type": "str"},
            "access_token": {"type": "str", "no_log": True},
        },
    },
}

STATE_SPEC: Spec = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}

# Results add details. Options accept and ignore them, so that results can be given back.
DETAILS_SPEC: Spec = {"details": {"type": "dict"}}

IDENTITY_NAME_SPEC: Spec = {
    "identity_id": {"type": "str"},
    "identity_name": {"type": "str"},
    "project_id": {"type": "str"},
}

MAX_CONCURRENCY = 64

CONCURRENCY_SPEC: Spec = {"concurrency": {"type": "int", "default": 8}}

# Items are raw, because Ansible would convert null and dictionaries to strings.
LIST = {"type": "list", "elements": "raw"}

Reader = t.Callable[[str, t.Any], t.Any]


def spec_of(settings: Settings, *, api_names: bool = False) -> Spec:
    """Return the argument spec of a table of fields; with `api_names`, with these as aliases."""
    spec: Spec = {}
    for field in settings.fields:
        # Names such as access_token_ttl look like secrets to Ansible.
        details: dict[str, t.Any] = {"type": field.type, "no_log": field.secret}
        if field.type == "list":
            details.update(LIST)
        if api_names:
            details["aliases"] = [field.api] if field.api != field.option else []
        spec[field.option] = details
        if field.switch:
            spec[field.switch] = {"type": "bool"}
    return spec


def spec_by_name(spec: Spec) -> Spec:
    """Return the specs of options by all their names, including aliases."""
    return {
        name: details
        for option, details in spec.items()
        for name in (option, *details.get("aliases", ()))
    }


def read_values(
    given: Values, reader_of: t.Callable[[str], Reader]
) -> tuple[dict[str, t.Any], dict[str, str]]:
    """Return the values of valid options, and a message for each invalid one.

    `given` are the raw options, before Ansible converts between strings and numbers. Null and
    blanks are absent. A reader returns the value, or raises OptionError.
    """
    values: dict[str, t.Any] = {}
    problems: dict[str, str] = {}
    for option, raw in given.items():
        if absent(raw):
            continue
        try:
            values[option] = reader_of(option)(option, raw)
        except OptionError as error:
            problems[option] = str(error)
    return values, problems


def reader_of_type(details: t.Mapping[str, t.Any]) -> Reader:
    """Return the reader of an option with this spec."""
    if details.get("no_log"):
        return _secret
    return _READERS[details["type"]]


def absent(raw: t.Any) -> bool:
    """Return whether an option counts as not set: null, or blank."""
    return raw is None or (isinstance(raw, str) and not trim(raw))


def _text(option: str, raw: t.Any) -> str:
    if not isinstance(raw, str):
        raise OptionError(
            f"{option} is {quoted(raw)}, which is not a string; put it in quotes, because YAML"
            " reads 010, 12:30 and yes as numbers or booleans."
        )
    _refuse_no_value(option, raw)
    return raw


def _secret(option: str, raw: t.Any) -> str:
    """Read a secret. Raises OptionError, which does not show it."""
    if not isinstance(raw, str):
        raise OptionError(f"{option} is not a string; put the secret in quotes.")
    return raw


def _flag(option: str, raw: t.Any) -> t.Any:
    if isinstance(raw, str):
        _refuse_no_value(option, raw)
    return raw


def _whole(option: str, raw: t.Any) -> t.Any:
    number = raw
    if isinstance(raw, str) and _WHOLE.fullmatch(trim(raw)):
        number = int(trim(raw))
    elif isinstance(raw, float) and raw.is_integer():
        number = int(raw)
    if not isinstance(number, int):
        raise OptionError(
            f"{option} is {quoted(raw)}, which is not a whole number; write one, and end a template"
            " that computes it with '| int'."
        )
    return number


def _number(option: str, raw: t.Any) -> t.Any:
    try:
        if isinstance(raw, bool) or "_" in str(raw):
            raise ValueError
        return float(raw)
    except (TypeError, ValueError, OverflowError):
        raise OptionError(f"{option} is {quoted(raw)}, which is not a number; write one.") from None


def _items(option: str, raw: t.Any) -> t.Any:
    """Refuse placeholders in a list, and in a string that Ansible would split into a list."""
    if isinstance(raw, (bool, int, float)):
        raise OptionError(
            f"{option} is {quoted(raw)}, which is not a list; write a list of strings in quotes."
        )
    if isinstance(raw, list):
        # Items in dictionaries are checked where the dictionaries are read, with their names.
        for index, item in enumerate(raw):
            if isinstance(item, str):
                _refuse_no_value(f"{option}[{index}]", item)
    elif isinstance(raw, str):
        _refuse_no_value(option, raw)
    return raw


def _dictionary(option: str, raw: t.Any) -> t.Any:
    if isinstance(raw, str):
        _refuse_no_value(option, raw)
    elif not isinstance(raw, dict):
        raise OptionError(f"{option} is {quoted(raw)}, which is not a dictionary; write one.")
    return raw


def _refuse_no_value(option: str, text: str) -> None:
    why = no_value(text)
    if why:
        raise OptionError(f"{option} {quoted(text)} {why}.")


_WHOLE = re.compile(r"[+-]?[0-9]{1,100}", re.ASCII)
_READERS: t.Mapping[str, t.Callable[[str, t.Any], t.Any]] = {
    "str": _text,
    "path": _text,
    "bool": _flag,
    "int": _whole,
    "float": _number,
    "list": _items,
    "dict": _dictionary,
}


def unknown_option(option: t.Any, spec: Spec, of: str) -> str:
    """Return a message about an option that is not in a spec. It does not show the value."""
    # Imported here because few tasks need it, and imports slow down the start of a task.
    from difflib import get_close_matches

    text = option if isinstance(option, str) else repr(option)
    names = sorted(spec)
    above = [name for name in names if text in spec[name].get("options", ())]
    close = get_close_matches(text, names, n=1)
    if not close:
        close = [name for name in names if text and name.endswith(f"_{text}")]
    if above:
        meant = f"; write it below {above[0]}."
    else:
        meant = f"; did you mean {close[0]}?" if close else f"; the options are {', '.join(names)}."
    return f"{quoted(option)} is not an option of {of}{meant}"


def identity_of(options: Values) -> tuple[str | None, str | None, str | None]:
    """Return an identity's canonical ID or its name, and the ID of its project.

    Either the ID or the name is None. Raises OptionError if both or none is set, and if the ID is
    not a UUID.
    """
    identity_id, name = options.get("identity_id"), options.get("identity_name")
    if identity_id and name:
        raise OptionError(
            f"identity_id {quoted(trim(identity_id))} and identity_name {quoted(trim(name))} are"
            " both set; set only one of them."
        )
    if not identity_id and not name:
        raise OptionError("Neither identity_id nor identity_name is set; set one of them.")
    return (
        id_of("identity_id", identity_id, ", or set identity_name") if identity_id else None,
        name_of("identity_name", name) if name else None,
        project_of(options),
    )


def project_of(options: Values) -> str | None:
    """Return the ID of the project that owns an identity, if it is set. Raises OptionError."""
    project_id = options.get("project_id")
    if not project_id:
        return None
    return id_of("project_id", project_id, ", not the name or slug of the project")


def id_of(option: str, text: str, otherwise: str = "") -> str:
    """Return the canonical form of an ID. Raises OptionError."""
    canonical = uuid_or_none(trim(text))
    if canonical is None:
        raise OptionError(
            f"{option} {quoted(trim(text))} is not a UUID; write one such as"
            f" '6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b'{otherwise}."
        )
    return canonical


def name_of(option: str, text: str) -> str:
    """Return the name of an identity. Raises OptionError."""
    name = trim(text)
    refuse_nul(option, name)
    return name


def concurrency_of(options: Values) -> int:
    """Return how many identities to work on at once. Raises OptionError."""
    concurrency = options["concurrency"]
    if isinstance(concurrency, bool) or not 1 <= concurrency <= MAX_CONCURRENCY:
        raise OptionError(
            f"concurrency is {quoted(concurrency)}; write a whole number from 1 to"
            f" {MAX_CONCURRENCY}."
        )
    return int(concurrency)
