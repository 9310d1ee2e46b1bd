"""One virtual router on its own, driven through the router that owns its clock."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest

from lvsd.core.conf.values import Command, Secret, Tracked
from lvsd.core.notify.events import Alarm, TableDrifted
from lvsd.vrrp.settings import Authentication
from lvsd.vrrp.types import (
    AddressesFailed,
    AddressRemoved,
    AdvertReceived,
    Announce,
    DropAddresses,
    HoldAddresses,
    RunNotify,
    SendAdvert,
    SendFailed,
    Tell,
)
from lvsd.vrrp.wire.packet import Advert, decode, encode

from .build import GROUP4, OWN, PEER, VIP, Driver, advert, instance, line, settings, up

LOWER_PEER = IPv4Address("10.0.0.4")


def one(**more: Any) -> Driver:
    return Driver(settings(instance(**more)))


def master(**more: Any) -> Driver:
    driver = one(**more)
    driver.run(10)
    assert driver.state() == "MASTER"
    driver.actions.clear()
    return driver


def alarms(driver: Driver) -> list[Alarm]:
    return [action.event for action in driver.of(Tell) if isinstance(action.event, Alarm)]


# --- timers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "seconds"),
    [
        ({}, 3 + 156 / 256),
        ({"priority": 254}, 3 + 2 / 256),
        ({"priority": 1}, 3 + 255 / 256),
        ({"advert_int": 2.0}, 6 + 156 / 256),
        ({"down_timer_adverts": 5}, 5 + 156 / 256),
        ({"version": 3, "advert_int": 0.1}, 0.3 + 0.1 * 156 / 256),
        ({"version": 3, "advert_int": 2.0}, 6 + 2 * 156 / 256),
    ],
)
def test_a_backup_that_hears_nothing_is_master_after_the_master_down_interval(
    more: dict[str, Any], seconds: float
) -> None:
    driver = one(**more)
    driver.run(seconds - 0.0001)
    assert driver.state() == "BACKUP"
    driver.run(seconds + 0.0001)
    assert driver.state() == "MASTER"


def test_an_owner_is_master_at_once_and_after_a_fault_in_a_moment() -> None:
    driver = one(priority=255)
    driver.run(0)
    assert driver.state() == "MASTER"
    driver.tell(up(is_up=False))
    assert driver.state() == "FAULT"
    driver.tell(up())
    driver.run(1.0)
    assert driver.state() == "BACKUP"
    driver.run(1.01)
    assert driver.state() == "MASTER"


def test_state_master_without_priority_255_waits_like_any_other() -> None:
    from lvsd.vrrp.settings import InitialState

    driver = one(state=InitialState.MASTER, priority=150)
    driver.run(3.0)
    assert driver.state() == "BACKUP"


def test_version_3_learns_the_interval_of_the_master() -> None:
    driver = one(version=3, advert_int=0.1)
    driver.tell(advert(200, version=3, advert_int=2.0))
    driver.run(6)
    assert driver.state() == "BACKUP"
    driver.run(6 + 2 * 156 / 256 + 0.001)
    assert driver.state() == "MASTER"
    sent = driver.of(SendAdvert)[-1]
    own = decode(sent.data, sent.source, GROUP4, 255)
    assert isinstance(own, Advert)
    assert own.advert_int == 0.1


def test_the_advert_names_priority_and_addresses_and_leaves_every_interval() -> None:
    driver = master(virtual_ipaddress_excluded=(line("10.0.0.200"),))
    driver.run(20)
    sent = driver.of(SendAdvert)
    assert len(sent) == 10
    own = decode(sent[0].data, sent[0].source, sent[0].destination, 255)
    assert own == Advert(2, 51, 100, 1.0, (VIP,))
    assert (sent[0].source, sent[0].destination, sent[0].interface) == (OWN, GROUP4, "eth0")


# --- backup, RFC 9568 section 6.4.2 -----------------------------------------------------------------------------------


def test_adverts_of_higher_or_equal_priority_keep_a_backup() -> None:
    for priority in (100, 101, 255):
        driver = one()
        for second in range(10):
            driver.run(second)
            driver.tell(advert(priority, LOWER_PEER))
        assert driver.state() == "BACKUP"
        report = driver.router.report(driver.now).instances[0]
        assert (report.master, report.master_priority, report.master_advert_age) == (str(LOWER_PEER), priority, 0)


def test_a_lower_priority_is_taken_over_when_the_time_is_up() -> None:
    driver = one()
    for second in range(4):
        driver.run(second)
        driver.tell(advert(99))
    driver.run(4)
    assert driver.state() == "MASTER"
    assert driver.router.report(4).instances[0].counters["lower_priority_discarded"] == 4


def test_nopreempt_leaves_a_lower_master_in_place() -> None:
    driver = one(nopreempt=True)
    for second in range(10):
        driver.run(second)
        driver.tell(advert(1))
    assert driver.state() == "BACKUP"


def test_preempt_delay_runs_from_the_first_lower_advert_and_a_higher_one_clears_it() -> None:
    driver = one(preempt_delay=5.0)
    for second in range(20):
        driver.run(second)
        driver.tell(advert(200 if second == 3 else 50))
    # Started anew at second 4, over at 9; the last advert that was taken came at 8.
    became = next(at for at, action in driver.actions if isinstance(action, HoldAddresses))
    assert became == pytest.approx(8 + 3 + 156 / 256)


def test_priority_zero_shortens_the_wait_to_the_skew_time() -> None:
    driver = one()
    driver.tell(advert(200))
    driver.run(0.5)
    driver.tell(advert(0))
    driver.run(0.5 + 156 / 256 - 0.001)
    assert driver.state() == "BACKUP"
    driver.run(0.5 + 156 / 256 + 0.001)
    assert driver.state() == "MASTER"


# --- master, section 6.4.3 --------------------------------------------------------------------------------------------


def test_taking_over_sends_holds_announces_and_tells_in_this_order() -> None:
    driver = one(notify_master=Command(("/m",)), notify=Command(("/n", "x"), "ops"))
    actions = driver.run(3.7)
    assert [type(action) for action in actions] == [SendAdvert, HoldAddresses, Announce, Tell, RunNotify, RunNotify]
    assert actions[1] == HoldAddresses("V1", "eth0", (line(str(VIP)),), 3)
    assert actions[2] == Announce("V1", 5, 0.0)
    assert actions[4].argv == ("/m",)
    assert (actions[5].argv, actions[5].user) == (("/n", "x", "INSTANCE", "V1", "MASTER", "100"), "ops")
    assert actions[4].queue == actions[5].queue


def test_a_higher_priority_takes_the_addresses_without_a_goodbye() -> None:
    driver = master()
    actions = driver.tell(advert(101))
    assert actions[0] == DropAddresses("V1")
    assert not [action for action in actions if isinstance(action, SendAdvert)]
    assert driver.state() == "BACKUP"


def test_higher_prio_send_advert_says_a_word_before_it_yields() -> None:
    driver = master(higher_prio_send_advert=True)
    actions = driver.tell(advert(101))
    assert [type(action) for action in actions[:2]] == [DropAddresses, SendAdvert]
    assert actions[1].priority == 100


def test_of_equal_priorities_the_higher_address_wins() -> None:
    driver = master()
    driver.tell(advert(100, LOWER_PEER))
    assert driver.state() == "MASTER"
    driver.tell(advert(100, PEER))
    assert driver.state() == "BACKUP"


def test_the_own_source_address_is_heard_without_changing_anything() -> None:
    driver = master()
    driver.tell(advert(200, OWN))
    assert driver.state() == "MASTER"
    assert driver.router.counters["own_source_address"] == 1


def test_a_lower_priority_is_answered_by_an_advert_and_announcements() -> None:
    driver = master(garp_lower_prio_repeat=2, garp_lower_prio_delay=3.0, garp_master_delay=0.0)
    since = driver.now
    assert driver.tell(advert(50)) == [Announce("V1", 2, 0.0)]
    assert [type(action) for action in driver.run(since)] == [SendAdvert]
    driver.run(since + 3.0)
    assert driver.of(Announce, since + 2.9) == [Announce("V1", 2, 0.0)]


def test_lower_prio_no_advert_stays_silent_until_the_next_is_due() -> None:
    driver = master(lower_prio_no_advert=True)
    due = driver.router.deadline
    driver.tell(advert(50))
    assert driver.router.deadline == due


def test_a_flood_of_lower_priority_is_not_answered_by_a_flood() -> None:
    driver = master()
    for _ in range(100):
        driver.tell(advert(50))
        driver.run(driver.now)
    assert len(driver.of(Announce)) == 1


def test_priority_zero_of_another_is_answered_at_once() -> None:
    driver = master()
    driver.tell(advert(0))
    assert next(type(action) for action in driver.run(driver.now)) is SendAdvert
    assert driver.state() == "MASTER"


def test_garps_come_again_after_their_delay_and_at_every_refresh() -> None:
    driver = one(garp_master_delay=2.0, garp_master_refresh=4.0, garp_master_refresh_repeat=3)
    driver.run(13)
    start = 3 + 156 / 256
    times = [(round(at - start, 3), action.repeat) for at, action in driver.actions if isinstance(action, Announce)]
    assert times == [(0, 5), (2, 5), (4, 3), (8, 3)]


# --- what is dropped --------------------------------------------------------------------------------------------------


def test_strange_adverts_are_counted_alarmed_once_a_minute_and_change_nothing() -> None:
    driver = one(authentication=Authentication(auth_pass=Secret("1111")))
    right = encode(Advert(2, 51, 200, 1.0, (VIP,), 1, b"1111\0\0\0\0"), PEER, GROUP4)
    wrong = encode(Advert(2, 51, 200, 1.0, (VIP,), 1, b"1112\0\0\0\0"), PEER, GROUP4)
    for _ in range(3):
        driver.tell(AdvertReceived("eth0", PEER, GROUP4, 255, wrong))
    driver.tell(advert(200))
    driver.tell(advert(200, version=3))
    driver.tell(AdvertReceived("eth0", PEER, IPv4Address("10.0.0.5"), 255, right))
    slow = encode(Advert(2, 51, 200, 2.0, (VIP,), 1, b"1111\0\0\0\0"), PEER, GROUP4)
    driver.tell(AdvertReceived("eth0", PEER, GROUP4, 255, slow))
    counters = driver.router.counters
    assert counters == {
        "wrong_password": 3,
        "other_auth_type": 1,
        "other_version": 1,
        "wrong_destination": 1,
        "other_advert_int": 1,
    }
    assert driver.router.report(0).instances[0].master == ""
    assert [alarm.cleared for alarm in alarms(driver)] == [False]
    assert "wrong password" in alarms(driver)[0].why
    driver.tell(AdvertReceived("eth0", PEER, GROUP4, 255, right))
    assert [alarm.cleared for alarm in alarms(driver)] == [False, True]


def test_other_addresses_are_taken_with_an_alarm_that_names_them() -> None:
    driver = one()
    driver.tell(advert(200, addresses=(IPv4Address("10.0.0.101"),)))
    assert "10.0.0.101; here: 10.0.0.100" in alarms(driver)[0].why
    assert driver.router.report(0).instances[0].master_priority == 200


def test_skip_check_adv_addr_looks_at_the_first_advert_of_a_master_only() -> None:
    driver = one(skip_check_adv_addr=True)
    driver.tell(advert(200))
    driver.tell(advert(200, addresses=(IPv4Address("10.0.0.101"),)))
    assert not alarms(driver)


# --- faults, priority, addresses --------------------------------------------------------------------------------------


def test_a_lost_link_drops_the_addresses_and_says_nothing_on_the_dead_wire() -> None:
    driver = master()
    actions = driver.tell(up(is_up=False))
    assert actions[0] == DropAddresses("V1")
    assert not [action for action in actions if isinstance(action, SendAdvert)]
    assert driver.router.report(driver.now).instances[0].faults == ("interface eth0 is down",)
    since = driver.now
    driver.tell(up())
    driver.run(since + 3.0)
    assert driver.state() == "BACKUP"


def test_a_tracked_interface_s_fault_says_goodbye_after_the_addresses_are_dropped() -> None:
    given = settings(instance(track_interface=(Tracked("eth1"),)))
    driver = Driver(given, links=(up(), up("eth1")))
    driver.run(10)
    actions = driver.tell(up("eth1", is_up=False))
    assert [type(action) for action in actions[:2]] == [DropAddresses, SendAdvert]
    assert actions[1].priority == 0
    assert driver.state() == "FAULT"


def test_a_weight_changes_the_next_advert_at_once() -> None:
    given = settings(instance(track_interface=(Tracked("eth1", -30),)))
    driver = Driver(given, links=(up(), up("eth1")))
    driver.run(10)
    since = driver.now
    driver.tell(up("eth1", is_up=False))
    driver.run(since)
    assert [action.priority for action in driver.of(SendAdvert, since)] == [70]
    assert driver.state() == "MASTER"


def test_three_adverts_that_do_not_leave_are_a_fault_of_ten_seconds() -> None:
    driver = master()
    since = driver.now
    for _ in range(3):
        driver.tell(SendFailed("V1", 1))
    assert driver.state() == "FAULT"
    assert "errno 1" in driver.router.report(since).instances[0].why
    driver.run(since + 10)
    assert driver.state() == "BACKUP"


def test_a_removed_address_is_put_back_three_times_a_minute_and_then_given_up() -> None:
    driver = master()
    for _ in range(3):
        actions = driver.tell(AddressRemoved("V1", VIP))
        assert [type(a) for a in actions] == [HoldAddresses, Announce, Tell]
        assert isinstance(actions[2].event, TableDrifted)
    actions = driver.tell(AddressRemoved("V1", VIP))
    assert [type(a) for a in actions[:2]] == [DropAddresses, SendAdvert]
    assert actions[1].priority == 0
    assert driver.state() == "BACKUP"


def test_an_untracked_address_may_vanish() -> None:
    driver = master(virtual_ipaddress=(line(str(VIP), no_track=True),))
    assert driver.tell(AddressRemoved("V1", VIP)) == []


def test_refused_addresses_are_an_alarm_that_ends_with_the_mastership() -> None:
    driver = master()
    driver.tell(AddressesFailed("V1", ("10.0.0.100: no such device",)))
    assert driver.state() == "MASTER"
    assert "no such device" in alarms(driver)[0].why
    driver.tell(advert(200))
    assert [alarm.cleared for alarm in alarms(driver)] == [False, True]


def test_an_ipv6_instance_speaks_from_its_link_local_address() -> None:
    source = IPv6Address("fe80::5")
    driver = Driver(settings(instance(virtual_ipaddress=(line("fe80::100"),))), links=(up("eth0", source),))
    driver.run(4)
    sent = driver.of(SendAdvert)[0]
    assert (sent.source, sent.destination) == (source, IPv6Address("ff02::12"))
    assert isinstance(decode(sent.data, sent.source, sent.destination, 255), Advert)


# --- stalls -----------------------------------------------------------------------------------------------------------


def test_a_master_that_slept_longer_than_its_lease_yields_to_whoever_speaks() -> None:
    driver = master()
    driver.now += 5
    actions = driver.tell(advert(50))
    assert driver.state() == "BACKUP"
    assert actions[0] == DropAddresses("V1")
    assert not [action for action in actions if isinstance(action, SendAdvert)]


def test_a_master_that_slept_less_than_its_lease_goes_on() -> None:
    driver = master()
    driver.now += 1.5
    driver.tell(advert(50))
    assert driver.state() == "MASTER"


def test_a_master_that_slept_unnoticed_holds_its_addresses_anew_after_an_advert() -> None:
    driver = master()
    driver.now += 5
    actions = driver.run(driver.now)
    assert [type(a) for a in actions[:3]] == [SendAdvert, HoldAddresses, Announce]
    assert driver.state() == "MASTER"


def test_a_backup_that_slept_listens_for_as_long_as_a_master_takes_to_be_heard() -> None:
    driver = one()
    driver.tell(advert(200))
    driver.now = 60.0
    assert driver.run(60.0) == []
    driver.run(61.6)
    assert driver.state() == "BACKUP"
    driver.run(61.62)
    assert driver.state() == "MASTER"
    late = one()
    late.now = 3 + 156 / 256 + 0.2
    late.run(late.now)
    assert late.state() == "BACKUP"
    late.run(late.now + 0.21)
    assert late.state() == "MASTER"
