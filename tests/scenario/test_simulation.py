"""Thousands of random lives of two or three directors, each from its seed, and what must hold in every one.

python -m tests.scenario.test_simulation SEED      plays one again and prints its trace"""

from __future__ import annotations

import random
import sys

import pytest

from lvsd.core.conf.values import AddressLine, Lease
from lvsd.core.settings import GlobalDefs
from lvsd.vrrp.settings import VrrpSettings, VrrpSyncGroup

from .farm import INNER, INSIDE, OUTER, PROOF, VIP, instance, sources
from .sim import LAZY, Director, World

RUNS = 20_000 if PROOF else 2_000  # lives; half as many calm ones
BATCHES = 20
DELAY = (0.0002, 0.01)
LIFE = 25.0  # seconds of troubles
QUIET = 12.0  # seconds without any, after which order must have returned
ADDRESSES = (VIP, INSIDE)


class Life:
    """One random configuration and its troubles."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed * 7919 + 1)
        choose = self.random.choice
        self.world = World(seed, delay=DELAY)
        self.version = choose((2, 3))
        self.advert_int = 1.0 if self.version == 2 else choose((0.1, 0.3, 1.0))
        self.grouped = choose((True, True, False))
        self.leases = choose((True, True, True, False))
        self.nopreempt = choose((True, False, False))
        self.same_priority = self.random.random() < 0.15
        self.extra: dict[str, tuple[AddressLine, ...]] = {}
        count = choose((2, 2, 3))
        for number in range(1, count + 1):
            name = f"lb{number}"
            self.world.director(name, self.settings(name, number), sources(number))
        self.directors: list[Director] = list(self.world.directors.values())
        self.last_trouble = 0.0
        # Two may hold while the daemon or the wires of one are in trouble; these are the times of none.
        self.wires_whole = True

    def priority(self, number: int) -> int:
        return 100 if self.same_priority else 250 - 50 * number

    def settings(self, name: str, number: int, **changes: int) -> VrrpSettings:
        priority = changes.get("priority", self.priority(number))
        more = {
            "priority": priority,
            "advert_int": self.advert_int,
            "version": self.version,
            "nopreempt": self.nopreempt,
            "virtual_ipaddress_excluded": self.extra.get(name, ()),
        }
        group = VrrpSyncGroup(name="G", group=("OUT", "IN"))
        return VrrpSettings(
            GlobalDefs(vip_lease=Lease(on=self.leases)),
            (
                instance("OUT", OUTER, 51, VIP, **more),
                instance("IN", INNER, 52, INSIDE, **{**more, "virtual_ipaddress_excluded": ()}),
            ),
            (group,) if self.grouped else (),
        )

    @property
    def longest_wait(self) -> float:
        """Until a fit director holds what nobody holds: Master_Down_Interval of the lowest, and a kernel's lease."""
        down = (3 + 1) * self.advert_int if self.version == 3 else 3 + 1.0
        return down + self.advert_int + 0.2

    def live(self) -> None:
        at = 0.0
        while at < LIFE:
            at += self.random.uniform(0.2, 8.0)
            self.world.run(min(at, LIFE))
            self.check()
            if at < LIFE:
                self.trouble()
        self.recover()

    def trouble(self) -> None:
        director = self.random.choice(self.directors)
        number = int(director.name[2:])
        network = self.random.choice((OUTER, INNER))
        self.last_trouble = self.world.now
        kind = self.random.choice(
            (
                "link",
                "link",
                "mute",
                "loss",
                "freeze",
                "kill",
                "restart",
                "stop",
                "power",
                "reload",
                "same",
                "address",
                "hand",
                "heal",
            )
        )
        if kind == "link":
            director.link(network, up=not director.links[network])
        elif kind == "mute":
            other = self.random.choice([d for d in self.directors if d is not director])
            self.world.mute(network, director.name, other.name)
        elif kind == "loss":
            self.world.loss = self.random.uniform(0, 0.5)
        elif kind == "heal":
            self.world.heal()
        elif kind == "freeze" and director.runs:
            director.freeze(self.random.uniform(0.05, 9.0))
        elif kind == "power":
            director.lose_power()
        elif kind in ("kill", "restart") and director.runs:
            director.kill()
            if kind == "restart":
                # Within the lease; only a process that core knows as master is told to adopt.
                director.start(adopt=self.random.random() < 0.5)
        elif kind == "stop":
            if director.runs:
                director.stop()
                assert not director.table, f"{director.name} left {director.table} behind"
            elif director.router is None:
                director.start()
        elif kind == "reload":
            director.reload(self.settings(director.name, number, priority=self.random.randint(1, 254)))
        elif kind == "same":
            director.reload(director.settings)
        elif kind == "address":
            line = AddressLine(sources(number)[OUTER] + 1000, 24)
            self.extra[director.name] = () if self.extra.get(director.name) else (line,)
            director.reload(self.settings(director.name, number))
        elif kind == "hand" and director.table and director.runs:
            director.remove_by_hand(self.random.choice(list(director.table)))

    def recover(self) -> None:
        """Everything is repaired; then one director, the best where they preempt, holds everything."""
        self.world.heal()
        for director in self.directors:
            if director.frozen:
                director._thaw()
            if director.router is None:
                director.start()
            elif self.random.random() < 0.5:
                director.reload(self.settings(director.name, int(director.name[2:])))
        healed = self.world.now
        self.world.run(healed + 11.0)  # a master whose sends failed waits ten seconds
        order = self.world.now
        self.world.run(order + QUIET)
        self.check()
        for address in ADDRESSES:
            last = self.world.spans(address, order + 6.0)
            assert [len(names) for _, _, names in last] == [1], f"{address} has no one holder: {last}"
            gap = self.world.without_holder(address, healed + self.longest_wait)
            assert gap == 0, f"nobody held {address} for {gap} s after all was repaired"
        if self.grouped:
            assert self.world.holders[VIP] == self.world.holders[INSIDE], "the group is split"
        self.check_preemption()
        self.stop_all()

    def check_preemption(self) -> None:
        if self.nopreempt:
            return
        best = max(self.directors, key=lambda d: (d.settings.instances[0].priority, int(d.name[2:])))
        same = [d for d in self.directors if d.settings.instances[0].priority == best.settings.instances[0].priority]
        assert self.world.holders[VIP] <= {d.name for d in same}, f"{best.name} should be master"

    def stop_all(self) -> None:
        for director in self.directors:
            director.stop()
            assert not director.table, f"{director.name} left {director.table} behind"

    def check(self) -> None:
        for director in self.directors:
            director.check()


