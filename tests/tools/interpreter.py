# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Python that starts fast, for the many processes in which tests run modules and Ansible.

Starting Python, and importing requests and the base class of modules, takes several times as long
as what a module does. One process imports them once, and forks for each program. A program still
has its own arguments, folder, environment and standard streams. A script, such as Ansible makes of
a module, finds of Ansible's and our code what its archive has. `make thorough` does without.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import functools
import gc
import importlib
import importlib.abc
import importlib.machinery
import marshal
import os
import runpy
import selectors
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
import types
import zipimport
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

_CLIENT = Path(__file__).with_name("interpreter_client.py")
_OURS = "ansible_collections.community.infisical.plugins.modules.infisical_"
# Those of Ansible are the ones that playbooks and roles use most.
_MODULES = (
    *(f"{_OURS}{name}" for name in ("azure_auth", "identities", "identity", "identity_info")),
    *(f"ansible.modules.{name}" for name in ("copy", "file", "stat")),
)
# In these a program may differ from the process that forks it: two are set in the program, and what
# it prints is buffered in any case. ansible-test does not pass the last two on to modules.
_ANY_VALUE = {"PYTHONPATH", "PYTHONPYCACHEPREFIX", "PYTHONUNBUFFERED"}
# What a script has in its archive.
_ARCHIVED = {"ansible", "ansible_collections"}


class _Program(NamedTuple):
    """What a client asks for."""

    arguments: list[str]
    folder: str
    environ: dict[str, str]
    streams: list[int]


class _SameInArchive(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds what was imported before, if the archive that is first in the path has the same."""

    def __init__(self) -> None:
        """Note what is imported, as it is now: a source may change before a script asks for it."""
        self._modules: dict[str, types.ModuleType] = {}
        self._files: dict[str, tuple[str, int]] = {}
        for name, module in sys.modules.items():
            source = getattr(module, "__file__", None)
            # Ansible makes up the file of some packages.
            if name.partition(".")[0] in _ARCHIVED and source and Path(source).is_file():
                suffix = "/__init__.py" if hasattr(module, "__path__") else ".py"
                self._modules[name] = module
                self._files[name] = (
                    f"{name.replace('.', '/')}{suffix}",
                    zlib.crc32(Path(source).read_bytes()),
                )

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return None for all others: Python then looks for them as usual."""
        if not self._has(fullname):
            return None
        package = hasattr(self._modules[fullname], "__path__")
        return importlib.machinery.ModuleSpec(fullname, self, is_package=package)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """Return the module that was imported before; a package has only what the archive has."""
        module = self._modules[spec.name]
        if spec.submodule_search_locations is not None:
            folder = spec.name.replace(".", "/")
            spec.submodule_search_locations = module.__path__ = [f"{sys.path[0]}/{folder}"]
            for name in self._modules:
                package, _dot, child = name.rpartition(".")
                if package == spec.name and hasattr(module, child) and not self._has(name):
                    delattr(module, child)
        return module

    def _has(self, name: str) -> bool:
        """Return whether the archive has a module that was imported before, as it was then."""
        archives = zipimport._zip_directory_cache  # type: ignore[attr-defined]
        if name not in self._files or sys.path[0] not in archives:
            return False
        path, checksum = self._files[name]
        entry = archives[sys.path[0]].get(path)
        # The last of what is known of a file is its checksum.
        return bool(entry) and entry[-1] == checksum

    def exec_module(self, module: types.ModuleType) -> None:
        """Do nothing: that was done before."""


def prepare() -> None:
    """Import what modules import."""
    for name in ("netaddr", "requests", *_MODULES):
        importlib.import_module(name)
    for name in _MODULES:
        # With `-m`, a module is executed, not imported.
        del sys.modules[name]


@functools.cache
def python(
    preparation: str = "tools.interpreter",
    settings: frozenset[tuple[str, str]] = frozenset(),
    executable: str = "",
) -> str:
    """Return the path of a program that does as this Python does, as long as this process lives.

    The function `prepare` of a module decides what it has imported. `settings` are environment
    variables at that time: those of Ansible, beside others of this process. `executable` is what
    programs find as `sys.executable`, by default the path that this returns.
    """
    if os.environ.get("THOROUGH") == "1":
        return sys.executable
    folder = Path(tempfile.mkdtemp())
    listening = folder / "socket"
    program = folder / "python"
    _write(program, sys.executable, "-IS", _CLIENT, listening)
    others = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "tools.interpreter"),
            *(preparation, str(listening), executable or str(program)),
        ],
        env={**others, **dict(settings)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )

    def end() -> None:
        server.communicate()
        shutil.rmtree(folder)

    atexit.register(end)
    assert server.stdout is not None
    server.stdout.readline()
    return str(program)


def _write(program: Path, *command: str | Path) -> None:
    """Write a program that becomes a command."""
    program.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, command))} "$@"\n', encoding="utf-8")
    program.chmod(0o755)


