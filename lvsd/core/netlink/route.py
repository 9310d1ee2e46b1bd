"""rtnetlink's links, addresses and simple routes: requests as bytes, rows and events as values.
Opens no socket (socket.py sends) and decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from ipaddress import IPv4Address, IPv6Address
from socket import AF_INET, AF_INET6
from struct import Struct

from lvsd.core.netlink import codec
from lvsd.core.netlink.codec import HEADER_LENGTH, Flag

Address = IPv4Address | IPv6Address

FOREVER = 0xFFFFFFFF
"""A life time that never ends (INFINITY_LIFE_TIME)."""
MAIN_TABLE = 254

_LINK = Struct("=BxHiII")
_ADDRESS = Struct("=BBBBI")
_ROUTE = Struct("=BBBBBBBBI")
_CACHE_INFO = Struct("=IIII")

_LINK_ATTRIBUTES = HEADER_LENGTH + _LINK.size
_ADDRESS_ATTRIBUTES = HEADER_LENGTH + _ADDRESS.size
_ROUTE_ATTRIBUTES = HEADER_LENGTH + _ROUTE.size

_NEW_LINK, _DEL_LINK, _GET_LINK = 16, 17, 18
_NEW_ADDRESS, _DEL_ADDRESS, _GET_ADDRESS = 20, 21, 22
_NEW_ROUTE, _DEL_ROUTE, _GET_ROUTE = 24, 25, 26

_SKIP_STATISTICS = 1 << 3  # RTEXT_FILTER_SKIP_STATS


class Group(IntEnum):
    """Multicast groups (RTNLGRP_*) for MonitorSocket."""

    LINK = 1
    IPV4_ADDRESS = 5
    IPV4_ROUTE = 7
    IPV6_ADDRESS = 9
    IPV6_ROUTE = 11


class LinkFlags(IntFlag):
    """IFF_* of linux/if.h, the ones that matter here."""

    UP = 1 << 0
    BROADCAST = 1 << 1
    LOOPBACK = 1 << 3
    POINTOPOINT = 1 << 4
    RUNNING = 1 << 6
    NOARP = 1 << 7
    MULTICAST = 1 << 12
    LOWER_UP = 1 << 16
    DORMANT = 1 << 17


class OperState(IntEnum):
    """RFC 2863 ifOperStatus (IF_OPER_*). Drivers that tell nothing stay UNKNOWN, and are up."""

    UNKNOWN = 0
    NOTPRESENT = 1
    DOWN = 2
    LOWERLAYERDOWN = 3
    TESTING = 4
    DORMANT = 5
    UP = 6


class AddressFlags(IntFlag):
    """IFA_F_* of linux/if_addr.h. SECONDARY is TEMPORARY for IPv6."""

    SECONDARY = 0x01
    NODAD = 0x02
    OPTIMISTIC = 0x04
    DADFAILED = 0x08
    HOMEADDRESS = 0x10
    DEPRECATED = 0x20
    TENTATIVE = 0x40
    PERMANENT = 0x80
    MANAGETEMPADDR = 0x100
    NOPREFIXROUTE = 0x200
    MCAUTOJOIN = 0x400
    STABLE_PRIVACY = 0x800


SETTABLE = (
    AddressFlags.NODAD
    | AddressFlags.OPTIMISTIC
    | AddressFlags.HOMEADDRESS
    | AddressFlags.MANAGETEMPADDR
    | AddressFlags.NOPREFIXROUTE
    | AddressFlags.MCAUTOJOIN
)
"""The flags that a request may carry; the others are the kernel's own word about an address."""
NO_FLAGS = AddressFlags(0)


class Scope(IntEnum):
    """RT_SCOPE_* of linux/rtnetlink.h."""

    GLOBAL = 0
    SITE = 200
    LINK = 253
    HOST = 254
    NOWHERE = 255


class RouteProtocol(IntEnum):
    """Who made a route (RTPROT_*)."""

    UNSPECIFIED = 0
    REDIRECT = 1
    KERNEL = 2
    BOOT = 3
    STATIC = 4
    KEEPALIVED = 18


