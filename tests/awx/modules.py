# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stand-ins for the modules of awx.awx, which are on no package index.

They take the options that the documentation of awx.awx 24 lists for those that are used here, and
write down what they are given. What AWX would make of it, `awx.controller` says.
"""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

_TYPES = {"s": "str", "b": "bool", "i": "int", "d": "dict", "l": "list"}
# Options by their type. Those before the bar are required.
_OPTIONS = {
    "credential_type": "s: name | s: new_name description kind state d: inputs injectors",
    "credential": """
        s: name credential_type | s: new_name copy_from description organization user team state
        d: inputs b: update_secrets""",
    "notification_template": """
        s: name | s: new_name copy_from description organization notification_type state
        d: notification_configuration messages""",
    "execution_environment": """
        s: name image | s: new_name description organization credential state pull""",
    "inventory": """
        s: name organization | s: new_name copy_from description kind host_filter state
        d: variables l: instance_groups input_inventories b: prevent_instance_group_fallback""",
    "host": "s: name inventory | s: new_name description state b: enabled d: variables",
    "project": """
        s: name | s: new_name copy_from description scm_type scm_url local_path scm_branch
        scm_refspec credential default_environment custom_virtualenv organization state
        signature_validation_credential b: scm_clean scm_delete_on_update scm_track_submodules
        scm_update_on_launch allow_override wait update_project i: scm_update_cache_timeout timeout
        interval l: notification_templates_started notification_templates_success
        notification_templates_error""",
    "job_template": """
        s: name | s: new_name copy_from description job_type inventory organization project
        playbook credential vault_credential execution_environment custom_virtualenv limit job_tags
        skip_tags start_at_task host_config_key webhook_service webhook_credential scm_branch state
        i: forks verbosity timeout job_slice_count d: extra_vars survey_spec l: credentials
        instance_groups labels notification_templates_started notification_templates_success
        notification_templates_error b: force_handlers diff_mode use_fact_cache
        ask_scm_branch_on_launch ask_diff_mode_on_launch ask_variables_on_launch
        ask_limit_on_launch ask_tags_on_launch ask_skip_tags_on_launch ask_job_type_on_launch
        ask_verbosity_on_launch ask_inventory_on_launch ask_credential_on_launch
        ask_execution_environment_on_launch ask_forks_on_launch ask_instance_groups_on_launch
        ask_job_slice_count_on_launch ask_labels_on_launch ask_timeout_on_launch survey_enabled
        become_enabled allow_simultaneous prevent_instance_group_fallback""",
    "workflow_job_template": """
        s: name | s: new_name copy_from description job_tags organization inventory limit
        scm_branch skip_tags webhook_service webhook_credential state d: extra_vars survey_spec
        b: ask_tags_on_launch allow_simultaneous ask_variables_on_launch ask_inventory_on_launch
        ask_scm_branch_on_launch ask_limit_on_launch ask_labels_on_launch ask_skip_tags_on_launch
        survey_enabled destroy_current_nodes l: labels workflow_nodes
        notification_templates_started notification_templates_success notification_templates_error
        notification_templates_approvals""",
    "schedule": """
        s: name | s: rrule new_name description execution_environment inventory scm_branch job_type
        job_tags skip_tags limit unified_job_template organization state d: extra_data
        i: forks job_slice_count timeout verbosity l: instance_groups labels credentials
        b: diff_mode enabled""",
}
_CHOICES = {
    ("credential_type", "kind"): ["ssh", "vault", "net", "scm", "cloud", "insights"],
    ("execution_environment", "pull"): ["always", "missing", "never"],
    ("job_template", "job_type"): ["run", "check"],
    ("project", "scm_type"): ["manual", "git", "svn", "insights", "archive"],
}
_MODULE = """\
import json
from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule({specification!r}, supports_check_mode=True)
given = {{key: value for key, value in module.params.items() if value is not None}}
with open({record!r}, "a") as record:
    record.write(json.dumps([{name!r}, given]) + "\\n")
module.exit_json(changed=True)
"""


def specification(name: str) -> dict[str, dict[str, t.Any]]:
    """Return the options of a module, as an argument spec."""
    options: dict[str, dict[str, t.Any]] = {}
    for required, part in zip((True, False), _OPTIONS[name].split("|")):
        kind = ""
        for word in part.split():
            if word.endswith(":"):
                kind = _TYPES[word[:-1]]
            else:
                options[word] = {"type": kind, "required": required}
                if (name, word) in _CHOICES:
                    options[word]["choices"] = _CHOICES[name, word]
    return options


def write_stand_ins(collections: Path, record: Path) -> None:
    """Write the collection awx.awx below `collections`; its modules add lines to `record`."""
    modules = collections / "ansible_collections" / "awx" / "awx" / "plugins" / "modules"
    modules.mkdir(parents=True)
    for name in _OPTIONS:
        text = _MODULE.format(specification=specification(name), record=str(record), name=name)
        (modules / f"{name}.py").write_text(text, encoding="utf-8")


def recorded(record: Path) -> list[tuple[str, dict[str, t.Any]]]:
    """Return what the modules were given, in order: their names and options."""
    return [tuple(json.loads(line)) for line in record.read_text(encoding="utf-8").splitlines()]
