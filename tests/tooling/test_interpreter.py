# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python that starts fast does what Python does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from ansible.module_utils import basic
from tools import interpreter

SHOW = """\
import atexit, json, os, sys, threading
atexit.register(print, "at exit")
threading.Timer(0.1, print, ["in a thread"]).start()
print(json.dumps([sys.argv[1:], __name__, os.getcwd(), sorted(os.environ.items())]))
print(sys.flags.utf8_mode)
print("error", file=sys.stderr)
"""
MODULE = "ansible_collections.community.infisical.plugins.modules.infisical_azure_auth"


@pytest.fixture(autouse=True)
def _not_thorough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("THOROUGH", raising=False)


def outcome(
    python: str, arguments: list[str], text: str, folder: Path, **environ: str
) -> tuple[int, str, str]:
    done = subprocess.run(
        [python, *arguments],
        input=text,
        capture_output=True,
        text=True,
        cwd=folder,
        # Where a shell says that it is.
        env={**os.environ, "PWD": str(folder), **environ},
        check=False,
    )
    return done.returncode, done.stdout, done.stderr.replace(str(folder), "")


@pytest.mark.parametrize(
    ("arguments", "text", "environ"),
    [
        pytest.param([], SHOW, {"SET": "x"}, id="from standard input"),
        pytest.param(["script.py", "-m", "a b"], "", {}, id="a script"),
        pytest.param(["-m", MODULE], '{"ANSIBLE_MODULE_ARGS": {}}', {}, id="a module"),
        pytest.param(["-c", "print(1)"], "", {}, id="an option"),
        pytest.param([], SHOW, {"PYTHONUTF8": "1"}, id="a variable of Python"),
        pytest.param([], "import sys; print(sys.stdin.read())", {}, id="nothing more to read"),
        pytest.param([], "raise SystemExit(3)", {}, id="a status"),
        pytest.param([], "raise SystemExit('why')", {}, id="a text"),
        pytest.param([], "import os, signal; os.kill(os.getpid(), 9)", {}, id="killed"),
    ],
)
def test_it_does_the_same(
    arguments: list[str], text: str, environ: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "script.py").write_text(SHOW, encoding="utf-8")
    usual = outcome(sys.executable, arguments, text, tmp_path, **environ)
    fast = outcome(interpreter.python(), arguments, text, tmp_path, **environ)
    # A shell says it so if a signal ended its program.
    assert fast == (usual[0] if usual[0] >= 0 else 128 - usual[0], *usual[1:])
    assert usual[1] or usual[0]


def test_an_exception_is_shown(tmp_path: Path) -> None:
    status, output, errors = outcome(interpreter.python(), [], "1 / 0", tmp_path)
    assert (status, output) == (1, "")
    assert errors.endswith("ZeroDivisionError: division by zero\n")


def test_a_script_imports_what_is_in_its_own_path(tmp_path: Path) -> None:
    """As the archive is that Ansible makes of a module."""
    package = tmp_path / "ansible"
    package.mkdir()
    (package / "__init__.py").write_text("here = True", encoding="utf-8")
    (tmp_path / "script.py").write_text("import ansible; print(ansible.here)", encoding="utf-8")
    assert outcome(interpreter.python(), ["script.py"], "", tmp_path)[:2] == (0, "True\n")


@pytest.mark.parametrize("name", ["PYTHONPYCACHEPREFIX", "PYTHONUNBUFFERED"])
def test_what_ansible_test_does_not_pass_on_leaves_it_fast(name: str, tmp_path: Path) -> None:
    text = "import sys; print(sys.pycache_prefix or '', 'requests' in sys.modules)"
    output = outcome(interpreter.python(), [], text, tmp_path, **{name: ""})[1]
    prefix = "" if name == "PYTHONPYCACHEPREFIX" else os.environ.get("PYTHONPYCACHEPREFIX", "")
    assert output == f"{prefix} True\n"


IMPORT = """\
import sys
sys.path.insert(0, sys.argv[1])
try:
    from ansible.module_utils import basic
    print(hasattr(basic, "AnsibleModule"))
except ImportError:
    print("not there")
"""


@pytest.mark.parametrize(
    ("source", "output"),
    [
        pytest.param(Path(basic.__file__).read_text(encoding="utf-8"), "True\n", id="the same"),
        pytest.param("import json", "False\n", id="another"),
        pytest.param(None, "not there\n", id="none"),
    ],
)
def test_an_archive_decides_what_a_script_can_import(
    source: str | None, output: str, tmp_path: Path
) -> None:
    """What is the same is not read, so that what it imports itself need not be there."""
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for package in ("ansible", "ansible/module_utils"):
            file.writestr(f"{package}/__init__.py", "")
        if source is not None:
            file.writestr("ansible/module_utils/basic.py", source)
    (tmp_path / "script.py").write_text(IMPORT, encoding="utf-8")
    done = outcome(interpreter.python(), ["script.py", str(archive)], "", tmp_path)
    assert done == (0, output, "")


WAIT = """\
import os, signal, sys, time
def say(number, _frame):
    # print() must not interrupt itself.
    os.write(1, signal.Signals(number).name.encode() + b"\\n")
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    signal.signal(number, say)
print(os.getpid(), flush=True)
while True:
    time.sleep(60)
"""


def test_a_signal_reaches_what_it_runs() -> None:
    program = subprocess.Popen(
        [interpreter.python()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert program.stdin is not None
    assert program.stdout is not None
    program.stdin.write(WAIT)
    program.stdin.close()
    pid = int(program.stdout.readline())
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        program.send_signal(number)
        assert program.stdout.readline() == f"{number.name}\n"
    program.kill()
    # The end of the output, which the one that runs has open.
    assert program.stdout.read() == ""
    program.wait()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
