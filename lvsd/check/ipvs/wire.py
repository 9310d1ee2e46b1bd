"""IPVS in generic netlink (linux/ip_vs.h, kernel ip_vs_ctl.c): orders to bytes, bytes to rows.
Opens no socket and decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address
from struct import Struct

from lvsd.check.ipvs.plan import (
    HASHED,
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    Op,
    SetDestination,
    SetService,
    granularity,
    normal_tunnel,
)
from lvsd.check.ipvs.table import (
    Address,
    AddressKey,
    Counters,
    Destination,
    DestinationKey,
    Family,
    Forwarding,
    MarkKey,
    Protocol,
    Service,
    ServiceFlags,
    ServiceKey,
    Timeouts,
    Tunnel,
    TunnelChecksum,
    TunnelType,
)
from lvsd.core.netlink import codec

FAMILY_NAME = "IPVS"

_FULL_MASK = 0xFFFFFFFF
_PROTOCOL_OF_MARKS = Protocol.TCP  # ip_vs_genl_parse_service puts it there by itself


class _Command(IntEnum):
    NEW_SERVICE = 1
    SET_SERVICE = 2
    DEL_SERVICE = 3
    GET_SERVICE = 4
    NEW_DEST = 5
    SET_DEST = 6
    DEL_DEST = 7
    GET_DEST = 8
    SET_CONFIG = 12
    GET_CONFIG = 13
    GET_INFO = 15
    FLUSH = 17


class _Attribute(IntEnum):
    SERVICE = 1
    DEST = 2
    TIMEOUT_TCP = 4
    TIMEOUT_TCP_FIN = 5
    TIMEOUT_UDP = 6


class _Svc(IntEnum):
    AF = 1
    PROTOCOL = 2
    ADDR = 3
    PORT = 4
    FWMARK = 5
    SCHED_NAME = 6
    FLAGS = 7
    TIMEOUT = 8
    NETMASK = 9
    PE_NAME = 11
    STATS64 = 12


class _Dest(IntEnum):
    ADDR = 1
    PORT = 2
    FWD_METHOD = 3
    WEIGHT = 4
    U_THRESH = 5
    L_THRESH = 6
    ACTIVE_CONNS = 7
    INACT_CONNS = 8
    PERSIST_CONNS = 9
    STATS = 10
    ADDR_FAMILY = 11
    STATS64 = 12
    TUN_TYPE = 13
    TUN_PORT = 14
    TUN_FLAGS = 15


_DEST_VALUE_TYPES = {
    _Dest.FWD_METHOD,
    _Dest.WEIGHT,
    _Dest.U_THRESH,
    _Dest.L_THRESH,
    _Dest.TUN_TYPE,
    _Dest.TUN_PORT,
    _Dest.TUN_FLAGS,
}
_STATS_CONNS, _STATS_INPKTS, _STATS_OUTPKTS, _STATS_INBYTES, _STATS_OUTBYTES = 1, 2, 3, 4, 5

# The attributes of a destination, in one piece: each "HH" is an attribute's length and type.
_DEST_KEY_V4 = Struct("=HH4s12x HH2s2x HHH2x")
_DEST_KEY_V6 = Struct("=HH16s HH2s2x HHH2x")
_DEST_VALUES = Struct("=HHI HHI HHI HHI")
_FLAGS = Struct("=II")
_PORT = Struct("!H")


# --- requests ---------------------------------------------------------------------------------------------------------


def encode(family: int, ops: Iterable[Op]) -> list[bytes]:
    """One request for each order; `family` is the number of generic netlink's IPVS family.

    Every field is written in full: the kernel takes no part of a service or destination, and reads an absent address
    family of a destination as the service's.
    """
    keys: dict[ServiceKey, bytes] = {}  # the key of a service is the same in all its destinations' requests
    return [_encode(family, op, keys) for op in ops]


def _encode(family: int, op: Op, keys: dict[ServiceKey, bytes]) -> bytes:
    match op:
        case AddDestination():
            return _about_destination(family, _Command.NEW_DEST, op.service, op.key, op.destination, keys)
        case SetDestination():
            return _about_destination(family, _Command.SET_DEST, op.service, op.key, op.destination, keys)
        case DeleteDestination():
            return _about_destination(family, _Command.DEL_DEST, op.service, op.key, None, keys)
        case AddService():
            return codec.generic(family, _Command.NEW_SERVICE, _whole_service(op.key, op.service))
        case SetService():
            return codec.generic(family, _Command.SET_SERVICE, _whole_service(op.key, op.service))
        case DeleteService():
            return codec.generic(family, _Command.DEL_SERVICE, _named_service(op.key, keys))


def get_services(family: int) -> bytes:
    """For NetlinkSocket.dump."""
    return codec.generic(family, _Command.GET_SERVICE)


def get_destinations(family: int, key: ServiceKey) -> bytes:
    """For NetlinkSocket.dump. A service that does not exist has no rows; it is no error (ip_vs_genl_dump_dests)."""
    return codec.generic(family, _Command.GET_DEST, _named_service(key, {}))


def get_info(family: int) -> bytes:
    return codec.generic(family, _Command.GET_INFO)


def get_timeouts(family: int) -> bytes:
    return codec.generic(family, _Command.GET_CONFIG)


def set_timeouts(family: int, timeouts: Timeouts) -> bytes:
    """The kernel wants all three; 0 leaves the one it has (ip_vs_set_timeout)."""
    payload = (
        codec.u32(_Attribute.TIMEOUT_TCP, timeouts.tcp)
        + codec.u32(_Attribute.TIMEOUT_TCP_FIN, timeouts.tcp_fin)
        + codec.u32(_Attribute.TIMEOUT_UDP, timeouts.udp)
    )
    return codec.generic(family, _Command.SET_CONFIG, payload)


def flush(family: int) -> bytes:
    """Deletes every service, whoever made it."""
    return codec.generic(family, _Command.FLUSH)


def _named_service(key: ServiceKey, keys: dict[ServiceKey, bytes]) -> bytes:
    present = keys.get(key)
    if present is None:
        present = keys[key] = codec.nested(_Attribute.SERVICE, _service_key(key))
    return present


def _service_key(key: ServiceKey) -> list[bytes]:
    if isinstance(key, MarkKey):
        return [codec.u16(_Svc.AF, key.family), codec.u32(_Svc.FWMARK, key.mark)]
    return [
        codec.u16(_Svc.AF, key.family),
        codec.u16(_Svc.PROTOCOL, key.protocol),
        codec.attribute(_Svc.ADDR, key.address.packed.ljust(16, b"\0")),
        codec.be16(_Svc.PORT, key.port),
    ]


def _whole_service(key: ServiceKey, service: Service) -> bytes:
    persistent = service.flags & ServiceFlags.PERSISTENT
    payload = [
        *_service_key(key),
        codec.string(_Svc.SCHED_NAME, service.scheduler),
        codec.attribute(_Svc.FLAGS, _FLAGS.pack(int(service.flags) & ~HASHED, _FULL_MASK)),
        codec.u32(_Svc.TIMEOUT, service.timeout if persistent else 0),
        _netmask(key.family, granularity(key.family, service)),
    ]
    if service.engine:
        payload.append(codec.string(_Svc.PE_NAME, service.engine))
    return codec.nested(_Attribute.SERVICE, payload)


def _netmask(family: Family, prefix: int) -> bytes:
    """A mask in network order for IPv4; for IPv6 the prefix length itself, in the host's order (ip_vs_add_service)."""
    if family is Family.IPV6:
        return codec.u32(_Svc.NETMASK, prefix)
    return codec.attribute(_Svc.NETMASK, (_FULL_MASK << (32 - prefix) & _FULL_MASK).to_bytes(4, "big"))


