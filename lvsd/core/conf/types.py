"""The value types of the configuration language. Their readers stand in values.py, which exports these types too."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from .pickling import pickled_quickly

Address = IPv4Address | IPv6Address


@pickled_quickly
@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address and a port; port 0 where none was written."""

    address: Address
    port: int = 0


@dataclass(frozen=True, slots=True)
class ByMark:
    """Header `fwmark N` of a virtual_server."""

    mark: int


@dataclass(frozen=True, slots=True)
class ByGroup:
    """Header `group NAME` of a virtual_server."""

    name: str


@dataclass(frozen=True, slots=True)
class Command:
    """An operator's program: its argument vector, and the identity that stands behind it on the line."""

    argv: tuple[str, ...]
    user: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that no repr, dump, log or status shows."""

    text: str

    def __repr__(self) -> str:
        return "Secret(***)"


@pickled_quickly
@dataclass(frozen=True, slots=True)
class Tracked:
    """A line of a track list. weight None: the tracker's own weight. reverse: the sign is turned."""

    name: str
    weight: int | None = None
    reverse: bool = False


@pickled_quickly
@dataclass(frozen=True, slots=True)
class LvsMethod:
    """lb_kind, lvs_method: NAT, DR or TUN, with the tunnel's type, port and checksum words."""

    name: str
    tunnel_type: str = "ipip"
    tunnel_port: int = 0
    tunnel_checksum: str = "nocsum"


@dataclass(frozen=True, slots=True)
class TimeoutsLine:
    """lvs_timeouts, in seconds; 0 leaves the kernel's value."""

    tcp: int = 0
    tcp_fin: int = 0
    udp: int = 0


@dataclass(frozen=True, slots=True)
class Lease:
    """vip_lease. seconds 0 with on: derived from advert_int."""

    on: bool = True
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Probing:
    """vip_probe. then: off, alarm or wait; seconds count with wait."""

    then: str = "wait"
    seconds: int = 10


@dataclass(frozen=True, slots=True)
class Fifo:
    """A named pipe and who owns it."""

    path: str
    user: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class FirewallChains:
    """vrrp_iptables."""

    inbound: str = "INPUT"
    outbound: str = "OUTPUT"


@dataclass(frozen=True, slots=True)
class TrackerWeight:
    """A tracker's own weight; 0 makes its failure a fault. reverse: the sign is turned."""

    weight: int = 0
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class LinkDelay:
    """An entry of interface_up_down_delays, in seconds."""

    interface: str
    down: int
    up: int = 0


@dataclass(frozen=True, slots=True)
class LinkPoll:
    """An entry of linkbeat_interfaces. way: MII, ETHTOOL or IOCTL, "" for the first that works."""

    interface: str
    way: str = ""


@dataclass(frozen=True, slots=True)
class PeerKey:
    """A key of the peer link: the secret itself, or file:PATH."""

    number: int
    text: Secret

    @property
    def in_file(self) -> bool:
        return self.text.text.startswith("file:")


@dataclass(frozen=True, slots=True)
class StatusRange:
    """Inclusive range of HTTP status codes."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class BytePattern:
    """Bytes that an answer must begin with. Bits that are 0 in the mask, which is as long, do not count."""

    data: bytes
    mask: bytes


@dataclass(frozen=True, slots=True)
class FileWeight:
    """What the number in a tracked file is multiplied by. reverse: the sign is turned."""

    factor: int
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class AddressRange:
    """An entry of a virtual_server_group: every address from first to last, on one port."""

    first: Address
    last: Address
    port: int = 0


@dataclass(frozen=True, slots=True)
class MarkEntry:
    """An entry `fwmark N [inet|inet6]` of a virtual_server_group."""

    mark: int
    inet6: bool = False
