# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fields of Azure Auth, and lists of service principals."""

from __future__ import annotations

import typing as t

from .._errors import OptionError
from .._text import quoted, refuse_scope, trim
from .auth_method import AuthMethod
from .fields import (
    TOKEN_FIELDS,
    Field,
    list_item,
    text_from_api,
    text_option,
    uuid_of,
    uuid_option,
)
from .warnings import Warnings

PRINCIPALS = "allowed_service_principal_ids"
ALLOW_ALL = "allow_all_service_principals"

OPENED = (
    "allow_all_service_principals opens {count} of the identities, which were not open before, to"
    " every service principal of the tenant: {items}"
)

# The API stores exactly the empty string for "every service principal of the tenant".
ALL = ""
# The value of allow_all_service_principals: false without a list.
NOT_ALL = object()
# Infisical joins IDs with this. Its column holds this many characters (255 before March 2026).
SEPARATOR = ", "
MAX_PRINCIPALS = 2048


def resource_option(option: str, raw: t.Any, warnings: Warnings) -> str:
    """Read the audience that Entra tokens must have. Raises OptionError.

    The server removes a slash at the end. If nothing is left, it does not check the audience, and
    any token of the tenant would be accepted.
    """
    text = text_option(option, raw, warnings)
    if text in ("", "/"):
        raise OptionError(
            f"{option} is {quoted(text)}, so Infisical does not check the audience; write"
            " the audience that tokens must have, such as 'https://management.azure.com/'."
        )
    if not text.isprintable():
        raise OptionError(
            f"{option} {quoted(text)} contains a line break or another control character; remove"
            " it."
        )
    refuse_scope(option, text)
    return text


def principals_option(option: str, raw: t.Any, _warnings: Warnings) -> str:
    """Convert a list of object IDs of service principals to the string that the API stores.

    An empty list is refused: a template with an empty result arrives as `[]` or `[""]` and must not
    open the identity to a whole tenant. Raises OptionError.
    """
    if not raw:
        raise OptionError(
            f"{option} is an empty list; list the object IDs of the service principals that may log"
            f" in, or set {ALLOW_ALL} to true to let every service principal of the tenant log in."
        )
    ids: dict[str, None] = {}
    for index, item in enumerate(raw):
        text = list_item(option, index, item, "the object ID of a service principal")
        ids[uuid_of(f"{option}[{index}]", text)] = None
    joined = SEPARATOR.join(ids)
    if len(joined) > MAX_PRINCIPALS:
        raise OptionError(
            f"{option} has {len(ids)} IDs, which take {len(joined)} characters, but Infisical"
            f" stores at most {MAX_PRINCIPALS}; list at most 53 IDs."
        )
    return joined


def all_option(raw: t.Any, listed: bool) -> t.Any:
    """Read the option for all service principals. Raises OptionError."""
    if raw and listed:
        raise OptionError(
            f"{ALLOW_ALL} is true, but {PRINCIPALS} is set too; set only one of them."
        )
    return ALL if raw else NOT_ALL


def principals_wanted(current: str | None, wanted: t.Any) -> str | None:
    """Return the wanted string, or None to keep the current one. Raises OptionError."""
    if wanted is not NOT_ALL:
        return t.cast(str, wanted)
    if current == ALL:
        raise OptionError(
            f"{ALLOW_ALL} is false, but the identity lets every service principal of the tenant log"
            f" in; set {PRINCIPALS} to those that may log in."
        )
    return None


def opens(current: str | None, value: str) -> str | None:
    """Return the kind of warning for a change that opens the identity to a whole tenant."""
    return OPENED if value == ALL != current else None


def principals(stored: str) -> list[str]:
    """Return the IDs in a stored string other than ALL. `[""]` means nobody."""
    ids = dict.fromkeys(filter(None, map(trim, stored.split(","))))
    return list(ids) or [""]


def same_principals(one: str, other: str) -> bool:
    """Return whether two stored strings have the same IDs, case-sensitively, as for logins."""
    if ALL in (one, other):
        return one == other
    return set(principals(one)) == set(principals(other))


def principals_to_api(value: str) -> str:
    """Return the string to send.

    Raises OptionError for a stored string of only blanks. It means nobody, but the server would
    trim it to the empty string, which means everyone.
    """
    if value and not trim(value):
        raise OptionError(
            f"{PRINCIPALS} is not set, and the server holds a blank value, which an update would"
            " turn into access for every service principal of the tenant; set it to those that may"
            " log in."
        )
    return value


AZURE_AUTH = AuthMethod(
    name="azure-auth",
    title="Azure Auth",
    envelope="identityAzureAuth",
    fields=(
        Field("tenant_id", "tenantId", "str", uuid_option, text_from_api, required=True),
        Field("resource", "resource", "str", resource_option, text_from_api, required=True),
        Field(
            PRINCIPALS,
            "allowedServicePrincipalIds",
            "list",
            principals_option,
            text_from_api,
            required=True,
            to_api=principals_to_api,
            to_result=lambda stored: None if stored == ALL else principals(stored),
            same=same_principals,
            # The published schema has the default "" for PATCH too. If the field were missing, a
            # server that follows it would open the identity to everyone.
            resend=True,
            switch=ALLOW_ALL,
            from_switch=all_option,
            to_switch=lambda stored: bool(stored == ALL),
            resolve=principals_wanted,
            warning=opens,
        ),
        *TOKEN_FIELDS,
    ),
)
