#!/usr/bin/python

# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: infisical_azure_auth
short_description: Manage the Azure Auth of an Infisical machine identity
version_added: 1.0.0
description:
  - Attaches Azure Auth to a machine identity in Infisical, updates it, or revokes it.
  - With Azure Auth, a workload that runs on Azure logs in to Infisical with a token of its managed identity or service principal. It needs no
    Infisical secret.
  - The module compares the meaning of the settings, not their spelling, and writes only if they differ from what the server holds.
  - To attach or update Azure Auth, the identity must exist. To create an identity together with its Azure Auth, use
    M(community.infisical.infisical_identity).
author:
  - The community.infisical authors (@ansible-collections)
extends_documentation_fragment:
  - community.infisical.attributes
  - community.infisical.attributes.action_group
  - community.infisical.connection
  - community.infisical.identity.azure_auth
attributes:
  check_mode:
    support: full
    details:
      - Reads and checks the same things as a real run, and writes nothing. It fails wherever a real run would fail because of the options or
        because of something that the module can read.
      - It cannot know whether the login (the identity that the task logs in as) may configure auth methods, whether the identity has more
        privileges than the login, whether your Infisical plan includes IP allowlisting (trusted IPs), or whether an old server can store all of
        O(allowed_service_principal_ids). See
        R(What check mode cannot know, ansible_collections.community.infisical.docsite.guide_identities.check_mode).
      - If an earlier task of the play would create the identity, the identity does not exist in check mode, and this task fails. To
        create an identity together with its Azure Auth, use M(community.infisical.infisical_identity).
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  identity_id:
    description:
      - ID of the machine identity, a UUID, with or without hyphens and braces.
      - Exactly one of O(identity_id) and O(identity_name) is required.
    type: str
  identity_name:
    description:
      - Exact name of the machine identity. Names are not unique in Infisical. If several identities have this name, that is an error.
    type: str
  project_id:
    description:
      - ID (not slug) of the project that owns the identity. Projects can own identities on servers released since October 2025.
      - With O(identity_name), set this option for an identity that a project owns, and leave it out for one that the organization owns.
      - With O(identity_id), you can leave this option out. If you set it, the project must own the identity.
    type: str
  state:
    description:
      - V(present) attaches or updates Azure Auth. If an option is not set, an update keeps its value on the server.
      - V(absent) revokes Azure Auth. Tokens that were issued through it stop working. If the identity does not exist, nothing happens. The
        options of Azure Auth are checked, but have no effect.
    type: str
    choices: [present, absent]
    default: present
  tenant_id:
    aliases: [tenantId]
  allowed_service_principal_ids:
    aliases: [allowedServicePrincipalIds]
  access_token_trusted_ips:
    aliases: [accessTokenTrustedIps]
  access_token_ttl:
    aliases: [accessTokenTTL]
  access_token_max_ttl:
    aliases: [accessTokenMaxTTL]
  access_token_num_uses_limit:
    aliases: [accessTokenNumUsesLimit]
notes:
  - The module never changes or revokes the Azure Auth that the task logged in with, so that a task cannot lock itself out. If it cannot tell
    which auth method issued the task's token, it assumes that it was Azure Auth.
seealso:
  - module: community.infisical.infisical_identity
  - module: community.infisical.infisical_identities
  - name: Update Azure Auth
    description: Reference of the API that the module uses.
    link: https://infisical.com/docs/api-reference/endpoints/azure-auth/update
  - ref: ansible_collections.community.infisical.docsite.guide_first_identity
    description: How to create your first identity and keep it as code.
"""

EXAMPLES = r"""
- name: Let one managed identity of a tenant log in
  community.infisical.infisical_azure_auth:
    identity_id: "{{ identity_id }}"
    tenant_id: 72f988bf-86f1-41af-91ab-2d7cd011db47
    resource: https://management.azure.com/
    allowed_service_principal_ids:
      - 8a6d3f0e-5d0c-4c43-9a0e-0d6b5a1f7c21
    access_token_trusted_ips:
      - 10.20.0.0/16
      - 2001:db8:20::/48
    access_token_ttl: 3600
    access_token_max_ttl: 86400

- name: Change one setting of an identity selected by name
  community.infisical.infisical_azure_auth:
    identity_name: billing
    access_token_num_uses_limit: 100

- name: Show what would change
  community.infisical.infisical_azure_auth:
    identity_name: billing
    access_token_ttl: 900
    access_token_max_ttl: 3600
  check_mode: true
  diff: true
  register: audit

- name: Report whether the identity has drifted
  ansible.builtin.debug:
    msg: "{{ 'The identity has drifted' if audit is changed else 'The identity has not drifted' }}"

