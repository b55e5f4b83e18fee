# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Another auth method is a table of fields: a made-up one goes through all modules.

It has what Azure Auth has not: an optional text, which is null where there is none; a secret; a
list of dictionaries; and a setting that older servers do not have.
"""

from __future__ import annotations

import json
import typing as t

import pytest
from functional.harness import Result, run_in_process, warning_texts

from ansible_collections.community.infisical.plugins.module_utils._errors import OptionError
from ansible_collections.community.infisical.plugins.module_utils._module.auth_method import (
    manage_auth_method,
)
from ansible_collections.community.infisical.plugins.module_utils._module.identities import (
    manage_identities,
)
from ansible_collections.community.infisical.plugins.module_utils._module.identity import (
    manage_identity,
)
from ansible_collections.community.infisical.plugins.module_utils._module.identity_info import (
    read_identities,
)
from ansible_collections.community.infisical.plugins.module_utils._state.auth_method import (
    AuthMethod,
)
from ansible_collections.community.infisical.plugins.module_utils._state.auth_methods import (
    AUTH_METHODS,
)
from ansible_collections.community.infisical.plugins.module_utils._state.azure_auth import (
    AZURE_AUTH,
)
from ansible_collections.community.infisical.plugins.module_utils._state.fields import (
    HIDDEN,
    TOKEN_FIELDS,
    Field,
    number_from_api,
    text_from_api,
    text_option,
    whole_number,
)
from ansible_collections.community.infisical.plugins.module_utils._state.warnings import Warnings
from emulator import Emulator, errors, methods, routes, running, schema
from emulator.calls import ApiRoute, Call, find_owned, permit
from emulator.state import METHOD_DEFAULTS

SECRET = "sesame-Of-The-Test-1"
OTHER_SECRET = "sesame-Of-The-Test-2"
SECRETS = (SECRET, OTHER_SECRET)
# For this one the server keeps another secret than it is given.
FORGETFUL = "https://forgetful.example"

Readers = tuple[tuple[str, int], ...]


# -- the table, which is all that the collection needs --------------------------------------------


def readers_option(option: str, raw: t.Any, _warnings: Warnings) -> Readers:
    """Read a list of dictionaries. Raises OptionError."""
    readers = []
    for index, item in enumerate(raw):
        if not isinstance(item, dict) or {*item} != {"door", "floor"}:
            raise OptionError(f"{option}[{index}] is not a dictionary of door and floor.")
        readers.append((item["door"], item["floor"]))
    return tuple(sorted(readers))


def readers_from_api(raw: t.Any) -> Readers:
    """Read the list of the API. Raises ValueError."""
    if not isinstance(raw, list) or not all(isinstance(item, dict) for item in raw):
        raise ValueError("readers is not a list of objects")
    return tuple(sorted((item["doorName"], item["floorNumber"]) for item in raw))


BADGE_AUTH = AuthMethod(
    name="badge-auth",
    title="Badge Auth",
    envelope="identityBadgeAuth",
    fields=(
        Field("issuer", "issuerUrl", "str", text_option, text_from_api, required=True),
        Field("hint", "hint", "str", text_option, text_from_api),
        Field(
            "badge_secret",
            "badgeSecret",
            "str",
            text_option,
            text_from_api,
            required=True,
            secret=True,
        ),
        Field(
            "readers",
            "readers",
            "list",
            readers_option,
            readers_from_api,
            default=(),
            to_api=lambda value: [
                {"doorName": door, "floorNumber": floor} for door, floor in value
            ],
            to_result=lambda value: [{"door": door, "floor": floor} for door, floor in value],
        ),
        Field(
            "quorum",
            "quorum",
            "int",
            whole_number(1, 9, "people"),
            number_from_api,
            default=1,
            since="March 2031",
        ),
        *TOKEN_FIELDS,
    ),
)
METHODS = (*AUTH_METHODS, BADGE_AUTH)


# -- a server that has it -------------------------------------------------------------------------


def optional_text(value: t.Any, path: list[t.Any], issues: schema.Issues) -> t.Any:
    return None if value is None else schema.string()(value, path, issues)


READERS = schema.listing(
    schema.record(
        {
            "doorName": schema.Field(schema.string(), required=True),
            "floorNumber": schema.Field(schema.number(), required=True),
        }
    )
)
ATTACH = {
    "issuerUrl": schema.Field(schema.string(), required=True),
    "hint": schema.Field(optional_text, default=None),
    "badgeSecret": schema.Field(schema.string(), required=True),
    "readers": schema.Field(READERS, default=[]),
    "quorum": schema.Field(schema.number(), default=1),
    **schema.LIFETIMES_ATTACH,
}


def fields_of(call: Call) -> dict[str, schema.Field]:
    """The fields that the server has, which drops the others without a word."""
    return {
        key: field for key, field in ATTACH.items() if key != "quorum" or call.generation > "2025"
    }


def stored_in(call: Call) -> dict[str, t.Any]:
    identity = find_owned(call)
    if BADGE_AUTH.name not in identity.methods:
        raise errors.bad_request("The identity does not have Badge Auth attached")
    permit(call, identity, "read" if call.body is schema.ABSENT else "edit")
    return identity.methods[BADGE_AUTH.name]


def attach(call: Call) -> t.Any:
    stored = methods.attach_method(call, BADGE_AUTH.name, BADGE_AUTH.title, fields_of(call))
    if stored["issuerUrl"] == FORGETFUL:
        stored["badgeSecret"] = OTHER_SECRET
    return {BADGE_AUTH.envelope: stored}


def read(call: Call) -> t.Any:
    return {BADGE_AUTH.envelope: stored_in(call)}


def update(call: Call) -> t.Any:
    fields = {key: schema.Field(field.read) for key, field in fields_of(call).items()}
    given = schema.read_method(call.generation, "PATCH", fields, call.body)
    stored = stored_in(call)
    if "accessTokenTrustedIps" in given:
        given["accessTokenTrustedIps"] = methods.trusted_ips(call, given["accessTokenTrustedIps"])
    call.state.touch(stored, given)
    return {BADGE_AUTH.envelope: stored}


def revoke(call: Call) -> t.Any:
    stored_in(call)
    return {BADGE_AUTH.envelope: call.state.detach(find_owned(call), BADGE_AUTH.name)}


_PATH = f"/api/v1/auth/{BADGE_AUTH.name}/identities/{{identity_id}}"
ROUTES = (
    ApiRoute("GET", _PATH, read, "read"),
    ApiRoute("POST", _PATH, attach, "write"),
    ApiRoute("PATCH", _PATH, update, "write"),
    ApiRoute("DELETE", _PATH, revoke, "write"),
)


@pytest.fixture(scope="module", params=["2024-10", "2025-06", "2026"])
def any_server(request: pytest.FixtureRequest) -> t.Iterator[Emulator]:
    """Each generation of servers; that of 2024 does not have the last setting."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(routes, "ROUTES", (*ROUTES, *routes.ROUTES))
        patched.setitem(METHOD_DEFAULTS, BADGE_AUTH.name, {})
        with running(request.param) as emulator:
            yield emulator


