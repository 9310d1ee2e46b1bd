"""Hypothesis strategies for IPVS tables: few keys, so that tables overlap, and every kind of row."""

from __future__ import annotations

from ipaddress import ip_address

from hypothesis import strategies as st

from lvsd.check.ipvs.table import (
    AddressKey,
    Destination,
    DestinationKey,
    Family,
    Forwarding,
    MarkKey,
    Protocol,
    Scheduler,
    Service,
    ServiceFlags,
    ServiceKey,
    Table,
    Tunnel,
    TunnelChecksum,
    TunnelType,
)

SCHEDULERS = [scheduler.value for scheduler in Scheduler]

KEYS: list[ServiceKey] = [
    AddressKey(Protocol.TCP, ip_address("192.0.2.10"), 80),
    AddressKey(Protocol.UDP, ip_address("192.0.2.10"), 80),
    AddressKey(Protocol.SCTP, ip_address("192.0.2.10"), 5060),
    AddressKey(Protocol.TCP, ip_address("192.0.2.11"), 0),
    AddressKey(Protocol.TCP, ip_address("2001:db8::10"), 443),
    MarkKey(7, Family.IPV4),
    MarkKey(7, Family.IPV6),
]
SERVERS = {
    4: [DestinationKey(ip_address(f"10.0.0.{host}"), port) for host in (1, 2, 3) for port in (80, 8080)],
    6: [DestinationKey(ip_address(f"fd00::{host}"), port) for host in (1, 2, 3) for port in (80, 0)],
}

tunnels = st.one_of(
    st.just(Tunnel()),
    st.builds(Tunnel, st.just(TunnelType.GUE), st.integers(1, 65535), st.sampled_from(TunnelChecksum)),
    st.builds(
        Tunnel,
        st.just(TunnelType.GRE),
        st.just(0),
        st.sampled_from([TunnelChecksum.NOCSUM, TunnelChecksum.CSUM]),
    ),
)


@st.composite
def destinations(draw: st.DrawFn, *, tunnel_only: bool = False) -> Destination:
    forwarding = Forwarding.TUN if tunnel_only else draw(st.sampled_from(Forwarding))
    upper = draw(st.sampled_from([0, 0, 0, 10, 4_000_000]))
    return Destination(
        weight=draw(st.sampled_from([0, 1, 1, 5, 65535])),
        forwarding=forwarding,
        upper_threshold=upper,
        lower_threshold=draw(st.integers(0, upper)),
        tunnel=draw(tunnels) if forwarding is Forwarding.TUN else Tunnel(),
    )


@st.composite
def services(draw: st.DrawFn, family: Family) -> Service:
    flags = ServiceFlags(draw(st.integers(0, 15)) << 2 & 0x3C)
    longest = 32 if family is Family.IPV4 else 128
    timeout, prefix = 0, longest
    if draw(st.booleans()):
        flags |= ServiceFlags.PERSISTENT
        timeout, prefix = draw(st.integers(1, 86400)), draw(st.integers(1, longest))
    own, other = (4, 6) if family is Family.IPV4 else (6, 4)
    rows = draw(st.dictionaries(st.sampled_from(SERVERS[own]), destinations(), max_size=5))
    rows |= draw(st.dictionaries(st.sampled_from(SERVERS[other]), destinations(tunnel_only=True), max_size=1))
    return Service(draw(st.sampled_from(SCHEDULERS)), flags, timeout, prefix, "", rows)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=len(KEYS)))
    return {key: draw(services(key.family)) for key in keys}
