# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Current state to result, for a resource that is none of Infisical's."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.community.infisical.plugins.module_utils._errors import (
    ApiError,
    ChangedMeanwhileError,
    InfisicalError,
    InterruptError,
    MismatchError,
    OptionError,
    TransportError,
    UnknownOutcomeError,
)
from ansible_collections.community.infisical.plugins.module_utils._state.fields import (
    Field,
    Settings,
    Values,
    text_from_api,
    text_option,
)
from ansible_collections.community.infisical.plugins.module_utils._state.plan import (
    Plan,
    Step,
    step,
)
from ansible_collections.community.infisical.plugins.module_utils._state.reconcile import (
    Reconciler,
    State,
)

SETTINGS = Settings(
    "lamp",
    (
        Field("color", "color", "str", text_option, text_from_api, required=True),
        Field("place", "place", "str", text_option, text_from_api, required=True),
    ),
)

REFUSED = ApiError("Refused.", http_status=403, error="PermissionDenied")
RACE = ApiError("Not there.", http_status=404, error="NotFound")
GATEWAY = ApiError("Down.", http_status=503, error="ServiceUnavailable")
LOST = TransportError("Lost.", unsent=False, transient=True)
UNSENT = TransportError("Unsent.", unsent=True, transient=True)
UNKNOWN = UnknownOutcomeError("Who knows.")

RED = {"color": "red", "place": "hall"}
BLUE = {"color": "blue", "place": "hall"}


class Lamp:
    """A thing with settings. `failures` are raised by writes, one each; None lets one pass.

    `lost` are those of them that are done all the same. `meanwhile` is what somebody else makes of
    it while a write fails.
    """

    settings = SETTINGS
    title = "the lamp"
    retries = 0
    own_unknown = False

    def __init__(self, values: Values | None = None, *failures: InfisicalError | None) -> None:
        self.values = values
        self.failures = list(failures)
        self.lost: tuple[InfisicalError, ...] = ()
        self.meanwhile: list[Values | None] = []
        self.unreadable: InfisicalError | None = None
        self.done: list[str] = []
        self.learned: list[InfisicalError] = []
        self.answer: Values | None = None

    def read(self) -> State | None:
        self.done.append("read")
        return State(self.values, {}) if self.values is not None else None

    def look_again(self) -> State | None:
        if self.unreadable:
            raise self.unreadable
        return self.read()

    def plan(self, current: State | None, wanted: Values | None) -> Plan:
        if wanted is None:
            return Plan((Step("delete", {}, {}),) if current else (), None)
        if current is None:
            return Plan((step(SETTINGS, "create", wanted),), wanted)
        changes = SETTINGS.differing(current.values, wanted)
        # One step a setting.
        steps = [step(SETTINGS, "update", {key: value}) for key, value in changes.items()]
        return Plan(tuple(steps), {**current.values, **changes})

    def predict(self, current: State | None, values: Values) -> State:
        return State(values, {"predicted": True, "from": current})

    def perform(self, todo: Step) -> State | None:
        failure = self.failures.pop(0) if self.failures else None
        if failure is None or failure in self.lost:
            self.done.append(todo.verb)
            self.values = None if todo.verb == "delete" else {**(self.values or {}), **todo.asked}
        if failure is not None:
            if self.meanwhile:
                self.values = self.meanwhile.pop(0)
            raise failure
        if self.values is None:
            return None
        return State(self.answer if self.answer is not None else self.values, {})

    def is_gone(self, _failure: InfisicalError) -> bool:
        return False

    def learn_from(self, failure: InfisicalError, _todo: Plan) -> None:
        self.learned.append(failure)


def run(lamp: Lamp, wanted: Values | None, *, check: bool = False) -> Reconciler:
    work = Reconciler(lamp, check=check)
    work.run(wanted)
    return work


def fails(lamp: Lamp, wanted: Values | None) -> tuple[Reconciler, InfisicalError]:
    work = Reconciler(lamp, check=False)
    with pytest.raises(InfisicalError) as raised:
        work.run(wanted)
    assert not work.writing
    return work, raised.value


