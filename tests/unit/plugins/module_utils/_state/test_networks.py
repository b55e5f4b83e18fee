# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.module_utils._state.networks import (
    Network,
    opens_ipv4,
    parse,
    stored,
)

SAME = [
    ("10.1.2.3/8", "10.0.0.0/8"),
    ("10.1.2.3", "10.1.2.3/32"),
    ("2001:DB8::1", "2001:db8:0::1"),
    ("2001:0db8::1/128", "2001:db8::1"),
    ("2001:db8::ffff/64", "2001:DB8:0:0::/64"),
    ("::ffff:10.0.0.0/104", "::FFFF:a00:0/104"),
    ("0.0.0.0/0", "255.255.255.255/0"),
]

DIFFERENT = [
    ("10.0.0.0/8", "10.0.0.0/9"),
    ("10.0.0.0/8", "::ffff:10.0.0.0/104"),
    ("192.0.2.7", "::ffff:192.0.2.7"),
    ("0.0.0.0/0", "::/0"),
]

CANONICAL = [
    ("10.1.2.3/8", "10.0.0.0/8"),
    ("10.1.2.3/32", "10.1.2.3"),
    ("2001:DB8:0:0:0:0:0:1/128", "2001:db8::1"),
    ("2001:DB8::/32", "2001:db8::/32"),
    ("::/0", "::/0"),
]

REFUSED = [
    "10.0.0.0/33",
    "10.0.0.0/8abc",
    "10",
    "10.1",
    "256.1.1.1",
    "010.0.0.1",
    "10.0.0.0/255.0.0.0",
    "10.0.0.0/0x10",
    "10.0.0.0/0.0.0.255",
    "10.0.0.0/",
    "10.0.0.0/-1",
    "10.0.0.0/+8",
    "10.0.0.0/08",
    "10.0.0.0/ 8",
    "10.0.0.0/8/8",
    "10.0.0.0 /8",
    "10.0.0.0/\u0668",
    "\u0661\u0660.0.0.1",
    "1.2.3.4.5",
    "fe80::1%eth0",
    "::/129",
    ":::",
    "1::2::3",
    "12345::",
    "::ffff:256.0.0.1",
    "[::1]",
    "db.example.org",
    "",
    "/8",
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_one_network_are_equal(one: str, other: str) -> None:
    assert parse(one)[0] == parse(other)[0]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_other_networks_are_different(one: str, other: str) -> None:
    assert parse(one)[0] != parse(other)[0]


@pytest.mark.parametrize(("text", "canonical"), CANONICAL)
def test_canonical_spelling(text: str, canonical: str) -> None:
    assert parse(text)[0].text == canonical


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(
        ValueError,
        match=r"^(is not an IPv4 or IPv6 address or network in CIDR notation|has no valid IPv[46]"
        r" address|has no valid prefix length \(a decimal number from 0 to (32|128)\))$",
    ):
        parse(text)


@pytest.mark.parametrize(
    ("text", "dropped"),
    [("10.1.2.3/8", True), ("10.0.0.0/8", False), ("10.1.2.3", False), ("2001:db8::1/64", True)],
)
def test_host_bits_are_noticed(text: str, dropped: bool) -> None:
    assert parse(text)[1] is dropped


@given(st.ip_addresses(), st.data())
def test_any_network_agrees_with_the_standard_library(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, data: st.DataObject
) -> None:
    prefix = data.draw(st.integers(0, address.max_prefixlen))
    expected = ipaddress.ip_network((address, prefix), strict=False)
    network, dropped = parse(f"{address}/{prefix}")
    assert (network.version, network.value, network.prefix) == (
        expected.version,
        int(expected.network_address),
        prefix,
    )
    assert dropped == (int(address) != int(expected.network_address))
    assert parse(network.text) == (network, False)


@given(st.text(max_size=24))
def test_any_text_is_a_network_or_a_value_error(text: str) -> None:
    try:
        network, _dropped = parse(text)
    except ValueError:
        return
    assert text.isascii()
    assert parse(network.text)[0] == network


@pytest.mark.parametrize(
    ("item", "text", "version"),
    [
        ({"ipAddress": "10.1.2.3", "type": "ipv4", "prefix": 8}, "10.0.0.0/8", 4),
        ({"ipAddress": "10.1.2.3", "type": "ipv4"}, "10.1.2.3", 4),
        ({"ipAddress": "2001:0DB8::1", "type": "ipv6"}, "2001:db8::1", 6),
        ({"ipAddress": "fe80::1%eth0", "type": "ipv6"}, "fe80::1%eth0", 0),
        ({"ipAddress": "fe80::1%eth0", "type": "ipv6", "prefix": 64}, "fe80::1%eth0/64", 0),
        ({"ipAddress": "10.0.0.0", "type": "ipv4", "prefix": 33}, "10.0.0.0/33", 0),
        ({"ipAddress": "010.0.0.1", "type": "ipv4"}, "010.0.0.1", 0),
    ],
)
def test_stored_networks(item: dict[str, object], text: str, version: int) -> None:
    network = stored(item)
    assert (network.text, network.version) == (text, version)


def test_a_stored_text_that_is_no_network_equals_only_itself() -> None:
    odd = stored({"ipAddress": "fe80::1%eth0"})
    assert odd == stored({"ipAddress": "fe80::1%eth0"})
    assert odd != stored({"ipAddress": "fe80::1%eth1"})
    assert odd == Network(0, 0, 0, "fe80::1%eth0")
    assert odd != parse("::")[0]


def test_a_stored_item_without_an_address_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^a trusted IP without an ipAddress$"):
        stored({"ip": "10.0.0.1"})


@pytest.mark.parametrize(
    ("text", "opens"),
    [
        ("::/0", True),
        ("::/64", True),
        ("::/80", True),
        ("::ffff:0:0/96", True),
        ("::/81", False),
        ("::ffff:10.0.0.0/104", False),
        ("2000::/3", False),
        ("0.0.0.0/0", False),
        ("::1", False),
    ],
)
def test_which_ipv6_networks_admit_every_ipv4_address(text: str, opens: bool) -> None:
    assert opens_ipv4(parse(text)[0]) is opens
