"""The parent: starts and watches the children, hands out the configuration, carries their messages, stops them in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from lvsd import __version__
from lvsd.core.ipc.channel import Channel, pair
from lvsd.core.ipc.hub import Forbidden, Hub, Process
from lvsd.core.ipc.messages import (
    Abort,
    Answer,
    AnyMessage,
    Commit,
    CoreReport,
    Keep,
    LogLine,
    Notice,
    Ping,
    Pong,
    Prepare,
    ProcessReport,
    Programmed,
    Ready,
    Refused,
    Reload,
    RunProgram,
    Stop,
)
from lvsd.core.journal import StderrHandler
from lvsd.core.notify.events import AnyEvent, ConfigurationLoaded, ConfigurationRefused, ProcessEnded
from lvsd.core.notify.script import Scripts
from lvsd.core.process import Forked, fork, freeze
from lvsd.core.reader import Memory, Reading, Sources, in_child, read, read_kept
from lvsd.core.store import Store
from lvsd.core.supervisor import AskChild, KillChild, Life, Order, StartChild, Supervisor
from lvsd.core.systemd import Notifier

log = logging.getLogger("lvsd.core")

TICK = 0.25
"""Seconds between two looks at the children."""
REPORT = 2.0
"""Seconds between two reports of core's, at most."""
PREPARE_PATIENCE = 30.0
"""Seconds that the children together may take to read a new configuration."""
SCRIPTS_PATIENCE = 2.0
"""Seconds that notify scripts are waited for at the end."""

EXIT_DONE = 0
EXIT_FATAL = 1
EXIT_CONFIGURATION = 2


@dataclass(frozen=True, slots=True)
class RunOptions:
    """pid_files: files in which these processes' numbers are written, as keepalived's -p, -r and -c have it.
    last_good: where the files are refused at start, the last configuration that was in force is used."""

    sources: Sources
    pid_files: Mapping[Process, Path] = field(default_factory=dict)
    last_good: bool = False

    @property
    def children(self) -> tuple[Process, ...]:
        wanted = {Process.CHECK: self.sources.check, Process.VRRP: self.sources.vrrp, Process.ADMIN: True}
        return tuple(process for process, is_wanted in wanted.items() if is_wanted)


def _supervisor(process: Process) -> Supervisor:
    match process:
        case Process.VRRP:
            return Supervisor(ping_interval=1.0, stop_patience=3.0)
        case Process.CHECK:
            return Supervisor(ping_interval=5.0, stop_patience=15.0)
        case _:
            return Supervisor(ping_interval=5.0, stop_patience=3.0)


