"""The events of the scenario, and what the client sees of each. Tests assert it, bench/outages.py prints it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.lab.client import Seen
from tests.lab.daemon import LVSD
from tests.lab.farm import Director, Farm

ADVERT_INT = 1.0
PRIORITY = {"lb1": 100, "lb2": 90}
# delay_loop 1, retry 1, delay_before_retry 1: seconds in which a server that refuses connections is found out.
CHECK_TIME = 2.0
# What this machine may add to a bound of the protocol: processes that wait for the lab kernel's only CPU.
SLOW = 0.4

# What was measured since somebody emptied it, as sentences for the report of the test.
MEASURED: list[str] = []


@dataclass(frozen=True, slots=True)
class Event:
    """seconds: until the whole group had moved and nobody else held a VIP. bound: of the outage, by the protocol."""

    name: str
    seconds: float
    seen: Seen
    bound: float

    @property
    def allowed(self) -> float:
        return self.bound + SLOW + self.seen.late

    def __str__(self) -> str:
        return (
            f"{self.name}: outage {self.seen.outage:.2f} s (bound {self.bound:.2f} s), one holder after "
            f"{self.seconds:.2f} s, {self.seen.failed} of {len(self.seen.requests)} requests failed; "
            f"the client was late by {self.seen.late:.2f} s"
        )


def skew(director: Director) -> float:
    """RFC 3768 section 6.1: Skew_Time of VRRP version 2 in seconds."""
    return (256 - PRIORITY[director.name]) / 256


def master_down(director: Director) -> float:
    return 3 * ADVERT_INT + skew(director)


def lapse_gap(backup: Director) -> float:
    """Longest time without a holder after the master's daemon went silent: a lease of three adverts, renewed at most once a second,
    ends two seconds after the last advert at the earliest, and the other one waits for its master-down time."""
    return master_down(backup) - (3 * ADVERT_INT - 1.0)


def _event(farm: Farm, name: str, act: Callable[[], object], to: Director, bound: float, limit: float) -> Event:
    farm.wait(farm.answered_for(0.3), 10.0, "the client is not served before the event")
    since = time.monotonic()
    act()
    farm.wait(lambda: farm.moved_to(to), limit, f"{name}: the group did not move to {to.name}")
    seconds = time.monotonic() - since
    farm.wait(farm.answered_for(0.4), 10.0, f"{name}: the client is not served after the event")
    event = Event(name, seconds, farm.seen(since), bound)
    MEASURED.append(str(event))
    return event


def stop_master(farm: Farm) -> Event:
    """Stopped in order it says goodbye, and the other one waits for its skew time only."""
    master, backup = farm.master, farm.other(farm.master)
    return _event(farm, "master stopped in order", master.stop, backup, skew(backup), 5.0)


def lose_link(farm: Farm, network: str) -> Event:
    """Only one instance can still say goodbye. keepalived waits out the other's master-down time; lvsd takes it for the group."""
    master, backup = farm.master, farm.other(farm.master)
    alone = len(farm.networks) == 1
    goodbye_of_the_group = backup.running.kind == LVSD
    bound = master_down(backup) if alone or not goodbye_of_the_group else ADVERT_INT + skew(backup) / 10
    name = f"{network} link of the master lost"
    return _event(farm, name, lambda: master.link(network, up=False), backup, bound, master_down(backup) + 2.0)


def kill_master(farm: Farm) -> Event:
    """What the dead lvsd held lapses by itself, so that there is one holder soon after the other one's master-down time; with
    keepalived somebody has to remove it, and this function is the somebody."""
    master, backup = farm.master, farm.other(farm.master)
    leased = master.running.kind == LVSD

    def act() -> None:
        master.kill()
        if not leased:
            farm.wait(lambda: backup.is_master, master_down(backup) + 2.0, f"{backup.name} does not take over")
            time.sleep(1.0)
            assert master.is_master, "a killed keepalived is expected to leave its addresses behind"
            master.remove_addresses()

    # A lease of three adverts ends up to a second late, the time in which the kernel looks after it.
    return _event(farm, "master killed, all processes", act, backup, master_down(backup) + 0.6, 8.0)


