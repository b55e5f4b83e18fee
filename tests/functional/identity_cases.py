# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an identity is to be, from which stored one, and what must come of it.

Each case runs alone and as an entry among others: see test_identity_cases.py.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from functional.cases import ONE, REQUIRED, post

NEW, OLD, OLDEST = "2026", "2025-06", "2024-10"
EVERY = (NEW, OLD, OLDEST)
# Servers with metadata and delete protection.
RICH = (NEW, OLD)
TODAY = (NEW,)

Write = tuple[str, str, t.Mapping[str, t.Any]]

# What stands for the name, the id, the project and the organization of a case.
NAME, ID, PROJECT, ORGANIZATION = "NAME", "ID", "PROJECT", "ORGANIZATION"
UNKNOWN_ID = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"

TEAM = {"team": "payments"}
PAIRS = [{"key": "team", "value": "payments"}]
AZURE = f"auth/azure-auth/identities/{ID}"


@dataclass(frozen=True)
class Case:
    """One case.

    `stored` are the keyword arguments of create_identity() for the identity, None is "none of that
    name"; `azure_auth` in it are the fields of the API that differ from ATTACHED, `roles` several
    roles, or temporary ones, and `name` another name than that of the case. `entry` is what is
    wanted of it. `by` is how it is named: by its "name" or its "id" (and its project where that
    owns it), by its "bare id", by an "unknown" one, or by the "id of another project"; `where` is
    "organization", "project" (which owns it), "parent" (it is seen from a sub-organization of its
    own), "foreign" (of another organization) or "own" (the task is logged in as it). `beside`
    is another identity: of the "same" name, also in a "project", of the "upper"-case one, or with
    the name "taken".

    `writes` are the requests that the real run must make, and no others. Either `refused` is in the
    message of both runs, or `leaves` in what they return. `differs` is set where generations do it
    in other ways.
    """

    id: str
    stored: t.Mapping[str, t.Any] | None
    entry: t.Mapping[str, t.Any]
    writes: t.Sequence[Write] = ()
    leaves: t.Mapping[str, t.Any] = field(default_factory=dict)
    refused: str | None = None
    by: str = "name"
    where: str = "organization"
    beside: str | None = None
    generations: t.Sequence[str] = EVERY
    differs: bool = False
    settings: t.Mapping[str, t.Any] = field(default_factory=dict)

    def plays_on(self, generation: str, *, thorough: bool) -> bool:
        """Return whether it is to be played: on the newest server that it fits, or on all."""
        if generation not in self.generations:
            return False
        return thorough or self.differs or generation == self.generations[0]


def create(**body: t.Any) -> Write:
    """Return the creation of an identity of the organization."""
    return "POST", "identities", {"name": NAME, "organizationId": ORGANIZATION, **body}


def update(**body: t.Any) -> Write:
    """Return a change of the identity."""
    return "PATCH", f"identities/{ID}", body


DELETE: Write = ("DELETE", f"identities/{ID}", {})
ATTACH: Write = ("POST", AZURE, post()[1])
LIFT = update(name=NAME, hasDeleteProtection=False)

