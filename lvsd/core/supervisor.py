"""The life of one child: starting, running, waiting to be started again; what to do about it, and when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Life(Enum):
    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    WAITING = "waiting"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class StartChild:
    """again: its predecessor died, so what the kernel holds is to be adopted."""

    again: bool


@dataclass(frozen=True, slots=True)
class AskChild:
    number: int


@dataclass(frozen=True, slots=True)
class KillChild:
    why: str


Order = StartChild | AskChild | KillChild

LONG_LIFE = 60.0
"""Seconds after which a death is no longer held against the child (keepalived's figure)."""
BACK_OFF = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds before the next start, by number of short lives in a row. The first is free: a lease of an address is soon over."""
MISSED_PINGS = 3
FAILING = 4
"""Short lives in a row after which the child counts as failing, which is an alarm."""


class Supervisor:
    """ping_interval: seconds between pings; start_patience: seconds until the first Ready; stop_patience: seconds from
    Stop to the kill. deadline: monotonic time of the next tick that matters."""

    def __init__(self, ping_interval: float, start_patience: float = 30.0, stop_patience: float = 5.0) -> None:
        self._ping_interval = ping_interval
        self._start_patience = start_patience
        self._stop_patience = stop_patience
        self.life = Life.STOPPED
        self.restarts = 0
        self.deadline: float | None = None
        self._short_lives = 0
        self._since = 0.0
        self._number = 0
        self._answered = 0
        self._missed = 0

    @property
    def failing(self) -> bool:
        return self._short_lives >= FAILING

    def start(self, now: float) -> list[Order]:
        return self._start(now, again=False)

    def _start(self, now: float, again: bool) -> list[Order]:
        self.life = Life.STARTING
        self._since = now
        self._number = self._answered = self._missed = 0
        self.deadline = now + self._start_patience
        return [StartChild(again)]

    def ready(self, now: float) -> None:
        """The child has taken its configuration."""
        if self.life is Life.STARTING:
            self.life = Life.RUNNING
            self.deadline = now + self._ping_interval

    def ponged(self, number: int) -> None:
        self._answered = max(self._answered, number)

    def stop(self, now: float) -> None:
        """The child was told to end."""
        if self.life in (Life.WAITING, Life.STOPPED):
            self.life = Life.STOPPED
            self.deadline = None
        else:
            self.life = Life.STOPPING
            self.deadline = now + self._stop_patience

    def ended(self, now: float) -> list[Order]:
        """The process is gone."""
        if self.life is Life.STOPPING:
            self.life = Life.STOPPED
            self.deadline = None
            return []
        self._short_lives = 0 if now - self._since > LONG_LIFE else self._short_lives + 1
        self.restarts += 1
        pause = BACK_OFF[min(max(self._short_lives - 1, 0), len(BACK_OFF) - 1)]
        if pause == 0.0:
            return self._start(now, again=True)
        self.life = Life.WAITING
        self.deadline = now + pause
        return []

    def tick(self, now: float) -> list[Order]:
        if self.deadline is None or now < self.deadline:
            return []
        match self.life:
            case Life.WAITING:
                return self._start(now, again=True)
            case Life.STARTING:
                self.deadline = now + self._start_patience
                return [KillChild(f"it took no configuration within {self._start_patience:g} s")]
            case Life.STOPPING:
                self.deadline = now + self._stop_patience
                return [KillChild(f"it did not end within {self._stop_patience:g} s")]
            case Life.RUNNING:
                return self._ping(now)
            case Life.STOPPED:
                return []

    def _ping(self, now: float) -> list[Order]:
        assert self.deadline is not None
        # Whoever stood still himself (a stopped machine) has no right to call others late.
        stalled = now - self.deadline > self._ping_interval
        if self._answered < self._number:
            if not stalled:
                self._missed += 1
        else:
            self._missed = 0
            if now - self._since > LONG_LIFE:
                self._short_lives = 0
        self.deadline = now + self._ping_interval
        if self._missed >= MISSED_PINGS:
            self._missed = 0
            return [KillChild(f"it answered none of {MISSED_PINGS} pings")]
        self._number += 1
        return [AskChild(self._number)]
