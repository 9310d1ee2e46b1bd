from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address

import pytest

from lvsd.core.netlink import codec, route
from lvsd.core.netlink.route import AddressFlags, AddressRow, Link, LinkFlags, OperState, RouteRow

VIP = AddressRow(
    index=7,
    address=IPv4Address("192.0.2.10"),
    prefix=24,
    broadcast=IPv4Address("192.0.2.255"),
    label="eth0:vip",
    scope=route.Scope.LINK,
    flags=AddressFlags.NOPREFIXROUTE,
    valid_lft=3,
    preferred_lft=2,
    proto=112,
    metric=50,
)


def link_message(kind: int = 16, family: int = 0, flags: int = 0x11043, *attributes: bytes) -> bytes:
    present = attributes or (codec.string(3, "eth0"), codec.attribute(1, b"\x02\0\0\0\0\x01"))
    return codec.message(kind, 0, struct.pack("=BxHiII", family, 1, 7, flags, 0) + b"".join(present))


def test_an_ipv4_address_is_encoded_as_if_addr_h_has_it() -> None:
    data = route.add_address(VIP)
    length, kind, flags, sequence, port = struct.unpack_from("=IHHII", data)
    assert (length, kind, flags, sequence, port) == (len(data), 20, 0x1 | 0x400 | 0x200, 0, 0)
    assert struct.unpack_from("=BBBBI", data, 16) == (2, 24, 0, 253, 7)
    assert codec.attributes(data, 24) == {
        1: b"\xc0\x00\x02\x0a",
        2: b"\xc0\x00\x02\x0a",
        3: b"eth0:vip\0",
        4: b"\xc0\x00\x02\xff",
        6: struct.pack("=IIII", 2, 3, 0, 0),
        8: struct.pack("=I", 0x200),
        9: struct.pack("=I", 50),
        11: b"\x70",
    }


def test_each_attribute_is_padded_to_four_bytes_and_tells_its_true_length() -> None:
    data = route.add_address(AddressRow(7, IPv4Address("192.0.2.10"), 32, label="lo:12", proto=9))
    assert len(data) % 4 == 0
    label = data.index(b"lo:12")
    assert struct.unpack_from("=HH", data, label - 4) == (10, 3)
    assert data[label : label + 8] == b"lo:12\0\0\0"


def test_a_peer_is_the_address_attribute_and_the_own_end_the_local_one() -> None:
    row = AddressRow(7, IPv6Address("2001:db8::1"), 128, peer=IPv6Address("2001:db8::2"))
    found = codec.attributes(route.replace_address(row), 24)
    assert found[2] == IPv6Address("2001:db8::1").packed
    assert found[1] == IPv6Address("2001:db8::2").packed


def test_replace_creates_and_replaces_but_does_not_exclude() -> None:
    flags = codec.header(route.replace_address(VIP)).flags
    assert flags == codec.Flag.REQUEST | codec.Flag.CREATE | codec.Flag.REPLACE


def test_an_address_for_ever_carries_no_life_times() -> None:
    assert 6 not in codec.attributes(route.add_address(AddressRow(7, IPv4Address("192.0.2.10"), 32)), 24)


def test_a_deprecated_address_for_ever_carries_both_life_times() -> None:
    row = AddressRow(7, IPv6Address("2001:db8::1"), 64, preferred_lft=0)
    found = codec.attributes(route.add_address(row), 24)
    assert struct.unpack("=IIII", found[6]) == (0, 0xFFFFFFFF, 0, 0)


def test_flags_that_only_the_kernel_sets_are_not_sent() -> None:
    row = AddressRow(
        7, IPv6Address("2001:db8::1"), 64, flags=AddressFlags.TENTATIVE | AddressFlags.PERMANENT | AddressFlags.NODAD
    )
    data = route.replace_address(row)
    assert codec.number(codec.attributes(data, 24)[8]) == AddressFlags.NODAD
    assert data[18] == AddressFlags.NODAD


@pytest.mark.parametrize(
    "row",
    [
        VIP,
        AddressRow(1, IPv4Address("10.0.0.1"), 32, peer=IPv4Address("10.0.0.2")),
        AddressRow(
            3,
            IPv6Address("2001:db8::1"),
            64,
            flags=AddressFlags.NODAD | AddressFlags.NOPREFIXROUTE,
            valid_lft=9,
            preferred_lft=0,
        ),
        AddressRow(3, IPv6Address("2001:db8::1"), 128, peer=IPv6Address("2001:db8::2"), proto=255),
    ],
)
def test_a_row_comes_back_from_its_own_request(row: AddressRow) -> None:
    assert route.decode(route.add_address(row)) == route.NewAddress(row)
    gone = route.decode(route.delete_address(row))
    assert isinstance(gone, route.DelAddress)
    assert (gone.row.index, gone.row.address, gone.row.prefix, gone.row.peer) == (
        row.index,
        row.address,
        row.prefix,
        row.peer,
    )