def play(seed: int) -> World:
    life = Life(seed)
    try:
        life.live()
    except Exception as error:
        raise AssertionError(f"seed {seed}: {error!r} at {life.world.now:.4f}") from error
    return life.world


@pytest.mark.parametrize("batch", range(BATCHES))
def test_order_returns_after_any_trouble_and_a_stop_leaves_nothing(batch: int) -> None:
    for seed in range(batch, RUNS, BATCHES):
        play(seed)


def calm_overlaps(seed: int) -> None:
    """Wires whole and without loss: two hold at once only while an election's advert travels, or a dead daemon's lease
    runs out."""
    chance = random.Random(seed * 104729 + 3)
    life = Life(seed)
    world = life.world
    world.run(chance.uniform(0, 12))
    frozen_at = -100.0
    for _ in range(4):
        director = chance.choice(life.directors)
        number = int(director.name[2:])
        kind = chance.choice(("stop", "power", "link", "reload", "restart", "freeze"))
        since = world.now
        if kind == "stop" and director.runs:
            director.stop()
        elif kind == "power":
            director.lose_power()
        elif kind == "link":
            network = chance.choice((OUTER, INNER))
            director.link(network, up=not director.links[network])
        elif kind == "reload":
            director.reload(life.settings(director.name, number, priority=chance.randint(1, 254)))
        elif kind == "restart":
            if director.router is not None:
                director.kill()
            director.start(adopt=bool(director.table))
        elif kind == "freeze" and director.runs and life.leases:
            director.freeze(chance.uniform(0.05, 9.0))
        world.run(since + chance.uniform(0.5, 14.0))
        allowed = 4 * DELAY[1]  # an election or two, each its network delay
        frozen_at = since if kind == "freeze" else frozen_at
        if since - frozen_at < 12.0:
            # Until the kernel lets the lease go; the others wait three intervals at least.
            lease = max(2, int(3 * life.advert_int))
            allowed += lease + LAZY - 3 * life.advert_int
        for address in ADDRESSES:
            both = world.with_two(address, since)
            assert both <= allowed, f"seed {seed}: two held {address} for {both:.3f} s after {kind} at {since:.3f}"


@pytest.mark.parametrize("batch", range(BATCHES))
def test_while_the_wires_are_whole_two_hold_for_a_network_delay_only(batch: int) -> None:
    for seed in range(batch, RUNS // 2, BATCHES):
        calm_overlaps(seed)


if __name__ == "__main__":
    wanted = int(sys.argv[1])
    life = Life(wanted)
    try:
        life.live()
    finally:
        print("\n".join(life.world.trace))
