# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Entries of a list from a state of Terraform or OpenTofu. Pure.

The input is the output of `terraform show -json`, whose format is documented at
https://developer.hashicorp.com/terraform/internals/json-format. The attributes are those of the
provider Infisical/infisical since June 2024.
"""

from __future__ import annotations

import functools
import re
import typing as t

from ..module_utils._text import quoted, trim, uuid_or_none

IDENTITY = "infisical_identity"
PROJECT_IDENTITY = "infisical_project_scoped_identity"
AZURE_AUTH = "infisical_identity_azure_auth"

# Attributes of both resources for identities. Null values are left out.
_IDENTITY = {"name": "name", "has_delete_protection": "delete_protection"}
_AZURE_AUTH = {
    "tenant_id": "tenant_id",
    "resource_url": "resource",
    "access_token_ttl": "access_token_ttl",
    "access_token_max_ttl": "access_token_max_ttl",
    "access_token_num_uses_limit": "access_token_num_uses_limit",
}
_PRINCIPALS = "allowed_service_principal_ids"
_TRUSTED_IPS = "access_token_trusted_ips"

_FORMAT = re.compile(r"[01]\.\d+", re.ASCII)
_OTHER = re.compile(r"infisical_(?:\w+_)?identity(?:_\w+)?", re.ASCII)
_OTHER_METHOD = re.compile(r"infisical_identity_\w+_auth", re.ASCII)

_WANTED = "give it what 'terraform show -json' prints"

Values = t.Mapping[str, t.Any]


class _Resource(t.NamedTuple):
    """A resource of the state: its values, without the sensitive ones, which `hidden` names."""

    address: str
    kind: str
    values: dict[str, t.Any]
    hidden: tuple[str, ...]


def identities_of(state: t.Any) -> dict[str, list[dict[str, t.Any]]]:
    """Return the identities of a state as entries of a list, and what is left out of them.

    Returns `{identities, left_out}`. Each entry has the ID of the identity. `left_out` has
    dictionaries with an `address` and a `reason`, which is a sentence. Neither has sensitive
    values. Raises ValueError, with a sentence, for anything that is not a state.
    """
    entries: dict[str, dict[str, t.Any]] = {}
    left_out: list[dict[str, t.Any]] = []

    def tell(resource: _Resource, reason: str) -> None:
        left_out.append({"address": resource.address, "reason": reason})

    resources = list(_resources(state, left_out))
    for resource in resources:
        for attribute in resource.hidden:
            tell(resource, f"{attribute} is sensitive, so the entry does not have it.")
        if resource.kind in (IDENTITY, PROJECT_IDENTITY):
            entry = _identity(resource, functools.partial(tell, resource))
            if "id" in entry:
                entries[entry["id"]] = entry
            else:
                tell(resource, "It has no ID, because Terraform has not created it yet.")
        elif resource.kind != AZURE_AUTH:
            tell(resource, _why_other(resource.kind))
    for resource in resources:
        if resource.kind != AZURE_AUTH:
            continue
        identity_id = _uuid(resource, "identity_id")
        settings = _azure_auth(resource, functools.partial(tell, resource))
        if not identity_id:
            tell(resource, "It does not say which identity it belongs to.")
        elif settings:
            # If the state does not have the identity, something else manages it.
            entries.setdefault(identity_id, {"id": identity_id})["azure_auth"] = settings
    return {"identities": list(entries.values()), "left_out": left_out}


def _resources(state: t.Any, left_out: list[dict[str, t.Any]]) -> t.Iterator[_Resource]:
    """Yield the resources for identities of all modules. Raises ValueError."""
    for item in _modules(_root(state)):
        kind = item.get("type")
        if item.get("mode") != "managed" or not isinstance(kind, str) or not _OTHER.fullmatch(kind):
            continue
        address = str(item.get("address"))
        if item.get("deposed_key"):
            left_out.append({"address": address, "reason": "Terraform is about to delete it."})
            continue
        values = item.get("values")
        if not isinstance(values, dict):
            raise ValueError(f"{address} has no values; {_WANTED}.")
        hidden = item.get("sensitive_values") or {}
        hidden = {key for key in values if isinstance(hidden, dict) and _marks(hidden.get(key))}
        seen = {key: value for key, value in values.items() if key not in hidden}
        yield _Resource(address, kind, seen, tuple(sorted(hidden)))


def _root(state: t.Any) -> Values:
    """Return the root module of a state. Raises ValueError."""
    if not isinstance(state, dict):
        raise ValueError(f"the state is {quoted(state)}, which is not a dictionary; {_WANTED}.")
    if "planned_values" in state or "resource_changes" in state:
        raise ValueError(f"this is a plan and not a state; {_WANTED} without a plan file.")
    if "format_version" not in state:
        what = "a state file" if "lineage" in state or "resources" in state else "not a state"
        raise ValueError(f"this is {what}; {_WANTED}.")
    version = state["format_version"]
    if not isinstance(version, str) or not _FORMAT.fullmatch(version):
        raise ValueError(
            f"format_version is {quoted(version)}, but this filter reads 0.1 to 1.x; use the"
            " Terraform or OpenTofu that manages the state."
        )
    # An empty state has no values.
    root = (state.get("values") or {}).get("root_module") or {}
    if not isinstance(root, dict):
        raise ValueError(f"root_module is {quoted(root)}, which is not a dictionary; {_WANTED}.")
    return root


def _modules(module: Values) -> t.Iterator[Values]:
    """Yield the resources of a module and of its child modules."""
    for item in module.get("resources") or ():
        if isinstance(item, dict):
            yield item
    for child in module.get("child_modules") or ():
        if isinstance(child, dict):
            yield from _modules(child)


def _marks(marks: t.Any) -> bool:
    """Return whether a value or a part of it is marked as sensitive."""
    if isinstance(marks, dict):
        return any(map(_marks, marks.values()))
    if isinstance(marks, list):
        return any(map(_marks, marks))
    return marks is True


def _identity(resource: _Resource, tell: t.Callable[[str], None]) -> dict[str, t.Any]:
    """Return the entry of an identity. Raises ValueError."""
    entry: dict[str, t.Any] = {"id": _uuid(resource, "id")}
    if resource.kind == PROJECT_IDENTITY:
        entry["project_id"] = _uuid(resource, "project_id")
    entry.update((option, resource.values.get(key)) for key, option in _IDENTITY.items())
    entry["role"] = _role(resource, tell)
    pairs = resource.values.get("metadata")
    if pairs is not None:
        found = [
            (pair.get("key"), pair.get("value")) for pair in _items(resource, "metadata", dict)
        ]
        if len(dict(found)) == len(found):
            entry["metadata"] = dict(found)
        else:
            tell("Its metadata has a key twice, so the entry has no metadata.")
    return {key: value for key, value in entry.items() if value is not None}


def _role(resource: _Resource, tell: t.Callable[[str], None]) -> t.Any:
    if resource.kind == IDENTITY or "roles" not in resource.values:
        return resource.values.get("role")
    roles = _items(resource, "roles", dict)
    if len(roles) == 1 and not roles[0].get("is_temporary"):
        return roles[0].get("role_slug")
    tell("It has several roles, or a temporary one, so the entry has no role.")
    return None


def _azure_auth(resource: _Resource, tell: t.Callable[[str], None]) -> dict[str, t.Any]:
    """Return the settings of an Azure Auth. Raises ValueError."""
    settings = {option: resource.values.get(key) for key, option in _AZURE_AUTH.items()}
    listed = resource.values.get(_PRINCIPALS)
    # Until August 2024, the provider had a string here.
    if isinstance(listed, str):
        listed = listed.split(",")
    elif listed is not None:
        listed = _items(resource, _PRINCIPALS, str)
    ids = [trim(item) for item in listed or () if trim(item)]
    if ids:
        settings[_PRINCIPALS] = ids
    elif _PRINCIPALS not in resource.hidden:
        # A list must never open an identity silently.
        tell(
            f"Its {_PRINCIPALS} is empty, which lets every service principal of the tenant log in."
            " The entry does not change that. To keep it in the list, add"
            " allow_all_service_principals: true to the entry."
        )
    if resource.values.get(_TRUSTED_IPS):
        settings[_TRUSTED_IPS] = [
            item.get("ip_address") for item in _items(resource, _TRUSTED_IPS, dict)
        ]
    return {key: value for key, value in settings.items() if value is not None}


def _why_other(kind: str) -> str:
    if _OTHER_METHOD.fullmatch(kind):
        return "A list can only set Azure Auth, so this auth method stays as it is."
    return "A list cannot contain such resources; applying it leaves them as they are."


def _uuid(resource: _Resource, attribute: str) -> str | None:
    value = resource.values.get(attribute)
    return uuid_or_none(value) if isinstance(value, str) else None


def _items(resource: _Resource, attribute: str, kind: type) -> list[t.Any]:
    """Return a list of the state. Raises ValueError."""
    value = resource.values[attribute]
    if not isinstance(value, list) or not all(isinstance(item, kind) for item in value):
        raise ValueError(
            f"{resource.address} has {quoted(value)} for {attribute}; this filter reads only states"
            " of the provider Infisical/infisical."
        )
    return value
