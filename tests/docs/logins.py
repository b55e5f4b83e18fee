# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the examples log in with: credentials for every method, and the platforms behind some."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass
from pathlib import Path

import trustme

from emulator import Emulator
from emulator.platform import metadata_services, write_service_account_token

METHODS = (
    "universal-auth",
    "azure-auth",
    "gcp-auth",
    "kubernetes-auth",
    "oidc-auth",
    "jwt-auth",
    "ldap-auth",
)
# Of the managed identity in the guide.
RESOURCE_ID = (
    "/subscriptions/9d4f7a20-6c1e-4b38-8f52-3e0a1d7c5b94/resourceGroups/ansible/providers"
    "/Microsoft.ManagedIdentity/userAssignedIdentities/runner"
)


@dataclass(frozen=True)
class Logins:
    """An identity to log in as; variables with its credentials; where platforms hand out tokens."""

    identity_id: str
    variables: t.Mapping[str, str]
    environment: t.Mapping[str, str]


@contextlib.contextmanager
def logins(emulator: Emulator, folder: Path) -> t.Iterator[Logins]:
    """Make an identity that every method logs in as, and serve metadata until the block ends.

    The folder gets what a reader has beside the playbook: a certificate authority.
    """
    identity_id = emulator.create_identity("runner", role="admin", methods=METHODS)
    directory = emulator.ldap(identity_id)
    service_account = emulator.jwt(identity_id, method="kubernetes-auth")
    token_file = write_service_account_token(folder / "service-account", service_account)
    trustme.CA().cert_pem.write_to_path(folder / "company-ca.pem")
    with metadata_services(
        emulator, managed_identity=identity_id, identities={RESOURCE_ID: identity_id}
    ) as services:
        yield Logins(
            identity_id,
            {
                "infisical_url": emulator.url,
                "infisical_client_id": emulator.client_id,
                "infisical_client_secret": emulator.client_secret,
                "infisical_token": emulator.token,
                "entra_token": emulator.jwt(identity_id, method="azure-auth"),
                "pipeline_id_token": emulator.jwt(identity_id, method="oidc-auth"),
                "signed_jwt": emulator.jwt(identity_id, method="jwt-auth"),
                "directory_user": directory.username,
                "directory_password": directory.password,
                "managed_identity": RESOURCE_ID,
            },
            {
                **services.environment,
                "INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH": str(token_file),
            },
        )
