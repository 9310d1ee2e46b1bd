"""vrrp processes on the host's kernel, in namespaces: what a neighbour sees of them on the wire, and who holds the address when."""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address
from pathlib import Path

import pytest

from lvsd.core.netlink import route
from lvsd.core.netlink.socket import NetlinkSocket
from lvsd.vrrp.kernel.entries import TAG
from tests.lab.namespace import addresses, inside, ip, run, sysctl
from tests.lab.vrrp_node import Lab, Node, Wire, new_lab, wait_for

pytestmark = pytest.mark.lab

VIP = ip_address("192.0.2.10")
ONE, TWO = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def lab() -> Iterator[Lab]:
    with new_lab() as made:
        yield made


def instance(
    priority: int,
    *more: str,
    name: str = "VI_1",
    vrid: int = 51,
    device: str = "eth0",
    interval: float = 0.1,
    vips: tuple[str, ...] = ("192.0.2.10/24",),
    version: int = 3,
) -> str:
    lines = "\n".join(f"        {vip}" for vip in vips)
    return (
        f"vrrp_instance {name} {{\n    interface {device}\n    virtual_router_id {vrid}\n    version {version}\n"
        f"    priority {priority}\n    advert_int {interval:g}\n    "
        + "\n    ".join(more)
        + f"\n    virtual_ipaddress {{\n{lines}\n    }}\n}}\n"
    )


def pair_of_directors(lab: Lab) -> tuple[Wire, str, str]:
    wire = lab.wire()
    one, two = lab.namespace("a"), lab.namespace("b")
    lab.plug(one, "eth0", wire, f"addr add {ONE}/24 dev eth0")
    lab.plug(two, "eth0", wire, f"addr add {TWO}/24 dev eth0")
    return wire, one, two


def master_and_backup(lab: Lab, one: str, two: str, *more: str, interval: float = 0.1) -> tuple[Node, Node]:
    first = lab.node(one, instance(100, *more, interval=interval))
    wait_for("a master", lambda: first.is_in("MASTER", "VI_1") and VIP in addresses(one))
    second = lab.node(two, instance(90, *more, interval=interval))
    wait_for("a backup", lambda: second.is_in("BACKUP", "VI_1"))
    time.sleep(4 * interval)
    return first, second


def test_an_ordered_stop_moves_the_address_and_leaves_nothing_behind(lab: Lab) -> None:
    wire, one, two = pair_of_directors(lab)
    first, _ = master_and_backup(lab, one, two)
    holders = lab.holders((one, two), VIP)
    start = time.monotonic()
    took = first.stop()
    wait_for("the other takes over", lambda: VIP in addresses(two))
    gap = time.monotonic() - start
    time.sleep(0.2)
    holders.stop()
    assert VIP not in addresses(one)
    assert wire.by(ONE, start)[-1].priority == 0
    assert holders.seconds(2) == 0, "the goodbye left before the address was gone"
    assert took < 1.5
    assert gap < 1.0
    assert wire.announced(VIP.packed, start) > 0
    assert ("VI_1", "STOP") in first.changes


def test_after_a_kill_the_lease_lapses_and_one_holder_is_left(lab: Lab) -> None:
    _, one, two = pair_of_directors(lab)
    first, second = master_and_backup(lab, one, two)
    holders = lab.holders((one, two), VIP)
    start = time.monotonic()
    first.kill()
    wait_for("the backup takes over", lambda: VIP in addresses(two), 2.0)
    wait_for("the dead one's address ends", lambda: VIP not in addresses(one), 5.0)
    assert time.monotonic() - start < 4.0, "a lease of 2 s ends within one more second of the kernel's"
    time.sleep(0.5)
    holders.stop()
    assert holders.samples[-1][1] == (False, True)
    assert second.is_in("MASTER", "VI_1")
    # The host's own address of the same prefix, which came first, is still there.
    assert ip_address(ONE) in addresses(one)


