"""The lines of routes and of routing rules, in the words of ip-route(8) and ip-rule(8) that keepalived takes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from .addresses import SCOPES
from .keyword import Reader, Unreadable
from .line import Misfit, first, line, line_reader, option, part
from .pickling import pickled_quickly
from .readers import PORT_MOST, UNSIGNED, flag, integer, interface, ip, one_of, quoted, read_ip, word
from .types import Address

Network = IPv4Network | IPv6Network
UNREACHABLE = ("throw", "unreachable", "prohibit", "blackhole")
"""Types of routes that lead nowhere."""
ROUTE_TYPES = ("unicast", "local", "broadcast", "anycast", "multicast", *UNREACHABLE, "nat")
PROTOCOL_KEEPALIVED = 18  # RTPROT_KEEPALIVED of linux/rtnetlink.h
_TEXT = {"type": "string"}


@pickled_quickly
@dataclass(frozen=True, slots=True)
class Metric:
    """The value of a metric that path MTU discovery and the like must leave alone where it is locked."""

    value: int | str
    locked: bool = False


@pickled_quickly
@dataclass(frozen=True, slots=True)
class Span:
    """A range of numbers, both ends included."""

    first: int
    last: int


@pickled_quickly
@dataclass(frozen=True, slots=True)
class MaskedMark:
    """A firewall mark, and the bits of it that count; None for all."""

    mark: int
    mask: int | None = None


# --- readers of single options


def _number(text: str, least: int, most: int, index: int = 0) -> int:
    """Decimal, or hexadecimal behind 0x."""
    if not re.fullmatch("[0-9]+|0[xX][0-9a-fA-F]+", text):
        raise Unreadable(f"'{text}' is not a whole number", index)
    number = int(text, 16 if text[:2] in ("0x", "0X") else 10)
    if not least <= number <= most:
        raise Unreadable(f"{text} is out of range, {least} to {most} is allowed", index)
    return number


def _number_or_name(most: int) -> Reader[int | str]:
    """A number, or a name that iproute2's tables explain to the process that needs it."""

    def read(words: Sequence[str]) -> int | str:
        return _number(words[0], 0, most) if words[0][:1].isdigit() else words[0]

    return Reader("N|NAME", read, lambda value: quoted(str(value)), _TEXT, f"0 to {most} or a name")


def _read_network(words: Sequence[str]) -> Network:
    address, slash, mask = words[0].partition("/")
    host = read_ip(address)
    if slash and (not mask.isdigit() or int(mask) > host.max_prefixlen):
        raise Unreadable(f"'{mask}' is no prefix length, 0 to {host.max_prefixlen} is allowed")
    try:
        return ip_network(words[0])
    except ValueError:
        raise Unreadable(f"'{words[0]}' is no network: bits behind the mask are set") from None


def _read_destination(words: Sequence[str]) -> Network | None:
    return None if words[0] == "default" else _read_network(words)


def _read_family_ip(words: Sequence[str]) -> Address:
    address = read_ip(words[-1], len(words) - 1)
    if len(words) > 1 and (words[0] == "inet6") != (address.version == 6):
        raise Unreadable(f"'{words[-1]}' is not of the family {words[0]}", 1)
    return address


def _read_milliseconds(words: Sequence[str]) -> int:
    found = re.fullmatch(r"([0-9]{1,9})(ms|s)?", words[0])
    if found is None:
        raise Unreadable(f"'{words[0]}' is no time", hint="write it as 200, 200ms or 1s")
    return int(found[1]) * (1000 if found[2] == "s" else 1)


def _read_realms(words: Sequence[str]) -> str:
    if not re.fullmatch("[^/]+(/[^/]+)?", words[0]):
        raise Unreadable(f"'{words[0]}' names no realms", hint="write [FROM/]TO")
    return words[0]


def _read_mark(words: Sequence[str]) -> MaskedMark:
    mark, slash, mask = words[0].partition("/")
    return MaskedMark(_number(mark, 0, UNSIGNED), _number(mask, 0, UNSIGNED) if slash else None)


def _write_mark(value: MaskedMark) -> str:
    return f"{value.mark:#x}" + ("" if value.mask is None else f"/{value.mask:#x}")


