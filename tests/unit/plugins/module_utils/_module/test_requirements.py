# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions that will do, and those that are too old."""

from __future__ import annotations

import json
import sys
import types

import pytest

from ansible_collections.community.infisical.plugins.module_utils._module import requirements


@pytest.mark.parametrize(
    ("library", "version", "will_do"),
    [
        ("requests", "2.28", True),
        ("requests", "2.28.0", True),
        ("requests", "2.100", True),
        ("requests", "3.0.0.dev1", True),
        ("requests", "2.27.1", False),
        ("requests", "2.9", False),
        ("requests", "", True),
        ("requests", "unknown", True),
        ("netaddr", "0.10.1", True),
        ("netaddr", "1.3.0", True),
        ("netaddr", "0.10.0", False),
        ("netaddr", "0.9.0", False),
        ("netaddr", "0.10", False),
    ],
)
def test_versions_of_libraries(
    library: str, version: str, will_do: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = types.ModuleType(library)
    module.__version__ = version  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, library, module)
    told = requirements.outdated(library)
    if will_do:
        assert told == ""
    else:
        floor = {"requests": "2.28", "netaddr": "0.10.1"}[library]
        assert told == (
            f"The module needs version {floor} or later of the Python library {library}, but"
            f" {sys.executable} on the host that runs it has version {version}; upgrade the"
            " library, or set ansible_python_interpreter to another Python."
        )


def test_an_older_python_ends_the_module(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    requirements.require_python()
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(sys, "version_info", (3, 8, 18, "final", 0))
    with pytest.raises(SystemExit):
        requirements.require_python()
    result = json.loads(capsys.readouterr().out)
    assert result["failed"] is True
    assert result["msg"].endswith(
        f" {sys.executable} on the host that runs it is Python 3.8.18; set"
        " ansible_python_interpreter to a newer Python."
    )
