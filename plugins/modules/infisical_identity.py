#!/usr/bin/python

# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: infisical_identity
short_description: Manage an Infisical machine identity
version_added: 1.0.0
description:
  - Creates a machine identity of Infisical, updates it, or deletes it; with its Azure Auth, if O(azure_auth) is given.
  - A machine identity is what a workload logs in to Infisical as. Azure Auth lets workloads that run on Azure do so without a secret of
    Infisical's own.
  - Compares what is wanted with what the server holds, by meaning and not by spelling, and writes only where they differ.
  - One run never creates two identities of one name. Two runs at the same time can, because Infisical does not prevent it; then this run or
    the next one says so, and changes neither.
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
      - Makes the same reads and the same checks as a real run, and no write. It predicts every refusal that follows from the options and
        from what can be read.
      - It cannot know the login's rights to create, edit and delete identities, to configure their auth methods and to grant roles; nor
        whether the role to be set is above the login's own, nor what the organization's plan includes. See
        R(What check mode cannot know, ansible_collections.community.infisical.docsite.guide_identities.check_mode).
  diff_mode:
    support: full
  idempotent:
    support: full
notes:
  - Creating an identity has a rate limit of its own on servers since 2026, by default 30 a minute. The task waits for it.
  - The task returns no facts.
seealso:
  - module: community.infisical.infisical_identities
  - module: community.infisical.infisical_azure_auth
  - module: community.infisical.infisical_identity_info
  - ref: ansible_collections.community.infisical.docsite.guide_first_identity
    description: From nothing to an identity under management.
  - ref: ansible_collections.community.infisical.docsite.guide_identities
    description: Roles, metadata, protection, renaming, deleting, and identities that projects own.
"""

EXAMPLES = r"""
- name: Create an identity as which one managed identity of a tenant logs in, or update it
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

- name: See what would change, without changing it
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

- name: Rename an identity, which its ID tells
  community.infisical.infisical_identity:
    id: "{{ identity_id }}"
    name: billing-api

- name: Delete an identity that is protected against it
  community.infisical.infisical_identity:
    id: "{{ identity_id }}"
    state: absent
    delete_protection: false
