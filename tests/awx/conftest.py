# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import typing as t

import pytest
from tools.paths import link_collection

from awx.jobs import clean_environment
from emulator import Emulator, running


@pytest.fixture(scope="session", autouse=True)
def _node() -> t.Iterator[None]:
    """Jobs run in the environment of a node: ansible-runner starts them from this process."""
    link_collection()
    with pytest.MonkeyPatch.context() as patch:
        environment = clean_environment()
        for name in set(os.environ) - set(environment):
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def emulator() -> t.Iterator[Emulator]:
    """An emulator for the tests of one file."""
    with running() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def credential(emulator: Emulator) -> dict[str, str]:
    """A credential as the form of AWX saves it: what is not used is blank, or not there."""
    return {
        "url": emulator.url,
        "auth_method": "universal_auth",
        "universal_auth_client_id": emulator.client_id,
        "universal_auth_client_secret": emulator.client_secret,
        "token": "",
        "jwt": "",
        "ca_bundle": "",
    }