def values_of(state: State | None) -> Values | None:
    return state.values if state else None


CHANGES: list[tuple[Values | None, Values | None, list[str]]] = [
    (None, None, []),
    (RED, RED, []),
    (RED, {"color": "red"}, []),
    (None, RED, ["create"]),
    (RED, BLUE, ["update"]),
    (RED, {"color": "blue", "place": "yard"}, ["update", "update"]),
    (RED, None, ["delete"]),
]


@pytest.mark.parametrize(("before", "wanted", "writes"), CHANGES)
def test_what_is_wanted_comes_about(
    before: Values | None, wanted: Values | None, writes: list[str]
) -> None:
    lamp = Lamp(before)
    work = run(lamp, wanted)
    assert lamp.done == ["read", *writes]
    assert work.changed is bool(writes)
    after = None if wanted is None else {**(before or {}), **wanted}
    assert values_of(work.before) == before
    assert (values_of(work.actual), values_of(work.result)) == (after, after)
    assert lamp.values == after


@pytest.mark.parametrize(("before", "wanted", "writes"), CHANGES)
def test_check_mode_only_reads_and_predicts(
    before: Values | None, wanted: Values | None, writes: list[str]
) -> None:
    lamp = Lamp(before)
    work = run(lamp, wanted, check=True)
    assert (lamp.done, lamp.values) == (["read"], before)
    assert work.changed is bool(writes)
    assert values_of(work.actual) == before
    assert values_of(work.result) == (None if wanted is None else {**(before or {}), **wanted})
    if writes and wanted is not None:
        assert work.result is not None
        assert work.result.details == {"predicted": True, "from": work.before}


def test_looking_changes_nothing() -> None:
    lamp = Lamp(RED)
    work = Reconciler(lamp, check=False)
    work.look()
    assert (lamp.done, work.changed) == (["read"], False)
    assert work.before == work.actual == work.result


def test_a_refusal_is_raised_and_nothing_has_changed() -> None:
    work, failure = fails(Lamp(RED, REFUSED), BLUE)
    assert (failure, work.changed) == (REFUSED, False)
    assert values_of(work.actual) == RED
    assert work.actual == work.before


def test_a_refusal_after_a_write_has_changed_something() -> None:
    lamp = Lamp(RED, None, REFUSED)
    work, failure = fails(lamp, {"color": "blue", "place": "yard"})
    assert (failure, work.changed) == (REFUSED, True)
    assert values_of(work.actual) == BLUE


def test_a_lost_answer_of_a_write_that_was_done_is_a_change() -> None:
    lamp = Lamp(RED, LOST)
    lamp.lost = (LOST,)
    work = run(lamp, BLUE)
    assert (lamp.done, work.changed) == (["read", "update", "read"], True)
    assert (values_of(work.before), values_of(work.actual)) == (RED, BLUE)


@pytest.mark.parametrize("failure", [LOST, GATEWAY], ids=str)
def test_a_write_without_an_outcome_that_was_not_done_is_no_change(failure: InfisicalError) -> None:
    """The client has tried it as often as it may be tried."""
    lamp = Lamp(RED, failure)
    work, raised = fails(lamp, BLUE)
    assert (raised, work.changed) == (failure, False)
    lamp.retries = 1
    lamp = Lamp(RED, failure)
    lamp.retries = 1
    assert run(lamp, BLUE).changed
    assert lamp.done == ["read", "read", "update"]


def test_what_was_never_sent_is_raised_and_not_made_again_here() -> None:
    lamp = Lamp(RED, UNSENT)
    work, failure = fails(lamp, BLUE)
    assert (failure, work.changed, lamp.done) == (UNSENT, False, ["read"])


def test_an_unknown_outcome_counts_as_changed_and_nothing_is_tried_again() -> None:
    lamp = Lamp(None, UNKNOWN)
    work, failure = fails(lamp, RED)
    assert (failure, work.changed, lamp.done) == (UNKNOWN, True, ["read"])