@pytest.mark.parametrize("mode", ["nopreempt", "preempt"])
def test_a_frozen_master_never_shares_its_address_beyond_its_lease(lab: Lab, mode: str) -> None:
    _, one, two = pair_of_directors(lab)
    first, second = master_and_backup(lab, one, two, *(("nopreempt",) if mode == "nopreempt" else ()))
    holders = lab.holders((one, two), VIP)
    first.kill(signal.SIGSTOP)
    start = time.monotonic()
    time.sleep(7)
    woken = time.monotonic()
    first.kill(signal.SIGCONT)
    wait_for("one master", lambda: second.is_in("MASTER", "VI_1") != first.is_in("MASTER", "VI_1"))
    time.sleep(1.5)
    holders.stop()
    assert holders.seconds(2, start + 2 + 1) < 0.05
    assert holders.seconds(1, woken + 1) > 0.3
    assert holders.seconds(0, woken + 1) == 0
    if mode == "nopreempt":
        assert holders.samples[-1][1] == (False, True)
    else:
        wait_for("the higher priority returns", lambda: first.is_in("MASTER", "VI_1"))


def test_the_loss_of_one_link_moves_the_whole_group(lab: Lab) -> None:
    outer, inner = lab.wire("o"), lab.wire("i")
    one, two = lab.namespace("a"), lab.namespace("b")
    inner_vip = ip_address("10.9.0.10")
    for name, last in ((one, 1), (two, 2)):
        lab.plug(name, "eth0", outer, f"addr add 192.0.2.{last}/24 dev eth0")
        lab.plug(name, "eth1", inner, f"addr add 10.9.0.{last}/24 dev eth1")

    def text(priority: int) -> str:
        return (
            "vrrp_sync_group VG1 {\n    group {\n        VI_1\n        VI_2\n    }\n}\n"
            + instance(priority, "nopreempt")
            + instance(priority, "nopreempt", name="VI_2", vrid=52, device="eth1", vips=("10.9.0.10/24",))
        )

    first = lab.node(one, text(100))
    wait_for("a master", lambda: {VIP, inner_vip} <= addresses(one))
    second = lab.node(two, text(90))
    wait_for("a backup", lambda: second.is_in("BACKUP", "VI_1", "VI_2"))
    time.sleep(0.5)
    start = time.monotonic()
    ip(inner.name, "link set p-a down")
    wait_for("the whole group moves", lambda: {VIP, inner_vip} <= addresses(two))
    assert time.monotonic() - start < 1.2
    assert not {VIP, inner_vip} & addresses(one)
    wait_for("the fault is told", lambda: first.is_in("FAULT", "VI_1", "VI_2"))
    assert "eth1 is down" in first.log
    ip(inner.name, "link set p-a up")
    wait_for("the fault ends", lambda: first.is_in("BACKUP", "VI_1", "VI_2"))
    time.sleep(0.6)
    assert second.is_in("MASTER", "VI_1", "VI_2"), "nopreempt"


def test_an_address_that_somebody_removes_comes_back(lab: Lab) -> None:
    wire, one, _ = pair_of_directors(lab)
    more = ("192.0.2.10/24", "192.0.2.11/24 label eth0:web")
    first = lab.node(one, instance(100, vips=more))
    wait_for("a master", lambda: first.is_in("MASTER", "VI_1") and VIP in addresses(one))
    start = time.monotonic()
    ip(one, "addr del 192.0.2.10/24 dev eth0")
    wait_for("it comes back", lambda: VIP in addresses(one), 0.5)
    wait_for("it is announced anew", lambda: wire.announced(VIP.packed, start))
    wait_for("it is told", lambda: "is put back" in first.log)
    shown = run(["ip", "-n", one, "-4", "addr", "show", "dev", "eth0"])
    assert "eth0:web" in shown
    with inside(one), NetlinkSocket() as netlink:
        rows = {row.address: row for row in map(route.decode_address, netlink.dump(route.get_addresses())) if row}
    assert rows[VIP].proto == TAG
    assert 0 < rows[VIP].valid_lft <= 2
    assert rows[ip_address(ONE)].valid_lft == route.FOREVER


def test_renewals_keep_the_address_and_stop_with_the_adverts(lab: Lab) -> None:
    _, one, _ = pair_of_directors(lab)
    first = lab.node(one, instance(100))
    wait_for("a master", lambda: VIP in addresses(one))
    holders = lab.holders((one,), VIP)
    time.sleep(4)
    holders.stop()
    assert holders.seconds(0) == 0
    assert first.is_in("MASTER", "VI_1")


