# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for infisical.vault.read_secrets: takes a login, and proves that it is good."""

from __future__ import annotations

import urllib.request

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Make a request with the token, which fails if the server does not accept it."""
    module = AnsibleModule(
        argument_spec={
            "login_data": {"type": "dict", "required": True, "no_log": True},
            "project_id": {"type": "str", "required": True},
            "env_slug": {"type": "str", "required": True},
            "path": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )
    login_data = module.params["login_data"]
    request = urllib.request.Request(
        f"{login_data['url']}/api/v1/identities/details",
        headers={"Authorization": f"Bearer {login_data['access_token']}"},
    )
    with urllib.request.urlopen(request, timeout=10):
        pass
    module.exit_json(changed=False, secrets=[])


if __name__ == "__main__":
    main()
