# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import types

import pytest

from ansible_collections.community.infisical.plugins.module_utils._server import client


@pytest.mark.parametrize("jitter", [min, max])
def test_three_retries_outlast_a_database_that_changes_over(
    jitter: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which takes two seconds. Each wait is longer than the one before, up to a limit."""
    chance = types.SimpleNamespace(uniform=lambda *bounds: jitter(bounds))  # type: ignore[operator]
    monkeypatch.setattr(client, "random", chance)
    waits = [client._backoff(failures) for failures in range(1, 30)]
    assert sum(waits[:3]) > 2
    assert waits == sorted(waits)
    assert max(waits) <= client._LONGEST_BACKOFF
