"""Rules about health checks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from lvsd.check.probe import ConnectingCheck, ConnectingWords
from lvsd.check.probes.declared import SmtpCheck, UdpCheck
from lvsd.check.probes.http import HttpGet, SslGet, Url
from lvsd.check.probes.tcp import TcpCheck
from lvsd.check.settings import RealServer, VirtualServer
from lvsd.core.conf.answers import REGEX_OPTIONS_IGNORED
from lvsd.core.conf.diagnose import Severity
from lvsd.core.conf.rules import Finding, Mend
from lvsd.core.conf.types import ByMark
from lvsd.core.root import Root

from .common import RULES as rule
from .common import Findings, ports

C = TypeVar("C")


def _checks(root: Root, *kinds: type[C]) -> Iterator[tuple[VirtualServer, RealServer, C]]:
    for server in root.virtual_servers:
        for each in server.real_servers:
            for check in (*each.checks, *each.checks_not_run_yet):
                if isinstance(check, kinds):
                    yield server, each, check


def _urls(root: Root) -> Iterator[Url]:
    for _, _, check in _checks(root, HttpGet):
        yield from check.url


# --- whom a check asks


@rule("check-without-port")
def checks_have_a_port(root: Root) -> Findings:
    """The check is to connect, and neither it nor its real_server nor the service says to which port. keepalived would
    ask port 0, where nobody answers, and take the server out. Write connect_port in the check."""
    for server, each, check in _checks(root, ConnectingWords):
        if not isinstance(check, ConnectingCheck) or check.connect_port is not None or each.endpoint.port:
            continue
        if not any(ports(root, server)):
            yield Finding("this check has no port to connect to", check, "", 0, "write connect_port")


@rule("no-protocol", Severity.WARNING)
def a_service_that_is_asked_over_tcp_says_its_protocol(root: Root) -> Findings:
    """The service says no protocol, which makes it a UDP service, while its checks ask the same port over TCP: the
    checks succeed, and no client gets an answer. keepalived takes UDP too. Write `protocol TCP`, or `protocol UDP` if that
    is meant; checks with a connect_port of their own are not asked about."""
    asked = {
        id(server)
        for server, _, check in _checks(root, TcpCheck, HttpGet, SmtpCheck)
        if check.connect_port is None and server.written_protocol is None
    }
    for each in root.virtual_servers:
        if id(each) in asked and not isinstance(each.header, ByMark):
            text = "no protocol is written, which makes this UDP, and its checks ask over TCP"
            yield Finding(text, each, "header", 0, "write protocol TCP or protocol UDP")


# --- what an answer must be


@rule("tls-words", Severity.WARNING)
def only_tls_has_words_of_tls(root: Root) -> Findings:
    """enable_sni, sni_name and tls_compliant are about TLS, and HTTP_GET speaks without it; there they have no effect,
    in keepalived as in lvsd. Write SSL_GET if the server speaks TLS, or delete the line."""
    for _, _, check in _checks(root, HttpGet):
        if isinstance(check, SslGet):
            continue
        for block in (check, *check.url):
            for field in ("enable_sni", "sni_name", "tls_compliant"):
                if getattr(block, field, None):
                    yield Finding(
                        f"{field} has no effect in HTTP_GET, which has no TLS", block, field, 0, "SSL_GET has"
                    )


@rule("sni-without-name", Severity.WARNING)
def sni_has_a_name(root: Root) -> Findings:
    """enable_sni sends the name of the host in the TLS handshake, and none is written; an address cannot be sent. The
    server answers as if it were off. Write virtualhost (in the url, the check, the real_server or the service) or sni_name."""
    for server, each, check in _checks(root, SslGet):
        everywhere = check.sni_name or check.virtualhost or each.virtualhost or server.virtualhost
        if check.enable_sni and not everywhere and not all(url.virtualhost for url in check.url):
            yield Finding("there is no name to send in the TLS handshake", check, "enable_sni", 0, "write virtualhost")


@rule("no-regex", Severity.WARNING)
def words_about_a_regex_need_one(root: Root) -> Findings:
    """regex_no_match, regex_options and the offsets say how regex is matched, and this url has none, so its body is not
    looked at. keepalived says nothing. Write a regex, or delete the line."""
    fields = ("regex_no_match", "regex_options", "regex_min_offset", "regex_max_offset", "regex_stack")
    for url in _urls(root):
        for field in fields:
            if not url.regex and getattr(url, field):
                yield Finding(f"{field} has no effect without regex", url, field)


@rule("regex-option", Severity.WARNING)
def options_of_a_regex_are_obeyed(root: Root) -> Findings:
    """The option changes what the regex of keepalived's PCRE2 matches, and lvsd's matcher, Python's re, has no such option.
    The regex is matched as if it were not there. Write the regex so that it needs no such option; caseless, dotall,
    extended and multiline are obeyed."""
    for url in _urls(root):
        for each in url.regex_options:
            if each in REGEX_OPTIONS_IGNORED:
                yield Finding(f"'{each}' is not obeyed: the regex is matched without it", url, "regex_options")


@rule("regex-offsets", mend=Mend.VALUE)
def offsets_of_a_regex_leave_room(root: Root) -> Findings:
    """A match may begin at regex_min_offset at the earliest and must begin before regex_max_offset, which leaves no byte
    here: the regex never matches, and the server is down for good. Write a larger regex_max_offset, or none."""
    for url in _urls(root):
        if url.regex and 0 < url.regex_max_offset <= url.regex_min_offset:
            text = f"no match can begin from byte {url.regex_min_offset} on and before byte {url.regex_max_offset}"
            yield Finding(text, url, "regex_max_offset")


@rule("reply-length", mend=Mend.VALUE)
def a_reply_can_have_a_length(root: Root) -> Findings:
    """min_reply_length is above max_reply_length, so no reply has the right length and the server is down for good.
    keepalived says that the check will always fail. max_reply_length is 255 where it is not written."""
    for _, _, check in _checks(root, UdpCheck):
        if check.min_reply_length > check.max_reply_length:
            text = f"no reply is {check.min_reply_length} bytes at least and {check.max_reply_length} at most"
            yield Finding(text, check, "min_reply_length")
