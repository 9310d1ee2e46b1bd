"""Health checks of keepalived whose words are read, but which lvsd cannot run yet. A server with one of them is as if it stood
without. Each leaves for a file of its own, as a Check, when it learns to run."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

from lvsd.check.probe import CheckWords, ConnectingWords
from lvsd.core.conf.keyword import block, kw, optional, required, sub
from lvsd.core.conf.values import BytePattern, FileWeight, boolean, choice, file_weight, integer, payload, reply, word

REPLY_MOST = 65535  # bytes


@block("host", "Where SMTP_CHECK asks, in an older spelling.")
class SmtpHost(ConnectingWords):
    pass


@block("SMTP_CHECK", "Up if a mail server greets.")
class SmtpCheck(ConnectingWords):
    helo_name: str = kw(word, "Name to greet it with.", default="smtpchecker.keepalived.org")
    host: SmtpHost | None = sub(
        SmtpHost, "Where to ask.", deprecated="write its keywords in the SMTP_CHECK itself, one check a host"
    )


class DnsType(Enum):
    A = 1
    NS = 2
    CNAME = 5
    SOA = 6
    MX = 15
    TXT = 16
    AAAA = 28
    RRSIG = 46
    DNSKEY = 48


@block("DNS_CHECK", "Up if a name server answers the question without an error.")
class DnsCheck(ConnectingWords):
    """Where delay_before_retry is written nowhere, it is delay_loop."""

    default_retry: ClassVar[int] = 3

    type: DnsType = kw(choice(DnsType), "Type of the question.", default=DnsType.SOA)
    name: str = kw(word, "Name that is asked for; the root by default.", default="")


@block("UDP_CHECK", "Up unless the port is unreachable; or if it answers, with require_reply.")
class UdpCheck(ConnectingWords):
    payload: bytes | None = optional(payload, "What is sent; random bytes by default.")
    require_reply: BytePattern | None = optional(reply, "Only a reply is right, one that begins so.")
    min_reply_length: int = kw(integer(0, REPLY_MOST), "Bytes that a required reply has at least.", default=0)
    max_reply_length: int = kw(integer(0, REPLY_MOST), "Bytes that a required reply has at most.", default=255)


@block("PING_CHECK", "Up if it answers an ICMP echo request.")
class PingCheck(ConnectingWords):
    pass


@block("BFD_CHECK", "Up while a BFD session is.")
class BfdCheck:
    name: str = required(word, "Name of the bfd_instance.")
    alpha: bool | None = optional(boolean, "The server is down until the session is up.")


@block("FILE_CHECK", "The number in a tracked file changes the server's weight.")
class FileCheck(CheckWords):
    track_file: str = required(word, "Name of the track_file.")
    weight: FileWeight | None = optional(
        file_weight, "What the number is multiplied by, 0 to fail where it is not 0; the track_file's own by default."
    )
