"""What the state of interfaces means for an instance: faults, and its effective priority."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .resolve import OWNER, Address, VirtualRouter
from .types import LinkChanged


@dataclass(frozen=True, slots=True)
class Verdict:
    """known: the state of every interface concerned has been told. priority: effective, 1 to 254, or 255 for an owner.
    source: where adverts come from, None where there is nothing to send from. faults: a sentence each."""

    known: bool
    priority: int
    source: Address | None
    faults: tuple[str, ...]
    can_send: bool


UNKNOWN = Verdict(False, 0, None, (), False)


def judge(router: VirtualRouter, links: Mapping[str, LinkChanged]) -> Verdict:
    """A tracker without weight is a fault while its interface is down (reverse: up). With a weight w it adds w while
    up if w is positive, and while down if w is negative; reverse turns the sign. An owner keeps its 255."""
    own = links.get(router.interface)
    if own is None or any(tracker.name not in links for tracker in router.trackers):
        return UNKNOWN
    faults: list[str] = []
    if not own.exists:
        faults.append(f"interface {router.interface} does not exist")
    elif not own.up and router.tracks_own_interface:
        faults.append(f"interface {router.interface} is down")
    source = router.source or next(
        (address for address in own.sources if address.version == router.identity.family), None
    )
    if source is None and own.exists:
        kind = "IPv4" if router.identity.family == 4 else "IPv6 link-local"
        faults.append(f"interface {router.interface} has no {kind} address to send from")
    priority = router.priority
    for tracker in router.trackers:
        link = links[tracker.name]
        up = link.exists and link.up
        weight = tracker.weight or 0
        if weight == 0:
            if up == tracker.reverse:
                faults.append(f"tracked interface {tracker.name} is {'up' if up else 'down'}")
        elif up == (weight > 0):
            priority += -weight if tracker.reverse else weight
    effective = OWNER if router.owner else max(1, min(OWNER - 1, priority))
    return Verdict(True, effective, source, tuple(faults), own.exists and own.up and source is not None)
