"""The only opener of sockets for probes: source, interface, mark, TLS. Nothing here waits without the loop.
Knows nothing of what is asked; the deadline of a probe is its schedule's, which cancels it."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, TypeVar

from lvsd.core.ipc.messages import ProgramEnded

from .probe import Layer, Target

if TYPE_CHECKING:
    import ssl

T = TypeVar("T")
READ_SIZE = 64 << 10
READS_IN_A_ROW = 4
"""Reads without waiting after which the other probes have their turn: a server that floods must not stop the loop."""

Programs = Callable[[Sequence[str], Target], Awaitable[ProgramEnded]]
"""Has core run a program as target.user, killed after target.timeout seconds."""

_IP_BIND_ADDRESS_NO_PORT = 24
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
# Nobody was asked when our own side had no descriptor, no memory or no port left.
_NOT_ASKED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EAGAIN}


class DialFailed(Exception):
    """The other side was not reached, or our own could not ask (void). reason: a sentence."""

    def __init__(self, layer: Layer, reason: str, void: bool = False) -> None:
        super().__init__(reason)
        self.layer = layer
        self.reason = reason
        self.void = void


@dataclass(frozen=True, slots=True)
class Tls:
    """server_name: told in the handshake, "" for none. strict_end: an end without close_notify is an error.
    Certificates are not verified, as keepalived does not."""

    server_name: str = ""
    strict_end: bool = False


class Dial:
    """What one run of a probe reaches the network with. started: loop time of the run."""

    __slots__ = ("_loop", "_programs", "started")

    def __init__(self, loop: asyncio.AbstractEventLoop, programs: Programs, started: float) -> None:
        self._loop = loop
        self._programs = programs
        self.started = started

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return self._loop.time() - self.started

    async def connect(self, target: Target) -> None:
        """Opens a TCP connection and closes it; raises DialFailed."""
        (await self._connected(target)).close()

    async def stream(self, target: Target, tls: Tls | None = None) -> Stream:
        """A connection to talk on; raises DialFailed. Whoever gets it closes it."""
        sock = await self._connected(target)
        if tls is None:
            return Stream(self._loop, sock)
        try:
            wrapped = _context().wrap_socket(
                sock,
                do_handshake_on_connect=False,
                suppress_ragged_eofs=not tls.strict_end,
                server_hostname=tls.server_name or None,
            )
        except (OSError, ValueError) as error:
            sock.close()
            raise DialFailed(Layer.TLS, f"TLS could not begin: {error}") from None
        stream = Stream(self._loop, wrapped, tls=True)
        try:
            await stream.handshake(wrapped)
        except BaseException:
            stream.close()
            raise
        return stream

    async def program(self, argv: Sequence[str], target: Target) -> ProgramEnded:
        return await self._programs(argv, target)

    async def _connected(self, target: Target) -> socket.socket:
        sock = _opened(target)
        try:
            number = sock.connect_ex((str(target.address), target.port))
            if number == errno.EINPROGRESS:
                await _ready(self._loop, sock, to_write=True)
                number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                raise _refused(number)
        except BaseException:
            sock.close()
            raise
        return sock


class Stream:
    """A connection, by which a probe talks. Every error is a DialFailed."""

    __slots__ = ("_in_a_row", "_loop", "_sock", "_tls")

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, tls: bool = False) -> None:
        self._loop = loop
        self._sock = sock
        self._tls = tls
        self._in_a_row = 0

    async def handshake(self, sock: ssl.SSLSocket) -> None:
        await self._tried(sock.do_handshake, "the TLS handshake failed", Layer.TLS)

    async def write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            sent = await self._tried(partial(self._sock.send, left), "the request could not be sent", writing=True)
            left = left[sent:]

    async def read(self) -> bytes:
        """What has arrived, at most READ_SIZE bytes; nothing at the end of the connection."""
        self._in_a_row += 1
        if self._in_a_row > READS_IN_A_ROW:
            self._in_a_row = 0
            await asyncio.sleep(0)
        return await self._tried(partial(self._sock.recv, READ_SIZE), "the connection broke within the answer")

    async def _tried(
        self, action: Callable[[], T], failure: str, layer: Layer = Layer.L7, *, writing: bool = False
    ) -> T:
        while True:
            try:
                return action()
            except BlockingIOError:
                await _ready(self._loop, self._sock, to_write=writing)
            except OSError as error:
                to_write = _wants_to_write(error) if self._tls else None
                if to_write is None:
                    why = _tls_words(error) if self._tls else words(error.errno or 0)
                    raise DialFailed(layer, f"{failure}: {why}") from None
                await _ready(self._loop, self._sock, to_write)

    def close(self) -> None:
        self._sock.close()


def _opened(target: Target) -> socket.socket:
    try:
        family = socket.AF_INET if target.address.version == 4 else socket.AF_INET6
        sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    except OSError as error:
        raise _own_fault(error, "no socket") from None
    what = ""
    try:
        if target.mark:
            what = f"fwmark {target.mark}"
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, target.mark)
        if target.bind_interface:
            what = f"bind_if {target.bind_interface}"
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, target.bind_interface.encode())
        if target.bind_address is not None or target.bind_port:
            what = f"bindto {target.bind_address or '*'} port {target.bind_port}"
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if target.bind_port:
                # A fixed port can be used again at once only if the last connection left no TIME_WAIT.
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            else:
                sock.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
            anywhere = "0.0.0.0" if target.address.version == 4 else "::"
            sock.bind((str(target.bind_address or anywhere), target.bind_port))
    except OSError as error:
        sock.close()
        raise _own_fault(error, what) from None
    return sock


def _own_fault(error: OSError, what: str) -> DialFailed:
    number = error.errno or 0
    return DialFailed(Layer.SOCKET, f"{what}: {words(number)}", void=number in _NOT_ASKED)


def _refused(number: int) -> DialFailed:
    if number in _NOT_ASKED or number == errno.EADDRNOTAVAIL:
        return DialFailed(Layer.SOCKET, f"not asked: {words(number)}", void=True)
    return DialFailed(Layer.L4, words(number))


def words(number: int) -> str:
    """An error number as an operator calls it."""
    return os.strerror(number).lower() if number else "unknown error"


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def _ready(loop: asyncio.AbstractEventLoop, sock: socket.socket, to_write: bool) -> None:
    """Returns when the socket can be written (read). The watch ends here in every case, before anybody closes it:
    the number might be another socket's by then."""
    future: asyncio.Future[None] = loop.create_future()
    number = sock.fileno()
    if to_write:
        loop.add_writer(number, _settle, future)
        try:
            await future
        finally:
            loop.remove_writer(number)
    else:
        loop.add_reader(number, _settle, future)
        try:
            await future
        finally:
            loop.remove_reader(number)


@lru_cache(maxsize=1)
def _context() -> ssl.SSLContext:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _wants_to_write(error: OSError) -> bool | None:
    """None: this is an error, not a wish."""
    import ssl

    if isinstance(error, ssl.SSLWantReadError):
        return False
    return True if isinstance(error, ssl.SSLWantWriteError) else None


def _tls_words(error: OSError) -> str:
    import ssl

    if isinstance(error, ssl.SSLEOFError):
        return "the server closed the connection without TLS's own end"
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).lower().replace("_", " ")
    return words(error.errno or 0)
