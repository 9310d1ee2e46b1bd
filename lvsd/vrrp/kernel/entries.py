"""From a line of virtual_ipaddress to the requests that place, renew and remove it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Network, ip_interface

from lvsd.core.conf.values import AddressLine
from lvsd.core.netlink import route
from lvsd.core.netlink.route import FOREVER, AddressFlags, AddressRow, RouteRow
from lvsd.vrrp.types import Address

TAG = 76
"""Marks addresses (IFA_PROTO, from kernel 5.18 on) and routes (RTPROT) that lvsd made."""
_PREFIX_ROUTE_METRIC = 256  # IP6_RT_PRIO_ADDRCONF, of the prefix routes that the kernel makes


@dataclass(frozen=True, slots=True)
class Entry:
    """One address that an instance holds. place: adds it, or takes over one that is there. renew: gives it a new lease only
    if it is there; None without a lease. renew_or_place: the same where the kernel cannot refuse to make it anew.
    prefix_route: what an IPv6 device has to have beside it."""

    instance: str
    device: str
    row: AddressRow
    place: bytes
    remove: bytes
    renew: bytes | None
    renew_or_place: bytes | None
    prefix_route: RouteRow | None
    no_track: bool = False

    @property
    def key(self) -> tuple[int, Address, int]:
        return key(self.row)


def key(row: AddressRow) -> tuple[int, Address, int]:
    return row.index, row.address, row.prefix


def make_entry(instance: str, line: AddressLine, device: str, index: int, lease: int) -> Entry:
    """lease: seconds, 0 for none."""
    row = _row(line, index, lease)
    wanted_route = None
    if line.address.version == 6 and line.prefix < 128 and not line.noprefixroute and not line.address.is_link_local:
        network = IPv6Network((int(line.address), line.prefix), strict=False)
        wanted_route = RouteRow(
            network.network_address, line.prefix, index=index, metric=_PREFIX_ROUTE_METRIC, proto=TAG
        )
    return Entry(
        instance=instance,
        device=device,
        row=row,
        place=route.replace_address(row),
        remove=route.delete_address(row),
        renew=renewal(row) if lease else None,
        renew_or_place=route.replace_address(row) if lease else None,
        prefix_route=wanted_route,
        no_track=line.no_track,
    )


def renewal(row: AddressRow) -> bytes:
    """A request that gives a present address its life time and is refused (EINVAL) where there is none: the kernel would have
    to join the address as a multicast group before it adds it (inet_rtm_newaddr, inet6_addr_add), which a unicast
    address does not allow, while it takes no notice of that for one that is there."""
    return route.replace_address(replace(row, flags=row.flags | AddressFlags.MCAUTOJOIN))


def _row(line: AddressLine, index: int, lease: int) -> AddressRow:
    flags = AddressFlags(0)
    if line.home:
        flags |= AddressFlags.HOMEADDRESS
    if line.mngtmpaddr:
        flags |= AddressFlags.MANAGETEMPADDR
    if line.noprefixroute:
        flags |= AddressFlags.NOPREFIXROUTE
    preferred = line.preferred_lft
    if line.address.version == 6:
        # The virtual router's address is taken from its last master, which duplicate detection would take for a clash;
        # and a prefix route of the kernel's would end with the lease, the host's own one included.
        flags |= AddressFlags.NODAD | AddressFlags.NOPREFIXROUTE
        if preferred is None and line.prefix == 128:
            preferred = 0
    valid = lease or FOREVER
    peer, prefix = _peer(line)
    return AddressRow(
        index=index,
        address=line.address,
        prefix=prefix,
        peer=peer,
        broadcast=_broadcast(line),
        label=line.label,
        scope=line.scope or 0,
        flags=flags,
        valid_lft=valid,
        preferred_lft=valid if preferred is None else min(preferred, valid),
        proto=TAG,
    )


def _peer(line: AddressLine) -> tuple[IPv4Address | IPv6Address | None, int]:
    if not line.peer:
        return None, line.prefix
    written = ip_interface(line.peer)
    return written.ip, written.network.prefixlen if "/" in line.peer else line.prefix


def _broadcast(line: AddressLine) -> IPv4Address | None:
    if not line.broadcast or line.address.version == 6:
        return None
    network = IPv4Interface((int(line.address), line.prefix)).network
    if line.broadcast == "+":
        return network.broadcast_address
    if line.broadcast == "-":
        return network.network_address
    return IPv4Address(line.broadcast)
