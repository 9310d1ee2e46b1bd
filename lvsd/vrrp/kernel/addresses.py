"""What lvsd holds on which device, instance by instance: orders of the machine to jobs of the worker, and its answers back."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lvsd.core.netlink.route import FOREVER, AddressRow
from lvsd.vrrp.types import Address, DropAddresses, HoldAddresses, RenewLeases

from .entries import TAG, Entry, make_entry
from .links import LinkTable
from .worker import (
    Broken,
    Finish,
    Finished,
    Place,
    Placed,
    ReadTables,
    Remove,
    Removed,
    Renew,
    Renewed,
    Result,
    Sweep,
    Swept,
    Tables,
    Verified,
    Verify,
    Worker,
)

if TYPE_CHECKING:
    from .parts import Listener

log = logging.getLogger(__name__)

VERIFY_EVERY = 0.2
"""Seconds between two looks at whether held addresses are still there: somebody may remove them as fast as they return."""


@dataclass(slots=True)
class _Holding:
    generation: int
    entries: tuple[Entry, ...]
    lease: int
    targets: tuple[tuple[str, Address], ...]
    placed: bool = False
    gone: set[Address] = field(default_factory=set)


class Addresses:
    """generations: shared with the worker, which does nothing more for an instance whose number has moved on."""

    def __init__(self, worker: Worker, generations: dict[str, int], table: LinkTable, listener: Listener) -> None:
        self._worker = worker
        self._generations = generations
        self._table = table
        self._listener = listener
        self._holdings: dict[str, _Holding] = {}
        self._routers: frozenset[str] = frozenset()
        self._own: set[str] = set()
        self._keys: set[tuple[int, Address]] = set()
        self._removals: dict[str, int] = {}
        self._doubted: set[str] = set()
        self._verify_at: float | None = None
        self._verified_at = 0.0
        self._verifying = False
        self.unanswered = 0
        """Jobs of the worker that are not done yet."""
        self.stale_renewals = 0

    def set_owners(self, instances: Iterable[str]) -> None:
        """Instances of priority 255: an address that their host has anyway is its own, neither leased nor removed."""
        self._own = set(instances)

    # --- orders ---------------------------------------------------------------------------------------------------

    def hold(self, order: HoldAddresses) -> None:
        before = self._holdings.get(order.instance)
        holding, refused = self._holding(order)
        self._holdings[order.instance] = holding
        self._index()
        if before is not None:
            wanted = {new.key for new in holding.entries}
            old = tuple(old for old in before.entries if old.key not in wanted)
            if old:
                self._give_removal(order.instance, old)
        self._give(Place(order.instance, holding.generation, holding.entries))
        if refused:
            self._listener.addresses_failed(order.instance, refused)

    def adopt(self, order: HoldAddresses) -> None:
        """Takes over what a predecessor left on the devices, without a word to the kernel."""
        holding, _ = self._holding(order)
        holding.placed = True
        self._holdings[order.instance] = holding
        self._index()

    def _holding(self, order: HoldAddresses) -> tuple[_Holding, tuple[str, ...]]:
        entries: list[Entry] = []
        refused: list[str] = []
        targets: list[tuple[str, Address]] = []
        for line in order.addresses:
            device = line.dev or order.interface
            index = self._table.index(device)
            if not index:
                refused.append(f"{line.address}/{line.prefix} could not be added: there is no device {device}")
                continue
            targets.append((device, line.address))
            if order.instance in self._own and self._is_hosts_own(index, line.address):
                continue
            entries.append(make_entry(order.instance, line, device, index, order.lease))
        generation = self._next_generation(order.instance)
        return _Holding(generation, tuple(entries), order.lease, tuple(targets)), tuple(refused)

    def drop(self, order: DropAddresses) -> None:
        holding = self._holdings.pop(order.instance, None)
        self._index()
        self._next_generation(order.instance)
        if holding is not None and holding.entries:
            self._give_removal(order.instance, holding.entries)

    def renew(self, order: RenewLeases) -> None:
        holdings = {name: self._holdings[name] for name in order.instances if name in self._holdings}
        leases = [holding.lease for holding in holdings.values() if holding.lease and holding.placed]
        if not leases:
            return
        now = time.monotonic()
        entries = tuple(
            entry for holding in holdings.values() if holding.lease and holding.placed for entry in holding.entries
        )
        generations = {name: holding.generation for name, holding in holdings.items()}
        self._give(Renew(entries, generations, min(order.deadline, now + min(leases) / 2)))

    def sweep(self, ours: Iterable[tuple[int, Address]]) -> None:
        """Removes what earlier runs left, but not what is held; ours: what the configuration names, marked or not."""
        keep = frozenset(entry.key for holding in self._holdings.values() for entry in holding.entries)
        self._give(Sweep(frozenset(ours), keep))

    def read_tables(self) -> None:
        self._give(ReadTables())

    def finish(self) -> None:
        self._give(Finish())

    def _give_removal(self, instance: str, entries: tuple[Entry, ...]) -> None:
        self._removals[instance] = self._removals.get(instance, 0) + 1
        self._give(Remove(instance, entries))

    def _give(self, job: Place | Remove | Renew | Sweep | Verify | ReadTables | Finish) -> None:
        self.unanswered += 1
        self._worker.give(job)

    def _next_generation(self, instance: str) -> int:
        generation = self._generations.get(instance, 0) + 1
        self._generations[instance] = generation
        return generation

    # --- questions ------------------------------------------------------------------------------------------------

    def entries(self, instance: str) -> tuple[Entry, ...]:
        holding = self._holdings.get(instance)
        return () if holding is None else holding.entries

    def targets(self, instance: str) -> tuple[tuple[str, Address], ...]:
        """Device and address of everything that the instance answers for."""
        holding = self._holdings.get(instance)
        return () if holding is None else holding.targets

    def is_placed(self, instance: str) -> bool:
        holding = self._holdings.get(instance)
        return holding is not None and holding.placed

    def is_removing(self, instance: str) -> bool:
        return self._removals.get(instance, 0) > 0

    def forwards(self, device: str) -> bool:
        """Whether the device forwards IPv6, as of the last placing."""
        return device in self._routers

    def held(self) -> tuple[str, ...]:
        """Addresses that are here now, sorted."""
        return tuple(
            sorted(
                str(entry.row.address)
                for holding in self._holdings.values()
                if holding.placed
                for entry in holding.entries
                if entry.row.address not in holding.gone
            )
        )

    def holds(self, row: AddressRow) -> bool:
        """Whether the address is a virtual one: marked as ours, or held by an instance."""
        return row.proto == TAG or (row.index, row.address) in self._keys

    def _index(self) -> None:
        self._keys = {
            (entry.row.index, entry.row.address) for holding in self._holdings.values() for entry in holding.entries
        }

    def _is_hosts_own(self, index: int, address: Address) -> bool:
        return any(
            row.address == address and row.proto != TAG and row.valid_lft == FOREVER for row in self._table.rows(index)
        )

    # --- what happened --------------------------------------------------------------------------------------------

    def noticed_removals(self, rows: Iterable[AddressRow]) -> None:
        """Addresses of which an event said that they went away. Our own removals are among them, so that only the kernel's
        table tells which of those that are held now are missing."""
        gone = {(row.index, row.address) for row in rows}
        for name, holding in self._holdings.items():
            if any((entry.row.index, entry.row.address) in gone for entry in holding.entries):
                self._doubted.add(name)
        self._plan_verification()

    def doubt_all(self) -> None:
        self._doubted |= self._holdings.keys()
        self._plan_verification()

    def _plan_verification(self) -> None:
        if self._doubted and not self._verifying and self._verify_at is None:
            self._verify_at = max(time.monotonic(), self._verified_at + VERIFY_EVERY)

    @property
    def deadline(self) -> float | None:
        return self._verify_at

    def tick(self, now: float) -> None:
        if self._verify_at is None or now < self._verify_at:
            return
        self._verify_at = None
        entries = tuple(entry for name in self._doubted for entry in self.entries(name))
        self._doubted.clear()
        if entries:
            self._verifying = True
            self._verified_at = now
            self._give(Verify(entries))

    def take_answers(self) -> None:
        for result in self._worker.results():
            self.unanswered -= 1
            self._take(result)

    def _take(self, result: Result) -> None:
        match result:
            case Placed():
                self._take_placed(result)
            case Removed(instance, refused):
                self._removals[instance] -= 1
                for sentence in refused:
                    log.error("%s: %s", instance, sentence)
                if not self.is_removing(instance):
                    self._listener.addresses_dropped(instance)
            case Renewed(stale, gone, refused):
                self.stale_renewals += stale
                for sentence in refused:
                    log.warning("%s", sentence)
                self._take_gone(gone)
            case Swept(rows, refused):
                for row in rows:
                    log.info("%s/%d, left by an earlier run, is removed", row.address, row.prefix)
                for sentence in refused:
                    log.error("%s", sentence)
            case Verified(gone):
                self._verifying = False
                self._take_gone(gone)
                self._plan_verification()
            case Tables():
                self._listener.tables_read(result)
            case Finished():
                pass
            case Broken(job, why):
                self._take_broken(job, why)

    def _take_placed(self, result: Placed) -> None:
        holding = self._holdings.get(result.instance)
        self._routers |= result.routers
        self._listener.promoting(result.promoting)
        if holding is None or holding.generation != result.generation:
            return
        holding.placed = True
        holding.gone.clear()
        if result.refused:
            self._listener.addresses_failed(result.instance, result.refused)
        self._listener.addresses_placed(result.instance)

    def _take_gone(self, gone: Iterable[Entry]) -> None:
        """Tells of one address for each instance: to have it put back puts back all, and is one repair."""
        told: dict[str, Entry] = {}
        for entry in gone:
            holding = self._holdings.get(entry.instance)
            if holding is None or not holding.placed or entry not in holding.entries:
                continue
            holding.gone.add(entry.row.address)
            if entry.instance not in told or told[entry.instance].no_track:
                told[entry.instance] = entry
        for name, entry in told.items():
            self._listener.address_removed(name, entry.row.address)

    def _take_broken(self, job: object, why: str) -> None:
        log.error("%s: the kernel did not answer: %s", type(job).__name__, why)
        match job:
            case Place(instance, generation, _):
                if self._generations.get(instance) == generation:
                    self._listener.addresses_failed(instance, (f"the addresses could not be added: {why}",))
            case Remove(instance, _):
                self._removals[instance] -= 1
                if not self.is_removing(instance):
                    self._listener.addresses_dropped(instance)
            case Verify(_):
                self._verifying = False
            case ReadTables():
                self.read_tables()
            case _:
                pass
