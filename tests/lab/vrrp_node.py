"""Plays core's side of the channel to a real vrrp process, and watches the wire and the addresses around it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lvsd.core.config import load
from lvsd.core.ipc.channel import Channel, pair
from lvsd.core.ipc.messages import (
    AnyMessage,
    Commit,
    Keep,
    Kept,
    LogLine,
    Notice,
    Prepare,
    Programmed,
    Ready,
    Refused,
    Restarted,
    RunProgram,
    Stop,
    VrrpReport,
)
from lvsd.core.notify.events import InstanceChanged
from tests.lab.namespace import addresses, inside, ip, run

ROOT = Path(__file__).resolve().parents[2]
START = "import socket, sys; from lvsd.vrrp.main import main; sys.exit(main(socket.socket(fileno=int(sys.argv[1]))))"
AUDITED = """
import os, sys, time
to = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)
def hook(event, args):
    if event in ("import", "open"):
        os.write(to, f"{time.monotonic()} {event} {args[0]}\\n".encode())
sys.addaudithook(hook)
"""
_ETH_IP, _ETH_IPV6, _ETH_ARP, _ETH_ALL = 0x0800, 0x86DD, 0x0806, 3


def settings_of(text: str) -> bytes:
    loaded = load("/vrrp.conf", lambda path: text.encode(), drop_ins=False)
    assert loaded.config is not None, [str(each) for each in loaded.diagnostics]
    return pickle.dumps(loaded.config.vrrp_part())


def wait_for(what: str, condition: Callable[[], object], seconds: float = 10.0) -> float:
    """Seconds that it took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, f"{what}: not within {seconds:g} s"
        time.sleep(0.005)
    return time.monotonic() - start


