# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Code blocks of Markdown and reStructuredText files, and the EXAMPLES of modules and plugins.

A comment right before a block says what the tests do with it; readers do not see it.
In Markdown it is `<!-- outcome: changed -->`, in reStructuredText `.. outcome: changed`.

outcome  what the tasks of this collection in the block come to, one word each, comma separated:
         changed, unchanged, failed or skipped; "none" where it has no such task. After "failed", a
         `text` block shows the message. An `ansible-output` block shows the diff that the block
         before it prints. A `console` block with output is "failed" or, without a mark, goes well.
file     the name under which a reader saves the block. A file is run by the `console` block that
         shows its command with output, or used by one, or by another file.
given    names of identities, comma separated, that are there before, with Azure Auth;
         "a-1..a-9" are nine.
bare     the same of identities that are there without Azure Auth.
odd      the same of identities whose Azure Auth has a resource that no list can say.
result   "azure_auth" or another key: the block shows what the task before returned under that key.
shows    a file that the `console` block before wrote; the block shows a part of it, which may be
         indented there.
edit     a file: the reader puts the block in place of what was shown of it.
sent     an HTTP method: the `json` block shows the body of a request that the block before sent.

The resources of a `terraform` block have the same settings as the task in the next `yaml` block.
"""

from __future__ import annotations

import ast
import re
import textwrap
import typing as t
from dataclasses import dataclass
from pathlib import Path

import yaml

MARKS = frozenset({"outcome", "file", "given", "bare", "odd", "result", "shows", "edit", "sent"})
LANGUAGES = frozenset({"yaml", "console", "shell", "text", "ansible-output", "json", "terraform"})
EXAMPLES = "EXAMPLES"
OUTCOMES = frozenset({"changed", "unchanged", "failed", "skipped"})
NONE = "none"
# Keys that a task can have besides the name of its module; whatever else is dotted is a module.
_MODULE = re.compile(r"[a-z_]+\.[a-z_]+\.[a-z_]+")

_MARKDOWN_HEADING = re.compile(r"#{1,6} +(?P<title>.+)")
_MARKDOWN_MARK = re.compile(r"<!-- (?P<key>[a-z]+): (?P<value>.+) -->")
_RST_MARK = re.compile(r"\.\. (?P<key>[a-z]+): (?P<value>.+)")
_RST_UNDERLINE = re.compile(r"([=\-~^\"'*+#])\1{2,}")
_RST_BLOCK = re.compile(
    r"(?P<indent> *)\.\. (?:code-block|code|sourcecode)::(?: +(?P<language>\S+))?"
)


class BlockError(Exception):
    """A block that the tests cannot place; the text says which and why."""


@dataclass(frozen=True)
class Block:
    """A code block: where it stands, its language, its text and the marks before it."""

    document: str
    heading: str
    number: int
    language: str
    text: str
    marks: t.Mapping[str, str]

    @property
    def id(self) -> str:
        """The block's name in the test report: file, heading, and its number under that heading."""
        slug = re.sub(r"[^a-z0-9]+", "-", self.heading.lower()).strip("-")
        return f"{self.document}:{slug}:{self.number}"

    @property
    def kind(self) -> str:
        """What the block is, which decides how it is tested. Raises BlockError if nothing fits."""
        if self.language in ("console", "shell"):
            prompts = [line.startswith("$ ") for line in self.text.splitlines()]
            return "commands" if self.language == "shell" or all(prompts) else "session"
        if self.language == "json" and "file" in self.marks:
            return "variables"
        if self.language != "yaml":
            return self.language
        content = yaml.safe_load(self.text)
        if "result" in self.marks:
            return "result"
        if {"shows", "edit"} & set(self.marks):
            return "part"
        if isinstance(content, list) and all(isinstance(item, dict) for item in content):
            if all(
                "hosts" in item or "ansible.builtin.import_playbook" in item for item in content
            ):
                return "playbook"
            if all(
                any(_MODULE.fullmatch(key) or key == "block" for key in item) for item in content
            ):
                return "tasks"
        if isinstance(content, dict) and set(content) == {"collections"}:
            return "requirements"
        if isinstance(content, dict) and {"jobs", "steps"} & set(content):
            return "pipeline"
        if isinstance(content, dict) and {"apiVersion", "kind"} <= set(content):
            return "kubernetes"
        if isinstance(content, dict) and "file" in self.marks:
            groups = content.values()
            if all(isinstance(group, dict) and "hosts" in group for group in groups):
                return "inventory"
            return "variables"
        raise BlockError(
            f"{self.id}: the tests do not know what this YAML is; "
            "it is no playbook, task list, requirements file, inventory, variables file, "
            "pipeline, object of Kubernetes, part of a file or result"
        )

    @property
    def outcomes(self) -> list[str]:
        """What each task of this collection in the block comes to, in order."""
        outcomes = self.marks.get("outcome", "").split(", ")
        if outcomes == [NONE]:
            return []
        unknown = [outcome for outcome in outcomes if outcome not in OUTCOMES]
        if unknown:
            raise BlockError(f"{self.id}: needs an outcome mark of {sorted(OUTCOMES)}")
        return outcomes


