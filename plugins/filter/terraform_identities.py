# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter that reads states of Terraform; documented in terraform_identities.yml."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.community.infisical.plugins.plugin_utils._terraform import identities_of

NAME = "community.infisical.terraform_identities"


def terraform_identities(state: t.Any) -> dict[str, list[dict[str, t.Any]]]:
    """Return the identities of a state as entries, and what is left out of them.

    Raises AnsibleFilterError, with one sentence, for anything that is not a state.
    """
    try:
        return identities_of(state)
    except ValueError as why:
        raise AnsibleFilterError(f"{NAME}: {why}") from None


class FilterModule:
    """The filters of this file, as Ansible wants them."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"terraform_identities": terraform_identities}
