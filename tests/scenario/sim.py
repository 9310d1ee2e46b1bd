"""Whole nodes on a fake net with a fake clock: the real Router, wires with delay, loss and cuts, and a kernel's address table
whose leases lapse whether or not a daemon lives.

Everything follows from the seed; a failing run is played again with `python -m tests.scenario.test_simulation SEED`."""

from __future__ import annotations

import heapq
import random
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from itertools import pairwise

from lvsd.core.notify.events import InstanceChanged
from lvsd.vrrp.router import Router
from lvsd.vrrp.settings import VrrpSettings
from lvsd.vrrp.types import (
    AddressRemoved,
    AdvertReceived,
    AdvertSent,
    Announce,
    DropAddresses,
    HoldAddresses,
    LinkChanged,
    RenewLeases,
    RunNotify,
    SendAdvert,
    SendFailed,
    State,
    TableProgrammed,
    Tell,
    VrrpAction,
    VrrpEvent,
)

Address = IPv4Address | IPv6Address
ENETDOWN = 100
LAZY = 0.98  # seconds that the kernel's address timer may be late
TOO_BUSY = 200  # turns of one wake-up, after which a director is said to spin


class World:
    """The clock, the wires, and who holds which address since when."""

    def __init__(self, seed: int = 1, *, delay: tuple[float, float] = (0.0002, 0.01)) -> None:
        self.random = random.Random(seed)
        self.now = 0.0
        self.delay = delay
        self.loss = 0.0
        self.directors: dict[str, Director] = {}
        self.dead_ways: set[tuple[str, str, str]] = set()  # network, from, to
        self.holders: dict[Address, frozenset[str]] = {}
        self.history: dict[Address, list[tuple[float, frozenset[str]]]] = defaultdict(list)
        self.trace: list[str] = []
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._arrived: dict[tuple[str, str, str], float] = {}

    def at(self, when: float, what: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._agenda, (max(when, self.now), self._count, what))

    def run(self, until: float) -> None:
        while self._agenda and self._agenda[0][0] <= until:
            self.now, _, what = heapq.heappop(self._agenda)
            what()
        self.now = until

    def say(self, text: str) -> None:
        self.trace.append(f"{self.now:9.4f}  {text}")

    def director(self, name: str, settings: VrrpSettings, sources: dict[str, Address], **how: bool) -> Director:
        director = Director(self, name, settings, sources)
        self.directors[name] = director
        director.start(**how)
        return director

    # --- wires --------------------------------------------------------------------------------------------------------

    def send(self, sender: Director, advert: SendAdvert) -> None:
        for receiver in self.directors.values():
            way = (advert.interface, sender.name, receiver.name)
            if receiver is sender or way in self.dead_ways or self.random.random() < self.loss:
                continue
            if advert.interface not in receiver.sources:
                continue
            # One wire keeps its order.
            arrival = max(self.now + self.random.uniform(*self.delay), self._arrived.get(way, 0.0))
            self._arrived[way] = arrival
            packet = AdvertReceived(advert.interface, advert.source, advert.destination, 255, advert.data)
            self.at(arrival, lambda receiver=receiver, packet=packet: receiver.arrive(packet))

    def mute(self, network: str, sender: str, receiver: str) -> None:
        """The wire is deaf in one direction; no interface notices."""
        self.say(f"{network}: {sender} is no longer heard by {receiver}")
        self.dead_ways.add((network, sender, receiver))

    def heal(self) -> None:
        self.say("all wires are whole")
        self.dead_ways.clear()
        self.loss = 0.0
        for director in self.directors.values():
            for network in director.sources:
                director.link(network, up=True)

    # --- who holds what -----------------------------------------------------------------------------------------------

    def held(self, address: Address, name: str, here: bool) -> None:
        before = self.holders.get(address, frozenset())
        after = before | {name} if here else before - {name}
        if after != before:
            self.holders[address] = after
            self.history[address].append((self.now, after))
            self.say(f"{address} is held by {', '.join(sorted(after)) or 'nobody'}")

    def spans(self, address: Address, since: float = 0.0) -> list[tuple[float, float, frozenset[str]]]:
        """(from, to, holders) in order, from `since` until now."""
        points = [(0.0, frozenset[str]()), *self.history[address], (self.now, frozenset[str]())]
        return [
            (max(start, since), end, names)
            for (start, names), (end, _) in pairwise(points)
            if end > since and end > max(start, since)
        ]

    def without_holder(self, address: Address, since: float = 0.0) -> float:
        """Seconds in which nobody held the address."""
        return sum(end - start for start, end, names in self.spans(address, since) if not names)

    def with_two(self, address: Address, since: float = 0.0) -> float:
        """Seconds in which more than one director held it."""
        return sum(end - start for start, end, names in self.spans(address, since) if len(names) > 1)


