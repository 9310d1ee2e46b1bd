"""The line of an address: virtual_ipaddress, virtual_ipaddress_excluded and static_ipaddress."""

from __future__ import annotations

from collections.abc import Sequence

from .keyword import Reader, Unreadable
from .line import Misfit, line, line_reader, option, pair
from .readers import UNSIGNED, flag, interface, quoted, read_integer, read_ip, word
from .types import Address

LABEL_MOST = 15
SCOPES = {"global": 0, "universe": 0, "nowhere": 255, "host": 254, "link": 253, "site": 200}  # rt_scopes of iproute2


def _read_prefixed(words: Sequence[str]) -> tuple[Address, int]:
    text, slash, mask = words[0].partition("/")
    address = read_ip(text)
    return address, read_integer(mask, 0, address.max_prefixlen) if slash else address.max_prefixlen


def _read_peer(words: Sequence[str]) -> str:
    _read_prefixed(words)
    return words[0]


def _read_broadcast(words: Sequence[str]) -> str:
    return words[0] if words[0] in ("+", "-") else str(read_ip(words[0]))


def _read_label(words: Sequence[str]) -> str:
    if len(words[0].encode()) > LABEL_MOST:
        raise Unreadable(f"'{words[0]}' is longer than the {LABEL_MOST} bytes of a label")
    return words[0]


def _read_scope(words: Sequence[str]) -> int:
    return SCOPES[words[0]] if words[0] in SCOPES else read_integer(words[0], 0, 255)


def _read_lifetime(words: Sequence[str]) -> int:
    return UNSIGNED if words[0] == "forever" else read_integer(words[0], 0, UNSIGNED)


_TEXT = {"type": "string"}
prefixed_ip: Reader[tuple[Address, int]] = Reader(
    "IP[/PREFIX]", _read_prefixed, lambda value: f"{value[0]}/{value[1]}", _TEXT
)
peer_ip: Reader[str] = Reader("IP[/PREFIX]", _read_peer, quoted, _TEXT)
broadcast_ip: Reader[str] = Reader("IP|+|-", _read_broadcast, quoted, _TEXT)
label: Reader[str] = Reader("TEXT", _read_label, quoted, _TEXT)
scope: Reader[int] = Reader("SCOPE", _read_scope, str, _TEXT, "0 to 255 or a name: " + ", ".join(SCOPES))
lifetime: Reader[int] = Reader(
    "SECONDS|forever", _read_lifetime, lambda value: "forever" if value == UNSIGNED else str(value), _TEXT
)


@line("an address", "An address and how the kernel is to hold it.")
class AddressLine:
    """dev "" is the instance's own interface; broadcast "+" or "-" as ip-address(8) has them; scope as the kernel's
    number, None for the default."""

    address: Address = pair(prefixed_ip, "The address; alone in its network where no prefix is written.", also="prefix")
    prefix: int
    dev: str = option(interface, "Interface; that of the instance by default.", default="")
    label: str = option(label, f"Label of an IPv4 address, at most {LABEL_MOST} bytes.", default="")
    scope: int | None = option(scope, "Where the address is valid.", default=None)
    broadcast: str = option(
        broadcast_ip, "Broadcast address; + sets and - clears the host bits.", default="", aliases=("brd",)
    )
    peer: str = option(peer_ip, "The other end of a point-to-point link.", default="")
    no_track: bool = option(flag, "Its loss does not matter.", default=False)
    home: bool = option(flag, "Home address of mobile IPv6.", default=False)
    nodad: bool = option(flag, "No duplicate address detection (IPv6).", default=False, name="-nodad")
    mngtmpaddr: bool = option(flag, "Template of temporary addresses (IPv6).", default=False)
    noprefixroute: bool = option(flag, "No route for its prefix.", default=False)
    autojoin: bool = option(flag, "Join the multicast group that it is.", default=False)
    preferred_lft: int | None = option(
        lifetime, "Seconds for which new connections prefer it; 0 for a lone IPv6 address by default.", default=None
    )
    use_vmac: bool = option(flag, "Add it to the virtual MAC interface of its own interface.", default=False)
    track_group: str = option(word, "Group of instances that react to its loss.", default="")

    def check(self) -> None:
        if self.broadcast and self.address.version == 6:
            raise Misfit("broadcast", "an IPv6 address has no broadcast address")
        for field, written in (("broadcast", self.broadcast), ("peer", self.peer)):
            if written.strip("+-") and read_ip(written.partition("/")[0]).version != self.address.version:
                raise Misfit(field, f"'{written}' is of another family than {self.address}")


_LIMITS = "/32 or /128 where no prefix is written"
address_line = line_reader(AddressLine, without=("track_group",), limits=_LIMITS)
static_address_line = line_reader(AddressLine, without=("use_vmac",), limits=_LIMITS)
