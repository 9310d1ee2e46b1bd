from __future__ import annotations

import struct
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given

from lvsd.check.ipvs import wire
from lvsd.check.ipvs.plan import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    SetDestination,
    SetService,
    plan,
)
from lvsd.check.ipvs.table import (
    AddressKey,
    Counters,
    Destination,
    DestinationKey,
    Family,
    Forwarding,
    MarkKey,
    Protocol,
    Service,
    ServiceFlags,
    Table,
    Timeouts,
    Tunnel,
    TunnelChecksum,
    TunnelType,
)
from lvsd.core.netlink import codec
from tests.model.ipvs import IpvsModel
from tests.model.ipvs_tables import tables

IPVS = 0x1C
WEB = AddressKey(Protocol.TCP, ip_address("192.0.2.10"), 80)
WEB6 = AddressKey(Protocol.TCP, ip_address("2001:db8::10"), 443)
ONE = DestinationKey(ip_address("10.0.0.1"), 8080)
ONE6 = DestinationKey(ip_address("fd00::1"), 8080)

CAPTURED = {
    name: bytes.fromhex(data)
    for name, data in (
        line.split() for line in Path(__file__).with_name("rows-6.1-x86_64.txt").read_text().splitlines()
    )
}
"""What a 6.1 kernel sent (little-endian)."""


def request(op: object) -> bytes:
    (data,) = wire.encode(IPVS, [op])  # type: ignore[list-item]
    return data


def inner(data: bytes, attribute: int) -> dict[int, bytes]:
    return codec.attributes(codec.attributes(data, codec.GENERIC_PAYLOAD)[attribute])


def test_a_service_is_sent_whole() -> None:
    data = request(AddService(WEB, Service("wrr", ServiceFlags.PERSISTENT | ServiceFlags.SCHED1, 300, 24, "sip")))
    assert codec.header(data).type == IPVS
    assert codec.header(data).length == len(data)
    assert struct.unpack_from("=BBH", data, 16) == (1, 1, 0)
    assert inner(data, 1) == {
        1: struct.pack("=H", 2),
        2: struct.pack("=H", 6),
        3: ip_address("192.0.2.10").packed + bytes(12),
        4: b"\x00\x50",
        6: b"wrr\0",
        7: struct.pack("=II", 0x0009, 0xFFFFFFFF),
        8: struct.pack("=I", 300),
        9: b"\xff\xff\xff\x00",
        11: b"sip\0",
    }


def test_the_granularity_of_ipv6_is_a_prefix_length_in_the_hosts_order() -> None:
    data = request(SetService(WEB6, Service("wrr", ServiceFlags.PERSISTENT, 300, 64)))
    assert struct.unpack_from("=B", data, 16) == (2,)
    assert inner(data, 1)[9] == struct.pack("=I", 64)


@pytest.mark.parametrize(("key", "netmask"), [(WEB, b"\xff" * 4), (WEB6, struct.pack("=I", 128))])
def test_a_service_without_persistence_carries_the_mask_of_one_client(key: AddressKey, netmask: bytes) -> None:
    found = inner(request(AddService(key, Service("wrr", timeout=77, prefix=5))), 1)
    assert found[9] == netmask
    assert codec.number(found[8]) == 0


@pytest.mark.parametrize(("family", "netmask"), [(Family.IPV4, b"\xff" * 4), (Family.IPV6, struct.pack("=I", 128))])
def test_a_service_by_mark_carries_family_and_mask_and_no_address(family: Family, netmask: bytes) -> None:
    found = inner(request(AddService(MarkKey(7, family), Service("rr"))), 1)
    assert found.keys() == {1, 5, 6, 7, 8, 9}
    assert codec.number(found[1]) == family
    assert codec.number(found[5]) == 7
    assert found[9] == netmask


def test_the_kernels_own_flag_is_never_asked_for() -> None:
    found = inner(request(SetService(WEB, Service("rr", ServiceFlags(0x0003)))), 1)
    assert struct.unpack("=II", found[7]) == (1, 0xFFFFFFFF)


def test_a_destination_is_sent_whole_with_its_family() -> None:
    data = request(AddDestination(WEB, ONE, Destination(5, Forwarding.DR, 100, 80)))
    assert data[16] == 5
    assert inner(data, 1).keys() == {1, 2, 3, 4}
    assert inner(data, 2) == {
        1: ip_address("10.0.0.1").packed + bytes(12),
        2: b"\x1f\x90",
        3: struct.pack("=I", 3),
        4: struct.pack("=I", 5),
        5: struct.pack("=I", 100),
        6: struct.pack("=I", 80),
        11: struct.pack("=H", 2),
    }


def test_an_ipv6_tunnel_of_an_ipv4_service_says_so_and_its_port_is_big_endian() -> None:
    tunnel = Tunnel(TunnelType.GUE, 6080, TunnelChecksum.REMCSUM)
    found = inner(request(SetDestination(WEB, ONE6, Destination(1, Forwarding.TUN, tunnel=tunnel))), 2)
    assert found[1] == ip_address("fd00::1").packed
    assert codec.number(found[11]) == Family.IPV6
    assert (found[13], found[14], found[15]) == (b"\x01", b"\x17\xc0", struct.pack("=H", 2))


def test_deletions_carry_keys_only() -> None:
    data = request(DeleteDestination(WEB, ONE))
    assert data[16] == 7
    assert inner(data, 2).keys() == {1, 2, 11}
    data = request(DeleteService(WEB))
    assert data[16] == 3
    assert codec.attributes(data, 20).keys() == {1}


