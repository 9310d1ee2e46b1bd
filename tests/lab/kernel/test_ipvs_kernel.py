"""IPVS through our own netlink messages, in a kernel that has it; ipvsadm is the judge."""

from __future__ import annotations

import errno
import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lvsd.check.ipvs import wire
from lvsd.check.ipvs.kernel import IpvsKernel
from lvsd.check.ipvs.plan import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    Op,
    SetDestination,
    SetService,
    plan,
)
from lvsd.check.ipvs.table import (
    AddressKey,
    Destination,
    DestinationKey,
    Family,
    Forwarding,
    MarkKey,
    Protocol,
    Service,
    ServiceCounters,
    ServiceFlags,
    ServiceKey,
    Table,
    Timeouts,
    Tunnel,
    TunnelChecksum,
    TunnelType,
)
from lvsd.core.netlink.socket import GENERIC, NetlinkSocket, Refused, resolve
from tests.model.ipvs import IpvsModel
from tests.model.ipvs_tables import KEYS, SERVERS, tables

pytestmark = pytest.mark.lab

NOTHING_OWNED: frozenset[ServiceKey] = frozenset()
VIP = AddressKey(Protocol.TCP, ip_address("192.0.2.10"), 80)
VIP6 = AddressKey(Protocol.TCP, ip_address("2001:db8::10"), 443)
ONE = DestinationKey(ip_address("10.0.0.1"), 80)
TWO = DestinationKey(ip_address("10.0.0.2"), 80)
MODULES = Path(f"/lib/modules/{os.uname().release}/kernel/net/netfilter/ipvs")


@pytest.fixture
def kernel() -> Iterator[IpvsKernel]:
    with IpvsKernel() as opened:
        opened.flush()
        yield opened
        opened.flush()


def listed(*options: str) -> str:
    return subprocess.run(["ipvsadm", "-Ln", *options], check=True, capture_output=True, text=True).stdout


def put(kernel: IpvsKernel, table: Table) -> None:
    assert kernel.apply(plan(kernel.read(), table, frozenset(kernel.read()))) == []


def present_schedulers() -> list[str]:
    names = {path.name.split(".")[0].removeprefix("ip_vs_") for path in MODULES.glob("ip_vs_*.ko*")}
    return sorted(names - {"ftp", "pe_sip"})


def test_ipvs_tells_its_version_and_the_size_of_its_table(kernel: IpvsKernel) -> None:
    assert f"version {kernel.version()} (size={kernel.connection_table_size()})" in listed()


@pytest.mark.parametrize(
    "scheduler", ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "mh", "dh", "fo", "ovf", "sed", "nq"]
)
def test_a_scheduler_is_set_and_read_back(kernel: IpvsKernel, scheduler: str) -> None:
    table = {VIP: Service(scheduler, destinations={ONE: Destination(1)})}
    assert kernel.apply(plan({}, table, NOTHING_OWNED)) == []
    assert kernel.read() == table
    assert f"TCP  192.0.2.10:80 {scheduler}" in listed()


def test_a_scheduler_is_changed_in_place(kernel: IpvsKernel) -> None:
    put(kernel, {VIP: Service("rr", destinations={ONE: Destination(1)})})
    wanted = {VIP: Service("mh", ServiceFlags.SCHED1 | ServiceFlags.SCHED2, destinations={ONE: Destination(1)})}
    ops = plan(kernel.read(), wanted, NOTHING_OWNED)
    assert [type(op) for op in ops] == [SetService]
    assert kernel.apply(ops) == []
    assert kernel.read() == wanted
    assert "mh (mh-fallback,mh-port)" in listed()


