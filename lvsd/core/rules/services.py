"""Rules about virtual services and their servers."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import NamedTuple

from lvsd.check.ipvs.table import Family, Protocol, Scheduler
from lvsd.check.settings import VirtualServer
from lvsd.core.conf.diagnose import Severity
from lvsd.core.conf.rules import Finding, Mend
from lvsd.core.conf.types import AddressRange, ByGroup, ByMark, Endpoint, LvsMethod, MarkEntry
from lvsd.core.root import Root

from .common import RULES as rule
from .common import Findings, members_of, ports, twice


def _name(server: VirtualServer) -> str:
    header = server.header
    if isinstance(header, ByMark):
        return f"fwmark {header.mark}"
    return f"group {header.name}" if isinstance(header, ByGroup) else f"{header.address} {header.port}"


def _family(server: VirtualServer) -> int:
    """Of the service's address; of a mark as written, else as its real servers'."""
    if isinstance(server.header, Endpoint):
        return server.header.address.version
    if server.ip_family is not None:
        return 6 if server.ip_family is Family.IPV6 else 4
    return 6 if any(each.endpoint.address.version == 6 for each in server.real_servers) else 4


def _families(root: Root, server: VirtualServer) -> set[int]:
    """Of everything that the service listens to."""
    members = members_of(root, server)
    if not members:
        return {_family(server)}
    return {
        each.first.version if isinstance(each, AddressRange) else 6 if each.inet6 else _family(server)
        for each in members
    }


@rule("duplicate-service")
def a_service_stands_once(root: Root) -> Findings:
    """The same address, port and protocol (or the same mark and family) stands in two virtual_server blocks.
    The kernel has one such service; keepalived takes both blocks, and each undoes what the other does.
    Write all servers in one block, or correct the address, port or `protocol` of one of them."""

    def key(server: VirtualServer) -> Hashable:
        if isinstance(server.header, ByMark):
            return server.header, _family(server)
        return server.header, server.protocol

    yield from twice(
        (key(each), Finding(f"the service {_name(each)} stands above already", each, "header"))
        for each in root.virtual_servers
    )


@rule("duplicate-server")
def a_server_stands_once_in_a_service(root: Root) -> Findings:
    """A real_server stands twice in one service; the kernel has one row for it, and which weight and checks count
    would be chance. keepalived drops the second. Delete one of them."""
    for server in root.virtual_servers:
        # Not by twice(): a finding made up for each of 20,000 servers costs a tenth of a reload.
        seen: set[Endpoint] = set()
        for each in server.real_servers:
            if each.endpoint in seen:
                text = f"{each.endpoint.address} {each.endpoint.port} stands above already"
                yield Finding(text, each, "endpoint")
            seen.add(each.endpoint)


@rule("no-server", Severity.WARNING)
def a_service_has_servers(root: Root) -> Findings:
    """A virtual_server without real_server has nobody to send its clients to. keepalived leaves the service out of the
    kernel, and so does lvsd. Write a real_server, or delete the block."""
    for each in root.virtual_servers:
        if not each.real_servers:
            yield Finding(f"the service {_name(each)} has no real_server and is left out", each)


@rule("server-family")
def servers_are_of_the_family_of_the_service(root: Root) -> Findings:
    """A real_server or sorry_server is IPv6 and its service IPv4, or the other way round. NAT and DR cannot carry one
    in the other, so keepalived drops the server. Give it an address of the service's family, or write `lvs_method TUN`."""
    for server in root.virtual_servers:
        families = _families(root, server)
        for each in server.real_servers:
            method = each.lvs_method or server.lb_kind
            if families != {each.endpoint.address.version} and method.name != "TUN":
                text = (
                    f"{each.endpoint.address} is of another family than the service, which {method.name} cannot bridge"
                )
                yield Finding(text, each, "endpoint")
        sorry, method = server.sorry_server, server.sorry_server_lvs_method or server.lb_kind
        if sorry is not None and families != {sorry.address.version} and method.name != "TUN":
            yield Finding(f"{sorry.address} is of another family than the service", server, "sorry_server")


