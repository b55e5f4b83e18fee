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
from functional.harness import (
    FLEET,
    INFO,
    Result,
    entry,
    finish_module,
    run_in_process,
    run_play,
    start_module,
)

from ansible_collections.community.infisical.plugins.modules import (
    infisical_identities,
    infisical_identity_info,
)
from emulator import running

MAIN = {FLEET: infisical_identities.main, INFO: infisical_identity_info.main}
MANY = 10_000
MARK = "a-value-that-is-in-one-entry-only"
ID = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
UPPER_ID = f"{{{ID.upper()}}}"
OPTIONS = (
    "azure_auth, delete_protection, details, id, metadata, name, project_id, role, source, state"
)
AZURE_AUTH_OPTIONS = (
    "access_token_max_ttl, access_token_num_uses_limit, access_token_trusted_ips,"
    " access_token_ttl, allow_all_service_principals, allowed_service_principal_ids, details,"
    " resource, state, tenant_id"
)
NO_DICTIONARY = (
    "which is not a dictionary; write one with name or id and the settings of the identity."
)
NO_NAME = (
    "is not the name of any identity that this login can see in its organization; names are"
    " matched exactly."
)
OF_ANOTHER = (
    "is the name of an identity ({}) of another organization, such as a parent or sub-organization;"
    " log in to that organization to manage it."
)
LACKING = (
    "Azure Auth is not attached to the identity, and attaching it requires {}"
    "allowed_service_principal_ids (or allow_all_service_principals); set them too."
)
NO_ID = (
    "is not the ID of any identity that this login can see in its organization; correct it, or"
    " remove it."
)
NOT_KEPT = (
    "is not in purge_azure_auth_except, so the task would purge an identity that it manages; add it"
    " there."
)
NO_ITEM = "write the ID or the name of an identity."
NO_WHOLE_NUMBER = (
    "which is not a whole number; write one, and end a template that computes it with '| int'."
)
SECONDS = "write a whole number of seconds from 0 to 315360000."

NO_STRING = (
    "which is not a string; put it in quotes, because YAML reads 010, 12:30 and yes as numbers or"
    " booleans."
)

