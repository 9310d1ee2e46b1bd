"""The keys of our rows as bytes."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from lvsd.check.ipvs.table import AddressKey, Family, MarkKey, Protocol, ServiceKey
from lvsd.check.ownership import decode_keys, encode_keys

KEYS: frozenset[ServiceKey] = frozenset(
    {
        AddressKey(Protocol.TCP, ip_address("192.0.2.1"), 80),
        AddressKey(Protocol.UDP, ip_address("192.0.2.1"), 80),
        AddressKey(Protocol.SCTP, ip_address("2001:db8::1"), 0),
        MarkKey(7, Family.IPV4),
        MarkKey(7, Family.IPV6),
        MarkKey(0xFFFFFFFF, Family.IPV4),
    }
)


def test_every_kind_of_key_comes_back() -> None:
    assert decode_keys(encode_keys(KEYS)) == KEYS
    assert decode_keys(encode_keys(())) == frozenset()


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[[6]]", b'[[6, "no address", 80]]', b'[[5, "192.0.2.1", 80]]', encode_keys(KEYS)[:-3]]
)
def test_what_are_no_keys_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - msgspec, ipaddress and enum each have their own words
        decode_keys(data)
