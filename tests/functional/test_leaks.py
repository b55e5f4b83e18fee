# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No secret in anything that Ansible prints, logs, runs or leaves behind."""

from __future__ import annotations

import contextlib
import re
import threading
import typing as t
from pathlib import Path

import pytest
from functional.cases import ATTACHED, REQUIRED
from functional.harness import (
    FLEET,
    IDENTITY,
    INFO,
    MODULE,
    THOROUGH,
    Run,
    run_play,
    run_play_apart,
)
from tools import interpreter

LOGIN = "community.infisical.infisical_login"
CLIENT_ID = "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID"
CLIENT_SECRET = "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET"
WRONG = "Wr0ngS3cretThatIsLong"
PASSWORD = "Pa55wordOfAProxy"
# What the test itself writes: the playbook holds what its author put there.
OWN = ("playbook.yml",)


class ProcessList(threading.Thread):
    """Reads the arguments of every process with a text in its environment, again and again."""

    def __init__(self, mark: str) -> None:
        super().__init__(daemon=True)
        self.seen: set[str] = set()
        self._mark = mark.encode()
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.wait(0.1):
            for process in Path("/proc").glob("[0-9]*"):
                # It may be gone by now, or somebody else's.
                with contextlib.suppress(OSError):
                    if self._mark in (process / "environ").read_bytes():
                        arguments = (process / "cmdline").read_bytes()
                        self.seen.add(arguments.replace(b"\0", b" ").decode("utf-8", "replace"))

    def stop(self) -> str:
        self._done.set()
        self.join()
        return "\n".join(self.seen)


