#!/usr/bin/python

# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: infisical_login
short_description: Log in to Infisical once, for several tasks
version_added: 1.0.0
description:
  - Logs in to Infisical and returns what other tasks take as O(login_data), so that a play with many tasks logs in only once.
  - What it returns and what C(infisical.vault.login) returns are interchangeable, both ways.
  - Can revoke the token again, at the end of the play.
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
      - A token is not state that is managed. So it logs in, and revokes, under check mode too; otherwise no later task of an audit could run.
      - It never reports a change.
  diff_mode:
    support: none
  idempotent:
    support: full
    details:
      - It never reports a change, though every run gets another token.
options:
  state:
    description:
      - V(present) logs in.
      - V(absent) revokes the token that is given in O(login_data) or O(token). That it is gone already is fine.
    type: str
    choices: [present, absent]
    default: present
notes:
  - The token is in the result. Put C(no_log) on the task, and on every task whose output shows it, such as a loop over a registered result.
seealso:
  - module: community.infisical.infisical_azure_auth
"""

EXAMPLES = r"""
- name: Keep several identities with one login
  block:
    - name: Log in, with credentials from the environment
      community.infisical.infisical_login:
      register: login
      no_log: true

    - name: Keep the Azure Auth of each identity
      community.infisical.infisical_azure_auth:
        login_data: "{{ login.login_data }}"
        identity_name: "{{ item }}"
        access_token_num_uses_limit: 100
      loop:
        - billing
        - payments

  always:
    - name: Revoke the token, also if a task failed
      community.infisical.infisical_login:
        login_data: "{{ login.login_data }}"
        state: absent
      when: login.obtained | default(false)
      no_log: true
"""

RETURN = r"""
login_data:
  description: The login, as O(login_data) of the other modules takes it.
  returned: success, with O(state=present)
  type: dict
  contains:
    url:
      description: Base URL of the server.
      returned: always
      type: str
      sample: https://app.infisical.com
    access_token:
      description: The access token. It is a secret.
      returned: always
      type: str
      sample: eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9...
obtained:
  description:
    - Whether the token was obtained by this task, and is its play's to revoke at the end.
    - If it is V(false), the token was given, for instance by the environment, and others may go on using it.
  returned: success, with O(state=present)
  type: bool
  sample: true
http_status:
  description: HTTP status of the answer that the task failed on.
  returned: failure, if the server answered
  type: int
  sample: 401
error:
  description: Infisical's name for the error.
  returned: failure, if the server answered with an error of Infisical's
  type: str
  sample: UnauthorizedError
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

from ansible_collections.community.infisical.plugins.module_utils._module.login import log_in_or_out


def main():  # type: () -> None
    """Run the module."""
    log_in_or_out()


if __name__ == "__main__":
    main()
