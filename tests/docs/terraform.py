# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The arguments of a Terraform resource, as the documentation writes them down."""

from __future__ import annotations

import json
import re
import typing as t

_RESOURCE = re.compile(r'resource "\w+" "\w+" \{\n(?P<body>.*)\n\}\n', re.DOTALL)
_ARGUMENT = re.compile(r"^  (?P<name>\w+) += (?P<value>.+?)(?=^  \w|\Z)", re.DOTALL | re.MULTILINE)


def terraform_arguments(text: str) -> dict[str, t.Any]:
    """Return the arguments of the one resource in a text, which has nothing but literal values.

    An object with a single attribute counts as that attribute's value. Raises ValueError.
    """
    resource = _RESOURCE.fullmatch(text)
    if resource is None:
        raise ValueError(f"not one resource: {text}")
    found = _ARGUMENT.finditer(resource["body"])
    return {match["name"]: _value(match["value"]) for match in found}


def _value(text: str) -> t.Any:
    literal = re.sub(r"(\w+) = ", r'"\1": ', text)
    literal = re.sub(r",(\s*[\]}])", r"\1", literal)
    value = json.loads(literal)
    if isinstance(value, list):
        return [next(iter(item.values())) if isinstance(item, dict) else item for item in value]
    return value
