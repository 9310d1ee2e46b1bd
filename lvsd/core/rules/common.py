"""What the rules share: their registry, and facts that are worked out of several keywords."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from lvsd.check.settings import VirtualServer
from lvsd.core.conf.keyword import empty
from lvsd.core.conf.rules import Finding, Rules
from lvsd.core.conf.types import AddressRange, ByGroup, Endpoint, Lease, MarkEntry
from lvsd.core.root import Root
from lvsd.core.settings import GlobalDefs
from lvsd.vrrp.settings import InitialState, VrrpInstance

OWNER = 255
DERIVED_LEASE_MOST = 10
"""Seconds; what `vip_lease on` comes to at most."""

RULES: Rules[Root] = Rules()
Findings = Iterator[Finding]


def outgrown(lease: Lease, advert_int: float) -> bool:
    """Whether a derived life time, as it stands, would leave no room for one lost renewal."""
    return lease.on and not lease.seconds and 2 * advert_int + 1 > DERIVED_LEASE_MOST


def defaults(root: Root) -> GlobalDefs:
    return root.global_defs or empty(GlobalDefs)


def family(instance: VrrpInstance) -> int:
    named = instance.virtual_ipaddress + instance.virtual_ipaddress_excluded
    return named[0].address.version if named else 4


def owns(instance: VrrpInstance) -> bool:
    """Whether it owns its addresses, which no weight and no other director takes from it."""
    return (instance.priority or (OWNER if instance.state is InitialState.MASTER else 0)) == OWNER


def never_preempts(instance: VrrpInstance) -> bool:
    """nopreempt has no effect on an initial master and on an owner."""
    return instance.nopreempt and instance.state is not InitialState.MASTER and not owns(instance)


def version(root: Root, instance: VrrpInstance) -> int:
    return 3 if family(instance) == 6 else instance.version or defaults(root).vrrp_version


def members_of(root: Root, server: VirtualServer) -> tuple[AddressRange | MarkEntry, ...]:
    if not isinstance(server.header, ByGroup):
        return ()
    name = server.header.name
    return next((each.members for each in root.virtual_server_groups if each.name == name), ())


def ports(root: Root, server: VirtualServer) -> set[int]:
    """That the service listens on; 0 for every port. A service by mark has none."""
    if isinstance(server.header, Endpoint):
        return {server.header.port}
    return {each.port for each in members_of(root, server) if isinstance(each, AddressRange)}


def twice(keyed: Iterable[tuple[Hashable, Finding]]) -> Findings:
    """The findings whose key has been seen before."""
    seen: set[Hashable] = set()
    for key, finding in keyed:
        if key in seen:
            yield finding
        seen.add(key)
