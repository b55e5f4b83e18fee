#!/usr/bin/python

# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: infisical_identities
short_description: Manage many Infisical machine identities
version_added: 1.0.0
description:
  - Creates, updates or deletes any number of machine identities in one task, and manages their Azure Auth where an entry sets it. The module
    works on several identities at once, as fast as the rate limits of the server allow.
  - For each identity the module does the same as M(community.infisical.infisical_identity).
  - Before it writes anything, the module checks that all entries are valid and that no name matches several identities. After that, an
    identity that fails does not stop the others. The module works through all of them. If any failed, the task fails at the end.
  - The module creates an identity, and then attaches its Azure Auth. If the task is killed in between, the next run finishes the work.
  - The module deletes only identities that are listed with O(identities[].state=absent).
  - If you pass this module the identities that M(community.infisical.infisical_identity_info) returned, nothing changes.
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
      - Reads and checks the same things as a real run, and writes nothing. It fails wherever a real run would fail because of the options or
        because of something that the module can read.
      - It cannot know whether the login may create, edit and delete identities, configure their auth methods and grant roles. Nor can it know
        whether the new role has more privileges than the login, or which features the organization's Infisical
        plan includes. See
        R(What check mode cannot know, ansible_collections.community.infisical.docsite.guide_identities.check_mode).
  diff_mode:
    support: full
    details:
      - Returns a diff for each identity that changed. Ansible prints no diff for a task that fails, unless C(failed_when) is V(false).
  idempotent:
    support: full
