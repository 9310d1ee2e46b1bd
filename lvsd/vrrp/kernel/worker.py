"""The thread that owns the rtnetlink socket: a request may wait for the kernel's RTNL lock, and the loop must not.
Carries out jobs in their order and answers each; knows no instance's state."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar

from lvsd.core.ipc.channel import without_sources
from lvsd.core.netlink import route
from lvsd.core.netlink.codec import Answer
from lvsd.core.netlink.route import AddressRow, Link, RouteRow
from lvsd.core.netlink.socket import NetlinkSocket, Overrun, Refused
from lvsd.vrrp.types import Address

from .entries import TAG, Entry, key, renewal

T = TypeVar("T")

SLICE = 50
"""Requests in one send: what waits behind them waits no longer than these take."""

_GONE_ALREADY = frozenset({errno.EADDRNOTAVAIL, errno.ENODEV, errno.ESRCH, errno.ENOENT})
_PROBES = (ip_address("192.0.2.1"), ip_address("2001:db8::1"))  # of documentation, on lo: nobody's
_AF_INET6 = 10


# --- jobs -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """Have these addresses on their devices. generation: of the instance; an older one is no longer wanted."""

    instance: str
    generation: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Remove:
    instance: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Renew:
    """generations: of the instances when the order was given. newest: monotonic time after which a slice is too old."""

    entries: tuple[Entry, ...]
    generations: Mapping[str, int]
    newest: float


@dataclass(frozen=True, slots=True)
class Sweep:
    """Remove what earlier runs left: everything that bears our mark, and `ours`; but nothing that is to be kept."""

    ours: frozenset[tuple[int, Address]]
    keep: frozenset[tuple[int, Address, int]]


@dataclass(frozen=True, slots=True)
class Verify:
    """Tell which of these are gone."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class ReadTables:
    pass


@dataclass(frozen=True, slots=True)
class Finish:
    """Give the devices back as they were found."""


Job = Place | Remove | Renew | Sweep | Verify | ReadTables | Finish


# --- answers ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Placed:
    """refused: a sentence for each address that is not there. routers: devices that forward IPv6. promoting: devices whose
    promote_secondaries was off, and is on until the end."""

    instance: str
    generation: int
    refused: tuple[str, ...]
    routers: frozenset[str]
    promoting: frozenset[str]


