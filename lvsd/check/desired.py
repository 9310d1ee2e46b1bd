"""The table that the kernel should hold: configuration, verdicts and orders made into rows, in one canonical form."""

from __future__ import annotations

from collections.abc import Iterable

from .inherit import VirtualService
from .ipvs.table import (
    AddressKey,
    Destination,
    DestinationKey,
    Family,
    Protocol,
    Service,
    ServiceFlags,
    ServiceKey,
    Table,
)
from .service import ServerState, ServiceState
from .settings import VirtualServer

SORRY_WEIGHT = 1


def desired(states: Iterable[ServiceState]) -> Table:
    """Every service in the order of the configuration."""
    return {key: service for state in states for key, service in rows(state).items()}


def rows(state: ServiceState) -> Table:
    """The rows of one service: one for each of its addresses and marks, all with the same destinations."""
    return {key: row(state, key) for key in state.settings.keys}


def row(state: ServiceState, key: ServiceKey) -> Service:
    settings = state.settings
    destinations: dict[DestinationKey, Destination] = {}
    for server in state.servers:
        destination = _destination(server, away=state.sorry_active)
        if destination is not None:
            destinations.setdefault(server.settings.row(key), destination)
    if settings.sorry is not None and (state.sorry_active or settings.sorry.inhibit):
        sorry = Destination(
            SORRY_WEIGHT if state.sorry_active else 0,
            settings.sorry.forward.method,
            tunnel=settings.sorry.forward.tunnel,
        )
        # While it is in charge it wins over a real server at the same address.
        if state.sorry_active:
            destinations[settings.sorry.row(key)] = sorry
        else:
            destinations.setdefault(settings.sorry.row(key), sorry)
    return Service(
        scheduler=settings.settings.lb_algo.value,
        flags=flags(settings, key),
        timeout=settings.timeout,
        prefix=_prefix(settings, key),
        engine=settings.settings.persistence_engine,
        destinations=destinations,
    )


def _destination(server: ServerState, *, away: bool) -> Destination | None:
    """None: no row. away: the sorry server is in charge."""
    settings = server.settings
    here = server.up and not away and server.in_table
    if not here and not (settings.inhibit and server.in_table):
        return None
    return Destination(
        weight=server.effective_weight if here else 0,
        forwarding=settings.forward.method,
        upper_threshold=settings.upper_threshold,
        lower_threshold=settings.lower_threshold,
        tunnel=settings.forward.tunnel,
    )


def flags(settings: VirtualService, key: ServiceKey) -> ServiceFlags:
    vs = settings.settings
    found = ServiceFlags(0)
    if settings.timeout:
        found |= ServiceFlags.PERSISTENT
    if vs.ops and _is_udp(vs, key):
        found |= ServiceFlags.ONEPACKET
    # linux/ip_vs.h: the first flag of sh and mh is "fallback", the second "port".
    if vs.flag_1 or vs.sh_fallback or vs.mh_fallback:
        found |= ServiceFlags.SCHED1
    if vs.flag_2 or vs.sh_port or vs.mh_port:
        found |= ServiceFlags.SCHED2
    if vs.flag_3:
        found |= ServiceFlags.SCHED3
    return found


def _is_udp(vs: VirtualServer, key: ServiceKey) -> bool:
    return key.protocol is Protocol.UDP if isinstance(key, AddressKey) else vs.protocol is Protocol.UDP


def _prefix(settings: VirtualService, key: ServiceKey) -> int:
    longest = 32 if key.family is Family.IPV4 else 128
    granularity = settings.settings.persistence_granularity
    return longest if granularity is None else min(granularity, longest)