def _serve(path: str) -> _Program | None:
    """Wait for clients. Return what to run, in a process for each; or None at the end of stdin."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    print("ready", flush=True)
    awake, wakeup = socket.socketpair()
    wakeup.setblocking(False)
    signal.set_wakeup_fd(wakeup.fileno())
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    clients: dict[int, socket.socket] = {}
    with selectors.DefaultSelector() as selector:
        for readable in (sys.stdin.fileno(), listener, awake):
            selector.register(readable, selectors.EVENT_READ)
        while True:
            ready: list[Any] = [key.fileobj for key, _events in selector.select()]
            if sys.stdin.fileno() in ready:
                for pid in clients:
                    os.kill(pid, signal.SIGTERM)
                return None
            for pid in [pid for pid, client in clients.items() if client in ready]:
                # A signal, or nothing: then the client was killed.
                got = clients[pid].recv(1)
                if not got:
                    selector.unregister(clients[pid])
                os.kill(pid, got[0] if got else signal.SIGKILL)
            if awake in ready:
                awake.recv(1024)
                _tell_ended(clients, selector)
            if listener in ready:
                client = listener.accept()[0]
                program = _receive(client)
                if not program:
                    client.close()
                    continue
                pid = os.fork()
                if pid == 0:
                    break
                for stream in program.streams:
                    os.close(stream)
                clients[pid] = client
                selector.register(client, selectors.EVENT_READ)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for one in (listener, awake, wakeup, client, *clients.values()):
        one.close()
    return program


def _tell_ended(clients: dict[int, socket.socket], selector: selectors.BaseSelector) -> None:
    """Send the exit status of each program that has ended to its client."""
    while clients:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        code = os.waitstatus_to_exitcode(status)
        client = clients.pop(pid)
        if client in selector.get_map():
            selector.unregister(client)
            # A client may end at this moment, too.
            with contextlib.suppress(OSError):
                # As a shell has it if a signal ended the program.
                client.sendall(bytes([code if code >= 0 else 128 - code]))
        client.close()


def _receive(client: socket.socket) -> _Program | None:
    """Return what a client asks for; None if it ends before it has said all."""
    streams = array.array("i")
    size, ancillary, *_flags = client.recvmsg(8, socket.CMSG_SPACE(3 * streams.itemsize))
    for *_kind, received in ancillary:
        streams.frombytes(received)
    asked = client.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL)
    try:
        arguments, folder, environ = marshal.loads(asked)
    except (EOFError, ValueError):
        return None
    decoded = {os.fsdecode(name): os.fsdecode(value) for name, value in environ.items()}
    return _Program(list(arguments), folder, decoded, list(streams))


def _become(program: _Program, executable: str, same_in_archive: _SameInArchive) -> NoReturn:
    """Run a program, and end with its exit status."""
    # What is registered for the end of the process that forked.
    atexit._clear()
    for number, stream in enumerate(program.streams):
        os.dup2(stream, number)
        os.close(stream)
    _open_streams()
    os.chdir(program.folder)
    fits = _fits(program)
    path, others = _python_path(program.environ), _python_path(os.environ)
    os.environ.clear()
    os.environ.update(program.environ)
    if not fits:
        os.execv(sys.executable, [sys.executable, *program.arguments])
    sys.path[1:] = [*path, *(entry for entry in sys.path[1:] if entry not in others)]
    sys.executable = executable
    sys.pycache_prefix = program.environ.get("PYTHONPYCACHEPREFIX") or None
    status = _status_of(program.arguments, same_in_archive)
    # As Python ends, but its memory is left to the system, which is faster.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _open_streams() -> None:
    """Open the standard streams again, as what they lead to may be a file or a terminal now."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        before = getattr(sys, name)
        stream = open(  # noqa: SIM115 until the end
            number,
            "w" if number else "r",
            buffering=1 if name == "stderr" else -1,
            encoding=before.encoding,
            errors=before.errors,
            closefd=False,
        )
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _fits(program: _Program) -> bool:
    """Return whether a program would import by itself what is imported."""
    option = next(iter(program.arguments), "")
    if _of_python(program.environ) != _of_python(os.environ) or (
        option.startswith("-") and option != "-m"
    ):
        return False
    here = set(_python_path(os.environ))
    added = [Path(entry) for entry in _python_path(program.environ) if entry not in here]
    if option == "-m":
        return not added
    imported = {name.partition(".")[0] for name in sys.modules} - _ARCHIVED
    return not any(path.stem in imported for entry in added for path in entry.glob("*"))


def _of_python(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what decides how Python starts, but for `_ANY_VALUE`, and what measures coverage."""
    return {
        name: value
        for name, value in environ.items()
        if name.startswith(("PYTHON", "COVERAGE_")) and name not in _ANY_VALUE
    }


def _python_path(environ: Mapping[str, str]) -> list[str]:
    return [entry for entry in environ.get("PYTHONPATH", "").split(os.pathsep) if entry]


def _status_of(arguments: list[str], same_in_archive: _SameInArchive) -> int:
    """Run a program, and return its exit status."""
    try:
        _run(arguments, same_in_archive)
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
            return 1
        return end.code or 0
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _run(arguments: list[str], same_in_archive: _SameInArchive) -> None:
    """Run a module with `-m`, a script, or a script from standard input."""
    if arguments[:1] == ["-m"]:
        sys.argv = arguments[1:]
        sys.path[0] = str(Path.cwd())
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        return
    for name in [name for name in sys.modules if name.partition(".")[0] in _ARCHIVED]:
        del sys.modules[name]
    sys.meta_path.insert(0, same_in_archive)
    sys.argv = arguments or [""]
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    if arguments:
        script = Path(arguments[0])
        sys.path[0] = str(script.parent)
        main.__file__ = arguments[0]
        code = compile(script.read_bytes(), arguments[0], "exec")
    else:
        sys.path[0] = ""
        code = compile(sys.stdin.buffer.read(), "<stdin>", "exec")
    exec(code, vars(main))


def _main(preparation: str, path: str, executable: str) -> None:
    importlib.import_module(preparation).prepare()
    same_in_archive = _SameInArchive()
    # Else the garbage collector of each child copies what all of them share.
    gc.freeze()
    program = _serve(path)
    if program:
        _become(program, executable, same_in_archive)


if __name__ == "__main__":
    _main(*sys.argv[1:])
