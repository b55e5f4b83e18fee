# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's rules for the lifetimes of access tokens.

The rules, as probed on real servers (T and M are the stored TTL and max, t and m the given ones):

- Attaching, current: refused when t > m, also when m is 0. 2024: t and m must be at least 1.
- Updating: refused when both are given, neither is 0, and t > m.
- Updating: with m' = m or M and t' = t or M (0 counts as not given; the stored *max* replaces a
  missing t), refused when m' > 0 and t' > m'. 2024 never accepts a max of 0.
"""

from __future__ import annotations

import typing as t

from .._errors import OptionError
from .fields import Values

TTL = "access_token_ttl"
MAX_TTL = "access_token_max_ttl"


def check_lifetimes(given: Values, otherwise: Values, source: str) -> None:
    """Refuse a TTL above the max, unless the max is 0, which means no maximum.

    `given` comes from options; `otherwise` (from `source`) is used for options that are not set.
    Raises OptionError with both numbers and their sources.
    """
    values = {**otherwise, **given}
    if TTL not in values or MAX_TTL not in values:
        return
    ttl, max_ttl = values[TTL], values[MAX_TTL]
    if max_ttl == 0 or ttl <= max_ttl:
        return
    ttl_source, max_source = ("given" if name in given else source for name in (TTL, MAX_TTL))
    raise OptionError(
        f"access_token_ttl {ttl} ({ttl_source}) is above access_token_max_ttl {max_ttl}"
        f" ({max_source}); lower the first, raise the second, or set access_token_max_ttl to 0 for"
        " no maximum."
    )


def refuse_no_maximum(values: Values, of_2024: bool) -> None:
    """Refuse a max of 0 on a server that does not support it. Raises OptionError."""
    if of_2024 and values.get(MAX_TTL) == 0:
        raise OptionError(
            f"{MAX_TTL} is 0 (no maximum), which this server, released in 2024, does not support;"
            " write 1 second or more."
        )


def depends_on_generation(current: Values, wanted: Values) -> bool:
    """Return whether only one generation of servers accepts an update."""
    return bool(wanted.get(MAX_TTL) == 0 != current.get(MAX_TTL))


def first_of(ttl: int, max_ttl: int) -> dict[str, int]:
    """Return the strictest lifetimes from which one more update leads to the given ones.

    0 means no limit. If it is wanted, the other limit replaces it until the second request.
    """
    return {TTL: ttl or max_ttl, MAX_TTL: max_ttl or ttl}


def can_attach(ttl: int, max_ttl: int, of_2024: bool) -> bool:
    """Return whether the server accepts an attach with these lifetimes."""
    return (1 if of_2024 else 0) <= ttl <= max_ttl


def can_update(stored_max: int, lifetimes: t.Mapping[str, int]) -> bool:
    """Return whether an update with these lifetimes satisfies both rules of the server."""
    # The second rule also refuses what the first does.
    result_max = lifetimes.get(MAX_TTL) or stored_max
    return not 0 < result_max < (lifetimes.get(TTL) or stored_max)
