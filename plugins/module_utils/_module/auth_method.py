# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module does that manages one identity's auth method."""

from __future__ import annotations

from .._errors import InfisicalError
from .._state.fields import AuthMethod
from .._state.reconcile import Reconciliation
from .._state.warnings import Notes
from . import results as report
from .module import Module, logged_in
from .options import IDENTITY_SPEC, Spec, identity_of, only_identity, with_api_names
from .results import Result


def manage_one(method: AuthMethod, spec: Spec) -> None:
    """Run a module that manages one identity's auth method; `spec` is that of its options."""
    module = Module({**IDENTITY_SPEC, **with_api_names(spec, method)})
    key = method.key
    result: Result = {}
    problem = ""
    work: Reconciliation | None = None
    try:
        notes = Notes()
        identity_id, identity_name = identity_of(module.params)
        values = method.from_options(module.params, notes)
        wanted = values if module.params["state"] == "present" else None
        with logged_in(module, notes) as (api, login):
            identity = None
            if identity_id is None:
                name = identity_name or ""
                identity = only_identity("identity_name", name, api.named([name])[name])
                identity_id = identity.id
            work = Reconciliation(
                api, login, method, identity_id, identity, check=module.check_mode
            )
            work.run(wanted)
        result[key] = report.settled(method, work, work.result)
        # Facts may be cached: they are what is, also where check mode tells what would be.
        actual = report.settled(method, work, work.actual)
        result["ansible_facts"] = {f"infisical_{key}": actual}
        if module._diff:
            result["diff"] = report.difference(method, work, work.result)
    except InfisicalError as failure:
        result.update(report.failure(failure))
        problem = str(failure)
        if work and work.changed:
            result[key] = report.settled(method, work, work.actual)
            if module._diff:
                result["diff"] = report.difference(method, work, work.actual)
    if work and work.changed:
        after = Notes()
        state = work.actual if problem else work.result
        report.note_change(method, work, state, work.identity_name or work.identity_id, after)
        module.warn_of(after)
    module.end({**result, "changed": bool(work and work.changed)}, problem)
