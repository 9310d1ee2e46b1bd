"""Gratuitous ARP and unsolicited neighbour advertisements, paced, so that five hundred addresses delay no advert."""

from __future__ import annotations

import errno
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from lvsd.vrrp.types import Address
from lvsd.vrrp.wire import frames

from .links import LinkTable
from .sockets import QUEUE_PRIORITY

FRAMES_AT_ONCE = 20
"""Frames of one turn of the loop; adverts that are due go before the next ones."""
BUSY_PAUSE = 0.01
"""Seconds to wait for a full send queue."""

_SO_PRIORITY = 12
_ETHERNET = 1  # ARPHRD_ETHER
_BUSY = frozenset({errno.ENOBUFS, errno.EAGAIN})


@dataclass(slots=True)
class _Device:
    queue: deque[tuple[str, Address, float]] = field(default_factory=deque)
    next_at: float = 0.0


class Announcer:
    """forwards: whether a device forwards IPv6, so that its neighbours take it for a router."""

    def __init__(self, table: LinkTable, forwards: Callable[[str], bool]) -> None:
        self._table = table
        self._forwards = forwards
        self._devices: dict[str, _Device] = {}
        # Protocol 0: it never receives.
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, 0)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_PRIORITY, QUEUE_PRIORITY)
        self.sent = 0
        self.failed = 0

    def announce(
        self, instance: str, targets: tuple[tuple[str, Address], ...], repeat: int, interval: float, now: float
    ) -> None:
        """Every address once, then again, `repeat` times. Takes the place of what still waits for the instance."""
        self.cancel(instance)
        for _ in range(repeat):
            for name, address in targets:
                device = self._devices.setdefault(name, _Device())
                if not device.queue:
                    device.next_at = max(device.next_at, now)
                device.queue.append((instance, address, interval))

    def cancel(self, instance: str) -> None:
        for device in self._devices.values():
            if any(waiting[0] == instance for waiting in device.queue):
                device.queue = deque(waiting for waiting in device.queue if waiting[0] != instance)

    @property
    def deadline(self) -> float | None:
        return min((device.next_at for device in self._devices.values() if device.queue), default=None)

    def turn(self, now: float) -> None:
        left = FRAMES_AT_ONCE
        for name, device in self._devices.items():
            while left and device.queue and device.next_at <= now:
                _, address, interval = device.queue[0]
                if not self._send(name, address):
                    device.next_at = now + BUSY_PAUSE
                    break
                device.queue.popleft()
                device.next_at = max(device.next_at, now - interval) + interval
                left -= 1

    def _send(self, name: str, address: Address) -> bool:
        """False: the queue is full, try again. A device that cannot send loses its frames."""
        link = self._table.link(name)
        if link is None or not link.arp or link.hardware != _ETHERNET or len(link.mac) != 6:
            return True
        if isinstance(address, IPv4Address):
            frame = frames.gratuitous_arp(link.mac, address)
        else:
            frame = frames.unsolicited_na(link.mac, address, self._forwards(name))
        try:
            self._socket.sendto(frame, (name, 0))
        except OSError as error:
            if error.errno in _BUSY:
                return False
            self.failed += 1
            return True
        self.sent += 1
        return True

    def close(self) -> None:
        self._socket.close()
