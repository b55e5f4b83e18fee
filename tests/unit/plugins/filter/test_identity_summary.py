# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.filter.identity_summary import (
    identity_summary,
)

Object = dict[str, t.Any]

ID = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
FLAGS = ("changed", "created", "deleted", "revoked", "failed", "purged")
# What can become of an identity: the flags of its result, none if it has no result.
OUTCOMES: dict[str, tuple[str, ...]] = {
    "unchanged": (),
    "changed": ("changed",),
    "created": ("changed", "created"),
    "deleted": ("changed", "deleted"),
    "revoked": ("changed", "revoked"),
    "purged": ("changed", "revoked", "purged"),
    "failed": ("failed",),
}


def result_of(outcomes: t.Sequence[str]) -> Object:
    """Return the result of a task in which this became of identities."""
    flags = [OUTCOMES[outcome] for outcome in outcomes]
    return {
        "checked": len(outcomes),
        "changed_count": sum("changed" in item and "purged" not in item for item in flags),
        **{
            f"{name}_count": sum(name in item for item in flags)
            for name in ("created", "deleted", "failed", "purged")
        },
        "results": [
            {
                "id": ID,
                "name": "billing",
                "index": None if "purged" in item else index,
                **{flag: flag in item for flag in FLAGS},
                **({"msg": f"Reason {index}."} if "failed" in item else {}),
            }
            for index, item in enumerate(flags)
            if item
        ],
    }


ALL = ["created"] * 3 + ["changed"] * 12 + ["revoked"] + ["failed"] * 2 + ["unchanged"] * 326


@pytest.mark.parametrize(
    ("outcomes", "how", "sentence"),
    [
        pytest.param(
            ALL,
            {"seconds": 72},
            "Created 3, changed 12, revoked 1, deleted 0, failed 2, unchanged 326 of 344 identities"
            " in 1 min 12 s.",
            id="a real run",
        ),
        pytest.param(
            ALL,
            {"seconds": 3600, "check_mode": True},
            "Would create 3, change 12, revoke 1, delete 0 and leave 326 of 344 identities"
            " unchanged; 2 failed. Checked in 1 h 0 min 0 s.",
            id="check mode",
        ),
        pytest.param(
            ["deleted", "purged", "purged", "failed"],
            {"total": 10},
            "Created 0, changed 0, revoked 2 (2 not in the list), deleted 1, failed 1, not tried 8,"
            " unchanged 0 of 10 identities.",
            id="cut short",
        ),
        pytest.param(
            ["unchanged"],
            {"total": 2, "check_mode": True},
            "Would create 0, change 0, revoke 0, delete 0 and leave 1 of 2 identities unchanged;"
            " 0 failed, 1 not tried.",
            id="check mode, cut short",
        ),
        pytest.param(
            ["unchanged"],
            {"seconds": 0},
            "Created 0, changed 0, revoked 0, deleted 0, failed 0, unchanged 1 of 1 identity in"
            " 0 s.",
            id="one",
        ),
        pytest.param([], {"total": 5, "seconds": 3}, "Nothing was changed.", id="nothing done"),
    ],
)
def test_the_sentence_says_what_was_done(outcomes: list[str], how: Object, sentence: str) -> None:
    assert identity_summary(result_of(outcomes), **how)["sentence"] == sentence


@given(st.lists(st.lists(st.sampled_from(list(OUTCOMES)))), st.booleans())
def test_results_add_up_and_each_identity_counts_once(
    batches: list[list[str]], check_mode: bool
) -> None:
    summary: Object = identity_summary({})
    for batch in batches:
        summary = identity_summary(result_of(batch), summary, check_mode=check_mode)
    every = [outcome for batch in batches for outcome in batch]
    at_once = identity_summary(result_of(every), check_mode=check_mode)
    assert summary["counts"] == at_once["counts"]
    assert len(summary["failures"]) == min(every.count("failed"), 40)
    counts = summary["counts"]
    assert counts["checked"] == len(every)
    assert counts["checked"] == sum(
        counts[name] for name in ("changed", "failed", "purged", "as_desired")
    )
    assert counts["revoked"] == every.count("revoked") + every.count("purged")
    if every:
        assert summary["sentence"] == at_once["sentence"]


def test_a_failure_is_one_line_with_the_identity_its_place_and_the_reason() -> None:
    result = result_of(["unchanged", "failed"])
    result["results"][0].update(name="a\x1b[2J\nb", msg="No.\nok: [localhost]")
    given_ = [{}, {"source": "/lists/\u202ea.yml:7"}]
    (line,) = identity_summary(result, entries=given_)["failures"]
    assert line == rf"a\x1b[2J\nb {ID} (/lists/\u202ea.yml:7): No.\nok: [localhost]"
    result["results"][0].update(name=None, msg="x" * 2000)
    (line,) = identity_summary(result)["failures"]
    assert line == f"{ID}: {'x' * 1000}..."


def test_a_list_that_was_refused_tells_its_entries_as_they_are() -> None:
    """Its messages have the place of the entry already."""
    result = {**result_of(["failed", "failed"]), "checked": 0}
    result["results"][0]["msg"] = "a.yml:1 (billing): role is blank."
    summary = identity_summary(result, entries=[{"source": "a.yml:1"}, {}])
    assert summary["failures"] == ["a.yml:1 (billing): role is blank.", "Reason 1."]
    assert summary["sentence"] == "Nothing was changed."
    assert (summary["counts"]["failed"], summary["counts"]["as_desired"]) == (2, 0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: identity_summary([]), "its input is [], which is not a dictionary."),
        (lambda: identity_summary({}, "a"), "earlier is 'a', which is not a dictionary."),
        (lambda: identity_summary({}, entries="a"), "entries is 'a', which is not a list."),
        (lambda: identity_summary({"results": [1]}), "its arguments contain something that"),
        (lambda: identity_summary({}, total="many"), "its arguments contain something that"),
    ],
)
def test_arguments_of_other_types_are_refused(call: t.Callable[[], t.Any], message: str) -> None:
    with pytest.raises(AnsibleFilterError) as refused:
        call()
    assert str(refused.value).startswith(f"community.infisical.identity_summary: {message}")
