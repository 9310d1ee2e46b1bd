"""The check process alone, on the kernel's own table, over a real channel."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator

import msgspec
import pytest

from lvsd.core.ipc.messages import Answer, OverrideServer
from tests.lab.check_process import Process, listening, table, until

pytestmark = pytest.mark.lab


def configuration(more: str = "", ports: tuple[int, ...] = (8001, 8002)) -> str:
    servers = "".join(
        f" real_server 127.0.0.1 {port} {{\n  TCP_CHECK {{\n   connect_timeout 1\n   retry 1\n   delay_before_retry 0.2\n"
        "   warmup 0\n  }\n }\n"
        for port in ports
    )
    return f"virtual_server 10.9.9.9 80 {{\n delay_loop 0.5\n protocol TCP\n lb_algo wrr\n lb_kind NAT\n{more}\n{servers}}}\n"


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
        assert answer.ok, answer
        until(True, "127.0.0.1:8001 -m -w 0")
        refused = msgspec.structs.replace(order, id=2, server="127.0.0.1:8002")
        process.send(refused)
        answer = process.wait(Answer)
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
