# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many identities: which ones options select, and which exist at all."""

from __future__ import annotations

import typing as t

from .._errors import (
    ApiError,
    OptionError,
    Problem,
    UnexpectedAnswerError,
    UnknownStateError,
)
from .._server.api import PAGE, Api
from .._server.request import Json
from .._text import printable, quoted
from .identities import (
    Identity,
    Reference,
    find_identities,
    list_members,
    list_of_project,
    not_owned,
    only_identity,
    read_identity,
    search_everywhere,
    search_names,
)

# How many names a sentence lists.
_NAMED = 5
# How many identities are read one by one before a list of all is cheaper.
_FEW = 2


class Listing(t.NamedTuple):
    """Identities, and sentences about what is not listed.

    `elsewhere` has those that are listed but belong to another organization.
    """

    identities: list[Identity]
    not_visible: list[str]
    elsewhere: t.Sequence[Identity] = ()

    @property
    def members(self) -> list[Identity]:
        """The organization's identities and those elsewhere: their names are in use here too."""
        return [item for item in [*self.identities, *self.elsewhere] if item.project_id is None]

    @property
    def owned(self) -> list[Identity]:
        """The identities that projects own."""
        return [item for item in self.identities if item.project_id is not None]


# The organization's identities, and the server's count: see list_members().
Members = tuple[list[Identity], t.Any]


def resolve(
    api: Api,
    references: t.Sequence[Reference],
    *,
    members: t.Sequence[Identity] | None = None,
    owned: t.Sequence[Identity] | None = None,
    listed: t.Sequence[Identity] = (),
    roles: bool = False,
    may_be_new: t.Collection[Reference] = (),
) -> tuple[dict[Reference, Identity | None], list[Problem]]:
    """Find the identities that references select, in as few requests as possible.

    `members` has all identities of the organization, if they are known. `owned` has identities of
    projects from a list of everything, `listed` those from another list; these may be incomplete.
    `may_be_new` has the references whose names need not exist. Returns the identity of each
    reference (None if it was not read or does not exist), and a problem for each name that does not
    match exactly one identity.
    """
    by_id = {item.id: item for item in [*(members or ()), *(owned or ()), *listed]}
    named = _named(api, references, members, owned, roles=roles)
    found: dict[Reference, Identity | None] = {}
    problems: list[Problem] = []
    for item in references:
        if item.id:
            found[item] = identity = by_id.get(item.id)
            if identity and item.project_id and identity.project_id != item.project_id:
                problems.append(
                    Problem(f"{item.label}: {not_owned(identity, item.project_id)}", item.place)
                )
            continue
        same = named[item.project_id][item.name or ""]
        if not same and item in may_be_new:
            found[item] = None
            continue
        try:
            found[item] = only_identity(item.option, item.name or "", same, item.project_id)
        except OptionError as error:
            problems.append(Problem(str(error), item.place))
    return found, problems


def with_roles(
    api: Api, found: t.Mapping[Reference, Identity | None], wanted: t.Iterable[Reference]
) -> dict[Reference, Identity | None]:
    """Return identities with all their roles if these are `wanted` and a list did not have them.

    Takes as few requests as possible. Without a search for roles, they stay unknown.
    """
    unread = {
        identity.name
        for identity in (found.get(item) for item in wanted)
        if identity and identity.roles is None and identity.project_id is None
    }
    if not unread or not api.of_2026:
        return {**found}
    roles = {item.id: item.roles for item in search_names(api, sorted(unread))}
    return {
        reference: item._replace(roles=item.roles or roles.get(item.id)) if item else None
        for reference, item in found.items()
    }


def whole_organization(api: Api, purpose: str, members: Members | None = None) -> Listing:
    """Return all listed identities of the organization, and what is not listed.

    Identities that projects own are counted but not listed. `members` is set if they were listed
    before. Raises UnexpectedAnswerError if the list is incomplete.
    """
    listed, total = members or list_members(api, purpose)
    not_visible = [] if total == len(listed) else [_unlisted(api, listed, total, purpose)]
    return _listing(listed, not_visible)


def read_by_id(api: Api, references: t.Sequence[Reference], *, roles: bool) -> list[Identity]:
    """Return the identities with these IDs, or more: from a list, or one by one if cheaper.

    Identities that do not exist or cannot be read are left out. `roles` asks for all their roles.
    """
    if len(references) <= _FEW:
        return [item for item in (_read_if_possible(api, one) for one in references) if item]
    purpose = "list the identities"
    found = search_everywhere(api, ["organization"], purpose) if roles and api.of_2026 else None
    return list_members(api, purpose)[0] if found is None else found


def _read_if_possible(api: Api, reference: Reference) -> Identity | None:
    try:
        return read_identity(api, reference.id or "", reference.project_id)
    except (ApiError, UnknownStateError) as failure:
        if isinstance(failure, ApiError) and failure.login_refused:
            raise
        # The work on the identity reports this later.
        return None


def list_everything(api: Api, members: Members | None = None) -> Listing:
    """Return every identity that the login can see, including those that projects own.

    `members` is set if they were listed before.
    """
    purpose = "list the identities"
    members = members or list_members(api, purpose)
    found = search_everywhere(api, ["organization", "project"], purpose) if api.of_2026 else None
    if found is None:
        return _list_before_2026(api, members, purpose)
    listed, total = members
    seen = {identity.id: identity for identity in [*listed, *found]}
    owned = sum(identity.project_id is not None for identity in seen.values())
    not_visible = _hidden_in_projects(total, len(listed), owned)
    not_visible += _other_projects(api, purpose) + _sub_organizations(api, purpose)
    return _listing(seen.values(), not_visible)


