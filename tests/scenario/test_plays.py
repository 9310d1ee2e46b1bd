"""Named plays: what operators live through, each over a range of phases between the two directors' clocks."""

from __future__ import annotations

from itertools import pairwise

import pytest

from lvsd.vrrp.types import Announce, HoldAddresses, SendAdvert

from .farm import INNER, INSIDE, OUTER, VIP, pair, settled, sources
from .sim import World

PHASES = range(1, 21)
DELAY = 0.011  # the longest way of a packet, and a little


@pytest.mark.parametrize("seed", PHASES)
def test_an_ordered_stop_is_taken_over_within_the_skew_time(seed: int) -> None:
    world, lb1, lb2 = settled(seed)
    since = world.now
    lb1.stop()
    assert not lb1.table
    world.run(since + 10)
    for address in (VIP, INSIDE):
        assert world.holders[address] == {"lb2"}
        assert world.without_holder(address, since) <= 0.65
        assert world.with_two(address, since) == 0
    assert set(lb2.states().values()) == {"MASTER"}


@pytest.mark.parametrize("seed", PHASES)
def test_losing_the_inner_link_moves_the_whole_group_by_the_goodbye_of_the_outer_instance(seed: int) -> None:
    world, lb1, _ = settled(seed)
    since = world.now
    lb1.link(INNER, up=False)
    world.run(since + 10)
    for address in (VIP, INSIDE):
        assert world.holders[address] == {"lb2"}
        assert world.without_holder(address, since) <= 1.2
        assert world.with_two(address, since) == 0
    assert set(lb1.states().values()) == {"FAULT"}


def test_without_the_rule_of_the_goodbye_the_inner_instance_waits_its_full_time() -> None:
    world, lb1, _ = settled(3, goodbye=False)
    since = world.now
    lb1.link(INNER, up=False)
    world.run(since + 10)
    assert world.holders[VIP] == {"lb2"}
    assert 2.3 <= world.without_holder(VIP, since) <= 3.7


def test_a_goodbye_of_one_member_is_taken_back_by_the_adverts_of_the_other() -> None:
    """The peer has no group: it removes one instance and goes on with the other."""
    world = World(1)
    lb1 = world.director("lb1", pair(150, grouped=False), sources(1))
    lb2 = world.director("lb2", pair(100), sources(2))
    world.run(10)
    outer_only = pair(150, grouped=False)
    lb1.reload(type(outer_only)(outer_only.globals, outer_only.instances[1:], ()))
    world.run(30)
    assert lb1.states() == {"IN": "MASTER"}
    assert set(lb2.states().values()) == {"BACKUP"}
    assert world.holders[INSIDE] == {"lb1"}


@pytest.mark.parametrize("seed", PHASES)
def test_a_killed_daemons_addresses_lapse_and_one_holder_remains(seed: int) -> None:
    world, lb1, _ = settled(seed)
    since = world.now
    lb1.kill()
    world.run(since + 4.2)
    assert world.holders[VIP] == world.holders[INSIDE] == {"lb2"}
    world.run(since + 20)
    assert world.without_holder(VIP, since) <= 1.7
    assert world.with_two(VIP, since) <= 1.0


@pytest.mark.parametrize("seed", PHASES)
def test_a_host_without_power_is_replaced_at_the_master_down_time(seed: int) -> None:
    world, lb1, _ = settled(seed)
    since = world.now
    lb1.lose_power()
    world.run(since + 10)
    assert world.holders[VIP] == {"lb2"}
    assert world.without_holder(VIP, since) <= 3.7


@pytest.mark.parametrize("seed", PHASES)
def test_a_frozen_master_gives_way_to_the_one_that_took_over(seed: int) -> None:
    world, lb1, _ = settled(seed, nopreempt=True)
    since = world.now
    lb1.freeze(7)
    world.run(since + 30)
    for address in (VIP, INSIDE):
        assert world.holders[address] == {"lb2"}
        assert world.with_two(address, since) <= 1.0
    woken = [action for at, action in lb1.actions if at >= since + 7]
    assert not [action for action in woken if isinstance(action, SendAdvert | HoldAddresses)]
    assert "stood still" in "".join(world.trace)


def test_a_frozen_master_of_higher_priority_comes_back_by_election_only() -> None:
    world, lb1, _ = settled(5)
    since = world.now
    lb1.freeze(7)
    world.run(since + 30)
    assert lb1.is_master()
    preempted = [start for start, _, names in world.spans(VIP, since) if names == {"lb1"} and start > since + 7]
    assert preempted[0] >= since + 7 + 3.0
    assert world.with_two(VIP, since + 7.0) <= DELAY


def test_a_master_that_stood_still_alone_takes_its_lapsed_addresses_up_again() -> None:
    world, lb1, lb2 = settled(2)
    lb2.stop()
    since = world.now
    lb1.freeze(6)
    world.run(since + 6.001)
    assert world.holders[VIP] == {"lb1"}
    assert [a for at, a in lb1.actions if at >= since + 6 and isinstance(a, Announce)]


def test_a_backup_that_stood_still_does_not_take_its_own_sleep_for_silence() -> None:
    world, _, lb2 = settled(4)
    since = world.now
    lb2.freeze(20)
    world.mute(OUTER, "lb1", "lb2")
    world.mute(INNER, "lb1", "lb2")
    world.run(since + 19.9)
    world.heal()
    world.run(since + 40)
    assert world.with_two(VIP, since) == 0
    assert set(lb2.states().values()) == {"BACKUP"}


