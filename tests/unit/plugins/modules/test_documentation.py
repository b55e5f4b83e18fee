# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules document, against the tables of fields and against what they return."""

from __future__ import annotations

import importlib
import re
import typing as t

import pytest
import yaml

from ansible_collections.community.infisical.plugins.module_utils._errors import Problem
from ansible_collections.community.infisical.plugins.module_utils._module.entries import entry_spec
from ansible_collections.community.infisical.plugins.module_utils._module.entry_results import (
    entry_of,
    outcome_of,
    refused,
)
from ansible_collections.community.infisical.plugins.module_utils._module.identities import _counts
from ansible_collections.community.infisical.plugins.module_utils._module.module import Module
from ansible_collections.community.infisical.plugins.module_utils._module.options import (
    CONNECTION_SPEC,
)
from ansible_collections.community.infisical.plugins.module_utils._module.results import (
    settings_of,
)
from ansible_collections.community.infisical.plugins.module_utils._state.auth_method import (
    AuthMethodResource,
)
from ansible_collections.community.infisical.plugins.module_utils._state.auth_methods import (
    AUTH_METHODS,
)
from ansible_collections.community.infisical.plugins.module_utils._state.azure_auth import (
    AZURE_AUTH,
)
from ansible_collections.community.infisical.plugins.module_utils._state.entry import (
    Desired,
    EntryReconciler,
)
from ansible_collections.community.infisical.plugins.module_utils._state.fields import Settings
from ansible_collections.community.infisical.plugins.module_utils._state.fleet import Fleet
from ansible_collections.community.infisical.plugins.module_utils._state.identities import (
    Identity,
    Reference,
    Role,
)
from ansible_collections.community.infisical.plugins.module_utils._state.identity import IDENTITY
from ansible_collections.community.infisical.plugins.module_utils._state.reconcile import (
    Reconciler,
    State,
)
from ansible_collections.community.infisical.plugins.module_utils._state.warnings import Warnings

PLUGINS = "ansible_collections.community.infisical.plugins"
MODULES = (
    "infisical_azure_auth",
    "infisical_identities",
    "infisical_identity",
    "infisical_identity_info",
    "infisical_login",
)
# Where the modules document an entry in what they return.
ENTRIES = {
    "infisical_identity": "identity",
    "infisical_identities": "results",
    "infisical_identity_info": "identities",
}
# What a module that only reads never returns.
NOT_THERE = (
    " Null for an identity that check mode would create.",
    " Null if the identity does not exist.",
)
ID = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"

Documented = dict[str, dict[str, t.Any]]


def strings_of(module: str) -> t.Any:
    return importlib.import_module(f"{PLUGINS}.modules.{module}")


def returned_by(module: str) -> Documented:
    return t.cast(Documented, yaml.safe_load(strings_of(module).RETURN))


def merged(one: Documented, other: Documented) -> Documented:
    """Options of a module with those of a fragment, which may go on where the module ends."""
    result = {**other, **one}
    for name in {*one} & {*other}:
        subs = merged(one[name].get("suboptions", {}), other[name].get("suboptions", {}))
        result[name] = {**other[name], **one[name], "suboptions": subs}
    return result


def options_of(module: str) -> Documented:
    """The options that are documented, those of the fragments among them."""
    documentation = yaml.safe_load(strings_of(module).DOCUMENTATION)
    options: Documented = documentation.get("options", {})
    for name in documentation["extends_documentation_fragment"]:
        fragment, _dot, part = name.partition("community.infisical.")[2].partition(".")
        text = getattr(
            importlib.import_module(f"{PLUGINS}.doc_fragments.{fragment}").ModuleDocFragment,
            part.upper() or "DOCUMENTATION",
        )
        options = merged(options, yaml.safe_load(text).get("options", {}))
    return options


class SpecError(Exception):
    """The argument spec of a module, in place of its run."""


def spec_of_module(module: str, monkeypatch: pytest.MonkeyPatch) -> Documented:
    def end(_self: Module, spec: Documented, _lists: t.Collection[str] = ()) -> None:
        raise SpecError(spec)

    monkeypatch.setattr(Module, "__init__", end)
    with pytest.raises(SpecError) as raised:
        strings_of(module).main()
    spec: Documented = {**CONNECTION_SPEC, **raised.value.args[0]}
    if module == "infisical_identities":
        # Each entry is checked by this one, and not by Ansible.
        spec["identities"] = {**spec["identities"], "options": entry_spec(AUTH_METHODS)}
    return spec


def shape(details: t.Mapping[str, t.Any], subs: str) -> dict[str, t.Any]:
    """What of an option is said both in its spec and in its documentation."""
    said = ("type", "elements", "required", "default", "choices", "aliases")
    result = {key: details[key] for key in said if details.get(key)}
    nested = details.get(subs)
    if nested:
        result["options"] = {name: shape(item, subs) for name, item in nested.items()}
    return result


