"""Requests to messages, reports to answers."""

from __future__ import annotations

import pytest

from lvsd.admin import api, text
from lvsd.admin.openapi import document
from lvsd.admin.recent import RecentEvents
from lvsd.core.ipc.messages import CoreReport, OverrideServer, ProcessReport
from lvsd.core.notify.events import Alarm

CORE = CoreReport(
    node="lb1", version="0", configuration="f", generation=1, loaded_at=0.0, stale="", warnings=(),
    processes=(ProcessReport(name="check", pid=1, state="running", restarts=0, lateness=0.0),),
)  # fmt: skip


@pytest.mark.parametrize(("words", "seconds"), [("90", 90), ("30m", 1800), ("1h30m", 5400), ("2d", 172800), (1.5, 1.5)])
def test_a_duration_is_read_with_and_without_units(words: str | float, seconds: float) -> None:
    assert api.duration(words) == seconds


@pytest.mark.parametrize("words", ["", "soon", "-5", "0", "5x", "9999d", float("inf")])
def test_what_is_no_duration_is_refused(words: str | float) -> None:
    with pytest.raises(ValueError, match=r"duration|range"):
        api.duration(words)


def test_an_ipv6_server_with_port_survives_its_encoding_in_the_path() -> None:
    route, named = api.find("POST", "/v1/servers/%5Bfd00%3A%3A1%5D%3A80/weight")
    order = api.order(route, named, b'{"weight": 4, "force": true}', 7, "root")
    assert isinstance(order, OverrideServer)
    assert (order.server, order.weight, order.force, order.id) == ("[fd00::1]:80", 4, True, 7)


def test_an_unknown_field_is_refused_with_its_place() -> None:
    route, named = api.find("POST", "/v1/servers/a/drain")
    with pytest.raises(api.Refusal) as caught:
        api.order(route, named, b'{"reasn": "x"}', 1, "root")
    assert caught.value.status == 400
    assert "reasn" in caught.value.answer.error


def test_a_reason_with_a_line_break_cannot_forge_a_log_line() -> None:
    route, named = api.find("POST", "/v1/servers/a/drain")
    with pytest.raises(api.Refusal, match="control characters"):
        api.order(route, named, b'{"reason": "a\\nb"}', 1, "root")


def test_a_silent_process_is_an_alarm_and_makes_the_node_unready() -> None:
    assert api.silences(api.Snapshot(core=CORE)) == ("no answer from check yet",)
    assert not api.ready(api.Snapshot(core=CORE)).ok
    shown = text.status(api.status(api.Snapshot(core=CORE, core_age=12.0)), 60.0)
    assert shown.startswith("! no answer from core for 12 s\n")


def test_every_route_stands_in_the_description() -> None:
    paths = document()["paths"]
    assert {(path, method.upper()) for path, each in paths.items() for method in each} == {
        (route.path, route.method) for route in api.ROUTES
    }


def test_the_ring_keeps_ids_over_a_restart_forgets_the_oldest_and_drops_a_cleared_alarm() -> None:
    first, second = RecentEvents(2), RecentEvents(2)
    events = [Alarm(at=float(at), why="w", subject="s", cleared=at == 3) for at in (1, 2, 3)]
    assert [first.record(each).id for each in events] == [second.record(each).id for each in events]
    assert [each.id for each in first.after(0)] == [2_000_000, 3_000_000]
    assert first.lost_since(500_000)
    assert not first.lost_since(2_000_000)
    assert not first.alarms
