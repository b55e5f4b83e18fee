# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import textwrap

# "@" stands for the path of what is documented, which markup needs in front of an option's name.
_ENTRY = r"""
id:
  description:
    - ID of the machine identity, a UUID. Hyphens may be left out, and braces put around it.
    - An ID never creates an identity. With O(@state=present), an ID that no identity has is an error.
    - At least one of O(@id) and O(@name) is required.
  type: str
name:
  description:
    - Name of the machine identity, a string of 1 to 255 characters. Without O(@id) it means the identity that has exactly this name.
    - Names are not unique in Infisical. If several identities of the same owner have the name, that is an error. If none has it, the
      identity is created.
    - With O(@id) it is what the identity is to be called, and one with another name is renamed. With O(@state=absent) it must be the name
      that the identity has.
    - A new name that differs from that of another identity of the same owner in letter case, Unicode form or blanks only is an error.
  type: str
project_id:
  description:
    - ID of the project that owns the identity. Not its slug. Projects own identities on servers since late 2025.
    - With O(@name) alone, the identity is one that the organization owns if this is left out.
    - With O(@id) it may be left out. If it is given, it must be that of the identity's owner. An identity cannot be moved to another owner.
  type: str
state:
  description:
    - V(present) creates the identity, or updates it. An option that is left out keeps its value on the server. At creation it gets
      Infisical's default.
    - V(absent) deletes the identity, with its auth methods, its metadata and its memberships of projects. Its tokens stop working. An
      identity that is not there is fine. All other options but O(@delete_protection) are checked, and otherwise ignored.
    - The identity that the task is logged in as is never deleted. One whose home is another organization, such as a parent, is neither
      deleted nor changed.
  type: str
  choices: [present, absent]
  default: present
role:
  description:
    - Slug of the one role that the identity has in what owns it, the organization or the project. A built-in role, such as V(no-access),
      V(member) or V(admin), or a custom one.
    - Other roles that it has there are removed. Roles in projects that it is only a member of are left alone.
    - V(custom) is an error. It is a word of Infisical's own, and breaks an identity that it is set for.
    - If it is left out at creation, it is V(no-access), and V(member) in projects of the type C(cert-manager).
    - The role of the identity that the task is logged in as is never changed.
  type: str
metadata:
  description:
    - The metadata of the identity, strings by their keys. Exactly these pairs. Others on the server are removed, and V({}) removes all.
    - Neither keys nor values may be blank. Numbers and booleans must be put in quotes.
    - A value of C(omit) takes its pair out, which removes it on the server.
    - Servers of 2024 may have no metadata of identities. Naming it is an error there.
  type: dict
delete_protection:
  description:
    - Whether Infisical refuses to delete the identity.
    - With O(@state=absent), a protected identity is an error, unless this is V(false). Then the protection is lifted, and the identity
      deleted.
    - If it is left out at creation, it is V(false). Servers from before June 2025 have no such protection.
  type: bool
azure_auth:
  description:
    - The Azure Auth of the identity. If it is left out, Azure Auth is left alone.
    - With a O(@azure_auth.state) of V(absent), and nothing else beside O(@id), O(@name) and O(@project_id), no identity is created.
    - The Azure Auth that the task itself may be logged in through is never changed.
    - See M(community.infisical.infisical_azure_auth) for all that there is to say about its settings. Their names in the API are not taken
      here.
  type: dict
  suboptions:
    state:
      description:
        - V(present) attaches Azure Auth, or updates it. A setting that is left out keeps its value on the server.
        - V(absent) revokes it. Tokens that were issued through it stop working.
      type: str
      choices: [present, absent]
      default: present
    tenant_id:
      description:
        - ID of the Entra tenant whose service principals may log in, a UUID.
        - Required to attach.
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
        - Either it or O(@azure_auth.allow_all_service_principals=true) is required to attach.
      type: list
      elements: raw
    allow_all_service_principals:
      description:
        - V(true) lets B(every service principal of the tenant) log in, and excludes O(@azure_auth.allowed_service_principal_ids).
        - V(false) is the same as leaving it out, but is an error where the identity is open and
          O(@azure_auth.allowed_service_principal_ids) is not given.
      type: bool
    access_token_trusted_ips:
      description:
        - Addresses and networks (CIDR) from which access tokens may be used. At least one.
        - If it is left out on attaching, it is everywhere, V(0.0.0.0/0) and V(::/0).
      type: list
      elements: raw
    access_token_ttl:
      description:
        - How long an access token lives until it has to be renewed, in seconds, from 0 to 315360000.
        - If it is left out on attaching, it is 2592000 (30 days).
      type: int
    access_token_max_ttl:
      description:
        - How long an access token can live by being renewed, in seconds, from 0 to 315360000. V(0) is no maximum.
        - On servers of 2026 a single token lives at most 90 days, whatever is set here, unless the instance sets another limit.
        - If it is left out on attaching, it is 2592000 (30 days).
      type: int
    access_token_num_uses_limit:
      description:
        - How many requests an access token is good for. V(0) is no limit.
        - If it is left out on attaching, it is 0.
      type: int
    details:
      description: Is ignored. It is there in what the modules return.
      type: dict
details:
  description: Is ignored. It is there in what the modules return.
  type: dict
source:
  description:
    - Where the entry was written, such as V(identities/shop.yml:12). Messages name it. Otherwise it is ignored.
  type: str
"""


def _options(path: str, indent: int) -> str:
    return textwrap.indent(_ENTRY.replace("@", path), " " * indent)


class ModuleDocFragment:
    """What is said of an identity: as the options of a module, and as an entry of a list."""

    # Annotated, because ansible-test takes plain assignments here for literal strings.
    DOCUMENTATION: str = f"options:{_options('', 2)}"

    LIST: str = f"options:\n  identities:\n    suboptions:{_options('identities[].', 6)}"
