# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad input to the modules for many identities: told all at once, by entry, and nothing is written.

What the options alone show is told before any request. What needs no templates is run in this
process, many times faster than by Ansible.
"""

from __future__ import annotations

import json
import math
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
from functional.cases import ATTACHED, ONE, REQUIRED
from functional.harness import FLEET, INFO, Result, run_in_process, run_play

from ansible_collections.community.infisical.plugins.modules import (
    infisical_azure_auth_info,
    infisical_azure_auths,
)
from emulator import running

MAIN = {FLEET: infisical_azure_auths.main, INFO: infisical_azure_auth_info.main}
MANY = 10_000
MARK = "a-value-that-is-in-one-entry-only"
ID = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
UPPER_ID = f"{{{ID.upper()}}}"
OPTIONS = (
    "access_token_max_ttl, access_token_num_uses_limit, access_token_trusted_ips,"
    " access_token_ttl, allow_all_service_principals, allowed_service_principal_ids, identity_id,"
    " identity_name, metadata, resource, state, tenant_id"
)
NO_DICTIONARY = (
    "which is not a dictionary; write one with identity_id or identity_name and the options of"
    " Azure Auth."
)
NO_NAME = (
    "is not the name of any identity that this login can see in its organization; names are"
    " matched exactly."
)
NO_ID = (
    "is not the id of any identity that this login can see in its organization; correct it, or"
    " take it out."
)
NOT_KEPT = (
    "is not in purge_except, which has to list every identity that may keep what it has; add it."
)
NO_ITEM = "write the id or the name of an identity."
NO_WHOLE_NUMBER = (
    "which is not a whole number; write one, and let a template that computes it end in '| int'."
)
SECONDS = "write a whole number of seconds from 0 to 315360000."

# An entry that is wrong -> what is said of it, after its place in the list.
WRONG_ENTRIES: list[tuple[t.Any, str]] = [
    ("billing", f" is 'billing', {NO_DICTIONARY}"),
    (None, f" is None, {NO_DICTIONARY}"),
    ([{"identity_name": "x"}], f" is [{{'identity_name': 'x'}}], {NO_DICTIONARY}"),
    (7, f" is 7, {NO_DICTIONARY}"),
    (True, f" is True, {NO_DICTIONARY}"),
    ({}, ": Neither identity_id nor identity_name is given; give one of them."),
    (
        {"identity_id": " ", "identity_name": "\ufeff"},
        ": Neither identity_id nor identity_name is given; give one of them.",
    ),
    (
        {"identity_id": "billing"},
        (
            " (billing): identity_id 'billing' is not a UUID; write one such as"
            " '6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b', or give identity_name."
        ),
    ),
    (
        {"identity_name": "of a tenant", "tenantId": ONE},
        " (of a tenant): 'tenantId' is not an option of an entry; write tenant_id.",
    ),
    (
        {"identity_name": "of a TTL", "accessTokenTTL": 1},
        " (of a TTL): 'accessTokenTTL' is not an option of an entry; write access_token_ttl.",
    ),
    (
        {"identity_name": "skipping", "skipped": True},
        f" (skipping): 'skipped' is not an option of an entry; write one of {OPTIONS}.",
    ),
    (
        {"identity_name": "numbered", 1: "x"},
        f" (numbered): '1' is not an option of an entry; write one of {OPTIONS}.",
    ),
    (
        {"identity_name": "half", "state": "attached"},
        " (half): value of state must be one of: present, absent, got: attached.",
    ),
    (
        {"identity_name": 8},
        (
            ": identity_name is 8, which is not a string; put it in quotes: YAML reads 010, 12:30"
            " and yes as other values than they look like."
        ),
    ),
    (
        {"identity_name": "masked", "resource": "https://********.azure.com/"},
        (
            " (masked): resource 'https://********.azure.com/' is masked text, which Ansible prints"
            " in place of a secret; write the value."
        ),
    ),
    (
        {"identity_name": "nobody", "allowed_service_principal_ids": []},
        (
            " (nobody): allowed_service_principal_ids is an empty list; list the object ids of the"
            " service principals that may log in, or set allow_all_service_principals to true to"
            " let every one of the tenant log in."
        ),
    ),
    (
        {"identity_name": "open", "allowed_service_principal_ids": [""]},
        (
            " (open): allowed_service_principal_ids[0] is blank; write the object id of a service"
            " principal, or leave the item out."
        ),
    ),
    (
        {"identity_id": ID, "access_token_trusted_ips": ["10.0.0.0/33"]},
        (
            f" ({ID}): access_token_trusted_ips[0] '10.0.0.0/33' has no valid prefix length, which"
            " is a decimal number from 0 to 32; write an address or network such as '192.0.2.7' or"
            " '192.0.2.0/24'."
        ),
    ),
    (
        {"identity_name": "long", "access_token_ttl": 9, "access_token_max_ttl": 8},
        (
            " (long): access_token_ttl 9 (given) is above access_token_max_ttl 8 (given); set both"
            " so that the first is not above the second, or access_token_max_ttl to 0 for no"
            " maximum."
        ),
    ),
    (
        {"identity_name": "truth", "access_token_num_uses_limit": True},
        (
            " (truth): access_token_num_uses_limit is True; write a whole number of uses from 0 to"
            " 9007199254740991."
        ),
    ),
]


@dataclass(frozen=True)
class Bad:
    """Options that are refused, and the whole message, of which there is no other part."""

    options: t.Mapping[str, t.Any]
    message: str
    module: str = FLEET
    # Which entries are to blame, by index.
    blamed: t.Collection[int] = ()
    ansible: bool = False


def entries(*items: t.Any, **others: t.Any) -> dict[str, t.Any]:
    return {"azure_auths": list(items), **others}


def named(*names: str, **others: t.Any) -> dict[str, t.Any]:
    return entries(*({"identity_name": name} for name in names), **others)


def all_of(*sentences: str) -> str:
    return f"{len(sentences)} errors, and nothing was done: {' '.join(sentences)}"


def negative(number: int) -> str:
    return f"azure_auths[{number}] (app {number}): access_token_ttl is -1; {SECONDS}"


TWICE = "is the same identity as"

BEFORE_ANY_REQUEST: dict[str, Bad] = {
    "every kind of wrong entry, all told at once": Bad(
        entries(*(entry for entry, _message in WRONG_ENTRIES)),
        all_of(
            *(f"azure_auths[{n}]{message}" for n, (_entry, message) in enumerate(WRONG_ENTRIES))
        ),
        blamed=range(len(WRONG_ENTRIES)),
        ansible=True,
    ),
    "infinite numbers": Bad(
        entries(
            {"identity_name": "2024", "access_token_ttl": math.inf, "tenant_id": " "},
            {"identity_name": "x", "access_token_max_ttl": -math.inf},
        ),
        all_of(
            f"azure_auths[0] (2024): access_token_ttl is inf, {NO_WHOLE_NUMBER}",
            f"azure_auths[1] (x): access_token_max_ttl is -inf, {NO_WHOLE_NUMBER}",
        ),
        blamed=[0, 1],
    ),
    "several errors in one entry": Bad(
        entries({"identity_name": "x", "resource": 7, "access_token_ttl": -1, "y": 1}),
        all_of(
            f"azure_auths[0] (x): 'y' is not an option of an entry; write one of {OPTIONS}.",
            (
                "azure_auths[0] (x): resource is 7, which is not a string; put it in quotes: YAML"
                " reads 010, 12:30 and yes as other values than they look like."
            ),
            (
                "azure_auths[0] (x): access_token_ttl is -1; write a whole number of seconds from 0"
                " to 315360000."
            ),
        ),
        blamed=[0],
    ),
    "one wrong option in one entry of many": Bad(
        entries(
            *(
                {"identity_name": f"app {n}", "access_token_ttl": -1 if n == 217 else 1}
                for n in range(300)
            )
        ),
        (
            "azure_auths[217] (app 217): access_token_ttl is -1; write a whole number of seconds"
            " from 0 to 315360000."
        ),
        blamed=[217],
    ),
    "more than twenty errors are the first twenty and a count": Bad(
        entries(*({"identity_name": f"app {n}", "access_token_ttl": -1} for n in range(25))),
        "25 errors, and nothing was done: "
        + " ".join(negative(n) for n in range(20))
        + " And 5 more.",
        blamed=range(25),
    ),
    "an id twice, in two spellings": Bad(
        entries({"identity_id": ID}, {"identity_id": UPPER_ID}),
        f"azure_auths[1] ({UPPER_ID}) {TWICE} azure_auths[0] ({ID}); list it once.",
        blamed=[1],
    ),
    "a name twice, with blanks around it": Bad(
        named("ledger", "other", " ledger "),
        f"azure_auths[2] (ledger) {TWICE} azure_auths[0] (ledger); list it once.",
        blamed=[2],
    ),
    "an id three times, under other labels": Bad(
        entries(
            {"identity_id": ID},
            {"identity_id": ID, "identity_name": "x"},
            {"identity_id": ID.replace("-", ""), "identity_name": "y"},
        ),
        all_of(
            f"azure_auths[1] (x) {TWICE} azure_auths[0] ({ID}); list it once.",
            f"azure_auths[2] (y) {TWICE} azure_auths[0] ({ID}); list it once.",
        ),
        blamed=[1, 2],
    ),
    **{
        f"a concurrency of {concurrency}": Bad(
            entries({"identity_id": ID}, concurrency=concurrency),
            f"concurrency is {concurrency}; write a whole number from 1 to 64.",
        )
        for concurrency in (0, -1, 65, 10_000, True)
    },
    "a concurrency of 0 to look up": Bad(
        {"concurrency": 0}, "concurrency is 0; write a whole number from 1 to 64.", INFO
    ),
    "a dictionary in place of the list": Bad(
        {"azure_auths": {"identity_name": "x"}},
        (
            "argument 'azure_auths' is of type dict and we were unable to convert to list: <class"
            " 'dict'> cannot be converted to a list"
        ),
    ),
    "an empty purge_except": Bad(
        entries(purge_except=[]),
        (
            "purge_except is an empty list, which would revoke from every identity of the"
            " organization; list the identities that may keep what they have, or leave it out."
        ),
    ),
    "an empty template in purge_except": Bad(
        entries(purge_except=["{{ nothing | default('') }}"]),
        f"purge_except[0] is blank; {NO_ITEM}",
        ansible=True,
    ),
    "a comma for purge_except": Bad(
        entries(purge_except="ledger,"), f"purge_except[1] is blank; {NO_ITEM}"
    ),
    "items of purge_except that are no strings": Bad(
        entries(purge_except=["ledger", None, True, {"identity_name": "x"}, "\ufeff"]),
        all_of(
            f"purge_except[1] is None, which is not a string; {NO_ITEM}",
            f"purge_except[2] is True, which is not a string; {NO_ITEM}",
            f"purge_except[3] is {{'identity_name': 'x'}}, which is not a string; {NO_ITEM}",
            f"purge_except[4] is blank; {NO_ITEM}",
        ),
    ),
    "ids to look up that are none": Bad(
        {"identity_ids": ["ledger", None, ""]},
        all_of(
            (
                "identity_ids[0] 'ledger' is not a UUID; write one such as"
                " '6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b'."
            ),
            "identity_ids[1] is None, which is not a string; write the id of an identity.",
            "identity_ids[2] is blank; write the id of an identity.",
        ),
        INFO,
    ),
    "names to look up that are none": Bad(
        {"identity_names": [" ", 7.5]},
        all_of(
            "identity_names[0] is blank; write the name of an identity.",
            "identity_names[1] is 7.5, which is not a string; write the name of an identity.",
        ),
        INFO,
    ),
}


def of_server(server: t.Any, ledger: str) -> dict[str, Bad]:
    """What only the server can tell; `ledger` is the id of an identity of that name."""
    seeded = server.identities
    twins = ", ".join(sorted((seeded["twin-1"], seeded["twin-2"])))
    borne = f"is borne by 2 identities ({twins}); give its id instead."
    good = {"identity_name": "payments", "resource": "never written"}
    kept = ["ledger", "payments"]
    return {
        "one identity by its id and by its name": Bad(
            entries({"identity_name": "ledger"}, {"identity_id": ledger.upper()}),
            (
                f"azure_auths[1] ({ledger.upper()}) {TWICE} azure_auths[0] (ledger);"
                " list it once."
            ),
            blamed=[1],
        ),
        "unknown names, a name of two, and those of other organizations": Bad(
            entries(
                good,
                *({"identity_name": name} for name in ("ledge", "batch worker", "foreign")),
                {"identity_name": "labs"},
            ),
            all_of(
                f"azure_auths[1] (ledge): identity_name 'ledge' {NO_NAME}",
                f"azure_auths[2] (batch worker): identity_name 'batch worker' {borne}",
                f"azure_auths[3] (foreign): identity_name 'foreign' {NO_NAME}",
                f"azure_auths[4] (labs): identity_name 'labs' {NO_NAME}",
            ),
            blamed=range(1, 5),
        ),
        "an unknown name that the search would refuse": Bad(
            entries(good, {"identity_name": "a/b:c"}),
            f"azure_auths[1] (a/b:c): identity_name 'a/b:c' {NO_NAME}",
            blamed=[1],
        ),
        "a name longer than the search takes": Bad(
            entries(good, {"identity_name": "x" * 300}),
            f"azure_auths[1] ({'x' * 77}...): identity_name '{'x' * 80}...' {NO_NAME}",
            blamed=[1],
        ),
        "names of purge_except that are not those of one identity": Bad(
            # The list of all does not tell that "labs" is another organization's.
            entries(good, purge_except=[*kept, "ledge", "batch worker", "foreign", "2024"]),
            all_of(
                f"purge_except[2] 'ledge' {NO_NAME}",
                f"purge_except[3] 'batch worker' {borne}",
                f"purge_except[4] 'foreign' {NO_NAME}",
                f"purge_except[5] '2024' {NO_NAME}",
            ),
        ),
        "ids of purge_except that are not here": Bad(
            entries(good, purge_except=[*kept, ID, seeded["foreign"]]),
            all_of(
                f"purge_except[2] '{ID}' {NO_ID}",
                f"purge_except[3] '{seeded['foreign']}' {NO_ID}",
            ),
        ),
        "entries that purge_except leaves out": Bad(
            entries(good, {"identity_id": ledger}, purge_except=["billing"]),
            all_of(
                f"azure_auths[0] (payments) {NOT_KEPT}", f"azure_auths[1] ({ledger}) {NOT_KEPT}"
            ),
            blamed=[0, 1],
        ),
        "an entry of another organization, with purge_except": Bad(
            entries(good, {"identity_id": seeded["foreign"]}, purge_except=kept),
            f"azure_auths[1] ({seeded['foreign']}) {NOT_KEPT}",
            blamed=[1],
        ),
        "unknown names to look up": Bad(
            {"identity_ids": [ledger], "identity_names": ["ledge", "batch worker"]},
            all_of(
                f"identity_names[0] 'ledge' {NO_NAME}",
                f"identity_names[1] 'batch worker' {borne}",
            ),
            INFO,
        ),
    }


@dataclass
class Outcome:
    expected: dict[str, Bad]
    refusals: dict[str, Result]
    others: dict[str, Result]


OTHERS = ("no entries", "no entry at all", "an option unknown", "a list for a number", "foreign")


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("input")
    with running() as server:
        ledger = server.create_identity("ledger")
        server.put_azure_auth(ledger, **ATTACHED)
        base = {"url": server.url, "token": server.token}

        def results_of(rows: t.Mapping[str, Bad]) -> dict[str, Result]:
            found = {
                title: run_in_process(MAIN[row.module], {**base, **row.options})
                for title, row in rows.items()
                if not row.ansible
            }
            others = {title: row for title, row in rows.items() if row.ansible}
            if others:
                tasks = [{row.module: {**base, **row.options}} for row in others.values()]
                found.update(zip(others, run_play(folder, tasks).results))
            return found

        early = results_of(BEFORE_ANY_REQUEST)
        assert server.requests() == [], "options are judged before any request"
        bad = of_server(server, ledger)
        late = results_of(bad)
        marked = {"identity_name": "ledger", "resource": MARK}
        others: list[dict[str, t.Any]] = [
            {"azure_auths": []},
            {},
            {"azure_auths": [marked], "unknown": 1},
            {"azure_auths": [marked], "concurrency": "many"},
            {
                "azure_auths": [
                    {"identity_id": server.identities["foreign"]},
                    {"identity_id": server.identities["sub-organization"], "state": "absent"},
                    {"identity_id": ID, **REQUIRED},
                    {"identity_id": ledger},
                ]
            },
        ]
        found = run_play(folder, [{FLEET: {**base, **options}} for options in others]).results
        verbs = {item.method for item in server.requests() if "azure-auth" in item.path}
        assert verbs == {"GET"}, "something was written"
        return Outcome({**BEFORE_ANY_REQUEST, **bad}, {**early, **late}, dict(zip(OTHERS, found)))


@pytest.mark.parametrize("title", BEFORE_ANY_REQUEST)
def test_bad_options_are_refused_before_any_request(title: str, outcome: Outcome) -> None:
    check_refusal(title, outcome)


def test_what_the_server_knows_is_refused_before_any_write(outcome: Outcome) -> None:
    titles = [title for title in outcome.expected if title not in BEFORE_ANY_REQUEST]
    assert len(titles) == 9
    for title in titles:
        check_refusal(title, outcome)


def check_refusal(title: str, outcome: Outcome) -> None:
    result, expected = outcome.refusals[title], outcome.expected[title]
    assert result["failed"], title
    assert result["msg"] == expected.message
    assert not result.get("changed")
    if expected.module == INFO or "argument" in result["msg"]:
        return
    # Nothing was begun, and who is to blame is told for programs, too.
    counts = {"checked": 0, "changed_count": 0, "purged_count": 0}
    assert {name: result[name] for name in counts} == counts
    assert result["failed_count"] == len(expected.blamed)
    assert [item["index"] for item in result["results"]] == sorted(expected.blamed)
    for item in result["results"]:
        assert (item["changed"], item["failed"], item["purged"]) == (False, True, False)
        assert item["msg"].startswith(f"azure_auths[{item['index']}]")


def test_no_entries_are_nothing_to_do(outcome: Outcome) -> None:
    result = outcome.others["no entries"]
    assert not result["failed"]
    assert not result["changed"]
    assert result["results"] == []
    counts = ("checked", "changed_count", "failed_count", "purged_count")
    assert [result[name] for name in counts] == [0, 0, 0, 0]


def test_the_list_is_required(outcome: Outcome) -> None:
    result = outcome.others["no entry at all"]
    assert result["failed"]
    assert "azure_auths" in result["msg"]


@pytest.mark.parametrize("title", ["an option unknown", "a list for a number"])
def test_invocation_has_no_entries_even_where_ansible_itself_refuses(
    title: str, outcome: Outcome
) -> None:
    result = outcome.others[title]
    assert result["failed"]
    assert MARK not in json.dumps(result)


def test_identities_that_are_not_here_fail_by_themselves(outcome: Outcome) -> None:
    result = outcome.others["foreign"]
    assert result["failed"]
    assert (result["checked"], result["failed_count"], result["changed_count"]) == (4, 3, 0)
    assert result["msg"].startswith("3 of 4 identities failed: azure_auths[0] (")
    statuses = [(item["http_status"], item["error"]) for item in result["results"]]
    assert statuses[0] == (404, "NotFound")
    assert statuses[1][0] == 403
    assert statuses[2] == (404, "NotFound")
    assert all(set(item) >= {"msg", "request_id", "identity_id"} for item in result["results"])
    # Of what was never read nothing is told.
    assert not any("state" in item for item in result["results"])


def test_ten_thousand_entries(
    tmp_path: Path, record_property: t.Callable[[str, object], None]
) -> None:
    with running() as server:
        ids = server.create_identities([f"app {n}" for n in range(MANY)], azure_auth=ATTACHED)
        options = {
            "url": server.url,
            "token": server.token,
            "azure_auths": [{"identity_id": identity_id, **REQUIRED} for identity_id in ids],
        }
        started = time.monotonic()
        (result,) = run_play(tmp_path, [{FLEET: options, "check_mode": True}]).results
        record_property("entries", MANY)
        record_property("seconds for them", round(time.monotonic() - started))
        reads = server.requests()
    assert not result["failed"], result["msg"]
    assert result["checked"] == MANY
    assert result["results"] == []
    assert len(reads) == len({item.path for item in reads}) == MANY
    assert {item.method for item in reads} == {"GET"}
    assert result["invocation"]["module_args"]["azure_auths"] == f"{MANY} entries"
    assert len(json.dumps(result)) < 4000


def test_a_list_can_be_checked_alone() -> None:
    """What would be refused is refused, in the same words; what is right is not even read."""
    with running() as server:
        ledger = server.create_identity("ledger")
        base = {"url": server.url, "token": server.token, "validate_only": True}
        good = {"azure_auths": [{"identity_name": "ledger", **REQUIRED}]}
        for purging in ({}, {"purge_except": ["ledger"]}):
            result = run_in_process(MAIN[FLEET], {**base, **good, **purging})
            assert not result["failed"]
            assert not result["changed"]
            assert (result["checked"], result["results"]) == (0, [])
        for row in of_server(server, ledger).values():
            if row.module == FLEET:
                result = run_in_process(MAIN[FLEET], {**base, **row.options})
                assert result["failed"]
                assert result["msg"] == row.message
        assert not server.requests(path="azure-auth")
