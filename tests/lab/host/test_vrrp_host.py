"""vrrp processes on the host's kernel, in namespaces: what a neighbour sees of them on the wire, and who holds the address when."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import pytest

from tests.lab.namespace import addresses, ip, run, sysctl
from tests.lab.vrrp_node import Lab, Node, Wire, new_lab, wait_for

pytestmark = pytest.mark.lab

VIP = ip_address("192.0.2.10")
ONE, TWO = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def lab() -> Iterator[Lab]:
    with new_lab() as made:
        yield made


def instance(priority: int, *more: str, name: str = "VI_1", vrid: int = 51, device: str = "eth0", interval: float = 0.1,
             vips: tuple[str, ...] = ("192.0.2.10/24",), version: int = 3) -> str:
    lines = "\n".join(f"        {vip}" for vip in vips)
    return (
        f"vrrp_instance {name} {{\n    interface {device}\n    virtual_router_id {vrid}\n    version {version}\n"
        f"    priority {priority}\n    advert_int {interval:g}\n    " + "\n    ".join(more)
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
