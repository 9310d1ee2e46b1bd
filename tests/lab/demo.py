"""The main job before your eyes: a farm of its own, lvsd on both directors with the files of examples/nat, a client that asks all
the time, and everything that can go wrong. Ends with exit status 0 only if the client saw what it should.

    python -m tests.lab.demo          two minutes at most
    python -m tests.lab.demo --live   the same farm, left running, with a shell in it"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

from tests.lab.daemon import ROOT
from tests.lab.farm import INNER_VIP, NAT, VIP, Director, Farm
from tests.lab.kernel_boot import LabKernel, NoLab, host_has_ipvs
from tests.lab.scenario import Event, kill_master, lose_link, lose_web_server, return_web_server, stop_master

TIME_LIMIT = 180.0
WIDTH = 100


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.lab.demo", description=__doc__)
    parser.add_argument("--live", action="store_true", help="leave the farm running, with a shell in it")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        return inside(options.live)
    return outside(options.live)


def outside(live: bool) -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends it ends the lab too
    where = "namespaces of this kernel" if host_has_ipvs() else "a kernel of its own (user-mode-linux)"
    print(f"lvsd: a web farm with two directors, in {where}", flush=True)
    command = [sys.executable, "-u", "-m", "tests.lab.demo", "--inside", *(["--live"] if live else [])]
    terminal = sys.stdin.fileno() if live and sys.stdin.isatty() else None
    try:
        with LabKernel(command, output=sys.stdout.fileno(), terminal=terminal) as kernel:
            return kernel.wait(None if live else TIME_LIMIT)
    except (NoLab, TimeoutError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table at the end."""

    what: str
    outage: str
    failed: str
    expected: str
    met: bool


