"""CPU time per health check: one service with 200 servers, each asked twice a second; lvsd beside keepalived, in one lab kernel
and one run. Checks are counted by the server that answers them."""

from __future__ import annotations

import mmap
import os
import signal
import socket
import struct
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.lab.daemon import KEEPALIVED, LVSD, Daemon
from tests.lab.kernel_boot import run
from tests.lab.namespace import inside
from tests.lab.namespace import run as command

NAMESPACE = "checks"
SERVERS = 200
INTERVAL = 0.5
PORT = 8080
WARM = 8.0
WINDOW = 15.0
"""Seconds before and while the processes' time is counted."""
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 612\r\nConnection: close\r\n\r\n" + b"x" * 612
TICK = os.sysconf("SC_CLK_TCK")
CHECKS = {
    "TCP check": "TCP_CHECK {\n            connect_timeout 2\n        }",
    "HTTP check": "HTTP_GET {\n            connect_timeout 2\n            url {\n                path /\n"
    "                status_code 200\n            }\n        }",
}


def configuration(check: str) -> str:
    servers = "".join(
        f"    real_server 127.1.0.{number} {PORT} {{\n        {check}\n    }}\n" for number in range(1, SERVERS + 1)
    )
    return (
        "global_defs {\n    router_id checks\n}\n\nvirtual_server 10.100.0.1 80 {\n"
        f"    delay_loop {INTERVAL}\n    lb_algo wrr\n    lb_kind NAT\n    protocol TCP\n{servers}}}\n"
    )


@contextmanager
def answering() -> Iterator[mmap.mmap]:
    """A server of its own process, which counts its connections where the parent can read it."""
    counter = mmap.mmap(-1, 8)
    with inside(NAMESPACE):
        listening = socket.create_server(("", PORT), backlog=4096)
    pid = os.fork()
    if pid == 0:
        number = 0
        while True:
            connection, _ = listening.accept()
            number += 1
            counter[:] = struct.pack("q", number)
            with connection, suppress(OSError):
                if connection.recv(4096):
                    connection.sendall(ANSWER)
    listening.close()
    try:
        yield counter
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def cpu(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def measure(kind: str, check: str, folder: Path) -> tuple[float, float]:
    """Microseconds a check: of the process that checks, which is the busiest one, and of all."""
    folder.mkdir()
    path = folder / "checks.conf"
    path.write_text(configuration(check))
    with answering() as counter:
        daemon = Daemon(kind, NAMESPACE, path, folder / "state")
        try:
            while not counted(counter):
                time.sleep(0.1)
            time.sleep(WARM)
            before, first = {pid: cpu(pid) for pid in daemon.processes}, counted(counter)
            time.sleep(WINDOW)
            spent, checks = [cpu(pid) - past for pid, past in before.items()], counted(counter) - first
        finally:
            daemon.stop(60.0)
    expected = SERVERS / INTERVAL * WINDOW
    if not 0.8 * expected < checks < 1.2 * expected:
        print(f"  {kind}: {checks} checks where {expected:.0f} were due; this machine is too busy", flush=True)
    return max(spent) / TICK / checks * 1e6, sum(spent) / TICK / checks * 1e6


def counted(counter: mmap.mmap) -> int:
    (number,) = struct.unpack("q", counter[:])
    return int(number)


def compare() -> None:
    command(["ip", "netns", "add", NAMESPACE])
    command(["ip", "-n", NAMESPACE, "link", "set", "lo", "up"])
    print(f"{'µs of CPU':28}{'keepalived':>12}{'lvsd':>12}{'ratio':>8}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, check in CHECKS.items():
            peer = measure(KEEPALIVED, check, Path(folder, f"{name} {KEEPALIVED}"))
            ours = measure(LVSD, check, Path(folder, f"{name} {LVSD}"))
            for what, theirs, our in zip(("checking process", "all processes"), peer, ours, strict=True):
                print(f"{name + ', ' + what:28}{theirs:12.0f}{our:12.0f}{our / theirs:8.2f}", flush=True)


def main() -> None:
    if os.environ.get("LVSD_LAB") == "1":
        compare()
    else:
        run([sys.executable, "-m", "bench.checks"], timeout=400)


if __name__ == "__main__":
    main()
