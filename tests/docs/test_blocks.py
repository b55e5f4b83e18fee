# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every code block of the documentation does what the documentation says."""

from __future__ import annotations

import itertools
import json
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from tools.paths import ROOT

from docs.blocks import Block, BlockError
from docs.documents import BLOCKS, MODULES, PAGES, PLUGINS
from docs.stories import (
    COLLECTION,
    LOCAL_GIT,
    Record,
    Story,
    as_part,
    commands,
    is_local_git,
)
from docs.tables import environment_variables, make_targets, mapping
from docs.terraform import terraform_resources

Tell = t.Callable[[str], Story]

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DURATION = re.compile(r"\bin (?:\d+ h )?(?:\d+ min )?\d+ s\.")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def _blocks(*kinds: str) -> list[t.Any]:
    return [
        pytest.param(block, id=block.id)
        for document in PAGES
        for block in BLOCKS[document]
        if block.kind in kinds
    ]


def _previous(block: Block, *kinds: str) -> Block:
    """The nearest block of these kinds above, which the given block speaks of."""
    blocks = BLOCKS[block.document]
    for candidate in reversed(blocks[: blocks.index(block)]):
        if candidate.kind in kinds:
            return candidate
    raise BlockError(f"{block.id}: no block above that it could speak of")


def _report(records: t.Sequence[Record], output: str) -> str:
    messages = [str(record.result.get("msg", "")) for record in records]
    return "\n".join([*messages, output])


@pytest.mark.parametrize("block", _blocks("playbook", "tasks"))
def test_block_runs_as_its_mark_says(block: Block, tell: Tell) -> None:
    """Each task of the collection in the block ends as the outcome mark says; no other fails."""
    story = tell(block.document)
    if "file" in block.marks:
        assert _is_used(block)
        return
    told = story[block]
    assert [record.status for record in told.own] == block.outcomes, _report(
        told.records, told.output
    )
    failed = [record for record in told.records if record.status in ("failed", "unreachable")]
    assert all(record in told.own for record in failed), _report(failed, told.output)
    assert bool(told.returncode) == ("failed" in block.outcomes), told.output


@pytest.mark.parametrize("block", _blocks("text"))
def test_message_is_the_one_that_the_block_above_fails_with(block: Block, tell: Tell) -> None:
    """A text block shows the message of the failing block before it, line breaks and ids aside."""
    cause = _previous(block, "playbook", "tasks")
    assert cause.outcomes[-1] == "failed"
    story = tell(block.document)
    message = story.as_documented(story[cause].own[-1].result["msg"])
    told, shown = (_UUID.sub("<id>", " ".join(text.split())) for text in (message, block.text))
    assert told == shown


@pytest.mark.parametrize("block", _blocks("ansible-output"))
def test_diff_is_the_one_that_the_block_above_prints(block: Block, tell: Tell) -> None:
    """An ansible-output block shows what the last task of the block before it prints."""
    cause = _previous(block, "playbook", "tasks")
    story = tell(block.document)
    diff = story.as_documented(story[cause].own[-1].diff)
    assert _lines(diff) == _lines(block.text)


@pytest.mark.parametrize("block", _blocks("result"))
def test_result_is_the_one_that_the_block_above_returns(block: Block, tell: Tell) -> None:
    """A result block shows what the last task of the block before it returned."""
    cause = _previous(block, "playbook", "tasks")
    key = block.marks["result"]
    returned = {key: tell(block.document)[cause].own[-1].result[key]}
    assert _shape(returned) == _shape(yaml.safe_load(block.text))


@pytest.mark.parametrize("block", _blocks("json"))
def test_request_is_one_that_the_block_above_sends(block: Block, tell: Tell) -> None:
    """A json block shows the body of a request about the identity of the last task above it."""
    story = tell(block.document)
    records = story[_previous(block, "playbook", "tasks")].own
    identity_id = records[-1].result["azure_auth"]["identity_id"]
    sent = [
        request.body
        for request in story.requests
        if request.method == block.marks["sent"] and request.path.endswith(identity_id)
    ]
    assert json.loads(block.text) in sent


