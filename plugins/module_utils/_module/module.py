# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module does: AnsibleModule, libraries, secrets, login and logout."""

from __future__ import annotations

import contextlib
import os
import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

try:
    # Since ansible-core 2.22.
    from ansible.module_utils.secrets import register_secret
except ImportError:
    register_secret = None

from .._errors import OptionError
from .._server import signals
from .._server.api import Api
from .._server.client import Client
from .._server.connection import connection_of, travels_in_clear
from .._server.login import Choice, Login, choose, every_secret
from .._server.transport import REQUESTS_IMPORT_ERROR
from .._state.networks import NETADDR_IMPORT_ERROR
from .._state.warnings import Warnings
from .._text import masked, visible
from .options import CONNECTION_SPEC, Spec
from .parameters import Parameters, settle
from .requirements import outdated
from .start import after_imports


class Module(AnsibleModule):
    """A module with the shared options and options of its own.

    Ansible does not check the items of the options in `lists`, and results show only their number,
    because runners drop results that are too long. Results contain no secret that the task uses.
    Unused secrets are not read.
    """

    def __init__(self, spec: Spec, lists: t.Collection[str] = ()) -> None:
        after_imports()
        self._lists = lists
        self._items: dict[str, list[t.Any]] = {}
        self._parameters = Parameters({}, {}, [])
        self._choice: Choice | OptionError
        self._secrets: set[str] = set()
        super().__init__(argument_spec={**CONNECTION_SPEC, **spec}, supports_check_mode=True)
        self.params.update(self._items)
        _require_libraries(self)
        if self._parameters.problems:
            self.fail_json("")

    def _load_params(self) -> None:
        # This overrides a method of Ansible, because no other runs between reading and checking
        # parameters: see parameters.py.
        super()._load_params()
        given: dict[str, t.Any] = self.params
        self._parameters = settle(given, self.argument_spec)
        self.params: dict[str, t.Any] = self._parameters.public
        for option in self._lists:
            # Ansible would copy and log all items, although it does not check them.
            if isinstance(self.params.get(option), list):
                self._items[option], self.params[option] = self.params[option], []
        for secret in self._parameters.of_settings:
            self.hide(secret)
        try:
            self._choice = choose(self.options, os.environ)
        except OptionError as error:
            self._choice = error
            # The login is unknown, so treat all secrets as used.
            self._secrets.update(every_secret(self.options, os.environ))
        else:
            for secret in self._choice.secrets:
                self.hide(secret)

    @property
    def choice(self) -> Choice:
        """The login that was chosen. Raises OptionError."""
        if isinstance(self._choice, OptionError):
            raise self._choice
        return self._choice

    @property
    def options(self) -> dict[str, t.Any]:
        """The options, the secret ones among them."""
        return self._parameters.with_secrets(self.params)

    @property
    def secrets(self) -> t.Collection[str]:
        """The secrets that the task uses. More may be added."""
        return self._secrets

    def hide(self, secret: str) -> None:
        """Keep a secret out of all output."""
        self._secrets.add(secret)
        # If one gets past this module, Ansible still masks it.
        if register_secret:
            register_secret(secret)
        else:
            self.no_log_values.add(secret)

    def warn_of(self, warnings: Warnings) -> None:
        """Give the collected warnings, each kind once."""
        for message in warnings.messages():
            self.warn(message)

    def exit_json(self, **result: t.Any) -> None:
        """End the module successfully."""
        super().exit_json(**self._without_secrets(self._with_invocation(result)))

    def fail_json(self, msg: str, **result: t.Any) -> None:
        """End the module as failed. Ansible calls this too, if it finds an option invalid."""
        # The messages found here are better than Ansible's, which show values unmasked.
        msg = " ".join(self._parameters.problems) or visible(msg)
        super().fail_json(**self._without_secrets(self._with_invocation({**result, "msg": msg})))

    def exit_with_login(self, **result: t.Any) -> None:
        """End the module successfully, with an unmasked login in the result."""
        invocation = self._without_secrets(self._with_invocation({}))
        # Ansible would mask the token, and any part of the URL that equals a secret by chance.
        self.no_log_values.clear()
        super().exit_json(**invocation, **result)

    def end(self, result: dict[str, t.Any], problem: str) -> None:
        """End the module, as failed if there is a problem."""
        if problem:
            self.fail_json(**{**result, "msg": problem})
        self.exit_json(**result)

    def warn(self, warning: str, **details: t.Any) -> None:
        """Warn, without secrets."""
        super().warn(masked(warning, self._secrets), **details)

    def _without_secrets(self, value: t.Any) -> t.Any:
        if isinstance(value, str):
            return masked(value, self._secrets)
        if isinstance(value, dict):
            return {
                self._without_secrets(key): self._without_secrets(item)
                for key, item in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self._without_secrets(item) for item in value]
        return value

    def _with_invocation(self, result: dict[str, t.Any]) -> dict[str, t.Any]:
        arguments = self._parameters.shown({**self.params, **self._items})
        for option in self._lists:
            given = arguments.get(option)
            if isinstance(given, list):
                arguments[option] = f"{len(given)} {'entry' if len(given) == 1 else 'entries'}"
        return {"invocation": {"module_args": arguments}, **result}


@contextlib.contextmanager
def client_of(
    module: Module, warnings: Warnings, workers: int = 1
) -> t.Iterator[tuple[Client, Choice]]:
    """Connect for a with block. All options are read before the first request."""
    choice = module.choice
    connection = connection_of(module.params, choice.url, choice.url_by_default)
    for secret in connection.secrets:
        module.hide(secret)
    module.warn_of(warnings)
    if choice.warning:
        module.warn(choice.warning)
    if connection.verify is False:
        module.warn(
            "validate_certs is false, so anybody on the network path can read the token and use it;"
            " set ca_path instead."
        )
    if travels_in_clear(choice.url):
        module.warn(
            f"url {choice.url} is not https, so anybody on the network path can read the token; use"
            " https."
        )
    client = Client(connection, module.secrets, workers)
    signals.watch()
    try:
        with contextlib.closing(client):
            yield client, choice
    finally:
        signals.ignore()


@contextlib.contextmanager
def logged_in(
    module: Module, warnings: Warnings, workers: int = 1
) -> t.Iterator[tuple[Api, Login]]:
    """Log in for a with block.

    At the end, even after a failure or a signal, a token that was obtained here is revoked.
    """
    with client_of(module, warnings, workers) as (client, choice):
        login = Login(client, choice, module.hide)
        try:
            login.open()
            yield Api(client, login.identity_id, login.organization_id), login
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
        if outdated(library):
            module.fail_json(msg=outdated(library))
