# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The auth methods that an entry may have. Each is a key of the entry."""

from __future__ import annotations

from .auth_method import AuthMethod
from .azure_auth import AZURE_AUTH

AUTH_METHODS: tuple[AuthMethod, ...] = (AZURE_AUTH,)
