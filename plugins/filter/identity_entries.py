# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter for lists in variables; documented in identity_entries.yml."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleError, AnsibleFilterError

from ansible_collections.community.infisical.plugins.module_utils._errors import OptionError
from ansible_collections.community.infisical.plugins.module_utils._text import OMITTED, quoted
from ansible_collections.community.infisical.plugins.plugin_utils._lists.reader import Reader
from ansible_collections.community.infisical.plugins.plugin_utils._lists.syntax import Secret

NAME = "community.infisical.identity_entries"


def identity_entries(value: t.Any, where: t.Any = "the list") -> list[dict[str, t.Any]]:
    """Return the entries of a variable in the form that the modules take.

    Raises AnsibleFilterError, with a sentence for each problem.
    """
    if not isinstance(where, str):
        raise AnsibleFilterError(f"{NAME}: where is {quoted(where)}, which is not a string.")
    reader = Reader(_refuse_template)
    try:
        reader.read_list(where, _plain(value), {})
        return reader.entries()
    except RecursionError:
        raise AnsibleFilterError(f"{where}: it contains itself.") from None
    except (OptionError, AnsibleError) as why:
        raise AnsibleFilterError(str(why)) from None


def _plain(value: t.Any) -> t.Any:
    """Return a value with plain lists and dictionaries, in place of iterators of filters too."""
    if isinstance(value, t.Mapping):
        return {key: _plain(item) for key, item in value.items() if not _is_omit(item)}
    if isinstance(value, (list, tuple, t.Iterator)):
        return [_plain(item) for item in value]
    # A string with the tag !vault, before ansible-core 2.19.
    if getattr(value, "__ENCRYPTED__", False):
        return Secret(str(value))
    # The modules refuse omit in a list.
    return OMITTED if _is_omit(value) else value


def _is_omit(value: t.Any) -> bool:
    """Return whether a value is `omit`: a string before ansible-core 2.19, an object since."""
    if isinstance(value, str):
        return value.startswith(OMITTED)
    return type(value).__name__ == "_OmitType"


def _refuse_template(_text: str) -> t.NoReturn:
    raise OptionError("a template that was not rendered; write its value.")


class FilterModule:
    """The filters of this file, as Ansible wants them."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"identity_entries": identity_entries}
