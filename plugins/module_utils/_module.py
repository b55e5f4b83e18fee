# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module does around the work: read its options, log in and out, report.

The only room that knows AnsibleModule.
"""

from __future__ import annotations

import contextlib
import os
import signal
import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.common.parameters import remove_values

from ._api import Api, Attached
from ._cidr import NETADDR_IMPORT_ERROR
from ._client import REQUESTS_IMPORT_ERROR, Client, password_in, travels_in_clear
from ._errors import InfisicalError, InterruptError, OptionError
from ._login import Choice, Login, choose, gives_token, revoke
from ._model import AuthMethod
from ._notes import Notes
from ._options import (
    CONNECTION_SPEC,
    IDENTITY_SPEC,
    LOGIN_STATE_SPEC,
    Spec,
    connection_of,
    identity_of,
    with_api_names,
)
from ._reconcile import Reconciliation
from ._text import trim

_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


def manage_one(method: AuthMethod, spec: Spec) -> None:
    """Run a module that manages one identity's auth method; `spec` is that of its options."""
    module = AnsibleModule(
        argument_spec={**CONNECTION_SPEC, **IDENTITY_SPEC, **with_api_names(spec, method)},
        supports_check_mode=True,
    )
    _require_libraries(module)
    _settle_secrets(module)
    work: Reconciliation | None = None
    try:
        notes = Notes()
        identity_id, identity_name = identity_of(module.params)
        values = method.from_options(module.params, notes)
        wanted = values if module.params["state"] == "present" else None
        with _logged_in(module, notes) as (api, login):
            identity = None
            if identity_id is None:
                identity = api.identity_named(identity_name or "")
                identity_id = identity.id
            work = Reconciliation(
                api, login, method, identity_id, identity, check=module.check_mode
            )
            work.run(wanted)
        module.exit_json(**_success(module, method, work))
    except InfisicalError as failure:
        result = _failure(failure)
        if work and work.changed:
            result.update({"changed": True, _key(method): _shown(method, work, work.actual)})
        module.fail_json(**result)


def log_in_or_out() -> None:
    """Run the module that logs in, and hands its token on, or revokes one."""
    module = AnsibleModule(
        argument_spec={**CONNECTION_SPEC, **LOGIN_STATE_SPEC}, supports_check_mode=True
    )
    _require_libraries(module)
    _settle_secrets(module)
    try:
        absent = module.params["state"] == "absent"
        # The token of the environment is not this task's to end.
        if absent and not gives_token(module.params):
            raise OptionError(
                "state is absent, which revokes a token that exists; give it in token or in"
                " login_data."
            )
        with _client(module, Notes()) as (client, choice):
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
        module.fail_json(**_failure(failure))
    invocation = {"module_args": remove_values(module.params, module.no_log_values)}
    # The one secret that is ever in a result: handing it on is what the module is for.
    module.no_log_values.discard(login.token)
    module.exit_json(
        changed=False,
        login_data={"url": choice.url, "access_token": login.token},
        invocation=invocation,
    )


@contextlib.contextmanager
def _client(module: AnsibleModule, notes: Notes) -> t.Iterator[tuple[Client, Choice]]:
    """Connect for the time of a with block. Every option has been read before the first request."""
    choice = choose(module.params, os.environ)
    module.no_log_values.update(choice.secrets)
    connection = connection_of(module.params, choice.url)
    for message in notes.messages():
        module.warn(message)
    if choice.warning:
        module.warn(choice.warning)
    if connection.verify is False:
        module.warn("validate_certs is false: anybody on the way can read the token and use it.")
    if travels_in_clear(choice.url):
        module.warn(f"url {choice.url} is not https: anybody on the way can read the token.")
    client = Client(connection, module.no_log_values)
    with _signals_raise(), contextlib.closing(client):
        yield client, choice


@contextlib.contextmanager
def _logged_in(module: AnsibleModule, notes: Notes) -> t.Iterator[tuple[Api, Login]]:
    """Log in for the time of a with block.

    A token that is obtained here is revoked at the end, also after a failure or a signal.
    """
    with _client(module, notes) as (client, choice):
        login = Login(client, choice, module.no_log_values.add)
        try:
            login.open()
            yield Api(client, login.identity_id), login
        finally:
            with _signals_wait():
                problem = login.close()
            if problem:
                module.warn(problem)


