# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How mutants that survive are told apart, and when an explanation is out of date."""

from __future__ import annotations

import pytest
from tools.mutants import Mutant, known, sample, stale

PLUGINS = "ansible_collections.community.infisical.plugins."
DIFF = """\
# a.b.x_c__mutmut_1: survived
--- plugins/a/b.py
+++ plugins/a/b.py
@@ -1,3 +1,3 @@
 def to_keep(ids):
-    if ids > 1:
+    if ids >= 1:
         return ids
"""


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("module_utils._state.purge.x_to_keep__mutmut_15", "module_utils._state.purge.to_keep"),
        ("plugin_utils._rules.x__known__mutmut_1", "plugin_utils._rules._known"),
        ("plugin_utils._rules.xǁRuleǁcheck__mutmut_3", "plugin_utils._rules.Rule.check"),
        ("plugin_utils._rules.xǁRuleǁ__init____mutmut_3", "plugin_utils._rules.Rule.__init__"),
    ],
)
def test_a_mutant_says_where_it_is(name: str, function: str) -> None:
    assert Mutant(PLUGINS + name, "survived", "").function == function


def test_a_mutant_is_known_by_the_lines_that_change() -> None:
    mutant = Mutant(PLUGINS + "a.b.x_c__mutmut_1", "survived", DIFF)
    assert mutant.change == ("if ids > 1:", "if ids >= 1:")


def test_a_sample_is_the_same_whatever_is_not_in_it() -> None:
    names = [f"plugins.a.x_f__mutmut_{number}" for number in range(100)]
    drawn = sample(names, 10, seed=1)
    assert sorted({*drawn}) == sorted(drawn)
    rest = [name for name in names if name not in drawn]
    assert sample([*rest[50:], *drawn[::-1]], 10, seed=1) == drawn
    assert sample(names, 5, seed=1) == drawn[:5]
    assert sample(names, 10, seed=2) != drawn


def test_every_explained_survivor_is_still_in_the_code() -> None:
    assert stale(known()) == []


def test_an_explanation_of_what_is_gone_is_out_of_date() -> None:
    gone = ("module_utils._text.trim", ("return nothing", "return None"))
    nowhere = ("module_utils._nowhere.trim", ("return None", "return 1"))
    assert stale({gone: "", nowhere: ""}) == [
        "module_utils._text.trim: return nothing",
        "module_utils._nowhere.trim: return None",
    ]
