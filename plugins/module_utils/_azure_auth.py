# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Azure Auth of a machine identity: what is particular to it."""

from __future__ import annotations

import typing as t

from ._errors import OptionError
from ._model import (
    TOKEN_FIELDS,
    UNKNOWN_UUID,
    AuthMethod,
    Field,
    list_item,
    text_from_api,
    text_option,
    uuid_option,
    uuid_or_none,
)
from ._notes import Notes
from ._text import quoted, trim

# What the API stores for "every service principal of the tenant": exactly the empty string.
EVERYONE = ""
# Infisical's own joiner; the column holds this many characters (255 on servers before March 2026).
SEPARATOR = ", "
MAX_PRINCIPALS = 2048


def principals_option(option: str, raw: t.Any, notes: Notes) -> str:
    """Read a list of service principals' object ids into the string that the API stores.

    Only an empty list is everyone. A blank id is refused: a template that comes out empty arrives
    as `[""]`, and must not open the identity to a whole tenant. Raises OptionError.
    """
    ids: dict[str, None] = {}
    for index, item in enumerate(raw):
        text = list_item(option, index, item, "the object id of a service principal")
        if "," in text:
            raise OptionError(
                f"{option}[{index}] {quoted(text)} has a comma in it; write one id an item."
            )
        canonical = uuid_or_none(text)
        if canonical is None:
            notes.add(UNKNOWN_UUID, f"{option} {quoted(text)}")
        ids[canonical or text] = None
    joined = SEPARATOR.join(ids)
    if len(joined) > MAX_PRINCIPALS:
        raise OptionError(
            f"{option} has {len(ids)} ids, which take {len(joined)} characters once joined by"
            f" '{SEPARATOR}'; Infisical stores at most {MAX_PRINCIPALS}, which is 53 UUIDs."
        )
    return joined


def principals(stored: str) -> list[str]:
    """Return the ids in a stored string: `[]` is everyone, `[""]` nobody at all."""
    if stored == EVERYONE:
        return []
    ids = dict.fromkeys(filter(None, map(trim, stored.split(","))))
    return list(ids) or [""]


def same_principals(one: str, other: str) -> bool:
    """Return whether two stored strings name the same ids, letter by letter, as logins do."""
    return set(principals(one)) == set(principals(other))


def principals_to_api(value: str) -> str:
    """Return the string to send.

    Raises OptionError for a stored string of blanks alone, which names nobody, and which the
    server would trim to the empty string, which is everyone.
    """
    if value and not trim(value):
        raise OptionError(
            "allowed_service_principal_ids is left out, and what the server holds is blank, which"
            " cannot be sent back without opening the identity to every service principal of the"
            " tenant; give the ids that may log in."
        )
    return value


AZURE_AUTH = AuthMethod(
    name="azure-auth",
    title="Azure Auth",
    envelope="identityAzureAuth",
    fields=(
        Field("tenant_id", "tenantId", uuid_option, text_from_api),
        Field("resource", "resource", text_option, text_from_api),
        Field(
            "allowed_service_principal_ids",
            "allowedServicePrincipalIds",
            principals_option,
            text_from_api,
            to_api=principals_to_api,
            to_result=principals,
            same=same_principals,
            # The published schema gives the field a default of "" on PATCH too: a server that
            # takes it literally would open the identity to everyone if it were left out.
            resend=True,
        ),
        *TOKEN_FIELDS,
    ),
)
