from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from lvsd.core.conf.keyword import Reader, Unreadable
from lvsd.core.conf.line import options_of
from lvsd.core.conf.routes import (
    ROUTE_TYPES,
    Encap,
    MaskedMark,
    Metric,
    Nexthop,
    RouteLine,
    RuleLine,
    Span,
    route_line,
    rule_line,
    static_route_line,
    static_rule_line,
)

ROUTE_WORDS = """inet inet6 to src as via gw or from tos dsfield table vrf protocol scope metric priority preference dev oif
onlink encap expires mtu hoplimit advmss rtt rttvar reordering window cwnd ssthresh realms rto_min initcwnd initrwnd features
quickack congctl pref ttl-propagate fastopen_no_cookie add prepend append nexthop no_track track_group"""
RULE_WORDS = """inet inet6 not from to table lookup preference order priority tos dsfield fwmark realms suppress_prefixlength
sup_pl suppress_ifgroup sup_group dev iif oif tunnel-id uidrange l3mdev protocol ipproto sport dport type goto nop no_track
track_group"""
NET = ip_network("192.0.2.0/24")
GATE, GATE6 = ip_address("198.51.100.1"), ip_address("fe80::1")


@pytest.mark.parametrize(("reader", "words"), [(static_route_line, ROUTE_WORDS), (static_rule_line, RULE_WORDS)])
def test_every_word_of_keepalived_is_known(reader: Reader[Any], words: str) -> None:
    with pytest.raises(Unreadable) as caught:
        reader.read(["default", "no_such_word", "no_such_word"])
    types = {*ROUTE_TYPES}
    assert set(caught.value.allowed) - types == set(words.split())
    assert types <= set(caught.value.allowed)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("192.0.2.0/24 via 198.51.100.1 dev eth1", RouteLine(NET, via=GATE, dev="eth1")),
        ("src 192.0.2.9 to 192.0.2.0/24 gw 198.51.100.1 or 198.51.100.2 oif eth1",
         RouteLine(NET, src=ip_address("192.0.2.9"), via=GATE, second=ip_address("198.51.100.2"), dev="eth1")),
        ("default via 198.51.100.1 metric 20 table 100", RouteLine(None, via=GATE, metric=20, table=100)),
        ("inet6 default via fe80::1 dev eth0 table web", RouteLine(None, family=6, via=GATE6, dev="eth0", table="web")),
        ("192.0.2.0/24 via inet6 fe80::1 dev eth0", RouteLine(NET, via=GATE6, dev="eth0")),
        ("blackhole 192.0.2.0/24 append no_track", RouteLine(NET, "blackhole", order="append", no_track=True)),
        ("192.0.2.1", RouteLine(ip_network("192.0.2.1/32"))),
        ("192.0.2.0/24 dev eth0 mtu lock 1400 advmss 1300 congctl lock bbr rtt 1s rto_min 200ms quickack 1",
         RouteLine(NET, dev="eth0", mtu=Metric(1400, True), advmss=Metric(1300), congctl=Metric("bbr", True), rtt=1000,
                   rto_min=200, quickack=True)),
        ("192.0.2.0/24 scope link protocol 0x12 tos 0x10 realms 1/web",
         RouteLine(NET, scope="link", protocol=18, tos=16, realms="1/web")),
        ("192.0.2.0/24 encap ip id 7 dst 198.51.100.1 src 198.51.100.2 dev tun0 nexthop via 198.51.100.1 weight 2 encap "
         "mpls 100/200 nexthop via 198.51.100.2 dev eth1 onlink",
         RouteLine(NET, dev="tun0", encap=Encap("ip", id=7, dst=GATE, src=ip_address("198.51.100.2")),
                   nexthop=(Nexthop(GATE, weight=2, encap=Encap("mpls", "100/200")),
                            Nexthop(ip_address("198.51.100.2"), "eth1", onlink=True)))),
        ("2001:db8::/32 from 2001:db8:1::/48 dev eth0 pref high ttl-propagate disabled fastopen_no_cookie 1 expires 60",
         RouteLine(ip_network("2001:db8::/32"), source=ip_network("2001:db8:1::/48"), dev="eth0", pref="high",
                   ttl_propagate=False, fastopen_no_cookie=True, expires=60)),
        ("nat 192.0.2.0/24 as to 198.51.100.1", RouteLine(NET, "nat", nat=GATE)),
        ("local 192.0.2.0/24 dev lo", RouteLine(NET, "local", dev="lo")),
    ],
)  # fmt: skip
def test_a_route_is_read_and_written_back(line: str, value: RouteLine) -> None:
    assert route_line.read(line.split()) == value
    assert route_line.read(route_line.write(value).split()) == value


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("from 192.0.2.0/24 table web", RuleLine(source=NET, table="web")),
        ("not to 192.0.2.0/24 lookup 100 priority 7", RuleLine(inverted=True, to=NET, table=100, preference=7)),
        ("fwmark 0x1/0xff iif eth0 unreachable", RuleLine(fwmark=MaskedMark(1, 255), dev="eth0", kind="unreachable")),
        ("fwmark 3 type blackhole", RuleLine(fwmark=MaskedMark(3), kind="blackhole")),
        ("inet6 from default l3mdev order 9 goto 10", RuleLine(family=6, l3mdev=True, preference=9, goto=10)),
        ("uidrange 1000-2000 ipproto tcp sport 80 dport 1000-2000 nop",
         RuleLine(uidrange=Span(1000, 2000), ipproto="tcp", sport=Span(80, 80), dport=Span(1000, 2000), nop=True)),
        ("sup_pl 0 sup_group 5 tunnel-id 8", RuleLine(suppress_prefixlength=0, suppress_ifgroup=5, tunnel_id=8)),
    ],
)  # fmt: skip
def test_a_rule_is_read_and_written_back(line: str, value: RuleLine) -> None:
    assert rule_line.read(line.split()) == value
    assert rule_line.read(rule_line.write(value).split()) == value


