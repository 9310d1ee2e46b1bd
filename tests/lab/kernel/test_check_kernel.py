"""The check process alone, on the kernel's own table, over a real channel."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import time
from collections.abc import Iterator

import msgspec
import pytest

from lvsd.check.inherit import resolve
from lvsd.core.config import load
from lvsd.core.ipc.channel import HEADER, pair
from lvsd.core.ipc.messages import (
    Answer,
    AnyMessage,
    Commit,
    Keep,
    Kept,
    OverrideServer,
    Prepare,
    Programmed,
    Ready,
    Stop,
)

pytestmark = pytest.mark.lab
ENCODE = msgspec.msgpack.Encoder().encode
DECODE = msgspec.msgpack.Decoder(AnyMessage).decode


def configuration(more: str = "", ports: tuple[int, ...] = (8001, 8002)) -> str:
    servers = "".join(
        f" real_server 127.0.0.1 {port} {{\n  TCP_CHECK {{\n   connect_timeout 1\n   retry 1\n   delay_before_retry 0.2\n"
        "   warmup 0\n  }\n }\n"
        for port in ports
    )
    return f"virtual_server 10.9.9.9 80 {{\n delay_loop 0.5\n protocol TCP\n lb_algo wrr\n lb_kind NAT\n{more}\n{servers}}}\n"


class Process:
    """The check process and core's end of its line."""

    def __init__(self, kept: dict[str, bytes] | None = None) -> None:
        self.sock, theirs = pair()
        self.kept: dict[str, bytes] = {}
        self.seen: list[object] = []
        self._buffer = b""
        self.pid = os.fork()
        if self.pid == 0:
            self.sock.close()
            from lvsd.check.main import main

            os._exit(main(theirs))
        theirs.close()
        for name, data in (kept or {}).items():
            self.send(Kept(name, data))

    def send(self, message: AnyMessage) -> None:
        data = ENCODE(message)
        self.sock.sendall(HEADER.pack(len(data)) + data)

    def load(self, text: str, generation: int = 1) -> None:
        loaded = load("/t.conf", lambda path: text.encode())
        assert loaded.config is not None, loaded.diagnostics
        part = loaded.config.check_part()
        assert resolve(part).services
        self.send(Prepare(generation, pickle.dumps(part)))
        self.wait(Ready)
        self.send(Commit(generation))
        self.wait(Programmed)

    def wait(self, kind: type, seconds: float = 20.0) -> object:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for index, message in enumerate(self.seen):
                if isinstance(message, kind):
                    return self.seen.pop(index)
            self.read(until - time.monotonic())
        raise AssertionError(f"no {kind.__name__} within {seconds} s")

    def read(self, seconds: float) -> bool:
        self.sock.settimeout(max(seconds, 0.01))
        try:
            data = self.sock.recv(1 << 20)
        except TimeoutError:
            return True
        if not data:
            return False
        self._buffer += data
        while len(self._buffer) >= HEADER.size:
            (length,) = HEADER.unpack_from(self._buffer)
            if len(self._buffer) < HEADER.size + length:
                break
            message = DECODE(self._buffer[HEADER.size : HEADER.size + length])
            self._buffer = self._buffer[HEADER.size + length :]
            self.seen.append(message)
            if isinstance(message, Keep):
                self.kept[message.name] = message.data
        return True

    def stop(self) -> int:
        self.send(Stop("the test is over"))
        while self.read(10.0):
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def table() -> str:
    return subprocess.run(["ipvsadm", "-Sn"], capture_output=True, text=True, check=True).stdout


def until(wanted: bool, text: str, seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while (text in table()) is not wanted:
        assert time.monotonic() < end, f"{text!r} {'never came' if wanted else 'stayed'}:\n{table()}"
        time.sleep(0.1)


def listening(port: int) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    sock.listen(512)
    return sock


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    subprocess.run(["ipvsadm", "-C"], check=True)
    yield
    subprocess.run(["ipvsadm", "-C"], check=True)


def test_a_server_leaves_and_comes_back_and_the_sorry_server_stands_in() -> None:
    process = Process()  # before the sockets, of which it would have copies else
    first, second = listening(8001), listening(8002)
    process.load(configuration(" sorry_server 127.0.0.1 8009"))
    until(True, "127.0.0.1:8001 -m -w 1")
    first.close()
    until(False, "127.0.0.1:8001")
    second.close()
    until(True, "127.0.0.1:8009")
    with listening(8001):
        until(True, "127.0.0.1:8001 -m -w 1")
        until(False, "127.0.0.1:8009")
        assert process.stop() == 0
    assert table() == ""


def test_foreign_rows_stay_and_drift_is_put_right() -> None:
    subprocess.run(["ipvsadm", "-A", "-t", "10.8.8.8:80", "-s", "rr"], check=True)
    process = Process()
    with listening(8001), listening(8002):
        process.load(configuration())
        until(True, "127.0.0.1:8002")
        subprocess.run(["ipvsadm", "-d", "-t", "10.9.9.9:80", "-r", "127.0.0.1:8002"], check=True)
        until(True, "127.0.0.1:8002")
        assert process.stop() == 0
    assert table().split() == ["-A", "-t", "10.8.8.8:80", "-s", "rr"]


def test_a_drain_outlives_the_process() -> None:
    process = Process()
    with listening(8001), listening(8002):
        process.load(configuration())
        order = OverrideServer(
            id=1, verb="drain", server="127.0.0.1:8001", service="", weight=None, seconds=None, reason="r", actor="me"
        )
        process.send(order)
        answer = process.wait(Answer)
        assert isinstance(answer, Answer)
        assert answer.ok, answer
        until(True, "127.0.0.1:8001 -m -w 0")
        refused = msgspec.structs.replace(order, id=2, server="127.0.0.1:8002")
        process.send(refused)
        answer = process.wait(Answer)
        assert isinstance(answer, Answer)
        assert not answer.ok
        assert process.stop() == 0
        again = Process(process.kept)
        again.load(configuration())
        until(True, "127.0.0.1:8001 -m -w 0")
        assert again.stop() == 0


def test_a_process_that_stood_still_fails_no_server() -> None:
    process = Process()
    with listening(8001), listening(8002):
        process.load(configuration())
        time.sleep(2)
        for _ in range(3):
            os.kill(process.pid, signal.SIGSTOP)
            time.sleep(2)
            os.kill(process.pid, signal.SIGCONT)
            end = time.monotonic() + 2
            while time.monotonic() < end:
                assert table().count("127.0.0.1:800") == 2
                time.sleep(0.05)
        assert process.stop() == 0
