# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects of extensions/awx, read without Ansible.

What differs from one AWX to the next has its default in them; other templates stay as they are.
"""

from __future__ import annotations

import re
import typing as t

import yaml
from tools.paths import ROOT

EXTENSION = ROOT / "extensions" / "awx"
PROJECT = EXTENSION / "project"


class _Loader(yaml.SafeLoader):
    """Reads `!unsafe`, by which Ansible is told to leave a template alone."""


def _as_written(loader: yaml.SafeLoader, node: yaml.Node) -> str:
    return str(loader.construct_scalar(t.cast("yaml.ScalarNode", node)))


_Loader.add_constructor("!unsafe", _as_written)


def load(name: str) -> t.Any:
    """Return what a YAML file of the extension holds."""
    text = (EXTENSION / name).read_text(encoding="utf-8")
    return yaml.load(text, _Loader)


_VARIABLE = re.compile(r"{{ (infisical_awx_\w+) }}")


def _with_defaults(value: t.Any, defaults: t.Mapping[str, t.Any]) -> t.Any:
    if isinstance(value, dict):
        return {key: _with_defaults(item, defaults) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_defaults(item, defaults) for item in value]
    if not isinstance(value, str):
        return value
    whole = _VARIABLE.fullmatch(value)
    if whole:
        return defaults[whole[1]]
    return _VARIABLE.sub(lambda match: str(defaults[match[1]]), value)


WRITTEN: dict[str, t.Any] = load("controller.yml")
OBJECTS: dict[str, t.Any] = _with_defaults(WRITTEN, WRITTEN)
CREDENTIAL_TYPE: dict[str, t.Any] = OBJECTS["controller_credential_types"][0]
INPUTS: dict[str, t.Any] = CREDENTIAL_TYPE["inputs"]
INJECTORS: dict[str, t.Any] = CREDENTIAL_TYPE["injectors"]
