"""Two or three directors between an outer and an inner network, and the ways in which they are configured."""

from __future__ import annotations

import os
from ipaddress import IPv4Address
from typing import Any

from lvsd.core.conf.values import AddressLine, Lease
from lvsd.core.settings import GlobalDefs
from lvsd.vrrp.settings import VrrpInstance, VrrpSettings, VrrpSyncGroup

from .sim import Address, Director, World

OUTER, INNER = "outer", "inner"
VIP = IPv4Address("10.10.0.100")
INSIDE = IPv4Address("10.20.0.1")
PROOF = os.environ.get("LVSD_PROOF") == "1"


def sources(number: int) -> dict[str, Address]:
    return {OUTER: IPv4Address(f"10.10.0.{number}"), INNER: IPv4Address(f"10.20.0.{number + 1}")}


def instance(name: str, interface: str, vrid: int, *addresses: IPv4Address, **more: Any) -> VrrpInstance:
    lines = tuple(AddressLine(address, 24) for address in addresses)
    return VrrpInstance(name=name, interface=interface, virtual_router_id=vrid, virtual_ipaddress=lines, **more)


def pair(
    priority: int, *, grouped: bool = True, goodbye: bool = True, leases: bool = True, **more: Any
) -> VrrpSettings:
    """The farm's director: an outer and an inner instance, by default in one sync group."""
    group = VrrpSyncGroup(name="G", group=("OUT", "IN"), group_goodbye=goodbye)
    return VrrpSettings(
        GlobalDefs(vip_lease=Lease(on=leases)),
        (
            instance("OUT", OUTER, 51, VIP, priority=priority, **more),
            instance("IN", INNER, 52, INSIDE, priority=priority, **more),
        ),
        (group,) if grouped else (),
    )


def settled(
    seed: int = 1, first: int = 150, second: int = 100, until: float = 10.0, **more: Any
) -> tuple[World, Director, Director]:
    """Two directors after start; the one with the higher priority is master."""
    world = World(seed)
    lb1 = world.director("lb1", pair(first, **more), sources(1))
    lb2 = world.director("lb2", pair(second, **more), sources(2))
    world.run(until + world.random.random())
    return world, lb1, lb2