CREATING = [
    Case(
        "create with the defaults",
        None,
        {},
        [create()],
        {"state": "present", "role": "no-access"},
        differs=True,
    ),
    Case(
        "create and say what holds by default",
        None,
        {"role": "no-access"},
        [create(role="no-access")],
        {"role": "no-access"},
    ),
    Case(
        "create with every setting",
        None,
        {"role": "member", "metadata": TEAM, "delete_protection": True},
        [create(role="member", metadata=PAIRS, hasDeleteProtection=True)],
        {"role": "member", "metadata": TEAM, "delete_protection": True},
        generations=RICH,
        differs=True,
    ),
    Case(
        "create with metadata where there is none",
        None,
        {"metadata": TEAM},
        refused="metadata is set, but this server does not support it; remove it, or upgrade the",
        generations=(OLDEST,),
    ),
    Case(
        "create protected where there is no protection",
        None,
        {"delete_protection": True},
        refused="delete_protection is set, but this server does not support it; remove it, or",
        generations=(OLDEST,),
    ),
    Case(
        "create with Azure Auth",
        None,
        {"role": "no-access", "azure_auth": REQUIRED},
        [create(role="no-access"), ATTACH],
        {"role": "no-access"},
        differs=True,
    ),
    Case(
        "create with Azure Auth that cannot be attached",
        None,
        {"azure_auth": {"tenant_id": REQUIRED["tenant_id"]}},
        refused="attaching it requires resource, allowed_service_principal_ids (or",
    ),
    Case(
        "create with lifetimes out of reach",
        None,
        {"azure_auth": {**REQUIRED, "access_token_ttl": 60, "access_token_max_ttl": 0}},
        refused=(
            "access_token_max_ttl is 0 (no maximum), which this server, released in 2024, does not"
        ),
        generations=(OLDEST,),
    ),
    Case(
        "create without an Azure Auth that is to be absent",
        None,
        {"role": "member", "azure_auth": {"state": "absent"}},
        [create(role="member")],
        {"role": "member", "azure_auth": {"state": "absent", "details": None}},
    ),
    Case(
        "nothing to revoke, and nothing created",
        None,
        {"azure_auth": {"state": "absent"}},
        [],
        {"id": None},
    ),
    Case(
        "create with a custom role",
        None,
        {"role": "auditor"},
        [create(role="auditor")],
        {"role": "auditor"},
        differs=True,
    ),
    Case(
        "create with an unknown role",
        None,
        {"role": "nobody"},
        refused="role 'nobody' is not the slug of any role of the organization; write one of",
        generations=TODAY,
    ),
    Case(
        "create a name that differs in letter case only",
        None,
        {},
        refused="only in letter case, Unicode form or spaces; use the existing name, or a clearly",
        beside="upper",
    ),
    Case(
        "create what a project has of the same name",
        None,
        {},
        [create()],
        {"project_id": None},
        beside="project",
        generations=TODAY,
    ),
    Case(
        "create in a project",
        None,
        {"role": "viewer"},
        [("POST", f"projects/{PROJECT}/identities", {"name": NAME, "roles": [{"role": "viewer"}]})],
        {"role": "viewer", "project_id": PROJECT},
        where="project",
        generations=TODAY,
    ),
    Case(
        "create in a project, whose server drops roles at first",
        None,
        {"role": "viewer"},
        [
            (
                "POST",
                f"projects/{PROJECT}/identities",
                {"name": NAME, "roles": [{"role": "viewer"}]},
            ),
            (
                "PATCH",
                f"projects/{PROJECT}/memberships/identities/{ID}",
                {"roles": [{"role": "viewer"}]},
            ),
        ],
        {"role": "viewer"},
        where="project",
        settings={"drops": ["roles"]},
        generations=TODAY,
    ),
    Case(
        "create in a project with everything",
        None,
        {
            "role": "member",
            "metadata": TEAM,
            "delete_protection": True,
            "azure_auth": REQUIRED,
        },
        [
            (
                "POST",
                f"projects/{PROJECT}/identities",
                {
                    "name": NAME,
                    "roles": [{"role": "member"}],
                    "metadata": PAIRS,
                    "hasDeleteProtection": True,
                },
            ),
            ATTACH,
        ],
        {"role": "member", "metadata": TEAM, "delete_protection": True},
        where="project",
        generations=TODAY,
    ),
    Case(
        "create in a project with an unknown role",
        None,
        {"role": "nobody"},
        refused="role 'nobody' is not the slug of any role of the project",
        where="project",
        generations=TODAY,
    ),
    Case(
        "create in a project where projects own none",
        None,
        {},
        refused="is set, but projects cannot own identities on this server; remove it, or upgrade",
        where="project",
        generations=(OLD, OLDEST),
        differs=True,
    ),
    Case(
        "an id creates nothing",
        None,
        {},
        refused=f"id '{UNKNOWN_ID}' is not the ID of any identity that this login can see",
        by="unknown",
    ),
    Case(
        "an id with a name creates nothing",
        None,
        {"name": NAME},
        refused="correct it, or set only name to create an identity.",
        by="unknown",
    ),
]

FULL = {"role": "member", "metadata": TEAM, "delete_protection": True, "azure_auth": {}}
SAME = {"role": "member", "metadata": TEAM, "delete_protection": True}

