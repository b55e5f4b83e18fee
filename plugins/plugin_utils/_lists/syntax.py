# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML and JSON of files with lists, read into values that know the lines where they begin."""

from __future__ import annotations

import json
import re
import typing as t

import yaml
from ansible.module_utils.common.yaml import SafeLoader

from ...module_utils._errors import OptionError
from ...module_utils._text import MASK, printable, quoted

# With aliases, a short text can stand for any number of values. A list of 20,000 identities has
# about a million.
MAX_VALUES = 5_000_000

_TAG = "tag:yaml.org,2002:"
_VAULT = ("!vault", "!vault-encrypted")
# The types of JSON; dates, which people write without noticing; and merge keys.
_PLAIN = ("null", "bool", "int", "float", "str", "map", "seq", "timestamp", "merge")
_TAGS = (*(_TAG + kind for kind in _PLAIN), *_VAULT)
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:\n]|[^\s\[\]{},:"]+')

# Decrypts a text of Ansible Vault. Raises ValueError with the reason if that fails.
Decrypt = t.Callable[[str], str]


class Text(str):
    """A string of a file, and the line where it begins, 0 if that is unknown."""

    line = 0


class Secret(Text):
    """A string that Ansible Vault encrypted. No message shows its value."""

    def __repr__(self) -> str:
        return repr(MASK)


class Mapping(dict[t.Any, t.Any]):
    """A dictionary of a file, and the line where it begins, 0 if that is unknown."""

    line = 0


def line_of(value: t.Any) -> int:
    """Return the line where a value begins, 0 if that is unknown."""
    return value.line if isinstance(value, (Text, Mapping)) else 0


def parse(path: str, text: str, decrypt: Decrypt) -> t.Any:
    """Return the content of a file, which is JSON if its name ends in .json, and YAML otherwise.

    The result consists of dictionaries, lists, strings, numbers, booleans, dates and null, and no
    dictionary or list contains itself. Raises OptionError with the path, and with the line if it is
    known.
    """
    # PyYAML reads YAML 1.1, which does not include all of JSON: it has no surrogate pairs.
    language = "JSON" if path.lower().endswith(".json") else "YAML"
    try:
        return _json(text) if language == "JSON" else _yaml(text, decrypt)
    except _LineError as why:
        raise OptionError(f"{path}:{why.line}: {why}") from None
    except json.JSONDecodeError as why:
        place, reason = f"{path}:{why.lineno}", f"column {why.colno}: {why.msg}"
    except yaml.MarkedYAMLError as why:
        mark = why.problem_mark
        place = f"{path}:{mark.line + 1}" if mark else path
        column = f"column {mark.column + 1}: " if mark else ""
        reason = f"{column}{printable(str(why.problem))}"
    except RecursionError:
        place, reason = path, "it is nested too deeply"
    except (yaml.YAMLError, ValueError) as why:
        # For example, a forbidden character, or a number of 5,000 digits.
        place, reason = path, printable(str(why))
    raise OptionError(f"{place}: this is not {language}: {reason}.")


class _LineError(Exception):
    """A problem at a line of a file, as a sentence."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line


def _located(text: str, line: int, kind: type[Text] = Text) -> Text:
    located = kind(text)
    located.line = line
    return located


def _twice(key: str, line: int) -> _LineError:
    # Otherwise, the first one would silently get lost.
    return _LineError(line, f"the key {quoted(key)} appears twice; write it once.")


def _yaml(text: str, decrypt: Decrypt) -> t.Any:
    loader = _Loader(text)
    loader.decrypt = decrypt
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _count(node, {})
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _count(node: yaml.Node, counts: dict[int, int]) -> int:
    """Return how many values a node has, with aliases written out. `counts` has the result by node.

    Raises _LineError for anything that a list cannot have.
    """
    line = node.start_mark.line + 1
    if id(node) in counts:
        if not counts[id(node)]:
            raise _LineError(line, "an alias below refers to a value that contains it; remove it.")
        return counts[id(node)]
    counts[id(node)] = 0
    if node.tag not in _TAGS:
        tag = node.tag.replace(_TAG, "!!")
        raise _LineError(
            line, f"the tag {quoted(tag)} is not allowed in lists; only !vault is, so remove it."
        )
    values: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        keys = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in keys:
                    raise _twice(key.value, key.start_mark.line + 1)
                keys.add(key.value)
            values += [key, value]
    elif isinstance(node, yaml.SequenceNode):
        values = node.value
    count = 1 + sum(_count(value, counts) for value in values)
    if count > MAX_VALUES:
        raise _LineError(
            line, f"its aliases stand for more than {MAX_VALUES} values; write a shorter list."
        )
    counts[id(node)] = count
    return count


class _Loader(SafeLoader):
    """A loader of YAML that keeps the lines of strings and dictionaries."""

    decrypt: Decrypt

    def construct_object(self, node: yaml.Node, deep: bool = False) -> t.Any:
        """Return the value of a node. Raises _LineError, and yaml.YAMLError."""
        try:
            return super().construct_object(node, deep)
        except (AttributeError, LookupError, ValueError):
            # For example, a date that does not exist, a number of 5,000 digits, a text after !!int.
            line, kind = node.start_mark.line + 1, node.tag.rpartition(":")[2]
            raise _LineError(
                line,
                f"{quoted(node.value)} is not a valid {kind}; put quotes around it if it is a"
                " string.",
            ) from None

    def construct_mapping_with_line(self, node: yaml.MappingNode) -> t.Iterator[Mapping]:
        """Yield the dictionary, which is empty at first, as the loader expects."""
        mapping = Mapping()
        mapping.line = node.start_mark.line + 1
        yield mapping
        mapping.update(self.construct_mapping(node))

    def construct_text(self, node: yaml.ScalarNode) -> Text:
        """Return the text."""
        return _located(self.construct_scalar(node), node.start_mark.line + 1)

    def construct_secret(self, node: yaml.ScalarNode) -> Text:
        """Return the decrypted string. Raises _LineError."""
        line = node.start_mark.line + 1
        try:
            return _located(self.decrypt(self.construct_scalar(node)), line, Secret)
        except ValueError as why:
            raise _LineError(line, f"the text after !vault cannot be decrypted: {why}") from None


_Loader.add_constructor(f"{_TAG}str", _Loader.construct_text)
_Loader.add_constructor(f"{_TAG}map", _Loader.construct_mapping_with_line)
for _tag in _VAULT:
    _Loader.add_constructor(_tag, _Loader.construct_secret)


def _json(text: str) -> t.Any:
    # The parser refuses invalid JSON, but it does not report lines. Ours does, for valid JSON only.
    json.loads(text)
    tokens = _json_tokens(text)
    return _json_value(*next(tokens), tokens)


def _json_tokens(text: str) -> t.Iterator[tuple[str, int]]:
    """Yield the tokens of JSON, each with its line."""
    line = 1
    for match in _JSON_TOKEN.finditer(text):
        if match.group() == "\n":
            line += 1
        else:
            yield match.group(), line


def _json_value(token: str, line: int, rest: t.Iterator[tuple[str, int]]) -> t.Any:
    """Return the value that begins with a token. Raises _LineError for a key that appears twice."""
    if token == "[":
        return [_json_value(*item, rest) for item in _json_items(rest, "]")]
    if token == "{":
        mapping = Mapping()
        mapping.line = line
        for key_token, key_line in _json_items(rest, "}"):
            key = _located(json.loads(key_token), key_line)
            if key in mapping:
                raise _twice(key, key_line)
            next(rest)  # The colon.
            mapping[key] = _json_value(*next(rest), rest)
        return mapping
    value = json.loads(token)
    return _located(value, line) if isinstance(value, str) else value


def _json_items(rest: t.Iterator[tuple[str, int]], end: str) -> t.Iterator[tuple[str, int]]:
    """Yield the first token of each item, up to the end of a list or object.

    Meanwhile, the caller takes the other tokens of the item from `rest`.
    """
    for token, line in rest:
        if token == end:
            return
        if token != ",":
            yield token, line
