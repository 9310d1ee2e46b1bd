"""Readers of whole lines: services, entries of their groups.
Each gives a value or raises Unreadable with a sentence; none knows a keyword."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from .keyword import Reader, Unreadable
from .readers import PORT_MOST, UNSIGNED, quoted, read_integer, read_ip
from .types import Address, AddressRange, ByGroup, ByMark, Endpoint, MarkEntry

MARK_MOST = UNSIGNED


def _read_endpoint(words: Sequence[str]) -> Endpoint:
    address = read_ip(words[0])
    return Endpoint(address, read_integer(words[1], 0, PORT_MOST, 1) if len(words) > 1 else 0)


def _write_endpoint(value: Endpoint) -> str:
    return f"{value.address} {value.port}" if value.port else str(value.address)


endpoint: Reader[Endpoint] = Reader(
    form="IP [PORT]", read=_read_endpoint, write=_write_endpoint, schema={"type": "string"}, most=2
)


def _read_smtp_server(words: Sequence[str]) -> Endpoint | str:
    number = read_integer(words[1], 1, PORT_MOST, 1) if len(words) > 1 else 25
    try:
        return Endpoint(ip_address(words[0]), number)
    except ValueError:
        return f"{words[0]}:{number}"


smtp_server: Reader[Endpoint | str] = Reader(
    form="IP|HOST [PORT]",
    read=_read_smtp_server,
    write=lambda value: _write_endpoint(value) if isinstance(value, Endpoint) else value.replace(":", " "),
    schema={"type": "string"},
    limits="port 25 where none is written",
    most=2,
)


def _read_header(words: Sequence[str]) -> Endpoint | ByMark | ByGroup:
    if words[0] in ("fwmark", "group"):
        if len(words) != 2:
            raise Unreadable(f"'{words[0]}' takes one word", len(words) - 1)
        return ByMark(read_integer(words[1], 1, MARK_MOST, 1)) if words[0] == "fwmark" else ByGroup(words[1])
    return _read_endpoint(words)


def _write_header(value: Endpoint | ByMark | ByGroup) -> str:
    if isinstance(value, ByMark):
        return f"fwmark {value.mark}"
    return f"group {quoted(value.name)}" if isinstance(value, ByGroup) else _write_endpoint(value)


virtual_server_header: Reader[Endpoint | ByMark | ByGroup] = Reader(
    form="IP [PORT] | fwmark N | group NAME",
    read=_read_header,
    write=_write_header,
    schema={"type": "string"},
    most=2,
)


def _range_end(first: Address, text: str) -> Address:
    """The end of A-B: an address, or the last octet (decimal) or hextet (hexadecimal) of one."""
    if "." in text or ":" in text:
        return read_ip(text)
    base = int(first)
    if isinstance(first, IPv4Address):
        return IPv4Address((base & ~0xFF) | read_integer(text, 0, 255))
    if not re.fullmatch("[0-9a-fA-F]{1,4}", text):
        raise Unreadable(f"'{text}' is not the last group of an IPv6 address")
    return IPv6Address((base & ~0xFFFF) | int(text, 16))


def _read_group_entry(words: Sequence[str]) -> AddressRange | MarkEntry:
    if words[0] == "fwmark":
        if len(words) < 2:
            raise Unreadable("'fwmark' needs a number")
        if len(words) > 2 and words[2] not in ("inet", "inet6"):
            raise Unreadable(f"'{words[2]}' is no family", 2, allowed=("inet", "inet6"))
        return MarkEntry(read_integer(words[1], 1, MARK_MOST, 1), len(words) > 2 and words[2] == "inet6")
    number = read_integer(words[1], 0, PORT_MOST, 1) if len(words) > 1 else 0
    if len(words) > 2:
        raise Unreadable(f"'{words[2]}' is too much", 2, hint="one address or range and one port a line")
    start, dash, end = words[0].partition("-")
    start, slash, mask = start.partition("/")
    first = read_ip(start)
    last = first
    if slash:
        width = read_integer(mask, 0, first.max_prefixlen)
        span = (1 << (first.max_prefixlen - width)) - 1
        if int(first) & span:
            raise Unreadable(f"'{words[0]}' is no network: bits behind the mask are set")
        last = type(first)(int(first) | span)
    if dash:
        last = _range_end(first, end)
    if first.version != last.version or int(last) < int(first):
        raise Unreadable(f"'{words[0]}' is no range: its end lies before its start")
    return AddressRange(first, last, number)


def _write_group_entry(value: AddressRange | MarkEntry) -> str:
    if isinstance(value, MarkEntry):
        return f"fwmark {value.mark}" + (" inet6" if value.inet6 else "")
    span = str(value.first) if value.first == value.last else f"{value.first}-{value.last}"
    return f"{span} {value.port}" if value.port else span


group_entry: Reader[AddressRange | MarkEntry] = Reader(
    form="IP|RANGE|NETWORK [PORT] | fwmark N [inet|inet6]",
    read=_read_group_entry,
    write=_write_group_entry,
    schema={"type": "string"},
    most=3,
)
