"""The last events, numbered, for those who ask later or follow along."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import msgspec

from lvsd.core.notify.events import Alarm, AnyEvent

KEPT = 1000
"""Events."""

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Recorded:
    """id: larger than that of every event before it. json: the event with its id, encoded."""

    id: int
    kind: str
    json: bytes

    def server_sent(self) -> bytes:
        """As one message of a text/event-stream (HTML Standard section 9.2.5)."""
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (self.id, self.kind.encode(), self.json)


class RecentEvents:
    """alarms: those that were raised and not cleared, by subject, the oldest first."""

    def __init__(self, kept: int = KEPT) -> None:
        self._events: deque[Recorded] = deque(maxlen=kept)
        self._last = 0
        self.total = 0
        self.alarms: dict[str, Alarm] = {}

    @property
    def last(self) -> int:
        """Id of the newest event, 0 without any."""
        return self._last

    def record(self, event: AnyEvent) -> Recorded:
        """The id is the event's own time in microseconds, or the next free one: when core tells a restarted admin
        process the same events again, they get the same ids, and followers miss and repeat nothing."""
        self._last = max(self._last + 1, int(event.at * 1e6))
        self.total += 1
        kind = type(event).__name__
        fields = msgspec.to_builtins(event)
        recorded = Recorded(self._last, kind, _encoder.encode({"id": self._last, **fields}))
        self._events.append(recorded)
        if isinstance(event, Alarm):
            self.alarms.pop(event.subject, None)
            if not event.cleared:
                self.alarms[event.subject] = event
        return recorded

    def after(self, number: int, limit: int | None = None) -> list[Recorded]:
        """Events with a larger id, the oldest first; with a limit, the newest of them."""
        found: list[Recorded] = []
        for recorded in reversed(self._events):
            if recorded.id <= number or (limit is not None and len(found) >= limit):
                break
            found.append(recorded)
        found.reverse()
        return found

    def lost_since(self, number: int) -> bool:
        """Whether events with a larger id than this one were already thrown away; 0 asks for nothing certain."""
        return bool(number and self.total > len(self._events) and self._events and number < self._events[0].id - 1)
