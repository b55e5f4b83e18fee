# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on an identity as a whole, whatever the settings of its auth methods are."""

from __future__ import annotations

import typing as t

from .rules import (
    INFISICAL,
    LOW,
    MEDIUM,
    Matches,
    Rule,
    Shape,
    Subject,
    Thresholds,
    are_texts,
    details,
    each,
    enumerated,
    in_words,
    is_privileged,
    is_text,
    roles_in_words,
)

# What Infisical's web interface calls the auth methods that its API names.
_TITLES = {
    "alicloud-auth": "Alibaba Cloud Auth",
    "aws-auth": "AWS Auth",
    "azure-auth": "Azure Auth",
    "gcp-auth": "GCP Auth",
    "jwt-auth": "JWT Auth",
    "kubernetes-auth": "Kubernetes Auth",
    "ldap-auth": "LDAP Auth",
    "oci-auth": "OCI Auth",
    "oidc-auth": "OIDC Auth",
    "spiffe-auth": "SPIFFE Auth",
    "tls-cert-auth": "TLS Certificate Auth",
    "token-auth": "Token Auth",
    "universal-auth": "Universal Auth",
}


def _several_methods(subject: Subject, _thresholds: Thresholds) -> list[str] | None:
    methods = list(dict.fromkeys(details(subject.identity).get("auth_methods") or ()))
    return methods if len(methods) > 1 else None


def _titles(_subject: Subject, methods: list[str]) -> dict[str, str]:
    titles = [_TITLES.get(name) or in_words(name) for name in methods]
    return {"count": str(len(titles)), "value": enumerated(titles)}


def _unprotected(subject: Subject, thresholds: Thresholds) -> bool | None:
    """Return False if protection is missing. Servers without this feature do not report it."""
    if subject.identity.get("delete_protection") is not False:
        return None
    return False if is_privileged(subject, thresholds) else None


def _no_recent_login(subjects: t.Sequence[Subject], thresholds: Thresholds) -> Matches:
    """Yield the identities without a recent login, with the day of their last recorded login.

    If no login is recorded, there may have been none, or the server may not have recorded it:
    servers before 2026 record no logins, and an upgraded server does not know earlier ones. So this
    is a finding only if the server has recorded a login of another identity as long ago. Identities
    that projects own are left out, because some requests do not show their logins.
    """
    of_organization = [item for item in subjects if not item.identity.get("project_id")]
    logins = [subject.login.days for subject in of_organization if subject.login]
    tells = max(logins, default=0) > thresholds.max_unused_days
    for subject in of_organization:
        never = tells and not details(subject.identity).get("last_login_at")
        last = subject.login or (subject.attached if never else None)
        if last and subject.attached:
            days = min(last.days, subject.attached.days)
            if days > thresholds.max_unused_days:
                yield subject, subject.login.day if subject.login else None


def _last_login(subject: Subject, _value: t.Any) -> dict[str, str]:
    last = subject.login or subject.attached
    return {"value": last.day if last else ""}


def _are_texts_or_none(value: t.Any) -> bool:
    return value is None or are_texts(value)


def _is_text_or_none(value: t.Any) -> bool:
    return value is None or is_text(value)


def _is_boolean_or_none(value: t.Any) -> bool:
    return value is None or isinstance(value, bool)


# Older results do not have all of these keys; a missing one counts as null.
SHAPE: Shape = {
    "role": (_is_text_or_none, "a string, or null"),
    "delete_protection": (_is_boolean_or_none, "a boolean, or null"),
}
DETAILS: Shape = {
    "auth_methods": (_are_texts_or_none, "a list of strings, or null"),
    "roles": (_are_texts_or_none, "a list of strings, or null"),
    "last_login_at": (_is_text_or_none, "a string, or null"),
}

RULES = (
    Rule(
        name="several_auth_methods",
        severity=MEDIUM,
        title="Several auth methods",
        option="details.auth_methods",
        check=each(_several_methods),
        many="{who} have more than one auth method.",
        one="{name} has {count} auth methods: {value}.",
        why="Each auth method is a separate way in, with its own settings. Often one of them is a"
        " leftover: Infisical's web interface attaches Universal Auth, which uses a client secret,"
        " to every identity that somebody creates there.",
        fix="Find out which auth method the program uses, and remove the others.",
        link=INFISICAL + "documentation/platform/identities/machine-identities",
        words=_titles,
    ),
    Rule(
        name="unprotected_privileged_identity",
        severity=LOW,
        title="Privileged identity without delete protection",
        option="delete_protection",
        check=each(_unprotected),
        many="{who} have no delete protection.",
        one="{name} has {roles}, and no delete protection.",
        why="If somebody deletes the identity by mistake, every program that uses it stops working."
        " Its roles, project memberships and auth methods are lost.",
        fix="Set delete_protection to true.",
        link=INFISICAL + "api-reference/endpoints/identities/update",
        words=lambda subject, _value: {"roles": roles_in_words(subject)},
        cure=lambda _subject, _value, _thresholds: {"delete_protection": True},
        concerns=is_privileged,
        among="privileged identities",
    ),
    Rule(
        name="no_recent_login",
        severity=LOW,
        title="No recent login",
        option="details.last_login_at",
        check=_no_recent_login,
        many="{who} have had no login for more than {unused}.",
        one="Infisical has recorded no login as {name} since {value}.",
        why="Nobody watches an identity that nobody uses, but attackers can still use it.",
        fix="Ask its owner. If no program uses the identity, delete it or revoke its auth methods."
        " Check before you delete it: a program that keeps renewing its token does not log in.",
        link=INFISICAL + "documentation/platform/audit-logs",
        words=_last_login,
    ),
)
