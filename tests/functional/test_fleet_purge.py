# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Purging: what is revoked from those that are not listed, and when nothing is."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from functional.cases import ATTACHED, REQUIRED
from functional.harness import FLEET, Result, entry, run_in_process, run_play, warnings_of

from ansible_collections.community.infisical.plugins.modules import infisical_identities
from emulator import running

FLEET_SIZE = 6
KEPT = ["app 0", "app 1", "app 2"]
# Of the emulator's own; "labs" is of a sub-organization, "foreign" of another organization.
SEEDED = ("batch worker", "payments", "platform")
ELSEWHERE = ("sub-organization", "foreign")
SURPLUS = sorted([*SEEDED, "app 3", "app 4", "app 5"])
REVOKED = {"azure_auth": {"state": "absent"}}
LISTING = "/api/v1/identities$"
AZURE_AUTH = "/azure-auth/identities/"


@dataclass
class Site:
    """An emulator with a few identities that have Azure Auth: app 0 to app 5, and its own."""

    server: t.Any
    ids: dict[str, str]

    @property
    def attached(self) -> list[str]:
        """The names of those in the organization that have Azure Auth."""
        return sorted(name for name, i in self.ids.items() if self.server.azure_auth(i))

    @property
    def elsewhere(self) -> list[bool]:
        """Whether those of other organizations have it."""
        seeded = self.server.identities
        return [bool(self.server.azure_auth(seeded[key])) for key in ELSEWHERE if key in seeded]

    @property
    def revoked(self) -> list[t.Any]:
        return [item for item in self.server.requests(method="DELETE") if item.status == 200]


@contextlib.contextmanager
def site(generation: str = "2026", **settings: t.Any) -> t.Iterator[Site]:
    with running(generation=generation, **settings) as server:
        names = [f"app {number}" for number in range(FLEET_SIZE)]
        ids = dict(zip(names, server.create_identities(names, azure_auth=ATTACHED)))
        seeded = server.identities
        ids.update({"payments": seeded["attached"], "platform": seeded["privileged"]})
        ids.update({"batch worker": seeded["twin-2"], "billing": seeded["plain"]})
        yield Site(server, ids)


@dataclass
class Scene:
    """A site of its own, what is done to it, and one task."""

    options: t.Callable[[Site], dict[str, t.Any]]
    before: t.Callable[[Site], t.Any] = lambda _site: None
    settings: t.Mapping[str, t.Any] = field(default_factory=dict)
    # Whether each is in check mode.
    runs: tuple[bool, ...] = (False,)
    # Where it matters; in this process it is many times faster.
    ansible: bool = False


@dataclass
class End:
    """The results of a scene's runs, and the site as they left it."""

    results: list[Result]
    attached: list[str]
    elsewhere: list[bool]
    requests: list[t.Any]
    ids: dict[str, str]


def entries(*names: str, **options: t.Any) -> list[dict[str, t.Any]]:
    return [entry(called=name, **options) for name in names]


def as_identity(site: Site, key: str, method: str = "universal-auth") -> dict[str, t.Any]:
    """The options of a login as an identity of the site, by a token of that method."""
    return {"token": site.server.issue_token(site.server.identities[key], method=method)}


def as_own(site: Site) -> dict[str, t.Any]:
    """The options of a login as an identity with Azure Auth, through another method that it has."""
    credentials = site.server.credentials(site.ids["own"])
    return {
        "token": None,
        "universal_auth_client_id": credentials.client_id,
        "universal_auth_client_secret": credentials.client_secret,
    }


def add_own(site: Site) -> None:
    own = site.server.create_identity("own", role="admin", methods=["universal-auth", "azure-auth"])
    site.ids["own"] = own


def add_admin_through_azure_auth(site: Site) -> None:
    own = site.server.create_identity("own", role="admin", methods=["azure-auth"])
    site.ids["own"] = own


def race(change: str, *also: dict[str, t.Any], method: str) -> t.Callable[[Site], None]:
    """Somebody else detaches, or deletes, app 4 and app 5 right before it is read or revoked."""

    def set_up(site: Site) -> None:
        for name in ("app 4", "app 5"):
            options = {"method": method, "path": AZURE_AUTH, "identity_id": site.ids[name]}
            site.server.fault("race", change=change, times=1, **options)
            for fault in also:
                site.server.fault(times=1, **options, **fault)

    return set_up


def listing_says(**changes: t.Any) -> t.Callable[[Site], None]:
    """The list of all identities is not what it should be."""

    def set_up(site: Site) -> None:
        items = [site.server.identity(identity_id) for identity_id in site.ids.values()]
        body = {"identities": items, "totalCount": len(items), **changes}
        site.server.fault("body", path=LISTING, json=body)

    return set_up


