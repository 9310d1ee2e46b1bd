"""The whole node: dispatch, deadlines, renewals, start, adoption, reload, stop, report."""

from __future__ import annotations

import time
from ipaddress import IPv4Address
from itertools import pairwise
from typing import Any

import pytest

from lvsd.core.conf.values import Command, Lease
from lvsd.core.notify.events import Alarm, InstanceChanged
from lvsd.vrrp.resolve import Unresolvable
from lvsd.vrrp.router import Router
from lvsd.vrrp.settings import VrrpSettings, VrrpSyncGroup
from lvsd.vrrp.types import (
    AdvertReceived,
    AdvertSent,
    Announce,
    DropAddresses,
    HoldAddresses,
    RenewLeases,
    RunNotify,
    SendAdvert,
    TableProgrammed,
    Tell,
)

from .build import PEER, Driver, advert, instance, line, settings, up


def master(*instances: Any, **more: Any) -> Driver:
    driver = Driver(settings(*instances, **more))
    driver.run(10)
    driver.actions.clear()
    return driver


def reload(driver: Driver, *instances: Any, **more: Any) -> list[Any]:
    return driver.did(driver.router.reconfigure(settings(*instances, **more), driver.now))


# --- packets ----------------------------------------------------------------------------------------------------------


def test_each_packet_that_is_not_taken_is_counted_under_one_reason() -> None:
    driver = Driver(settings())
    driver.tell(advert(200, ttl=254))
    driver.tell(advert(200, vrid=99))
    driver.tell(advert(200, interface="eth9"))
    driver.tell(AdvertReceived("eth0", PEER, IPv4Address("224.0.0.18"), 255, b"\x21\x33"))
    assert driver.router.counters == {"ttl_not_255": 1, "unknown_vrid": 2, "too_short": 1}
    assert driver.actions[1:] == []


# --- start ------------------------------------------------------------------------------------------------------------


def test_an_instance_waits_in_init_for_its_interface() -> None:
    router = Router(settings(), 0.0)
    assert router.interfaces == {"eth0"}
    assert router.deadline is None
    assert router.tick(100.0) == []
    assert router.report(100.0).instances[0].state == "INIT"


def test_the_startup_delay_postpones_everything() -> None:
    driver = Driver(settings(vrrp_startup_delay=20.0))
    driver.tell(advert(200))
    assert driver.run(19.9) == []
    assert driver.state() == "INIT"
    assert driver.router.counters["not_running"] == 1
    driver.run(20 + 3.7)
    assert driver.state() == "MASTER"
    assert driver.changes() == ["INIT BACKUP", "BACKUP MASTER"]


def test_nobody_is_master_before_the_table_is_programmed() -> None:
    driver = Driver(settings(instance(priority=255)), wait_for_table=True)
    driver.run(5)
    assert driver.state() == "BACKUP"
    driver.tell(TableProgrammed(1))
    assert driver.state() == "MASTER"


def test_after_ten_seconds_without_a_table_an_alarm_says_so_until_it_is_programmed() -> None:
    driver = Driver(settings(), wait_for_table=True)
    driver.run(9.99)
    assert driver.state() == "BACKUP"
    driver.run(10)
    assert driver.state() == "MASTER"
    driver.tell(TableProgrammed(1))
    alarms = [action.event for action in driver.of(Tell) if isinstance(action.event, Alarm)]
    assert [(alarm.subject, alarm.cleared) for alarm in alarms] == [("ipvs table", False), ("ipvs table", True)]


# --- adoption ---------------------------------------------------------------------------------------------------------


def test_an_adopted_instance_is_master_without_scripts_or_announcements() -> None:
    given = settings(instance(notify=Command(("/n",))))
    driver = Driver(given, adopted=frozenset({"V1"}))
    actions = driver.run(0)
    assert {type(a) for _, a in driver.actions} == {Tell, SendAdvert, HoldAddresses, RenewLeases}
    assert isinstance(actions[0], SendAdvert)
    assert driver.state() == "MASTER"


def test_an_adopted_master_whose_link_is_down_lets_go() -> None:
    driver = Driver(settings(), links=(up(is_up=False),), adopted=frozenset({"V1"}))
    assert driver.of(DropAddresses) == [DropAddresses("V1")]
    assert driver.state() == "FAULT"


