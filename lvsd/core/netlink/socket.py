"""Netlink sockets: one that asks, one that listens. They work in any thread, with or without an event loop.
They decode no family's messages."""

from __future__ import annotations

import errno
import socket
from collections.abc import Collection, Iterable, Iterator, Sequence
from struct import Struct
from typing import Self

from lvsd.core.netlink import codec
from lvsd.core.netlink.codec import DONE, Answer, Flag, MessageType

ROUTE = 0
GENERIC = 16

_SOL_NETLINK = 270
_ADD_MEMBERSHIP = 1
_CAP_ACK = 10
_EXT_ACK = 11
_GET_STRICT_CHECK = 12

_RECEIVE_BUFFER = 4 << 20
_WINDOW_MESSAGES = 200
"""Even if every one fails, the answers fit the kernel's default receive buffer (832 bytes of memory each)."""
_WINDOW_BYTES = 128 << 10
"""Below the default send buffer of 212,992 bytes, less its overhead."""
_LARGEST_DATAGRAM = 64 << 10
"""netlink_dump() fills at most 32 KiB."""
_DUMP_ATTEMPTS = 5
_PATIENCE_SECONDS = 30
"""The kernel has answered before send() returns; silence means that an answer was lost."""
_READS_AT_ONCE = 256

_TIMEVAL = Struct("@ll")
_SEQUENCE = Struct("=I")
_FLAGS = Struct("=H")


class Overrun(Exception):
    """Answers or events were lost (ENOBUFS): what the kernel holds is unknown until it is read again."""


class Refused(Exception):
    """The kernel refused a question (never a change: those come back as answers)."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(str(answer))
        self.answer = answer


class NetlinkSocket:
    """Questions and changes, each with an answer. One thread at a time. Opens in the calling thread's network namespace.

    Raises OSError where the kernel has no such netlink protocol, Overrun where answers were lost.
    """

    def __init__(self, protocol: int = ROUTE) -> None:
        self._socket = _open(protocol)
        patience = _TIMEVAL.pack(_PATIENCE_SECONDS, 0)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, patience)
        self._buffer = memoryview(bytearray(_LARGEST_DATAGRAM))
        self._sequence = 0

    @property
    def port(self) -> int:
        """The socket's port id, which stands in most events that its requests cause."""
        return int(self._socket.getsockname()[0])

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def request_many(self, messages: Sequence[bytes]) -> list[Answer]:
        """Sends changes in as few calls as fit, and returns an answer for each, in order. A refused one does not stop the next.

        Only the last of a window asks to be acknowledged: the kernel handles them in order and reports failures unasked
        (netlink_rcv_skb), so silence up to that acknowledgement is success.
        """
        answers: list[Answer] = []
        for window in _windows(messages):
            answers += self._send_window(window)
        return answers

    def request(self, message: bytes) -> Answer:
        return self.request_many([message])[0]

    def ask(self, message: bytes) -> list[bytes]:
        """A question with a reply that is no dump. Raises Refused."""
        sequence = self._send_one(message, Flag.ACK)
        replies: list[bytes] = []
        for kind, _, data in self._answers(sequence, 1):
            if kind == MessageType.ERROR:
                verdict = codec.answer(data)
                if verdict.errno:
                    raise Refused(verdict)
                break
            replies.append(data)
        return replies

    def dump(self, message: bytes) -> list[bytes]:
        """Every row of a table. Read again where the kernel says that it changed under way. Raises Refused."""
        for _ in range(_DUMP_ATTEMPTS):
            sequence = self._send_one(message, Flag.DUMP)
            rows: list[bytes] = []
            whole = True
            for kind, flags, data in self._answers(sequence, 1):
                whole = whole and not flags & Flag.DUMP_INTERRUPTED
                if kind in (MessageType.DONE, MessageType.ERROR):
                    verdict = codec.answer(data)
                    if verdict.errno:
                        raise Refused(verdict)
                    break
                rows.append(data)
            if whole:
                return rows
        raise Overrun(f"the kernel's table changed during each of {_DUMP_ATTEMPTS} reads")

    def _next_sequences(self, count: int) -> int:
        first = self._sequence + 1
        if first + count > 0xFFFFFFFF:
            first = 1
        self._sequence = first + count - 1
        return first

    def _send_one(self, message: bytes, flags: int) -> int:
        sequence = self._next_sequences(1)
        data = bytearray(message)
        _stamp(data, 0, sequence, flags)
        self._socket.send(data)
        return sequence

    def _send_window(self, window: Sequence[bytes]) -> list[Answer]:
        first = self._next_sequences(len(window))
        data = bytearray().join(_padded(window))
        offset = 0
        for sequence, message in enumerate(window, first):
            _SEQUENCE.pack_into(data, offset + codec.SEQUENCE_OFFSET, sequence)
            last = offset
            offset += (len(message) + 3) & ~3
        _stamp(data, last, sequence, Flag.ACK)
        self._socket.send(data)
        answers = [DONE] * len(window)
        for kind, _, reply in self._answers(first, len(window)):
            if kind != MessageType.ERROR:
                continue
            index = codec.header(reply).sequence - first
            answers[index] = codec.answer(reply)
            if index == len(window) - 1:
                break
        return answers

    def _answers(self, first: int, count: int) -> Iterator[tuple[int, int, bytes]]:
        """Type, flags and whole message of everything that answers these sequence numbers."""
        while True:
            for data in self._receive():
                _, kind, flags, sequence, _ = codec.HEADER.unpack_from(data)
                if 0 <= sequence - first < count:
                    yield kind, flags, data

    def _receive(self) -> Iterator[bytes]:
        try:
            length, sender = self._socket.recvfrom_into(self._buffer, 0, socket.MSG_TRUNC)
        except BlockingIOError:
            raise Overrun(f"no answer from the kernel in {_PATIENCE_SECONDS} s") from None
        except OSError as error:
            if error.errno == errno.ENOBUFS:
                raise Overrun("answers of the kernel were lost: the receive buffer was full") from None
            raise
        if length > len(self._buffer):
            raise Overrun(f"an answer of {length} bytes was cut to {len(self._buffer)}")
        if sender[0] != 0:  # another process may send to our port id
            return iter(())
        return codec.messages(self._buffer[:length])


