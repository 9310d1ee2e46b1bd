"""Readers of single words: numbers, times, choices, names, addresses.
Each gives a value or raises Unreadable with a sentence; none knows a keyword."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeVar

from .keyword import Reader, Unreadable
from .types import Address, Secret

T = TypeVar("T")
E = TypeVar("E", bound=Enum)

UNSIGNED = 2**32 - 1
PORT_MOST = 65535
INTERFACE_NAME_MOST = 15  # IFNAMSIZ - 1

_NUMBER = re.compile(r"[+-]?[0-9]+\Z")
_SECONDS = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)\Z")
BOOLEANS = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}


# --- numbers, words, choices


def read_integer(text: str, least: int, most: int, index: int = 0) -> int:
    if not _NUMBER.match(text):
        raise Unreadable(f"'{text}' is not a whole number", index)
    number = int(text)
    if not least <= number <= most:
        raise Unreadable(f"{number} is out of range, {least} to {most} is allowed", index)
    return number


def integer(least: int, most: int = UNSIGNED, *, bare: int | None = None) -> Reader[int]:
    """A whole number from least to most; `bare` stands for an argument left out, and may lie outside of that range."""

    def read(words: Sequence[str]) -> int:
        if not words and bare is not None:
            return bare
        return read_integer(words[0], least, most)

    def write(value: int) -> str:
        return str(value) if least <= value <= most else ""

    written = {"type": "integer", "minimum": least, "maximum": most}
    return Reader(
        form="[N]" if bare is not None else "N",
        read=read,
        write=write,
        schema=written if bare is None else {"type": "integer", "anyOf": [written, {"const": bare}]},
        limits=f"{least} to {most}" if most != UNSIGNED else f"{least} or more",
        least=0 if bare is not None else 1,
    )


def seconds(least: float, most: float = 2**31) -> Reader[float]:
    """Decimal seconds, rounded to microseconds."""

    def read(words: Sequence[str]) -> float:
        text = words[0]
        if not _SECONDS.match(text):
            raise Unreadable(f"'{text}' is no time in seconds", hint="write it as 3 or 0.25")
        value = round(float(text), 6)
        if not least <= value <= most:
            allowed = f"{_plain(least)} to {_plain(most)}" if most != 2**31 else f"{_plain(least)} or more"
            raise Unreadable(f"{text} s is out of range, {allowed} is allowed")
        return value

    return Reader(
        form="SECONDS",
        read=read,
        write=_plain,
        schema={"type": "number", "minimum": least, "maximum": most},
        limits=f"{_plain(least)} to {_plain(most)}" if most != 2**31 else f"{_plain(least)} or more",
    )


def _plain(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def one_of(table: Mapping[str, T], *, any_case: bool = False, form: str = "") -> Reader[T]:
    """One of the words of the table; any_case: their letters may be of either case."""
    found = {key.lower(): value for key, value in table.items()} if any_case else dict(table)

    def read(words: Sequence[str]) -> T:
        key = words[0].lower() if any_case else words[0]
        if key not in found:
            raise Unreadable(f"'{words[0]}' is not allowed here", allowed=tuple(table))
        return found[key]

    def write(value: T) -> str:
        return next(key for key, each in table.items() if each == value)

    return Reader(form=form or "|".join(table), read=read, write=write, schema={"type": "string", "enum": list(table)})


def choice(kind: type[E]) -> Reader[E]:
    """A member of the enumeration by its name."""
    return one_of({member.name: member for member in kind})


def lower_choice(kind: type[E]) -> Reader[E]:
    """A member of the enumeration by its value, a word in lower case; the configuration may write it in either case."""
    return one_of({str(member.value): member for member in kind}, any_case=True)


def _read_boolean(words: Sequence[str]) -> bool:
    if not words:
        return True
    if words[0] not in BOOLEANS:
        raise Unreadable(f"'{words[0]}' is neither on nor off", allowed=tuple(BOOLEANS))
    return BOOLEANS[words[0]]


boolean: Reader[bool] = Reader(
    form="[on|off]",
    read=_read_boolean,
    write=lambda value: "on" if value else "off",
    schema={"type": "boolean"},
    least=0,
)
flag: Reader[bool] = Reader(
    form="", read=lambda words: True, write=lambda value: "", schema={"type": "boolean"}, least=0, most=0
)


def flag_or(choice: str) -> Reader[str]:
    """A flag, "" where it stands alone, that one word may follow."""

    def read(words: Sequence[str]) -> str:
        if words and words[0] != choice:
            raise Unreadable(f"'{words[0]}' is not allowed here", allowed=(choice,))
        return words[0] if words else ""

    return Reader(form=f"[{choice}]", read=read, write=str, schema={"type": "string", "enum": ["", choice]}, least=0)


# Blanks, braces, comments and names; and what means something else at the start of a line.
_NEEDS_QUOTES = re.compile(r'[\s"#!{}$]|^[@~]|^include[rmwba]?$').search


def quoted(text: str) -> str:
    """The text as one word of the plain tokenizer. A backslash stands bare: before a closing quote it would keep a line open."""
    if text and not _NEEDS_QUOTES(text):
        return text
    return '"' + text.replace('"', "") + '"'


word: Reader[str] = Reader(form="WORD", read=lambda words: words[0], write=quoted, schema={"type": "string"})
text: Reader[str] = Reader(form="TEXT", read=lambda words: words[0], write=quoted, schema={"type": "string"})
secret: Reader[Secret] = Reader(
    form="SECRET",
    read=lambda words: Secret(words[0]),
    write=lambda value: "***" if value.text else '""',
    schema={"type": "string"},
    secret=True,
)


def read_interface(name: str, index: int = 0) -> str:
    """A name that the kernel takes (dev_valid_name of net/core/dev.c)."""
    if len(name.encode()) > INTERFACE_NAME_MOST:
        raise Unreadable(f"'{name}' is longer than the {INTERFACE_NAME_MOST} bytes of an interface's name", index)
    if name in (".", "..") or "/" in name or ":" in name or not name:
        raise Unreadable(f"'{name}' is no name of an interface", index)
    return name


interface: Reader[str] = Reader(
    form="INTERFACE",
    read=lambda words: read_interface(words[0]),
    write=quoted,
    schema={"type": "string", "maxLength": INTERFACE_NAME_MOST},
)


# --- addresses


def read_ip(text: str, index: int = 0) -> Address:
    if "%" in text:
        raise Unreadable(f"'{text}': an address stands here without its interface", index, hint=text.split("%")[0])
    try:
        return ip_address(text)
    except ValueError:
        raise Unreadable(f"'{text}' is no IP address", index) from None


def _read_ipv4(words: Sequence[str]) -> IPv4Address:
    address = read_ip(words[0])
    if not isinstance(address, IPv4Address):
        raise Unreadable(f"'{words[0]}' is an IPv6 address, an IPv4 address must stand here")
    return address


def _read_ipv6(words: Sequence[str]) -> IPv6Address:
    address = read_ip(words[0])
    if not isinstance(address, IPv6Address):
        raise Unreadable(f"'{words[0]}' is an IPv4 address, an IPv6 address must stand here")
    return address


ip: Reader[Address] = Reader(
    form="IP",
    read=lambda words: read_ip(words[0]),
    write=str,
    schema={"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]},
)
ipv4: Reader[IPv4Address] = Reader(form="IPV4", read=_read_ipv4, write=str, schema={"type": "string", "format": "ipv4"})
ipv6: Reader[IPv6Address] = Reader(form="IPV6", read=_read_ipv6, write=str, schema={"type": "string", "format": "ipv6"})
port: Reader[int] = integer(1, PORT_MOST)
