"""Whether a vrrp process that was started again goes on as the master that its predecessor was."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from struct import Struct

from lvsd.core.ipc.messages import Restarted, VrrpReport
from lvsd.core.netlink.route import FOREVER, AddressRow
from lvsd.vrrp.resolve import Node, VirtualRouter
from lvsd.vrrp.types import Address, AdvertReceived, HoldAddresses

from .entries import TAG, Entry, make_entry
from .links import LinkTable

log = logging.getLogger(__name__)

MOST_A_MINUTE = 3
LEAST_LEFT = 1
"""Seconds that the lease of every address must have left."""

_TIME = Struct("=d")


class Adoption:
    """Times are monotonic, which all processes of a machine share."""

    def __init__(self) -> None:
        self._report: VrrpReport | None = None
        self._times: list[float] = []

    def restarted(self, message: Restarted) -> None:
        self._report = message.report

    def recall(self, data: bytes) -> None:
        """Takes what memory() gave an earlier process."""
        self._times = [at for (at,) in _TIME.iter_unpack(data[: len(data) - len(data) % _TIME.size])]

    def memory(self) -> bytes:
        return b"".join(_TIME.pack(at) for at in self._times)

    @property
    def possible(self) -> bool:
        """Whether there is anything to decide: core's last word is that an instance was master."""
        return self._report is not None and any(instance.state == "MASTER" for instance in self._report.instances)

    def decide(
        self,
        node: Node,
        table: LinkTable,
        rows: Iterable[AddressRow],
        early: Iterable[AdvertReceived],
        now: float,
    ) -> tuple[HoldAddresses, ...]:
        """What goes on being held; a sync group whole or not at all. early: adverts that have come in since the sockets were
        opened; after one of another master nothing is adopted."""
        report, self._report = self._report, None
        if report is None:
            return ()
        self._times = [at for at in self._times if at > now - 60]
        masters = {instance.name for instance in report.instances if instance.state == "MASTER"}
        if masters and len(self._times) >= MOST_A_MINUTE:
            log.warning("restarted %d times within a minute: starting as backup", MOST_A_MINUTE)
            return ()
        present = {(row.index, row.address, row.prefix): row for row in rows}
        heard = {(advert.interface, advert.data[1], advert.source.version) for advert in early if len(advert.data) > 1}
        reasons = {
            router.name: why
            for router in node.routers
            if (why := _obstacle(router, masters, table, present, heard)) is not None
        }
        for group in node.groups:
            if spoilt := [name for name in group.members if name in reasons]:
                for name in group.members:
                    reasons.setdefault(name, f"{spoilt[0]} of its group does not go on")
        for name, why in reasons.items():
            if name in masters:
                log.warning("%s was master before the restart, and starts as backup: %s", name, why)
        orders = tuple(
            HoldAddresses(router.name, router.interface, router.addresses, router.lease)
            for router in node.routers
            if router.name not in reasons
        )
        if orders:
            self._times.append(now)
        return orders


def _obstacle(
    router: VirtualRouter,
    masters: Collection[str],
    table: LinkTable,
    present: Mapping[tuple[int, Address, int], AddressRow],
    heard: Collection[tuple[str, int, int]],
) -> str | None:
    if router.name not in masters:
        return "it was no master"
    identity = router.identity
    if (identity.interface, identity.virtual_router_id, identity.family) in heard:
        return "another master advertises"
    for line in router.addresses:
        device = line.dev or router.interface
        entry: Entry = make_entry(router.name, line, device, table.index(device), router.lease)
        row = present.get(entry.key)
        if row is None:
            return f"{line.address} is not on {device} any more"
        leased = row.valid_lft != FOREVER
        if not leased and row.proto != TAG:
            return f"{line.address} on {device} was not added by lvsd"
        if leased and row.valid_lft < LEAST_LEFT:
            return f"the lease of {line.address} is about to end"
    return None


def own_addresses(node: Node, table: LinkTable, adopted: Collection[str]) -> frozenset[tuple[int, Address]]:
    """Device and address of everything that the configuration gives to instances which start as backup: whoever left it there,
    it is another master's now. (The addresses of an owner are its host's own.)"""
    return frozenset(
        (index, line.address)
        for router in node.routers
        if router.name not in adopted and not router.owner
        for line in router.addresses
        if (index := table.index(line.dev or router.interface))
    )
