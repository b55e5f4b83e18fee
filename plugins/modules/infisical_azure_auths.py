#!/usr/bin/python

# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: infisical_azure_auths
short_description: Manage the Azure Auth of many Infisical machine identities
version_added: 1.0.0
description:
  - Attaches, updates or revokes the Azure Auth of any number of machine identities in one task, several at once, as fast as the rate limit
    of the server allows.
  - For each identity it does what M(community.infisical.infisical_azure_auth) does, by the same rules.
  - Nothing is written before all entries were found to be valid, and all their names to be those of one identity each. From then on an
    identity that fails does not stop the others; all are tried, and then the task fails.
  - What M(community.infisical.infisical_azure_auth_info) returns can be given as it is.
author:
  - The community.infisical authors (@ansible-collections)
extends_documentation_fragment:
  - community.infisical.attributes
  - community.infisical.attributes.action_group
  - community.infisical.connection
attributes:
  check_mode:
    support: full
    details:
      - Makes the same reads and the same checks as a real run, and no write. What it cannot know is the same as of
        M(community.infisical.infisical_azure_auth).
  diff_mode:
    support: full
    details:
      - Returns a difference for each identity that changed. Ansible prints none for a task that fails, unless C(failed_when) is set to
        V(false).
  idempotent:
    support: full
options:
  azure_auths:
    description:
      - The identities, and what their Azure Auth is to be. Each is listed once.
      - With very many, give them in batches of about a hundred. See R(A fleet, ansible_collections.community.infisical.docsite.guide_fleet).
    type: list
    elements: raw
    required: true
    suboptions:
      identity_id:
        description:
          - ID of the machine identity, a UUID.
          - One of O(azure_auths[].identity_id) and O(azure_auths[].identity_name) is required.
        type: str
      identity_name:
        description:
          - Name of the machine identity, exactly as it is.
          - Beside O(azure_auths[].identity_id) it is a label for messages, and not looked at otherwise.
        type: str
      state:
        description: V(present) attaches Azure Auth, or updates it. V(absent) revokes it.
        type: str
        choices: [present, absent]
        default: present
      tenant_id:
        description: ID of the Entra tenant whose service principals may log in, a UUID. Required to attach.
        type: str
      resource:
        description:
          - The resource (audience) that the Entra token must have been issued for. A slash at its end also lets in audiences without it.
          - V(/) and scopes, which end in V(/.default), are errors.
          - Required to attach.
        type: str
      allowed_service_principal_ids:
        description:
          - Object IDs of the service principals that may log in, each a UUID. An empty list is an error.
          - Either it or O(azure_auths[].allow_all_service_principals=true) is required to attach.
        type: list
        elements: raw
      allow_all_service_principals:
        description:
          - V(true) lets B(every service principal of the tenant) log in, and excludes O(azure_auths[].allowed_service_principal_ids).
        type: bool
      access_token_trusted_ips:
        description: Addresses and networks (CIDR) from which access tokens may be used. At least one.
        type: list
        elements: raw
      access_token_ttl:
        description: How long an access token lives until it has to be renewed, in seconds, from 0 to 315360000.
        type: int
      access_token_max_ttl:
        description:
          - How long an access token can live by being renewed, in seconds, from 0 to 315360000. V(0) is no maximum.
          - On servers of 2026 a single token lives at most 90 days, whatever is set here, unless the instance sets another limit.
        type: int
      access_token_num_uses_limit:
        description: How many requests an access token is good for. V(0) is no limit.
        type: int
      metadata:
        description: Is ignored. It is there in what the modules return.
        type: raw
  purge_except:
    description:
      - IDs or names of every identity of the organization that may keep Azure Auth. From all others it is revoked.
      - Must not be empty, and must contain every identity of O(azure_auths). What is not an identity of the organization is an error.
      - Identities are purged last, and only if everything else went well. The identity that the task is logged in as is never purged.
      - With batches, give the whole list with every batch.
    type: list
    elements: raw
  validate_only:
    description:
      - Whether only to check what is given, and do nothing. The task fails if an option of an entry is wrong, if a name in O(azure_auths) or
        O(purge_except) is not that of one identity, or if an identity is listed twice.
      - It reads the names of identities, and not their Azure Auth, so it says nothing of what would change. That is what check mode is for.
      - With batches, do it with the whole list before the first one, which knows nothing of the others.
    type: bool
    default: false
  concurrency:
    description: How many identities are worked on at once, from 1 to 64.
    type: int
    default: 8
notes:
  - The result has no entry for identities that were found to be as they should be, so that it stays small. A runner such as that of AWX
    drops results above 700,000 characters from its events.
  - The task returns no facts.
seealso:
  - module: community.infisical.infisical_azure_auth
  - module: community.infisical.infisical_azure_auth_info
  - ref: ansible_collections.community.infisical.docsite.guide_fleet
    description: From what is there to a list under version control, and a nightly check.
"""

EXAMPLES = r"""
- name: Keep the Azure Auth of several identities
  community.infisical.infisical_azure_auths:
    azure_auths:
      - identity_name: billing
        tenant_id: 72f988bf-86f1-41af-91ab-2d7cd011db47
        resource: https://management.azure.com/
        allowed_service_principal_ids:
          - 8a6d3f0e-5d0c-4c43-9a0e-0d6b5a1f7c21
        access_token_ttl: 3600
        access_token_max_ttl: 86400
      - identity_name: payments
        access_token_num_uses_limit: 100

