# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules' argument specs, and the options that are not an auth method's or a login's."""

from __future__ import annotations

import os
import re
import typing as t

from .._errors import OptionError
from .._server.api import Identity
from .._server.client import Connection
from .._state.fields import AuthMethod, Values
from .._text import no_value, quoted, refuse_nul, trim, uuid_or_none

Spec = dict[str, dict[str, t.Any]]

# auth_method has no choices, because a blank counts as absent, as everywhere: AWX fills unused
# inputs with blanks.
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

LOGIN_STATE_SPEC: Spec = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}

IDENTITY_SPEC: Spec = {
    "identity_id": {"type": "str"},
    "identity_name": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}

MAX_CONCURRENCY = 64

CONCURRENCY_SPEC: Spec = {"concurrency": {"type": "int", "default": 8}}

VALIDATE_SPEC: Spec = {"validate_only": {"type": "bool", "default": False}}

# Items are taken as they are: Ansible would make texts of a null and of a dictionary.
_TEXTS = {"type": "list", "elements": "raw"}

# no_log=False: the names look like secrets to Ansible.
TOKEN_SPEC: Spec = {
    "access_token_trusted_ips": {**_TEXTS, "no_log": False},
    "access_token_ttl": {"type": "int", "no_log": False},
    "access_token_max_ttl": {"type": "int", "no_log": False},
    "access_token_num_uses_limit": {"type": "int", "no_log": False},
}

LOOKUP_SPEC: Spec = {
    "identity_ids": _TEXTS,
    "identity_names": _TEXTS,
    **CONCURRENCY_SPEC,
}

AZURE_AUTH_SPEC: Spec = {
    "tenant_id": {"type": "str"},
    "resource": {"type": "str"},
    "allowed_service_principal_ids": _TEXTS,
    "allow_all_service_principals": {"type": "bool"},
    **TOKEN_SPEC,
}


def with_api_names(spec: Spec, method: AuthMethod) -> Spec:
    """Return the spec of an auth method's options, with the API's names as aliases."""
    names = {field.option: field.api for field in method.fields if field.api != field.option}
    return {
        option: {**details, "aliases": [names[option]] if option in names else []}
        for option, details in spec.items()
    }


def types_of(spec: Spec) -> dict[str, str]:
    """Return the types of options by their names, aliases among them."""
    return {
        name: details["type"]
        for option, details in spec.items()
        for name in (option, *details.get("aliases", ()))
    }


def with_values(
    types: t.Mapping[str, str], given: Values
) -> tuple[dict[str, t.Any], dict[str, str]]:
    """Return the options that have a value, and by option what is wrong with the others.

    `given` are options as they were written, before Ansible makes texts of numbers and numbers of
    texts. Null and blanks are absent.
    """
    values: dict[str, t.Any] = {}
    problems: dict[str, str] = {}
    for option, raw in given.items():
        if absent(raw):
            continue
        try:
            values[option] = _READERS.get(types[option], _as_it_is)(option, raw)
        except OptionError as error:
            problems[option] = str(error)
    return values, problems


def absent(raw: t.Any) -> bool:
    """Return whether an option counts as left out, as null and blanks do."""
    return raw is None or (isinstance(raw, str) and not trim(raw))


def _as_it_is(_option: str, raw: t.Any) -> t.Any:
    return raw


def _text(option: str, raw: t.Any) -> str:
    if not isinstance(raw, str):
        raise OptionError(
            f"{option} is {quoted(raw)}, which is not a string; put it in quotes: YAML reads 010,"
            " 12:30 and yes as other values than they look like."
        )
    _refuse_no_value(option, raw)
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
            f"{option} is {quoted(raw)}, which is not a whole number; write one, and let a template"
            " that computes it end in '| int'."
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
    """Refuse texts in a list that are no values, and a text that is to be split into one."""
    if isinstance(raw, (bool, int, float)):
        raise OptionError(
            f"{option} is {quoted(raw)}, which is not a list; write one, with each text in quotes."
        )
    if isinstance(raw, list):
        for index, item in enumerate(raw):
            if isinstance(item, str):
                _refuse_no_value(f"{option}[{index}]", item)
    elif isinstance(raw, str):
        _refuse_no_value(option, raw)
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
}


