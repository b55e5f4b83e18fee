# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A local Infisical for tests, the demo and benchmarks. See the README beside this file."""

from __future__ import annotations

from .control import Control, Credentials, LdapCredentials, RequestRecord
from .server import Emulator, running

__all__ = ["Control", "Credentials", "Emulator", "LdapCredentials", "RequestRecord", "running"]
