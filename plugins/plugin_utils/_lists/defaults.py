# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Defaults of a list: the values of settings that an entry leaves out. Pure."""

from __future__ import annotations

import typing as t

from ansible.module_utils.parsing.convert_bool import boolean

from ...module_utils._module.entries import ABSENT
from ...module_utils._state.auth_methods import AUTH_METHODS
from ...module_utils._state.fields import Values

# The keys that name an identity. An absent identity has no settings, but it has an owner.
_NAMING = ("id", "name", "project_id")
_METHODS = {method.key: method for method in AUTH_METHODS}
# Lists of who may log in, each with the switch that lets everyone log in. An entry has one of the
# two.
SWITCHES = {
    field.option: field.switch for method in AUTH_METHODS for field in method.fields if field.switch
}


def merged(defaults: Values, values: Values) -> dict[str, t.Any]:
    """Return an entry, or inner defaults, with the defaults for the keys that it leaves out.

    Dictionaries merge key by key, and any other value replaces the default. Null is a value too: it
    replaces the default, and stays. Neither argument is changed.
    """
    if values.get("state") == ABSENT or _only_revokes(values):
        defaults = {key: value for key, value in defaults.items() if key in _NAMING}
    found = dict(values)
    for key, default in defaults.items():
        given = values.get(key)
        if key not in values:
            found[key] = default
        elif isinstance(default, t.Mapping) and isinstance(given, t.Mapping):
            found[key] = _merged_method(default, given) if key in _METHODS else {**default, **given}
    return found


def _merged_method(defaults: Values, settings: Values) -> dict[str, t.Any]:
    """Return the settings of an auth method, with defaults for those that are left out."""
    if settings.get("state") == ABSENT:
        return dict(settings)
    dropped = {option for option, switch in SWITCHES.items() if _is_on(settings.get(switch))}
    return {
        **{key: value for key, value in defaults.items() if key not in dropped},
        **settings,
    }


def _is_on(flag: t.Any) -> bool:
    """Return whether a switch is on. A switch that is off counts as left out."""
    return isinstance(flag, (bool, str)) and bool(boolean(flag, strict=False))


def _only_revokes(entry: Values) -> bool:
    """Return whether an entry only revokes auth methods. Such an entry creates no identity.

    With a default added, it would create one.
    """
    given = {
        key
        for key, value in entry.items()
        if value is not None and key not in (*_NAMING, "state", "source")
    }
    return bool(given) and all(
        key in _METHODS and isinstance(entry[key], t.Mapping) and entry[key].get("state") == ABSENT
        for key in given
    )
