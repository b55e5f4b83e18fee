# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of Infisical's API that the collection uses: one method a call.

Answers are JSON objects as the server sent them, with the envelope taken off. What they mean is for
the room of the state.
"""

from __future__ import annotations

import typing as t

from .._errors import ApiError, UnexpectedAnswerError
from .client import Client
from .request import Json, Request

_IDENTITIES = "/api/v1/identities"
_IDENTITY = f"{_IDENTITIES}/{{}}"
_OF_PROJECT = "/api/v1/projects/{}/identities"
_MEMBER = "/api/v1/projects/{}/memberships/identities/{}"
# The most identities that a search returns at once, and the most that a project's list does.
PAGE = 100
PROJECT_PAGE = 1000


class Api:
    """The calls. All raise what Client.request() raises, and UnexpectedAnswerError.

    `own_identity` is the id of the identity that the token belongs to, and `organization` that of
    the organisation that it is for: None where the token does not tell, as on servers before 2026.
    `purpose` completes the sentence "Could not ...".
    """

    def __init__(self, client: Client, own_identity: str | None, organization: str | None) -> None:
        self._client = client
        self._organization = organization
        self._own: Json = {}
        self.own_identity = own_identity
        # Tokens tell their organisation since the servers that have the search of version 2.
        self.of_2026 = organization is not None

    @property
    def retries(self) -> int:
        """How often a call that did not get through is made again."""
        return self._client.retries

    def stop(self) -> None:
        """Let no further call be made."""
        self._client.stop()

    def pause(self, seconds: float) -> None:
        """Sleep. Raises InterruptError after stop() or a signal."""
        self._client.pause(seconds)

    def organization(self, purpose: str) -> str:
        """Return the id of the token's organisation, which one request may be needed for."""
        if self._organization is None:
            self._organization = self._read_organization(purpose)
        return self._organization

    def own(self, purpose: str) -> Json:
        """Return the login's own identity with its membership, read once; {} if it is not known."""
        if not self._own and self.own_identity is not None:
            self._own = self.identity(self.own_identity, purpose)
        return self._own

    def auth(
        self,
        verb: str,
        method: str,
        envelope: str,
        identity_id: str,
        purpose: str,
        body: Json | None = None,
    ) -> Json:
        """Read, attach (POST), update (PATCH) or revoke (DELETE) an auth method of an identity."""
        answer = self._client.request(
            Request(
                verb,
                f"/api/v1/auth/{method}/identities/{{}}",
                (identity_id,),
                purpose=purpose,
                body=body,
                # Repeated, an attach would be refused, or hide that the first one did the work.
                repeatable=verb != "POST",
            )
        )
        item = _object(answer, envelope, purpose)
        if item.get("identityId") != identity_id:
            raise unexpected(purpose, "the object of another identity")
        return item

    def identity(self, identity_id: str, purpose: str = "") -> Json:
        """Read an identity of the organisation, with its membership there."""
        purpose = purpose or f"read the identity {identity_id}"
        answer = self._get(_IDENTITY, identity_id, purpose=purpose)
        return _object(answer, "identity", purpose)

    def memberships(self, identity_id: str, purpose: str = "") -> list[t.Any]:
        """Read what projects an identity is a member of, or owned by."""
        purpose = purpose or f"read the memberships of identity {identity_id}"
        answer = self._get(f"{_IDENTITY}/identity-memberships", identity_id, purpose=purpose)
        return _list(answer, "identityMemberships", purpose)

    def every_member(self, purpose: str) -> Json:
        """List the identities of the organisation: `identities` and `totalCount`."""
        return self._client.request(
            Request(
                "GET",
                _IDENTITIES,
                purpose=purpose,
                query={"orgId": self.organization(purpose)},
                many=True,
            )
        )

    def search(self, names: t.Sequence[str], purpose: str) -> Json | None:
        """Search the organisation's identities by name; None where there is no search."""
        body = {"search": {"name": {"$in": list(names)}}, "limit": PAGE}
        return self._post_search(f"{_IDENTITIES}/search", purpose, body)

    def search_everywhere(
        self,
        scopes: t.Sequence[str],
        purpose: str,
        names: t.Sequence[str] | None = None,
        offset: int = 0,
        limit: int = PAGE,
    ) -> Json | None:
        """Search by the version 2; None where there is none. It drops scopes without a word."""
        body: Json = {"scope": list(scopes), "limit": limit, "offset": offset}
        if names is not None:
            body["search"] = {"name": {"$in": list(names)}}
        return self._post_search("/api/v2/identities/search", purpose, body)

    def tells_homes(self) -> bool:
        """Return whether the server may have identities of other organizations in its lists."""
        if self.of_2026:
            return True
        own = self.own("read the login's own identity to find out what the server supports")
        inner = own.get("identity")
        return not isinstance(inner, dict) or "orgId" in inner

    def identities_of_project(self, project_id: str, purpose: str, name: str = "") -> Json:
        """List the identities that a project owns: `identities` and `totalCount`.

        Those whose names have `name` in them, if it is given.
        """
        searched = {"search": name} if name else {}
        return self._client.request(
            Request(
                "GET",
                _OF_PROJECT,
                (project_id,),
                purpose=purpose,
                query={"limit": str(PROJECT_PAGE), "offset": "0", **searched},
                many=True,
            )
        )

    def identity_of_project(self, project_id: str, identity_id: str, purpose: str) -> Json:
        """Read an identity that a project owns."""
        answer = self._get(f"{_OF_PROJECT}/{{}}", project_id, identity_id, purpose=purpose)
        return _object(answer, "identity", purpose)

    def member_of_project(self, project_id: str, identity_id: str) -> Json:
        """Read an identity's membership in a project, with its roles."""
        purpose = f"read the roles of identity {identity_id} in project {project_id}"
        answer = self._get(_MEMBER, project_id, identity_id, purpose=purpose)
        return _object(answer, "identityMembership", purpose)

    def create_identity(
        self,
        project_id: str | None,
        body: Json,
        purpose: str,
        on_turn: t.Callable[[], None] | None = None,
    ) -> Json:
        """Create an identity. It is never asked for twice: names are not unique."""
        if project_id is None:
            body = {**body, "organizationId": self.organization(purpose)}
        return self._write("POST", project_id, "", body, purpose, on_turn)

    def update_identity(self, project_id: str | None, identity_id: str, body: Json) -> Json:
        """Change what the body names."""
        purpose = f"update the identity {identity_id}"
        return self._write("PATCH", project_id, identity_id, body, purpose)

    def delete_identity(self, project_id: str | None, identity_id: str) -> Json:
        """Delete an identity, and with it all that belongs to it."""
        purpose = f"delete the identity {identity_id}"
        return self._write("DELETE", project_id, identity_id, None, purpose)

    def set_project_role(self, project_id: str, identity_id: str, role: str) -> None:
        """Make a role the only one that an identity has in a project."""
        purpose = f"set the role of identity {identity_id} in project {project_id}"
        self._client.request(
            Request(
                "PATCH",
                _MEMBER,
                (project_id, identity_id),
                purpose=purpose,
                body={"roles": [{"role": role}]},
            )
        )

    def role(self, slug: str) -> None:
        """Read a role of the organisation, which is how to find out that there is none (404)."""
        self._get("/api/v1/organization/roles/slug/{}", slug, purpose=f"read the role {slug}")

    def project_roles(self, project_id: str) -> list[t.Any]:
        """List the roles of a project."""
        purpose = f"list the roles of project {project_id}"
        answer = self._get("/api/v1/projects/{}/roles", project_id, purpose=purpose)
        return _list(answer, "roles", purpose)

    def member_projects(self, purpose: str) -> list[t.Any] | None:
        """List the projects that the login is a member of; None where projects own no identities.

        That is until June 2025.
        """
        answer = self._unless_unknown(
            Request("GET", "/api/v1/projects", purpose=purpose, many=True)
        )
        return None if answer is None else _list(answer, "projects", purpose)

    def projects(self, offset: int, purpose: str) -> Json | None:
        """Return a page of the organisation's projects, or None where they cannot be listed."""
        body = {"limit": PAGE, "offset": offset}
        return self._post_search("/api/v1/projects/search", purpose, body)

    def sub_organizations(self, purpose: str) -> Json | None:
        """Return the number of sub-organisations, in `totalCount`; None where there are none."""
        request = Request(
            "GET", "/api/v1/sub-organizations", purpose=purpose, query={"limit": "1"}, many=True
        )
        return self._unless_unknown(request)

    def _write(
        self,
        verb: str,
        project_id: str | None,
        identity_id: str,
        body: Json | None,
        purpose: str,
        on_turn: t.Callable[[], None] | None = None,
    ) -> Json:
        route = _IDENTITIES if project_id is None else _OF_PROJECT
        ids = tuple(filter(None, (project_id, identity_id)))
        answer = self._client.request(
            Request(
                verb,
                f"{route}/{{}}" if identity_id else route,
                ids,
                purpose=purpose,
                body=body,
                repeatable=verb != "POST",
                on_turn=on_turn,
            )
        )
        return _object(answer, "identity", purpose)

    def _get(self, route: str, *ids: str, purpose: str) -> Json:
        return self._client.request(Request("GET", route, ids, purpose=purpose))

    def _post_search(self, route: str, purpose: str, body: Json) -> Json | None:
        return self._unless_unknown(Request("POST", route, purpose=purpose, body=body, many=True))

    def _unless_unknown(self, request: Request) -> Json | None:
        """Make a request, and return None if the server does not know the route."""
        try:
            return self._client.request(request)
        except ApiError as error:
            if not error.unknown_route:
                raise
            return None

    def _read_organization(self, purpose: str) -> str:
        if self.own_identity is not None:
            own = f"read the login's own identity {self.own_identity} to find out its organization"
            organization = self.own(own).get("orgId")
            if isinstance(organization, str):
                return organization
            raise unexpected(own, "no organization")
        # For tokens that do not tell whose they are.
        answer = self._get(f"{_IDENTITIES}/details", purpose=purpose)
        try:
            return str(answer["identityDetails"]["organization"]["id"])
        except (LookupError, TypeError):
            raise unexpected(purpose, "no organization") from None


def unexpected(purpose: str, why: str | ValueError) -> UnexpectedAnswerError:
    """Return the failure of a call whose answer is JSON, but not what Infisical answers."""
    return UnexpectedAnswerError(
        f"Could not {purpose}: the server answered with JSON that Infisical does not send ({why});"
        " check that url points to an Infisical server.",
        http_status=200,
    )


def _object(answer: Json, key: str, purpose: str) -> Json:
    item = answer.get(key)
    if not isinstance(item, dict):
        raise unexpected(purpose, f"no {key}")
    return item


def _list(answer: Json, key: str, purpose: str) -> list[t.Any]:
    items = answer.get(key)
    if not isinstance(items, list):
        raise unexpected(purpose, f"no {key}")
    return items
