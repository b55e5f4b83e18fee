# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments of filters, checked."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ..module_utils._text import quoted


def dictionaries(name: str, what: str, value: t.Any) -> list[dict[str, t.Any]]:
    """Return a list of dictionaries, also of what select() and the like yield.

    `name` is that of the filter, `what` the argument. Raises AnsibleFilterError for anything else.
    """
    if isinstance(value, (str, bytes, t.Mapping)) or not isinstance(value, t.Iterable):
        raise AnsibleFilterError(f"{name}: {what} is {quoted(value)}, which is not a list.")
    items = list(value)
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict):
            raise AnsibleFilterError(
                f"{name}: item {number} of {what} is {quoted(item)}, which is not a dictionary."
            )
    return items
