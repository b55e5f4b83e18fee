# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controls and the misbehaviour of the emulator. What the API does is the contract's matter."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from emulator import Emulator, running
from emulator.faults import ACTIONS
from emulator.rules import GENERATIONS

AZURE_AUTH = "/api/v1/auth/azure-auth/identities"


class Client:
    """A session with the seeded admin's token."""

    def __init__(self, emu: Emulator) -> None:
        self.emu = emu
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {emu.token}"

    def call(self, method: str = "GET", who: str = "attached", **options: Any) -> requests.Response:
        """A request for the Azure Auth of a seeded identity."""
        url = f"{self.emu.url}{AZURE_AUTH}/{self.emu.identities[who]}"
        options.setdefault("timeout", 10)
        return self.session.request(method, url, allow_redirects=False, **options)

    def ask(self, method: str, path: str, json: Any = None) -> requests.Response:
        """Any request."""
        return self.session.request(method, f"{self.emu.url}{path}", json=json, timeout=10)

    def search(self, name: str, version: str = "v1", **options: Any) -> list[dict[str, Any]]:
        """The identities of a name, as a search finds them."""
        body = {"search": {"name": name}, **options}
        found: list[dict[str, Any]] = self.ask(
            "POST", f"/api/{version}/identities/search", body
        ).json()["identities"]
        return found

    def become(self, identity_id: str, **options: Any) -> None:
        """Go on as another identity."""
        token = self.emu.issue_token(identity_id, **options)
        self.session.headers["Authorization"] = f"Bearer {token}"

    def control(self, method: str, path: str, json: Any = None) -> Any:
        """A request to the control API."""
        url = f"{self.emu.url}/_emulator{path}"
        return requests.request(method, url, json=json, timeout=10)


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with running() as emulator:
        yield emulator


@pytest.fixture
def emu(server: Emulator) -> Emulator:
    """A server as it was seeded."""
    server.reset()
    return server


@pytest.fixture
def client(emu: Emulator) -> Client:
    return Client(emu)


def attached(emu: Emulator) -> dict[str, Any]:
    """The stored Azure Auth of the seeded identity that has it."""
    stored = emu.azure_auth(emu.identities["attached"])
    assert stored is not None
    return stored


# -- faults -------------------------------------------------------------------------------------


def test_latency_is_waited_before_the_answer(emu: Emulator, client: Client) -> None:
    emu.fault("latency", seconds=0.3)
    begin = time.monotonic()
    assert client.call().status_code == 200
    assert time.monotonic() - begin >= 0.3


@pytest.mark.parametrize(
    ("retry_after", "header"), [(7, "7"), ("soon", "soon"), (10**12, str(10**12)), (None, None)]
)
@pytest.mark.parametrize("status", [429, 500])
def test_rate_limit_refuses_with_any_retry_after(
    emu: Emulator, client: Client, status: int, retry_after: Any, header: str | None
) -> None:
    emu.fault("rate_limit", status=status, retry_after=retry_after)
    answer = client.call()
    assert answer.status_code == status
    assert answer.json()["error"] == "RateLimitExceeded"
    assert answer.headers.get("retry-after") == header


@pytest.mark.parametrize(("when", "resource"), [("before", None), ("after", "changed")])
def test_error_answers_instead_of_or_after_the_work(
    emu: Emulator, client: Client, when: str, resource: str | None
) -> None:
    before = attached(emu)["resource"]
    emu.fault("error", status=503, error="ServiceUnavailable", message="later", when=when)
    answer = client.call("PATCH", json={"resource": "changed"})
    assert answer.status_code == 503
    assert answer.json().items() >= {"error": "ServiceUnavailable", "message": "later"}.items()
    assert attached(emu)["resource"] == (resource or before)


def test_error_can_be_the_page_of_a_proxy(emu: Emulator, client: Client) -> None:
    emu.fault("error", status=502, message="Bad <Gateway>", html=True)
    answer = client.call()
    assert answer.headers["content-type"].startswith("text/html")
    assert "502 Bad <Gateway>" in answer.text


@pytest.mark.parametrize(("when", "gone"), [("before", False), ("after", True)])
@pytest.mark.parametrize("reset", [False, True])
def test_drop_closes_before_or_after_the_work(
    emu: Emulator, client: Client, when: str, gone: bool, reset: bool
) -> None:
    emu.fault("drop", when=when, reset=reset)
    with pytest.raises(requests.ConnectionError, match="reset by peer" if reset else "closed"):
        client.call("DELETE")
    assert (emu.azure_auth(emu.identities["attached"]) is None) == gone
    (record,) = emu.requests()
    assert record.status is None


def test_latency_may_hold_back_the_answer_to_work_that_is_done(
    emu: Emulator, client: Client
) -> None:
    emu.fault("latency", seconds=0.3, when="after", method="DELETE", times=1)
    with pytest.raises(requests.ReadTimeout):
        client.call("DELETE", timeout=0.1)
    assert emu.azure_auth(emu.identities["attached"]) is None
    emu.fault("latency", seconds=0.1, when="after", method="DELETE")
    assert client.call("DELETE", who="twin-2").status_code == 200


def test_late_does_the_work_after_the_connection_is_cut(emu: Emulator, client: Client) -> None:
    emu.fault("late", seconds=0.3, method="DELETE")
    with pytest.raises(requests.ConnectionError):
        client.call("DELETE")
    assert client.call().status_code == 200
    until = time.monotonic() + 5
    while client.call().status_code == 200 and time.monotonic() < until:
        time.sleep(0.05)
    assert emu.azure_auth(emu.identities["attached"]) is None


