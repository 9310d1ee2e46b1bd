"""The check process: probes asked, verdicts made rows, rows kept in the kernel, operators' orders followed.
A thin shell: what is up is decided in farm, what the table is in desired, what changes in ipvs/plan."""

from __future__ import annotations

import asyncio
import gc
import logging
import pickle
import random
import resource
import socket
import time
from collections.abc import Coroutine, Hashable, Sequence

import msgspec

from lvsd.core.conf.values import Command
from lvsd.core.ipc.child import CoreLink
from lvsd.core.ipc.messages import (
    Abort,
    Answer,
    AnyMessage,
    CheckReport,
    Commit,
    Keep,
    Kept,
    Notice,
    OverrideServer,
    Prepare,
    ProgramEnded,
    Programmed,
    Ready,
    Refused,
    Restarted,
    RunProgram,
    Stop,
)
from lvsd.core.netlink.socket import Refused as KernelRefused
from lvsd.core.notify.events import OverrideChanged, QuorumChanged, ServerChanged, TableDrifted
from lvsd.core.rights import Rights, take

from .desired import desired, rows
from .farm import Changes, Farm
from .inherit import Asked, Resolved, resolve
from .ipvs.kernel import IpvsKernel, IpvsMissing
from .ipvs.table import ServiceKey, Timeouts
from .keeper import Keeper
from .override import BadOrder, Override, Overrides, decode, encode, order_of, server_of
from .ownership import decode_keys, encode_keys
from .probe import Outcome, Target
from .report import service_report
from .schedule import Probe, Schedule, kind
from .service import ServerChange, ServiceState, objection
from .settings import CheckSettings

log = logging.getLogger("lvsd.check")

NOTIFY_TIMEOUT = 300.0
"""Seconds that a notify program may run."""
REPORT_PERIOD = 1.0
REPORT_GAP = 0.1
"""Seconds between two reports: at most, and at least."""
REPORT_SHARE = 20
"""A report of a large farm is made so seldom that it takes at most one part in so many of the time."""
DESCRIPTORS = 65536
"""File descriptors that the process asks for: each probe under way needs one."""
SPARE_DESCRIPTORS = 64
FLUSH = 1.0
"""Seconds that the last messages may take on their way to core."""