EQUAL = [
    Case("equal: the name alone", {}, {}, differs=True),
    Case("equal: the id alone", {}, {}, by="id", differs=True),
    Case("equal: every setting, by name", FULL, {**SAME, "azure_auth": REQUIRED}, generations=RICH),
    Case(
        "equal: every setting, by id",
        FULL,
        {**SAME, "azure_auth": REQUIRED},
        leaves=SAME,
        by="id",
        generations=RICH,
    ),
    Case("equal: the role", {"role": "member"}, {"role": "member"}, differs=True),
    Case("equal: the role, by id", {"role": "member"}, {"role": "member"}, by="id", differs=True),
    Case("equal: a custom role", {"role": "auditor"}, {"role": " auditor "}, differs=True),
    Case("equal: nulls and blanks", FULL, {"role": "", "metadata": None, "azure_auth": None}),
    Case(
        "equal: metadata in another order, with blanks",
        {"metadata": [("b", "2"), ("a", "1")]},
        {"metadata": {" a": "1 ", "b": "\ufeff2"}},
        generations=RICH,
    ),
    Case("equal: no metadata", {}, {"metadata": {}}, generations=RICH),
    Case("equal: its own name", {}, {"name": NAME}, by="id"),
    Case("equal: Azure Auth that is absent", {}, {"azure_auth": {"state": "absent"}}),
    Case(
        "equal: several roles, left alone",
        {"roles": ["member", "auditor"]},
        {"metadata": {}},
        leaves={"role": None},
        by="id",
        generations=TODAY,
    ),
    Case(
        "equal: a key of metadata twice, left alone",
        {"metadata": [("a", "1"), ("a", "2")]},
        {"delete_protection": False},
        leaves={"metadata": None},
        by="id",
        generations=RICH,
    ),
    Case(
        "equal: an Azure Auth that no option says, left alone",
        {"azure_auth": {"tenantId": "contoso", "allowedServicePrincipalIds": ", "}},
        {"azure_auth": {"access_token_ttl": 3600}},
    ),
    Case(
        "an Azure Auth that no option says, and a key of metadata twice, left alone",
        {
            "azure_auth": {"tenantId": "contoso", "resource": "/"},
            "metadata": [("a", "1"), ("a", "2")],
        },
        {"role": "member", "azure_auth": {"access_token_ttl": 60}},
        [
            update(role="member"),
            ("PATCH", AZURE, {"accessTokenTTL": 60, "allowedServicePrincipalIds": ONE}),
        ],
        {"role": "member"},
        by="id",
        generations=RICH,
    ),
    Case(
        "equal: in a project, by name",
        FULL,
        {**SAME, "azure_auth": REQUIRED},
        leaves={**SAME, "project_id": PROJECT},
        where="project",
        generations=TODAY,
    ),
    Case(
        "equal: in a project, by its id alone",
        FULL,
        {**SAME, "azure_auth": REQUIRED},
        leaves={**SAME, "project_id": PROJECT},
        by="bare id",
        where="project",
        generations=TODAY,
    ),
    Case(
        "equal: details and source are ignored",
        {},
        {"details": {"roles": ["admin"], "x": 1}, "source": "list.yml:7"},
    ),
]

