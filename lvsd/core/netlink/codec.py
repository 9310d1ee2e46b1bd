"""The netlink message format: headers, attributes, answers, generic netlink.
Knows no family's attributes and opens no socket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from os import strerror
from struct import Struct

HEADER = Struct("=IHHII")
"""struct nlmsghdr: length, type, flags, sequence, port id."""
HEADER_LENGTH = HEADER.size
SEQUENCE_OFFSET = 8

_ATTRIBUTE = Struct("=HH")
_GENERIC = Struct("=BBH")
_I32 = Struct("=i")
_U8 = Struct("=B")
_U16 = Struct("=H")
_U32 = Struct("=I")
_BE16 = Struct("!H")

_NESTED = 0x8000
_TYPE_MASK = 0x3FFF
_ACK_TEXT = 1  # NLMSGERR_ATTR_MSG


class MessageType(IntEnum):
    """Control types of linux/netlink.h."""

    NOOP = 1
    ERROR = 2
    DONE = 3
    OVERRUN = 4


class Flag(IntFlag):
    """NLM_F_* of linux/netlink.h; what the bits from 0x100 mean depends on the message."""

    REQUEST = 0x001
    MULTI = 0x002
    ACK = 0x004
    ECHO = 0x008
    DUMP_INTERRUPTED = 0x010
    DUMP = 0x300
    REPLACE = 0x100
    EXCLUSIVE = 0x200
    CREATE = 0x400
    APPEND = 0x800
    CAPPED = 0x100
    ACK_ATTRIBUTES = 0x200


_REQUEST = int(Flag.REQUEST)  # the flags' own | costs as much as the rest of a message


@dataclass(frozen=True, slots=True)
class Answer:
    """What the kernel said to one request. errno 0: done. text: the kernel's own words (ext_ack), often empty."""

    errno: int = 0
    text: str = ""

    @property
    def ok(self) -> bool:
        return self.errno == 0

    def __str__(self) -> str:
        if self.errno == 0:
            return "done"
        return f"{strerror(self.errno)} ({self.text})" if self.text else strerror(self.errno)


DONE = Answer()


@dataclass(frozen=True, slots=True)
class Header:
    length: int
    type: int
    flags: int
    sequence: int
    port: int


def message(type: int, flags: int, payload: bytes) -> bytes:
    """One request; its sequence number is stamped by the socket that sends it."""
    return HEADER.pack(HEADER_LENGTH + len(payload), type, int(flags) | _REQUEST, 0, 0) + payload


def generic(family: int, command: int, payload: bytes = b"", flags: int = 0, version: int = 1) -> bytes:
    """A generic netlink request (struct genlmsghdr before the attributes)."""
    return message(family, flags, _GENERIC.pack(command, version, 0) + payload)


GENERIC_PAYLOAD = HEADER_LENGTH + _GENERIC.size
"""Where the attributes of a generic netlink message start."""


def header(data: bytes) -> Header:
    return Header(*HEADER.unpack_from(data))


def messages(data: bytes | memoryview) -> Iterator[bytes]:
    """The messages of one datagram, headers included; a cut one ends the walk (NLMSG_OK)."""
    offset, end = 0, len(data)
    while offset + HEADER_LENGTH <= end:
        length = _U32.unpack_from(data, offset)[0]
        if length < HEADER_LENGTH or offset + length > end:
            return
        yield bytes(data[offset : offset + length])
        offset += (length + 3) & ~3


def attribute(type: int, value: bytes) -> bytes:
    length = len(value) + 4
    return _ATTRIBUTE.pack(length, type) + value + b"\0" * (-length & 3)


def nested(type: int, attributes: Iterable[bytes]) -> bytes:
    return attribute(type | _NESTED, b"".join(attributes))


def string(type: int, text: str) -> bytes:
    return attribute(type, text.encode() + b"\0")


def u8(type: int, value: int) -> bytes:
    return attribute(type, _U8.pack(value))


def u16(type: int, value: int) -> bytes:
    return attribute(type, _U16.pack(value))


def u32(type: int, value: int) -> bytes:
    return attribute(type, _U32.pack(value))


def be16(type: int, value: int) -> bytes:
    return attribute(type, _BE16.pack(value))


def attributes(data: bytes, offset: int = 0, end: int | None = None) -> dict[int, bytes]:
    """Attribute values by type, flag bits removed; of a repeated type the last one counts, as in the kernel's nla_parse."""
    found: dict[int, bytes] = {}
    end = len(data) if end is None else end
    unpack = _ATTRIBUTE.unpack_from
    while offset + 4 <= end:
        length, type = unpack(data, offset)
        if length < 4 or offset + length > end:
            break
        found[type & _TYPE_MASK] = data[offset + 4 : offset + length]
        offset += (length + 3) & ~3
    return found


def places(data: bytes, offset: int = 0) -> Iterator[tuple[int, slice]]:
    """Type and place in `data` of each attribute's value, in order."""
    while offset + 4 <= len(data):
        length, type = _ATTRIBUTE.unpack_from(data, offset)
        if length < 4 or offset + length > len(data):
            return
        yield type & _TYPE_MASK, slice(offset + 4, offset + length)
        offset += (length + 3) & ~3


def text(value: bytes) -> str:
    return value.partition(b"\0")[0].decode(errors="replace")


def number(value: bytes) -> int:
    """An unsigned integer in the host's byte order, of whatever width the kernel sent."""
    return int.from_bytes(value, "little" if _LITTLE else "big")


_LITTLE = _U16.pack(1) == b"\1\0"


def answer(data: bytes) -> Answer:
    """The verdict in an NLMSG_ERROR or NLMSG_DONE message. Errors that the kernel makes up beyond errno.h keep their number."""
    if len(data) < HEADER_LENGTH + 4:
        return DONE
    flags = HEADER.unpack_from(data)[2]
    code = -_I32.unpack_from(data, HEADER_LENGTH)[0]
    if code <= 0:
        return DONE
    return Answer(code, _acknowledgement_text(data, flags))


def _acknowledgement_text(data: bytes, flags: int) -> str:
    if not flags & Flag.ACK_ATTRIBUTES:
        return ""
    offset = HEADER_LENGTH + 4
    if HEADER.unpack_from(data)[1] == MessageType.ERROR:
        if offset + HEADER_LENGTH > len(data):
            return ""
        echoed = HEADER_LENGTH if flags & Flag.CAPPED else _U32.unpack_from(data, offset)[0]
        offset += (echoed + 3) & ~3
    return text(attributes(data, offset).get(_ACK_TEXT, b""))


class _Control(IntEnum):
    """Generic netlink's own family, linux/genetlink.h."""

    TYPE = 0x10
    GET_FAMILY = 3
    FAMILY_ID = 1
    FAMILY_NAME = 2


def get_family(name: str) -> bytes:
    """Asks for the number of a generic netlink family; the kernel loads the family's module where it has to (ctrl_getfamily)."""
    return generic(_Control.TYPE, _Control.GET_FAMILY, string(_Control.FAMILY_NAME, name))


def family_id(reply: bytes) -> int | None:
    value = attributes(reply, GENERIC_PAYLOAD).get(_Control.FAMILY_ID)
    return None if value is None else number(value)
