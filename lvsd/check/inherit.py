"""What a configuration means: every default inherited, every port and key worked out, nothing left to look up.
Check from real_server from virtual_server from keepalived's default; what cannot be is dropped with a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from lvsd.core.conf.values import Address, ByGroup, ByMark, Command, Endpoint, LvsMethod, MarkEntry
from lvsd.core.settings import GlobalDefs

from .ipvs.table import AddressKey, DestinationKey, Family, Forwarding, MarkKey, ServiceKey, Tunnel
from .ipvs.table import TunnelChecksum as Checksum
from .ipvs.table import TunnelType as Kind
from .probe import Check, ConnectingCheck, Target
from .probes.misc import MiscCheck
from .settings import CheckSettings, RealServer, VirtualServer, VirtualServerGroup

T = TypeVar("T")
PERSISTENCE = 360
"""Seconds of persistence where it is needed but not written: services on every port, and a granularity alone."""
NO_TUNNEL = Tunnel()
LARGEST_GROUP = 65536
"""Rows that one entry of a virtual_server_group may stand for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A check with everything inherited. Equal ones are one probe and one verdict, whoever asks for them.

    interval, delay_before_retry and warmup in seconds; retry: failures in a row that are forgiven."""

    check: Check
    target: Target
    interval: float
    retry: int
    delay_before_retry: float
    warmup: float
    alpha: bool
    log_all_failures: bool


@dataclass(frozen=True, slots=True)
class Forward:
    method: Forwarding
    tunnel: Tunnel = NO_TUNNEL


@dataclass(frozen=True, slots=True)
class Server:
    """A real server of one service. port: 0 where each row takes its service's own. alpha: down until a first success."""

    address: Address
    port: int
    weight: int
    forward: Forward
    upper_threshold: int
    lower_threshold: int
    inhibit: bool
    alpha: bool
    notify_up: Command | None
    notify_down: Command | None
    checks: tuple[Asked, ...]

    @property
    def name(self) -> str:
        return str(DestinationKey(self.address, self.port))

    def row(self, key: ServiceKey) -> DestinationKey:
        return row_key(self.address, self.port, self.forward, key)


@dataclass(frozen=True, slots=True)
class Sorry:
    address: Address
    port: int
    forward: Forward
    inhibit: bool

    @property
    def name(self) -> str:
        return str(DestinationKey(self.address, self.port))

    def row(self, key: ServiceKey) -> DestinationKey:
        return row_key(self.address, self.port, self.forward, key)


@dataclass(frozen=True, slots=True)
class VirtualService:
    """name: what stays the same over a reload. keys: its rows in the kernel. timeout: persistence in seconds, 0 for none.
    quorum, hysteresis: within reach of the weights."""

    name: str
    keys: tuple[ServiceKey, ...]
    settings: VirtualServer
    timeout: int
    quorum: int
    hysteresis: int
    servers: tuple[Server, ...]
    sorry: Sorry | None


@dataclass(frozen=True, slots=True)
class Resolved:
    """problems: what was dropped or corrected, as sentences."""

    services: tuple[VirtualService, ...]
    problems: tuple[str, ...]


def resolve(settings: CheckSettings) -> Resolved:
    return _Resolver(settings).run()


def row_key(address: Address, port: int, forward: Forward, key: ServiceKey) -> DestinationKey:
    """Direct routing and tunnels do not change the port, so the kernel wants the service's own."""
    if isinstance(key, MarkKey):
        return DestinationKey(address, port if forward.method is Forwarding.NAT else 0)
    return DestinationKey(address, port if forward.method is Forwarding.NAT and port else key.port)


