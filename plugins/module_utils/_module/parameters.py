# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Ansible hands to a module, settled before Ansible judges it.

Ansible shows a module's parameters with every result, also where it refuses one of them itself. So
secrets are taken out first, and so is everything that may be one by mistake. What is left has no
blanks, which AWX writes for inputs that nobody filled in.
"""

from __future__ import annotations

import re
import typing as t

from ansible.module_utils.common.validation import check_type_dict

from .._errors import OptionError
from .._server.client import base_url
from .._state.fields import Values
from .._text import has_template, quoted, trim
from .options import Spec, absent, types_of, with_values

# What Ansible itself shows in place of a secret.
HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"

_URL, _LOGIN_DATA, _TOKEN = "url", "login_data", "access_token"
_KEY = re.compile(r"[a-z_]{1,40}", re.ASCII)


class Parameters(t.NamedTuple):
    """Parameters without secrets.

    `public` are those for Ansible, its own among them. `secret` are the secret options that have a
    value, and login_data as a whole. `problems` are sentences about what is wrong.
    """

    public: dict[str, t.Any]
    secret: dict[str, t.Any]
    problems: list[str]

    def shown(self, arguments: Values) -> dict[str, t.Any]:
        """Return a module's arguments as results show them, which say what secrets are given."""
        shown = {**arguments, **{option: HIDDEN for option in self.secret if option != _LOGIN_DATA}}
        login_data = self.secret.get(_LOGIN_DATA)
        if login_data:
            shown[_LOGIN_DATA] = {**login_data, _TOKEN: HIDDEN}
        return shown


def settle(given: Values, spec: Spec) -> Parameters:
    """Take apart what was given for a spec's options."""
    secret: dict[str, t.Any] = {}
    problems: list[str] = []
    types = types_of(spec)
    public = {}
    values = {}
    for option, raw in given.items():
        if option.startswith("_ansible_"):
            public[option] = raw
        elif option not in types:
            problems.append(_unknown(option, types))
            public[option] = HIDDEN
        elif absent(raw):
            continue
        elif option == _LOGIN_DATA:
            _keep(secret, problems, option, _login_data, raw)
        elif spec.get(option, {}).get("no_log"):
            _keep(secret, problems, option, _secret, raw)
        elif option == _URL:
            _keep(public, problems, option, _url, raw)
        else:
            values[option] = raw
    read, wrong = with_values(types, values)
    public.update(read)
    # Ansible is to refuse these too, which is how ansible-lint finds them. But that gives templates
    # as they are.
    public.update(
        (option, HIDDEN)
        for option in wrong
        if spec.get(option, {}).get("required") or not has_template(values[option])
    )
    if _LOGIN_DATA in secret:
        public[_LOGIN_DATA] = {key: v for key, v in secret[_LOGIN_DATA].items() if key != _TOKEN}
    return Parameters(public, secret, [*problems, *wrong.values()])


def _keep(
    values: dict[str, t.Any],
    problems: list[str],
    option: str,
    read: t.Callable[[str, t.Any], t.Any],
    raw: t.Any,
) -> None:
    try:
        values[option] = read(option, raw)
    except OptionError as error:
        problems.append(str(error))


def _url(option: str, raw: t.Any) -> str:
    """Return a URL as it is. Raises OptionError, which shows nothing that may be a secret."""
    if not isinstance(raw, str):
        raise OptionError(
            f"{option} is not a string; write the URL of the server, such as"
            " 'https://app.infisical.com'."
        )
    base_url(option, raw)
    return raw


def _secret(option: str, raw: t.Any) -> str:
    """Read a secret. Raises OptionError, which does not show it."""
    if not isinstance(raw, str):
        raise OptionError(f"{option} is not a string; give the secret as one, in quotes.")
    return raw


def _login_data(option: str, raw: t.Any) -> dict[str, str]:
    """Read a login. Raises OptionError, which shows nothing that may be a secret."""
    cure = (
        "give what infisical_login returned under that name, as in"
        f" {option}: '{{{{ login.{option} }}}}'"
    )
    if isinstance(raw, str) and trim(raw).startswith("{"):
        try:
            raw = check_type_dict(trim(raw))
        except TypeError:
            raise OptionError(f"{option} is a text that is no dictionary; {cure}.") from None
    if not isinstance(raw, dict):
        raise OptionError(f"{option} is not a dictionary; {cure}.")
    if option in raw:
        raise OptionError(
            "login_data is the whole result of the login; give login.login_data, which is a part of"
            " it."
        )
    others = [
        key if isinstance(key, str) and _KEY.fullmatch(key) else "one that is no name"
        for key in raw
        if key not in (_URL, _TOKEN)
    ]
    if others:
        raise OptionError(
            f"{option} has keys besides {_URL} and {_TOKEN} ({', '.join(others)}); {cure}."
        )
    login = {}
    for key in (_URL, _TOKEN):
        value = raw.get(key)
        if absent(value):
            continue
        if not isinstance(value, str):
            raise OptionError(f"{option}.{key} is not a string; {cure}.")
        if key == _URL and not _is_url(value):
            # It may be the token, in the wrong place.
            raise OptionError(f"login_data.url is not the URL of a server; {cure}.")
        login[key] = _secret(f"{option}.{key}", value)
    return login


def _is_url(text: str) -> bool:
    try:
        base_url("", text)
    except OptionError:
        return False
    return True


def _unknown(option: str, legal: t.Collection[str]) -> str:
    """Return what is wrong with an option that does not exist, whose value may be a secret."""
    # Few tasks come here, and each import takes time when a task starts.
    from difflib import get_close_matches

    close = get_close_matches(option, sorted(legal), n=1)
    if not close:
        close = [name for name in sorted(legal) if option and name.endswith(f"_{option}")][:1]
    meant = f"; did you mean {close[0]}?" if close else f"; there are {', '.join(sorted(legal))}."
    return f"{quoted(option)} is not an option of this module{meant}"