class RouteType(IntEnum):
    """RTN_*, the ones of forwarding tables."""

    UNICAST = 1
    LOCAL = 2
    BROADCAST = 3
    BLACKHOLE = 6
    UNREACHABLE = 7
    PROHIBIT = 8


@dataclass(frozen=True, slots=True)
class Link:
    """A network device. hardware: ARPHRD_*. parent: index of the device below (IFLA_LINK), 0 for none; master: of the
    bridge, bond or VRF that it belongs to, 0 for none. kind: macvlan, veth, vrf ..., "" for hardware."""

    index: int
    name: str
    flags: LinkFlags
    mac: bytes = b""
    mtu: int = 0
    operstate: OperState = OperState.UNKNOWN
    hardware: int = 1
    parent: int = 0
    master: int = 0
    kind: str = ""

    @property
    def up(self) -> bool:
        """Administratively up; says nothing of the carrier."""
        return bool(self.flags & LinkFlags.UP)

    @property
    def running(self) -> bool:
        """Able to pass packets: the kernel sets IFF_RUNNING for operstate UP and UNKNOWN only (dev_get_flags)."""
        return bool(self.flags & LinkFlags.RUNNING)

    @property
    def carrier(self) -> bool:
        return bool(self.flags & LinkFlags.LOWER_UP)

    @property
    def usable(self) -> bool:
        return self.flags & _USABLE == _USABLE

    @property
    def loopback(self) -> bool:
        return bool(self.flags & LinkFlags.LOOPBACK)

    @property
    def arp(self) -> bool:
        """Whether neighbours are resolved here: no loopback, no NOARP device, and a hardware address."""
        return not self.flags & (LinkFlags.LOOPBACK | LinkFlags.NOARP) and any(self.mac)

    @property
    def multicast(self) -> bool:
        return bool(self.flags & LinkFlags.MULTICAST)


_USABLE = LinkFlags.UP | LinkFlags.RUNNING | LinkFlags.LOWER_UP


@dataclass(frozen=True, slots=True)
class AddressRow:
    """An address on a device, as asked for or as the kernel has it.

    peer: the other end of a point-to-point address, to which `prefix` then belongs. valid_lft, preferred_lft: seconds
    left, FOREVER or, preferred only, 0. scope: for IPv6 the kernel finds it by itself. proto: IFA_PROTO, the mark of who
    made it, 0 to 255 (kernels before 5.18 ignore it). metric: of the prefix route, 0 for the kernel's.
    """

    index: int
    address: Address
    prefix: int
    peer: Address | None = None
    broadcast: IPv4Address | None = None
    label: str = ""
    scope: int = Scope.GLOBAL
    flags: AddressFlags = NO_FLAGS
    valid_lft: int = FOREVER
    preferred_lft: int = FOREVER
    proto: int = 0
    metric: int = 0

    @property
    def family(self) -> int:
        return AF_INET if self.address.version == 4 else AF_INET6

    @property
    def tentative(self) -> bool:
        """Duplicate address detection is not over: the address can be neither source nor target yet."""
        return bool(self.flags & AddressFlags.TENTATIVE) and not self.flags & AddressFlags.OPTIMISTIC

    @property
    def dadfailed(self) -> bool:
        return bool(self.flags & AddressFlags.DADFAILED)

    @property
    def secondary(self) -> bool:
        return bool(self.flags & AddressFlags.SECONDARY)


@dataclass(frozen=True, slots=True)
class RouteRow:
    """A route with at most one next hop. index 0: no device. metric 0: the kernel's default (1024 for IPv6).
    Of a route over several next hops only the destination is told: gateway None and index 0."""

    destination: Address
    prefix: int
    index: int = 0
    gateway: Address | None = None
    source: Address | None = None
    metric: int = 0
    table: int = MAIN_TABLE
    proto: int = RouteProtocol.STATIC
    scope: int = Scope.GLOBAL
    type: int = RouteType.UNICAST

    @property
    def family(self) -> int:
        return AF_INET if self.destination.version == 4 else AF_INET6