def _about_destination(
    family: int,
    command: int,
    service: ServiceKey,
    key: DestinationKey,
    destination: Destination | None,
    keys: dict[ServiceKey, bytes],
) -> bytes:
    packed = key.address.packed
    form, number = (_DEST_KEY_V4, Family.IPV4) if len(packed) == 4 else (_DEST_KEY_V6, Family.IPV6)
    row = form.pack(20, _Dest.ADDR, packed, 6, _Dest.PORT, _PORT.pack(key.port), 6, _Dest.ADDR_FAMILY, number)
    if destination is not None:
        row += _DEST_VALUES.pack(
            8,
            _Dest.FWD_METHOD,
            destination.forwarding,
            8,
            _Dest.WEIGHT,
            destination.weight,
            8,
            _Dest.U_THRESH,
            destination.upper_threshold,
            8,
            _Dest.L_THRESH,
            destination.lower_threshold,
        )
        if destination.forwarding is Forwarding.TUN:
            row += _tunnel(normal_tunnel(destination))
    return codec.generic(family, command, _named_service(service, keys) + codec.nested(_Attribute.DEST, (row,)))


def _tunnel(tunnel: Tunnel) -> bytes:
    return (
        codec.u8(_Dest.TUN_TYPE, tunnel.type)
        + codec.be16(_Dest.TUN_PORT, tunnel.port)
        + codec.u16(_Dest.TUN_FLAGS, tunnel.checksum)
    )


