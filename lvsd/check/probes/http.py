"""HTTP_GET and SSL_GET: the server is up if it answers each url as the operator expects."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, ClassVar

from lvsd.check.probe import ConnectingCheck, Layer, Outcome, Target
from lvsd.core.conf.keyword import block, blocks, kw, optional
from lvsd.core.conf.values import (
    StatusRange,
    flag,
    integer,
    lower_choice,
    md5_digest,
    regex,
    regex_options,
    regex_stack,
    status_codes,
    word,
)

if TYPE_CHECKING:
    from lvsd.check.dial import Dial, Stream, Tls

LARGEST_MATCHED = 4 << 20
"""Bytes of a body that a regular expression is matched against; a larger one fails the check."""
LARGEST_DIGESTED = 256 << 20
"""Bytes of a body whose digest is taken; it is not kept in memory."""
POLITE = 64 << 10
"""Bytes of a body that are read only so that the server does not see its connection cut."""


class HttpProtocol(Enum):
    """1.0c: HTTP/1.0 with the header `Connection: close`, which 1.1 always sends."""

    HTTP10 = "1.0"
    HTTP10C = "1.0c"
    HTTP11 = "1.1"


@block("url", "One page, and what it must be.")
class Url:
    path: str = kw(word, "What is asked for.", default="/")
    digest: str = kw(md5_digest, "MD5 of the body, 32 hexadecimal digits.", default="")
    status_code: tuple[StatusRange, ...] = kw(
        status_codes, "Codes and ranges that are right.", default=(StatusRange(200, 299),)
    )
    virtualhost: str = kw(word, "Host header; that of the check by default.", default="")
    regex: str = kw(regex, "Regular expression that the body must match.", default="")
    regex_no_match: bool = kw(flag, "The body must not match.", default=False)
    regex_options: tuple[str, ...] = kw(regex_options, "Options of the regular expression.", default=())
    regex_min_offset: int = kw(integer(0), "Byte of the body from which a match may begin.", default=0)
    regex_max_offset: int = kw(integer(0), "Byte from which a match may begin no more; 0 for none.", default=0)
    regex_stack: tuple[int, int] | None = optional(regex_stack, "Memory of keepalived's matcher; lvsd's needs none.")
    tls_compliant: bool = kw(flag, "SSL_GET: an answer that ends without TLS's own end is a failure.", default=False)


@block("HTTP_GET", "Up if each url answers over HTTP as it should.")
class HttpGet(ConnectingCheck):
    """Every url is asked in each check, one after the other; the first wrong one fails it."""

    default_delay_before_retry: ClassVar[float] = 3.0
    default_port: ClassVar[int] = 80

    retry: int | None = optional(
        integer(0), "Failures in a row that are forgiven before the server is down.", aliases=("nb_get_retry",)
    )
    url: tuple[Url, ...] = blocks(Url, doc="Pages to ask for, at least one.", required=True)
    http_protocol: HttpProtocol = kw(
        lower_choice(HttpProtocol), "Version of HTTP: 1.0, 1.0C or 1.1.", default=HttpProtocol.HTTP10
    )
    virtualhost: str | None = optional(word, "Host header; that of the real server or the service by default.")
    enable_sni: bool = kw(flag, "SSL_GET: tell the server the host's name in the TLS handshake.", default=False)
    sni_name: str = kw(word, "SSL_GET: the name told in the TLS handshake; the Host header by default.", default="")
    tls_compliant: bool = kw(flag, "As in each url.", default=False)
    fast_recovery: bool = kw(flag, "All urls are asked at once on recovery; lvsd always does.", default=False)

    def tls(self, url: Url, target: Target) -> Tls | None:
        return None

    async def run(self, target: Target, dial: Dial) -> Outcome:
        from lvsd.check.http1 import BadAnswer, request

        said = ""
        for url in self.url:
            host = url.virtualhost or target.host or authority(target, self.default_port)
            stream = await dial.stream(target, self.tls(url, target))
            try:
                await stream.write(
                    request(
                        url.path,
                        host,
                        "1.1" if self.http_protocol is HttpProtocol.HTTP11 else "1.0",
                        close=self.http_protocol is not HttpProtocol.HTTP10,
                    )
                )
                status, wrong = await judge(url, stream)
            except BadAnswer as error:
                return Outcome(False, Layer.L7, f"{url.path}: {error}", dial.elapsed)
            finally:
                stream.close()
            said = f"{url.path} answered {status}"
            if wrong:
                return Outcome(False, Layer.L7, f"{said}, {wrong}", dial.elapsed)
        return Outcome(True, Layer.L7, said, dial.elapsed)


@block("SSL_GET", "Up if each url answers over HTTPS as it should; certificates are not verified.")
class SslGet(HttpGet):
    default_port: ClassVar[int] = 443

    def tls(self, url: Url, target: Target) -> Tls | None:
        from lvsd.check.dial import Tls

        name = self.sni_name or (url.virtualhost or target.host if self.enable_sni else "")
        return Tls(name, strict_end=url.tls_compliant or self.tls_compliant)


def authority(target: Target, default_port: int) -> str:
    host = f"[{target.address}]" if target.address.version == 6 else str(target.address)
    return host if target.port == default_port else f"{host}:{target.port}"


async def judge(url: Url, stream: Stream) -> tuple[int, str]:
    """Reads an answer as far as the url's expectations need; (status, what is wrong with it or "")."""
    import hashlib

    from lvsd.check.http1 import Answer, BadAnswer

    digest = hashlib.md5(usedforsecurity=False) if url.digest else None
    matched = bytearray()
    length = 0
    answer = Answer()
    while not answer.complete:
        data = await stream.read()
        body = answer.feed(data) if data else answer.end()
        length += len(body)
        if digest is not None:
            digest.update(body)
        if url.regex:
            matched += body
        if answer.status and not any(known.first <= answer.status <= known.last for known in url.status_code):
            return answer.status, f"expected {' '.join(map(written, url.status_code))}"
        if (url.regex and length > LARGEST_MATCHED) or length > LARGEST_DIGESTED:
            raise BadAnswer(f"the body is too large to be checked ({length} bytes so far)")
        if not url.regex and digest is None and length > POLITE:
            break
    if digest is not None and digest.hexdigest() != url.digest.lower():
        return answer.status, f"but the digest of its body is {digest.hexdigest()}"
    if url.regex and matches(url, bytes(matched)) == url.regex_no_match:
        return answer.status, f"but its body {'matches' if url.regex_no_match else 'does not match'} {url.regex!r}"
    return answer.status, ""


def written(codes: StatusRange) -> str:
    return str(codes.first) if codes.first == codes.last else f"{codes.first}-{codes.last}"


def matches(url: Url, body: bytes) -> bool:
    import re

    flags = {"caseless": re.IGNORECASE, "dotall": re.DOTALL, "extended": re.VERBOSE, "multiline": re.MULTILINE}
    wanted = re.RegexFlag(0)
    for option in url.regex_options:
        wanted |= flags.get(option, re.RegexFlag(0))
    found = re.compile(url.regex.encode(), wanted).search(body, url.regex_min_offset)
    return found is not None and (not url.regex_max_offset or found.start() < url.regex_max_offset)
