# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes every task's result as a line of JSON, so that tests need not parse Ansible's output."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: results_file
type: aggregate
short_description: Write every result as a line of JSON
description:
  - Appends one line for each result to the file that E(RESULTS_FILE) names.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "results_file"
    CALLBACK_NEEDS_ENABLED = True

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._write(result, failed=False)

    def v2_runner_on_failed(self, result: t.Any, **_options: t.Any) -> None:
        self._write(result, failed=True)

    def _write(self, result: t.Any, *, failed: bool) -> None:
        line = json.dumps({**result._result, "failed": failed}, default=str)
        with Path(os.environ["RESULTS_FILE"]).open("a", encoding="utf-8") as results:
            results.write(line + "\n")
