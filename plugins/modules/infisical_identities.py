#!/usr/bin/python

# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: infisical_identities
short_description: Manage many Infisical machine identities
version_added: 1.0.0
description:
  - Creates, updates or deletes any number of machine identities in one task, each with its Azure Auth if wanted, several at once, as fast
    as the rate limits of the server allow.
  - For each identity it does what M(community.infisical.infisical_identity) does, by the same rules.
  - Nothing is written before all entries were found to be valid, and all their names to be those of one identity each, or of none. From then
    on an identity that fails does not stop the others; all are tried, and then the task fails.
  - An identity is created and its Azure Auth attached as one piece of work. If the task is killed in between, the next run finishes it.
  - Nothing deletes an identity that is not listed with a O(identities[].state) of V(absent).
  - What M(community.infisical.infisical_identity_info) returns can be given as it is, which then changes nothing.
author:
  - The community.infisical authors (@ansible-collections)
extends_documentation_fragment:
  - community.infisical.attributes
  - community.infisical.attributes.action_group
  - community.infisical.connection
  - community.infisical.identity.list
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
    details:
      - Returns a difference for each identity that changed. Ansible prints none for a task that fails, unless C(failed_when) is set to
        V(false).
  idempotent:
    support: full
options:
  identities:
    description:
      - The identities, and what they are to be. Each is listed once. A key that is null counts as left out.
      - With very many, give them in batches of about a hundred. See R(A fleet, ansible_collections.community.infisical.docsite.guide_fleet).
    type: list
    elements: raw
    required: true
  create:
    description:
      - Whether to create the identities of names that none has. V(false) makes such a name an error, for identities that are created
        elsewhere.
    type: bool
    default: true
  purge_azure_auth_except:
    description:
      - IDs or names of every identity that the organization owns and that may keep Azure Auth. From all others that it owns, Azure Auth is
        revoked. The identities themselves stay.
      - Must not be empty, and must contain every identity of O(identities) that the organization owns and whose O(identities[].state) is
        V(present). Those that projects own and those to be deleted do not belong in it. A name that nobody has is an error, unless an entry
        would create it.
      - Identities are purged last, and only if everything else went well and the list of all identities is whole. Each is read again right
        before.
      - Identities that projects own, those of other organizations and the identity that the task is logged in as are never purged.
      - With batches, give the whole list with every batch.
    type: list
    elements: raw
  max_changes:
    description:
      - How many identities the task may change at most, those that are created, deleted and purged among them. An identity counts once.
      - If there are more, the task fails before it writes anything. In check mode it warns instead, and RV(refused) is V(true), so that the
        differences can be seen.
    type: int
  return_all:
    description:
      - Whether RV(results) has every identity that the login can see, and not only those that changed or failed. Those of O(identities)
        come first, in their order, then all others.
      - The task lists all identities once, and reads the Azure Auth of each that has it. It reads an identity itself only where its entry
        has C(metadata). The login has to be allowed to list the identities of the organization.
      - An identity that changed has RV(results[].before), so that one task in check mode compares a list with what is there, and tells
        what else there is.
      - The Azure Auth of an identity that is to be changed or deleted is read before that. If it cannot be read, the identity is changed or
        deleted all the same, and then counts as failed.
      - With O(validate_only) it does nothing.
    type: bool
    default: false
  validate_only:
    description:
      - Whether only to check what is given, and do nothing. The task fails if an option of an entry is wrong, if a name in O(identities) or
        O(purge_azure_auth_except) is not that of one identity, or if an identity is listed twice.
      - It reads the names of identities, and not what they are, so it says nothing of what would change. That is what check mode is for.
      - With batches, do it with the whole list before the first one, which knows nothing of the others.
    type: bool
    default: false
  concurrency:
    description: How many identities are worked on at once, from 1 to 64.
    type: int
    default: 8
notes:
  - Creating an identity has a rate limit of its own on servers since 2026, by default 30 a minute. It slows nothing but creating.
  - Do not run two tasks at the same time that create identities of the same names. Infisical does not prevent that there are two of a name.
  - The result has no entry for identities that were found to be as they should be, so that it stays small, unless O(return_all=true). A
    runner such as that of AWX drops results above 700,000 characters from its events.
  - The task returns no facts.
seealso:
  - module: community.infisical.infisical_identity
  - module: community.infisical.infisical_identity_info
  - ref: ansible_collections.community.infisical.docsite.guide_fleet
    description: From what is there to a list under version control, and a nightly check.
"""

EXAMPLES = r"""
- name: Keep several identities and their Azure Auth
  community.infisical.infisical_identities:
    identities:
      - name: billing
        role: no-access
        azure_auth:
          tenant_id: 72f988bf-86f1-41af-91ab-2d7cd011db47
          resource: https://management.azure.com/
          allowed_service_principal_ids:
            - 8a6d3f0e-5d0c-4c43-9a0e-0d6b5a1f7c21
          access_token_ttl: 3600
          access_token_max_ttl: 86400
      - name: payments
        azure_auth:
          access_token_num_uses_limit: 100
      - name: old-billing
        state: absent

- name: See what would change
  community.infisical.infisical_identities:
    identities:
      - name: billing
        azure_auth:
          access_token_ttl: 900
      - name: payments
        metadata:
          team: finance
  check_mode: true
  diff: true
  register: audit

