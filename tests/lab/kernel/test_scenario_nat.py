"""The scenario behind NAT: two directors with an outer and an inner link in one sync group, three web servers, and a client that
asks every 10 ms. The daemon is lvsd on both sides; LVSD_LAB_DAEMON=keepalived shows that the tests themselves are right."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from tests.lab.daemon import LVSD
from tests.lab.farm import NAT, Director, Farm
from tests.lab.scenario import (
    SLOW,
    comes_back_without_preempting,
    freeze_master,
    kill_master,
    lapse_gap,
    lose_link,
    lose_web_server,
    return_web_server,
    spread_evenly,
    stop_master,
)

pytestmark = pytest.mark.lab
LAB_SECONDS = 360

KIND = os.environ.get("LVSD_LAB_DAEMON", LVSD)


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    with Farm(NAT) as farm:
        farm.start_client()
        yield farm


@pytest.fixture
def pair(farm: Farm) -> tuple[Director, Director]:
    """Master and backup, whichever is which; everything is well."""
    return farm.settle(KIND, KIND)


def test_requests_are_spread_evenly(farm: Farm, pair: tuple[Director, Director]) -> None:
    spread_evenly(farm)


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


def test_a_killed_master_leaves_one_holder_and_its_rows_are_adopted(
    farm: Farm, pair: tuple[Director, Director]
) -> None:
    master, backup = pair
    event = kill_master(farm)
    if KIND == LVSD:
        assert event.seconds < event.allowed
    assert event.seen.outage < lapse_gap(backup) + SLOW + event.seen.late
    assert set(master.weights), "a killed daemon cannot have removed its rows"
    comes_back_without_preempting(farm, master, lambda: master.start(KIND))


def test_a_frozen_master_loses_its_addresses(farm: Farm, pair: tuple[Director, Director]) -> None:
    _, backup = pair
    seen, doubled = freeze_master(farm)
    if KIND == LVSD:
        assert doubled < 0.4 + SLOW
        assert farm.moved_to(backup)
        assert seen.outage < lapse_gap(backup) + SLOW + seen.late
    else:
        assert doubled > 1.0, "a frozen keepalived keeps its addresses; this shows that the test would see it"


@pytest.mark.parametrize("network", ["inner", "outer"])
def test_a_lost_link_moves_both_addresses(farm: Farm, pair: tuple[Director, Director], network: str) -> None:
    master, _ = pair
    event = lose_link(farm, network)
    assert event.seen.outage < event.allowed
    comes_back_without_preempting(farm, master, lambda: master.link(network, up=True))


def test_a_lost_link_of_the_backup_changes_nothing(farm: Farm, pair: tuple[Director, Director]) -> None:
    master, backup = pair
    since = time.monotonic()
    backup.link("inner", up=False)
    farm.wait(farm.answered_for(0.5), 5.0, "the client is not served")
    comes_back_without_preempting(farm, backup, lambda: backup.link("inner", up=True))
    assert farm.moved_to(master)
    assert farm.seen(since).failed == 0


def test_a_reload_under_traffic_loses_no_request(farm: Farm, pair: tuple[Director, Director]) -> None:
    master, _ = pair
    text = master.configuration.read_text()
    farm.wait(farm.answered_for(0.3), 10.0, "the client is not served")
    since = time.monotonic()
    try:
        master.configuration.write_text(text.replace("weight 1", "weight 3", 1))
        master.reload()
        farm.wait(lambda: master.weights.get(farm.webs[0].key) == 3, 10.0, "the new weight does not arrive")
        changed = time.monotonic()
        farm.wait(lambda: len(farm.seen(changed).requests) > 100, 10.0, "the client does not ask")
        spread = farm.seen(changed + 0.1).spread
        assert spread["web1"] > 2 * spread["web2"]
    finally:
        master.configuration.write_text(text)
        master.reload()
    farm.wait(lambda: master.weights.get(farm.webs[0].key) == 1, 10.0, "the old weight does not return")
    assert farm.seen(since).failed == 0
    assert farm.seen(since).outage < SLOW
    assert farm.moved_to(master)


def test_both_stopped_leave_neither_address_nor_row(farm: Farm, pair: tuple[Director, Director]) -> None:
    for director in pair:
        director.stop()
    for director in pair:
        assert director.held == frozenset()
        assert director.table == {}