@dataclass(frozen=True, slots=True)
class NewLink:
    """A device appeared or changed."""

    link: Link


@dataclass(frozen=True, slots=True)
class DelLink:
    """A device is gone, or moved to another namespace."""

    link: Link


@dataclass(frozen=True, slots=True)
class NewAddress:
    """An address was added, renewed, or changed its state (end of duplicate address detection)."""

    row: AddressRow


@dataclass(frozen=True, slots=True)
class DelAddress:
    row: AddressRow


@dataclass(frozen=True, slots=True)
class NewRoute:
    row: RouteRow


@dataclass(frozen=True, slots=True)
class DelRoute:
    row: RouteRow


Event = NewLink | DelLink | NewAddress | DelAddress | NewRoute | DelRoute


# --- requests ---------------------------------------------------------------------------------------------------------


def get_links() -> bytes:
    """For NetlinkSocket.dump: every device of the namespace."""
    return codec.message(_GET_LINK, 0, _LINK.pack(0, 0, 0, 0, 0) + codec.u32(_Ifla.EXT_MASK, _SKIP_STATISTICS))


def get_link(name: str) -> bytes:
    """For NetlinkSocket.ask: one device. ENODEV: there is none of this name."""
    payload = codec.string(_Ifla.IFNAME, name) + codec.u32(_Ifla.EXT_MASK, _SKIP_STATISTICS)
    return codec.message(_GET_LINK, 0, _LINK.pack(0, 0, 0, 0, 0) + payload)


def get_addresses(family: int = 0, index: int = 0) -> bytes:
    """For NetlinkSocket.dump. family 0: IPv4 and IPv6; index 0: of every device. Kernels without strict checking (before
    4.20) send all devices whatever the index."""
    return codec.message(_GET_ADDRESS, 0, _ADDRESS.pack(family, 0, 0, 0, index))


def get_routes(family: int, table: int = 0, index: int = 0) -> bytes:
    """For NetlinkSocket.dump. table 0: every table; ENOENT: the table does not exist (yet). index 0: over every device."""
    payload = codec.u32(_Rta.TABLE, table) if table else b""
    if index:
        payload += codec.u32(_Rta.OIF, index)
    return codec.message(_GET_ROUTE, 0, _ROUTE.pack(family, 0, 0, 0, 0, 0, 0, 0, 0) + payload)


def add_address(row: AddressRow) -> bytes:
    """EEXIST where the device has the address already, with whatever life time."""
    return _set_address(row, Flag.CREATE | Flag.EXCLUSIVE)


def replace_address(row: AddressRow) -> bytes:
    """Adds the address, or gives the present one this life time, flags and metric. (IPv4 keeps label, scope and broadcast
    of a present one, inet_rtm_newaddr.) Makes an address that has lapsed anew."""
    return _set_address(row, Flag.CREATE | Flag.REPLACE)


def delete_address(row: AddressRow) -> bytes:
    """EADDRNOTAVAIL where it is not there. Only device, address, prefix and peer count."""
    return codec.message(_DEL_ADDRESS, 0, _address_header(row, 0, 0) + _ends(row))


def add_route(row: RouteRow) -> bytes:
    """EEXIST where there is one of the same destination, metric and table (IPv4) or next hop (IPv6)."""
    return codec.message(_NEW_ROUTE, Flag.CREATE | Flag.EXCLUSIVE, _route(row))


def replace_route(row: RouteRow) -> bytes:
    return codec.message(_NEW_ROUTE, Flag.CREATE | Flag.REPLACE, _route(row))


def delete_route(row: RouteRow) -> bytes:
    """ESRCH where there is none."""
    return codec.message(_DEL_ROUTE, 0, _route(row))


