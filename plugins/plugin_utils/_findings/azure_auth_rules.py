# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on the settings that only Azure Auth has."""

from __future__ import annotations

import re
import typing as t

from ...module_utils._errors import OptionError
from ...module_utils._state.azure_auth import resource_option
from ...module_utils._state.warnings import Warnings
from ...module_utils._text import no_value, trim, uuid_or_none
from .rules import (
    ENTRA,
    HIGH,
    INFISICAL,
    LOW,
    MEDIUM,
    Rule,
    Shape,
    Subject,
    Thresholds,
    are_texts,
    each,
    in_words,
    is_privileged,
    is_text,
    roles_in_words,
)

# A URL that ends with the name of its host. Other resources without a slash, such as api://<id>,
# name applications, and Entra writes them into tokens without a slash.
_BARE_HOST = re.compile(r"https?://[^/?#\s]+", re.IGNORECASE)

# A scope, which programs send to Entra to get a token. The part before it is the audience.
_SCOPE = re.compile(r"(.*/)?\.default/?", re.IGNORECASE | re.DOTALL)

# Clouds that have their own Entra, by the end of the names of their hosts. Infisical takes keys
# only from login.microsoftonline.com, and tokens only from the issuer sts.windows.net.
_OTHER_CLOUDS = {
    "usgovcloudapi.net": "Azure Government",
    "azure.us": "Azure Government",
    "microsoft.us": "Azure Government",
    "chinacloudapi.cn": "Azure in China",
    "azure.cn": "Azure in China",
    "cloudapi.de": "Azure Germany",
    "microsoftazure.de": "Azure Germany",
}
_HOST = re.compile(r"https?://([^/?#:\s]+)", re.IGNORECASE)

PRINCIPALS = "allowed_service_principal_ids"


def _principals(subject: Subject) -> list[str]:
    """Return the stored IDs; there are none if every service principal can log in."""
    return subject.values[PRINCIPALS] or []


def _open_to_tenant(subject: Subject, _thresholds: Thresholds) -> bool | None:
    return subject.values["allow_all_service_principals"] or None


def _privileged_open_to_tenant(subject: Subject, thresholds: Thresholds) -> bool | None:
    if not is_privileged(subject, thresholds):
        return None
    return _open_to_tenant(subject, thresholds)


def _who_gets_in(subject: Subject, _value: t.Any) -> dict[str, str]:
    return {
        "tenant": in_words(subject.values["tenant_id"]),
        "roles": roles_in_words(subject),
    }


def _any_audience(subject: Subject, _thresholds: Thresholds) -> str | None:
    """Return the resource if it is blank without the slash at its end, which Infisical drops."""
    resource: str = subject.values["resource"]
    return resource if trim(resource) in ("", "/") else None


def _resource_in_words(_subject: Subject, resource: str) -> dict[str, str]:
    return {"value": in_words(resource) if trim(resource) else "blank"}


def _other_cloud(resource: str) -> str | None:
    """Return the cloud whose own Entra issues the tokens for a resource, None if none does."""
    host = _HOST.match(resource)
    name = host[1].lower().rstrip(".") if host else ""
    for end, cloud in _OTHER_CLOUDS.items():
        if name == end or name.endswith(f".{end}"):
            return cloud
    return None


def _nobody(subject: Subject, _thresholds: Thresholds) -> dict[str, t.Any] | None:
    """Return the settings that no token can match, with their values.

    Infisical compares letter by letter: the tenant's ID with the claim `tid` and with the issuer,
    the resource with the claim `aud`, and the service principals with the claim `oid`. All three
    have to match. Entra writes IDs in lower case.
    """
    found: dict[str, t.Any] = {}
    tenant_id, resource = subject.values["tenant_id"], subject.values["resource"]
    if uuid_or_none(tenant_id) != tenant_id:
        found["tenant_id"] = tenant_id
    if _SCOPE.fullmatch(trim(resource)) or _other_cloud(trim(resource)):
        found["resource"] = resource
    ids = _principals(subject)
    if ids and not any(id_ and uuid_or_none(id_) == id_ for id_ in ids):
        found[PRINCIPALS] = list(ids)
    return found or None


