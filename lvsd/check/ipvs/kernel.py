"""The kernel's IPVS table: read, changed, counted. Decides nothing; every call blocks until the kernel has answered."""

from __future__ import annotations

import errno
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

from lvsd.check.ipvs import wire
from lvsd.check.ipvs.plan import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    Op,
    SetDestination,
    SetService,
)
from lvsd.check.ipvs.table import Counters, ServiceCounters, ServiceKey, Table, Timeouts
from lvsd.core.netlink import socket as netlink
from lvsd.core.netlink.codec import Answer
from lvsd.core.netlink.socket import NetlinkSocket, Refused


class IpvsMissing(Exception):
    """The kernel has no IPVS, or none in this network namespace's reach."""


@dataclass(frozen=True, slots=True)
class Failed:
    """An order that the kernel refused. text: a sentence for the operator."""

    op: Op
    errno: int
    text: str


class IpvsKernel:
    """One thread at a time; belongs to the network namespace of the thread that made it. Needs CAP_NET_ADMIN.

    All calls raise Overrun where answers were lost (read the table again), and those that ask raise Refused where the
    kernel refuses the question.
    """

    def __init__(self) -> None:
        try:
            self._socket = NetlinkSocket(netlink.GENERIC)
        except OSError as error:
            raise IpvsMissing(f"The kernel has no generic netlink, so no IPVS: {error.strerror}.") from error
        try:
            self._family = netlink.resolve(self._socket, wire.FAMILY_NAME)
        except Refused as refused:
            self._socket.close()
            raise IpvsMissing(
                f"The kernel has no IPVS: its module ip_vs is not there or cannot be loaded ({refused.answer})."
            ) from refused

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def version(self) -> str:
        """IPVS's own version, as "1.2.1"."""
        return self._info()[0]

    def connection_table_size(self) -> int:
        """Buckets of the connection table (conn_tab_bits)."""
        return self._info()[1]

    def read(self) -> Table:
        """The whole table, whoever made its rows. Rows that come and go while it is read may be in it or not."""
        table: Table = {}
        for key, service in filter(None, map(wire.decode_service, self._services())):
            service.destinations.update(wire.decode_destinations(self._destinations(key), key.family))
            table[key] = service
        return table

    def read_counters(self) -> dict[ServiceKey, ServiceCounters]:
        """The counters of every row, with 64 bits, since the row was made or somebody set them to zero.

        Connections are those of this moment; all else is up to 2 s old, since the kernel sums up that often
        (ip_vs_est.c).
        """
        counters: dict[ServiceKey, ServiceCounters] = {}
        for key, total in filter(None, map(wire.decode_service_counters, self._services())):
            rows = (wire.decode_destination_counters(data, key.family) for data in self._destinations(key))
            destinations = dict(filter(None, rows))
            counters[key] = ServiceCounters(_with_connections(total, destinations.values()), destinations)
        return counters

    def read_with_counters(self) -> tuple[Table, dict[ServiceKey, ServiceCounters]]:
        """read() and read_counters() with one question for both."""
        table: Table = {}
        counters: dict[ServiceKey, ServiceCounters] = {}
        for data in self._services():
            found, counted = wire.decode_service(data), wire.decode_service_counters(data)
            if found is None or counted is None:
                continue
            key, service = found
            answers = self._destinations(key)
            service.destinations.update(wire.decode_destinations(answers, key.family))
            rows = (wire.decode_destination_counters(answer, key.family) for answer in answers)
            destinations = dict(filter(None, rows))
            table[key] = service
            counters[key] = ServiceCounters(_with_connections(counted[1], destinations.values()), destinations)
        return table, counters

    def apply(self, ops: Sequence[Op]) -> list[Failed]:
        """Carries out the orders, one after the other; a refused one stops none. Returns those that did not reach their goal.

        What is to be deleted and is gone already has reached it. Where a service could not be added, its destinations'
        failures are not told again.
        """
        answers = self._socket.request_many(wire.encode(self._family, ops))
        return list(_failures(ops, answers))

    def flush(self) -> None:
        """Deletes every service, whoever made it. Raises Refused."""
        self._change(wire.flush(self._family))

    def timeouts(self) -> Timeouts:
        (reply,) = self._socket.ask(wire.get_timeouts(self._family))
        return wire.decode_timeouts(reply)

    def set_timeouts(self, timeouts: Timeouts) -> None:
        """0 leaves a value. Raises Refused (EINVAL: more than the kernel's clock can count)."""
        self._change(wire.set_timeouts(self._family, timeouts))

    def _change(self, message: bytes) -> None:
        answer = self._socket.request(message)
        if not answer.ok:
            raise Refused(answer)

    def _info(self) -> tuple[str, int]:
        (reply,) = self._socket.ask(wire.get_info(self._family))
        return wire.decode_info(reply)

    def _services(self) -> list[bytes]:
        return self._socket.dump(wire.get_services(self._family))

    def _destinations(self, key: ServiceKey) -> list[bytes]:
        return self._socket.dump(wire.get_destinations(self._family, key))


def _with_connections(total: Counters, destinations: Collection[Counters]) -> Counters:
    return replace(
        total,
        active=sum(row.active for row in destinations),
        inactive=sum(row.inactive for row in destinations),
        persistent=sum(row.persistent for row in destinations),
    )


def _failures(ops: Sequence[Op], answers: Sequence[Answer]) -> Iterator[Failed]:
    not_added: set[ServiceKey] = set()
    for op, answer in zip(ops, answers, strict=True):
        if answer.ok:
            continue
        if isinstance(op, (DeleteService, DeleteDestination)) and answer.errno in (errno.ESRCH, errno.ENOENT):
            continue
        if isinstance(op, AddService) and answer.errno != errno.EEXIST:
            not_added.add(op.key)
        if isinstance(op, AddDestination) and answer.errno == errno.ESRCH and op.service in not_added:
            continue
        yield Failed(op, answer.errno, f"The kernel refused to {op}: {_reason(op, answer)}.")


def _reason(op: Op, answer: Answer) -> str:
    """IPVS sends no words of its own; its numbers mean different things to different orders (ip_vs_ctl.c)."""
    match answer.errno, op:
        case errno.ENOENT, AddService(service=service) | SetService(service=service):
            modules = f"ip_vs_{service.scheduler}" + (f" or ip_vs_pe_{service.engine}" if service.engine else "")
            return f"it has no module {modules}"
        case errno.ENOENT, SetDestination():
            return "the destination is not there"
        case errno.ESRCH, _:
            return "the service is not there"
        case errno.EEXIST, _:
            return "somebody else added it already"
        case errno.ERANGE, _:
            return "the weight is negative or the lower threshold is above the upper one"
        case errno.EPERM, _:
            return "this process lacks CAP_NET_ADMIN"
    return str(answer)
