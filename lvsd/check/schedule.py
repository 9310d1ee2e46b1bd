"""When which probe runs: spread starts, fixed intervals, hard deadlines, and nobody blamed for our own stalls.
Knows nothing of health: an outcome goes to its owner, which says when to ask again."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial

from lvsd.core.conf.keyword import declaration

from .dial import Dial, DialFailed, Programs
from .probe import Check, Layer, Outcome, Target

log = logging.getLogger("lvsd.check")

HEARTBEAT = 0.05
"""Seconds between two looks at the loop's clock; they show how late it runs."""
FIRST = 1.0
"""Seconds before the first start, as keepalived waits."""
TOLERANCE = 0.1
"""A loop later than this part of a time-out makes a failed probe void."""
MOST_VOIDS = 5
"""Void outcomes in a row after which a failure counts all the same: a loop that is always late must not hide dead servers."""
PAUSE_AFTER_VOID = 0.2
"""Seconds until a void probe is asked again; longer with each one."""
POSTPONED = 0.05
"""Seconds that a start waits where too many probes are under way."""
STUBBORN = 1.0
"""Seconds that a cancelled probe has to end; then it is given up and reported."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One question that is asked again and again. interval and warmup in seconds."""

    check: Check
    target: Target
    interval: float
    warmup: float


OnOutcome = Callable[[Hashable, Outcome], float]
"""(key, outcome) -> seconds from now until the next run; 0 or less: an interval after the last start. Void ones too."""


class _Entry:
    """due: loop time of the next start, or of the last one while a run is under way."""

    __slots__ = ("deadline", "due", "key", "probe", "run", "started", "timer", "voids")

    def __init__(self, key: Hashable, probe: Probe) -> None:
        self.key = key
        self.probe = probe
        self.run: asyncio.Task[Outcome] | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.deadline: asyncio.TimerHandle | None = None
        self.started = 0.0
        self.due = 0.0
        self.voids = 0