@rule("ip-family", mend=Mend.VALUE)
def ip_family_agrees_with_the_address(root: Root) -> Findings:
    """ip_family says another family than the address of the service. keepalived calls it a conflict and goes by the
    address. ip_family is for services by mark, which have no address: delete it here."""
    for each in root.virtual_servers:
        if isinstance(each.header, Endpoint) and each.ip_family is not None:
            version = 6 if each.ip_family is Family.IPV6 else 4
            if version != _family(each):
                text = f"ip_family says IPv{version}, and {each.header.address} is IPv{_family(each)}"
                yield Finding(text, each, "ip_family", 0, "leave ip_family out")


@rule("mark-family", Severity.WARNING)
def the_family_of_a_mark_is_told(root: Root) -> Findings:
    """A service by mark has no address that would tell its family, and its servers are of both, as tunnels may be.
    lvsd serves the mark for IPv6 only then. Write `ip_family inet` or `ip_family inet6`; a mark that means both needs
    a virtual_server for each."""
    for each in root.virtual_servers:
        versions = {one.endpoint.address.version for one in each.real_servers}
        if isinstance(each.header, ByMark) and each.ip_family is None and len(versions) > 1:
            text = f"{_name(each)} has servers of both families, IPv6 is taken"
            yield Finding(text, each, "header", 0, "write ip_family inet or ip_family inet6")


@rule("overlapping-entries", mend=Mend.VALUE)
def entries_of_a_group_are_apart(root: Root) -> Findings:
    """An address with its port, or a mark, stands in two entries of one virtual_server_group, and the kernel has one service
    for it. keepalived takes both without a word. Delete the entry that is too much, or let the ranges end before each other.
    """
    for group in root.virtual_server_groups:
        for one, other in _overlapping(_span(each, index) for index, each in enumerate(group.members)):
            later = max(one, other, key=lambda span: span.order)
            yield Finding(f"{one.name} stands in another entry already", group, "members", later.order)


@rule("shared-address")
def services_are_apart(root: Root) -> Findings:
    """Two services, one of them with a virtual_server_group, listen to the same address, port and protocol or to the same
    mark. The kernel has one service for it, and which servers serve it would be chance; keepalived takes both without a
    word. Take it out of one of them."""
    spans = []
    for order, server in enumerate(root.virtual_servers):
        for member in members_of(root, server) or _itself(server):
            if isinstance(member, MarkEntry):
                span = _span(MarkEntry(member.mark, member.inet6 or _family(server) == 6), order)
            else:
                span = _span(member, order)
                span = span._replace(kind=(*span.kind, server.protocol))
            spans.append(span)
    told: set[int] = set()
    for one, other in _overlapping(spans):
        earlier, later = sorted((one.order, other.order))
        first, second = root.virtual_servers[earlier], root.virtual_servers[later]
        if first.header == second.header or later in told:
            continue  # the same service, or the same twice
        told.add(later)
        text = f"{one.name} belongs to the service {_name(first)} already"
        yield Finding(text, second, "header")


def _itself(server: VirtualServer) -> tuple[AddressRange | MarkEntry, ...]:
    header = server.header
    if isinstance(header, ByMark):
        return (MarkEntry(header.mark),)
    return (AddressRange(header.address, header.address, header.port),) if isinstance(header, Endpoint) else ()


class _Span(NamedTuple):
    """Part of what a block listens to: numbers (addresses or marks) from first to last that mean the same where kinds are equal."""

    kind: tuple[int, ...]
    first: int
    last: int
    order: int
    member: AddressRange | MarkEntry

    @property
    def name(self) -> str:
        one = self.member
        return f"fwmark {one.mark}" if isinstance(one, MarkEntry) else f"{one.first} {one.port}".removesuffix(" 0")


