# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No block of the documentation can escape the tests unseen."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.blocks import Block, BlockError, read
from docs.stories import commands

TASK = "- name: Look\n  ansible.builtin.debug:\n    msg: found\n"
PLAY = "- name: Play\n  hosts: localhost\n  tasks: []\n"


def _read(tmp_path: Path, name: str, text: str) -> list[Block]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read(path, name)


def _rst_block(language: str, text: str) -> str:
    body = "".join(f"  {line}\n" for line in text.splitlines())
    return f".. code-block:: {language}\n\n{body}\n"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        pytest.param(TASK, "tasks", id="task list"),
        pytest.param(PLAY, "playbook", id="playbook"),
        pytest.param("collections:\n  - name: a.b\n", "requirements", id="requirements"),
    ],
)
def test_kind_of_yaml_is_told_by_its_content(tmp_path: Path, text: str, kind: str) -> None:
    (markdown,) = _read(tmp_path, "page.md", f"```yaml\n{text}```\n")
    (rst,) = _read(tmp_path, "page.rst", _rst_block("yaml", text))
    assert (markdown.kind, rst.kind) == (kind, kind)
    assert markdown.text == rst.text == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("key: value\n", id="mapping"),
        pytest.param("- debug:\n    msg: found\n", id="module without its collection"),
        pytest.param("just text\n", id="scalar"),
    ],
)
def test_yaml_of_no_known_kind_is_an_error(tmp_path: Path, text: str) -> None:
    (block,) = _read(tmp_path, "page.md", f"```yaml\n{text}```\n")
    with pytest.raises(BlockError, match="do not know what this YAML is"):
        _kind = block.kind


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("page.md", "```\ntext\n```\n", id="Markdown without a language"),
        pytest.param("page.md", "```rust\ntext\n```\n", id="Markdown in another language"),
        pytest.param("page.rst", _rst_block("", "text\n"), id="directive without a language"),
        pytest.param("page.rst", "Like this::\n\n  text\n", id="literal block"),
        pytest.param("page.rst", _rst_block("rust", "text\n"), id="directive in another language"),
    ],
)
def test_block_in_an_unknown_language_is_an_error(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(BlockError, match="do not know the language"):
        _read(tmp_path, name, text)


def test_unknown_mark_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BlockError, match="do not know the marks"):
        _read(tmp_path, "page.md", f"<!-- outcom: changed -->\n```yaml\n{TASK}```\n")


@pytest.mark.parametrize("mark", ["", "<!-- outcome: fine -->\n"], ids=["none", "unknown word"])
def test_task_list_must_say_its_outcome(tmp_path: Path, mark: str) -> None:
    (block,) = _read(tmp_path, "page.md", f"{mark}```yaml\n{TASK}```\n")
    with pytest.raises(BlockError, match="needs an outcome mark"):
        _outcomes = block.outcomes


def test_mark_belongs_to_the_next_block_only(tmp_path: Path) -> None:
    first, second = _read(
        tmp_path,
        "page.rst",
        ".. outcome: changed, failed\n\n" + _rst_block("yaml", TASK) + _rst_block("yaml", TASK),
    )
    assert first.outcomes == ["changed", "failed"]
    assert not second.marks


def test_blocks_are_numbered_under_their_heading(tmp_path: Path) -> None:
    fence = f"```yaml\n{TASK}```\n"
    blocks = _read(tmp_path, "page.md", f"# One\n{fence}{fence}## Two things\n{fence}")
    assert [block.id for block in blocks] == [
        "page.md:one:1",
        "page.md:one:2",
        "page.md:two-things:1",
    ]


def test_examples_of_a_module_are_one_block(tmp_path: Path) -> None:
    (block,) = _read(tmp_path, "module.py", f'EXAMPLES = r"""\n{TASK}"""\nRETURN = r"""\n"""\n')
    assert (block.kind, block.text) == ("tasks", TASK)


def test_session_is_split_into_commands_and_their_output(tmp_path: Path) -> None:
    (block,) = _read(
        tmp_path, "page.md", "```console\n$ make demo\nok: 1\nok: 2\n$ make test\n```\n"
    )
    assert [(command.words, command.shown) for command in commands(block)] == [
        (("make", "demo"), "ok: 1\nok: 2"),
        (("make", "test"), ""),
    ]


@pytest.mark.parametrize(
    ("language", "text", "kind"),
    [
        pytest.param("shell", "make demo\nmake test", "commands", id="shell"),
        pytest.param("console", "$ make demo\n$ make test", "commands", id="prompts alone"),
        pytest.param("console", "$ make demo\nok", "session", id="a prompt and output"),
    ],
)
def test_output_makes_commands_a_session(
    tmp_path: Path, language: str, text: str, kind: str
) -> None:
    (block,) = _read(tmp_path, "page.md", f"```{language}\n{text}\n```\n")
    assert block.kind == kind


def test_output_without_a_command_is_an_error(tmp_path: Path) -> None:
    (block,) = _read(tmp_path, "page.md", "```console\nok: 1\n$ make demo\n```\n")
    with pytest.raises(BlockError, match="output before the first command"):
        commands(block)
