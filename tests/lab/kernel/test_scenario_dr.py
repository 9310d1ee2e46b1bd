"""The scenario with direct routing: one interface, the web servers answer the client themselves."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.lab.daemon import LVSD
from tests.lab.farm import DR, SERVICE, Director, Farm
from tests.lab.scenario import (
    SLOW,
    comes_back_without_preempting,
    kill_master,
    lapse_gap,
    lose_link,
    lose_web_server,
    return_web_server,
    spread_evenly,
    stop_master,
)

pytestmark = pytest.mark.lab

KIND = os.environ.get("LVSD_LAB_DAEMON", LVSD)


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    with Farm(DR) as farm:
        farm.start_client()
        yield farm


@pytest.fixture
def pair(farm: Farm) -> tuple[Director, Director]:
    """Master and backup, whichever is which; everything is well."""
    return farm.settle(KIND, KIND)


def test_requests_are_spread_evenly_past_the_director(farm: Farm, pair: tuple[Director, Director]) -> None:
    spread_evenly(farm)
    assert {row.forwarding for row in pair[0].table[SERVICE].values()} == {"Route"}


def test_a_dead_web_server_leaves_the_table_within_its_checks_time_and_returns(
    farm: Farm, pair: tuple[Director, Director]
) -> None:
    event = lose_web_server(farm)
    assert event.seconds < event.allowed
    return_web_server(farm)


def test_the_master_stopped_in_order_hands_over_and_leaves_nothing_behind(
    farm: Farm, pair: tuple[Director, Director]
) -> None:
    master, _ = pair
    event = stop_master(farm)
    assert event.seen.outage < event.allowed
    assert master.held == frozenset()
    assert master.table == {}
    comes_back_without_preempting(farm, master, lambda: master.start(KIND))


def test_a_killed_master_leaves_one_holder(farm: Farm, pair: tuple[Director, Director]) -> None:
    master, backup = pair
    event = kill_master(farm)
    if KIND == LVSD:
        assert event.seconds < event.allowed
    assert event.seen.outage < lapse_gap(backup) + SLOW + event.seen.late
    comes_back_without_preempting(farm, master, lambda: master.start(KIND))


def test_a_lost_link_moves_the_address(farm: Farm, pair: tuple[Director, Director]) -> None:
    """No goodbye can leave on the only link, so this takes the master-down time."""
    master, _ = pair
    event = lose_link(farm, "outer")
    assert event.seen.outage < event.allowed
    comes_back_without_preempting(farm, master, lambda: master.link("outer", up=True))


def test_both_stopped_leave_neither_address_nor_row(farm: Farm, pair: tuple[Director, Director]) -> None:
    for director in pair:
        director.stop()
    for director in pair:
        assert director.held == frozenset()
        assert director.table == {}
