"""The root block: which blocks stand at the outermost level. Nothing but declarations."""

from __future__ import annotations

from lvsd.check.settings import VirtualServer, VirtualServerGroup
from lvsd.vrrp.settings import VrrpInstance, VrrpSyncGroup

from .conf.keyword import block, blocks, entries, kw, optional, sub
from .conf.values import (
    AddressLine,
    LinkDelay,
    LinkPoll,
    RouteLine,
    RuleLine,
    file_name,
    file_name_or_none,
    flag,
    link_delay,
    link_poll,
    seconds,
    static_address_line,
    static_route_line,
    static_rule_line,
)
from .own import Admin, Alert, Arbiter, Fence, PeerLink
from .settings import GarpGroup, GlobalDefs, Ssl, TrackGroup
from .trackers import BfdInstance, TrackFile, TrackProcess, TrackScript


@block("", "The outermost level of the configuration.")
class Root:
    global_defs: GlobalDefs | None = sub(GlobalDefs, "Settings of the whole daemon; several blocks are read as one.")
    instances: tuple[VrrpInstance, ...] = blocks(VrrpInstance, doc="Virtual routers.")
    groups: tuple[VrrpSyncGroup, ...] = blocks(VrrpSyncGroup, doc="Groups of virtual routers.")
    virtual_servers: tuple[VirtualServer, ...] = blocks(VirtualServer, doc="Virtual services.")
    virtual_server_groups: tuple[VirtualServerGroup, ...] = blocks(
        VirtualServerGroup, doc="Groups of addresses and marks."
    )

    # what is tracked
    scripts: tuple[TrackScript, ...] = blocks(TrackScript, doc="Tracked programs.", obeyed=False)
    files: tuple[TrackFile, ...] = blocks(TrackFile, doc="Tracked files.", obeyed=False, aliases=("vrrp_track_file",))
    processes: tuple[TrackProcess, ...] = blocks(TrackProcess, doc="Tracked processes.", obeyed=False)
    bfd_sessions: tuple[BfdInstance, ...] = blocks(BfdInstance, doc="Sessions of BFD.", obeyed=False)
    track_groups: tuple[TrackGroup, ...] = blocks(
        TrackGroup, doc="Virtual routers on which static entries act.", obeyed=False
    )

    # what the host has from start to stop
    static_ipaddress: tuple[AddressLine, ...] = entries(
        static_address_line, "Addresses held from start to stop.", obeyed=False
    )
    static_routes: tuple[RouteLine, ...] = entries(static_route_line, "Routes held from start to stop.", obeyed=False)
    static_rules: tuple[RuleLine, ...] = entries(
        static_rule_line, "Routing rules held from start to stop.", obeyed=False
    )

    # links
    garp_groups: tuple[GarpGroup, ...] = blocks(GarpGroup, doc="Interfaces that share one pace.", obeyed=False)
    interface_up_down_delays: tuple[LinkDelay, ...] = entries(
        link_delay, "Seconds before the loss or the return of a link counts.", obeyed=False
    )
    linkbeat_interfaces: tuple[LinkPoll, ...] = entries(
        link_poll, "Interfaces whose link is asked for, since their driver reports no change.", obeyed=False
    )
    linkbeat_use_polling: bool = kw(flag, "Ask every interface for its link.", default=False, obeyed=False)

    # where the daemon runs
    net_namespace: str = kw(file_name, "Network namespace that the daemon runs in.", default="", obeyed=False)
    net_namespace_ipvs: str | None = optional(
        file_name_or_none,
        "Network namespace of IPVS: the daemon's own by default, without an argument that of the host.",
        obeyed=False,
    )
    namespace_with_ipsets: bool = kw(
        flag, "Use sets of addresses inside a namespace on kernels before 3.13; lvsd needs a later one.", default=False
    )
    use_pid_dir: bool = kw(
        flag, "Pid files of keepalived's processes stand in a folder; lvsd's always do.", default=False
    )
    instance: str = kw(file_name, "Name of this daemon among several of one namespace.", default="", obeyed=False)
    child_wait_time: float = kw(seconds(0), "Seconds that processes are waited for at stop.", default=5.0, obeyed=False)

    ssl: Ssl | None = sub(Ssl, "Certificate of checks over TLS.", obeyed=False)

    # lvsd's own
    admin: Admin | None = sub(Admin, "How the daemon is asked and steered.", obeyed=False)
    peer_link: PeerLink | None = sub(PeerLink, "A link between directors beside VRRP.", obeyed=False)
    arbiters: tuple[Arbiter, ...] = blocks(Arbiter, doc="Witnesses of one's own connection.", obeyed=False)
    fence: Fence | None = sub(Fence, "A program that switches the other director off.", obeyed=False)
    alert: Alert | None = sub(Alert, "Who is told of alarms.", obeyed=False)
