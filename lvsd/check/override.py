"""What operators ordered for servers, by whom, why and until when; it outlives reloads and restarts.
Knows neither health nor the table: it only finds the order that holds for a server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

import msgspec

from lvsd.core.conf.values import Address

from .inherit import Server

VERBS = ("drain", "maint", "weight", "ready")
LARGEST_WEIGHT = 2**31 - 1


class BadOrder(Exception):
    """An order that cannot be followed; the message says why."""


@dataclass(frozen=True, slots=True)
class Override:
    """verb: drain (weight 0, connections go on), maint (out of the table), weight.
    port None: every port of the address. service "": every service. until: monotonic seconds, None for ever."""

    verb: str
    address: Address
    port: int | None
    service: str
    weight: int | None
    reason: str
    owner: str
    until: float | None

    @property
    def server(self) -> str:
        if self.port is None:
            return str(self.address)
        return f"[{self.address}]:{self.port}" if self.address.version == 6 else f"{self.address}:{self.port}"

    def sentence(self, now: float) -> str:
        what = f"weight {self.weight}" if self.verb == "weight" else self.verb
        where = f" in {self.service}" if self.service else ""
        end = "" if self.until is None else f" for {max(0, round(self.until - now))} s"
        reason = f": {self.reason}" if self.reason else ""
        return f"{what} of {self.server}{where}{end} by {self.owner or 'an operator'}{reason}"


def server_of(text: str) -> tuple[Address, int | None]:
    """Address and port of what an operator wrote: 192.0.2.1, 192.0.2.1:80, 2001:db8::1 or [2001:db8::1]:80."""
    host, port = text, ""
    if text.startswith("["):
        host, bracket, port = text[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            raise BadOrder(f"{text!r} is no server: [ADDRESS]:PORT is expected")
        port = port[1:]
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
        if not port:
            raise BadOrder(f"{text!r} is no server: its port is missing")
    try:
        address = ip_address(host)
    except ValueError:
        raise BadOrder(f"{text!r} is no server: ADDRESS or ADDRESS:PORT is expected") from None
    if not port:
        return address, None
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise BadOrder(f"{text!r} is no server: {port!r} is no port")
    return address, int(port)


def order_of(
    verb: str, server: str, service: str, weight: int | None, seconds: float | None, reason: str, owner: str, now: float
) -> Override:
    """Checks what an operator asked for; raises BadOrder."""
    if verb not in VERBS:
        raise BadOrder(f"{verb!r} is no order: {', '.join(VERBS)} are")
    if (verb == "weight") != (weight is not None):
        raise BadOrder("the order weight needs a weight" if verb == "weight" else f"the order {verb} takes no weight")
    if weight is not None and not 0 <= weight <= LARGEST_WEIGHT:
        raise BadOrder(f"{weight} is no weight: 0 to {LARGEST_WEIGHT} is")
    if seconds is not None and not 0 < seconds <= 1e9:
        raise BadOrder(f"{seconds:g} is no time to hold: it must be more than 0 s")
    address, port = server_of(server)
    return Override(verb, address, port, service, weight, reason, owner, None if seconds is None else now + seconds)


def names_service(written: str, name: str) -> bool:
    """Whether an operator means this service: its whole name, or the name without the protocol."""
    return written in ("", name) or written == name.partition(" ")[2]


def covers(order: Override, service: str, server: Server) -> bool:
    return (
        order.address == server.address and order.port in (None, server.port) and names_service(order.service, service)
    )


class Overrides:
    """Every order that holds. Where several cover a server, the narrowest counts: of one service, then of one port."""

    def __init__(self, orders: Iterable[Override] = ()) -> None:
        self._orders: dict[tuple[Address, int | None, str], Override] = {}
        for order in orders:
            self.give(order)

    def __len__(self) -> int:
        return len(self._orders)

    def give(self, order: Override) -> None:
        self._orders[order.address, order.port, order.service] = order

    def ready(self, address: Address, port: int | None, service: str) -> tuple[Override, ...]:
        """Ends the orders on a server, and those on each of its ports if none is named. Raises BadOrder where a wider
        order would still hold."""
        ended: list[Override] = []
        wider: list[Override] = []
        for order in self._orders.values():
            if order.address != address:
                continue
            if port in (None, order.port) and (not service or service == order.service):
                ended.append(order)
            elif order.port in (None, port) and order.service in ("", service):
                wider.append(order)
        if wider and not ended:
            whole = f" in {wider[0].service}" if wider[0].service else " in every service"
            raise BadOrder(f"the order holds for {wider[0].server}{whole}, and can only end there")
        for order in ended:
            del self._orders[order.address, order.port, order.service]
        return tuple(ended)

    def expire(self, now: float) -> tuple[Override, ...]:
        """Ends the orders whose time is over."""
        over = [order for order in self._orders.values() if order.until is not None and order.until <= now]
        for order in over:
            del self._orders[order.address, order.port, order.service]
        return tuple(over)

    @property
    def deadline(self) -> float | None:
        """When the next order ends."""
        return min((order.until for order in self._orders.values() if order.until is not None), default=None)

    def find(self, service: str, server: Server) -> Override | None:
        if not self._orders:
            return None
        fitting = [order for order in self._orders.values() if covers(order, service, server)]
        return max(fitting, key=lambda order: (order.service != "", order.port is not None), default=None)


class _Record(msgspec.Struct, frozen=True):
    """ends: wall clock, since that alone survives a reboot."""

    verb: str
    address: str
    port: int | None
    service: str
    weight: int | None
    reason: str
    owner: str
    ends: float | None


def encode(overrides: Overrides, now: float, wall: float) -> bytes:
    """now: monotonic, wall: seconds since the epoch."""
    return msgspec.json.encode(
        [
            _Record(
                order.verb,
                str(order.address),
                order.port,
                order.service,
                order.weight,
                order.reason,
                order.owner,
                None if order.until is None else wall + (order.until - now),
            )
            for order in overrides._orders.values()
        ]
    )


def decode(data: bytes, now: float, wall: float) -> Overrides:
    """Raises BadOrder for bytes that are no orders. Orders that ended meanwhile are left out."""
    try:
        records = msgspec.json.decode(data, type=list[_Record])
        orders = [
            Override(
                record.verb,
                ip_address(record.address),
                record.port,
                record.service,
                record.weight,
                record.reason,
                record.owner,
                None if record.ends is None else now + (record.ends - wall),
            )
            for record in records
            if record.verb in VERBS
        ]
    except (msgspec.MsgspecError, ValueError) as error:
        raise BadOrder(f"the kept orders cannot be read: {error}") from None
    return Overrides(order for order in orders if order.until is None or order.until > now)
