"""scapy as the judge of our packets and frames. It never verifies checksums itself: what it builds is compared."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.config import conf

conf.route_autoload = False
conf.route6_autoload = False

from scapy.layers.inet import IP  # noqa: E402
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, IPv6  # noqa: E402
from scapy.layers.l2 import ARP, Ether  # noqa: E402
from scapy.layers.vrrp import VRRP, VRRPv3  # noqa: E402

from lvsd.vrrp.wire.frames import gratuitous_arp, unsolicited_na  # noqa: E402
from lvsd.vrrp.wire.packet import Advert, decode, encode  # noqa: E402

GROUP, GROUP6 = IPv4Address("224.0.0.18"), IPv6Address("ff02::12")
few = settings(max_examples=60, deadline=None)


@few
@given(
    st.integers(1, 255),
    st.integers(0, 255),
    st.integers(1, 255),
    st.lists(st.ip_addresses(v=4), min_size=1, max_size=20),
    st.binary(min_size=8, max_size=8),
    st.ip_addresses(v=4),
)
def test_version_2_is_what_scapy_builds(
    vrid: int, priority: int, interval: int, addresses: list[IPv4Address], password: bytes, source: IPv4Address
) -> None:
    words = [int.from_bytes(password[:4], "big"), int.from_bytes(password[4:], "big")]
    built = IP(src=str(source), dst=str(GROUP), ttl=255) / VRRP(
        version=2,
        vrid=vrid,
        priority=priority,
        adv=interval,
        authtype=1,
        addrlist=list(map(str, addresses)),
        auth1=words[0],
        auth2=words[1],
    )
    payload = bytes(bytes(built)[20:])
    advert = Advert(2, vrid, priority, float(interval), tuple(addresses), 1, password)
    assert encode(advert, source, GROUP) == payload
    assert decode(payload, source, GROUP, 255) == advert


@few
@given(
    st.integers(1, 255),
    st.integers(0, 255),
    st.integers(1, 4095),
    st.lists(st.ip_addresses(v=4), min_size=1, max_size=20),
    st.ip_addresses(v=4),
)
def test_version_3_over_ipv4_is_what_scapy_builds(
    vrid: int, priority: int, centiseconds: int, addresses: list[IPv4Address], source: IPv4Address
) -> None:
    built = IP(src=str(source), dst=str(GROUP), ttl=255) / VRRPv3(
        vrid=vrid, priority=priority, adv=centiseconds, addrlist=list(map(str, addresses))
    )
    payload = bytes(bytes(built)[20:])
    advert = Advert(3, vrid, priority, centiseconds / 100, tuple(addresses))
    assert encode(advert, source, GROUP) == payload
    assert decode(payload, source, GROUP, 255) == advert


@few
@given(
    st.integers(1, 255),
    st.integers(0, 255),
    st.integers(1, 4095),
    st.lists(st.ip_addresses(v=6), min_size=1, max_size=8),
    st.ip_addresses(v=6),
)
def test_version_3_over_ipv6_is_what_scapy_builds(
    vrid: int, priority: int, centiseconds: int, addresses: list[IPv6Address], source: IPv6Address
) -> None:
    built = IPv6(src=str(source), dst=str(GROUP6), hlim=255, nh=112) / VRRPv3(
        vrid=vrid, priority=priority, adv=centiseconds, addrlist=list(map(str, addresses))
    )
    payload = bytes(bytes(built)[40:])
    advert = Advert(3, vrid, priority, centiseconds / 100, tuple(addresses))
    assert encode(advert, source, GROUP6) == payload
    assert decode(payload, source, GROUP6, 255) == advert


@few
@given(st.binary(min_size=6, max_size=6), st.ip_addresses(v=4))
def test_a_gratuitous_arp_is_what_scapy_builds(mac: bytes, address: IPv4Address) -> None:
    text = mac.hex(":")
    built = Ether(src=text, dst="ff:ff:ff:ff:ff:ff") / ARP(
        op=1, hwsrc=text, hwdst="00:00:00:00:00:00", psrc=str(address), pdst=str(address)
    )
    assert gratuitous_arp(mac, address) == bytes(built)


@few
@given(st.binary(min_size=6, max_size=6), st.ip_addresses(v=6), st.booleans())
def test_a_neighbour_advertisement_is_what_scapy_builds(mac: bytes, address: IPv6Address, router: bool) -> None:
    text = mac.hex(":")
    built = (
        Ether(src=text, dst="33:33:00:00:00:01")
        / IPv6(src=str(address), dst="ff02::1", hlim=255)
        / ICMPv6ND_NA(R=int(router), S=0, O=1, tgt=str(address))
        / ICMPv6NDOptDstLLAddr(lladdr=text)
    )
    assert unsolicited_na(mac, address, router) == bytes(built)