def left_out(count: int) -> str:
    """Return the sentence about identities of other organizations."""
    return (
        "Identities that belong to another organization, such as a parent or sub-organization, are"
        f" left out ({count}); log in to that organization to read them."
    )


def _listing(listed: t.Iterable[Identity], not_visible: list[str]) -> Listing:
    """Return a listing with the identities of other organizations separated."""
    here: list[Identity] = []
    elsewhere: list[Identity] = []
    for identity in listed:
        (here if identity.here else elsewhere).append(identity)
    also = [left_out(len(elsewhere))] if elsewhere else []
    return Listing(here, [*not_visible, *also], elsewhere)


def _named(
    api: Api,
    references: t.Sequence[Reference],
    members: t.Sequence[Identity] | None,
    owned: t.Sequence[Identity] | None,
    *,
    roles: bool,
) -> dict[str | None, dict[str, list[Identity]]]:
    """Return the identities of each project, or of the organization, by name."""
    names: dict[str | None, list[str]] = {}
    for item in references:
        if not item.id:
            names.setdefault(item.project_id, []).append(item.name or "")
    named: dict[str | None, dict[str, list[Identity]]] = {}
    for project_id, wanted in names.items():
        if project_id is None and members is not None:
            named[None] = {name: [] for name in wanted}
            for identity in members:
                if identity.name in named[None]:
                    named[None][identity.name].append(identity)
        else:
            listed = owned if project_id else None
            named[project_id] = find_identities(api, wanted, project_id, roles=roles, listed=listed)
    return named


def _list_before_2026(api: Api, members: Members, purpose: str) -> Listing:
    """Return the listing of a server without the search of version 2."""
    listed, total = members
    not_visible = []
    owned: dict[str, Identity] = {}
    if total != len(listed):
        for project in api.member_projects(purpose) or ():
            project_id = project.get("id") if isinstance(project, dict) else None
            if not isinstance(project_id, str):
                continue
            name = project.get("name")
            try:
                owned.update(
                    (item.id, item._replace(project_name=name if isinstance(name, str) else None))
                    for item in list_of_project(api, project_id)
                )
            except ApiError as refusal:
                if refusal.http_status != 403:
                    raise
                not_visible.append(
                    "This login may not read the identities that the project"
                    f" {quoted(name)} owns."
                )
        if not owned and not not_visible:
            not_visible.append(_unlisted(api, listed, total, purpose))
        else:
            not_visible += _hidden_in_projects(total, len(listed), len(owned))
    return _listing([*listed, *owned.values()], not_visible)


def _hidden_in_projects(total: t.Any, listed: int, owned: int) -> list[str]:
    """Return a sentence about identities that are counted but not listed."""
    hidden = total - listed - owned if isinstance(total, int) else 0
    if hidden <= 0:
        return []
    return [
        (
            f"Projects own identities that this login cannot see ({hidden}); make it a member of"
            " these projects, with the permission to read identities there."
        )
    ]


def _other_projects(api: Api, purpose: str) -> list[str]:
    """Return a sentence about the projects of which the login is not a member."""
    projects: dict[str, Json] = {}
    offset = 0
    while True:
        answer = api.projects(offset, purpose)
        items = answer.get("projects") if answer else None
        page = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
        before = len(projects)
        projects.update((str(item.get("id", item.get("name"))), item) for item in page)
        offset += len(page)
        if len(page) < PAGE or len(projects) == before:
            break
    names = [str(item.get("name")) for item in projects.values() if item.get("isMember") is False]
    if not names:
        return []
    shown = ", ".join(printable(name, 60) for name in sorted(names)[:_NAMED])
    return [
        (
            f"This login is not a member of some projects ({len(names)}:"
            f" {shown}{', ...' if len(names) > _NAMED else ''}), so it cannot read the auth methods"
            " of identities that they own."
        )
    ]


def _sub_organizations(api: Api, purpose: str) -> list[str]:
    """Return a sentence about sub-organizations, each of which needs its own login."""
    try:
        answer = api.sub_organizations(purpose)
    except ApiError as refusal:
        # A login of a sub-organization may not ask, and can only see its own.
        if refusal.http_status != 403:
            raise
        return []
    count = answer.get("totalCount") if answer else 0
    if not isinstance(count, int) or not count:
        return []
    return [
        (
            f"Sub-organizations ({count}) have identities of their own; log in to each with"
            " organization_slug."
        )
    ]


def _unlisted(api: Api, listed: t.Sequence[Identity], total: t.Any, purpose: str) -> str:
    """Return a sentence about what is counted but not listed. Raises UnexpectedAnswerError.

    Until June 2025 the count is that of the list. Later it includes identities that projects own.
    Since May 2026 a search counts the organization's own identities, which must all be listed.
    """
    whole = total if isinstance(total, int) and total > len(listed) else None
    old = any(identity.of_2024 for identity in listed)
    counted = None if whole is None or old else _count(api, purpose)
    if counted == len(listed) and whole:
        return (
            f"Identities that projects own are not listed ({whole - counted}); read each one by its"
            " ID, with a login that is a member of its project."
        )
    if whole and not old and counted is None and api.member_projects(purpose) is not None:
        return (
            f"Infisical counts more identities than it lists ({whole - len(listed)}), probably"
            " those that projects own; this server cannot tell whether others are missing."
        )
    raise UnexpectedAnswerError(
        f"Could not {purpose}: Infisical lists {len(listed)} identities, but counts"
        f" {quoted(total if counted is None else counted)}; run the task again.",
        http_status=200,
    )


def _count(api: Api, purpose: str) -> int | None:
    """Return the number of the organization's own identities; None if it is unknown."""
    answer = api.search_everywhere(["organization"], purpose, limit=1)
    count = answer.get("totalCount") if answer else None
    return count if isinstance(count, int) else None