def identity_of(options: Values) -> tuple[str | None, str | None]:
    """Return the identity's id in its canonical spelling, or its name; the other is None.

    Raises OptionError for both, for neither, and for an id that is no UUID.
    """
    identity_id, name = _identity_options(options)
    if identity_id and name:
        raise OptionError(
            f"identity_id {quoted(identity_id)} and identity_name {quoted(name)} are both given;"
            " give one of them."
        )
    return _id_or_name(identity_id, name)


def labelled_identity_of(options: Values) -> tuple[str | None, str | None]:
    """Return the same of options among which the name may be there as the label of the id.

    Then both are returned.
    """
    identity_id, name = _identity_options(options)
    if identity_id:
        return _id_or_name(identity_id, "")[0], name or None
    return _id_or_name("", name)


def identity_id_of(option: str, text: str, otherwise: str = "") -> str:
    """Return an identity's id in its canonical spelling. Raises OptionError."""
    canonical = uuid_or_none(text)
    if canonical is None:
        raise OptionError(
            f"{option} {quoted(text)} is not a UUID; write one such as"
            f" '6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b'{otherwise}."
        )
    return canonical


def only_identity(option: str, name: str, found: t.Sequence[Identity]) -> Identity:
    """Return the identity of a name, of which there has to be one. Raises OptionError."""
    if not found:
        raise OptionError(
            f"{option} {quoted(name)} is not the name of any identity that this login can"
            " see in its organization; names are matched exactly."
        )
    if len(found) > 1:
        ids = sorted(identity.id for identity in found)
        raise OptionError(
            f"{option} {quoted(name)} is borne by {len(ids)} identities"
            f" ({', '.join(ids[:5])}{', ...' if len(ids) > 5 else ''}); give its id instead."
        )
    return found[0]


def concurrency_of(options: Values) -> int:
    """Return how many identities are worked on at once. Raises OptionError."""
    concurrency = options["concurrency"]
    if isinstance(concurrency, bool) or not 1 <= concurrency <= MAX_CONCURRENCY:
        raise OptionError(
            f"concurrency is {quoted(concurrency)}; write a whole number from 1 to"
            f" {MAX_CONCURRENCY}."
        )
    return int(concurrency)


def _identity_options(options: Values) -> tuple[str, str]:
    return trim(options.get("identity_id") or ""), trim(options.get("identity_name") or "")


def _id_or_name(identity_id: str, name: str) -> tuple[str | None, str | None]:
    if identity_id:
        return identity_id_of("identity_id", identity_id, ", or give identity_name"), None
    if not name:
        raise OptionError("Neither identity_id nor identity_name is given; give one of them.")
    refuse_nul("identity_name", name)
    return None, name


def connection_of(options: Values, url: str, by_default: bool) -> Connection:
    """Return how to reach the server, whose URL may be the default. Raises OptionError."""
    # A day is more than anybody waits, and keeps infinity and "not a number" out.
    for option, least in (("timeout", 0.001), ("rate_limit_timeout", 0)):
        if not least <= options[option] <= 86400:
            raise OptionError(
                f"{option} is {options[option]:g}; write a number of seconds from {least} to 86400."
            )
    retries = options["retries"]
    if isinstance(retries, bool) or not 0 <= retries <= 100:
        raise OptionError(f"retries is {quoted(retries)}; write a whole number from 0 to 100.")
    verify: bool | str = options["validate_certs"]
    ca_path = options.get("ca_path")
    if verify and ca_path:
        if not os.path.exists(ca_path):  # noqa: PTH110 start-up time
            raise OptionError(
                f"ca_path {quoted(ca_path)} does not exist on the host that runs the module; write"
                " the path of a CA bundle, or of a folder of certificates."
            )
        verify = ca_path
    return Connection(
        url, verify, options["timeout"], retries, options["rate_limit_timeout"], by_default
    )
