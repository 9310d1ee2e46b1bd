"""Interfaces and their addresses as the kernel has them, followed by events. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from lvsd.core.netlink import route
from lvsd.core.netlink.route import AddressRow, Link
from lvsd.core.netlink.socket import MonitorSocket, Overrun
from lvsd.vrrp.types import Address, LinkChanged

GROUPS = (route.Group.LINK, route.Group.IPV4_ADDRESS, route.Group.IPV6_ADDRESS)


class LinkTable:
    """A copy of the kernel's tables of links and addresses.

    held: whether an address is a virtual one of lvsd's, which can be no source of adverts."""

    def __init__(self, held: Callable[[AddressRow], bool]) -> None:
        self._held = held
        self._links: dict[int, Link] = {}
        self._indexes: dict[str, int] = {}
        self._rows: dict[int, list[AddressRow]] = {}

    def load(self, links: Iterable[Link], rows: Iterable[AddressRow]) -> None:
        """Takes whole tables in place of what was known; rows in the kernel's order."""
        self._links = {link.index: link for link in links}
        self._indexes = {link.name: link.index for link in self._links.values()}
        self._rows = {}
        for row in rows:
            self._rows.setdefault(row.index, []).append(row)

    def apply(self, event: route.Event) -> None:
        match event:
            case route.NewLink(link):
                self._forget_name(link.index)
                self._links[link.index] = link
                self._indexes[link.name] = link.index
            case route.DelLink(link):
                self._forget_name(link.index)
                self._links.pop(link.index, None)
                self._rows.pop(link.index, None)
            case route.NewAddress(row):
                self._insert(row)
            case route.DelAddress(row):
                rows = self._rows.get(row.index, [])
                rows[:] = [other for other in rows if not _same(other, row)]

    def _forget_name(self, index: int) -> None:
        before = self._links.get(index)
        if before is not None and self._indexes.get(before.name) == index:
            del self._indexes[before.name]

    def _insert(self, row: AddressRow) -> None:
        rows = self._rows.setdefault(row.index, [])
        for place, other in enumerate(rows):
            if _same(other, row):
                if other.secondary == row.secondary:
                    rows[place] = row
                    return
                del rows[place]  # it was promoted, and the kernel puts it elsewhere
                break
        rows.insert(_place_of_ipv4(rows, row) if row.address.version == 4 else 0, row)

    # --- questions ------------------------------------------------------------------------------------------------

    def index(self, name: str) -> int:
        """0: there is no such interface."""
        return self._indexes.get(name, 0)

    def link(self, name: str) -> Link | None:
        return self._links.get(self._indexes.get(name, 0))

    def name(self, index: int) -> str:
        link = self._links.get(index)
        return f"interface {index}" if link is None else link.name

    def rows(self, index: int) -> list[AddressRow]:
        return self._rows.get(index, [])

    def fact(self, name: str) -> LinkChanged:
        link = self.link(name)
        if link is None:
            return LinkChanged(name, exists=False, up=False)
        return LinkChanged(name, exists=True, up=link.usable, sources=self._sources(link.index), mac=link.mac)

    def _sources(self, index: int) -> tuple[Address, ...]:
        """IPv4 addresses in the kernel's order, then IPv6 link-local ones (RFC 9568 section 5.1.2.1)."""
        usable = [
            row.address
            for row in self._rows.get(index, [])
            if not row.tentative and not row.dadfailed and not self._held(row)
        ]
        return tuple(
            [address for address in usable if address.version == 4]
            + [address for address in usable if address.version == 6 and address.is_link_local]
        )


def _same(one: AddressRow, other: AddressRow) -> bool:
    """Whether the kernel takes them for one address (find_matching_ifa, ipv6_get_ifaddr)."""
    if one.address != other.address:
        return False
    return one.address.version == 6 or (one.prefix == other.prefix and one.peer == other.peer)


def _place_of_ipv4(rows: list[AddressRow], new: AddressRow) -> int:
    """Where __inet_insert_ifa puts it: a secondary address at the end, a primary one behind the last primary of no
    smaller scope. (IPv6 rows stand in the same list and count for nothing.)"""
    if new.secondary:
        return len(rows)
    place = 0
    for index, row in enumerate(rows):
        if row.address.version == 4 and not row.secondary and new.scope <= row.scope:
            place = index + 1
    return place


class LinkMonitor:
    """Keeps the table up to date."""

    def __init__(self, table: LinkTable) -> None:
        self._table = table
        self._socket = MonitorSocket(GROUPS)
        self._watched: dict[str, LinkChanged | None] = {}
        self.own_ports: Collection[int] = ()
        """Port ids of lvsd's own requests, whose echoes are dropped undecoded."""
        self.overruns = 0

    def fileno(self) -> int:
        return self._socket.fileno()

    def watch(self, names: Iterable[str]) -> None:
        """Interfaces about which changes() tells; a new one is told about at the next call, whatever it is like."""
        self._watched = {name: self._watched.get(name) for name in names}

    def read(self) -> tuple[list[AddressRow], bool]:
        """Takes in what has happened. Returns the addresses that went away, and whether events were lost: then the tables
        have to be read again."""
        removed: list[AddressRow] = []
        try:
            events = self._socket.read(self.own_ports)
        except Overrun:
            self.overruns += 1
            return removed, True
        for data in events:
            event = route.decode(data)
            if event is None:
                continue
            self._table.apply(event)
            if isinstance(event, route.DelAddress):
                removed.append(event.row)
        return removed, False

    def changes(self) -> list[LinkChanged]:
        """The watched interfaces that are not as they were at the last call."""
        found = []
        for name, before in self._watched.items():
            now = self._table.fact(name)
            if now != before:
                self._watched[name] = now
                found.append(now)
        return found

    def close(self) -> None:
        self._socket.close()
