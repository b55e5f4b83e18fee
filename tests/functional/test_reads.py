# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many requests a task makes where nothing changes, on each generation of servers.

The token is given, so that no login is among them, and what is wanted is what is there already.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

import pytest
from functional.cases import ATTACHED, REQUIRED
from functional.harness import entry, run_in_process

from ansible_collections.community.infisical.plugins.modules import (
    infisical_azure_auth,
    infisical_identities,
    infisical_identity,
    infisical_identity_info,
)
from emulator import running

GENERATIONS = ("2024-10", "2025-06", "2026")
SIZE = 210
# The emulator's own that are listed and have Azure Auth, besides one of another organization's.
SEEDED_ATTACHED = 3
PROJECTS_OWN = 30


@dataclass
class Site:
    """An emulator with a fleet, of which all but one have Azure Auth."""

    server: t.Any
    names: list[str]
    ids: list[str]
    bare: str
    odd: str
    project: str = ""
    owned: tuple[str, ...] = ()

    @property
    def today(self) -> bool:
        return bool(self.server.generation == "2026")


def site_of(server: t.Any) -> Site:
    names = [f"app {number}" for number in range(SIZE)]
    ids = server.create_identities(names, azure_auth=ATTACHED)
    bare = server.create_identity("bare")
    odd = server.create_identity("app: (odd)")
    server.put_azure_auth(odd, **ATTACHED)
    site = Site(server, names, ids, bare, odd)
    if site.today:
        site.project = server.create_project("shop")
        server.add_member(server.identities["admin"], "admin", project_id=site.project)
        site.owned = tuple(
            server.create_identity(f"shop {number}", project_id=site.project)
            for number in range(PROJECTS_OWN)
        )
        for identity_id in site.owned[1:]:
            server.put_azure_auth(identity_id, **ATTACHED)
    return site


@pytest.fixture(scope="module", params=GENERATIONS)
def site(request: pytest.FixtureRequest) -> t.Iterator[Site]:
    with running(generation=request.param) as server:
        yield site_of(server)


def attached(**who: str) -> dict[str, t.Any]:
    return {**who, "resource": ATTACHED["resource"]}


def many(*entries: dict[str, t.Any]) -> dict[str, t.Any]:
    return {"identities": list(entries)}


def named(site: Site, count: int, **wanted: t.Any) -> dict[str, t.Any]:
    return many(*({**entry(called=name), **wanted} for name in site.names[:count]))


def by_id(site: Site, count: int, **wanted: t.Any) -> dict[str, t.Any]:
    return many(*({**entry(identity_id), **wanted} for identity_id in site.ids[:count]))


def listed(site: Site, with_metadata: int = 0) -> dict[str, t.Any]:
    """By names and ids, with Azure Auth and without, of the organization and of the project."""
    entries = [
        *named(site, 100, **ROLE)["identities"],
        *by_id(site, SIZE)["identities"][100:150],
        *({"id": identity_id, **ROLE} for identity_id in site.ids[150:]),
        {"name": "bare", "azure_auth": {"state": "absent"}},
        {"name": "nobody", "state": "absent"},
        {"name": "nobody yet", "azure_auth": REQUIRED},
    ]
    if site.today:
        owned = {"project_id": site.project, **ROLE}
        entries += [{**entry(called=f"shop {number}"), **owned} for number in range(1, 9)]
    extra = [METADATA] * with_metadata + [{}] * (len(entries) - with_metadata)
    return many(*({**item, **more} for item, more in zip(entries, extra)))


AZURE_AUTH, IDENTITY = infisical_azure_auth.main, infisical_identity.main
FLEET, INFO = infisical_identities.main, infisical_identity_info.main
ROLE = {"role": "no-access"}
PROTECTION = {"delete_protection": False}
METADATA: dict[str, t.Any] = {"metadata": {}}
ALL = SIZE + 1 + SEEDED_ATTACHED

