# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is made of the numbers: medians and ratios, verdicts, tables, the plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from bench import page
from bench.costs import imports_by_origin
from bench.plot import lines_of, plot, ticks_around
from bench.ratios import Spread, least_seconds, paired_ratio, spread, windows_of
from bench.results import MIB, Machine, Results
from bench.tables import Table, duration, tables
from bench.targets import targets


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        pytest.param([3.0], Spread(3, 3, 3), id="one number"),
        pytest.param([1.0, 5.0, 2.0, 4.0, 3.0], Spread(3, 2, 4), id="in any order"),
        pytest.param([1.0, 1.0, 1.0, 1.0, 90.0], Spread(1, 1, 1), id="one outlier"),
    ],
)
def test_spread_is_the_median_and_the_middle_half(numbers: list[float], expected: Spread) -> None:
    assert spread(numbers) == expected


def test_ratios_are_taken_round_by_round() -> None:
    """A machine that is half as fast for a round leaves the ratio alone."""
    assert paired_ratio([2, 4, 2], [1, 2, 1]) == Spread(2, 2, 2)


def test_rounds_that_do_not_pair_up_are_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        paired_ratio([1, 2], [1])


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        pytest.param([5, 6, 14.9], [0, 0, 0], id="one window from the first request"),
        pytest.param([5, 15], [0, 1], id="a window is over at its end"),
        pytest.param([5, 18, 27, 28], [0, 1, 1, 2], id="the next begins with a request"),
        pytest.param([], [], id="none"),
    ],
)
def test_windows_begin_with_the_first_request_after_the_last(
    times: Sequence[float], expected: list[int]
) -> None:
    assert windows_of(times, 10) == expected


@pytest.mark.parametrize(
    ("requests", "expected"),
    [
        pytest.param(10, 5, id="as many as the limit need no window"),
        pytest.param(11, 20 + 5 / 11, id="one more has to wait for a whole one"),
        pytest.param(25, 40 + 1, id="the last window takes its share"),
    ],
)
def test_least_time_is_whole_windows_and_the_rest(requests: int, expected: float) -> None:
    assert least_seconds(requests, limit=10, window=20, unlimited=5) == pytest.approx(expected)


def test_the_median_decides_whether_a_target_is_met(results: Results) -> None:
    found = {(target.what, target.where): target for target in targets(results)}
    medians = {
        "1,000 identities, without fixed cost, relative to the bare loop": (1.1, False),
        "1,000 identities, without fixed cost and handover, relative to the bare loop": (0.8, True),
        "1,000 identities, speedup over the uri loop": (312.5, True),
        "one identity, nothing to change, relative to a uri GET": (0.75, True),
        "one identity, one change, relative to uri GET and PATCH": (0.7, False),
        "peak memory of the module, 5,000 identities": (120, False),
        "peak memory of the module in an audit by the role identities_audit, 5,000 identities": (
            90,
            True,
        ),
        "requests refused per worker in each rate-limit window": (0.5, True),
        "time under a rate limit, relative to the minimum": (44 / 42, True),
    }
    assert {what for what, _where in found} == set(medians)
    for (what, _where), target in found.items():
        median, met = medians[what]
        assert target.reached.median == pytest.approx(median), what
        assert target.met == met, what


def test_growth_is_more_than_that_of_the_bare_loop(results: Results) -> None:
    (audit,) = [fleet for fleet in results.fleets if (fleet.latency, fleet.size) == (0, 5000)]
    # Six times the time, of which the bare loop takes four times its own.
    task = [0.5 + 6 * (seconds - 0.5) for seconds in audit.task]
    bare = [4 * seconds for seconds in audit.bare]
    results.fleets.append(replace(audit, size=20000, task=task, bare=bare))
    growth = {target.what: target for target in targets(results)}[
        "ratio to the bare loop with 20,000 identities, divided by the ratio with 5,000"
    ]
    assert growth.reached.median == pytest.approx(1.5)
    assert not growth.met


