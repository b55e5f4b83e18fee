# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page: what it says, and how it behaves in a browser."""

from __future__ import annotations

import base64
import copy
import functools
import hashlib
import importlib.util
import re
import statistics
import tempfile
import typing as t
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.module_utils._text import visible
from ansible_collections.community.infisical.plugins.plugin_utils._report.outputs.html_page import (
    html_page,
)
from audit.browser import Page, chromium, page
from audit.conftest import Messy
from audit.reports import earlier_report, report
from audit.worlds import HOSTILE

# Identities of the reports. The third has more than a page shows at once.
FEW, TENS, SOME, MANY = 4, 44, 344, 5000
# Elements of the templates; whatever else is in a page came from a report.
ELEMENTS = """
    html head meta title style body a header h1 dl div dt dd time main section p nav ul li b h2 h3
    article table caption thead tbody tr th td details summary noscript code small i bdi wbr span
    del ins figure figcaption svg desc g text line circle rect form label input select option output
    pre footer script
"""
ATTRIBUTES = """
    lang charset http-equiv content name class href datetime id aria-labelledby aria-label
    aria-hidden role for type autocomplete spellcheck placeholder hidden tabindex scope open rel
    value width height x y x1 x2 y1 y2 cx cy r text-anchor data-severity data-status data-created
    data-login data-label
"""
VOID = {"meta", "wbr", "input"}
# Elements that their parent or the next one ends.
ENDLESS = {"dt", "dd", "li"}

Object = dict[str, t.Any]


