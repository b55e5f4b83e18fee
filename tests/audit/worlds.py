# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Organizations to audit, and the lists to compare them with."""

from __future__ import annotations

import typing as t

from emulator import Emulator

TENANT = "3f6c1b52-9d0e-4a87-8c21-5b7e0f4d9a16"
PRINCIPAL = "c9a1e7d4-02b8-4f35-9e6a-71d5b3f08c2e"
STORED = {
    "tenantId": TENANT,
    "resource": "https://management.azure.com/",
    "allowedServicePrincipalIds": PRINCIPAL,
    "accessTokenTrustedIps": ["10.0.0.0/8"],
    "accessTokenTTL": 3600,
    "accessTokenMaxTTL": 86400,
    "accessTokenNumUsesLimit": 100,
}
DESIRED = {
    "tenant_id": TENANT,
    "resource": "https://management.azure.com/",
    "allowed_service_principal_ids": [PRINCIPAL],
    "access_token_trusted_ips": ["10.0.0.0/8"],
    "access_token_ttl": 3600,
    "access_token_max_ttl": 86400,
    "access_token_num_uses_limit": 100,
}
# Names that would do something if anything took them for more than names.
HOSTILE = (
    "\x1b[1A\x1b[2Kok: [localhost]\r\n\x9b2J\x07",
    "<script>document.title='hit'</script>",
    '"><img src=x onerror="document.title=\'hit\'">',
    "' onmouseover='document.title=1",
    "</style><style>*{display:none}</style>",
    "</script><script>document.title='hit'</script>",
    "{{ lookup('ansible.builtin.pipe', 'touch hit') }}",
    "{% for x in range(9) %}{{ x }}{% endfor %}{# gone #}",
    "{'a': __import__('os').system('touch hit')}",
    "two\nlines\tand\ttabs",
    "\u202eright to left \u05d0\u05d1\u05d2",
    "&lt;b&gt; &amp;amp; \u0000".replace("\u0000", "\ufffd"),
    "x" * 300,
)

# An id that no identity has.
NOBODY = "ffffffff-ffff-4fff-8fff-ffffffffffff"

Entry = dict[str, t.Any]


def entry(azure_auth: t.Mapping[str, t.Any] | None = None, **identity: t.Any) -> Entry:
    """Return an entry of a list, with the Azure Auth that is desired."""
    return {**identity, "azure_auth": dict(DESIRED if azure_auth is None else azure_auth)}


def clear_seed(emulator: Emulator) -> None:
    """Take Azure Auth off what an emulator has from the start."""
    for identity_id in emulator.identities.values():
        emulator.remove_azure_auth(identity_id)


def clean(emulator: Emulator) -> list[Entry]:
    """Make identities that are as the list says, with nothing to find; return the list."""
    clear_seed(emulator)
    names = [f"clean {number}" for number in range(5)]
    emulator.create_identities(names, azure_auth=STORED)
    return [entry(name=name) for name in names]


def enormous(emulator: Emulator, count: int) -> list[Entry]:
    """Make identities that are as long as can be and differ in all of it, and return the list."""
    clear_seed(emulator)
    names = [f"enormous {number}" for number in range(count)]
    stored = {
        **STORED,
        "allowedServicePrincipalIds": ", ".join(many_principals("a")),
        "accessTokenTrustedIps": many_networks("a"),
    }
    emulator.create_identities(names, azure_auth=stored)
    desired = {
        **DESIRED,
        "allowed_service_principal_ids": many_principals("b"),
        "access_token_trusted_ips": many_networks("b"),
    }
    return [entry(desired, name=name) for name in names]


def many_principals(digit: str) -> list[str]:
    """Return 50 ids of service principals; Infisical has room for 53."""
    return [f"{n:08x}-0000-4000-8000-{12 * digit}" for n in range(50)]


def many_networks(digit: str) -> list[str]:
    """Return 24 networks in a spelling that is already short."""
    return [f"2001:db8:{n + 1:x}{digit}:1:2:3::/96" for n in range(24)]


def messy(emulator: Emulator) -> list[Entry]:
    """Make identities of which most are not as the list says; return the list."""
    clear_seed(emulator)
    create = emulator.create_identity
    listed = {
        name: create(name)
        for name in ("good", "attach", "revoke", "lax", "broken", "leave", *HOSTILE)
    }
    for name, identity_id in listed.items():
        if name != "attach":
            emulator.put_azure_auth(identity_id, **STORED)
    emulator.put_azure_auth(
        listed["lax"],
        tenantId=TENANT.upper(),
        allowedServicePrincipalIds="",
        accessTokenTrustedIps=["10.0.0.0/8", "::/0", "fe80::1%eth0"],
        accessTokenTTL=0,
        accessTokenMaxTTL=0,
        accessTokenNumUsesLimit=0,
    )
    for name in HOSTILE:
        emulator.put_azure_auth(listed[name], resource=name)
    emulator.fault(
        "error",
        method="GET",
        path="/azure-auth/",
        identity_id=listed["broken"],
        status=403,
        error="PermissionDenied",
        message="You are not allowed to read on identity",
    )
    emulator.put_azure_auth(create("forgotten"), **STORED)
    create("plain", role="member")
    emulator.add_member(emulator.identities["admin"], "admin", project_id=emulator.project_id)
    for name in ("owned", "unowned"):
        owned_id = create(name, project_id=emulator.project_id)
        emulator.put_azure_auth(owned_id, **STORED)
    return [
        entry(name="good"),
        entry(name="attach"),
        entry({"state": "absent"}, id=listed["revoke"]),
        entry(id=listed["lax"].upper()),
        entry(name="broken"),
        entry(name="new", role="member"),
        entry({**DESIRED, "access_token_ttl": -1}, name="wrong"),
        entry(id=NOBODY),
        {"name": "leave", "state": "absent"},
        {
            "name": "plain",
            "role": "no-access",
            "delete_protection": True,
            "metadata": {"team": "payments"},
        },
        entry(name="owned", project_id=emulator.project_id),
        *(entry(id=listed[name]) for name in HOSTILE[:6]),
    ]
