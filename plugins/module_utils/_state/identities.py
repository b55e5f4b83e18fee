# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machine identities as the server shows them: read by ID, found by name.

Servers differ in what each request returns. This file reads all of it into one shape. Any list
proves that a name exists. Only a request that the server refuses without permission proves that it
does not exist; the search of version 2 silently returns less.
"""

from __future__ import annotations

import re
import typing as t

from .._errors import ApiError, OptionError, UnexpectedAnswerError, UnknownStateError
from .._server.api import PAGE, PROJECT_PAGE, Api, unexpected
from .._server.request import Json
from .._text import quoted, uuid_or_none

# The searches refuse other characters and longer names.
_SEARCHABLE = re.compile(r"[A-Za-z0-9 _-]{1,255}", re.ASCII)

# Up to this many names of a project are searched one by one; for more the list is read.
_FEW_NAMES = 3

Metadata = tuple[tuple[str, str], ...]


class Role(t.NamedTuple):
    """A role of an identity, by its slug."""

    slug: str
    temporary: bool = False


class Reference(t.NamedTuple):
    """An identity as options select it: by its ID, or by its name and the project that owns it.

    With an ID, the name is the new name. `label` is for messages about the identity, `option` for
    messages about its name. `place` is its index in a list, if it is in one.
    """

    id: str | None
    name: str | None
    project_id: str | None = None
    label: str = ""
    option: str = "name"
    place: int | None = None


class Identity(t.NamedTuple):
    """A machine identity. A value is None if the request did not return it.

    `organization_id` is the organization in which it was seen, `home_id` the one that it belongs
    to, `project_id` the project that owns it. `methods` has the names of its auth methods. `roles`
    has all its roles in its owner, `shown_role` is one of them. `metadata` has unordered pairs.
    `last_login_at` is also None if it has never logged in. `of_2024` says that the server allows
    only one auth method per identity and has no metadata.
    """

    id: str
    name: str
    organization_id: str | None
    home_id: str | None = None
    project_id: str | None = None
    methods: tuple[str, ...] | None = None
    roles: tuple[Role, ...] | None = None
    shown_role: Role | None = None
    metadata: Metadata | None = None
    protected: bool | None = None
    created_at: str | None = None
    updated_at: str | None = None
    project_name: str | None = None
    last_login_at: str | None = None
    last_login_method: str | None = None
    of_2024: bool = False

    @property
    def here(self) -> bool:
        """Whether it belongs to the organization in which it was seen, as far as is known.

        A sub-organization also lists identities of its parent, but cannot manage them.
        """
        return self.home_id is None or self.home_id == self.organization_id

    def filled_from(self, known: Identity) -> Identity:
        """Return the identity, completed with values that only another request returned."""
        told = {key: value for key, value in self._asdict().items() if value is not None}
        return known._replace(**told)


def read_identity(api: Api, identity_id: str, project_id: str | None = None) -> Identity:
    """Read an identity with its metadata, even if a project owns it.

    Unless `project_id` names the project, an identity that a project owns is found by its
    memberships. Raises UnknownStateError if the organization does not own it and the login may not
    read memberships, and UnexpectedAnswerError if the response is about another identity.
    """
    purpose = f"read the identity {identity_id}"
    if project_id is not None:
        item = api.identity_of_project(project_id, identity_id, purpose)
        identity = _owned(item, purpose)
    else:
        identity = _read_anywhere(api, identity_id, purpose)
    if identity.id != identity_id:
        raise unexpected(purpose, "another identity")
    return identity


def _read_anywhere(api: Api, identity_id: str, purpose: str) -> Identity:
    """Read an identity of the organization or of one of its projects."""
    try:
        return from_membership(api, api.identity(identity_id, purpose), purpose)
    except ApiError as failure:
        if failure.http_status != 404 or failure.unknown_route:
            raise
        missing = failure
    try:
        members = api.memberships(identity_id)
    except ApiError as failure:
        if failure.http_status == 404:
            raise missing from None
        if failure.http_status != 403:
            raise
        raise UnknownStateError(
            f"Could not read the identity {identity_id}: a project seems to own it, and this login"
            " is not allowed to read the memberships of identities; give the login's role the"
            " permission to read identities of the organization.",
            failure,
        ) from None
    if not members:
        # No project owns it: the first read came from a replica that lagged behind.
        return from_membership(api, api.identity(identity_id, purpose), purpose)
    return _of_project(members, identity_id, purpose)


def find_identities(
    api: Api,
    names: t.Iterable[str],
    project_id: str | None = None,
    *,
    roles: bool = False,
    listed: t.Iterable[Identity] | None = None,
) -> dict[str, list[Identity]]:
    """Find the identities of the organization, or of a project, with exactly these names.

    Returns zero or more identities for each name. `roles` asks for their roles, if the search of
    version 2 shows them. `listed` has identities that this search has already returned, so that it
    is not repeated.
    """
    wanted = list(dict.fromkeys(names))
    found: dict[str, dict[str, Identity]] = {name: {} for name in wanted}

    def take(candidates: t.Iterable[Identity]) -> None:
        for identity in candidates:
            if identity.name in found and identity.project_id == project_id:
                found[identity.name].setdefault(identity.id, identity)

    if listed is not None:
        take(listed)
    elif wanted and (project_id or (roles and api.of_2026)):
        take(search_names(api, wanted, project_id))
    missing = [name for name, identities in found.items() if not identities]
    if missing:
        if project_id is None:
            take(_candidates(api, missing))
        else:
            take(_of_project_named(api, missing, project_id))
    return {name: list(identities.values()) for name, identities in found.items()}


def only_identity(
    option: str, name: str, found: t.Sequence[Identity], project_id: str | None = None
) -> Identity:
    """Return the only identity with a name. Raises OptionError if there is none or several."""
    here = [identity for identity in found if identity.here]
    where = "organization" if project_id is None else f"project {project_id}"
    if found and not here:
        raise OptionError(
            f"{option} {quoted(name)} is the name of an identity ({found[0].id}) of another"
            " organization, such as a parent or sub-organization; log in to that organization to"
            " manage it."
        )
    if not here:
        raise OptionError(
            f"{option} {quoted(name)} is not the name of any identity that this login can"
            f" see in its {where}; names are matched exactly."
        )
    if len(here) > 1:
        ids = sorted(identity.id for identity in here)
        raise OptionError(
            f"{option} {quoted(name)} is the name of {len(ids)} identities"
            f" ({', '.join(ids[:5])}{', ...' if len(ids) > 5 else ''}); give the ID instead."
        )
    return here[0]


def not_owned(identity: Identity, project_id: str) -> str:
    """Return the message for an identity that the given project does not own."""
    owner = f"the project {identity.project_id}" if identity.project_id else "the organization"
    return (
        f"The owner of the identity {identity.id} is {owner}, not the project {project_id}; correct"
        " project_id, or remove it."
    )


def list_members(api: Api, purpose: str) -> tuple[list[Identity], t.Any]:
    """Return the identities of the organization, and the server's count.

    The count includes identities that projects own. It may be something else than a number.
    """
    answer = api.every_member(purpose)
    members = {item.id: item for item in _memberships(api, answer, purpose)}
    return list(members.values()), answer.get("totalCount", len(members))


def search_everywhere(
    api: Api, scopes: t.Sequence[str], purpose: str, names: t.Sequence[str] | None = None
) -> list[Identity] | None:
    """Return the results of the search of version 2, with all roles; None if there is no search.

    The search silently leaves out identities that the login may not read.
    """
    found: dict[str, Identity] = {}
    offset = 0
    while True:
        answer = api.search_everywhere(scopes, purpose, names, offset)
        if answer is None:
            return None
        items = _items(answer, purpose)
        before = len(found)
        for item in items:
            identity = _from_search(item, purpose)
            # Early versions repeat an organization's identity for each of its projects.
            if identity.id not in found or identity.project_id is None:
                found[identity.id] = identity
        offset += len(items)
        if len(items) < PAGE:
            return list(found.values())
        if len(found) == before:
            raise unexpected(purpose, "the same page again")


def searchable(name: str) -> bool:
    """Return whether the searches accept a name."""
    return _SEARCHABLE.fullmatch(name) is not None


def from_membership(api: Api, item: t.Any, purpose: str) -> Identity:
    """Read an identity with its membership in the organization, from any server generation."""
    inner = item.get("identity") if isinstance(item, dict) else None
    if not isinstance(inner, dict):
        raise unexpected(purpose, "no identity")
    organization_id = item.get("orgId")
    if not isinstance(organization_id, str):
        raise unexpected(purpose, "an identity without an organization")
    methods, of_2024 = _methods(inner, purpose)
    if methods is None:
        raise unexpected(purpose, "an identity without its auth methods")
    home_id = _text(inner.get("orgId"))
    role = _role(item)
    return _basic(inner, purpose)._replace(
        organization_id=organization_id,
        home_id=home_id,
        methods=methods,
        # Until June 2025, an identity has one role. Later, this may be one of several.
        roles=(role,) if role and not home_id and not api.of_2026 else None,
        shown_role=role,
        metadata=metadata_of(item, purpose),
        of_2024=of_2024,
        **_of_membership(item),
    )


def from_write(item: Json, identity: Identity | None, purpose: str) -> Identity:
    """Read the response to a write, but only the values that such responses return correctly."""
    written = _basic(item, purpose)
    if identity:
        if written.id != identity.id:
            raise unexpected(purpose, "another identity")
        return identity._replace(
            name=written.name, protected=written.protected, updated_at=written.updated_at
        )
    return written._replace(methods=(), metadata=metadata_of(item, purpose))


def metadata_of(item: Json, purpose: str) -> Metadata | None:
    """Return the metadata in an object of the API; None if there is none."""
    return _metadata(item.get("metadata"), purpose)


def _candidates(api: Api, names: t.Sequence[str]) -> list[Identity]:
    """Return identities that include those with the names, in as few requests as possible."""
    purpose = "find the identity" if len(names) == 1 else f"find {len(names)} identities"
    purpose += f" {quoted(names[0])}" if len(names) == 1 else " by name"
    searches = [names[start : start + PAGE] for start in range(0, len(names), PAGE)]
    # The list of all takes two requests, however many there are.
    if len(searches) > 2 or not all(map(searchable, names)):
        return list_members(api, purpose)[0]
    found: list[Identity] = []
    for some in searches:
        page = _search(api, some, purpose)
        if page is None:
            return list_members(api, purpose)[0]
        found += page
    return found


def _search(api: Api, names: t.Sequence[str], purpose: str) -> list[Identity] | None:
    """Return the identities with these names; None if the server cannot list them all."""
    answer = api.search(names, purpose)
    if answer is None:
        # Servers of 2024 have no search.
        return None
    found = _memberships(api, answer, purpose)
    # Pages are sorted by name, which is not unique, so they may repeat some and skip others.
    return found if answer.get("totalCount", len(found)) == len(found) else None


def search_names(api: Api, names: t.Sequence[str], project_id: str | None = None) -> list[Identity]:
    """Return the identities with these names, or more, from the search of version 2."""
    # Early versions show members of a project as if it owned them. The other scope shows the owner.
    scopes = ["organization"] if project_id is None else ["organization", "project"]
    purpose = f"find identities of the {scopes[-1]} by name"
    if len(names) > 2 * PAGE or not all(map(searchable, names)):
        return search_everywhere(api, scopes, purpose) or []
    found: list[Identity] = []
    for start in range(0, len(names), PAGE):
        page = search_everywhere(api, scopes, purpose, names[start : start + PAGE])
        if page is None:
            break
        found += page
    return found


def list_of_project(api: Api, project_id: str, name: str = "") -> list[Identity]:
    """Return the identities that a project owns; if `name` is set, those whose names contain it.

    Raises OptionError if projects cannot own identities on this server, and UnexpectedAnswerError
    if the list is incomplete.
    """
    purpose = f"list the identities of project {project_id}"
    try:
        answer = api.identities_of_project(project_id, purpose, name)
    except ApiError as failure:
        if failure.unknown_route:
            raise OptionError(
                f"project_id {quoted(project_id)} is set, but projects cannot own identities on"
                " this server; remove it, or upgrade the server to a version from October 2025 or"
                " later."
            ) from None
        raise
    owned = {item.id: item for item in map(_reader(purpose), _items(answer, purpose))}
    total = answer.get("totalCount", len(owned))
    if total == len(owned):
        # A page may cut off pairs of metadata, so they are not taken from here.
        return [item._replace(metadata=None) for item in owned.values()]
    searched = search_everywhere(api, ["organization", "project"], purpose) if not name else None
    found = [item for item in searched or () if item.project_id == project_id]
    if isinstance(total, int) and len(owned) <= total <= len(found):
        return found
    raise UnexpectedAnswerError(
        f"Could not {purpose}: Infisical counts {quoted(total)} identities, but shows {len(owned)}."
        f" It lists at most {PROJECT_PAGE} rows of a project, and an identity takes a row for each"
        " key of its metadata; select identities by ID.",
        http_status=200,
    )


def _of_project_named(api: Api, names: t.Sequence[str], project_id: str) -> list[Identity]:
    """Return the identities of a project with the names. This proves which do not exist."""
    # In a search, other characters might have a meaning.
    plain = all(map(searchable, names))
    if len(names) > _FEW_NAMES or not plain:
        try:
            return list_of_project(api, project_id)
        except UnexpectedAnswerError:
            # The project has too many identities for one list.
            if not plain:
                raise
    return [item for name in names for item in list_of_project(api, project_id, name)]


def _reader(purpose: str) -> t.Callable[[t.Any], Identity]:
    return lambda item: _owned(item, purpose)


def _owned(item: t.Any, purpose: str) -> Identity:
    """Read an identity from a route of the project that owns it."""
    identity = _basic(item, purpose)
    methods, _of_2024 = _methods(item, purpose)
    return identity._replace(
        organization_id=identity.home_id,
        methods=methods,
        metadata=metadata_of(item, purpose),
    )


def _of_project(members: t.Sequence[t.Any], identity_id: str, purpose: str) -> Identity:
    """Read an identity that a project owns from its membership in the project."""
    for item in members:
        inner = item.get("identity") if isinstance(item, dict) else None
        if isinstance(inner, dict):
            methods, _of_2024 = _methods(inner, purpose)
            return _basic({**inner, "id": identity_id}, purpose)._replace(
                project_id=_project(item, "id"),
                project_name=_project(item, "name"),
                methods=methods,
                roles=roles_from_api(item.get("roles")),
            )
    raise unexpected(purpose, "no membership")


def _from_search(item: t.Any, purpose: str) -> Identity:
    inner = item.get("identity") if isinstance(item, dict) else None
    if not isinstance(inner, dict):
        raise unexpected(purpose, "no identity")
    methods, _of_2024 = _methods(inner, purpose)
    return _basic({"id": item.get("identityId"), **inner}, purpose)._replace(
        organization_id=_text(item.get("orgId")),
        project_id=_text(item.get("projectId")),
        methods=methods,
        project_name=_project(item, "name"),
        roles=roles_from_api(item.get("roles")),
        **_of_membership(item),
    )


def _of_membership(item: Json) -> dict[str, t.Any]:
    """Read what each membership says about the identity. Logins are included since 2026."""
    return {
        "created_at": _text(item.get("createdAt")),
        "updated_at": _text(item.get("updatedAt")),
        "last_login_at": _text(item.get("lastLoginTime")),
        "last_login_method": _text(item.get("lastLoginAuthMethod")),
    }


def _project(item: Json, key: str) -> str | None:
    """Read the ID or the name of the project that a membership is in."""
    project = item.get("project")
    return _text(project.get(key)) if isinstance(project, dict) else None


def _basic(item: t.Any, purpose: str) -> Identity:
    """Read the values that all objects of identities have."""
    identity_id = item.get("id") if isinstance(item, dict) else None
    # The ID becomes part of paths, so it must be a UUID.
    identity_id = uuid_or_none(identity_id) if isinstance(identity_id, str) else None
    if not identity_id or not isinstance(item.get("name"), str):
        raise unexpected(purpose, "an identity without an ID or a name")
    protected = item.get("hasDeleteProtection")
    return Identity(
        identity_id,
        item["name"],
        organization_id=_text(item.get("orgId")),
        home_id=_text(item.get("orgId")),
        project_id=_text(item.get("projectId")),
        protected=protected if isinstance(protected, bool) else None,
        created_at=_text(item.get("createdAt")),
        updated_at=_text(item.get("updatedAt")),
    )


def _methods(inner: Json, purpose: str) -> tuple[tuple[str, ...] | None, bool]:
    """Return the names of the auth methods, if known, and whether the server is of 2024."""
    methods = inner.get("authMethods")
    if isinstance(methods, list) and all(isinstance(method, str) for method in methods):
        return tuple(methods), False
    if "authMethods" not in inner and "authMethod" in inner:
        only = inner["authMethod"]
        if only is None or isinstance(only, str):
            return ((only,) if only else ()), True
    if methods is not None:
        raise unexpected(purpose, "auth methods that are not names")
    return None, False


def _role(item: Json) -> Role | None:
    slug = item.get("role")
    custom = item.get("customRole")
    if slug == "custom" and isinstance(custom, dict):
        slug = custom.get("slug")
    return Role(slug) if isinstance(slug, str) else None


def roles_from_api(items: t.Any) -> tuple[Role, ...] | None:
    if not isinstance(items, list):
        return None
    roles = []
    for item in items:
        slug = (item.get("customRoleSlug") or item.get("role")) if isinstance(item, dict) else None
        if not isinstance(slug, str):
            return None
        roles.append(Role(slug, bool(item.get("isTemporary"))))
    return tuple(roles)


def _metadata(items: t.Any, purpose: str) -> Metadata | None:
    if items is None:
        return None
    pairs = []
    for item in items if isinstance(items, list) else [None]:
        key, value = (item.get("key"), item.get("value")) if isinstance(item, dict) else (0, 0)
        if not (isinstance(key, str) and isinstance(value, str)):
            raise unexpected(purpose, "metadata that is not a list of pairs")
        pairs.append((key, value))
    return tuple(sorted(pairs))


def _memberships(api: Api, answer: Json, purpose: str) -> list[Identity]:
    return [from_membership(api, item, purpose) for item in _items(answer, purpose)]


def _items(answer: Json, purpose: str) -> list[t.Any]:
    items = answer.get("identities")
    if not isinstance(items, list):
        raise unexpected(purpose, "no list of identities")
    return items


def _text(value: t.Any) -> str | None:
    return value if isinstance(value, str) else None