# An entry that is wrong -> what is said of it, after its place in the list.
WRONG_ENTRIES: list[tuple[t.Any, str]] = [
    ("billing", f" is 'billing', {NO_DICTIONARY}"),
    (None, f" is None, {NO_DICTIONARY}"),
    ([{"name": "x"}], f" is [{{'name': 'x'}}], {NO_DICTIONARY}"),
    (7, f" is 7, {NO_DICTIONARY}"),
    (True, f" is True, {NO_DICTIONARY}"),
    ({}, ": Neither id nor name is set; set one of them."),
    ({"id": " ", "name": "\ufeff"}, ": Neither id nor name is set; set one of them."),
    (
        {"id": "billing"},
        (
            " (billing): id 'billing' is not a UUID; write one such as"
            " '6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b', or set only name."
        ),
    ),
    (
        {"name": "protected", "hasDeleteProtection": True},
        (
            " (protected): 'hasDeleteProtection' is not an option of an entry; did you mean"
            " delete_protection?"
        ),
    ),
    (
        {"name": "skipping", "skipped": True},
        f" (skipping): 'skipped' is not an option of an entry; the options are {OPTIONS}.",
    ),
    (
        {"name": "numbered", 1: "x"},
        f" (numbered): '1' is not an option of an entry; the options are {OPTIONS}.",
    ),
    (
        {"name": "flat", "tenant_id": ONE},
        " (flat): 'tenant_id' is not an option of an entry; write it below azure_auth.",
    ),
    (
        {"name": "listed", "azure_auth": [{"tenant_id": ONE}]},
        " (listed): azure_auth is not a dictionary; write one.",
    ),
    (
        {"name": "half", "state": "attached"},
        " (half): value of state must be one of: present, absent, got: attached.",
    ),
]
WRONG_SETTINGS: list[tuple[t.Any, str]] = [
    ({"name": 8}, f": name is 8, {NO_STRING}"),
    ({"name": "a number", "role": 8}, f" (a number): role is 8, {NO_STRING}"),
    (
        {"name": "of custom", "role": "custom"},
        (
            " (of custom): role is 'custom', which Infisical shows in place of any custom role;"
            " write the slug of the role."
        ),
    ),
    (
        {"name": "n" * 256},
        (f" ({'n' * 77}...): name '{'n' * 80}...' has 256 characters; write a name of 1 to 255."),
    ),
    (
        {"name": "counted", "metadata": {"replicas": 3}},
        (
            " (counted): metadata['replicas'] is 3; keys and values must be strings, so put them in"
            " quotes."
        ),
    ),
    (
        {"name": "blank", "metadata": {"team": " "}},
        (
            " (blank): metadata['team'] has a blank key or value, which Infisical does not store;"
            " remove it."
        ),
    ),
    (
        {"name": "twice", "metadata": {"team": "a", "team ": "b"}},
        " (twice): metadata['team '] differs from another key only in spaces; write it once.",
    ),
    (
        {"name": "pairs", "metadata": ["team"]},
        " (pairs): metadata is ['team'], which is not a dictionary; write one.",
    ),
    (
        {"name": "of a file", "role": 8, "source": "fleet/apps.yml:12"},
        f"fleet/apps.yml:12 (of a file): role is 8, {NO_STRING}",
    ),
]
WRONG_AZURE_AUTHS: list[tuple[t.Any, str]] = [
    (
        entry(called="of a tenant", tenantId=ONE),
        (
            " (of a tenant): azure_auth: 'tenantId' is not an option of azure_auth; did you mean"
            " tenant_id?"
        ),
    ),
    (
        entry(called="of a TTL", accessTokenTTL=1),
        (
            " (of a TTL): azure_auth: 'accessTokenTTL' is not an option of azure_auth; did you"
            " mean access_token_ttl?"
        ),
    ),
    (
        entry(called="skipping within", skipped=True),
        (
            " (skipping within): azure_auth: 'skipped' is not an option"
            " of azure_auth; the options are"
            f" {AZURE_AUTH_OPTIONS}."
        ),
    ),
    (
        entry(called="half within", state="attached"),
        (
            " (half within): azure_auth: value of state must be one of: present, absent, got:"
            " attached."
        ),
    ),
    (
        entry(called="masked", resource="https://********.azure.com/"),
        (
            " (masked): azure_auth: resource 'https://********.azure.com/' is masked text, which"
            " Ansible prints in place of a secret; write the value."
        ),
    ),
    (
        entry(called="nobody", allowed_service_principal_ids=[]),
        (
            " (nobody): azure_auth: allowed_service_principal_ids is an empty list; list the object"
            " IDs of the service principals that may log in, or set allow_all_service_principals"
            " to true to let every service principal of the tenant log in."
        ),
    ),
    (
        entry(called="open", allowed_service_principal_ids=[""]),
        (
            " (open): azure_auth: allowed_service_principal_ids[0] is blank; write the object ID of"
            " a service principal, or remove the item."
        ),
    ),
    (
        entry(ID, access_token_trusted_ips=["10.0.0.0/33"]),
        (
            f" ({ID}): azure_auth: access_token_trusted_ips[0] '10.0.0.0/33' has no valid prefix"
            " length (a decimal number from 0 to 32); write an address or network such as"
            " '192.0.2.7' or '192.0.2.0/24'."
        ),
    ),
    (
        entry(called="long", access_token_ttl=9, access_token_max_ttl=8),
        (
            " (long): azure_auth: access_token_ttl 9 (given) is above access_token_max_ttl 8"
            " (given); lower the first, raise the second, or set access_token_max_ttl to 0 for no"
            " maximum."
        ),
    ),
    (
        entry(called="truth", access_token_num_uses_limit=True),
        (
            " (truth): azure_auth: access_token_num_uses_limit is True; write a whole number of"
            " uses from 0 to 9007199254740991."
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
    return {"identities": list(items), **others}


def named(*names: str, **others: t.Any) -> dict[str, t.Any]:
    return entries(*({"name": name} for name in names), **others)


def all_of(*sentences: str) -> str:
    return f"{len(sentences)} errors, and nothing was done: {' '.join(sentences)}"


def negative(number: int) -> str:
    return f"identities[{number}] (app {number}): azure_auth: access_token_ttl is -1; {SECONDS}"


TWICE = "is the same identity as"

BEFORE_ANY_REQUEST: dict[str, Bad] = {
    **{
        f"every kind of {what}, all told at once": Bad(
            entries(*(item for item, _message in wrong)),
            all_of(
                *(
                    # One that comes from a file is called by its place there.
                    message if message.startswith("fleet/") else f"identities[{n}]{message}"
                    for n, (_item, message) in enumerate(wrong)
                )
            ),
            blamed=range(len(wrong)),
            ansible=True,
        )
        for what, wrong in (
            ("wrong entry", WRONG_ENTRIES),
            ("wrong setting", WRONG_SETTINGS),
            ("wrong Azure Auth", WRONG_AZURE_AUTHS),
        )
    },
    "infinite numbers": Bad(
        entries(
            entry(called="2024", access_token_ttl=math.inf, tenant_id=" "),
            entry(called="x", access_token_max_ttl=-math.inf),
        ),
        all_of(
            f"identities[0] (2024): azure_auth: access_token_ttl is inf, {NO_WHOLE_NUMBER}",
            f"identities[1] (x): azure_auth: access_token_max_ttl is -inf, {NO_WHOLE_NUMBER}",
        ),
        blamed=[0, 1],
    ),
    "several errors in one entry": Bad(
        entries({**entry(called="x", resource=7, access_token_ttl=-1), "y": 1}),
        all_of(
            f"identities[0] (x): 'y' is not an option of an entry; the options are {OPTIONS}.",
            (
                "identities[0] (x): azure_auth: resource is 7, which is not a string; put it in"
                " quotes, because YAML reads 010, 12:30 and yes as numbers or booleans."
            ),
            (
                "identities[0] (x): azure_auth: access_token_ttl is -1; write a whole number of"
                " seconds from 0 to 315360000."
            ),
        ),
        blamed=[0],
    ),
    "one wrong option in one entry of many": Bad(
        entries(
            *(entry(called=f"app {n}", access_token_ttl=-1 if n == 217 else 1) for n in range(300))
        ),
        (
            "identities[217] (app 217): azure_auth: access_token_ttl is -1; write a whole number of"
            " seconds from 0 to 315360000."
        ),
        blamed=[217],
    ),
    "more than twenty errors are the first twenty and a count": Bad(
        entries(*(entry(called=f"app {n}", access_token_ttl=-1) for n in range(25))),
        "25 errors, and nothing was done: "
        + " ".join(negative(n) for n in range(20))
        + " And 5 more.",
        blamed=range(25),
    ),
    "an id twice, in two spellings": Bad(
        entries({"id": ID}, {"id": UPPER_ID}),
        f"identities[1] ({UPPER_ID}) {TWICE} identities[0] ({ID}); list it once.",
        blamed=[1],
    ),
    "a name twice, with blanks around it": Bad(
        named("ledger", "other", " ledger "),
        f"identities[2] (ledger) {TWICE} identities[0] (ledger); list it once.",
        blamed=[2],
    ),
    "an id three times, under other labels": Bad(
        entries(
            {"id": ID},
            {"id": ID, "name": "x"},
            {"id": ID.replace("-", ""), "name": "y"},
        ),
        all_of(
            f"identities[1] (x) {TWICE} identities[0] ({ID}); list it once.",
            f"identities[2] (y) {TWICE} identities[0] ({ID}); list it once.",
        ),
        blamed=[1, 2],
    ),
    **{
        f"a concurrency of {concurrency}": Bad(
            entries({"id": ID}, concurrency=concurrency),
            f"concurrency is {concurrency}; write a whole number from 1 to 64.",
        )
        for concurrency in (0, -1, 65, 10_000, True)
    },
    "a concurrency of 0 to look up": Bad(
        {"concurrency": 0}, "concurrency is 0; write a whole number from 1 to 64.", INFO
    ),
    "a dictionary in place of the list": Bad(
        {"identities": {"name": "x"}},
        (
            "argument 'identities' is of type dict and we were unable to convert to list: <class"
            " 'dict'> cannot be converted to a list"
        ),
    ),
    "an empty purge_except": Bad(
        entries(purge_azure_auth_except=[]),
        (
            "purge_azure_auth_except is an empty list, which would revoke Azure Auth from every"
            " identity of the organization; list the identities that may keep it, or remove the"
            " option."
        ),
    ),
    "an empty template in purge_except": Bad(
        entries(purge_azure_auth_except=["{{ nothing | default('') }}"]),
        f"purge_azure_auth_except[0] is blank; {NO_ITEM}",
        ansible=True,
    ),
    "a comma for purge_except": Bad(
        entries(purge_azure_auth_except="ledger,"),
        f"purge_azure_auth_except[1] is blank; {NO_ITEM}",
    ),
    "items of purge_except that are no strings": Bad(
        entries(purge_azure_auth_except=["ledger", None, True, {"name": "x"}, "\ufeff"]),
        all_of(
            f"purge_azure_auth_except[1] is None, which is not a string; {NO_ITEM}",
            f"purge_azure_auth_except[2] is True, which is not a string; {NO_ITEM}",
            f"purge_azure_auth_except[3] is {{'name': 'x'}}, which is not a string; {NO_ITEM}",
            f"purge_azure_auth_except[4] is blank; {NO_ITEM}",
        ),
    ),
    "ids to look up that are none": Bad(
        {"ids": ["ledger", None, ""]},
        all_of(
            (
                "ids[0] 'ledger' is not a UUID; write one such as"
                " '6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b'."
            ),
            "ids[1] is None, which is not a string; write the ID of an identity.",
            "ids[2] is blank; write the ID of an identity.",
        ),
        INFO,
    ),
    "names to look up that are none": Bad(
        {"names": [" ", 7.5]},
        all_of(
            "names[0] is blank; write the name of an identity.",
            "names[1] is 7.5, which is not a string; write the name of an identity.",
        ),
        INFO,
    ),
}


def of_server(server: t.Any, ledger: str) -> dict[str, Bad]:
    """What only the server can tell; `ledger` is the id of an identity of that name."""
    seeded = server.identities
    labs = seeded["sub-organization"]
    twins = ", ".join(sorted((seeded["twin-1"], seeded["twin-2"])))
    borne = f"is the name of 2 identities ({twins}); give the ID instead."
    good = entry(called="payments", resource="never written")
    kept = ["ledger", "payments"]
    return {
        "one identity by its id and by its name": Bad(
            entries(entry(called="ledger"), entry(ledger.upper())),
            f"identities[1] ({ledger.upper()}) {TWICE} identities[0] (ledger); list it once.",
            blamed=[1],
        ),
        "unknown names, a name of two, and those of other organizations": Bad(
            entries(
                good,
                *({"name": name} for name in ("ledge", "batch worker", "foreign", "labs")),
                create=False,
            ),
            all_of(
                f"identities[1] (ledge): name 'ledge' {NO_NAME}",
                f"identities[2] (batch worker): name 'batch worker' {borne}",
                f"identities[3] (foreign): name 'foreign' {NO_NAME}",
                f"identities[4] (labs): name 'labs' {OF_ANOTHER.format(labs)}",
            ),
            blamed=range(1, 5),
        ),
        "a name of two, and one of another organization, though new names are created": Bad(
            entries(good, *({"name": name} for name in ("batch worker", "labs"))),
            all_of(
                f"identities[1] (batch worker): name 'batch worker' {borne}",
                f"identities[2] (labs): name 'labs' {OF_ANOTHER.format(labs)}",
            ),
            blamed=[1, 2],
        ),
        "an unknown name that the search would refuse": Bad(
            entries(good, {"name": "a/b:c"}, create=False),
            f"identities[1] (a/b:c): name 'a/b:c' {NO_NAME}",
            blamed=[1],
        ),
        "a name as long as can be": Bad(
            entries(good, {"name": "x" * 255}, create=False),
            f"identities[1] ({'x' * 77}...): name '{'x' * 80}...' {NO_NAME}",
            blamed=[1],
        ),
        "new identities to which nothing could be attached": Bad(
            entries(good, entry(called="half"), entry(called="open", tenant_id=ONE)),
            all_of(
                f"identities[1] (half): azure_auth: {LACKING.format('tenant_id, resource, ')}",
                f"identities[2] (open): azure_auth: {LACKING.format('resource, ')}",
            ),
            blamed=[1, 2],
        ),
        "a new name that another entry gives to an identity": Bad(
            entries({"id": ledger, "name": "book"}, {"name": "book"}),
            (
                "identities[1] (book) has the name that identities[0] (book) gets in this task;"
                " list that identity once, by its ID."
            ),
            blamed=[1],
        ),
        "an identity under its old name, which another entry changes": Bad(
            entries({"name": "ledger"}, {"id": ledger, "name": "book"}),
            f"identities[1] (book) {TWICE} identities[0] (ledger); list it once.",
            blamed=[1],
        ),
        "one new name for two": Bad(
            entries({"id": ledger, "name": "book"}, {"id": seeded["plain"], "name": "book"}),
            (
                "identities[1] (book) gets the same name as identities[0] (book); choose another"
                " name for one of them."
            ),
            blamed=[1],
        ),
        "names of purge_except that are not those of one identity": Bad(
            entries(
                good, purge_azure_auth_except=[*kept, "ledge", "batch worker", "foreign", "2024"]
            ),
            all_of(
                f"purge_azure_auth_except[2] 'ledge' {NO_NAME}",
                f"purge_azure_auth_except[3] 'batch worker' {borne}",
                f"purge_azure_auth_except[4] 'foreign' {NO_NAME}",
                f"purge_azure_auth_except[5] '2024' {NO_NAME}",
            ),
        ),
        "ids of purge_except that are not here": Bad(
            entries(good, purge_azure_auth_except=[*kept, ID, seeded["foreign"]]),
            all_of(
                f"purge_azure_auth_except[2] '{ID}' {NO_ID}",
                f"purge_azure_auth_except[3] '{seeded['foreign']}' {NO_ID}",
            ),
        ),
        "entries that purge_except leaves out": Bad(
            entries(
                good,
                entry(ledger),
                {"name": "fresh"},
                purge_azure_auth_except=["billing"],
            ),
            all_of(
                f"identities[0] (payments) {NOT_KEPT}",
                f"identities[1] ({ledger}) {NOT_KEPT}",
                f"identities[2] (fresh) {NOT_KEPT}",
            ),
            blamed=[0, 1, 2],
        ),
        "an entry of another organization, with purge_except": Bad(
            entries(good, entry(seeded["foreign"]), purge_azure_auth_except=kept),
            f"identities[1] ({seeded['foreign']}) {NOT_KEPT}",
            blamed=[1],
        ),
        "unknown names to look up": Bad(
            {"ids": [ledger], "names": ["ledge", "batch worker"]},
            all_of(
                f"names[0] 'ledge' {NO_NAME}",
                f"names[1] 'batch worker' {borne}",
            ),
            INFO,
        ),
    }


@dataclass
class Outcome:
    expected: dict[str, Bad]
    refusals: dict[str, Result]
    others: dict[str, Result]


COUNTS = ("checked", "changed_count", "created_count", "deleted_count", "purged_count")
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
        assert server.requests() == [], "options are checked before any request"
        bad = of_server(server, ledger)
        late = results_of(bad)
        marked = entry(called="ledger", resource=MARK)
        others: list[dict[str, t.Any]] = [
            {"identities": []},
            {},
            {"identities": [marked], "unknown": 1},
            {"identities": [marked], "concurrency": "many"},
            {
                "identities": [
                    entry(server.identities["foreign"]),
                    entry(server.identities["sub-organization"], state="absent"),
                    entry(ID, **REQUIRED),
                    entry(ledger),
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
    assert len(titles) == 14
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
    counts = dict.fromkeys(COUNTS, 0)
    assert {name: result[name] for name in counts} == counts
    assert result["failed_count"] == len(expected.blamed)
    assert [item["index"] for item in result["results"]] == sorted(expected.blamed)
    for item in result["results"]:
        flags = ("changed", "created", "deleted", "revoked", "failed", "purged")
        assert [item[flag] for flag in flags] == [False, False, False, False, True, False]
        # An entry of a file is called by its place there.
        assert item["msg"].startswith((f"identities[{item['index']}]", "fleet/apps.yml:12"))


def test_no_entries_are_nothing_to_do(outcome: Outcome) -> None:
    result = outcome.others["no entries"]
    assert not result["failed"]
    assert not result["changed"]
    assert result["results"] == []
    assert [result[name] for name in (*COUNTS, "failed_count")] == [0] * 6
    assert result["refused"] is False


def test_the_list_is_required(outcome: Outcome) -> None:
    result = outcome.others["no entry at all"]
    assert result["failed"]
    assert "identities" in result["msg"]


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
    assert result["msg"].startswith("3 of 4 identities failed: identities[0] (")
    statuses = [(item["http_status"], item["error"]) for item in result["results"]]
    assert statuses[0] == (404, "NotFound")
    assert statuses[1][0] == 403
    assert statuses[2] == (404, "NotFound")
    assert all(set(item) >= {"msg", "request_id", "id"} for item in result["results"])
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
            "identities": [entry(identity_id, **REQUIRED) for identity_id in ids],
        }
        started = time.monotonic()
        # Not by Ansible, which takes longer over the list than the module.
        result = finish_module(start_module(FLEET, tmp_path, options, check=True))
        record_property("entries", MANY)
        record_property("seconds for them", round(time.monotonic() - started))
        reads = server.requests()
    assert not result["failed"], result["msg"]
    assert result["checked"] == MANY
    assert result["results"] == []
    assert len(reads) == len({item.path for item in reads}) == MANY
    assert {item.method for item in reads} == {"GET"}
    assert result["invocation"]["module_args"]["identities"] == f"{MANY} entries"
    assert len(json.dumps(result)) < 4000


def test_a_list_can_be_checked_alone() -> None:
    """What would be refused is refused, in the same words; what is right is not even read."""
    with running() as server:
        ledger = server.create_identity("ledger")
        base = {"url": server.url, "token": server.token, "validate_only": True}
        good = {"identities": [entry(called="ledger", **REQUIRED), {"name": "fresh"}]}
        for purging in ({}, {"purge_azure_auth_except": ["ledger", "fresh"]}):
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
