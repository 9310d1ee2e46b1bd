"""The real admin process on a real socket; the test plays core, and the real client asks."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lvsd import client
from lvsd.admin import app, server
from lvsd.admin.api import ROUTES
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
from lvsd.core.notify.events import Alarm, ServerChanged

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
    """audit: where the process writes what it imports, one name a line behind the moment."""

    def __init__(self, run_dir: Path, audit: Path | None = None) -> None:
        self.run_dir = run_dir
        self.messages: list[AnyMessage] = []
        self.answers = True
        ours, theirs = pair()
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(run_dir / "admin.sock"))
        listening.listen(64)
        self.pid = self._fork(ours, theirs, listening) if audit is None else fresh(theirs, listening, audit)
        theirs.close()
        listening.close()
        self.channel = Channel(ours, asyncio.get_running_loop(), self._receive, lambda why: None)

    @staticmethod
    def _fork(ours: socket.socket, theirs: socket.socket, listening: socket.socket) -> int:
        pid = os.fork()
        if pid == 0:
            status = 70
            try:
                ours.close()
                asyncio._set_running_loop(None)
                status = app.main(theirs, listening, patience=0.4)
            finally:
                os._exit(status)
        return pid

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

    async def exchange(self, data: bytes) -> bytes:
        """The beginning of the answer to bytes as they are."""
        reader, writer = await asyncio.open_unix_connection(str(self.run_dir / "admin.sock"))
        writer.write(data)
        answer = await asyncio.wait_for(reader.read(1 << 16), 5)
        writer.close()
        return answer

    async def http(self, data: bytes) -> tuple[int, dict[str, object]]:
        reader, writer = await asyncio.open_unix_connection(str(self.run_dir / "admin.sock"))
        writer.write(data)
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).decode().lower()
        length = int(head.partition("content-length: ")[2].split("\r\n")[0])
        body = await reader.readexactly(length)
        writer.close()
        return int(head.split()[1]), json.loads(body)


AUDITED = """
import os, socket, sys, time
channel, listening, path = sys.argv[1:]
file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)  # opened now: it gives its user away
def hook(event, arguments):
    if event == "import":
        os.write(file, f"{time.monotonic()} {arguments[0]}\\n".encode())
