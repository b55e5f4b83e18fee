# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter that summarizes what was applied; documented in identity_summary.yml."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.community.infisical.plugins.module_utils._text import quoted
from ansible_collections.community.infisical.plugins.plugin_utils._arguments import dictionaries
from ansible_collections.community.infisical.plugins.plugin_utils._summary import Run, summarize

NAME = "community.infisical.identity_summary"


def identity_summary(
    result: t.Any,
    earlier: t.Any = None,
    entries: t.Any = (),
    total: t.Any = None,
    seconds: t.Any = None,
    *,
    check_mode: bool = False,
) -> dict[str, t.Any]:
    """Return a summary of applying a list: numbers, a line for each failure, and a sentence.

    Raises AnsibleFilterError for wrong arguments.
    """
    for what, value in (("its input", result), ("earlier", earlier or {})):
        if not isinstance(value, dict):
            raise AnsibleFilterError(
                f"{NAME}: {what} is {quoted(value)}, which is not a dictionary."
            )
    given = dictionaries(NAME, "entries", entries)
    try:
        run = Run(
            None if total is None else int(total),
            None if seconds is None else int(seconds),
            check_mode,
        )
        return summarize(result, earlier or {}, given, run)
    except (AttributeError, KeyError, TypeError, ValueError) as why:
        raise AnsibleFilterError(
            f"{NAME}: its arguments contain something that neither infisical_identities nor this"
            f" filter returns ({type(why).__name__}: {why})."
        ) from None


class FilterModule:
    """The filters of this file, as Ansible wants them."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"identity_summary": identity_summary}
