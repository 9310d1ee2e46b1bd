from __future__ import annotations

import errno
import struct

from hypothesis import given
from hypothesis import strategies as st

from lvsd.core.netlink import codec
from lvsd.core.netlink.codec import Answer, Flag, MessageType


def test_a_message_says_its_length_and_asks_to_be_handled() -> None:
    assert codec.message(20, Flag.CREATE, b"abcd") == struct.pack("=IHHII", 20, 20, 0x401, 0, 0) + b"abcd"


def test_an_attribute_is_padded_and_its_length_is_not() -> None:
    assert codec.attribute(3, b"abcde") == struct.pack("=HH", 9, 3) + b"abcde\0\0\0"
    assert codec.string(6, "wrr") == struct.pack("=HH", 8, 6) + b"wrr\0"
    assert codec.be16(2, 0x0102) == struct.pack("=HH", 6, 2) + b"\x01\x02\0\0"
    assert codec.u16(1, 2) == struct.pack("=HHH2x", 6, 1, 2)
    assert codec.u8(1, 2) == struct.pack("=HHB3x", 5, 1, 2)


@given(st.dictionaries(st.integers(1, 0x3FFF), st.binary(max_size=50)))
def test_attributes_come_back_in_any_number_and_length(values: dict[int, bytes]) -> None:
    data = codec.nested(1, [codec.attribute(kind, value) for kind, value in values.items()])
    assert codec.attributes(codec.attributes(data)[1]) == values
    assert {kind: data[place] for kind, place in codec.places(data, 4)} == values


@given(st.binary(max_size=200))
def test_no_bytes_make_the_walk_fail_or_go_on_for_ever(data: bytes) -> None:
    found = codec.attributes(data)
    assert sum(map(len, found.values())) <= len(data)
    assert sum(map(len, codec.messages(data))) <= len(data)
    codec.answer(data)
    codec.family_id(data)


def test_of_a_repeated_attribute_the_last_counts() -> None:
    assert codec.attributes(codec.u8(1, 1) + codec.u8(1, 2)) == {1: b"\2"}


def test_the_messages_of_a_datagram_are_told_apart_by_their_padded_length() -> None:
    first, second = codec.message(20, 0, b"abcde"), codec.message(21, 0, b"")
    assert list(codec.messages(first + bytes(3) + second)) == [first, second]
    assert list(codec.messages((first + bytes(3) + second)[:-1])) == [first]


def error(code: int, echoed: bytes, text: str = "", *, capped: bool = True) -> bytes:
    flags = (Flag.CAPPED if capped else 0) | (Flag.ACK_ATTRIBUTES if text else 0)
    payload = struct.pack("=i", -code) + (echoed[:16] if capped else echoed)
    payload += codec.string(1, text) if text else b""
    return struct.pack("=IHHII", 16 + len(payload), MessageType.ERROR, flags, 5, 0) + payload


def test_an_answer_has_the_kernels_own_words_whether_it_repeats_the_request_or_not() -> None:
    request = codec.message(20, 0, b"12345678")
    for capped in (True, False):
        answer = codec.answer(error(errno.EINVAL, request, "ipv4: Invalid scope value", capped=capped))
        assert answer == Answer(errno.EINVAL, "ipv4: Invalid scope value")
    assert str(answer) == "Invalid argument (ipv4: Invalid scope value)"
    assert codec.answer(error(errno.EEXIST, request)) == Answer(errno.EEXIST)
    assert str(Answer(errno.EEXIST)) == "File exists"
    assert codec.answer(error(0, request)).ok
    assert str(codec.DONE) == "done"


def test_the_end_of_a_dump_may_be_a_refusal() -> None:
    done = struct.pack("=IHHIIi", 20, MessageType.DONE, Flag.MULTI, 5, 0, -errno.ENOENT)
    assert codec.answer(done) == Answer(errno.ENOENT)


def test_a_generic_family_is_asked_for_by_name_and_told_as_a_number() -> None:
    question = codec.get_family("IPVS")
    assert codec.header(question).type == 16
    assert codec.attributes(question, codec.GENERIC_PAYLOAD) == {2: b"IPVS\0"}
    assert codec.family_id(codec.generic(16, 1, codec.string(2, "IPVS") + codec.u16(1, 28))) == 28
    assert codec.family_id(codec.generic(16, 1, codec.string(2, "IPVS"))) is None