@pytest.mark.parametrize("module", MODULES)
def test_options_are_documented_as_they_are_taken(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    documented = {key: shape(item, "suboptions") for key, item in options_of(module).items()}
    # Of login_data as a whole it is said what it has in it.
    documented["login_data"].pop("options", None)
    taken = {
        key: shape(item, "options") for key, item in spec_of_module(module, monkeypatch).items()
    }
    taken["login_data"].pop("options")
    assert documented == taken


def documented_settings(settings: Settings) -> list[tuple[str, str]]:
    """The settings of a table as documentation has them: their names and types, in order."""
    found = []
    for field in settings.fields:
        if not field.secret:
            found.append((field.option, field.type))
            if field.switch:
                found.append((field.switch, "bool"))
    return found


def types_of(documented: Documented, *but: str) -> list[tuple[str, str]]:
    return [(key, item["type"]) for key, item in documented.items() if key not in but]


def test_azure_auth_is_documented_as_it_is_returned() -> None:
    returned = returned_by("infisical_azure_auth")
    contains = returned["azure_auth"]["contains"]
    others = ("identity_id", "state", "details")
    assert types_of(contains, *others) == documented_settings(AZURE_AUTH)
    state = State(AZURE_AUTH.from_api(STORED), {})
    assert [*contains] == ["identity_id", *settings_of(AZURE_AUTH, state)]
    details = attached().details
    assert [*contains["details"]["contains"]] == [*details, "stored"]


def as_read(documented: dict[str, t.Any]) -> dict[str, t.Any]:
    """A returned value without what is only said of identities that do not exist."""
    result = {**documented}
    if isinstance(result["description"], str):
        for only in NOT_THERE:
            result["description"] = result["description"].replace(only, "")
    if "projects" in result.get("contains", {}):
        result["contains"] = {
            key: item for key, item in result["contains"].items() if key != "projects"
        }
    return result


@pytest.mark.parametrize("module", ENTRIES)
def test_an_identity_is_documented_as_it_is_returned(module: str) -> None:
    contains = returned_by(module)[ENTRIES[module]]["contains"]
    azure_auth = returned_by("infisical_azure_auth")["azure_auth"]["contains"]
    expected = {key: item for key, item in azure_auth.items() if key != "identity_id"}
    assert contains["azure_auth"]["contains"] == expected
    of_fields = {field.option for field in IDENTITY.fields}
    settings = [item for item in types_of(contains) if item[0] in of_fields]
    assert settings == documented_settings(IDENTITY)
    entry = entry_of(identity(), AUTH_METHODS, {AZURE_AUTH.key: attached()})
    assert {*entry} == {*contains} & {*entry_spec(AUTH_METHODS)}
    documented = contains["details"]["contains"]
    reads = module.endswith("_info")
    # Only a module that deletes says what an identity was a member of.
    of_deleted = set() if reads else {"projects"}
    assert {*documented} == {*entry["details"], "stored", *of_deleted}
    for key in entry:
        # One text for all, but for the place in it, and for what is not there to be read.
        place = r"RV\([a-z_]+(\[\])?\."
        item, other = contains[key], returned_by("infisical_identity")["identity"]["contains"][key]
        if reads:
            other = as_read(other)
        one, same = (re.sub(place, "RV(", str(text)) for text in (item, other))
        assert one == same


@pytest.mark.parametrize("module", ENTRIES)
def test_samples_of_settings_are_what_options_take(module: str) -> None:
    contains = returned_by(module)[ENTRIES[module]]["contains"]
    for settings, documented in (
        (AZURE_AUTH, contains["azure_auth"]["contains"]),
        (IDENTITY, contains),
    ):
        samples = {
            name: documented[name]["sample"] for name, _type in documented_settings(settings)
        }
        values, errors = settings.read_options(samples, Warnings())
        assert errors == []
        assert {*values} == {field.option for field in settings.fields}
        shown, stored = settings.to_result(values)
        assert (shown, stored) == (samples, {})


def test_what_came_of_an_entry_is_documented() -> None:
    returned = returned_by("infisical_identities")
    contains = returned["results"]["contains"]
    failed = {"msg", "http_status", "error", "request_id"}
    outcome = outcome_of(worked(), AUTH_METHODS, Warnings(), before=True)
    assert {*contains} - failed == {*outcome}
    # The state, as it is beside it.
    assert [*outcome["before"]] == [*outcome][: len(outcome["before"])]
    assert {*refused([{"id": ID, "name": "x"}], [Problem("is wrong", 0)])[0]} <= {*contains}
    assert {*returned} - {"refused", "not_visible", "results"} - failed == {*_counts(Fleet(1))}


STORED = {
    "tenantId": ID,
    "resource": "r",
    "allowedServicePrincipalIds": ID,
    "accessTokenTrustedIps": [{"ipAddress": "0.0.0.0", "prefix": 0}],
    "accessTokenTTL": 60,
    "accessTokenMaxTTL": 60,
    "accessTokenNumUsesLimit": 0,
}


def identity() -> Identity:
    return Identity(
        ID, "billing", "org", methods=(), roles=(Role("member"),), metadata=(), protected=False
    )


def attached() -> State:
    """Azure Auth as check mode predicts it where it would be attached."""
    nobody = t.cast(t.Any, None)
    resource = AuthMethodResource(nobody, nobody, AZURE_AUTH, ID, identity())
    return resource.predict(None, AZURE_AUTH.from_api(STORED))


def worked() -> EntryReconciler:
    """The work on an entry whose Azure Auth is changed, and whose identity is known."""
    nobody = t.cast(t.Any, None)
    work = EntryReconciler(
        nobody,
        nobody,
        AUTH_METHODS,
        Reference(ID, None, place=0),
        Desired({}, {}),
        nobody,
        identity(),
        check=True,
    )
    done = Reconciler(AuthMethodResource(nobody, nobody, AZURE_AUTH, ID, identity()), check=True)
    done.before = done.result = done.actual = attached()
    done.changed = True
    work.method_work[AZURE_AUTH.key] = done
    return work