@pytest.fixture
def server(any_server: Emulator) -> Emulator:
    """A server as it was seeded."""
    any_server.reset()
    return any_server


# -- what is wanted of it -------------------------------------------------------------------------

SETTINGS: dict[str, t.Any] = {
    "issuer": "https://badges.example",
    "badge_secret": SECRET,
    "readers": [{"door": "north", "floor": 2}, {"door": "east", "floor": 1}],
    "access_token_ttl": 3600,
}
# As results show them, and where every setting is given.
SHOWN: dict[str, t.Any] = {
    "issuer": "https://badges.example",
    "hint": None,
    "readers": [{"door": "east", "floor": 1}, {"door": "north", "floor": 2}],
    "access_token_trusted_ips": ["0.0.0.0/0", "::/0"],
    "access_token_ttl": 3600,
    "access_token_max_ttl": 2592000,
    "access_token_num_uses_limit": 0,
}


class Site:
    """Modules that know the method, and a server that has it."""

    def __init__(self, server: Emulator) -> None:
        self.server = server
        self.has_quorum = server.generation > "2025"

    def run(
        self, main: t.Callable[[], None], options: t.Mapping[str, t.Any], *, check: bool = False
    ) -> Result:
        """Run a module; in no output is a secret, nor is one in what it says of its options."""
        self.server.clear_requests()
        given = {"url": self.server.url, "token": self.server.token, "retries": 0, **options}
        result = run_in_process(main, given, check=check)
        output = json.dumps(result)
        for secret in SECRETS:
            assert secret not in output
            assert secret[:10] not in output
        return result

    def method(self, check: bool = False, **options: t.Any) -> Result:
        return self.run(lambda: manage_auth_method(BADGE_AUTH), options, check=check)

    def identity(self, check: bool = False, **options: t.Any) -> Result:
        return self.run(lambda: manage_identity(METHODS), options, check=check)

    def identities(self, *entries: t.Any, check: bool = False, **options: t.Any) -> Result:
        given = {"identities": list(entries), **options}
        return self.run(lambda: manage_identities(METHODS, AZURE_AUTH), given, check=check)

    def info(self, **options: t.Any) -> Result:
        return self.run(lambda: read_identities(METHODS), options)

    def stored(self, identity_id: str) -> dict[str, t.Any] | None:
        methods_of = self.server.state.identities[identity_id].methods
        return methods_of.get(BADGE_AUTH.name)

    def writes(self) -> list[str]:
        return [
            record.method
            for record in self.server.requests(path=r"/identities")
            if record.method != "GET" and not record.path.endswith("/search")
        ]

    def shown(self, **others: t.Any) -> dict[str, t.Any]:
        """What results show of the settings."""
        last = {"quorum": 1} if self.has_quorum else {}
        return {**SHOWN, **last, **others}


