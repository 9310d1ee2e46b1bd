"""Keeps the kernel's IPVS table as it should be: at every change, and against whoever else changes it.
The kernel is asked in a thread of its own, so that probes go on while it answers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from lvsd.core.netlink.socket import Overrun, Refused

from .ipvs.kernel import Failed, IpvsKernel
from .ipvs.plan import DeleteService, Op, plan
from .ipvs.table import ServiceCounters, ServiceKey, Table, Timeouts

T = TypeVar("T")
log = logging.getLogger("lvsd.check")

COALESCE = 0.005
"""Seconds in which changes are gathered before they go to the kernel."""
PERIOD = 5.0
"""Seconds between two comparisons with the kernel, and between two looks at its counters."""
AFTER_RELOAD = 1.0
"""Seconds until the look that follows a reload, which itself asks the kernel nothing."""
SHARE = 20
"""A look takes at most one part in so many of the time: a large table is looked at less often."""
TOLD = 20
"""Differences that one notice names."""


@dataclass(frozen=True, slots=True)
class _Look:
    table: Table
    ops: list[Op]
    failed: list[Failed]


class Keeper:
    """kernel: opened by whoever knows that there is IPVS. on_owned: told every key before its row is made.
    on_drift: what somebody else had changed, as sentences. on_programmed: a generation's table stands."""

    def __init__(
        self,
        kernel: IpvsKernel,
        owned: Iterable[ServiceKey],
        on_owned: Callable[[frozenset[ServiceKey]], None],
        on_drift: Callable[[tuple[str, ...]], None],
        on_programmed: Callable[[int], None],
        on_change: Callable[[], None],
    ) -> None:
        self._kernel = kernel
        self._owned = set(owned)
        self._on_owned = on_owned
        self._on_drift = on_drift
        self._on_programmed = on_programmed
        self._on_change = on_change
        self._thread = ThreadPoolExecutor(1, "ipvs")
        self._desired: Table = {}
        self._applied: Table = {}
        self._dirty: set[ServiceKey] = set()
        self._compare_all = False
        self._unsure = True
        self._generation = 0
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._next_look = 0.0
        self._failing: frozenset[str] = frozenset()
        self._refusals: set[str] = set()
        self.kernel_table: Table = {}
        self.counters: Mapping[ServiceKey, ServiceCounters] = {}
        self.repairs = 0

    @property
    def problems(self) -> tuple[str, ...]:
        """What the kernel refuses, as sentences."""
        return tuple(sorted(self._refusals))

    @property
    def foreign(self) -> tuple[str, ...]:
        """Services in the kernel that are not ours."""
        return tuple(str(key) for key in self.kernel_table if key not in self._owned)

    # --- orders ---------------------------------------------------------------------------------------------------

    def want(self, rows: Table) -> None:
        """These services should be so from now on."""
        self._desired.update(rows)
        self._dirty |= rows.keys()
        self._wake.set()

    def want_all(self, table: Table, generation: int) -> None:
        """The whole table of a configuration, compared with what is there."""
        self._desired = dict(table)
        self._dirty = set()
        self._compare_all = True
        self._generation = generation
        self._wake.set()

    def start(self, *, flush: bool) -> None:
        """flush: clear the kernel's whole table first (lvs_flush)."""
        self._task = asyncio.get_running_loop().create_task(self._work(flush))

    async def timeouts(self, wanted: Timeouts) -> Timeouts:
        """Sets the kernel's connection timeouts; gives those before. Raises Refused."""

        def exchange() -> Timeouts:
            before = self._kernel.timeouts()
            self._kernel.set_timeouts(wanted)
            return before

        return await self._in_thread(exchange)

    async def stop(self, *, flush: bool, restore: Timeouts | None) -> tuple[str, ...]:
        """Takes our services out of the kernel (flush: all services). Returns what could not be done."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        try:
            return await self._in_thread(lambda: self._empty(flush, restore))
        finally:
            self._thread.shutdown(wait=False)

    def _empty(self, flush: bool, restore: Timeouts | None) -> tuple[str, ...]:
        problems: list[str] = []
        try:
            if flush:
                self._kernel.flush()
            else:
                problems += [
                    failed.text for failed in self._kernel.apply(plan(self._kernel.read(), {}, frozenset(self._owned)))
                ]
            if restore is not None:
                self._kernel.set_timeouts(restore)
        except (OSError, Refused, Overrun) as error:
            problems.append(f"the table was not cleared: {error}")
        self._kernel.close()
        return tuple(problems)

    # --- work -----------------------------------------------------------------------------------------------------

    async def _work(self, flush: bool) -> None:
        loop = asyncio.get_running_loop()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(self._next_look or None):
                    await self._wake.wait()
            try:
                if flush:
                    await self._in_thread(self._kernel.flush)
                    flush = False
                if self._wake.is_set():
                    await asyncio.sleep(COALESCE)
                    self._wake.clear()
                    await (self._program_all() if self._compare_all else self._program_dirty())
                if self._next_look and loop.time() >= self._next_look:
                    await self._look()
            except (OSError, Refused, Overrun) as error:
                log.error("the IPVS table could not be kept: %s; all of it is compared again in a second", error)
                self._compare_all = self._unsure = True
                loop.call_later(1.0, self._wake.set)
                self._next_look = loop.time() + PERIOD

    async def _program_all(self) -> None:
        """Everything compared: after a reload with what the kernel is known to hold; after start, and after an answer was
        lost, with what is read from it. What others did since the last look is the next look's."""
        generation, desired = self._generation, dict(self._desired)
        known = None if self._unsure else self.kernel_table
        self._compare_all = False
        self._dirty.clear()
        self._own(self._owned | desired.keys())
        owned = frozenset(self._owned)

        def program() -> tuple[Table, list[Failed]]:
            actual = known
            failed = [] if actual is None else self._kernel.apply(plan(actual, desired, owned))
            if actual is None or failed:
                # At start nothing is known; where somebody else was there, what the kernel really holds decides.
                actual = self._kernel.read()
                failed = self._kernel.apply(plan(actual, desired, owned))
            if failed:
                return self._kernel.read(), failed
            return {key: service for key, service in actual.items() if key not in owned} | desired, failed

        self.kernel_table, failed = await self._in_thread(program)
        self._unsure = False
        self._applied = desired
        self._own(desired.keys() | {failure.op.key for failure in failed if isinstance(failure.op, DeleteService)})
        self._tell(failed)
        soon = asyncio.get_running_loop().time() + (PERIOD if known is None else AFTER_RELOAD)
        self._next_look = min(self._next_look or soon, soon)
        self._on_programmed(generation)
        self._on_change()

    async def _program_dirty(self) -> None:
        """Only the services that changed, against what the kernel last was known to hold."""
        keys, self._dirty = self._dirty, set()
        desired = {key: self._desired[key] for key in keys if key in self._desired}
        actual = {key: self.kernel_table[key] for key in desired if key in self.kernel_table}
        self._own(self._owned | desired.keys())
        ops = plan(actual, desired, frozenset())
        if ops:
            failed = await self._in_thread(lambda: self._kernel.apply(ops))
            if failed:
                # Somebody else was there; what the kernel really holds decides.
                self._compare_all = self._unsure = True
                self._wake.set()
        self._applied |= desired
        self.kernel_table = self.kernel_table | desired
        self._on_change()

    async def _look(self) -> None:
        """Compares everything with the kernel, repairs, and reads the counters."""
        applied, owned = dict(self._applied), frozenset(self._owned)

        def look() -> tuple[_Look, Mapping[ServiceKey, ServiceCounters]]:
            table, counters = self._kernel.read_with_counters()
            ops = plan(table, applied, owned)
            failed = self._kernel.apply(ops) if ops else []
            return _Look(table, ops, failed), counters

        started = time.monotonic()
        found, self.counters = await self._in_thread(look)
        took = time.monotonic() - started
        self._next_look = asyncio.get_running_loop().time() + max(PERIOD, SHARE * took)
        foreign = {key: service for key, service in found.table.items() if key not in applied}
        refused = {failure.op for failure in found.failed} if found.failed else set()
        drifted = tuple(str(op) for op in found.ops if str(op) not in self._failing)
        self.kernel_table = foreign | applied if not refused else found.table
        if refused:
            self._tell(found.failed)
        elif not found.ops:
            self._tell([])
        if drifted:
            self.repairs += len(drifted)
            more = (f"and {len(drifted) - TOLD} more",) if len(drifted) > TOLD else ()
            self._on_drift(drifted[:TOLD] + more)
        self._on_change()

    def _own(self, keys: Iterable[ServiceKey]) -> None:
        wanted = set(keys)
        if wanted != self._owned:
            self._owned = wanted
            self._on_owned(frozenset(wanted))

    def _tell(self, failed: list[Failed]) -> None:
        """Each refusal is said once, as long as it lasts."""
        texts = {failure.text for failure in failed}
        for text in sorted(texts - self._refusals):
            log.error("%s", text)
        self._refusals = texts
        self._failing = frozenset(str(failure.op) for failure in failed)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