def test_five_hundred_addresses_delay_no_advert(lab: Lab) -> None:
    wire, one, two = pair_of_directors(lab)
    many = tuple(f"198.18.{n // 250}.{n % 250 + 1}/32" for n in range(500))
    last = ip_address("198.18.1.250")

    def text(priority: int) -> str:
        excluded = "\n".join(f"        {vip}" for vip in many)
        return instance(priority, f"virtual_ipaddress_excluded {{\n{excluded}\n    }}")

    first = lab.node(one, text(100))
    wait_for("a master", lambda: last in addresses(one))
    second = lab.node(two, text(90))
    wait_for("a backup", lambda: second.is_in("BACKUP", "VI_1"))
    time.sleep(1)
    start = time.monotonic()
    first.stop()
    assert len(addresses(one)) < 5
    wait_for("all are taken over", lambda: len(addresses(two)) > 500, 5)
    time.sleep(4)
    sent = [seen.at for seen in wire.by(TWO, start)]
    gaps = [later - earlier for earlier, later in itertools.pairwise(sent)]
    assert max(gaps) < 0.125, f"the longest gap of {len(gaps)} was {max(gaps):.3f} s"
    assert len(addresses(two)) > 500, "every lease is renewed"
    assert wire.announced(last.packed, start) >= 5


def test_an_ipv6_instance_holds_its_addresses_and_moves_them(lab: Lab) -> None:
    wire = lab.wire()
    one, two = lab.namespace("a"), lab.namespace("b")
    for name in (one, two):
        sysctl(name, {"net/ipv6/conf/default/accept_dad": 0, "net/ipv6/conf/all/forwarding": 1})
        lab.plug(name, "eth0", wire)
    vips = ("fe80::10/64", "2001:db8:1::10/64", "2001:db8:2::10/128")
    first = lab.node(one, instance(100, vips=vips))
    wanted = {IPv6Address(vip.partition("/")[0]) for vip in vips}
    wait_for("a master", lambda: wanted <= addresses(one))
    second = lab.node(two, instance(90, vips=vips))
    wait_for("a backup", lambda: second.is_in("BACKUP", "VI_1"))
    routes = run(["ip", "-n", one, "-6", "route", "show", "2001:db8:1::/64"])
    assert "dev eth0" in routes
    time.sleep(2.5)
    assert wanted <= addresses(one), "the leases are renewed"
    start = time.monotonic()
    first.stop()
    wait_for("the other takes over", lambda: wanted <= addresses(two), 2)
    assert not wanted & addresses(one)
    assert not run(["ip", "-n", one, "-6", "route", "show", "2001:db8:1::/64"])
    wait_for("it is announced", lambda: wire.announced(IPv6Address("2001:db8:1::10").packed, start))
    assert {seen.ttl for seen in wire.seen} == {255}
    shown = run(["ip", "-n", two, "-6", "addr", "show", "dev", "eth0"])
    assert "noprefixroute" in shown


def test_a_higher_priority_preempts_unless_nopreempt_stands_there(lab: Lab) -> None:
    _, one, two = pair_of_directors(lab)
    second = lab.node(two, instance(90))
    wait_for("a master", lambda: second.is_in("MASTER", "VI_1"))
    first = lab.node(one, instance(100, "nopreempt"))
    time.sleep(1)
    assert first.is_in("BACKUP", "VI_1")
    assert second.is_in("MASTER", "VI_1")
    first.configure(instance(100))
    wait_for("it preempts", lambda: first.is_in("MASTER", "VI_1") and second.is_in("BACKUP", "VI_1"))
    wait_for("the address has moved", lambda: VIP in addresses(one) and VIP not in addresses(two))


