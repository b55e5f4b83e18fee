# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists of identities: how they are read, found, and what is wrong with them."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.community.infisical.plugins.module_utils._errors import ManyProblemsError
from ansible_collections.community.infisical.plugins.module_utils._module.entries import (
    Entry,
    Found,
    Reference,
    missing,
    read_entries,
    read_references,
    repeated,
    resolve,
)
from ansible_collections.community.infisical.plugins.module_utils._module.options import (
    AZURE_AUTH_SPEC,
)
from ansible_collections.community.infisical.plugins.module_utils._server.api import Identity
from ansible_collections.community.infisical.plugins.module_utils._state.azure_auth import (
    AZURE_AUTH,
)
from ansible_collections.community.infisical.plugins.module_utils._state.warnings import Notes

ID = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
OTHER = "8a6d3f0e-5d0c-4c43-9a0e-0d6b5a1f7c21"
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
BLANKS = (None, "", " ", "\ufeff", "\u00a0\t")


def read(*items: t.Any, notes: Notes | None = None) -> list[Entry]:
    return read_entries(
        "azure_auths", items, AZURE_AUTH, AZURE_AUTH_SPEC, notes if notes is not None else Notes()
    )


def problems_of(*items: t.Any) -> list[tuple[int | None, str]]:
    with pytest.raises(ManyProblemsError) as raised:
        read(*items)
    return [(problem.place, problem.sentence) for problem in raised.value.problems]


def identity(identity_id: str, name: str, here: bool = True) -> Identity:
    return Identity(identity_id, name, "org", ("azure-auth",), "current", here)


class Directory:
    """In place of the API: finds names, and remembers how often it was asked."""

    def __init__(self, *identities: Identity) -> None:
        self._identities = identities
        self.asked: list[list[str]] = []

    def named(self, names: t.Iterable[str]) -> dict[str, list[Identity]]:
        self.asked.append(list(names))
        return {
            name: [item for item in self._identities if item.name == name]
            for name in self.asked[-1]
        }


def test_an_entry_by_id_has_no_name_to_look_for() -> None:
    (entry,) = read({"identity_id": f"{{{ID.upper()}}}", "resource": " r "})
    assert entry.reference.identity_id == ID
    assert entry.reference.label == f"azure_auths[0] ({{{ID.upper()}}})"
    assert entry.wanted == {"resource": "r"}


def test_an_entry_by_name() -> None:
    (entry,) = read({"identity_name": " billing "})
    assert (entry.reference.identity_id, entry.reference.identity_name) == (None, "billing")
    assert entry.reference.label == "azure_auths[0] (billing)"
    assert entry.wanted == {}


def test_beside_an_id_the_name_is_a_label() -> None:
    (entry,) = read({"identity_id": ID, "identity_name": "billing"})
    assert entry.reference.identity_id == ID
    assert entry.reference.label == "azure_auths[0] (billing)"


@pytest.mark.parametrize("blank", BLANKS, ids=repr)
def test_a_blank_id_or_name_is_none(blank: str | None) -> None:
    by_name, by_id = read(
        {"identity_id": blank, "identity_name": "billing"},
        {"identity_id": ID, "identity_name": blank},
    )
    assert (by_name.reference.identity_id, by_name.reference.identity_name) == (None, "billing")
    assert by_id.reference.identity_id == ID


def test_absent_is_nothing_wanted_and_its_other_options_are_judged_all_the_same() -> None:
    (entry,) = read({"identity_name": "x", "state": "absent", "tenant_id": TENANT})
    assert entry.wanted is None
    ((_place, sentence),) = problems_of({"identity_name": "x", "state": "absent", "tenant_id": "y"})
    assert sentence.startswith("azure_auths[0] (x): tenant_id 'y' is not a UUID; write one such as")


@pytest.mark.parametrize("name", [8, 750, True, 1.5, ["x"]], ids=repr)
def test_names_that_are_no_strings_are_refused(name: t.Any) -> None:
    assert problems_of({"identity_name": name}) == [
        (
            0,
            (
                f"azure_auths[0]: identity_name is {name!r}, which is not a string; put it in"
                " quotes: YAML reads 010, 12:30 and yes as other values than they look like."
            ),
        )
    ]