def test_every_kind_of_service_and_destination_comes_back_as_it_was_sent(kernel: IpvsKernel) -> None:
    persistent = ServiceFlags.PERSISTENT
    dns = AddressKey(Protocol.UDP, ip_address("192.0.2.10"), 53)
    sctp = AddressKey(Protocol.SCTP, ip_address("2001:db8::11"), 5060)
    every_port = AddressKey(Protocol.TCP, ip_address("192.0.2.12"), 0)
    server6 = DestinationKey(ip_address("fd00::1"), 443)
    tunnels = [
        Tunnel(),
        Tunnel(TunnelType.GUE, 6080),
        Tunnel(TunnelType.GUE, 6081, TunnelChecksum.CSUM),
        Tunnel(TunnelType.GUE, 6082, TunnelChecksum.REMCSUM),
        Tunnel(TunnelType.GRE, 0, TunnelChecksum.CSUM),
    ]
    table: Table = {
        VIP: Service(
            "wrr", persistent, 300, 24, "", {ONE: Destination(3, Forwarding.DR, 100, 80), TWO: Destination(0)}
        ),
        VIP6: Service("wlc", persistent, 50, 64, "", {server6: Destination(65535, Forwarding.DR)}),
        dns: Service("rr", ServiceFlags.ONEPACKET, 0, 32, "", {ONE: Destination(1, Forwarding.LOCAL)}),
        sctp: Service("sh", ServiceFlags.SCHED1, 0, 128, "", {server6: Destination(1)}),
        every_port: Service("lc", persistent, 86400, 32),
        MarkKey(7, Family.IPV4): Service("wlc", destinations={DestinationKey(ONE.address, 0): Destination(1)}),
        MarkKey(7, Family.IPV6): Service("wlc", persistent, 60, 1, "", {server6: Destination(1)}),
        MarkKey(0xFFFFFFFF, Family.IPV4): Service(
            "wlc",
            destinations={
                DestinationKey(ip_address(f"10.0.1.{number}"), 0): Destination(1, Forwarding.TUN, tunnel=tunnel)
                for number, tunnel in enumerate(tunnels)
            }
            | {DestinationKey(ip_address("fd00::2"), 0): Destination(1, Forwarding.TUN)},
        ),
    }
    assert kernel.apply(plan({}, table, NOTHING_OWNED)) == []
    found = kernel.read()
    assert found.keys() == table.keys()
    assert plan(found, table, NOTHING_OWNED) == []
    assert found[VIP] == table[VIP]
    assert found[VIP6] == table[VIP6]
    assert found[MarkKey(0xFFFFFFFF, Family.IPV4)].destinations == table[MarkKey(0xFFFFFFFF, Family.IPV4)].destinations
    text = listed()
    assert "TCP  192.0.2.10:80 wrr persistent 300 mask 255.255.255.0" in text
    assert "TCP  [2001:db8::10]:443 wlc persistent 50 mask 64" in text
    assert "UDP  192.0.2.10:53 rr ops" in text
    assert "FWM  7 IPv6 wlc persistent 60 mask 1" in text
    assert re.search(r"-> 10\.0\.0\.1:80 +Route +3 ", text)
    assert re.search(r"-> 10\.0\.0\.1:80 +Local +1 ", text)
    assert re.search(r"-> 10\.0\.0\.1:80 +100 +80 ", listed("--thresholds"))
    assert "gue" in listed("--tun-info")
    assert "6081" in listed("--tun-info")


def test_what_ipvsadm_set_is_read_as_it_was_meant(kernel: IpvsKernel) -> None:
    for line in (
        "-A -t 192.0.2.10:80 -s sh -b sh-port,sh-fallback -p 120 -M 255.255.0.0",
        "-a -t 192.0.2.10:80 -r 10.0.0.1:80 -i --tun-type gue --tun-port 6080 --tun-csum -w 7 -x 9 -y 8",
        "-A -f 9 -6 -s lblcr",
        "-A -u 192.0.2.10:80 -o",
    ):
        subprocess.run(["ipvsadm", *line.split()], check=True)
    flags = ServiceFlags.PERSISTENT | ServiceFlags.SCHED1 | ServiceFlags.SCHED2
    tunnel = Tunnel(TunnelType.GUE, 6080, TunnelChecksum.CSUM)
    assert kernel.read() == {
        VIP: Service("sh", flags, 120, 16, "", {ONE: Destination(7, Forwarding.TUN, 9, 8, tunnel)}),
        MarkKey(9, Family.IPV6): Service("lblcr", prefix=128),
        AddressKey(Protocol.UDP, VIP.address, 80): Service("wlc", ServiceFlags.ONEPACKET),
    }


def test_a_mask_that_is_no_prefix_is_told_from_every_prefix(kernel: IpvsKernel) -> None:
    subprocess.run(["ipvsadm", "-A", "-t", "192.0.2.10:80", "-p", "60", "-M", "255.0.255.0"], check=True)
    wanted = {VIP: Service("wlc", ServiceFlags.PERSISTENT, 60, 32)}
    assert plan(kernel.read(), wanted, NOTHING_OWNED) == [SetService(VIP, wanted[VIP])]
    put(kernel, wanted)
    assert kernel.read() == wanted


def test_refusals_say_what_was_refused_and_why(kernel: IpvsKernel) -> None:
    put(kernel, {VIP: Service("rr", destinations={ONE: Destination(1)})})
    failed = kernel.apply(
        [
            AddService(VIP6, Service("nosuch")),
            AddDestination(VIP6, ONE, Destination(1)),
            AddService(VIP, Service("rr")),
            AddDestination(VIP, ONE, Destination(1)),
            SetDestination(VIP, TWO, Destination(1)),
            SetDestination(VIP, ONE, Destination(1, upper_threshold=5, lower_threshold=6)),
            DeleteDestination(VIP, TWO),
            DeleteService(VIP6),
            SetDestination(VIP, ONE, Destination(9)),
        ]
    )
    assert [(type(failure.op), failure.errno) for failure in failed] == [
        (AddService, errno.ENOENT),
        (AddService, errno.EEXIST),
        (AddDestination, errno.EEXIST),
        (SetDestination, errno.ENOENT),
        (SetDestination, errno.ERANGE),
    ]
    assert failed[0].text == (
        "The kernel refused to add service tcp [2001:db8::10]:443 (nosuch): it has no module ip_vs_nosuch."
    )
    assert kernel.read()[VIP].destinations == {ONE: Destination(9)}


