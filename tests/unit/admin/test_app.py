"""The real admin process on a real socket; the test plays core, and the real client asks."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lvsd.admin import app
from lvsd.core.ipc.channel import Channel, pair
from lvsd.core.ipc.messages import (
    Answer,
    AnyMessage,
    CheckReport,
    CoreReport,
    LogLine,
    Notice,
    OverrideServer,
    Prepare,
    ProcessReport,
    Ready,
    Reload,
    ServerReport,
    ServiceReport,
    Stop,
    VrrpReport,
)
from lvsd.core.notify.events import Alarm

SERVER = ServerReport(
    address="10.0.0.11:80",
    weight=3,
    effective_weight=3,
    health="up",
    why="TCP_CHECK succeeded",
    state_seconds=5,
    checks=(),
    kernel_weight=3,
)
SERVICE = ServiceReport(
    name="tcp 10.0.0.1:80",
    scheduler="wrr",
    forwarding="NAT",
    quorum=1,
    quorum_up=True,
    sorry_server="",
    sorry_active=False,
    why="",
    servers=(SERVER,),
)
CHECK = CheckReport(generation=1, services=(SERVICE,), foreign=(), problems=(), lateness=0.0)
VRRP = VrrpReport(generation=1, instances=(), groups=(), held=("10.0.0.1/24",), lateness=0.0)
CORE = CoreReport(
    node="lb1", version="0", configuration="/etc/lvs.conf", generation=1, loaded_at=1.0, stale="", warnings=(),
    processes=tuple(ProcessReport(name=n, pid=1, state="running", restarts=0, lateness=0.0) for n in ("vrrp", "check", "admin")),
)  # fmt: skip


class Core:
    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self.messages: list[AnyMessage] = []
        self.answers = True
        ours, theirs = pair()
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(run_dir / "admin.sock"))
        listening.listen(64)
        self.pid = os.fork()
        if self.pid == 0:
            status = 70
            try:
                ours.close()
                asyncio._set_running_loop(None)
                status = app.main(theirs, listening, patience=0.4)
            finally:
                os._exit(status)
        theirs.close()
        listening.close()
        self.channel = Channel(ours, asyncio.get_running_loop(), self._receive, lambda why: None)

    def _receive(self, message: AnyMessage) -> None:
        self.messages.append(message)
        if isinstance(message, OverrideServer | Reload) and self.answers:
            refused = isinstance(message, OverrideServer) and message.server == "10.9.9.9"
            lines = ("no service has a server 10.9.9.9",) if refused else ("it is done",)
            self.channel.send(Answer(id=message.id, ok=not refused, lines=lines))

    def orders(self) -> list[AnyMessage]:
        return [each for each in self.messages if isinstance(each, OverrideServer | Reload)]

    async def lvsd(self, *words: str) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-", *words, "--run-dir", str(self.run_dir),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate(b"import sys; from lvsd.cli import main; sys.exit(main(sys.argv[1:]))")
        return process.returncode or 0, out.decode(), err.decode()

    async def http(self, data: bytes) -> tuple[int, dict[str, object]]:
        reader, writer = await asyncio.open_unix_connection(str(self.run_dir / "admin.sock"))
        writer.write(data)
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).decode().lower()
        length = int(head.partition("content-length: ")[2].split("\r\n")[0])
        body = await reader.readexactly(length)
        writer.close()
        return int(head.split()[1]), json.loads(body)


async def settled(condition: object) -> None:
    assert callable(condition)
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    pytest.fail("did not happen in time")


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[Core]:
    core = Core(tmp_path)
    core.channel.send(Prepare(1, b""))
    for message in (CORE, VRRP, CHECK):
        core.channel.send(message)
    await settled(lambda: any(isinstance(each, Ready) for each in core.messages))
    yield core
    core.channel.send(Stop("the test ends"))
    _, status = await asyncio.wait_for(asyncio.to_thread(os.waitpid, core.pid, 0), 5)
    core.channel.close()
    assert os.waitstatus_to_exitcode(status) == 0


async def test_status_shows_node_service_and_server(core: Core) -> None:
    status, out, err = await core.lvsd("status")
    assert (status, err) == (0, "")
    assert "lb1" in out
    assert "10.0.0.11:80" in out
    status, out, _ = await core.lvsd("status", "--json")
    assert json.loads(out)["services"][0]["name"] == "tcp 10.0.0.1:80"


async def test_a_drain_reaches_core_with_who_asked_and_is_logged(core: Core) -> None:
    status, out, err = await core.lvsd("drain", "10.0.0.11", "--for", "30m", "--reason", "new kernel")
    assert (status, out, err) == (0, "it is done\n", "")
    (order,) = core.orders()
    assert isinstance(order, OverrideServer)
    assert (order.verb, order.server, order.seconds, order.reason) == ("drain", "10.0.0.11", 1800.0, "new kernel")
    assert order.actor == pwd.getpwuid(os.getuid()).pw_name
    assert any(isinstance(each, LogLine) and "orders drain for 10.0.0.11" in each.text for each in core.messages)


async def test_a_refused_order_ends_with_status_1_and_the_reason(core: Core) -> None:
    assert await core.lvsd("ready", "10.9.9.9") == (1, "", "lvsd ready: no service has a server 10.9.9.9\n")


async def test_an_order_that_nobody_answers_says_who_is_silent(core: Core) -> None:
    core.answers = False
    status, _, err = await core.lvsd("maint", "10.0.0.11")
    assert status == 1
    assert "check did not answer within 0.4 s" in err


async def test_two_clients_at_once_each_get_their_own_answer(core: Core) -> None:
    results = await asyncio.gather(
        core.lvsd("weight", "10.0.0.11", "7"), core.lvsd("ready", "10.9.9.9"), core.lvsd("reload")
    )
    assert [status for status, _, _ in results] == [0, 1, 0]


async def test_a_follower_sees_an_event_that_comes_later_and_status_shows_the_alarm(core: Core) -> None:
    reader, writer = await asyncio.open_unix_connection(str(core.run_dir / "admin.sock"))
    writer.write(b"GET /v1/events?follow=1 HTTP/1.1\r\nHost: lvsd\r\n\r\n")
    await reader.readuntil(b"events of lvsd")
    core.channel.send(Notice(Alarm(at=5.0, why="two masters", subject="VI_1")))
    data = await asyncio.wait_for(reader.readuntil(b"two masters"), 5)
    assert b"event: Alarm" in data
    writer.close()
    _, out, _ = await core.lvsd("status")
    assert out.startswith("! VI_1: two masters\n")


@pytest.mark.parametrize(
    ("request_line", "body", "status", "what"),
    [
        ("GET /nothing", b"", 404, "there is no /nothing here"),
        ("POST /v1/status", b"", 405, "takes GET"),
        ("GET /v1/events?folow=1", b"", 400, "no parameter 'folow'"),
        ("POST /v1/servers/a/drain", b"{", 400, "no JSON"),
        ("POST /v1/servers/a/drain", b'{"for": "soon"}', 400, "no duration"),
        ("POST /v1/servers/a/weight", b'{"weight": -1}', 400, ">= 0"),
        ("POST /v1/servers/a/drain", b"x" * 70_000, 413, "larger than 65536"),
        ("POST /v1/servers/a/drain", b"[" * 60_000, 400, ""),
        ("GET /" + "a" * 9000, b"", 400, ""),
        ("nonsense", b"", 400, ""),
    ],
)
async def test_a_bad_request_gets_a_json_error_and_the_next_one_an_answer(
    core: Core, request_line: str, body: bytes, status: int, what: str
) -> None:
    head = f"{request_line} HTTP/1.1\r\nHost: lvsd\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    code, answer = await core.http(head + body)
    assert code == status
    assert what in str(answer["error"])
    assert answer["where"]
    code, answer = await core.http(b"GET /readyz HTTP/1.1\r\nHost: lvsd\r\n\r\n")
    assert (code, answer["ok"]) == (200, True)
    assert not core.orders()


async def test_where_no_daemon_runs_the_client_names_the_socket(tmp_path: Path, core: Core) -> None:
    core.run_dir, before = tmp_path / "elsewhere", core.run_dir
    status, _, err = await core.lvsd("status")
    core.run_dir = before
    assert status == 1
    assert f"there is no {tmp_path / 'elsewhere' / 'admin.sock'}: is lvsd running?" in err
