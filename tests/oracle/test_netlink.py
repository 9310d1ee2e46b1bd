"""pyroute2 reads what we encode, and we read what pyroute2 encodes."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroute2.netlink.generic.ipvs import ipvsmsg
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from lvsd.check.ipvs import wire
from lvsd.check.ipvs.plan import AddDestination, AddService
from lvsd.check.ipvs.table import (
    AddressKey,
    Destination,
    DestinationKey,
    Family,
    Forwarding,
    MarkKey,
    Protocol,
    Service,
    ServiceFlags,
    Tunnel,
    TunnelType,
)
from lvsd.core.netlink import route
from lvsd.core.netlink.route import AddressFlags, AddressRow, RouteRow


def theirs(kind: type[Any], data: bytes) -> Any:
    message = kind(data)
    message.decode()
    return message


def ours(kind: type[Any], number: int, fields: dict[str, Any], attributes: list[Any]) -> bytes:
    message = kind()
    message["header"]["type"] = number
    for name, value in fields.items():
        message[name] = value
    message["attrs"] = attributes
    message.encode()
    return bytes(message.data)


addresses_4 = st.integers(1, 0xFFFFFFFF).map(IPv4Address)
addresses_6 = st.integers(1, (1 << 128) - 1).map(IPv6Address)
settable = st.integers(0, 0xFFF).map(lambda value: AddressFlags(value) & route.SETTABLE)
lives = st.sampled_from([2, 10, 86400, route.FOREVER])


@given(
    st.one_of(
        st.builds(
            AddressRow,
            st.integers(1, 5000),
            addresses_4,
            st.integers(0, 32),
            st.none() | addresses_4,
            st.none() | addresses_4,
            st.text("abcdefgh:0123", max_size=15),
            st.sampled_from([0, 200, 253, 254]),
            settable,
            lives,
            lives,
            st.integers(0, 255),
            st.integers(0, 1000),
        ),
        st.builds(
            AddressRow,
            st.integers(1, 5000),
            addresses_6,
            st.integers(0, 128),
            st.none() | addresses_6,
            flags=settable,
            valid_lft=lives,
            preferred_lft=st.just(0) | lives,
            proto=st.integers(0, 255),
        ),
    )
)
def test_an_address_that_we_encode_is_read_as_meant(row: AddressRow) -> None:
    message = theirs(ifaddrmsg, route.replace_address(row))
    assert message["header"]["type"] == 20
    assert (message["index"], message["prefixlen"], message["scope"]) == (row.index, row.prefix, row.scope)
    assert message["family"] == (2 if row.address.version == 4 else 10)
    assert ip_address(message.get_attr("IFA_LOCAL")) == row.address
    assert ip_address(message.get_attr("IFA_ADDRESS")) == (row.peer or row.address)
    assert message.get_attr("IFA_LABEL") == (row.label or None)
    assert message.get_attr("IFA_BROADCAST") == (str(row.broadcast) if row.broadcast else None)
    assert (message.get_attr("IFA_FLAGS") or 0) == row.flags
    assert (message.get_attr("IFA_PROTO") or 0) == row.proto
    assert (message.get_attr("IFA_RT_PRIORITY") or 0) == row.metric
    life = message.get_attr("IFA_CACHEINFO")
    if life is None:
        assert (row.valid_lft, row.preferred_lft) == (route.FOREVER, route.FOREVER)
    else:
        assert (life["ifa_valid"], life["ifa_preferred"]) == (row.valid_lft, row.preferred_lft)


def test_an_address_that_pyroute2_encodes_is_read_as_meant() -> None:
    attributes = [
        ("IFA_ADDRESS", "192.0.2.11"),
        ("IFA_LOCAL", "192.0.2.10"),
        ("IFA_LABEL", "eth0:1"),
        ("IFA_BROADCAST", "192.0.2.255"),
        ("IFA_FLAGS", 0x280),
        ("IFA_CACHEINFO", {"ifa_preferred": 5, "ifa_valid": 6, "cstamp": 1, "tstamp": 2}),
        ("IFA_PROTO", 3),
    ]
    data = ours(ifaddrmsg, 20, {"family": 2, "prefixlen": 24, "scope": 253, "index": 9}, attributes)
    assert route.decode(data) == route.NewAddress(
        AddressRow(
            9,
            IPv4Address("192.0.2.10"),
            24,
            IPv4Address("192.0.2.11"),
            IPv4Address("192.0.2.255"),
            "eth0:1",
            253,
            AddressFlags.PERMANENT | AddressFlags.NOPREFIXROUTE,
            6,
            5,
            3,
        )
    )


def test_a_device_that_pyroute2_encodes_is_read_as_meant() -> None:
    attributes = [
        ("IFLA_IFNAME", "vrrp.51"),
        ("IFLA_ADDRESS", "00:00:5e:00:01:33"),
        ("IFLA_MTU", 1400),
        ("IFLA_LINK", 4),
        ("IFLA_MASTER", 8),
        ("IFLA_OPERSTATE", "LOWERLAYERDOWN"),
        ("IFLA_LINKINFO", {"attrs": [("IFLA_INFO_KIND", "macvlan")]}),
    ]
    data = ours(ifinfmsg, 16, {"family": 0, "ifi_type": 1, "index": 12, "flags": 0x1003}, attributes)
    event = route.decode(data)
    assert isinstance(event, route.NewLink)
    link = event.link
    assert (link.index, link.name, link.mac.hex(), link.mtu) == (12, "vrrp.51", "00005e000133", 1400)
    assert (link.parent, link.master, link.kind, link.hardware) == (4, 8, "macvlan", 1)
    assert link.operstate is route.OperState.LOWERLAYERDOWN
    assert link.up
    assert not link.usable


@pytest.mark.parametrize(
    "row",
    [
        RouteRow(IPv4Address("198.51.100.0"), 24, 7, IPv4Address("192.0.2.1"), IPv4Address("192.0.2.9"), 5, 1000),
        RouteRow(IPv6Address("2001:db8::"), 64, index=3, metric=256, proto=18),
        RouteRow(IPv6Address("2001:db8::"), 64, type=route.RouteType.UNREACHABLE),
    ],
)
def test_a_route_that_we_encode_is_read_as_meant(row: RouteRow) -> None:
    message = theirs(rtmsg, route.add_route(row))
    assert (message["dst_len"], message["proto"], message["type"]) == (row.prefix, row.proto, row.type)
    assert message.get_attr("RTA_DST") == str(row.destination)
    assert message.get_attr("RTA_OIF") == (row.index or None)
    assert message.get_attr("RTA_GATEWAY") == (str(row.gateway) if row.gateway else None)
    assert message.get_attr("RTA_PREFSRC") == (str(row.source) if row.source else None)
    assert (message.get_attr("RTA_PRIORITY") or 0) == row.metric
    assert message.get_attr("RTA_TABLE") == row.table


WEB = AddressKey(Protocol.UDP, IPv4Address("192.0.2.10"), 53)


def test_a_service_that_we_encode_is_read_as_meant() -> None:
    flags = ServiceFlags.PERSISTENT | ServiceFlags.ONEPACKET
    (data,) = wire.encode(28, [AddService(WEB, Service("mh", flags, 300, 20, "sip"))])
    message = theirs(ipvsmsg, data)
    assert (message["cmd"], message["version"]) == (1, 1)
    service = message.get_attr("IPVS_CMD_ATTR_SERVICE")
    assert (service.get_attr("IPVS_SVC_ATTR_AF"), service.get_attr("IPVS_SVC_ATTR_PROTOCOL")) == (2, 17)
    assert service.get_attr("IPVS_SVC_ATTR_ADDR") == "192.0.2.10"
    assert service.get_attr("IPVS_SVC_ATTR_PORT") == 53
    assert service.get_attr("IPVS_SVC_ATTR_SCHED_NAME") == "mh"
    assert service.get_attr("IPVS_SVC_ATTR_FLAGS") == {"flags": 5, "mask": 0xFFFFFFFF}
    assert service.get_attr("IPVS_SVC_ATTR_TIMEOUT") == 300
    assert service.get_attr("IPVS_SVC_ATTR_NETMASK") == "255.255.240.0"
    assert service.get_attr("IPVS_SVC_ATTR_PE_NAME") == "sip"


def test_a_service_by_mark_that_we_encode_is_read_as_meant() -> None:
    (data,) = wire.encode(28, [AddService(MarkKey(77, Family.IPV6), Service("rr"))])
    service = theirs(ipvsmsg, data).get_attr("IPVS_CMD_ATTR_SERVICE")
    assert (service.get_attr("IPVS_SVC_ATTR_AF"), service.get_attr("IPVS_SVC_ATTR_FWMARK")) == (10, 77)
    assert service.get_attr("IPVS_SVC_ATTR_ADDR") is None


def test_a_destination_that_we_encode_is_read_as_meant() -> None:
    where = DestinationKey(IPv6Address("fd00::5"), 5353)
    destination = Destination(7, Forwarding.TUN, 20, 10, Tunnel(TunnelType.GRE))
    (data,) = wire.encode(28, [AddDestination(WEB, where, destination)])
    row = theirs(ipvsmsg, data).get_attr("IPVS_CMD_ATTR_DEST")
    assert row.get_attr("IPVS_DEST_ATTR_ADDR_FAMILY") == 10
    assert row.get_attr("IPVS_DEST_ATTR_ADDR") == "fd00::5"
    assert row.get_attr("IPVS_DEST_ATTR_PORT") == 5353
    assert row.get_attr("IPVS_DEST_ATTR_FWD_METHOD") == 2
    assert row.get_attr("IPVS_DEST_ATTR_WEIGHT") == 7
    assert (row.get_attr("IPVS_DEST_ATTR_U_THRESH"), row.get_attr("IPVS_DEST_ATTR_L_THRESH")) == (20, 10)
    assert row.get_attr("IPVS_DEST_ATTR_TUN_TYPE") == 2
