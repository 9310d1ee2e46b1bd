"""The channel over real socket pairs, with peers that read, do not read, lie and go away."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Iterator

import msgspec
import pytest

from lvsd.core.ipc import channel as module
from lvsd.core.ipc.channel import Channel, ChannelLogHandler, pair
from lvsd.core.ipc.messages import (
    AnyMessage,
    Commit,
    Keep,
    Kept,
    LogLine,
    Ping,
    Pong,
    Prepare,
    Restarted,
    VrrpReport,
)


class End:
    """One end, with everything that it saw."""

    def __init__(self, sock: socket.socket, **more: int) -> None:
        self.sock = sock
        self.messages: list[AnyMessage] = []
        self.closed: list[str] = []
        self.channel = Channel(sock, asyncio.get_running_loop(), self.messages.append, self.closed.append, **more)


async def settle(condition: object = None, seconds: float = 2.0) -> None:
    for _ in range(int(seconds * 100)):
        if callable(condition) and condition():
            return
        await asyncio.sleep(0.01)
    assert condition is None, "did not happen in time"


def report(generation: int) -> VrrpReport:
    return VrrpReport(generation=generation, instances=(), groups=(), held=(), lateness=0.0)


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = pair()
    yield ours, theirs
    ours.close()
    theirs.close()


Sockets = tuple[socket.socket, socket.socket]


async def test_messages_arrive_in_order_in_both_directions(sockets: Sockets) -> None:
    one, other = End(sockets[0]), End(sockets[1])
    sent: list[AnyMessage] = [Prepare(1, b"\0" * 10), Commit(1), Kept("x", b"y"), Restarted(report(7), 0.5)]
    for message in sent:
        one.channel.send(message)
    other.channel.send(Pong(3, 0.25))
    await settle(lambda: len(other.messages) == 4 and one.messages)
    assert other.messages == sent
    assert one.messages == [Pong(3, 0.25)]


async def test_a_large_message_passes_in_pieces(sockets: Sockets) -> None:
    one, other = End(sockets[0]), End(sockets[1])
    one.channel.send(Prepare(1, b"s" * 8_000_000))
    one.channel.send(Commit(1))
    await settle(lambda: len(other.messages) == 2, 5)
    assert other.messages == [Prepare(1, b"s" * 8_000_000), Commit(1)]


async def test_a_peer_that_does_not_read_gets_the_newest_snapshot_and_the_count_of_lost_lines(sockets: Sockets) -> None:
    one = End(sockets[0])
    one.channel.send(Prepare(1, b"s" * 2_000_000))  # fills the socket's buffer
    for number in range(1, 101):
        one.channel.send(report(number))
        one.channel.send(Ping(number))
        one.channel.send(Keep("overrides", str(number).encode()))
        one.channel.send(Keep("rows", b"r"))
    for number in range(module.LOG_LIMIT + 50):
        one.channel.send(LogLine(20, str(number)))
    assert one.channel.lost == 50
    other = End(sockets[1])
    await settle(lambda: len(other.messages) == 5 + module.LOG_LIMIT)
    assert other.messages[1:5] == [report(100), Ping(100), Keep("overrides", b"100"), Keep("rows", b"r")]
    one.channel.send(LogLine(20, "there is room again"))
    await settle(lambda: other.messages[-1] == LogLine(20, "there is room again", lost=50))
    assert one.channel.lost == 0


async def test_the_queue_is_bounded_whatever_is_sent(sockets: Sockets) -> None:
    one = End(sockets[0])
    one.channel.send(Prepare(1, b"s" * 2_000_000))
    for number in range(module.QUEUE_LIMIT + 10):
        one.channel.send(Commit(number))
    assert one.channel.lost >= 10


async def test_the_end_of_the_peer_is_told_once_after_its_last_words(sockets: Sockets) -> None:
    one, other = End(sockets[0]), End(sockets[1])
    other.channel.send(Commit(9))
    assert other.channel.flush(1)
    other.channel.close()
    for number in range(3):  # into a closed pipe
        one.channel.send(Commit(number))
    await settle(lambda: one.closed)
    assert one.messages == [Commit(9)]
    assert len(one.closed) == 1
    assert other.closed == []
    one.channel.send(Commit(4))
    assert not one.channel.flush(0.1)


@pytest.mark.parametrize(
    "frame",
    [
        struct.pack("!I", 1 << 31),
        struct.pack("!I", 3) + b"\xc1\xc1\xc1",
        struct.pack("!I", 10) + b"0123456789",
        struct.pack("!I", 0),
        (lambda data: struct.pack("!I", len(data)) + data)(
            msgspec.msgpack.encode({"type": "Commit", "generation": "x"})
        ),
        (lambda data: struct.pack("!I", len(data)) + data)(msgspec.msgpack.encode({"type": "Shutdown"})),
    ],
)
async def test_a_frame_that_is_no_message_closes_the_channel(sockets: Sockets, frame: bytes) -> None:
    one = End(sockets[0])
    sockets[1].send(frame)
    await settle(lambda: one.closed)
    assert "no message" in one.closed[0]
    assert one.messages == []


async def test_a_frame_larger_than_agreed_closes_the_channel(sockets: Sockets) -> None:
    one, other = End(sockets[0], largest=1000), End(sockets[1])
    other.channel.send(Commit(1))
    other.channel.send(LogLine(20, "x" * 2000))
    await settle(lambda: one.closed)
    assert one.messages == [Commit(1)]


async def test_flush_waits_no_longer_than_it_may(sockets: Sockets) -> None:
    one = End(sockets[0])
    one.channel.send(Prepare(1, b"s" * 4_000_000))
    assert not one.channel.flush(0.05)


async def test_a_handler_that_fails_does_not_cost_the_next_message(sockets: Sockets) -> None:
    seen: list[AnyMessage] = []
    trouble: list[dict[str, object]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: trouble.append(context))

    def handle(message: AnyMessage) -> None:
        seen.append(message)
        if message == Commit(1):
            raise ValueError("our bug")

    Channel(sockets[0], loop, handle, lambda _: None)
    other = End(sockets[1])
    other.channel.send(Commit(1))
    other.channel.send(Commit(2))
    await settle(lambda: len(seen) == 2)
    assert isinstance(trouble[0]["exception"], ValueError)


async def test_log_records_become_lines_without_source_text(sockets: Sockets) -> None:
    one, other = End(sockets[0]), End(sockets[1])
    logger = logging.Logger("test")
    logger.addHandler(ChannelLogHandler(one.channel))
    logger.warning("%s is %d", "port", 80)
    logger.warning("%d", "not a number")
    try:
        raise KeyError("gone")
    except KeyError:
        logger.exception("failed")
    await settle(lambda: len(other.messages) == 3)
    assert other.messages[0] == LogLine(logging.WARNING, "port is 80")
    last = other.messages[2]
    assert isinstance(last, LogLine)
    assert "KeyError" in last.text
    assert "test_channel.py:" in last.text
    assert "raise" not in last.text
