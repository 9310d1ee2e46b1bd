"""The vrrp process: one loop, one timer. Hears, asks the router what to do, and does it; decides nothing by itself.

A turn reads every socket dry before the router looks at the clock: after a pause it must know what it missed."""

from __future__ import annotations

import asyncio
import functools
import gc
import logging
import pickle
import signal
import socket
import time
from collections import deque
from collections.abc import Iterable

import msgspec

from lvsd.core.ipc.channel import without_sources
from lvsd.core.ipc.child import CoreLink
from lvsd.core.ipc.messages import (
    Abort,
    AnyMessage,
    Commit,
    Keep,
    Kept,
    Notice,
    Prepare,
    ProgramEnded,
    Programmed,
    Ready,
    Refused,
    Restarted,
    RunProgram,
    Stop,
    VrrpReport,
)
from lvsd.core.netlink.route import AddressRow
from lvsd.core.netlink.socket import Overrun
from lvsd.core.netlink.socket import Refused as NetlinkRefused
from lvsd.core.notify.events import Alarm, AnyEvent, GroupChanged, InstanceChanged, TableDrifted
from lvsd.core.rights import Rights, take

from .kernel.adoption import Adoption, own_addresses
from .kernel.parts import Parts
from .kernel.timer import Timer
from .kernel.worker import Tables
from .resolve import Node, Unresolvable, resolve
from .router import Router
from .settings import VrrpSettings
from .types import (
    Address,
    AddressesFailed,
    AddressRemoved,
    AdvertReceived,
    AdvertSent,
    Announce,
    DropAddresses,
    HoldAddresses,
    RenewLeases,
    RunNotify,
    SendAdvert,
    SendFailed,
    TableProgrammed,
    Tell,
    VrrpAction,
    VrrpEvent,
)

log = logging.getLogger("lvsd.vrrp")

GOODBYE_PATIENCE = 0.5
"""Seconds that a goodbye waits for the addresses to be gone."""
STOP_PATIENCE = 0.5
REPORT_PAUSE = 0.1
REPORT_PERIOD = 1.0
COLLECT_PERIOD = 60.0
NOTIFY_TIMEOUT = 60.0
FLUSH_PATIENCE = 0.3
ERROR_PAUSE = 0.1
"""Seconds before a router that failed is asked again."""
RETRY_SOCKETS = 1.0
EARLY_LIMIT = 1000
"""Packets that are remembered between Prepare and Commit."""

_KEPT_PROMOTIONS = "promote_secondaries"
_KEPT_ADOPTIONS = "adoptions"


def main(channel_socket: socket.socket) -> int:
    """Runs until core orders to stop, or is gone. Returns the exit status."""
    loop = asyncio.new_event_loop()
    try:
        process = VrrpProcess(channel_socket, loop)
        loop.run_forever()
        process.close()
    finally:
        loop.close()
    return 0