def _span(most: int) -> Reader[Span]:
    def read(words: Sequence[str]) -> Span:
        start, dash, end = words[0].partition("-")
        low = _number(start, 0, most)
        high = _number(end, 0, most) if dash else low
        if high < low:
            raise Unreadable(f"'{words[0]}' is no range: its end lies before its start")
        return Span(low, high)

    def write(value: Span) -> str:
        return str(value.first) if value.first == value.last else f"{value.first}-{value.last}"

    return Reader("N[-N]", read, write, _TEXT, f"0 to {most}")


def _lockable(reader: Reader[int] | Reader[str]) -> Reader[Metric]:
    def read(words: Sequence[str]) -> Metric:
        locked = len(words) > 1
        try:
            return Metric(reader.read(words[-1:]), locked)
        except Unreadable as error:
            raise Unreadable(error.message, len(words) - 1) from None

    def write(value: Metric) -> str:
        return ("lock " if value.locked else "") + quoted(str(value.value))

    return Reader(f"[lock] {reader.form}", read, write, _TEXT, reader.limits, most=2)


network: Reader[Network] = Reader("IP[/PREFIX]", _read_network, str, _TEXT)
destination: Reader[Network | None] = Reader(
    "IP[/PREFIX]|default", _read_destination, lambda value: "default" if value is None else str(value), _TEXT
)
gateway: Reader[Address] = Reader("[inet|inet6] IP", _read_family_ip, str, _TEXT, most=2)
milliseconds: Reader[int] = Reader("TIME", _read_milliseconds, lambda value: f"{value}ms", _TEXT, "200, 200ms or 1s")
realms: Reader[str] = Reader("[REALM/]REALM", _read_realms, quoted, _TEXT)
masked_mark: Reader[MaskedMark] = Reader("MARK[/MASK]", _read_mark, _write_mark, _TEXT)
scope_name: Reader[int | str] = _number_or_name(255)
table_name: Reader[int | str] = _number_or_name(UNSIGNED)
octet: Reader[int | str] = _number_or_name(255)
family_word: Reader[int] = one_of({"inet": 4, "inet6": 6})
zero_or_one: Reader[bool] = one_of({"1": True, "0": False})


def _one_family(pairs: Sequence[tuple[str, Network | Address | None]], family: int | None) -> int | None:
    """The family of all of them. Raises Misfit for the first that differs from those before it."""
    for field, value in pairs:
        if value is not None:
            if family and value.version != family:
                raise Misfit(field, f"'{value}' is of another family than the rest of the line")
            family = value.version
    return family


# --- routes


@line("an encapsulation", "How packets that take the route are wrapped.")
class Encap:
    kind: str = first(one_of({each: each for each in ("ip", "ip6", "mpls", "ila")}), "What they are wrapped in.")
    labels: str = first(word, "Labels of mpls (100/200), or the locator of ila.", default="")
    id: int | None = option(integer(0), "Key of the tunnel.", default=None)
    dst: Address | None = option(ip, "The other end of the tunnel.", default=None)
    src: Address | None = option(ip, "This end of the tunnel.", default=None)
    tos: int | str = option(octet, "Type of service of the wrapping (ip).", default=0)
    ttl: int = option(integer(0, 255), "Time to live of the wrapping (ip).", default=0)
    hoplimit: int = option(integer(0, 255), "Hop limit of the wrapping (ip6).", default=0)
    flags: int = option(integer(0, PORT_MOST), "Flags of the tunnel's header.", default=0)
    tc: int = option(integer(0, PORT_MOST), "Traffic class of the wrapping (ip6).", default=0)

    def check(self) -> None:
        labelled = self.kind in ("mpls", "ila")
        if labelled != bool(self.labels):
            text = f"encap {self.kind} needs its labels" if labelled else f"encap {self.kind} takes no '{self.labels}'"
            raise Misfit("kind" if labelled else "labels", text)
        if self.kind in ("ip", "ip6"):
            _one_family((("dst", self.dst), ("src", self.src)), 4 if self.kind == "ip" else 6)