class Node(t.NamedTuple):
    """An element with its attributes and what is in it: elements and texts."""

    tag: str
    attributes: dict[str, str | None]
    content: list[t.Any]

    @property
    def text(self) -> str:
        """All of its text, with single blanks."""
        texts = (part if isinstance(part, str) else part.text for part in self.content)
        return " ".join("".join(texts).split())

    def all(self, tag: str, **attributes: str) -> list[Node]:
        """Return the elements of a kind within, in order, that have these attributes."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        found: list[Node] = []
        for part in self.content:
            if isinstance(part, Node):
                if tag in ("*", part.tag) and wanted.items() <= part.attributes.items():
                    found.append(part)
                found += part.all(tag, **attributes)
        return found

    def one(self, tag: str, **attributes: str) -> Node:
        """Return the only element of a kind within that has these attributes."""
        (found,) = self.all(tag, **attributes)
        return found


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Node("", {}, [])
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ENDLESS and self._open[-1].tag in ENDLESS:
            self._open.pop()
        node = Node(tag, dict(attrs), [])
        self._open[-1].content.append(node)
        if tag not in VOID:
            self._open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].content.append(Node(tag, dict(attrs), []))

    def handle_endtag(self, tag: str) -> None:
        while self._open[-1].tag != tag:
            assert self._open.pop().tag in ENDLESS, tag
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].content.append(data)


def parsed(text: str) -> Node:
    """Return the elements of a page, as they are without JavaScript."""
    parser = _Parser()
    parser.feed(text)
    parser.close()
    return parser.root


def complete(count: int) -> Object:
    """Return a report that has everything that one can have, also waivers and an earlier one."""
    return report(count, baseline=earlier_report(count))


@functools.cache
def _some() -> Object:
    return complete(SOME)


@pytest.fixture
def some() -> Object:
    return copy.deepcopy(_some())


@functools.cache
def _some_text() -> str:
    return html_page(_some())


@pytest.fixture(scope="module")
def doc() -> Node:
    return parsed(_some_text())


def section(doc: Node, anchor: str) -> Node:
    """Return the part of the page with an anchor."""
    return doc.one("section", aria_labelledby=anchor)


def unit(doc: Node, key: str) -> Node:
    """Return the place with everything about an identity."""
    return next(one for one in doc.all("details", class_="unit") if one.all("div", id=f"i-{key}"))


def facts(place: Node) -> dict[str, str]:
    """Return the settings of an identity as its place tells them."""
    rows = place.one("dl", class_="facts").all("div")
    return {row.one("dt").text: row.one("dd").text for row in rows}


# -- what it is ---------------------------------------------------------------------------------


def test_the_role_writes_the_page_of_its_report(mess: Messy) -> None:
    assert mess.audit.html.read_text("utf-8").rstrip("\n") == html_page(mess.audit.report)


def test_hostile_names_and_values_are_texts_and_nothing_else(doc: Node, some: Object) -> None:
    assert set(HOSTILE) <= {item["name"] for item in some["identities"]}
    names = {one.all("summary")[0].one("b").text for one in doc.all("details", class_="unit")}
    assert {" ".join(visible(name).split()) for name in HOSTILE} <= names
    assert_own(doc)


def assert_own(doc: Node) -> None:
    """Check that a page has nothing but what is of the templates."""
    nodes = doc.all("*")
    assert {node.tag for node in nodes} <= set(ELEMENTS.split())
    assert {name for node in nodes for name in node.attributes} <= set(ATTRIBUTES.split())
    assert len(doc.all("script")) == len(doc.all("style")) == 1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=30), st.text(max_size=30))
def test_whatever_a_report_says_is_shown_and_never_obeyed(name: str, said: str) -> None:
    small = report(FEW)
    small.update(problems=[said], organization=said, source=said, not_visible=[said])
    small["verdict"]["sentence"] = said
    for item in small["identities"]:
        item.update(name=name, role=said, project_id=said, project_name=said, source=said, msg=said)
        item["metadata"] = {said: said}
        item["paste"] = f"- name: {name}\n  role: {said}\n"
    for rule in small["findings"]:
        rule.update(sentence=said, why=said, fix=said, title=said, link=f"https://{said}")
    text = html_page(small)
    assert all(line.isprintable() for line in text.split("\n"))
    page = parsed(text)
    assert_own(page)
    assert page.one("section", aria_label="Verdict").all("p")[0].text == " ".join(
        visible(said).split()
    )


def test_nothing_in_the_page_is_obeyed_in_place_of_being_shown() -> None:
    """Of control characters there are line ends only, and no character turns texts around."""
    assert [line for line in _some_text().split("\n") if not line.isprintable()] == []
    assert any(not name.isprintable() for name in HOSTILE)


def test_the_policy_allows_the_script_and_the_style_of_the_page_and_nothing_else(
    doc: Node,
) -> None:
    hashes = {
        tag: base64.b64encode(
            hashlib.sha256("".join(doc.one(tag).content).encode()).digest()
        ).decode()
        for tag in ("style", "script")
    }
    assert doc.one("meta", http_equiv="Content-Security-Policy").attributes["content"] == (
        f"default-src 'none'; style-src 'sha256-{hashes['style']}';"
        f" script-src 'sha256-{hashes['script']}'; base-uri 'none'; form-action 'none'"
    )


def test_links_lead_to_parts_of_the_page_or_to_documentation(doc: Node, some: Object) -> None:
    ids = [node.attributes["id"] for node in doc.all("*") if "id" in node.attributes]
    assert len(ids) == len(set(ids))
    links = {str(link.attributes["href"]) for link in doc.all("a")}
    outside = {link for link in links if not link.startswith("#")}
    assert outside == {rule["link"] for rule in some["findings"]}
    assert {link[1:] for link in links - outside} <= set(ids)


def test_the_page_can_be_read_by_everybody(doc: Node) -> None:
    """Landmarks, headings in order, names for sections, tables and pictures."""
    assert doc.one("html").attributes == {"lang": "en"}
    for landmark in ("header", "main", "nav", "footer"):
        doc.one(landmark)
    levels = [int(node.tag[1]) for node in doc.all("*") if re.fullmatch("h[1-6]", node.tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:]))
    assert levels.count(1) == 1
    ids = {node.attributes.get("id") for node in doc.all("*")}
    named = " ".join(
        str(node.attributes["aria-labelledby"])
        for node in doc.all("*")
        if "aria-labelledby" in node.attributes
    )
    assert set(named.split()) <= ids
    assert all(len(table.all("caption")) == 1 for table in doc.all("table"))
    assert {th.attributes.get("scope") for th in doc.all("th")} == {"col", "row"}


# -- what it says -------------------------------------------------------------------------------


def test_what_matters_most_comes_first(doc: Node) -> None:
    parts = [
        one.attributes.get("aria-labelledby") or one.attributes.get("aria-label")
        for one in doc.all("section")
    ]
    assert parts == [
        *("Verdict", "since", "high", "medium", "drift", "unknown", "unlisted", "low"),
        *("waived", "unseen", "identities"),
    ]


def test_the_header_says_of_what_and_when(doc: Node) -> None:
    text = doc.one("header").text
    for part in ("example", "https://infisical.example.com", "2026-11-23 02:00 UTC", "identities/"):
        assert part in text
    assert "337 entries" in text
    assert "community.infisical 1.0.0, ansible-core 2.19.4" in text


def test_the_verdict_leads_to_what_there_is(doc: Node, some: Object) -> None:
    verdict = doc.one("section", aria_label="Verdict")
    assert verdict.all("p")[0].text == some["verdict"]["sentence"]
    jumps = {str(link.attributes["href"]): link.text for link in verdict.all("a")}
    counts = some["counts"]
    assert jumps["#high"] == f"{counts['findings_high']} high findings"
    assert jumps["#drift"] == f"{counts['drifted']} drifted"
    assert not any(text.startswith("0 ") for text in jumps.values())


def test_without_a_list_nothing_is_said_about_one() -> None:
    doc = parsed(html_page(report(TENS, has_list=False)))
    anchors = {one.attributes.get("aria-labelledby") for one in doc.all("section")}
    assert not anchors & {"drift", "unknown", "unlisted"}
    assert "none (findings only)" in doc.one("header").text
    assert doc.all("span", class_="tag unlisted") == []


def test_what_was_not_complete_is_told_at_the_top(some: Object) -> None:
    some["problems"] = ["3 identities of the list were not tried."]
    verdict = parsed(html_page(some)).one("section", aria_label="Verdict")
    assert verdict.one("p", class_="problem").text == some["problems"][0]


def test_a_finding_is_a_sentence_with_reason_cure_and_identities(doc: Node, some: Object) -> None:
    for rule in some["findings"]:
        (place,) = doc.all("*", id=f"rule-{rule['rule']}")
        found = [item for item in rule["identities"] if not item["waived"]]
        assert place.all("h3")[0].text == rule["sentence"]
        assert rule["why"] in place.text
        assert rule["fix"] in place.text
        linked = {link.attributes["href"] for link in place.all("a")}
        assert {rule["link"], *(f"#i-{item['key']}" for item in found)} <= linked


def test_what_is_low_is_folded_and_so_are_many_identities(doc: Node, some: Object) -> None:
    for rule in some["findings"]:
        (place,) = doc.all("*", id=f"rule-{rule['rule']}")
        assert place.tag == ("details" if rule["severity"] == "low" else "article")
        count = sum(not item["waived"] for item in rule["identities"])
        assert len(place.all("noscript")) == (count > 10)
        assert len(place.one("tbody").all("tr")) == count


def test_what_is_said_of_each_alike_is_said_once(some: Object) -> None:
    by_key = {item["key"]: item for item in some["identities"]}
    (rule,) = (rule for rule in some["findings"] if rule["rule"] == "no_lifetime_limit")
    first, second = rule["identities"]
    page = parsed(html_page(some))
    (place,) = page.all("*", id="rule-no_lifetime_limit")
    assert place.text.count("can be renewed forever") == 2
    assert place.text.count("access_token_max_ttl: 2592000") == 1
    second.update(sentence="Something else.", set={"azure_auth": {"access_token_max_ttl": 60}})
    page = parsed(html_page(some))
    (place,) = page.all("*", id="rule-no_lifetime_limit")
    rows = [[cell.text for cell in row.all("td")][-2:] for row in place.one("tbody").all("tr")]
    assert rows == [
        [first["sentence"], "access_token_max_ttl: 2592000"],
        ["Something else.", "access_token_max_ttl: 60"],
    ]
    assert by_key[first["key"]]["name"] in place.text


def test_drift_is_a_difference(doc: Node, some: Object) -> None:
    cards = section(doc, "drift").one("ul", class_="cards cut").all("li")
    drifted = [item for item in some["identities"] if item["status"] == "drifted"]
    assert len(cards) == len(drifted)
    for card, item in zip(cards, drifted):
        assert card.all("a")[0].attributes["href"] == f"#i-{item['key']}"
        told = {row.one("dt").text: row for row in card.one("dl", class_="diff").all("div")}
        if item["action"] != "update":
            assert f"would be {item['action']}d" in card.text
            continue
        assert len(told) == len(item["differences"])
        row = told.get("Service principals")
        if row:
            (one,) = (one for one in item["differences"] if one["added"] is not None)
            assert [node.text for node in row.all("ins")] == one["added"]
            assert [node.text for node in row.all("del")] == one["removed"]
            assert ("unchanged" in row.text) == bool(one["unchanged"])
    assert (
        f"{some['counts']['as_desired']} of 337 identities in the list"
        in section(doc, "drift").text
    )


def test_the_difference_of_metadata_leaves_out_what_stays(some: Object) -> None:
    item = next(item for item in some["identities"] if item["action"] == "update")
    item["differences"] = [
        {
            "field": "metadata",
            "actual": {"team": "a", "tier": "1", "old": "x"},
            "desired": {"team": "b", "tier": "1"},
            **dict.fromkeys(("added", "removed", "unchanged")),
        }
    ]
    row = unit(parsed(html_page(some)), item["key"]).one("dl", class_="diff")
    assert [node.text for node in row.all("del")] == ["team: a", "old: x"]
    assert [node.text for node in row.all("ins")] == ["team: b"]


@pytest.mark.parametrize(("actual", "desired"), [("absent", "present"), ("present", "absent")])
def test_what_is_attached_or_revoked_is_said_once(some: Object, actual: str, desired: str) -> None:
    item = next(item for item in some["identities"] if item["action"] == "update")
    same = dict.fromkeys(("added", "removed", "unchanged"))
    value = {"absent": None, "present": 3600}
    item["differences"] = [
        {"field": "azure_auth.state", "actual": actual, "desired": desired, **same},
        {
            "field": "azure_auth.access_token_ttl",
            "actual": value[actual],
            "desired": value[desired],
            **same,
        },
    ]
    first, folded = unit(parsed(html_page(some)), item["key"]).all("dl", class_="diff")
    words = {"absent": "not attached", "present": "attached"}
    assert [node.text for node in first.all("del")] == [words[actual]]
    assert [node.text for node in first.all("ins")] == [words[desired]]
    assert [node.text for node in folded.all("ins" if desired == "present" else "del")] == [
        "1 hour 3600"
    ]


def test_what_could_not_be_checked_is_told_with_its_reason(doc: Node, some: Object) -> None:
    rows = section(doc, "unknown").one("tbody").all("tr")
    failed = [item for item in some["identities"] if item["status"] == "unknown"]
    assert len(rows) == len(failed)
    for row, item in zip(rows, failed):
        assert row.one("a").attributes["href"] == f"#i-{item['key']}"
        assert row.all("td")[1].text.startswith(item["msg"])
        assert (item["request_id"] or "") in row.text
        assert item["source"] in row.text


def test_what_is_not_in_the_list_is_told_with_what_to_paste(doc: Node, some: Object) -> None:
    place = section(doc, "unlisted")
    unlisted = [item for item in some["identities"] if item["status"] == "unlisted"]
    links = {link.attributes["href"] for link in place.all("a")}
    assert links == {f"#i-{item['key']}" for item in unlisted}
    for item in unlisted:
        place = unit(doc, item["key"])
        (text,) = place.one("pre", class_="paste").content
        assert yaml.safe_load(text) == yaml.safe_load(item["paste"])
        assert "gets the defaults: of the file" in place.one("div", class_="to-paste").text
        assert yaml.safe_load(text)[0]["name"] == item["name"]


def test_each_identity_has_one_place_with_everything(doc: Node, some: Object) -> None:
    assert len(doc.all("details", class_="unit")) == len(some["identities"])
    rules = {rule["rule"]: rule for rule in some["findings"]}
    for item in some["identities"][20:60]:
        place = unit(doc, item["key"])
        told = facts(place)
        assert told["ID"] == item["id"]
        assert told["Role"] == item["role"]
        assert told["Created"].startswith(item["created_at"][:10])
        assert told["Last login"].startswith((item["last_login_at"] or "not known")[:10])
        assert f"entry {item['entry']}" in told.get("In the list", f"entry {item['entry']}")
        if item["azure_auth"]:
            assert told["Tenant"] == item["azure_auth"]["tenant_id"]
            for one in item["azure_auth"]["allowed_service_principal_ids"] or ():
                assert one in told["Service principals"]
        linked = {link.attributes["href"] for link in place.all("a")}
        assert {f"#rule-{rule}" for rule in item["findings"]} <= linked
        assert all(rules[rule]["title"] in place.text for rule in item["findings"])
        assert bool(place.all("pre")) == bool(item["paste"])


def test_times_are_told_in_days_and_hours(doc: Node, some: Object) -> None:
    item = next(item for item in some["identities"] if item["azure_auth"])
    told = facts(unit(doc, item["key"]))
    assert told["Token TTL"] == "1 hour 3600"
    assert told["Token max TTL"] in (
        "1 day 86400",
        "12 hours 43200",
        "no limit",
        "365 days 31536000",
    )


def test_waivers_are_told_and_those_that_have_expired(doc: Node, some: Object) -> None:
    place = section(doc, "waived")
    rows = [[cell.text for cell in row.all("td")] for row in place.one("tbody").all("tr")]
    assert len(rows) == some["counts"]["waived"] > 1
    assert rows[0] == ["medium Several auth methods", "Moving to Azure Auth.", "2126-12-31"]
    expired, idle = (item.text for item in place.all("li"))
    assert expired == "expired long_lifetime for checkout-*, until 2025-12-31: Until the rewrite."
    assert idle.startswith("unused any_address for nobody")
    assert "1 expired waiver" in doc.one("nav").text


def test_what_is_new_and_gone_since_an_earlier_audit_is_told(doc: Node, some: Object) -> None:
    place = section(doc, "since")
    assert "2026-11-16 02:00 UTC" in place.one("h2").text
    known = {item["key"] for item in some["identities"]}
    lists = place.one("div", class_="columns").all("ul")
    for told, part in zip(lists, ("new", "gone")):
        for kind, items in some["baseline"][part].items():
            linked = {link.attributes["href"] for link in told.all("a")}
            assert {f"#i-{item['key']}" for item in items if item["key"] in known} <= linked
            assert all(visible(item["name"] or item["key"]) in told.text for item in items), kind
    assert any(item["name"] == "retired" for item in some["baseline"]["gone"]["identities"])


def test_what_was_not_seen_is_told(doc: Node, some: Object) -> None:
    told = [item.text for item in section(doc, "unseen").all("li")]
    assert told == some["not_visible"]


def test_a_picture_shows_all_identities_unless_they_are_few(doc: Node, some: Object) -> None:
    wide, old = section(doc, "identities").all("svg")
    attached = sum(item["azure_auth"] is not None for item in some["identities"])
    created = sum(item["created_at"] is not None for item in some["identities"])
    for picture, count in ((wide, attached), (old, created)):
        numbers = re.findall(r": ([0-9]+)\.", picture.one("desc").text)
        assert sum(map(int, numbers)) == count
    assert parsed(html_page(report(FEW))).all("svg") == []


# -- in a browser -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> t.Iterator[Page]:
    program = chromium()
    if program is None:
        pytest.skip("there is no Chromium on the PATH")
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        page(program, Path(folder)) as opened,
    ):
        yield opened


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("some") / "page.html"
    path.write_text(_some_text(), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def smaller(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of fewer identities, for what takes its time for each element."""
    path = tmp_path_factory.mktemp("smaller") / "page.html"
    path.write_text(html_page(complete(TENS)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of an organization with thousands of identities."""
    path = tmp_path_factory.mktemp("large") / "page.html"
    path.write_text(html_page(report(MANY)), encoding="utf-8")
    return path


UNITS = "[...document.querySelectorAll('.unit')]"
SETTLED = "new Promise(done => requestAnimationFrame(() => setTimeout(done)))"


def type_in(browser: Page, text: str) -> str:
    """Type into the filter box, wait until it has taken effect, and return what it says."""
    browser.evaluate("document.querySelector('#filter').focus()")
    browser.evaluate("document.querySelector('#filter').value = ''")
    browser.evaluate("document.querySelector('#filter').dispatchEvent(new Event('input'))")
    if text:
        browser.call("Input.insertText", text=text)
    browser.evaluate(SETTLED)
    return str(browser.evaluate("document.querySelector('.filter output').textContent"))


def press(browser: Page, key: str, text: str = "") -> None:
    for kind in ("keyDown", "keyUp"):
        told = {"text": text} if text and kind == "keyDown" else {}
        browser.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, **told)
    browser.evaluate(SETTLED)


def unfold_all(browser: Page) -> None:
    """Open whatever is folded, and whatever is folded in it."""
    for _level in range(3):
        browser.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        browser.evaluate(SETTLED)


def test_the_page_loads_nothing_and_complains_of_nothing(file: Path, browser: Page) -> None:
    browser.open(file)
    unfold_all(browser)
    assert browser.requests == [file.as_uri()]
    assert browser.complaints == []
    assert browser.evaluate("document.title").startswith("Audit of machine identities")
    assert browser.evaluate("document.querySelectorAll('main noscript, img').length") == 0


def test_the_filter_box_finds_identities_by_all_that_is_known_of_them(
    file: Path, browser: Page, some: Object
) -> None:
    browser.open(file)
    item = some["identities"][250]
    total = len(some["identities"])
    assert type_in(browser, item["id"].upper()) == f"1 of {total} match"
    assert browser.evaluate(f"{UNITS}.map(one => one.querySelector('b').textContent)") == [
        item["name"]
    ]
    drifted = some["counts"]["drifted"]
    assert type_in(browser, "drifted") == f"{drifted} of {total} match"
    (rule,) = (rule for rule in some["findings"] if rule["rule"] == "open_to_tenant")
    assert type_in(browser, rule["title"]) == f"{len(rule['identities'])} of {total} match"
    assert type_in(browser, "' onmouseover='") == f"1 of {total} match"
    # Names are searched as texts, and the markup around them is not.
    assert type_in(browser, "<script>document") == f"2 of {total} match"
    assert type_in(browser, "bdi") == f"0 of {total} match"
    assert type_in(browser, "") == ""
    assert browser.evaluate(f"{UNITS}.length") == 200


def test_identities_are_sorted_as_asked(file: Path, browser: Page, some: Object) -> None:
    browser.open(file)
    first = f"{UNITS}.map(one => one.lastElementChild.id)"
    keys = [f"i-{item['key']}" for item in some["identities"]]

    def sorted_by(value: str) -> list[str]:
        browser.evaluate(f"document.querySelector('#sort').value = '{value}'")
        browser.evaluate("document.querySelector('#sort').dispatchEvent(new Event('change'))")
        return list(browser.evaluate(first))

    assert sorted_by("status")[:5] == [
        f"i-{item['key']}" for item in some["identities"] if item["status"] == "unknown"
    ]
    severity = {rule["rule"]: rule["severity"] for rule in some["findings"]}
    worst = sum("high" in map(severity.get, item["findings"]) for item in some["identities"])
    by_key = {f"i-{item['key']}": item for item in some["identities"]}
    shown = sorted_by("severity")
    assert all("high" in map(severity.get, by_key[key]["findings"]) for key in shown[:worst])
    ages = [by_key[key]["created_at"] or "" for key in sorted_by("created")]
    assert ages == sorted(ages)
    names = [by_key[key]["name"] or "" for key in sorted_by("name")]
    plain = [name for name in names if re.fullmatch("[a-z-]+", name)]
    assert len(plain) > 100
    assert plain == sorted(plain)
    assert sorted_by("") == keys[:200]


def test_a_link_leads_to_an_identity_wherever_it_is(
    file: Path, browser: Page, some: Object
) -> None:
    browser.open(file)
    key = some["identities"][-1]["key"]
    place = f"document.getElementById('i-{key}')"
    assert browser.evaluate(place) is None
    type_in(browser, "nobody is called so")
    browser.evaluate(f"document.querySelector('#unlisted ~ table a[href=\"#i-{key}\"]').click()")
    browser.evaluate(SETTLED)
    browser.evaluate(SETTLED)
    assert browser.evaluate(f"{place}.parentElement.open") is True
    assert browser.evaluate(f"{place}.querySelector('dl').checkVisibility()") is True
    assert browser.evaluate(f"document.activeElement.parentElement.lastElementChild === {place}")
    # In the window, and not below what sticks to its top.
    top = browser.evaluate("document.activeElement.getBoundingClientRect().top")
    filter_bottom = browser.evaluate(
        "document.querySelector('.filter').getBoundingClientRect().bottom"
    )
    assert filter_bottom <= top < 800
    # From there back to a rule that is folded.
    rule = some["identities"][-1]["findings"][-1]
    browser.evaluate(f"{place}.querySelector('a[href=\"#rule-{rule}\"]').click()")
    browser.evaluate(SETTLED)
    assert browser.evaluate(f"document.getElementById('rule-{rule}').open") is not False


def test_of_many_some_are_shown_and_all_on_request(file: Path, browser: Page, some: Object) -> None:
    browser.open(file)
    more = "document.querySelector('.register + button')"
    total = len(some["identities"])
    assert browser.evaluate(f"{more}.textContent") == f"Show all {total}"
    browser.evaluate(f"{more}.focus()")
    press(browser, "Enter", "\r")
    assert browser.evaluate(f"{UNITS}.length") == total
    # The button is gone; the focus is on the first that was not there before.
    assert browser.evaluate("document.activeElement.parentElement.lastElementChild.id") == (
        f"i-{some['identities'][200]['key']}"
    )


def test_what_is_long_and_folded_shows_some_and_all_on_request(file: Path, browser: Page) -> None:
    browser.open(file)
    rows = "document.querySelectorAll('#rule-unlimited_uses tbody tr').length"
    assert browser.evaluate(rows) == 0
    unfold_all(browser)
    assert browser.evaluate(rows) == 200
    browser.evaluate("document.querySelector('#rule-unlimited_uses table + button').click()")
    assert browser.evaluate(rows) == 277


CLIPBOARD = """
Object.defineProperty(navigator, "clipboard", {value: {writeText: async (text) => {
  if (!%s) throw new Error("not allowed");
  window.copied = text;
}}})
"""


@pytest.mark.parametrize("allowed", [True, False], ids=["clipboard", "selection"])
def test_what_to_paste_is_copied_or_selected(
    allowed: bool, file: Path, browser: Page, some: Object
) -> None:
    browser.open(file)
    browser.evaluate(CLIPBOARD % str(allowed).lower())
    item = next(item for item in some["identities"] if item["status"] == "unlisted")
    browser.evaluate(f"location.hash = '#i-{item['key']}'")
    browser.evaluate(SETTLED)
    browser.evaluate(SETTLED)
    place = f"document.getElementById('i-{item['key']}')"
    browser.evaluate(f"{place}.querySelector('button').click()")
    browser.evaluate(SETTLED)
    told = browser.evaluate(f"{place}.querySelector('output').textContent").strip()
    if allowed:
        assert told == "Copied"
        assert browser.evaluate("window.copied") == item["paste"].rstrip("\n")
    else:
        assert told in ("Copied", "Selected, now copy it")
        assert browser.evaluate("String(getSelection())").strip() == item["paste"].strip()


def test_the_entries_of_all_that_is_not_in_the_list_come_as_one_list(
    file: Path, browser: Page, some: Object
) -> None:
    browser.open(file)
    browser.evaluate("document.querySelector('#unlisted ~ button').click()")
    text = browser.evaluate("document.querySelector('#unlisted ~ .paste').textContent")
    unlisted = [item for item in some["identities"] if item["status"] == "unlisted"]
    entries = [entry for item in unlisted for entry in yaml.safe_load(item["paste"])]
    assert yaml.safe_load(text) == entries
    assert len(entries) == 9


AXE = """
axe.run({resultTypes: ["violations"]}).then(({violations}) =>
  violations.map(({id, nodes}) => [id, nodes.map(({html}) => html.slice(0, 200))]))
"""
# What is far from the window has no place yet, and what sticks to it covers others.
LAID_OUT = """
(() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    .unit { content-visibility: visible !important }
    .filter { position: static !important }
  `);
  document.adoptedStyleSheets = [sheet];
})()
"""


@pytest.mark.parametrize("width", [1280, 390], ids=["desktop", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(dark: bool, width: int, smaller: Path, browser: Page) -> None:
    """The rules of axe-core, such as those on contrast, with everything unfolded."""
    found = importlib.util.find_spec("axe_core_python")
    assert found is not None
    assert found.origin is not None
    browser.emulate(width=width, dark=dark)
    browser.open(smaller)
    background = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(13, 17, 23)") is dark
    browser.evaluate(LAID_OUT)
    # They are all alike, and axe takes its time.
    browser.evaluate(f"{UNITS}.slice(12).forEach(unit => unit.remove())")
    unfold_all(browser)
    browser.evaluate(Path(found.origin).with_name("axe.min.js").read_text("utf-8") + ";0")
    assert browser.evaluate(AXE) == []


# Elements that stick out of the window, and words that are broken though there was a better place.
STICKING_OUT = """
[...document.querySelectorAll("body *")]
  .filter((e) => e.checkVisibility() && !e.closest("caption, thead, .skip, svg"))
  .filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map((e) => e.outerHTML.slice(0, 200))
"""
BROKEN = """
(() => {
  const broken = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const parent = node.parentElement;
    if (parent.closest("script, style, caption, thead, svg") || !parent.checkVisibility()) continue;
    for (const word of node.data.matchAll(/[\\p{L}\\p{N}]+/gu)) {
      const range = document.createRange();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      const tops = new Set([...range.getClientRects()].map((rect) => Math.round(rect.top)));
      if (tops.size > 1 && word[0].length < 40) broken.push(node.data);
    }
  }
  return broken;
})()
"""


@pytest.mark.parametrize("width", [1280, 390, 320], ids=["desktop", "phone", "small-phone"])
def test_everything_fits_the_window_and_no_word_is_broken(
    width: int, smaller: Path, browser: Page
) -> None:
    browser.emulate(width=width)
    browser.open(smaller)
    browser.evaluate(LAID_OUT)
    unfold_all(browser)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.evaluate(STICKING_OUT) == []
    if width >= 390:
        assert browser.evaluate(BROKEN) == []


def test_everything_is_reached_by_the_keyboard_and_shows_its_focus(
    tmp_path: Path, browser: Page
) -> None:
    path = tmp_path / "page.html"
    path.write_text(html_page(report(FEW)), encoding="utf-8")
    browser.emulate()
    browser.open(path)
    reached = []
    for _step in range(60):
        press(browser, "Tab")
        reached.append(
            browser.evaluate(
                "(() => { const e = document.activeElement;"
                " return [e.tagName, e.textContent.trim(),"
                " getComputedStyle(e).outlineStyle] })()"
            )
        )
    tags = {tag for tag, _text, _outline in reached} - {"BODY"}
    assert tags == {"A", "BUTTON", "INPUT", "SELECT", "SUMMARY"}
    assert {outline for tag, _text, outline in reached if tag != "BODY"} == {"solid"}
    assert reached[0][1] == "Skip to the report"
    focusable = "document.querySelectorAll('a, button:not([hidden]), input, select, summary')"
    visible_ones = browser.evaluate(f"[...{focusable}].filter(e => e.checkVisibility()).length")
    assert len({text for tag, text, _outline in reached}) > 15
    assert sum(tag != "BODY" for tag, _text, _outline in reached) >= min(visible_ones, 59)


def test_what_a_page_takes_grows_with_its_identities_and_no_faster(
    large: Path, browser: Page, record_property: t.Any
) -> None:
    """In processor time, for tests run on busy machines."""
    few = large.with_name("few.html")
    few.write_text(html_page(report(MANY // 10)), encoding="utf-8")
    browser.emulate()
    # What was done before this is asked for the first time is not counted.
    browser.busy()

    def seconds(path: Path, count: int) -> tuple[float, float]:
        loading, filtering = [], []
        for _turn in range(3):
            browser.open(path)
            browser.evaluate(SETTLED)
            loading.append(browser.busy())
            browser.evaluate("document.querySelector('#filter').focus()")
            for text in ("drifted", "billing prod", "3f6c", "unlimited uses", "10.2"):
                before = browser.busy()
                browser.evaluate(
                    f"document.querySelector('#filter').value = '{text}';"
                    "document.querySelector('#filter').dispatchEvent(new Event('input'));" + SETTLED
                )
                filtering.append(browser.busy() - before)
                told = browser.evaluate("document.querySelector('.filter output').textContent")
                assert re.fullmatch(rf"[1-9][0-9]* of {count + 2} match", told)
        return statistics.median(loading), statistics.median(filtering)

    loading_few, filtering_few = seconds(few, MANY // 10)
    loading, filtering = seconds(large, MANY)
    record_property("5,000 identities, MiB", f"{large.stat().st_size / 2**20:.1f}")
    record_property("5,000 identities, seconds to load", f"{loading:.2f}")
    record_property("5,000 identities, seconds to filter", f"{filtering:.3f}")
    # Ten times as many identities; what compares each with each would take a hundred times.
    assert loading < 10 * loading_few
    assert filtering < 20 * filtering_few
    assert large.stat().st_size < 12 * 2**20


def test_on_paper_everything_is_there_and_then_the_screen_is_as_before(
    file: Path, browser: Page, some: Object
) -> None:
    browser.emulate(width=1280)
    browser.open(file)
    type_in(browser, "drifted")
    state = (
        "[...document.querySelectorAll('.unit, tr, details, button')].map(e => [e.hidden, e.open])"
    )
    before = browser.evaluate(state)
    browser.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    browser.emulate(paper=True, dark=True)
    assert browser.evaluate(f"{UNITS}.length") == len(some["identities"])
    assert browser.evaluate("document.querySelectorAll('details:not([open])').length") == 0
    assert browser.evaluate("document.querySelectorAll('noscript').length") == 0
    assert (
        browser.evaluate("document.querySelectorAll('#rule-unlimited_uses tbody tr').length") == 277
    )
    hidden = "form, .to-paste, .skip, nav"
    shown = f"[...document.querySelectorAll('{hidden}')].some(e => e.checkVisibility())"
    assert browser.evaluate(shown) is False
    # Light colours, whatever the user prefers on a screen.
    assert (
        browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    )
    assert (
        browser.evaluate("getComputedStyle(document.querySelector('a[href^=http]')).color")
        == "rgb(0, 0, 0)"
    )
    browser.emulate()
    browser.evaluate("window.dispatchEvent(new Event('afterprint'))")
    after = browser.evaluate("[...document.querySelectorAll('.unit')].length")
    assert after == some["counts"]["drifted"]
    assert browser.evaluate("document.querySelectorAll('details[open]').length") == 0
    assert len(before) > after


def test_without_script_everything_is_there(file: Path, browser: Page, some: Object) -> None:
    browser.emulate()
    browser.open(file, scripts=False)
    assert "INPUT" not in laid_out(browser)
    # On a screen what is folded is one click away, on paper it is there.
    browser.emulate(paper=True)
    kinds = laid_out(browser)
    found = sum(len(rule["identities"]) for rule in some["findings"])
    assert kinds.count("TR") > found
    assert kinds.count("DL") > len(some["identities"])
    browser.emulate()


def laid_out(browser: Page) -> list[str]:
    """Return the kinds of the elements that a page has room for."""
    snapshot = browser.call("DOMSnapshot.captureSnapshot", computedStyles=[])
    document = snapshot["documents"][0]
    kinds = [snapshot["strings"][name] for name in document["nodes"]["nodeName"]]
    return [kinds[index] for index in document["layout"]["nodeIndex"]]