def test_two_thousand_rows_are_written_changed_and_left_alone(kernel: IpvsKernel) -> None:
    def farm(weight: int) -> Table:
        return {
            AddressKey(Protocol.TCP, ip_address(0x0A000000 + number), 80): Service(
                "wrr",
                destinations={
                    DestinationKey(ip_address(0x0B000000 + number * 32 + host), 80): Destination(weight, Forwarding.DR)
                    for host in range(20)
                },
            )
            for number in range(100)
        }

    assert kernel.apply(plan({}, farm(1), NOTHING_OWNED)) == []
    assert kernel.read() == farm(1)
    assert len(listed().splitlines()) == 3 + 100 + 2000
    changes = plan(kernel.read(), farm(2), NOTHING_OWNED)
    assert len(changes) == 2000
    assert kernel.apply(changes) == []
    assert kernel.read() == farm(2)
    assert kernel.apply(plan(kernel.read(), {}, frozenset(farm(2)))) == []
    assert kernel.read() == {}


def test_strangers_rows_survive_ours(kernel: IpvsKernel) -> None:
    subprocess.run(["ipvsadm", "-A", "-f", "99"], check=True)
    put_ops = plan(kernel.read(), {VIP: Service("rr")}, NOTHING_OWNED)
    assert kernel.apply(put_ops) == []
    assert kernel.apply(plan(kernel.read(), {}, frozenset({VIP}))) == []
    assert list(kernel.read()) == [MarkKey(99, Family.IPV4)]


def test_flush_empties_the_table_whoever_filled_it(kernel: IpvsKernel) -> None:
    subprocess.run(["ipvsadm", "-A", "-f", "99"], check=True)
    put(kernel, {**kernel.read(), VIP: Service("rr", destinations={ONE: Destination(1)})})
    kernel.flush()
    assert kernel.read() == {}
    assert len(listed().splitlines()) == 3


def test_timeouts_are_set_one_by_one_and_read_back(kernel: IpvsKernel) -> None:
    before = kernel.timeouts()
    kernel.set_timeouts(Timeouts(tcp=111))
    assert kernel.timeouts() == replace(before, tcp=111)
    kernel.set_timeouts(Timeouts(222, 333, 444))
    assert kernel.timeouts() == Timeouts(222, 333, 444)
    assert (
        "Timeout (tcp tcpfin udp): 222 333 444"
        in subprocess.run(["ipvsadm", "-L", "--timeout"], capture_output=True, text=True).stdout
    )
    with pytest.raises(Refused):
        kernel.set_timeouts(Timeouts(tcp=0xFFFFFFFF))
    kernel.set_timeouts(before)


def counted(kernel: IpvsKernel, key: ServiceKey) -> dict[ServiceKey, ServiceCounters]:
    """Reads until what happened before is told (the kernel sums up every two seconds), and the sums stand still."""
    end = time.monotonic() + 10
    last = kernel.read_counters()
    while time.monotonic() < end:
        time.sleep(2.5)
        counters = kernel.read_counters()
        if counters == last and counters[key].total.connections:
            break
        last = counters
    return last


def test_counters_are_those_that_ipvsadm_prints(kernel: IpvsKernel) -> None:
    service = AddressKey(Protocol.TCP, ip_address("127.0.0.5"), 8000)
    where = DestinationKey(ip_address("127.0.0.1"), 8001)
    put(kernel, {service: Service("rr", destinations={where: Destination(1, Forwarding.NAT)})})
    with socket.create_server(("127.0.0.1", 8001)) as server:
        accepted: list[socket.socket] = []
        thread = threading.Thread(target=lambda: accepted.extend(server.accept()[0] for _ in range(3)))
        thread.start()
        clients = [socket.create_connection(("127.0.0.5", 8000), 5) for _ in range(3)]
        thread.join(5)
        clients[0].sendall(b"x" * 1000)
        accepted[0].recv(1000)
        counters = counted(kernel, service)
        text = listed("--stats", "--exact")
        for connection in [*clients, *accepted]:
            connection.close()
    total = counters[service].total
    row = counters[service].destinations[where]
    assert row.connections == total.connections == 3
    assert row.active == total.active == 3
    assert row.bytes_in > 1000
    assert row.packets_in >= 6
    printed = re.search(r"127\.0\.0\.5:8000 +(\d+) +(\d+) +(\d+) +(\d+) +(\d+)", text)
    assert printed is not None
    assert tuple(map(int, printed.groups())) == (
        total.connections,
        total.packets_in,
        total.packets_out,
        total.bytes_in,
        total.bytes_out,
    )


