"""Declarations of vrrp_instance and vrrp_sync_group, and the part of the configuration that the vrrp process gets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv6Address

from lvsd.core.conf.keyword import arg, block, entries, kw, names, optional, required, several, sub
from lvsd.core.conf.values import (
    AddressLine,
    Command,
    ExtraGarps,
    HmacKey,
    Lease,
    RouteLine,
    RuleLine,
    Secret,
    Tracked,
    UnicastPeer,
    UseIpvlan,
    UseVmac,
    address_line,
    boolean,
    choice,
    command,
    command_or_none,
    extra_garps,
    flag,
    flag_or,
    hmac_key,
    integer,
    ip,
    lease,
    lower_choice,
    route_line,
    rule_line,
    seconds,
    secret,
    tracked,
    unicast_peer,
    use_ipvlan,
    use_vmac,
    word,
)
from lvsd.core.conf.values import (
    interface as interface_name,
)
from lvsd.core.settings import GlobalDefs


class InitialState(Enum):
    MASTER = "MASTER"
    BACKUP = "BACKUP"


class AuthType(Enum):
    PASS = "PASS"
    AH = "AH"


@block("authentication", "Authentication of VRRP version 2; both sides must agree.")
class Authentication:
    auth_type: AuthType = kw(
        choice(AuthType), "PASS: plain text password. AH: not supported yet.", default=AuthType.PASS
    )
    auth_pass: Secret = kw(secret, "Password; eight bytes count.", default=Secret(""))


class AntiReplay(Enum):
    TIME = "time"
    MONOTONIC = "monotonic"


class HmacMode(Enum):
    ENFORCE = "enforce"
    PERMISSIVE = "permissive"
    RECEIVE_ONLY = "receive-only"


@block("auth_hmac", "Signatures of adverts by HMAC-SHA256; both sides must agree.")
class AuthHmac:
    keys: tuple[HmacKey, ...] = several(hmac_key, "A key; several let one follow another without a gap.", name="key")
    active_key: int | None = optional(integer(1, 255), "Number of the key that signs.")
    time_window: int | None = optional(
        integer(1, 300),
        "Seconds by which clocks may differ with anti_replay time; three times advert_int, 5 at least, by default.",
    )
    anti_replay: AntiReplay = kw(
        lower_choice(AntiReplay), "time: old adverts are dropped as well as repeated ones.", default=AntiReplay.TIME
    )
    mode: HmacMode = kw(
        lower_choice(HmacMode),
        "permissive: adverts without a signature are taken; receive-only: none is sent.",
        default=HmacMode.ENFORCE,
    )


DEAF = "two directors would not hear each other"


@block("vrrp_instance", "A virtual router on one interface.")
class VrrpInstance:
    name: str = arg(word, "Name of the instance.")
    interface: str = required(interface_name, "Interface of the virtual router.")
    virtual_router_id: int = required(integer(1, 255), "VRID shared with its peers.")
    state: InitialState = kw(
        choice(InitialState), "Wish at start; only an owner (255) starts as master.", default=InitialState.BACKUP
    )
    priority: int | None = optional(
        integer(1, 255), "Base priority; 255 owns the addresses. 100, or 255 with state MASTER."
    )
    advert_int: float = kw(seconds(0.01, 255), "Seconds between adverts; whole seconds in version 2.", default=1.0)
    version: int | None = optional(integer(2, 3), "Protocol version; vrrp_version by default.")
    authentication: Authentication | None = sub(Authentication, "Authentication of version 2.")
    auth_hmac: AuthHmac | None = sub(AuthHmac, "Signatures of adverts.", obeyed=False, vital=DEAF)
    v3_checksum_as_v2: bool | None = optional(
        boolean, "Checksum of version 3 over IPv4 without the addresses.", obeyed=False
    )

    # what the master holds
    virtual_ipaddress: tuple[AddressLine, ...] = entries(
        address_line, "Addresses held by the master and named in adverts."
    )
    virtual_ipaddress_excluded: tuple[AddressLine, ...] = entries(
        address_line, "Addresses held by the master, not named in adverts."
    )
    no_virtual_ipaddress: bool = kw(flag, "It is meant to have no address.", default=False)
    virtual_routes: tuple[RouteLine, ...] = entries(route_line, "Routes held by the master.", obeyed=False)
    virtual_rules: tuple[RuleLine, ...] = entries(rule_line, "Routing rules held by the master.", obeyed=False)
    vip_lease: Lease | None = optional(lease, "Life time of the addresses in the kernel: on, off or seconds.")
    promote_secondaries: bool = kw(
        flag, "Other addresses of a network stay when its first one leaves the interface.", default=False, obeyed=False
    )
    accept: bool = kw(flag, "Answer packets to the addresses; the default.", default=False)
    no_accept: bool = kw(flag, "Drop packets to the addresses, unless it owns them.", default=False, obeyed=False)

    # how adverts travel
    mcast_src_ip: IPv4Address | IPv6Address | None = optional(
        ip, "Source address of adverts; the interface's by default."
    )
    mcast_dst_ip: IPv4Address | IPv6Address | None = optional(
        ip, "Multicast group of adverts; that of global_defs by default.", obeyed=False, vital=DEAF
    )
    unicast_peer: tuple[UnicastPeer, ...] = entries(
        unicast_peer,
        "Directors that adverts are sent to instead of a multicast group.",
        obeyed=False,
        vital=DEAF,
        filled=True,
    )
    unicast_src_ip: IPv4Address | IPv6Address | None = optional(
        ip, "Source address of adverts to peers; the interface's by default.", obeyed=False
    )
    unicast_ttl: int | None = optional(
        integer(0, 255),
        "Time to live of adverts to peers; 255 over IPv4 by default, over IPv6 the kernel's.",
        obeyed=False,
    )
    unicast_fault_no_peer: bool = kw(flag, "No peer is a fault instead of multicast.", default=False, obeyed=False)
    check_unicast_src: bool = kw(flag, "Take adverts of the peers only.", default=False, obeyed=False)
    old_unicast_checksum: str | None = optional(
        flag_or("never"),
        "Checksum to peers as keepalived 1.3.6 and older have it; never: not even where a peer does.",
        obeyed=False,
    )
    vrf: str = kw(interface_name, "VRF of adverts to peers where there is no interface.", default="", obeyed=False)
    kernel_rx_buf_size: int | None = optional(
        integer(1), "Bytes of the socket's receive buffer; the kernel's size by default.", obeyed=False
    )
    native_ipv6: bool = kw(flag, "It is of IPv6.", default=False, deprecated="the first address tells the family")

    # interfaces of its own
    use_vmac: UseVmac | None = optional(use_vmac, "Work on an interface with the virtual MAC address.", obeyed=False)
    vmac_xmit_base: bool = kw(flag, "Adverts leave from the base interface.", default=False, obeyed=False)
    use_vmac_addr: bool = kw(
        flag, "Virtual MAC interfaces for addresses on other interfaces, too.", default=False, obeyed=False
    )
    use_ipvlan: UseIpvlan | None = optional(
        use_ipvlan, "Work on an interface of its own that shares the MAC address.", obeyed=False
    )
    lvs_sync_daemon_interface: str = kw(
        interface_name,
        "Interface of the sync daemon.",
        default="",
        deprecated="lvs_sync_daemon of global_defs names it",
    )

    # when it gives way
    nopreempt: bool = kw(flag, "Let a master of lower priority go on.", default=False)
    preempt: bool = kw(flag, "The default.", default=False, deprecated="preempting is the default")
    preempt_delay: float = kw(
        seconds(0, 1000), "Seconds to wait before preempting a master of lower priority.", default=0.0
    )
    strict_mode: bool | None = optional(boolean, "Strict compliance with the protocol.", obeyed=False)
    timer_expired_backup: int | None = optional(
        integer(1, 254, bare=0),
        "With nopreempt: go back to BACKUP if the own timer ran so late that another director took over.",
        aliases=("thread_timer_expired",),
        obeyed=False,
    )
    owner_ignore_adverts: bool | None = optional(
        boolean, "An owner of the addresses (priority 255) does not listen to adverts.", obeyed=False
    )
    arbiter: str = kw(word, "Witness that is asked before a take-over.", default="", obeyed=False)
    down_timer_adverts: int | None = optional(integer(1, 100), "Adverts that may be missed before a take-over.")
    lower_prio_no_advert: bool | None = optional(boolean, "Do not answer an advert of lower priority with one.")
    higher_prio_send_advert: bool | None = optional(boolean, "Send an advert before giving way to a higher priority.")
    skip_check_adv_addr: bool | None = optional(boolean, "Do not compare the addresses of every advert.")

    # GARPs
    garp_master_delay: float | None = optional(
        seconds(0), "Time from take-over to the second set of GARPs; 0 for none."
    )
    garp_master_repeat: int | None = optional(integer(1), "GARPs in each set after take-over.")
    garp_master_refresh: float | None = optional(seconds(0), "Period of GARPs as master; 0 for none.")
    garp_master_refresh_repeat: int | None = optional(integer(1), "GARPs in each refresh.")
    garp_lower_prio_delay: float | None = optional(
        seconds(0), "Time to the second set of GARPs after an advert of lower priority."
    )
    garp_lower_prio_repeat: int | None = optional(integer(0), "GARPs after an advert of lower priority.")
    garp_extra_if: ExtraGarps | None = optional(
        extra_garps,
        "Period of GARPs for addresses on other interfaces; vrrp_garp_extra_if by default.",
        aliases=("vmac_garp_intvl",),
        obeyed=False,
    )

    # what it depends on
    track_interface: tuple[Tracked, ...] = entries(
        tracked, "Interfaces whose loss is a fault, or with a weight moves the priority."
    )
    track_script: tuple[Tracked, ...] = entries(tracked, "Programs that watch over it.", obeyed=False)
    track_file: tuple[Tracked, ...] = entries(tracked, "Files whose number moves the priority.", obeyed=False)
    track_process: tuple[Tracked, ...] = entries(tracked, "Processes that must run.", obeyed=False)
    track_bfd: tuple[Tracked, ...] = entries(tracked, "BFD sessions that must be up.", obeyed=False)
    track_src_ip: bool = kw(flag, "The loss of the configured source address is a fault.", default=False, obeyed=False)
    dont_track_primary: bool = kw(flag, "The loss of the own interface is no fault.", default=False)
    linkbeat_use_polling: bool = kw(
        flag, "Poll the link of the interface.", default=False, deprecated="the kernel tells of changes"
    )

    # who is told
    notify_master: Command | None = optional(command, "Run on becoming master.")
    notify_backup: Command | None = optional(command, "Run on becoming backup.")
    notify_fault: Command | None = optional(command, "Run on fault.")
    notify_stop: Command | None = optional(command, "Run at stop.")
    notify_deleted: Command | None = optional(
        command_or_none, "Run where a reload removes it, instead of notify_fault.", obeyed=False
    )
    notify_master_rx_lower_pri: Command | None = optional(
        command, "Run where the master sees an advert of lower priority.", obeyed=False
    )
    notify: Command | None = optional(command, "Run on every change, with type, name, state and priority.")
    notify_priority_changes: bool | None = optional(
        boolean, "Tell the notify FIFO of changed priorities.", obeyed=False
    )
    smtp_alert: bool | None = optional(boolean, "Mail on every change.", obeyed=False)
    debug: int = kw(integer(0, 4), "Accepted as keepalived does; without effect.", default=0)


@block("vrrp_sync_group", "Instances that change state together.")
class VrrpSyncGroup:
    name: str = arg(word, "Name of the group.")
    group: tuple[str, ...] = names(word, "The member instances.", required=True, filled=True)
    track_interface: tuple[Tracked, ...] = entries(tracked, "Interfaces tracked for every member.")
    track_script: tuple[Tracked, ...] = entries(tracked, "Programs that watch over every member.", obeyed=False)
    track_file: tuple[Tracked, ...] = entries(tracked, "Files tracked for every member.", obeyed=False)
    track_process: tuple[Tracked, ...] = entries(tracked, "Processes tracked for every member.", obeyed=False)
    track_bfd: tuple[Tracked, ...] = entries(tracked, "BFD sessions tracked for every member.", obeyed=False)
    sync_group_tracking_weight: bool = kw(
        flag, "Weights count, added up over the members, and move them all.", default=False, obeyed=False
    )
    arbiter: str = kw(word, "Witness that is asked before a take-over.", default="", obeyed=False)
    notify_master: Command | None = optional(command, "Run on becoming master.")
    notify_backup: Command | None = optional(command, "Run on becoming backup.")
    notify_fault: Command | None = optional(command, "Run on fault.")
    notify_stop: Command | None = optional(command, "Run at stop.")
    notify: Command | None = optional(command, "Run on every change, with type, name, state and priority 0.")
    notify_priority_changes: bool | None = optional(
        boolean, "Tell the notify FIFO of changed priorities.", obeyed=False
    )
    smtp_alert: bool | None = optional(boolean, "Mail on every change.", obeyed=False)
    group_goodbye: bool = kw(
        boolean, "Priority 0 from the master of one member shortens the waiting time of the others.", default=True
    )
    global_tracking: bool = kw(flag, "No longer acts.", default=False, deprecated="it has no effect any more")


@dataclass(frozen=True, slots=True)
class VrrpSettings:
    """What the vrrp process is given."""

    globals: GlobalDefs
    instances: tuple[VrrpInstance, ...]
    groups: tuple[VrrpSyncGroup, ...]