@pytest.mark.parametrize(
    "row",
    [
        RouteRow(IPv6Address("2001:db8::"), 64, index=7, metric=256, proto=route.RouteProtocol.KEEPALIVED),
        RouteRow(
            IPv4Address("0.0.0.0"), 0, index=7, gateway=IPv4Address("192.0.2.1"), source=IPv4Address("192.0.2.10")
        ),
        RouteRow(IPv4Address("198.51.100.0"), 24, type=route.RouteType.BLACKHOLE, table=1000),
    ],
)
def test_a_route_comes_back_from_its_own_request(row: RouteRow) -> None:
    assert route.decode(route.add_route(row)) == route.NewRoute(row)
    assert route.decode(route.delete_route(row)) == route.DelRoute(row)


def test_a_default_route_names_no_destination_and_a_large_table_only_its_attribute() -> None:
    data = route.replace_route(RouteRow(IPv4Address("0.0.0.0"), 0, index=7, table=1000))
    assert data[20] == 0
    found = codec.attributes(data, 28)
    assert 1 not in found
    assert codec.number(found[15]) == 1000


def test_a_link_tells_what_vrrp_needs_to_know() -> None:
    info = codec.nested(18, [codec.string(1, "macvlan")])
    data = link_message(
        16,
        0,
        0x11043,
        codec.string(3, "vrrp.51"),
        codec.attribute(1, bytes.fromhex("00005e000133")),
        codec.u32(4, 1500),
        codec.u32(5, 2),
        codec.u32(10, 9),
        codec.u8(16, 6),
        info,
    )
    assert route.decode(data) == route.NewLink(
        Link(7, "vrrp.51", LinkFlags(0x11043), bytes.fromhex("00005e000133"), 1500, OperState.UP, 1, 2, 9, "macvlan")
    )


@pytest.mark.parametrize(
    ("flags", "up", "running", "carrier", "usable"),
    [
        (0x11043, True, True, True, True),
        (0x1003, True, False, False, False),
        (0x1002, False, False, False, False),
        (0x11003, True, False, True, False),
    ],
)
def test_a_link_is_usable_when_up_with_carrier_and_running(
    flags: int, up: bool, running: bool, carrier: bool, usable: bool
) -> None:
    link = Link(7, "eth0", LinkFlags(flags))
    assert (link.up, link.running, link.carrier, link.usable) == (up, running, carrier, usable)


def test_a_device_without_neighbours_does_no_arp() -> None:
    mac = b"\x02\0\0\0\0\x01"
    assert Link(7, "eth0", LinkFlags.UP, mac).arp
    assert not Link(7, "dummy0", LinkFlags.UP | LinkFlags.NOARP, mac).arp
    assert not Link(1, "lo", LinkFlags.UP | LinkFlags.LOOPBACK, bytes(6)).arp
    assert not Link(8, "tun0", LinkFlags.UP | LinkFlags.POINTOPOINT).arp


def test_a_port_that_leaves_a_bridge_is_not_taken_for_a_device_that_is_gone() -> None:
    assert route.decode(link_message(17, 7)) is None


def test_news_of_a_radio_is_not_taken_for_a_device_without_address() -> None:
    assert route.decode(link_message(16, 0, 0x11043, codec.string(3, "wlan0"), codec.attribute(11, b"\0" * 8))) is None


def test_a_device_that_is_gone_is_told_apart_from_a_changed_one() -> None:
    assert isinstance(route.decode(link_message(17)), route.DelLink)
    assert isinstance(route.decode(link_message(16)), route.NewLink)


def test_an_operational_state_of_a_later_kernel_is_unknown() -> None:
    link = route.decode_link(link_message(16, 0, 0x11043, codec.string(3, "eth0"), codec.u8(16, 77)))
    assert link is not None
    assert link.operstate is OperState.UNKNOWN


def test_an_address_is_tentative_until_detection_ended() -> None:
    row = AddressRow(3, IPv6Address("2001:db8::1"), 64, flags=AddressFlags.TENTATIVE)
    assert row.tentative
    assert not row.dadfailed
    failed = AddressRow(3, IPv6Address("2001:db8::1"), 64, flags=AddressFlags.TENTATIVE | AddressFlags.DADFAILED)
    assert failed.dadfailed


@pytest.mark.parametrize("cut", [16, 20, 23, 30])
@pytest.mark.parametrize(
    "whole", [link_message(), route.add_address(VIP), route.add_route(RouteRow(IPv4Address("192.0.2.0"), 24, index=1))]
)
def test_a_cut_message_is_no_event_or_a_row_and_never_an_exception(whole: bytes, cut: int) -> None:
    route.decode(whole[:cut])


def test_messages_of_other_kinds_tell_nothing() -> None:
    assert route.decode(codec.message(28, 0, bytes(12))) is None
    assert route.decode(codec.message(20, 0, struct.pack("=BBBBI", 12, 8, 0, 0, 1))) is None


def test_strict_dumps_leave_zero_what_is_no_filter() -> None:
    assert struct.unpack_from("=BBBBI", route.get_addresses(10, 5), 16) == (10, 0, 0, 0, 5)
    assert struct.unpack_from("=BxHiII", route.get_links(), 16) == (0, 0, 0, 0, 0)
    data = route.get_routes(2, 254, 5)
    assert data[16:28] == b"\x02" + bytes(11)
    assert codec.attributes(data, 28) == {15: struct.pack("=I", 254), 4: struct.pack("=I", 5)}
