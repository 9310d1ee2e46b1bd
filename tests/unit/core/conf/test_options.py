from __future__ import annotations

from typing import Any

import pytest

from lvsd.core.conf.keyword import Reader, Unreadable
from lvsd.core.conf.options import (
    command,
    granularity,
    lease,
    lvs_flush_on_stop,
    lvs_method,
    lvs_timeouts,
    persistence,
    tracked,
    user_group,
)
from lvsd.core.conf.types import Command, Lease, LvsMethod, TimeoutsLine, Tracked
from lvsd.core.conf.words import split_script


@pytest.mark.parametrize(
    ("reader", "line", "value"),
    [
        (tracked, "eth0", Tracked("eth0")),
        (tracked, "eth0 weight -254 reverse", Tracked("eth0", -253, True)),
        (tracked, "eth0 weight 10 noreverse", Tracked("eth0", 10)),
        (lvs_method, "DR", LvsMethod("DR")),
        (lvs_method, "TUN type gue port 5555 csum", LvsMethod("TUN", "gue", 5555, "csum")),
        (lvs_method, "TUN type gre", LvsMethod("TUN", "gre")),
        (lvs_timeouts, "tcp 900 tcpfin 120 udp 300", TimeoutsLine(900, 120, 300)),
        (lvs_timeouts, "udp 10", TimeoutsLine(udp=10)),
        (lvs_flush_on_stop, "", "all"),
        (lvs_flush_on_stop, "VS", "VS"),
        (persistence, "", 360),
        (persistence, "50", 50),
        (granularity, "255.255.255.0", 24),
        (granularity, "64", 64),
        (lease, "on", Lease()),
        (lease, "off", Lease(False)),
        (lease, "5", Lease(True, 5)),
        (user_group, "nobody nogroup", Command((), "nobody", "nogroup")),
    ],
)
def test_an_argument_is_read_and_written_back(reader: Reader[Any], line: str, value: object) -> None:
    assert reader.read(line.split()) == value
    assert reader.read(reader.write(value).split()) == value


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("/bin/true", Command(("/bin/true",))),
        ("\"/bin/say 'a b' c\" nobody nogroup", Command(("/bin/say", "a b", "c"), "nobody", "nogroup")),
        ("/bin/true nobody", Command(("/bin/true",), "nobody")),
        (r'"/bin/say \"x y\""', Command(("/bin/say", "x y"))),
    ],
)
def test_a_command_is_cut_twice_and_its_user_stands_behind(line: str, value: Command) -> None:
    assert command.script
    assert command.read(split_script(line)) == value
    assert command.read(split_script(command.write(value))) == value


@pytest.mark.parametrize(
    ("reader", "words", "word", "part"),
    [
        (tracked, ["eth0", "weight"], 1, "needs a number"),
        (tracked, ["eth0", "weight", "255"], 2, "-254 to 254"),
        (tracked, ["eth0", "wait", "2"], 1, "no option"),
        (lvs_method, ["nat"], 0, "no way"),
        (lvs_method, ["NAT", "type"], 1, "takes no option"),
        (lvs_method, ["TUN", "type", "gue"], 0, "needs a port"),
        (lvs_method, ["TUN", "port", "5"], 0, "has no port"),
        (lvs_method, ["TUN", "type", "vxlan"], 2, "no type"),
        (lvs_timeouts, ["tcp"], 0, "needs a number"),
        (lvs_timeouts, ["icmp", "1"], 0, "no time-out"),
        (lvs_flush_on_stop, ["ALL"], 0, "not allowed"),
        (persistence, ["0"], 0, "1 to"),
        (granularity, ["255.0.255.0"], 0, "no netmask"),
        (granularity, ["129"], 0, "1 to 128"),
        (lease, ["1"], 0, "2 to"),
        (lease, ["-3"], 0, "not allowed"),
        (command, [""], 0, "empty"),
        (command, ["/bin/say 'x"], 0, "never closed"),
    ],
)
def test_a_bad_argument_is_refused_at_its_word(reader: Reader[Any], words: list[str], word: int, part: str) -> None:
    with pytest.raises(Unreadable, match=part) as caught:
        reader.read(words)
    assert caught.value.word == word
