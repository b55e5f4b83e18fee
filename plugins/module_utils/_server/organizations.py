# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks that a login ended in the organization that it named.

A server may silently ignore the slug of a login, and log in to another organization. The task would
then make its changes there.
"""

from __future__ import annotations

import typing as t

from .._errors import ApiError, InfisicalError, OptionError
from .._text import quoted
from .api import unexpected
from .client import Client
from .request import Json, Request

_PAGE = 1000


class Landing(t.NamedTuple):
    """The claims of a token; None for a missing claim.

    `given` says that the user set the token, so that no login has sent the slug to the server.
    """

    identity_id: str | None
    organization_id: str | None
    root_id: str | None
    given: bool


class _SubOrganization(t.NamedTuple):
    slug: str
    id: str


def check_organization(client: Client, slug: str, landing: Landing) -> None:
    """Check that a token is for the organization of a slug, in as few requests as possible.

    Raises OptionError if it is not, or if this cannot be checked, and what Client.request() raises.
    """
    organization_id = landing.organization_id
    if organization_id is not None and organization_id == landing.root_id and not landing.given:
        # The server would have refused an unknown slug, so this is the slug of the root.
        return
    listed = _sub_organizations(client, slug)
    if organization_id is None:
        organization_id = _organization_of(client, slug, landing.identity_id)
    wanted = {item.id for item in listed if item.slug == slug}
    actual = next((item for item in listed if item.id == organization_id), None)
    if organization_id in wanted or not (wanted or actual or landing.given):
        return
    if not (wanted or actual):
        # No list shows the slug of the root, so this may be that slug or a typing error.
        raise OptionError(
            f"organization_slug {quoted(slug)} is not the slug of a sub-organization, and the token"
            " is for the root organization, whose slug is not known; remove organization_slug."
        )
    where = f"the sub-organization {quoted(actual.slug)}" if actual else "the root organization"
    raise OptionError(
        f"organization_slug is {quoted(slug)}, but the token is for {where}; correct"
        " organization_slug, or remove it."
    )


def _sub_organizations(client: Client, slug: str) -> list[_SubOrganization]:
    purpose = f"find out whether the login is for organization_slug {quoted(slug)}"
    found: list[_SubOrganization] = []
    while True:
        query = {"limit": str(_PAGE), "offset": str(len(found))}
        request = Request(
            "GET", "/api/v1/sub-organizations", purpose=purpose, query=query, many=True
        )
        try:
            page = _page(client.request(request), purpose)
        except ApiError as error:
            raise _meaning(error, slug) from None
        found += page
        if len(page) < _PAGE or page[0] in found[: -len(page)]:
            return found


def _page(answer: Json, purpose: str) -> list[_SubOrganization]:
    try:
        page = [_SubOrganization(item["slug"], item["id"]) for item in answer["organizations"]]
    except (LookupError, TypeError):
        raise unexpected(purpose, "no list of organizations") from None
    if not all(isinstance(text, str) for item in page for text in item):
        raise unexpected(purpose, "an organization without a slug or an ID")
    return page


def _meaning(error: ApiError, slug: str) -> InfisicalError:
    """Return the error to raise if the server refuses to list sub-organizations."""
    if error.unknown_route:
        problem = OptionError(
            f"This server has no sub-organizations, and ignores organization_slug {quoted(slug)};"
            " remove it."
        )
    elif error.http_status == 403 and not error.login_refused and "IP address" not in str(error):
        problem = OptionError(
            "The identity that you log in as belongs to a sub-organization and can only log in"
            f" there, so organization_slug {quoted(slug)} has no effect; remove it."
        )
    else:
        return error
    problem.take_answer_of(error)
    return problem


def _organization_of(client: Client, slug: str, identity_id: str | None) -> str:
    """Return the organization of a token without that claim: it is the identity's organization."""
    if identity_id is None:
        raise OptionError(
            "The token does not say which identity or organization it is for, so the module cannot"
            f" check organization_slug {quoted(slug)}; remove it."
        )
    purpose = f"read the login's own identity {identity_id} to find out its organization"
    answer = client.request(Request("GET", "/api/v1/identities/{}", (identity_id,), purpose))
    membership: t.Any = answer.get("identity")
    organization_id = membership.get("orgId") if isinstance(membership, dict) else None
    if not isinstance(organization_id, str):
        raise unexpected(purpose, "no organization")
    return organization_id
