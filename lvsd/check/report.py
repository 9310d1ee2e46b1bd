"""What operators see of the checks: states, weights and counters, as messages."""

from __future__ import annotations

from collections.abc import Mapping

from lvsd.core.conf.keyword import declaration
from lvsd.core.ipc.messages import CheckLine, ServerReport, ServiceReport

from .health import Health
from .ipvs.table import Counters, ServiceCounters, ServiceKey, Table
from .service import ServerState, ServiceState

_NOTHING = Counters()


def service_report(
    state: ServiceState, now: float, kernel: Table, counters: Mapping[ServiceKey, ServiceCounters]
) -> ServiceReport:
    """kernel: the rows as last known. Counters of a service with several rows are their sums."""
    settings = state.settings
    totals = [counters[key].total for key in settings.keys if key in counters]
    return ServiceReport(
        name=settings.name,
        scheduler=settings.settings.lb_algo.value,
        forwarding=settings.settings.lb_kind.name,
        quorum=settings.quorum,
        quorum_up=state.quorum_up,
        sorry_server="" if settings.sorry is None else settings.sorry.name,
        sorry_active=state.sorry_active,
        why=state.why,
        servers=tuple(_server(state, server, now, kernel, counters) for server in state.servers),
        connections=sum(total.connections for total in totals),
        bytes_in=sum(total.bytes_in for total in totals),
        bytes_out=sum(total.bytes_out for total in totals),
    )


def _server(
    state: ServiceState,
    server: ServerState,
    now: float,
    kernel: Table,
    counters: Mapping[ServiceKey, ServiceCounters],
) -> ServerReport:
    counted: list[Counters] = []
    weights: list[int] = []
    for key in state.settings.keys:
        row = server.settings.row(key)
        if key in counters:
            counted.append(counters[key].destinations.get(row, _NOTHING))
        if key in kernel and row in kernel[key].destinations:
            weights.append(kernel[key].destinations[row].weight)
    order = server.override
    return ServerReport(
        address=server.settings.name,
        weight=server.settings.weight,
        effective_weight=server.effective_weight,
        health=server.health,
        why=server.why,
        state_seconds=round(now - server.since, 3),
        checks=tuple(_check(health, now) for health in server.healths),
        override="" if order is None else order.verb,
        override_weight=None if order is None else order.weight,
        override_reason="" if order is None else order.reason,
        override_owner="" if order is None else order.owner,
        override_seconds_left=None if order is None or order.until is None else round(max(0.0, order.until - now), 3),
        kernel_weight=min(weights) if len(weights) == len(state.settings.keys) else None,
        active=sum(row.active for row in counted),
        inactive=sum(row.inactive for row in counted),
        connections=sum(row.connections for row in counted),
        bytes_in=sum(row.bytes_in for row in counted),
        bytes_out=sum(row.bytes_out for row in counted),
    )


def _check(health: Health, now: float) -> CheckLine:
    last = health.last
    return CheckLine(
        kind=declaration(type(health.asked.check)).name,
        state=health.state,
        reason="not checked yet" if last is None else last.reason,
        layer="" if last is None else last.layer.value,
        seconds=0.0 if last is None else round(last.seconds, 6),
        attempt=health.failures,
        attempts=health.attempts,
        age=None if health.last_at is None else round(now - health.last_at, 3),
    )
