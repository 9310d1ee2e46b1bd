"""Everything that the vrrp process has open, made in the order in which each needs the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from lvsd.core.netlink.socket import NetlinkSocket
from lvsd.vrrp.types import Address

from .addresses import Addresses
from .announce import Announcer
from .links import LinkMonitor, LinkTable
from .sockets import AdvertSockets
from .worker import Tables, Worker, read_tables


class Listener(Protocol):
    """Whom the parts tell."""

    def turn(self) -> None:
        """Packets or events wait."""

    def addresses_failed(self, instance: str, why: tuple[str, ...]) -> None: ...

    def address_removed(self, instance: str, address: Address) -> None: ...

    def addresses_placed(self, instance: str) -> None: ...

    def addresses_dropped(self, instance: str) -> None: ...

    def tables_read(self, tables: Tables) -> None: ...

    def promoting(self, devices: frozenset[str]) -> None: ...


class Parts:
    """Raises OSError, Overrun, Refused where the system denies what the process cannot do without.

    started: called in the worker's thread before anything else."""

    def __init__(
        self,
        listener: Listener,
        loop: asyncio.AbstractEventLoop,
        started: Callable[[], object],
        promoting: Iterable[str],
    ) -> None:
        self._loop = loop
        generations: dict[str, int] = {}
        self.table = LinkTable(lambda row: self.addresses.holds(row))
        self.worker = Worker(started, generations, promoting)
        self.addresses = Addresses(self.worker, generations, self.table, listener)
        # The events first, so that nothing happens unseen between them and the tables.
        self.monitor = LinkMonitor(self.table)
        self.monitor.own_ports = self.worker.ports
        tables = self.read_tables()
        self.table.load(tables.links, tables.rows)
        self.sockets = AdvertSockets(loop, listener.turn)
        self.announcer = Announcer(self.table, self.addresses.forwards)
        self._listener = listener
        loop.add_reader(self.monitor, listener.turn)
        loop.add_reader(self.worker, self._answered)

    def read_tables(self) -> Tables:
        """Asks the kernel here and now: only before the process has anything to advertise."""
        with NetlinkSocket() as netlink:
            return read_tables(netlink)

    def _answered(self) -> None:
        self.addresses.take_answers()
        self._listener.turn()

    def close(self) -> None:
        self._loop.remove_reader(self.worker)
        self._loop.remove_reader(self.monitor)
        self.sockets.close_all()
        self.monitor.close()
        self.announcer.close()
