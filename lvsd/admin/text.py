"""Answers of the API as an operator likes to read them: alarms first, then the node, its instances, its services."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lvsd.core.ipc.messages import GroupReport, InstanceReport, ServerReport, ServiceReport

from .api import Status

_SUBJECTS = (
    "name",
    "service",
    "server",
    "subject",
    "process",
    "verb",
    "actor",
    "state",
    "previous",
    "up",
    "generation",
)


def span(seconds: float) -> str:
    """Two units at most: 3d 2h, 4m 10s, 41s."""
    left = int(max(seconds, 0))
    parts = []
    for unit, name in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")):
        count, left = divmod(left, unit)
        if count:
            parts.append(f"{count}{name}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0s"


def status(answer: Status, now: float) -> str:
    """now: wall clock, seconds since the epoch."""
    lines = [f"! {alarm}" for alarm in answer.alarms]
    if lines:
        lines.append("")
    lines += _node(answer, now)
    old = [text for text in answer.silences if " vrrp " in text]
    lines += [f"({text})" for text in old] + _instances(answer)
    old = [text for text in answer.silences if " check " in text]
    lines += [f"({text})" for text in old] + services(answer.services, answer.foreign)
    return "\n".join(lines) + "\n"


def _node(answer: Status, now: float) -> list[str]:
    loaded = f", generation {answer.generation}, loaded {span(now - answer.loaded_at)} ago" if answer.generation else ""
    lines = [
        f"{answer.node or '(core is silent)'}  lvsd {answer.version}  configuration {answer.configuration}{loaded}"
    ]
    processes = [
        f"{each.name} {each.state} (pid {each.pid}"
        + (f", started again {each.restarts} times" if each.restarts else "")
        + ")"
        for each in answer.processes
    ]
    if processes:
        lines.append("  " + ", ".join(processes))
    if answer.held:
        lines.append("  holds " + ", ".join(answer.held))
    return [*lines, *(f"  warning: {warning}" for warning in answer.warnings), ""]


def _instances(answer: Status) -> list[str]:
    lines: list[str] = []
    grouped: set[str] = set()
    by_name = {each.name: each for each in answer.instances}
    for group in answer.groups:
        lines += _group(group)
        for name in group.members:
            if name in by_name:
                grouped.add(name)
                lines += [f"  {line}" for line in _instance(by_name[name])]
    for each in answer.instances:
        if each.name not in grouped:
            lines += _instance(each)
    return [*lines, ""] if lines else []


def _group(group: GroupReport) -> list[str]:
    return [f"GROUP {group.name}  {group.state} for {span(group.state_seconds)}: {group.why}"]


def _instance(each: InstanceReport) -> list[str]:
    priority = f"priority {each.effective_priority}"
    if each.effective_priority != each.base_priority:
        priority += f" (base {each.base_priority})"
    head = f"INSTANCE {each.name}  {each.state} for {span(each.state_seconds)}: {each.why}"
    detail = f"  {each.interface}  VRID {each.virtual_router_id}  VRRPv{each.version}  {priority}  {', '.join(each.addresses)}"
    lines = [head, detail]
    if each.master and each.state != "MASTER":
        age = f", last advert {each.master_advert_age:.1f} s ago" if each.master_advert_age is not None else ""
        lines.append(f"  master {each.master} with priority {each.master_priority}{age}")
    return [*lines, *(f"  fault: {fault}" for fault in each.faults)]


def services(found: Sequence[ServiceReport], foreign: Sequence[str]) -> list[str]:
    """A table for each service; then what is in the kernel and not lvsd's."""
    lines: list[str] = []
    for service in found:
        lines += [*_service(service), ""]
    if foreign:
        lines += [f"not lvsd's, left alone: {', '.join(foreign)}", ""]
    return lines


def _service(service: ServiceReport) -> list[str]:
    up = sum(server.health == "up" for server in service.servers)
    quorum = f"quorum {service.quorum} {'ok' if service.quorum_up else 'LOST: ' + service.why}"
    head = (
        f"SERVICE {service.name}  {service.scheduler} {service.forwarding}  {up} of {len(service.servers)} up  {quorum}"
    )
    if service.sorry_server:
        head += f"  sorry server {service.sorry_server}{' ACTIVE' if service.sorry_active else ''}"
    rows = [("SERVER", "WEIGHT", "OVERRIDE", "HEALTH", "KERNEL", "ACTIVE", "INACTIVE", "WHY")]
    return [head, *_table([*rows, *(_server(server) for server in service.servers)])]


def _server(server: ServerReport) -> tuple[str, ...]:
    health = server.health if server.health == "up" else server.health.upper()
    return (
        server.address,
        str(server.weight),
        _override(server),
        f"{health} {span(server.state_seconds)}",
        "none" if server.kernel_weight is None else str(server.kernel_weight),
        str(server.active),
        str(server.inactive),
        "; ".join(_reasons(server)),
    )


def _override(server: ServerReport) -> str:
    if not server.override:
        return "-"
    weight = f" {server.override_weight}" if server.override_weight is not None else ""
    left = server.override_seconds_left
    return server.override + weight + (f", {span(left)} left" if left is not None else "")


def _reasons(server: ServerReport) -> Iterable[str]:
    if server.override:
        yield f"by {server.override_owner}" + (f": {server.override_reason}" if server.override_reason else "")
    for check in server.checks:
        if check.state == "down":
            often = f"failed {check.attempt} times" if check.attempt > 1 else ""
            more = ", ".join(filter(None, (often, check.layer)))
            yield f"{check.kind}: {check.reason}" + (f" ({more})" if more else "")
    if server.health != "up" and not any(check.state == "down" for check in server.checks):
        yield server.why


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    numeric = {1, 4, 5, 6}
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if column in numeric else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=False))
        ]
        lines.append(("  " + "  ".join([*cells, row[-1]])).rstrip())
    return lines


def event(fields: Mapping[str, Any], clock: str) -> str:
    """One line. clock: its time as text. An unknown kind of event is shown as well."""
    words = [str(fields.get("type", "Event")), *(f"{name}={fields[name]}" for name in _SUBJECTS if name in fields)]
    return f"{clock} {' '.join(words)}: {fields.get('why', '')}".replace("\n", " ")