@pytest.mark.parametrize(
    ("reader", "line", "word", "part"),
    [
        (route_line, "192.0.2.1/24 dev eth0", 0, "behind the mask"),
        (route_line, "192.0.2.0/33", 0, "0 to 32"),
        (route_line, "dev eth0", 1, "is missing in a route"),
        (route_line, "192.0.2.0/24 vai 198.51.100.1", 1, "no option of a route"),
        (route_line, "192.0.2.0/24 track_group G", 1, "no option"),
        (route_line, "192.0.2.0/24 via inet6 198.51.100.1", 3, "not of the family inet6"),
        (route_line, "2001:db8::/32 via 198.51.100.1", 2, "another family"),
        (route_line, "2001:db8::/32 src 198.51.100.1", 2, "another family"),
        (route_line, "blackhole 192.0.2.0/24 via 198.51.100.1", 3, "through no router"),
        (route_line, "192.0.2.0/24 mtu lock", 2, "needs a value"),
        (route_line, "192.0.2.0/24 mtu lock x", 3, "whole number"),
        (route_line, "192.0.2.0/24 nexthop via 198.51.100.1 weight 0", 5, "1 to 256"),
        (route_line, "192.0.2.0/24 encap gre", 2, "not allowed"),
        (route_line, "192.0.2.0/24 encap ip 5", 3, "takes no '5'"),
        (route_line, "192.0.2.0/24 encap mpls", 2, "needs its labels"),
        (route_line, "192.0.2.0/24 encap ip6 dst 198.51.100.1", 4, "another family"),
        (route_line, "192.0.2.0/24 rtt soon", 2, "no time"),
        (route_line, "192.0.2.0/24 protocol 256", 2, "0 to 255"),
        (rule_line, "from 192.0.2.0/24 to ::/0", 3, "another family"),
        (rule_line, "dport 20-10", 1, "end lies before"),
        (rule_line, "fwmark x", 1, "whole number"),
        (rule_line, "preference 5 goto 5", 3, "forward only"),
        (rule_line, "all", 0, "no option of a rule"),
    ],
)
def test_a_bad_line_is_refused_at_its_word(reader: Reader[Any], line: str, word: int, part: str) -> None:
    with pytest.raises(Unreadable, match=part) as caught:
        reader.read(line.split())
    assert caught.value.word == word


@pytest.mark.parametrize("kind", [RouteLine, RuleLine])
def test_each_word_has_a_sentence(kind: type) -> None:
    assert all(each.doc.endswith(".") for each in options_of(kind))
