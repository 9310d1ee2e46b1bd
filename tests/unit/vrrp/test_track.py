from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest

from lvsd.core.conf.values import Tracked
from lvsd.vrrp.track import judge

from .build import OWN, instance, line, resolved, up


def test_nothing_is_judged_before_every_interface_is_known() -> None:
    router = resolved(instance(track_interface=(Tracked("eth1"),)))
    assert not judge(router, {"eth0": up()}).known
    assert judge(router, {"eth0": up(), "eth1": up("eth1")}).known


def test_a_missing_down_or_addressless_interface_is_a_fault_with_its_reason() -> None:
    router = resolved()
    assert judge(router, {"eth0": up(exists=False)}).faults == ("interface eth0 does not exist",)
    assert judge(router, {"eth0": up(is_up=False)}).faults == ("interface eth0 is down",)
    only_v6 = up("eth0", IPv6Address("fe80::5"))
    assert judge(router, {"eth0": only_v6}).faults == ("interface eth0 has no IPv4 address to send from",)


def test_dont_track_primary_takes_the_down_link_for_no_fault_but_sends_nothing() -> None:
    verdict = judge(resolved(instance(dont_track_primary=True)), {"eth0": up(is_up=False)})
    assert verdict.faults == ()
    assert not verdict.can_send


def test_adverts_come_from_the_first_address_of_the_family_or_from_the_one_that_is_written() -> None:
    two = up("eth0", IPv6Address("fe80::5"), OWN, IPv4Address("10.0.0.7"))
    assert judge(resolved(), {"eth0": two}).source == OWN
    assert judge(resolved(instance(virtual_ipaddress=(line("fe80::1"),))), {"eth0": two}).source == IPv6Address(
        "fe80::5"
    )
    written = IPv4Address("192.0.2.1")
    assert judge(resolved(instance(mcast_src_ip=written)), {"eth0": two}).source == written


@pytest.mark.parametrize(
    ("weight", "reverse", "while_up", "while_down"),
    [
        (20, False, 120, 100),
        (-30, False, 100, 70),
        (20, True, 80, 100),
        (-30, True, 100, 130),
        (253, False, 254, 100),
        (-253, False, 100, 1),
    ],
)
def test_a_weight_moves_the_priority_within_1_and_254(
    weight: int, reverse: bool, while_up: int, while_down: int
) -> None:
    router = resolved(instance(track_interface=(Tracked("eth1", weight, reverse),)))
    assert judge(router, {"eth0": up(), "eth1": up("eth1")}).priority == while_up
    assert judge(router, {"eth0": up(), "eth1": up("eth1", is_up=False)}).priority == while_down
    assert judge(router, {"eth0": up(), "eth1": up("eth1", is_up=False)}).faults == ()


def test_a_tracker_without_weight_is_a_fault_while_down_or_reversed_while_up() -> None:
    plain = resolved(instance(track_interface=(Tracked("eth1"),)))
    reverse = resolved(instance(track_interface=(Tracked("eth1", None, True),)))
    down = {"eth0": up(), "eth1": up("eth1", is_up=False)}
    fine = {"eth0": up(), "eth1": up("eth1")}
    assert judge(plain, down).faults == ("tracked interface eth1 is down",)
    assert judge(plain, fine).faults == judge(reverse, down).faults == ()
    assert judge(reverse, fine).faults == ("tracked interface eth1 is up",)


def test_an_owner_keeps_its_priority() -> None:
    router = resolved(instance(priority=255, track_interface=(Tracked("eth1", -50),)))
    assert judge(router, {"eth0": up(), "eth1": up("eth1", is_up=False)}).priority == 255