@pytest.fixture
def site(server: Emulator) -> Site:
    return Site(server)


def settings_in(result: Result) -> Result:
    """What of a returned object is neither who nor what the server adds."""
    others = ("identity_id", "state", "details")
    return {key: value for key, value in result.items() if key not in others}


def without_unknown(result: Result) -> Result:
    """A result of check mode, or of the same for real, without what cannot be predicted."""
    unknown = ("id", "created_at", "updated_at", "organization_id", "invocation")

    def known(value: t.Any) -> t.Any:
        if isinstance(value, dict):
            return {key: known(item) for key, item in value.items() if key not in unknown}
        return [known(item) for item in value] if isinstance(value, list) else value

    return t.cast(Result, known(result))


# -- the tests ------------------------------------------------------------------------------------


def test_the_module_of_the_method(site: Site) -> None:
    identity_id = site.server.create_identity("badger")
    options = {"identity_id": identity_id, **SETTINGS}
    predicted = site.method(check=True, **options)
    assert (predicted["changed"], site.writes(), site.stored(identity_id)) == (True, [], None)
    real = site.method(**options)
    assert (real["changed"], site.writes()) == (True, ["POST"])
    stored = site.stored(identity_id)
    assert stored is not None
    assert stored["badgeSecret"] == SECRET
    assert stored["hint"] is None
    assert settings_in(real["badge_auth"]) == site.shown()
    facts = real["ansible_facts"]["infisical_badge_auth"]
    assert facts == real["badge_auth"]
    # What cannot be known of a server to which nothing is attached is whether it has the last.
    del predicted["ansible_facts"], real["ansible_facts"]
    if not site.has_quorum:
        assert predicted["badge_auth"].pop("quorum") == 1
        assert predicted["diff"]["after"].pop("quorum") == 1
    if site.server.generation == "2024-10":
        real.pop("identity_name", None)
        predicted.pop("identity_name", None)
    assert without_unknown(predicted) == without_unknown(real)
    assert real["diff"]["before"] == {"state": "absent"}
    assert real["diff"]["after"]["badge_secret"] == HIDDEN
    assert real["diff"]["after"]["hint"] is None
    assert real["diff"]["after"]["readers"] == SHOWN["readers"]
    arguments = real["invocation"]["module_args"]
    assert (arguments["badge_secret"], arguments["issuer"]) == (HIDDEN, SETTINGS["issuer"])
    for check in (True, False):
        again = site.method(check=check, **options)
        assert (again["changed"], site.writes()) == (False, [])
        assert again["diff"]["before"] == again["diff"]["after"]
        # What comes out goes back in.
        fed_back = site.method(check=check, **real["badge_auth"])
        assert (fed_back["failed"], fed_back["changed"]) == (False, False)