@pytest.mark.parametrize("block", _blocks("terraform"))
def test_terraform_has_the_settings_of_the_task_below(block: Block) -> None:
    """Its arguments are, by the table of the guide, options of the task, with the same values."""
    blocks = BLOCKS[block.document]
    below = next(other for other in blocks[blocks.index(block) :] if other.kind == "tasks")
    (task,) = yaml.safe_load(below.text)
    (options,) = (value for key, value in task.items() if key.startswith(COLLECTION))
    settings: dict[str, t.Any] = {}
    for kind, arguments in terraform_resources(block.text).items():
        names = mapping(block.document, kind)
        for name, value in arguments.items():
            *path, option = names[name].split(".")
            inner = settings
            for key in path:
                inner = inner.setdefault(key, {})
            if option:
                inner[option] = value
    assert settings == options


@pytest.mark.parametrize("block", _blocks("session"))
def test_session_prints_what_is_shown(block: Block, tell: Tell) -> None:
    """A console block with output shows what its command prints; `...` stands for more."""
    (command,) = commands(block)
    assert command.words[0] == "ansible-playbook" or is_local_git(command)
    shown = _lines(command.shown)
    assert set(shown) - {"..."}
    story = tell(block.document)
    output = story.as_documented(story[block].output)
    assert bool(story[block].returncode) == (block.marks.get("outcome") == "failed"), output
    as_shown = _contains(_lines(output), shown)
    assert as_shown, output


@pytest.mark.parametrize("block", _blocks("commands"))
def test_shell_commands_name_things_that_exist(block: Block) -> None:
    """Each command is of a kind that is known here, and what it names exists."""
    found = commands(block)
    assert found
    for command in found:
        for words in _joined(command.words):
            _check_command(block, words)


@pytest.mark.parametrize("block", _blocks("requirements"))
def test_requirements_name_this_collection(block: Block) -> None:
    """A requirements file installs this collection, by name or from its repository."""
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    for collection in yaml.safe_load(block.text)["collections"]:
        assert set(collection) <= {"name", "version", "source", "type"}
        assert collection["name"] in ("community.infisical", galaxy["repository"] + ".git")


@pytest.mark.parametrize("block", _blocks("inventory", "variables"))
def test_file_is_used(block: Block) -> None:
    """An inventory, or a file of variables or of other data, is used by what a block runs."""
    assert _is_used(block)


@pytest.mark.parametrize("block", _blocks("part"))
def test_part_of_a_file_is_what_it_has(block: Block, tell: Tell) -> None:
    """A part of a file that a command above wrote is as shown; an edited one has other content."""
    story = tell(block.document)
    if "edit" in block.marks:
        shown = _previous(block, "part")
        assert shown.marks["shows"] == block.marks["edit"]
        assert shown.text != block.text
    else:
        text = story.as_documented(story[block].output)
        assert as_part(block.text, text) in text


@pytest.mark.parametrize("document", MODULES)
def test_module_examples_run_and_keep(document: str, tell: Tell) -> None:
    """No task of a module's EXAMPLES fails, and none that changed something does so again.

    Some do, unless the module only reads.
    """
    (block,) = BLOCKS[document]
    told = tell(document)[block]
    assert told.returncode == 0, _report(told.records, told.output)
    records = iter(told.own)
    changed = False
    for item in yaml.safe_load(block.text):
        tasks = list(_own_tasks(item))
        first, again = (list(itertools.islice(records, len(tasks))) for _time in range(2))
        assert len(first) == len(again) == len(tasks)
        changed = changed or "changed" in {record.status for record in first}
        for task, before, after in zip(tasks, first, again):
            expected = before.status if task.get("check_mode") else "unchanged"
            assert after.status == expected, f"{task['name']}: {after.result}"
    assert next(records, None) is None
    assert changed != document.endswith("_info.py")


def _is_used(block: Block) -> bool:
    """Whether a file, or its folder, is named by a command that is run, or a file by another."""
    name = block.marks["file"]
    folder = name.rpartition("/")[0]
    if folder:
        users = [other for other in BLOCKS[block.document] if "file" not in other.marks]
        return any(re.search(rf"[='\"]{re.escape(folder)}\b", other.text) for other in users)
    return any(
        {name, f"@{name}"} & set(command.words)
        for other in BLOCKS[block.document]
        if other.kind == "session"
        for command in commands(other)
    ) or any(
        re.search(rf"\b{re.escape(name)}$", other.text, re.MULTILINE)
        for other in BLOCKS[block.document]
        if "file" in other.marks and other is not block
    )


