"""The farm of the scenario in network namespaces of the running kernel: a client, two directors, three web servers, and the
networks between them.

NAT: outer network 10.10.0.0/24 (client .50, directors .2 and .3), inner network 10.20.0.0/24 (directors .2 and .3, web servers
.11 to .13 with the inner VIP as gateway). DR: one network 10.10.0.0/24, the web servers hold the VIP on lo and keep silent."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path

from tests.lab import client
from tests.lab.daemon import LVSD, ROOT, Daemon
from tests.lab.namespace import Row, addresses, inside, ip, ipvs, run, sysctl

NAT, DR = "nat", "dr"
VIP = IPv4Address("10.10.0.100")
INNER_VIP = IPv4Address("10.20.0.1")
SERVICE = f"{VIP}:80"
POLL = 0.03

NGINX = """daemon off;
master_process off;
pid {folder}/nginx.pid;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 80;
        location / {{
            default_type text/plain;
            return 200 "{name}\\n";
        }}
    }}
}}
"""


class Web:
    """A real server: nginx that answers with its own name."""

    def __init__(self, farm: Farm, name: str, address: str) -> None:
        self.name = name
        self.address = address
        self.key = f"{address}:80"
        self.namespace = farm.namespace(name)
        self._folder = farm.folder / name
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if self._process is not None:
            return
        self._folder.mkdir(exist_ok=True)
        configuration = self._folder / "nginx.conf"
        configuration.write_text(NGINX.format(folder=self._folder, name=self.name))
        command = ["nginx", "-p", str(self._folder), "-e", "stderr", "-c", str(configuration)]
        with (self._folder / "nginx.log").open("ab") as log:
            self._process = subprocess.Popen(
                ["ip", "netns", "exec", self.namespace, *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        wait(lambda: self._listens(), 10.0, f"{self.name}: nginx does not listen")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def alive(self) -> bool:
        return self._process is not None

    def _listens(self) -> bool:
        with inside(self.namespace), socket.socket() as sock:
            sock.settimeout(0.5)
            return sock.connect_ex((self.address, 80)) == 0


class Director:
    """One of the two: its namespace, its links and the daemon in it."""

    def __init__(self, farm: Farm, name: str) -> None:
        self.farm = farm
        self.name = name
        self.namespace = farm.namespace(name)
        self.folder = farm.folder / name
        self.folder.mkdir()
        self.configuration = self.folder / "lvs.conf"
        shutil.copy(ROOT / "examples" / farm.kind / f"{name}.conf", self.configuration)
        self.daemon: Daemon | None = None
        self.down: set[str] = set()

    def start(self, kind: str = LVSD) -> None:
        assert self.daemon is None
        self.daemon = Daemon(kind, self.namespace, self.configuration, self.folder)

    def try_to_start(self, kind: str) -> str:
        """Starts a second daemon that must refuse; returns what it said, raises AssertionError if it did not end."""
        second = Daemon(kind, self.namespace, self.configuration, self.folder / "second")
        try:
            wait(lambda: not second.running, 10.0, f"a second daemon, {kind}, does not refuse")
            return second.tail()
        finally:
            if second.running:
                second.kill()

    @property
    def running(self) -> Daemon:
        assert self.daemon is not None, f"{self.name} runs no daemon"
        return self.daemon

    def stop(self) -> float:
        """Seconds that the daemon took to end in order."""
        daemon, self.daemon = self.running, None
        return daemon.stop()

    def kill(self) -> None:
        daemon, self.daemon = self.running, None
        daemon.kill()

    def reload(self) -> None:
        self.running.send(signal.SIGHUP)

    def link(self, network: str, up: bool) -> None:
        """Pulls or plugs the cable at the switch: the director loses or sees its carrier. network: outer or inner."""
        ip(self.farm.switch, f"link set {self.name}.{network} {'up' if up else 'down'}")
        (self.down.discard if up else self.down.add)(network)

    @property
    def held(self) -> frozenset[IPv4Address]:
        """Which of the farm's VIPs are here."""
        return frozenset(vip for vip in self.farm.vips if vip in addresses(self.namespace))

    @property
    def is_master(self) -> bool:
        return self.held == frozenset(self.farm.vips)

    @property
    def table(self) -> dict[str, dict[str, Row]]:
        return ipvs(self.namespace)

    @property
    def weights(self) -> dict[str, int]:
        """Server to weight in the service's rows; empty without a service."""
        return {server: row.weight for server, row in self.table.get(SERVICE, {}).items()}

    def remove_addresses(self) -> None:
        """By hand, what a killed keepalived left; its rows stay."""
        device = {VIP: "eth0", INNER_VIP: "eth1"}
        for vip in self.held:
            ip(self.namespace, f"address del {vip}/24 dev {device[vip]}")


