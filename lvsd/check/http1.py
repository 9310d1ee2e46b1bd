"""A strict and small reader of HTTP/1.x answers, fed with what arrives. Does no I/O and keeps no body."""

from __future__ import annotations

import re

LARGEST_HEAD = 64 << 10
"""Bytes of the status line and headers together."""
MOST_INTERIM = 8
"""Interim answers (1xx) before the real one."""

# The reason phrase may be missing (RFC 9112 section 4), and old servers end lines with a bare LF.
_STATUS_LINE = re.compile(rb"HTTP/1\.[0-9] ([1-9][0-9][0-9])(?: [^\r\n\0]*)?\Z")
_HEAD_END = re.compile(rb"\n\r?\n")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*?)[ \t]*\Z")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n\0]*)?\Z")


class BadAnswer(Exception):
    """What came is no HTTP answer; the message says why."""


def request(path: str, host: str, version: str, *, close: bool) -> bytes:
    lines = [f"GET {path} HTTP/{version}", "User-Agent: lvsd"]
    if close:
        lines.append("Connection: close")
    lines.append(f"Host: {host}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


class Answer:
    """status: 0 until the head is complete. complete: nothing more belongs to this answer.

    Framing as RFC 9112 section 6.3: chunked, else Content-Length, else up to the end of the connection."""

    def __init__(self) -> None:
        self.status = 0
        self.complete = False
        self._buffer = bytearray()
        self._scanned = 0
        self._interim = 0
        self._length: int | None = None
        self._chunked = False
        self._in_chunk = 0
        self._trailer = False
        self._received = 0

    def feed(self, data: bytes) -> bytes:
        """Takes what arrived and gives the bytes of the body in it; raises BadAnswer."""
        if not self.status:
            self._buffer += data
            if not self._take_head():
                return b""
            data = bytes(self._buffer)
            self._buffer.clear()
        if self._chunked:
            return self._unchunk(data)
        if self._length is not None:
            data = data[: self._length - self._received]
        self._received += len(data)
        self.complete = self._received == self._length
        return data

    def end(self) -> bytes:
        """The connection has ended; raises BadAnswer where something was still to come."""
        if not self.status:
            what = "within its head" if self._buffer else "without an answer"
            raise BadAnswer(f"the server closed the connection {what}")
        if not self.complete and (self._chunked or self._length is not None):
            told = "a chunk" if self._chunked else f"{self._length} bytes"
            raise BadAnswer(f"the server closed the connection after {self._received} bytes of a body of {told}")
        self.complete = True
        return b""

    def _take_head(self) -> bool:
        while True:
            found = _HEAD_END.search(self._buffer, self._scanned)
            if found is None:
                self._scanned = max(0, len(self._buffer) - 2)
                if len(self._buffer) > LARGEST_HEAD:
                    raise BadAnswer(f"the head is larger than {LARGEST_HEAD} bytes")
                self._refuse_nonsense()
                return False
            if found.start() > LARGEST_HEAD:
                raise BadAnswer(f"the head is larger than {LARGEST_HEAD} bytes")
            head = bytes(self._buffer[: found.start()])
            del self._buffer[: found.end()]
            self._scanned = 0
            status, headers = parse_head(head)
            if status >= 200 or status == 101:
                self._frame(status, headers)
                return True
            self._interim += 1
            if self._interim > MOST_INTERIM:
                raise BadAnswer("the server sends interim answers without end")

    def _refuse_nonsense(self) -> None:
        if not self._buffer.startswith(b"HTTP/"[: len(self._buffer)]):
            raise BadAnswer(f"this is no HTTP: {bytes(self._buffer[:40])!r}")

    def _frame(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.status = status
        lengths = {value for name, value in headers if name == b"content-length"}
        codings = [value.lower() for name, value in headers if name == b"transfer-encoding"]
        if status in (204, 304):
            self.complete = True
            self._length = 0
            return
        if codings:
            if codings != [b"chunked"] or lengths:
                raise BadAnswer("Transfer-Encoding is not understood, or stands beside Content-Length")
            self._chunked = True
        elif lengths:
            (length, *others) = lengths
            if others or not length.isdigit() or len(length) > 18:
                raise BadAnswer("Content-Length is no number, or stands twice")
            self._length = int(length)

    def _unchunk(self, data: bytes) -> bytes:
        self._buffer += data
        body = bytearray()
        while not self.complete:
            if self._in_chunk:
                part = self._buffer[: self._in_chunk]
                del self._buffer[: len(part)]
                # The two bytes behind a chunk's data are counted with it, and dropped.
                body += part[: max(0, self._in_chunk - 2)]
                self._in_chunk -= len(part)
                if self._in_chunk:
                    break
                if not part.endswith(b"\n"):
                    raise BadAnswer("a chunk does not end where it should")
                continue
            line_end = self._buffer.find(b"\n")
            if line_end < 0:
                if len(self._buffer) > LARGEST_HEAD:
                    raise BadAnswer("a line between chunks is too long")
                break
            line = bytes(self._buffer[:line_end]).removesuffix(b"\r")
            del self._buffer[: line_end + 1]
            self._between_chunks(line)
        self._received += len(body)
        return bytes(body)

    def _between_chunks(self, line: bytes) -> None:
        if self._trailer:
            self._interim += 1
            if self._interim > 1000:
                raise BadAnswer("the trailer has no end")
            self.complete = not line
            return
        size = _CHUNK_SIZE.match(line)
        if size is None:
            raise BadAnswer(f"this is no chunk size: {line[:40]!r}")
        length = int(size[1], 16)
        if length:
            self._in_chunk = length + 2
        else:
            self._trailer = True


def parse_head(head: bytes) -> tuple[int, list[tuple[bytes, bytes]]]:
    """(status, headers with lower-case names); raises BadAnswer."""
    first, *rest = [line.removesuffix(b"\r") for line in head.split(b"\n")]
    status = _STATUS_LINE.match(first)
    if status is None:
        raise BadAnswer(f"this is no status line of HTTP/1.x: {first[:40]!r}")
    headers: list[tuple[bytes, bytes]] = []
    for line in rest:
        if line[:1] in (b" ", b"\t") and headers:
            continue  # a folded line (obsolete) belongs to a header whose value does not matter here
        header = _HEADER.match(line)
        if header is None:
            raise BadAnswer(f"this is no header: {line[:40]!r}")
        headers.append((header[1].lower(), header[2]))
    return int(status[1]), headers
