"""Declarations of virtual_server, real_server and their groups, and the part of the configuration that the check process gets."""

from __future__ import annotations

from dataclasses import dataclass

from lvsd.core.conf.keyword import arg, block, blocks, kw, lines, optional
from lvsd.core.conf.values import (
    AddressRange,
    ByGroup,
    ByMark,
    Command,
    Endpoint,
    LvsMethod,
    MarkEntry,
    boolean,
    command,
    endpoint,
    flag,
    granularity,
    group_entry,
    integer,
    lower_choice,
    lvs_method,
    one_of,
    persistence,
    seconds,
    virtual_server_header,
    word,
)
from lvsd.core.settings import GlobalDefs

from .ipvs.table import Family, Protocol, Scheduler
from .probe import Check
from .probes import KINDS, NOT_RUN_YET


@block("real_server", "One destination of a virtual service.")
class RealServer:
    endpoint: Endpoint = arg(endpoint, "Address and port; without a port, the service's.")
    weight: int | None = optional(
        integer(0, 2**31 - 1), "Weight; 0 takes no new connections. The service's weight by default."
    )
    lvs_method: LvsMethod | None = optional(lvs_method, "Forwarding of this server; the service's by default.")
    uthreshold: int = kw(integer(0), "Connections at which the server takes no more; 0 for no limit.", default=0)
    lthreshold: int = kw(integer(0), "Connections below which it takes some again.", default=0)
    inhibit_on_failure: bool | None = optional(boolean, "A failed server stays in the table with weight 0.")
    notify_up: Command | None = optional(command, "Run when the server comes up.")
    notify_down: Command | None = optional(command, "Run when the server goes down.")
    alpha: bool | None = optional(boolean, "Down until the first successful check.")
    retry: int | None = optional(integer(1), "Default of its checks.")
    delay_before_retry: float | None = optional(seconds(1e-6), "Default of its checks.")
    delay_loop: float | None = optional(seconds(1e-6), "Default of its checks.")
    warmup: float | None = optional(seconds(0), "Default of its checks.")
    connect_timeout: float | None = optional(seconds(1e-6), "Default of its checks.")
    virtualhost: str | None = optional(word, "Host header of its HTTP checks.")
    smtp_alert: bool | None = optional(boolean, "Mail on every change.", obeyed=False)
    snmp_name: str = kw(word, "Name of the server in SNMP.", default="", obeyed=False)
    checks: tuple[Check, ...] = blocks(*KINDS, doc="The server is up only when all of its checks are.")
    checks_not_run_yet: tuple[object, ...] = blocks(*NOT_RUN_YET, doc="The server is as if it had none.", obeyed=False)


@block("virtual_server", "A virtual service: what clients ask, and who answers.")
class VirtualServer:
    header: Endpoint | ByMark | ByGroup = arg(virtual_server_header, "IP [PORT], fwmark N, or group NAME.")
    ip_family: Family | None = optional(
        one_of({"inet": Family.IPV4, "inet6": Family.IPV6}), "inet or inet6, for services by mark."
    )
    lb_algo: Scheduler = kw(lower_choice(Scheduler), "Scheduler.", default=Scheduler.WLC, aliases=("lvs_sched",))
    lb_kind: LvsMethod = kw(
        lvs_method, "Forwarding: NAT, DR or TUN.", default=LvsMethod("NAT"), aliases=("lvs_method",)
    )
    written_protocol: Protocol | None = optional(
        one_of({each.name: each for each in Protocol}, any_case=True),
        "TCP, UDP or SCTP; UDP where none is written.",
        name="protocol",
    )
    persistence_timeout: int = kw(persistence, "Seconds that a client stays with its server; 0 for none.", default=0)
    persistence_granularity: int | None = optional(
        granularity, "Netmask (IPv4) or prefix length of what counts as one client."
    )
    persistence_engine: str = kw(word, "Persistence engine (sip).", default="")
    ops: bool = kw(flag, "One-packet scheduling (UDP).", default=False)
    sh_port: bool = kw(flag, "sh: hash the port too.", default=False, name="sh-port")
    sh_fallback: bool = kw(
        flag, "sh: take another server when the chosen one is out.", default=False, name="sh-fallback"
    )
    mh_port: bool = kw(flag, "mh: hash the port too.", default=False, name="mh-port")
    mh_fallback: bool = kw(
        flag, "mh: take another server when the chosen one is out.", default=False, name="mh-fallback"
    )
    flag_1: bool = kw(flag, "Scheduler's flag 1.", default=False, name="flag-1")
    flag_2: bool = kw(flag, "Scheduler's flag 2.", default=False, name="flag-2")
    flag_3: bool = kw(flag, "Scheduler's flag 3.", default=False, name="flag-3")
    hashed: bool = kw(flag, "Accepted, no effect.", default=False)
    delay_loop: float = kw(seconds(1e-6), "Seconds between two checks.", default=60.0)
    weight: int = kw(integer(1, 2**31 - 1), "Default weight of the real servers.", default=1)
    retry: int | None = optional(integer(1), "Default of the checks.")
    delay_before_retry: float | None = optional(seconds(1e-6), "Default of the checks.")
    warmup: float | None = optional(seconds(0), "Default of the checks; delay_loop where it is absent.")
    connect_timeout: float = kw(seconds(1e-6), "Default of the checks.", default=5.0)
    virtualhost: str = kw(word, "Host header of HTTP checks.", default="")
    alpha: bool = kw(flag, "Servers are down until their first successful check.", default=False)
    omega: bool = kw(flag, "At stop, run the notifies of servers and quorum that go down.", default=False)
    inhibit_on_failure: bool = kw(flag, "Failed servers stay in the table with weight 0.", default=False)
    quorum: int = kw(integer(1), "Total weight of healthy servers that the service needs.", default=1)
    hysteresis: int = kw(integer(0), "Margin around the quorum.", default=0)
    quorum_up: Command | None = optional(command, "Run when the quorum is reached.")
    quorum_down: Command | None = optional(command, "Run when the quorum is lost.")
    sorry_server: Endpoint | None = optional(endpoint, "Takes over while the quorum is lost.")
    sorry_server_inhibit: bool = kw(flag, "The sorry server stays in the table with weight 0.", default=False)
    sorry_server_lvs_method: LvsMethod | None = optional(lvs_method, "Forwarding of the sorry server.")
    ha_suspend: bool = kw(flag, "Check only while the address is here.", default=False, obeyed=False)
    smtp_alert: bool | None = optional(boolean, "Mail on changes of the quorum.", obeyed=False)
    snmp_name: str = kw(word, "Name of the service in SNMP.", default="", obeyed=False)
    real_servers: tuple[RealServer, ...] = blocks(RealServer, doc="Destinations.")

    @property
    def protocol(self) -> Protocol:
        return self.written_protocol or Protocol.UDP


@block("virtual_server_group", "Addresses and marks that share one set of real servers.")
class VirtualServerGroup:
    name: str = arg(word, "Name of the group.")
    members: tuple[AddressRange | MarkEntry, ...] = lines(
        group_entry, "IP [PORT], IP-RANGE PORT, or fwmark N [inet|inet6], one a line."
    )


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """What the check process is given."""

    globals: GlobalDefs
    virtual_servers: tuple[VirtualServer, ...]
    groups: tuple[VirtualServerGroup, ...]
