#!/usr/bin/python

# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: infisical_identity_info
short_description: Read Infisical machine identities
version_added: 1.0.0
description:
  - Returns some machine identities, or all that the login (the identity that the task logs in as) can see, together with their Azure Auth. This
    includes identities that projects own.
  - You can edit the returned identities and give them to M(community.infisical.infisical_identities). If you give them back unchanged, nothing
    changes.
author:
  - The community.infisical authors (@ansible-collections)
extends_documentation_fragment:
  - community.infisical.attributes
  - community.infisical.attributes.action_group
  - community.infisical.attributes.info_module
  - community.infisical.connection
options:
  ids:
    description:
      - IDs (UUIDs) of the identities to read. An empty list selects none. An ID that no identity has counts as a failure.
      - If O(ids), O(names) and O(project_id) are not set, the module reads all identities that the login can see, those of the organization
        and those of projects.
    type: list
    elements: raw
  names:
    description:
      - Exact names of the identities to read. An empty list selects none. If a name does not match exactly one identity, the task fails before
        it reads any.
      - The module looks for them among the identities that the organization owns or, if O(project_id) is set, among those that the project
        owns.
    type: list
    elements: raw
  project_id:
    description:
      - ID (not slug) of the project that owns the identities. Without O(ids) and O(names), the module reads all identities that the project
        owns.
    type: str
  azure_auth:
    description:
      - Whether to read the Azure Auth of each identity. This takes one request for each identity that has Azure Auth.
    type: bool
    default: true
  metadata:
    description:
      - Whether to read the metadata of each identity. This takes one more request for each identity that the organization owns.
      - If V(false), the result contains no metadata. If you give such a result to another task, that task leaves the metadata alone.
    type: bool
    default: false
  concurrency:
    description: How many identities to read at once, from 1 to 64.
    type: int
    default: 8
seealso:
  - module: community.infisical.infisical_identities
  - ref: ansible_collections.community.infisical.docsite.guide_fleet
    description: How to keep a list of identities under version control and check it every night.
"""

EXAMPLES = r"""
- name: Read two identities and their Azure Auth
  community.infisical.infisical_identity_info:
    names:
      - billing
      - payments
  register: found

- name: Show the trusted IPs of each identity
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.azure_auth.access_token_trusted_ips | default(['not attached']) | join(', ') }}"
  loop: "{{ found.identities }}"
  loop_control:
    label: "{{ item.id }}"

- name: Read all identities that the login can see
  community.infisical.infisical_identity_info:
  register: all_identities

- name: Show the identities without auth methods, and what the login could not see
  ansible.builtin.debug:
    msg:
      - "{{ all_identities.identities | selectattr('details.auth_methods', 'equalto', []) | map(attribute='name') }}"
      - "{{ all_identities.not_visible }}"
"""

RETURN = r"""
identities:
  description:
    - The identities, with or without Azure Auth, in the order of O(ids) and O(names). If the module reads all, they are sorted by name.
    - If the task fails because the module could not read some identities, these are the others.
  returned: if the options are valid
  type: list
  elements: dict
  contains:
    id:
      description: ID of the identity.
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
        - Null if the identity has several roles or a temporary one. For these, see RV(identities[].details.roles).
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
      description: Further values from the server.
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
          description: Auth method of the last login, as Infisical names it. Null if RV(identities[].details.last_login_at) is null.
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
not_visible:
  description:
    - What the module could not read, one sentence each. V([]) if there is nothing. If it is not empty, identities
      or some of their values are missing from the result.
    - The sentences can be about projects that the login may not read, or about the organization if the login may not read all of it. They can
      be about identities of another organization, such as the parent, because their Azure Auth can be read only with a login to that
      organization. And they can be about sub-organizations, because each needs its own login.
  returned: if O(ids), O(names) and O(project_id) are not set
  type: list
  elements: str
  sample: []
failed_count:
  description: How many identities the module could not read.
  returned: failure, if the options are valid
  type: int
  sample: 1
failures:
  description: The identities that the module could not read.
  returned: failure, if the options are valid
  type: list
  elements: dict
  contains:
    id:
      description: ID of the identity.
      returned: always
      type: str
      sample: 6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b
    name:
      description: Name of the identity. Null if it is not known.
      returned: always
      type: str
      sample: billing
    msg:
      description: What went wrong.
      returned: always
      type: str
    http_status:
      description: HTTP status of the response.
      returned: if the server answered
      type: int
      sample: 403
    error:
      description: Infisical's name for the error.
      returned: if the server answered with one of Infisical's own errors
      type: str
      sample: PermissionDenied
    request_id:
      description: ID of the request, to find it in the server's log.
      returned: if the response contained one
      type: str
      sample: req-5kT1YxNnJ7tmk4
http_status:
  description: HTTP status of the response that made the whole task fail. For the failure of a single identity, see RV(failures).
  returned: failure, if the server answered
  type: int
  sample: 401
error:
  description: Infisical's name for the error.
  returned: failure, if the server answered with one of Infisical's own errors
  type: str
  sample: UnauthorizedError
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

from ansible_collections.community.infisical.plugins.module_utils._module.identity_info import (
    read_identities,
)
from ansible_collections.community.infisical.plugins.module_utils._state.auth_methods import (
    AUTH_METHODS,
)


def main():  # type: () -> None
    """Run the module."""
    read_identities(AUTH_METHODS)


if __name__ == "__main__":
    main()