- name: Revoke Azure Auth, with credentials from variables
  community.infisical.infisical_azure_auth:
    url: "{{ infisical_url }}"
    universal_auth_client_id: "{{ infisical_client_id }}"
    universal_auth_client_secret: "{{ infisical_client_secret }}"
    identity_name: billing
    state: absent
"""

RETURN = r"""
azure_auth:
  description:
    - Azure Auth after the run. Check mode predicts it. If you give this dictionary back to the module, nothing changes.
    - In check mode, values that the module cannot predict are null.
    - If the task fails after it has changed something, this is the last known state.
  returned: success, or failure after a change
  type: dict
  contains:
    identity_id:
      description: ID of the identity.
      returned: always
      type: str
      sample: 6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b
    state:
      description: Whether Azure Auth is attached (V(present)) or not (V(absent)).
      returned: always
      type: str
      sample: present
    tenant_id:
      description: ID of the Entra tenant.
      returned: if Azure Auth is attached
      type: str
      sample: 72f988bf-86f1-41af-91ab-2d7cd011db47
    resource:
      description: Resource that Entra tokens must be for.
      returned: if Azure Auth is attached
      type: str
      sample: https://management.azure.com/
    allowed_service_principal_ids:
      description: Object IDs of the service principals that may log in. Null if every service principal of the tenant may.
      returned: if Azure Auth is attached
      type: list
      elements: str
      sample: [8a6d3f0e-5d0c-4c43-9a0e-0d6b5a1f7c21]
    allow_all_service_principals:
      description: Whether every service principal of the tenant may log in.
      returned: if Azure Auth is attached
      type: bool
      sample: false
    access_token_trusted_ips:
      description: Addresses and networks from which access tokens may be used.
      returned: if Azure Auth is attached
      type: list
      elements: str
      sample: [10.20.0.0/16, "2001:db8:20::/48"]
    access_token_ttl:
      description: How many seconds an access token lives until it must be renewed.
      returned: if Azure Auth is attached
      type: int
      sample: 3600
    access_token_max_ttl:
      description: How many seconds an access token can live in total if it is renewed. 0 means no maximum.
      returned: if Azure Auth is attached
      type: int
      sample: 86400
    access_token_num_uses_limit:
      description: How many requests a program can make with an access token. 0 means no limit.
      returned: if Azure Auth is attached
      type: int
      sample: 0
    details:
      description: Further values from the server. Null if Azure Auth is not attached.
      returned: always
      type: dict
      contains:
        id:
          description: ID of the Azure Auth object.
          returned: always
          type: str
          sample: 3c90c3cc-0d44-4b50-8888-8dd25736052a
        created_at:
          description: When Azure Auth was attached.
          returned: always
          type: str
          sample: "2026-11-07T05:31:56.000Z"
        updated_at:
          description: When Azure Auth was last changed.
          returned: always
          type: str
          sample: "2026-11-07T05:31:56.000Z"
        access_token_period:
          description:
            - How many seconds a periodic token lives until it has to be renewed. It can be renewed forever.
            - V(0) means that tokens are not periodic. Null on servers released in 2024.
          returned: always
          type: int
          sample: 0
        stored:
          description:
            - Values that the server holds but the options do not accept, such as a resource of V(/). The keys are the names of the
              options. The return value of the same name is then null.
            - A task that does not set such an option leaves its value alone.
          returned: if there are such values
          type: dict
identity_name:
  description: Name of the identity.
  returned: if the module knows it
  type: str
  sample: billing
ansible_facts:
  description:
    - Facts to add to C(ansible_facts).
    - With a loop, the fact is that of the last item. Register the task to get all. With C(delegate_facts), the fact belongs to the host that
      the task is delegated to.
  returned: success
  type: dict
  contains:
    infisical_azure_auth:
      description:
        - Azure Auth as it B(is) when the task ends, in the same form as RV(azure_auth). In check mode this is the current state.
        - Read it as C(ansible_facts['infisical_azure_auth']).
      returned: success
      type: dict
http_status:
  description: HTTP status of the response that made the task fail.
  returned: failure, if the server answered
  type: int
  sample: 403
error:
  description: Infisical's name for the error.
  returned: failure, if the server answered with one of Infisical's own errors
  type: str
  sample: PermissionDenied
request_id:
  description: ID of the request, to find it in the server's log.
  returned: failure, if the response contained one
  type: str
  sample: req-5kT1YxNnJ7tmk4
"""

from ansible_collections.community.infisical.plugins.module_utils._module.requirements import (
    require_python,
)

# Before what older Pythons cannot read.
require_python()

from ansible_collections.community.infisical.plugins.module_utils._module.auth_method import (
    manage_auth_method,
)
from ansible_collections.community.infisical.plugins.module_utils._state.azure_auth import (
    AZURE_AUTH,
)


def main():  # type: () -> None
    """Run the module."""
    manage_auth_method(AZURE_AUTH)


if __name__ == "__main__":
    main()
