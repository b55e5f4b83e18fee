# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names are no key: one run never makes two identities of a name, whatever becomes of requests.

On the newest generation of servers, and on all of them by `make thorough`.
"""

from __future__ import annotations

import os
import threading
import time
import typing as t
from dataclasses import dataclass, field

import pytest
from functional.cases import REQUIRED
from functional.harness import Result, run_in_process

from ansible_collections.community.infisical.plugins.module_utils._state import (
    creations,
    identity,
)
from ansible_collections.community.infisical.plugins.modules import (
    infisical_identities,
    infisical_identity,
)
from emulator import Emulator, running

GENERATIONS = ("2026", "2025-06", "2024-10") if os.environ.get("THOROUGH") else ("2026",)
# For how long what may have been created is looked for, in seconds.
SEARCH = 0.6
CREATION = r"/identities$"
WANTED = {"role": "no-access", "azure_auth": REQUIRED}


@dataclass
class Site:
    """A server, and where on it identities are made: in the organization, or in a project."""

    server: Emulator
    project_id: str | None

    def run(
        self, module: str, name: str, *, token: str = "", retries: int = 3, **options: t.Any
    ) -> Result:
        """Run a module on one identity; of that for many return what it tells of the one."""
        self.server.clear_requests()
        common = {"url": self.server.url, "token": token or self.server.token, "retries": retries}
        entry = {"name": name, **WANTED, **options}
        if self.project_id:
            entry["project_id"] = self.project_id
        if module == "one":
            return run_in_process(infisical_identity.main, {**common, **entry})
        many = run_in_process(infisical_identities.main, {**common, "identities": [entry]})
        told = many["results"][0] if many["results"] else {}
        assert (many["failed"], many["changed"]) == (
            told.get("failed", False),
            told.get("changed", False),
        )
        return {**many, "identity": told, **told}

    def made(self, name: str) -> list[str]:
        """Return the ids of the identities of a name, the eldest first."""
        rows = self.server.state.identities.values()
        found = [item for item in rows if item.name == name]
        return [item.id for item in sorted(found, key=lambda item: item.created_at)]

    def posts(self) -> list[int | None]:
        """Return what the requests that create were answered."""
        return [
            item.status
            for item in self.server.requests(method="POST")
            if item.path.endswith("/identities")
        ]


@dataclass(frozen=True)
class Scenario:
    """Faults of the creation, and what comes of it.

    `says` are parts of the message of the failed run, which otherwise succeeds. `made` is how many
    identities of the name there are then, and `posts` how often one was asked for. The next run
    succeeds, after `later` seconds, unless `ends` is what it says.
    """

    id: str
    faults: t.Sequence[tuple[str, t.Mapping[str, t.Any]]] = ()
    says: t.Sequence[str] = ()
    changed: bool = True
    made: int = 1
    posts: int = 1
    later: float = 0
    ends: str | None = None
    settings: t.Mapping[str, t.Any] = field(default_factory=dict)


UNKNOWN = (
    "It is not known whether the identity '",
    (
        "' was created, and the task does not try again, because names are not unique; run it again"
        " later."
    ),
)

SCENARIOS = [
    *(
        Scenario(f"{title} after the work was done", [(action, {"times": 1, **options})])
        for title, action, options in (
            ("the answer is lost", "drop", {"when": "after"}),
            ("the connection is reset", "drop", {"when": "after", "reset": True}),
            ("the answer is cut off", "truncate", {"keep": 20}),
            ("a 500", "error", {"status": 500, "when": "after"}),
            ("a 502 of a proxy", "error", {"status": 502, "html": True, "when": "after"}),
            ("a 504", "error", {"status": 504, "error": "Timeout", "when": "after"}),
            # What asks to come back may have been done all the same.
            ("a 503 to come back", "error", {"status": 503, "retry_after": 0, "when": "after"}),
            ("HTML", "body", {"text": "<html>", "when": "after"}),
            ("a lone null", "body", {"when": "after"}),
            ("JSON of another shape", "body", {"json": {"identity": {}}, "when": "after"}),
        )
    ),
    Scenario("done while it is looked for", [("late", {"seconds": 0.2, "times": 1})]),
    Scenario(
        "done later than it is looked for",
        [("late", {"seconds": SEARCH + 1, "times": 1})],
        UNKNOWN,
        made=0,
        later=2,
    ),
    *(
        Scenario(f"{title}, and nothing was done", [(action, options)], UNKNOWN, made=0)
        for title, action, options in (
            ("the connection is closed", "drop", {"times": 1}),
            ("a 500", "error", {"times": 1, "status": 500}),
            ("a 503 of a proxy", "error", {"times": 1, "status": 503, "html": True}),
            ("a 502", "error", {"times": 1, "status": 502, "error": "Bad Gateway"}),
            ("a 503 to come back", "error", {"times": 1, "status": 503, "retry_after": 0}),
        )
    ),
    Scenario(
        "a rate limit, twice",
        [("rate_limit", {"times": 2, "retry_after": 0})],
        posts=3,
    ),
    Scenario(
        "the database was away before the token was looked up",
        [("error", {"times": 1, "status": 500, "error": "IdAccessTokenFindOne"})],
        posts=2,
    ),
    Scenario(
        "the database refuses",
        [("error", {"times": 1, "status": 500, "error": "Create"})],
        ("500 Create",),
        changed=False,
        made=0,
    ),
    Scenario(
        "the licence is used up",
        [],
        ("400 BadRequest", "identity limit"),
        changed=False,
        made=0,
        settings={"identity_limit": 1},
    ),
    Scenario(
        "a replica that lags",
        later=1,
        settings={"replica_lag": 0.7},
    ),
    Scenario(
        "a replica that lags, and a lost answer",
        [("drop", {"when": "after", "times": 1})],
        later=0.5,
        settings={"replica_lag": 0.3},
    ),
    Scenario(
        "a replica that lags for longer than is looked for, and a lost answer",
        [("drop", {"when": "after", "times": 1})],
        UNKNOWN,
        later=2.5,
        settings={"replica_lag": SEARCH + 1.5},
    ),
    Scenario(
        "another run is faster",
        [("race", {"times": 1, "change": "create"}), ("latency", {"seconds": 0.01})],
        (
            "There are 2 identities named '",
            ", created by this run)",
            (
                "Another run may have created one at the same time; nothing was attached. Delete"
                " the one that this run created (id "
            ),
        ),
        made=2,
        ends="is the name of 2 identities",
    ),
    Scenario(
        "another run is faster, and the answer is lost",
        [
            ("race", {"times": 1, "change": "create"}),
            ("latency", {"seconds": 0.01}),
            ("drop", {"when": "after", "times": 1}),
        ],
        (
            "There are 2 identities named '",
            "Delete those that are not needed with infisical_identity (state absent)",
        ),
        made=2,
        ends="is the name of 2 identities",
    ),
]


@pytest.fixture(scope="module", params=GENERATIONS)
def server(request: pytest.FixtureRequest) -> t.Iterator[Emulator]:
    with running(request.param) as emulator:
        yield emulator


@pytest.fixture(params=["organization", "project"])
def site(
    request: pytest.FixtureRequest, server: Emulator, monkeypatch: pytest.MonkeyPatch
) -> t.Iterator[Site]:
    monkeypatch.setattr(creations, "_SEARCH", SEARCH)
    monkeypatch.setattr(creations, "_FIRST_WAIT", 0.1)
    server.reset()
    project_id = None
    if request.param == "project":
        if server.generation != "2026":
            pytest.skip("projects own no identities")
        project_id = server.create_project("shop")
        server.add_member(server.identities["admin"], "admin", project_id=project_id)
    yield Site(server, project_id)
    server.reset()


def misbehave(site: Site, name: str, scenario: Scenario) -> None:
    site.server.settings(**scenario.settings)
    for action, given in scenario.faults:
        options = {"method": "POST", "path": CREATION, **given}
        if action == "race":
            fields = {"name": name, "project_id": site.project_id}
            options["fields"] = {key: value for key, value in fields.items() if value}
        site.server.fault(action, **options)


@pytest.mark.parametrize("module", ["one", "many"])
@pytest.mark.parametrize("scenario", [pytest.param(row, id=row.id) for row in SCENARIOS])
def test_one_run_never_makes_two(scenario: Scenario, module: str, site: Site) -> None:
    name = "sole"
    misbehave(site, name, scenario)
    result = site.run(module, name)
    assert len(site.posts()) == scenario.posts
    if scenario.says:
        assert result["failed"], result
        assert [part for part in scenario.says if part not in result["msg"]] == []
        assert result["msg"].isprintable()
    else:
        assert not result["failed"], result["msg"]
    assert result["changed"] is scenario.changed
    made = site.made(name)
    assert len(made) == scenario.made
    if not scenario.says:
        assert site.server.azure_auth(made[0])
        assert result["identity"]["id"] == made[0]
    if scenario.made == 2:
        assert [identity_id for identity_id in made if identity_id not in result["msg"]] == []
        assert [identity_id for identity_id in made if site.server.azure_auth(identity_id)] == []
    # The next run finishes the work, or says what is in its way.
    site.server.clear_faults()
    time.sleep(scenario.later)
    site.server.settings(identity_limit=None)
    result = site.run(module, name)
    if scenario.ends:
        assert scenario.ends in result["msg"]
        assert not result["changed"]
        assert site.made(name) == made
        return
    assert not result["failed"], result["msg"]
    (only,) = site.made(name)
    assert site.server.azure_auth(only)
    assert len(site.posts()) == (0 if made or scenario.later else 1)
    assert not site.run(module, name)["changed"]


@pytest.mark.parametrize("module", ["one", "many"])
def test_the_elder_of_two_goes_on(module: str, site: Site) -> None:
    # Made by another run right after this one has made its own.
    fields = {"name": "sole", "project_id": site.project_id}
    last = last_look(site, module)
    # Ages are told in milliseconds.
    site.server.fault("latency", seconds=0.01, nth=last, **looks_of(site))
    site.server.fault(
        "race",
        change="create",
        nth=last,
        fields={key: value for key, value in fields.items() if value},
        **looks_of(site),
    )
    result = site.run(module, "sole", role=None)
    assert not result["failed"], result["msg"]
    elder, younger = site.made("sole")
    assert site.server.azure_auth(elder)
    assert not site.server.azure_auth(younger)
    assert "is the name of 2 identities" in site.run(module, "sole")["msg"]


def looks_of(site: Site) -> dict[str, t.Any]:
    """Return the requests by which a name is looked for before it is created, and after."""
    if site.server.generation == "2024-10":
        return {"method": "GET", "path": CREATION}
    return {"method": "POST", "path": "/search$"}


def last_look(site: Site, module: str) -> int:
    """Return how many of these there are, of which the last comes after the creation."""
    assert not site.run(module, "counted", role=None)["failed"]
    return len(site.server.requests(**looks_of(site)))


@pytest.mark.parametrize("module", ["one", "many"])
def test_an_outage_that_goes_on(module: str, site: Site) -> None:
    last = last_look(site, module)
    site.server.fault("drop", method="POST", path=CREATION, when="after", times=1)
    for nth in range(last, last + 20):
        site.server.fault("error", status=503, html=True, nth=nth, **looks_of(site))
    result = site.run(module, "sole", retries=0, role=None)
    assert result["failed"]
    assert [part for part in UNKNOWN if part not in result["msg"]] == []
    assert result["changed"]
    assert len(site.posts()) == 1
    site.server.clear_faults()
    result = site.run(module, "sole")
    assert not result["failed"], result["msg"]
    assert (site.posts(), len(site.made("sole"))) == ([], 1)


@pytest.mark.parametrize("module", ["one", "many"])
def test_a_right_to_create_that_is_none_to_attach(module: str, site: Site) -> None:
    if site.server.generation != "2026":
        pytest.skip("who may create may attach")
    site.server.create_role("maker", ["read", "create", "edit", "grant-privileges"])
    maker = site.server.create_identity("maker", role="maker", methods=["universal-auth"])
    if site.project_id:
        actions = ["read", "create", "edit", "grant-privileges", "assign-role"]
        site.server.create_role("maker", actions, project_id=site.project_id)
        site.server.add_member(maker, "maker", project_id=site.project_id)
    result = site.run(module, "sole", token=site.server.issue_token(maker))
    assert result["failed"]
    assert result["changed"]
    assert (result["http_status"], result["error"]) == (403, "PermissionDenied")
    assert "You are not allowed to edit-auth on identity" in result["msg"]
    assert (
        "The identity was created, but Azure Auth is not attached yet; run the task again with a"
        " login that may attach it; on servers released since summer 2026, the login needs the"
        " permission edit-auth on identities."
    ) in result["msg"]
    (made,) = site.made("sole")
    assert result["identity"]["id"] == made
    assert result["identity"]["name"] == "sole"
    assert "azure_auth" not in result["identity"] or (
        result["identity"]["azure_auth"]["state"] == "absent"
    )
    result = site.run(module, "sole")
    assert not result["failed"], result["msg"]
    assert site.posts() == []
    assert site.made("sole") == [made]
    assert site.server.azure_auth(made)


@pytest.mark.parametrize("module", ["one", "many"])
def test_an_attach_that_fails_is_finished_by_the_next_run(module: str, site: Site) -> None:
    site.server.fault("error", method="POST", path="/azure-auth/", status=500, error="Create")
    result = site.run(module, "sole")
    assert result["failed"]
    assert result["changed"]
    assert "500 Create" in result["msg"]
    assert result["msg"].endswith(
        " The identity was created, but Azure Auth is not attached yet; run the task again."
    )
    site.server.clear_faults()
    result = site.run(module, "sole")
    assert not result["failed"], result["msg"]
    assert (site.posts(), len(site.made("sole"))) == ([], 1)


@pytest.mark.parametrize("module", ["one", "many"])
def test_a_look_that_fails_after_the_creation_is_told(module: str, site: Site) -> None:
    site.server.fault("error", nth=last_look(site, module), status=403, **looks_of(site))
    result = site.run(module, "sole", role=None)
    (made,) = site.made("sole")
    assert result["failed"]
    assert result["changed"]
    assert f"The identity {made} was created, but: Could not" in result["msg"]
    assert result["identity"]["id"] == made
    assert len(site.posts()) == 1
    assert not site.server.azure_auth(made)


@pytest.mark.parametrize("module", ["one", "many"])
@pytest.mark.parametrize(
    ("dropped", "options", "says"),
    [
        ("role", {"role": "member"}, "role 'no-access' instead of role 'member'"),
        ("metadata", {"metadata": {"a": "b"}}, "instead of metadata {'a': 'b'}"),
        (
            "hasDeleteProtection",
            {"delete_protection": True},
            "returned no delete_protection (servers have it from June 2025 on) instead of",
        ),
    ],
)
def test_what_the_server_drops_at_creation_is_no_success(
    dropped: str,
    options: t.Mapping[str, t.Any],
    says: str,
    module: str,
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if site.server.generation != "2026" or (site.project_id and dropped == "role"):
        pytest.skip("not what this server drops")
    monkeypatch.setattr(identity, "_READ_BACK", (0.0, 0.05))
    site.server.settings(drops=[dropped])
    result = site.run(module, "sole", **options)
    assert result["failed"], result
    assert result["changed"]
    assert says in result["msg"]
    assert "check the identity and the server's version" in result["msg"]
    (made,) = site.made("sole")
    assert result["identity"]["id"] == made
    assert site.run(module, "sole", **options)["failed"]
    assert site.made("sole") == [made]
    site.server.settings(drops=[])
    result = site.run(module, "sole", **options)
    assert not result["failed"], result["msg"]
    assert site.posts() == []


@pytest.mark.parametrize("module", ["one", "many"])
@pytest.mark.parametrize(
    ("dropped", "before", "options", "says"),
    [
        ("role", {}, {"role": "member"}, "role 'no-access' instead of role 'member'"),
        ("metadata", {}, {"metadata": {"a": "b"}}, "metadata"),
        ("metadata", {"metadata": {"a": "b"}}, {"metadata": {}}, "metadata"),
        ("hasDeleteProtection", {}, {"delete_protection": True}, "delete_protection"),
        (
            "hasDeleteProtection",
            {"delete_protection": True},
            {"delete_protection": False},
            "delete_protection",
        ),
    ],
)
def test_what_the_server_drops_at_an_update_is_no_success(
    dropped: str,
    before: t.Mapping[str, t.Any],
    options: t.Mapping[str, t.Any],
    says: str,
    module: str,
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if site.server.generation != "2026" or (site.project_id and dropped == "role"):
        pytest.skip("not what this server drops")
    monkeypatch.setattr(identity, "_READ_BACK", (0.0, 0.05))
    owner: dict[str, t.Any] = {"project_id": site.project_id} if site.project_id else {}
    site.server.create_identity("sole", **before, **owner)
    site.server.settings(drops=[dropped])
    result = site.run(module, "sole", **{"role": None, "azure_auth": None, **options})
    assert result["failed"], result
    assert says in result["msg"]


@pytest.mark.parametrize("module", ["one", "many"])
def test_a_lost_answer_hides_no_value(module: str, site: Site) -> None:
    """What was asked for is compared with what is there, which searches do not show."""
    options: dict[str, t.Any] = {"role": "member"}
    if site.server.generation != "2024-10":
        options["metadata"] = {"a": "b"}
    if site.server.generation == "2026":
        options["delete_protection"] = True
    site.server.fault("drop", method="POST", path=CREATION, when="after", times=1)
    result = site.run(module, "lost", **options)
    assert not result["failed"], result["msg"]
    assert {key: result["identity"][key] for key in options} == options
    (made,) = site.made("lost")
    assert site.server.azure_auth(made)


def test_a_name_is_looked_for_once_more_after_the_wait_for_a_rate_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(creations, "_LOOK_LASTS", 0.5)
    with running(creation_limit=1, window=2) as server:
        twin = threading.Timer(1, lambda: server.create_identity("second"))
        twin.start()
        result = run_in_process(
            infisical_identities.main,
            {
                "url": server.url,
                "token": server.token,
                "identities": [{"name": "first"}, {"name": "second"}],
                "concurrency": 1,
            },
        )
        twin.join()
        names = [item.name for item in server.state.identities.values()]
    assert not result["failed"], result["msg"]
    assert result["created_count"] == 1
    assert (names.count("first"), names.count("second")) == (1, 1)
