# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module does to log in and return the token, or to revoke a token."""

from __future__ import annotations

from .._errors import InfisicalError, OptionError
from .._server.login import Login, gives_token, revoke
from .._state.warnings import Warnings
from .module import Module, client_of
from .options import STATE_SPEC
from .results import failure as failure_of


def log_in_or_out() -> None:
    """Run the module that logs in and returns the token, or revokes a token."""
    module = Module(STATE_SPEC)
    try:
        absent = module.params["state"] == "absent"
        # The task must not revoke a token from the environment.
        if absent and not gives_token(module.options):
            raise OptionError(
                "state is absent, but there is no token to revoke; set token or login_data."
            )
        with client_of(module, Warnings()) as (client, choice):
            if absent:
                if choice.path is not None:
                    raise OptionError(
                        "state is absent, which revokes a token and does not log in; remove"
                        " auth_method."
                    )
                revoke(client, choice.values["token"])
                module.exit_json(changed=False)
            login = Login(client, choice, module.hide)
            login.open()
    except InfisicalError as failure:
        module.fail_json(**failure_of(failure))
    # The only secret that any result contains: returning it is the purpose of the module.
    module.exit_with_login(
        changed=False,
        login_data={"url": choice.url, "access_token": login.token},
        obtained=login.obtained,
    )
