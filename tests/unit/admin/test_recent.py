"""The ring of events that followers read."""

from __future__ import annotations

import json

from lvsd.admin.recent import RecentEvents
from lvsd.core.notify.events import Alarm, ServerChanged


def down(at: float) -> ServerChanged:
    return ServerChanged(at=at, why="TCP_CHECK: refused", service="s", server="a", up=False)


def alarm(at: float, *, cleared: bool = False, subject: str = "VI_1") -> Alarm:
    return Alarm(at=at, why="two masters", subject=subject, cleared=cleared)


def test_events_of_one_moment_get_ids_that_rise() -> None:
    ring = RecentEvents()
    assert [ring.record(down(1.0)).id for _ in range(3)] == [1_000_000, 1_000_001, 1_000_002]


def test_a_wall_clock_that_is_set_back_does_not_set_back_the_ids() -> None:
    ring = RecentEvents()
    first, second = ring.record(down(9.0)), ring.record(down(2.0))
    assert second.id > first.id
    assert ring.after(first.id) == [second]


def test_the_same_events_get_the_same_ids_after_a_restart() -> None:
    one, two = RecentEvents(), RecentEvents()
    events = [down(1.0), alarm(1.0), down(3.5)]
    assert [one.record(each) for each in events] == [two.record(each) for each in events]


def test_a_limit_keeps_the_newest_in_their_order() -> None:
    ring = RecentEvents()
    for at in range(1, 6):
        ring.record(down(at))
    assert [each.id for each in ring.after(0, 2)] == [4_000_000, 5_000_000]
    assert ring.after(0, 0) == []
    assert ring.after(ring.last) == []


def test_the_oldest_is_thrown_away_and_who_missed_it_can_know() -> None:
    ring = RecentEvents(kept=2)
    for at in (1, 2, 3, 4):
        ring.record(down(at))
    assert [each.id for each in ring.after(0)] == [3_000_000, 4_000_000]
    assert ring.lost_since(1_000_000)
    assert not ring.lost_since(3_000_000)
    assert not ring.lost_since(0), "who asks for all there is misses nothing"


def test_alarms_stay_until_they_are_cleared_the_one_raised_last_at_the_end() -> None:
    ring = RecentEvents()
    ring.record(alarm(1.0))
    ring.record(alarm(2.0, subject="VI_2"))
    ring.record(alarm(3.0))
    assert list(ring.alarms) == ["VI_2", "VI_1"]
    ring.record(alarm(4.0, cleared=True))
    assert list(ring.alarms) == ["VI_2"]


def test_an_event_is_one_message_of_a_stream_whatever_its_reason_holds() -> None:
    message = RecentEvents().record(Alarm(at=1.0, why="a\n\nevent: Fake", subject="s")).server_sent()
    assert message.count(b"\n") == 4
    fields = dict(line.split(b": ", 1) for line in message.strip().split(b"\n"))
    assert (fields[b"id"], fields[b"event"]) == (b"1000000", b"Alarm")
    assert json.loads(fields[b"data"])["why"] == "a\n\nevent: Fake"
