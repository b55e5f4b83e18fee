# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter of audits; documented in identity_findings.yml."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.community.infisical.plugins.module_utils._state.fields import (
    DEFAULT_SECONDS,
)
from ansible_collections.community.infisical.plugins.module_utils._state.networks import (
    NETADDR_IMPORT_ERROR,
)
from ansible_collections.community.infisical.plugins.module_utils._text import quoted
from ansible_collections.community.infisical.plugins.plugin_utils._findings import RULES, find
from ansible_collections.community.infisical.plugins.plugin_utils._rules import Thresholds

NAME = "community.infisical.identity_findings"


def identity_findings(
    identities: t.Any,
    max_lifetime: t.Any = DEFAULT_SECONDS,
    min_identical: t.Any = 10,
    ignore: t.Any = (),
) -> list[dict[str, t.Any]]:
    """Return what is questionable about identities.

    Raises AnsibleFilterError, with one sentence, for what the modules cannot have returned, and for
    arguments that are not right.
    """
    if NETADDR_IMPORT_ERROR:
        raise AnsibleFilterError(
            f"{NAME}: the Python that runs Ansible needs the package netaddr, which it does not"
            f" find: {NETADDR_IMPORT_ERROR.splitlines()[-1]}"
        )
    thresholds = Thresholds(
        max_lifetime=_number("max_lifetime", max_lifetime, 1, "seconds"),
        min_identical=_number("min_identical", min_identical, 2, "identities"),
    )
    ignored = _rules(ignore)
    given = _list("its input", identities, "the identities that the modules return")
    try:
        return find(given, thresholds, ignored)
    except ValueError as why:
        raise AnsibleFilterError(f"{NAME}: {why}") from None


def _list(what: str, value: t.Any, of: str) -> list[t.Any]:
    """Return a list, also of what select() and the like yield."""
    if isinstance(value, (str, bytes, t.Mapping)) or not isinstance(value, t.Iterable):
        raise AnsibleFilterError(
            f"{NAME}: {what} is {quoted(value)}, which is not a list; give it a list of {of}."
        )
    return list(value)


def _number(name: str, value: t.Any, lowest: int, unit: str) -> int:
    """Return a threshold; variables from the command line arrive as texts."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < lowest:
        raise AnsibleFilterError(
            f"{NAME}: {name} is {quoted(value)}; write a whole number of {unit}, at least {lowest}."
        )
    return value


def _rules(names: t.Any) -> frozenset[str]:
    """Return the names of rules. A name that is none could leave unnoticed what it was to hide."""
    known = [rule.name for rule in RULES]
    listed = _list("ignore", names, "rules")
    for name in listed:
        if name not in known:
            raise AnsibleFilterError(
                f"{NAME}: ignore has {quoted(name)}, which is no rule; there are"
                f" {', '.join(known)}."
            )
    return frozenset(listed)


class FilterModule:
    """The filters of this file, as Ansible wants them."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"identity_findings": identity_findings}