def _span(member: AddressRange | MarkEntry, order: int) -> _Span:
    if isinstance(member, MarkEntry):
        return _Span((0, member.inet6), member.mark, member.mark, order, member)
    return _Span((1, member.first.version, member.port), int(member.first), int(member.last), order, member)


def _overlapping(spans: Iterable[_Span]) -> Iterator[tuple[_Span, _Span]]:
    """Pairs that share an address or a mark, each span with the one before it that reaches furthest."""
    before: _Span | None = None
    for each in sorted(spans, key=lambda span: span[:4]):
        if before is None or each.kind != before.kind:
            before = each
            continue
        if each.first <= before.last:
            yield each, before
        if each.last > before.last:
            before = each


# --- quorum and sorry server


@rule("quorum-out-of-reach", Severity.WARNING)
def a_quorum_can_be_reached(root: Root) -> Findings:
    """The quorum is above the weights of all servers together, so that it could never be reached, or the hysteresis is
    not below the quorum, so that it could never be lost. keepalived and lvsd both take the nearest number that works.
    Write that number, or raise the weights."""
    for server in root.virtual_servers:
        total = _total(server)
        if server.real_servers and server.quorum > max(1, total):
            text = f"the servers' weights come to {total}, which is used in place of {server.quorum}"
            yield Finding(text, server, "quorum")
        elif server.hysteresis >= server.quorum:
            yield Finding(f"the hysteresis must be below the quorum, {server.quorum - 1} is used", server, "hysteresis")


def _total(server: VirtualServer) -> int:
    return sum(server.weight if each.weight is None else each.weight for each in server.real_servers)


@rule("no-weight", Severity.WARNING)
def some_server_has_a_weight(root: Root) -> Findings:
    """Every real_server of the service has weight 0, so none takes a new connection and the quorum is never reached.
    The sorry_server, if there is one, serves for good; keepalived lowers the quorum to 0 instead. Give a server a weight;
    `lvsd drain` is for a while."""
    for each in root.virtual_servers:
        if each.real_servers and not _total(each):
            text = f"every server of {_name(each)} has weight 0, none takes a connection"
            yield Finding(text, each.real_servers[0], "weight")


@rule("sorry-is-a-server", mend=Mend.VALUE)
def a_sorry_server_is_another_machine(root: Root) -> Findings:
    """The sorry_server is a real_server of the same service. The kernel has one row for both: when the quorum is lost,
    keepalived adds and removes the same row, and ends with a service without server or with one that failed its checks.
    Let another address or, with NAT, another port say sorry."""
    for server in root.virtual_servers:
        if server.sorry_server is None:
            continue
        sorry = _row(server, server.sorry_server, server.sorry_server_lvs_method)
        for each in server.real_servers:
            if _row(server, each.endpoint, each.lvs_method) == sorry:
                text = f"{sorry.address} is a real_server of this service, and cannot say sorry for it"
                yield Finding(text, server, "sorry_server")


def _row(server: VirtualServer, endpoint: Endpoint, own: LvsMethod | None) -> Endpoint:
    """The destination in the kernel's table: direct routing and tunnels do not change the port of the service."""
    nat = (own or server.lb_kind).name == "NAT"
    if isinstance(server.header, Endpoint):
        return endpoint if nat and endpoint.port else Endpoint(endpoint.address, server.header.port)
    return endpoint if nat else Endpoint(endpoint.address)


@rule("no-sorry-server", Severity.WARNING)
def words_about_a_sorry_server_need_one(root: Root) -> Findings:
    """sorry_server_inhibit and sorry_server_lvs_method say how the sorry_server is entered, and there is none.
    keepalived ignores them. Write a sorry_server, or delete the line."""
    for each in root.virtual_servers:
        for field in ("sorry_server_inhibit", "sorry_server_lvs_method"):
            if each.sorry_server is None and getattr(each, field):
                yield Finding(f"{field} has no effect without sorry_server", each, field)


