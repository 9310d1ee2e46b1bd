from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest

from lvsd.core.conf.keyword import Reader, Unreadable
from lvsd.core.conf.lines import endpoint, group_entry, smtp_server, virtual_server_header
from lvsd.core.conf.types import AddressRange, ByGroup, ByMark, Endpoint, MarkEntry

V4, V6 = IPv4Address("192.0.2.1"), IPv6Address("2001:db8::1")


@pytest.mark.parametrize(
    ("reader", "line", "value"),
    [
        (endpoint, "192.0.2.1", Endpoint(V4)),
        (endpoint, "2001:db8::1 443", Endpoint(V6, 443)),
        (virtual_server_header, "192.0.2.1 80", Endpoint(V4, 80)),
        (virtual_server_header, "fwmark 4294967295", ByMark(4294967295)),
        (virtual_server_header, "group WEB", ByGroup("WEB")),
        (smtp_server, "192.0.2.1", Endpoint(V4, 25)),
        (smtp_server, "mail.example.net 587", "mail.example.net:587"),
        (group_entry, "192.0.2.1 80", AddressRange(V4, V4, 80)),
        (group_entry, "192.0.2.1-9 80", AddressRange(V4, IPv4Address("192.0.2.9"), 80)),
        (group_entry, "192.0.2.1-192.0.3.4 80", AddressRange(V4, IPv4Address("192.0.3.4"), 80)),
        (group_entry, "192.0.2.64/30", AddressRange(IPv4Address("192.0.2.64"), IPv4Address("192.0.2.67"), 0)),
        (group_entry, "2001:db8::1-1f 80", AddressRange(V6, IPv6Address("2001:db8::1f"), 80)),
        (group_entry, "fwmark 3", MarkEntry(3)),
        (group_entry, "fwmark 3 inet6", MarkEntry(3, True)),
    ],
)
def test_a_line_is_read_and_written_back(reader: Reader[Any], line: str, value: object) -> None:
    assert reader.read(line.split()) == value
    assert reader.read(reader.write(value).split()) == value


@pytest.mark.parametrize(
    ("reader", "line", "word", "part"),
    [
        (endpoint, "192.0.2.1 65536", 1, "out of range"),
        (virtual_server_header, "fwmark 0", 1, "out of range"),
        (virtual_server_header, "group", 0, "takes one word"),
        (group_entry, "192.0.2.9-1 80", 0, "end lies before"),
        (group_entry, "192.0.2.1-2001:db8::1 80", 0, "end lies before"),
        (group_entry, "192.0.2.1/24 80", 0, "behind the mask"),
        (group_entry, "fwmark", 0, "needs a number"),
        (group_entry, "fwmark 1 ipv6", 2, "no family"),
        (group_entry, "192.0.2.1 80 x", 2, "too much"),
    ],
)
def test_a_bad_line_is_refused_at_its_word(reader: Reader[Any], line: str, word: int, part: str) -> None:
    with pytest.raises(Unreadable, match=part) as caught:
        reader.read(line.split())
    assert caught.value.word == word
