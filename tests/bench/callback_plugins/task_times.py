# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes how long each task took as a line of JSON, from its announcement to its result."""

from __future__ import annotations

import json
import os
import time
import typing as t
from pathlib import Path

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: task_times
type: aggregate
short_description: Write the time of every task as a line of JSON
description:
  - Appends one line for each task to the file that E(TASK_TIMES_FILE) names.
"""

# The rest of a result may be as large as the fleet.
_KEPT = ("changed", "checked", "changed_count", "failed_count", "msg")


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "task_times"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._started = 0.0

    def v2_playbook_on_task_start(self, _task: t.Any, **_options: t.Any) -> None:
        self._started = time.monotonic()

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._write(result, failed=False)

    def v2_runner_on_failed(self, result: t.Any, **_options: t.Any) -> None:
        self._write(result, failed=True)

    def _write(self, result: t.Any, *, failed: bool) -> None:
        seconds = time.monotonic() - self._started
        kept = {name: result._result[name] for name in _KEPT if name in result._result}
        line = {"name": result._task.get_name(), "seconds": seconds, **kept, "failed": failed}
        with Path(os.environ["TASK_TIMES_FILE"]).open("a", encoding="utf-8") as times:
            times.write(json.dumps(line, default=str) + "\n")