class Demo:
    def __init__(self, farm: Farm) -> None:
        self._farm = farm
        self._began = time.monotonic()
        self._shown = time.monotonic()
        self.lines: list[Line] = []

    def say(self, text: str) -> None:
        print(f"\n{time.monotonic() - self._began:6.1f} s  {text}", flush=True)

    def show(self, text: str) -> None:
        for line in text.rstrip().splitlines():
            print(f"           {line}", flush=True)

    def traffic(self) -> None:
        """Called while something is waited for: one line a second."""
        now = time.monotonic()
        if now - self._shown < 1.0:
            return
        seen = self._farm.seen(self._shown, now - 0.3)
        self._shown = now - 0.3
        servers = "  ".join(f"{name} {count:3d}" for name, count in seen.spread.items())
        holders = " and ".join(d.name for d in self._farm.directors if d.held) or "nobody"
        if seen.requests:
            self.show(
                f"· {len(seen.requests):3d} requests, {seen.failed:3d} failed   {servers or 'no answer':32s}   VIP on {holders}"
            )

    def watch(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.traffic()
            time.sleep(0.1)

    def status(self, director: Director) -> None:
        self.show(f"{director.name} # lvsd status")
        self.show(director.running.lvsd("status"))

    def record(self, event: Event, what: str, *, expect_outage: float) -> None:
        allowed = expect_outage + event.allowed - event.bound
        self.lines.append(
            Line(
                what,
                f"{event.seen.outage:.2f} s" if event.seen.outage else "none",
                f"{event.seen.failed} of {len(event.seen.requests)}",
                f"at most {expect_outage:.1f} s" if expect_outage else "none",
                event.seen.outage <= (allowed if expect_outage else 0.0),
            )
        )
        self.show(f"→ outage {self.lines[-1].outage}, {self.lines[-1].failed} requests failed")

    def expect(self, what: str, met: bool, failed: str = "") -> None:
        self.lines.append(Line(what, "none", failed, "", met))
        if not met:
            self.show(f"→ NOT MET: {what}")

    def table(self) -> None:
        print(f"\n{'What happened':44s} {'outage':>8s}   {'requests failed':>15s}   {'expected':14s}")
        print("─" * WIDTH)
        for line in self.lines:
            verdict = "✓" if line.met else "✗ not met"
            print(f"{line.what:44s} {line.outage:>8s}   {line.failed:>15s}   {line.expected:14s}   {verdict}")
        print("─" * WIDTH, flush=True)


def walk(demo: Demo, farm: Farm) -> None:
    """The story. Each step raises AssertionError if it cannot go on."""
    demo.say("both directors run lvsd with examples/nat; who is master?")
    master, backup = farm.settle()
    farm.start_client()
    farm.wait(farm.answered_for(0.5), 10.0, "the client is not served")
    demo.say(f"{master.name} holds {VIP} and {INNER_VIP}; a client asks every 10 ms")
    since = farm.now
    demo.watch(3.0)
    seen = farm.seen(since)
    even = seen.unevenness(web.name for web in farm.webs) < 0.05
    demo.expect(
        "even spread over three web servers", even and not seen.failed, f"{seen.failed} of {len(seen.requests)}"
    )
    demo.status(master)

    demo.say("web1 dies")
    demo.record(lose_web_server(farm), "a web server dies", expect_outage=0.0)
    demo.say("web1 is back")
    return_web_server(farm)

    demo.say(f"{master.name} # lvsd drain web2's address --reason kernel")
    drain(demo, farm, master)

    demo.say(f"{master.name} is killed: kill -9, all of its processes")
    demo.record(kill_master(farm), "the master is killed (-9)", expect_outage=1.0)
    demo.expect("the other director has both addresses", farm.moved_to(backup))

    demo.say(f"{master.name} starts again, and does not take the addresses back")
    master.start()
    farm.wait(lambda: farm.complete(master), 15.0, f"{master.name} has no table")
    demo.watch(4.0)
    demo.expect("the old master does not preempt", farm.moved_to(backup))
    demo.status(backup)

    demo.say(f"{backup.name} loses its inner link")
    demo.record(lose_link(farm, "inner"), "the master loses its inner link", expect_outage=1.2)
    demo.expect("both addresses moved together", farm.moved_to(master))
    backup.link("inner", up=True)
    demo.watch(1.5)

    demo.say(f"{master.name} is stopped in order")
    demo.record(stop_master(farm), "the master is stopped in order", expect_outage=0.65)
    backup.stop()
    left = [d for d in farm.directors if d.held or d.table]
    demo.expect("a stop leaves neither address nor IPVS row", not left)


def drain(demo: Demo, farm: Farm, master: Director) -> None:
    web = farm.webs[1]
    since = farm.now
    demo.show(master.running.lvsd("drain", web.address, "--reason", "kernel"))
    farm.wait(lambda: master.weights.get(web.key) == 0, 5.0, "the drained server keeps its weight")
    quiet = farm.now + 0.1
    demo.watch(2.0)
    empty = web.name not in farm.seen(quiet).spread
    demo.show(master.running.lvsd("services"))
    demo.show(master.running.lvsd("ready", web.address))
    farm.wait(lambda: master.weights.get(web.key) == 1, 5.0, "the server does not come back")
    seen = farm.seen(since)
    demo.expect(
        "a drained server gets nothing new", empty and not seen.failed, f"{seen.failed} of {len(seen.requests)}"
    )


def inside(live: bool) -> int:
    print("building the farm: client, two directors, three web servers, two networks", flush=True)
    with Farm(NAT) as farm:
        demo = Demo(farm)
        farm.on_wait = demo.traffic
        if live:
            return explore(demo, farm)
        try:
            walk(demo, farm)
        except (AssertionError, RuntimeError, TimeoutError) as error:
            print(f"\ndemo: {error}", file=sys.stderr, flush=True)
            demo.expect(str(error).splitlines()[0], False)
    demo.table()
    missed = sum(not line.met for line in demo.lines)
    print(f"{len(demo.lines) - missed} of {len(demo.lines)} expectations met, {time.monotonic() - demo._began:.0f} s")
    return 1 if missed else 0


def explore(demo: Demo, farm: Farm) -> int:
    """Both directors run and the client asks; a shell, or just the traffic where there is no terminal."""
    farm.settle()
    farm.start_client(0.05)
    tools = farm.folder / "bin"
    tools.mkdir()
    for name in ("client", "lb1", "lb2", "web1", "web2", "web3"):
        run_dir = farm.folder / name / "run"
        tool = tools / name
        tool.write_text(
            f'#!/bin/sh\nif [ "$1" = lvsd ]; then shift; verb=$1; shift\n'
            f'    cd {ROOT} && exec {sys.executable} -m lvsd "$verb" --run-dir {run_dir} "$@"\nfi\n'
            f'exec ip netns exec {farm.namespace(name)} "$@"\n'
        )
        tool.chmod(0o755)
    demo.say("the farm is up; a client asks 20 times a second")
    demo.show(
        f"""lb1 lvsd status               what the first director thinks of itself
lb1 lvsd drain 10.20.0.12     no new connections for web2; ready brings it back
lb2 ipvsadm -Ln               the kernel's own table
lb1 ip -br address            who holds {VIP} and {INNER_VIP}
client curl -s {VIP}    ask
web1 pkill nginx              break a web server
tail -f {farm.folder}/lb1/lvsd.log"""
    )
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "PS1": "farm # ", "TERM": "linux"}
    if sys.stdin.isatty():
        demo.show("exit ends the farm")
        return subprocess.run(["bash", "--norc", "-i"], env=environment, cwd=farm.folder, check=False).returncode
    demo.show("end it with Ctrl-C")
    while True:
        demo.watch(1.0)


if __name__ == "__main__":
    sys.exit(main())