@contextlib.contextmanager
def _signals_raise() -> t.Iterator[None]:
    """Let the signals that ask a process to end raise InterruptError, in a with block."""

    def interrupt(number: int, _frame: t.Any) -> t.NoReturn:
        raise InterruptError(
            f"The task was stopped by {signal.Signals(number).name}; run it again, and it goes on"
            " from what it left."
        )

    with _signals(interrupt):
        yield


@contextlib.contextmanager
def _signals_wait() -> t.Iterator[None]:
    """Ignore those signals in a with block, which has to be short."""
    with _signals(signal.SIG_IGN):
        yield


@contextlib.contextmanager
def _signals(handler: t.Any) -> t.Iterator[None]:
    # One that was ignored from the start, as under nohup, stays ignored.
    before = {
        number: signal.signal(number, handler)
        for number in _SIGNALS
        if signal.getsignal(number) not in (signal.SIG_IGN, None)
    }
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def _require_libraries(module: AnsibleModule) -> None:
    for library, problem in (
        ("requests", REQUESTS_IMPORT_ERROR),
        ("netaddr", NETADDR_IMPORT_ERROR),
    ):
        if problem:
            module.fail_json(msg=missing_required_lib(library), exception=problem)


def _settle_secrets(module: AnsibleModule) -> None:
    """Correct what Ansible masks in all output, which so far are the options marked no_log."""
    # Inputs that AWX leaves blank are no secrets, and would mask every blank in every message.
    module.no_log_values = {value for value in module.no_log_values if trim(value)}
    # Passwords in URLs are refused, and would be shown with the options.
    login_data = module.params["login_data"] or {}
    for url in (module.params["url"], login_data.get("url")):
        password = password_in(url or "")
        if password:
            module.no_log_values.add(password)


def _key(method: AuthMethod) -> str:
    """Return the method's name as results spell it."""
    return method.name.replace("-", "_")


def _success(module: AnsibleModule, method: AuthMethod, work: Reconciliation) -> dict[str, t.Any]:
    """Return what a task that did its work says of it."""
    result: dict[str, t.Any] = {
        "changed": work.changed,
        _key(method): _shown(method, work, work.result),
        # Facts may be cached: they are what is, also where check mode tells what would be.
        "ansible_facts": {f"infisical_{_key(method)}": _shown(method, work, work.actual)},
    }
    if module._diff:
        header = " ".join(filter(None, (method.title, "of", work.identity_name, work.identity_id)))
        result["diff"] = {
            "before_header": header,
            "before": _compared(method, work.before),
            "after_header": header,
            "after": _compared(method, work.result),
        }
    return result


def _failure(failure: InfisicalError) -> dict[str, t.Any]:
    """Return what a failed task says of its failure."""
    answered = {
        "http_status": failure.http_status,
        "error": failure.error,
        "request_id": failure.request_id,
    }
    return {
        "msg": str(failure),
        **{key: value for key, value in answered.items() if value is not None},
    }


def _shown(method: AuthMethod, work: Reconciliation, attached: Attached | None) -> dict[str, t.Any]:
    """Return a state as the user gets it."""
    shown: dict[str, t.Any] = {"identity_id": work.identity_id}
    if work.identity_name is not None:
        shown["identity_name"] = work.identity_name
    shown.update(_settings(method, attached))
    shown["metadata"] = dict(attached.metadata) if attached else None
    return shown


def _compared(method: AuthMethod, attached: Attached | None) -> dict[str, t.Any]:
    """Return a state as a diff shows it: lists sorted, since their order means nothing."""
    return {
        key: sorted(value) if isinstance(value, list) else value
        for key, value in _settings(method, attached).items()
    }


def _settings(method: AuthMethod, attached: Attached | None) -> dict[str, t.Any]:
    if attached is None:
        return {"state": "absent"}
    return {"state": "present", **method.to_result(attached.values)}
