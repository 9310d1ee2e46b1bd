"""Probes against real servers on loopback, hostile ones among them."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_address

import pytest

from lvsd.check.dial import Dial
from lvsd.check.probe import Check, Layer, Outcome, Target
from lvsd.check.probes.http import HttpGet, SslGet, Url
from lvsd.check.probes.misc import MiscCheck
from lvsd.check.probes.tcp import TcpCheck
from lvsd.check.schedule import Probe, Schedule, ask
from lvsd.core.conf.values import Command
from lvsd.core.ipc.messages import ProgramEnded

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(handler: Handler) -> AsyncIterator[Target]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield Target(ip_address("127.0.0.1"), listening.sockets[0].getsockname()[1], timeout=1.0)
    finally:
        listening.close()


def answering(data: bytes, pause: float = 0.0) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in [data] if not pause else [bytes([byte]) for byte in data]:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)

    return handle


async def no_programs(argv: object, target: object) -> ProgramEnded:
    raise AssertionError("no program is asked for")


async def outcome(check: Check, target: Target) -> Outcome:
    """Of one scheduled run, deadline and all."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[Outcome] = loop.create_future()

    def take(key: object, given: Outcome) -> float:
        if not found.done():
            found.set_result(given)
        return 60.0

    schedule = Schedule(loop, no_programs, take, random.Random(1))
    schedule.add("it", Probe(check, target, 60.0, 0.0))
    try:
        return await asyncio.wait_for(found, 10)
    finally:
        schedule.close()


async def once(check: Check, target: Target) -> Outcome:
    loop = asyncio.get_running_loop()
    return await asyncio.wait_for(ask(check, target, Dial(loop, no_programs, loop.time())), 5)


async def test_a_taken_connection_is_up_and_a_refused_one_down() -> None:
    async with server(answering(b"")) as target:
        assert (await once(TcpCheck(), target)).ok
    found = await once(TcpCheck(), target)
    assert (found.ok, found.layer, found.reason) == (False, Layer.L4, "connection refused")


async def test_a_source_address_that_is_not_here_is_our_own_fault() -> None:
    async with server(answering(b"")) as there:
        target = Target(there.address, there.port, 1.0, bind_address=ip_address("192.0.2.77"))
        found = await once(TcpCheck(), target)
    assert (found.ok, found.layer, found.void) == (False, Layer.SOCKET, False)
    assert "192.0.2.77" in found.reason


@pytest.mark.parametrize(
    ("data", "url", "ok"),
    [
        (b"HTTP/1.0 200 OK\r\n\r\nhello", Url(path="/"), True),
        (b"HTTP/1.1 200\nContent-Length: 2\n\nhi", Url(path="/"), True),
        (b"HTTP/1.0 503 No\r\n\r\n", Url(path="/"), False),
        (b"HTTP/1.0 200 OK\r\n\r\nhello", Url(path="/", digest="5d41402abc4b2a76b9719d911017c592"), True),
        (b"HTTP/1.0 200 OK\r\n\r\nhellO", Url(path="/", digest="5d41402abc4b2a76b9719d911017c592"), False),
        (b"HTTP/1.0 200 OK\r\n\r\nhello", Url(path="/", regex="^hel+o$"), True),
        (b"HTTP/1.0 200 OK\r\n\r\nhello", Url(path="/", regex="hel", regex_no_match=True), False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", Url(regex="^hello$"), True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", Url(regex="hello"), False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", Url(path="/"), False),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Url(path="/"), False),
        (b"", Url(path="/"), False),
    ],
)
async def test_an_answer_is_judged_by_its_url(data: bytes, url: Url, ok: bool) -> None:
    async with server(answering(data)) as target:
        found = await once(HttpGet(url=(url,)), target)
    assert found.ok is ok, found
    assert found.layer is Layer.L7


async def test_endless_headers_end_at_the_cap() -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\n")
        while True:
            writer.write(b"X: " + b"y" * 1000 + b"\r\n")
            await writer.drain()

    async with server(flood) as target:
        found = await once(HttpGet(url=(Url(),)), target)
    assert not found.ok
    assert "larger than 65536 bytes" in found.reason


async def test_a_body_without_end_ends_too() -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n")
        while True:
            writer.write(b"z" * 65536)
            await writer.drain()

    async with server(flood) as target:
        assert (await once(HttpGet(url=(Url(),)), target)).ok
        found = await once(HttpGet(url=(Url(regex="never"),)), target)
    assert "too large" in found.reason


async def test_a_slow_drip_does_not_outlive_its_time() -> None:
    async with server(answering(b"HTTP/1.0 200 OK\r\n" + b"X: y\r\n" * 1000, pause=0.05)) as target:
        began = time.monotonic()
        found = await outcome(HttpGet(url=(Url(),)), target)
    assert not found.ok
    assert found.reason == "no answer within 1 s"
    assert time.monotonic() - began < 4.0


async def test_what_is_no_tls_fails_in_its_own_layer() -> None:
    async def junk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with server(junk) as target:
        found = await once(SslGet(url=(Url(),)), target)
    assert (found.ok, found.layer) == (False, Layer.TLS)


async def test_a_stall_of_our_own_fails_no_server() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    async with server(slow) as target:
        loop = asyncio.get_running_loop()
        loop.call_later(1.3, time.sleep, 1.5)
        found = await outcome(HttpGet(url=(Url(),)), target)
    assert found.void
    assert "stood still" in found.reason


@pytest.mark.parametrize(
    ("ended", "ok", "weight"),
    [
        (ProgramEnded(1, 0, False, "fine\n", 0.1), True, None),
        (ProgramEnded(1, 1, False, "", 0.1), False, None),
        (ProgramEnded(1, 12, False, "", 0.1), True, 10),
        (ProgramEnded(1, -9, False, "", 0.1), False, None),
        (ProgramEnded(1, -9, True, "", 0.1), False, None),
        (ProgramEnded(1, 0, False, "", 0.0, "not there"), False, None),
    ],
)
async def test_a_program_says_by_its_status(ended: ProgramEnded, ok: bool, weight: int | None) -> None:
    async def programs(argv: object, target: object) -> ProgramEnded:
        return ended

    check = MiscCheck(misc_path=Command(("/bin/x",)), misc_dynamic=True)
    found = await check.run(Target(ip_address("127.0.0.1"), 0, 1.0), Dial(asyncio.get_running_loop(), programs, 0.0))
    assert (found.ok, found.weight) == (ok, weight)


async def test_no_descriptor_is_left_behind() -> None:
    async with server(answering(b"HTTP/1.0 200 OK\r\n\r\n")) as target:
        with socket.socket() as probe:
            before = probe.fileno()
        for _ in range(20):
            await once(HttpGet(url=(Url(),)), target)
            await once(TcpCheck(), target)
        await asyncio.sleep(0.1)
        with socket.socket() as probe:
            assert probe.fileno() <= before + 2
