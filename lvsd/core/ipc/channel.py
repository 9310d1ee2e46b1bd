"""One end of the stream between core and a child: messages in length-prefixed frames, never blocking.
Knows which messages may replace or drop each other, not what they mean."""

from __future__ import annotations

import asyncio
import logging
import select
import socket
import struct
import time
from collections.abc import Callable, Hashable

import msgspec

from .messages import AnyMessage, CheckReport, CoreReport, Keep, LogLine, Ping, Pong, Programmed, VrrpReport

HEADER = struct.Struct("!I")
LARGEST_FRAME = 64 << 20
"""Bytes. A report of 20,000 servers is about 10 MiB."""
QUEUE_LIMIT = 4096
"""Messages that wait for a peer which does not read; further ones are lost, and counted."""
LOG_LIMIT = 1024
"""Log lines among them."""
BATCH = 64 << 10
LONGEST_LINE = 4096

# Of these only the last one counts, so a newer one takes the place of one that was not sent yet.
REPLACING = (VrrpReport, CheckReport, CoreReport, Ping, Pong, Programmed)

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[AnyMessage] = msgspec.msgpack.Decoder(AnyMessage)


def pair() -> tuple[socket.socket, socket.socket]:
    """Core's end and the child's."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)


class Channel:
    """on_closed is called once with a reason: the peer is gone, or sent what is no message; never after close().

    largest: bytes of the largest frame that is read; what is larger closes the channel."""

    def __init__(
        self,
        sock: socket.socket,
        loop: asyncio.AbstractEventLoop,
        on_message: Callable[[AnyMessage], None],
        on_closed: Callable[[str], None],
        largest: int = LARGEST_FRAME,
    ) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._loop = loop
        self._on_message = on_message
        self._on_closed = on_closed
        self._largest = largest
        self._incoming = bytearray()
        self._queue: dict[Hashable, AnyMessage] = {}
        self._number = 0
        self._log_lines = 0
        self._lost = 0
        self._outgoing = memoryview(b"")
        self._writing = False
        self.closed = False
        loop.add_reader(sock, self._readable)

    # --- sending --------------------------------------------------------------------------------------------------

    @property
    def lost(self) -> int:
        """Messages that did not fit since the last log line that did."""
        return self._lost

    def send(self, message: AnyMessage) -> None:
        """Never blocks and never fails: to a peer that is gone or does not read, messages are lost."""
        if self.closed or not self._enqueue(message):
            return
        if not self._writing:
            self._write()

    def _enqueue(self, message: AnyMessage) -> bool:
        key = self._key(message)
        if key not in self._queue:
            is_line = isinstance(message, LogLine)
            if len(self._queue) >= QUEUE_LIMIT or (is_line and self._log_lines >= LOG_LIMIT):
                self._lost += 1
                return False
            self._log_lines += is_line
        if isinstance(message, LogLine) and self._lost:
            message = msgspec.structs.replace(message, lost=message.lost + self._lost)
            self._lost = 0
        self._queue[key] = message
        return True

    def _key(self, message: AnyMessage) -> Hashable:
        if isinstance(message, REPLACING):
            return type(message)
        if isinstance(message, Keep):
            return (Keep, message.name)
        self._number += 1
        return self._number

    def _next_batch(self) -> None:
        batch = bytearray()
        while self._queue and len(batch) < BATCH:
            message = self._queue.pop(next(iter(self._queue)))
            self._log_lines -= isinstance(message, LogLine)
            data = _encoder.encode(message)
            batch += HEADER.pack(len(data))
            batch += data
        self._outgoing = memoryview(batch)

    def _write(self) -> None:
        try:
            while True:
                if not self._outgoing:
                    if not self._queue:
                        break
                    self._next_batch()
                self._outgoing = self._outgoing[self._sock.send(self._outgoing, socket.MSG_NOSIGNAL) :]
        except (BlockingIOError, InterruptedError):
            self._want_writing(True)
            return
        except OSError as error:
            self._fail_later(f"the channel is closed ({error.strerror})")
            return
        self._want_writing(False)

    def _want_writing(self, wanted: bool) -> None:
        if wanted and not self._writing:
            self._loop.add_writer(self._sock, self._write)
        elif self._writing and not wanted:
            self._loop.remove_writer(self._sock)
        self._writing = wanted

    def flush(self, timeout: float) -> bool:
        """For the end of a process: blocks until everything is sent, at most timeout seconds. True: all was sent."""
        deadline = time.monotonic() + timeout
        poll = select.poll()
        if not self.closed:
            poll.register(self._sock, select.POLLOUT)
        while not self.closed and (self._outgoing or self._queue):
            left = deadline - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                return False
            self._write()
        return not self.closed

    # --- receiving ------------------------------------------------------------------------------------------------

    def _readable(self) -> None:
        try:
            data = self._sock.recv(256 << 10)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._fail(f"the channel is closed ({error.strerror})")
            return
        if not data:
            self._fail("the channel was closed by the other side")
            return
        self._incoming += data
        while not self.closed and (frame := self._take_frame()) is not None:
            self._receive(frame)

    def _take_frame(self) -> bytes | None:
        if len(self._incoming) < HEADER.size:
            return None
        (length,) = HEADER.unpack_from(self._incoming)
        if length > self._largest:
            self._fail(f"a frame of {length} bytes is no message ({self._largest} are allowed)")
            return None
        end = HEADER.size + length
        if len(self._incoming) < end:
            return None
        frame = bytes(memoryview(self._incoming)[HEADER.size : end])
        del self._incoming[:end]
        return frame

    def _receive(self, frame: bytes) -> None:
        try:
            message = _decoder.decode(frame)
        except msgspec.DecodeError as error:
            self._fail(f"a frame is no message: {error}")
            return
        try:
            self._on_message(message)
        except Exception as error:
            text = f"{type(message).__name__} could not be handled"
            self._loop.call_exception_handler({"message": text, "exception": error})

    # --- the end --------------------------------------------------------------------------------------------------

    def _fail(self, why: str) -> None:
        if not self.closed:
            self.close()
            self._on_closed(why)

    def _fail_later(self, why: str) -> None:
        """A sender does not expect on_closed within its call of send, and what the peer still said is read first."""
        self._queue.clear()
        self._outgoing = memoryview(b"")
        self._want_writing(False)
        self._loop.call_soon(self._drain_and_fail, why)

    def _drain_and_fail(self, why: str) -> None:
        if not self.closed:
            self._readable()
        self._fail(why)

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        self._loop.remove_reader(self._sock)
        self._want_writing(False)
        self._queue.clear()
        self._sock.close()


def without_sources(error: BaseException) -> str:
    """A traceback of places only: reading source files would block a process that must not wait for a disk."""
    places = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return f"{type(error).__name__}: {error} [{'; '.join(places)}]"


class ChannelLogHandler(logging.Handler):
    """Sends each record to core, which alone writes logs."""

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except (TypeError, ValueError) as error:
            text = f"{record.msg} ({error})"
        if record.exc_info and record.exc_info[1] is not None:
            text = f"{text}: {without_sources(record.exc_info[1])}"
        self._channel.send(LogLine(record.levelno, text[:LONGEST_LINE]))
