from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest

from lvsd.core.conf.daemon_options import (
    Gateway,
    SyncDaemon,
    absolute_path,
    buffer_rule,
    cpus,
    fifo,
    file_name,
    file_name_or_none,
    firewall_chains,
    gateway,
    include_check,
    init_file,
    link_delay,
    link_poll,
    listener,
    parameter_match,
    path,
    peer_key,
    permission,
    probing,
    process_line,
    set_names,
    short_word,
    sync_daemon,
    tracker_weight,
    umask,
    url,
    word_or,
)
from lvsd.core.conf.keyword import Reader, Unreadable
from lvsd.core.conf.types import (
    Endpoint,
    Fifo,
    FirewallChains,
    LinkDelay,
    LinkPoll,
    PeerKey,
    Probing,
    Secret,
    TrackerWeight,
)
from lvsd.core.conf.words import split_script


@pytest.mark.parametrize(
    ("reader", "line", "value"),
    [
        (short_word(3), "abc", "abc"),
        (word_or("x"), "", "x"),
        (word_or("x"), "y", "y"),
        (word_or(""), "", ""),
        (permission("more"), "", ""),
        (permission("more"), "more", "more"),
        (path, "a/b", "a/b"),
        (absolute_path, "/a", "/a"),
        (file_name, "blue", "blue"),
        (file_name_or_none, "", ""),
        (file_name_or_none, "blue", "blue"),
        (url, "http://192.0.2.1/alive", "http://192.0.2.1/alive"),
        (fifo, "/run/f", Fifo("/run/f")),
        (fifo, "/run/f nobody nogroup", Fifo("/run/f", "nobody", "nogroup")),
        (umask, "022", 0o022),
        (umask, "0", 0),
        (umask, "IWGRP | S_IWOTH", 0o022),
        (umask, "IRWXO|IXUSR", 0o107),
        (include_check, "", ()),
        (include_check, "+match -brace_match none", ("+match", "-brace_match", "none")),
        (cpus, "0 3 1023", (0, 3, 1023)),
        (firewall_chains, "", FirewallChains()),
        (firewall_chains, "in", FirewallChains("in")),
        (firewall_chains, "in out", FirewallChains("in", "out")),
        (set_names, "", ()),
        (set_names, "a b", ("a", "b")),
        (buffer_rule, "MTU", "MTU"),
        (buffer_rule, "65536", 65536),
        (tracker_weight(254), "254", TrackerWeight(253)),
        (tracker_weight(254), "-2 reverse", TrackerWeight(-2, True)),
        (tracker_weight(254), "5 noreverse", TrackerWeight(5)),
        (link_delay, "eth0 3", LinkDelay("eth0", 3)),
        (link_delay, "eth0 3 255", LinkDelay("eth0", 3, 255)),
        (link_poll, "eth0", LinkPoll("eth0")),
        (link_poll, "eth0 ETHTOOL", LinkPoll("eth0", "ETHTOOL")),
        (init_file, "", (0, False)),
        (init_file, "-5 overwrite", (-5, True)),
        (init_file, "overwrite", (0, True)),
        (parameter_match, "", "exact"),
        (parameter_match, "partial", "partial"),
        (sync_daemon, "eth0", SyncDaemon("eth0")),
        (sync_daemon, "eth0 VI_1", SyncDaemon("eth0", "VI_1")),
        (
            sync_daemon,
            "eth0 inst VI_1 id 0 maxlen 1400 port 9000 ttl 2 group ff02::81",
            SyncDaemon("eth0", "VI_1", 0, 1400, 9000, 2, ip_address("ff02::81")),
        ),
        (probing, "off", Probing("off", 0)),
        (probing, "alarm", Probing("alarm", 0)),
        (probing, "wait", Probing("wait", 10)),
        (probing, "wait 3", Probing("wait", 3)),
        (listener, "10.0.0.1 8404", Endpoint(ip_address("10.0.0.1"), 8404)),
        (gateway, "10.0.0.1", Gateway(ip_address("10.0.0.1"))),
        (gateway, "fe80::1 dev eth0", Gateway(ip_address("fe80::1"), "eth0")),
        (peer_key, "2 file:/etc/key", PeerKey(2, Secret("file:/etc/key"))),
    ],
)
def test_an_argument_is_read_and_written_back(reader: Reader[Any], line: str, value: object) -> None:
    assert reader.read(line.split()) == value
    assert reader.read(reader.write(value).split()) == value


@pytest.mark.parametrize(
    ("reader", "line", "word"),
    [
        (short_word(3), "four", 0),
        (permission("more"), "less", 0),
        (absolute_path, "a", 0),
        (file_name, "/run/netns/blue", 0),
        (file_name, "..", 0),
        (file_name_or_none, "a/b", 0),
        (url, "ftp://a", 0),
        (url, "http:///", 0),
        (umask, "22", 0),
        (umask, "01000", 0),
        (umask, "IWGRP | IWANY", 2),
        (include_check, "match everything", 1),
        (cpus, "0 1024", 1),
        (firewall_chains, "in " + "x" * 29, 1),
        (set_names, "a b a", 2),
        (set_names, "a " + "x" * 32, 1),
        (buffer_rule, "mtu", 0),
        (tracker_weight(254), "255", 0),
        (tracker_weight(253), "254", 0),
        (tracker_weight(254), "2 backwards", 1),
        (link_delay, "eth0", 0),
        (link_delay, "eth0 3 256", 2),
        (link_delay, "et/h0 3", 0),
        (link_poll, "eth0 mii", 1),
        (init_file, "overwrite 5", 1),
        (init_file, "x", 0),
        (parameter_match, "some", 0),
        (sync_daemon, "eth0 VI_1 VI_2", 2),
        (sync_daemon, "eth0 id 256", 2),
        (sync_daemon, "eth0 port", 1),
        (sync_daemon, "eth0 group 192.0.2.1", 2),
        (probing, "maybe", 0),
        (probing, "off 3", 1),
        (probing, "wait 0", 1),
        (listener, "10.0.0.1 0", 1),
        (gateway, "10.0.0.1 via eth0", 1),
        (gateway, "10.0.0.1 dev", 1),
        (peer_key, "256 secret", 0),
    ],
)
def test_a_refusal_points_at_the_word(reader: Reader[Any], line: str, word: int) -> None:
    with pytest.raises(Unreadable) as caught:
        reader.read(line.split())
    assert caught.value.word == word


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("sshd", ("sshd",)),
        ('"sshd -D"', ("sshd", "-D")),
        ("sshd -D", ("sshd", "-D")),
        (r"""sshd 'a b' "c\"d" """, ("sshd", "a b", 'c"d')),
        (r"""'"a b"'""", ("a b",)),
    ],
)
def test_a_process_is_read_in_quotes_or_without(line: str, value: tuple[str, ...]) -> None:
    assert process_line.read(split_script(line)) == value
    assert process_line.read(split_script(process_line.write(value))) == value


@pytest.mark.parametrize("line", ["''", "'\"open'"])
def test_a_process_has_a_name(line: str) -> None:
    with pytest.raises(Unreadable):
        process_line.read(split_script(line))


def test_a_secret_key_is_never_shown() -> None:
    key = PeerKey(1, Secret("hush-hush-hush"))
    assert "hush" not in repr(key) + peer_key.write(key)
    with pytest.raises(Unreadable) as caught:
        peer_key.read(["hush-hush", "1"])
    assert "hush" not in caught.value.message
