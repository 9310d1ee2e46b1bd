"""A client of the farm: asks through the VIP at a fixed pace, one connection a request, and writes down every answer.

As a program (in the client's namespace): python tests/lab/client.py ADDRESS PORT FILE [INTERVAL [TIMEOUT]], until SIGTERM.
As a module: reads what the program wrote. It imports little, since it shares one slow CPU with what it measures."""

from __future__ import annotations

import errno
import select
import signal
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

INTERVAL = 0.01
TIMEOUT = 0.25
# Shorter times without an answer are the pace, and what else runs on the machine.
GAP = 0.1
# start, seconds, lateness of the start behind its plan, result, name of the server that answered
ROW = struct.Struct("<dffB11s")
ANSWERED, TIMED_OUT, REFUSED, BROKEN = range(4)
RESULTS = ("answered", "timed out", "refused", "broken off")


@dataclass(frozen=True, slots=True)
class Request:
    """start: time.monotonic() of this kernel. late: seconds behind the pace, which tells how busy the machine was."""

    start: float
    seconds: float
    late: float
    result: int
    server: str

    @property
    def end(self) -> float:
        return self.start + self.seconds

    @property
    def ok(self) -> bool:
        return self.result == ANSWERED


@dataclass(frozen=True, slots=True)
class Outage:
    """A time without any answer. failed: requests that began in it and got none."""

    start: float
    seconds: float
    failed: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What the client saw between two moments."""

    requests: tuple[Request, ...]

    @property
    def failed(self) -> int:
        return sum(not request.ok for request in self.requests)

    @property
    def outages(self) -> list[Outage]:
        """Longer gaps between two answers, whichever request they belong to: a request that a neighbour's queue kept for a
        while counts as late, not as lost."""
        if not self.requests:
            return []
        marks = [self.requests[0].start, *sorted(request.end for request in self.requests if request.ok)]
        marks.append(max(marks[-1], max(request.start for request in self.requests)))
        return [
            Outage(
                left, right - left, sum(left <= request.start < right and not request.ok for request in self.requests)
            )
            for left, right in pairwise(marks)
            if right - left >= GAP
        ]

    @property
    def outage(self) -> float:
        """Seconds of the longest time without an answer; 0 if none was longer than a busy machine may cause."""
        return max((outage.seconds for outage in self.outages), default=0.0)

    @property
    def late(self) -> float:
        """Worst seconds that the client itself was behind its pace: what the machine's load adds to every figure here."""
        return max((request.late for request in self.requests), default=0.0)

    @property
    def spread(self) -> dict[str, int]:
        return dict(sorted(Counter(request.server for request in self.requests if request.ok).items()))

    def unevenness(self, servers: Iterable[str]) -> float:
        """Largest distance of a server's share from the even share, in parts of the even share."""
        names = list(servers)
        total = sum(self.spread.get(name, 0) for name in names)
        even = total / len(names)
        return max(abs(self.spread.get(name, 0) - even) for name in names) / even if total else 1.0


def read(path: str, since: float = 0.0, until: float = float("inf")) -> Seen:
    """Requests that began between the two moments and have ended, in the order of their beginning."""
    with open(path, "rb") as file:
        data = file.read()
    whole = len(data) // ROW.size * ROW.size
    rows = (
        Request(start, seconds, late, result, server.rstrip(b"\0").decode())
        for start, seconds, late, result, server in ROW.iter_unpack(data[:whole])
    )
    return Seen(tuple(sorted((row for row in rows if since <= row.start < until), key=lambda row: row.start)))


class _Asker:
    def __init__(self, address: str, port: int, timeout: float, write: Callable[[bytes], object]) -> None:
        self._target = (address, port)
        self._question = f"GET / HTTP/1.0\r\nHost: {address}\r\n\r\n".encode()
        self._timeout = timeout
        self._write = write
        self._poll = select.epoll()
        # file descriptor: socket, start, lateness; in the order of starts, so that the oldest stands first
        self._open: dict[int, tuple[socket.socket, float, float]] = {}

    def ask(self, now: float, late: float) -> None:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A reset at the end spares the client a port in TIME_WAIT for each request.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        error = sock.connect_ex(self._target)
        if error not in (0, errno.EINPROGRESS):
            self._write(ROW.pack(now, 0.0, late, REFUSED, b""))
            sock.close()
            return
        self._open[sock.fileno()] = (sock, now, late)
        self._poll.register(sock, select.EPOLLOUT)

    def wait(self, seconds: float) -> None:
        for number, events in self._poll.poll(max(seconds, 0.0)):
            sock, _, _ = self._open[number]
            try:
                if events & select.EPOLLOUT and not events & (select.EPOLLERR | select.EPOLLHUP):
                    sock.send(self._question)
                    self._poll.modify(number, select.EPOLLIN)
                else:
                    self._answer(number, sock.recv(2048))
            except OSError as error:
                refused = error.errno in (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH)
                self._end(number, REFUSED if refused else BROKEN, b"")

    def expire(self, now: float) -> None:
        while self._open:
            number, (_, start, _) = next(iter(self._open.items()))
            if now - start < self._timeout:
                return
            self._end(number, TIMED_OUT, b"")

    def drain(self) -> None:
        for number in list(self._open):
            sock, _, _ = self._open.pop(number)
            sock.close()

    def _answer(self, number: int, data: bytes) -> None:
        head, _, body = data.partition(b"\r\n\r\n")
        if b" 200 " in head[:16] and body:
            self._end(number, ANSWERED, body.split()[0])
        else:
            self._end(number, BROKEN, b"")

    def _end(self, number: int, result: int, server: bytes) -> None:
        sock, start, late = self._open.pop(number)
        self._write(ROW.pack(start, time.monotonic() - start, late, result, server[:11]))
        sock.close()


def run(address: str, port: int, path: str, interval: float, timeout: float) -> None:
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: ended.append(number))
    with open(path, "ab", buffering=ROW.size * 64) as file:
        asker = _Asker(address, port, timeout, file.write)
        plan = flushed = time.monotonic()
        while not ended:
            now = time.monotonic()
            asker.expire(now)
            if now >= plan:
                asker.ask(now, now - plan)
                # No catching up: a burst after a pause would measure itself.
                plan = max(plan + interval, now)
            if now - flushed > 0.1:
                file.flush()
                flushed = now
            asker.wait(plan - time.monotonic())
        asker.drain()


if __name__ == "__main__":
    run(
        sys.argv[1],
        int(sys.argv[2]),
        sys.argv[3],
        float(sys.argv[4]) if len(sys.argv) > 4 else INTERVAL,
        float(sys.argv[5]) if len(sys.argv) > 5 else TIMEOUT,
    )
