#!/usr/bin/python

# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: infisical_azure_auth_info
short_description: Read the Azure Auth of Infisical machine identities
version_added: 1.0.0
description:
  - Returns the Azure Auth of some machine identities, or of all of the organization that have it.
  - What it returns can be given to M(community.infisical.infisical_azure_auths) as it is, which then changes nothing, or edited before.
author:
  - The community.infisical authors (@ansible-collections)
extends_documentation_fragment:
  - community.infisical.attributes
  - community.infisical.attributes.action_group
  - community.infisical.attributes.info_module
  - community.infisical.connection
options:
  identity_ids:
    description:
      - IDs of the identities to read, UUIDs. An empty list is none.
      - If neither O(identity_ids) nor O(identity_names) is given, all identities of the organization that have Azure Auth are read.
    type: list
    elements: raw
  identity_names:
    description:
      - Names of the identities to read, exactly as they are. An empty list is none.
    type: list
    elements: raw
  concurrency:
    description: How many identities are read at once, from 1 to 64.
    type: int
    default: 8
seealso:
  - module: community.infisical.infisical_azure_auths
  - ref: ansible_collections.community.infisical.docsite.guide_fleet
    description: From what is there to a list under version control, and a nightly check.
"""

EXAMPLES = r"""
- name: Read the Azure Auth of two identities
  community.infisical.infisical_azure_auth_info:
    identity_names:
      - billing
      - payments
  register: found

- name: Say who may use their tokens from where
  ansible.builtin.debug:
    msg: "{{ item.identity_name }}: {{ item.access_token_trusted_ips | default(['not attached']) | join(', ') }}"
  loop: "{{ found.azure_auths }}"
  loop_control:
    label: "{{ item.identity_id }}"

- name: Read that of every identity which has it
  community.infisical.infisical_azure_auth_info:
  register: everyone
"""

RETURN = r"""
azure_auths:
  description:
    - The identities, in the order of O(identity_ids) and O(identity_names), or by their names if all are read.
    - Those that are asked for and have no Azure Auth have a RV(azure_auths[].state) of V(absent).
    - If some could not be read and the task fails, these are the others.
  returned: when the options are valid
  type: list
  elements: dict
  contains:
    identity_id:
      description: ID of the identity.
      returned: always
      type: str
      sample: 6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b
    identity_name:
      description: Name of the identity.
      returned: when the task had to read the identity itself
      type: str
      sample: billing
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
      description:
        - Object IDs of the service principals that may log in; null where every one of the tenant may.
        - A value on the server that is not empty but names nobody is shown as V([""]).
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
    metadata:
      description: What the server adds; null where Azure Auth is not attached. See M(community.infisical.infisical_azure_auth).
      returned: always
      type: dict
not_visible:
  description:
    - What reading all could not cover, a sentence each, V([]) if nothing. Never take the list for more than it is.
    - Infisical does not list the identities that projects own, on servers that have such, and shows those of another organization,
      such as a parent's, which cannot be read from here. What other organizations have for themselves is not known, and so not told.
  returned: when neither O(identity_ids) nor O(identity_names) is given
  type: list
  elements: str
  sample:
    - Identities that projects own are counted, and not listed (3); each can be read by its id, if the login is a member of its project.
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
    identity_id:
      description: ID of the identity.
      type: str
      sample: 6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b
    identity_name:
      description: Name of the identity, where it is known.
      type: str
      sample: billing
    msg:
      description: What went wrong.
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

from ansible_collections.community.infisical.plugins.module_utils._module.identities import look_up
from ansible_collections.community.infisical.plugins.module_utils._state.azure_auth import (
    AZURE_AUTH,
)


def main():  # type: () -> None
    """Run the module."""
    look_up(AZURE_AUTH)


if __name__ == "__main__":
    main()