# How many on 2024-10, 2025-06 and 2026; None where there is no such thing.
Counts = tuple[t.Optional[int], t.Optional[int], t.Optional[int]]
TABLE: dict[str, tuple[t.Callable[[], None], t.Callable[[Site], dict[str, t.Any]], Counts]] = {
    # -- one Azure Auth --
    "Azure Auth by id": (AZURE_AUTH, lambda site: attached(identity_id=site.ids[0]), (1, 1, 1)),
    "Azure Auth by name": (AZURE_AUTH, lambda _site: attached(identity_name="app 0"), (4, 2, 2)),
    "Azure Auth by a name that the search refuses": (
        AZURE_AUTH,
        lambda _site: attached(identity_name="app: (odd)"),
        (3, 3, 2),
    ),
    "Azure Auth by name and project": (
        AZURE_AUTH,
        lambda site: attached(identity_name="shop 1", project_id=site.project),
        (None, None, 2),
    ),
    "no Azure Auth by id": (
        AZURE_AUTH,
        lambda site: {"identity_id": site.bare, "state": "absent"},
        (2, 2, 2),
    ),
    "no Azure Auth by id, of a project": (
        AZURE_AUTH,
        lambda site: {"identity_id": site.owned[0], "state": "absent"},
        (None, None, 3),
    ),
    "no Azure Auth by id and project": (
        AZURE_AUTH,
        lambda site: {
            "identity_id": site.owned[0],
            "project_id": site.project,
            "state": "absent",
        },
        (None, None, 2),
    ),
    # -- one identity --
    "identity by id": (IDENTITY, lambda site: {"id": site.ids[0]}, (1, 1, 1)),
    "identity by id, with role": (
        IDENTITY,
        lambda site: {"id": site.ids[0], "role": "no-access"},
        (1, 1, 2),
    ),
    "identity by name, with role": (
        IDENTITY,
        lambda _site: {"name": "app 0", **ROLE},
        (3, 1, 1),
    ),
    "identity by name, with role and protection": (
        IDENTITY,
        lambda _site: {"name": "app 0", **ROLE, **PROTECTION},
        (None, 1, 1),
    ),
    "identity by name, with metadata": (
        IDENTITY,
        lambda _site: {"name": "app 0", **ROLE, **METADATA},
        (None, 2, 2),
    ),
    "identity by name, not there": (
        IDENTITY,
        lambda _site: {"name": "nobody", **ROLE, "state": "absent"},
        (3, 1, 1),
    ),
    # -- a fleet, Azure Auth alone --
    "fleet by ids": (FLEET, lambda site: by_id(site, SIZE), (SIZE, SIZE, SIZE)),
    "fleet by 100 names": (FLEET, lambda site: named(site, 100), (103, 101, 101)),
    "fleet by 200 names": (FLEET, lambda site: named(site, 200), (203, 202, 202)),
    "fleet by more names": (FLEET, lambda site: named(site, SIZE), (SIZE + 2, SIZE + 2, SIZE + 1)),
    # -- a fleet, the identities too --
    "fleet by ids, with role": (
        FLEET,
        lambda site: by_id(site, SIZE, **ROLE),
        (SIZE + 2, SIZE + 2, SIZE + 3),
    ),
    "fleet by ids, with protection": (
        FLEET,
        lambda site: by_id(site, SIZE, **PROTECTION),
        (None, SIZE + 2, SIZE + 1),
    ),
    "fleet by names, with role and protection": (
        FLEET,
        lambda site: named(site, SIZE, **ROLE, **PROTECTION),
        (None, SIZE + 2, SIZE + 3),
    ),
    "fleet by names, with metadata": (
        FLEET,
        lambda site: named(site, SIZE, **METADATA),
        (None, 2 * SIZE + 2, 2 * SIZE + 1),
    ),
    # -- all --
    # In 2026 the list, three pages of a search, projects and sub-organizations.
    "info of all": (
        INFO,
        lambda _site: {},
        (ALL + 2, ALL + 2, ALL + PROJECTS_OWN - 1 + 1 + 3 + 2),
    ),
    "info of all, the list alone": (
        INFO,
        lambda _site: {"azure_auth": False},
        (2, 2, 1 + 3 + 2),
    ),
    # -- all, compared with a list: no more than reading all, but for what the list names besides --
    "fleet and all others, without entries": (
        FLEET,
        lambda _site: {"identities": [], "return_all": True},
        (ALL + 2, ALL + 2, ALL + PROJECTS_OWN - 1 + 1 + 3 + 2),
    ),
    "fleet and all others": (
        FLEET,
        lambda site: {**listed(site), "return_all": True},
        (ALL + 2, ALL + 2, ALL + PROJECTS_OWN - 1 + 1 + 3 + 2),
    ),
    "fleet and all others, ten with metadata": (
        FLEET,
        lambda site: {**listed(site, with_metadata=10), "return_all": True},
        (None, ALL + 10 + 2, ALL + 10 + PROJECTS_OWN - 1 + 1 + 3 + 2),
    ),
    "info of a project": (
        INFO,
        lambda site: {"project_id": site.project},
        # The list does not tell who has none.
        (None, None, 1 + PROJECTS_OWN - 1 + 2),
    ),
}


@pytest.mark.parametrize("title", TABLE)
def test_the_least_reads(title: str, site: Site) -> None:
    main, options_of, counts = TABLE[title]
    count = counts[GENERATIONS.index(site.server.generation)]
    if count is None:
        pytest.skip("there is no such thing on these servers")
    site.server.clear_requests()
    options = {"url": site.server.url, "token": site.server.token, **options_of(site)}
    # Where there is a new name, it would be created.
    check = bool(options.get("return_all"))
    result = run_in_process(main, options, check=check)
    assert not result["failed"], result["msg"]
    assert result["changed"] == bool(result.get("created_count"))
    requests = site.server.requests()
    assert {item.method for item in requests} <= {"GET", "POST"}
    searches = [item for item in requests if item.path.endswith("/search")]
    assert sum(item.method == "POST" for item in requests) == len(searches)
    assert len(requests) == count, sorted(item.path for item in requests)[-9:]