# --- rows -------------------------------------------------------------------------------------------------------------


def decode_service(data: bytes) -> tuple[ServiceKey, Service] | None:
    """A row of get_services, without its destinations. None for what no table here can hold (another protocol)."""
    found = _nested(data, _Attribute.SERVICE)
    key = _decode_service_key(found)
    if key is None:
        return None
    flags = codec.number(found.get(_Svc.FLAGS, b"")[:4])
    service = Service(
        scheduler=codec.text(found.get(_Svc.SCHED_NAME, b"")),
        flags=ServiceFlags(flags & ~HASHED),
        timeout=codec.number(found.get(_Svc.TIMEOUT, b"")),
        prefix=_prefix(key.family, found.get(_Svc.NETMASK, b"")),
        engine=codec.text(found.get(_Svc.PE_NAME, b"")),
        destinations={},
    )
    return key, service


def decode_destinations(rows: Iterable[bytes], family: Family) -> Iterator[tuple[DestinationKey, Destination]]:
    """Rows of get_destinations. `family`: the service's, for kernels before 3.18, which tell none.

    The rows of a dump have their attributes at the same places, so they are looked for in the first row only, and
    checked to be there in the others (four times as fast).
    """
    known: dict[bytes, Destination] = {}  # most rows of a farm differ in their key only
    layout: _Layout | None = None
    for data in rows:
        if layout is None or not layout.fits(data):
            layout = _Layout.of(data, family)
            if layout is None:
                continue
        values = data[layout.values]
        destination = known.get(values)
        if destination is None:
            destination = known[values] = _decode_destination(_nested(data, _Attribute.DEST))
        yield DestinationKey(layout.kind(data[layout.address]), int.from_bytes(data[layout.port], "big")), destination


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a row has what. Under `mask`, a row reads `skeleton`: all attributes' headers, and the address family."""

    head: slice
    mask: int
    skeleton: int
    kind: type[IPv4Address] | type[IPv6Address]
    address: slice
    port: slice
    values: slice

    def fits(self, data: bytes) -> bool:
        return int.from_bytes(data[self.head], "big") & self.mask == self.skeleton

    @classmethod
    def of(cls, data: bytes, family: Family) -> _Layout | None:
        """None for a row without key or of an unknown address family."""
        kind_of_row = next(codec.places(data, codec.GENERIC_PAYLOAD), (0, slice(0, 0)))[0]
        if kind_of_row != _Attribute.DEST:
            return None
        places: dict[int, slice] = {}
        mask = bytearray(len(data))
        for start in (codec.GENERIC_PAYLOAD, codec.GENERIC_PAYLOAD + 4):
            mask[start : start + 4] = b"\xff" * 4
        for kind, place in codec.places(data, codec.GENERIC_PAYLOAD + 4):
            if kind == _Dest.STATS:  # the kernel puts them last, and they are not read here
                break
            places[kind] = place
            mask[place.start - 4 : place.start] = b"\xff" * 4
        if _Dest.ADDR_FAMILY in places:
            place = places[_Dest.ADDR_FAMILY]
            mask[place] = b"\xff" * (place.stop - place.start)
        key = _decode_destination_key({kind: data[place] for kind, place in places.items()}, family)
        if key is None:
            return None
        values = [place for kind, place in places.items() if kind in _DEST_VALUE_TYPES]
        start = places[_Dest.ADDR].start
        head = slice(0, max(place.stop for place in places.values()))
        bits = int.from_bytes(mask[head], "big")
        return cls(
            head,
            bits,
            int.from_bytes(data[head], "big") & bits,
            type(key.address),
            slice(start, start + len(key.address.packed)),
            places[_Dest.PORT],
            slice(min(place.start for place in values), max(place.stop for place in values)) if values else slice(0, 0),
        )


def decode_service_counters(data: bytes) -> tuple[ServiceKey, Counters] | None:
    """A row of get_services. The connections of a service's destinations are not part of it (0)."""
    found = _nested(data, _Attribute.SERVICE)
    key = _decode_service_key(found)
    return None if key is None else (key, Counters(*_statistics(found.get(_Svc.STATS64, b""))))


def decode_destination_counters(data: bytes, family: Family) -> tuple[DestinationKey, Counters] | None:
    found = _nested(data, _Attribute.DEST)
    key = _decode_destination_key(found, family)
    if key is None:
        return None
    connections = (
        codec.number(found.get(_Dest.ACTIVE_CONNS, b"")),
        codec.number(found.get(_Dest.INACT_CONNS, b"")),
        codec.number(found.get(_Dest.PERSIST_CONNS, b"")),
    )
    return key, Counters(*_statistics(found.get(_Dest.STATS64, b"")), *connections)


