# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is questionable about the settings that only Azure Auth has."""

from __future__ import annotations

import re
import typing as t

from ..module_utils._text import trim, uuid_or_none
from ._rules import HIGH, LOW, MEDIUM, Rule, Shape, Subject, Thresholds, are_texts, each, is_text

# A URL that ends with the name of its host. Other resources that lack a slash, such as api://<id>,
# name applications, and Entra writes them into tokens without one.
_BARE_HOST = re.compile(r"https?://[^/?#\s]+", re.IGNORECASE)

# What programs ask Entra for a token with, as a scope; the audience is what stands before it.
_SCOPE = re.compile(r"(.*/)?\.default/?", re.IGNORECASE | re.DOTALL)


def _principals(subject: Subject) -> list[str]:
    """Return the ids that are stored; there are none where every service principal is let in."""
    return subject.values["allowed_service_principal_ids"] or []


def _open_to_tenant(subject: Subject, _thresholds: Thresholds) -> bool | None:
    return subject.values["allow_all_service_principals"] or None


def _any_audience(subject: Subject, _thresholds: Thresholds) -> str | None:
    """Return the resource if nothing is left to compare: Infisical drops a slash at its end."""
    resource: str = subject.values["resource"]
    return resource if trim(resource) in ("", "/") else None


def _scope_as_resource(subject: Subject, _thresholds: Thresholds) -> str | None:
    resource: str = subject.values["resource"]
    return resource if _SCOPE.fullmatch(trim(resource)) else None


def _malformed_tenant_id(subject: Subject, _thresholds: Thresholds) -> str | None:
    tenant_id: str = subject.values["tenant_id"]
    return tenant_id if uuid_or_none(tenant_id) != tenant_id else None


def _malformed_principal_id(subject: Subject, _thresholds: Thresholds) -> list[str] | None:
    ids = _principals(subject)
    return [text for text in ids if text and uuid_or_none(text) != text] or None


def _names_nobody(subject: Subject, _thresholds: Thresholds) -> list[str] | None:
    ids = _principals(subject)
    return list(ids) if ids and not any(ids) else None


def _resource_without_slash(subject: Subject, _thresholds: Thresholds) -> str | None:
    resource: str = subject.values["resource"]
    return resource if _BARE_HOST.fullmatch(resource) else None


def _is_boolean(value: t.Any) -> bool:
    return isinstance(value, bool)


def _are_principals(value: t.Any) -> bool:
    return value is None or are_texts(value)


SHAPE: Shape = {
    "tenant_id": (is_text, "a string"),
    "resource": (is_text, "a string"),
    "allow_all_service_principals": (_is_boolean, "a boolean"),
    "allowed_service_principal_ids": (_are_principals, "a list of strings, or null"),
}

# Sources of the server's behaviour that they rest on: the API's reference, and requests to servers.
RULES = (
    Rule(
        "open_to_tenant",
        HIGH,
        "allow_all_service_principals",
        each(_open_to_tenant),
        "Every service principal of the Entra tenant can log in as the identity, also one that"
        " somebody creates tomorrow.",
        "Set allowed_service_principal_ids to the object ids of the service principals that are"
        " to log in, in place of allow_all_service_principals.",
    ),
    Rule(
        "any_audience",
        HIGH,
        "resource",
        each(_any_audience),
        "Infisical does not compare what a token is for: a service principal that is let in can"
        " log in with any token of the tenant, also one that it sent to another service, which can"
        " log in with it in turn.",
        "Set resource to what the program asks Entra for a token for, such as"
        " https://management.azure.com/.",
    ),
    Rule(
        "scope_as_resource",
        MEDIUM,
        "resource",
        each(_scope_as_resource),
        "Nobody can log in: what ends in /.default is a scope, which programs ask Entra with. The"
        " tokens that they get are for what stands before it.",
        "Set resource to what stands before .default, such as https://management.azure.com/.",
    ),
    Rule(
        "malformed_tenant_id",
        MEDIUM,
        "tenant_id",
        each(_malformed_tenant_id),
        "Nobody can log in: Entra writes the tenant id into a token as a UUID in lower case, with"
        " hyphens, and Infisical compares the two letter by letter.",
        "Set tenant_id to the tenant id as Entra writes it. Applying the same id in any spelling"
        " with this collection mends it.",
    ),
    Rule(
        "malformed_principal_id",
        MEDIUM,
        "allowed_service_principal_ids",
        each(_malformed_principal_id),
        "These service principals cannot log in: Entra writes an object id into a token as a UUID"
        " in lower case, with hyphens, and Infisical compares the two letter by letter.",
        "Set allowed_service_principal_ids to object ids as Entra writes them. Applying the same"
        " ids in any spelling with this collection mends them.",
    ),
    Rule(
        "names_nobody",
        MEDIUM,
        "allowed_service_principal_ids",
        each(_names_nobody),
        "Nobody can log in: the list that Infisical holds is not empty, which would be everybody,"
        " but has no id in it.",
        "Set allowed_service_principal_ids to the object ids of the service principals that are"
        " to log in, or revoke Azure Auth.",
    ),
    Rule(
        "resource_without_slash",
        LOW,
        "resource",
        each(_resource_without_slash),
        "A program that asks Entra for this resource with a slash at its end gets a token that"
        " Infisical refuses. With the slash stored, tokens with and without it are accepted.",
        "Add a slash to the end of resource.",
    ),
)