@pytest.mark.parametrize("document", PLUGINS)
def test_plugin_examples_run(document: str, tell: Tell) -> None:
    """No task of a filter's or lookup's EXAMPLES fails, and those that are to show something do."""
    (block,) = BLOCKS[document]
    told = tell(document)[block]
    assert told.returncode == 0, _report(told.records, told.output)
    assert "community.infisical." + Path(document).stem in block.text
    shown = [record for record in told.records if record.action == "ansible.builtin.debug"]
    assert shown
    assert all(record.result.get("results") or record.result["msg"] for record in shown)


def _own_tasks(item: dict[str, t.Any]) -> t.Iterator[dict[str, t.Any]]:
    """Yield the tasks with a module of this collection in a task or block, in order."""
    if any(key.startswith(COLLECTION) for key in item):
        yield item
    for section in ("block", "always"):
        for inner in item.get(section, []):
            yield from _own_tasks(inner)


def _joined(words: t.Sequence[str]) -> t.Iterator[list[str]]:
    """Yield the commands that `&&` joins into one."""
    for joint, part in itertools.groupby(words, "&&".__eq__):
        if not joint:
            yield list(part)


def _check_command(block: Block, command: t.Sequence[str]) -> None:
    program, *words = command
    if program == "make":
        assert {word for word in words if "=" not in word} <= make_targets()
    elif program == "export":
        for word in words:
            name = word.partition("=")[0]
            assert (
                name in environment_variables() | _CONTROLLER | _loaded()
            ), f"nothing reads {word}"
    elif program == "ansible-playbook":
        files = [other.marks.get("file") for other in BLOCKS[block.document]]
        playbooks = [f"{COLLECTION}{path.stem}" for path in ROOT.glob("playbooks/*.yml")]
        known = {*files, *playbooks, "extensions/awx/load.yml"}
        assert set(words) & known, f"no such playbook: {words}"
    elif program == "xdg-open":
        defaults = (ROOT / "roles/identities_audit/defaults/main.yml").read_text(encoding="utf-8")
        assert words == [yaml.safe_load(defaults)["identities_audit_html"]]
    elif program == "ansible-doc":
        modules = [f"{COLLECTION}{path.stem}" for path in ROOT.glob("plugins/modules/*.py")]
        assert words[-1] in modules
    elif program == "ansible-galaxy":
        _check_galaxy(words)
    elif (program, *words[:2]) == ("python3", "-m", "venv"):
        assert words[2:] == [_VENV]
    elif program == ".":
        assert words == [f"{_VENV}/bin/activate"]
    elif program == "pip":
        assert words[:2] == ["install", "ansible-core"]
        _check_libraries(words[2:])
    elif program == "pipx":
        assert words[:2] == ["inject", "ansible-core"]
        _check_libraries(words[2:])
    elif program == "cd":
        repository = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["repository"]
        assert words == [repository.rpartition("/")[2]]
    elif program == "ansible-builder":
        _check_builder(words)
    elif program == "podman":
        images = [word for other in BLOCKS[block.document] for word in other.text.split()]
        assert words[0] == "push"
        assert images.count(words[1]) > 1, f"nothing builds {words[1]}"
    elif program == "az":
        assert " ".join(words).startswith(_AZ), f"not one of the known commands: {words}"
    elif program == "terraform":
        assert words == ["show", "-json", ">", "state.json"]
    elif program == "git":
        assert words[0] in (*LOCAL_GIT, "checkout", "clone", "merge", "tag", "push")
    elif program == "sha256sum":
        assert words == ["--check", "SHA256SUMS"] or _ARTIFACT.fullmatch(Path(words[-1]).name)
    elif program == "gh":
        _check_attestation(words)
    else:
        raise BlockError(f"{block.id}: the tests do not know the command {program!r}")