class Worker:
    def __init__(self, sock: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._link = CoreLink(sock, loop, self._receive, self._core_gone)
        self._farm = Farm()
        self._overrides = Overrides()
        self._schedule = Schedule(loop, self._run_program, self._observe, random.Random(), _raise_descriptors())
        self._keeper: Keeper | None = None
        self._kernel: IpvsKernel | None = None
        self._prepared: tuple[int, CheckSettings, Resolved] | None = None
        self._settings: CheckSettings | None = None
        self._problems: tuple[str, ...] = ()
        self._generation = 0
        self._owned: frozenset[ServiceKey] = frozenset()
        self._restarted = False
        self._timeouts_before: Timeouts | None = None
        self._programs: dict[int, asyncio.Future[ProgramEnded]] = {}
        self._program_number = 0
        self._report_timer: asyncio.TimerHandle | None = None
        self._report_due = 0.0
        self._report_gap = REPORT_GAP
        self._expiry: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._ending = False
        self.ended: asyncio.Future[int] = loop.create_future()

    # --- messages -------------------------------------------------------------------------------------------------

    def _receive(self, message: AnyMessage) -> None:
        match message:
            case Restarted():
                self._restarted = True
            case Kept(name, data):
                self._take_kept(name, data)
            case Prepare(generation, settings):
                self._prepare(generation, settings)
            case Commit(generation):
                self._commit(generation)
            case Abort(generation):
                gc.enable()
                if self._prepared is not None and self._prepared[0] == generation:
                    self._prepared = None
            case ProgramEnded():
                future = self._programs.pop(message.id, None)
                if future is not None and not future.done():
                    future.set_result(message)
            case OverrideServer():
                self._link.send(self._order(message))
            case Stop(why):
                self._end(why)
            case _:
                pass

    def _core_gone(self, why: str) -> None:
        self._end(f"core is gone: {why}")

    def _take_kept(self, name: str, data: bytes) -> None:
        try:
            match name:
                case "ipvs":
                    self._owned = decode_keys(data)
                case "overrides":
                    self._overrides = decode(data, self._loop.time(), time.time())
                case "timeouts":
                    self._timeouts_before = msgspec.json.decode(data, type=Timeouts | None)
                case _:
                    pass
        except (BadOrder, ValueError) as error:
            log.error("what the last run kept as %s is of no use: %s", name, error)

    # --- configuration --------------------------------------------------------------------------------------------

    def _prepare(self, generation: int, data: bytes) -> None:
        # A farm is made of hundreds of thousands of objects that all stay; the collector would look through them in vain.
        gc.disable()
        settings: CheckSettings = pickle.loads(data)
        resolved = resolve(settings)
        if resolved.services or self._owned:
            try:
                self._kernel = self._kernel or IpvsKernel()
            except IpvsMissing as error:
                if resolved.services:
                    self._link.send(Refused(generation, (str(error),)))
                    return
        if self._settings is None:
            self._take_rights(settings)
        self._prepared = (generation, settings, resolved)
        self._link.send(Ready(generation))

    def _take_rights(self, settings: CheckSettings) -> None:
        defaults = settings.globals
        wanted = Rights(
            realtime=defaults.checker_rt_priority,
            nice=defaults.checker_priority,
            lock_memory=defaults.checker_no_swap,
            capabilities=("NET_ADMIN", "NET_RAW", "NET_BIND_SERVICE"),
        )
        for sentence in take(wanted):
            log.warning("%s", sentence)

    def _commit(self, generation: int) -> None:
        if self._prepared is None or self._prepared[0] != generation or self._ending:
            return
        _, settings, resolved = self._prepared
        self._prepared = None
        first = self._settings is None
        self._settings, self._generation = settings, generation
        for problem in resolved.problems:
            if problem not in self._problems:
                log.warning("%s", problem)
        self._problems = resolved.problems
        now = self._loop.time()
        outcome = self._farm.reconfigure(resolved, self._overrides, now)
        for asked in outcome.forget:
            self._schedule.remove(asked)
        for asked in outcome.ask:
            self._schedule.add(asked, Probe(asked.check, asked.target, asked.interval, asked.warmup))
        self._announce(outcome.changes)
        self._keep_table(generation, first)
        if first:
            self._plan_expiry()
            log.info("%d services with %d checks", len(self._farm.services), len(self._farm.healths))
        gc.enable()
        gc.collect()
        gc.freeze()
        if self._keeper is None:
            self._report_soon()  # else when the table stands: a large report would delay it

    def _keep_table(self, generation: int, first: bool) -> None:
        assert self._settings is not None
        if self._keeper is None and self._kernel is not None:
            self._keeper = Keeper(
                self._kernel,
                self._owned,
                on_owned=lambda keys: self._link.send(Keep("ipvs", encode_keys(keys))),
                on_drift=self._drifted,
                on_programmed=lambda number: self._link.send(Programmed(number)),
                on_change=self._report_soon,
            )
            self._keeper.start(flush=first and not self._restarted and self._settings.globals.lvs_flush)
        if self._keeper is None:
            self._link.send(Programmed(generation))
            return
        self._keeper.want_all(desired(self._farm.services.values()), generation)
        self._spawn(self._set_timeouts(self._keeper))

    async def _set_timeouts(self, keeper: Keeper) -> None:
        assert self._settings is not None
        line = self._settings.globals.lvs_timeouts
        try:
            if line is not None:
                before = await keeper.timeouts(Timeouts(line.tcp, line.tcp_fin, line.udp))
                if self._timeouts_before is None:
                    self._timeouts_before = before
                    self._link.send(Keep("timeouts", msgspec.json.encode(before)))
            elif self._timeouts_before is not None:
                await keeper.timeouts(self._timeouts_before)
                self._timeouts_before = None
                self._link.send(Keep("timeouts", b"null"))
        except (KernelRefused, OSError) as error:
            log.error("lvs_timeouts: the kernel refuses: %s", error)

    def _drifted(self, what: tuple[str, ...]) -> None:
        why = f"somebody else had changed the IPVS table; put right: {'; '.join(what)}"
        log.warning("%s", why)
        self._link.send(Notice(TableDrifted(at=time.time(), why=why, what=what, repaired=True)))

    # --- verdicts -------------------------------------------------------------------------------------------------

    def _observe(self, key: Hashable, outcome: Outcome) -> float:
        assert isinstance(key, Asked)
        if not outcome.ok and key.log_all_failures:
            void = ", which counts for nothing" if outcome.void else ""
            where = f"{key.target.address}:{key.target.port}"
            log.info("%s of %s failed: %s%s", kind(key.check), where, outcome.reason, void)
        self._take(self._farm.observe(key, outcome, self._loop.time()))
        return self._farm.healths[key].pause

    def _take(self, changes: Changes) -> None:
        if self._keeper is not None:
            for state in changes.services.values():
                self._keeper.want(rows(state))
        if changes.services:
            self._announce(changes)
            self._report_soon()

    def _announce(self, changes: Changes) -> None:
        for state, change in changes.servers:
            self._announce_server(state, change)
        for state, quorum in changes.quorums:
            log.info("%s: %s", state.settings.name, quorum.why)
            event = QuorumChanged(at=time.time(), why=quorum.why, service=state.settings.name, up=quorum.up)
            self._link.send(Notice(event))
            settings = state.settings.settings
            self._notify(settings.quorum_up if quorum.up else settings.quorum_down, state.settings.name)

    def _announce_server(self, state: ServiceState, change: ServerChange) -> None:
        assert self._settings is not None
        asked_for = self._settings.globals.rs_init_notifies
        if not change.changed and change.up and not asked_for:
            return  # it was taken for up from the start
        server, service = change.server.settings, state.settings.name
        why = f"real server {server.name} of {service} is {'up' if change.up else 'down'}: {change.why}"
        log.log(logging.INFO if change.up else logging.WARNING, "%s", why)
        self._link.send(
            Notice(
                ServerChanged(
                    at=time.time(), why=why, service=service, server=server.name, up=change.up, initial=change.initial
                )
            )
        )
        if change.changed or asked_for:
            self._notify(server.notify_up if change.up else server.notify_down, f"{service} {server.name}")

    # --- programs -------------------------------------------------------------------------------------------------

    def _notify(self, command: Command | None, whom: str) -> None:
        if command is None or self._settings is None:
            return
        who = (
            command
            if command.user or self._settings.globals.script_user is None
            else self._settings.globals.script_user
        )
        self._link.send(
            RunProgram(0, command.argv, who.user, who.group, NOTIFY_TIMEOUT, f"notify of {whom}", queue=f"check {whom}")
        )

    async def _run_program(self, argv: Sequence[str], target: Target) -> ProgramEnded:
        self._program_number += 1
        number = self._program_number
        future: asyncio.Future[ProgramEnded] = self._loop.create_future()
        self._programs[number] = future
        purpose = f"check of {target.address}"
        self._link.send(RunProgram(number, tuple(argv), target.user, target.group, target.timeout, purpose))
        try:
            return await future
        finally:
            self._programs.pop(number, None)

    # --- orders of operators --------------------------------------------------------------------------------------

    def _order(self, message: OverrideServer) -> Answer:
        now = self._loop.time()
        try:
            if message.verb == "ready":
                lines = self._make_ready(message, now)
            else:
                order = order_of(
                    message.verb,
                    message.server,
                    message.service,
                    message.weight,
                    message.seconds,
                    message.reason,
                    message.actor,
                    now,
                )
                lines = self._give(order, message.force, now)
        except BadOrder as error:
            return Answer(id=message.id, ok=False, lines=tuple(str(error).split("\n")))
        return Answer(id=message.id, ok=True, lines=lines)

    def _give(self, order: Override, force: bool, now: float) -> tuple[str, ...]:
        covered = self._farm.covered(order)
        if not covered:
            where = f" in {order.service}" if order.service else ""
            raise BadOrder(f"there is no real server {order.server}{where}")
        states = {state.settings.name: state for state, _ in covered}
        objections = [text for state in states.values() if (text := objection(state, order))]
        if objections and not force:
            raise BadOrder("\n".join([*objections, "nothing was changed; with force it is done all the same"]))
        before = [server.wanted_weight for _, server in covered]
        self._overrides.give(order)
        self._follow((order,), order.verb, order.server, order.owner, order.sentence(now))
        return tuple(
            f"{server.settings.name} in {state.settings.name}: weight {weight} -> "
            + (str(server.wanted_weight) if server.in_table else "out of the table")
            + ("" if server.up else " (it is down)")
            for (state, server), weight in zip(covered, before, strict=True)
        )

    def _make_ready(self, message: OverrideServer, now: float) -> tuple[str, ...]:
        order_of("ready", message.server, message.service, message.weight, None, message.reason, message.actor, now)
        ended = self._overrides.ready(*server_of(message.server), message.service)
        if not ended:
            return (f"no order holds for {message.server}",)
        because = f": {message.reason}" if message.reason else ""
        self._follow(ended, "ready", message.server, message.actor, f"{message.server} is ready again{because}")
        return tuple(f"ended: {order.sentence(now)}" for order in ended)

    def _follow(self, orders: Sequence[Override], verb: str, server: str, actor: str, why: str) -> None:
        log.info("%s", why)
        self._link.send(Notice(OverrideChanged(at=time.time(), why=why, server=server, verb=verb, actor=actor)))
        self._link.send(Keep("overrides", encode(self._overrides, self._loop.time(), time.time()), persistent=True))
        self._take(self._farm.override(self._overrides, orders))
        self._plan_expiry()

    def _plan_expiry(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        deadline = self._overrides.deadline
        self._expiry = None if deadline is None else self._loop.call_at(deadline, self._expire)

    def _expire(self) -> None:
        for order in self._overrides.expire(self._loop.time()):
            why = f"the time of an order is over: {order.verb} of {order.server} by {order.owner or 'an operator'}"
            self._follow((order,), "ready", order.server, "lvsd", why)
        self._plan_expiry()

    # --- reports --------------------------------------------------------------------------------------------------

    def _report_soon(self) -> None:
        self._report_at(self._loop.time() + 0.01)

    def _report_at(self, when: float) -> None:
        """The earlier of what is planned and what is asked for, but never too soon after the last one."""
        when = max(when, self._report_due)
        if self._ending or (self._report_timer is not None and self._report_timer.when() <= when):
            return
        if self._report_timer is not None:
            self._report_timer.cancel()
        self._report_timer = self._loop.call_at(when, self._report)

    def _report(self) -> None:
        self._report_timer = None
        now = self._loop.time()
        keeper = self._keeper
        table = {} if keeper is None else keeper.kernel_table
        counters = {} if keeper is None else keeper.counters
        self._link.send(
            CheckReport(
                generation=self._generation,
                services=tuple(service_report(state, now, table, counters) for state in self._farm.services.values()),
                foreign=() if keeper is None else keeper.foreign,
                problems=self._problems + (() if keeper is None else keeper.problems),
                lateness=self._link.lateness,
                counters=self._schedule.counters | {"repairs": 0 if keeper is None else keeper.repairs},
            )
        )
        cost = self._loop.time() - now
        self._report_due = now + max(REPORT_GAP, cost * REPORT_SHARE)
        self._report_at(now + REPORT_PERIOD)

    # --- the end --------------------------------------------------------------------------------------------------

    def _end(self, why: str) -> None:
        if not self._ending:
            self._ending = True
            log.info("stopping: %s", why)
            self._spawn(self._resign())

    async def _resign(self) -> None:
        self._schedule.close()
        if self._report_timer is not None:
            self._report_timer.cancel()
        self._say_omega()
        if self._keeper is not None:
            flush = self._settings is not None and self._settings.globals.lvs_flush_on_stop == "all"
            for problem in await self._keeper.stop(flush=flush, restore=self._timeouts_before):
                log.error("%s", problem)
            self._link.send(Keep("ipvs", encode_keys(frozenset())))
            if self._timeouts_before is not None:
                self._link.send(Keep("timeouts", b"null"))
        self._link.flush(FLUSH)
        self._link.close()
        self.ended.set_result(0)

    def _say_omega(self) -> None:
        for state in self._farm.services.values():
            if not state.settings.settings.omega:
                continue
            for server in state.servers:
                if server.up:
                    self._notify(server.settings.notify_down, f"{state.settings.name} {server.settings.name}")
            if state.quorum_up:
                self._notify(state.settings.settings.quorum_down, state.settings.name)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._spawned_ended)

    def _spawned_ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a task of the check process broke", exc_info=error)
            if self._ending and not self.ended.done():
                self.ended.set_result(1)


def _raise_descriptors() -> int:
    """Probes that may be under way at one time."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (max(hard, DESCRIPTORS), hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
        except (ValueError, OSError):
            continue
        return min(wanted, DESCRIPTORS) - SPARE_DESCRIPTORS
    return soft - SPARE_DESCRIPTORS


def main(channel_socket: socket.socket) -> int:
    """The process, from start to end. Returns its exit status."""

    async def run() -> int:
        return await Worker(channel_socket, asyncio.get_running_loop()).ended

    return asyncio.run(run())