def purge(*except_: str) -> t.Callable[[Site], dict[str, t.Any]]:
    return lambda _site: {"identities": [], "purge_azure_auth_except": list(except_ or KEPT)}


SCENES: dict[str, Scene] = {
    **{
        f"check mode, for real, and again [{generation}]": Scene(
            lambda site: {
                "identities": entries("app 1", resource="other"),
                "purge_azure_auth_except": ["app 0", site.ids["app 1"].upper(), "app 2", "billing"],
            },
            settings={"generation": generation},
            runs=(True, False, False),
            ansible=True,
        )
        for generation in ("2026", "2024-10")
    },
    "an entry fails": Scene(
        lambda site: {
            "identities": [
                *entries("app 1", resource="other"),
                entry(site.ids["app 0"], access_token_max_ttl=1),
            ],
            "purge_azure_auth_except": KEPT,
        },
        runs=(True, False),
    ),
    "a server error for an entry": Scene(
        lambda _site: {
            "identities": entries(*KEPT, resource="other"),
            "purge_azure_auth_except": KEPT,
        },
        lambda site: site.server.fault("error", method="PATCH", identity_id=site.ids["app 2"]),
    ),
    "the listing counts more than it lists": Scene(purge(), listing_says(totalCount=99)),
    "the listing is cut short": Scene(
        lambda _site: {
            "identities": entries("app 0", resource="other"),
            "purge_azure_auth_except": KEPT,
        },
        lambda site: listing_says(identities=[site.server.identity(site.ids["app 0"])])(site),
    ),
    "the listing has an identity twice and lacks one": Scene(
        lambda _site: {
            "identities": entries("app 0", resource="other"),
            "purge_azure_auth_except": KEPT,
        },
        lambda site: listing_says(
            identities=[
                site.server.identity(site.ids[name if name != "app 1" else "app 0"])
                for name in site.ids
            ]
        )(site),
    ),
    "the listing is broken": Scene(
        purge(), lambda site: site.server.fault("truncate", path=LISTING, keep=100)
    ),
    "the task's own identity, logged in through another method": Scene(
        lambda site: {**as_own(site), **purge()(site)},
        add_own,
        runs=(True, False),
        ansible=True,
    ),
    "the task's own identity, by a token given": Scene(
        lambda site: {
            **purge()(site),
            "token": site.server.issue_token(site.ids["own"], method="azure-auth"),
        },
        add_admin_through_azure_auth,
        ansible=True,
    ),
    "the task's own identity, logged in through Azure Auth": Scene(
        lambda site: {
            **purge()(site),
            "token": None,
            "auth_method": "azure_auth",
            "auth_identity_id": site.ids["own"],
            "jwt": site.server.jwt(site.ids["own"], method="azure-auth"),
        },
        add_admin_through_azure_auth,
        ansible=True,
    ),
    "others detach some first": Scene(purge(), race("detach", method="GET")),
    "others detach some while it revokes": Scene(purge(), race("detach", method="DELETE")),
    "others detach some, and the loser gets a 500": Scene(
        purge(), race("detach", {"action": "error"}, method="DELETE")
    ),
    "others delete some first": Scene(purge(), race("delete", method="GET")),
    "others delete some while it revokes": Scene(purge(), race("delete", method="DELETE")),
    "others delete some, and the loser gets a 500": Scene(
        purge(), race("delete", {"action": "error"}, method="DELETE")
    ),
    "one cannot be purged": Scene(
        purge(),
        lambda site: site.server.fault("error", method="DELETE", identity_id=site.ids["app 4"]),
    ),
    "a login that may not revoke from the more privileged": Scene(
        lambda site: {**purge()(site), **as_identity(site, "member")},
        settings={"legacy_privileges": True},
    ),
    "a login whose role lacks the permission to revoke": Scene(
        lambda site: {**purge()(site), **as_identity(site, "member")}
    ),
    "a login that may only read": Scene(
        lambda site: {**purge()(site), **as_identity(site, "auditor")}, runs=(True, False)
    ),
    "a login that may not even list": Scene(
        lambda site: {**purge()(site), **as_identity(site, "no-access")}
    ),
}


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> dict[str, End]:
    with contextlib.ExitStack() as stack:
        sites: dict[str, Site] = {}
        results: dict[str, list[Result]] = {}
        tasks: list[tuple[str, dict[str, t.Any]]] = []
        for title, scene in SCENES.items():
            here = sites[title] = stack.enter_context(site(**scene.settings))
            scene.before(here)
            options = {"url": here.server.url, "token": here.server.token, **scene.options(here)}
            given = {name: value for name, value in options.items() if value is not None}
            given["retries"] = 1
            results[title] = []
            for check in scene.runs:
                if scene.ansible:
                    tasks.append((title, {FLEET: given, "check_mode": check, "diff": True}))
                else:
                    main = infisical_identities.main
                    results[title].append(run_in_process(main, given, check=check))
        played = run_play(tmp_path_factory.mktemp("purge"), [task for _title, task in tasks])
        for (title, _task), result in zip(tasks, played.results):
            results[title].append(result)
        return {
            title: End(
                results[title], here.attached, here.elsewhere, here.server.requests(), here.ids
            )
            for title, here in sites.items()
        }


