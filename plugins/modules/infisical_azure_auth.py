#!/usr/bin/python

# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: infisical_azure_auth
short_description: Manage the Azure Auth of an Infisical machine identity
version_added: 1.0.0
description:
  - Attaches Azure Auth to a machine identity of Infisical, updates it, or revokes it.
  - Azure Auth lets workloads that run on Azure log in to Infisical with a token of their managed identity or service principal, without
    a secret of Infisical's own.
  - Compares what is wanted with what the server holds, by meaning and not by spelling, and writes only where they differ.
  - The identity must be there. M(community.infisical.infisical_identity) creates one, with its Azure Auth if wanted.
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
      - Makes the same reads and the same checks as a real run, and no write. It predicts every refusal that follows from the options and
        from what can be read.
      - It cannot know the login's right to configure auth methods, a more privileged identity, whether the plan of the organization
        includes trusted IPs, and the smaller room of old servers for O(allowed_service_principal_ids). See
        R(What check mode cannot know, ansible_collections.community.infisical.docsite.guide_identities.check_mode).
      - An identity that an earlier task of the play would create is not there in check mode, so that this task fails. Use
        M(community.infisical.infisical_identity) for both.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  identity_id:
    description:
      - ID of the machine identity, a UUID. Hyphens may be left out, and braces put around it.
      - Exactly one of O(identity_id) and O(identity_name) is required.
    type: str
  identity_name:
    description:
      - Name of the machine identity, exactly as it is. Names are not unique in Infisical; it is an error if several identities bear it.
    type: str
  project_id:
    description:
      - ID of the project that owns the identity. Not its slug. Projects own identities on servers since late 2025.
      - With O(identity_name), the identity is one that the organization owns if this is left out.
      - With O(identity_id) it may be left out. If it is given, it must be that of the identity's owner.
    type: str
  state:
    description:
      - V(present) attaches Azure Auth, or updates it. An option that is left out keeps its value on the server.
      - V(absent) revokes it. Tokens that were issued through it stop working. The options of Azure Auth are checked, and otherwise ignored.
        An identity that is not there is fine.
    type: str
    choices: [present, absent]
    default: present
  tenant_id:
    description:
      - ID of the Entra tenant whose service principals may log in, a UUID. It is sent in lower case, as Entra writes it.
      - Required to attach.
    type: str
    aliases: [tenantId]
  resource:
    description:
      - The resource (audience) that the Entra token must have been issued for, such as V(https://management.azure.com/).
      - If it ends in a slash, tokens whose audience lacks the slash are accepted too; not the other way round.
      - V(/) is an error, because Infisical would then check no audience at all. So is a scope such as
        V(https://management.azure.com/.default), which is no audience.
      - Required to attach.
    type: str
  allowed_service_principal_ids:
    description:
      - Object IDs of the service principals (enterprise applications, managed identities) that may log in, each a string. It is not their
        client ID or application ID.
      - Each is a UUID. An empty list and a blank ID are errors, so that a template that comes out empty cannot open the identity.
      - UUIDs are sent in lower case with hyphens, because logins compare them letter by letter. What the server holds is taken literally, so
        that an upper-case ID there is a difference.
      - Either it or O(allow_all_service_principals=true) is required to attach.
    type: list
    elements: raw
    aliases: [allowedServicePrincipalIds]
  allow_all_service_principals:
    description:
      - V(true) lets B(every service principal of the tenant) log in. It excludes O(allowed_service_principal_ids). A run that opens an
        identity in this way warns.
      - V(false) is the same as leaving it out, but is an error where the identity is open and O(allowed_service_principal_ids) is not given.
    type: bool
  access_token_trusted_ips:
    description:
      - Addresses and networks (CIDR) from which access tokens may be used, each a string, such as V(192.0.2.7) or V(2001:db8::/32).
        At least one.
      - V(0.0.0.0/0) and V(::/0) together are everywhere, and what is set on attaching if this is left out. Mind that V(::/0), or any IPv6
        network that covers V(::ffff:0:0/96), lets all IPv4 addresses in as well.
      - Two lists are equal if they have the same networks. Order, repetitions, letter case and host bits do not matter.
    type: list
    elements: raw
    aliases: [accessTokenTrustedIps]
  access_token_ttl:
    description:
      - How long an access token lives until it has to be renewed, in seconds, from 0 to 315360000.
        With V(0) it lives as long as O(access_token_max_ttl).
      - Must not be above O(access_token_max_ttl), unless that is 0.
      - If it is left out on attaching, it is 2592000 (30 days).
    type: int
    aliases: [accessTokenTTL]
  access_token_max_ttl:
    description:
      - How long an access token can live by being renewed, in seconds, from 0 to 315360000. V(0) is no maximum, which servers of 2024
        do not offer.
      - On servers of 2026 a single token lives at most 90 days, whatever is set here, unless the instance sets another limit. Renewing starts
        them anew.
      - If it is left out on attaching, it is 2592000 (30 days).
    type: int
    aliases: [accessTokenMaxTTL]
  access_token_num_uses_limit:
    description:
      - How many requests an access token is good for. V(0) is no limit, and what is set on attaching if this is left out.
    type: int
    aliases: [accessTokenNumUsesLimit]
  details:
    description:
      - Is ignored. It is there in RV(azure_auth), so that what the module returns can be given to it as it is.
    type: dict
notes:
  - The Azure Auth that the task itself may be logged in through is never changed or revoked, so that a task cannot lock itself out.
seealso:
  - module: community.infisical.infisical_identity
  - module: community.infisical.infisical_identities
  - name: Update Azure Auth
    description: The reference of the API that the module uses.
    link: https://infisical.com/docs/api-reference/endpoints/azure-auth/update
  - ref: ansible_collections.community.infisical.docsite.guide_first_identity
    description: From nothing to an identity under management.
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

- name: Change one setting of an identity found by its name, and leave the others alone
  community.infisical.infisical_azure_auth:
    identity_name: billing
    access_token_num_uses_limit: 100

- name: See what would change, without changing it
  community.infisical.infisical_azure_auth:
    identity_name: billing
    access_token_ttl: 900
    access_token_max_ttl: 3600
  check_mode: true
  diff: true
  register: audit

- name: Say whether the identity is as it should be
  ansible.builtin.debug:
    msg: "{{ 'It has drifted' if audit is changed else 'It is as it should be' }}"

- name: Revoke Azure Auth, with credentials from a vault instead of the environment
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
    - Azure Auth as the run leaves it, or, in check mode, would leave it. It can be given to the module as it is, which then changes nothing.
    - What cannot be predicted is null in check mode.
    - If the task fails after it has written something, this is the last state that is known.
  returned: success, or failure after a change
  type: dict
  contains:
    identity_id:
      description: ID of the identity.
      returned: always
      type: str
      sample: 6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b
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
identity_name:
  description: Name of the identity.
  returned: when it is known
  type: str
  sample: billing
ansible_facts:
  description:
    - Facts to add to C(ansible_facts).
    - With a loop, the fact is that of the last item; register the task to have all. With C(delegate_facts), it is a fact of the host that
      the task is delegated to.
  returned: success
  type: dict
  contains:
    infisical_azure_auth:
      description:
        - Azure Auth as it B(is) when the task ends, of the same form as RV(azure_auth). In check mode that is the current state.
        - Read it as C(ansible_facts['infisical_azure_auth']).
      returned: success
      type: dict
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