sys.addaudithook(hook)
from lvsd.admin import app
sys.exit(app.main(socket.socket(fileno=int(channel)), socket.socket(fileno=int(listening))))
"""


def fresh(theirs: socket.socket, listening: socket.socket, audit: Path) -> int:
    """The process in an interpreter that has loaded nothing else; it notes its imports."""
    files = (theirs.fileno(), listening.fileno())
    return subprocess.Popen([sys.executable, "-c", AUDITED, *map(str, files), str(audit)], pass_fds=files).pid


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
    await ready(core)
    yield core
    await ended(core)


async def ready(core: Core) -> None:
    core.channel.send(Prepare(1, b""))
    for message in (CORE, VRRP, CHECK):
        core.channel.send(message)
    await settled(lambda: any(isinstance(each, Ready) for each in core.messages))


async def ended(core: Core) -> None:
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


async def test_the_process_imports_nothing_once_it_has_given_its_user_away(tmp_path: Path) -> None:
    """The files of the interpreter may be closed to the uid that it takes, and a disk may hang."""
    core = Core(tmp_path, tmp_path / "imports")
    await ready(core)
    start = time.monotonic()
    stream, writer = await asyncio.open_unix_connection(str(core.run_dir / "admin.sock"))
    writer.write(b"GET /v1/events?follow=1 HTTP/1.1\r\nHost: lvsd\r\n\r\n")
    await asyncio.wait_for(stream.readuntil(b"events of lvsd"), 5)
    core.channel.send(Notice(Alarm(at=5.0, why="two masters", subject="VI_1")))
    await asyncio.wait_for(stream.readuntil(b"two masters"), 5)
    for route in ROUTES:
        body = b'{"weight": 1, "for": "1m"}' if route.name == "weight" else b""
        request = f"{route.method} {route.path.replace('{server}', '10.0.0.11')} HTTP/1.1\r\nHost: lvsd\r\n"
        await core.exchange(f"{request}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    for nonsense in (b"nonsense\r\n\r\n", b"GET /nothing HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n"):
        await core.exchange(nonsense)
    chunked = b"POST /v1/reload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
    await core.exchange(chunked + b"2\r\n{}\r\n0\r\n\r\n")
    core.channel.send(Stop("the test looks"))
    await asyncio.wait_for(stream.read(), 5)
    writer.close()
    lines = [line.split(" ", 1) for line in (tmp_path / "imports").read_text().splitlines()]
    await ended(core)
    assert any(name == "lvsd.admin.server" for _, name in lines), "the audit works"
    assert [name for at, name in lines if float(at) > start] == []


async def test_events_are_lines_for_people_or_objects_for_programs(core: Core) -> None:
    core.channel.send(Notice(Alarm(at=5.0, why="two masters", subject="VI_1")))
    core.channel.send(Notice(ServerChanged(at=6.0, why="L4: refused", service="s", server="10.0.0.11:80", up=False)))
    status, out, err = await core.lvsd("events")
    assert (status, err) == (0, "")
    first, second = out.splitlines()
    assert first.endswith(" Alarm subject=VI_1: two masters")
    assert "ServerChanged service=s server=10.0.0.11:80 up=False: L4: refused" in second
    _, out, _ = await core.lvsd("events", "--json")
    assert [json.loads(line)["type"] for line in out.splitlines()] == ["Alarm", "ServerChanged"]


async def test_services_are_shown_as_text_and_as_json_and_old_ones_as_old(core: Core) -> None:
    status, out, err = await core.lvsd("services")
    assert (status, err) == (0, "")
    assert out.startswith("SERVICE tcp 10.0.0.1:80  wrr NAT  1 of 1 up  quorum 1 ok\n")
    _, out, _ = await core.lvsd("services", "--json")
    found = json.loads(out)
    assert found["services"][0]["servers"][0]["address"] == "10.0.0.11:80"
    assert 0 <= found["age"] < 5


async def test_who_may_not_use_the_socket_is_told_who_may(core: Core) -> None:
    (core.run_dir / "admin.sock").chmod(0o600)
    before = os.geteuid()
    os.seteuid(65534)
    try:
        with pytest.raises(client.Failed, match="may not be used: be root, or a member of the group lvsd"):
            client._ask(core.run_dir, "/v1/status")
    finally:
        os.seteuid(before)


async def test_a_follower_goes_on_with_the_next_admin_process(core: Core, tmp_path: Path) -> None:
    first = Alarm(at=5.0, why="the first", subject="VI_1")
    core.channel.send(Notice(first))
    program = b"import sys; from lvsd.cli import main; sys.exit(main(['events', '--follow', '--run-dir', sys.argv[1]]))"
    follower = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program.decode(), str(tmp_path), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )  # fmt: skip
    assert follower.stdout is not None
    assert follower.stderr is not None
    line = asyncio.create_task(follower.stdout.readline())
    for second in range(6, 90):  # again and again, since nobody knows when it has begun to follow
        core.channel.send(Notice(Alarm(at=float(second), why="the second", subject="VI_1")))
        if (await asyncio.wait((line,), timeout=0.2))[0]:
            break
    assert b"the second" in line.result()
    await ended(core)
    (tmp_path / "admin.sock").unlink()
    again = Core(tmp_path)
    core.__dict__.update(again.__dict__)
    for at, why in ((5.0, "the first"), (float(second), "the second"), (100.0, "while nobody served")):
        core.channel.send(Notice(Alarm(at=at, why=why, subject="VI_1")))
    await ready(core)
    await asyncio.wait_for(follower.stdout.readuntil(b"while nobody served\n"), 10)
    core.channel.send(Notice(Alarm(at=101.0, why="the last", subject="VI_1")))
    assert b"the last" in await asyncio.wait_for(follower.stdout.readline(), 5)
    follower.kill()
    assert b"waiting for lvsd" in await follower.stderr.read()
    await follower.wait()


async def test_a_follower_that_does_not_read_costs_no_memory(core: Core) -> None:
    readers = []
    for _ in range(3):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(str(core.run_dir / "admin.sock"))
        sock.sendall(b"GET /v1/events?follow=1 HTTP/1.1\r\nHost: lvsd\r\n\r\n")
        readers.append(sock)
    await asyncio.sleep(0.3)

    rollup = Path(f"/proc/{core.pid}/smaps_rollup")

    async def flood(count: int) -> int:
        """MiB that the process has afterwards."""
        for number in range(count):
            core.channel.send(Notice(Alarm(at=float(number + 1), why="x" * 2000, subject="VI_1")))
            if number % 200 == 199:
                await core.exchange(b"GET /healthz HTTP/1.1\r\nHost: lvsd\r\n\r\n")
        listing = await asyncio.to_thread(rollup.read_text)
        return int(listing.partition("Rss:")[2].split()[0]) >> 10

    before = await flood(2000)
    assert await flood(8000) <= before + 8, "16 MB of events for each of three followers were not kept"
    readers[0].settimeout(5)
    data = b""
    while b"event: Lost" not in data:
        part = readers[0].recv(1 << 16)
        assert part, "the stream ended before it said that events were missed"
        data += part
    for sock in readers:
        sock.close()


async def test_a_body_that_does_not_come_is_not_waited_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "BODY_PATIENCE", 0.3)
    core = Core(tmp_path)
    await ready(core)
    status, answer = await core.http(b"POST /v1/reload HTTP/1.1\r\nHost: lvsd\r\nContent-Length: 10\r\n\r\n{")
    assert status == 408
    assert "did not come within 0.3 s" in str(answer["error"])
    assert not core.orders()
    await ended(core)