class VrrpProcess:
    def __init__(self, channel_socket: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._core = CoreLink(channel_socket, loop, self._receive, self._end)
        self._timer = Timer()
        loop.add_reader(self._timer, self.turn)
        loop.add_signal_handler(signal.SIGTERM, self._end, "the process was told to terminate")
        # Its default would end the process for the crime of a slow turn.
        signal.signal(
            signal.SIGXCPU, lambda *_: log.warning("one turn of the loop computed longer than vrrp_rlimit_rttime")
        )

        self._adoption = Adoption()
        self._promoting: frozenset[str] = frozenset()
        self._prepared: dict[int, tuple[VrrpSettings, Node]] = {}
        self._generation = 0
        self._programmed: int | None = None

        self._parts: Parts | None = None
        self._router: Router | None = None
        self._node: Node | None = None
        self._early: list[AdvertReceived] = []
        # Addresses of ours that somebody else (keepalived) may have left here: they serve on until it is known whose they are.
        self._leftovers: frozenset[tuple[int, Address]] = frozenset()
        self._goodbyes: deque[tuple[SendAdvert, float]] = deque()
        self._announcements: dict[str, Announce] = {}
        self._ending: float | None = None
        self._errors = 0
        self._not_before = 0.0
        self._reported_at = 0.0
        self._changed = False
        self._advert_left = False
        self._collected_at = 0.0
        self._socket_problems: dict[tuple[str, int], str] = {}
        self._retry_sockets_at: float | None = None

    def close(self) -> None:
        self._core.flush(FLUSH_PATIENCE)
        if self._parts is not None:
            self._parts.close()
        self._core.close()
        self._timer.close()

    # --- messages of core -----------------------------------------------------------------------------------------

    def _receive(self, message: AnyMessage) -> None:
        match message:
            case Restarted():
                self._adoption.restarted(message)
            case Kept(name, data):
                if name == _KEPT_PROMOTIONS:
                    self._promoting = frozenset(data.decode().split())
                elif name == _KEPT_ADOPTIONS:
                    self._adoption.recall(data)
            case Prepare():
                self._prepare(message)
            case Commit(generation):
                self._commit(generation)
            case Abort(generation):
                self._prepared.pop(generation, None)
            case Programmed(generation):
                self._programmed = generation
                self._feed([TableProgrammed(generation)])
            case Stop(why):
                self._end(why)
            case ProgramEnded():
                pass  # core has logged it
            case _:
                log.warning("core sent %s, which means nothing here", type(message).__name__)

    def _prepare(self, message: Prepare) -> None:
        try:
            settings = pickle.loads(message.settings)
            node = resolve(settings)
            if self._parts is None:
                self._start(settings)
                self._open_sockets(node, time.monotonic())
        except Unresolvable as error:
            self._core.send(Refused(message.generation, error.problems))
            return
        except (OSError, Overrun, NetlinkRefused) as error:
            self._core.send(Refused(message.generation, (f"the VRRP process cannot work: {error}",)))
            return
        self._prepared[message.generation] = (settings, node)
        self._core.send(Ready(message.generation))

    def _start(self, settings: VrrpSettings) -> None:
        """Once, before the first configuration is in force."""
        defaults = settings.globals
        rights = Rights(
            realtime=defaults.vrrp_rt_priority,
            rttime=defaults.vrrp_rlimit_rttime,
            nice=defaults.vrrp_priority,
            lock_memory=True,
            capabilities=("NET_ADMIN", "NET_RAW"),
        )
        # Rights belong to a thread: the worker takes its own, with the same priority, since leases end in real time.
        parts = Parts(self, self._loop, functools.partial(take, rights), self._promoting)
        for sentence in take(rights):
            log.warning("%s", sentence)
        self._parts = parts

    def _commit(self, generation: int) -> None:
        found = self._prepared.pop(generation, None)
        if self._ending is not None:
            return
        if found is None or self._parts is None:
            log.error("core wants configuration %d, which was not prepared", generation)
            return
        settings, node = found
        self._prepared.clear()
        now = time.monotonic()
        self._generation = generation
        before, self._node = self._node, node
        self._parts.addresses.set_owners(router.name for router in node.routers if router.owner)
        self._parts.monitor.watch(node.interfaces)
        self._open_sockets(node, now)
        if self._router is None:
            self._begin(settings, node, now)
        elif before != node:
            self._perform(self._router.reconfigure(settings, now))
        self._changed = True
        self.turn()

    def _begin(self, settings: VrrpSettings, node: Node, now: float) -> None:
        parts = self._parts
        assert parts is not None
        rows: tuple[AddressRow, ...] = ()
        if self._adoption.possible:
            tables = parts.read_tables()
            parts.table.load(tables.links, tables.rows)
            rows = tables.rows
        self._early += parts.sockets.receive()
        adopted = self._adoption.decide(node, parts.table, rows, self._early, now)
        for order in adopted:
            parts.addresses.adopt(order)
        names = frozenset(order.instance for order in adopted)
        if names:
            self._core.send(Keep(_KEPT_ADOPTIONS, self._adoption.memory()))
        parts.addresses.sweep(())
        self._leftovers = own_addresses(node, parts.table, names)
        self._router = Router(settings, now, adopted=names, wait_for_table=True)
        if self._programmed is not None:
            self._feed([TableProgrammed(self._programmed)])
        self._feed(parts.monitor.changes())
        self._feed(self._early)
        self._early.clear()
        gc.collect()
        gc.freeze()
        gc.disable()
        self._collected_at = now

    # --- one turn -------------------------------------------------------------------------------------------------

    def turn(self) -> None:
        now = time.monotonic()
        self._timer.clear()
        try:
            self._hear(now)
            self._tick(now)
            self._finish(now)
        finally:
            self._timer.set(self._deadline())

    def _hear(self, now: float) -> None:
        parts = self._parts
        if parts is None:
            return
        if self._router is None:
            self._early += parts.sockets.receive()
            del self._early[:-EARLY_LIMIT]
        else:
            heard = parts.sockets.receive()
            self._feed(heard)
            self._changed |= bool(heard and self._leftovers)
        self._hear_kernel(parts, now)

    def _hear_kernel(self, parts: Parts, now: float) -> None:
        removed, lost = parts.monitor.read()
        if lost:
            log.warning("events of the kernel were lost; links and addresses are read again")
            parts.addresses.read_tables()
        changes = parts.monitor.changes()
        retry = self._retry_sockets_at is not None and now >= self._retry_sockets_at
        if self._node is not None and (changes or removed or retry):
            self._open_sockets(self._node, now)
        self._feed(changes)
        if removed:
            parts.addresses.noticed_removals(removed)

    def _tick(self, now: float) -> None:
        parts, router = self._parts, self._router
        if parts is None or router is None:
            return
        if now >= self._not_before:
            try:
                actions = router.tick(now)
            except Exception as error:
                self._not_before = now + ERROR_PAUSE
                self._note_error("the router's tick", error)
            else:
                self._perform(actions)
        parts.addresses.tick(now)
        self._say_goodbyes(now)
        parts.announcer.turn(now)
        self._report(now)
        if self._advert_left and now - self._collected_at >= COLLECT_PERIOD:
            self._collected_at = now
            gc.collect()
        self._advert_left = False

    def _deadline(self) -> float | None:
        parts, router = self._parts, self._router
        if parts is None or router is None:
            return None
        # A turn that left frames or packets over is followed by another one at once.
        times = [parts.addresses.deadline, parts.announcer.deadline, self._retry_sockets_at, self._ending]
        if router.deadline is not None:
            times.append(max(router.deadline, self._not_before))
        if self._goodbyes:
            times.append(self._goodbyes[0][1])
        times.append(self._reported_at + (REPORT_PAUSE if self._changed else REPORT_PERIOD))
        return min(at for at in times if at is not None)

    def _feed(self, events: Iterable[VrrpEvent]) -> None:
        if self._router is None:
            return
        for event in events:
            try:
                actions = self._router.handle(event, time.monotonic())
            except Exception as error:
                self._note_error(type(event).__name__, error)
            else:
                self._perform(actions)

    def _note_error(self, what: str, error: Exception) -> None:
        self._errors += 1
        log.error("%s could not be handled: %s", what, without_sources(error))

    # --- actions --------------------------------------------------------------------------------------------------

    def _perform(self, actions: list[VrrpAction]) -> None:
        """In their order; what follows from them comes after them."""
        waiting = deque(actions)
        while waiting:
            action = waiting.popleft()
            try:
                event = self._do(action)
                if event is not None and self._router is not None:
                    waiting.extend(self._router.handle(event, time.monotonic()))
            except Exception as error:
                self._note_error(type(action).__name__, error)

    def _do(self, action: VrrpAction) -> VrrpEvent | None:
        parts = self._parts
        assert parts is not None
        match action:
            case SendAdvert():
                return self._send(action)
            case HoldAddresses():
                self._announcements.pop(action.instance, None)
                parts.addresses.hold(action)
            case DropAddresses(instance):
                self._announcements.pop(instance, None)
                parts.announcer.cancel(instance)
                parts.addresses.drop(action)
            case RenewLeases():
                parts.addresses.renew(action)
                return None
            case Announce(instance):
                self._announcements[instance] = action
                self._announce(instance)
                return None
            case Tell(event):
                self._tell(event)
            case RunNotify(argv, user, group, queue):
                self._core.send(RunProgram(0, argv, user, group, NOTIFY_TIMEOUT, f"notify of {queue}", queue))
        self._changed = True
        return None

    def _send(self, advert: SendAdvert) -> VrrpEvent | None:
        parts = self._parts
        assert parts is not None
        if advert.priority == 0:
            self._goodbyes.append((advert, time.monotonic() + GOODBYE_PATIENCE))
            self._say_goodbyes(time.monotonic())
            return None
        # A master again: what it wanted to say as it left would now be wrong.
        self._goodbyes = deque(waiting for waiting in self._goodbyes if waiting[0].instance != advert.instance)
        code = parts.sockets.send(advert)
        if code:
            return SendFailed(advert.instance, code)
        self._advert_left = True
        return AdvertSent(advert.instance)

    def _say_goodbyes(self, now: float) -> None:
        parts = self._parts
        assert parts is not None
        still: deque[tuple[SendAdvert, float]] = deque()
        for advert, until in self._goodbyes:
            if parts.addresses.is_removing(advert.instance) and now < until:
                still.append((advert, until))
            else:
                parts.sockets.send(advert)
        self._goodbyes = still

    def _announce(self, instance: str) -> None:
        """A neighbour that learns of an address before it is here would be turned away."""
        parts = self._parts
        assert parts is not None
        order = self._announcements.get(instance)
        if order is not None and parts.addresses.is_placed(instance):
            del self._announcements[instance]
            targets = parts.addresses.targets(instance)
            parts.announcer.announce(instance, targets, order.repeat, order.interval, time.monotonic())

    def _tell(self, event: AnyEvent) -> None:
        serious = isinstance(event, Alarm | TableDrifted) or (
            isinstance(event, InstanceChanged) and event.state == "FAULT"
        )
        log.log(logging.WARNING if serious else logging.INFO, "%s%s", _subject(event), event.why)
        self._core.send(Notice(msgspec.structs.replace(event, at=time.time())))

    # --- the kernel's answers -------------------------------------------------------------------------------------

    def addresses_failed(self, instance: str, why: tuple[str, ...]) -> None:
        self._feed([AddressesFailed(instance, why)])

    def address_removed(self, instance: str, address: Address) -> None:
        # What else waits may say that the instance has lost its role, or its interface.
        self._hear(time.monotonic())
        self._feed([AddressRemoved(instance, address)])

    def addresses_placed(self, instance: str) -> None:
        self._changed = True
        self._announce(instance)

    def addresses_dropped(self, instance: str) -> None:
        self._changed = True
        self._say_goodbyes(time.monotonic())

    def tables_read(self, tables: Tables) -> None:
        parts = self._parts
        assert parts is not None
        parts.table.load(tables.links, tables.rows)
        parts.addresses.doubt_all()
        if self._node is not None:
            self._open_sockets(self._node, time.monotonic())
        self._feed(parts.monitor.changes())

    def promoting(self, devices: frozenset[str]) -> None:
        if devices != self._promoting:
            self._promoting = devices
            self._core.send(Keep(_KEPT_PROMOTIONS, " ".join(sorted(devices)).encode()))

    def _open_sockets(self, node: Node, now: float) -> None:
        """For every interface of an instance that exists; an instance whose socket cannot be opened cannot send."""
        parts = self._parts
        if parts is None:
            return
        wanted: dict[tuple[str, int], Address] = {}
        for router in node.routers:
            family = socket.AF_INET if router.identity.family == 4 else socket.AF_INET6
            wanted[router.interface, family] = router.destination
        parts.sockets.keep_only(key for key in wanted if parts.table.index(key[0]))
        self._retry_sockets_at = None
        for (interface, kind), group in wanted.items():
            index = parts.table.index(interface)
            if not index:
                continue
            try:
                parts.sockets.ensure(interface, index, group)
            except OSError as error:
                self._retry_sockets_at = now + RETRY_SOCKETS
                if self._socket_problems.get((interface, kind)) != str(error):
                    self._socket_problems[interface, kind] = str(error)
                    log.error("VRRP cannot be heard on %s: %s", interface, error)
            else:
                self._socket_problems.pop((interface, kind), None)

    # --- report, end ----------------------------------------------------------------------------------------------

    def _report(self, now: float) -> None:
        parts, router = self._parts, self._router
        assert parts is not None
        assert router is not None
        if now < self._reported_at + (REPORT_PAUSE if self._changed else REPORT_PERIOD):
            return
        self._send_report(now)

    def _send_report(self, now: float) -> None:
        parts, router = self._parts, self._router
        if parts is None or router is None:
            return
        self._reported_at = now
        self._changed = False
        report = router.report(
            now, generation=self._generation, held=parts.addresses.held(), lateness=self._core.lateness
        )
        if self._leftovers and _is_settled(report):
            self._sweep_leftovers(parts)
        own = {
            "adverts_looped": parts.sockets.looped,
            "send_errors_reported": parts.sockets.queue_errors,
            "kernel_events_lost": parts.monitor.overruns,
            "renewals_too_late": parts.addresses.stale_renewals,
            "announcements_sent": parts.announcer.sent,
            "announcements_failed": parts.announcer.failed,
            "errors": self._errors,
        }
        self._core.send(msgspec.structs.replace(report, counters=report.counters | own))

    def _sweep_leftovers(self, parts: Parts) -> None:
        parts.addresses.sweep(self._leftovers)  # but for what is held by now
        self._leftovers = frozenset()

    def _end(self, why: str) -> None:
        """Addresses first, goodbyes next, then the exit; at most STOP_PATIENCE later."""
        if self._ending is not None:
            return
        now = time.monotonic()
        self._ending = now + STOP_PATIENCE
        if self._parts is None or self._router is None:
            self._loop.stop()
            return
        try:
            actions = self._router.stop(now, why)
        except Exception as error:
            self._note_error("the end", error)
            actions = []
        self._perform(actions)
        if self._leftovers:
            self._sweep_leftovers(self._parts)
        self._parts.addresses.finish()
        self.turn()

    def _finish(self, now: float) -> None:
        parts = self._parts
        if self._ending is None or parts is None:
            return
        if parts.addresses.unanswered and now < self._ending:
            return
        for advert, _ in self._goodbyes:
            parts.sockets.send(advert)
        self._goodbyes.clear()
        self._send_report(now)
        self._loop.stop()


def _is_settled(report: VrrpReport) -> bool:
    """Whether another master is heard, something is broken, or everything is held here."""
    unsettled = [instance for instance in report.instances if instance.state != "MASTER"]
    return not unsettled or any(instance.master or instance.state in ("FAULT", "STOP") for instance in unsettled)


def _subject(event: AnyEvent) -> str:
    """What a line of the log says before the event's own sentence."""
    match event:
        case InstanceChanged(name=name, state=state):
            return f"{name} is {state}: "
        case GroupChanged(name=name, state=state):
            return f"group {name} is {state}: "
        case Alarm(subject=subject, cleared=cleared):
            return f"{'over' if cleared else 'ALARM'}: {subject}: "
    return ""