def purged(result: Result) -> list[str]:
    return [item["name"] for item in result["results"] if item["purged"]]


def writes(end: End) -> list[str]:
    return [item.method for item in end.requests if item.method in ("PATCH", "DELETE")]


def check_counts(result: Result) -> None:
    """The counts are disjoint, and what the results say."""
    items = result["results"]
    assert result["failed_count"] == sum(item["failed"] for item in items)
    well = [item for item in items if not item["failed"]]
    assert result["purged_count"] == sum(item["purged"] for item in well)
    assert result["changed_count"] == sum(not item["purged"] for item in well)
    assert all(item["changed"] for item in well)
    assert result["checked"] == 0 or result["checked"] >= len(items)
    assert result["changed"] == any(item["changed"] for item in items)


@pytest.mark.parametrize("title", SCENES)
def test_whatever_happens_identities_of_other_organizations_are_left_alone(
    title: str, ends: dict[str, End]
) -> None:
    assert ends[title].elsewhere in ([True, True], [True])
    assert set(KEPT) <= set(ends[title].attached)
    for result in ends[title].results:
        check_counts(result)


@pytest.mark.parametrize("generation", ["2026", "2024-10"])
def test_check_mode_lists_exactly_what_a_real_run_revokes(
    generation: str, ends: dict[str, End]
) -> None:
    end = ends[f"check mode, for real, and again [{generation}]"]
    check, real, again = end.results
    for result in (check, real):
        assert not result["failed"], result["msg"]
        assert result["changed"]
        assert purged(result) == SURPLUS
        assert (result["changed_count"], result["purged_count"]) == (1, 6)
        # On 2026 the list does not tell that one belongs to a sub-organisation: it is looked at.
        assert result["checked"] == 7 + (generation == "2026")
        # What is purged comes last, and is told for what it is.
        assert [item["purged"] for item in result["results"]] == [False] + [True] * 6
        for item in result["results"][1:]:
            assert item["azure_auth"] == {"state": "absent", "details": None}
            # The identity itself stays.
            assert item["state"] == "present"
            assert "azure-auth" not in item["details"]["auth_methods"]
    assert check["results"][1:] == real["results"][1:]
    assert check["diff"] == real["diff"]
    headers = [difference["before_header"] for difference in real["diff"][1:]]
    assert headers == [f"Identity {name} {end.ids[name]}" for name in SURPLUS]
    assert [difference["after"] for difference in real["diff"][1:]] == [REVOKED] * 6
    assert end.attached == sorted(KEPT)
    # And again: nothing is left to purge.
    assert not again["failed"]
    assert not again["changed"]
    assert (again["checked"], again["results"]) == (1 + (generation == "2026"), [])


def test_each_is_read_again_right_before_it_is_revoked(ends: dict[str, End]) -> None:
    end = ends["check mode, for real, and again [2026]"]
    for name in SURPLUS:
        requests = [item.method for item in end.requests if end.ids[name] in item.path]
        assert requests == ["GET", "GET", "DELETE"], name


@pytest.mark.parametrize("title", ["an entry fails", "a server error for an entry"])
def test_nothing_is_purged_where_an_entry_failed(title: str, ends: dict[str, End]) -> None:
    end = ends[title]
    for result in end.results:
        assert result["failed"]
        assert result["msg"].endswith("Nothing was purged.")
        assert "identities failed: identities[" in result["msg"]
        assert result["purged_count"] == 0
        assert purged(result) == []
        assert result["failed_count"] == 1
        assert result["changed_count"] >= 1
    assert set(SURPLUS) <= set(end.attached)


@pytest.mark.parametrize("title", [title for title in SCENES if title.startswith("the listing")])
def test_nothing_is_written_where_the_listing_is_not_whole(
    title: str, ends: dict[str, End]
) -> None:
    end = ends[title]
    (result,) = end.results
    assert result["failed"]
    assert "Could not list the identities to purge:" in result["msg"]
    assert not result["changed"]
    assert result["checked"] == 0
    assert writes(end) == []