def test_fleet_that_is_changed_or_has_other_workers_is_no_audit(results: Results) -> None:
    (audit,) = [fleet for fleet in results.fleets if (fleet.latency, fleet.size) == (0, 1000)]
    before = targets(results)
    results.fleets.append(replace(audit, changes=True))
    results.fleets.append(replace(audit, concurrency=32))
    assert targets(results) == before


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0042, "4.2 ms"),
        (0.042, "42 ms"),
        (0.42, "0.42 s"),
        (0.996, "1.0 s"),
        (4.2, "4.2 s"),
        (42, "42 s"),
        (300, "5 min"),
    ],
)
def test_durations_have_the_digits_that_mean_something(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected


def test_table_as_text_lines_up() -> None:
    table = Table("Costs", ("What", "s"), [("one", "1.5"), ("another", "10")], ("A note.",))
    assert table.as_text().splitlines() == [
        "Costs",
        "  What       s",
        "  one      1.5",
        "  another   10",
        "  A note.",
    ]


def test_table_as_rst_is_a_list_table() -> None:
    table = Table("Costs", ("What", ""), [("one", "1.5")], ("A note.",))
    assert table.as_rst().splitlines() == [
        "Costs",
        "^^^^^",
        "",
        ".. list-table::",
        "  :header-rows: 1",
        "",
        "  * - What",
        "    -",
        "  * - one",
        "    - 1.5",
        "",
        "A note.",
        "",
    ]


def test_tables_say_what_is_missed_and_what_is_extrapolated(results: Results) -> None:
    by_title = {table.title: table for table in tables(results)}
    verdicts = [row[-1] for row in by_title["Targets"].rows]
    assert (verdicts.count("met"), verdicts.count("missed")) == (9, 5)
    fleets = by_title["A fleet in one task"]
    columns = [fleets.header.index(name) for name in ("uri loop", "Speedup over uri")]
    assert all(row[column].startswith("~") for row in fleets.rows for column in columns)
    assert "~: extrapolated from 20 items of a loop." in fleets.notes
    floors = by_title["A single task"].notes[0]
    assert "an empty module takes 0.50x at 0 ms, 0.50x at 50 ms;" in floors
    assert "with netaddr takes 0.90x at 0 ms, 0.90x at 50 ms." in floors


def test_rounding_hides_no_verdict(results: Results) -> None:
    (audit,) = results.audits
    measured = []
    for peak in (100.4, 100.0, 99.6, 99.99):
        results.audits[:] = [replace(audit, module_peak=int(peak * MIB))]
        (shown,) = [
            row[-2:]
            for table in tables(results)
            for row in table.rows
            if row[0].startswith("peak memory of the module in an audit")
        ]
        measured.append(shown)
    assert measured == [
        ("100.4 MiB", "missed"),
        ("100 MiB", "met"),
        ("100 MiB", "met"),
        ("100 MiB", "met"),
    ]


def test_tables_of_what_was_not_measured_are_left_out(results: Results) -> None:
    results.rate_limited.clear()
    results.processes.clear()
    results.audits.clear()
    titles = [table.title for table in tables(results)]
    assert titles == ["Targets", "A single task", "A fleet in one task", "Start-up"]


def test_ticks_are_around_all_values() -> None:
    assert ticks_around([0.2, 45]) == [0.1, 1, 10, 60]


def test_plot_has_a_panel_for_each_latency_and_all_of_its_points(results: Results) -> None:
    image = Xml.fromstring(plot(results))
    names = [element.tag.rpartition("}")[2] for element in image.iter()]
    texts = [element.text for element in image.iter() if element.tag.endswith("text")]
    points = sum(len(line.points) for line in lines_of(results, 0))
    assert [text for text in texts if text and text.startswith("latency")] == [
        "latency 0 ms",
        "latency 50 ms",
    ]
    assert (points, names.count("circle")) == (9, 18)


def test_plot_goes_up_with_the_time(results: Results) -> None:
    """The loop of uri tasks is above the task, which is above the bare loop, at every size."""
    image = Xml.fromstring(plot(results))
    heights = [
        [float(point.split(",")[1]) for point in line.attrib["points"].split()]
        for line in image.iter("{http://www.w3.org/2000/svg}polyline")
    ]
    for uri, task, bare in (heights[:3], heights[3:]):
        assert all(above < below for above, below in zip(uri, task))
        assert all(above < below for above, below in zip(task, bare))
        assert all(line == sorted(line, reverse=True) for line in (uri, task, bare))


def test_page_keeps_what_is_written_by_hand(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "PAGE", tmp_path / "page.rst")
    monkeypatch.setattr(page, "PLOT", tmp_path / "plot.svg")
    page.PAGE.write_text(f"..\n  Mine\n\n{page.BEGIN}old\n{page.END}\nAfter\n", encoding="utf-8")
    page.write(results)
    once = page.PAGE.read_text(encoding="utf-8")
    page.write(results)
    assert page.PAGE.read_text(encoding="utf-8") == once
    assert once.startswith(
        f"..\n  Mine\n\n{page.BEGIN}\nMeasured on 2026-11-23 against the emulator"
    )
    assert once.endswith(f"\n{page.END}\nAfter\n")
    assert "\n.. image:: ../../site/_static/plot.svg\n" in once
    assert "old" not in once
    assert page.PLOT.read_text(encoding="utf-8").startswith("<!--\nMine\n-->\n<svg ")
    assert Xml.parse(page.PLOT).getroot().tag.endswith("svg")


def test_page_without_marks_is_left_alone(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "PAGE", tmp_path / "page.rst")
    page.PAGE.write_text("Mine\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no marks"):
        page.write(results)
    assert page.PAGE.read_text(encoding="utf-8") == "Mine\n"


def test_text_names_what_was_skipped_and_the_machine(results: Results) -> None:
    results.skipped.append("Not measured: the rate limit.")
    text = page.as_text(results)
    assert "\nNot measured: the rate limit.\n" in text
    machine: Machine = results.machine
    assert f"{machine.cores} cores of {machine.processor}" in text


def test_busy_machine_is_told(results: Results) -> None:
    busy = replace(results, machine=replace(results.machine, load=1.5))
    assert page.BUSY not in page.conditions(results)
    assert page.conditions(busy).endswith(page.BUSY)


def test_imports_are_counted_by_whose_they_are() -> None:
    report = """
import time: self [us] | cumulative | imported package
import time:       200 |        200 |   zlib
import time:      1000 |       1200 | zipfile
import time:       300 |        300 |     urllib3.util
import time:       500 |        800 |   requests
import time:      4000 |       4800 | ansible_collections.community.infisical.plugins.modules
import time:       700 |        700 | ansible.module_utils.basic
Something that the module wrote
"""
    assert imports_by_origin(report) == pytest.approx(
        {
            "python": 0.0012,
            "ansible": 0.0007,
            "requests": 0.0008,
            "netaddr": 0,
            "collection": 0.004,
        }
    )
