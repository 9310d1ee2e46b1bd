"""The words between the machine (router) and its shell (main, kernel): what happened, and what is to be done.
Declarations only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv6Address

from lvsd.core.conf.values import AddressLine
from lvsd.core.notify.events import AnyEvent

Address = IPv4Address | IPv6Address


class State(Enum):
    INIT = "INIT"
    BACKUP = "BACKUP"
    MASTER = "MASTER"
    FAULT = "FAULT"
    STOP = "STOP"


# --- events: facts that the shell hands to Router.handle(event, now) --------------------------------------------------


@dataclass(frozen=True, slots=True)
class AdvertReceived:
    """A packet of IP protocol 112. data: behind the IP header; destination: as on the wire; ttl: or hop limit."""

    interface: str
    source: Address
    destination: Address
    ttl: int
    data: bytes


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """An interface as it is now. up: administratively up and with carrier. sources: addresses usable as source of
    adverts (IPv4 in the kernel's order, IPv6 link-local, no tentative one, none that lvsd holds itself)."""

    interface: str
    exists: bool
    up: bool
    sources: tuple[Address, ...] = ()
    mac: bytes = b""


@dataclass(frozen=True, slots=True)
class AdvertSent:
    """The kernel took the advert; leases of the instance may be renewed until the next is due."""

    instance: str


@dataclass(frozen=True, slots=True)
class SendFailed:
    instance: str
    errno: int


@dataclass(frozen=True, slots=True)
class AddressRemoved:
    """Somebody else removed an address that the instance holds, or its lease lapsed."""

    instance: str
    address: Address


@dataclass(frozen=True, slots=True)
class AddressesFailed:
    """The kernel refused addresses; why: one sentence each."""

    instance: str
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableProgrammed:
    """check says that the kernel's IPVS table holds what generation wants."""

    generation: int


VrrpEvent = AdvertReceived | LinkChanged | AdvertSent | SendFailed | AddressRemoved | AddressesFailed | TableProgrammed


# --- actions: orders that the shell carries out, in their order -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SendAdvert:
    """One VRRP packet (behind the IP header) with TTL 255. priority 0: a goodbye, which leaves only when the kernel has
    answered the removal of the instance's addresses that stands before it (or after half a second); then no AdvertSent
    is told."""

    instance: str
    interface: str
    source: Address
    destination: Address
    data: bytes
    priority: int


@dataclass(frozen=True, slots=True)
class HoldAddresses:
    """Add these addresses (with the lease, in seconds; 0 for none), and only these, for the instance; the shell
    remembers them by instance. Repeated while they are there, it adds what is missing and removes what is not named."""

    instance: str
    interface: str
    addresses: tuple[AddressLine, ...]
    lease: int


@dataclass(frozen=True, slots=True)
class DropAddresses:
    """Remove everything that the shell holds for the instance."""

    instance: str


@dataclass(frozen=True, slots=True)
class RenewLeases:
    """Renew the addresses of these instances in one burst; not after `deadline` (monotonic), when a lease may have lapsed."""

    instances: tuple[str, ...]
    deadline: float


@dataclass(frozen=True, slots=True)
class Announce:
    """Gratuitous ARP or unsolicited neighbour advertisement for each address of the instance, `repeat` times, paced by
    `interval` seconds between two frames on one interface (0: as the shell's pacing has it)."""

    instance: str
    repeat: int
    interval: float


@dataclass(frozen=True, slots=True)
class Tell:
    """An event for log, scripts, API."""

    event: AnyEvent


@dataclass(frozen=True, slots=True)
class RunNotify:
    """A notify script of the operator's; scripts of one queue run in order, one at a time."""

    argv: tuple[str, ...]
    user: str
    group: str
    queue: str


VrrpAction = SendAdvert | HoldAddresses | DropAddresses | RenewLeases | Announce | Tell | RunNotify