@line("a next hop", "One of several ways that a route shares its packets among.")
class Nexthop:
    via: Address | None = option(gateway, "The router.", default=None, lead=("inet", "inet6"))
    dev: str = option(interface, "The interface.", default="", aliases=("oif",))
    weight: int = option(integer(1, 256), "Share of this way.", default=1)
    onlink: bool = option(flag, "The router is on the link even if no address says so.", default=False)
    encap: Encap | None = part(Encap, "How packets are wrapped.", default=None)
    realms: str = option(realms, "Realms of this way.", default="")


_LOCK = ("lock",)


@line("a route", "A route in the words of ip-route(8).")
class RouteLine:
    """to None is the default route."""

    to: Network | None = first(destination, "Where the route leads.", name="to")
    kind: str = option(one_of({each: each for each in ROUTE_TYPES}), "Type of the route.", default="unicast", bare=True)
    family: int | None = option(family_word, "Family of a default route without addresses.", default=None, bare=True)
    source: Network | None = option(network, "Only packets from there take it (IPv6).", default=None, name="from")
    src: Address | None = option(ip, "Source address of packets that this director sends.", default=None)
    nat: Address | None = option(ip, "Address that a nat route translates to.", default=None, name="as", lead=("to",))
    via: Address | None = option(gateway, "The router.", default=None, aliases=("gw",), lead=("inet", "inet6"))
    second: Address | None = option(ip, "A second router; `nexthop` is the newer way.", default=None, name="or")
    dev: str = option(interface, "The interface; that of the instance by default.", default="", aliases=("oif",))
    onlink: bool = option(flag, "The router is on the link even if no address says so.", default=False)
    table: int | str | None = option(table_name, "Routing table; main by default.", default=None)
    vrf: str = option(interface, "The VRF whose table it stands in.", default="")
    metric: int = option(
        integer(0), "The route with the lowest one is taken.", default=0, aliases=("priority", "preference")
    )
    scope: int | str | None = option(scope_name, f"How far it leads: {', '.join(SCOPES)}.", default=None)
    protocol: int | str = option(octet, "Who is said to have made it.", default=PROTOCOL_KEEPALIVED)
    tos: int | str = option(octet, "Only packets of this type of service take it.", default=0, aliases=("dsfield",))
    expires: int = option(integer(0), "Seconds after which the kernel removes it (IPv6).", default=0)
    mtu: Metric | None = option(
        _lockable(integer(0)), "Largest packet; locked: not discovered.", default=None, lead=_LOCK
    )
    hoplimit: int = option(integer(0, 255), "Hop limit of packets that this director sends.", default=0)
    advmss: Metric | None = option(
        _lockable(integer(0)), "Segment size offered to TCP peers.", default=None, lead=_LOCK
    )
    rtt: int = option(milliseconds, "Round trip time to begin with.", default=0)
    rttvar: int = option(milliseconds, "Its variance to begin with.", default=0)
    rto_min: int = option(milliseconds, "Shortest time to a TCP retransmission.", default=0)
    reordering: int = option(integer(0), "Packets that may overtake before one is held for lost.", default=0)
    window: int = option(integer(0), "Largest TCP window to offer, in bytes.", default=0)
    cwnd: int = option(integer(0), "Largest congestion window, in packets.", default=0)
    initcwnd: int = option(integer(0), "First congestion window, in packets.", default=0)
    initrwnd: int = option(integer(0), "First receive window, in packets.", default=0)
    ssthresh: int = option(integer(0), "First slow-start threshold, in packets.", default=0)
    realms: str = option(realms, "Realms of the route.", default="")
    features: str = option(one_of({"ecn": "ecn"}), "TCP features.", default="")
    quickack: bool | None = option(zero_or_one, "Acknowledge at once.", default=None)
    congctl: Metric | None = option(_lockable(word), "TCP congestion control.", default=None, lead=_LOCK)
    pref: str = option(
        one_of({each: each for each in ("low", "medium", "high")}), "Preference of an IPv6 router.", default=""
    )
    ttl_propagate: bool | None = option(
        one_of({"enabled": True, "disabled": False}),
        "Whether MPLS passes the time to live on.",
        default=None,
        name="ttl-propagate",
    )
    fastopen_no_cookie: bool | None = option(zero_or_one, "TCP fast open without a cookie.", default=None)
    order: str = option(
        one_of({each: each for each in ("add", "prepend", "append")}),
        "Where it stands among equal routes; add: alone.",
        default="prepend",
        bare=True,
    )
    no_track: bool = option(flag, "Its loss does not matter.", default=False)
    track_group: str = option(word, "Group of instances that react to its loss.", default="")
    encap: Encap | None = part(Encap, "How packets are wrapped.", default=None)
    nexthop: tuple[Nexthop, ...] = part(Nexthop, "One of several ways.", default=())

    def check(self) -> None:
        family = _one_family((("to", self.to), ("source", self.source), ("src", self.src)), self.family)
        if family == 6:  # an IPv4 route may lead through an IPv6 router (RFC 8950), not the other way round
            _one_family((("via", self.via), ("second", self.second)), 6)
        if self.kind in UNREACHABLE and (self.via is not None or self.nexthop):
            raise Misfit("via" if self.via else "nexthop", f"a route of type {self.kind} leads through no router")


