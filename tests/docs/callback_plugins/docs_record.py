# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records the result of every task as a line of JSON, for the tests of the documentation."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

from ansible.parsing.ajson import AnsibleJSONEncoder
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: docs_record
type: aggregate
short_description: Records the result of every task in a file
version_added: 1.0.0
author:
  - The community.infisical authors
description:
  - Appends one JSON object a task result to the file that E(DOCS_RECORD) names.
"""


class CallbackModule(CallbackBase):
    """Appends `{playbook, action, host, status, result, diff}` a task result to `DOCS_RECORD`."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "docs_record"

    def __init__(self) -> None:
        super().__init__()
        self._playbook = ""

    def v2_playbook_on_start(self, playbook: t.Any) -> None:
        self._playbook = Path(playbook._file_name).name

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._write(result, "changed" if result._result.get("changed") else "unchanged")

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self._write(result, "ignored" if ignore_errors else "failed")

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        self._write(result, "skipped")

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self._write(result, "unreachable")

    def _write(self, result: t.Any, status: str) -> None:
        outcome = result._result
        record = {
            "playbook": self._playbook,
            "action": result._task.resolved_action or result._task.action,
            "host": result._host.get_name(),
            "status": status,
            "result": outcome,
            "diff": self._get_diff(outcome["diff"]) if outcome.get("diff") else "",
        }
        with Path(os.environ["DOCS_RECORD"]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(record, cls=AnsibleJSONEncoder) + "\n")