def tasks_of(server: t.Any) -> list[dict[str, t.Any]]:
    """Return tasks with secrets, that succeed and that fail in many ways."""
    ids = server.create_identities([f"leaks {number}" for number in range(8)])
    for identity_id in ids:
        server.put_azure_auth(identity_id, **ATTACHED)
    # Long, so that the bound on messages would cut the secret, and Ansible not know the rest.
    echo = f"{'You sent ' * 31}{server.client_secret} {server.token}"
    server.fault("error", identity_id=ids[7], status=400, error="BadRequest", message=echo)
    server.fault("body", identity_id=ids[2], text=f"<html>{server.client_secret}</html>")
    server.fault("redirect", identity_id=ids[3], location=f"http://x/?t={server.client_secret}")
    server.fault("drop", identity_id=ids[4])
    server.fault("error", identity_id=ids[5], status=401, error="UnauthorizedError")
    server.fault("rate_limit", identity_id=ids[6], retry_after=999)
    refusal = {"status": 400, "error": "BadRequest", "message": echo}
    server.fault("error", method="POST", path="/identities$", nth=3, **refusal)
    server.fault("error", method="PATCH", path=f"/v1/identities/{ids[0]}", **refusal)
    impatient = {"retries": 0, "rate_limit_timeout": 0}
    common = {"resource": "leaks"}
    wrong = {
        "universal_auth_client_id": server.client_id,
        "universal_auth_client_secret": WRONG,
    }
    given = {"token": server.token}
    login_data = {"url": server.url, "access_token": server.token}
    return [
        *({MODULE: {"identity_id": i, **common, **impatient}} for i in ids[:7]),
        {MODULE: {"identity_id": ids[0], **given}},
        {MODULE: {"identity_id": ids[7], **given, **common, **impatient}},
        {MODULE: {"identity_id": ids[0], "login_data": login_data}},
        {MODULE: {"identity_id": ids[0], "access_token_ttl": -1}},
        {MODULE: {"identity_id": ids[0], **wrong}},
        {MODULE: {"identity_id": ids[0], "token": f"{WRONG} with a blank"}},
        {MODULE: {"identity_id": ids[0], "auth_method": "ldap_auth", "ldap_password": WRONG}},
        {MODULE: {"identity_id": ids[0], "url": f"https://user:{WRONG}@infisical.invalid"}},
        {MODULE: {"identity_id": ids[0], "login_data": {"url": f"x://u:{WRONG}@x"}}},
        # A bad and a good one each of several, and one that echoes the secret.
        {FLEET: {"identities": [{"id": i, "azure_auth": common} for i in ids], **impatient}},
        {INFO: {"ids": ids, **impatient}},
        {INFO: {"ids": ids, "metadata": True, **given, **impatient}},
        {FLEET: {"identities": [{"id": ids[0]}, 7], **given}},
        {FLEET: {"identities": [{"id": ids[1], "role": "no-access"}], **wrong}},
        *({IDENTITY: {"id": i, "azure_auth": common, **impatient}} for i in (ids[1], *ids[3:])),
        # Made, changed, and refused with the secret in the answer.
        {IDENTITY: {"name": "leaks new", "metadata": {"a": "b"}, "azure_auth": REQUIRED}},
        {FLEET: {"identities": [{"name": "leaks newer", "delete_protection": True}]}},
        {IDENTITY: {"name": "leaks refused", "azure_auth": REQUIRED, **given, **impatient}},
        {IDENTITY: {"id": ids[0], "name": "leaks renamed", **given, **impatient}},
        {IDENTITY: {"name": "leaks new", "state": "absent", "login_data": login_data}},
        {IDENTITY: {"name": "leaks", **wrong}},
        {IDENTITY: {"name": "leaks", "role": "custom", "metadata": {"a": 1}, **given}},
        # A secret in the wrong place, of which a message shows no more than the beginning.
        {FLEET: {"identities": [server.token, {"id": server.token}], **given}},
        {FLEET: {"identities": [], "purge_azure_auth_except": [server.token], **given}},
        {INFO: {"names": [server.token], **given}},
        {INFO: {"project_id": server.token, **given}},
        {IDENTITY: {"id": server.token, "role": server.token, **given}},
        {IDENTITY: {"name": "leaks", "role": server.token, "create": WRONG, **given}},
        {IDENTITY: {"name": server.token, "state": "absent", **given}},
        {IDENTITY: {"name": "leaks", "azure_auth": {"client_secret": WRONG}, **given}},
        {IDENTITY: {"name": "leaks", "azure_auth": f"{WRONG}: x", "token": WRONG}},
        {FLEET: {"identities": [{"name": "leaks", "client_secret": WRONG}], **given}},
        {FLEET: {"identities": [{"name": "l", "azure_auth": {"jwt": WRONG}}], **given}},
        {MODULE: {"identity_id": f"Bearer {server.token}", **given}},
        # What Ansible, or the module, refuses before a login is chosen.
        {MODULE: {"identity_id": ids[0], "login_data": server.token}},
        {MODULE: {"identity_id": ids[0], "login_data": {"token": server.token}}},
        {MODULE: {"identity_id": ids[0], "login_data": {"url": server.token}}},
        {MODULE: {"identity_id": ids[0], "client_secret": WRONG}},
        {MODULE: {"identity_id": ids[0], "tenant": 1, "url": f"https://user:{WRONG}@x"}},
        {MODULE: {"identity_id": ids[0], "state": "?", "url": f"https://user:{WRONG}@x", **given}},
        {MODULE: {"identity_id": server.token, "timeout": "x", "url": "no URL", **given}},
        {INFO: {"ids": ids, "concurrency": "x", "ldap_password": [WRONG]}},
        {MODULE: {"identity_id": ids[0], "url": [f"https://user:{WRONG}@x"], **given}},
        {MODULE: {"identity_id": ids[0], "url": f"https://{WRONG}@infisical.invalid", **given}},
        # Warned of by its name, and cut.
        {
            FLEET: {
                "identities": [
                    {
                        "name": server.token,
                        "azure_auth": {"access_token_trusted_ips": ["10.1.2.3/8"]},
                    }
                ],
                "create": False,
                **given,
            }
        },
        {LOGIN: {}, "register": "login", "no_log": True},
        {MODULE: {"identity_id": ids[0], "login_data": "{{ login }}"}},
        {LOGIN: {"state": "absent", "login_data": "{{ login.login_data }}"}},
        {LOGIN: wrong},
    ]


