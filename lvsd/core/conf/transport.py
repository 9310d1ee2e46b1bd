"""The lines that say how adverts travel: peers, keys, virtual interfaces."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .keyword import Reader, Unreadable
from .line import Misfit, first, line, line_reader, option
from .readers import flag, integer, interface, ip, one_of, seconds, secret
from .types import Address, Secret

HMAC_KEYS = (1, 255)
_MAC = re.compile("[0-9a-fA-F]{1,2}(:[0-9a-fA-F]{1,2}){4,5}")


def _read_mac(words: Sequence[str]) -> bytes:
    if not _MAC.fullmatch(words[0]):
        raise Unreadable(f"'{words[0]}' is no MAC address", hint="five octets, to which the VRID is added, or six")
    octets = bytes(int(each, 16) for each in words[0].split(":"))
    if octets[0] & 1:
        raise Unreadable(f"'{words[0]}' is a multicast address")
    return octets


mac: Reader[bytes] = Reader("MAC", _read_mac, lambda value: value.hex(":"), {"type": "string"}, "5 or 6 octets")


@line("a peer", "Another director that adverts are sent to.")
class UnicastPeer:
    address: Address = first(ip, "Its address.")
    min_ttl: int = option(integer(0, 255), "Adverts with a lower time to live are dropped.", default=0)
    max_ttl: int = option(integer(0, 255), "Adverts with a higher time to live are dropped.", default=255)

    def check(self) -> None:
        if self.min_ttl > self.max_ttl:
            raise Misfit("min_ttl", f"min_ttl {self.min_ttl} is above max_ttl {self.max_ttl}")


@line("use_vmac", "The interface that has the virtual MAC address.")
class UseVmac:
    """mac: b"" for that of RFC 9568; five octets have the VRID behind them."""

    name: str = first(interface, "Its name; vrrp.VRID by default.", default="", name="name")
    mac: bytes = first(mac, "MAC address in place of that of RFC 9568.", default=b"")
    netlink_notify_msg: bool = option(flag, "Tell other programs of the interface once more.", default=False)
    group: int = option(integer(0), "Group of the interface; that of the base by default.", default=0)


@line("use_ipvlan", "The interface of its own that the instance works on.")
class UseIpvlan:
    name: str = first(interface, "Its name; vrrp.VRID by default.", default="", name="name")
    address: Address | None = first(ip, "Address of its own.", default=None)
    mode: str = option(
        one_of({each: each for each in ("bridge", "private", "vepa")}),
        "How it sees its siblings.",
        default="bridge",
        bare=True,
    )
    group: int = option(integer(0), "Group of the interface; that of the base by default.", default=0)


@line("garp_extra_if", "GARPs on other interfaces than the instance's own.")
class ExtraGarps:
    """everywhere: on every interface with an address, not on virtual-MAC ones alone."""

    seconds: float = first(seconds(0, 86400), "Their period; 0 for none.")
    everywhere: bool = option(flag, "On every interface, not on virtual-MAC ones alone.", default=False, name="all")


@line("a key", "A key of auth_hmac.")
class HmacKey:
    """value: as written, `hex:...`, `file:PATH` or the key itself."""

    id: int = first(integer(*HMAC_KEYS), "Number that adverts name it by.")
    value: Secret = first(secret, "The key: hex:DIGITS, file:PATH or 32 to 64 characters.")

    def octets(self) -> bytes | None:
        """The key itself, None if it stands in a file. Raises ValueError where hex: is not followed by octets."""
        text = self.value.text
        if text.startswith("file:"):
            return None
        return bytes.fromhex(text[4:]) if text.startswith("hex:") else text.encode()


unicast_peer = line_reader(UnicastPeer)
use_vmac = line_reader(UseVmac)
use_ipvlan = line_reader(UseIpvlan)
hmac_key = line_reader(HmacKey, limits="1 to 255; 32 to 64 octets")
extra_garps = line_reader(ExtraGarps)
