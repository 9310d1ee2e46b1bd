"""How long the configuration of a large farm takes to read: 1,000 services with 20 real servers each, 160,000 lines and more.

`python -m bench.config` prints lines a second and the total, whose goal is below two seconds, and what a reload of that file
with one line changed takes of it, whose goal is a quarter."""

from __future__ import annotations

import time

from lvsd.core.conf.known import NOTHING_KNOWN, Known
from lvsd.core.config import load

SERVICES, SERVERS = 1000, 20
RUNS = 3

SERVER = """\
    real_server 10.{farm}.{number}.{host} 80 {{
        weight {weight}
        TCP_CHECK {{
            connect_timeout 3
            retry 2
            delay_before_retry 1
        }}
    }}
"""


def farm(services: int = SERVICES, servers: int = SERVERS) -> bytes:
    parts = ["global_defs {\n    router_id bench\n}\n"]
    for service in range(services):
        parts.append(
            f"virtual_server 10.200.{service // 250}.{service % 250 + 1} 80 {{\n"
            "    delay_loop 5\n    lb_algo wrr\n    lb_kind NAT\n    protocol TCP\n"
        )
        parts += [
            SERVER.format(farm=service // 250, number=service % 250, host=server + 1, weight=server % 5 + 1)
            for server in range(servers)
        ]
        parts.append("}\n")
    return "".join(parts).encode()


def measure(text: bytes, known: Known = NOTHING_KNOWN) -> tuple[float, float, Known]:
    """Seconds of wall and of processor for one load from text to a Config, and what the next one may find again.
    Raises ValueError if the text is not clean."""
    wall, cpu = time.perf_counter(), time.process_time()
    loaded = load("bench.conf", lambda name: text, known=known)
    spent = time.perf_counter() - wall, time.process_time() - cpu
    if loaded.config is None or loaded.diagnostics:
        raise ValueError("\n".join(each.render() for each in loaded.diagnostics[:5]))
    return *spent, loaded.known


def main() -> None:
    text = farm()
    lines = text.count(b"\n")
    middle = text.index(b"weight 3", len(text) // 2)
    changed = text[:middle] + b"weight 9" + text[middle + 8 :]
    wholes, reloads = [], []
    for _ in range(RUNS):
        *whole, known = measure(text)
        *reload, _ = measure(changed, known)
        wholes.append(whole)
        reloads.append(reload)
    (wall, cpu), (wall_again, cpu_again) = min(wholes), min(reloads)
    print(f"configuration: {lines} lines, {SERVICES} services x {SERVERS} servers, best of {RUNS} runs")
    print(f"  total        {wall:.2f} s wall, {cpu:.2f} s processor (goal: below 2 s)")
    print(f"  speed        {lines / wall:,.0f} lines/s, {wall / lines * 1e6:.1f} microseconds a line")
    print(f"  reload       {wall_again:.2f} s wall, {cpu_again:.2f} s processor with one line changed")
    print(f"  ratio        {cpu_again / cpu:.2f} of the whole (goal: at most 0.25)")


if __name__ == "__main__":
    main()
