# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Documentation of the options that connect to an Infisical server and log in."""

    DOCUMENTATION = r"""
requirements:
  - python >= 3.9
  - requests >= 2.28
  - netaddr >= 0.10.1
options:
  url:
    description:
      - Base URL of the Infisical server, with or without a trailing V(/) or V(/api).
      - If not set, the module uses the URL in O(login_data), else the environment variable E(INFISICAL_URL), E(INFISICAL_HOST) or
        E(INFISICAL_API_URL), in this order, else V(https://app.infisical.com). The European cloud is V(https://eu.infisical.com).
      - The module never follows redirects.
    type: str
  ca_path:
    description:
      - Path of a file with the CA certificates to trust, or of a folder of such files, on the host that runs the module. Prepare a folder
        with C(openssl rehash).
      - If not set, the module uses the environment variable E(REQUESTS_CA_BUNDLE), E(CURL_CA_BUNDLE) or E(SSL_CERT_FILE), in this order,
        else the CA bundle of the Python library C(requests).
    type: path
  validate_certs:
    description:
      - Whether to verify the server's TLS certificate. Set this to V(false) for tests only, because then anybody between the host and the
        server can read the token.
    type: bool
    default: true
  timeout:
    description:
      - Time limit in seconds. It applies first to connecting, and then again to receiving the whole response.
    type: float
    default: 30
  retries:
    description:
      - How many times to repeat a request that failed because of the network, a gateway error (such as HTTP 502, 503 or 504) or a server that
        cannot reach its database. After any other internal server error (HTTP 500), the module repeats only read requests. It does not
        repeat a request that could do harm if sent twice.
      - The limit applies to each change as a whole. If the module reads the state again and then tries the same change once more, that also
        uses up a retry.
      - The default is enough for an outage of two seconds.
      - Waiting for a rate limit does not count as a retry.
    type: int
    default: 3
  rate_limit_timeout:
    description:
      - How many seconds to keep trying while the server refuses a request because of its rate limit. After that, the task fails.
    type: float
    default: 300
  organization_slug:
    description:
      - Slug of the organization or sub-organization to log in to. Set it if the identity that you log in as is a member of several. If
        not set, the module uses the environment variable E(INFISICAL_AUTH_ORGANIZATION_SLUG), unless it uses O(login_data).
      - Servers released before 2026 ignore the slug, and so do logins of identities that a sub-organization owns. Therefore the
        module checks that the token is for this organization, right after the login or, if a token is given, before anything else. If the
        token is for another organization, or if the module cannot find out, the task fails and changes nothing.
      - For a login to a sub-organization, the check takes one more request.
    type: str
  auth_method:
    description:
      - How to log in. V(token_auth) uses an existing access token, V(universal_auth) a client ID and a client secret. V(azure_auth),
        V(gcp_auth) and V(kubernetes_auth) are for workloads on these platforms. V(oidc_auth) and V(jwt_auth) use a JWT from an
        issuer other than Infisical, and V(ldap_auth) uses a user name and a password.
      - If not set, the module uses the first of these sources that is set - O(login_data), credentials in options, the environment variable
        E(INFISICAL_AUTH_METHOD), credentials in environment variables. If that source contains credentials for two methods, the task fails.
      - Only O(token), O(universal_auth_client_id), O(universal_auth_client_secret), O(ldap_username) and O(ldap_password) show which method
        to use. If you give O(auth_identity_id) or O(jwt) without one of these, set O(auth_method) or E(INFISICAL_AUTH_METHOD) as well.
      - If the method needs a value whose option is not set, the module reads the environment variable of that option.
      - A blank string or null counts as not set. This is true of all options and of all environment variables.
    type: str
  token:
    description:
      - Access token, for V(token_auth). If not set, the module uses the environment variable E(INFISICAL_TOKEN).
      - The module does not revoke this token. At the end of a task, it revokes only a token that it obtained itself.
    type: str
  universal_auth_client_id:
    description:
      - Client ID, for V(universal_auth). If not set, the module uses the environment variable E(INFISICAL_UNIVERSAL_AUTH_CLIENT_ID).
    type: str
  universal_auth_client_secret:
    description:
      - Client secret, for V(universal_auth). If not set, the module uses the environment variable
        E(INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET).
    type: str
  auth_identity_id:
    description:
      - ID of the machine identity to log in as, for all methods except V(token_auth) and V(universal_auth). If not set, the module uses
        the environment variable E(INFISICAL_MACHINE_IDENTITY_ID).
    type: str
  jwt:
    description:
      - Token to log in with, from an issuer other than Infisical, for V(azure_auth), V(gcp_auth), V(kubernetes_auth), V(oidc_auth) and
        V(jwt_auth). If not set, the module uses the environment variable E(INFISICAL_JWT).
      - If neither is set, V(azure_auth) requests a token from Azure, V(gcp_auth) requests one from Google's metadata server, and
        V(kubernetes_auth) reads the token of the pod's service account from its file, all on the host that runs the module.
      - The module gets the Azure token from the first of the following sources that applies.
      - Entra, if E(AZURE_FEDERATED_TOKEN_FILE) is set. Entra exchanges the token in that file for a token for the workload identity. This
        also needs E(AZURE_TENANT_ID), and E(AZURE_CLIENT_ID) or O(azure_client_id).
      - The endpoint of App Service, Functions or Container Apps, if E(IDENTITY_ENDPOINT) and E(IDENTITY_HEADER) are set.
      - The agent of Azure Arc, if E(IDENTITY_ENDPOINT) and E(IMDS_ENDPOINT) are set, or if the program C(/opt/azcmagent/bin/himds) exists.
      - Otherwise, the instance metadata service.
      - Only the request to Entra uses proxies; the module contacts the other sources directly.
      - Environment variables can override where the module gets a token. E(AZURE_AUTHORITY_HOST) replaces the URL of Entra,
        E(AZURE_POD_IDENTITY_AUTHORITY_HOST) the URL of Azure's instance metadata service, E(GCE_METADATA_HOST) the host of Google's metadata
        server, and E(INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH) the path of the file with the pod's token.
    type: str
  azure_resource:
    description:
      - Resource of the token to request. Used only if O(auth_method=azure_auth) and O(jwt) is not set. It must be the resource in the Azure
        Auth of the identity to log in as.
      - If not set, the module uses V(https://management.azure.com/).
    type: str
  azure_client_id:
    description:
      - Client ID of the managed or workload identity to request a token for. Used only if O(auth_method=azure_auth) and O(jwt) is not set.
      - On a host with several managed identities, set this option, O(azure_identity_object_id) or O(azure_identity_resource_id). Set only
        one of the three.
      - If none of the three is set, the module uses the environment variable E(AZURE_CLIENT_ID). For managed identities it ignores that
        variable if E(AZURE_SECRET) or E(AZURE_CLIENT_SECRET) is set too, because the client ID is then that of a service principal. For the
        agent of Azure Arc it always ignores the variable.
      - If nothing names a managed identity, Azure issues a token for the system-assigned one. If a virtual machine has none, but has exactly
        one user-assigned identity, Azure issues a token for that one.
    type: str
  azure_identity_object_id:
    description:
      - Object ID, also called principal ID, of the managed identity to request a token for. Use it in place of O(azure_client_id). It does
        not work for workload identities.
    type: str
  azure_identity_resource_id:
    description:
      - Resource ID of the managed identity to request a token for, such as
        V(/subscriptions/3f6c1b52-9d0e-4a87-8c21-5b7e0f4d9a16/resourceGroups/ansible/providers/Microsoft.ManagedIdentity/userAssignedIdentities/runner).
        Use it in place of O(azure_client_id). It does not work for workload identities.
    type: str
  ldap_username:
    description:
      - User name, for V(ldap_auth). If not set, the module uses the environment variable E(INFISICAL_LDAP_USERNAME).
    type: str
  ldap_password:
    description:
      - Password, for V(ldap_auth). If not set, the module uses the environment variable E(INFISICAL_LDAP_PASSWORD).
    type: str
  login_data:
    description:
      - The C(login_data) that M(community.infisical.infisical_login) or C(infisical.vault.login) returned. After C(register=login), give
        C(login.login_data), not C(login).
    type: dict
    suboptions:
      url:
        description:
          - Base URL of the server that issued the token. It takes precedence over the environment variables. If the task also sets its
            option O(url), both must be the same.
        type: str
      access_token:
        description:
          - The access token.
        type: str
notes:
  - The module uses the proxies in the environment variables E(HTTPS_PROXY), E(HTTP_PROXY), E(ALL_PROXY) and E(NO_PROXY). It does not use the
    file C(~/.netrc).
  - If a proxy in front of the server needs extra headers, set the environment variable E(INFISICAL_CUSTOM_HEADERS) in the same format as for
    the Infisical CLI, for example to C(CF-Access-Client-Id=id CF-Access-Client-Secret=secret). Put quotes around a value that contains spaces.
    The module sends these headers with every request to the server. It never shows their values in its messages. In all other output, it masks
    those header values that have eight or more characters.
"""
