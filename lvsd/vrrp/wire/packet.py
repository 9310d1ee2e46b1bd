"""VRRP packets, versions 2 (RFC 3768) and 3 (RFC 9568), behind the IP header. Every packet that is not taken has one Reason.

Version 3 over IPv4 is sent with the pseudo header in its checksum, as keepalived and RFC 5798 section 5.2.8 have it;
received, the sum without it is also right: two readings of the standard must not become two masters."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv6Address

from . import auth

Address = IPv4Address | IPv6Address

PROTOCOL = 112
TTL = 255
ADVERTISEMENT = 1
HEADER = struct.Struct("!BBBBHH")
CHECKSUM_AT = 6
OFFSET = {4: 4, 6: 16}


class Reason(Enum):
    """Why a packet was not taken; the names are those of counters."""

    TTL = "ttl_not_255"
    SHORT = "too_short"
    VERSION = "unknown_version"
    TYPE = "unknown_type"
    FAMILY = "version_2_over_ipv6"
    LENGTH = "length_disagrees_with_count"
    CHECKSUM = "bad_checksum"
    INTERVAL = "zero_interval"
    VRID = "unknown_vrid"
    DESTINATION = "wrong_destination"
    OTHER_VERSION = "other_version"
    OTHER_AUTH = "other_auth_type"
    PASSWORD = "wrong_password"
    OTHER_INTERVAL = "other_advert_int"
    OWN = "own_source_address"
    NOT_RUNNING = "not_running"


@dataclass(frozen=True, slots=True)
class Malformed:
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Advert:
    """An ADVERTISEMENT. advert_int: seconds. auth_type, auth_data: version 2 only.
    pseudo_header: the checksum counts one (version 3; without meaning in version 2, and True)."""

    version: int
    virtual_router_id: int
    priority: int
    advert_int: float
    addresses: tuple[Address, ...]
    auth_type: int = auth.NONE
    auth_data: bytes = bytes(auth.LENGTH)
    pseudo_header: bool = True


def encode(advert: Advert, source: Address, destination: Address) -> bytes:
    """The packet with its checksum. Raises ValueError where a value does not fit its field."""
    if not 1 <= advert.virtual_router_id <= 255 or not 0 <= advert.priority <= 255 or len(advert.addresses) > 255:
        raise ValueError(
            f"VRID {advert.virtual_router_id}, priority {advert.priority}, {len(advert.addresses)} addresses"
        )
    if advert.version == 2:
        interval, most, trailer = round(advert.advert_int), 255, advert.auth_data
        word = advert.auth_type << 8 | interval
    else:
        interval, most, trailer = round(advert.advert_int * 100), 0xFFF, b""
        word = interval
    if not 1 <= interval <= most:
        raise ValueError(f"advert_int {advert.advert_int} s does not fit version {advert.version}")
    head = HEADER.pack(
        advert.version << 4 | ADVERTISEMENT, advert.virtual_router_id, advert.priority, len(advert.addresses), word, 0
    )
    data = head + b"".join(address.packed for address in advert.addresses) + trailer
    counted = pseudo_header(source, destination, len(data)) if advert.version == 3 and advert.pseudo_header else b""
    total = checksum(counted + data)
    return data[:CHECKSUM_AT] + total.to_bytes(2, "big") + data[CHECKSUM_AT + 2 :]


def decode(data: bytes, source: Address, destination: Address, ttl: int) -> Advert | Malformed:
    """data: behind the IP header, cut to the length that the IP header states. Never raises on any input."""
    if ttl != TTL:
        return Malformed(Reason.TTL, f"TTL {ttl} instead of 255")  # RFC 9568 section 5.1.1.3: it came over a router
    if len(data) < HEADER.size:
        return Malformed(Reason.SHORT, f"{len(data)} bytes")
    first, vrid, priority, count, word, _ = HEADER.unpack_from(data)
    version, kind = first >> 4, first & 15
    if version not in (2, 3):
        return Malformed(Reason.VERSION, f"version {version}")
    if kind != ADVERTISEMENT:
        return Malformed(Reason.TYPE, f"type {kind}")
    family = source.version
    if version == 2 and family == 6:
        return Malformed(Reason.FAMILY, "version 2 knows no IPv6")
    width = OFFSET[family]
    end = HEADER.size + width * count
    length = end + (auth.LENGTH if version == 2 else 0)
    if len(data) != length:
        return Malformed(Reason.LENGTH, f"{len(data)} bytes with {count} addresses, which take {length}")
    with_pseudo_header = version == 3 and checksum(pseudo_header(source, destination, length) + data) == 0
    if not with_pseudo_header and (family == 6 or checksum(data) != 0):
        return Malformed(Reason.CHECKSUM, "bad checksum")
    advert_int = word & 0xFF if version == 2 else (word & 0xFFF) / 100
    if advert_int == 0:
        return Malformed(Reason.INTERVAL, "advert interval 0")
    kind_of_address = IPv4Address if family == 4 else IPv6Address
    return Advert(
        version=version,
        virtual_router_id=vrid,
        priority=priority,
        advert_int=float(advert_int),
        addresses=tuple(kind_of_address(data[at : at + width]) for at in range(HEADER.size, end, width)),
        auth_type=word >> 8 if version == 2 else auth.NONE,
        auth_data=data[end:] if version == 2 else bytes(auth.LENGTH),
        pseudo_header=with_pseudo_header or version == 2,
    )


def pseudo_header(source: Address, destination: Address, length: int) -> bytes:
    """Of RFC 9293 section 3.1 (IPv4) or RFC 8200 section 8.1 (IPv6)."""
    if source.version == 4:
        return source.packed + destination.packed + struct.pack("!BBH", 0, PROTOCOL, length)
    return source.packed + destination.packed + struct.pack("!II", length, PROTOCOL)


def checksum(data: bytes) -> int:
    """One's complement of the one's complement sum of 16-bit words (RFC 1071); 0 over data whose own sum is right."""
    if len(data) & 1:
        data += b"\0"
    # A number modulo 2^16-1 is the one's complement sum of its 16-bit digits.
    total = int.from_bytes(data, "big")
    return 0xFFFF - (total % 0xFFFF or (0xFFFF if total else 0))