- name: Say how many have drifted
  ansible.builtin.debug:
    msg: "{{ audit.changed_count }} of {{ audit.checked }} identities have drifted"

- name: Compare a list with what is there, and read everything else
  community.infisical.infisical_identities:
    identities:
      - name: billing
        role: no-access
    return_all: true
  check_mode: true
  register: everything

- name: Name the identities that the list does not have
  ansible.builtin.debug:
    msg: "{{ everything.results | selectattr('index', 'none') | map(attribute='name') }}"

- name: Revoke Azure Auth from every identity of the organization but these two, if that are no more than ten
  community.infisical.infisical_identities:
    identities: []
    purge_azure_auth_except:
      - billing
      - payments
    max_changes: 10
"""

RETURN = r"""
checked:
  description:
    - How many identities were tried, those that failed and those that were looked at for purging among them.
    - Those that are only read because of O(return_all) do not count.
  returned: always
  type: int
  sample: 1000
changed_count:
  description:
    - How many of O(identities) were changed, or in check mode would be, those that were created or deleted among them.
    - Those that failed do not count.
  returned: always
  type: int
  sample: 3
created_count:
  description: How many were created, or in check mode would be.
  returned: always
  type: int
  sample: 1
deleted_count:
  description: How many were deleted, or in check mode would be.
  returned: always
  type: int
  sample: 0
purged_count:
  description: From how many Azure Auth was revoked, or in check mode would be, because of O(purge_azure_auth_except).
  returned: always
  type: int
  sample: 0
failed_count:
  description:
    - How many identities failed, those among them that could not be read with O(return_all).
    - If the list was refused as a whole, how many of its entries were the reason.
  returned: always
  type: int
  sample: 0
untried_count:
  description:
    - How many identities were not tried, because the server went down, the login ended or the task was stopped before. They are not in
      RV(results).
    - If the list was refused as a whole, nothing was tried, and this is 0.
  returned: always
  type: int
  sample: 0
refused:
  description: Whether a real run would be refused because of O(max_changes). It is V(true) in check mode only; a real run fails.
  returned: always
  type: bool
  sample: false
not_visible:
  description:
    - What purging could not reach, or O(return_all) could not show, a sentence each, V([]) if nothing. Such identities keep their Azure
      Auth.
    - It tells identities that this login may not see, and those of another organization, such as a parent's, which cannot be changed from
      here. With O(return_all) it is what RV(community.infisical.infisical_identity_info#module:not_visible) is for all identities.
  returned: when O(purge_azure_auth_except) is given, or O(return_all=true)
  type: list
  elements: str
  sample: []
results:
  description:
    - The identities that were changed, that failed, or that were purged, in the order of O(identities), the purged ones last. Each is of the
      form of an entry, as the run leaves it, or, in check mode, would leave it.
    - With O(return_all=true) the others that there are, too. Those that are not in O(identities) come last, by their names and IDs.
    - One that failed has only its ID and its name, as far as they are known, unless it could be read. Then it is the last state that is known.
    - If the list was refused as a whole, and nothing was done, these are the entries for which it was. They have the ID and the name that
      were given.
  returned: always
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
        - Null where it has several roles, or a temporary one, which RV(results[].details.roles) lists.
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
          description: By which auth method it last logged in, by Infisical's name; null where RV(results[].details.last_login_at) is.
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
    index:
      description: The place of the entry in O(identities), from 0; null for one that is not there.
      returned: always
      type: int
      sample: 17
    changed:
      description: Whether the identity was changed, or in check mode would be.
      returned: always
      type: bool
      sample: true
    created:
      description: Whether the identity was created, or in check mode would be.
      returned: always
      type: bool
      sample: false
    deleted:
      description: Whether the identity was deleted, or in check mode would be.
      returned: always
      type: bool
      sample: false
    revoked:
      description:
        - Whether an auth method of the identity was revoked, or in check mode would be, by its entry or by O(purge_azure_auth_except).
        - It is V(false) for an identity that failed and for one that was deleted.
      returned: always
      type: bool
      sample: false
    failed:
      description: Whether it failed.
      returned: always
      type: bool
      sample: false
    purged:
      description:
        - Whether it is one to purge, which O(purge_azure_auth_except) leaves out. Azure Auth was revoked from it, or in check mode would be,
          unless RV(results[].failed) is V(true).
      returned: always
      type: bool
      sample: false
    before:
      description:
        - The identity as it was read before the run changed it, or in check mode would, with the same keys as an element of RV(results), from
          RV(results[].id) to RV(results[].details). The state of the run is what stands beside it.
        - Of one that was not there it has only C(state), which is V(absent).
      returned: with O(return_all=true), for an identity whose RV(results[].changed) is V(true)
      type: dict
      sample: {state: absent}
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
    manage_identities,
)
from ansible_collections.community.infisical.plugins.module_utils._state.auth_methods import (
    AUTH_METHODS,
)
from ansible_collections.community.infisical.plugins.module_utils._state.azure_auth import (
    AZURE_AUTH,
)


def main():  # type: () -> None
    """Run the module."""
    manage_identities(AUTH_METHODS, purged=AZURE_AUTH)


if __name__ == "__main__":
    main()
