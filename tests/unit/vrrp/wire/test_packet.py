from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvsd.vrrp.wire.packet import Advert, Malformed, Reason, checksum, decode, encode

HERE, GROUP = IPv4Address("10.9.0.1"), IPv4Address("224.0.0.18")
VIPS = (IPv4Address("10.9.0.100"), IPv4Address("10.9.0.101"))
HERE6, GROUP6 = IPv6Address("fe80::ff:fe00:1"), IPv6Address("ff02::12")
VIPS6 = (IPv6Address("fe80::100"), IPv6Address("2001:db8::100"))

# Adverts of keepalived 2.4.3 behind the IP header: VRID 51, priority 150, advert_int 1.
V3 = "31339602006438ee0a0900640a090065"
V3_AS_V2 = "313396020064238b0a0900640a090065"
V3_IPV6 = "3133960200640cfdfe80000000000000000000000000010020010db8000000000000000000000100"
V2_PASS = "213396020101d08b0a0900640a0900653131313100000000"
V2_OPEN = "21339602000133ee0a0900640a0900650000000000000000"


def reason(data: bytes, *, ttl: int = 255, source: IPv4Address | IPv6Address = HERE) -> Reason | None:
    found = decode(data, source, GROUP if source.version == 4 else GROUP6, ttl)
    return found.reason if isinstance(found, Malformed) else None


def signed(data: bytes) -> bytes:
    """With a right checksum of version 2."""
    bare = data[:6] + b"\0\0" + data[8:]
    return bare[:6] + checksum(bare).to_bytes(2, "big") + bare[8:]


@pytest.mark.parametrize(
    ("captured", "advert", "source", "destination"),
    [
        (V3, Advert(3, 51, 150, 1.0, VIPS), HERE, GROUP),
        (V3_AS_V2, Advert(3, 51, 150, 1.0, VIPS, pseudo_header=False), HERE, GROUP),
        (V3_IPV6, Advert(3, 51, 150, 1.0, VIPS6), HERE6, GROUP6),
        (V2_PASS, Advert(2, 51, 150, 1.0, VIPS, 1, b"1111\0\0\0\0"), HERE, GROUP),
        (V2_OPEN, Advert(2, 51, 150, 1.0, VIPS), HERE, GROUP),
    ],
)
def test_keepalived_s_packets_are_read_and_written_byte_for_byte(
    captured: str, advert: Advert, source: IPv4Address | IPv6Address, destination: IPv4Address | IPv6Address
) -> None:
    assert decode(bytes.fromhex(captured), source, destination, 255) == advert
    assert encode(advert, source, destination).hex() == captured


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", Reason.SHORT),
        (bytes.fromhex(V2_OPEN)[:7], Reason.SHORT),
        (bytes.fromhex(V2_OPEN)[:-1], Reason.LENGTH),
        (bytes.fromhex(V2_OPEN) + b"\0", Reason.LENGTH),
        (bytes.fromhex(V3) + bytes(28), Reason.LENGTH),
        (b"\x11" + bytes.fromhex(V2_OPEN)[1:], Reason.VERSION),
        (b"\x41" + bytes.fromhex(V2_OPEN)[1:], Reason.VERSION),
        (b"\x22" + bytes.fromhex(V2_OPEN)[1:], Reason.TYPE),
        (bytes.fromhex(V2_OPEN)[:2] + b"\x97" + bytes.fromhex(V2_OPEN)[3:], Reason.CHECKSUM),
        (bytes.fromhex(V3)[:2] + b"\x97" + bytes.fromhex(V3)[3:], Reason.CHECKSUM),
        (signed(bytes.fromhex(V2_OPEN)[:5] + b"\0" + bytes.fromhex(V2_OPEN)[6:]), Reason.INTERVAL),
        (signed(bytes.fromhex(V3)[:4] + b"\0\0" + bytes.fromhex(V3)[6:]), Reason.INTERVAL),
    ],
)
def test_every_malformed_packet_has_its_reason(data: bytes, expected: Reason) -> None:
    assert reason(data) is expected


def test_a_packet_that_came_over_a_router_is_refused_before_anything_else() -> None:
    assert reason(bytes.fromhex(V2_OPEN), ttl=254) is Reason.TTL
    assert reason(b"", ttl=64) is Reason.TTL


def test_version_2_over_ipv6_and_a_bare_checksum_over_ipv6_are_refused() -> None:
    assert reason(bytes.fromhex(V2_OPEN), source=HERE6) is Reason.FAMILY
    bare = encode(Advert(3, 51, 150, 1.0, VIPS6, pseudo_header=False), HERE6, GROUP6)
    assert reason(bare, source=HERE6) is Reason.CHECKSUM


def test_the_reserved_bits_of_version_3_are_ignored() -> None:
    data = signed(bytes.fromhex(V3)[:4] + b"\xf0\x64" + bytes.fromhex(V3)[6:])
    found = decode(data, HERE, GROUP, 255)
    assert isinstance(found, Advert)
    assert found.advert_int == 1.0


@pytest.mark.parametrize(
    "advert",
    [
        Advert(3, 51, 150, 41.0, VIPS),
        Advert(3, 51, 150, 0.001, VIPS),
        Advert(2, 51, 150, 256.0, VIPS),
        Advert(2, 0, 150, 1.0, VIPS),
        Advert(2, 51, 256, 1.0, VIPS),
        Advert(2, 51, 150, 1.0, VIPS * 128),
    ],
)
def test_what_does_not_fit_its_field_is_not_written(advert: Advert) -> None:
    with pytest.raises(ValueError, match=r"does not fit|VRID"):
        encode(advert, HERE, GROUP)


@given(st.binary(max_size=80), st.sampled_from([(HERE, GROUP), (HERE6, GROUP6)]))
def test_no_bytes_escape_the_decoder(data: bytes, ends: tuple[IPv4Address, IPv4Address]) -> None:
    found = decode(data, *ends, 255)
    assert isinstance(found, Malformed) or found.version in (2, 3)


@given(
    st.sampled_from([2, 3]),
    st.integers(1, 255),
    st.integers(0, 255),
    st.integers(1, 255),
    st.lists(st.ip_addresses(v=4), max_size=255),
)
def test_what_is_written_is_read_again_and_no_changed_byte_goes_unnoticed(
    version: int, vrid: int, priority: int, interval: int, addresses: list[IPv4Address]
) -> None:
    advert = Advert(version, vrid, priority, float(interval) if version == 2 else interval / 100, tuple(addresses))
    data = encode(advert, HERE, GROUP)
    assert decode(data, HERE, GROUP, 255) == advert
    changed = data[:2] + bytes([priority ^ 1]) + data[3:]
    assert reason(changed) is Reason.CHECKSUM


@given(st.binary(max_size=64))
def test_the_checksum_is_that_of_rfc_1071(data: bytes) -> None:
    padded = data + bytes(len(data) % 2)
    total = sum(int.from_bytes(padded[at : at + 2], "big") for at in range(0, len(padded), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    assert checksum(data) == 0xFFFF - total


def test_addresses_are_those_of_the_family() -> None:
    found = decode(bytes.fromhex(V3_IPV6), HERE6, GROUP6, 255)
    assert isinstance(found, Advert)
    assert found.addresses == tuple(map(ip_address, ("fe80::100", "2001:db8::100")))
