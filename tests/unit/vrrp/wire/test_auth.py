from __future__ import annotations

from lvsd.vrrp.wire import auth


def test_without_a_password_eight_zero_bytes_are_sent() -> None:
    assert auth.fields(None) == (0, bytes(8))


def test_a_password_is_filled_or_cut_to_eight_bytes() -> None:
    assert auth.fields(b"1111") == (1, b"1111\0\0\0\0")
    assert auth.fields(b"0123456789") == (1, b"01234567")


def test_the_type_must_be_the_own_one() -> None:
    assert auth.type_agrees(None, auth.NONE)
    assert auth.type_agrees(b"1111", auth.PASS)
    assert not auth.type_agrees(None, auth.PASS)
    assert not auth.type_agrees(b"1111", auth.NONE)
    assert not auth.type_agrees(b"1111", auth.AH)


def test_the_password_must_be_the_own_one_and_is_not_looked_at_without_one() -> None:
    assert auth.data_agree(b"1111", b"1111\0\0\0\0")
    assert not auth.data_agree(b"1111", b"1112\0\0\0\0")
    assert not auth.data_agree(b"1111", b"1111")
    assert auth.data_agree(None, b"anything")