@pytest.mark.parametrize(
    ("change", "field", "stored"),
    [
        ({"hint": "blue"}, "hint", "blue"),
        ({"badge_secret": OTHER_SECRET}, "badgeSecret", OTHER_SECRET),
        ({"readers": []}, "readers", []),
        (
            {"readers": [{"door": "west", "floor": 3}]},
            "readers",
            [{"doorName": "west", "floorNumber": 3}],
        ),
        ({"access_token_ttl": 60}, "accessTokenTTL", 60),
    ],
    ids=lambda change: str(change) if isinstance(change, dict) else "",
)
def test_only_what_differs_is_sent(
    site: Site, change: dict[str, t.Any], field: str, stored: t.Any
) -> None:
    identity_id = site.server.create_identity("badger")
    site.method(identity_id=identity_id, **SETTINGS)
    before = site.stored(identity_id)
    options = {"identity_id": identity_id, **SETTINGS, **change}
    predicted = site.method(check=True, **options)
    assert (predicted["changed"], site.writes()) == (True, [])
    assert site.stored(identity_id) == before
    real = site.method(**options)
    assert (real["changed"], site.writes()) == (True, ["PATCH"])
    (patch,) = site.server.requests(method="PATCH")
    assert [*patch.body] == [field]
    assert (site.stored(identity_id) or {})[field] == stored
    del predicted["ansible_facts"], real["ansible_facts"]
    assert without_unknown(predicted) == without_unknown(real)
    shown = {key: value for key, value in change.items() if key != "badge_secret"}
    assert settings_in(real["badge_auth"]) == site.shown(**shown)
    assert not site.method(**options)["changed"]


def test_a_null_and_a_blank_leave_alone_what_there_is(site: Site) -> None:
    identity_id = site.server.create_identity("badger")
    site.method(identity_id=identity_id, hint="blue", **SETTINGS)
    nothing = dict.fromkeys(field.option for field in BADGE_AUTH.fields)
    for blank in (None, "", " "):
        result = site.method(identity_id=identity_id, **dict.fromkeys(nothing, blank))
        assert (result["failed"], result["changed"]) == (False, False)
        assert result["badge_auth"]["hint"] == "blue"


def test_revoking(site: Site) -> None:
    identity_id = site.server.create_identity("badger")
    site.method(identity_id=identity_id, **SETTINGS)
    for check in (True, False):
        result = site.method(check=check, identity_id=identity_id, state="absent")
        assert result["changed"]
        expected = {"identity_id": identity_id, "state": "absent", "details": None}
        assert result["badge_auth"] == expected
    assert site.stored(identity_id) is None
    assert not site.method(identity_id=identity_id, state="absent")["changed"]


def test_what_attaching_needs_is_told_before_any_write(site: Site) -> None:
    identity_id = site.server.create_identity("badger")
    sentence = (
        "Badge Auth is not attached to the identity, and attaching it requires issuer,"
        " badge_secret; set them too."
    )
    for check in (True, False):
        result = site.method(check=check, identity_id=identity_id, hint="blue")
        assert (result["failed"], result["msg"], site.writes()) == (True, sentence, [])
    entry = {"name": "new badger", "badge_auth": {"hint": "blue"}}
    for check in (True, False):
        for result in (site.identity(check=check, **entry), site.identities(entry, check=check)):
            assert (result["failed"], site.writes()) == (True, [])
            assert sentence in result["msg"]


def test_a_setting_that_the_server_does_not_have_is_one_sentence(site: Site) -> None:
    identity_id = site.server.create_identity("badger")
    site.method(identity_id=identity_id, **SETTINGS)
    sentence = (
        "quorum is set, but this server does not support it; remove it, or upgrade the server to a"
        " version from March 2031 or later."
    )
    entry = {"id": identity_id, "badge_auth": {"quorum": 3}}
    for check in (True, False):
        results = [
            site.method(check=check, identity_id=identity_id, quorum=3),
            site.identity(check=check, **entry),
            site.identities(entry, check=check),
        ]
        if site.has_quorum:
            assert [result["failed"] for result in results] == [False] * 3
            continue
        assert site.writes() == []
        for result in results:
            assert (result["failed"], result.get("changed", False)) == (True, False)
            assert result["msg"].count(sentence) == 1
        assert results[0]["msg"] == sentence
    assert (site.stored(identity_id) or {}).get("quorum") == (3 if site.has_quorum else None)


def test_a_setting_that_the_server_dropped_is_told_where_it_was_not_to_be_foreseen(
    site: Site,
) -> None:
    """Nothing that is attached tells what the server has."""
    identity_id = site.server.create_identity("badger")
    result = site.method(identity_id=identity_id, quorum=3, **SETTINGS)
    if site.has_quorum:
        assert result["badge_auth"]["quorum"] == 3
        return
    assert (result["failed"], result["changed"]) == (True, True)
    assert result["msg"] == (
        f"After the attach of the Badge Auth of identity {identity_id}, Infisical returned no"
        " quorum (servers have it from March 2031 on) instead of quorum 3; check the identity and"
        " the server's version."
    )
    assert "quorum" not in result["badge_auth"]


