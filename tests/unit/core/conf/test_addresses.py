from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest

from lvsd.core.conf.addresses import AddressLine, address_line, static_address_line
from lvsd.core.conf.keyword import Unreadable

V4, V6 = IPv4Address("192.0.2.1"), IPv6Address("2001:db8::1")


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("192.0.2.1", AddressLine(V4, 32)),
        (
            "2001:db8::1/64 -nodad preferred_lft forever",
            AddressLine(V6, 64, nodad=True, preferred_lft=2**32 - 1),
        ),
        (
            "192.0.2.1/24 scope link brd + label eth0:1 dev eth0 no_track",
            AddressLine(V4, 24, dev="eth0", label="eth0:1", scope=253, broadcast="+", no_track=True),
        ),
        ("192.0.2.1/32 peer 192.0.2.2/24", AddressLine(V4, 32, peer="192.0.2.2/24")),
        ("192.0.2.1 dev eth1 use_vmac", AddressLine(V4, 32, dev="eth1", use_vmac=True)),
    ],
)
def test_a_line_is_read_and_written_back(line: str, value: AddressLine) -> None:
    assert address_line.read(line.split()) == value
    assert address_line.read(address_line.write(value).split()) == value


@pytest.mark.parametrize(
    ("line", "word", "part"),
    [
        ("192.0.2.1/33", 0, "0 to 32"),
        ("192.0.2.1 dev", 1, "needs a value"),
        ("192.0.2.1 deb eth0", 1, "no option"),
        ("192.0.2.1 scope wide", 2, "whole number"),
        ("2001:db8::1 brd +", 2, "no broadcast"),
        ("192.0.2.1 peer ::1", 2, "another family"),
        ("192.0.2.1 label a-label-too-long", 2, "longer"),
        ("dev eth0", 1, "is missing in an address"),
        ("192.0.2.1 track_group G", 1, "no option"),
    ],
)
def test_a_bad_line_is_refused_at_its_word(line: str, word: int, part: str) -> None:
    with pytest.raises(Unreadable, match=part) as caught:
        address_line.read(line.split())
    assert caught.value.word == word


def test_a_static_address_has_a_track_group_and_no_virtual_mac() -> None:
    assert static_address_line.read(["192.0.2.1", "track_group", "G"]) == AddressLine(V4, 32, track_group="G")
    with pytest.raises(Unreadable, match="no option"):
        static_address_line.read(["192.0.2.1", "use_vmac"])
