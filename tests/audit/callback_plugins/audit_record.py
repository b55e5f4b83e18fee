# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records what every task did as a line of JSON, so that tests need not parse Ansible's output."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

from ansible.parsing.ajson import AnsibleJSONEncoder
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: audit_record
type: aggregate
short_description: Records what every task did
description:
  - Appends one JSON object a task result to the file that E(AUDIT_RECORD) names.
"""


class CallbackModule(CallbackBase):
    """Appends `{task, action, status, result, size}` a task result to `AUDIT_RECORD`.

    The result is that which other callbacks get, and `size` how long a runner takes it to be, which
    decides whether it drops the result: its text in Python, with the difference.
    """

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "audit_record"
    CALLBACK_NEEDS_ENABLED = True

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._write(result, "changed" if result._result.get("changed") else "ok")

    def v2_runner_on_failed(self, result: t.Any, **_options: t.Any) -> None:
        self._write(result, "failed")

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        self._append({"task": "", "action": "", "status": "stats", "result": stats.custom})

    def _write(self, result: t.Any, status: str) -> None:
        record = {
            "task": result._task.get_name().rpartition(" : ")[2],
            "action": result._task.resolved_action or result._task.action,
            "status": status,
            "result": result._result,
            "size": len(str(result._result)),
        }
        self._append(record)

    def _append(self, record: dict[str, t.Any]) -> None:
        with Path(os.environ["AUDIT_RECORD"]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(record, cls=AnsibleJSONEncoder) + "\n")