def test_an_entry_alone(site: Site) -> None:
    entry: dict[str, t.Any] = {"name": "badger", "role": "no-access", "badge_auth": dict(SETTINGS)}
    predicted = site.identity(check=True, **entry)
    assert (predicted["changed"], site.writes()) == (True, [])
    real = site.identity(**entry)
    assert (real["changed"], site.writes()) == (True, ["POST", "POST"])
    assert settings_in(real["identity"]["badge_auth"]) == site.shown()
    assert real["identity"]["details"]["auth_methods"] == ["badge-auth"]
    identity_id = real["identity"]["id"]
    assert (site.stored(identity_id) or {})["badgeSecret"] == SECRET
    assert real["diff"]["before"] == {"state": "absent"}
    assert real["diff"]["after"]["badge_auth"]["badge_secret"] == HIDDEN
    arguments = real["invocation"]["module_args"]["badge_auth"]
    given = {key: value for key, value in arguments.items() if value is not None}
    assert given == {**SETTINGS, "state": "present", "badge_secret": HIDDEN}
    if not site.has_quorum:
        assert predicted["identity"]["badge_auth"].pop("quorum") == 1
        assert predicted["diff"]["after"]["badge_auth"].pop("quorum") == 1
    predicted["diff"]["after_header"] = real["diff"]["after_header"]
    predicted["diff"]["before_header"] = real["diff"]["before_header"]
    assert without_unknown(predicted) == without_unknown(real)
    for check in (True, False):
        assert not site.identity(check=check, **entry)["changed"]
        fed_back = site.identity(check=check, **real["identity"])
        assert (fed_back["failed"], fed_back["changed"]) == (False, False)


def test_entries_of_a_list(site: Site) -> None:
    known = site.server.create_identity("known", methods=["universal-auth"])
    many = site.server.generation != "2024-10"
    entries = [
        {"name": "new", "badge_auth": dict(SETTINGS)},
        {"name": "known", "badge_auth": {**SETTINGS, "badge_secret": OTHER_SECRET}},
        {"name": "gone", "badge_auth": {"state": "absent"}},
    ]
    if not many:
        del entries[1]
    count = len(entries) - 1
    predicted = site.identities(*entries, check=True)
    assert (predicted["changed_count"], predicted["created_count"]) == (count, 1)
    assert site.writes() == []
    real = site.identities(*entries)
    assert (real["failed"], real["changed_count"], real["created_count"]) == (False, count, 1)
    assert real["invocation"]["module_args"]["identities"] == f"{len(entries)} entries"
    for result in real["results"]:
        assert settings_in(result["badge_auth"]) == site.shown()
    for difference in real["diff"]:
        assert difference["after"]["badge_auth"]["badge_secret"] == HIDDEN
    if many:
        assert (site.stored(known) or {})["badgeSecret"] == OTHER_SECRET
    for check in (True, False):
        again = site.identities(*entries, check=check)
        assert (again["failed"], again["changed"], again["results"]) == (False, False, [])


def test_reading(site: Site) -> None:
    identity_id = site.identity(name="badger", badge_auth=dict(SETTINGS))["identity"]["id"]
    bare = site.server.create_identity("bare")
    result = site.info(ids=[identity_id, bare])
    by_id = {item["id"]: item for item in result["identities"]}
    assert settings_in(by_id[identity_id]["badge_auth"]) == site.shown()
    assert by_id[identity_id]["azure_auth"] == {"state": "absent", "details": None}
    assert by_id[bare]["badge_auth"] == {"state": "absent", "details": None}
    every = {item["id"]: item for item in site.info()["identities"]}
    assert every[identity_id]["badge_auth"] == by_id[identity_id]["badge_auth"]
    without = {item["id"]: item for item in site.info(badge_auth=False)["identities"]}
    assert "badge_auth" not in without[identity_id]
    # What is read goes back in, and changes nothing.
    back = site.identities(*result["identities"])
    assert (back["failed"], back["changed"]) == (False, False)


def test_what_options_refuse_and_the_server_holds_is_told_apart(site: Site) -> None:
    identity_id = site.server.create_identity("badger")
    site.method(identity_id=identity_id, **SETTINGS)
    site.server.put_method(identity_id, BADGE_AUTH.name, hint="a\0b", badgeSecret=f"{SECRET}\0")
    result = site.method(identity_id=identity_id)
    assert (result["failed"], result["changed"]) == (False, False)
    assert result["badge_auth"]["hint"] is None
    assert result["badge_auth"]["details"]["stored"] == {"hint": "a\0b"}
    (warning,) = [text for text in warning_texts(result) if "details.stored" in text]
    assert "badger: hint" in warning or f"{identity_id}: hint" in warning