def read(path: Path, document: str) -> list[Block]:
    """Return the blocks of a page, in Markdown or reStructuredText, or of a plugin, in order."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        found = _markdown(text)
    elif path.suffix == ".rst":
        found = _rst(text)
    elif path.suffix == ".yml":
        found = iter([(EXAMPLES, "yaml", str(yaml.safe_load(text)[EXAMPLES]), {})])
    else:
        found = _examples(text)
    counts: dict[str, int] = {}
    blocks = []
    for heading, language, content, marks in found:
        counts[heading] = counts.get(heading, 0) + 1
        block = Block(document, heading, counts[heading], language, content, marks)
        if language not in LANGUAGES:
            raise BlockError(f"{block.id}: the tests do not know the language {language!r}")
        if not MARKS.issuperset(marks):
            raise BlockError(f"{block.id}: the tests do not know the marks {sorted(marks)}")
        blocks.append(block)
    return blocks


_Found = t.Iterator[tuple[str, str, str, dict[str, str]]]


def _markdown(text: str) -> _Found:
    heading = ""
    marks: dict[str, str] = {}
    fence: str | None = None
    language = ""
    content: list[str] = []
    for line in text.splitlines():
        stripped = line.lstrip(" ")
        if fence is not None:
            if stripped.rstrip() == fence:
                yield heading, language, textwrap.dedent("\n".join(content)) + "\n", marks
                fence, content, marks = None, [], {}
            else:
                content.append(line)
        elif stripped.startswith("```"):
            fence = "`" * (len(stripped) - len(stripped.lstrip("`")))
            language = stripped[len(fence) :].strip()
        elif match := _MARKDOWN_MARK.fullmatch(stripped):
            marks[match["key"]] = match["value"]
        elif match := _MARKDOWN_HEADING.fullmatch(line):
            heading = match["title"]
            marks = {}
        elif stripped:
            marks = {}


def _rst(text: str) -> _Found:
    heading = ""
    marks: dict[str, str] = {}
    lines = text.splitlines()
    index = 0
    while index < len(lines):
        line = lines[index]
        index += 1
        if index < len(lines) and line and _RST_UNDERLINE.fullmatch(lines[index]):
            heading = line
            marks = {}
        elif match := _RST_BLOCK.fullmatch(line.rstrip()):
            content, index = _rst_body(lines, index, len(match["indent"]))
            yield heading, match["language"] or "", content, marks
            marks = {}
        elif match := _RST_MARK.fullmatch(line.strip()):
            marks[match["key"]] = match["value"]
        elif line.endswith("::") and not line.lstrip().startswith(".. "):
            # A literal block without a language would escape the tests.
            yield heading, "", line, marks
        elif line.strip():
            marks = {}


def _rst_body(lines: list[str], index: int, indent: int) -> tuple[str, int]:
    body: list[str] = []
    while index < len(lines):
        line = lines[index]
        if line.strip() and len(line) - len(line.lstrip()) <= indent:
            break
        body.append(line)
        index += 1
    while body and re.fullmatch(r" +:[a-z-]+:.*", body[0]):
        del body[0]
    return textwrap.dedent("\n".join(body)).strip("\n") + "\n", index


def _examples(text: str) -> _Found:
    for node in ast.parse(text).body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Constant)
            and any(isinstance(name, ast.Name) and name.id == EXAMPLES for name in node.targets)
        ):
            yield EXAMPLES, "yaml", str(node.value.value).lstrip("\n"), {}