def freeze_master(farm: Farm, seconds: float = 7.0) -> tuple[Seen, float]:
    """All processes of the master stand still for so long. Returns what the client saw, and the seconds in which both directors
    held a VIP."""
    master = farm.master
    farm.wait(farm.answered_for(0.3), 10.0, "the client is not served before the event")
    since = time.monotonic()
    master.running.freeze()
    doubled = _doubled(farm, seconds)
    master.running.thaw()
    doubled += _doubled(farm, 1.0)
    farm.wait(lambda: any(map(farm.moved_to, farm.directors)), 10.0, "the pair does not agree on one master")
    farm.wait(farm.answered_for(0.4), 10.0, "the client is not served after the event")
    seen = farm.seen(since)
    MEASURED.append(
        f"master frozen for {seconds:.0f} s: outage {seen.outage:.2f} s, both held a VIP for {doubled:.2f} s"
    )
    return seen, doubled


def _doubled(farm: Farm, seconds: float) -> float:
    doubled = 0.0
    began = last = time.monotonic()
    while last - began < seconds:
        time.sleep(0.02)
        both = all(director.held for director in farm.directors)
        now = time.monotonic()
        doubled += (now - last) if both else 0.0
        last = now
        farm.on_wait()
    return doubled


def lose_web_server(farm: Farm) -> Event:
    """Until its row has gone on both directors; a server that refuses connections is found out in two checks' time."""
    dead = farm.webs[0]
    farm.wait(farm.answered_for(0.3), 10.0, "the client is not served before the event")
    since = time.monotonic()
    dead.kill()
    gone = lambda: not any(dead.key in director.weights for director in farm.directors)  # noqa: E731
    seconds = farm.wait(gone, 10.0, "the dead server stays in the table")
    out = time.monotonic()
    farm.wait(farm.answered_for(0.5), 5.0, "requests fail although the dead server is out of the table")
    assert dead.name not in farm.seen(out).spread
    event = Event("web server killed", seconds, farm.seen(since), CHECK_TIME)
    MEASURED.append(str(event))
    return event


def return_web_server(farm: Farm) -> None:
    """The dead one comes back within one check's time and no request fails."""
    back = farm.webs[0]
    since = time.monotonic()
    back.start()
    complete = lambda: all(map(farm.complete, farm.directors))  # noqa: E731
    farm.wait(complete, CHECK_TIME + SLOW, "the server that returned is not taken back")
    listed = time.monotonic()
    farm.wait(lambda: back.name in farm.seen(listed).spread, 3.0, "the server that returned gets no requests")
    failed = [request for request in farm.seen(since).requests if not request.ok]
    assert not failed, (
        f"{len(failed)} requests failed, the first {failed[0].start - since:.2f} s after the return began"
    )


def spread_evenly(farm: Farm) -> None:
    farm.wait(farm.answered_for(0.3), 10.0, "the client is not served")
    since = time.monotonic()
    farm.wait(lambda: len(farm.seen(since).requests) >= 300, 15.0, "the client does not ask")
    seen = farm.seen(since)
    assert seen.failed == 0
    assert seen.unevenness(web.name for web in farm.webs) < 0.05, seen.spread


def comes_back_without_preempting(farm: Farm, director: Director, back: Callable[[], object]) -> None:
    """With nopreempt the one that serves goes on, for longer than the other one's master-down time."""
    serving = farm.other(director)
    since = time.monotonic()
    back()
    farm.wait(lambda: farm.complete(director), 15.0, f"{director.name} does not come back")
    ready = time.monotonic()
    farm.wait(lambda: time.monotonic() - ready > master_down(director) + 0.5, 10.0, "time stands still")
    assert farm.moved_to(serving), f"{director.name} preempts\n{farm.report()}"
    assert farm.seen(since).outage < SLOW
