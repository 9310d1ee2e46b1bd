"""Our rtnetlink requests and rows against the running kernel, in a namespace of their own."""

from __future__ import annotations

import ctypes
import errno
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeVar

import pytest

from lvsd.core.netlink import route
from lvsd.core.netlink.route import AddressFlags, AddressRow, Event, Group, Link, NewAddress, NewLink, RouteRow
from lvsd.core.netlink.socket import MonitorSocket, NetlinkSocket

pytestmark = pytest.mark.lab

_CLONE_NEWNET = 0x40000000
T = TypeVar("T")


def inside(name: str, work: Callable[[], T]) -> T:
    """Runs work in a thread inside the namespace; sockets made there stay there."""
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            with open(f"/run/netns/{name}") as file:
                if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), _CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            done.append(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return done[0]


@pytest.fixture
def namespace() -> Iterator[str]:
    name = f"lvsdnl{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        for command in ("link set lo up", "link add v0 type veth peer name v1", "link set v0 up", "link set v1 up"):
            subprocess.run(["ip", "-n", name, *command.split()], check=True)
        yield name
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


@pytest.fixture
def netlink(namespace: str) -> Iterator[NetlinkSocket]:
    with inside(namespace, NetlinkSocket) as opened:
        yield opened


def links(netlink: NetlinkSocket) -> dict[str, Link]:
    rows = [route.decode_link(data) for data in netlink.dump(route.get_links())]
    return {link.name: link for link in rows if link}


def addresses(netlink: NetlinkSocket, index: int = 0, family: int = 0) -> list[AddressRow]:
    rows = [route.decode_address(data) for data in netlink.dump(route.get_addresses(family, index))]
    return [row for row in rows if row]


def shown(namespace: str, *what: str) -> str:
    return subprocess.run(["ip", "-n", namespace, *what], check=True, capture_output=True, text=True).stdout


def test_devices_are_read_with_their_state(namespace: str, netlink: NetlinkSocket) -> None:
    shown(namespace, "link", "set", "v1", "down")
    shown(namespace, "link", "add", "mv0", "link", "v0", "type", "macvlan")
    found = links(netlink)
    assert found["lo"].loopback
    assert not found["lo"].arp
    assert found["v0"].up
    assert not found["v0"].carrier
    assert not found["v0"].usable
    assert found["v0"].arp
    assert found["mv0"].kind == "macvlan"
    assert found["mv0"].parent == found["v0"].index
    assert found["v0"].mac.hex(":") in shown(namespace, "link", "show", "v0")
    assert route.decode_link(netlink.ask(route.get_link("mv0"))[0]) == found["mv0"]


def test_an_ipv4_address_gets_everything_that_was_asked_for(namespace: str, netlink: NetlinkSocket) -> None:
    index = links(netlink)["v0"].index
    wanted = AddressRow(
        index,
        IPv4Address("192.0.2.10"),
        24,
        broadcast=IPv4Address("192.0.2.255"),
        label="v0:vip",
        scope=route.Scope.LINK,
        flags=AddressFlags.NOPREFIXROUTE,
        valid_lft=30,
        preferred_lft=20,
        proto=112,
    )
    assert netlink.request(route.add_address(wanted)).ok
    assert netlink.request(route.add_address(wanted)).errno == errno.EEXIST
    (row,) = addresses(netlink, index, 2)
    assert (row.address, row.prefix, row.broadcast) == (wanted.address, wanted.prefix, wanted.broadcast)
    assert (row.label, row.scope, row.proto) == (wanted.label, wanted.scope, 112)
    assert row.flags == AddressFlags.NOPREFIXROUTE
    assert 28 <= row.valid_lft <= 30
    assert 18 <= row.preferred_lft <= 20
    text = shown(namespace, "addr", "show", "v0")
    assert "inet 192.0.2.10/24 brd 192.0.2.255 scope link" in text
    assert "noprefixroute v0:vip" in text
    assert netlink.request(route.delete_address(wanted)).ok
    assert netlink.request(route.delete_address(wanted)).errno == errno.EADDRNOTAVAIL
    assert addresses(netlink, index, 2) == []


def test_an_ipv6_address_gets_everything_that_was_asked_for(namespace: str, netlink: NetlinkSocket) -> None:
    index = links(netlink)["v0"].index
    flags = AddressFlags.NODAD | AddressFlags.NOPREFIXROUTE
    wanted = AddressRow(index, IPv6Address("2001:db8::10"), 64, flags=flags, valid_lft=30, preferred_lft=0, proto=112)
    assert netlink.request(route.add_address(wanted)).ok
    row = next(row for row in addresses(netlink, index, 10) if row.address == wanted.address)
    assert row.flags & AddressFlags.NOPREFIXROUTE
    assert row.flags & AddressFlags.DEPRECATED
    assert not row.tentative
    assert (row.prefix, row.proto, row.preferred_lft) == (64, 112, 0)
    assert 28 <= row.valid_lft <= 30
    assert "2001:db8::/64" not in shown(namespace, "-6", "route")
    assert netlink.request(route.delete_address(wanted)).ok


def test_an_ipv6_address_is_tentative_at_first(netlink: NetlinkSocket) -> None:
    index = links(netlink)["v0"].index
    address = IPv6Address("2001:db8::11")
    assert netlink.request(route.add_address(AddressRow(index, address, 64))).ok
    assert next(row for row in addresses(netlink, index, 10) if row.address == address).tentative


@pytest.mark.parametrize(("own", "peer"), [("10.9.0.1", "10.9.0.2"), ("2001:db8::1", "2001:db8::2")])
def test_a_peer_address_is_added_read_and_deleted(netlink: NetlinkSocket, own: str, peer: str) -> None:
    index = links(netlink)["v0"].index
    address = ip_address(own)
    wanted = AddressRow(index, address, address.max_prefixlen, peer=ip_address(peer))
    assert netlink.request(route.add_address(wanted)).ok
    row = next(row for row in addresses(netlink, index) if row.address == address)
    assert row.peer == ip_address(peer)
    assert netlink.request(route.delete_address(wanted)).ok
    assert not [row for row in addresses(netlink, index) if row.address == address]


def test_a_lease_ends_by_itself_and_a_renewal_prolongs_it(netlink: NetlinkSocket) -> None:
    index = links(netlink)["v0"].index
    lapsing = AddressRow(index, IPv4Address("192.0.2.20"), 32, valid_lft=2, preferred_lft=2)
    renewed = AddressRow(index, IPv4Address("192.0.2.21"), 32, valid_lft=2, preferred_lft=2)
    answers = netlink.request_many([route.add_address(lapsing), route.add_address(renewed)])
    assert [answer.errno for answer in answers] == [0, 0]
    end = time.monotonic() + 4.5
    while time.monotonic() < end:
        assert netlink.request(route.replace_address(renewed)).ok
        time.sleep(0.5)
    assert [row.address for row in addresses(netlink, index, 2)] == [renewed.address]


def test_of_a_thousand_addresses_the_refused_one_is_told_at_its_place(netlink: NetlinkSocket) -> None:
    index = links(netlink)["v0"].index
    rows = [AddressRow(index, IPv4Address(0x0A000001 + number), 32) for number in range(1000)]
    requests = [route.add_address(row) for row in rows]
    requests[500] = route.add_address(rows[499])
    answers = netlink.request_many(requests)
    assert [number for number, answer in enumerate(answers) if not answer.ok] == [500]
    assert answers[500].errno == errno.EEXIST
    assert len(addresses(netlink, index, 2)) == 999


def test_a_prefix_route_is_added_read_and_deleted(namespace: str, netlink: NetlinkSocket) -> None:
    index = links(netlink)["v0"].index
    prefix = IPv6Address("2001:db8:5::")
    wanted = RouteRow(prefix, 64, index=index, metric=256, proto=route.RouteProtocol.KEEPALIVED)
    assert netlink.request(route.add_route(wanted)).ok
    rows = [route.decode_route(data) for data in netlink.dump(route.get_routes(10, route.MAIN_TABLE))]
    assert wanted in rows
    assert "2001:db8:5::/64 dev v0" in shown(namespace, "-6", "route")
    assert netlink.request(route.add_route(wanted)).errno == errno.EEXIST
    assert netlink.request(route.delete_route(wanted)).ok
    assert netlink.request(route.delete_route(wanted)).errno == errno.ESRCH


def test_an_ipv4_route_with_gateway_and_source_is_added_read_and_deleted(netlink: NetlinkSocket) -> None:
    index = links(netlink)["v0"].index
    own, gateway = IPv4Address("192.0.2.1"), IPv4Address("192.0.2.254")
    assert netlink.request(route.add_address(AddressRow(index, own, 24))).ok
    wanted = RouteRow(IPv4Address("198.51.100.0"), 24, index, gateway, own, metric=7, table=1000)
    assert netlink.request(route.add_route(wanted)).ok
    assert [route.decode_route(data) for data in netlink.dump(route.get_routes(2, 1000))] == [wanted]
    assert netlink.request(route.delete_route(wanted)).ok


def heard(monitor: MonitorSocket, enough: Callable[[list[Event]], bool], ignore: tuple[int, ...] = ()) -> list[Event]:
    events: list[Event] = []
    end = time.monotonic() + 5
    while not enough(events):
        assert time.monotonic() < end, events
        decoded = (route.decode(data) for data in monitor.read(ignore_ports=ignore))
        events += [event for event in decoded if event]
        time.sleep(0.02)
    return events


def test_a_monitor_tells_of_links_and_addresses_and_leaves_out_our_own(namespace: str, netlink: NetlinkSocket) -> None:
    def carrier_lost(events: list[Event]) -> bool:
        return any(isinstance(e, NewLink) and e.link.name == "v0" and not e.link.carrier for e in events)

    groups = (Group.LINK, Group.IPV4_ADDRESS, Group.IPV6_ADDRESS)
    index = links(netlink)["v0"].index
    with inside(namespace, lambda: MonitorSocket(groups)) as monitor:
        assert netlink.request(route.add_address(AddressRow(index, IPv4Address("192.0.2.30"), 32))).ok
        shown(namespace, "addr", "add", "192.0.2.31/32", "dev", "v0")
        shown(namespace, "link", "set", "v1", "down")
        events = heard(monitor, carrier_lost, (netlink.port,))
    added = [event.row.address for event in events if isinstance(event, NewAddress)]
    assert IPv4Address("192.0.2.31") in added
    assert IPv4Address("192.0.2.30") not in added


def test_a_port_that_leaves_a_bridge_stays_a_device(namespace: str) -> None:
    def left(events: list[Event]) -> bool:
        masters = [e.link.master for e in events if isinstance(e, NewLink) and e.link.name == "v0"]
        return any(masters) and masters[-1] == 0

    with inside(namespace, lambda: MonitorSocket((Group.LINK,))) as monitor:
        for command in ("link add br0 type bridge", "link set v0 master br0", "link set v0 nomaster"):
            shown(namespace, *command.split())
        events = heard(monitor, left)
        shown(namespace, "link", "del", "br0")
        events += heard(monitor, lambda events: any(isinstance(event, route.DelLink) for event in events))
    assert {event.link.name for event in events if isinstance(event, route.DelLink)} == {"br0"}