def test_a_master_that_is_started_again_goes_on_without_a_failover(lab: Lab) -> None:
    wire, one, two = pair_of_directors(lab)
    # Leases of 3 s: the successor has the time that an interpreter needs to start on a loaded machine.
    text = instance(100, "vip_lease 5", "down_timer_adverts 10", interval=0.3)
    first = lab.node(one, text)
    wait_for("a master", lambda: first.is_in("MASTER", "VI_1") and VIP in addresses(one))
    second = lab.node(two, instance(90, "down_timer_adverts 10", interval=0.3))
    wait_for("a backup", lambda: second.is_in("BACKUP", "VI_1"))
    wait_for("the report tells of it", lambda: first.report is not None and first.report.held)
    holders = lab.holders((one, two), VIP)
    first.kill()
    again = lab.add(first.successor(text))
    wait_for("it goes on as master", lambda: again.is_in("MASTER", "VI_1"))
    time.sleep(2)
    holders.stop()
    assert second.is_in("BACKUP", "VI_1")
    assert all(holding == (True, False) for _, holding in holders.samples)
    assert wire.by(TWO) == []


def test_a_master_whose_peer_took_over_starts_again_as_backup(lab: Lab) -> None:
    _, one, two = pair_of_directors(lab)
    text = instance(100, "nopreempt", "vip_lease 10")
    first = lab.node(one, text)
    wait_for("a master", lambda: first.is_in("MASTER", "VI_1"))
    second = lab.node(two, instance(90, "nopreempt"))
    wait_for("a backup", lambda: second.is_in("BACKUP", "VI_1"))
    first.kill()
    wait_for("the peer takes over", lambda: second.is_in("MASTER", "VI_1"))
    ip(one, "addr del 192.0.2.10/24 dev eth0", "addr add 192.0.2.10/32 dev eth0")
    again = lab.add(first.successor(text))
    wait_for("a backup", lambda: again.is_in("BACKUP", "VI_1"))
    wait_for("what was left is removed", lambda: VIP not in addresses(one))
    assert "starts as backup" in again.log
    assert second.is_in("MASTER", "VI_1")


def test_when_core_dies_the_address_goes_within_a_second(lab: Lab) -> None:
    wire, one, _ = pair_of_directors(lab)
    first = lab.node(one, instance(100))
    wait_for("a master", lambda: VIP in addresses(one))
    start = time.monotonic()
    assert first.channel is not None
    first.bus.call(first.channel.close)
    assert first.process.wait(2) == 0
    assert time.monotonic() - start < 1
    assert VIP not in addresses(one)
    assert wire.by(ONE)[-1].priority == 0


def test_an_interface_that_is_made_anew_is_used_again(lab: Lab) -> None:
    wire, one, _ = pair_of_directors(lab)
    first = lab.node(one, instance(100))
    wait_for("a master", lambda: VIP in addresses(one))
    ip(one, "link del eth0")
    wait_for("a fault", lambda: first.is_in("FAULT", "VI_1"))
    lab.plug(one, "eth0", wire, f"addr add {ONE}/24 dev eth0")
    start = time.monotonic()
    wait_for("a master again", lambda: first.is_in("MASTER", "VI_1") and VIP in addresses(one))
    wait_for("it is heard again", lambda: wire.by(ONE, start))


def test_promote_secondaries_is_given_back_at_the_end(lab: Lab) -> None:
    _, one, _ = pair_of_directors(lab)
    sysctl(one, {"net/ipv4/conf/eth0/promote_secondaries": 0})
    setting = ["ip", "netns", "exec", one, "sysctl", "-n", "net.ipv4.conf.eth0.promote_secondaries"]
    first = lab.node(one, instance(100))
    wait_for("a master", lambda: VIP in addresses(one))
    assert run(setting).strip() == "1"
    first.stop()
    assert run(setting).strip() == "0"


def test_an_address_that_another_daemon_left_serves_on_until_this_one_holds_it(lab: Lab) -> None:
    _, one, _ = pair_of_directors(lab)
    ip(one, f"addr add {VIP}/24 dev eth0")
    holders = lab.holders((one,), VIP)
    first = lab.node(one, instance(100))
    wait_for("a master", lambda: first.is_in("MASTER", "VI_1"))
    wait_for("a lease", lambda: "dynamic" in run(["ip", "-n", one, "addr", "show", "to", f"{VIP}/32"]))
    holders.stop()
    assert holders.seconds(0) == 0
    first.stop()
    assert VIP not in addresses(one)