@pytest.mark.parametrize("title", [title for title in SCENES if title.startswith("the task's own")])
def test_the_own_identity_is_skipped_with_a_warning(title: str, ends: dict[str, End]) -> None:
    end = ends[title]
    for result in end.results:
        assert not result["failed"], result["msg"]
        assert purged(result) == SURPLUS
        warnings = warnings_of(result)
        assert warnings.count("which this task is logged in as") == 1
        assert f"own ({end.ids['own']})" in warnings
    assert end.attached == sorted([*KEPT, "own"])


@pytest.mark.parametrize("title", [title for title in SCENES if title.startswith("others")])
def test_what_others_detach_or_delete_meanwhile_is_fine(title: str, ends: dict[str, End]) -> None:
    end = ends[title]
    (result,) = end.results
    assert not result["failed"], result["msg"]
    assert end.attached == sorted(KEPT)
    assert set(purged(result)) >= set(SURPLUS) - {"app 4", "app 5"}
    if "500" not in title:
        # Known not to be our doing.
        assert not {"app 4", "app 5"} & set(purged(result))
    assert {item["azure_auth"]["state"] for item in result["results"]} == {"absent"}
    assert [item["after"] for item in result["diff"]] == [REVOKED] * len(result["diff"])


def test_one_that_cannot_be_purged_does_not_stop_the_others(ends: dict[str, End]) -> None:
    end = ends["one cannot be purged"]
    (result,) = end.results
    assert result["failed"]
    assert result["msg"].startswith(f"1 of 7 identities failed: app 4 ({end.ids['app 4']}): Could")
    assert (result["failed_count"], result["purged_count"]) == (1, 5)
    assert end.attached == sorted([*KEPT, "app 4"])


def test_the_more_privileged_fail_and_the_others_are_purged(ends: dict[str, End]) -> None:
    end = ends["a login that may not revoke from the more privileged"]
    (result,) = end.results
    assert result["failed"]
    failed = [item for item in result["results"] if item["failed"]]
    assert [item["name"] for item in failed] == ["platform"]
    assert failed[0]["http_status"] == 403
    assert failed[0]["azure_auth"]["state"] == "present"
    assert (failed[0]["changed"], failed[0]["purged"]) == (False, True)
    assert end.attached == sorted([*KEPT, "platform"])
    assert result["purged_count"] == 5


def test_without_the_permission_to_revoke_nothing_is_purged(ends: dict[str, End]) -> None:
    end = ends["a login whose role lacks the permission to revoke"]
    (result,) = end.results
    assert result["failed"]
    assert not result["changed"]
    assert end.attached == sorted([*KEPT, *SURPLUS])
    failed = {(item["http_status"], item["error"]) for item in result["results"] if item["failed"]}
    assert failed == {(403, "PermissionDenied")}
    assert "revoke-auth on identity" in result["msg"]


def test_a_login_that_may_only_read_can_do_the_audit(ends: dict[str, End]) -> None:
    end = ends["a login that may only read"]
    check, real = end.results
    assert not check["failed"], check["msg"]
    assert purged(check) == SURPLUS
    assert real["failed"]
    assert not real["changed"]
    assert real["failed_count"] == 6
    assert {item["http_status"] for item in real["results"]} == {403}
    assert set(SURPLUS) <= set(end.attached)


def test_a_login_that_may_not_list_purges_nothing(ends: dict[str, End]) -> None:
    end = ends["a login that may not even list"]
    (result,) = end.results
    assert result["failed"]
    assert (result["http_status"], result["error"]) == (403, "PermissionDenied")
    assert writes(end) == []


def test_batches_with_the_whole_list_purge_only_what_it_leaves_out(tmp_path: Path) -> None:
    names = [f"app {number}" for number in range(FLEET_SIZE)]
    whole = [*names, "fresh"]
    with site() as here:
        here.ids["fresh"] = here.server.create_identity("fresh")
        batches = [
            {
                "url": here.server.url,
                "token": here.server.token,
                "identities": entries(*whole[start : start + 3], **REQUIRED),
                "purge_azure_auth_except": whole,
            }
            for start in (0, 3, 6)
        ]
        results = run_play(tmp_path, [{FLEET: batch} for batch in batches]).results
        assert here.attached == sorted(whole)
    assert not any(result["failed"] for result in results)
    assert [purged(result) for result in results] == [list(SEEDED), [], []]
    assert [result["changed_count"] for result in results] == [0, 0, 1]
