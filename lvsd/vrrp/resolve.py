"""From what the operator wrote to what the machines work with: every default filled in, every inheritance done.

Defaults and roundings are keepalived's, so that a mixed pair agrees on its timers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from typing import TypeVar

from lvsd.core.conf.values import AddressLine, Command, Lease, Tracked
from lvsd.core.settings import GlobalDefs

from .settings import AuthType, InitialState, VrrpInstance, VrrpSettings, VrrpSyncGroup

Address = IPv4Address | IPv6Address
T = TypeVar("T")

OWNER = 255
LEASE_LEAST, LEASE_MOST = 2, 10  # seconds; the kernel's address timer is no finer than a second
MOST_ADDRESSES = {4: 255, 6: 90}  # the count is one byte; 90 IPv6 addresses fill an Ethernet frame
USUAL_REPEAT, USUAL_SECOND_AFTER = 5, 5.0  # what vrrp_min_garp lowers, where the operator wrote nothing else
MOST_V3_INTERVAL = 40.95  # twelve bits of centiseconds


class Unresolvable(Exception):
    """Settings that no machine can work with; problems: one sentence each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Announcing:
    """Gratuitous ARP or neighbour advertisements of one instance: counts, and seconds (0: none).
    interval: gap between two frames."""

    repeat: int
    second_after: float
    refresh_every: float
    refresh_repeat: int
    lower_repeat: int
    lower_second_after: float
    interval: float


