# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module infisical_identities, and hides its results with ``no_log``.

Since ansible-core 2.19, Ansible takes a list with the name ``results`` for the results of a loop.
``no_log`` hides only those items of the list that are marked.
"""

from __future__ import annotations

import typing as t

from ansible.plugins.action.normal import ActionModule as NormalAction


class ActionModule(NormalAction):
    """Runs the module, and marks its results."""

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        """Return the result of the module."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        for item in result.get("results", ()) if self._task.no_log else ():
            item["_ansible_no_log"] = True
        return result