def test_who_gives_up_while_a_request_waits_finds_the_work_done_later(
    emu: Emulator, client: Client
) -> None:
    emu.fault("latency", seconds=0.4, method="DELETE")
    with pytest.raises(requests.ReadTimeout):
        client.call("DELETE", timeout=0.1)
    assert client.call().status_code == 200
    until = time.monotonic() + 5
    while client.call().status_code == 200 and time.monotonic() < until:
        time.sleep(0.05)
    assert emu.azure_auth(emu.identities["attached"]) is None


def test_truncate_promises_more_than_it_sends(emu: Emulator, client: Client) -> None:
    emu.fault("truncate", keep=5)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="5 bytes read"):
        client.call()


@pytest.mark.parametrize(
    ("options", "content_type", "text"),
    [
        ({}, "application/json", "null"),
        ({"json": {"other": []}}, "application/json", '{"other":[]}'),
        ({"text": "<html>"}, "text/html", "<html>"),
        ({"text": ""}, "text/html", ""),
        ({"text": "{", "content_type": "application/json"}, "application/json", "{"),
    ],
)
def test_body_answers_anything(
    emu: Emulator, client: Client, options: dict[str, Any], content_type: str, text: str
) -> None:
    emu.fault("body", **options)
    answer = client.call()
    assert (answer.status_code, answer.text) == (200, text)
    assert answer.headers["content-type"].startswith(content_type)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect_points_elsewhere(emu: Emulator, client: Client, status: int) -> None:
    emu.fault("redirect", location="https://elsewhere.example/", status=status)
    answer = client.call()
    assert answer.status_code == status
    assert answer.headers["location"] == "https://elsewhere.example/"


@pytest.mark.parametrize("gzip", [False, True])
def test_huge_sends_json_of_the_size_asked_for(emu: Emulator, client: Client, gzip: bool) -> None:
    emu.fault("huge", size=1_000_000, gzip=gzip)
    answer = client.call()
    assert 1_000_000 <= len(answer.content) < 1_100_000
    assert answer.headers.get("content-encoding") == ("gzip" if gzip else None)
    assert isinstance(answer.json(), str)


def test_drip_sends_a_byte_at_a_time(emu: Emulator, client: Client) -> None:
    emu.fault("drip", interval=0.05)
    answer = client.call(stream=True)
    pieces = answer.iter_content(1)
    begin = time.monotonic()
    assert b"".join(next(pieces) for _time in range(5)) == b'{"ide'
    assert time.monotonic() - begin >= 0.15
    answer.close()


@pytest.mark.parametrize(
    ("change", "method", "who", "status"),
    [
        ("attach", "POST", "plain", 400),
        ("detach", "PATCH", "attached", 400),
        ("detach", "DELETE", "attached", 400),
        ("delete", "GET", "attached", 404),
        ("update", "GET", "attached", 200),
    ],
)
def test_race_changes_the_identity_just_before(
    emu: Emulator, client: Client, change: str, method: str, who: str, status: int
) -> None:
    emu.fault("race", change=change, fields={"resource": "raced"}, times=1)
    answer = client.call(method, who, json={"tenantId": "t", "resource": "r"})
    assert answer.status_code == status
    if status == 200:
        assert answer.json()["identityAzureAuth"]["resource"] == "raced"


def test_race_can_make_and_change_identities(emu: Emulator, client: Client) -> None:
    name = {"name": "billing"}
    emu.fault("race", change="create", fields=name, method="POST", path="/identities$", times=1)
    client.ask("POST", "/api/v1/identities", {**name, "organizationId": emu.organization_id})
    assert [item["identity"]["name"] for item in client.search("billing")] == ["billing"] * 3
    path = f"/api/v1/identities/{emu.identities['plain']}"
    emu.fault("race", change="edit", fields={"delete_protection": True}, method="DELETE")
    assert client.ask("DELETE", path).status_code == 400


def test_who_comes_too_late_in_a_collision_gets_a_500(emu: Emulator, client: Client) -> None:
    emu.fault("collide", error="Delete")
    assert client.call("DELETE").status_code == 200
    late = client.call("DELETE")
    assert (late.status_code, late.json()["error"]) == (500, "Delete")
    assert emu.azure_auth(emu.identities["attached"]) is None


def test_mismatch_stores_and_answers_something_else(emu: Emulator, client: Client) -> None:
    emu.fault("mismatch", fields={"accessTokenTTL": 1})
    answer = client.call("PATCH", json={"accessTokenTTL": 500})
    assert answer.json()["identityAzureAuth"]["accessTokenTTL"] == 1
    assert attached(emu)["accessTokenTTL"] == 1


def test_faults_that_let_go_and_one_that_answers_work_together(
    emu: Emulator, client: Client
) -> None:
    emu.fault("race", change="detach")
    emu.fault("error", status=500)
    assert client.call("DELETE").status_code == 500
    assert emu.azure_auth(emu.identities["attached"]) is None


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({"method": "GET"}, [True, False, True, True]),
        ({"path": r"/azure-auth/"}, [True, True, True, True]),
        ({"path": r"/nothing/"}, [False, False, False, False]),
        ({"nth": 2}, [False, True, False, False]),
        ({"times": 2}, [True, True, False, False]),
        ({"method": "get", "nth": 2}, [False, False, True, False]),
    ],
)
def test_a_fault_is_for_the_requests_that_match(
    emu: Emulator, client: Client, match: dict[str, Any], hit: list[bool]
) -> None:
    emu.fault("error", status=503, **match)
    statuses = [client.call(method).status_code for method in ("GET", "DELETE", "GET", "GET")]
    assert [status == 503 for status in statuses] == hit