class _Resolver:
    def __init__(self, settings: CheckSettings) -> None:
        self._globals = settings.globals
        self._servers = settings.virtual_servers
        self._groups = {group.name: group for group in settings.groups}
        self._taken: dict[ServiceKey, str] = {}
        self._problems: list[str] = []

    def run(self) -> Resolved:
        services = [service for vs in self._servers if (service := self._service(vs)) is not None]
        return Resolved(tuple(services), tuple(self._problems))

    def _service(self, vs: VirtualServer) -> VirtualService | None:
        name = service_name(vs)
        keys: list[ServiceKey] = []
        for key in self._keys(vs, name):
            if key in self._taken:
                self._problems.append(f"virtual_server {name}: {key} belongs to {self._taken[key]} already")
                continue
            self._taken[key] = name
            keys.append(key)
        if not keys:
            return None
        servers = self._real_servers(vs, name, keys)
        if not servers:
            self._problems.append(f"virtual_server {name} has no real server and is left out")
            for key in keys:
                del self._taken[key]
            return None
        timeout = vs.persistence_timeout
        everywhere = any(isinstance(key, AddressKey) and not key.port for key in keys)
        if not timeout and (everywhere or vs.persistence_granularity is not None):
            timeout = PERSISTENCE
        quorum, hysteresis = self._quorum(vs, name, servers)
        return VirtualService(name, tuple(keys), vs, timeout, quorum, hysteresis, servers, self._sorry(vs, keys))

    def _keys(self, vs: VirtualServer, name: str) -> Iterable[ServiceKey]:
        if isinstance(vs.header, Endpoint):
            return [AddressKey(vs.protocol, vs.header.address, vs.header.port)]
        if isinstance(vs.header, ByMark):
            return [MarkKey(vs.header.mark, _family(vs))]
        group = self._groups.get(vs.header.name)
        if group is None:
            self._problems.append(f"virtual_server {name}: there is no virtual_server_group {vs.header.name}")
            return []
        return self._members(vs, group)

    def _members(self, vs: VirtualServer, group: VirtualServerGroup) -> Iterable[ServiceKey]:
        for member in group.members:
            if isinstance(member, MarkEntry):
                yield MarkKey(member.mark, Family.IPV6 if member.inet6 else _family(vs))
                continue
            first, last = int(member.first), int(member.last)
            if last - first >= LARGEST_GROUP:
                self._problems.append(
                    f"virtual_server_group {group.name}: {member.first} to {member.last} are more than"
                    f" {LARGEST_GROUP} addresses, and are left out"
                )
                continue
            for number in range(first, last + 1):
                yield AddressKey(vs.protocol, type(member.first)(number), member.port)

    def _real_servers(self, vs: VirtualServer, name: str, keys: Sequence[ServiceKey]) -> tuple[Server, ...]:
        found: dict[tuple[Address, int], Server] = {}
        for rs in vs.real_servers:
            server = self._server(vs, rs, keys)
            if (server.address, server.port) in found:
                self._problems.append(
                    f"virtual_server {name}: real_server {server.name} stands twice, the first counts"
                )
                continue
            family = Family.IPV4 if server.address.version == 4 else Family.IPV6
            if server.forward.method is not Forwarding.TUN and any(key.family is not family for key in keys):
                self._problems.append(
                    f"virtual_server {name}: real_server {server.name} is of another address family, which only TUN can reach"
                )
                continue
            found[server.address, server.port] = server
        return tuple(found.values())

    def _server(self, vs: VirtualServer, rs: RealServer, keys: Sequence[ServiceKey]) -> Server:
        forward = forwarding(rs.lvs_method or vs.lb_kind)
        port = _port(rs.endpoint.port, forward, keys)
        alpha = vs.alpha if rs.alpha is None else rs.alpha
        return Server(
            address=rs.endpoint.address,
            port=port,
            weight=vs.weight if rs.weight is None else rs.weight,
            forward=forward,
            upper_threshold=rs.uthreshold,
            lower_threshold=rs.lthreshold,
            inhibit=vs.inhibit_on_failure if rs.inhibit_on_failure is None else rs.inhibit_on_failure,
            alpha=alpha,
            notify_up=rs.notify_up,
            notify_down=rs.notify_down,
            checks=tuple(asked(check, rs, vs, port or rs.endpoint.port, self._globals) for check in rs.checks),
        )

    def _quorum(self, vs: VirtualServer, name: str, servers: Sequence[Server]) -> tuple[int, int]:
        total = max(1, sum(server.weight for server in servers))
        quorum = min(vs.quorum, total)
        if quorum < vs.quorum:
            self._problems.append(
                f"virtual_server {name}: quorum {vs.quorum} is more than all weights together, {quorum} is used"
            )
        # The upper edge must be within reach too, or a quorum that was lost once would never come back.
        hysteresis = min(vs.hysteresis, quorum - 1, total - quorum)
        if hysteresis < vs.hysteresis:
            self._problems.append(
                f"virtual_server {name}: hysteresis {vs.hysteresis} does not fit quorum {quorum} of {total}, {hysteresis} is used"
            )
        return quorum, hysteresis

    def _sorry(self, vs: VirtualServer, keys: Sequence[ServiceKey]) -> Sorry | None:
        if vs.sorry_server is None:
            return None
        forward = forwarding(vs.sorry_server_lvs_method or vs.lb_kind)
        port = _port(vs.sorry_server.port, forward, keys)
        return Sorry(vs.sorry_server.address, port, forward, vs.sorry_server_inhibit)


