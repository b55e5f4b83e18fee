# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules do: read their options, see to the work, and return what came of it."""

from __future__ import annotations

import contextlib
import typing as t

from ansible.module_utils.common.parameters import remove_values

from . import _report as report
from ._api import Api, Identity
from ._entries import (
    Found,
    Reference,
    missing,
    read_entries,
    read_references,
    repeated,
    resolve,
)
from ._errors import ApiError, InfisicalError, InterruptError, OptionError
from ._fleet import Fleet, Visit
from ._login import Login, gives_token, revoke
from ._model import AuthMethod
from ._notes import Notes
from ._options import (
    CONCURRENCY_SPEC,
    IDENTITY_SPEC,
    LOGIN_STATE_SPEC,
    LOOKUP_SPEC,
    Spec,
    concurrency_of,
    identity_of,
    only_identity,
    with_api_names,
)
from ._reconcile import Reconciliation
from ._report import Result
from ._session import client_of, logged_in, new_module, signals_wait
from ._text import printable

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule


def manage_one(method: AuthMethod, spec: Spec) -> None:
    """Run a module that manages one identity's auth method; `spec` is that of its options."""
    module = new_module({**IDENTITY_SPEC, **with_api_names(spec, method)})
    key = _key(method)
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
            result["diff"] = report.difference(method, work)
    except InfisicalError as failure:
        result.update(report.failure(failure))
        problem = str(failure)
        if work and work.changed:
            result[key] = report.settled(method, work, work.actual)
    _end(module, {**result, "changed": bool(work and work.changed)}, problem)


def manage_many(method: AuthMethod, spec: Spec) -> None:
    """Run a module that manages many identities' auth method; `spec` is that of its options."""
    option = f"{_key(method)}s"
    listed: Spec = {
        option: {"type": "list", "elements": "raw", "required": True},
        "purge_except": {"type": "list", "elements": "raw"},
    }
    module = new_module({**listed, **CONCURRENCY_SPEC})
    result: Result = {"changed": False, "invocation": _invocation(module, listed)}
    fleet: Fleet | None = None
    try:
        notes = Notes()
        concurrency = concurrency_of(module.params)
        entries = read_entries(option, module.params[option], method, spec, notes)
        kept = _kept(module.params["purge_except"])
        with logged_in(module, notes, concurrency) as (api, login):
            everyone = None if kept is None else api.everyone("list the identities to purge")
            found, errors = resolve([entry.reference for entry in entries], api, everyone)
            errors += repeated(found)
            surplus: list[Found] = []
            if kept is not None and everyone is not None:
                keep, unknown = resolve(kept, api, everyone)
                errors += unknown or missing(found, keep, everyone)
                surplus = _surplus(method, keep, everyone)
            if errors:
                raise OptionError.of_all(errors)
            surplus = _spare_own_login(module, method, login, surplus)

            def work_on(item: Found, purging: bool = False) -> Visit:
                # What is to be revoked for not being listed is looked at again right before.
                identity = None if purging else item.identity
                work = Reconciliation(
                    api, login, method, item.identity_id, identity, check=module.check_mode
                )
                return Visit(item, work, purging)

            def changed(visit: Visit) -> bool:
                return visit.work.changed

            wanted = {item.reference: entry.wanted for item, entry in zip(found, entries)}
            fleet = Fleet(concurrency)
            with _stopping(fleet, api):
                fleet.visit(
                    [work_on(item) for item in found],
                    lambda visit: visit.work.run(wanted[visit.found.reference]),
                    changed,
                )
                if fleet.complete:
                    fleet.visit(
                        [work_on(item, purging=True) for item in surplus],
                        lambda visit: _unless_gone(lambda: visit.work.run(None)),
                        changed,
                    )
                elif surplus:
                    fleet.remark = "Nothing was purged."
        problem = fleet.message()
    except InfisicalError as failure:
        result.update(report.failure(failure))
        problem = str(failure)
        if fleet:
            problem = f"{problem} {fleet.message()}".strip()
    if fleet:
        result.update(
            changed=any(visit.work.changed for visit in fleet.visits),
            checked=fleet.checked,
            changed_count=fleet.changed,
            failed_count=fleet.failed,
            purged_count=fleet.purged,
            results=[report.visited(method, visit) for visit in fleet.visits],
        )
        if module._diff:
            result["diff"] = [
                report.difference(method, visit.work, visit.identity_name)
                for visit in fleet.visits
                if not visit.failure
            ]
    _end(module, result, problem)


