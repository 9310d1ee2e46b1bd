"""Rules about virtual services, their servers and their checks."""

from __future__ import annotations

from collections.abc import Hashable

from lvsd.check.ipvs.table import Protocol, Scheduler
from lvsd.check.probe import ConnectingCheck
from lvsd.check.settings import RealServer, VirtualServer
from lvsd.core.conf.diagnose import Severity
from lvsd.core.conf.rules import Finding, Mend
from lvsd.core.conf.types import ByGroup, ByMark, Endpoint
from lvsd.core.root import Root

from .common import RULES as rule
from .common import Findings, twice


def _name(server: VirtualServer) -> str:
    header = server.header
    if isinstance(header, ByMark):
        return f"fwmark {header.mark}"
    return f"group {header.name}" if isinstance(header, ByGroup) else f"{header.address} {header.port}"


@rule("duplicate-service")
def a_service_stands_once(root: Root) -> Findings:
    def key(server: VirtualServer) -> Hashable:
        if isinstance(server.header, ByMark):
            return server.header, server.ip_family or _serverfamily(server)
        return server.header, server.protocol

    yield from twice(
        (key(each), Finding(f"the service {_name(each)} stands above already", each, "header"))
        for each in root.virtual_servers
    )


@rule("duplicate-server")
def a_server_stands_once_in_a_service(root: Root) -> Findings:
    for server in root.virtual_servers:
        yield from twice(
            (
                each.endpoint,
                Finding(f"{each.endpoint.address} {each.endpoint.port} stands above already", each, "endpoint"),
            )
            for each in server.real_servers
        )


@rule("no-server", Severity.WARNING)
def a_service_has_servers(root: Root) -> Findings:
    for each in root.virtual_servers:
        if not each.real_servers:
            yield Finding(f"the service {_name(each)} has no real_server and is left out", each)


def _serverfamily(server: VirtualServer) -> int | None:
    return next((each.endpoint.address.version for each in server.real_servers), None)


@rule("server-family")
def servers_are_of_the_servicesfamily(root: Root) -> Findings:
    """Only tunnels carry one family in the other."""
    for server in root.virtual_servers:
        family = server.header.address.version if isinstance(server.header, Endpoint) else _serverfamily(server)
        for each in server.real_servers:
            method = each.lvs_method or server.lb_kind
            if each.endpoint.address.version != family and method.name != "TUN":
                text = (
                    f"{each.endpoint.address} is of another family than the service, which {method.name} cannot bridge"
                )
                yield Finding(text, each, "endpoint")
        sorry, method = server.sorry_server, server.sorry_server_lvs_method or server.lb_kind
        if sorry is not None and sorry.address.version != family and method.name != "TUN":
            yield Finding(f"{sorry.address} is of another family than the service", server, "sorry_server")


@rule("check-without-port")
def checks_have_a_port(root: Root) -> Findings:
    for server in root.virtual_servers:
        if not isinstance(server.header, Endpoint) or not server.header.port:
            for each in server.real_servers:
                yield from _portless(each)


def _portless(server: RealServer) -> Findings:
    if not server.endpoint.port:
        for check in server.checks:
            if isinstance(check, ConnectingCheck) and check.connect_port is None:
                yield Finding("this check has no port to connect to", check, "", 0, "write connect_port")


@rule("quorum-out-of-reach", Severity.WARNING)
def a_quorum_can_be_reached(root: Root) -> Findings:
    for server in root.virtual_servers:
        total = sum(server.weight if each.weight is None else each.weight for each in server.real_servers)
        if server.real_servers and server.quorum > max(1, total):
            text = f"the servers' weights come to {total}, which is used in place of {server.quorum}"
            yield Finding(text, server, "quorum")
        elif server.hysteresis >= server.quorum:
            yield Finding(f"the hysteresis must be below the quorum, {server.quorum - 1} is used", server, "hysteresis")


@rule("made-persistent", Severity.WARNING)
def every_port_needs_persistence(root: Root) -> Findings:
    for each in root.virtual_servers:
        header = each.header
        if isinstance(header, Endpoint) and not header.port and not each.persistence_timeout:
            yield Finding("a service on every port must be persistent, 360 s is used", each, "header")


@rule("port-of-server", Severity.WARNING)
def only_nat_changes_ports(root: Root) -> Findings:
    for server in root.virtual_servers:
        if not isinstance(server.header, Endpoint) or not server.header.port:
            continue
        for each in server.real_servers:
            method = each.lvs_method or server.lb_kind
            if method.name != "NAT" and each.endpoint.port not in (0, server.header.port):
                text = f"{method.name} does not change the port, {server.header.port} is used"
                yield Finding(text, each, "endpoint")


@rule("granularity", mend=Mend.VALUE)
def granularity_fits_thefamily(root: Root) -> Findings:
    for each in root.virtual_servers:
        header, width = each.header, each.persistence_granularity
        if width is not None and isinstance(header, Endpoint) and width > header.address.max_prefixlen:
            yield Finding(f"/{width} is longer than an IPv4 address", each, "persistence_granularity")


@rule("one-packet", Severity.WARNING)
def one_packet_scheduling_is_for_datagrams(root: Root) -> Findings:
    for each in root.virtual_servers:
        if each.ops and each.protocol is not Protocol.UDP and isinstance(each.header, Endpoint):
            yield Finding("ops acts on UDP only", each, "ops")


@rule("scheduler-flag", Severity.WARNING)
def flags_fit_the_scheduler(root: Root) -> Findings:
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
