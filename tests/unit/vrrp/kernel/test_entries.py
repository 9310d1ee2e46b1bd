"""Lines of virtual_ipaddress as requests to the kernel."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from lvsd.core.conf.values import AddressLine
from lvsd.core.netlink import route
from lvsd.core.netlink.route import FOREVER, AddressFlags
from lvsd.vrrp.kernel.entries import TAG, make_entry


def test_an_ipv4_address_has_its_lease_and_our_mark() -> None:
    made = make_entry("VI_1", AddressLine(ip_address("192.0.2.10"), 24, label="eth0:1", broadcast="+"), "eth0", 2, 3)
    assert (made.row.valid_lft, made.row.preferred_lft, made.row.proto) == (3, 3, TAG)
    assert str(made.row.broadcast) == "192.0.2.255"
    assert route.decode_address(made.place) == made.row
    assert made.renew is not None
    renewed = route.decode_address(made.renew)
    assert renewed is not None
    assert renewed.flags == AddressFlags.MCAUTOJOIN, "so that the kernel refuses to make it anew"


def test_without_a_lease_nothing_is_renewed() -> None:
    made = make_entry("VI_1", AddressLine(ip_address("192.0.2.10"), 32), "eth0", 2, 0)
    assert made.renew is None
    assert made.row.valid_lft == made.row.preferred_lft == FOREVER


@pytest.mark.parametrize(
    ("line", "network"),
    [
        (AddressLine(ip_address("2001:db8:1::10"), 64), "2001:db8:1::"),
        (AddressLine(ip_address("2001:db8:1::10"), 64, noprefixroute=True), None),
        (AddressLine(ip_address("2001:db8:1::10"), 128), None),
        (AddressLine(ip_address("fe80::10"), 64), None),
    ],
)
def test_an_ipv6_address_never_makes_the_kernels_prefix_route_end_with_it(
    line: AddressLine, network: str | None
) -> None:
    made = make_entry("VI_1", line, "eth0", 2, 3)
    assert made.row.flags == AddressFlags.NODAD | AddressFlags.NOPREFIXROUTE
    assert (str(made.prefix_route.destination) if made.prefix_route else None) == network


def test_an_ipv6_host_address_is_no_source_of_connections_unless_it_is_said() -> None:
    silent = make_entry("VI_1", AddressLine(ip_address("2001:db8::10"), 128), "eth0", 2, 3)
    said = make_entry("VI_1", AddressLine(ip_address("2001:db8::10"), 128, preferred_lft=100), "eth0", 2, 3)
    assert silent.row.preferred_lft == 0
    assert said.row.preferred_lft == 3, "no longer than it lives"


def test_a_peer_owns_the_prefix() -> None:
    made = make_entry("VI_1", AddressLine(ip_address("192.0.2.10"), 32, peer="192.0.2.20/30"), "eth0", 2, 0)
    assert (str(made.row.peer), made.row.prefix) == ("192.0.2.20", 30)
