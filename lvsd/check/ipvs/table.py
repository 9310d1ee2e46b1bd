"""What an IPVS table holds, as values: services, their destinations, and the keys that identify them.
Knows nothing of netlink, health or configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum, IntFlag
from ipaddress import IPv4Address, IPv6Address
from socket import AF_INET, AF_INET6, IPPROTO_SCTP, IPPROTO_TCP, IPPROTO_UDP

Address = IPv4Address | IPv6Address


class Protocol(IntEnum):
    TCP = IPPROTO_TCP
    UDP = IPPROTO_UDP
    SCTP = IPPROTO_SCTP


class Family(IntEnum):
    IPV4 = AF_INET
    IPV6 = AF_INET6


class Forwarding(IntEnum):
    """IP_VS_CONN_F_FWD_MASK values of linux/ip_vs.h."""

    NAT = 0
    LOCAL = 1
    TUN = 2
    DR = 3


class TunnelType(IntEnum):
    IPIP = 0
    GUE = 1
    GRE = 2


class TunnelChecksum(IntEnum):
    NOCSUM = 0
    CSUM = 1
    REMCSUM = 2


class ServiceFlags(IntFlag):
    """IP_VS_SVC_F_* of linux/ip_vs.h. The kernel's own HASHED (2) is never part of a table."""

    PERSISTENT = 0x0001
    ONEPACKET = 0x0004
    SCHED1 = 0x0008
    SCHED2 = 0x0010
    SCHED3 = 0x0020


NO_FLAGS = ServiceFlags(0)


class Scheduler(Enum):
    RR = "rr"
    WRR = "wrr"
    LC = "lc"
    WLC = "wlc"
    LBLC = "lblc"
    LBLCR = "lblcr"
    SH = "sh"
    MH = "mh"
    DH = "dh"
    FO = "fo"
    OVF = "ovf"
    SED = "sed"
    NQ = "nq"
    TWOS = "twos"


@dataclass(frozen=True, slots=True, order=True)
class AddressKey:
    """A service by protocol, address and port; port 0 (every port) needs persistence."""

    protocol: Protocol
    address: Address
    port: int

    @property
    def family(self) -> Family:
        return Family.IPV4 if self.address.version == 4 else Family.IPV6

    def __str__(self) -> str:
        host = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        return f"{self.protocol.name.lower()} {host}:{self.port}"


@dataclass(frozen=True, slots=True, order=True)
class MarkKey:
    """A service by firewall mark; the kernel keeps one for each family."""

    mark: int
    family: Family

    def __str__(self) -> str:
        return f"fwmark {self.mark}" + (" inet6" if self.family is Family.IPV6 else "")


ServiceKey = AddressKey | MarkKey


@dataclass(frozen=True, slots=True, order=True)
class DestinationKey:
    address: Address
    port: int

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if self.address.version == 6 else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class Tunnel:
    type: TunnelType = TunnelType.IPIP
    port: int = 0
    checksum: TunnelChecksum = TunnelChecksum.NOCSUM


@dataclass(frozen=True, slots=True)
class Destination:
    """A row below a service. weight 0: no new connections. Thresholds 0: none."""

    weight: int = 1
    forwarding: Forwarding = Forwarding.NAT
    upper_threshold: int = 0
    lower_threshold: int = 0
    tunnel: Tunnel = Tunnel()


@dataclass(frozen=True, slots=True)
class Service:
    """A virtual service and its destinations. timeout: persistence in seconds, 0 without PERSISTENT.
    prefix: persistence granularity as a prefix length of the service's family (32 or 128: each client by itself)."""

    scheduler: str = "wlc"
    flags: ServiceFlags = NO_FLAGS
    timeout: int = 0
    prefix: int = 32
    engine: str = ""
    destinations: dict[DestinationKey, Destination] = field(default_factory=dict)


Table = dict[ServiceKey, Service]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Connection timeouts in seconds; 0 leaves the kernel's value."""

    tcp: int = 0
    tcp_fin: int = 0
    udp: int = 0


@dataclass(frozen=True, slots=True)
class Counters:
    """64-bit statistics of one row, as the kernel counts them since the row was made."""

    connections: int = 0
    packets_in: int = 0
    packets_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    active: int = 0
    inactive: int = 0
    persistent: int = 0


@dataclass(frozen=True, slots=True)
class ServiceCounters:
    """A service's own counters, its connections being the sum over its present destinations, and theirs."""

    total: Counters
    destinations: dict[DestinationKey, Counters]
