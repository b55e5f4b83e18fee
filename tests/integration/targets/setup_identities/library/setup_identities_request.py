#!/usr/bin/python

# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a request to an Infisical server past the collection.

- url, token: of the server; without a token, there is no login.
- method (GET), path, body (none): the request.
- status ([200]): those that the answer may have. With any other, the module fails.

Returns the status and the JSON of the answer as `status` and `json`.
"""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.setup_identities import RequestError, Server


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        {
            "url": {"type": "str", "required": True},
            "token": {"type": "str", "no_log": True, "default": ""},
            "method": {"type": "str", "default": "GET"},
            "path": {"type": "str", "required": True},
            "body": {"type": "dict"},
            "status": {"type": "list", "elements": "int", "default": [200]},
        }
    )
    asked = module.params
    server = Server(asked["url"], asked["token"])
    try:
        answer = server.request(asked["method"], asked["path"], asked["body"], asked["status"])
    except RequestError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, status=answer.status, json=answer.json)


if __name__ == "__main__":
    main()