@dataclass(slots=True)
class Held:
    instance: str
    expires: float | None
    lease: int


class Director:
    """One machine: a process that can be frozen or killed, and a kernel that goes on without it."""

    def __init__(self, world: World, name: str, settings: VrrpSettings, sources: dict[str, Address]) -> None:
        self.world = world
        self.name = name
        self.settings = settings
        self.sources = sources
        self.links = dict.fromkeys(sources, True)
        self.table: dict[Address, Held] = {}
        self.router: Router | None = None
        self.frozen = False
        self.blocked: set[str] = set()  # networks on which the kernel refuses to send
        self.inbox: deque[VrrpEvent] = deque()
        self.actions: list[tuple[float, VrrpAction]] = []
        self._alarm: float | None = None

    @property
    def runs(self) -> bool:
        return self.router is not None and not self.frozen

    def states(self) -> dict[str, str]:
        return {} if self.router is None else {i.name: i.state for i in self.router.report(self.world.now).instances}

    def is_master(self) -> bool:
        return "MASTER" in self.states().values()

    # --- life ---------------------------------------------------------------------------------------------------------

    def start(self, *, adopt: bool = False, wait_for_table: bool = False) -> None:
        self.world.say(f"{self.name} starts{' and adopts' if adopt else ''}")
        adopted = frozenset(held.instance for held in self.table.values()) if adopt else frozenset[str]()
        if not adopt:
            for address in list(self.table):
                self._lose(address)
        self.inbox.clear()
        self.frozen = False
        self.router = Router(self.settings, self.world.now, adopted=adopted, wait_for_table=wait_for_table)
        for network in self.sources:
            self.inbox.append(self._link_event(network))
        self.wake()

    def stop(self) -> None:
        assert self.router is not None
        self.world.say(f"{self.name} is stopped")
        self._perform(self.router.stop(self.world.now, "stopped"))
        self.router = None

    def kill(self) -> None:
        self.world.say(f"{self.name} is killed")
        self.router = None
        self.inbox.clear()

    def lose_power(self) -> None:
        self.kill()
        for address in list(self.table):
            self._lose(address)

    def freeze(self, seconds: float) -> None:
        self.world.say(f"{self.name} freezes for {seconds:.2f} s")
        self.frozen = True
        self.world.at(self.world.now + seconds, self._thaw)

    def _thaw(self) -> None:
        if self.frozen:
            self.world.say(f"{self.name} goes on")
            self.frozen = False
            self.wake()

    def reload(self, settings: VrrpSettings) -> None:
        if not self.runs:
            return
        assert self.router is not None
        self.world.say(f"{self.name} reloads")
        self.settings = settings
        self._perform(self.router.reconfigure(settings, self.world.now))
        self.wake()

    # --- facts --------------------------------------------------------------------------------------------------------

    def arrive(self, event: VrrpEvent) -> None:
        if self.router is None:
            return
        if isinstance(event, AdvertReceived) and not self.links[event.interface]:
            return
        self.inbox.append(event)
        self.wake()

    def link(self, network: str, *, up: bool) -> None:
        if self.links[network] == up:
            return
        self.world.say(f"{self.name}: {network} is {'up' if up else 'down'}")
        self.links[network] = up
        self.arrive(self._link_event(network))

    def _link_event(self, network: str) -> LinkChanged:
        return LinkChanged(network, True, self.links[network], (self.sources[network],), b"\x02\0\0\0\0\1")

    def programmed(self) -> None:
        self.arrive(TableProgrammed(1))

    def remove_by_hand(self, address: Address) -> None:
        held = self.table.get(address)
        if held is not None:
            self._lose(address)
            self.arrive(AddressRemoved(held.instance, address))

    # --- the loop -----------------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """As the shell does it: every queued event, then the timer."""
        turns = 0
        while self.runs:
            router = self.router
            assert router is not None
            if self.inbox:
                self._perform(router.handle(self.inbox.popleft(), self.world.now))
            elif router.deadline is not None and router.deadline <= self.world.now:
                self._perform(router.tick(self.world.now))
            else:
                self._set_alarm(router.deadline)
                return
            turns += 1
            assert turns < TOO_BUSY, f"{self.name} spins at {self.world.now}"

    def _set_alarm(self, deadline: float | None) -> None:
        if deadline is not None and (self._alarm is None or deadline < self._alarm or self._alarm <= self.world.now):
            self._alarm = deadline
            self.world.at(deadline, self._ring)

    def _ring(self) -> None:
        if self._alarm is not None and self._alarm <= self.world.now:
            self._alarm = None
        self.wake()

    def _perform(self, actions: Iterable[VrrpAction]) -> None:
        for action in actions:
            self.actions.append((self.world.now, action))
            if isinstance(action, SendAdvert):
                self._send(action)
            elif isinstance(action, HoldAddresses):
                self._hold(action)
            elif isinstance(action, DropAddresses):
                for address in [a for a, held in self.table.items() if held.instance == action.instance]:
                    self._lose(address)
            elif isinstance(action, RenewLeases):
                self._renew(action)
            elif isinstance(action, Announce):
                held = [a for a, h in self.table.items() if h.instance == action.instance]
                assert held, f"{self.name} announces {action.instance} without holding it"
            elif isinstance(action, Tell):
                event = action.event
                if isinstance(event, InstanceChanged):
                    self.world.say(f"{self.name}: {event.name} {event.previous} -> {event.state}: {event.why}")
            else:
                assert isinstance(action, RunNotify)

    def _send(self, advert: SendAdvert) -> None:
        if not self.links[advert.interface] or advert.interface in self.blocked:
            assert advert.priority or self.links[advert.interface], f"{self.name} says goodbye on a dead wire"
            self.inbox.append(SendFailed(advert.instance, ENETDOWN))
            return
        if advert.priority == 0:
            held = [a for a, h in self.table.items() if h.instance == advert.instance]
            assert not held, f"{self.name} says goodbye for {advert.instance} and still holds {held}"
        else:
            self.inbox.append(AdvertSent(advert.instance))
        self.world.send(self, advert)

    # --- the kernel ---------------------------------------------------------------------------------------------------

    def _hold(self, order: HoldAddresses) -> None:
        wanted = {line.address for line in order.addresses}
        for address in [a for a, held in self.table.items() if held.instance == order.instance and a not in wanted]:
            self._lose(address)
        for address in wanted:
            self._lease(address, order.instance, order.lease)

    def _lease(self, address: Address, instance: str, lease: int) -> None:
        expires = self.world.now + lease if lease else None
        timed = address in self.table and self.table[address].expires is not None
        self.table[address] = Held(instance, expires, lease)
        self.world.held(address, self.name, True)
        if expires is not None and not timed:
            self._look_later(address, expires)

    def _look_later(self, address: Address, expires: float) -> None:
        self.world.at(expires + self.world.random.uniform(0.0, LAZY), lambda: self._look(address))

    def _look(self, address: Address) -> None:
        held = self.table.get(address)
        if held is None or held.expires is None:
            return
        if held.expires > self.world.now:
            self._look_later(address, held.expires)
            return
        self.world.say(f"{self.name}: the lease of {address} lapses")
        self._lose(address)
        if self.router is not None:
            self.inbox.append(AddressRemoved(held.instance, address))
            self.wake()

    def _lose(self, address: Address) -> None:
        if self.table.pop(address, None) is not None:
            self.world.held(address, self.name, False)

    def _renew(self, order: RenewLeases) -> None:
        if self.world.now > order.deadline:
            return
        for address, held in self.table.items():
            if held.instance in order.instances:
                assert held.expires is not None, f"{address} has no lease to renew"
                held.expires = self.world.now + held.lease

    def check(self) -> None:
        """What holds in every instant of a running process: the kernel has what the machines want, groups are of one mind."""
        if not self.runs:
            return
        assert self.router is not None
        report = self.router.report(self.world.now)
        state_of = {instance.name: instance.state for instance in report.instances}
        for group in report.groups:
            states = {state_of[member] for member in group.members}
            assert len(states) == 1, f"{self.name}: group {group.name} is split: {states}"
        for address, held in self.table.items():
            state = state_of.get(held.instance)
            assert state == State.MASTER.value, f"{self.name} holds {address} as {state}"