def service_name(vs: VirtualServer) -> str:
    """As in status, events and overrides: "tcp 192.0.2.1:80", "fwmark 7", "group web tcp"."""
    if isinstance(vs.header, Endpoint):
        return str(AddressKey(vs.protocol, vs.header.address, vs.header.port))
    if isinstance(vs.header, ByMark):
        return str(MarkKey(vs.header.mark, _family(vs)))
    assert isinstance(vs.header, ByGroup)
    return f"group {vs.header.name} {vs.protocol.name.lower()}"


def _family(vs: VirtualServer) -> Family:
    """Of a service by mark: as written, else as its real servers'."""
    if vs.ip_family is not None:
        return vs.ip_family
    six = any(rs.endpoint.address.version == 6 for rs in vs.real_servers)
    return Family.IPV6 if six else Family.IPV4


def _port(port: int, forward: Forward, keys: Sequence[ServiceKey]) -> int:
    """The port that a server is known and checked by: the service's for direct routing and tunnels."""
    ports = {key.port for key in keys if isinstance(key, AddressKey)}
    if ports and (forward.method is not Forwarding.NAT or not port):
        return min(ports)
    return port


_FORWARDING = {"NAT": Forwarding.NAT, "DR": Forwarding.DR, "TUN": Forwarding.TUN}


def forwarding(method: LvsMethod) -> Forward:
    if method.name.upper() != "TUN":
        return Forward(_FORWARDING[method.name.upper()])
    return Forward(
        Forwarding.TUN,
        Tunnel(
            Kind[method.tunnel_type.upper()],
            method.tunnel_port if method.tunnel_type == "gue" else 0,
            Checksum[method.tunnel_checksum.upper()],
        ),
    )


def asked(check: Check, rs: RealServer, vs: VirtualServer, port: int, defaults: GlobalDefs) -> Asked:
    interval = _first(check.delay_loop, rs.delay_loop, vs.delay_loop)
    return Asked(
        check=_question(check),
        target=_target(check, rs, vs, port, defaults),
        interval=interval,
        retry=_first(check.retry, rs.retry, vs.retry, check.default_retry),
        delay_before_retry=_first(
            check.delay_before_retry, rs.delay_before_retry, vs.delay_before_retry, check.default_delay_before_retry
        ),
        warmup=_first(check.warmup, rs.warmup, vs.warmup, interval),
        alpha=_first(check.alpha, rs.alpha, vs.alpha),
        log_all_failures=_first(check.log_all_failures, defaults.checker_log_all_failures),
    )


_INHERITED = ("retry", "delay_before_retry", "delay_loop", "warmup", "alpha", "log_all_failures")


def _question(check: Check) -> Check:
    """The check without what Asked holds, so that one that inherits and one that says the same are one."""
    said = {name: None for name in _INHERITED if getattr(check, name) is not None}
    return replace(check, **said) if said else check


def _target(check: Check, rs: RealServer, vs: VirtualServer, port: int, defaults: GlobalDefs) -> Target:
    if isinstance(check, ConnectingCheck):
        return Target(
            address=check.connect_ip or rs.endpoint.address,
            port=check.connect_port or port,
            timeout=_first(check.connect_timeout, rs.connect_timeout, vs.connect_timeout),
            bind_address=check.bindto,
            bind_port=check.bind_port or 0,
            bind_interface=check.bind_if or "",
            mark=check.fwmark,
            host=getattr(check, "virtualhost", None) or rs.virtualhost or vs.virtualhost,
        )
    if isinstance(check, MiscCheck):
        timeout = vs.delay_loop if check.misc_timeout is None else check.misc_timeout
        who = check.user or (check.misc_path if check.misc_path.user else defaults.script_user)
        user, group = (who.user, who.group) if who is not None else ("", "")
        return Target(rs.endpoint.address, port, timeout, user=user, group=group)
    return Target(rs.endpoint.address, port, vs.connect_timeout)


def _first(*values: T | None) -> T:
    """The first that is set; the last always is."""
    return next(value for value in values if value is not None)
