"""The sockets of IP protocol 112, one for each interface and family. Carries finished packets; knows nothing of VRRP's format."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from struct import Struct

from lvsd.vrrp.types import Address, AdvertReceived, SendAdvert

PROTOCOL = 112
TTL = 255
TRAFFIC_CLASS = 0xC0
"""Internetwork control, as keepalived sends it."""
QUEUE_PRIORITY = 6
"""TC_PRIO_INTERACTIVE: the first band of pfifo_fast."""
RECEIVE_BUFFER = 1 << 20
LARGEST_PACKET = 64 << 10
READS_AT_ONCE = 256
"""Packets of one socket in one turn: a flood must not keep our own adverts from leaving."""

_IPV4_HEADER = Struct("!BBHHHBBH4s4s")
_MREQN = Struct("=4s4si")
_IPV6_MREQ = Struct("=16si")
_IPV6_PKTINFO = Struct("=16sI")
_INT = Struct("=i")

_SO_RCVBUFFORCE = 33
_SO_PRIORITY = 12
_IP_RECVERR = 11
_IP_MULTICAST_ALL = 49
_IPV6_RECVERR = 25
_IPV6_FREEBIND = 78
_MSG_ERRQUEUE = 0x2000
_ANCILLARY = socket.CMSG_SPACE(_IPV6_PKTINFO.size) + socket.CMSG_SPACE(_INT.size)


@dataclass(slots=True)
class _Open:
    interface: str
    index: int
    family: int
    group: Address
    socket: socket.socket
    last_source: bytes = b""


class AdvertSockets:
    """readable: called by the loop when packets wait; it is to call receive()."""

    def __init__(self, loop: asyncio.AbstractEventLoop, readable: Callable[[], None]) -> None:
        self._loop = loop
        self._readable = readable
        self._open: dict[tuple[str, int], _Open] = {}
        self._buffer = bytearray(LARGEST_PACKET)
        self.looped = 0
        """Own packets that came back."""
        self.queue_errors = 0
        """Errors that the network or the kernel reported afterwards (IP_RECVERR)."""

    def ensure(self, interface: str, index: int, group: Address) -> None:
        """Opens the socket of that interface and of the group's family, anew if the interface was made anew.
        Raises OSError."""
        family = socket.AF_INET if group.version == 4 else socket.AF_INET6
        present = self._open.get((interface, family))
        if present is not None and (present.index, present.group) == (index, group):
            return
        self.close(interface, family)
        opened = _open_ipv4(interface, index, group) if group.version == 4 else _open_ipv6(interface, index, group)
        self._open[interface, family] = _Open(interface, index, family, group, opened)
        self._loop.add_reader(opened, self._readable)

    def close(self, interface: str, family: int) -> None:
        present = self._open.pop((interface, family), None)
        if present is not None:
            self._loop.remove_reader(present.socket)
            present.socket.close()

    def keep_only(self, wanted: Iterable[tuple[str, int]]) -> None:
        """wanted: interfaces and families that still have an instance."""
        for key in self._open.keys() - set(wanted):
            self.close(*key)

    def close_all(self) -> None:
        self.keep_only(())

    # --- sending --------------------------------------------------------------------------------------------------

    def send(self, advert: SendAdvert) -> int:
        """0, or the errno that says why the advert did not leave."""
        family = socket.AF_INET if advert.destination.version == 4 else socket.AF_INET6
        present = self._open.get((advert.interface, family))
        if present is None:
            return errno.ENODEV
        present.last_source = advert.source.packed
        try:
            if family == socket.AF_INET:
                _send_ipv4(present.socket, advert)
            else:
                _send_ipv6(present, advert)
        except OSError as error:
            self._drain_errors(present)
            return error.errno or errno.EIO
        return 0

    # --- receiving ------------------------------------------------------------------------------------------------

    def receive(self) -> list[AdvertReceived]:
        """What waits in all sockets, at most READS_AT_ONCE of each; more keeps them readable."""
        found: list[AdvertReceived] = []
        for present in self._open.values():
            read = self._read_ipv4 if present.family == socket.AF_INET else self._read_ipv6
            for _ in range(READS_AT_ONCE):
                try:
                    packet = read(present)
                except (BlockingIOError, InterruptedError):
                    break
                except OSError:
                    # The pending error of the socket: reading it cleared it, and its queue tells more than its number.
                    self._drain_errors(present)
                    continue
                if packet is None:
                    continue
                if packet.source.packed == present.last_source:
                    self.looped += 1
                    continue
                found.append(packet)
        return found

    def _read_ipv4(self, present: _Open) -> AdvertReceived | None:
        length = present.socket.recv_into(self._buffer)
        header = (self._buffer[0] & 0x0F) * 4
        if length < _IPV4_HEADER.size or header < _IPV4_HEADER.size or header > length:
            return None
        buffer = self._buffer
        return AdvertReceived(
            interface=present.interface,
            source=IPv4Address(bytes(buffer[12:16])),
            destination=IPv4Address(bytes(buffer[16:20])),
            ttl=buffer[8],
            data=bytes(memoryview(buffer)[header:length]),
        )

    def _read_ipv6(self, present: _Open) -> AdvertReceived | None:
        length, ancillary, _, sender = present.socket.recvmsg_into([self._buffer], _ANCILLARY)
        hop_limit, destination = -1, None
        for level, kind, data in ancillary:
            if level != socket.IPPROTO_IPV6:
                continue
            if kind == socket.IPV6_HOPLIMIT:
                hop_limit = _INT.unpack_from(data)[0]
            elif kind == socket.IPV6_PKTINFO:
                destination = IPv6Address(_IPV6_PKTINFO.unpack_from(data)[0])
        if destination is None:
            return None
        return AdvertReceived(
            interface=present.interface,
            source=IPv6Address(sender[0].partition("%")[0]),
            destination=destination,
            ttl=hop_limit,
            data=bytes(memoryview(self._buffer)[:length]),
        )

    def _drain_errors(self, present: _Open) -> None:
        for _ in range(READS_AT_ONCE):
            try:
                present.socket.recvmsg(512, 512, _MSG_ERRQUEUE)
            except OSError:
                return
            self.queue_errors += 1


def _open_common(family: int, interface: str) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, PROTOCOL)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
        opened.setsockopt(socket.SOL_SOCKET, _SO_PRIORITY, QUEUE_PRIORITY)
        try:
            opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER)
        except PermissionError:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        _forget_others(opened)
    except OSError:
        opened.close()
        raise
    return opened


def _forget_others(opened: socket.socket) -> None:
    """Until it was bound to its device, the socket heard every device."""
    for _ in range(READS_AT_ONCE):
        try:
            opened.recv(1)
        except BlockingIOError:
            return


def _open_ipv4(interface: str, index: int, group: Address) -> socket.socket:
    opened = _open_common(socket.AF_INET, interface)
    try:
        # The own header lets mcast_src_ip be an address that this host does not have, as keepalived allows.
        opened.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
        # Without this a full queue drops the advert and reports success (raw_send_hdrinc).
        opened.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        opened.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        opened.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        membership = _MREQN.pack(group.packed, bytes(4), index)
        opened.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, _MREQN.pack(bytes(4), bytes(4), index))
        opened.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    except OSError:
        opened.close()
        raise
    return opened


def _open_ipv6(interface: str, index: int, group: Address) -> socket.socket:
    opened = _open_common(socket.AF_INET6, interface)
    option = opened.setsockopt
    try:
        option(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
        option(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
        option(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, TTL)
        option(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, TTL)
        option(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, TRAFFIC_CLASS)
        option(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        option(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        option(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        option(socket.IPPROTO_IPV6, _IPV6_FREEBIND, 1)
        option(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, _IPV6_MREQ.pack(group.packed, index))
    except OSError:
        opened.close()
        raise
    return opened


def _send_ipv4(sock: socket.socket, advert: SendAdvert) -> None:
    # The kernel fills in the identification and the header's checksum.
    header = _IPV4_HEADER.pack(
        0x45,
        TRAFFIC_CLASS,
        _IPV4_HEADER.size + len(advert.data),
        0,
        0,
        TTL,
        PROTOCOL,
        0,
        advert.source.packed,
        advert.destination.packed,
    )
    sock.sendto(header + advert.data, (str(advert.destination), 0))


def _send_ipv6(present: _Open, advert: SendAdvert) -> None:
    source = _IPV6_PKTINFO.pack(advert.source.packed, present.index)
    present.socket.sendmsg(
        [advert.data],
        [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, source)],
        0,
        (str(advert.destination), 0, 0, present.index),
    )
