"""1,000 services with 20 servers each on the real kernel: start, a reload with one weight changed, stop; lvsd beside keepalived,
in one lab kernel and one run. The start of a farm with one service is taken off."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.lab.daemon import KEEPALIVED, LVSD, Daemon
from tests.lab.kernel_boot import run
from tests.lab.namespace import inside
from tests.lab.namespace import run as command

SERVICES, SERVERS = 1000, 20
NAMESPACE = "scale"
PATIENCE = 180.0
POLL = 0.1


def virtual(service: int) -> str:
    return f"10.{100 + service // 250}.{service % 250}.1:80"


def configuration(services: int, first_weight: int = 1) -> str:
    blocks = ["global_defs {\n    router_id scale\n}\n"]
    for service in range(services):
        blocks.append(f"virtual_server {virtual(service).replace(':', ' ')} {{")
        blocks.append("    delay_loop 60\n    lb_algo wrr\n    lb_kind NAT\n    protocol TCP")
        for server in range(SERVERS):
            weight = first_weight if service == 0 and server == 0 else 1
            address = f"10.{200 + service // 250}.{service % 250}.{server + 1}"
            blocks.append(f"    real_server {address} 80 {{\n        weight {weight}\n    }}")
        blocks.append("}\n")
    return "\n".join(blocks)


def listed(*service: str) -> list[list[str]]:
    """Words of each row of one service, or of the whole table, which takes the kernel long enough to disturb what is measured."""
    try:
        with inside(NAMESPACE):
            text = command(["ipvsadm", "-Ln", *service])
    except RuntimeError:  # no such service yet
        return []
    return [words for line in text.splitlines() if (words := line.split())[:1] == ["->"] and words[1][0].isdigit()]


def rows() -> int:
    return len(listed())


def all_here(services: int) -> bool:
    """Both daemons work in the order of the configuration; so a look at all of it pays only when its end is there."""
    return len(listed("-t", virtual(services - 1))) == SERVERS and rows() == services * SERVERS


def first_weight() -> int:
    return next((int(words[3]) for words in listed("-t", virtual(0)) if words[1] == "10.200.0.1:80"), -1)


def seconds_until(condition: Callable[[], bool], what: str) -> float:
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > PATIENCE:
            print(f"  {what}: gave up after {PATIENCE:g} s", flush=True)
            return float("nan")
        time.sleep(POLL)
    return time.monotonic() - start


def measure(kind: str, folder: Path) -> dict[str, float]:
    path = folder / f"{kind}.conf"
    figures: dict[str, float] = {}
    path.write_text(configuration(1))
    daemon = Daemon(kind, NAMESPACE, path, folder / kind)
    small = seconds_until(lambda: all_here(1), f"{kind}: start of one service")
    daemon.stop()
    path.write_text(configuration(SERVICES))
    daemon = Daemon(kind, NAMESPACE, path, folder / kind)
    figures["start"] = seconds_until(lambda: all_here(SERVICES), f"{kind}: start") - small
    figures["memory, MiB"] = sum(_pss(pid) for pid in daemon.processes) / 1024
    path.write_text(configuration(SERVICES, first_weight=7))
    os.kill(daemon.pid, 1)
    figures["reload"] = seconds_until(lambda: first_weight() == 7, f"{kind}: reload")
    start = time.monotonic()
    try:
        daemon.stop(PATIENCE)
    except (TimeoutError, RuntimeError) as error:
        print(f"  {kind}: {str(error).splitlines()[0]}", flush=True)
    figures["stop"] = time.monotonic() - start
    figures["rows left"] = rows()
    command(["ip", "netns", "exec", NAMESPACE, "ipvsadm", "-C"])
    return figures


def _pss(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def compare() -> None:
    command(["ip", "netns", "add", NAMESPACE])
    command(["ip", "-n", NAMESPACE, "link", "set", "lo", "up"])
    with tempfile.TemporaryDirectory() as folder:
        peer = measure(KEEPALIVED, Path(folder))
        ours = measure(LVSD, Path(folder))
    print(f"{'':14}{'keepalived':>12}{'lvsd':>12}{'ratio':>8}")
    for name, figure in peer.items():
        ratio = f"{ours[name] / figure:8.2f}" if figure else ""
        print(f"{name:14}{figure:12.2f}{ours[name]:12.2f}{ratio}", flush=True)


def main() -> None:
    if os.environ.get("LVSD_LAB") == "1":
        compare()
    else:
        run([sys.executable, "-m", "bench.scale"], timeout=900)


if __name__ == "__main__":
    main()