def test_equal_priorities_that_start_together_are_settled_by_the_higher_address() -> None:
    for seed in range(1, 101):
        world = World(seed)
        # Both wires deaf until both are master: the harshest form of a draw.
        world.mute(OUTER, "lb1", "lb2")
        world.mute(OUTER, "lb2", "lb1")
        lb1 = world.director("lb1", pair(100, grouped=False), sources(1))
        lb2 = world.director("lb2", pair(100, grouped=False), sources(2))
        world.run(8)
        assert world.holders[VIP] == {"lb1", "lb2"}
        world.heal()
        world.run(8 + 1.1)
        assert world.holders[VIP] == {"lb2"}, seed
        assert lb2.is_master()
        assert lb1.states()["OUT"] == "BACKUP"


@pytest.mark.parametrize("seed", PHASES)
def test_with_nopreempt_the_old_master_returns_as_backup(seed: int) -> None:
    world, lb1, lb2 = settled(seed, nopreempt=True)
    lb1.stop()
    world.run(world.now + 5)
    assert lb2.is_master()
    since = world.now
    lb1.start()
    world.run(since + 30)
    assert set(lb1.states().values()) == {"BACKUP"}
    assert world.spans(VIP, since) == [(since, world.now, frozenset({"lb2"}))]


@pytest.mark.parametrize("seed", PHASES)
def test_a_preempting_old_master_overlaps_for_one_network_delay_only(seed: int) -> None:
    world, lb1, _ = settled(seed)
    lb1.stop()
    world.run(world.now + 5)
    since = world.now
    lb1.start()
    world.run(since + 30)
    assert lb1.is_master()
    assert world.with_two(VIP, since) <= DELAY
    assert world.without_holder(VIP, since) == 0


def test_preempt_delay_counts_from_the_first_advert_of_lower_priority() -> None:
    world, lb1, _ = settled(1, preempt_delay=10.0)
    lb1.stop()
    world.run(world.now + 5)
    since = world.now
    lb1.start()
    world.run(since + 30)
    back = next(start for start, _, names in world.spans(VIP, since) if names == {"lb1"})
    assert 10.0 <= back - since <= 10 + 1 + 3.5


def test_a_peer_like_keepalived_without_leases_and_without_the_goodbye_rule_gets_along() -> None:
    """keepalived waits out the inner instance's time, and holds its addresses for ever once it is killed."""
    world = World(7)
    ours = world.director("lb1", pair(150), sources(1))
    theirs = world.director("lb2", pair(100, goodbye=False, leases=False), sources(2))
    world.run(10)
    assert ours.is_master()
    since = world.now
    ours.stop()
    world.run(since + 5)
    assert world.holders[VIP] == {"lb2"}
    assert world.without_holder(VIP, since) <= 0.65
    ours.start()
    world.run(world.now + 10)
    assert world.holders[VIP] == {"lb1"}
    since = world.now
    ours.link(INNER, up=False)
    world.run(since + 10)
    assert world.holders[VIP] == world.holders[INSIDE] == {"lb2"}
    assert world.without_holder(VIP, since) <= 3.7
    since = world.now
    theirs.link(OUTER, up=False)
    ours.link(INNER, up=True)
    world.run(since + 10)
    assert world.holders[VIP] == world.holders[INSIDE] == {"lb1"}


def test_a_restarted_process_that_adopts_is_master_without_a_failover() -> None:
    world, lb1, lb2 = settled(6)
    since = world.now
    lb1.kill()
    world.run(since + 0.8)
    lb1.start(adopt=True)
    world.run(since + 20)
    assert world.spans(VIP, since) == [(since, world.now, frozenset({"lb1"}))]
    assert set(lb2.states().values()) == {"BACKUP"}


def test_nobody_is_master_before_the_table_is_programmed_or_ten_seconds_passed() -> None:
    world = World(1)
    lb1 = world.director("lb1", pair(255), sources(1), wait_for_table=True)
    world.run(6)
    assert VIP not in world.holders
    lb1.programmed()
    assert world.holders[VIP] == {"lb1"}
    late = World(1)
    late.director("lb1", pair(255), sources(1), wait_for_table=True)
    late.run(9.99)
    assert VIP not in late.holders
    late.run(10.01)
    assert late.holders[VIP] == {"lb1"}


def test_an_unchanged_reload_misses_no_advert_and_writes_nothing() -> None:
    world, lb1, _ = settled(3)
    for _ in range(20):
        world.run(world.now + 0.37)
        before = len(lb1.actions)
        lb1.reload(pair(150))
        assert [a for _, a in lb1.actions[before:] if not isinstance(a, SendAdvert)] == []
    sent = [at for at, a in lb1.actions if isinstance(a, SendAdvert) and a.instance == "OUT"]
    gaps = [later - earlier for earlier, later in pairwise(sent)]
    assert max(gaps) <= 1.01


def test_a_master_whose_adverts_the_kernel_refuses_gives_way() -> None:
    world, lb1, _ = settled(2)
    since = world.now
    lb1.blocked.add(OUTER)
    world.run(since + 9)
    assert world.holders[VIP] == world.holders[INSIDE] == {"lb2"}
    assert set(lb1.states().values()) == {"FAULT"}
    assert world.with_two(VIP, since) <= 1.0


def test_an_address_removed_by_hand_is_put_back_and_announced() -> None:
    world, lb1, _ = settled(2)
    since = world.now
    lb1.remove_by_hand(VIP)
    assert world.holders[VIP] == {"lb1"}
    assert [a for at, a in lb1.actions if at >= since and isinstance(a, Announce) and a.instance == "OUT"]
    for _ in range(3):
        world.run(world.now + 1)
        assert world.holders[VIP] == {"lb1"}
        lb1.remove_by_hand(VIP)
    assert world.holders[VIP] == frozenset()
    world.run(world.now + 1)
    assert world.holders[VIP] == {"lb2"}
