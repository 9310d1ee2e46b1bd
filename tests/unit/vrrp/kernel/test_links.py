"""The copy of the kernel's links and addresses: order, sources, what events change."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from lvsd.core.netlink.route import AddressFlags, AddressRow, DelAddress, DelLink, Link, LinkFlags, NewAddress, NewLink
from lvsd.vrrp.kernel.entries import TAG
from lvsd.vrrp.kernel.links import LinkTable

ETH0 = Link(2, "eth0", LinkFlags.UP | LinkFlags.RUNNING | LinkFlags.LOWER_UP, bytes(5) + b"\1")


def row(address: str, prefix: int = 24, flags: int = 0, proto: int = 0, scope: int = 0) -> AddressRow:
    return AddressRow(2, ip_address(address), prefix, flags=AddressFlags(flags), proto=proto, scope=scope)


def table(*rows: AddressRow) -> LinkTable:
    made = LinkTable(lambda each: each.proto == TAG)
    made.load([ETH0], rows)
    return made


def sources(made: LinkTable) -> list[str]:
    return [str(address) for address in made.fact("eth0").sources]


def test_sources_are_the_hosts_own_addresses_in_the_kernels_order() -> None:
    made = table(
        row("192.0.2.2"),
        row("192.0.2.1", flags=AddressFlags.SECONDARY),
        row("192.0.2.10", proto=TAG),
        row("2001:db8::1", 64),
        row("fe80::1", 64),
        row("fe80::2", 64, AddressFlags.TENTATIVE),
    )
    assert sources(made) == ["192.0.2.2", "192.0.2.1", "fe80::1"]


def test_a_new_primary_address_comes_before_the_secondary_ones() -> None:
    made = table(row("192.0.2.2"), row("192.0.2.3", flags=AddressFlags.SECONDARY))
    made.apply(NewAddress(row("198.51.100.1")))
    assert sources(made) == ["192.0.2.2", "198.51.100.1", "192.0.2.3"]


def test_an_address_that_was_promoted_moves_to_the_primary_ones() -> None:
    made = table(
        row("198.51.100.1"),
        row("192.0.2.3", flags=AddressFlags.SECONDARY),
        row("192.0.2.4", flags=AddressFlags.SECONDARY),
    )
    made.apply(NewAddress(row("192.0.2.4")))
    assert sources(made) == ["198.51.100.1", "192.0.2.4", "192.0.2.3"]


def test_detection_that_ends_makes_a_source() -> None:
    made = table(row("fe80::1", 64, AddressFlags.TENTATIVE))
    assert sources(made) == []
    made.apply(NewAddress(row("fe80::1", 64)))
    assert sources(made) == ["fe80::1"]
    made.apply(DelAddress(row("fe80::1", 64)))
    assert sources(made) == []


def test_an_interface_that_is_made_anew_has_another_index_and_no_address() -> None:
    made = table(row("192.0.2.1"))
    made.apply(DelLink(ETH0))
    assert not made.fact("eth0").exists
    made.apply(NewLink(replace(ETH0, index=7)))
    assert made.index("eth0") == 7
    assert sources(made) == []


def test_a_link_without_carrier_or_under_another_name_is_not_up() -> None:
    made = table(row("192.0.2.1"))
    made.apply(NewLink(replace(ETH0, flags=LinkFlags.UP)))
    assert not made.fact("eth0").up
    made.apply(NewLink(replace(ETH0, name="wan")))
    assert not made.fact("eth0").exists
    assert made.fact("wan").up
