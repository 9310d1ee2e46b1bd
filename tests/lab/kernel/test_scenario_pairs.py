"""One director runs Debian's keepalived, the other lvsd, both ways round; and moving from one to the other under traffic."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.daemon import KEEPALIVED, LVSD
from tests.lab.farm import NAT, Director, Farm
from tests.lab.scenario import MEASURED, SLOW, comes_back_without_preempting, lose_link, spread_evenly, stop_master

pytestmark = pytest.mark.lab
LAB_SECONDS = 360

PAIRS = [(LVSD, KEEPALIVED), (KEEPALIVED, LVSD)]


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    with Farm(NAT) as farm:
        farm.start_client()
        yield farm


def master_first(farm: Farm, kinds: tuple[str, str], first: str) -> tuple[Director, Director]:
    """A settled pair in which the daemon of that kind is master: returns it and the other one."""
    master, backup = farm.settle(*kinds)
    if master.running.kind != first:
        kind = master.running.kind
        master.stop()
        farm.wait(lambda: farm.moved_to(backup), 6.0, "the group does not move")
        master.start(kind)
        farm.settle(*kinds)
        master, backup = backup, master
    return master, backup


@pytest.mark.parametrize("kinds", PAIRS, ids="-".join)
@pytest.mark.parametrize("first", [LVSD, KEEPALIVED])
def test_a_mixed_pair_hands_over_in_both_directions(farm: Farm, kinds: tuple[str, str], first: str) -> None:
    master, backup = master_first(farm, kinds, first)
    spread_evenly(farm)
    kind = master.running.kind
    there = stop_master(farm)
    assert there.seen.outage < there.allowed
    comes_back_without_preempting(farm, master, lambda: master.start(kind))
    back = stop_master(farm)
    assert back.seen.outage < back.allowed
    assert farm.moved_to(master)
    assert backup.table == {}


@pytest.mark.parametrize("first", [LVSD, KEEPALIVED])
def test_a_lost_inner_link_moves_the_group_of_a_mixed_pair(farm: Farm, first: str) -> None:
    master, _ = master_first(farm, (LVSD, KEEPALIVED), first)
    event = lose_link(farm, "inner")
    assert event.seen.outage < event.allowed
    comes_back_without_preempting(farm, master, lambda: master.link("inner", up=True))


def replace(farm: Farm, director: Director, kind: str) -> None:
    """One director changes its daemon; the service may be away for one hand-over at most."""
    serving = farm.master is director
    since = farm.now
    director.stop()
    assert director.table == {}
    director.start(kind)
    farm.wait(lambda: any(map(farm.moved_to, farm.directors)), 10.0, "nobody serves")
    farm.wait(lambda: farm.complete(director), 15.0, f"{kind} on {director.name} has no complete table")
    farm.wait(farm.answered_for(0.4), 10.0, "the client is not served")
    outage = farm.seen(since).outage
    MEASURED.append(f"{director.name}, {'master' if serving else 'backup'}, is moved to {kind}: outage {outage:.2f} s")
    assert outage < (1.0 if serving else 0.0) + SLOW


def test_keepalived_is_replaced_one_director_at_a_time_under_traffic_and_back(farm: Farm) -> None:
    master, backup = farm.settle(KEEPALIVED, KEEPALIVED)
    for kind in (LVSD, KEEPALIVED):
        replace(farm, backup, kind)
        replace(farm, master, kind)
        # The first to go was the master, so the roles are exchanged now.
        master, backup = farm.master, farm.other(farm.master)
    spread_evenly(farm)


def test_a_running_keepalived_is_a_refusal_that_names_its_process(farm: Farm) -> None:
    director, _ = farm.settle(KEEPALIVED, KEEPALIVED)
    since = farm.now
    refusal = director.try_to_start(LVSD)
    assert str(director.running.pid) in refusal
    assert "keepalived" in refusal
    assert farm.moved_to(director)
    assert farm.seen(since).failed == 0


def test_what_a_killed_keepalived_left_is_adopted(farm: Farm) -> None:
    """Both addresses and all rows stand there; lvsd becomes master of them or gives them up, but never doubles a thing."""
    director, other = farm.settle(KEEPALIVED, KEEPALIVED)
    other.stop()
    assert farm.moved_to(director)
    since = farm.now
    director.kill()
    assert farm.moved_to(director)
    assert farm.has_all_rows(director)
    director.start(LVSD)
    farm.wait(lambda: farm.complete(director), 15.0, "lvsd does not start")
    farm.wait(lambda: director.is_master, 12.0, "lvsd does not become master alone")
    farm.wait(farm.answered_for(0.5), 10.0, "the client is not served")
    assert farm.has_all_rows(director)
    assert farm.seen(since).outage < 1.0, "what was there was not adopted"
    MEASURED.append(f"lvsd over a killed keepalived: outage {farm.seen(since).outage:.2f} s")
    director.stop()
    assert director.held == frozenset()
    assert director.table == {}
