# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines that run tests are busy: how long Hypothesis takes says nothing.

`--hypothesis-profile=mutants` is for `make mutants`, which runs tests hundreds of times: fewer
examples, the same in every run, and none made smaller, which nobody would read.
"""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings

settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "mutants",
    settings.get_profile("busy"),
    database=None,
    derandomize=True,
    max_examples=20,
    phases=[Phase.explicit, Phase.generate],
)
settings.load_profile("busy")
