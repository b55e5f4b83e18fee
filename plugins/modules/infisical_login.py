#!/usr/bin/python

# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: infisical_login
short_description: Log in to Infisical once, for several tasks
version_added: 1.0.0
description:
  - Logs in to Infisical and returns RV(login_data), which contains the URL of the server and the token. Pass it to the option of the same
    name in other tasks. A play with many tasks then logs in only once.
  - You can also pass this C(login_data) to the modules of the collection C(infisical.vault), and the C(login_data) of
    C(infisical.vault.login) to the modules of this collection.
  - The module can also revoke the token at the end of the play.
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
      - Logs in and revokes in check mode as well, because later tasks must read from Infisical in check mode too. A token is not something
        that the play manages, so the module never reports a change.
  diff_mode:
    support: none
  idempotent:
    support: full
    details:
      - Never reports a change, even if it obtains a new token.
options:
  token:
    description:
      - Access token, for V(token_auth). If not set, the module uses the environment variable E(INFISICAL_TOKEN).
      - If O(state=absent), the module revokes the token in this option or in O(login_data), but never the one in the environment variable.
        If O(state=present), it returns this token and does not revoke it.
  state:
    description:
      - V(present) logs in.
      - V(absent) revokes the token in O(login_data) or O(token). If the token is already invalid, nothing happens.
    type: str
    choices: [present, absent]
    default: present
notes:
  - The result contains the token. Set C(no_log) on this task and on every task whose output shows the token, such as a loop over the registered
    result.
seealso:
  - module: community.infisical.infisical_azure_auth
"""

EXAMPLES = r"""
- name: Manage several identities with one login
  block:
    - name: Log in with credentials from the environment
      community.infisical.infisical_login:
      register: login
      no_log: true

    - name: Manage the Azure Auth of each identity
      community.infisical.infisical_azure_auth:
        login_data: "{{ login.login_data }}"
        identity_name: "{{ item }}"
        access_token_num_uses_limit: 100
      loop:
        - billing
        - payments

  always:
    - name: Revoke the token, even if a task failed
      community.infisical.infisical_login:
        login_data: "{{ login.login_data }}"
        state: absent
      when: login.obtained | default(false)
      no_log: true
"""

RETURN = r"""
login_data:
  description: The URL of the server and the token, for the option O(login_data) of other modules.
  returned: success, if O(state=present)
  type: dict
  contains:
    url:
      description: Base URL of the server.
      returned: always
      type: str
      sample: https://app.infisical.com
    access_token:
      description: The access token, which is a secret.
      returned: always
      type: str
      sample: eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9...
obtained:
  description:
    - Whether this task obtained the token. If V(true), the play should revoke the token at the end.
    - If V(false), the token was given, for example by the environment, and others may still use it.
  returned: success, if O(state=present)
  type: bool
  sample: true
http_status:
  description: HTTP status of the response that made the task fail.
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

from ansible_collections.community.infisical.plugins.module_utils._module.login import log_in_or_out


def main():  # type: () -> None
    """Run the module."""
    log_in_or_out()


if __name__ == "__main__":
    main()