_VENV = "~/ansible"
_ARTIFACT = re.compile(r"community-infisical-[\d.]+\.tar\.gz")


def _check_attestation(words: list[str]) -> None:
    """It is one of the two that the release workflow makes, of this repository."""
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    repository = galaxy["repository"].removeprefix("https://github.com/")
    workflow = ".github/workflows/release.yml"
    assert words[:2] == ["attestation", "verify"]
    assert _ARTIFACT.fullmatch(words[2])
    assert words[3:5] == ["--repo", repository]
    assert words[5:] in (
        ["--signer-workflow", f"{repository}/{workflow}"],
        ["--predicate-type", "https://cyclonedx.org/bom"],
    )
    text = (ROOT / workflow).read_text(encoding="utf-8")
    assert text.count("uses: actions/attest@") == 2
    assert text.count("sbom-path: ") == 1


def _check_libraries(words: list[str]) -> None:
    needed = (ROOT / "meta" / "ee-requirements.txt").read_text(encoding="utf-8")
    floors = re.findall(r"^(\w+) >= ([0-9.]+)$", needed, re.MULTILINE)
    assert words == [f"{library}>={floor}" for library, floor in floors]


# What the modules of awx.awx read.
_CONTROLLER = {"CONTROLLER_HOST", "CONTROLLER_OAUTH_TOKEN"}


def _loaded() -> set[str]:
    """Return the variables that the credentials for AWX are taken from."""
    text = (ROOT / "extensions" / "awx" / "controller.yml").read_text(encoding="utf-8")
    return set(re.findall(r"lookup\('ansible\.builtin\.env', '(\w+)'\)", text))


# Looked up in Microsoft's reference of the Azure CLI; there is no Azure here to run them against.
_AZ = (
    "account show --query tenantId",
    "ad sp show --id",
    "aks show --resource-group my-group --name my-cluster --query oidcIssuerProfile.issuerUrl",
    "identity federated-credential create --resource-group",
    "identity show --resource-group",
    "vm identity show --resource-group",
    "webapp identity show --resource-group",
)


def _check_builder(words: list[str]) -> None:
    assert words[0] in ("build", "introspect")
    if words[0] == "build":
        assert words[1] == "-f"
        assert (ROOT / words[2]).is_file()


def _check_galaxy(words: list[str]) -> None:
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    assert words[:2] in (["collection", "install"], ["collection", "build"])
    artifact = "{namespace}-{name}-{version}.tar.gz".format(**galaxy)
    name = "{namespace}.{name}".format(**galaxy)
    known = {"-r", "requirements.yml", name, artifact, "git+" + galaxy["repository"] + ".git"}
    # For the playbook that loads AWX's objects.
    known.add("awx.awx")
    assert set(words[2:]) <= known, f"unknown words: {set(words[2:]) - known}"


def _lines(text: str) -> list[str]:
    """The lines of an output without what differs from run to run.

    That is the terminal's width, the ids in the heads of diffs, and how long something took.
    """
    lines = [line.rstrip(" *") for line in text.splitlines() if line.strip()]
    lines = [_DURATION.sub("in <time>.", line) for line in lines]
    return [
        _UUID.sub("<id>", line) if line.startswith(("--- before", "+++ after")) else line
        for line in lines
    ]


def _contains(output: list[str], shown: list[str]) -> bool:
    """Whether the output is what is shown, where a line `...` stands for any number of lines."""
    pattern = "\n".join(".*" if line == "..." else re.escape(line) for line in shown)
    return re.fullmatch(pattern, "\n".join(output), re.DOTALL) is not None


def _shape(value: t.Any) -> t.Any:
    """The value with what differs from run to run, ids and times, replaced by what it is."""
    if isinstance(value, dict):
        volatile = ("id", "identity_id", "organization_id", "created_at", "updated_at")
        return {
            key: _stand_in(item) if key in volatile else _shape(item) for key, item in value.items()
        }
    if isinstance(value, list):
        return [_shape(item) for item in value]
    return value


def _stand_in(value: t.Any) -> t.Any:
    if isinstance(value, str) and _UUID.fullmatch(value):
        return "a UUID"
    if isinstance(value, str) and _TIME.fullmatch(value):
        return "a time"
    return value