class MonitorSocket:
    """Events of multicast groups, without blocking: for a loop's reader callback (fileno)."""

    def __init__(self, groups: Iterable[int], protocol: int = ROUTE) -> None:
        self._socket = _open(protocol)
        self._socket.setblocking(False)
        self._buffer = memoryview(bytearray(_LARGEST_DATAGRAM))
        for group in groups:
            self._socket.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, int(group))

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, ignore_ports: Collection[int] = ()) -> list[bytes]:
        """What has come in since the last call, at most 256 datagrams; more keeps the socket readable.

        ignore_ports: port ids whose own doings are left out. (The kernel tells who caused an IPv4 address, a link or a
        route; events of IPv6 addresses always carry 0, inet6_ifa_notify.)
        Raises Overrun if events were lost. What was queued is dropped first, so that a dump taken then is the newest word.
        """
        events: list[bytes] = []
        try:
            for _ in range(_READS_AT_ONCE):
                datagram = self._receive()
                if datagram is None:
                    break
                for data in codec.messages(datagram):
                    if not ignore_ports or codec.HEADER.unpack_from(data)[4] not in ignore_ports:
                        events.append(data)
        except Overrun:
            self._drain()
            raise
        return events

    def _receive(self) -> memoryview | None:
        """One datagram of the kernel, b"" for one of somebody else, None when nothing is queued."""
        try:
            length, sender = self._socket.recvfrom_into(self._buffer, 0, socket.MSG_TRUNC)
        except BlockingIOError:
            return None
        except OSError as error:
            if error.errno == errno.ENOBUFS:
                raise Overrun("events of the kernel were lost: the receive buffer was full") from None
            raise
        if length > len(self._buffer):
            raise Overrun(f"an event of {length} bytes was cut to {len(self._buffer)}")
        return self._buffer[:length] if sender[0] == 0 else self._buffer[:0]

    def _drain(self) -> None:
        for _ in range(1 << 16):
            try:
                if self._receive() is None:
                    return
            except Overrun:
                continue


def resolve(netlink: NetlinkSocket, family: str) -> int:
    """The number of a generic netlink family; the kernel loads its module where it can. Raises Refused (ENOENT: no such family)."""
    for reply in netlink.ask(codec.get_family(family)):
        number = codec.family_id(reply)
        if number is not None:
            return number
    raise Refused(Answer(errno.ENOENT))


def _open(protocol: int) -> socket.socket:
    opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
    try:
        opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER)
    except PermissionError:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    for option in (_CAP_ACK, _EXT_ACK, _GET_STRICT_CHECK):
        try:
            opened.setsockopt(_SOL_NETLINK, option, 1)
        except OSError as error:  # older kernels lack the newer ones, and none is needed to be right
            if error.errno != errno.ENOPROTOOPT:
                opened.close()
                raise
    opened.bind((0, 0))
    return opened


_SO_RCVBUFFORCE = 33


def _stamp(data: bytearray, offset: int, sequence: int, flags: int) -> None:
    _SEQUENCE.pack_into(data, offset + codec.SEQUENCE_OFFSET, sequence)
    present = _FLAGS.unpack_from(data, offset + 6)[0]
    _FLAGS.pack_into(data, offset + 6, present | flags)


def _padded(window: Sequence[bytes]) -> Iterator[bytes]:
    for message in window:
        yield message if len(message) & 3 == 0 else message + b"\0" * (-len(message) & 3)


def _windows(messages: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Cuts by number and by bytes; a message larger than a window goes alone."""
    start = size = 0
    for index, message in enumerate(messages):
        if index > start and (index - start >= _WINDOW_MESSAGES or size + len(message) > _WINDOW_BYTES):
            yield messages[start:index]
            start, size = index, 0
        size += (len(message) + 3) & ~3
    if start < len(messages):
        yield messages[start:]
