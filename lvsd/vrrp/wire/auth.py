"""Simple text password of VRRP version 2 (RFC 2338 section 5.3.6.2): type 1, eight bytes behind the addresses.

It keeps mistakes apart, not attackers: whoever sees one advert has it."""

from __future__ import annotations

import hmac

NONE, PASS, AH = 0, 1, 2
LENGTH = 8


def fields(password: bytes | None) -> tuple[int, bytes]:
    """Authentication type and data to send; the data are always there in version 2, zero without a password."""
    if password is None:
        return NONE, bytes(LENGTH)
    return PASS, password[:LENGTH].ljust(LENGTH, b"\0")


def type_agrees(password: bytes | None, auth_type: int) -> bool:
    return auth_type == (NONE if password is None else PASS)


def data_agree(password: bytes | None, auth_data: bytes) -> bool:
    return password is None or hmac.compare_digest(fields(password)[1], auth_data)
