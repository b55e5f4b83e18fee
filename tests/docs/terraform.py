# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The arguments of Terraform resources, as the documentation writes them down."""

from __future__ import annotations

import json
import re
import typing as t

_RESOURCE = re.compile(r'resource "(?P<kind>\w+)" "\w+" \{\n(?P<body>.*?)\n\}\n', re.DOTALL)
_ARGUMENT = re.compile(r"^  (?P<name>\w+) += (?P<value>.+?)(?=^  \w|\Z)", re.DOTALL | re.MULTILINE)
_REFERENCE = re.compile(r"\w+\.\w+\.id\s*")


def terraform_resources(text: str) -> dict[str, dict[str, t.Any]]:
    """Return the arguments of the resources in a text, one a kind, by the kind.

    Values are literal but for the ids of other resources, which are left out. A list of objects
    with a key and a value counts as a dictionary, and one of objects with a single attribute as
    a list of that attribute's values. Raises ValueError.
    """
    resources = list(_RESOURCE.finditer(text))
    if _RESOURCE.sub("", text).strip() or not resources:
        raise ValueError(f"not only resources: {text}")
    found = {
        resource["kind"]: {
            match["name"]: _value(match["value"])
            for match in _ARGUMENT.finditer(resource["body"])
            if not _REFERENCE.fullmatch(match["value"])
        }
        for resource in resources
    }
    if len(found) != len(resources):
        raise ValueError(f"two resources of a kind: {text}")
    return found


def _value(text: str) -> t.Any:
    literal = re.sub(r"(\w+) = ", r'"\1": ', text)
    literal = re.sub(r",(\s*[\]}])", r"\1", literal)
    value = json.loads(literal)
    if not isinstance(value, list) or not isinstance(value[0], dict):
        return value
    if set(value[0]) == {"key", "value"}:
        return {item["key"]: item["value"] for item in value}
    return [item for (item,) in (entry.values() for entry in value)]