class Child:
    """A child's process and line. It has ended when both are gone: what it said last is read first."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.supervisor = _supervisor(process)
        self.forked: Forked | None = None
        self.channel: Channel | None = None
        self.how_ended = ""
        self.lateness = 0.0
        self.gone = asyncio.Event()
        self.gone.set()

    def send(self, message: AnyMessage) -> None:
        if self.channel is not None:
            self.channel.send(message)

    def kill(self, number: int) -> None:
        if self.forked is not None and not self.how_ended:
            with contextlib.suppress(ProcessLookupError):
                self.forked.kill(number)


class Transaction:
    """A configuration on its way: prepared by every child that obeys it, or by none."""

    def __init__(self, generation: int, reading: Reading, children: Iterable[Process]) -> None:
        self.generation = generation
        self.reading = reading
        self.participants = tuple(children)
        self.waiting = set(self.participants)
        self.problems: list[str] = []
        self.decided = asyncio.Event()

    def answered(self, process: Process, problems: tuple[str, ...] = ()) -> None:
        if process not in self.participants:
            return
        self.waiting.discard(process)
        self.problems += problems
        if not self.waiting or self.problems:
            self.decided.set()


class Core:
    def __init__(self, options: RunOptions, store: Store, handler: StderrHandler, notifier: Notifier) -> None:
        self._options = options
        self._store = store
        self._handler = handler
        self._notifier = notifier
        self._loop = asyncio.get_running_loop()
        self._hub = Hub(options.children, store.kept())
        self._scripts = Scripts(self._loop)
        self._children = {process: Child(process) for process in options.children}
        self._listening: socket.socket | None = None
        self._generation = 0
        self._last_number = 0
        self._reading = Reading(problems=())
        self._memory = Memory()
        self._transaction: Transaction | None = None
        self._loaded_at = 0.0
        self._stale = ""
        self._stopping: asyncio.Future[str] = self._loop.create_future()
        self._reload_wanted = asyncio.Event()
        self._reload_asked_by: list[Reload] = []
        self._reported_at = 0.0
        self._watchdog_at = 0.0

    # --- the run, from start to end -------------------------------------------------------------------------------

    async def run(self) -> int:
        """Until told to stop. Returns the exit status; problems of the first configuration end it."""
        reading = await self._read()
        if reading.problems and self._options.last_good:
            reading = await self._last_good(reading.problems)
        self._tell_warnings(reading)
        if reading.problems:
            return self._refuse_to_start(reading.problems)
        self._listening = self._store.listen()
        self._load_children()
        freeze()
        self._handle_signals()
        transaction = self._begin(reading)
        for process in transaction.participants:
            self._start_first(process)
        ticker = self._loop.create_task(self._tick_for_ever())
        try:
            await self._decide(transaction)
            if transaction.problems:
                self._transaction = None
                await self._stop_children("the configuration was refused")
                return self._refuse_to_start(tuple(transaction.problems))
            self._commit(transaction)
            self._start_first(Process.ADMIN)
            self._notifier.ready(f"configuration {self._options.sources.configuration}")
            reloader = self._loop.create_task(self._reload_when_asked())
            why = await self._stopping
            reloader.cancel()
            log.info("stopping: %s", why)
            self._notifier.stopping()
            await self._stop_children(why)
            log.info("stopped")
            return EXIT_DONE
        finally:
            ticker.cancel()
            self._listening.close()

    @staticmethod
    def _refuse_to_start(problems: tuple[str, ...]) -> int:
        for problem in problems:
            log.error("%s", problem)
        log.error(
            "not started, for %s", "the reason above" if len(problems) == 1 else f"the {len(problems)} reasons above"
        )
        return EXIT_CONFIGURATION

    def _handle_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._stop, f"{signal.Signals(number).name} received")
        self._loop.add_signal_handler(signal.SIGHUP, self._reload_wanted.set)
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            name = signal.Signals(number).name
            self._loop.add_signal_handler(
                number, log.info, "%s received: `lvsd status --json` shows what it would dump", name
            )

    def _stop(self, why: str) -> None:
        if not self._stopping.done():
            self._stopping.set_result(why)

    async def _stop_children(self, why: str) -> None:
        """vrrp first: the other director takes the addresses over while the table here still stands."""
        for process in (Process.VRRP, Process.CHECK):
            await self._stop_child(process, why)
        await self._scripts.drain(SCRIPTS_PATIENCE)
        await self._stop_child(Process.ADMIN, why)

    async def _stop_child(self, process: Process, why: str) -> None:
        child = self._children.get(process)
        if child is not None:
            child.supervisor.stop(self._loop.time())
            child.send(Stop(why))
            await child.gone.wait()

    # --- children -------------------------------------------------------------------------------------------------

    async def _tick_for_ever(self) -> None:
        while True:
            now = self._loop.time()
            for child in self._children.values():
                self._obey(child, child.supervisor.tick(now))
            if now - self._reported_at >= REPORT:
                self._report()
            if self._notifier.watchdog is not None and now - self._watchdog_at >= self._notifier.watchdog:
                self._watchdog_at = now
                self._notifier.alive()
            await asyncio.sleep(TICK)

    def _obey(self, child: Child, orders: list[Order]) -> None:
        for order in orders:
            match order:
                case StartChild(again):
                    self._start(child, again)
                case AskChild(number):
                    child.send(Ping(number))
                case KillChild(why):
                    log.error("%s is killed: %s", child.process.value, why)
                    child.kill(signal.SIGKILL)

    def _load_children(self) -> None:
        """What vrrp and check consist of is loaded once, here: they share its pages, and a restarted one reads no file."""
        if Process.VRRP in self._children:
            import lvsd.vrrp.main
        if Process.CHECK in self._children:
            import lvsd.check.main  # noqa: F401

    def _start_first(self, process: Process) -> None:
        child = self._children[process]
        self._obey(child, child.supervisor.start(self._loop.time()))

    def _start(self, child: Child, again: bool) -> None:
        ours, theirs = pair()
        keep = [theirs.fileno()]
        if child.process is Process.ADMIN and self._listening is not None:
            keep.append(self._listening.fileno())
        child.how_ended = ""
        child.gone.clear()
        child.forked = fork(child.process.value, self._entry(child.process, theirs), keep)
        theirs.close()
        self._loop.add_reader(child.forked.pidfd, self._ended, child)
        child.channel = Channel(
            ours,
            self._loop,
            lambda message: self._receive(child, message),
            lambda why: self._line_closed(child, why),
        )
        self._write_pid(child.process, child.forked.pid)
        for message in self._hub.replay(child.process, again, self._loop.time()):
            child.send(message)
        transaction = self._transaction
        if transaction is not None and self._generation == 0:
            child.send(Prepare(transaction.generation, self._part(child.process, transaction.reading)))
        else:
            child.send(Prepare(self._generation, self._part(child.process, self._reading)))

    def _entry(self, process: Process, sock: socket.socket) -> Callable[[], int]:
        listening = self._listening

        def entry() -> int:
            match process:
                case Process.VRRP:
                    from lvsd.vrrp import main as vrrp

                    return vrrp.main(sock)
                case Process.CHECK:
                    from lvsd.check import main as check

                    return check.main(sock)
                case _:
                    from lvsd.admin import app as admin

                    assert listening is not None
                    return admin.main(sock, listening)

        return entry

    @staticmethod
    def _part(process: Process, reading: Reading) -> bytes:
        return {Process.VRRP: reading.vrrp, Process.CHECK: reading.check}.get(process, b"")

    def _write_pid(self, process: Process, pid: int) -> None:
        path = self._options.pid_files.get(process)
        if path is not None:
            try:
                self._store.write_pid(path, pid)
            except OSError as error:
                log.warning("pid file %s was not written: %s", path, error.strerror)

    def _line_closed(self, child: Child, why: str) -> None:
        if not child.how_ended:
            # It said nonsense, or is ending; in the second case its pidfd says so at once.
            self._loop.call_later(1.0, self._kill_speechless, child, child.forked, why)
        else:
            self._bury(child)

    def _kill_speechless(self, child: Child, forked: Forked | None, why: str) -> None:
        if child.forked is forked and not child.how_ended:
            log.error("%s is killed: %s", child.process.value, why)
            child.kill(signal.SIGKILL)

    def _ended(self, child: Child) -> None:
        assert child.forked is not None
        self._loop.remove_reader(child.forked.pidfd)
        child.how_ended = child.forked.reap()
        if child.channel is None or child.channel.closed:
            self._bury(child)

    def _bury(self, child: Child) -> None:
        """What to do next stands in its supervisor."""
        name, how = child.process.value, child.how_ended
        child.channel = None
        child.gone.set()
        if self._transaction is not None:
            self._transaction.answered(child.process, (f"{name} {how} while it read the configuration",))
        stopping = child.supervisor.life is Life.STOPPING
        if self._generation == 0:
            child.supervisor.stop(self._loop.time())  # nothing was ever in force: whoever waits for it gives up
        orders = child.supervisor.ended(self._loop.time())
        if not stopping or how != "ended":
            again = child.supervisor.life in (Life.STARTING, Life.WAITING)
            log.error("%s %s%s", name, how, "; it is started again" if again else "")
            self._notice(ProcessEnded(at=time.time(), why=f"{name} {how}", process=name, restarted=again))
        self._obey(child, orders)

    # --- messages -------------------------------------------------------------------------------------------------

    def _receive(self, child: Child, message: AnyMessage) -> None:
        try:
            deliveries = self._hub.receive(child.process, message, self._loop.time())
        except Forbidden as error:
            log.error("%s", error)
            return
        for delivery in deliveries:
            if delivery.to is Process.CORE:
                self._handle(child, delivery.message)
            else:
                self._children[delivery.to].send(delivery.message)

    def _handle(self, child: Child, message: AnyMessage) -> None:
        match message:
            case LogLine(level, text, lost):
                more = f" ({lost} lines before this one were lost)" if lost else ""
                self._handler.line(level, child.process.value, text + more)
            case Pong(number, lateness):
                child.lateness = lateness
                child.supervisor.ponged(number)
            case Ready(generation):
                self._ready(child, generation)
            case Refused(generation, problems):
                self._refused(child, generation, problems)
            case RunProgram():
                channel = child.channel
                self._scripts.run(message, lambda result: channel.send(result) if channel and message.id else None)
            case Keep(name, data, persistent):
                try:
                    self._store.keep(child.process, name, data, persistent)
                except (OSError, ValueError) as error:
                    log.error("%s could not be kept, a restart of lvsd will not know it: %s", name, error)
            case Reload():
                self._reload_asked_by.append(message)
                self._reload_wanted.set()
            case _:
                pass

    def _ready(self, child: Child, generation: int) -> None:
        child.supervisor.ready(self._loop.time())
        if self._transaction is not None and generation == self._transaction.generation:
            self._transaction.answered(child.process)
        elif generation == self._generation:
            self._send_commit(child)

    def _refused(self, child: Child, generation: int, problems: tuple[str, ...]) -> None:
        if self._transaction is not None and generation == self._transaction.generation:
            self._transaction.answered(child.process, problems)
            return
        for problem in problems:
            log.error("%s refuses the running configuration: %s", child.process.value, problem)
        child.kill(signal.SIGKILL)

    def _notice(self, event: AnyEvent) -> None:
        self._broadcast(Notice(event))

    def _broadcast(self, message: AnyMessage) -> None:
        for delivery in self._hub.receive(Process.CORE, message, self._loop.time()):
            self._children[delivery.to].send(delivery.message)

    def _report(self) -> None:
        self._reported_at = self._loop.time()
        self._broadcast(
            CoreReport(
                node=self._reading.router_id or socket.gethostname(),
                version=__version__,
                configuration=self._options.sources.configuration,
                generation=self._generation,
                loaded_at=self._loaded_at,
                stale=self._stale,
                warnings=self._reading.warnings,
                processes=tuple(
                    ProcessReport(
                        name=child.process.value,
                        pid=child.forked.pid if child.forked is not None else 0,
                        state="failing" if child.supervisor.failing else child.supervisor.life.value,
                        restarts=child.supervisor.restarts,
                        lateness=child.lateness,
                    )
                    for child in self._children.values()
                ),
            )
        )

    # --- configuration --------------------------------------------------------------------------------------------

    async def _read(self) -> Reading:
        sources = self._options.sources
        reader = partial(read, sources, self._memory, self._store.candidate)
        return await in_child(reader, sources.configuration, self._memory)

    async def _last_good(self, problems: tuple[str, ...]) -> Reading:
        """The last configuration that was in force, where the present files are refused."""
        sources = self._options.sources
        for problem in problems:
            log.error("%s", problem)
        reader = partial(read_kept, sources, self._store.last_good)
        reading = await in_child(reader, sources.configuration, self._memory)
        if not reading.problems:
            since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(reading.of))
            log.error("the files are refused; the last good configuration, of %s, is used in their place", since)
        return reading

    def _begin(self, reading: Reading) -> Transaction:
        # A refused configuration's number is not used again: a late Ready must not be taken for the next one's.
        self._last_number += 1
        # The admin process shows what runs and obeys no configuration, so nobody waits for it.
        obedient = [process for process in self._children if process is not Process.ADMIN]
        self._transaction = Transaction(self._last_number, reading, obedient)
        return self._transaction

    async def _decide(self, transaction: Transaction) -> None:
        try:
            async with asyncio.timeout(PREPARE_PATIENCE):
                await transaction.decided.wait()
        except TimeoutError:
            names = ", ".join(sorted(process.value for process in transaction.waiting))
            transaction.problems.append(f"{names} did not take the configuration within {PREPARE_PATIENCE:g} s")

    def _commit(self, transaction: Transaction) -> None:
        self._transaction = None
        self._generation = transaction.generation
        self._reading = transaction.reading
        self._loaded_at = time.time()
        path = self._options.sources.configuration
        self._stale = self._keep_as_good(path)
        for process in transaction.participants:
            self._send_commit(self._children[process])
        log.info("configuration %s is in force (generation %d)", path, self._generation)
        self._notice(ConfigurationLoaded(at=time.time(), why=f"{path} is in force", generation=self._generation))
        self._report()

    def _keep_as_good(self, path: str) -> str:
        """Why what runs now is stale, if it is."""
        if self._reading.of:
            since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self._reading.of))
            return f"{path} was refused at start, the last good configuration, of {since}, runs in its place"
        try:
            self._store.candidate_is_good()
        except OSError as error:
            log.warning("the configuration is not kept for --last-good: %s", error.strerror)
        return ""

    def _send_commit(self, child: Child) -> None:
        child.send(Commit(self._generation))
        if child.process is Process.VRRP and Process.CHECK not in self._children:
            child.send(Programmed(self._generation))

    async def _reload_when_asked(self) -> None:
        while True:
            await self._reload_wanted.wait()
            self._reload_wanted.clear()
            asked_by, self._reload_asked_by = self._reload_asked_by, []
            self._notifier.reloading()
            problems = await self._reload()
            self._notifier.ready("reloaded" if not problems else "running; the last reload was refused")
            lines = problems or (
                f"configuration {self._options.sources.configuration} is in force",
                *self._reading.warnings,
            )
            for order in asked_by:
                self._broadcast(Answer(id=order.id, ok=not problems, lines=lines))

    async def _reload(self) -> tuple[str, ...]:
        """The problems for which the new configuration was refused; the old one goes on then."""
        reading = await self._read()
        self._tell_warnings(reading)
        if reading.problems:
            return self._refuse_reload(reading.problems)
        transaction = self._begin(reading)
        for process in transaction.participants:
            child = self._children[process]
            if child.supervisor.life is Life.RUNNING:
                child.send(Prepare(transaction.generation, self._part(process, reading)))
            else:
                transaction.answered(process, (f"{process.value} is not running",))
        await self._decide(transaction)
        if transaction.problems:
            self._transaction = None
            for process in transaction.participants:
                self._children[process].send(Abort(transaction.generation))
            return self._refuse_reload(tuple(transaction.problems))
        self._commit(transaction)
        return ()

    def _refuse_reload(self, problems: tuple[str, ...]) -> tuple[str, ...]:
        for problem in problems:
            log.error("%s", problem)
        log.error("the new configuration is refused; the running one goes on")
        self._stale = (
            f"the configuration was refused at {time.strftime('%Y-%m-%d %H:%M:%S')}: {problems[0].splitlines()[0]}"
        )
        self._notice(ConfigurationRefused(at=time.time(), why="the new configuration is refused", problems=problems))
        self._report()
        return problems

    @staticmethod
    def _tell_warnings(reading: Reading) -> None:
        for warning in reading.warnings:
            log.warning("%s", warning)


def run(options: RunOptions, store: Store) -> int:
    """The daemon, in this process. Returns its exit status."""
    handler = StderrHandler()
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    own_pid = options.pid_files.get(Process.CORE)
    if own_pid is not None:
        try:
            store.write_pid(own_pid, os.getpid())
        except OSError as error:
            log.error("pid file %s cannot be written: %s", own_pid, error.strerror)
            return EXIT_FATAL

    async def main() -> int:
        return await Core(options, store, handler, Notifier()).run()

    try:
        return asyncio.run(main())
    finally:
        store.close()