def test_a_group_is_adopted_whole_or_dropped() -> None:
    members = (instance("A"), instance("B", virtual_router_id=52, virtual_ipaddress=(line("10.0.0.101"),)))
    groups = (VrrpSyncGroup(name="G", group=("A", "B")),)
    whole = Driver(settings(*members, groups=groups), adopted=frozenset({"A", "B"}))
    assert [g.state for g in whole.router.report(0).groups] == ["MASTER"]
    half = Driver(settings(*members, groups=groups), adopted=frozenset({"B"}))
    assert half.of(DropAddresses) == [DropAddresses("B")]
    assert half.state("A") == half.state("B") == "BACKUP"


# --- leases -----------------------------------------------------------------------------------------------------------


def test_leases_are_renewed_in_one_burst_a_second_after_adverts_that_left() -> None:
    driver = master(
        instance("A", version=3, advert_int=0.1),
        instance("B", virtual_router_id=52, version=3, advert_int=0.3, virtual_ipaddress=(line("10.0.0.101"),)),
    )
    driver.run(20)
    rounds = [(at, action) for at, action in driver.actions if isinstance(action, RenewLeases)]
    assert 8 <= len(rounds) <= 10
    for at, action in rounds:
        assert action.instances == ("A", "B")
        assert at < action.deadline <= at + 1.0


def test_an_instance_whose_adverts_do_not_leave_is_not_renewed() -> None:
    router = Router(settings(), 0.0)
    router.handle(up(), 0.0)
    now, renewed = 0.0, []
    while now < 20 and (now := router.deadline or 99.0) < 20:
        for action in router.tick(now):
            if isinstance(action, SendAdvert) and now < 8:
                renewed += [now for a in router.handle(AdvertSent("V1"), now) if isinstance(a, RenewLeases)]
            elif isinstance(action, RenewLeases):
                renewed.append(now)
    assert renewed
    assert max(renewed) < 8 + 1.5


def test_slow_adverts_with_a_short_lease_are_renewed_by_the_clock() -> None:
    driver = master(instance(advert_int=5.0, vip_lease=Lease(seconds=3)))
    driver.run(100)
    times = [at for at, action in driver.actions if isinstance(action, RenewLeases)]
    assert max(b - a for a, b in pairwise(times)) < 2.0


def test_without_leases_nothing_is_renewed() -> None:
    driver = master(vip_lease=Lease(on=False))
    driver.run(20)
    assert driver.of(RenewLeases) == []


# --- reload -----------------------------------------------------------------------------------------------------------


def test_a_reload_without_a_change_does_nothing() -> None:
    driver = master()
    due = driver.router.deadline
    assert reload(driver) == []
    assert driver.router.deadline == due


def test_changing_one_instance_leaves_the_other_s_timers_alone() -> None:
    other = instance("B", virtual_router_id=52, virtual_ipaddress=(line("10.0.0.101"),))
    driver = master(instance("A"), other)
    driver.run(10.3)
    reload(driver, instance("A", priority=90), other)
    sent = [(a.instance, a.priority) for a in driver.run(10.3) if isinstance(a, SendAdvert)]
    assert sent == [("A", 90)]
    assert driver.state("A") == driver.state("B") == "MASTER"


def test_new_addresses_are_held_and_announced_without_a_failover() -> None:
    driver = master()
    more = (line("10.0.0.100"), line("10.0.0.101"))
    actions = reload(driver, instance(virtual_ipaddress=more))
    assert [type(a) for a in actions] == [HoldAddresses, Announce]
    assert actions[0].addresses == more


def test_a_renamed_instance_stays_master_under_its_new_name() -> None:
    driver = master()
    actions = reload(driver, instance("NEW"))
    assert [type(a) for a in actions] == [DropAddresses, HoldAddresses, Announce]
    assert (actions[0].instance, actions[1].instance) == ("V1", "NEW")
    assert driver.state("NEW") == "MASTER"


def test_names_that_are_exchanged_lose_no_address() -> None:
    second = {"virtual_router_id": 52, "virtual_ipaddress": (line("10.0.0.101"),)}
    driver = master(instance("A"), instance("B", **second))
    actions = reload(driver, instance("B"), instance("A", **second))
    held: dict[str, HoldAddresses] = {}
    for action in actions:
        if isinstance(action, DropAddresses):
            held.pop(action.instance, None)
        elif isinstance(action, HoldAddresses):
            held[action.instance] = action
    assert {name: str(hold.addresses[0].address) for name, hold in held.items()} == {
        "B": "10.0.0.100",
        "A": "10.0.0.101",
    }


