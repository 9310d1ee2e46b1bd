"""From the table that the kernel has to the table that it should have, as orders in a safe order.
Knows neither netlink nor why a row is wanted."""

from __future__ import annotations

from dataclasses import dataclass

from lvsd.check.ipvs.table import (
    Destination,
    DestinationKey,
    Family,
    Forwarding,
    Service,
    ServiceFlags,
    ServiceKey,
    Table,
    Tunnel,
    TunnelChecksum,
    TunnelType,
)

HASHED = 0x0002
"""IP_VS_SVC_F_HASHED: the kernel's own flag, which it ORs back whatever is asked for (ip_vs_edit_service)."""


@dataclass(frozen=True, slots=True)
class AddService:
    """Without its destinations: they are orders of their own."""

    key: ServiceKey
    service: Service

    def __str__(self) -> str:
        return f"add service {self.key} ({_service_words(self.service)})"


@dataclass(frozen=True, slots=True)
class SetService:
    """In place: connections, destinations and counters stay."""

    key: ServiceKey
    service: Service

    def __str__(self) -> str:
        return f"change service {self.key} ({_service_words(self.service)})"


@dataclass(frozen=True, slots=True)
class DeleteService:
    """With whatever destinations it has."""

    key: ServiceKey

    def __str__(self) -> str:
        return f"delete service {self.key}"


@dataclass(frozen=True, slots=True)
class AddDestination:
    service: ServiceKey
    key: DestinationKey
    destination: Destination

    def __str__(self) -> str:
        return f"add destination {self.key} to {self.service} ({_destination_words(self.destination)})"


@dataclass(frozen=True, slots=True)
class SetDestination:
    """In place: its connections stay."""

    service: ServiceKey
    key: DestinationKey
    destination: Destination

    def __str__(self) -> str:
        return f"change destination {self.key} of {self.service} ({_destination_words(self.destination)})"


@dataclass(frozen=True, slots=True)
class DeleteDestination:
    service: ServiceKey
    key: DestinationKey

    def __str__(self) -> str:
        return f"delete destination {self.key} of {self.service}"


Op = AddService | SetService | DeleteService | AddDestination | SetDestination | DeleteDestination


def plan(actual: Table, desired: Table, owned: frozenset[ServiceKey]) -> list[Op]:
    """The orders that turn `actual` into `desired`; none where nothing differs.

    A service that exists and is desired is adopted, with all its destinations. One that is not desired is deleted if
    `owned` names it, and is somebody else's otherwise.

    The order is: what grows (new services, each followed by its destinations; changes of services; new destinations;
    higher weights), then lower weights, then deletions. So whoever dies after any of the orders leaves every service with
    at least the smaller of the capacities before and after.
    """
    grow: list[Op] = []
    lower: list[Op] = []
    remove: list[Op] = []
    for key, wanted in desired.items():
        present = actual.get(key)
        if present is None:
            grow.append(AddService(key, wanted))
            grow += [AddDestination(key, where, destination) for where, destination in wanted.destinations.items()]
        else:
            _compare(key, present, wanted, grow, lower, remove)
    abandoned = [key for key in actual if key in owned and key not in desired]
    return [*grow, *lower, *remove, *(DeleteService(key) for key in abandoned)]


def _compare(
    key: ServiceKey, present: Service, wanted: Service, grow: list[Op], lower: list[Op], remove: list[Op]
) -> None:
    if not same_service(key.family, present, wanted):
        grow.append(SetService(key, wanted))
    raised: list[Op] = []
    rows = present.destinations
    for where, destination in wanted.destinations.items():
        row = rows.get(where)
        if row is None:
            grow.append(AddDestination(key, where, destination))
        elif row != destination and normal_destination(row) != normal_destination(destination):
            change = SetDestination(key, where, destination)
            (lower if destination.weight < row.weight else raised).append(change)
    grow += raised
    remove += [DeleteDestination(key, where) for where in rows if where not in wanted.destinations]


def same_service(family: Family, one: Service, other: Service) -> bool:
    """Equal but for destinations, and for what has no meaning with their flags."""
    return _service_values(family, one) == _service_values(family, other)


def granularity(family: Family, service: Service) -> int:
    """The prefix length that stands in the kernel: without persistence that of a single client."""
    if service.flags & ServiceFlags.PERSISTENT:
        return service.prefix
    return 32 if family is Family.IPV4 else 128


def _service_values(family: Family, service: Service) -> tuple[object, ...]:
    flags = int(service.flags) & ~HASHED
    timeout = service.timeout if flags & ServiceFlags.PERSISTENT else 0
    return service.scheduler, flags, timeout, granularity(family, service), service.engine


def normal_destination(destination: Destination) -> Destination:
    """Without tunnel values that its forwarding method or tunnel type does not use."""
    tunnel = normal_tunnel(destination)
    if tunnel == destination.tunnel:
        return destination
    return Destination(
        destination.weight, destination.forwarding, destination.upper_threshold, destination.lower_threshold, tunnel
    )


def normal_tunnel(destination: Destination) -> Tunnel:
    tunnel = destination.tunnel
    if destination.forwarding is not Forwarding.TUN or tunnel.type is TunnelType.IPIP:
        return _NO_TUNNEL
    if tunnel.type is TunnelType.GRE:  # the checksum stands in its header, a port nowhere
        return Tunnel(TunnelType.GRE, 0, tunnel.checksum)
    return tunnel


_NO_TUNNEL = Tunnel(TunnelType.IPIP, 0, TunnelChecksum.NOCSUM)


def _service_words(service: Service) -> str:
    words = [service.scheduler]
    if service.flags & ServiceFlags.PERSISTENT:
        words.append(f"persistent {service.timeout} s")
    if service.flags & ServiceFlags.ONEPACKET:
        words.append("one packet")
    if service.engine:
        words.append(f"engine {service.engine}")
    return ", ".join(words)


def _destination_words(destination: Destination) -> str:
    words = [f"weight {destination.weight}", destination.forwarding.name]
    if destination.forwarding is Forwarding.TUN:
        words.append(destination.tunnel.type.name.lower())
    if destination.upper_threshold:
        words.append(f"at most {destination.upper_threshold} connections")
    return ", ".join(words)