def _set_address(row: AddressRow, flags: int) -> bytes:
    wanted = row.flags & SETTABLE
    payload = [_address_header(row, wanted & 0xFF, row.scope), _ends(row)]
    if row.broadcast is not None:
        payload.append(codec.attribute(_Ifa.BROADCAST, row.broadcast.packed))
    if row.label:
        payload.append(codec.string(_Ifa.LABEL, row.label))
    if wanted:
        payload.append(codec.u32(_Ifa.FLAGS, wanted))
    if row.valid_lft != FOREVER or row.preferred_lft != FOREVER:
        payload.append(codec.attribute(_Ifa.CACHEINFO, _CACHE_INFO.pack(row.preferred_lft, row.valid_lft, 0, 0)))
    if row.metric:
        payload.append(codec.u32(_Ifa.RT_PRIORITY, row.metric))
    if row.proto:
        payload.append(codec.u8(_Ifa.PROTO, row.proto))
    return codec.message(_NEW_ADDRESS, flags, b"".join(payload))


def _address_header(row: AddressRow, flags: int, scope: int) -> bytes:
    return _ADDRESS.pack(row.family, row.prefix, flags, scope, row.index)


def _ends(row: AddressRow) -> bytes:
    """IFA_LOCAL is the own end, IFA_ADDRESS the other one, or the own again where there is none (linux/if_addr.h)."""
    own = row.address.packed
    return codec.attribute(_Ifa.LOCAL, own) + codec.attribute(_Ifa.ADDRESS, row.peer.packed if row.peer else own)


def _route(row: RouteRow) -> bytes:
    small_table = row.table if row.table < 256 else 0
    payload = [
        _ROUTE.pack(row.family, row.prefix, 0, 0, small_table, row.proto, row.scope, row.type, 0),
        codec.u32(_Rta.TABLE, row.table),
    ]
    if row.prefix:
        payload.append(codec.attribute(_Rta.DST, row.destination.packed))
    if row.gateway is not None:
        payload.append(codec.attribute(_Rta.GATEWAY, row.gateway.packed))
    if row.index:
        payload.append(codec.u32(_Rta.OIF, row.index))
    if row.source is not None:
        payload.append(codec.attribute(_Rta.PREFSRC, row.source.packed))
    if row.metric:
        payload.append(codec.u32(_Rta.PRIORITY, row.metric))
    return b"".join(payload)


# --- rows and events --------------------------------------------------------------------------------------------------


def decode(data: bytes) -> Event | None:
    """One message of a monitor. None: it tells nothing about links, addresses and routes of the tables here.

    A bridge tells about its ports in messages of the same type (among them RTM_DELLINK for a port that only leaves it),
    a wireless driver about its radio: neither is a word about the device.
    """
    kind = codec.HEADER.unpack_from(data)[1]
    if kind in (_NEW_LINK, _DEL_LINK):
        link = decode_link(data)
        if link is None:
            return None
        return NewLink(link) if kind == _NEW_LINK else DelLink(link)
    if kind in (_NEW_ADDRESS, _DEL_ADDRESS):
        row = decode_address(data)
        if row is None:
            return None
        return NewAddress(row) if kind == _NEW_ADDRESS else DelAddress(row)
    if kind in (_NEW_ROUTE, _DEL_ROUTE):
        route = decode_route(data)
        if route is None:
            return None
        return NewRoute(route) if kind == _NEW_ROUTE else DelRoute(route)
    return None


def decode_link(data: bytes) -> Link | None:
    """A row of get_links, or None for what is no device (see decode)."""
    if len(data) < _LINK_ATTRIBUTES:
        return None
    family, hardware, index, flags, _ = _LINK.unpack_from(data, HEADER_LENGTH)
    found = codec.attributes(data, _LINK_ATTRIBUTES)
    if family != 0 or _Ifla.WIRELESS in found or _Ifla.IFNAME not in found:
        return None
    kind = b""
    if _Ifla.LINKINFO in found:
        kind = codec.attributes(found[_Ifla.LINKINFO], 0).get(_INFO_KIND, b"")
    state = codec.number(found.get(_Ifla.OPERSTATE, b""))
    return Link(
        index=index,
        name=codec.text(found[_Ifla.IFNAME]),
        flags=LinkFlags(flags),
        mac=found.get(_Ifla.ADDRESS, b""),
        mtu=codec.number(found.get(_Ifla.MTU, b"")),
        operstate=OperState(state) if state <= OperState.UP else OperState.UNKNOWN,
        hardware=hardware,
        parent=codec.number(found.get(_Ifla.LINK, b"")),
        master=codec.number(found.get(_Ifla.MASTER, b"")),
        kind=codec.text(kind),
    )


