"""What a client that asks every 10 ms sees of a failover: lvsd beside Debian's keepalived, on the same farm (NAT, one sync group,
advert_int 1), in one kernel and one run.

`python -m bench.outages [RUNS]`: the middle of so many runs of each event, 3 by default, and the worst."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass

from tests.lab.daemon import KEEPALIVED, LVSD
from tests.lab.farm import NAT, Farm
from tests.lab.kernel_boot import NoLab, run
from tests.lab.scenario import freeze_master, kill_master, lose_link, lose_web_server, return_web_server, stop_master

RUNS = 3
TIME_LIMIT = 900.0


@dataclass(frozen=True, slots=True)
class Figure:
    """seconds: without an answer. doubled: seconds in which both directors held a VIP. failed: requests."""

    seconds: float
    failed: int
    doubled: float = 0.0
    note: str = ""


def stopped(farm: Farm) -> Figure:
    event = stop_master(farm)
    return Figure(event.seen.outage, event.seen.failed)


def inner_link(farm: Farm) -> Figure:
    event = lose_link(farm, "inner")
    return Figure(event.seen.outage, event.seen.failed)


def outer_link(farm: Farm) -> Figure:
    event = lose_link(farm, "outer")
    return Figure(event.seen.outage, event.seen.failed)


def killed(farm: Farm) -> Figure:
    leased = farm.master.running.kind == LVSD
    event = kill_master(farm)
    note = "" if leased else "both hold the VIP until somebody cleans up (here after a second)"
    return Figure(event.seen.outage, event.seen.failed, note=note)


def frozen(farm: Farm) -> Figure:
    seen, doubled = freeze_master(farm)
    return Figure(seen.outage, seen.failed, doubled)


def web_server(farm: Farm) -> Figure:
    event = lose_web_server(farm)
    return_web_server(farm)
    return Figure(event.seen.outage, event.seen.failed)


EVENTS: dict[str, Callable[[Farm], Figure]] = {
    "master stopped in order": stopped,
    "inner link of the master lost": inner_link,
    "outer link of the master lost": outer_link,
    "master killed (-9, all processes)": killed,
    "master frozen for 7 s": frozen,
    "a web server dies": web_server,
}


def main() -> None:
    runs = int(sys.argv[-1]) if sys.argv[-1].isdigit() else RUNS
    try:
        status = run([sys.executable, "-u", "-m", "bench.outages", "--inside", str(runs)], timeout=TIME_LIMIT)
    except NoLab as error:
        raise SystemExit(f"bench.outages: {error}") from None
    if status:
        raise SystemExit(status)


def inside(runs: int) -> None:
    figures: dict[tuple[str, str], list[Figure]] = {}
    for kind in (KEEPALIVED, LVSD):
        with Farm(NAT) as farm:
            farm.start_client()
            for number in range(runs):
                for name, event in EVENTS.items():
                    farm.settle(kind, kind)
                    figures.setdefault((kind, name), []).append(event(farm))
                print(f"   {kind}: run {number + 1} of {runs}", file=sys.stderr, flush=True)
    print(f"{'without an answer: median (worst)':36s} {KEEPALIVED:>18s} {LVSD:>18s} {'ratio':>7s}")
    for name in EVENTS:
        theirs, ours = (figures[kind, name] for kind in (KEEPALIVED, LVSD))
        print(f"{name:36s} {_span(theirs):>18s} {_span(ours):>18s} {_ratio(theirs, ours):>7s}")
        failed = [round(statistics.median(f.failed for f in side)) for side in (theirs, ours)]
        print(f"{'   requests failed':36s} {failed[0]:>18d} {failed[1]:>18d}")
        doubled = [statistics.median(f.doubled for f in side) for side in (theirs, ours)]
        if any(doubled):
            print(f"{'   both hold the VIP':36s} {doubled[0]:>16.2f} s {doubled[1]:>16.2f} s")
        for note in {f.note for f in theirs + ours if f.note}:
            print(f"   {KEEPALIVED}: {note}")


def _span(figures: list[Figure]) -> str:
    middle = statistics.median(f.seconds for f in figures)
    return f"{middle:.2f} s ({max(f.seconds for f in figures):.2f})"


def _ratio(theirs: list[Figure], ours: list[Figure]) -> str:
    left, right = (statistics.median(f.seconds for f in side) for side in (ours, theirs))
    return f"{left / right:.2f}" if right else "-"


if __name__ == "__main__":
    if "--inside" in sys.argv:
        inside(int(sys.argv[-1]))
    else:
        main()