def _reasons(_subject: Subject, found: dict[str, t.Any]) -> dict[str, str]:
    reasons = []
    if "tenant_id" in found:
        tenant_id = in_words(found["tenant_id"])
        reasons.append(f"Entra does not write a tenant ID as {tenant_id}")
    if "resource" in found:
        shown, cloud = in_words(found["resource"]), _other_cloud(trim(found["resource"]))
        if _SCOPE.fullmatch(trim(found["resource"])):
            reasons.append(f"{shown} is a scope, and Entra issues no tokens for scopes")
        else:
            reasons.append(f"{shown} belongs to {cloud}, and Infisical does not accept its tokens")
    if PRINCIPALS in found:
        ids = list(filter(None, found[PRINCIPALS]))
        written = f"Entra does not write a service principal's ID as {in_words(ids)}"
        reasons.append(written if ids else "its list of service principals contains no ID")
    return {"value": "; ".join(reasons)}


def _audience(resource: str) -> str | None:
    """Return the resource that a scope stands for, None if there is none."""
    match = _SCOPE.fullmatch(trim(resource))
    # With a slash at the end of the resource, Infisical accepts tokens with and without it.
    meant = _taken((match[1] or "").rstrip("/") + "/") if match else None
    # The part before the scope may be just as wrong.
    return None if meant and (_SCOPE.fullmatch(meant) or _other_cloud(meant)) else meant


def _taken(resource: str) -> str | None:
    """Return a resource as the option takes it, None if the option refuses it."""
    try:
        return None if no_value(resource) else resource_option("resource", resource, Warnings())
    except OptionError:
        return None


def _let_somebody_in(
    _subject: Subject, found: dict[str, t.Any], _thresholds: Thresholds
) -> dict[str, t.Any] | None:
    read = {"tenant_id": uuid_or_none, "resource": _audience, PRINCIPALS: _canonical}
    cured = {key: read[key](value) for key, value in found.items()}
    return None if None in cured.values() else cured


def _canonical(ids: t.Iterable[str]) -> list[str] | None:
    """Return IDs as Entra writes them, None if not all of them are IDs."""
    cured = [uuid_or_none(id_) for id_ in ids]
    return list(dict.fromkeys(filter(None, cured))) if all(cured) else None


def _malformed_principal_id(subject: Subject, thresholds: Thresholds) -> list[str] | None:
    if _nobody(subject, thresholds):
        return None
    return [id_ for id_ in _principals(subject) if id_ and uuid_or_none(id_) != id_] or None


def _resource_without_slash(subject: Subject, _thresholds: Thresholds) -> str | None:
    resource: str = subject.values["resource"]
    return resource if _BARE_HOST.fullmatch(resource) and not _other_cloud(resource) else None


def _settings(key: str, value: t.Any) -> dict[str, t.Any] | None:
    return None if value is None else {key: value}


def _is_boolean(value: t.Any) -> bool:
    return isinstance(value, bool)


def _are_principals(value: t.Any) -> bool:
    return value is None or are_texts(value)


SHAPE: Shape = {
    "tenant_id": (is_text, "a string"),
    "resource": (is_text, "a string"),
    "allow_all_service_principals": (_is_boolean, "a boolean"),
    PRINCIPALS: (_are_principals, "a list of strings, or null"),
}

