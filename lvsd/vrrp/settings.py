"""Declarations of vrrp_instance and vrrp_sync_group, and the part of the configuration that the vrrp process gets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv6Address

from lvsd.core.conf.keyword import arg, block, entries, kw, names, optional, required, sub
from lvsd.core.conf.values import (
    AddressLine,
    Command,
    Lease,
    Secret,
    Tracked,
    address_line,
    boolean,
    choice,
    command,
    flag,
    integer,
    interface,
    ip,
    lease,
    seconds,
    secret,
    tracked,
    word,
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


@block("vrrp_instance", "A virtual router on one interface.")
class VrrpInstance:
    name: str = arg(word, "Name of the instance.")
    interface: str = required(interface, "Interface of the virtual router.")
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
    virtual_ipaddress: tuple[AddressLine, ...] = entries(
        address_line, "Addresses held by the master and named in adverts."
    )
    virtual_ipaddress_excluded: tuple[AddressLine, ...] = entries(
        address_line, "Addresses held by the master, not named in adverts."
    )
    mcast_src_ip: IPv4Address | IPv6Address | None = optional(
        ip, "Source address of adverts; the interface's by default."
    )
    nopreempt: bool = kw(flag, "Let a master of lower priority go on.", default=False)
    preempt: bool = kw(flag, "The default.", default=False, deprecated="preempting is the default")
    preempt_delay: float = kw(
        seconds(0, 1000), "Seconds to wait before preempting a master of lower priority.", default=0.0
    )
    down_timer_adverts: int | None = optional(integer(1, 100), "Adverts that may be missed before a take-over.")
    lower_prio_no_advert: bool | None = optional(boolean, "Do not answer an advert of lower priority with one.")
    higher_prio_send_advert: bool | None = optional(boolean, "Send an advert before giving way to a higher priority.")
    skip_check_adv_addr: bool | None = optional(boolean, "Do not compare the addresses of every advert.")
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
    track_interface: tuple[Tracked, ...] = entries(
        tracked, "Interfaces whose loss is a fault, or with a weight moves the priority."
    )
    dont_track_primary: bool = kw(flag, "The loss of the own interface is no fault.", default=False)
    notify_master: Command | None = optional(command, "Run on becoming master.")
    notify_backup: Command | None = optional(command, "Run on becoming backup.")
    notify_fault: Command | None = optional(command, "Run on fault.")
    notify_stop: Command | None = optional(command, "Run at stop.")
    notify: Command | None = optional(command, "Run on every change, with type, name, state and priority.")
    smtp_alert: bool | None = optional(boolean, "Mail on every change.", obeyed=False)
    debug: int = kw(integer(0, 4), "Accepted as keepalived does; without effect.", default=0)
    vip_lease: Lease | None = optional(lease, "Life time of the addresses in the kernel: on, off or seconds.")


@block("vrrp_sync_group", "Instances that change state together.")
class VrrpSyncGroup:
    name: str = arg(word, "Name of the group.")
    group: tuple[str, ...] = names(word, "The member instances.", required=True)
    track_interface: tuple[Tracked, ...] = entries(tracked, "Interfaces tracked for every member.")
    notify_master: Command | None = optional(command, "Run on becoming master.")
    notify_backup: Command | None = optional(command, "Run on becoming backup.")
    notify_fault: Command | None = optional(command, "Run on fault.")
    notify_stop: Command | None = optional(command, "Run at stop.")
    notify: Command | None = optional(command, "Run on every change, with type, name, state and priority 0.")
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