class Farm:
    """Two directors without daemons, three web servers that answer, and a client that is silent until it is started."""

    def __init__(self, kind: str, folder: Path | None = None) -> None:
        self.kind = kind
        self.folder = folder or Path(tempfile.mkdtemp(prefix="lvsd-farm-", dir="/run"))
        self.folder.mkdir(exist_ok=True)
        self._prefix = f"f{os.getpid()}"
        self.switch = self.namespace("switch")
        self.vips = (VIP, INNER_VIP) if kind == NAT else (VIP,)
        self.networks = ("outer", "inner") if kind == NAT else ("outer",)
        net = "10.20.0" if kind == NAT else "10.10.0"
        self._namespaces: list[str] = []
        self._client: subprocess.Popen[bytes] | None = None
        self._records = self.folder / "requests"
        self.webs: list[Web] = []
        # Called again and again while the farm waits for something, for those who watch.
        self.on_wait: Callable[[], object] = lambda: None
        try:
            self._build(net)
            self.directors = (Director(self, "lb1"), Director(self, "lb2"))
            for number in (1, 2, 3):
                self.webs.append(Web(self, f"web{number}", f"{net}.{10 + number}"))
                self.webs[-1].start()
        except BaseException:
            self.close()
            raise

    def namespace(self, name: str) -> str:
        return f"{self._prefix}-{name}"

    # --- networks -----------------------------------------------------------------------------------------------------

    def _build(self, net: str) -> None:
        inner = "inner" if self.kind == NAT else "outer"
        hosts = {
            "client": [("outer", "10.10.0.50")],
            "web1": [(inner, f"{net}.11")],
            "web2": [(inner, f"{net}.12")],
            "web3": [(inner, f"{net}.13")],
            "lb1": [("outer", "10.10.0.2"), ("inner", "10.20.0.2")][: len(self.networks)],
            "lb2": [("outer", "10.10.0.3"), ("inner", "10.20.0.3")][: len(self.networks)],
        }
        for name in ("switch", *hosts):
            run(["ip", "netns", "add", self.namespace(name)])
            self._namespaces.append(self.namespace(name))
            quiet = {"net/ipv4/conf/all/rp_filter": 0, "net/ipv4/conf/default/rp_filter": 0}
            sysctl(self.namespace(name), quiet)
        # Without a querier a snooping bridge would forget the group of the adverts.
        lines = [f"link add {bridge} type bridge mcast_snooping 0 forward_delay 0" for bridge in self.networks]
        lines += [f"link set {bridge} up" for bridge in self.networks]
        for name, ports in hosts.items():
            for number, (bridge, _) in enumerate(ports):
                port = f"{name}.{bridge}"
                lines.append(f"link add {port} type veth peer name eth{number} netns {self.namespace(name)}")
                lines.append(f"link set {port} master {bridge} up")
        ip(self.switch, *lines)
        for name, ports in hosts.items():
            own = ["link set lo up"]
            for number, (_, address) in enumerate(ports):
                own += [f"address add {address}/24 dev eth{number}", f"link set eth{number} up"]
            if name.startswith("lb"):
                sysctl(self.namespace(name), {"net/ipv4/ip_forward": 1})
            elif name.startswith("web") and self.kind == NAT:
                own.append(f"route add default via {INNER_VIP}")
            elif name.startswith("web"):
                silent = {"net/ipv4/conf/all/arp_ignore": 1, "net/ipv4/conf/all/arp_announce": 2}
                sysctl(self.namespace(name), silent)
                own.append(f"address add {VIP}/32 dev lo")
            ip(self.namespace(name), *own)

    # --- client -------------------------------------------------------------------------------------------------------

    def start_client(self, interval: float = client.INTERVAL) -> None:
        if self._client is None:
            program = [sys.executable, "-S", client.__file__, str(VIP), "80", str(self._records), str(interval)]
            self._client = subprocess.Popen(
                ["ip", "netns", "exec", self.namespace("client"), *program],
                stdin=subprocess.DEVNULL,
            )

    def stop_client(self) -> None:
        if self._client is not None:
            self._client.send_signal(signal.SIGTERM)
            self._client.wait(10.0)
            self._client = None

    def seen(self, since: float = 0.0, until: float = float("inf")) -> client.Seen:
        """Requests that have ended; moments are time.monotonic()."""
        return client.read(str(self._records), since, until) if self._records.exists() else client.Seen(())

    def answered_for(self, seconds: float) -> Callable[[], bool]:
        """A condition: in all of the last `seconds` there was no failed request."""

        def condition() -> bool:
            now = time.monotonic()
            recent = self.seen(now - seconds - 1.0).requests
            return (
                bool(recent)
                and recent[0].start < now - seconds
                and all(r.ok for r in recent if r.start > now - seconds)
            )

        return condition

    def connect(self) -> socket.socket:
        """A connection of the client's through the VIP, open until it is closed."""
        with inside(self.namespace("client")):
            return socket.create_connection((str(VIP), 80), timeout=3.0)

    @property
    def now(self) -> float:
        return time.monotonic()

    # --- the pair -----------------------------------------------------------------------------------------------------

    @property
    def master(self) -> Director:
        holders = [director for director in self.directors if director.is_master]
        assert len(holders) == 1, f"{len(holders)} masters\n{self.report()}"
        return holders[0]

    def other(self, director: Director) -> Director:
        return self.directors[1] if director is self.directors[0] else self.directors[0]

    def moved_to(self, director: Director) -> bool:
        """Every VIP is here, and none at the other one."""
        return director.is_master and not self.other(director).held

    def complete(self, director: Director) -> bool:
        """Its daemon has started, and the table is whole."""
        return director.daemon is not None and director.daemon.listening and self.has_all_rows(director)

    def has_all_rows(self, director: Director) -> bool:
        """Every living web server has its row, and no other has one."""
        return set(director.weights) == {web.key for web in self.webs if web.alive}

    def wait(self, condition: Callable[[], bool], seconds: float, what: str) -> float:
        """Seconds until the condition held; raises AssertionError with the state of the farm."""
        try:
            return wait(condition, seconds, what, self._meanwhile)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.report()}") from None

    def _meanwhile(self) -> None:
        for director in self.directors:
            assert director.daemon is None or director.daemon.running, (
                f"{director.daemon.kind} on {director.name} has ended"
            )
        self.on_wait()

    def settle(self, *kinds: str) -> tuple[Director, Director]:
        """Both run (`kinds`: of lb1 and lb2), all cables and web servers are in, one is master: returns (master, backup)."""
        for web in self.webs:
            web.start()
        for director, kind in zip(self.directors, kinds or (LVSD, LVSD), strict=True):
            for network in list(director.down):
                director.link(network, up=True)
            if director.daemon is not None and (director.daemon.kind != kind or not director.daemon.running):
                daemon, director.daemon = director.daemon, None
                if daemon.running:
                    daemon.stop()
            if director.daemon is None:
                director.start(kind)

        def settled() -> bool:
            return any(self.moved_to(d) for d in self.directors) and all(self.complete(d) for d in self.directors)

        self.wait(settled, 25.0, "the pair does not settle")
        return self.master, self.other(self.master)

    # --- the end ------------------------------------------------------------------------------------------------------

    def report(self) -> str:
        """Who holds what, and the end of each log, for a failed test."""
        lines = []
        for director in self.directors:
            kind = director.daemon.kind if director.daemon else "no daemon"
            held = ", ".join(map(str, sorted(director.held))) or "nothing"
            lines.append(f"--- {director.name} ({kind}) holds {held}; rows {director.table}")
            for log in sorted(director.folder.glob("*.log")):
                lines.append(log.read_text(errors="replace")[-3000:])
        return "\n".join(lines)

    def close(self) -> None:
        self.stop_client()
        for director in getattr(self, "directors", ()):
            if director.daemon is not None:
                director.daemon.kill()
                director.daemon = None
        for web in self.webs:
            web.kill()
        for name in self._namespaces:
            with contextlib.suppress(RuntimeError):
                run(["ip", "netns", "del", name])
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Farm:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def wait(
    condition: Callable[[], bool], seconds: float, what: str, meanwhile: Callable[[], object] = lambda: None
) -> float:
    """Seconds until the condition held; raises AssertionError."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"{what} (waited {seconds:g} s)")
        meanwhile()
        time.sleep(POLL)
    return time.monotonic() - began
