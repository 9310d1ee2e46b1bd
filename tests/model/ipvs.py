"""An IPVS table in memory, which takes orders one by one and refuses what the kernel refuses (ip_vs_ctl.c, 6.1).
tests/lab/kernel/test_ipvs_kernel.py holds it against the real one."""

from __future__ import annotations

import errno
from collections.abc import Collection, Iterable
from dataclasses import replace

from lvsd.check.ipvs.plan import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    Op,
    SetDestination,
    SetService,
    granularity,
    normal_destination,
)
from lvsd.check.ipvs.table import (
    Destination,
    DestinationKey,
    Family,
    Forwarding,
    Scheduler,
    Service,
    ServiceFlags,
    ServiceKey,
    Table,
    TunnelType,
)

SCHEDULERS = frozenset(scheduler.value for scheduler in Scheduler)


class IpvsModel:
    """schedulers, engines: the modules that this kernel has."""

    def __init__(
        self, table: Table | None = None, schedulers: Collection[str] = SCHEDULERS, engines: Collection[str] = ("sip",)
    ) -> None:
        self._schedulers = schedulers
        self._engines = engines
        self._table: Table = {}
        for key, service in (table or {}).items():
            self._must(AddService(key, service))
            for where, destination in service.destinations.items():
                self._must(AddDestination(key, where, destination))

    @property
    def table(self) -> Table:
        """A copy, as the kernel would dump it."""
        return {key: replace(service, destinations=dict(service.destinations)) for key, service in self._table.items()}

    def apply(self, op: Op) -> int:
        """0 or an errno; a refused order changes nothing."""
        match op:
            case AddService(key, service):
                if key in self._table:
                    return errno.EEXIST
                return self._put_service(key, service, {})
            case SetService(key, service):
                if key not in self._table:
                    return errno.ESRCH
                return self._put_service(key, service, self._table[key].destinations)
            case DeleteService(key):
                return errno.ESRCH if self._table.pop(key, None) is None else 0
            case AddDestination(key, where, destination):
                return self._put_destination(key, where, destination, new=True)
            case SetDestination(key, where, destination):
                return self._put_destination(key, where, destination, new=False)
            case DeleteDestination(key, where):
                if key not in self._table:
                    return errno.ESRCH
                return errno.ENOENT if self._table[key].destinations.pop(where, None) is None else 0

    def apply_all(self, ops: Iterable[Op]) -> list[int]:
        return [self.apply(op) for op in ops]

    def _must(self, op: Op) -> None:
        refusal = self.apply(op)
        if refusal:
            raise ValueError(f"{op}: {errno.errorcode[refusal]}")

    def _put_service(self, key: ServiceKey, service: Service, rows: dict[DestinationKey, Destination]) -> int:
        if service.scheduler not in self._schedulers or (service.engine and service.engine not in self._engines):
            return errno.ENOENT
        prefix = granularity(key.family, service)
        if key.family is Family.IPV6 and not 1 <= prefix <= 128:
            return errno.EINVAL
        timeout = service.timeout if service.flags & ServiceFlags.PERSISTENT else 0
        self._table[key] = replace(service, timeout=timeout, prefix=prefix, destinations=rows)
        return 0

    def _put_destination(self, key: ServiceKey, where: DestinationKey, destination: Destination, *, new: bool) -> int:
        service = self._table.get(key)
        if service is None:
            return errno.ESRCH
        if (
            where.address.version != (4 if key.family is Family.IPV4 else 6)
            and destination.forwarding != Forwarding.TUN
        ):
            return errno.EINVAL
        if destination.weight < 0 or destination.lower_threshold > destination.upper_threshold:
            return errno.ERANGE
        tunnel = destination.tunnel
        if destination.forwarding is Forwarding.TUN and tunnel.type is TunnelType.GUE and tunnel.port == 0:
            return errno.EINVAL
        if new and where in service.destinations:
            return errno.EEXIST
        if not new and where not in service.destinations:
            return errno.ENOENT
        service.destinations[where] = normal_destination(destination)
        return 0