@pytest.mark.parametrize("text", ["{{ tenant }}", "********", "__omit_place_holder__1"])
def test_what_only_stands_for_a_value_is_refused(text: str) -> None:
    for options in ({"resource": text}, {"access_token_trusted_ips": [text]}):
        ((_place, sentence),) = problems_of({"identity_name": "x", **options})
        assert f"'{text}' is " in sentence


@pytest.mark.parametrize("blank", ["", " ", "\ufeff"])
def test_blank_options_are_left_out(blank: str) -> None:
    (entry,) = read({"identity_name": "x", **dict.fromkeys([*AZURE_AUTH_SPEC, "state"], blank)})
    assert entry.wanted == {}


@pytest.mark.parametrize("metadata", [None, {}, {"id": "x"}, [1], "text", 7], ids=repr)
def test_metadata_is_ignored_whatever_it_is(metadata: t.Any) -> None:
    (entry,) = read({"identity_name": "x", "metadata": metadata})
    assert entry.wanted == {}


def test_null_options_are_left_out() -> None:
    options = dict.fromkeys(AZURE_AUTH_SPEC)
    (entry,) = read({"identity_name": "x", **options})
    assert entry.wanted == {}


@pytest.mark.parametrize("field", [f.api for f in AZURE_AUTH.fields if f.api != f.option])
def test_names_of_the_api_are_refused_with_the_right_ones(field: str) -> None:
    (option,) = [item.option for item in AZURE_AUTH.fields if item.api == field]
    assert problems_of({"identity_name": "x", field: "v"}) == [
        (0, f"azure_auths[0] (x): '{field}' is not an option of an entry; write {option}.")
    ]


@pytest.mark.parametrize("key", [1, None, True, 1.5, ("a",), b"tenant_id", "Tenant_id", ""])
def test_keys_that_are_no_options_are_refused(key: t.Any) -> None:
    ((place, sentence),) = problems_of({"identity_name": "x", key: "v"})
    assert place == 0
    assert " is not an option of an entry; write one of access_token_max_ttl, " in sentence


@pytest.mark.parametrize("item", [None, "", "x", 0, 1.5, True, [], ["x"], [{}]], ids=repr)
def test_what_is_no_dictionary_is_refused(item: t.Any) -> None:
    ((place, sentence),) = problems_of({"identity_name": "x"}, item)
    assert place == 1
    assert sentence.startswith(f"azure_auths[1] is {item!r}, which is not a dictionary; write one")


def test_every_problem_of_every_entry_is_told_in_order() -> None:
    found = problems_of(
        {"identity_name": "a", "tenant_id": "y", "resource": "/", "nope": 1},
        {"identity_name": "b"},
        "c",
        {"access_token_ttl": "1h"},
        {"identity_name": "b", "access_token_ttl": -1},
    )
    assert [place for place, _sentence in found] == [0, 0, 0, 2, 3, 3, 4, 4]
    assert [sentence.partition(")")[0] for _place, sentence in found[:3]] == [
        "azure_auths[0] (a"
    ] * 3
    assert "Neither identity_id nor identity_name is given" in " ".join(s for _p, s in found)
    assert found[-1][1] == (
        "azure_auths[4] (b) is the same identity as azure_auths[1] (b); list it once."
    )


def test_a_long_name_is_cut_and_an_odd_one_printable() -> None:
    ((_place, sentence),) = problems_of({"identity_name": "x\n\x1b[31m" + "y" * 500, "state": "?"})
    assert sentence.isprintable()
    assert len(sentence) < 250


def test_thousands_of_wrong_entries_are_one_message() -> None:
    with pytest.raises(ManyProblemsError) as raised:
        read(*({"identity_name": f"app {n}", "access_token_ttl": -1} for n in range(2000)))
    message = str(raised.value)
    assert message.startswith("2000 errors, and nothing was done: azure_auths[0] (app 0): access")
    assert message.endswith(" And 1980 more.")
    assert len(message) < 4000


def test_warnings_say_which_entry_and_each_kind_comes_once() -> None:
    notes = Notes()
    read(
        *(
            {"identity_name": f"app {n}", "access_token_trusted_ips": ["10.1.2.3/8"]}
            for n in range(5)
        ),
        notes=notes,
    )
    (message,) = notes.messages()
    assert "host bits were dropped from 5 of the networks" in message
    assert "azure_auths[0] (app 0): 10.1.2.3/8 is 10.0.0.0/8" in message
    assert "app 4" not in message


