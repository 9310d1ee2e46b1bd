"""Ethernet frames that tell the neighbours where an address lives now."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address

from .packet import checksum

BROADCAST = b"\xff" * 6
ALL_NODES_MAC = bytes.fromhex("333300000001")
ALL_NODES = IPv6Address("ff02::1")
ETH_ARP, ETH_IPV6 = 0x0806, 0x86DD
ICMPV6, NEIGHBOUR_ADVERTISEMENT, TARGET_LINK_LAYER_ADDRESS = 58, 136, 2
ROUTER, OVERRIDE = 0x80000000, 0x20000000


def gratuitous_arp(mac: bytes, address: IPv4Address) -> bytes:
    """A broadcast request for the own address: the form that keepalived sends and every stack learns from
    (RFC 5227 section 3 prefers it to the reply)."""
    return b"".join(
        (
            BROADCAST + mac + ETH_ARP.to_bytes(2, "big"),
            struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1),
            mac + address.packed,
            bytes(6) + address.packed,
        )
    )


def unsolicited_na(mac: bytes, address: IPv6Address, router: bool) -> bytes:
    """An unsolicited neighbour advertisement (RFC 4861 section 7.2.6) to all nodes, with override set.
    router: the host forwards, so its neighbours must not take it off their router lists."""
    flags = OVERRIDE | (ROUTER if router else 0)
    body = struct.pack("!BBHI", NEIGHBOUR_ADVERTISEMENT, 0, 0, flags) + address.packed
    body += struct.pack("!BB", TARGET_LINK_LAYER_ADDRESS, 1) + mac
    ends = address.packed + ALL_NODES.packed
    total = checksum(ends + struct.pack("!II", len(body), ICMPV6) + body)
    body = body[:2] + total.to_bytes(2, "big") + body[4:]
    header = struct.pack("!IHBB", 6 << 28, len(body), ICMPV6, 255) + ends
    return ALL_NODES_MAC + mac + ETH_IPV6.to_bytes(2, "big") + header + body
