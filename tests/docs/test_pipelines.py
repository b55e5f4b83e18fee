# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pipelines of the guides log in with the token of their service, and so does the pod of AWX.

What a pipeline's last step runs is run here, with the variables that the service sets, beside
stand-ins for GitHub and Entra.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from tools.paths import COLLECTIONS, ROOT, link_collection

from docs.blocks import Block
from docs.documents import BLOCKS, PAGES
from emulator import running
from emulator.platform import EXCHANGE_AUDIENCE, TENANT, federated_token, metadata_services

FOUND = [block for page in PAGES for block in BLOCKS[page]]
PIPELINES = [pytest.param(block, id=block.id) for block in FOUND if block.kind == "pipeline"]
CLIENT_ID = "2b7d9e40-1f63-4c58-a0d7-94e6c1b35f82"
BEARER = "token-of-the-job"
PLAYBOOK = """\
- hosts: localhost
  gather_facts: false
  tasks:
    - community.infisical.infisical_identity_info:
        names: [billing]
"""


class _GitHub(BaseHTTPRequestHandler):
    """Gives a job a token for the audience that it asks for."""

    def do_GET(self) -> None:
        right = self.headers["Authorization"] == f"Bearer {BEARER}"
        right = right and self.path == f"/token?api-version=2.0&audience={EXCHANGE_AUDIENCE}"
        body = json.dumps({"count": 1, "value": federated_token("repo:acme/identities")}).encode()
        self.send_response(200 if right else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: t.Any) -> None:
        """Print nothing."""


@pytest.fixture
def github() -> t.Iterator[dict[str, str]]:
    """What GitHub sets for a job that may have an ID token."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _GitHub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield {
            "ACTIONS_ID_TOKEN_REQUEST_URL": (
                f"http://127.0.0.1:{server.server_port}/token?api-version=2.0"
            ),
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": BEARER,
        }
        server.shutdown()


def read(block: Block) -> tuple[dict[str, str], str, str]:
    """Return a pipeline's variables, and the scripts that install Ansible and that run it."""
    content = yaml.safe_load(block.text)
    if "jobs" in content:
        assert content["permissions"]["id-token"] == "write"
        (job,) = content["jobs"].values()
        _checkout, install, run = job["steps"]
        return job["env"], install["run"], run["run"]
    install, run = content["steps"]
    assert run["inputs"]["addSpnToEnvironment"] is True
    return content["variables"], install["script"], run["inputs"]["inlineScript"]


@pytest.mark.parametrize("block", PIPELINES)
@pytest.mark.skipif(not shutil.which("jq") or not shutil.which("curl"), reason="needs curl and jq")
def test_pipeline_logs_in_with_its_own_token(
    block: Block, github: dict[str, str], tmp_path: Path
) -> None:
    link_collection()
    variables, _install, script = read(block)
    (tmp_path / "site.yml").write_text(PLAYBOOK, encoding="utf-8")
    with running() as emulator:
        user = emulator.create_identity("runner", role="admin", methods=["azure-auth"])
        with metadata_services(emulator, identities={CLIENT_ID: user}) as entra:
            environment = {
                **{name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ},
                **variables,
                "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
                "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
                "ANSIBLE_HOME": str(tmp_path / ".ansible"),
                "RUNNER_TEMP": str(tmp_path),
                **github,
                "AGENT_TEMPDIRECTORY": str(tmp_path),
                "servicePrincipalId": CLIENT_ID,
                "tenantId": TENANT,
                "idToken": federated_token("sc://acme/identities/my-service-connection"),
                # For the stand-ins, in place of what the guide has.
                "INFISICAL_URL": emulator.url,
                "INFISICAL_MACHINE_IDENTITY_ID": user,
                "AZURE_AUTHORITY_HOST": entra.url,
                "NO_PROXY": "127.0.0.1",
            }
            run = subprocess.run(
                ["bash", "-e", "-c", script],
                cwd=tmp_path,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            assert run.returncode == 0, run.stdout
            assert [item.query["client_id"] for item in entra.requests()] == [CLIENT_ID]
    assert environment["idToken"] not in run.stdout


@pytest.mark.parametrize("block", PIPELINES)
def test_pipeline_installs_what_modules_need(block: Block) -> None:
    _variables, install, _run = read(block)
    pip, galaxy = map(shlex.split, install.splitlines())
    needed = (ROOT / "meta" / "ee-requirements.txt").read_text(encoding="utf-8")
    libraries = [line.split()[0] for line in needed.splitlines() if line and line[0] != "#"]
    assert pip == ["pip", "install", "ansible-core", *libraries]
    repository = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["repository"]
    assert galaxy == ["ansible-galaxy", "collection", "install", f"git+{repository}.git"]


def test_pod_of_awx_has_the_identity_of_its_service_account() -> None:
    """As AKS wants it: the label on the pod, the client ID on the service account."""
    objects = [yaml.safe_load(block.text) for block in FOUND if block.kind == "kubernetes"]
    account, pod = objects
    assert (account["kind"], pod["kind"]) == ("ServiceAccount", "Pod")
    annotations = account["metadata"]["annotations"]
    assert annotations == {"azure.workload.identity/client-id": CLIENT_ID}
    assert pod["metadata"]["labels"] == {"azure.workload.identity/use": "true"}
    assert pod["metadata"]["namespace"] == account["metadata"]["namespace"]
    assert pod["spec"]["serviceAccountName"] == account["metadata"]["name"]
    # The container that AWX talks to.
    (container,) = pod["spec"]["containers"]
    assert container["name"] == "worker"
    assert container["args"] == ["ansible-runner", "worker", "--private-data-dir=/runner"]
    (command,) = [
        line
        for block in FOUND
        if block.language == "console"
        for line in block.text.splitlines()
        if "federated-credential create" in line
    ]
    subject = f"system:serviceaccount:{account['metadata']['namespace']}:infisical"
    words = shlex.split(command)
    assert words[words.index("--subject") + 1] == subject
    assert words[words.index("--audiences") + 1] == EXCHANGE_AUDIENCE
