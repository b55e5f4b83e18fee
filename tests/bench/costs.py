# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module costs besides time on the network: memory, imports, the size of its payload."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median

from .fleets import fleet_task
from .plays import Player, Task, named
from .results import Audit, Process, Start
from .servers import Server, entries
from .singles import EMPTY, own, uri

IDENTITY_MODULE = "community.infisical.infisical_identity"
INFO_MODULE = "community.infisical.infisical_identity_info"
LOGIN_MODULE = "community.infisical.infisical_login"
AUDIT_ROLE = "community.infisical.identities_audit"

# Runs a module as the interpreter would, and writes down what the process took.
_INTERPRETER = """#!{python}
import json, os, resource, subprocess, sys, time
started = time.monotonic()
status = subprocess.call([{python!r}, *sys.argv[1:]])
seconds = time.monotonic() - started
used = resource.getrusage(resource.RUSAGE_CHILDREN)
# Kilobytes, but bytes on macOS.
peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
measured = [peak, seconds, used.ru_utime + used.ru_stime]
if os.path.exists({report!r}):
    # Of several processes the largest counts.
    with open({report!r}) as report:
        measured = max(measured, json.load(report))
with open({report!r}, "w") as report:
    json.dump(measured, report)
sys.exit(status)
"""

_IMPORT = re.compile(r"import time: +(?P<self>\d+) \| +\d+ \| +(?P<module>\S+)")
# Whose a module is, by the beginning of its name; what is not here is Python's own.
_ORIGINS = {
    "ansible_collections": "collection",
    "ansible": "ansible",
    "netaddr": "netaddr",
    "requests": "requests",
    "urllib3": "requests",
    "charset_normalizer": "requests",
    "chardet": "requests",
    "idna": "requests",
    "certifi": "requests",
}
PYTHON = "python"
ORIGINS = (PYTHON, "ansible", "requests", "netaddr", "collection")


def measure_process(player: Player, server: Server, size: int) -> Process:
    """Run the fleet's task once, with an eye on the process of the module. Raises PlayError."""
    interpreter, report = _watching(player, "module")
    server.wait_for_room(size)
    player.run(
        [named("fleet", fleet_task("fleet"))],
        fleet=entries(server.identities(size)),
        ansible_python_interpreter=str(interpreter),
    )
    peak, seconds, processor = json.loads(report.read_text())
    return Process(size, peak, seconds, processor)


def measure_audit(player: Player, server: Server, size: int) -> Audit:
    """Run the role's audit once, reports included. Raises PlayError."""
    module, of_module = _watching(player, "module")
    program, of_program = _watching(player, "program")
    pages = player.folder / "audit"
    replace(player, python=str(program)).run(
        [{"ansible.builtin.include_role": {"name": AUDIT_ROLE}}],
        identities_audit_desired=entries(server.identities(size)),
        identities_audit_html=str(pages / "audit.html"),
        identities_audit_json=str(pages / "audit.json"),
        ansible_python_interpreter=str(module),
    )
    report = json.loads((pages / "audit.json").read_text())
    assert report["counts"]["listed"] == size, report["counts"]
    peak, seconds, _processor = json.loads(of_program.read_text())
    module_peak = json.loads(of_module.read_text())[0]
    return Audit(size, seconds, peak, module_peak, (pages / "audit.html").stat().st_size)


def _watching(player: Player, name: str) -> tuple[Path, Path]:
    """Return an interpreter that writes down what a process took, and the file that it writes."""
    report = player.folder / f"{name}.json"
    report.unlink(missing_ok=True)
    interpreter = player.folder / f"{name}-interpreter"
    interpreter.write_text(
        _INTERPRETER.format(python=sys.executable, report=str(report)), encoding="utf-8"
    )
    interpreter.chmod(0o700)
    return interpreter, report


def measure_starts(player: Player, server: Server, runs: int) -> list[Start]:
    """Run the payloads that Ansible packs, by hand and in turns. Raises PlayError."""
    (identity_id,) = server.identities(1)
    tasks: dict[str, Task] = {
        "an empty module": {EMPTY: {}},
        "ansible.builtin.uri": uri(server, identity_id),
        "infisical_azure_auth": own(identity_id),
        "infisical_identity": {IDENTITY_MODULE: {"id": identity_id}},
        "infisical_identities": fleet_task("fleet"),
        "infisical_identity_info": {INFO_MODULE: {"ids": [identity_id]}},
        "infisical_login": {LOGIN_MODULE: {}},
    }
    payloads = _payloads(player, server, tasks)
    imports: dict[str, list[dict[str, float]]] = {name: [] for name in tasks}
    for _run in range(runs):
        for name, payload in payloads.items():
            imports[name].append(imports_by_origin(_run_payload(player, payload)))
    return [
        Start(
            name,
            payloads[name].stat().st_size,
            {origin: median(times[origin] for times in imports[name]) for origin in ORIGINS},
        )
        for name in tasks
    ]


def _payloads(player: Player, server: Server, tasks: Mapping[str, Task]) -> dict[str, Path]:
    """Run tasks of different modules, and keep the files that Ansible makes of them."""
    kept = Path(tempfile.mkdtemp(dir=player.folder))
    settings = {"ANSIBLE_KEEP_REMOTE_FILES": "1", "ANSIBLE_REMOTE_TMP": str(kept)}
    keeping = replace(player, environment=settings)
    keeping.run(list(tasks.values()), fleet=entries(server.identities(1)))
    payloads = {}
    for name, task in tasks.items():
        module = next(iter(task)).rpartition(".")[2]
        (payloads[name],) = kept.glob(f"*/AnsiballZ_{module}.py")
    return payloads


def _run_payload(player: Player, payload: Path) -> str:
    """Run a payload as Ansible does; returns what Python says of the imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", str(payload)],
        env=player.environ(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stderr


def imports_by_origin(report: str) -> dict[str, float]:
    """The seconds that imports took, by whose modules they are, from what -X importtime says."""
    seconds = dict.fromkeys(ORIGINS, 0.0)
    for found in _IMPORT.finditer(report):
        package = found["module"].partition(".")[0]
        seconds[_ORIGINS.get(package, PYTHON)] += int(found["self"]) / 1e6
    return seconds
