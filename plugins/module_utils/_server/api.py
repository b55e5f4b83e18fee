# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of Infisical's API that the collection uses: one method for each call.

The methods return the server's JSON objects, without their envelopes. The code in `_state`
interprets them.
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
# How many identities a page of a search has at most, and how many a list of a project has.
PAGE = 100
PROJECT_PAGE = 1000


class Api:
    """The calls. All raise what Client.request() raises, and UnexpectedAnswerError.

    `own_identity` and `organization` are the IDs of the token's identity and organization, None if
    the token does not contain them. On servers before 2026, no token contains the organization.
    `purpose` completes the sentence "Could not ...".
    """

    def __init__(self, client: Client, own_identity: str | None, organization: str | None) -> None:
        self._client = client
        self._organization = organization
        self._own: Json = {}
        self.own_identity = own_identity
        # A server whose tokens contain the organization also has version 2 of the search.
        self.of_2026 = organization is not None

    @property
    def retries(self) -> int:
        """How often to repeat a call that failed temporarily."""
        return self._client.retries

    def stop(self) -> None:
        """Refuse all further calls."""
        self._client.stop()

    def pause(self, seconds: float) -> None:
        """Sleep. Raises InterruptError after stop() or a signal."""
        self._client.pause(seconds)

    def organization(self, purpose: str) -> str:
        """Return the ID of the token's organization. This may take a request."""
        if self._organization is None:
            self._organization = self._read_organization(purpose)
        return self._organization

    def own(self, purpose: str) -> Json:
        """Return the login's own identity with its membership, read once; {} if it is unknown."""
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
                # The server would refuse a second attach, even if the first one succeeded.
                repeatable=verb != "POST",
            )
        )
        item = _object(answer, envelope, purpose)
        if item.get("identityId") != identity_id:
            raise unexpected(purpose, "the object of another identity")
        return item

    def identity(self, identity_id: str, purpose: str = "") -> Json:
        """Read an identity of the organization, with its membership there."""
        purpose = purpose or f"read the identity {identity_id}"
        answer = self._get(_IDENTITY, identity_id, purpose=purpose)
        return _object(answer, "identity", purpose)

    def memberships(self, identity_id: str, purpose: str = "") -> list[t.Any]:
        """Read an identity's memberships in projects, including the project that owns it."""
        purpose = purpose or f"read the memberships of identity {identity_id}"
        answer = self._get(f"{_IDENTITY}/identity-memberships", identity_id, purpose=purpose)
        return _list(answer, "identityMemberships", purpose)

    def every_member(self, purpose: str) -> Json:
        """List the identities of the organization: `identities` and `totalCount`."""
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
        """Search the organization's identities by name; None if the server has no search."""
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
        """Search with version 2; None if the server lacks it. It silently drops scopes."""
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

        If `name` is set, only those whose names contain it.
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
        """Create an identity. This is never repeated, because names are not unique."""
        if project_id is None:
            body = {**body, "organizationId": self.organization(purpose)}
        return self._write("POST", project_id, "", body, purpose, on_turn)

    def update_identity(self, project_id: str | None, identity_id: str, body: Json) -> Json:
        """Change the settings in the body."""
        purpose = f"update the identity {identity_id}"
        return self._write("PATCH", project_id, identity_id, body, purpose)

    def delete_identity(self, project_id: str | None, identity_id: str) -> Json:
        """Delete an identity and everything that belongs to it."""
        purpose = f"delete the identity {identity_id}"
        return self._write("DELETE", project_id, identity_id, None, purpose)

    def set_project_role(self, project_id: str, identity_id: str, role: str) -> None:
        """Give an identity this role in a project, in place of all its roles there."""
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
        """Read a role of the organization. Raises ApiError with status 404 if it does not exist."""
        self._get("/api/v1/organization/roles/slug/{}", slug, purpose=f"read the role {slug}")

    def project_roles(self, project_id: str) -> list[t.Any]:
        """List the roles of a project."""
        purpose = f"list the roles of project {project_id}"
        answer = self._get("/api/v1/projects/{}/roles", project_id, purpose=purpose)
        return _list(answer, "roles", purpose)

    def member_projects(self, purpose: str) -> list[t.Any] | None:
        """List the projects that the login is a member of.

        Returns None if projects cannot own identities, on servers until June 2025.
        """
        answer = self._unless_unknown(
            Request("GET", "/api/v1/projects", purpose=purpose, many=True)
        )
        return None if answer is None else _list(answer, "projects", purpose)

    def projects(self, offset: int, purpose: str) -> Json | None:
        """Return a page of the organization's projects; None if the server cannot list them."""
        body = {"limit": PAGE, "offset": offset}
        return self._post_search("/api/v1/projects/search", purpose, body)

    def sub_organizations(self, purpose: str) -> Json | None:
        """Return the number of sub-organizations in `totalCount`; None if the server has none."""
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
        # The token does not contain its identity.
        answer = self._get(f"{_IDENTITIES}/details", purpose=purpose)
        try:
            return str(answer["identityDetails"]["organization"]["id"])
        except (LookupError, TypeError):
            raise unexpected(purpose, "no organization") from None


def unexpected(purpose: str, why: str | ValueError) -> UnexpectedAnswerError:
    """Return the error for a response that is JSON, but not in Infisical's form."""
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
