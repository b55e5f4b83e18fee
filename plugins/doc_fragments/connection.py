# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """How to reach an Infisical server, and how to log in there."""

    DOCUMENTATION = r"""
requirements:
  - python >= 3.9
  - requests >= 2.28
  - netaddr >= 0.10.1
options:
  url:
    description:
      - Base URL of the Infisical server, with or without a trailing V(/) or V(/api).
      - If not given, it is that of O(login_data), or else the value of the environment variable E(INFISICAL_URL), E(INFISICAL_HOST) or
        E(INFISICAL_API_URL), in this order, or else V(https://app.infisical.com). The European cloud is V(https://eu.infisical.com).
      - Redirects are never followed.
    type: str
  ca_path:
    description:
      - Path, on the host that runs the module, of a file with the certificates of the authorities to trust, or of a folder of them.
      - If not given, the environment variable E(REQUESTS_CA_BUNDLE), E(CURL_CA_BUNDLE) or E(SSL_CERT_FILE) is used, in this order, or
        else the bundle that comes with the Python library C(requests).
    type: path
  validate_certs:
    description:
      - Whether to check the server's TLS certificate. Set to V(false) only for tests, because anybody on the way can then read the token.
    type: bool
    default: true
  timeout:
    description:
      - How long a connection may take, and again a whole answer, in seconds.
    type: float
    default: 30
  retries:
    description:
      - How often to repeat a request that failed for the network, for a gateway (such as HTTP 502, 503, 504), or for a server whose database
        is away, where repeating it can do no harm. A request that only reads is repeated after any error in the server (HTTP 500).
      - A change that goes on failing is sent once and then so many times more, whatever the task reads in between.
      - The default bridges more than two seconds.
      - Waiting for a rate limit does not count.
    type: int
    default: 3
  rate_limit_timeout:
    description:
      - How long to go on, in seconds, while the server refuses a request for its rate limit, before the task fails.
    type: float
    default: 300
  organization_slug:
    description:
      - Slug of the organization, or sub-organization, to log in to. For logins of identities that belong to several. The environment
        variable is E(INFISICAL_AUTH_ORGANIZATION_SLUG), which does not apply to O(login_data).
      - Servers from before 2026 ignore it, and so does a login of an identity that belongs to a sub-organization. So it is checked right
        after the login, or with the token that is given, that the token is for this organization. If not, or if that cannot be known, the
        task fails before it does anything. That takes one request more, and none for a login to the root organization.
    type: str
  auth_method:
    description:
      - How to log in. V(token_auth) for an access token that exists already, V(universal_auth) for a client ID and a client secret,
        V(azure_auth), V(gcp_auth) or V(kubernetes_auth) for a workload on one of these platforms, V(oidc_auth) or V(jwt_auth) for
        a JWT of another issuer, V(ldap_auth) for a user name and a password.
      - If not given, it is found out from what is given, in this order. O(login_data); credentials as options; the environment variable
        E(INFISICAL_AUTH_METHOD); credentials in the environment. It is an error if there are credentials for two methods there.
      - Only O(token), O(universal_auth_client_id), O(universal_auth_client_secret), O(ldap_username) and O(ldap_password) tell the method.
        With O(auth_identity_id) or O(jwt) alone, O(auth_method) or its environment variable is required.
      - Each value that the method takes and that is not given as an option comes from its environment variable.
      - A blank counts as absent, and so does null, for this and all other options, and in all environment variables.
    type: str
  token:
    description:
      - Access token, for V(token_auth). The environment variable is E(INFISICAL_TOKEN).
      - A token that is given is not revoked at the end of the task. One that the task got itself is.
    type: str
  universal_auth_client_id:
    description:
      - Client ID, for V(universal_auth). The environment variable is E(INFISICAL_UNIVERSAL_AUTH_CLIENT_ID).
    type: str
  universal_auth_client_secret:
    description:
      - Client secret, for V(universal_auth). The environment variable is E(INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET).
    type: str
  auth_identity_id:
    description:
      - ID of the machine identity to log in as, for all methods but V(token_auth) and V(universal_auth). The environment variable is
        E(INFISICAL_MACHINE_IDENTITY_ID).
    type: str
  jwt:
    description:
      - The token of another issuer to log in with, for V(azure_auth), V(gcp_auth), V(kubernetes_auth), V(oidc_auth) and V(jwt_auth).
        The environment variable is E(INFISICAL_JWT).
      - If it is not given, the task gets one on the host that runs the module. V(azure_auth) asks Azure, V(gcp_auth) asks Google's metadata
        server, and V(kubernetes_auth) reads the file of the pod's service account.
      - Azure gives tokens in four places. The task uses the first of them that it finds.
      - If E(AZURE_FEDERATED_TOKEN_FILE) is set, Entra exchanges the token in that file for one of the workload identity. This is the only
        place that the task reaches through the proxies of the environment. It also needs E(AZURE_TENANT_ID) and E(AZURE_CLIENT_ID).
      - If E(IDENTITY_ENDPOINT) and E(IDENTITY_HEADER) are set, App Service, Functions or Container Apps give the token of a managed identity.
      - If E(IDENTITY_ENDPOINT) and E(IMDS_ENDPOINT) are set, or the program C(/opt/azcmagent/bin/himds) exists, Arc's agent gives the token.
      - Otherwise the instance metadata service of virtual machines gives it.
      - The environment can name other addresses, as it does for the platforms' own libraries. E(AZURE_POD_IDENTITY_AUTHORITY_HOST)
        and E(AZURE_AUTHORITY_HOST) are URLs, E(GCE_METADATA_HOST) is a host, E(INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH) a path.
    type: str
  azure_resource:
    description:
      - For V(azure_auth) without O(jwt), the resource to get a token for. It must be the one in the Azure Auth of the identity to log in as.
      - If not given, it is V(https://management.azure.com/).
    type: str
  azure_client_id:
    description:
      - For V(azure_auth) without O(jwt), the client ID of the managed identity or workload identity to get a token of. A host with several
        managed identities needs it, or O(azure_identity_object_id) or O(azure_identity_resource_id).
      - If none of the three is given, it is the value of E(AZURE_CLIENT_ID). If E(AZURE_SECRET) or E(AZURE_CLIENT_SECRET) is set too, that
        client ID belongs to a service principal, and does not name a managed identity. Arc's agent is never asked for E(AZURE_CLIENT_ID).
      - If nothing names an identity, Azure gives the token of the system-assigned one.
    type: str
  azure_identity_object_id:
    description:
      - The same as O(azure_client_id), by the object ID of the managed identity, which Azure also calls its principal ID. Workload
        identities cannot be named by it.
    type: str
  azure_identity_resource_id:
    description:
      - The same as O(azure_client_id), by the resource ID of the managed identity, as in
        V(/subscriptions/3f6c1b52-9d0e-4a87-8c21-5b7e0f4d9a16/resourceGroups/ansible/providers/Microsoft.ManagedIdentity/userAssignedIdentities/runner).
        Workload identities cannot be named by it.
    type: str
  ldap_username:
    description:
      - User name, for V(ldap_auth). The environment variable is E(INFISICAL_LDAP_USERNAME).
    type: str
  ldap_password:
    description:
      - Password, for V(ldap_auth). The environment variable is E(INFISICAL_LDAP_PASSWORD).
    type: str
  login_data:
    description:
      - An existing login, as returned by M(community.infisical.infisical_login), or by C(infisical.vault.login). With
        C(register=login), it is C(login.login_data), not C(login).
    type: dict
    suboptions:
      url:
        description:
          - Base URL of the server that the login is for. It goes before the environment, and O(url) must not contradict it.
        type: str
      access_token:
        description:
          - The access token.
        type: str
notes:
  - Proxies are taken from the environment (E(HTTPS_PROXY), E(HTTP_PROXY), E(ALL_PROXY), E(NO_PROXY)). The file C(~/.netrc) is not used.
  - Headers that a proxy in front of the server wants are taken from the environment variable E(INFISICAL_CUSTOM_HEADERS), written as for
    Infisical's CLI, as in C(CF-Access-Client-Id=id CF-Access-Client-Secret=secret), with quotes around a value that has blanks in it. They
    go with every request to the server. Their values are kept out of messages, and those of eight or more characters out of all output.
"""