options:
  identities:
    description:
      - The identities and the state that they should have. List each identity once. A key whose value is null counts as not set.
      - Split a very long list into batches of about 50. See
        R(Manage many identities, ansible_collections.community.infisical.docsite.guide_fleet).
    type: list
    elements: raw
    required: true
  create:
    description:
      - Whether to create identities that do not exist. With V(false), a name that no identity has is an error, unless the entry deletes the
        identity or only revokes its Azure Auth. Use V(false) if something else creates the identities.
    type: bool
    default: true
  purge_azure_auth_except:
    description:
      - IDs or names of all identities of the organization that may keep Azure Auth. The module revokes Azure Auth from every other identity
        that the organization owns. It does not delete these identities.
      - The list must not be empty. It must contain every identity that is listed in O(identities) with O(identities[].state=present) and that
        the organization owns, even if the entry only revokes Azure Auth. Do not list identities that projects own or that the task deletes.
        A name that no identity has is an error, unless an entry with O(identities[].state=present) has that name and no ID.
      - The module purges last, and only if no identity failed and it could read the whole list of the identities that the
        login (the identity that the task logs in as) can see. It
        reads each identity again right before it revokes its Azure Auth.
      - The module never purges identities that projects own, identities of other organizations, or the identity that the task is logged in
        as.
      - If you apply a list in batches, do not purge with a batch. Purge in a separate task after the last batch, with
        O(identities=[]), and name every identity of the whole list that may keep Azure Auth. The filter
        P(community.infisical.identity_keepers#filter) makes this value.
    type: list
    elements: raw
  max_changes:
    description:
      - Maximum number of identities that the task may create, change or delete, or whose Azure Auth it may revoke because of
        O(purge_azure_auth_except). Each identity counts once.
      - If more identities would change, the task fails before it writes anything. In check mode it warns instead and sets RV(refused) to
        V(true), so that you can see the diff.
    type: int
  return_all:
    description:
      - Whether RV(results) contains every identity that the login can see. Otherwise it contains only
        identities that changed, failed or were purged. The identities in O(identities) come first, in their order. All others follow.
      - The module lists all identities once and reads the Azure Auth of each identity that has it. It makes a second request, for the
        identity itself, only if the identity's entry sets C(metadata). The login must have the permission to list the identities of the
        organization.
      - For an identity that changed, RV(results[].before) is its earlier state. With this option, a single task in check mode can compare a
        list with the server and also return the identities that are not in the list.
      - The module reads the Azure Auth of an identity before it changes or deletes the identity. If it cannot read Azure Auth, it still changes
        or deletes the identity, and then counts it as failed.
      - With O(validate_only=true) this option has no effect.
    type: bool
    default: false
  validate_only:
    description:
      - Whether to only check the options. The task fails if an option of an entry is wrong, if a name in O(identities) or
        O(purge_azure_auth_except) does not match exactly one identity, or if an identity is listed twice. A name that no
        identity has is fine if its entry would create the identity, only revokes its Azure Auth, or has O(identities[].state=absent).
      - The module reads the names of identities, but not their settings. To see what would change, use check mode.
      - If you use batches, validate the whole list before the first batch. A batch knows nothing of the other batches.
    type: bool
    default: false
  concurrency:
    description: How many identities to work on at once, from 1 to 64.
    type: int
    default: 8
notes:
  - Servers released in 2026 or later have a separate rate limit for creating identities, by default 30 a minute. It does not slow down other
    work.
  - Do not run two tasks at the same time if both create identities with the same names. Infisical does not prevent duplicate names.
  - The result does not list identities that were already correct, unless O(return_all=true). This keeps it small. AWX and Automation
    Platform drop the result of a task if it is longer than 700,000 characters.
  - The module returns no facts.
seealso:
  - module: community.infisical.infisical_identity
  - module: community.infisical.infisical_identity_info
  - ref: ansible_collections.community.infisical.docsite.guide_fleet
    description: How to keep a list of identities under version control and check it every night.
"""

EXAMPLES = r"""
- name: Manage several identities and their Azure Auth
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

- name: Show what would change
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

- name: Report how many identities have drifted
  ansible.builtin.debug:
    msg: "{{ audit.changed_count }} of {{ audit.checked }} identities have drifted"

- name: Compare a list with the server, and read all other identities
  community.infisical.infisical_identities:
    identities:
      - name: billing
        role: no-access
    return_all: true
  check_mode: true
  register: everything

- name: Show the identities that are not in the list
  ansible.builtin.debug:
    msg: "{{ everything.results | selectattr('index', 'none') | map(attribute='name') }}"

- name: Revoke Azure Auth from all identities of the organization except two, but from none if more than ten would lose it
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
    - How many identities the module worked on, including those that failed and those that it checked for purging.
    - Identities that it only read because of O(return_all) do not count.
  returned: always
  type: int
  sample: 1000
changed_count:
  description:
    - How many of the entries in O(identities) were changed, created or deleted, or in check mode would be.
    - Identities that failed do not count.
  returned: always
  type: int
  sample: 3
created_count:
  description: How many identities were created, or in check mode would be.
  returned: always
  type: int
  sample: 1
deleted_count:
  description: How many identities were deleted, or in check mode would be.
  returned: always
  type: int
  sample: 0
purged_count:
  description: The number of identities whose Azure Auth was revoked because of O(purge_azure_auth_except), or in check mode would be.
  returned: always
  type: int
  sample: 0
failed_count:
  description:
    - How many identities failed, including those that O(return_all) could not read.
    - If the module refused the whole list, the number of entries with errors.
  returned: always
  type: int
  sample: 0
untried_count:
  description:
    - How many identities the module did not work on, because the server was down, the login was no longer accepted or the task was stopped.
      They are not in RV(results).
    - If the module refused the whole list, this is 0.
  returned: always
  type: int
  sample: 0
refused:
  description: Whether a real run would fail because of O(max_changes). V(true) only in check mode. A real run fails instead.
  returned: always
  type: bool
  sample: false
not_visible:
  description:
    - What purging could not reach, or what O(return_all) could not show, one sentence each. V([]) if there is nothing.
    - This is about identities that the login is not allowed to see, and about identities of another organization, such as the parent, which
      cannot be changed from here. Purging leaves the Azure Auth of all these identities alone. With O(return_all=true), it has the same
      content as RV(community.infisical.infisical_identity_info#module:not_visible) of M(community.infisical.infisical_identity_info).
  returned: if O(purge_azure_auth_except) is set, or if O(return_all=true)
  type: list
  elements: str
  sample: []
results:
  description:
    - The identities that were changed, that failed or that were purged, in the order of O(identities). Purged identities come after them. Each
      has the form of an entry and shows the identity after the run, or, in check mode, as a real run would leave it.
    - With O(return_all=true), all other identities as well. Those that are not in O(identities), including the purged ones, then come last,
      sorted by name and ID.
    - For an identity that failed, the result has the ID and the name if they are known. If the module read the identity, the result also has
      the settings that were last known.
    - If the module refused the whole list and did nothing, these are the entries with errors. They have the ID and name that were given.
  returned: always
  type: list
  elements: dict
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
        - Null if the identity has several roles or a temporary one. For these, see RV(results[].details.roles).
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
          description: Auth method of the last login, as Infisical names it. Null if RV(results[].details.last_login_at) is null.
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
    index:
      description: Position of the entry in O(identities), from 0. Null for an identity that is not in the list.
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
        - Whether the Azure Auth of the identity was revoked, or in check mode would be, because of its entry or O(purge_azure_auth_except).
        - V(false) for an identity that failed or was deleted.
      returned: always
      type: bool
      sample: false
    failed:
      description: Whether the identity failed.
      returned: always
      type: bool
      sample: false
    purged:
      description:
        - Whether the identity was to be purged because O(purge_azure_auth_except) does not list it. Unless RV(results[].failed) is V(true),
          Azure Auth was revoked from it, or in check mode would be.
      returned: always
      type: bool
      sample: false
    before:
      description:
        - The identity before the run changed it, or, in check mode, would change it. It has the keys of an element of RV(results) that
          describe the identity, such as C(name), C(role) and C(azure_auth), but not those that describe the run, such as C(changed).
        - If the identity did not exist, it has only C(state), which is V(absent).
      returned: with O(return_all=true), for an identity whose RV(results[].changed) is V(true)
      type: dict
      sample: {state: absent}
    msg:
      description: What went wrong. If the module refused the whole list, everything that is wrong with this entry, with its place in the list.
      returned: if the identity failed, or if its entry has errors
      type: str
    http_status:
      description: HTTP status of the response that made the identity fail.
      returned: failure of the identity, if the server answered
      type: int
      sample: 403
    error:
      description: Infisical's name for the error.
      returned: failure of the identity, if the server answered with one of Infisical's own errors
      type: str
      sample: PermissionDenied
    request_id:
      description: ID of the request, to find it in the server's log.
      returned: failure of the identity, if the response contained one
      type: str
      sample: req-5kT1YxNnJ7tmk4
http_status:
  description: HTTP status of the response that made the whole task fail. For the failure of a single identity, see RV(results).
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
