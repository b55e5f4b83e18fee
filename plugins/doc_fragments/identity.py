# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import textwrap

# In these texts "@" stands for the path of the option that holds them: markup needs the full path.

_AZURE_AUTH = r"""
tenant_id:
  description:
    - ID of the Entra tenant whose service principals may log in, a UUID. The module sends it in lower case, as Entra writes it.
    - Required to attach Azure Auth.
  type: str
resource:
  description:
    - The resource (audience) that the Entra token must have been issued for, such as V(https://management.azure.com/).
    - If it ends in a slash, Infisical also accepts tokens whose audience lacks the slash. The reverse is not true.
    - V(/) is an error, because Infisical would then not check the audience. A scope, such as V(https://management.azure.com/.default), is an
      error too, because tokens never have a scope as their audience.
    - Required to attach Azure Auth.
  type: str
allowed_service_principal_ids:
  description:
    - Object IDs of the service principals (applications or managed identities) that may log in. These are not their client IDs or
      application IDs.
    - Each is a string with a UUID. An empty list and a blank ID are errors, so that a template with an empty result cannot let the whole
      tenant log in.
    - The module sends the UUIDs in lower case with hyphens, because Infisical compares them letter by letter when somebody logs in. For the
      same reason, an ID that the server holds in upper case counts as different.
    - Either this option or O(@allow_all_service_principals=true) is required to attach Azure Auth.
  type: list
  elements: raw
allow_all_service_principals:
  description:
    - V(true) lets B(every service principal of the tenant) log in. Do not set O(@allowed_service_principal_ids) as well. The module
      warns if it opens an identity to the whole tenant.
    - V(false) counts as not set. But if every service principal can log in as the identity and O(@allowed_service_principal_ids) is not
      set, V(false) is an error.
  type: bool
access_token_trusted_ips:
  description:
    - Addresses and networks (CIDR) from which access tokens may be used, each a string, such as V(192.0.2.7) or V(2001:db8::/32). The list
      must not be empty.
    - The default when Azure Auth is attached is V(0.0.0.0/0) and V(::/0), which allows every address. Like any other IPv6 network that
      contains V(::ffff:0:0/96), V(::/0) alone also allows every IPv4 address.
    - Two lists are equal if they contain the same networks. Order, duplicates, letter case and host bits do not matter.
  type: list
  elements: raw
access_token_ttl:
  description:
    - How many seconds an access token lives until it must be renewed, from 0 to 315360000. With V(0) it lives as long as
      O(@access_token_max_ttl) allows.
    - The value must not exceed O(@access_token_max_ttl), unless that is 0.
    - The default when Azure Auth is attached is 2592000 (30 days).
  type: int
access_token_max_ttl:
  description:
    - How many seconds an access token can live in total if it is renewed, from 0 to 315360000. V(0) means no maximum. Servers released
      in 2024 do not support V(0).
    - On servers released in 2026 or later, a token that is not renewed lives at most 90 days, whatever O(@access_token_ttl) and this option
      say, unless the server's
      administrator has set another limit. Each renewal starts a new 90 days.
    - The default when Azure Auth is attached is 2592000 (30 days).
  type: int
access_token_num_uses_limit:
  description:
    - How many requests a program can make with an access token. V(0) means no limit. This is the default when Azure Auth is attached.
  type: int
details:
  description: Accepted but ignored, so that you can pass the results of the modules back unchanged.
  type: dict
"""

