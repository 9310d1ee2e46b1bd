"""1,000 services with 20 destinations each into the kernel's table: our plan and apply beside `ipvsadm -R` with the same rows.
In the lab kernel, where this one has no IPVS; with `--here` in whatever kernel it is started in (the table is flushed)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from ipaddress import IPv4Address

SERVICES, DESTINATIONS = 1000, 20
ROUNDS = 3


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ipvsadm_lines() -> bytes:
    lines = []
    for number in range(SERVICES):
        vip = IPv4Address(0x0A000000 + number)
        lines.append(f"-A -t {vip}:80 -s wrr")
        lines += [
            f"-a -t {vip}:80 -r {IPv4Address(0x0B000000 + number * 32 + host)}:80 -g -w 1"
            for host in range(DESTINATIONS)
        ]
    return "\n".join(lines).encode() + b"\n"


def measure() -> None:
    from lvsd.check.ipvs.kernel import IpvsKernel
    from lvsd.check.ipvs.plan import plan
    from lvsd.check.ipvs.table import AddressKey, Destination, DestinationKey, Forwarding, Protocol, Service, Table

    def farm(weight: int) -> Table:
        return {
            AddressKey(Protocol.TCP, IPv4Address(0x0A000000 + number), 80): Service(
                "wrr",
                destinations={
                    DestinationKey(IPv4Address(0x0B000000 + number * 32 + host), 80): Destination(weight, Forwarding.DR)
                    for host in range(DESTINATIONS)
                },
            )
            for number in range(SERVICES)
        }

    lines = ipvsadm_lines()
    wanted, changed = farm(1), farm(2)
    best: dict[str, float] = {}

    def note(what: str, work: Callable[[], object]) -> None:
        best[what] = min(best.get(what, float("inf")), timed(work))

    with IpvsKernel() as kernel:

        def bring(table: Table) -> None:
            failed = kernel.apply(plan(kernel.read(), table, frozenset(wanted)))
            if failed:
                raise RuntimeError(failed[0].text)

        for _ in range(ROUNDS):
            kernel.flush()
            note("ipvsadm -R", lambda: subprocess.run(["ipvsadm", "-R"], input=lines, check=True))
            if kernel.read() != wanted:
                raise RuntimeError("ipvsadm -R made another table than was asked for")
            note("ipvsadm -Sn", lambda: subprocess.run(["ipvsadm", "-Sn"], stdout=subprocess.DEVNULL, check=True))
            kernel.flush()
            note("empty table to all rows", lambda: bring(wanted))
            if kernel.read() != wanted:
                raise RuntimeError("the table is not what was asked for")
            note("nothing to do", lambda: bring(wanted))
            note("all weights changed", lambda: bring(changed))
            note("read", kernel.read)
            note("read counters", kernel.read_counters)
            note("all rows to empty table", lambda: bring({}))
    for what, seconds in best.items():
        print(f"{what:26}{seconds:8.3f} s")
    print(f"{'all rows / ipvsadm -R':26}{best['empty table to all rows'] / best['ipvsadm -R']:8.2f}")
    print(f"{'read / ipvsadm -Sn':26}{best['read'] / best['ipvsadm -Sn']:8.2f}", flush=True)


def main() -> None:
    if os.environ.get("LVSD_LAB") == "1":
        measure()
        return
    from tests.lab.kernel_boot import run

    status = run([sys.executable, "-m", "bench.ipvs", "--here"], timeout=300)
    if status:
        raise SystemExit(status)


if __name__ == "__main__":
    if "--here" in sys.argv[1:]:
        measure()
    else:
        main()
