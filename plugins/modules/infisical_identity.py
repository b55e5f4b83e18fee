#!/usr/bin/python

# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: infisical_identity
short_description: Manage an Infisical machine identity
version_added: 1.0.0
description:
  - Creates, updates or deletes a machine identity in Infisical. If O(azure_auth) is set, the module manages its Azure Auth as well.
  - Workloads log in to Infisical as a machine identity. With Azure Auth, workloads that run on Azure do so without an Infisical secret.
  - The module compares the meaning of the settings, not their spelling, and writes only if they differ from what the server holds.
  - One run never creates two identities with the same name. Two runs at the same time can, because Infisical does not prevent it. In that case,
    one of these runs, or the next one, fails with a message that names both identities, and makes no further change to either.
author:
  - The community.infisical authors (@ansible-collections)
extends_documentation_fragment:
  - community.infisical.attributes
  - community.infisical.attributes.action_group
  - community.infisical.connection
  - community.infisical.identity
attributes:
  check_mode:
    support: full
    details:
      - Reads and checks the same things as a real run, and writes nothing. It fails wherever a real run would fail because of the options or
        because of something that the module can read.
      - It cannot know whether the login (the identity that the task logs in as) may create, edit and delete identities, configure their auth
        methods and grant roles. Nor can it know whether the new role has more privileges than the login, or which features the organization's
        Infisical plan includes. See R(What check mode cannot know,
        ansible_collections.community.infisical.docsite.guide_identities.check_mode).
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  source:
    description:
      - File and line of the list entry that the options come from, such as V(identities/shop.yml:12). The module accepts this option, and
        ignores it.
notes:
  - Servers released in 2026 or later have a separate rate limit for creating identities, by default 30 a minute. When the module reaches this
    limit, it waits and then continues.
  - The module returns no facts.
seealso:
  - module: community.infisical.infisical_identities
  - module: community.infisical.infisical_azure_auth
  - module: community.infisical.infisical_identity_info
  - ref: ansible_collections.community.infisical.docsite.guide_first_identity
    description: How to create your first identity and keep it as code.
  - ref: ansible_collections.community.infisical.docsite.guide_identities
    description: Roles, metadata, delete protection, renaming, deleting, and identities that projects own.
"""

EXAMPLES = r"""
- name: Create or update an identity for one managed identity of a tenant
  community.infisical.infisical_identity:
    name: billing
    role: no-access
    metadata:
      team: payments
    delete_protection: true
    azure_auth:
      tenant_id: 72f988bf-86f1-41af-91ab-2d7cd011db47
      resource: https://management.azure.com/
      allowed_service_principal_ids:
        - 8a6d3f0e-5d0c-4c43-9a0e-0d6b5a1f7c21
      access_token_ttl: 3600
      access_token_max_ttl: 86400

- name: Show what would change
  community.infisical.infisical_identity:
    name: billing
    metadata:
      team: finance
  check_mode: true
  diff: true

- name: Create an identity that a project owns
  community.infisical.infisical_identity:
    name: shop-deploy
    project_id: "{{ project_id }}"
    role: viewer

- name: Rename an identity selected by ID
  community.infisical.infisical_identity:
    id: "{{ identity_id }}"
    name: billing-api

- name: Delete an identity that has delete protection
  community.infisical.infisical_identity:
    id: "{{ identity_id }}"
    state: absent
    delete_protection: false
"""

RETURN = r"""
identity:
  description:
    - The identity after the run. Check mode predicts it. If you give this dictionary back to the module, nothing changes.
    - In check mode, values that the module cannot predict are null, such as the ID of a new identity.
    - If the task fails after it has changed something, this is the last known state.
  returned: success, or failure after a change
  type: dict
  contains:
    id:
      description: ID of the identity. Null for an identity that check mode would create.
      returned: always
      type: str
      sample: 6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b
    name:
      description: Name of the identity. Null if the module did not read it.
      returned: always
      type: str
      sample: billing
    project_id:
      description: ID of the project that owns the identity. Null if the organization owns it.
      returned: always
      type: str
      sample: null
    state:
      description: Whether the identity exists (V(present)) or not (V(absent)).
      returned: if the module checked this
      type: str
      sample: present
    role:
      description:
        - Slug of the identity's role in the organization or project that owns it.
        - Null if the identity has several roles or a temporary one. For these, see RV(identity.details.roles).
      returned: if the module read it
      type: str
      sample: no-access
    metadata:
      description: Metadata of the identity, as a dictionary of strings.
      returned: if the module read it
      type: dict
      sample: {team: payments}
    delete_protection:
      description: Whether Infisical refuses to delete the identity.
      returned: if the module read it
      type: bool
      sample: true
    azure_auth:
      description: Azure Auth of the identity.
      returned: if the module read it
      type: dict
      contains:
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
    details:
      description: Further values from the server. Null if the identity does not exist.
      returned: if the module read the identity
      type: dict
      contains:
        created_at:
          description: When the identity was created.
          returned: always
          type: str
          sample: "2026-11-07T05:31:54.000Z"
        updated_at:
          description: When the identity was last changed, according to the server. On some servers, renaming does not count.
          returned: always
          type: str
          sample: "2026-11-07T05:31:56.000Z"
        last_login_at:
          description:
            - When the identity last logged in, according to the server. Null if it never did, and on servers released before 2026, which do
              not say.
            - Newer servers update this from time to time, not at each login.
          returned: always
          type: str
          sample: "2026-11-08T09:12:40.000Z"
        last_login_method:
          description: Auth method of the last login, as Infisical names it. Null if RV(identity.details.last_login_at) is null.
          returned: always
          type: str
          sample: azure-auth
        organization_id:
          description: ID of the home organization of the identity. Null if the server does not say.
          returned: always
          type: str
          sample: 0f8d7c6b-5a49-4382-b716-0514f3e2d1c0
        project_name:
          description: Name of the project that owns the identity. Null if the organization owns it, or if the server does not say.
          returned: always
          type: str
          sample: null
        auth_methods:
          description: Auth methods of the identity, as Infisical names them. Null if they are not known.
          returned: always
          type: list
          elements: str
          sample: [azure-auth]
        roles:
          description:
            - Slugs of all roles that the identity has in the organization or project that owns it, as far as the server reports them.
            - Null if the module did not read them.
          returned: always
          type: list
          elements: str
          sample: [no-access]
        stored:
          description:
            - Values that the server holds but the options do not accept, such as metadata with a duplicate key. The keys are the names of the
              options. The return value of the same name is then null.
            - A task that does not set such an option leaves its value alone.
          returned: if there are such values
          type: dict
        projects:
          description: Names of the projects that the identity was a member of before it was deleted.
          returned: if the identity was deleted, or in check mode would be
          type: list
          elements: str
          sample: [shop]
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

from ansible_collections.community.infisical.plugins.module_utils._module.identity import (
    manage_identity,
)
from ansible_collections.community.infisical.plugins.module_utils._state.auth_methods import (
    AUTH_METHODS,
)


def main():  # type: () -> None
    """Run the module."""
    manage_identity(AUTH_METHODS)


if __name__ == "__main__":
    main()