def decode_timeouts(data: bytes) -> Timeouts:
    found = codec.attributes(data, codec.GENERIC_PAYLOAD)
    return Timeouts(
        codec.number(found.get(_Attribute.TIMEOUT_TCP, b"")),
        codec.number(found.get(_Attribute.TIMEOUT_TCP_FIN, b"")),
        codec.number(found.get(_Attribute.TIMEOUT_UDP, b"")),
    )


def decode_info(data: bytes) -> tuple[str, int]:
    """IPVS's version as "1.2.1", and the number of buckets of its connection table."""
    found = codec.attributes(data, codec.GENERIC_PAYLOAD)
    version = codec.number(found.get(1, b""))
    return f"{version >> 16 & 0xFF}.{version >> 8 & 0xFF}.{version & 0xFF}", codec.number(found.get(2, b""))


def _nested(data: bytes, attribute: int) -> dict[int, bytes]:
    return codec.attributes(codec.attributes(data, codec.GENERIC_PAYLOAD).get(attribute, b""), 0)


def _decode_service_key(found: dict[int, bytes]) -> ServiceKey | None:
    family = _FAMILIES.get(codec.number(found.get(_Svc.AF, b"")))
    if family is None:
        return None
    if _Svc.FWMARK in found:
        return MarkKey(codec.number(found[_Svc.FWMARK]), family)
    protocol = _PROTOCOLS.get(codec.number(found.get(_Svc.PROTOCOL, b"")))
    address = _address(family, found.get(_Svc.ADDR, b""))
    port = found.get(_Svc.PORT)
    if protocol is None or address is None or port is None:
        return None
    return AddressKey(protocol, address, int.from_bytes(port, "big"))


def _decode_destination_key(found: dict[int, bytes], family: Family) -> DestinationKey | None:
    if _Dest.ADDR_FAMILY in found:
        family = _FAMILIES.get(codec.number(found[_Dest.ADDR_FAMILY]), family)
    address = _address(family, found.get(_Dest.ADDR, b""))
    port = found.get(_Dest.PORT)
    if address is None or port is None:
        return None
    return DestinationKey(address, int.from_bytes(port, "big"))


def _decode_destination(found: dict[int, bytes]) -> Destination:
    return Destination(
        weight=codec.number(found.get(_Dest.WEIGHT, b"")),
        forwarding=_FORWARDING.get(codec.number(found.get(_Dest.FWD_METHOD, b"")), Forwarding.LOCAL),
        upper_threshold=codec.number(found.get(_Dest.U_THRESH, b"")),
        lower_threshold=codec.number(found.get(_Dest.L_THRESH, b"")),
        tunnel=Tunnel(
            _TUNNELS.get(codec.number(found.get(_Dest.TUN_TYPE, b"")), TunnelType.IPIP),
            int.from_bytes(found.get(_Dest.TUN_PORT, b""), "big"),
            _CHECKSUMS.get(codec.number(found.get(_Dest.TUN_FLAGS, b"")), TunnelChecksum.NOCSUM),
        ),
    )


def _address(family: Family, value: bytes) -> Address | None:
    """union nf_inet_addr: 16 bytes, of which IPv4 uses the first four."""
    if family is Family.IPV4:
        return IPv4Address(value[:4]) if len(value) >= 4 else None
    return IPv6Address(value[:16]) if len(value) >= 16 else None


def _prefix(family: Family, value: bytes) -> int:
    """0 for a mask that is no prefix, which ipvsadm can set and no table here holds."""
    if family is Family.IPV6:
        return codec.number(value)
    hosts = int.from_bytes(value, "big") ^ _FULL_MASK
    return 0 if hosts & (hosts + 1) else 32 - hosts.bit_count()


def _statistics(value: bytes) -> tuple[int, int, int, int, int]:
    found = codec.attributes(value, 0)
    return (
        codec.number(found.get(_STATS_CONNS, b"")),
        codec.number(found.get(_STATS_INPKTS, b"")),
        codec.number(found.get(_STATS_OUTPKTS, b"")),
        codec.number(found.get(_STATS_INBYTES, b"")),
        codec.number(found.get(_STATS_OUTBYTES, b"")),
    )


_FAMILIES = {int(family): family for family in Family}
_PROTOCOLS = {int(protocol): protocol for protocol in Protocol}
_FORWARDING = {int(method): method for method in Forwarding}
_TUNNELS = {int(kind): kind for kind in TunnelType}
_CHECKSUMS = {int(kind): kind for kind in TunnelChecksum}
