# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is around the work of a module: Ansible's side of it, and the login."""

from __future__ import annotations

import contextlib
import os
import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from . import _signals as signals
from ._api import Api
from ._cidr import NETADDR_IMPORT_ERROR
from ._client import REQUESTS_IMPORT_ERROR, Client, password_in, travels_in_clear
from ._login import Choice, Login, choose
from ._notes import Notes
from ._options import CONNECTION_SPEC, Spec, connection_of
from ._text import masked, trim


class Module(AnsibleModule):
    """A module with the options that all share, and some of its own.

    Of the options named in `lists` results say only how many items they have: a runner drops a
    result that is too long.
    """

    def __init__(self, spec: Spec, lists: t.Collection[str] = ()) -> None:
        self._lists = lists
        super().__init__(argument_spec={**CONNECTION_SPEC, **spec}, supports_check_mode=True)
        _require_libraries(self)
        _settle_secrets(self)

    def exit_json(self, **result: t.Any) -> None:
        """End the module well."""
        super().exit_json(**self._with_invocation(result))

    def fail_json(self, msg: str, **result: t.Any) -> None:
        """End the module as failed, which Ansible too may do, when it finds an option invalid.

        Of values that are too long messages have the beginning, of which Ansible, which masks
        secrets, does not know that it is one's.
        """
        for item in (*result.get("results", ()), *result.get("failures", ())):
            if "msg" in item:
                item["msg"] = masked(item["msg"], self.no_log_values)
        super().fail_json(masked(msg, self.no_log_values), **self._with_invocation(result))

    def end(self, result: dict[str, t.Any], problem: str) -> None:
        """End the module: as failed, if there is a problem."""
        if problem:
            self.fail_json(**{**result, "msg": problem})
        self.exit_json(**result)

    def _with_invocation(self, result: dict[str, t.Any]) -> dict[str, t.Any]:
        arguments = dict(self.params)
        for option in self._lists:
            given = arguments.get(option)
            if isinstance(given, list):
                arguments[option] = f"{len(given)} {'entry' if len(given) == 1 else 'entries'}"
        return {"invocation": {"module_args": arguments}, **result}


@contextlib.contextmanager
def client_of(module: Module, notes: Notes, workers: int = 1) -> t.Iterator[tuple[Client, Choice]]:
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
    client = Client(connection, module.no_log_values, workers)
    signals.watch()
    try:
        with contextlib.closing(client):
            yield client, choice
    finally:
        signals.ignore()


@contextlib.contextmanager
def logged_in(module: Module, notes: Notes, workers: int = 1) -> t.Iterator[tuple[Api, Login]]:
    """Log in for the time of a with block.

    A token that is obtained here is revoked at the end, also after a failure or a signal.
    """
    with client_of(module, notes, workers) as (client, choice):
        login = Login(client, choice, module.no_log_values.add)
        try:
            login.open()
            yield Api(client, login.identity_id), login
        finally:
            problem = login.close()
            if problem:
                module.warn(problem)


def _require_libraries(module: Module) -> None:
    for library, problem in (
        ("requests", REQUESTS_IMPORT_ERROR),
        ("netaddr", NETADDR_IMPORT_ERROR),
    ):
        if problem:
            module.fail_json(msg=missing_required_lib(library), exception=problem)


def _settle_secrets(module: Module) -> None:
    """Correct what Ansible masks in all output, which so far are the options marked no_log."""
    # Inputs that AWX leaves blank are no secrets, and would mask every blank in every message.
    module.no_log_values = {value for value in module.no_log_values if trim(value)}
    # Passwords in URLs are refused, and would be shown with the options.
    login_data = module.params["login_data"] or {}
    for url in (module.params["url"], login_data.get("url")):
        password = password_in(url or "")
        if password:
            module.no_log_values.add(password)
