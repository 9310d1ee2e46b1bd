"""The checks that are declared and not run yet: every word of theirs is read, and none is acted on."""

from __future__ import annotations

from typing import Any

import pytest

from lvsd.check.probe import Check
from lvsd.check.probes import KINDS, NOT_RUN_YET
from lvsd.check.probes.declared import DnsType
from lvsd.core.conf.dump import dump
from lvsd.core.conf.types import BytePattern, FileWeight
from lvsd.core.config import load

CONNECTING = """connect_ip 192.0.2.9
connect_port 7
bindto 192.0.2.8
bind_port 65535
bind_if eth0
connect_timeout 0.5
fwmark 4294967295
"""
COMMON = """retry 0
delay_before_retry 0.25
warmup 0
delay_loop 3
alpha
log_all_failures off
"""
BLOCKS = {
    "SMTP_CHECK": CONNECTING + COMMON + "helo_name lvs.example.net\n",
    "DNS_CHECK": CONNECTING + COMMON + "type AAAA\nname example.net\n",
    "UDP_CHECK": CONNECTING + COMMON + "payload 00 ff\nrequire_reply 1X\nmin_reply_length 0\nmax_reply_length 65535\n",
    "PING_CHECK": CONNECTING + COMMON,
    "BFD_CHECK": "name peer\nalpha off\n",
    "FILE_CHECK": COMMON + "track_file load\nweight -2 reverse\n",
}


TRACKED = "bfd_instance peer { neighbor_ip 192.0.2.9 }\ntrack_file load { file /var/lib/load }\n"


def bound(name: str, body: str) -> Any:
    text = f"virtual_server fwmark 1 {{\nreal_server 192.0.2.2 80 {{\n{name} {{\n{body}}}\n}}\n}}\n"
    loaded = load("lvs.conf", lambda _: (text + TRACKED).encode(), drop_ins=False)
    said = [each for each in loaded.diagnostics if each.line <= text.count("\n")]
    assert [each.code for each in said] == ["not-obeyed"]
    assert loaded.config is not None
    again = load("dump", lambda _: dump(loaded.config.root).encode(), drop_ins=False)  # type: ignore[union-attr]
    assert again.config == loaded.config
    (server,) = loaded.config.root.virtual_servers[0].real_servers
    assert server.checks == ()
    return server.checks_not_run_yet[0]


@pytest.mark.parametrize("name", BLOCKS)
def test_every_word_of_a_check_is_read_and_the_block_warned_about_once(name: str) -> None:
    bound(name, BLOCKS[name])


def test_what_a_check_says_has_values() -> None:
    udp = bound("UDP_CHECK", BLOCKS["UDP_CHECK"])
    assert (udp.payload, udp.require_reply) == (b"\0\xff", BytePattern(b"\x10", b"\xf0"))
    assert bound("DNS_CHECK", BLOCKS["DNS_CHECK"]).type is DnsType.AAAA
    assert bound("FILE_CHECK", BLOCKS["FILE_CHECK"]).weight == FileWeight(-2, reverse=True)
    assert bound("BFD_CHECK", BLOCKS["BFD_CHECK"]).alpha is False


def test_what_a_check_does_not_say_is_keepalived_s_default() -> None:
    assert bound("SMTP_CHECK", "").helo_name == "smtpchecker.keepalived.org"
    dns, udp = bound("DNS_CHECK", ""), bound("UDP_CHECK", "")
    assert (dns.type, dns.name, dns.default_retry) == (DnsType.SOA, "", 3)
    assert (udp.payload, udp.require_reply, udp.min_reply_length, udp.max_reply_length) == (None, None, 0, 255)
    assert bound("UDP_CHECK", "require_reply\n").require_reply == BytePattern(b"", b"")


def test_what_can_be_run_and_what_cannot_are_apart() -> None:
    assert all(issubclass(each, Check) for each in KINDS)
    assert not any(issubclass(each, Check) for each in NOT_RUN_YET)