@given(tables())
def test_requests_for_a_table_hold_all_that_stands_in_it(table: Table) -> None:
    kernel = IpvsModel(table).table
    found: Table = {}
    for op, data in zip(ops := plan({}, table, frozenset()), wire.encode(IPVS, ops), strict=True):
        assert len(data) % 4 == 0
        if isinstance(op, AddService):
            row = wire.decode_service(data)
            assert row is not None
            found[row[0]] = row[1]
        elif isinstance(op, AddDestination):
            row_of_a_dump = codec.generic(IPVS, 5, codec.attribute(2, codec.attributes(data, codec.GENERIC_PAYLOAD)[2]))
            ((where, destination),) = wire.decode_destinations([row_of_a_dump], op.service.family)
            found[op.service].destinations[where] = destination
    assert found == kernel


def test_rows_of_the_kernel_are_read() -> None:
    row = wire.decode_service(CAPTURED["service"])
    assert row == (
        AddressKey(Protocol.TCP, ip_address("127.0.0.5"), 8000),
        Service("mh", ServiceFlags.PERSISTENT | ServiceFlags.SCHED1, 300, 24),
    )
    assert wire.decode_service(CAPTURED["service-mark"]) == (
        MarkKey(3, Family.IPV6),
        Service("wlc", ServiceFlags.PERSISTENT, 300, 64),
    )


def test_rows_of_different_layout_may_follow_each_other() -> None:
    four, six = CAPTURED["destination"], CAPTURED["destination-tunnel"]
    one = (DestinationKey(ip_address("127.0.0.1"), 8001), Destination(3, Forwarding.NAT, 100, 80))
    tunnel = Tunnel(TunnelType.GUE, 6080, TunnelChecksum.CSUM)
    other = (DestinationKey(ip_address("2001:db8::1"), 0), Destination(5, Forwarding.TUN, tunnel=tunnel))
    assert list(wire.decode_destinations([four, four, six, four, six], Family.IPV6)) == [one, one, other, one, other]


def test_a_row_without_address_family_has_that_of_its_service() -> None:
    values = struct.pack("=HHI", 8, 4, 9)
    row = codec.generic(
        IPVS, 5, codec.nested(2, [codec.attribute(1, bytes([10, 0, 0, 1]) + bytes(12)), codec.be16(2, 80), values])
    )
    ((where, destination),) = wire.decode_destinations([row], Family.IPV4)
    assert where == DestinationKey(ip_address("10.0.0.1"), 80)
    assert destination.weight == 9
    ((where, _),) = wire.decode_destinations([row], Family.IPV6)
    assert where.address == ip_address("a00:1::")


def test_a_row_that_cannot_be_held_is_left_out() -> None:
    strange = codec.nested(1, [codec.u16(1, 2), codec.u16(2, 50), codec.attribute(3, bytes(16)), codec.be16(4, 80)])
    assert wire.decode_service(codec.generic(IPVS, 1, strange)) is None
    assert wire.decode_service(codec.generic(IPVS, 1)) is None
    keyless = codec.generic(IPVS, 5, codec.nested(2, [codec.be16(2, 80)]))
    assert list(wire.decode_destinations([keyless, CAPTURED["destination"]], Family.IPV4)) != []
    assert len(list(wire.decode_destinations([keyless, CAPTURED["destination"]], Family.IPV4))) == 1


@pytest.mark.parametrize("name", ["service", "service-mark", "destination", "destination-tunnel"])
def test_a_row_cut_anywhere_is_left_out_or_read_and_never_an_exception(name: str) -> None:
    whole = CAPTURED[name]
    for length in range(20, len(whole)):
        wire.decode_service(whole[:length])
        list(wire.decode_destinations([CAPTURED["destination"], whole[:length]], Family.IPV4))
        wire.decode_destination_counters(whole[:length], Family.IPV4)


def test_counters_have_64_bits() -> None:
    assert wire.decode_service_counters(CAPTURED["service"]) == (
        AddressKey(Protocol.TCP, ip_address("127.0.0.5"), 8000),
        Counters(1, 3, 2, 1164, 112),
    )
    assert wire.decode_destination_counters(CAPTURED["destination"], Family.IPV4) == (
        DestinationKey(ip_address("127.0.0.1"), 8001),
        Counters(1, 3, 2, 1164, 112, active=1, inactive=0, persistent=1),
    )
    large = codec.nested(12, [codec.attribute(4, struct.pack("=Q", 1 << 40))])
    row = codec.generic(IPVS, 1, codec.nested(1, [codec.u16(1, 2), codec.u32(5, 7), large]))
    counted = wire.decode_service_counters(row)
    assert counted is not None
    assert counted[1].bytes_in == 1 << 40


def test_timeouts_and_version_are_read() -> None:
    assert wire.decode_timeouts(CAPTURED["timeouts"]) == Timeouts(900, 120, 300)
    assert wire.decode_info(CAPTURED["info"]) == ("1.2.1", 4096)


def test_timeouts_are_sent_all_three() -> None:
    data = wire.set_timeouts(IPVS, Timeouts(tcp=10))
    assert data[16] == 12
    assert {kind: codec.number(value) for kind, value in codec.attributes(data, 20).items()} == {4: 10, 5: 0, 6: 0}