- name: See what would change
  community.infisical.infisical_azure_auths:
    azure_auths:
      - identity_name: billing
        access_token_ttl: 900
      - identity_name: payments
        access_token_num_uses_limit: 0
  check_mode: true
  diff: true
  register: audit

- name: Say how many have drifted
  ansible.builtin.debug:
    msg: "{{ audit.changed_count }} of {{ audit.checked }} identities have drifted"

- name: Revoke Azure Auth from every identity but these two
  community.infisical.infisical_azure_auths:
    azure_auths: []
    purge_except:
      - billing
      - payments
"""

RETURN = r"""
checked:
  description: How many identities were tried, those that failed and those that were looked at for purging among them.
  returned: always
  type: int
  sample: 1000
changed_count:
  description: How many of O(azure_auths) were changed, or in check mode would be. Those that failed do not count.
  returned: always
  type: int
  sample: 3
failed_count:
  description: How many identities failed. If the list was refused as a whole, how many of its entries were the reason.
  returned: always
  type: int
  sample: 0
not_visible:
  description:
    - What purging could not reach, a sentence each, V([]) if nothing. Such identities keep their Azure Auth.
    - Infisical does not list the identities that projects own, on servers that have such, and shows those of another organization,
      such as a parent's, which cannot be changed from here.
  returned: when O(purge_except) is given
  type: list
  elements: str
  sample:
    - Identities that projects own are counted, and not listed (3); each can be read by its id, if the login is a member of its project.
purged_count:
  description: From how many identities Azure Auth was revoked, or in check mode would be, because of O(purge_except).
  returned: always
  type: int
  sample: 0
results:
  description:
    - The identities that were changed, that failed, or that were purged, in the order of O(azure_auths), the purged ones last.
    - One that failed has only its ID, and its name where that is known, unless its Azure Auth could be read. Then it is the last state
      that is known.
    - If the list was refused as a whole, and nothing was done, these are the entries for which it was. They have the ID and the name that
      was given.
  returned: always
  type: list
  elements: dict
  contains:
    identity_id:
      description: ID of the identity.
      type: str
      sample: 6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b
    identity_name:
      description: Name of the identity, where it is known. Of an entry with an ID, it is the label that was given, unless the name was read.
      type: str
      sample: billing
    state:
      description: Whether Azure Auth is attached.
      type: str
      sample: present
    tenant_id:
      description: ID of the Entra tenant.
      type: str
      sample: 72f988bf-86f1-41af-91ab-2d7cd011db47
    resource:
      description: The resource that Entra tokens must be for.
      type: str
      sample: https://management.azure.com/
    allowed_service_principal_ids:
      description: Object IDs of the service principals that may log in; null where every one of the tenant may.
      type: list
      elements: str
      sample: [8a6d3f0e-5d0c-4c43-9a0e-0d6b5a1f7c21]
    allow_all_service_principals:
      description: Whether every service principal of the tenant may log in.
      type: bool
      sample: false
    access_token_trusted_ips:
      description: Addresses and networks from which access tokens may be used.
      type: list
      elements: str
      sample: [10.20.0.0/16, "2001:db8:20::/48"]
    access_token_ttl:
      description: How long an access token lives until it has to be renewed, in seconds.
      type: int
      sample: 3600
    access_token_max_ttl:
      description: How long an access token can live by being renewed, in seconds; 0 is no maximum.
      type: int
      sample: 86400
    access_token_num_uses_limit:
      description: How many requests an access token is good for; 0 is no limit.
      type: int
      sample: 0
    metadata:
      description: What the server adds; null where Azure Auth is not attached. See M(community.infisical.infisical_azure_auth).
      type: dict
    index:
      description: The place of the entry in O(azure_auths), from 0; null for one that was purged.
      type: int
      sample: 17
    changed:
      description: Whether the identity was changed, or in check mode would be.
      type: bool
      sample: true
    failed:
      description: Whether it failed.
      type: bool
      sample: false
    purged:
      description:
        - Whether it is one to purge, which O(purge_except) leaves out. Azure Auth was revoked from it, or in check mode would be, unless
          RV(results[].failed) is V(true).
      type: bool
      sample: false
    msg:
      description: What went wrong. Of an entry for which the list was refused, everything that is wrong with it, with its place in the list.
      returned: failure of the identity, or of the list for its entry
      type: str
    http_status:
      description: HTTP status of the answer that the identity failed on.
      returned: failure of the identity, if the server answered
      type: int
      sample: 403
    error:
      description: Infisical's name for the error.
      returned: failure of the identity, if the server answered with an error of Infisical's
      type: str
      sample: PermissionDenied
    request_id:
      description: ID of the request, to find it in the server's logs.
      returned: failure of the identity, if the server told one
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

from ansible_collections.community.infisical.plugins.module_utils._module.identities import (
    manage_many,
)
from ansible_collections.community.infisical.plugins.module_utils._module.options import (
    AZURE_AUTH_SPEC,
)
from ansible_collections.community.infisical.plugins.module_utils._state.azure_auth import (
    AZURE_AUTH,
)


def main():  # type: () -> None
    """Run the module."""
    manage_many(AZURE_AUTH, AZURE_AUTH_SPEC)


if __name__ == "__main__":
    main()