@dataclass(frozen=True, slots=True)
class Notify:
    """The operator's scripts by state (MASTER, BACKUP, FAULT, STOP), and the one for every change."""

    by_state: tuple[tuple[str, Command], ...] = ()
    every: Command | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes a virtual router the same one over a reload; its name does not."""

    interface: str
    virtual_router_id: int
    family: int


@dataclass(frozen=True, slots=True)
class VirtualRouter:
    """One instance, resolved. Times in seconds; lease 0: addresses without a life time; source None: the interface's.
    password: the eight bytes of PASS, None without authentication."""

    name: str
    identity: Identity
    version: int
    priority: int
    advert_int: float
    password: bytes | None
    addresses: tuple[AddressLine, ...]
    advertised: tuple[Address, ...]
    source: Address | None
    destination: Address
    nopreempt: bool
    preempt_delay: float
    down_adverts: int
    answers_lower: bool
    adverts_before_yielding: bool
    compares_every_advert: bool
    announcing: Announcing
    trackers: tuple[Tracked, ...]
    tracks_own_interface: bool
    notify: Notify
    lease: int
    group: str

    @property
    def interface(self) -> str:
        return self.identity.interface

    @property
    def owner(self) -> bool:
        return self.priority == OWNER


@dataclass(frozen=True, slots=True)
class SyncGroup:
    name: str
    members: tuple[str, ...]
    goodbye: bool
    notify: Notify


@dataclass(frozen=True, slots=True)
class Node:
    """Everything that one director is to do. startup_delay: seconds before VRRP runs."""

    routers: tuple[VirtualRouter, ...]
    groups: tuple[SyncGroup, ...]
    startup_delay: float

    @property
    def interfaces(self) -> frozenset[str]:
        """Interfaces whose state the machines must know."""
        return frozenset(
            name for router in self.routers for name in (router.interface, *(t.name for t in router.trackers))
        )


def resolve(settings: VrrpSettings) -> Node:
    """Raises Unresolvable where two instances would be one on the wire, or where authentication cannot be done."""
    member_of: dict[str, VrrpSyncGroup] = {}
    for group in settings.groups:
        for member in group.group:
            member_of.setdefault(member, group)
    problems = [
        f"vrrp_instance {instance.name}: auth_type AH is not supported; use PASS"
        for instance in settings.instances
        if instance.authentication is not None and instance.authentication.auth_type is AuthType.AH
    ]
    routers = tuple(
        _router(instance, member_of.get(instance.name), settings.globals) for instance in settings.instances
    )
    for identity, count in Counter(router.identity for router in routers).items():
        if count > 1:
            names = ", ".join(router.name for router in routers if router.identity == identity)
            problems.append(
                f"virtual_router_id {identity.virtual_router_id} stands in several instances on "
                f"{identity.interface}: {names}"
            )
    for name, count in Counter(router.name for router in routers).items():
        if count > 1:
            problems.append(f"vrrp_instance {name} stands {count} times")
    if problems:
        raise Unresolvable(tuple(problems))
    known = {router.name for router in routers}
    groups = tuple(
        SyncGroup(
            name=group.name,
            members=members,
            goodbye=group.group_goodbye,
            notify=_notify(group, settings.globals),
        )
        for group in settings.groups
        if (members := tuple(m for m in dict.fromkeys(group.group) if m in known and member_of[m] is group))
    )
    return Node(_with_group_leases(routers), groups, settings.globals.vrrp_startup_delay)


def _router(instance: VrrpInstance, group: VrrpSyncGroup | None, defaults: GlobalDefs) -> VirtualRouter:
    family = _family(instance)
    version = 3 if family == 6 else instance.version or defaults.vrrp_version
    wants_master = instance.state is InitialState.MASTER
    priority = instance.priority or (OWNER if wants_master else 100)
    advert_int = _advert_int(instance.advert_int, version)
    # keepalived clears both where state MASTER stands: an initial master is one that preempts.
    nopreempt = instance.nopreempt and not wants_master and priority != OWNER
    preempt_delay = 0.0 if nopreempt or wants_master or priority == OWNER else instance.preempt_delay
    named = tuple(line for line in instance.virtual_ipaddress if line.address.version == family)
    return VirtualRouter(
        name=instance.name,
        identity=Identity(instance.interface, instance.virtual_router_id, family),
        version=version,
        priority=priority,
        advert_int=advert_int,
        password=_password(instance, version),
        addresses=instance.virtual_ipaddress + instance.virtual_ipaddress_excluded,
        advertised=tuple(line.address for line in named[: MOST_ADDRESSES[family]]),
        source=instance.mcast_src_ip,
        destination=defaults.vrrp_mcast_group4 if family == 4 else defaults.vrrp_mcast_group6,
        nopreempt=nopreempt,
        preempt_delay=preempt_delay,
        down_adverts=_first(instance.down_timer_adverts, defaults.vrrp_down_timer_adverts),
        answers_lower=not _first(instance.lower_prio_no_advert, defaults.vrrp_lower_prio_no_advert),
        adverts_before_yielding=_first(instance.higher_prio_send_advert, defaults.vrrp_higher_prio_send_advert),
        compares_every_advert=not _first(instance.skip_check_adv_addr, defaults.vrrp_skip_check_adv_addr),
        announcing=_announcing(instance, family, defaults),
        trackers=_trackers(instance, group),
        tracks_own_interface=not instance.dont_track_primary,
        notify=_notify(instance, defaults),
        lease=_lease(instance.vip_lease or defaults.vip_lease, advert_int),
        group=group.name if group else "",
    )


def _family(instance: VrrpInstance) -> int:
    for line in instance.virtual_ipaddress + instance.virtual_ipaddress_excluded:
        return line.address.version
    return instance.mcast_src_ip.version if instance.mcast_src_ip else 4


def _advert_int(written: float, version: int) -> float:
    if version == 2:
        return max(1.0, float(int(written + 0.5)))
    return min(MOST_V3_INTERVAL, max(1, round(written * 100)) / 100)


def _password(instance: VrrpInstance, version: int) -> bytes | None:
    if version != 2 or instance.authentication is None:
        return None  # RFC 5798 section 9: version 3 has no authentication
    return instance.authentication.auth_pass.text.encode()[:8].ljust(8, b"\0")


def _first(own: T | None, inherited: T) -> T:
    return inherited if own is None else own


def _announcing(instance: VrrpInstance, family: int, defaults: GlobalDefs) -> Announcing:
    repeat, second_after = defaults.vrrp_garp_master_repeat, defaults.vrrp_garp_master_delay
    if defaults.vrrp_min_garp:
        repeat = 1 if repeat == USUAL_REPEAT else repeat
        second_after = 0.0 if second_after == USUAL_SECOND_AFTER else second_after
    repeat = _first(instance.garp_master_repeat, repeat)
    second_after = _first(instance.garp_master_delay, second_after)
    return Announcing(
        repeat=repeat,
        second_after=second_after,
        refresh_every=_first(instance.garp_master_refresh, defaults.vrrp_garp_master_refresh),
        refresh_repeat=_first(instance.garp_master_refresh_repeat, defaults.vrrp_garp_master_refresh_repeat),
        lower_repeat=_first(instance.garp_lower_prio_repeat, _first(defaults.vrrp_garp_lower_prio_repeat, repeat)),
        lower_second_after=_first(
            instance.garp_lower_prio_delay, _first(defaults.vrrp_garp_lower_prio_delay, second_after)
        ),
        interval=defaults.vrrp_garp_interval if family == 4 else defaults.vrrp_gna_interval,
    )


def _trackers(instance: VrrpInstance, group: VrrpSyncGroup | None) -> tuple[Tracked, ...]:
    found = {tracked.name: tracked for tracked in instance.track_interface}
    if group is not None:
        found |= {tracked.name: tracked for tracked in group.track_interface}
        # Members of a group win or lose together, so a weight would let one decide against the others: it is a fault.
        found = {name: replace(tracked, weight=0) for name, tracked in found.items()}
    if not instance.dont_track_primary:
        found.pop(instance.interface, None)  # tracked anyway
    return tuple(replace(tracked, weight=max(-253, min(253, tracked.weight or 0))) for tracked in found.values())


def _notify(block: VrrpInstance | VrrpSyncGroup, defaults: GlobalDefs) -> Notify:
    by_state = (
        ("MASTER", block.notify_master),
        ("BACKUP", block.notify_backup),
        ("FAULT", block.notify_fault),
        ("STOP", block.notify_stop),
    )
    return Notify(
        tuple((state, _as_user(command, defaults)) for state, command in by_state if command is not None),
        _as_user(block.notify, defaults) if block.notify is not None else None,
    )


def _as_user(command: Command, defaults: GlobalDefs) -> Command:
    if command.user or defaults.script_user is None:
        return command
    return replace(command, user=defaults.script_user.user, group=defaults.script_user.group)


def _lease(written: Lease, advert_int: float) -> int:
    if not written.on:
        return 0
    if written.seconds:
        return max(LEASE_LEAST, written.seconds)
    return max(LEASE_LEAST, min(LEASE_MOST, int(3 * advert_int + 1e-9)))


def _with_group_leases(routers: tuple[VirtualRouter, ...]) -> tuple[VirtualRouter, ...]:
    """Members of a group give their addresses up together, so the shortest lease is that of all."""
    shortest: dict[str, int] = {}
    for router in routers:
        if router.group and router.lease:
            shortest[router.group] = min(router.lease, shortest.get(router.group, router.lease))
    return tuple(
        replace(router, lease=shortest[router.group]) if router.lease and router.group in shortest else router
        for router in routers
    )