def test_a_race_that_somebody_else_has_won_is_planned_anew() -> None:
    lamp = Lamp(RED, RACE)
    lamp.meanwhile = [{"color": "blue", "place": "yard"}]
    work = run(lamp, BLUE)
    assert (lamp.done, work.changed) == (["read", "read", "update"], True)
    # What was before is what somebody else had made of it.
    assert values_of(work.before) == {"color": "blue", "place": "yard"}
    assert lamp.values == BLUE


def test_what_somebody_else_has_done_meanwhile_is_no_change_of_this_run() -> None:
    lamp = Lamp(RED, RACE)
    lamp.meanwhile = [BLUE]
    work = run(lamp, BLUE)
    assert (lamp.done, work.changed) == (["read", "read"], False)
    assert values_of(work.before) == BLUE
    lamp = Lamp(None, ChangedMeanwhileError("It is there by now."))
    lamp.meanwhile = [RED]
    assert not run(lamp, RED).changed


def test_a_refusal_that_would_come_again_is_raised_at_once() -> None:
    lamp = Lamp(RED, RACE, RACE)
    work, failure = fails(lamp, BLUE)
    assert (failure, work.changed, lamp.done) == (RACE, False, ["read", "read"])


def test_races_are_run_three_times() -> None:
    lamp = Lamp(RED, *[RACE] * 9)
    lamp.meanwhile = [None, RED, None, RED, None]
    work, failure = fails(lamp, BLUE)
    assert lamp.done == ["read"] * 5
    assert (failure, work.changed) == (RACE, False)


def test_a_resource_learns_from_each_refusal_before_it_plans_anew() -> None:
    lamp = Lamp(RED, RACE)
    lamp.meanwhile = [None]
    run(lamp, BLUE)
    assert lamp.learned == [RACE]


def test_a_state_that_cannot_be_read_again_leaves_the_first_failure() -> None:
    for failure, changed in ((LOST, True), (RACE, False)):
        lamp = Lamp(RED, failure)
        lamp.unreadable = GATEWAY
        work, raised = fails(lamp, BLUE)
        assert (raised, work.changed) == (failure, changed)


def test_what_is_gone_and_a_signal_go_before_the_first_failure() -> None:
    for unreadable in (RACE, InterruptError("Stopped.")):
        lamp = Lamp(RED, LOST)
        lamp.unreadable = unreadable
        work, raised = fails(lamp, BLUE)
        assert (raised, work.changed) == (unreadable, True)


@pytest.mark.parametrize("maybe_sent", [True, False])
def test_a_signal_during_a_write(maybe_sent: bool) -> None:
    stop = InterruptError("Stopped.")
    stop.maybe_sent = maybe_sent
    work, failure = fails(Lamp(RED, stop), BLUE)
    assert (failure, work.changed) == (stop, maybe_sent)


def test_an_answer_that_is_not_what_was_asked_for_is_an_error() -> None:
    lamp = Lamp(RED)
    lamp.answer = RED
    work, failure = fails(lamp, BLUE)
    assert isinstance(failure, MismatchError)
    assert work.changed
    assert str(failure) == (
        "After the update of the lamp, Infisical returned color 'red' instead of color 'blue';"
        " check the identity and the server's version."
    )


def test_a_plan_that_is_refused_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: t.Any) -> Plan:
        raise OptionError("Not so.")

    lamp = Lamp(RED)
    monkeypatch.setattr(lamp, "plan", refuse)
    work, failure = fails(lamp, BLUE)
    assert (str(failure), work.changed, lamp.done) == ("Not so.", False, ["read"])
    assert values_of(work.before) == RED


def test_a_deletion_that_fails_because_the_owner_is_gone_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lamp = Lamp(RED, RACE)
    lamp.unreadable = RACE
    monkeypatch.setattr(lamp, "is_gone", lambda _failure: True)
    work = run(lamp, None)
    assert (work.gone, work.actual, work.result) == (True, None, None)


def test_what_it_belonged_to_is_gone() -> None:
    work = run(Lamp(RED), RED)
    work.end_without_object()
    # Not this run's doing, and so no difference to show.
    assert (work.actual, work.result, work.before) == (None, None, None)
