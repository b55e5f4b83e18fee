# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is questionable about the Azure Auth of identities. Pure: objects in, findings out.

A finding is about one identity, whatever anybody wanted it to be: laxer than most need, unable to
let anybody in, or different from what it looks like.
"""

from __future__ import annotations

import re
import typing as t

from ..module_utils._state.fields import Values
from ..module_utils._state.networks import Network, opens_ipv4, parse
from ..module_utils._text import printable, quoted, trim, uuid_or_none

HIGH = "high"
MEDIUM = "medium"
LOW = "low"
SEVERITIES = (HIGH, MEDIUM, LOW)

# A URL that ends with the name of its host. Other resources that lack a slash, such as api://<id>,
# name applications, and Entra writes them into tokens without one.
_BARE_HOST = re.compile(r"https?://[^/?#\s]+", re.IGNORECASE)

# What programs ask Entra for a token with, as a scope; the audience is what stands before it.
_SCOPE = re.compile(r"(.*/)?\.default/?", re.IGNORECASE | re.DOTALL)

# What Infisical reads as the prefix 0, and nobody means by it: it takes the digits that come first.
_ZERO = re.compile(r"0+(?![0-9])", re.ASCII)

# First and last address of all of IPv4, and of what of IPv6 is in use on the internet: 2000::/3.
_EVERYWHERE = {4: (0, 2**32 - 1), 6: (1 << 125, (1 << 126) - 1)}


class Subject(t.NamedTuple):
    """Azure Auth that is attached to an identity, and its trusted IPs, read once.

    `networks` are those that are networks, `no_networks` the texts that are none.
    """

    values: Values
    networks: tuple[Network, ...]
    no_networks: tuple[str, ...]


class Thresholds(t.NamedTuple):
    """From where on something is too much.

    `max_lifetime` is in seconds, `min_identical` a number of identities.
    """

    max_lifetime: int
    min_identical: int


Found = t.Iterator[tuple[Subject, t.Any]]
Check = t.Callable[[t.Sequence[Subject], Thresholds], Found]


class Rule(t.NamedTuple):
    """One kind of finding.

    `field` is the option that it is about, None for all of them. `check` yields those that it is
    found in, each with the value to show. `why` says why it matters, `fix` what to set.
    """

    name: str
    severity: str
    field: str | None
    check: Check
    why: str
    fix: str


def find(
    azure_auths: t.Sequence[t.Any], thresholds: Thresholds, ignored: t.Collection[str]
) -> list[dict[str, t.Any]]:
    """Return the findings, the most severe first, those of one rule in the order of identities.

    Each is `{rule, severity, identity_id, identity_name, field, value, why, fix}`. `azure_auths`
    are as modules return them; what is not attached, or could not be read, has none. Raises
    ValueError, with a sentence, for anything else.
    """
    seen: dict[str, Network | None] = {}
    subjects = [
        subject
        for index, item in enumerate(azure_auths)
        for subject in _subjects(index, item, seen)
    ]
    return [
        {
            "rule": rule.name,
            "severity": rule.severity,
            "identity_id": subject.values["identity_id"],
            "identity_name": subject.values.get("identity_name"),
            "field": rule.field,
            "value": value,
            "why": rule.why,
            "fix": rule.fix,
        }
        for rule in RULES
        if rule.name not in ignored
        for subject, value in rule.check(subjects, thresholds)
    ]


def _subjects(index: int, item: t.Any, seen: dict[str, Network | None]) -> t.Iterator[Subject]:
    """Yield the subject that an object is, or none if there is nothing attached to judge."""
    if not isinstance(item, dict):
        raise ValueError(
            f"azure_auths[{index}] is {quoted(item)}, which is not a dictionary; give the objects"
            " that the modules return."
        )
    state = item.get("state")
    if state == "absent" or (state is None and item.get("failed") is True):
        return
    name = item.get("identity_name")
    where = f"azure_auths[{index}]" + (f" ({printable(name, 60)})" if isinstance(name, str) else "")
    if state != "present":
        raise ValueError(
            f"{where} has the state {quoted(state)}; give the objects that the modules return,"
            " whose state is 'present' or 'absent'."
        )
    for key, (is_right, what) in _SHAPE.items():
        if key not in item:
            raise ValueError(f"{where} has no {key}; give the objects that the modules return.")
        if not is_right(item[key]):
            raise ValueError(f"{where} has {quoted(item[key])} for {key}, which is not {what}.")
    texts = tuple(item["access_token_trusted_ips"])
    read = [(text, _network(text, seen)) for text in texts]
    yield Subject(
        item,
        tuple(network for _text, network in read if network),
        tuple(text for text, network in read if not network),
    )


def _network(text: str, seen: dict[str, Network | None]) -> Network | None:
    """Return a text as a network, or None if it is none. Most identities have the same few."""
    if text not in seen:
        try:
            seen[text] = parse(text)[0]
        except ValueError:
            seen[text] = None
    return seen[text]


def _is_number(value: t.Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: t.Any) -> bool:
    return isinstance(value, str)


def _are_texts(value: t.Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _are_principals(value: t.Any) -> bool:
    return value is None or _are_texts(value)


def _is_boolean(value: t.Any) -> bool:
    return isinstance(value, bool)


# What an object has where Azure Auth is attached.
_SHAPE: dict[str, tuple[t.Callable[[t.Any], bool], str]] = {
    "identity_id": (_is_text, "a string"),
    "tenant_id": (_is_text, "a string"),
    "resource": (_is_text, "a string"),
    "allow_all_service_principals": (_is_boolean, "a boolean"),
    "allowed_service_principal_ids": (_are_principals, "a list of strings, or null"),
    "access_token_trusted_ips": (_are_texts, "a list of strings"),
    "access_token_ttl": (_is_number, "a whole number"),
    "access_token_max_ttl": (_is_number, "a whole number"),
    "access_token_num_uses_limit": (_is_number, "a whole number"),
}


def _each(check: t.Callable[[Subject, Thresholds], t.Any]) -> Check:
    """Return the check of a rule that looks at one identity at a time; None is nothing found."""

    def check_each(subjects: t.Sequence[Subject], thresholds: Thresholds) -> Found:
        for subject in subjects:
            value = check(subject, thresholds)
            if value is not None:
                yield subject, value

    return check_each


def _principals(subject: Subject) -> list[str]:
    """Return the ids that are stored; there are none where every service principal is let in."""
    return subject.values["allowed_service_principal_ids"] or []


def _open_to_tenant(subject: Subject, _thresholds: Thresholds) -> bool | None:
    return subject.values["allow_all_service_principals"] or None


def _any_audience(subject: Subject, _thresholds: Thresholds) -> str | None:
    """Return the resource if nothing is left to compare: Infisical drops a slash at its end."""
    resource: str = subject.values["resource"]
    return resource if trim(resource) in ("", "/") else None


def _scope_as_resource(subject: Subject, _thresholds: Thresholds) -> str | None:
    resource: str = subject.values["resource"]
    return resource if _SCOPE.fullmatch(trim(resource)) else None


def _ipv4_opened(subject: Subject, _thresholds: Thresholds) -> list[str] | None:
    """Return the IPv6 networks that admit all of IPv4 where IPv4 looks as if it were limited.

    A lone `::/0` does not look so, nor does `0.0.0.0/0` beside it. Where no single one admits all,
    several may, together or with what is listed of IPv4: then it is all that admit some.
    """
    listed = [network for network in subject.networks if network.version == 4]
    mapped = [network for network in map(_as_ipv4, subject.networks) if network]
    if _covers(listed, 4) or not _covers(listed + mapped, 4):
        return None
    if not listed and _covers(subject.networks, 6):
        return None
    return [network.text for network in mapped if not network.prefix] or [
        network.text for network in mapped
    ]


def _as_ipv4(network: Network) -> Network | None:
    """Return what of IPv4 an IPv6 network admits, with its own text, or None if it is nothing."""
    if opens_ipv4(network):
        return Network(4, 0, 0, network.text)
    if network.version == 6 and network.value >> 32 == 0xFFFF:
        return Network(4, network.value & 0xFFFFFFFF, network.prefix - 96, network.text)
    return None


def _any_address(subject: Subject, thresholds: Thresholds) -> list[str] | None:
    everywhere = [version for version in _EVERYWHERE if _covers(subject.networks, version)]
    if not everywhere or _ipv4_opened(subject, thresholds):
        return None
    return [network.text for network in subject.networks if network.version in everywhere]


def _covers(networks: t.Iterable[Network], version: int) -> bool:
    """Return whether networks together admit every address of a version of IP.

    0.0.0.0/1 and 128.0.0.0/1 do.
    """
    reached, last = _EVERYWHERE[version]
    for network in sorted(network for network in networks if network.version == version):
        if network.value > reached:
            break
        reached = max(reached, _last(network) + 1)
    return reached > last


def _last(network: Network) -> int:
    """Return the last address of a network."""
    bits = 32 if network.version == 4 else 128
    return network.value + (1 << (bits - network.prefix)) - 1


def _no_lifetime_limit(subject: Subject, _thresholds: Thresholds) -> int | None:
    max_ttl: int = subject.values["access_token_max_ttl"]
    return max_ttl if max_ttl <= 0 else None


def _long_lifetime(subject: Subject, thresholds: Thresholds) -> int | None:
    """Return the lifetime that is too long. A server may hold a TTL that is above the maximum."""
    max_ttl: int = subject.values["access_token_max_ttl"]
    lifetime = max(max_ttl, subject.values["access_token_ttl"])
    return lifetime if max_ttl > 0 and lifetime > thresholds.max_lifetime else None


def _unlimited_uses(subject: Subject, _thresholds: Thresholds) -> int | None:
    uses: int = subject.values["access_token_num_uses_limit"]
    return uses if uses <= 0 else None


def _malformed_tenant_id(subject: Subject, _thresholds: Thresholds) -> str | None:
    tenant_id: str = subject.values["tenant_id"]
    return tenant_id if uuid_or_none(tenant_id) != tenant_id else None


def _malformed_principal_id(subject: Subject, _thresholds: Thresholds) -> list[str] | None:
    ids = _principals(subject)
    return [text for text in ids if text and uuid_or_none(text) != text] or None


def _names_nobody(subject: Subject, _thresholds: Thresholds) -> list[str] | None:
    ids = _principals(subject)
    return list(ids) if ids and not any(ids) else None


def _not_a_network(subject: Subject, _thresholds: Thresholds) -> list[str] | None:
    return [text for text in subject.no_networks if not _is_read_as_all(text)] or None


def _opened_by_prefix(subject: Subject, _thresholds: Thresholds) -> list[str] | None:
    return [text for text in subject.no_networks if _is_read_as_all(text)] or None


def _is_read_as_all(text: str) -> bool:
    """Return whether Infisical takes for a network of all addresses what is no network."""
    address, _slash, prefix = text.partition("/")
    try:
        parse(address)
    except ValueError:
        return False
    return _ZERO.match(prefix) is not None


def _resource_without_slash(subject: Subject, _thresholds: Thresholds) -> str | None:
    resource: str = subject.values["resource"]
    return resource if _BARE_HOST.fullmatch(resource) else None


def _contained_networks(subject: Subject, _thresholds: Thresholds) -> list[str] | None:
    """Return each network that lies in another, with the widest that it lies in.

    Two networks are apart, or one lies in the other, so that in order of their first addresses,
    wider ones first, only the last that was not contained can contain the next.
    """
    found = []
    outer: Network | None = None
    for network in sorted(set(subject.networks)):
        if outer and network.version == outer.version and network.value <= _last(outer):
            found.append(f"{network.text} in {outer.text}")
        else:
            outer = network
    return found or None


def _identical(subjects: t.Sequence[Subject], thresholds: Thresholds) -> Found:
    """Yield those whose configuration many have, with how many, and the first of them."""
    groups: dict[t.Any, list[Subject]] = {}
    for subject in subjects:
        groups.setdefault(_configuration(subject), []).append(subject)
    for group in groups.values():
        if len(group) >= thresholds.min_identical:
            first = group[0].values
            for subject in group:
                yield (
                    subject,
                    {
                        "identities": len(group),
                        "first_identity_id": first["identity_id"],
                        "first_identity_name": first.get("identity_name"),
                    },
                )


def _configuration(subject: Subject) -> t.Any:
    """Return what two subjects have in common if they are configured alike, by meaning."""
    values = subject.values
    return (
        values["tenant_id"],
        values["resource"],
        values["allow_all_service_principals"],
        frozenset(_principals(subject)),
        frozenset(subject.networks),
        frozenset(subject.no_networks),
        values["access_token_ttl"],
        values["access_token_max_ttl"],
        values["access_token_num_uses_limit"],
    )


# The most severe first, which is the order of findings. Sources of the server's behaviour that they
# rest on: the API's reference, and requests to servers of both generations.
RULES = (
    Rule(
        "open_to_tenant",
        HIGH,
        "allow_all_service_principals",
        _each(_open_to_tenant),
        "Every service principal of the Entra tenant can log in as the identity, also one that"
        " somebody creates tomorrow.",
        "Set allowed_service_principal_ids to the object ids of the service principals that are"
        " to log in, in place of allow_all_service_principals.",
    ),
    Rule(
        "any_audience",
        HIGH,
        "resource",
        _each(_any_audience),
        "Infisical does not compare what a token is for: a service principal that is let in can"
        " log in with any token of the tenant, also one that it sent to another service, which can"
        " log in with it in turn.",
        "Set resource to what the program asks Entra for a token for, such as"
        " https://management.azure.com/.",
    ),
    Rule(
        "ipv4_opened_by_ipv6",
        HIGH,
        "access_token_trusted_ips",
        _each(_ipv4_opened),
        "The list looks as if it limited IPv4, and does not. Infisical sees the IPv4 address"
        " a.b.c.d as ::ffff:a.b.c.d too, so that an IPv6 network which covers ::ffff:0:0/96 admits"
        " every IPv4 address.",
        "Leave these networks out of access_token_trusted_ips, and list the IPv6 networks that"
        " are meant; 2000::/3 is every public IPv6 address, and no IPv4 address.",
    ),
    Rule(
        "opened_by_prefix",
        HIGH,
        "access_token_trusted_ips",
        _each(_opened_by_prefix),
        "A token that leaked can be used from anywhere: what follows the slash is no decimal"
        " number, and Infisical reads it as 0, so that the network has every address.",
        "Set access_token_trusted_ips to addresses and networks in CIDR notation, with a decimal"
        " number after the slash; 10.0.0.0/16 instead of 10.0.0.0/0x10 or 10.0.0.0/0.0.255.255.",
    ),
    Rule(
        "no_lifetime_limit",
        HIGH,
        "access_token_max_ttl",
        _each(_no_lifetime_limit),
        "Nothing ends a token for good, also one that leaked: it can be renewed without end. What"
        " is not renewed ends with access_token_ttl; where that is 0 too, after the 90 days that a"
        " server of 2026 gives it, and never on an older one.",
        "Set access_token_max_ttl to the longest time in seconds that the program runs before it"
        " can log in anew, such as 86400.",
    ),
    Rule(
        "any_address",
        MEDIUM,
        "access_token_trusted_ips",
        _each(_any_address),
        "A token that leaked can be used from anywhere on the internet.",
        "Set access_token_trusted_ips to the networks that the program runs in. This needs a"
        " licence for IP allow-listing.",
    ),
    Rule(
        "long_lifetime",
        MEDIUM,
        "access_token_max_ttl",
        _each(_long_lifetime),
        "A token that leaked stays useful for longer than your threshold allows.",
        "Lower access_token_max_ttl, and access_token_ttl with it; the program logs in anew when"
        " its token ends.",
    ),
    Rule(
        "scope_as_resource",
        MEDIUM,
        "resource",
        _each(_scope_as_resource),
        "Nobody can log in: what ends in /.default is a scope, which programs ask Entra with. The"
        " tokens that they get are for what stands before it.",
        "Set resource to what stands before .default, such as https://management.azure.com/.",
    ),
    Rule(
        "malformed_tenant_id",
        MEDIUM,
        "tenant_id",
        _each(_malformed_tenant_id),
        "Nobody can log in: Entra writes the tenant id into a token as a UUID in lower case, with"
        " hyphens, and Infisical compares the two letter by letter.",
        "Set tenant_id to the tenant id as Entra writes it. Applying the same id in any spelling"
        " with this collection mends it.",
    ),
    Rule(
        "malformed_principal_id",
        MEDIUM,
        "allowed_service_principal_ids",
        _each(_malformed_principal_id),
        "These service principals cannot log in: Entra writes an object id into a token as a UUID"
        " in lower case, with hyphens, and Infisical compares the two letter by letter.",
        "Set allowed_service_principal_ids to object ids as Entra writes them. Applying the same"
        " ids in any spelling with this collection mends them.",
    ),
    Rule(
        "names_nobody",
        MEDIUM,
        "allowed_service_principal_ids",
        _each(_names_nobody),
        "Nobody can log in: the list that Infisical holds is not empty, which would be everybody,"
        " but has no id in it.",
        "Set allowed_service_principal_ids to the object ids of the service principals that are"
        " to log in, or revoke Azure Auth.",
    ),
    Rule(
        "not_a_network",
        MEDIUM,
        "access_token_trusted_ips",
        _each(_not_a_network),
        "Infisical took what is neither an address nor a network, and which callers it admits is"
        " not known.",
        "Set access_token_trusted_ips to addresses and networks in CIDR notation.",
    ),
    Rule(
        "resource_without_slash",
        LOW,
        "resource",
        _each(_resource_without_slash),
        "A program that asks Entra for this resource with a slash at its end gets a token that"
        " Infisical refuses. With the slash stored, tokens with and without it are accepted.",
        "Add a slash to the end of resource.",
    ),
    Rule(
        "contained_networks",
        LOW,
        "access_token_trusted_ips",
        _each(_contained_networks),
        "The wider network admits all that the narrower one does, so one of the two is not meant:"
        " often the wider one, which was to be replaced.",
        "Leave one of them out of access_token_trusted_ips.",
    ),
    Rule(
        "identical_configuration",
        LOW,
        None,
        _identical,
        "Whoever can log in as one of these identities can log in as each of them, and gets what"
        " all of them may. Often one was copied and not adapted.",
        "Give each program an identity with settings of its own, or let those that share them be"
        " one identity.",
    ),
    Rule(
        "unlimited_uses",
        LOW,
        "access_token_num_uses_limit",
        _each(_unlimited_uses),
        "A token that leaked can be used for any number of requests until it ends.",
        "Set access_token_num_uses_limit where the number of requests of a program is known, as"
        " that of a job is.",
    ),
)