class Bus:
    """One loop in a thread for the channels of all nodes."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def call(self, function: Callable[[], object]) -> None:
        done = threading.Event()

        def run_it() -> None:
            try:
                function()
            finally:
                done.set()

        self.loop.call_soon_threadsafe(run_it)
        assert done.wait(5)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()


@dataclass
class Node:
    """A vrrp process in a namespace."""

    bus: Bus
    namespace: str
    process: subprocess.Popen[bytes]
    messages: list[tuple[float, AnyMessage]] = field(default_factory=list)
    channel: Channel | None = None
    generation: int = 0

    @classmethod
    def start(cls, bus: Bus, namespace: str, text: str, *before: AnyMessage, audit: Path | None = None) -> Node:
        """audit: a file that is to get a line for each import and each file opened."""
        ours, theirs = pair()
        program = [sys.executable, "-c", START if audit is None else AUDITED + START, str(theirs.fileno()), str(audit)]
        process = subprocess.Popen(
            ["ip", "netns", "exec", namespace, *program],
            pass_fds=[theirs.fileno()],
            cwd=ROOT,
        )
        theirs.close()
        node = cls(bus, namespace, process)

        def attach() -> None:
            node.channel = Channel(ours, bus.loop, node._receive, lambda why: None)

        bus.call(attach)
        for message in before:
            node.send(message)
        node.configure(text)
        node.send(Programmed(node.generation))
        return node

    def _receive(self, message: AnyMessage) -> None:
        self.messages.append((time.monotonic(), message))

    def send(self, message: AnyMessage) -> None:
        assert self.channel is not None
        channel = self.channel
        self.bus.call(lambda: channel.send(message))

    def configure(self, text: str) -> None:
        self.generation += 1
        self.send(Prepare(self.generation, settings_of(text)))
        wait_for("an answer to Prepare", lambda: self.answers(self.generation))
        (answer,) = self.answers(self.generation)
        assert isinstance(answer, Ready), answer
        self.send(Commit(self.generation))

    def answers(self, generation: int) -> list[AnyMessage]:
        return [m for _, m in list(self.messages) if isinstance(m, Ready | Refused) and m.generation == generation]

    def of(self, kind: type[AnyMessage]) -> list[AnyMessage]:
        return [message for _, message in list(self.messages) if isinstance(message, kind)]

    @property
    def log(self) -> str:
        return "\n".join(line.text for line in self.of(LogLine))

    @property
    def changes(self) -> list[tuple[str, str]]:
        events = [notice.event for notice in self.of(Notice)]
        return [(event.name, event.state) for event in events if isinstance(event, InstanceChanged)]

    @property
    def report(self) -> VrrpReport | None:
        reports = self.of(VrrpReport)
        return reports[-1] if reports else None

    def state(self, name: str) -> str:
        report = self.report
        return next((each.state for each in report.instances if each.name == name), "") if report else ""

    def is_in(self, state: str, *names: str) -> bool:
        return all(self.state(name) == state for name in names)

    def successor(self, text: str) -> Node:
        """What core starts after this one died: told of it, and given what it asked to be kept."""
        last = max(at for at, message in self.messages if isinstance(message, VrrpReport))
        kept = {m.name: m.data for m in self.of(Keep)}
        messages: list[AnyMessage] = [Restarted(self.report, time.monotonic() - last)]
        messages += [Kept(name, data) for name, data in kept.items()]
        messages.append(Programmed(self.generation))
        return Node.start(self.bus, self.namespace, text, *messages)

    def programs(self) -> list[tuple[str, ...]]:
        return [order.argv for order in self.of(RunProgram)]

    def stop(self) -> float:
        start = time.monotonic()
        self.send(Stop("the test ends"))
        assert self.process.wait(5) == 0
        return time.monotonic() - start

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait(5)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(5)
        if self.channel is not None:
            self.bus.call(self.channel.close)


@dataclass(frozen=True)
class Seen:
    """A VRRP packet on the wire."""

    at: float
    source: str
    vrid: int
    priority: int
    ttl: int


class Wire:
    """A bridge in a namespace of its own, with a listener that sees every VRRP and ARP frame on it."""

    def __init__(self, name: str, bridge: str) -> None:
        self.name, self.bridge = name, bridge
        ip(name, f"link add {bridge} type bridge mcast_snooping 0", f"link set {bridge} up")
        self.seen: list[Seen] = []
        self.arp: list[tuple[float, bytes]] = []
        with inside(name):
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)
        with inside(name):
            self._socket.bind((bridge, _ETH_ALL))
        self._socket.settimeout(0.2)
        self._running = True
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while self._running:
            try:
                frame = self._socket.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                return
            now = time.monotonic()
            kind = int.from_bytes(frame[12:14], "big")
            if kind == _ETH_IP and frame[23] == 112:
                header = 14 + (frame[14] & 15) * 4
                source = socket.inet_ntop(socket.AF_INET, frame[26:30])
                self.seen.append(Seen(now, source, frame[header + 1], frame[header + 2], frame[22]))
            elif kind == _ETH_IPV6 and frame[20] == 112:
                source = socket.inet_ntop(socket.AF_INET6, frame[22:38])
                self.seen.append(Seen(now, source, frame[55], frame[56], frame[21]))
            elif kind == _ETH_ARP:
                self.arp.append((now, frame[28:32]))
            elif kind == _ETH_IPV6 and frame[20] == 58 and frame[54] == 136:
                self.arp.append((now, frame[62:78]))

    def by(self, source: str, since: float = 0.0, vrid: int | None = None) -> list[Seen]:
        return [s for s in list(self.seen) if s.source == source and s.at >= since and vrid in (None, s.vrid)]

    def announced(self, address: bytes, since: float = 0.0) -> int:
        return sum(at >= since and target == address for at, target in list(self.arp))

    def close(self) -> None:
        self._running = False
        self._thread.join(2)
        self._socket.close()


class Holders:
    """Samples, again and again, how many of the namespaces hold an address."""

    def __init__(self, namespaces: tuple[str, ...], address: object) -> None:
        self._namespaces, self._address = namespaces, address
        self.samples: list[tuple[float, tuple[bool, ...]]] = []
        self._running = True
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def _sample(self) -> None:
        while self._running:
            holders = tuple(self._address in addresses(name) for name in self._namespaces)
            self.samples.append((time.monotonic(), holders))
            time.sleep(0.01)

    def stop(self) -> None:
        self._running = False
        self._thread.join(2)

    def seconds(self, count: int, since: float = 0.0) -> float:
        """For how long so many held it, or more if more than one."""
        total = 0.0
        samples = [sample for sample in self.samples if sample[0] >= since]
        for (at, holders), (until, _) in itertools.pairwise(samples):
            total += (until - at) * (sum(holders) == count)
        return total


class Lab:
    """Namespaces for directors on one or two bridges; everything in it is removed at the end."""

    def __init__(self) -> None:
        self._name = f"lvsd-v{os.getpid()}-{threading.get_native_id()}"
        self._names: list[str] = []
        self.bus = Bus()
        self.nodes: list[Node] = []
        self.wires: list[Wire] = []
        self._holders: list[Holders] = []
        self._others: list[subprocess.Popen[bytes]] = []

    def namespace(self, suffix: str) -> str:
        name = f"{self._name}-{suffix}"
        run(["ip", "netns", "add", name])
        self._names.append(name)
        ip(name, "link set lo up")
        return name

    def wire(self, suffix: str = "w") -> Wire:
        wire = Wire(self.namespace(suffix), "br0")
        self.wires.append(wire)
        return wire

    def plug(self, namespace: str, device: str, wire: Wire, *lines: str) -> None:
        """Connects a device of that name to the bridge; the other end is named after the namespace."""
        end = f"p-{namespace.rpartition('-')[2]}"
        run(["ip", "link", "add", device, "netns", namespace, "type", "veth", "peer", "name", end, "netns", wire.name])
        ip(wire.name, f"link set {end} master {wire.bridge} up")
        ip(namespace, *lines, f"link set {device} up")

    def node(self, namespace: str, text: str, audit: Path | None = None) -> Node:
        return self.add(Node.start(self.bus, namespace, text, audit=audit))

    def add(self, node: Node) -> Node:
        self.nodes.append(node)
        return node

    def holders(self, namespaces: tuple[str, ...], address: object) -> Holders:
        holders = Holders(namespaces, address)
        self._holders.append(holders)
        return holders

    def other(self, namespace: str, *command: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            ["ip", "netns", "exec", namespace, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._others.append(process)
        return process

    def close(self) -> None:
        for holders in self._holders:
            holders.stop()
        for process in self._others:
            if process.poll() is None:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(5)
            if process.poll() is None:
                process.kill()
                process.wait(5)
        for node in self.nodes:
            node.close()
        for wire in self.wires:
            wire.close()
        self.bus.close()
        for name in self._names:
            run(["ip", "netns", "del", name])


@contextlib.contextmanager
def new_lab() -> Iterator[Lab]:
    lab = Lab()
    try:
        yield lab
    finally:
        lab.close()
