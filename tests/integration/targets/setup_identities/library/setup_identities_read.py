#!/usr/bin/python

# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads from an Infisical server, past the collection, an identity and its Azure Auth.

- url, token: of the server.
- id: of the identity, whose Azure Auth alone is read. Or:
- organization_id, part_of_name: the one identity that the organization owns with such a name.

Returns `identity`, {} where there is none with such a name; and `azure_auth`, the API's object, {}
where nothing is attached. What the server does not have is left out of the identity, and so is
whatever changes by itself.
"""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.setup_identities import RequestError, Server


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        {
            "url": {"type": "str", "required": True},
            "token": {"type": "str", "no_log": True, "required": True},
            "id": {"type": "str"},
            "organization_id": {"type": "str"},
            "part_of_name": {"type": "str"},
        },
        required_one_of=[("id", "part_of_name")],
        mutually_exclusive=[("id", "part_of_name")],
        required_together=[("organization_id", "part_of_name")],
        supports_check_mode=True,
    )
    asked = module.params
    server = Server(asked["url"], asked["token"])
    try:
        if asked["id"]:
            read = {"azure_auth": _azure_auth(server, asked["id"])}
        else:
            read = _both(server, _ids(server, asked["organization_id"], asked["part_of_name"]))
    except RequestError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **read)


def _ids(server: Server, organization_id: str, part_of_name: str) -> list[str]:
    """Return the ID of the identity, or nothing. Raises RequestError."""
    path = f"/api/v1/identities?orgId={organization_id}"
    listed = [entry["identity"] for entry in server.request("GET", path).json["identities"]]
    found = [identity["id"] for identity in listed if part_of_name in identity["name"]]
    if len(found) > 1:
        raise RequestError(
            f"Several identities have '{part_of_name}' in their names: {', '.join(found)}"
        )
    return found


def _both(server: Server, ids: list[str]) -> dict[str, Any]:
    """Return the identity and its Azure Auth. Raises RequestError."""
    if not ids:
        return {"identity": {}, "azure_auth": {}}
    return {"identity": _identity(server, ids[0]), "azure_auth": _azure_auth(server, ids[0])}


def _identity(server: Server, identity_id: str) -> dict[str, Any]:
    answered = server.request("GET", f"/api/v1/identities/{identity_id}").json["identity"]
    role = answered["role"]
    identity = {
        "id": answered["identity"]["id"],
        "name": answered["identity"]["name"],
        "role": answered["customRole"]["slug"] if role == "custom" else role,
    }
    if "metadata" in answered:
        identity["metadata"] = {entry["key"]: entry["value"] for entry in answered["metadata"]}
    if "hasDeleteProtection" in answered["identity"]:
        identity["delete_protection"] = answered["identity"]["hasDeleteProtection"]
    return identity


def _azure_auth(server: Server, identity_id: str) -> dict[str, Any]:
    path = f"/api/v1/auth/azure-auth/identities/{identity_id}"
    answer = server.request("GET", path, statuses=(200, 400))
    read: dict[str, Any] = answer.json["identityAzureAuth"] if answer.status == 200 else {}
    return read


if __name__ == "__main__":
    main()
