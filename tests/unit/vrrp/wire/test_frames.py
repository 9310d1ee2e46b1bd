from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from lvsd.vrrp.wire.frames import ALL_NODES, gratuitous_arp, unsolicited_na
from lvsd.vrrp.wire.packet import checksum

MAC = bytes.fromhex("020000000001")


def test_a_gratuitous_arp_is_a_broadcast_request_for_the_own_address() -> None:
    address = IPv4Address("10.9.0.100")
    frame = gratuitous_arp(MAC, address)
    assert frame[:14] == b"\xff" * 6 + MAC + b"\x08\x06"
    assert frame[14:22] == bytes.fromhex("0001080006040001")
    assert frame[22:28] == MAC
    assert frame[28:32] == frame[38:42] == address.packed
    assert len(frame) == 42


def test_a_neighbour_advertisement_goes_to_all_nodes_with_override_and_the_own_mac() -> None:
    address = IPv6Address("2001:db8::100")
    for router, flags in ((False, 0x20), (True, 0xA0)):
        frame = unsolicited_na(MAC, address, router)
        assert frame[:14] == bytes.fromhex("333300000001") + MAC + b"\x86\xdd"
        header, body = frame[14:54], frame[54:]
        assert header[7] == 255
        assert header[8:24] == address.packed
        assert header[24:40] == ALL_NODES.packed
        assert (body[0], body[4]) == (136, flags)
        assert body[8:24] == address.packed
        assert body[24:] == b"\x02\x01" + MAC
        pseudo = header[8:40] + len(body).to_bytes(4, "big") + bytes([0, 0, 0, 58])
        assert checksum(pseudo + body) == 0
