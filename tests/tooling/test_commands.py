# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `make` does with mistakes, and which server its targets work on."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from docs.tables import make_targets
from tools import ansible_test, check, counts, demo, importer, network
from tools.environments import project_environ
from tools.infisical import OPT_IN, VARIABLES, IncompleteError, infisical, opt_out, opted_for
from tools.paths import ROOT

from emulator import running

SOMEBODYS = {
    "INFISICAL_URL": "http://127.0.0.1:1",
    "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID": "a",
    "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET": "b",
    "INFISICAL_ORG_ID": "c",
    "INFISICAL_TOKEN": "d",
}
REAL = {OPT_IN + name: f"real {name}" for name in VARIABLES}


@pytest.fixture(autouse=True)
def _no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(OPT_IN + name, raising=False)


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Let make say what it would do."""
    return subprocess.run(
        ["make", "--dry-run", *arguments], cwd=ROOT, check=False, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("target", "meant"),
    [
        ("tests", "test"),
        ("units", "unit"),
        ("doc", "docs"),
        ("linter", "lint"),
        # Files and folders, which make would be content with.
        ("README.md", None),
        ("roles", None),
        ("nothing", None),
    ],
)
def test_a_target_that_there_is_not_is_an_error(target: str, meant: str | None) -> None:
    for arguments in ([target], ["help", target]):
        run = make(*arguments)
        assert run.returncode != 0
        assert f"There is no target `{target}`" in run.stderr
        assert ("did you mean" in run.stderr) is (meant is not None)
        assert f"(did you mean `make {meant}`?)" in run.stderr or meant is None
        assert "`make help` lists all" in run.stderr


@pytest.mark.parametrize("target", sorted(make_targets()))
def test_a_target_does_something_whatever_files_there_are(target: str) -> None:
    """There are folders of some of these names."""
    run = make(target)
    assert run.returncode == 0, run.stderr
    assert run.stdout
    assert "Nothing to be done" not in run.stdout + run.stderr
    assert "up to date" not in run.stdout + run.stderr


def test_variables_of_the_callers_playbooks_decide_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SOMEBODYS.items():
        monkeypatch.setenv(name, value)
    assert not [name for name in project_environ() if name.startswith("INFISICAL_")]
    assert opted_for() is None
    with infisical() as given:
        assert given["INFISICAL_URL"] not in SOMEBODYS.values()
        assert tuple(given) == VARIABLES


def test_a_real_server_is_named_by_variables_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in REAL.items():
        monkeypatch.setenv(name, value)
    expected = {name: f"real {name}" for name in VARIABLES}
    assert opted_for() == expected
    with infisical() as given:
        assert given == expected
    # They get to the targets that take one, and to no others.
    environ = project_environ()
    assert environ.items() >= REAL.items()
    opt_out(environ)
    assert not environ.keys() & REAL.keys()


def test_checks_of_make_test_get_no_real_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**SOMEBODYS, **REAL}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(check, "nox_environ", project_environ)
    environ = check.Runner()._environ
    assert [name for name in environ if "INFISICAL" in name] == []


@pytest.mark.parametrize("left_out", VARIABLES)
def test_half_a_real_server_is_an_error(left_out: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(OPT_IN + name, "" if name == left_out else "x")
    told = rf"^TEST_INFISICAL_\w+ is set, so these must be too: {OPT_IN}{left_out}\.$"
    with pytest.raises(IncompleteError, match=told):
        opted_for()


def test_the_demo_takes_its_own_emulator_or_a_real_server(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    played: list[t.Mapping[str, str]] = []

    def play(_arguments: t.Sequence[str], server: dict[str, str]) -> int:
        played.append(server)
        return 0

    monkeypatch.setattr(demo, "play", play)
    for name, value in SOMEBODYS.items():
        monkeypatch.setenv(name, value)
    assert demo.main([]) == 0
    assert played.pop()["INFISICAL_URL"] not in SOMEBODYS.values()
    for name in VARIABLES[:3]:
        monkeypatch.setenv(OPT_IN + name, f"real {name}")
    assert demo.main(["-e", "identity_name=playground"]) == 0
    assert played.pop() == {name: f"real {name}" for name in VARIABLES[:3]}
    monkeypatch.delenv(OPT_IN + VARIABLES[1])
    assert demo.main([]) == 1
    assert f"must be too: {OPT_IN}{VARIABLES[1]}." in capsys.readouterr().err
    assert played == []


@pytest.mark.parametrize("name", ["HTTP_PROXY", "https_proxy", "ALL_PROXY"])
def test_proxies_are_kept_but_not_for_the_emulator(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for other in list(os.environ):
        if other.upper().endswith("_PROXY"):
            monkeypatch.delenv(other)
    assert "NO_PROXY" not in project_environ()
    monkeypatch.setenv(name, "http://proxy.example.com:3128")
    monkeypatch.setenv("NO_PROXY", "example.org")
    environ = project_environ()
    assert environ[name] == "http://proxy.example.com:3128"
    assert environ["NO_PROXY"] == "example.org,127.0.0.1,localhost"
    assert environ["no_proxy"] == "127.0.0.1,localhost"


def emulate(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Start an emulator that cannot."""
    return subprocess.run(
        [sys.executable, "-m", "emulator", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_an_emulator_that_cannot_start_says_why(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        run = emulate("--port", port)
    assert run.returncode == 1
    assert run.stderr == f"Port {port} is taken; choose another one with --port, or 0.\n"
    for arguments in (["--port", "99999"], ["--ready-file", str(tmp_path / "none" / "ready")]):
        run = emulate(*arguments)
        assert run.returncode == 1
        assert run.stderr.startswith("The emulator cannot start: ")
        assert run.stderr.count("\n") == 1


def test_make_emulator_says_how_to_point_targets_at_it() -> None:
    command = make("emulator").stdout.split()
    arguments = command[command.index("emulator") + 1 :]
    assert arguments == []
    with subprocess.Popen(
        [sys.executable, "-m", "emulator", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _line in range(2 + 2 * len(VARIABLES))]
        exported = dict(
            line.removeprefix("export ").split("=", 1) for line in lines if line[0] != "#"
        )
        environ = {**project_environ(), **{name: exported[name] for name in VARIABLES}}
        del environ["PYTHONPATH"]
        tour = subprocess.run(
            ["ansible-playbook", demo.PLAYBOOK],
            env=environ,
            check=False,
            capture_output=True,
            text=True,
        )
        process.terminate()
    assert tour.returncode == 0, tour.stdout + tour.stderr
    assert {name: exported[OPT_IN + name] for name in VARIABLES} == {
        name: exported[name] for name in VARIABLES
    }


def test_a_check_says_that_it_has_begun_and_why_it_was_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Some take minutes."""
    nox = tmp_path / "nox"
    nox.write_text(
        """\
#!/bin/sh
echo 'nox > Session workflows skipped: it is not to be had.'
echo '{"sessions": [{"result": "skipped"}]}' > "$5"
""",
        encoding="utf-8",
    )
    nox.chmod(0o755)
    environ = {**project_environ(), "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    monkeypatch.setattr(check, "nox_environ", lambda: environ)
    monkeypatch.setattr(check, "LOGS", tmp_path / "logs")
    monkeypatch.setattr(check, "REPORTS", tmp_path / "reports")
    outcome = check.Runner().run("workflows")
    assert capsys.readouterr().out.split() == ["started", "workflows", "zizmor,", "actionlint"]
    assert (outcome.result, outcome.reason) == ("skipped", "it is not to be had")
    assert outcome.line().endswith(" s  it is not to be had")


def test_the_summary_says_why_tests_were_skipped(tmp_path: Path) -> None:
    report = """\
<testsuites><testsuite name="pytest">
  <testcase classname="tests.audit.test_page" name="a"><skipped message="no Chromium"/></testcase>
  <testcase classname="tests.audit.test_page" name="b"><skipped message="no Chromium"/></testcase>
  <testcase classname="tests.audit.test_page" name="c"/>
</testsuite></testsuites>
"""
    (tmp_path / "report.xml").write_text(report, encoding="utf-8")
    skips = counts.read_skips(tmp_path)
    outcome = check.Outcome("audit", "passed", 1.0, counts.read_reports(tmp_path), skips=skips)
    assert "Skipped\n    2 in audit: no Chromium\n\nChecks" in check.summary([outcome])


def test_what_cannot_be_reached_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answers(url: str) -> bool:
        asked.append(url)
        return "there" in url

    monkeypatch.setattr(network, "VERDICTS", tmp_path / "verdicts")
    monkeypatch.setattr(network, "_answers", answers)
    for _time in range(2):
        assert network.reachable("https://there.example.com/a/file")
        assert not network.reachable("https://nowhere.example.com/")
    assert asked == ["https://there.example.com/", "https://nowhere.example.com/"]
    os.utime(tmp_path / "verdicts/nowhere.example.com", (0, 0))
    network.reachable("https://nowhere.example.com/")
    assert len(asked) == 3


def test_a_host_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "_LIMIT_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not network._answers(f"http://127.0.0.1:{silent.getsockname()[1]}/")
    monkeypatch.setattr(network, "_LIMIT_SECONDS", 60)
    with running() as emulator:
        # It answers 404, too.
        assert network._answers(f"{emulator.url}/nothing")


def test_sanity_tests_that_need_what_cannot_be_had_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requirements = tmp_path / "_data" / "requirements"
    requirements.mkdir(parents=True)
    (requirements / "sanity.pep8.txt").write_text("pycodestyle==2.14.0\n", encoding="utf-8")
    for test, host in (("pylint", "nowhere"), ("yamllint", "there")):
        text = f"astroid==4.0.2\ndill @ https://{host}.example.com/dill.zip#sha256=0\n"
        (requirements / f"sanity.{test}.txt").write_text(text, encoding="utf-8")
    monkeypatch.setattr(ansible_test, "reachable", lambda url: "there" in url)
    assert ansible_test._without_requirements(tmp_path) == {"pylint": "nowhere.example.com"}


@pytest.mark.parametrize(
    ("line", "complains"),
    [
        ("WARNING: ERROR    Failed to find community.infisical.identities_apply playbook.", True),
        ("ERROR: No changelog found.", True),
        ("CRITICAL: No.", True),
        ("Importer processing completed successfully", False),
        ("Loading module infisical_login", False),
    ],
)
def test_what_galaxy_importer_logs_is_a_complaint(line: str, complains: bool) -> None:
    assert importer.complaints(f"Importing with galaxy-importer 1\n{line}\n") == [line] * complains


def test_galaxy_importer_finds_nothing_else_of_the_collection(tmp_path: Path) -> None:
    environ = importer.bare_environ(project_environ(), tmp_path)
    assert "PYTHONPATH" not in environ
    for name in ("ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_HOME", "HOME"):
        assert Path(environ[name]).is_relative_to(tmp_path)
    assert not any(tmp_path.iterdir())
