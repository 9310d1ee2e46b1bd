"""The keys of our rows, as bytes that outlive the process."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

import msgspec

from .ipvs.table import AddressKey, Family, MarkKey, Protocol, ServiceKey

_Record = tuple[int, str, int]
"""(protocol, address, port), or (0, "", mark) for IPv4 and (0, "6", mark) for IPv6."""


def encode_keys(keys: Iterable[ServiceKey]) -> bytes:
    return msgspec.json.encode(
        [
            (int(key.protocol), str(key.address), key.port)
            if isinstance(key, AddressKey)
            else (0, "6" if key.family is Family.IPV6 else "", key.mark)
            for key in keys
        ]
    )


def decode_keys(data: bytes) -> frozenset[ServiceKey]:
    """Raises ValueError for bytes that are no keys."""
    return frozenset(
        AddressKey(Protocol(protocol), ip_address(address), number)
        if protocol
        else MarkKey(number, Family.IPV6 if address else Family.IPV4)
        for protocol, address, number in msgspec.json.decode(data, type=list[_Record])
    )
