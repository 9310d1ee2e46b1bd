"""Who may say what to whom, and what a process that starts again is told: the routes of the messages between the processes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from .messages import (
    Answer,
    AnyMessage,
    CheckReport,
    CoreReport,
    Keep,
    Kept,
    LogLine,
    Message,
    Notice,
    OverrideServer,
    Pong,
    Programmed,
    Ready,
    Refused,
    Reload,
    Restarted,
    RunProgram,
    VrrpReport,
)


class Process(Enum):
    CORE = "core"
    VRRP = "vrrp"
    CHECK = "check"
    ADMIN = "admin"


EVENTS_KEPT = 200
"""Notices that an admin process which starts again is told."""

Routes = dict[type[Message], tuple[Process, ...]]

_OF_EVERY_CHILD: Routes = dict.fromkeys((LogLine, Pong, Ready, Refused), (Process.CORE,))
_OF_WORKERS: Routes = {RunProgram: (Process.CORE,), Keep: (Process.CORE,), Notice: (Process.ADMIN,)}

ROUTES: dict[Process, Routes] = {
    Process.CORE: dict.fromkeys((CoreReport, Notice, Answer), (Process.ADMIN,)),
    Process.VRRP: _OF_EVERY_CHILD | _OF_WORKERS | {VrrpReport: (Process.CORE, Process.CHECK, Process.ADMIN)},
    Process.CHECK: _OF_EVERY_CHILD
    | _OF_WORKERS
    | {CheckReport: (Process.ADMIN,), Programmed: (Process.VRRP,), Answer: (Process.ADMIN,)},
    Process.ADMIN: _OF_EVERY_CHILD | {OverrideServer: (Process.CHECK,), Reload: (Process.CORE,)},
}


class Forbidden(Exception):
    """A message that this process has no business to send."""


@dataclass(frozen=True, slots=True)
class Delivery:
    to: Process
    message: AnyMessage


class Hub:
    """present: the processes that this daemon has. kept: what earlier runs asked to be kept, by process and name."""

    def __init__(self, present: Iterable[Process], kept: dict[tuple[Process, str], bytes] | None = None) -> None:
        self._present = frozenset(present) | {Process.CORE}
        self._last: dict[tuple[Process, type[Message]], tuple[AnyMessage, float]] = {}
        self._events: deque[Notice] = deque(maxlen=EVENTS_KEPT)
        self._kept = dict(kept or {})

    def receive(self, source: Process, message: AnyMessage, now: float) -> list[Delivery]:
        """Where the message goes. Raises Forbidden."""
        targets = ROUTES[source].get(type(message))
        if targets is None:
            raise Forbidden(f"{source.value} sent {type(message).__name__}, which it may not")
        if isinstance(message, Notice):
            self._events.append(message)
        elif isinstance(message, Keep):
            self._kept[source, message.name] = message.data
        elif isinstance(message, VrrpReport | CheckReport | CoreReport | Programmed):
            self._last[source, type(message)] = (message, now)
        if isinstance(message, OverrideServer) and Process.CHECK not in self._present:
            refusal = Answer(
                id=message.id, ok=False, lines=("this lvsd runs without checks, so there is no server to steer",)
            )
            return [Delivery(Process.ADMIN, refusal)]
        return [Delivery(to, message) for to in targets if to in self._present]

    def replay(self, process: Process, again: bool, now: float) -> list[AnyMessage]:
        """What a process is told before its first Prepare; again: its predecessor died without resigning."""
        messages: list[AnyMessage] = []
        if again and process is not Process.ADMIN:
            report, at = self._last.get((Process.VRRP, VrrpReport), (None, now))
            own = report if process is Process.VRRP and isinstance(report, VrrpReport) else None
            messages.append(Restarted(own, now - at))
        messages += [Kept(name, data) for (owner, name), data in self._kept.items() if owner is process]
        if process is Process.ADMIN:
            messages += self._events
        for (source, kind), (message, _) in self._last.items():
            if process in ROUTES[source].get(kind, ()):
                messages.append(message)
        return messages
