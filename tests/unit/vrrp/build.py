"""Short ways to settings, nodes and adverts for the tests of this folder."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address
from typing import Any

from lvsd.core.conf.values import AddressLine
from lvsd.core.notify.events import InstanceChanged
from lvsd.core.settings import GlobalDefs
from lvsd.vrrp.resolve import resolve
from lvsd.vrrp.router import Router
from lvsd.vrrp.settings import VrrpInstance, VrrpSettings, VrrpSyncGroup
from lvsd.vrrp.types import Address, AdvertReceived, AdvertSent, LinkChanged, SendAdvert, Tell, VrrpAction
from lvsd.vrrp.wire.packet import Advert, encode

GROUP4 = IPv4Address("224.0.0.18")
OWN, PEER = IPv4Address("10.0.0.5"), IPv4Address("10.0.0.6")
VIP = IPv4Address("10.0.0.100")


def line(address: str, **more: Any) -> AddressLine:
    parsed = ip_address(address)
    return AddressLine(parsed, parsed.max_prefixlen, **more)


def instance(name: str = "V1", **more: Any) -> VrrpInstance:
    given = {"interface": "eth0", "virtual_router_id": 51, "virtual_ipaddress": (line(str(VIP)),)} | more
    return VrrpInstance(name=name, **given)


def settings(*instances: VrrpInstance, groups: tuple[VrrpSyncGroup, ...] = (), **defaults: Any) -> VrrpSettings:
    return VrrpSettings(GlobalDefs(**defaults), instances or (instance(),), groups)


def resolved(*instances: VrrpInstance, **more: Any) -> Any:
    return resolve(settings(*instances, **more)).routers[0]


def up(interface: str = "eth0", *sources: Address, is_up: bool = True, exists: bool = True) -> LinkChanged:
    return LinkChanged(interface, exists, is_up, sources or (OWN,), b"\2\0\0\0\0\5")


def advert(
    priority: int,
    source: Address = PEER,
    *,
    interface: str = "eth0",
    vrid: int = 51,
    version: int = 2,
    advert_int: float = 1.0,
    addresses: tuple[Address, ...] = (VIP,),
    destination: Address = GROUP4,
    ttl: int = 255,
) -> AdvertReceived:
    data = encode(Advert(version, vrid, priority, advert_int, addresses), source, destination)
    return AdvertReceived(interface, source, destination, ttl, data)


class Driver:
    """A router with a clock and the actions it gave; adverts are answered with AdvertSent as the shell does."""

    def __init__(
        self, given: VrrpSettings, *, links: tuple[LinkChanged, ...] = (), now: float = 0.0, **how: Any
    ) -> None:
        self.now = now
        self.router = Router(given, now, **how)
        self.actions: list[tuple[float, VrrpAction]] = []
        for link in links or (up(),):
            self.tell(link)

    def tell(self, event: Any) -> list[VrrpAction]:
        return self.did(self.router.handle(event, self.now))

    def did(self, actions: list[VrrpAction]) -> list[VrrpAction]:
        for action in actions:
            self.actions.append((self.now, action))
            if isinstance(action, SendAdvert) and action.priority:
                self.did(self.router.handle(AdvertSent(action.instance), self.now))
        return actions

    def run(self, until: float) -> list[VrrpAction]:
        """Ticks at every deadline until then; what was done in that time."""
        first = len(self.actions)
        while (at := self.router.deadline) is not None and at <= until:
            self.now = max(self.now, at)
            self.did(self.router.tick(self.now))
        self.now = until
        return [action for _, action in self.actions[first:]]

    def state(self, name: str = "V1") -> str:
        return next(i.state for i in self.router.report(self.now).instances if i.name == name)

    def of(self, kind: type, since: float = 0.0) -> list[Any]:
        return [action for at, action in self.actions if at >= since and isinstance(action, kind)]

    def changes(self) -> list[str]:
        events = [action.event for action in self.of(Tell)]
        return [f"{event.previous} {event.state}" for event in events if isinstance(event, InstanceChanged)]
