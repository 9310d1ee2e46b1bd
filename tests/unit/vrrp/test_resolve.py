from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest

from lvsd.core.conf.values import Command, Lease, Secret, Tracked
from lvsd.vrrp.resolve import Unresolvable, resolve
from lvsd.vrrp.settings import Authentication, AuthType, InitialState, VrrpSyncGroup

from .build import instance, line, resolved, settings

V6 = (line("fe80::100"), line("2001:db8::100"))


def test_what_is_not_written_is_what_keepalived_has() -> None:
    router = resolved()
    assert (router.version, router.priority, router.advert_int, router.down_adverts) == (2, 100, 1.0, 3)
    assert router.destination == IPv4Address("224.0.0.18")
    assert (router.announcing.repeat, router.announcing.second_after, router.announcing.refresh_every) == (5, 5.0, 0.0)
    assert (router.announcing.lower_repeat, router.announcing.lower_second_after) == (5, 5.0)
    assert router.answers_lower
    assert not router.nopreempt
    assert router.password is None


def test_an_ipv6_instance_is_version_3_whatever_is_written() -> None:
    router = resolved(instance(virtual_ipaddress=V6, version=2))
    assert router.version == 3
    assert router.destination == IPv6Address("ff02::12")
    assert router.advertised == (IPv6Address("fe80::100"), IPv6Address("2001:db8::100"))


def test_state_master_gives_priority_255_and_clears_nopreempt_and_its_delay() -> None:
    router = resolved(instance(state=InitialState.MASTER, nopreempt=True))
    assert (router.priority, router.nopreempt, router.owner) == (255, False, True)
    assert resolved(instance(state=InitialState.MASTER, priority=150, preempt_delay=5.0)).preempt_delay == 0
    assert not resolved(instance(state=InitialState.MASTER, priority=150, nopreempt=True)).nopreempt


def test_nopreempt_makes_a_preempt_delay_meaningless() -> None:
    assert resolved(instance(nopreempt=True, preempt_delay=5.0)).preempt_delay == 0
    assert resolved(instance(preempt_delay=5.0)).preempt_delay == 5.0


@pytest.mark.parametrize(
    ("written", "version", "used"),
    [(0.4, 2, 1.0), (1.5, 2, 2.0), (1.4, 2, 1.0), (0.014, 3, 0.01), (0.25, 3, 0.25), (100.0, 3, 40.95)],
)
def test_the_advert_interval_fits_its_field(written: float, version: int, used: float) -> None:
    assert resolved(instance(advert_int=written, version=version)).advert_int == pytest.approx(used)


def test_eight_bytes_of_the_password_count_and_version_3_has_none() -> None:
    password = Authentication(auth_type=AuthType.PASS, auth_pass=Secret("0123456789"))
    assert resolved(instance(authentication=password)).password == b"01234567"
    assert resolved(instance(authentication=password, version=3)).password is None
    short = Authentication(auth_type=AuthType.PASS, auth_pass=Secret("1111"))
    assert resolved(instance(authentication=short)).password == b"1111\0\0\0\0"


def test_authentication_header_and_a_vrid_twice_on_an_interface_are_refused_with_names() -> None:
    with pytest.raises(Unresolvable) as caught:
        resolve(settings(instance("A", authentication=Authentication(auth_type=AuthType.AH)), instance("B")))
    assert caught.value.problems[0].startswith("vrrp_instance A: auth_type AH")
    assert "A, B" in caught.value.problems[1]
    resolve(settings(instance("A"), instance("B", interface="eth1"), instance("C", virtual_ipaddress=V6)))


@pytest.mark.parametrize(
    ("advert_int", "version", "written", "lease"),
    [
        (1.0, 2, Lease(), 3),
        (0.1, 3, Lease(), 2),
        (0.9, 3, Lease(), 2),
        (5.0, 2, Lease(), 10),
        (1.0, 2, Lease(on=False), 0),
        (1.0, 2, Lease(seconds=7), 7),
        (1.0, 2, Lease(seconds=1), 2),
    ],
)
def test_the_lease_is_three_intervals_between_2_and_10_seconds(
    advert_int: float, version: int, written: Lease, lease: int
) -> None:
    assert resolved(instance(advert_int=advert_int, version=version, vip_lease=written)).lease == lease
    assert resolved(instance(advert_int=advert_int, version=version), vip_lease=written).lease == lease


def test_members_of_a_group_have_the_lease_of_the_fastest() -> None:
    node = resolve(
        settings(
            instance("A"),
            instance("B", virtual_router_id=52, advert_int=5.0),
            instance("C", virtual_router_id=53, vip_lease=Lease(on=False)),
            groups=(VrrpSyncGroup(name="G", group=("A", "B", "C")),),
        )
    )
    assert [router.lease for router in node.routers] == [3, 3, 0]


def test_garps_come_from_the_instance_then_from_the_defaults() -> None:
    router = resolved(instance(garp_master_delay=2.0, garp_lower_prio_repeat=1), vrrp_garp_master_repeat=3)
    assert (router.announcing.repeat, router.announcing.second_after) == (3, 2.0)
    assert (router.announcing.lower_repeat, router.announcing.lower_second_after) == (1, 2.0)
    few = resolved(vrrp_min_garp=True)
    assert (few.announcing.repeat, few.announcing.second_after) == (1, 0.0)
    assert resolved(vrrp_min_garp=True, vrrp_garp_master_repeat=3).announcing.repeat == 3
    assert resolved(vrrp_garp_interval=0.1).announcing.interval == 0.1
    assert resolved(instance(virtual_ipaddress=V6), vrrp_gna_interval=0.2).announcing.interval == 0.2


def test_trackers_of_the_group_win_and_have_no_weight_there() -> None:
    own = instance("A", track_interface=(Tracked("eth1", 20), Tracked("eth0")))
    assert resolved(own).trackers == (Tracked("eth1", 20),)
    group = VrrpSyncGroup(name="G", group=("A",), track_interface=(Tracked("eth2", -5),))
    assert resolved(own, groups=(group,)).trackers == (Tracked("eth1", 0), Tracked("eth2", 0))
    assert resolved(instance(track_interface=(Tracked("eth1", 254),))).trackers == (Tracked("eth1", 253),)


def test_a_group_drops_members_that_do_not_exist_or_belong_to_another() -> None:
    groups = (VrrpSyncGroup(name="G", group=("A", "X", "A")), VrrpSyncGroup(name="H", group=("A", "Y")))
    node = resolve(settings(instance("A"), groups=groups))
    assert [(group.name, group.members) for group in node.groups] == [("G", ("A",))]


def test_more_addresses_than_a_packet_holds_are_held_but_not_named() -> None:
    many = tuple(line(f"2001:db8::{n:x}") for n in range(1, 121))
    router = resolved(instance(virtual_ipaddress=many))
    assert (len(router.advertised), len(router.addresses)) == (90, 120)


def test_scripts_run_as_the_default_user_unless_they_say_otherwise() -> None:
    defaults = {"script_user": Command((), "ops", "staff")}
    router = resolved(instance(notify_master=Command(("/m",)), notify=Command(("/n",), "root")), **defaults)
    assert router.notify.by_state == (("MASTER", Command(("/m",), "ops", "staff")),)
    assert router.notify.every == Command(("/n",), "root")


def test_the_interfaces_to_watch_are_the_own_and_the_tracked_ones() -> None:
    node = resolve(settings(instance(track_interface=(Tracked("eth7"),))))
    assert node.interfaces == {"eth0", "eth7"}