class Schedule:
    """most: probes under way at one time, by the descriptors that the process may have."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        programs: Programs,
        on_outcome: OnOutcome,
        rng: random.Random,
        most: int = 10_000,
    ) -> None:
        self._loop = loop
        self._programs = programs
        self._on_outcome = on_outcome
        self._rng = rng
        self._most = most
        self._entries: dict[Hashable, _Entry] = {}
        self._under_way = 0
        self._stalls: deque[tuple[float, float]] = deque(maxlen=64)
        self._expected = loop.time() + HEARTBEAT
        self._heart = loop.call_at(self._expected, self._beat)
        self.counters = {"probes": 0, "void": 0, "stubborn": 0}

    # --- what is asked --------------------------------------------------------------------------------------------

    def add(self, key: Hashable, probe: Probe) -> None:
        entry = self._entries[key] = _Entry(key, probe)
        self._start_at(entry, self._loop.time() + FIRST + self._rng.uniform(0, probe.warmup))

    def remove(self, key: Hashable) -> None:
        entry = self._entries.pop(key)
        if entry.timer is not None:
            entry.timer.cancel()
        self._end_run(entry)

    def close(self) -> None:
        for key in list(self._entries):
            self.remove(key)
        self._heart.cancel()

    # --- one run --------------------------------------------------------------------------------------------------

    def _start_at(self, entry: _Entry, when: float) -> None:
        entry.due = when
        entry.timer = self._loop.call_at(when, self._start, entry)

    def _start(self, entry: _Entry) -> None:
        now = self._loop.time()
        if self._under_way >= self._most:
            self._start_at(entry, now + POSTPONED)
            return
        entry.timer = None
        entry.started = now
        self._under_way += 1
        self.counters["probes"] += 1
        probe = entry.probe
        entry.run = self._loop.create_task(ask(probe.check, probe.target, Dial(self._loop, self._programs, now)))
        entry.run.add_done_callback(partial(self._ended, entry))
        entry.deadline = self._loop.call_at(now + probe.target.timeout + probe.check.patience, self._overdue, entry)

    def _overdue(self, entry: _Entry) -> None:
        # What has arrived is read first: timers run before sockets after a stall.
        entry.deadline = self._loop.call_later(0, self._judge, entry)

    def _judge(self, entry: _Entry) -> None:
        entry.deadline = None
        run = entry.run
        if run is None or run.done():
            return
        run.cancel()
        entry.deadline = self._loop.call_later(STUBBORN, self._give_up, entry, run)

    def _give_up(self, entry: _Entry, run: asyncio.Task[Outcome]) -> None:
        entry.deadline = None
        if entry.run is not run:
            return
        self.counters["stubborn"] += 1
        log.error("a %s of %s does not end and is left alone", kind(entry.probe.check), entry.probe.target.address)
        self._forget_run(entry)
        self._deliver(entry, Outcome(False, Layer.NONE, "the check did not end", self._loop.time() - entry.started))

    def _ended(self, entry: _Entry, run: asyncio.Task[Outcome]) -> None:
        if entry.run is not run:
            return
        self._forget_run(entry)
        now = self._loop.time()
        if run.cancelled():
            timeout = entry.probe.target.timeout
            outcome = Outcome(False, Layer.NONE, f"no answer within {timeout:g} s", now - entry.started)
        elif (error := run.exception()) is not None:
            log.error("a %s of %s broke", kind(entry.probe.check), entry.probe.target.address, exc_info=error)
            outcome = Outcome(False, Layer.NONE, f"the check broke: {error}", now - entry.started, void=True)
        else:
            outcome = run.result()
        self._deliver(entry, outcome)

    def _deliver(self, entry: _Entry, outcome: Outcome) -> None:
        now = self._loop.time()
        outcome = self._excused(entry, outcome, now)
        pause = 0.0
        try:
            pause = self._on_outcome(entry.key, outcome)
        except Exception:
            log.exception("an outcome could not be taken")
        if self._entries.get(entry.key) is not entry:
            return
        if outcome.void:
            self._start_at(entry, now + min(entry.probe.interval, PAUSE_AFTER_VOID * 2 ** min(entry.voids - 1, 6)))
        elif pause > 0:
            self._start_at(entry, now + pause)
        else:
            # Never faster than the interval after a late start, and at least a breath after a long run.
            self._start_at(entry, max(entry.started + entry.probe.interval, now + min(0.01, entry.probe.interval)))

    def _excused(self, entry: _Entry, outcome: Outcome, now: float) -> Outcome:
        if outcome.ok:
            entry.voids = 0
            return outcome
        late = self._lateness_since(entry.started, now)
        if not outcome.void and late <= TOLERANCE * entry.probe.target.timeout:
            entry.voids = 0
            return outcome
        entry.voids += 1
        self.counters["void"] += 1
        own = outcome.void and outcome.layer is Layer.SOCKET
        if entry.voids > MOST_VOIDS and not own:
            return Outcome(False, outcome.layer, outcome.reason, outcome.seconds)
        why = outcome.reason if outcome.void else f"lvsd itself stood still for {late:.1f} s"
        return Outcome(False, outcome.layer, why, outcome.seconds, void=True)

    def _forget_run(self, entry: _Entry) -> None:
        entry.run = None
        self._under_way -= 1
        if entry.deadline is not None:
            entry.deadline.cancel()
            entry.deadline = None

    def _end_run(self, entry: _Entry) -> None:
        if entry.run is not None:
            entry.run.cancel()
            self._forget_run(entry)

    # --- the loop's own lateness ----------------------------------------------------------------------------------

    def _beat(self) -> None:
        now = self._loop.time()
        late = now - self._expected
        if late > HEARTBEAT / 2:
            self._stalls.append((now, late))
        self._expected = now + HEARTBEAT
        self._heart = self._loop.call_at(self._expected, self._beat)

    def _lateness_since(self, started: float, now: float) -> float:
        """The worst delay that a run which began then has lived through, in seconds."""
        worst = max((late for when, late in self._stalls if when >= started), default=0.0)
        return max(worst, now - self._expected)


async def ask(check: Check, target: Target, dial: Dial) -> Outcome:
    """One run of one probe; a failure to reach the target is an outcome too."""
    try:
        return await check.run(target, dial)
    except DialFailed as failed:
        return Outcome(False, failed.layer, failed.reason, dial.elapsed, void=failed.void)


def kind(check: Check) -> str:
    return declaration(type(check)).name
