# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation's tables list, and what the code has."""

from __future__ import annotations

import ast
import re
import typing as t

from tools.paths import ROOT

# Pages of the repository with links to others.
MARKDOWN = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/RELEASING.md",
    "extensions/awx/README.md",
    *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("roles/*/README.md")),
)


def environment_variables() -> frozenset[str]:
    """Return the environment variables that the collection's code names.

    Infisical's own are known by their beginning, others by the constants that hold one or several,
    or by the call that reads them.
    """
    found = set()
    for path in ROOT.glob("plugins/module_utils/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant):
                found.update(re.findall(r"^INFISICAL_[A-Z_]+$", str(node.value)))
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                names = [name.id for name in node.targets if isinstance(name, ast.Name)]
                if any(name.endswith("_VARIABLE") for name in names):
                    found.add(str(node.value.value))
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
                names = [name.id for name in node.targets if isinstance(name, ast.Name)]
                if any(name.endswith("_VARIABLES") for name in names):
                    found.update(str(ast.literal_eval(item)) for item in node.value.elts)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                name = node.args[0]
                if node.func.attr == "variable" and isinstance(name, ast.Constant):
                    found.add(str(name.value))
    return frozenset(found)


def make_targets() -> frozenset[str]:
    """Return the targets of the Makefile."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return frozenset(re.findall(r"^([a-z][a-z-]*):(?!=)", text, re.MULTILINE))


def section(document: str, heading: str) -> str:
    """Return the text of a Markdown section, up to the next heading of the same level or above."""
    text = (ROOT / document).read_text(encoding="utf-8")
    start = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    if start is None:
        raise AssertionError(f"{document} has no section {heading!r}")
    end = re.compile(rf"^#{{1,{len(start[1])}}} ", re.MULTILINE).search(text, start.end())
    return text[start.end() : end.start() if end else len(text)]


def first_column(text: str) -> list[str]:
    """Return what is code-formatted in the first cells of the Markdown tables in a text."""
    cells = re.findall(r"^\|([^|]*)\|", text, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def mapping(document: str, header: str) -> dict[str, str]:
    """Return the rows of the reStructuredText table whose first column has a header.

    From what is code-formatted in the first column to the path of the option that the second column
    names, or to nothing where it names none.
    """
    text = (ROOT / document).read_text(encoding="utf-8")
    table = text.partition(f"\n  * - {header}\n")[2].partition("\n\n")[0]
    rows = re.findall(r"^  \* - ``(\w+)``\n    -(?: ``([\w.]+)``)?$", table, re.MULTILINE)
    if not rows:
        raise AssertionError(f"{document} has no table {header!r}")
    return dict(rows)


def threat_model() -> list[str]:
    """Return the claims of the threat model: its list items, but what is left to the user."""
    guide = ROOT / "docs/docsite/rst/guide_logins_and_security.rst"
    text = guide.read_text(encoding="utf-8").partition("\nThreat model\n")[2]
    return re.findall(r"^\* (.+)$", text.partition("\nWhat is left to you\n")[0], re.MULTILINE)


TESTED = "docs/docsite/rst/how_this_is_tested.rst"


def promises() -> list[str]:
    """Return the promises on the page about tests: its list items, but what was not tested."""
    text = (ROOT / TESTED).read_text(encoding="utf-8").partition("\nPromises\n")[2]
    return re.findall(r"^\* (.+)$", text.partition("\nWhat has not been tested\n")[0], re.MULTILINE)


class LinkedTest(t.NamedTuple):
    """A test that the page about tests links to: what the link says, and where it leads."""

    file: str
    name: str
    path: str


def linked_tests(text: str) -> list[LinkedTest]:
    """Return the tests that a part of the page about tests links to."""
    found = re.findall(r"`([\w.]+)::(\w+) <../../../(tests/[\w/.]+)>`__", text)
    return [LinkedTest(*link) for link in found]


def named_tests(path: str) -> frozenset[str]:
    """Return the names of the tests in a file, which are none if there is no such file."""
    if not (ROOT / path).is_file():
        return frozenset()
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


class MessageRow(t.NamedTuple):
    """A row of the guide to troubleshooting: a message, its cause, and what to do."""

    section: str
    message: str
    cause: str
    remedy: str


def message_rows() -> list[MessageRow]:
    """Return the rows of the guide to troubleshooting, in order. A cell is one line."""
    text = (ROOT / "docs/docsite/rst/guide_troubleshooting.rst").read_text(encoding="utf-8")
    rows = []
    section = ""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if re.fullmatch("-{3,}", line):
            section = lines[number - 1]
        elif match := re.fullmatch(r"  \* - ``(.+)``", line):
            cause, remedy = (cell.removeprefix("    - ") for cell in lines[number + 1 : number + 3])
            rows.append(MessageRow(section, match[1], cause, remedy))
    return rows


def message_parts() -> list[str]:
    """Return what the guide to troubleshooting quotes of messages outside of the first column."""
    text = (ROOT / "docs/docsite/rst/guide_troubleshooting.rst").read_text(encoding="utf-8")
    return [part for line in text.splitlines() for part in re.findall(r"``(.+?\.)``", line)]


# Exceptions that nobody gets to see.
_INTERNAL = ("AssertionError", "ValueError")


def messages_in_code() -> list[str]:
    """Return what the code gives to its errors and warnings, with `...` for each value in it.

    Whole sentences count wherever they are. A message that is put together elsewhere has `...` for
    what is not in the same expression.
    """
    trees = [
        ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(ROOT.glob("plugins/module_utils/**/*.py"))
    ]
    constants: dict[str, ast.expr] = {
        target.id: node.value
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found = [
        text
        for tree in trees
        for text in _texts(tree)
        if re.search(r" .*\.$", text.replace("...", ""))
    ]
    for node in (node for tree in trees for node in ast.walk(tree)):
        if not (isinstance(node, ast.Call) and node.args):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        message = node.args[0]
        if method == "add" and isinstance(message, ast.Name) and message.id in constants:
            found.append(_message(constants[message.id]))
        elif (name.endswith("Error") and name not in _INTERNAL) or method == "warn":
            found.append(_message(message))
    return [message for message in dict.fromkeys(found) if message != "..."]


def _texts(node: ast.AST) -> t.Iterator[str]:
    """Yield the texts in a tree, whole and without docstrings."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    if isinstance(node, (ast.JoinedStr, ast.BinOp)) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    ):
        yield _message(node)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _texts(child)


def _message(node: ast.expr) -> str:
    """Return a text with `...` for each value in it."""
    if isinstance(node, ast.Constant):
        return re.sub(r"\{\w+\}", "...", str(node.value))
    if isinstance(node, ast.JoinedStr):
        return "".join(map(_message, node.values))
    if isinstance(node, ast.BinOp):
        return _message(node.left) + _message(node.right)
    return "..."