_ENTRY = (
    r"""
id:
  description:
    - ID of the machine identity, a UUID, with or without hyphens and braces.
    - At least one of O(@id) and O(@name) is required.
    - The module never creates an identity for an ID. If O(@state=present) and no identity has this ID, that is an error.
  type: str
name:
  description:
    - Name of the machine identity, a string of 1 to 255 characters.
    - Without O(@id), it selects the identity that has exactly this name. If no identity has the name, the module creates one. Names are not
      unique in Infisical. If several identities of the same owner have the name, that is an error.
    - With O(@id), the module renames the identity if it has another name. If O(@state=absent), this must be the name that the identity has.
    - A new name is an error if it differs from the name of another identity of the same owner only in letter case, Unicode form or
      spaces.
  type: str
project_id:
  description:
    - ID (not slug) of the project that owns the identity. Projects can own identities on servers released since October 2025.
    - Without O(@id), set this option for an identity that a project owns, and leave it out for one that the organization owns.
    - With O(@id), you can leave this option out. If you set it, the project must own the identity. An identity cannot move to another
      owner.
  type: str
state:
  description:
    - V(present) creates or updates the identity. If an option is not set, an update keeps its value on the server. A new identity gets
      the defaults of Infisical.
    - V(absent) deletes the identity together with its auth methods, its metadata and its project memberships. Its tokens stop working. If
      there is no such identity, nothing happens. The other settings of the identity, except
      O(@delete_protection), are checked, but have no effect.
    - The module never deletes the identity that the task is logged in as. It neither deletes nor changes an identity whose home is another
      organization, such as the parent organization.
  type: str
  choices: [present, absent]
  default: present
role:
  description:
    - Slug of the identity's role in the organization or project that owns it. This becomes the only role of
      the identity there. It can be a built-in
      role, such as V(no-access), V(member) or V(admin), or a custom role.
    - The module removes any other roles that the identity has there. It leaves alone the roles that the identity has in other projects.
    - The default for a new identity is V(no-access). In projects of the type C(cert-manager) it is V(member).
    - V(custom) is an error. Infisical uses this word internally, and an identity with that role does not work.
    - The module never changes the role of the identity that the task is logged in as.
  type: str
metadata:
  description:
    - Metadata of the identity, as a dictionary of strings. The identity gets exactly these pairs. The module removes all others, and V({})
      removes all.
    - Keys and values must not be blank. Put numbers and booleans in quotes.
    - A value of C(omit) leaves its pair out, so the module removes it from the server.
    - Some servers released in 2024 have no metadata. There, setting this option is an error.
  type: dict
delete_protection:
  description:
    - Whether Infisical refuses to delete the identity.
    - If O(@state=absent) and the identity is protected, that is an error. If you set this option to V(false) together with
      O(@state=absent), the module removes the protection and then deletes the identity.
    - The default for a new identity is V(false). Servers released before June 2025 have no delete protection.
  type: bool
azure_auth:
  description:
    - Azure Auth of the identity. If not set, the module leaves Azure Auth alone.
    - If O(@azure_auth.state=absent), and no options of the identity other than O(@id), O(@name) and O(@project_id) are set, the module only
      revokes Azure Auth. It then never creates an identity.
    - The module never changes or revokes the Azure Auth that the task logged in with. If it cannot tell which auth method issued the task's
      token, it assumes that it was Azure Auth.
    - Unlike M(community.infisical.infisical_azure_auth), this module does not accept Infisical's API names for these settings, such as
      C(tenantId).
  type: dict
  suboptions:
    state:
      description:
        - V(present) attaches or updates Azure Auth. If an option is not set, an update keeps its value on the server.
        - V(absent) revokes Azure Auth. Tokens that were issued through it stop working.
      type: str
      choices: [present, absent]
      default: present"""
    + textwrap.indent(_AZURE_AUTH.replace("@", "@azure_auth."), "    ")
    + r"""details:
  description: Accepted but ignored, so that you can pass the results of the modules back unchanged.
  type: dict
source:
  description:
    - Where the entry was written, such as V(identities/shop.yml:12). Messages about the entry contain this text. It has no other effect.
  type: str
"""
)


def _options(path: str, indent: int, options: str = _ENTRY) -> str:
    return textwrap.indent(options.replace("@", path), " " * indent)


class ModuleDocFragment:
    """Documentation of an identity: as options of a module, as entry of a list, and its Azure Auth."""

    # Annotated, because ansible-test takes plain assignments here for literal strings.
    DOCUMENTATION: str = f"options:{_options('', 2)}"

    LIST: str = f"options:\n  identities:\n    suboptions:{_options('identities[].', 6)}"

    AZURE_AUTH: str = f"options:{_options('', 2, _AZURE_AUTH)}"