def look_up(method: AuthMethod) -> None:
    """Run a module that reads identities' auth method."""
    key = f"{_key(method)}s"
    module = new_module(LOOKUP_SPEC)
    result: Result = {
        "changed": False,
        "invocation": _invocation(module, ("identity_ids", "identity_names")),
    }
    fleet: Fleet | None = None
    try:
        concurrency = concurrency_of(module.params)
        ids, names = module.params["identity_ids"], module.params["identity_names"]
        references = read_references("identity_ids", ids or [], names=False)
        references += read_references("identity_names", names or [], ids=False)
        with logged_in(module, Notes(), concurrency) as (api, login):
            everything = ids is None and names is None
            if everything:
                found = _those_with(method, api.everyone())
            else:
                named, errors = resolve(references, api)
                if errors:
                    raise OptionError.of_all(errors)
                found = list({item.identity_id: item for item in named}.values())
            fleet = Fleet(concurrency)
            with _stopping(fleet, api):
                fleet.visit(
                    [
                        Visit(
                            item,
                            Reconciliation(
                                api, login, method, item.identity_id, item.identity, check=True
                            ),
                        )
                        for item in found
                    ],
                    lambda visit: (
                        _unless_gone(visit.work.look) if everything else visit.work.look()
                    ),
                    lambda visit: bool(visit.work.actual) or not everything,
                )
        problem = fleet.message()
    except InfisicalError as failure:
        result.update(report.failure(failure))
        problem = str(failure)
    if fleet:
        result[key] = [
            report.settled(method, visit.work, visit.work.actual)
            for visit in fleet.visits
            if not visit.failure
        ]
        failures = [visit for visit in fleet.visits if visit.failure]
        if problem:
            result["failed_count"] = fleet.failed
            result["failures"] = [
                {**report.named(visit.work, visit.identity_name), **report.failure(visit.failure)}
                for visit in failures
                if visit.failure
            ]
    _end(module, result, problem)


def log_in_or_out() -> None:
    """Run the module that logs in, and hands its token on, or revokes one."""
    module = new_module(LOGIN_STATE_SPEC)
    try:
        absent = module.params["state"] == "absent"
        # The token of the environment is not this task's to end.
        if absent and not gives_token(module.params):
            raise OptionError(
                "state is absent, which revokes a token that exists; give it in token or in"
                " login_data."
            )
        with client_of(module, Notes()) as (client, choice):
            if absent:
                if choice.path is not None:
                    raise OptionError(
                        "state is absent, which revokes a token that exists; leave auth_method out."
                    )
                revoke(client, choice.values["token"])
                module.exit_json(changed=False)
            login = Login(client, choice, module.no_log_values.add)
            login.open()
    except InfisicalError as failure:
        module.fail_json(**report.failure(failure))
    invocation = {"module_args": remove_values(module.params, module.no_log_values)}
    # The one secret that is ever in a result: handing it on is what the module is for.
    module.no_log_values.discard(login.token)
    module.exit_json(
        changed=False,
        login_data={"url": choice.url, "access_token": login.token},
        invocation=invocation,
    )


def _key(method: AuthMethod) -> str:
    """Return the method's name as options and results spell it."""
    return method.name.replace("-", "_")


def _invocation(module: AnsibleModule, lists: t.Iterable[str]) -> dict[str, t.Any]:
    """Return what a task was called with, but of long lists only how many items they have."""
    given: dict[str, t.Any] = dict(module.params)
    for option in lists:
        if given[option] is not None:
            count = len(given[option])
            given[option] = f"{count} {'entry' if count == 1 else 'entries'}"
    return {"module_args": remove_values(given, module.no_log_values)}


def _kept(raw: list[t.Any] | None) -> list[Reference] | None:
    """Read who may keep what is not listed, or None if everybody may. Raises OptionError."""
    if raw is None:
        return None
    if not raw:
        raise OptionError(
            "purge_except is an empty list, which would revoke from every identity of the"
            " organization; list the identities that may keep what they have, or leave it out."
        )
    return read_references("purge_except", raw)


def _those_with(method: AuthMethod, everyone: t.Iterable[Identity]) -> list[Found]:
    return [
        Found(
            Reference(
                f"{printable(identity.name, 80)} ({identity.id})", "", identity.id, identity.name
            ),
            identity.id,
            identity,
        )
        for identity in sorted(everyone, key=lambda identity: (identity.name, identity.id))
        if method.name in identity.methods
    ]


def _surplus(
    method: AuthMethod, keep: t.Iterable[Found], everyone: t.Iterable[Identity]
) -> list[Found]:
    kept = {item.identity_id for item in keep}
    return [item for item in _those_with(method, everyone) if item.identity_id not in kept]


def _spare_own_login(
    module: AnsibleModule, method: AuthMethod, login: Login, surplus: list[Found]
) -> list[Found]:
    """Return the identities to purge without the one that the task is logged in as."""
    for item in surplus:
        if item.identity_id == login.identity_id:
            module.warn(
                f"purge_except does not list {item.reference.label}, which this task is logged in"
                f" as; its {method.title} is left alone."
            )
            return [other for other in surplus if other is not item]
    return surplus


def _unless_gone(do: t.Callable[[], None]) -> None:
    """Do what has to do with an identity that may have been deleted since it was listed."""
    try:
        do()
    except ApiError as failure:
        if failure.http_status != 404:
            raise


@contextlib.contextmanager
def _stopping(fleet: Fleet, api: Api) -> t.Iterator[None]:
    """Stop a fleet's work, when this is interrupted in a with block."""
    try:
        yield
    except InterruptError:
        with signals_wait():
            api.stop()
            fleet.stop()
        raise


def _end(module: AnsibleModule, result: Result, problem: str) -> None:
    if problem:
        module.fail_json(**{**result, "msg": problem})
    module.exit_json(**result)