def test_an_address_that_another_daemon_left_goes_when_another_director_is_master(lab: Lab) -> None:
    _, one, two = pair_of_directors(lab)
    first = lab.node(one, instance(100))
    wait_for("a master", lambda: first.is_in("MASTER", "VI_1"))
    ip(two, f"addr add {VIP}/24 dev eth0")
    second = lab.node(two, instance(90))
    wait_for("a backup", lambda: second.is_in("BACKUP", "VI_1"))
    wait_for("the left address to go", lambda: VIP not in addresses(two), 1.0)
    assert VIP in addresses(one)


KEEPALIVED = """
global_defs {
    vrrp_garp_master_delay 1
}
"""


@pytest.mark.parametrize("version", [2, 3])
def test_failover_with_keepalived_in_both_directions(lab: Lab, tmp_path: Path, version: int) -> None:
    wire, one, two = pair_of_directors(lab)
    password = ("authentication {\n        auth_type PASS\n        auth_pass 1111\n    }",) if version == 2 else ()
    interval = 1.0 if version == 2 else 0.2
    file = tmp_path / "keepalived.conf"
    file.write_text(KEEPALIVED + instance(90, *password, interval=interval, version=version))
    mine = instance(100, *password, interval=interval, version=version)
    lab.other(two, "keepalived", "-n", "-P", "-f", str(file), "-p", str(tmp_path / "pid"), "-r", str(tmp_path / "vrrp"))
    wait_for("keepalived is master", lambda: VIP in addresses(two), 12)
    first = lab.node(one, mine)
    wait_for("lvsd preempts", lambda: VIP in addresses(one) and VIP not in addresses(two), 12)
    time.sleep(1.5 * interval)
    assert first.is_in("MASTER", "VI_1")
    start = time.monotonic()
    first.stop()
    wait_for("keepalived takes over", lambda: VIP in addresses(two), 4)
    assert time.monotonic() - start < (1.7 if version == 2 else 1.0)
    assert VIP not in addresses(one)
    assert wire.by(TWO, start)


def test_lvsd_takes_over_from_a_keepalived_that_stops(lab: Lab, tmp_path: Path) -> None:
    _, one, two = pair_of_directors(lab)
    file = tmp_path / "keepalived.conf"
    file.write_text(KEEPALIVED + instance(110, interval=0.2))
    other = lab.other(
        two, "keepalived", "-n", "-P", "-f", str(file), "-p", str(tmp_path / "pid"), "-r", str(tmp_path / "vrrp")
    )
    wait_for("keepalived is master", lambda: VIP in addresses(two), 12)
    first = lab.node(one, instance(100, interval=0.2))
    wait_for("a backup", lambda: first.is_in("BACKUP", "VI_1"))
    time.sleep(1.5)
    assert first.is_in("BACKUP", "VI_1")
    other.terminate()
    wait_for("lvsd takes over", lambda: VIP in addresses(one), 4)
    assert first.is_in("MASTER", "VI_1")


def test_a_running_director_imports_nothing_and_reads_no_file(lab: Lab, tmp_path: Path) -> None:
    """A disk that hangs would silence the master. (The worker, which no advert waits for, reads /proc/sys.)"""
    _, one, two = pair_of_directors(lab)
    doings = tmp_path / "audit"
    first = lab.node(one, instance(100), audit=doings)
    wait_for("a master", lambda: VIP in addresses(one))
    second = lab.node(two, instance(90))
    wait_for("a backup", lambda: second.is_in("BACKUP", "VI_1"))
    start = time.monotonic()
    ip(one, "addr del 192.0.2.10/24 dev eth0")
    wait_for("it comes back", lambda: VIP in addresses(one))
    ip(one, "link set eth0 down")
    wait_for("a fault", lambda: first.is_in("FAULT", "VI_1"))
    ip(one, "link set eth0 up")
    wait_for("a master again", lambda: first.is_in("MASTER", "VI_1"))
    first.configure(instance(101, "nopreempt"))
    wait_for("the new priority", lambda: first.report is not None and first.report.instances[0].base_priority == 101)
    first.stop()
    lines = [line.split(" ", 1) for line in doings.read_text().splitlines()]
    assert any("lvsd.vrrp.router" in what for _, what in lines), "the audit works"
    assert [what for at, what in lines if float(at) > start and "/proc/sys/net/" not in what] == []