def searched(folder: Path, run: Run) -> dict[str, str]:
    """Return everything that a run has written, by where."""
    texts = {"output": run.output}
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in OWN:
            texts[str(path.relative_to(folder))] = path.read_text("utf-8", "replace")
    return texts


# The other prints nothing but results, which lie in a file of the first run, too.
@pytest.mark.parametrize("callback", ["default", "minimal"] if THOROUGH else ["default"])
def test_no_secret_gets_out(
    callback: str,
    server: t.Any,
    tmp_path: Path,
    record_property: t.Callable[[str, object], None],
) -> None:
    tasks = tasks_of(server)
    server.clear_requests()
    processes = ProcessList(str(tmp_path / "ansible.log"))
    processes.start()
    run = run_play_apart(
        tmp_path,
        tasks,
        "-vvvvv",
        "--diff",
        # Processes have the same arguments as with the usual one.
        f"--extra-vars=ansible_python_interpreter={interpreter.python()}",
        INFISICAL_URL=server.url,
        ANSIBLE_LOG_PATH=str(tmp_path / "ansible.log"),
        ANSIBLE_STDOUT_CALLBACK=callback,
        ANSIBLE_HOME=str(tmp_path / ".ansible"),
        ANSIBLE_REMOTE_TMP=str(tmp_path / "remote"),
        # With pipelining there would be no files to look at.
        ANSIBLE_PIPELINING="0",
        HTTP_PROXY=f"http://proxy:{PASSWORD}@127.0.0.1:9",
        NO_PROXY="127.0.0.1",
        **{CLIENT_ID: server.client_id, CLIENT_SECRET: server.client_secret},
    )
    server.clear_faults()
    texts = {**searched(tmp_path, run), "processes": processes.stop()}
    outcomes = [result["failed"] for result in run.results]
    assert outcomes.count(False) >= 9, "the tasks that should pass did not"
    assert outcomes.count(True) >= 36, "the tasks that should fail did not"
    assert "ansible-playbook" in texts["processes"]
    for module in (MODULE, IDENTITY, FLEET, INFO):
        assert f"AnsiballZ_{module.rpartition('.')[2]}.py" in texts["processes"]
    assert "leaks" in texts["output"]
    secrets = {server.client_secret, server.token, WRONG, PASSWORD}
    leaks = [(place, s) for place, text in texts.items() for s in secrets if s in text]
    # Every token of the emulator is a JWT: so are those that the tasks got for themselves.
    jwt = re.compile(r"eyJ[\w-]{10,}\.[\w-]+")
    leaks += [(place, "a token") for place, text in texts.items() if jwt.search(text)]
    assert leaks == []
    record_property("secrets", len(secrets))
    record_property("places", len(texts))