# The sources for the server's behaviour are the API reference, requests to servers, and the way a
# server checks a token at login.
RULES = (
    Rule(
        name="privileged_open_to_tenant",
        severity=HIGH,
        title="Privileged role open to a whole tenant",
        option="allow_all_service_principals",
        check=each(_privileged_open_to_tenant),
        many="{who} let every service principal of their tenant log in.",
        one="Every service principal of tenant {tenant} can log in as {name}, which has {roles}.",
        why="Whoever can create an application or a managed identity in the Entra tenant can get"
        " this role, and with it everything that the role controls.",
        fix="Set allowed_service_principal_ids to the object IDs of the service principals that"
        " need this identity, and remove allow_all_service_principals. If many programs really"
        " need it, give it a role with fewer rights.",
        link=INFISICAL + "documentation/platform/access-controls/role-based-access-controls",
        words=_who_gets_in,
        concerns=is_privileged,
        among="privileged identities with Azure Auth",
    ),
    Rule(
        name="open_to_tenant",
        severity=HIGH,
        title="Open to a whole tenant",
        option="allow_all_service_principals",
        check=each(_open_to_tenant),
        many="{who} let every service principal of their tenant log in.",
        one="Every service principal of tenant {tenant} can log in as {name}.",
        why="Every application and every managed identity in the Entra tenant can log in, including"
        " those that somebody creates tomorrow. A single compromised one is enough to misuse the"
        " identity.",
        fix="Set allowed_service_principal_ids to the object IDs of the service principals that"
        " need this identity, and remove allow_all_service_principals.",
        link=ENTRA + "app-objects-and-service-principals",
        words=_who_gets_in,
    ),
    Rule(
        name="any_audience",
        severity=HIGH,
        title="Audience not checked",
        option="resource",
        check=each(_any_audience),
        many="{who} accept Entra tokens that were issued for any service.",
        one="{name} accepts Entra tokens that were issued for any service, because its resource is"
        " {value}.",
        why="A program sends its Entra token to each service that it uses. Any of these services"
        " can log in to Infisical with the token of an allowed service principal.",
        fix="Set resource to the audience that the program requests from Entra, such as"
        " https://management.azure.com/.",
        link=ENTRA + "access-token-claims-reference",
        words=_resource_in_words,
    ),
    Rule(
        name="nobody_can_log_in",
        severity=MEDIUM,
        title="Nobody can log in",
        option="",
        check=each(_nobody),
        many="{who} have settings that no token from Entra can match.",
        one="Nobody can log in as {name}: {value}.",
        why="Infisical compares these settings with an Entra token letter by letter, and Entra"
        " issues no token that matches them. Either a program fails to log in, or nobody uses the"
        " identity.",
        fix="Correct the setting, or revoke Azure Auth if no program needs it. If an ID is right"
        " but written differently, apply it with this collection, which stores IDs as Entra writes"
        " them.",
        link=ENTRA + "access-token-claims-reference",
        words=_reasons,
        cure=_let_somebody_in,
    ),
    Rule(
        name="malformed_principal_id",
        severity=MEDIUM,
        title="Malformed service principal ID",
        option=PRINCIPALS,
        check=each(_malformed_principal_id),
        many="{who} list service principals that can never log in.",
        one="{name} lists {value}, which is not how Entra writes a service principal's ID.",
        why="Entra writes object IDs in lower case, with hyphens, and Infisical compares them"
        " letter by letter. The program with this service principal cannot log in.",
        fix="Replace it with the object ID as Entra writes it. If the ID is right but written"
        " differently, apply it with this collection, which stores IDs as Entra writes them.",
        link=ENTRA + "app-objects-and-service-principals",
        cure=lambda subject, _value, _thresholds: _settings(
            PRINCIPALS, _canonical(_principals(subject))
        ),
    ),
    Rule(
        name="resource_without_slash",
        severity=LOW,
        title="Resource without a slash at the end",
        option="resource",
        check=each(_resource_without_slash),
        many="{who} have a resource without a slash at the end.",
        one="{name} refuses tokens for {value}, because its resource has no slash at the end.",
        why="Entra issues a token for the resource as the program writes it, and many programs"
        " write it with a slash at the end. If the stored resource ends with a slash, Infisical"
        " accepts both forms.",
        fix="Add a slash to the end of resource.",
        link=ENTRA + "scopes-oidc",
        words=lambda _subject, resource: {"value": in_words(f"{resource}/")},
        cure=lambda _subject, resource, _thresholds: _settings("resource", _taken(f"{resource}/")),
    ),
)