@pytest.mark.parametrize(
    "raw", [[""], [" "], [None], [True], [0.5], [{"id": ID}], [["x"]], ["a\0b"]], ids=repr
)
def test_references_that_are_none(raw: list[t.Any]) -> None:
    with pytest.raises(ManyProblemsError) as raised:
        read_references("purge_except", ["billing", *raw])
    assert str(raised.value).startswith("purge_except[1] ")


def test_references_by_id_or_name() -> None:
    by_name, by_id = read_references("purge_except", [" billing ", ID.upper()])
    assert (by_name.identity_id, by_name.identity_name) == (None, "billing")
    assert (by_id.identity_id, by_id.identity_name) == (ID, None)


def test_references_only_by_id_or_only_by_name() -> None:
    (by_id,) = read_references("identity_ids", [ID.replace("-", "")], names=False)
    assert by_id.identity_id == ID
    # A name may look like an id.
    (by_name,) = read_references("identity_names", [ID], ids=False)
    assert (by_name.identity_id, by_name.identity_name) == (None, ID)
    with pytest.raises(ManyProblemsError, match="'billing' is not a UUID"):
        read_references("identity_ids", ["billing"], names=False)


def references(*names: str) -> list[Reference]:
    return [entry.reference for entry in read(*({"identity_name": name} for name in names))]


def test_all_names_are_asked_for_at_once_and_ids_not_at_all() -> None:
    directory = Directory(identity(ID, "a"), identity(OTHER, "b"))
    listed = [*references("b", "a"), *read_references("purge_except", [ID])]
    found, problems = resolve(listed, t.cast(t.Any, directory))
    assert problems == []
    assert directory.asked == [["b", "a"]]
    assert [item.identity_id for item in found] == [OTHER, ID, ID]
    assert [item.identity is None for item in found] == [False, False, True]
    _found, nothing = resolve(read_references("x", [ID]), t.cast(t.Any, directory))
    assert (nothing, len(directory.asked)) == ([], 1)


def test_where_everyone_is_known_nobody_is_asked_for() -> None:
    directory = Directory()
    everyone = [identity(ID, "a"), identity(OTHER, "b")]
    listed = [*references("b"), *read_references("x", [ID])]
    found, problems = resolve(listed, t.cast(t.Any, directory), everyone)
    assert (problems, directory.asked) == ([], [])
    assert [t.cast(Identity, item.identity).name for item in found] == ["b", "a"]


def test_names_of_none_and_of_several_are_told_with_their_place() -> None:
    directory = Directory(identity(ID, "twin"), identity(OTHER, "twin"))
    found, problems = resolve(references("nobody", "twin"), t.cast(t.Any, directory))
    assert found == []
    assert [problem.place for problem in problems] == [0, 1]
    assert "identity_name 'nobody' is not the name of any identity" in problems[0].sentence
    assert f"is borne by 2 identities ({ID}, {OTHER}); give its id instead." in problems[1].sentence


def found_of(listed: t.Iterable[Reference], *ids: str) -> list[Found]:
    return [Found(reference, i, None) for reference, i in zip(listed, ids)]


def test_one_identity_by_id_and_by_name_is_found_out() -> None:
    listed = references("a", "b", "c")
    (problem,) = repeated(found_of(listed, ID, OTHER, ID))
    assert problem.place == 2
    assert "azure_auths[2] (c) is the same identity as azure_auths[0] (a)" in problem.sentence


def test_whoever_may_keep_it_is_here_and_every_entry_among_them() -> None:
    everyone = [identity(ID, "a"), identity(OTHER, "b")]
    entries = found_of(references("a", "b"), ID, OTHER)
    kept = found_of(read_references("purge_except", [ID, OTHER]), ID, OTHER)
    assert missing(entries, kept, everyone) == []
    (unlisted,) = missing(entries, kept[:1], everyone)
    assert unlisted.place == 1
    assert unlisted.sentence.startswith("azure_auths[1] (b) is not in purge_except, which has to")
    (unknown,) = missing(entries[:1], kept, everyone[:1])
    assert unknown.place is None
    assert unknown.sentence.startswith(f"purge_except[1] '{OTHER}' is not the id of any identity")