def decode_address(data: bytes) -> AddressRow | None:
    """A row of get_addresses; None for a family other than IPv4 and IPv6."""
    if len(data) < _ADDRESS_ATTRIBUTES:
        return None
    family, prefix, flags, scope, index = _ADDRESS.unpack_from(data, HEADER_LENGTH)
    found = codec.attributes(data, _ADDRESS_ATTRIBUTES)
    other = found.get(_Ifa.ADDRESS)
    own = found.get(_Ifa.LOCAL, other)
    if family not in (AF_INET, AF_INET6) or own is None or len(own) != _ADDRESS_LENGTH[family]:
        return None
    if _Ifa.FLAGS in found:
        flags = codec.number(found[_Ifa.FLAGS])
    preferred, valid = FOREVER, FOREVER
    if _Ifa.CACHEINFO in found:
        preferred, valid, _, _ = _CACHE_INFO.unpack(found[_Ifa.CACHEINFO])
    broadcast = found.get(_Ifa.BROADCAST)
    return AddressRow(
        index=index,
        address=_address(own),
        prefix=prefix,
        peer=_address(other) if other is not None and other != own else None,
        broadcast=IPv4Address(broadcast) if broadcast is not None else None,
        label=codec.text(found.get(_Ifa.LABEL, b"")),
        scope=scope,
        flags=AddressFlags(flags),
        valid_lft=valid,
        preferred_lft=preferred,
        proto=codec.number(found.get(_Ifa.PROTO, b"")),
        metric=codec.number(found.get(_Ifa.RT_PRIORITY, b"")),
    )


def decode_route(data: bytes) -> RouteRow | None:
    """A row of get_routes; None for another family, and for copies in a cache (RTM_F_CLONED)."""
    if len(data) < _ROUTE_ATTRIBUTES:
        return None
    family, prefix, _, _, table, proto, scope, kind, flags = _ROUTE.unpack_from(data, HEADER_LENGTH)
    if family not in (AF_INET, AF_INET6) or flags & _CLONED:
        return None
    found = codec.attributes(data, _ROUTE_ATTRIBUTES)
    gateway, source = found.get(_Rta.GATEWAY), found.get(_Rta.PREFSRC)
    if _Rta.VIA in found:  # a gateway of the other family: struct rtvia starts with it
        gateway = found[_Rta.VIA][2:]
    return RouteRow(
        destination=_address(found.get(_Rta.DST, bytes(_ADDRESS_LENGTH[family]))),
        prefix=prefix,
        index=codec.number(found.get(_Rta.OIF, b"")),
        gateway=_address(gateway) if gateway is not None else None,
        source=_address(source) if source is not None else None,
        metric=codec.number(found.get(_Rta.PRIORITY, b"")),
        table=codec.number(found[_Rta.TABLE]) if _Rta.TABLE in found else table,
        proto=proto,
        scope=scope,
        type=kind,
    )


_ADDRESS_LENGTH = {AF_INET: 4, AF_INET6: 16}
_CLONED = 0x200
_INFO_KIND = 1


def _address(packed: bytes) -> Address:
    return IPv4Address(packed) if len(packed) == 4 else IPv6Address(packed)


class _Ifla(IntEnum):
    ADDRESS = 1
    IFNAME = 3
    MTU = 4
    LINK = 5
    MASTER = 10
    WIRELESS = 11
    OPERSTATE = 16
    LINKINFO = 18
    EXT_MASK = 29


class _Ifa(IntEnum):
    ADDRESS = 1
    LOCAL = 2
    LABEL = 3
    BROADCAST = 4
    CACHEINFO = 6
    FLAGS = 8
    RT_PRIORITY = 9
    PROTO = 11


class _Rta(IntEnum):
    DST = 1
    OIF = 4
    GATEWAY = 5
    PRIORITY = 6
    PREFSRC = 7
    TABLE = 15
    VIA = 18