@dataclass(frozen=True, slots=True)
class Removed:
    instance: str
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Renewed:
    """stale: renewals that came too late to be sent. gone: addresses that were no longer there to be renewed."""

    stale: int
    gone: tuple[Entry, ...]
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Swept:
    rows: tuple[AddressRow, ...]
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    gone: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Tables:
    links: tuple[Link, ...]
    rows: tuple[AddressRow, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    pass


@dataclass(frozen=True, slots=True)
class Broken:
    """A job that could not be done, twice."""

    job: Job
    why: str


Result = Placed | Removed | Renewed | Swept | Verified | Tables | Finished | Broken


def read_tables(netlink: NetlinkSocket) -> Tables:
    """Links and addresses as they are, in the kernel's order. Raises Overrun, Refused, OSError."""
    links = (route.decode_link(data) for data in netlink.dump(route.get_links()))
    rows = (route.decode_address(data) for data in netlink.dump(route.get_addresses()))
    return Tables(tuple(link for link in links if link is not None), tuple(row for row in rows if row is not None))


class Worker:
    """started: called in the thread before anything else, to take its rights. wanted: the present generation of each
    instance, written by the loop. promoting: devices that an earlier run did not give back (see Placed).
    The descriptor becomes readable with each result."""

    def __init__(self, started: Callable[[], object], wanted: Mapping[str, int], promoting: Iterable[str] = ()) -> None:
        self._started = started
        self._wanted = wanted
        self._jobs: deque[Job | None] = deque()
        self._some = threading.Semaphore(0)
        self._eventfd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._results: deque[Result] = deque()
        self._netlink = NetlinkSocket()
        self.ports = {self._netlink.port}
        self._renew_only = [self._refuses_to_make(address) for address in _PROBES]
        self._routes: dict[RouteRow, set[tuple[int, Address, int]]] = {}
        self._promoted = set(promoting)
        self._thread = threading.Thread(target=self._run, name="lvsd-addresses", daemon=True)
        self._thread.start()

    # --- the loop's side ------------------------------------------------------------------------------------------

    def fileno(self) -> int:
        return self._eventfd

    def give(self, job: Job) -> None:
        self._jobs.append(job)
        self._some.release()

    def results(self) -> Iterator[Result]:
        """What is answered so far."""
        try:
            os.eventfd_read(self._eventfd)
        except BlockingIOError:
            return
        while self._results:
            yield self._results.popleft()

    @property
    def renews_only(self) -> tuple[bool, bool]:
        """Whether this kernel can renew an address without making a lapsed one anew, for IPv4 and IPv6."""
        return self._renew_only[0], self._renew_only[1]

    # --- the thread's side ----------------------------------------------------------------------------------------

    def _run(self) -> None:
        self._started()
        while True:
            self._some.acquire()
            job = self._jobs.popleft()
            if job is None:
                return
            self._results.append(self._attempt(job))
            os.eventfd_write(self._eventfd, 1)

    def _attempt(self, job: Job) -> Result:
        # Every job may be done twice; after a lost answer nobody knows how far it went.
        try:
            return self._do(job)
        except (Overrun, Refused, OSError):
            pass
        except Exception as error:
            return Broken(job, without_sources(error))
        try:
            self._reopen()
            return self._do(job)
        except Exception as error:
            return Broken(job, without_sources(error))

    def _reopen(self) -> None:
        self._netlink.close()
        self._netlink = NetlinkSocket()
        self.ports.add(self._netlink.port)

    def _do(self, job: Job) -> Result:
        match job:
            case Place():
                return self._place(job)
            case Remove():
                return self._remove(job)
            case Renew():
                return self._renew(job)
            case Sweep():
                return self._sweep(job)
            case Verify():
                return Verified(self._missing(job.entries))
            case ReadTables():
                return read_tables(self._netlink)
            case Finish():
                self._restore()
                return Finished()

    def _place(self, job: Place) -> Placed:
        refused: list[str] = []
        for device in {entry.device for entry in job.entries if entry.row.address.version == 4}:
            self._promote_secondaries(device)
        routers = frozenset(
            device
            for device in {entry.device for entry in job.entries if entry.row.address.version == 6}
            if _read(Path(f"/proc/sys/net/ipv6/conf/{device}/forwarding")) not in ("", "0")
        )
        for part in _slices(job.entries):
            if self._wanted.get(job.instance) != job.generation:
                return Placed(job.instance, job.generation, (), routers, frozenset(self._promoted))
            refused += _complaints("added", part, self._netlink.request_many([entry.place for entry in part]))
        refused += self._add_routes(job.entries)
        return Placed(job.instance, job.generation, tuple(refused), routers, frozenset(self._promoted))

    def _remove(self, job: Remove) -> Removed:
        refused: list[str] = []
        for part in _slices(job.entries):
            answers = self._netlink.request_many([entry.remove for entry in part])
            refused += _complaints("removed", part, answers, _GONE_ALREADY)
        self._remove_routes(job.entries)
        return Removed(job.instance, tuple(refused))

    def _renew(self, job: Renew) -> Renewed:
        refused: list[str] = []
        doubtful: list[Entry] = []
        stale = 0
        for part in _slices(job.entries):
            current = [entry for entry in part if self._wanted.get(entry.instance) == job.generations[entry.instance]]
            if time.monotonic() > job.newest:
                stale += len(current)
                continue
            messages = [self._renewal(entry) for entry in current]
            for entry, answer in zip(current, self._netlink.request_many(messages), strict=True):
                if answer.errno == errno.EINVAL:
                    doubtful.append(entry)
                elif answer.errno:
                    refused += _complaints("renewed", [entry], [answer])
        return Renewed(stale, self._missing(doubtful) if doubtful else (), tuple(refused))

    def _renewal(self, entry: Entry) -> bytes:
        only = self._renew_only[entry.row.address.version == 6]
        message = entry.renew if only else entry.renew_or_place
        assert message is not None
        return message

    def _sweep(self, job: Sweep) -> Swept:
        def left_over(row: AddressRow) -> bool:
            marked = row.proto == TAG or (row.index, row.address) in job.ours
            return marked and key(row) not in job.keep

        rows = [row for row in read_tables(self._netlink).rows if left_over(row)]
        refused: list[str] = []
        for part in _slices(rows):
            answers = self._netlink.request_many([route.delete_address(row) for row in part])
            refused += [
                f"{row.address}/{row.prefix}, left by an earlier run, could not be removed: {answer}"
                for row, answer in zip(part, answers, strict=True)
                if answer.errno and answer.errno not in _GONE_ALREADY
            ]
        if not job.keep:
            found = (route.decode_route(data) for data in self._netlink.dump(route.get_routes(_AF_INET6)))
            self._netlink.request_many([route.delete_route(row) for row in found if row and row.proto == TAG])
        return Swept(tuple(rows), tuple(refused))

    def _missing(self, entries: Iterable[Entry]) -> tuple[Entry, ...]:
        entries = list(entries)
        indexes = {entry.row.index for entry in entries}
        rows = (route.decode_address(data) for data in self._netlink.dump(route.get_addresses()))
        present = {key(row) for row in rows if row is not None and row.index in indexes}
        return tuple(entry for entry in entries if entry.key not in present)

    # --- what an address needs beside it --------------------------------------------------------------------------

    def _add_routes(self, entries: Iterable[Entry]) -> list[str]:
        refused: list[str] = []
        for entry in entries:
            wanted = entry.prefix_route
            if wanted is None:
                continue
            if wanted in self._routes:
                self._routes[wanted].add(entry.key)
            elif not self._has_route(wanted):
                answer = self._netlink.request(route.add_route(wanted))
                if answer.errno in (0, errno.EEXIST):
                    self._routes[wanted] = {entry.key}
                else:
                    where = f"{wanted.destination}/{wanted.prefix} dev {entry.device}"
                    refused.append(f"the prefix route {where} could not be added: {answer}")
        return refused

    def _has_route(self, wanted: RouteRow) -> bool:
        rows = (
            route.decode_route(data)
            for data in self._netlink.dump(route.get_routes(_AF_INET6, route.MAIN_TABLE, wanted.index))
        )
        return any(
            row is not None
            and (row.index, row.destination, row.prefix) == (wanted.index, wanted.destination, wanted.prefix)
            and row.proto != TAG
            for row in rows
        )

    def _remove_routes(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            users = self._routes.get(entry.prefix_route) if entry.prefix_route else None
            if users is None or entry.prefix_route is None:
                continue
            users.discard(entry.key)
            if not users:
                del self._routes[entry.prefix_route]
                self._netlink.request(route.delete_route(entry.prefix_route))

    def _promote_secondaries(self, device: str) -> None:
        """Else a virtual address that ends takes along the host's own addresses of the same prefix (__inet_del_ifa)."""
        setting = _promotion(device)
        if device not in self._promoted and _read(setting) == "0" and _write(setting, "1"):
            self._promoted.add(device)

    def _restore(self) -> None:
        for device in self._promoted:
            _write(_promotion(device), "0")
        self._promoted.clear()

    def _refuses_to_make(self, address: Address) -> bool:
        """Asks the kernel to renew an address on lo that it does not have."""
        row = AddressRow(1, address, address.max_prefixlen, valid_lft=1, preferred_lft=0, proto=TAG)
        answer = self._netlink.request(renewal(row))
        if answer.errno == 0:
            self._netlink.request(route.delete_address(row))
        return answer.errno == errno.EINVAL


def _slices(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), SLICE):
        yield items[start : start + SLICE]


def _complaints(
    verb: str, entries: Sequence[Entry], answers: Sequence[Answer], fine: frozenset[int] = frozenset()
) -> list[str]:
    return [
        f"{entry.row.address}/{entry.row.prefix} dev {entry.device} could not be {verb}: {answer}"
        for entry, answer in zip(entries, answers, strict=True)
        if answer.errno and answer.errno not in fine
    ]


def _promotion(device: str) -> Path:
    return Path(f"/proc/sys/net/ipv4/conf/{device}/promote_secondaries")


def _write(path: Path, text: str) -> bool:
    try:
        path.write_text(text)
    except OSError:
        return False
    return True


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
