# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module does to manage the auth method of one identity."""

from __future__ import annotations

import typing as t

from .._errors import InfisicalError, OptionError
from .._server.api import Api
from .._state.auth_method import AuthMethod, AuthMethodResource
from .._state.reconcile import Reconciler, State
from .._state.warnings import Warnings
from .._text import visible
from .module import Module, logged_in
from .options import DETAILS_SPEC, IDENTITY_NAME_SPEC, STATE_SPEC, identity_of, spec_of
from .results import (
    Result,
    compared,
    difference,
    failure,
    final_state,
    settings_of,
    warn_of_change,
)

if t.TYPE_CHECKING:
    from .._state.identities import Identity


def manage_auth_method(method: AuthMethod) -> None:
    """Run a module that manages the auth method of one identity."""
    spec = spec_of(method, api_names=True)
    module = Module({**IDENTITY_NAME_SPEC, **STATE_SPEC, **spec, **DETAILS_SPEC})
    result: Result = {}
    problem = ""
    warnings = Warnings()
    work: Reconciler | None = None
    resource: AuthMethodResource | None = None
    try:
        identity_id, name, project_id = identity_of(module.options)
        values = method.from_options(module.options, warnings)
        wanted = values if module.options["state"] == "present" else None
        with logged_in(module, warnings) as (api, login):
            identity = None
            if identity_id is None:
                identity = _named(module, api, name or "", project_id)
                identity_id = identity.id
            resource = AuthMethodResource(
                api, login, method, identity_id, identity, project_id=project_id
            )
            work = Reconciler(resource, check=module.check_mode)
            work.run(wanted)
    except InfisicalError as error:
        result.update(failure(error))
        problem = str(error)
    after = Warnings()
    if work and resource and not (problem and not work.changed):
        result.update(_outcome(module, method, resource, work, after, failed=bool(problem)))
    module.warn_of(after)
    module.end({**result, "changed": bool(work and work.changed)}, problem)


def _named(module: Module, api: Api, name: str, project_id: str | None) -> Identity:
    # Many tasks name an ID, and each import takes time when a task starts.
    from .._state.identities import find_identities, only_identity

    found = find_identities(api, [name], project_id)[name]
    try:
        return only_identity("identity_name", name, found, project_id)
    except OptionError as error:
        if module.check_mode and not found:
            error.args = (
                (
                    f"{error} In check mode, an identity that an earlier task would create does not"
                    " exist yet."
                ),
            )
        raise


def _outcome(
    module: Module,
    method: AuthMethod,
    resource: AuthMethodResource,
    work: Reconciler,
    warnings: Warnings,
    *,
    failed: bool,
) -> Result:
    """Return the state after the run, and the difference to the state before."""
    identity_id = resource.identity_id
    name = resource.identity.name if resource.identity else None
    subject = name or identity_id
    state = final_state(work, failed=failed)

    def shown(which: State | None, noted: Warnings | None = None) -> Result:
        return {"identity_id": identity_id, **settings_of(method, which, subject, noted)}

    result: Result = {method.key: shown(state, warnings)}
    if name is not None:
        result["identity_name"] = name
    if not failed:
        # Facts may be cached, so they are the real state, even in check mode.
        result["ansible_facts"] = {f"infisical_{method.key}": shown(work.actual)}
    if module._diff:
        called = " ".join(
            filter(None, (method.title, "of", visible(name) if name else None, identity_id))
        )
        before, after = (
            compared(method, which.values if which else None) for which in (work.before, state)
        )
        result["diff"] = difference(called, before, after)
    if work.changed:
        warn_of_change(work, subject, warnings, failed=failed)
    return result
