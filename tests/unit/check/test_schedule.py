"""The schedule on a real loop, with real sockets on loopback."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from ipaddress import ip_address
from itertools import pairwise

from lvsd.check.farm import Farm
from lvsd.check.inherit import Asked
from lvsd.check.override import Overrides
from lvsd.check.probe import Outcome, Target
from lvsd.check.probes.http import HttpGet, Url
from lvsd.check.probes.tcp import TcpCheck
from lvsd.check.schedule import FIRST, Probe, Schedule
from lvsd.core.ipc.messages import ProgramEnded
from tests.unit.check.farm_of import resolved


async def no_programs(argv: object, target: object) -> ProgramEnded:
    raise AssertionError("no program is asked for")


class Seen:
    """Outcomes with the loop time at which they came. pause: what the owner answers."""

    def __init__(self, pause: float = 0.0) -> None:
        self.outcomes: list[tuple[Hashable, Outcome, float]] = []
        self.pause = pause

    def __call__(self, key: Hashable, outcome: Outcome) -> float:
        self.outcomes.append((key, outcome, asyncio.get_running_loop().time()))
        return self.pause

    async def enough(self, number: int, seconds: float = 10.0) -> None:
        async with asyncio.timeout(seconds):
            while len(self.outcomes) < number:
                await asyncio.sleep(0.01)


class Counting:
    """A listening socket, whose kernel takes connections; accepted() counts those since the last look."""

    def __init__(self) -> None:
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.sock.setblocking(False)
        self.target = Target(ip_address("127.0.0.1"), self.sock.getsockname()[1], timeout=0.5)

    def accepted(self) -> int:
        number = 0
        while True:
            try:
                self.sock.accept()[0].close()
            except BlockingIOError:
                return number
            number += 1


@asynccontextmanager
async def scheduled(seen: Seen, most: int = 10_000) -> AsyncIterator[tuple[Schedule, Counting]]:
    schedule = Schedule(asyncio.get_running_loop(), no_programs, seen, random.Random(1), most)
    server = Counting()
    try:
        yield schedule, server
    finally:
        schedule.close()
        server.sock.close()


async def test_starts_are_spread_over_the_warmup() -> None:
    seen = Seen()
    async with scheduled(seen) as (schedule, server):
        began = asyncio.get_running_loop().time()
        for number in range(200):
            schedule.add(number, Probe(TcpCheck(), server.target, 60.0, 1.0))
        await seen.enough(200)
    starts = sorted(when - outcome.seconds - began for _, outcome, when in seen.outcomes)
    assert starts[0] >= FIRST
    assert starts[-1] < FIRST + 2.0
    for tenth in range(10):
        inside = [when for when in starts if FIRST + tenth / 10 <= when < FIRST + (tenth + 1) / 10 + 0.05]
        assert 5 < len(inside) < 60


async def test_a_probe_is_asked_once_an_interval_and_no_more_once_removed() -> None:
    seen = Seen()
    async with scheduled(seen) as (schedule, server):
        schedule.add("it", Probe(TcpCheck(), server.target, 0.1, 0.0))
        await seen.enough(10)
        schedule.remove("it")
        asked = len(seen.outcomes)
        assert server.accepted() == asked == schedule.counters["probes"]
        await asyncio.sleep(0.3)
        assert (server.accepted(), len(seen.outcomes)) == (0, asked)
    times = [when for _, _, when in seen.outcomes]
    assert all(later - earlier > 0.08 for earlier, later in pairwise(times))


async def test_what_two_services_ask_alike_is_asked_once() -> None:
    seen = Seen()
    async with scheduled(seen) as (schedule, server):
        check = f"  real_server 127.0.0.1 {server.target.port} {{\n   TCP_CHECK {{\n    warmup 0\n   }}\n  }}\n"
        text = "".join(f"virtual_server 192.0.2.{octet} 80 {{\n  protocol TCP\n{check}}}\n" for octet in (1, 2))
        made = Farm()
        ask = made.reconfigure(resolved(text), Overrides(), 0.0).ask
        for asked in ask:
            schedule.add(asked, Probe(asked.check, asked.target, asked.interval, asked.warmup))
        await seen.enough(1)
        await asyncio.sleep(0.2)
        assert server.accepted() == len(seen.outcomes) == 1
    key, outcome, _ = seen.outcomes[0]
    assert isinstance(key, Asked)
    changes = made.observe(key, outcome, 1.0)
    assert [state.settings.name for state, _ in changes.servers] == ["tcp 192.0.2.1:80", "tcp 192.0.2.2:80"]


async def test_the_owner_says_when_to_ask_again() -> None:
    seen = Seen(pause=0.05)
    async with scheduled(seen) as (schedule, server):
        schedule.add("it", Probe(TcpCheck(), server.target, 60.0, 0.0))
        await seen.enough(3, FIRST + 2.0)


async def test_no_answer_in_time_is_a_failure_that_says_so() -> None:
    seen = Seen()
    async with scheduled(seen) as (schedule, server):
        # The kernel takes the connection, and nobody answers the request.
        schedule.add("it", Probe(HttpGet(url=(Url(),)), server.target, 60.0, 0.0))
        await seen.enough(1)
    (_, outcome, _) = seen.outcomes[0]
    assert (outcome.ok, outcome.void, outcome.reason) == (False, False, "no answer within 0.5 s")
    assert 0.5 <= outcome.seconds < 0.8


async def test_a_stall_of_our_own_voids_what_was_under_way_and_it_is_asked_again() -> None:
    seen = Seen()
    async with scheduled(seen) as (schedule, server):
        schedule.add("it", Probe(HttpGet(url=(Url(),)), server.target, 60.0, 0.0))
        while not schedule.counters["probes"]:
            await asyncio.sleep(0.01)
        time.sleep(0.7)  # noqa: ASYNC251 - the whole loop stands still, beyond the probe's time-out
        await seen.enough(2)
    first, second = (outcome for _, outcome, _ in seen.outcomes[:2])
    assert first.void
    assert "lvsd itself stood still" in first.reason
    assert (second.ok, second.void) == (False, False)
    assert schedule.counters["void"] == 1


async def test_an_answer_that_arrived_during_a_stall_counts() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n")
        writer.close()
        asyncio.get_running_loop().call_soon(time.sleep, 0.8)

    seen = Seen()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server, scheduled(seen) as (schedule, _):
        target = Target(ip_address("127.0.0.1"), server.sockets[0].getsockname()[1], timeout=0.5)
        schedule.add("it", Probe(HttpGet(url=(Url(),)), target, 60.0, 0.0))
        await seen.enough(1)
    assert seen.outcomes[0][1].ok


async def test_no_more_probes_are_under_way_than_there_are_descriptors_for() -> None:
    seen = Seen()
    async with scheduled(seen, most=3) as (schedule, server):
        for number in range(9):
            schedule.add(number, Probe(HttpGet(url=(Url(),)), server.target, 60.0, 0.0))
        while not schedule.counters["probes"]:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        assert server.accepted() == 3
        await seen.enough(9)
    assert {key for key, _, _ in seen.outcomes} == set(range(9))