def test_a_change_of_weight_keeps_connections_and_counters(kernel: IpvsKernel) -> None:
    service = AddressKey(Protocol.TCP, ip_address("127.0.0.6"), 8002)
    where = DestinationKey(ip_address("127.0.0.1"), 8003)
    put(kernel, {service: Service("wrr", destinations={where: Destination(1)})})
    with socket.create_server(("127.0.0.1", 8003)) as server:
        client = socket.create_connection(("127.0.0.6", 8002), 5)
        other = server.accept()[0]
        put(kernel, {service: Service("wlc", destinations={where: Destination(0)})})
        client.sendall(b"still here")
        assert other.recv(100) == b"still here"
        assert counted(kernel, service)[service].destinations[where].connections == 1
        client.close()
        other.close()


# --- the model in tests/model against this kernel ---------------------------------------------------------------------

destinations_of_any_worth = st.builds(
    Destination,
    st.sampled_from([0, 1, 5]),
    st.sampled_from(Forwarding),
    st.sampled_from([0, 5]),
    st.sampled_from([0, 5, 6]),
    st.sampled_from([Tunnel(), Tunnel(TunnelType.GUE, 0), Tunnel(TunnelType.GUE, 6080), Tunnel(TunnelType.GRE)]),
)
services_of_any_worth = st.builds(
    Service,
    st.sampled_from(["rr", "mh", "nosuch"]),
    st.sampled_from([ServiceFlags(0), ServiceFlags.PERSISTENT, ServiceFlags.ONEPACKET]),
    st.sampled_from([0, 60]),
    st.sampled_from([1, 24, 32]),
    st.sampled_from(["", "nosuch"]),
)
keys = st.sampled_from(KEYS[3:6])
where = st.sampled_from(SERVERS[4][:2] + SERVERS[6][:1])
orders: st.SearchStrategy[Op] = st.one_of(
    st.builds(AddService, keys, services_of_any_worth),
    st.builds(SetService, keys, services_of_any_worth),
    st.builds(DeleteService, keys),
    st.builds(AddDestination, keys, where, destinations_of_any_worth),
    st.builds(SetDestination, keys, where, destinations_of_any_worth),
    st.builds(DeleteDestination, keys, where),
)


def verdicts(ops: list[Op]) -> list[int]:
    """The bare numbers, which IpvsKernel.apply sifts."""
    with NetlinkSocket(GENERIC) as opened:
        return [answer.errno for answer in opened.request_many(wire.encode(resolve(opened, wire.FAMILY_NAME), ops))]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
@given(ops=st.lists(orders, max_size=25))
def test_the_model_refuses_what_this_kernel_refuses(kernel: IpvsKernel, ops: list[Op]) -> None:
    kernel.flush()
    model = IpvsModel()
    assert verdicts(ops) == model.apply_all(ops)
    found = kernel.read()
    assert found.keys() == model.table.keys()
    assert plan(found, model.table, NOTHING_OWNED) == []


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
@given(before=tables(), after=tables())
def test_any_plan_reaches_its_goal_in_this_kernel(kernel: IpvsKernel, before: Table, after: Table) -> None:
    schedulers = present_schedulers()
    before, after = known(before, schedulers), known(after, schedulers)
    kernel.flush()
    assert kernel.apply(plan({}, before, NOTHING_OWNED)) == []
    assert kernel.apply(plan(kernel.read(), after, frozenset(before))) == []
    assert plan(kernel.read(), after, frozenset(kernel.read())) == []


def known(table: Table, schedulers: list[str]) -> Table:
    return {
        key: service if service.scheduler in schedulers else replace(service, scheduler="rr")
        for key, service in table.items()
    }


def test_reading_a_table_that_others_change_meanwhile_never_fails(kernel: IpvsKernel) -> None:
    table = {VIP: Service("rr", destinations={ONE: Destination(1)}), VIP6: Service("rr")}
    stop = threading.Event()

    def churn() -> None:
        with IpvsKernel() as other:
            while not stop.is_set():
                other.apply(plan({}, table, NOTHING_OWNED))
                other.apply([DeleteService(key) for key in table])

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        end = time.monotonic() + 2
        while time.monotonic() < end:
            for key, service in kernel.read().items():
                assert key in table
                assert service.destinations.items() <= table[key].destinations.items()
    finally:
        stop.set()
        thread.join()
