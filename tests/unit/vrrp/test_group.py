from __future__ import annotations

from typing import Any

import pytest

from lvsd.core.conf.values import Command
from lvsd.core.notify.events import GroupChanged
from lvsd.vrrp.settings import VrrpSettings, VrrpSyncGroup
from lvsd.vrrp.types import Announce, DropAddresses, HoldAddresses, RunNotify, SendAdvert, Tell

from .build import VIP, Driver, advert, instance, line, settings, up

INSIDE = "10.1.0.1"


def pair(priority: int = 100, *, goodbye: bool = True, **more: Any) -> VrrpSettings:
    group = VrrpSyncGroup(name="G", group=("A", "B"), group_goodbye=goodbye, notify=Command(("/g",)))
    return settings(
        instance("A", priority=priority, notify=Command(("/a",)), **more),
        instance(
            "B",
            priority=priority,
            interface="eth1",
            virtual_router_id=52,
            virtual_ipaddress=(line(INSIDE),),
            **more,
        ),
        groups=(group,),
    )


def driven(given: VrrpSettings | None = None) -> Driver:
    return Driver(given or pair(), links=(up(), up("eth1")))


def hear_inside(driver: Driver, priority: int) -> None:
    driver.tell(advert(priority, interface="eth1", vrid=52, addresses=()))


def states(driver: Driver) -> list[str]:
    report = driver.router.report(driver.now)
    return [*(i.state for i in report.instances), *(g.state for g in report.groups)]


def test_all_members_become_master_together_adverts_first_and_the_group_last() -> None:
    driver = driven()
    actions = driver.run(4)
    kinds = [type(a) for a in actions]
    assert kinds[:6] == [SendAdvert, SendAdvert, HoldAddresses, HoldAddresses, Announce, Announce]
    told = [a.event for a in actions if isinstance(a, Tell)]
    assert [event.name for event in told] == ["A", "B", "G"]
    assert isinstance(told[2], GroupChanged)
    scripts = [a.argv for a in actions if isinstance(a, RunNotify)]
    assert scripts == [("/a", "INSTANCE", "A", "MASTER", "100"), ("/g", "GROUP", "G", "MASTER", "0")]


def test_one_member_whose_master_lives_keeps_all_of_them_backup() -> None:
    driver = driven()
    for second in range(20):
        driver.run(second)
        hear_inside(driver, 200)
    assert states(driver) == ["BACKUP"] * 3
    driver.run(25)
    assert states(driver) == ["MASTER"] * 3


def test_an_advert_takes_the_wish_of_a_waiting_member_back() -> None:
    driver = driven()
    for second in range(6):
        driver.run(second)
        hear_inside(driver, 200)
    driver.tell(advert(200))
    driver.run(8.6)
    assert states(driver) == ["BACKUP"] * 3
    driver.run(8.7)
    assert states(driver) == ["MASTER"] * 3


def test_one_member_that_yields_takes_the_others_along_without_a_goodbye() -> None:
    driver = driven()
    driver.run(4)
    actions = driver.tell(advert(200))
    assert states(driver) == ["BACKUP"] * 3
    assert [a for a in actions if isinstance(a, DropAddresses)] == [DropAddresses("A"), DropAddresses("B")]
    assert not [a for a in actions if isinstance(a, SendAdvert)]


def test_a_fault_of_one_is_a_fault_of_all_and_the_healthy_wire_hears_the_goodbye() -> None:
    driver = driven()
    driver.run(4)
    actions = driver.tell(up("eth1", is_up=False))
    assert states(driver) == ["FAULT"] * 3
    assert actions[:2] == [DropAddresses("A"), DropAddresses("B")]
    assert [(a.instance, a.priority) for a in actions if isinstance(a, SendAdvert)] == [("A", 0)]
    since = driver.now
    driver.tell(up("eth1"))
    assert states(driver) == ["BACKUP"] * 3
    driver.run(since + 3.7)
    assert states(driver) == ["MASTER"] * 3


@pytest.mark.parametrize(("phase", "expected"), [(0.1, 1 + 0.1 * 156 / 256), (0.9, 0.9 + 156 / 256)])
def test_a_goodbye_of_one_wire_shortens_the_wait_on_the_other(phase: float, expected: float) -> None:
    """The later of goodbye + skew, and own last advert + advert_int + skew / 10."""
    driver = driven()
    driver.run(1)
    driver.tell(advert(200))
    hear_inside(driver, 200)
    driver.run(1 + phase)
    driver.tell(advert(0))
    driver.run(1 + expected - 0.001)
    assert states(driver) == ["BACKUP"] * 3
    driver.run(1 + expected + 0.001)
    assert states(driver) == ["MASTER"] * 3


def test_without_the_rule_the_mate_waits_its_full_time() -> None:
    driver = driven(pair(goodbye=False))
    driver.tell(advert(200))
    hear_inside(driver, 200)
    driver.tell(advert(0))
    driver.run(3.6)
    assert states(driver) == ["BACKUP"] * 3
    driver.run(3.62)
    assert states(driver) == ["MASTER"] * 3


def test_a_goodbye_of_somebody_else_than_the_followed_master_shortens_nothing_for_the_mates() -> None:
    from ipaddress import IPv4Address

    driver = driven()
    driver.tell(advert(200))
    hear_inside(driver, 200)
    driver.tell(advert(0, IPv4Address("10.0.0.77")))
    driver.run(3.6)
    assert states(driver) == ["BACKUP"] * 3


def test_owners_start_as_masters_only_if_all_are_owners() -> None:
    driver = driven(pair(255))
    driver.run(0)
    assert states(driver) == ["MASTER"] * 3
    mixed = pair(255)
    lower = instance("B", interface="eth1", virtual_router_id=52, virtual_ipaddress=(line(INSIDE),))
    driver = driven(VrrpSettings(mixed.globals, (mixed.instances[0], lower), mixed.groups))
    driver.run(3)
    assert states(driver) == ["BACKUP"] * 3


def test_a_contested_member_makes_its_mates_announce_too() -> None:
    driver = driven()
    driver.run(20)
    actions = driver.tell(advert(50))
    assert [a.instance for a in actions if isinstance(a, Announce)] == ["A", "B"]


def test_members_that_join_a_group_of_masters_are_masters_with_it() -> None:
    given = pair()
    driver = driven(VrrpSettings(given.globals, given.instances[:1], (VrrpSyncGroup(name="G", group=("A", "B")),)))
    driver.run(10)
    actions = driver.did(driver.router.reconfigure(given, driver.now))
    assert states(driver) == ["MASTER"] * 3
    assert [a.instance for a in actions if isinstance(a, HoldAddresses)] == ["B"]
    assert not [a for a in actions if isinstance(a, DropAddresses)]


def test_a_new_group_of_unlike_members_starts_as_backup_with_a_goodbye() -> None:
    given = pair()
    driver = driven(VrrpSettings(given.globals, given.instances, ()))
    driver.run(3)
    hear_inside(driver, 200)
    driver.run(4)
    assert driver.state("A") == "MASTER"
    actions = driver.did(driver.router.reconfigure(given, driver.now))
    assert states(driver) == ["BACKUP"] * 3
    assert [a.priority for a in actions if isinstance(a, SendAdvert)] == [0]
    assert VIP is not None