def test_a_fault_can_be_for_some_identities(emu: Emulator, client: Client) -> None:
    emu.fault("error", status=503, identity_id=[emu.identities["attached"]])
    assert client.call().status_code == 503
    assert client.call(who="twin-2").status_code == 200


def test_cleared_faults_are_gone(emu: Emulator, client: Client) -> None:
    emu.fault("error", status=503)
    assert client.call().status_code == 503
    (fault,) = emu.faults()
    assert fault["hits"] == 1
    emu.clear_faults()
    assert client.call().status_code == 200


@pytest.mark.parametrize(
    ("action", "options", "message"),
    [
        ("explode", {}, "action is one of"),
        ("error", {"colour": "red"}, "unexpected keyword argument 'colour'"),
        ("latency", {}, "missing a required .*'seconds'"),
        ("drop", {"when": "never"}, "when is one of"),
        ("race", {"change": "rename"}, "change is one of"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(
    emu: Emulator, action: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        emu.fault(action, **options)
    assert emu.faults() == []


# -- settings -----------------------------------------------------------------------------------


def test_a_literal_schema_opens_what_an_update_leaves_out(emu: Emulator, client: Client) -> None:
    client.call("PATCH", json={"resource": "r"})
    assert attached(emu)["allowedServicePrincipalIds"] != ""
    emu.settings(literal_schema=True)
    client.call("PATCH", json={"resource": "r"})
    assert attached(emu)["allowedServicePrincipalIds"] == ""


@pytest.mark.parametrize(
    ("rule", "statuses"),
    [("as-probed", [400, 200]), ("mended", [200, 400]), ("mended-zero", [200, 200])],
)
def test_mended_ttl_rules_look_at_the_stored_ttl(
    emu: Emulator, client: Client, rule: str, statuses: list[int]
) -> None:
    emu.settings(ttl_rule=rule)
    found = []
    for stored, change in (
        ((100, 300), {"accessTokenMaxTTL": 200}),
        ((400, 300), {"accessTokenMaxTTL": 0}),
    ):
        emu.put_azure_auth(
            emu.identities["attached"], accessTokenTTL=stored[0], accessTokenMaxTTL=stored[1]
        )
        found.append(client.call("PATCH", json=change).status_code)
    assert found == statuses


def test_the_callers_address_can_be_another(emu: Emulator, client: Client) -> None:
    token = emu.issue_token(emu.identities["member"], trusted_ips=["127.0.0.0/8"])
    client.session.headers["Authorization"] = f"Bearer {token}"
    assert client.call().status_code == 200
    emu.settings(client_address="192.0.2.7")
    assert client.call().status_code == 403


def test_a_global_limit_stands_above_the_others(emu: Emulator, client: Client) -> None:
    emu.settings(read_limit=10, global_limit=2)
    assert client.call().headers["x-ratelimit-limit"] == "10"
    assert client.call(who="twin-2").status_code == 200
    refused = client.call("PATCH", json={"resource": "r"})
    assert (refused.status_code, refused.headers["x-ratelimit-limit"]) == (429, "2")


def test_latency_can_be_set_for_every_request(emu: Emulator, client: Client) -> None:
    emu.settings(latency=0.2)
    begin = time.monotonic()
    client.call()
    assert time.monotonic() - begin >= 0.2


def test_a_replica_lags_behind_what_is_written(emu: Emulator, client: Client) -> None:
    emu.settings(replica_lag=10)
    # What there was before is seen at once.
    assert len(client.search("billing")) == 1
    body = {"name": "fresh", "organizationId": emu.organization_id}
    made = client.ask("POST", "/api/v1/identities", body).json()["identity"]["id"]
    path = f"/api/v1/identities/{made}"
    azure_auth = f"{AZURE_AUTH}/{made}"
    attach = {"tenantId": "t", "resource": "r"}
    listed = f"/api/v1/identities?orgId={emu.organization_id}"

    def seen() -> list[bool]:
        """Whether the searches, the list, a read and a write find it."""
        items = client.ask("GET", listed).json()["identities"]
        return [
            bool(client.search("fresh")),
            bool(client.search("fresh", "v2")),
            made in {item["identityId"] for item in items},
            client.ask("GET", path).status_code == 200,
            client.ask("PATCH", path, {}).status_code == 200,
            client.ask("POST", azure_auth, attach).status_code != 404,
        ]

    assert seen() == [False] * 6
    assert emu.identity(made) is not None
    emu.advance(5)
    assert seen() == [False] * 6
    emu.advance(6)
    assert seen() == [True] * 6
    client.ask("PATCH", path, {"name": "renamed"})
    assert client.search("fresh")
    assert not client.search("renamed")
    client.ask("DELETE", path)
    assert client.ask("GET", path).status_code == 200
    assert client.ask("DELETE", path).status_code == 404
    emu.advance(11)
    assert client.ask("GET", path).status_code == 404
    emu.settings(replica_lag=0)
    assert client.ask("POST", "/api/v1/identities", body).status_code == 200
    assert len(client.search("fresh")) == 1


def test_what_the_controls_change_lags_as_well(emu: Emulator, client: Client) -> None:
    emu.settings(replica_lag=10)
    emu.change_identity(emu.identities["plain"], name="accounting")
    assert client.search("billing")
    emu.advance(11)
    assert client.search("accounting")


def test_without_an_order_pages_repeat_and_skip(emu: Emulator, client: Client) -> None:
    emu.settings(shuffled=True)
    emu.create_identities(["same"] * 20)
    pages = [client.search("same", limit=1, offset=number) for number in range(20)]
    assert len({page[0]["identityId"] for page in pages}) < 20
    pages = [client.search("same", "v2", limit=1, offset=number) for number in range(20)]
    assert len({page[0]["identityId"] for page in pages}) == 20


def test_a_server_may_lack_the_second_search(emu: Emulator, client: Client) -> None:
    emu.settings(lacks=["/v2/identities/search"])
    for path in ("/api/v2/identities/search", "/api/v2/identities/search/count"):
        answer = client.ask("POST", path, {})
        assert (answer.status_code, answer.json()["error"]) == (404, "Not Found")
    emu.settings(lacks=[])
    assert client.ask("POST", "/api/v2/identities/search", {}).status_code == 200


def test_the_second_search_may_show_members_of_projects(emu: Emulator, client: Client) -> None:
    emu.add_member(emu.identities["plain"], "viewer", project_id=emu.project_id)
    for shown, scopes in ((False, ["organization"]), (True, ["organization", "project"])):
        emu.settings(search_members=shown)
        found = client.search("billing", "v2", scope=["organization", "project"])
        assert sorted(item["scope"] for item in found) == scopes


def test_what_a_server_drops_is_neither_stored_nor_shown(emu: Emulator, client: Client) -> None:
    emu.settings(drops=["metadata", "hasDeleteProtection", "role"])
    body = {
        "name": "dropped",
        "organizationId": emu.organization_id,
        "role": "member",
        "hasDeleteProtection": True,
        "metadata": [{"key": "a", "value": "1"}],
    }
    made = client.ask("POST", "/api/v1/identities", body).json()["identity"]
    shown = client.ask("GET", f"/api/v1/identities/{made['id']}").json()["identity"]
    for item in (made, shown, shown["identity"], client.search("dropped")[0]["identity"]):
        assert not {"metadata", "hasDeleteProtection"} & set(item)
    emu.settings(drops=[])
    shown = client.ask("GET", f"/api/v1/identities/{made['id']}").json()["identity"]
    assert (shown["role"], shown["metadata"]) == ("no-access", [])
    assert shown["identity"]["hasDeleteProtection"] is False


@pytest.mark.parametrize(("drops", "role"), [([], "viewer"), (["roles"], "no-access")])
def test_roles_at_creation_in_a_project_may_be_dropped(
    emu: Emulator, client: Client, drops: list[str], role: str
) -> None:
    emu.settings(drops=drops)
    emu.add_member(emu.identities["admin"], "admin", project_id=emu.project_id)
    path = f"/api/v1/projects/{emu.project_id}/identities"
    body = {"name": "n", "roles": [{"role": "viewer"}]}
    made = client.ask("POST", path, body).json()["identity"]["id"]
    roles = {
        membership["project_id"]: [role["role"] for role in membership["roles"]]
        for membership in emu.memberships(made)
    }
    assert roles == {None: ["no-access"], emu.project_id: [role]}


def test_a_licence_has_room_for_so_many_identities(emu: Emulator, client: Client) -> None:
    emu.settings(identity_limit=len(emu.identities))
    body = {"name": "n", "organizationId": emu.organization_id}
    answer = client.ask("POST", "/api/v1/identities", body)
    assert answer.status_code == 400
    assert "limit reached" in answer.json()["message"]


@pytest.mark.parametrize(("generation", "status"), [("2025-06", 200), ("2026", 400)])
def test_custom_roles_take_a_licence_but_in_2025(generation: str, status: int) -> None:
    with running(generation, rbac=False) as emu:
        client = Client(emu)
        path = f"/api/v1/identities/{emu.identities['plain']}"
        assert client.ask("PATCH", path, {"role": "auditor"}).status_code == status
        assert client.ask("PATCH", path, {"role": "member"}).status_code == 200


def test_an_omitted_limit_is_the_documented_one_where_the_schema_is_literal(
    emu: Emulator, client: Client
) -> None:
    emu.add_member(emu.identities["admin"], "admin", project_id=emu.project_id)
    for number in range(25):
        emu.create_identity(f"owned {number}", project_id=emu.project_id)
    for literal, lengths in ((False, (25, 26)), (True, (20, 20))):
        emu.settings(literal_schema=literal)
        base = f"/api/v1/projects/{emu.project_id}"
        owned = client.ask("GET", f"{base}/identities").json()["identities"]
        members = client.ask("GET", f"{base}/memberships/identities").json()["identityMemberships"]
        assert (len(owned), len(members)) == lengths


@pytest.mark.parametrize(
    "changes", [{"colour": "red"}, {"ttl_rule": "loose"}, {"drops": ["name"]}, {"lacks": ["("]}]
)
def test_settings_that_make_no_sense_are_refused(emu: Emulator, changes: dict[str, Any]) -> None:
    before = emu.settings()
    with pytest.raises((TypeError, ValueError), match=r"colour|ttl_rule|drops|lacks"):
        emu.settings(**changes)
    assert emu.settings() == before


def test_a_reset_keeps_the_settings_of_the_start() -> None:
    with running(read_limit=5) as emu:
        emu.settings(read_limit=None, licence=False)
        emu.reset()
        settings = emu.settings()
    assert (settings["read_limit"], settings["licence"]) == (5, True)


# -- state --------------------------------------------------------------------------------------


def test_two_servers_are_seeded_alike(emu: Emulator) -> None:
    with running() as other:
        assert other.identities == emu.identities
        assert other.token == emu.token
        assert other.client_secret == emu.client_secret
        assert other.url != emu.url


def test_a_reset_brings_the_seeded_state_back(emu: Emulator, client: Client) -> None:
    before = emu.identities, emu.token, attached(emu)
    emu.delete_identity(emu.identities["attached"])
    emu.create_identity("new")
    client.call()
    emu.fault("error")
    emu.reset()
    assert (emu.identities, emu.token, attached(emu)) == before
    assert (emu.requests(), emu.faults()) == ([], [])


def test_impossible_objects_can_be_stored(emu: Emulator, client: Client) -> None:
    emu.put_azure_auth(
        emu.identities["plain"],
        accessTokenTTL=900,
        accessTokenMaxTTL=100,
        accessTokenTrustedIps=["10.1.2.3/8", "not an address", {"odd": 1}],
    )
    shown = client.call(who="plain").json()["identityAzureAuth"]
    assert (shown["accessTokenTTL"], shown["accessTokenMaxTTL"]) == (900, 100)
    assert shown["accessTokenTrustedIps"] == [
        {"ipAddress": "10.1.2.3", "type": "ipv4", "prefix": 8},
        {"ipAddress": "not an address"},
        {"odd": 1},
    ]


def test_what_is_handed_out_is_a_copy(emu: Emulator) -> None:
    attached(emu)["accessTokenTrustedIps"].clear()
    assert attached(emu)["accessTokenTrustedIps"]


def test_what_identities_take_to_make_grows_with_them_and_no_faster(
    emu: Emulator, client: Client
) -> None:
    def made(count: int) -> tuple[list[str], float]:
        names = (f"bulk {count} {n}" for n in range(count))
        begin = time.process_time()
        ids = emu.create_identities(names, azure_auth={"resource": "r"})
        return ids, time.process_time() - begin

    _ids, few = made(500)
    ids, many = made(5000)
    # Ten times as much; what compares each with each would take a hundred times.
    assert many < 30 * few
    assert len(set(ids)) == 5000
    answer = client.session.get(
        f"{emu.url}/api/v1/identities", params={"orgId": emu.organization_id}, timeout=10
    )
    assert answer.json()["totalCount"] == 5510


def test_tokens_live_until_they_expire_are_used_up_or_die_with_their_method(
    emu: Emulator, client: Client
) -> None:
    identity_id = emu.identities["attached"]
    emu.issue_token(identity_id, ttl=10)
    emu.issue_token(identity_id, method="azure-auth")
    client.session.headers["Authorization"] = (
        f"Bearer {emu.issue_token(identity_id, num_uses_limit=1)}"
    )
    assert emu.live_tokens(identity_id) == 3
    client.call()
    assert emu.live_tokens(identity_id) == 2
    emu.advance(11)
    assert emu.live_tokens(identity_id) == 1
    emu.remove_azure_auth(identity_id)
    assert emu.live_tokens(identity_id) == 0
    assert emu.live_tokens() == 1


# -- roles, projects, and what is away ----------------------------------------------------------


ACTIONS_ASKED: list[tuple[str, str, str, tuple[str, ...]]] = [
    ("2024-10", "plain", "POST", ("create",)),
    ("2025-06", "plain", "POST", ("create",)),
    ("2026", "plain", "POST", ("edit-auth",)),
    ("2025-06", "attached", "PATCH", ("edit",)),
    ("2026", "attached", "PATCH", ("edit-auth",)),
    ("2024-10", "attached", "DELETE", ("edit",)),
    ("2025-06", "attached", "DELETE", ("edit", "revoke-auth")),
    ("2026", "attached", "DELETE", ("edit", "revoke-auth")),
]


@pytest.mark.parametrize(("generation", "key", "method", "actions"), ACTIONS_ASKED)
def test_each_generation_asks_for_its_permissions_and_no_others(
    generation: str, key: str, method: str, actions: tuple[str, ...]
) -> None:
    with running(generation) as emu:
        client = Client(emu)
        body = {"json": {"tenantId": "t", "resource": "r"}} if method != "DELETE" else {}
        for given in (*(tuple(set(actions) - {lacking}) for lacking in actions), actions):
            emu.create_role("some", given)
            caller = emu.create_identity("caller", role="some")
            client.session.headers["Authorization"] = f"Bearer {emu.issue_token(caller)}"
            answer = client.call(method, who=key, **body)
            assert answer.status_code == (200 if given == actions else 403), answer.text


IDENTITY_ACTIONS: list[tuple[str, str, dict[str, Any] | None, tuple[str, ...]]] = [
    ("POST", "", {"name": "n"}, ("create",)),
    ("POST", "", {"name": "n", "role": "member"}, ("create", "grant-privileges")),
    ("PATCH", "/{}", {"name": "n"}, ("edit",)),
    ("PATCH", "/{}", {"role": "no-access"}, ("edit", "grant-privileges")),
    ("GET", "/{}", None, ("read",)),
    ("POST", "/search", {}, ("read",)),
    ("DELETE", "/{}", None, ("delete",)),
]


@pytest.mark.parametrize(("method", "path", "body", "actions"), IDENTITY_ACTIONS)
def test_each_request_asks_for_its_permissions_and_no_others(
    emu: Emulator,
    client: Client,
    method: str,
    path: str,
    body: dict[str, Any] | None,
    actions: tuple[str, ...],
) -> None:
    if path == "":
        body = {**(body or {}), "organizationId": emu.organization_id}
    path = "/api/v1/identities" + path.format(emu.identities["plain"])
    for given in (*(tuple(set(actions) - {lacking}) for lacking in actions), actions):
        emu.create_role("some", given)
        client.become(emu.create_identity("caller", role="some"))
        answer = client.ask(method, path, body)
        assert answer.status_code == (200 if given == actions else 403), answer.text


@pytest.mark.parametrize(
    ("method", "path", "body", "actions"),
    [
        ("POST", "/identities", {"name": "n"}, ("create",)),
        (
            "POST",
            "/identities",
            {"name": "n", "roles": [{"role": "viewer"}]},
            ("create", "assign-role"),
        ),
        ("PATCH", "/identities/{}", {"name": "n"}, ("edit",)),
        (
            "PATCH",
            "/memberships/identities/{}",
            {"roles": [{"role": "viewer"}]},
            ("edit", "grant-privileges"),
        ),
        ("GET", "/identities", None, ("read",)),
        ("GET", "/memberships/identities/{}", None, ("read",)),
        ("GET", "/roles", None, ("read-role",)),
        ("DELETE", "/identities/{}", None, ("delete",)),
    ],
)
def test_in_a_project_its_own_roles_decide(
    emu: Emulator,
    client: Client,
    method: str,
    path: str,
    body: dict[str, Any] | None,
    actions: tuple[str, ...],
) -> None:
    owned = emu.create_identity("owned", project_id=emu.project_id)
    path = f"/api/v1/projects/{emu.project_id}" + path.format(owned)
    for given in (*(tuple(set(actions) - {lacking}) for lacking in actions), actions):
        emu.create_role("some", given, project_id=emu.project_id)
        caller = emu.create_identity("caller", role="admin")
        emu.add_member(caller, "some", project_id=emu.project_id)
        client.become(caller)
        answer = client.ask(method, path, body)
        assert answer.status_code == (200 if given == actions else 403), answer.text


def test_a_role_for_a_time_ends(emu: Emulator, client: Client) -> None:
    caller = emu.create_identity("caller")
    emu.set_roles(caller, ["no-access", {"role": "admin", "lasts": "1h"}])
    client.become(caller)
    assert client.call().status_code == 200
    emu.advance(3601)
    assert client.call().status_code == 403
    with pytest.raises(ValueError, match="no such roles: nobody"):
        emu.set_roles(caller, ["nobody"])
    with pytest.raises(KeyError):
        emu.set_roles(caller, ["admin"], project_id=emu.project_id)


def test_everything_of_an_identity_can_be_made_and_changed(emu: Emulator, client: Client) -> None:
    twice = [("a", "1"), ("a", "2")]
    made = emu.create_identity("made", metadata=twice, delete_protection=True)
    shown = emu.identity(made)
    assert shown is not None
    assert [(pair["key"], pair["value"]) for pair in shown["metadata"]] == twice
    assert shown["identity"]["hasDeleteProtection"] is True
    emu.change_identity(made, name="changed", metadata={"b": "3"}, delete_protection=False)
    shown = client.ask("GET", f"/api/v1/identities/{made}").json()["identity"]
    assert [(pair["key"], pair["value"]) for pair in shown["metadata"]] == [("b", "3")]
    assert shown["identity"]["name"] == "changed"
    assert shown["identity"]["hasDeleteProtection"] is False


def test_another_sub_organization_has_tokens_of_its_own(emu: Emulator, client: Client) -> None:
    made = emu.create_sub_organization("Acme East", "acme-east")
    emu.add_member(emu.identities["admin"], "admin", organization_id=made)
    emu.create_identity("eastern", organization_id=made)
    client.become(emu.identities["admin"], organization_id=made)
    found = client.ask("GET", f"/api/v1/identities?orgId={made}").json()["identities"]
    assert sorted(item["identity"]["name"] for item in found) == ["admin", "eastern"]
    slugs = [
        item["slug"]
        for item in client.ask("GET", "/api/v1/sub-organizations").json()["organizations"]
    ]
    assert slugs == ["acme-east", "acme-labs"]


def test_a_project_has_a_kind_and_an_organization(emu: Emulator, client: Client) -> None:
    own = emu.create_project("certificates", kind="cert-manager")
    emu.create_project("elsewhere", organization_id=emu.other_organization_id)
    body = {"type": "cert-manager"}
    found = client.ask("POST", "/api/v1/projects/search", body).json()["projects"]
    assert [item["id"] for item in found] == [own]
    found = client.ask("POST", "/api/v1/projects/search", {}).json()["projects"]
    assert {item["name"] for item in found} == {"Vault", "certificates"}


def test_in_2024_ranks_decide_over_roles_and_identities() -> None:
    with running("2024-10") as emu:
        client = Client(emu)
        client.become(emu.identities["member"])
        body = {"name": "n", "organizationId": emu.organization_id, "role": "admin"}
        answer = client.ask("POST", "/api/v1/identities", body)
        assert (answer.status_code, answer.json()["error"]) == (400, "BadRequest")
        path = f"/api/v1/identities/{emu.identities['privileged']}"
        for answer in (client.ask("PATCH", path, {"name": "n"}), client.ask("DELETE", path)):
            assert (answer.status_code, answer.json()["error"]) == (403, "ForbiddenError")
        assert client.ask("POST", "/api/v1/identities", {**body, "role": "member"}).ok


def test_in_the_old_privilege_system_ranks_decide(emu: Emulator, client: Client) -> None:
    emu.settings(legacy_privileges=True)
    client.become(emu.identities["member"])
    path = f"/api/v1/identities/{emu.identities['privileged']}"
    for method, body in (("PATCH", {"role": "no-access"}), ("DELETE", None)):
        answer = client.ask(method, path, body)
        assert (answer.status_code, answer.json()["error"]) == (403, "PermissionBoundaryError")
    assert client.ask("PATCH", path, {"name": "n"}).status_code == 200
    assert client.call("DELETE", who="attached").status_code == 200
    answer = client.call("DELETE", who="privileged")
    assert (answer.status_code, answer.json()["error"]) == (403, "PermissionBoundaryError")


def test_without_its_database_every_request_with_a_token_is_a_500(
    emu: Emulator, client: Client
) -> None:
    emu.settings(database_away=True)
    for answer in (client.call(), client.call("DELETE")):
        assert (answer.status_code, answer.json()["error"]) == (500, "IdAccessTokenFindOne")
        assert "retry-after" not in answer.headers
    login = {"clientId": emu.client_id, "clientSecret": emu.client_secret}
    url = f"{emu.url}/api/v1/auth/universal-auth/login"
    assert requests.post(url, json=login, timeout=10).status_code == 500
    emu.settings(database_away=False)
    assert client.call().status_code == 200


@pytest.mark.parametrize(("generation", "kind"), [("2025-06", "write"), ("2026", "creation")])
def test_creating_identities_has_a_limit_of_its_own_since_2026(generation: str, kind: str) -> None:
    with running(generation, **{f"{kind}_limit": 1}) as emu:
        body = {"name": "n", "organizationId": emu.organization_id}
        statuses = [
            requests.post(
                f"{emu.url}/api/v1/identities",
                json=body,
                headers={"Authorization": f"Bearer {emu.token}"},
                timeout=10,
            ).status_code
            for _time in range(2)
        ]
        assert statuses == [200, 429]


def test_creating_in_a_project_is_an_ordinary_write(emu: Emulator, client: Client) -> None:
    emu.settings(creation_limit=1, write_limit=7)
    emu.add_member(emu.identities["admin"], "admin", project_id=emu.project_id)
    owning = f"/api/v1/projects/{emu.project_id}/identities"
    for path, body, limit in (
        (owning, {"name": "n"}, "7"),
        ("/api/v1/identities", {"name": "n", "organizationId": emu.organization_id}, "1"),
    ):
        assert client.ask("POST", path, body).headers["x-ratelimit-limit"] == limit


def test_an_instance_admin_is_left_alone(emu: Emulator, client: Client) -> None:
    identity_id = emu.create_identity("instance", instance_admin=True)
    emu.put_azure_auth(identity_id)
    answer = client.session.delete(f"{emu.url}{AZURE_AUTH}/{identity_id}", timeout=10)
    assert (answer.status_code, answer.json()["error"]) == (403, "ForbiddenError")


# -- the request log ----------------------------------------------------------------------------


def test_the_log_says_what_was_asked_and_by_whom(emu: Emulator, client: Client) -> None:
    client.call("PATCH", json={"resource": "r"})
    client.call(who="plain", params={"a": "1"})
    (patch,) = emu.requests(method="PATCH")
    assert patch.path == f"{AZURE_AUTH}/{emu.identities['attached']}"
    assert (patch.body, patch.status) == ({"resource": "r"}, 200)
    assert {"authorization", "content-type"} <= set(patch.headers)
    assert str(patch.authorization).startswith("token:admin:universal-auth:")
    (get,) = emu.requests(identity_id=emu.identities["plain"])
    assert (get.query, get.body, get.status) == ({"a": "1"}, None, 400)
    assert emu.requests(path="/nothing") == []
    emu.clear_requests()
    assert emu.requests() == []


def test_the_log_holds_no_secret(emu: Emulator, client: Client) -> None:
    login = {"clientId": emu.client_id, "clientSecret": emu.client_secret}
    url = f"{emu.url}/api/v1/auth"
    token = requests.post(f"{url}/universal-auth/login", json=login, timeout=10).json()
    requests.post(f"{url}/token/revoke", json={"accessToken": token["accessToken"]}, timeout=10)
    requests.get(emu.url, headers={"Authorization": "Bearer stray secret"}, timeout=10)
    client.call()
    text = repr(emu.requests())
    for secret in (emu.client_secret, token["accessToken"], emu.token, "stray secret"):
        assert secret not in text
    assert "client-secret:admin" in text
    assert emu.requests()[2].authorization == "unknown"


# -- the control API and the command ------------------------------------------------------------


def test_the_control_api_tells_what_is_seeded(emu: Emulator, client: Client) -> None:
    seeded = client.control("GET", "/").json()
    assert seeded["identities"] == emu.identities
    assert seeded["token"] == emu.token
    assert seeded["organization_id"] == emu.organization_id


def test_the_control_api_reaches_every_control(emu: Emulator, client: Client) -> None:
    def ask(method: str, path: str, json: Any = None) -> Any:
        answer = client.control(method, path, json)
        assert answer.status_code == 200, answer.text
        return answer.json()

    project = ask("POST", "/projects", {"name": "shop"})["id"]
    owned = ask("POST", "/identities", {"name": "owned", "project_id": project})["id"]
    ask("POST", "/roles", {"slug": "reader", "actions": ["read"]})
    sub = ask("POST", "/sub-organizations", {"name": "Acme West", "slug": "acme-west"})["id"]
    ask(
        "POST",
        f"/identities/{emu.identities['plain']}/memberships",
        {"role": "member", "organization_id": sub},
    )
    roles = f"/identities/{emu.identities['plain']}/roles"
    ask("PUT", roles, {"roles": ["admin", {"role": "member", "lasts": "1d"}]})
    memberships = ask("GET", f"/identities/{emu.identities['plain']}/memberships")["memberships"]
    assert [len(membership["roles"]) for membership in memberships] == [2, 1]
    ask("PATCH", f"/identities/{emu.identities['plain']}", {"metadata": {"a": "1"}})
    ask(
        "POST",
        f"/identities/{emu.identities['plain']}/memberships",
        {"role": "admin", "project_id": project},
    )
    assert ask("GET", f"/identities/{owned}")["identity"]["identity"]["name"] == "owned"
    made = ask("POST", "/identities", {"name": "new", "methods": ["universal-auth"]})["id"]
    assert ask("GET", f"/identities/{made}")["identity"]["identity"]["name"] == "new"
    assert set(ask("GET", f"/identities/{made}/credentials")) == {"client_id", "client_secret"}
    assert len(ask("POST", "/identities", {"names": ["a", "b"], "azure_auth": {}})["ids"]) == 2
    assert set(ask("PUT", f"/identities/{made}/methods/ldap-auth", {})["stored"]) >= {"password"}
    assert set(ask("GET", f"/identities/{made}/ldap")) == {"username", "password"}
    bound = ask("PUT", f"/identities/{made}/methods/oidc-auth", {"boundSubject": "s"})["stored"]
    assert bound["boundSubject"] == "s"
    jwt = ask("POST", "/jwts", {"identity_id": made, "method": "oidc-auth", "aud": "a"})["jwt"]
    assert jwt == emu.jwt(made, method="oidc-auth", aud="a")
    azure_auth = f"/identities/{made}/azure-auth"
    assert ask("GET", azure_auth)["azure_auth"] is None
    assert ask("PUT", azure_auth, {"tenantId": "t"})["azure_auth"]["tenantId"] == "t"
    ask("DELETE", azure_auth)
    assert emu.azure_auth(made) is None
    ask("DELETE", f"/identities/{made}")
    assert emu.identity(made) is None

    number = ask("POST", "/faults", {"action": "error", "status": 503})["id"]
    assert client.call().status_code == 503
    assert [fault["id"] for fault in ask("GET", "/faults")["faults"]] == [number]
    ask("DELETE", "/faults")
    assert emu.faults() == []

    assert ask("PATCH", "/settings", {"licence": False})["licence"] is False
    assert ask("GET", "/settings") == emu.settings()
    ask("POST", "/tokens", {"identity_id": emu.identities["member"], "ttl": 5})
    assert ask("GET", "/tokens")["live"] == 2
    ask("POST", "/advance", {"seconds": 6})
    assert ask("GET", f"/tokens?identity_id={emu.identities['member']}")["live"] == 0

    assert [record["status"] for record in ask("GET", "/requests")["requests"]] == [503]
    assert ask("GET", "/requests?method=POST")["requests"] == []
    ask("DELETE", "/requests")
    assert emu.requests() == []
    ask("POST", "/reset")
    assert emu.settings()["licence"] is True


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/faults", {"action": "explode"}),
        ("PATCH", "/settings", {"colour": "red"}),
        ("DELETE", "/identities/nobody", None),
        ("POST", "/identities", {"size": 3}),
    ],
)
def test_wrong_use_of_the_control_api_is_a_400_that_says_why(
    client: Client, method: str, path: str, body: Any
) -> None:
    answer = client.control(method, path, body)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_server_stops_while_it_holds_a_request(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with running() as emu:
        client = Client(emu)
        actions: list[tuple[str, dict[str, Any]]] = [
            ("latency", {"seconds": 60}),
            ("drip", {"interval": 60}),
        ]
        for action, options in actions:
            emu.fault(action, **options)
            with pytest.raises((requests.ReadTimeout, requests.ConnectionError)):
                client.call(timeout=0.2)
            emu.clear_faults()
        begin = time.monotonic()
    assert time.monotonic() - begin < 5
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_says_when_it_is_ready_and_stops_when_told(
    tmp_path: Path, generation: str, number: signal.Signals
) -> None:
    ready = tmp_path / "ready"
    root = Path(__file__).parents[1]
    with subprocess.Popen(
        [sys.executable, "-m", "emulator", "--generation", generation, "--ready-file", str(ready)],
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        head, *exports = [process.stdout.readline() for _time in range(5)]
        assert f"({generation})" in head
        until = time.monotonic() + 10
        while not ready.exists() and time.monotonic() < until:
            time.sleep(0.02)
        assert ready.read_text().splitlines(keepends=True) == exports
        values = dict(line.removeprefix("export ").strip().split("=", 1) for line in exports)
        answer = requests.post(
            values["INFISICAL_URL"] + "/api/v1/auth/universal-auth/login",
            json={
                "clientId": values["INFISICAL_UNIVERSAL_AUTH_CLIENT_ID"],
                "clientSecret": values["INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET"],
            },
            timeout=10,
        )
        assert answer.status_code == 200
        process.send_signal(number)
        assert process.wait(10) == 0


def test_every_action_and_setting_is_explained_in_the_readme(emu: Emulator) -> None:
    readme = (Path(__file__).parent / "README.md").read_text()
    rows = "".join(line for line in readme.splitlines() if line.startswith("| `"))
    for name in (*ACTIONS, *emu.settings()):
        assert f"`{name}`" in rows