def test_what_the_login_does_not_use_masks_nothing(server: t.Any, tmp_path: Path) -> None:
    """A word that is somebody's password would else go into what is written."""
    identity_id = server.create_identity("masks nothing")
    server.put_azure_auth(identity_id, **ATTACHED)
    connection = {"url": server.url, "identity_id": identity_id}
    unused = {"ldap_password": "management", "jwt": "azure", "auth_method": "token_auth"}
    tasks = [
        {MODULE: {**connection, "token": server.token}},
        {MODULE: {**connection, "token": server.token, **unused}},
        # An input that AWX leaves blank would mask every blank.
        {MODULE: {**connection, "token": server.token, "jwt": " ", "state": "?"}},
        {INFO: {"url": server.url, "ids": [identity_id], "token": server.token}},
        {
            IDENTITY: {
                "url": server.url,
                "id": identity_id,
                "metadata": {"domain": "management"},
                "azure_auth": {"resource": ATTACHED["resource"]},
                "token": server.token,
                **unused,
            }
        },
    ]
    environment = {"INFISICAL_LDAP_PASSWORD": "management", "INFISICAL_JWT": "https"}
    run = run_play(tmp_path, tasks, "-vvv", **environment)
    assert [result["failed"] for result in run.results] == [False, False, True, False, False]
    assert run.results[0]["azure_auth"]["resource"] == ATTACHED["resource"]
    assert run.results[1]["azure_auth"]["resource"] == ATTACHED["resource"]
    assert "value of state must be one of" in run.results[2]["msg"]
    (read,) = run.results[3]["identities"]
    assert read["azure_auth"]["resource"] == ATTACHED["resource"]
    assert run.results[4]["identity"]["metadata"] == {"domain": "management"}
    assert run.results[4]["identity"]["azure_auth"]["resource"] == ATTACHED["resource"]
    assert "management.azure.com" in run.output


@pytest.mark.parametrize("verbosity", ["--diff", "-v", "-vvv"])
def test_a_name_cannot_forge_a_line_of_output(
    verbosity: str, server: t.Any, tmp_path: Path
) -> None:
    name = f"app {verbosity}\nok: [forged]\r\x1b[32m\x9b31m\u202e"
    identity_id = server.create_identity(name)
    server.put_azure_auth(identity_id, **{**ATTACHED, "resource": f"r{name}"})
    server.put_azure_auth(server.create_identity("other"), **ATTACHED)
    options = {"url": server.url, "token": server.token, "access_token_num_uses_limit": 9}
    tasks: list[dict[str, t.Any]] = [
        {MODULE: {**options, "identity_id": identity_id}, "check_mode": True},
        {MODULE: {**options, "identity_name": name}},
        {
            FLEET: {
                **{key: options[key] for key in ("url", "token")},
                "identities": [
                    {"name": name, "azure_auth": {"access_token_num_uses_limit": 8}},
                    {"name": f"{name}!", "azure_auth": {"access_token_ttl": -1}},
                ],
            }
        },
        {INFO: {**{key: options[key] for key in ("url", "token")}, "names": [name]}},
        {
            IDENTITY: {
                **{key: options[key] for key in ("url", "token")},
                "id": identity_id,
                "name": f"{name}?",
                "metadata": {name: name},
                "azure_auth": {"access_token_num_uses_limit": 7},
            }
        },
        {IDENTITY: {**{key: options[key] for key in ("url", "token")}, "name": f"{name}.."}},
        {
            IDENTITY: {
                **{key: options[key] for key in ("url", "token")},
                "name": f"{name}?",
                "role": name,
            }
        },
    ]
    run = run_play(tmp_path, tasks, "--diff", verbosity)
    failed = [result["failed"] for result in run.results]
    assert failed == [False, False, True, False, False, False, True]
    headers = run.results[1]["diff"]["before_header"]
    assert headers.isprintable()
    # Ansible prints results as JSON, in which it escapes no more than JSON asks it to.
    lines = run.output.split("\n")
    assert [line for line in lines if "\x1b" in line or "\r" in line] == []
    odd = [line for line in lines if not line.isprintable() and "=> {" not in line]
    assert verbosity != "--diff" or odd == []
    assert not re.search(r"^ok: \[forged\]", run.output, re.MULTILINE)


def test_no_token_travels_where_none_is_asked_for(server: t.Any, tmp_path: Path) -> None:
    server.clear_requests()
    (result,) = run_play(
        tmp_path,
        [{LOGIN: {}, "no_log": True}],
        INFISICAL_URL=server.url,
        **{CLIENT_ID: server.client_id, CLIENT_SECRET: server.client_secret},
    ).results
    assert not result["failed"]
    (login,) = server.requests()
    assert login.path == "/api/v1/auth/universal-auth/login"
    assert "authorization" not in login.headers
    assert login.query == {}