MALFORMED = [
    [SECRET],
    {SECRET: SECRET},
    f"{SECRET}\0",
    f"\0{SECRET}",
]


@pytest.mark.parametrize("secret", MALFORMED, ids=["list", "dictionary", "NUL", "NUL before"])
def test_a_malformed_secret_is_refused_and_not_told(site: Site, secret: t.Any) -> None:
    identity_id = site.server.create_identity("badger")
    settings = {**SETTINGS, "badge_secret": secret}
    entry = {"id": identity_id, "badge_auth": settings}
    for check in (True, False):
        for result in (
            site.method(check=check, identity_id=identity_id, **settings),
            site.identity(check=check, **entry),
            site.identities(entry, check=check),
        ):
            assert (result["failed"], result.get("changed", False)) == (True, False)
            assert "badge_secret is not " in result["msg"]
    assert site.stored(identity_id) is None


@pytest.mark.parametrize(
    "badge_auth",
    [
        SECRET,
        [SECRET],
        json.dumps({"badge_secret": SECRET, "nope": 1}),
        {"badgeSecret": SECRET},
        {"badge_secret": SECRET, "issuer": [1]},
        {"badge_secret": SECRET, "readers": [{"door": "north"}]},
    ],
    ids=["text", "list", "JSON", "API's name", "beside a fault", "in a valid place"],
)
def test_a_secret_beside_what_is_wrong_is_not_told(site: Site, badge_auth: t.Any) -> None:
    entry = {"name": "badger", "badge_auth": badge_auth}
    for check in (True, False):
        for result in (site.identity(check=check, **entry), site.identities(entry, check=check)):
            outcome = (result["failed"], result.get("changed", False), site.writes())
            assert outcome == (True, False, [])


def test_what_the_server_says_is_shown_without_the_secret(site: Site) -> None:
    """It may quote what it was sent."""
    site.server.fault(
        "error",
        method="POST",
        path=BADGE_AUTH.name,
        status=422,
        error="ValidationFailure",
        message=f"badgeSecret {SECRET} is not known",
    )
    entry: dict[str, t.Any] = {"name": "badger", "badge_auth": dict(SETTINGS)}
    identity_id = site.server.create_identity("known")
    for result in (
        site.method(identity_id=identity_id, **SETTINGS),
        site.identity(**entry),
        site.identities(entry),
    ):
        assert result["failed"]
        assert "badgeSecret ******** is not known" in result["msg"]


def test_a_secret_that_the_server_keeps_other_than_it_was_given_is_not_told(site: Site) -> None:
    identity_id = site.server.create_identity("badger")
    result = site.method(identity_id=identity_id, **{**SETTINGS, "issuer": FORGETFUL})
    assert (result["failed"], result["changed"]) == (True, True)
    assert "returned another badge_secret; check the identity" in result["msg"]
    assert result["diff"]["after"]["badge_secret"] == HIDDEN


@pytest.mark.parametrize(
    "login", [{"token": None}, {"auth_method": "no_auth"}, {"login_data": {"token": "x"}}], ids=str
)
def test_a_secret_is_not_told_where_the_login_is_wrong(
    site: Site, login: dict[str, t.Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INFISICAL_TOKEN", raising=False)
    entry: dict[str, t.Any] = {"name": "badger", "badge_auth": dict(SETTINGS)}
    for result in (
        site.method(identity_name="badger", **SETTINGS, **login),
        site.identity(**entry, **login),
        site.identities(entry, **login),
    ):
        assert result["failed"]


def test_purging(site: Site) -> None:
    kept, purged = (
        site.identity(name=name, badge_auth=dict(SETTINGS))["identity"]["id"]
        for name in ("kept", "purged")
    )
    options = {"identities": [], "purge_badge_auth_except": ["kept"]}
    for check in (True, False):
        result = site.run(lambda: manage_identities(METHODS, BADGE_AUTH), options, check=check)
        assert (result["failed"], result["purged_count"]) == (False, 1)
        (outcome,) = result["results"]
        assert (outcome["id"], outcome["purged"]) == (purged, True)
        assert outcome["badge_auth"] == {"state": "absent", "details": None}
        assert result["diff"][0]["before"]["badge_auth"]["badge_secret"] == HIDDEN
        assert (site.stored(purged) is None) is not check
    assert site.stored(kept)
