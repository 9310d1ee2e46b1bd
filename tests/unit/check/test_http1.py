"""The reader of HTTP/1.x answers, fed whole, byte by byte, and with nonsense."""

from __future__ import annotations

import random

import pytest

from lvsd.check.http1 import LARGEST_HEAD, Answer, BadAnswer, parse_head, request


def fed(data: bytes, size: int, *, ended: bool) -> tuple[int, bytes]:
    answer = Answer()
    body = bytearray()
    for start in range(0, len(data), size):
        assert not answer.complete
        body += answer.feed(data[start : start + size])
    if ended and not answer.complete:
        body += answer.end()
    assert answer.complete
    return answer.status, bytes(body)


GOOD = [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, b"hello", False),
    (b"HTTP/1.1 200\r\ncontent-length:5 \r\n\r\nhello", 200, b"hello", False),
    (b"HTTP/1.0 404 Not Found\n\nhello", 404, b"hello", True),
    (b"HTTP/1.0 200 OK\r\nX: a\r\n folded\r\n\r\n", 200, b"", True),
    (b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", 204, b"", False),
    (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, b"hi", False),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\nA\r\n0123456789\r\n0\r\nT: v\r\n\r\n", 200,
     b"hello0123456789", False),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi", 200, b"hi", False),
]  # fmt: skip


@pytest.mark.parametrize(("data", "status", "body", "ended"), GOOD)
@pytest.mark.parametrize("size", [1, 2, 7, 100_000])
def test_an_answer_is_the_same_however_it_arrives(
    data: bytes, status: int, body: bytes, ended: bool, size: int
) -> None:
    assert fed(data, size, ended=ended) == (status, body)


def test_what_follows_the_announced_length_is_not_the_body() -> None:
    answer = Answer()
    assert answer.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi and more") == b"hi"
    assert answer.complete


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"SSH-2.0-OpenSSH\r\n", "this is no HTTP"),
        (b"HTTP/2.0 200 OK\r\n\r\n", "no status line"),
        (b"HTTP/1.1 20 OK\r\n\r\n", "no status line"),
        (b"HTTP/1.1 200OK\r\n\r\n", "no status line"),
        (b"HTTP/1.1 200 OK\r\nno header\r\n\r\n", "no header"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n", "stands twice"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n", "no number"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", "Transfer-Encoding"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "Transfer-Encoding"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", "no chunk size"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX", "does not end"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 9, "interim answers"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * LARGEST_HEAD, "larger than"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"T: v\r\n" * 1001, "trailer"),
    ],
)
def test_what_is_no_http_is_refused_with_the_reason(data: bytes, words: str) -> None:
    with pytest.raises(BadAnswer, match=words):
        Answer().feed(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "without an answer"),
        (b"HTTP/1.1 200", "within its head"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", "after 2 bytes of a body of 9 bytes"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhi", "of a chunk"),
    ],
)
def test_an_answer_that_was_cut_is_no_answer(data: bytes, words: str) -> None:
    answer = Answer()
    answer.feed(data)
    with pytest.raises(BadAnswer, match=words):
        answer.end()


def test_damaged_answers_end_in_an_answer_or_in_a_bad_one() -> None:
    rng = random.Random(20261124)
    refused = 0
    for _ in range(3000):
        data = bytearray(rng.choice(GOOD)[0])
        for _ in range(rng.randint(1, 4)):
            where = rng.randrange(len(data))
            data[where : where + rng.randint(0, 2)] = rng.randbytes(rng.randint(0, 3))
        answer = Answer()
        try:
            answer.feed(bytes(data))
            answer.end()
        except BadAnswer:
            refused += 1
        else:
            assert 200 <= answer.status <= 999 or answer.status == 101
    assert refused > 500


def test_names_of_headers_are_in_lower_case_and_values_stripped() -> None:
    assert parse_head(b"HTTP/1.1 301 Moved\r\nLocation:  /x \r\nX-Y:") == (301, [(b"location", b"/x"), (b"x-y", b"")])


def test_a_request_says_close_only_when_told() -> None:
    assert request("/a", "h:81", "1.0", close=False) == b"GET /a HTTP/1.0\r\nUser-Agent: lvsd\r\nHost: h:81\r\n\r\n"
    assert b"\r\nConnection: close\r\n" in request("/", "h", "1.1", close=True)