CHANGING = [
    Case(
        "another role",
        {},
        {"role": "member"},
        [update(role="member")],
        {"role": "member"},
        differs=True,
    ),
    Case(
        "a custom role instead of another",
        {"role": "auditor"},
        {"role": "no-access"},
        [update(role="no-access")],
        {"role": "no-access"},
        by="id",
        differs=True,
    ),
    Case(
        "an unknown role",
        {},
        {"role": "nobody"},
        refused="role 'nobody' is not the slug of any role of the organization",
        generations=TODAY,
    ),
    Case(
        "one of several roles",
        {"roles": ["member", "auditor"]},
        {"role": "member"},
        [update(role="member")],
        {"role": "member"},
        generations=TODAY,
    ),
    Case(
        "a temporary role is not the same",
        {"roles": [{"role": "member", "lasts": "1h"}]},
        {"role": "member"},
        [update(role="member")],
        {"role": "member"},
        by="id",
        generations=TODAY,
    ),
    Case(
        "other metadata",
        {"metadata": {"team": "x", "cost": "7"}},
        {"metadata": TEAM},
        [update(metadata=PAIRS)],
        {"metadata": TEAM},
        generations=RICH,
        differs=True,
    ),
    Case(
        "no metadata any more",
        {"metadata": TEAM},
        {"metadata": {}},
        [update(metadata=[])],
        {"metadata": {}},
        generations=RICH,
        differs=True,
    ),
    Case(
        "a key of metadata twice, replaced",
        {"metadata": [("team", "payments"), ("team", "payments")]},
        {"metadata": TEAM},
        [update(metadata=PAIRS)],
        {"metadata": TEAM},
        generations=RICH,
    ),
    Case(
        "metadata where there is none",
        {},
        {"metadata": TEAM},
        refused="metadata is set, but this server does not support it; remove it, or upgrade the",
        generations=(OLDEST,),
    ),
    Case(
        "protect",
        {},
        {"delete_protection": True},
        [update(hasDeleteProtection=True)],
        {"delete_protection": True},
        generations=RICH,
        differs=True,
    ),
    Case(
        "lift the protection",
        {"delete_protection": True},
        {"delete_protection": False},
        [LIFT],
        {"delete_protection": False},
        generations=RICH,
        differs=True,
    ),
    Case(
        "lift the protection of one without a name",
        {"delete_protection": True, "name": ""},
        {"delete_protection": False},
        refused="has no name, and Infisical does not remove the delete protection of such an",
        by="id",
        generations=RICH,
    ),
    Case(
        "lift the protection of one that gets a name",
        {"delete_protection": True, "name": ""},
        {"delete_protection": False, "name": NAME},
        [LIFT],
        {"delete_protection": False, "name": NAME},
        by="id",
        generations=RICH,
    ),
    Case(
        "rename",
        {},
        {"name": f"{NAME} renamed"},
        [update(name=f"{NAME} renamed")],
        {"name": f"{NAME} renamed"},
        by="id",
        differs=True,
    ),
    Case(
        "rename to what another is called",
        {},
        {"name": f"{NAME} taken"},
        refused="is the name of another identity (",
        by="id",
        beside="taken",
    ),
    Case(
        "everything at once, in one request",
        {},
        {**SAME, "name": f"{NAME} renamed"},
        [update(name=f"{NAME} renamed", role="member", metadata=PAIRS, hasDeleteProtection=True)],
        {**SAME, "name": f"{NAME} renamed"},
        by="id",
        generations=RICH,
    ),
    Case(
        "attach",
        {},
        {"azure_auth": REQUIRED},
        [ATTACH],
        differs=True,
    ),
    Case(
        "update the Azure Auth",
        {"azure_auth": {}},
        {"azure_auth": {"resource": "other"}},
        [("PATCH", AZURE, {"resource": "other", "allowedServicePrincipalIds": ONE})],
        by="id",
    ),
    Case(
        "revoke",
        {"azure_auth": {}},
        {"azure_auth": {"state": "absent"}},
        [("DELETE", AZURE, {})],
        {"azure_auth": {"state": "absent", "details": None}},
        differs=True,
    ),
    Case(
        "another role, and Azure Auth",
        {},
        {"role": "member", "azure_auth": REQUIRED},
        [update(role="member"), ATTACH],
        {"role": "member"},
    ),
    Case(
        "attach beside another method where that is not possible",
        {"methods": ["universal-auth"]},
        {"azure_auth": REQUIRED},
        refused=(
            "the identity has universal-auth, and this server, released in 2024,"
            " allows only one auth method per"
        ),
        generations=(OLDEST,),
    ),
    Case(
        "two of the name",
        {},
        {"role": "member"},
        refused="is the name of 2 identities (",
        beside="same",
    ),
    Case(
        "in a project: another role",
        {"role": "viewer"},
        {"role": "member"},
        [
            (
                "PATCH",
                f"projects/{PROJECT}/memberships/identities/{ID}",
                {"roles": [{"role": "member"}]},
            )
        ],
        {"role": "member"},
        where="project",
        generations=TODAY,
    ),
    Case(
        "in a project: several roles become one",
        {"roles": ["viewer", "member"]},
        {"role": "member"},
        [
            (
                "PATCH",
                f"projects/{PROJECT}/memberships/identities/{ID}",
                {"roles": [{"role": "member"}]},
            )
        ],
        {"role": "member"},
        where="project",
        by="bare id",
        generations=TODAY,
    ),
    Case(
        "in a project: the rest in one request",
        {"delete_protection": True},
        {"name": f"{NAME} renamed", "metadata": TEAM, "delete_protection": False},
        [
            (
                "PATCH",
                f"projects/{PROJECT}/identities/{ID}",
                {"name": f"{NAME} renamed", "metadata": PAIRS, "hasDeleteProtection": False},
            )
        ],
        {"name": f"{NAME} renamed", "metadata": TEAM, "delete_protection": False},
        where="project",
        by="id",
        generations=TODAY,
    ),
    Case(
        "in a project: lift the protection",
        {"delete_protection": True},
        {"delete_protection": False},
        [
            (
                "PATCH",
                f"projects/{PROJECT}/identities/{ID}",
                {"name": NAME, "hasDeleteProtection": False},
            )
        ],
        {"delete_protection": False},
        where="project",
        generations=TODAY,
    ),
    Case(
        "a project that is not its owner",
        {},
        {"role": "member"},
        refused=", not the project ",
        by="id of another project",
        generations=TODAY,
    ),
]

