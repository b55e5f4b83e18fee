#!/usr/bin/python

# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: infisical_identity_info
short_description: Read Infisical machine identities
version_added: 1.0.0
description:
  - Returns some machine identities, or all that the login can see, those that projects own among them, with their Azure Auth.
  - What it returns can be given to M(community.infisical.infisical_identities) as it is, which then changes nothing, or edited before.
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
      - IDs of the identities to read, UUIDs. An empty list is none.
      - If none of O(ids), O(names) and O(project_id) is given, all identities that the login can see are read, those of the organization
        and those of projects.
    type: list
    elements: raw
  names:
    description:
      - Names of the identities to read, exactly as they are. An empty list is none.
      - They are names of identities that the organization owns, or with O(project_id) that the project owns.
    type: list
    elements: raw
  project_id:
    description:
      - ID of the project that owns the identities. Not its slug. Without O(ids) and O(names), all that the project owns are read.
    type: str
  azure_auth:
    description:
      - Whether to read the Azure Auth of each identity, which takes a request for each that has it.
    type: bool
    default: true
  metadata:
    description:
      - Whether to read the metadata of each identity, which takes another request for each that the organization owns.
      - If it is not read, it is not in the result, which means left alone where the result is given to another task.
    type: bool
    default: false
  concurrency:
    description: How many identities are read at once, from 1 to 64.
    type: int
    default: 8
seealso:
  - module: community.infisical.infisical_identities
  - ref: ansible_collections.community.infisical.docsite.guide_fleet
    description: From what is there to a list under version control, and a nightly check.
"""

EXAMPLES = r"""
- name: Read two identities and their Azure Auth
  community.infisical.infisical_identity_info:
    names:
      - billing
      - payments
  register: found

- name: Say who may use their tokens from where
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.azure_auth.access_token_trusted_ips | default(['not attached']) | join(', ') }}"
  loop: "{{ found.identities }}"
  loop_control:
    label: "{{ item.id }}"

- name: Read all that the login can see
  community.infisical.infisical_identity_info:
  register: all_identities

- name: Say which have no auth method, and what could not be seen
  ansible.builtin.debug:
    msg:
      - "{{ all_identities.identities | rejectattr('details.auth_methods') | map(attribute='name') }}"
      - "{{ all_identities.not_visible }}"
"""

RETURN = r"""
identities:
  description:
    - The identities, in the order of O(ids) and O(names), or by their names if all are read. Those without Azure Auth are among them.
    - If some could not be read and the task fails, these are the others.
  returned: when the options are valid
  type: list
  elements: dict
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
        - Null where it has several roles, or a temporary one, which RV(identities[].details.roles) lists.
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
          description: By which auth method it last logged in, by Infisical's name; null where RV(identities[].details.last_login_at) is.
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
not_visible:
  description:
    - What reading all could not cover, a sentence each, V([]) if nothing. Never take the list for more than it is.
    - It tells of the organization or of projects that this login may not read, of identities of another organization, such as a parent's,
      whose Azure Auth cannot be read from here, and of sub-organizations, which take a login of their own.
  returned: when none of O(ids), O(names) and O(project_id) is given
  type: list
  elements: str
  sample: []
failed_count:
  description: How many identities could not be read.
  returned: failure, when the options are valid
  type: int
  sample: 1
failures:
  description: The identities that could not be read.
  returned: failure, when the options are valid
  type: list
  elements: dict
  contains:
    id:
      description: ID of the identity.
      returned: always
      type: str
      sample: 6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b
    name:
      description: Name of the identity, where it is known.
      returned: always
      type: str
      sample: billing
    msg:
      description: What went wrong.
      returned: always
      type: str
    http_status:
      description: HTTP status of the answer.
      returned: if the server answered
      type: int
      sample: 403
    error:
      description: Infisical's name for the error.
      returned: if the server answered with an error of Infisical's
      type: str
      sample: PermissionDenied
    request_id:
      description: ID of the request, to find it in the server's logs.
      returned: if the server told one
      type: str
      sample: req-5kT1YxNnJ7tmk4
http_status:
  description: HTTP status of the answer that the task failed on, where that was not about one of the identities.
  returned: failure, if the server answered
  type: int
  sample: 401
error:
  description: Infisical's name for that error.
  returned: failure, if the server answered with an error of Infisical's
  type: str
  sample: UnauthorizedError
request_id:
  description: ID of that request, to find it in the server's logs.
  returned: failure, if the server told one
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