# --- what IPVS can do


@rule("made-persistent", Severity.WARNING)
def every_port_needs_persistence(root: Root) -> Findings:
    """A service on every port (port 0, or none written) must keep a client with one server, or the parts of one session
    would go to different servers; the kernel refuses it otherwise. keepalived and lvsd set persistence_timeout 360.
    Write the port, or the persistence_timeout that you want."""
    for each in root.virtual_servers:
        if 0 in ports(root, each) and not each.persistence_timeout:
            yield Finding("a service on every port must be persistent, 360 s is used", each, "header")


@rule("port-of-server", Severity.WARNING)
def only_nat_changes_ports(root: Root) -> Findings:
    """A real_server has another port than the service, and DR and TUN hand packets on as they are. keepalived and lvsd
    use the port of the service. Write that port, or `lvs_method NAT`; a check on another port is `connect_port`."""
    for server in root.virtual_servers:
        if not isinstance(server.header, Endpoint) or not server.header.port:
            continue
        for each in server.real_servers:
            method = each.lvs_method or server.lb_kind
            if method.name != "NAT" and each.endpoint.port not in (0, server.header.port):
                text = f"{method.name} does not change the port, {server.header.port} is used"
                yield Finding(text, each, "endpoint")


@rule("granularity", mend=Mend.VALUE)
def granularity_fits_the_family(root: Root) -> Findings:
    """The persistence_granularity is a prefix longer than an IPv4 address has bits. It is a netmask, or 1 to 32, for
    IPv4 services; 1 to 128 is for IPv6."""
    for each in root.virtual_servers:
        header, width = each.header, each.persistence_granularity
        if width is not None and isinstance(header, Endpoint) and width > header.address.max_prefixlen:
            yield Finding(f"/{width} is longer than an IPv4 address", each, "persistence_granularity")


@rule("one-packet", Severity.WARNING)
def one_packet_scheduling_is_for_datagrams(root: Root) -> Findings:
    """ops schedules each datagram on its own, which only UDP has. keepalived and lvsd leave it out for another protocol.
    Write `protocol UDP` if that is meant, or delete ops."""
    for each in root.virtual_servers:
        if each.ops and each.protocol is not Protocol.UDP and isinstance(each.header, Endpoint):
            yield Finding("ops acts on UDP only", each, "ops")


@rule("scheduler-flag", Severity.WARNING)
def flags_fit_the_scheduler(root: Root) -> Findings:
    """sh-port and sh-fallback act with `lb_algo sh`, mh-port and mh-fallback with `lb_algo mh`; another scheduler does
    not look at them. Write that lb_algo, or delete the flag."""
    flags = (
        ("sh_port", Scheduler.SH),
        ("sh_fallback", Scheduler.SH),
        ("mh_port", Scheduler.MH),
        ("mh_fallback", Scheduler.MH),
    )
    for each in root.virtual_servers:
        for field, scheduler in flags:
            if getattr(each, field) and each.lb_algo is not scheduler:
                text = f"{field.replace('_', '-')} acts with lb_algo {scheduler.value} only"
                yield Finding(text, each, field)


@rule("thresholds", mend=Mend.VALUE)
def thresholds_are_in_order(root: Root) -> Findings:
    """lthreshold is above uthreshold, or stands without one. The kernel refuses such a server, and keepalived learns it
    only then: the server takes no connection at all. Write an uthreshold that is at least as large."""
    for server in root.virtual_servers:
        for each in server.real_servers:
            if each.lthreshold > each.uthreshold:
                above = f"{each.uthreshold}" if each.uthreshold else "none"
                text = f"lthreshold {each.lthreshold} is above uthreshold, which is {above}: the kernel refuses that"
                yield Finding(text, each, "lthreshold")