DELETING = [
    Case("delete", {"role": "member"}, {"state": "absent"}, [DELETE], {"state": "absent"}),
    Case(
        "delete by id, with all that it has",
        FULL,
        {"state": "absent", "delete_protection": False},
        [LIFT, DELETE],
        {"state": "absent"},
        by="id",
        generations=RICH,
        differs=True,
    ),
    Case(
        "delete where there is no protection",
        {},
        {"state": "absent", "role": "member", "azure_auth": REQUIRED},
        [DELETE],
        {"state": "absent"},
        by="id",
        differs=True,
    ),
    Case(
        "delete what is protected",
        {"delete_protection": True},
        {"state": "absent"},
        refused="has delete protection; to delete it anyway, also set delete_protection to false",
        generations=RICH,
        differs=True,
    ),
    Case(
        "delete what is protected, and is to be",
        {"delete_protection": True},
        {"state": "absent", "delete_protection": True},
        refused="has delete protection; to delete it anyway, also set delete_protection to false",
        by="id",
        generations=RICH,
    ),
    Case("absent already", None, {"state": "absent"}, [], {"state": "absent"}, differs=True),
    Case(
        "absent already, by id",
        None,
        {"state": "absent", "azure_auth": {"state": "absent"}},
        [],
        {"state": "absent", "id": UNKNOWN_ID},
        by="unknown",
        differs=True,
    ),
    Case(
        "delete by id and name",
        {},
        {"state": "absent", "name": NAME},
        [DELETE],
        {"state": "absent"},
        by="id",
    ),
    Case(
        "delete by id and another name",
        {},
        {"state": "absent", "name": "something else"},
        refused="correct the ID or the name of the identity to delete",
        by="id",
    ),
    Case("delete one of two", {}, {"state": "absent"}, refused="is the name of 2", beside="same"),
    Case(
        "in a project: delete",
        {"delete_protection": True},
        {"state": "absent", "delete_protection": False},
        [
            (
                "PATCH",
                f"projects/{PROJECT}/identities/{ID}",
                {"name": NAME, "hasDeleteProtection": False},
            ),
            ("DELETE", f"projects/{PROJECT}/identities/{ID}", {}),
        ],
        {"state": "absent"},
        where="project",
        generations=TODAY,
    ),
    Case(
        "in a project: absent already",
        None,
        {"state": "absent"},
        [],
        {"state": "absent"},
        where="project",
        generations=TODAY,
    ),
]

ELSEWHERE = [
    Case(
        "own: delete",
        {"role": "admin"},
        {"state": "absent"},
        refused=" cannot be deleted, because this task is logged in as that identity; use the",
        where="own",
        differs=True,
    ),
    Case(
        "own: another role",
        {"role": "admin"},
        {"role": "member"},
        refused=" cannot get another role, because this task is logged in as that identity; use",
        where="own",
        by="id",
        differs=True,
    ),
    Case("own: the same role", {"role": "admin"}, {"role": "admin"}, where="own"),
    Case(
        "own: a new name",
        {"role": "admin"},
        {"name": f"{NAME} renamed"},
        [update(name=f"{NAME} renamed")],
        {"name": f"{NAME} renamed"},
        where="own",
        by="id",
    ),
    Case(
        "of a parent: another role",
        {},
        {"role": "admin"},
        refused="belongs to another organization (",
        where="parent",
        by="id",
        generations=TODAY,
    ),
    Case(
        "of a parent: metadata",
        {},
        {"metadata": TEAM},
        refused="belongs to another organization (",
        where="parent",
        by="id",
        generations=TODAY,
    ),
    Case(
        "of a parent: delete",
        {},
        {"state": "absent"},
        refused="belongs to another organization (",
        where="parent",
        by="id",
        generations=TODAY,
    ),
    Case(
        "of a parent: by name",
        {},
        {},
        refused=" of another organization, such as a parent or sub-organization; log in to that",
        where="parent",
        generations=TODAY,
    ),
    Case(
        "of a parent: delete by name",
        {},
        {"state": "absent"},
        refused=" of another organization, such as a parent or sub-organization; log in to that",
        where="parent",
        generations=TODAY,
    ),
    Case(
        "of another organization: by id",
        {},
        {"role": "member"},
        refused="is not the ID of any identity that this login can see",
        where="foreign",
        by="id",
        generations=TODAY,
    ),
    Case(
        "of another organization: delete, where servers tell",
        {},
        {"state": "absent"},
        refused="403 Identity is not apart of this organization",
        where="foreign",
        by="id",
        generations=(OLD, OLDEST),
        differs=True,
    ),
]

CASES = [*CREATING, *EQUAL, *CHANGING, *DELETING, *ELSEWHERE]
