# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for infisical.vault.login, of its documented shape, where that is not installed."""

from __future__ import annotations

import json
import urllib.request

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Log in with Universal Auth; under check mode return a placeholder, as the real one does."""
    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str", "default": "https://app.infisical.com"},
            "auth_method": {"type": "str", "choices": ["universal_auth"], "required": True},
            "universal_auth_client_id": {"type": "str", "required": True},
            "universal_auth_client_secret": {"type": "str", "required": True, "no_log": True},
        },
        supports_check_mode=True,
    )
    url = module.params["url"]
    if module.check_mode:
        module.exit_json(
            changed=False, login_data={"url": url, "access_token": "<check_mode_token>"}
        )
    body = {
        "clientId": module.params["universal_auth_client_id"],
        "clientSecret": module.params["universal_auth_client_secret"],
    }
    request = urllib.request.Request(
        f"{url}/api/v1/auth/universal-auth/login",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        token = json.load(answer)["accessToken"]
    module.exit_json(changed=False, login_data={"url": url, "access_token": token})


if __name__ == "__main__":
    main()