# --- rules


@line("a rule", "A routing rule in the words of ip-rule(8).")
class RuleLine:
    inverted: bool = option(flag, "It is for packets that do not fit.", default=False, name="not")
    family: int | None = option(family_word, "Family of a rule without addresses.", default=None, bare=True)
    source: Network | None = option(destination, "For packets from there.", default=None, name="from")
    to: Network | None = option(destination, "For packets that go there.", default=None)
    table: int | str | None = option(table_name, "Routing table to look in.", default=None, aliases=("lookup",))
    preference: int | None = option(
        integer(0),
        "Place among the rules, the lowest first; one is chosen where none is written.",
        default=None,
        aliases=("priority", "order"),
    )
    dev: str = option(interface, "For packets that come in there.", default="", aliases=("iif",))
    oif: str = option(interface, "For packets of sockets bound to it.", default="")
    tos: int | str = option(octet, "For packets of this type of service.", default=0, aliases=("dsfield",))
    fwmark: MaskedMark | None = option(masked_mark, "For packets with this firewall mark.", default=None)
    realms: str = option(realms, "Realms that it assigns.", default="")
    suppress_prefixlength: int | None = option(
        integer(0, 128), "Routes with a prefix no longer than this do not count.", default=None, aliases=("sup_pl",)
    )
    suppress_ifgroup: int | str | None = option(
        table_name, "Routes over interfaces of this group do not count.", default=None, aliases=("sup_group",)
    )
    tunnel_id: int | None = option(integer(0), "For packets of this tunnel.", default=None, name="tunnel-id")
    uidrange: Span | None = option(_span(UNSIGNED), "For packets of these users.", default=None)
    l3mdev: bool = option(flag, "Look in the table of the packet's VRF.", default=False)
    protocol: int | str = option(octet, "Who is said to have made it.", default=PROTOCOL_KEEPALIVED)
    ipproto: int | str | None = option(octet, "For packets of this protocol.", default=None)
    sport: Span | None = option(_span(PORT_MOST), "For packets from these ports.", default=None)
    dport: Span | None = option(_span(PORT_MOST), "For packets to these ports.", default=None)
    kind: str = option(
        one_of({each: each for each in ROUTE_TYPES}), "What becomes of them.", default="unicast", name="type", bare=True
    )
    goto: int | None = option(integer(0), "Go on with the rule of this preference.", default=None)
    nop: bool = option(flag, "Do nothing.", default=False)
    no_track: bool = option(flag, "Its loss does not matter.", default=False)
    track_group: str = option(word, "Group of instances that react to its loss.", default="")

    def check(self) -> None:
        _one_family((("source", self.source), ("to", self.to)), self.family)
        if self.goto is not None and self.preference is not None and self.goto <= self.preference:
            raise Misfit("goto", f"goto leads forward only, beyond {self.preference}")


route_line = line_reader(RouteLine, without=("track_group",))
static_route_line = line_reader(RouteLine)
rule_line = line_reader(RuleLine, without=("track_group",))
static_rule_line = line_reader(RuleLine)