"""

RETURN = r"""
identity:
  description:
    - The identity as the run leaves it, or, in check mode, would leave it. It can be given to the module as it is, which then changes
      nothing.
    - What cannot be predicted is null in check mode, such as the ID of an identity that would be created.
    - If the task fails after it has written something, this is the last state that is known.
  returned: success, or failure after a change
  type: dict
  contains:
    id:
      description: ID of the identity; null for one that check mode would create.
      returned: always
      type: str
      sample: 6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b
    name:
      description: Name of the identity; null where it was not read.
      returned: always
      type: str
      sample: billing
    project_id:
      description: ID of the project that owns the identity; null where the organization does.
      returned: always
      type: str
      sample: null
    state:
      description: Whether the identity is there.
      returned: when it was looked at
      type: str
      sample: present
    role:
      description:
        - Slug of the role that the identity has in what owns it.
        - Null where it has several roles, or a temporary one, which RV(identity.details.roles) lists.
      returned: when it was read
      type: str
      sample: no-access
    metadata:
      description: The metadata of the identity, strings by their keys.
      returned: when it was read
      type: dict
      sample: {team: payments}
    delete_protection:
      description: Whether Infisical refuses to delete the identity.
      returned: when it was read
      type: bool
      sample: true
    azure_auth:
      description: The Azure Auth of the identity.
      returned: when it was looked at
      type: dict
      contains:
        state:
          description: Whether Azure Auth is attached.
          returned: always
          type: str
          sample: present
        tenant_id:
          description: ID of the Entra tenant.
          returned: when attached
          type: str
          sample: 72f988bf-86f1-41af-91ab-2d7cd011db47
        resource:
          description: The resource that Entra tokens must be for.
          returned: when attached
          type: str
          sample: https://management.azure.com/
        allowed_service_principal_ids:
          description: Object IDs of the service principals that may log in; null where every one of the tenant may.
          returned: when attached
          type: list
          elements: str
          sample: [8a6d3f0e-5d0c-4c43-9a0e-0d6b5a1f7c21]
        allow_all_service_principals:
          description: Whether every service principal of the tenant may log in.
          returned: when attached
          type: bool
          sample: false
        access_token_trusted_ips:
          description: Addresses and networks from which access tokens may be used.
          returned: when attached
          type: list
          elements: str
          sample: [10.20.0.0/16, "2001:db8:20::/48"]
        access_token_ttl:
          description: How long an access token lives until it has to be renewed, in seconds.
          returned: when attached
          type: int
          sample: 3600
        access_token_max_ttl:
          description: How long an access token can live by being renewed, in seconds; 0 is no maximum.
          returned: when attached
          type: int
          sample: 86400
        access_token_num_uses_limit:
          description: How many requests an access token is good for; 0 is no limit.
          returned: when attached
          type: int
          sample: 0
        details:
          description: What the server adds; null where Azure Auth is not attached.
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
              description: When it was last written.
              returned: always
              type: str
              sample: "2026-11-07T05:31:56.000Z"
            access_token_period:
              description: The period of periodic tokens, in seconds; null on servers of 2024.
              returned: always
              type: int
              sample: 0
            stored:
              description:
                - What the server holds and the options refuse, such as a resource of V(/), by the option, as the server holds it. The option itself
                  is then null.
                - A task that does not give the option leaves such a value alone.
              returned: if there is any
              type: dict
    details:
      description: What the server adds; null where the identity is not there.
      returned: when the identity was looked at
      type: dict
      contains:
        created_at:
          description: When the identity was created.
          returned: always
          type: str
          sample: "2026-11-07T05:31:54.000Z"
        updated_at:
          description: When it was last written, as the server tells it. Some servers do not count a new name.
          returned: always
          type: str
          sample: "2026-11-07T05:31:56.000Z"
        last_login_at:
          description:
            - When the identity last logged in, as the server tells it. Null where it does not, as before 2026, and where it never did.
            - Newer servers note this from time to time, and not at each login.
          returned: always
          type: str
          sample: "2026-11-08T09:12:40.000Z"
        last_login_method:
          description: By which auth method it last logged in, by Infisical's name; null where RV(identity.details.last_login_at) is.
          returned: always
          type: str
          sample: azure-auth
        organization_id:
          description: ID of the identity's home organization; null where the server does not tell.
          returned: always
          type: str
          sample: 0f8d7c6b-5a49-4382-b716-0514f3e2d1c0
        project_name:
          description: Name of the project that owns the identity; null where the organization does, and where it was not told.
          returned: always
          type: str
          sample: null
        auth_methods:
          description: The auth methods of the identity, by Infisical's names; null where they are not known.
          returned: always
          type: list
          elements: str
          sample: [azure-auth]
        roles:
          description: Slugs of all roles that the identity has in what owns it, as far as the server tells them; null where they were not read.
          returned: always
          type: list
          elements: str
          sample: [no-access]
        stored:
          description:
            - What the server holds and the options refuse, such as a key of the metadata that is there twice, by the option, as the server holds
              it. The option itself is then null.
            - A task that does not give the option leaves such a value alone.
          returned: if there is any
          type: dict
        projects:
          description: Names of the projects that the identity was a member of. Deleting it ended that.
          returned: when the identity was deleted, or in check mode would be
          type: list
          elements: str
          sample: [shop]
http_status:
  description: HTTP status of the answer that the task failed on.
  returned: failure, if the server answered
  type: int
  sample: 403
error:
  description: Infisical's name for the error.
  returned: failure, if the server answered with an error of Infisical's
  type: str
  sample: PermissionDenied
request_id:
  description: ID of the request, to find it in the server's logs.
  returned: failure, if the server told one
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