def test_a_removed_instance_says_goodbye_and_its_scripts_hear_fault() -> None:
    gone = instance("B", virtual_router_id=52, virtual_ipaddress=(), notify=Command(("/n",)))
    driver = master(instance("A"), gone)
    actions = reload(driver, instance("A"))
    assert [type(a) for a in actions] == [DropAddresses, SendAdvert, Tell, RunNotify]
    assert actions[1].priority == 0
    assert isinstance(actions[2].event, InstanceChanged)
    assert (actions[2].event.state, actions[2].event.why) == ("STOP", "removed from the configuration")
    assert actions[3].argv == ("/n", "INSTANCE", "B", "FAULT", "100")
    assert [i.name for i in driver.router.report(10).instances] == ["A"]


def test_another_vrid_is_another_instance() -> None:
    driver = master()
    reload(driver, instance(virtual_router_id=77))
    assert driver.state() == "BACKUP"
    assert driver.of(DropAddresses) == [DropAddresses("V1")]


def test_a_refused_reload_changes_nothing() -> None:
    driver = master()
    with pytest.raises(Unresolvable):
        reload(driver, instance("A"), instance("B"))
    assert driver.state() == "MASTER"
    driver.run(12)
    assert len(driver.of(SendAdvert)) == 2


def test_instances_that_leave_their_group_keep_their_state() -> None:
    members = (instance("A"), instance("B", virtual_router_id=52, virtual_ipaddress=(line("10.0.0.101"),)))
    driver = master(*members, groups=(VrrpSyncGroup(name="G", group=("A", "B")),))
    assert reload(driver, *members) == []
    assert driver.state("A") == driver.state("B") == "MASTER"
    driver.tell(advert(200))
    assert (driver.state("A"), driver.state("B")) == ("BACKUP", "MASTER")


# --- stop, report, cost -----------------------------------------------------------------------------------------------


def test_a_stop_drops_everything_before_the_goodbyes_and_then_is_deaf() -> None:
    members = (instance("A"), instance("B", virtual_router_id=52, virtual_ipaddress=(line("10.0.0.101"),)))
    driver = master(*members)
    actions = driver.router.stop(driver.now, "lvsd is stopped")
    assert actions[:2] == [DropAddresses("A"), DropAddresses("B")]
    assert [a.priority for a in actions if isinstance(a, SendAdvert)] == [0, 0]
    told = [a.event for a in actions if isinstance(a, Tell)]
    assert {(event.state, event.why) for event in told if isinstance(event, InstanceChanged)} == {
        ("STOP", "lvsd is stopped")
    }
    assert driver.router.deadline is None
    assert driver.tell(advert(50)) == driver.router.tick(99) == driver.router.stop(99, "again") == []
    assert driver.router.report(99).held == ()


def test_a_backup_stops_without_a_goodbye() -> None:
    driver = Driver(settings())
    assert [type(a) for a in driver.router.stop(1.0, "bye")] == [Tell]


def test_the_report_says_what_is_held_and_why() -> None:
    driver = master()
    report = driver.router.report(12.0, generation=4, lateness=0.5)
    (one,) = report.instances
    assert (report.generation, report.lateness, report.held) == (4, 0.5, ("10.0.0.100/32",))
    assert one.why == "no master of equal or higher priority is heard"
    assert one.state_seconds == pytest.approx(12 - 3 - 156 / 256)
    assert one.counters["became_master"] == 1


def test_the_clock_is_asked_for_nothing_between_deadlines() -> None:
    driver = master()
    due = driver.router.deadline
    assert due is not None
    assert driver.router.tick(due - 0.001) == []


def test_a_hundred_instances_at_100_ms_cost_a_small_part_of_a_core() -> None:
    many = VrrpSettings(
        settings().globals,
        tuple(
            instance(
                f"V{n}",
                virtual_router_id=n,
                version=3,
                advert_int=0.1,
                virtual_ipaddress=(line(f"10.1.0.{n}"),),
            )
            for n in range(1, 101)
        ),
        (),
    )
    driver = Driver(many)
    driver.run(2)
    begin = time.process_time()
    driver.run(7)
    per_second = (time.process_time() - begin) / 5
    assert len(driver.of(SendAdvert, 2)) >= 4900
    assert per_second < 0.2


def test_a_take_over_says_whether_the_master_resigned_or_fell_silent() -> None:
    silent, resigned = Driver(settings()), Driver(settings())
    for driver in (silent, resigned):
        driver.tell(advert(200))
    resigned.tell(advert(0))
    for driver in (silent, resigned):
        driver.run(10)
    assert resigned.router.report(10.0).instances[0].why == f"the master {PEER} resigned"
    assert f"the master {PEER} has been silent for 3.6" in silent.router.report(10.0).instances[0].why
