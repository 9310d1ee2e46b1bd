"""Every metric, declared once, and their exposition for Prometheus. What a silent process said last is not exposed: a dead
node must not look like a master."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lvsd.core.ipc.messages import CheckReport, InstanceReport, ProcessReport, ServerReport, ServiceReport, VrrpReport

from . import api

STATES = ("INIT", "BACKUP", "MASTER", "FAULT", "STOP")
"""The value of lvsd_instance_state is the place in this list."""

Sample = tuple[tuple[str, ...], float]


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is to expose. vrrp, check: None where the process is silent."""

    snapshot: api.Snapshot
    vrrp: VrrpReport | None
    check: CheckReport | None
    events: int


@dataclass(frozen=True, slots=True)
class Metric:
    name: str
    type: str
    help: str
    labels: tuple[str, ...]
    samples: Callable[[Facts], Iterable[Sample]]


def exposition(snapshot: api.Snapshot, events: int) -> str:
    """Prometheus' text format 0.0.4. events: how many the admin process has seen."""
    facts = Facts(
        snapshot=snapshot,
        vrrp=snapshot.vrrp if snapshot.is_fresh("vrrp") else None,
        check=snapshot.check if snapshot.is_fresh("check") else None,
        events=events,
    )
    lines: list[str] = []
    # Each server of a large farm stands in a dozen metrics with the same labels.
    known: dict[tuple[str, ...], dict[tuple[str, ...], str]] = {}
    for metric in METRICS:
        labels_of = known.setdefault(metric.labels, {})
        lines.append(f"# HELP {metric.name} {_escape_help(metric.help)}")
        lines.append(f"# TYPE {metric.name} {metric.type}")
        # One series twice makes Prometheus refuse the whole scrape.
        series: dict[str, float] = {}
        for values, value in metric.samples(facts):
            labels = labels_of.get(values)
            if labels is None:
                labels = labels_of[values] = _labels(metric.labels, values)
            series.setdefault(labels, value)
        lines += [f"{metric.name}{labels} {_number(value)}" for labels, value in series.items()]
    return "\n".join(lines) + "\n"


def _labels(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    if not names:
        return ""
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in zip(names, values, strict=True)) + "}"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _escape_help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))


# --- where the values come from ---------------------------------------------------------------------------------------


def _instances(value: Callable[[InstanceReport], float]) -> Callable[[Facts], Iterable[Sample]]:
    def samples(facts: Facts) -> Iterable[Sample]:
        for each in facts.vrrp.instances if facts.vrrp else ():
            yield (each.name, each.interface, str(each.virtual_router_id), _family(each.family)), value(each)

    return samples


def _family(number: int) -> str:
    return {2: "ipv4", 4: "ipv4", 6: "ipv6", 10: "ipv6"}.get(number, str(number))


def _instance_events(facts: Facts) -> Iterable[Sample]:
    for each in facts.vrrp.instances if facts.vrrp else ():
        for event, count in each.counters.items():
            yield (each.name, event), count


def _instance_states(facts: Facts) -> Iterable[Sample]:
    for each in facts.vrrp.instances if facts.vrrp else ():
        for state in STATES:
            yield (each.name, state), each.state == state


def _advert_ages(facts: Facts) -> Iterable[Sample]:
    for each in facts.vrrp.instances if facts.vrrp else ():
        if each.master_advert_age is not None:
            yield (each.name, each.master), each.master_advert_age


def _groups(facts: Facts) -> Iterable[Sample]:
    for each in facts.vrrp.groups if facts.vrrp else ():
        yield (each.name,), _state(each.state)


def _state(name: str) -> float:
    return STATES.index(name) if name in STATES else -1


def _services(value: Callable[[ServiceReport], float | None]) -> Callable[[Facts], Iterable[Sample]]:
    def samples(facts: Facts) -> Iterable[Sample]:
        for each in facts.check.services if facts.check else ():
            found = value(each)
            if found is not None:
                yield (each.name,), found

    return samples


def _servers(value: Callable[[ServerReport], float | None]) -> Callable[[Facts], Iterable[Sample]]:
    def samples(facts: Facts) -> Iterable[Sample]:
        for service in facts.check.services if facts.check else ():
            for each in service.servers:
                found = value(each)
                if found is not None:
                    yield (service.name, each.address), found

    return samples


def _server_overrides(facts: Facts) -> Iterable[Sample]:
    for service in facts.check.services if facts.check else ():
        for each in service.servers:
            if each.override:
                yield (service.name, each.address, each.override), 1


def _check_age(server: ServerReport) -> float | None:
    ages = [check.age for check in server.checks if check.age is not None]
    return max(ages) if ages else None


def _check_seconds(server: ServerReport) -> float | None:
    seconds = [check.seconds for check in server.checks if check.age is not None]
    return max(seconds) if seconds else None


def _processes(value: Callable[[ProcessReport], float]) -> Callable[[Facts], Iterable[Sample]]:
    def samples(facts: Facts) -> Iterable[Sample]:
        for each in facts.snapshot.core.processes if facts.snapshot.core else ():
            yield (each.name,), value(each)

    return samples


def _process_events(facts: Facts) -> Iterable[Sample]:
    for name, report in (("vrrp", facts.vrrp), ("check", facts.check)):
        for event, count in report.counters.items() if report else ():
            yield (name, event), count


def _ages(facts: Facts) -> Iterable[Sample]:
    for process in api.QUIET_AFTER:
        age = facts.snapshot.age(process)
        if age is not None:
            yield (process,), age


def _one(value: Callable[[Facts], float | None]) -> Callable[[Facts], Iterable[Sample]]:
    def samples(facts: Facts) -> Iterable[Sample]:
        found = value(facts)
        if found is not None:
            yield (), found

    return samples


def _info(facts: Facts) -> Iterable[Sample]:
    core = facts.snapshot.core
    if core is not None:
        yield (core.node, core.version, core.configuration), 1


_INSTANCE = ("instance", "interface", "vrid", "family")
_SERVER = ("service", "server")

METRICS = (
    Metric("lvsd_info", "gauge", "Always 1.", ("node", "version", "configuration"), _info),
    Metric(
        "lvsd_config_generation",
        "gauge",
        "Number of the configuration in force; 0 before the first.",
        (),
        _one(lambda facts: facts.snapshot.core.generation if facts.snapshot.core else None),
    ),
    Metric(
        "lvsd_config_stale",
        "gauge",
        "1 while a newer configuration was refused and the old one goes on.",
        (),
        _one(lambda facts: bool(facts.snapshot.core.stale) if facts.snapshot.core else None),
    ),
    Metric(
        "lvsd_config_loaded_timestamp_seconds",
        "gauge",
        "When the configuration in force was loaded, in seconds since the epoch.",
        (),
        _one(lambda facts: facts.snapshot.core.loaded_at if facts.snapshot.core else None),
    ),
    Metric(
        "lvsd_alarms",
        "gauge",
        "Things that a person must look at, as status shows them.",
        (),
        _one(lambda facts: len(api.alarms(facts.snapshot))),
    ),
    Metric(
        "lvsd_events_total",
        "counter",
        "Events since the admin process started.",
        (),
        _one(lambda facts: facts.events),
    ),
    Metric(
        "lvsd_report_age_seconds",
        "gauge",
        "Seconds since the process last reported; when it is silent, its other series are absent.",
        ("process",),
        _ages,
    ),
    Metric(
        "lvsd_process_up",
        "gauge",
        "1 while the process runs and answers.",
        ("process",),
        _processes(lambda each: each.state == "running"),
    ),
    Metric(
        "lvsd_process_restarts_total",
        "counter",
        "Times that core started the process again.",
        ("process",),
        _processes(lambda each: each.restarts),
    ),
    Metric(
        "lvsd_process_lateness_seconds",
        "gauge",
        "Worst delay of the process's loop between its last two answers to core.",
        ("process",),
        _processes(lambda each: each.lateness),
    ),
    Metric(
        "lvsd_process_events_total",
        "counter",
        "What the process counts, by name; packets that were not taken are counted by their reason.",
        ("process", "event"),
        _process_events,
    ),
    Metric(
        "lvsd_instance_state",
        "gauge",
        "State of the VRRP instance: " + ", ".join(f"{number} {state}" for number, state in enumerate(STATES)) + ".",
        _INSTANCE,
        _instances(lambda each: _state(each.state)),
    ),
    Metric(
        "lvsd_instance_in_state",
        "gauge",
        "1 for the state that the VRRP instance is in, 0 for the others.",
        ("instance", "state"),
        _instance_states,
    ),
    Metric(
        "lvsd_instance_state_seconds",
        "gauge",
        "Seconds that the VRRP instance has been in its state.",
        _INSTANCE,
        _instances(lambda each: each.state_seconds),
    ),
    Metric(
        "lvsd_instance_priority",
        "gauge",
        "Effective priority of the VRRP instance.",
        _INSTANCE,
        _instances(lambda each: each.effective_priority),
    ),
    Metric(
        "lvsd_instance_base_priority",
        "gauge",
        "Configured priority of the VRRP instance.",
        _INSTANCE,
        _instances(lambda each: each.base_priority),
    ),
    Metric(
        "lvsd_instance_advert_interval_seconds",
        "gauge",
        "Seconds between adverts.",
        _INSTANCE,
        _instances(lambda each: each.advert_int),
    ),
    Metric(
        "lvsd_instance_faults",
        "gauge",
        "Reasons for which the VRRP instance may not be master.",
        _INSTANCE,
        _instances(lambda each: len(each.faults)),
    ),
    Metric(
        "lvsd_instance_master_advert_age_seconds",
        "gauge",
        "Seconds since the last advert of the master that the instance follows.",
        ("instance", "master"),
        _advert_ages,
    ),
    Metric(
        "lvsd_instance_events_total",
        "counter",
        "Adverts sent and received, packets that were not taken by their reason, changes of state, and more, by name.",
        ("instance", "event"),
        _instance_events,
    ),
    Metric(
        "lvsd_addresses_held",
        "gauge",
        "Virtual addresses that are on this node now.",
        (),
        _one(lambda facts: len(facts.vrrp.held) if facts.vrrp else None),
    ),
    Metric("lvsd_group_state", "gauge", "State of the sync group, as lvsd_instance_state.", ("group",), _groups),
    Metric(
        "lvsd_service_quorum_up",
        "gauge",
        "1 while the service has its quorum.",
        ("service",),
        _services(lambda each: each.quorum_up),
    ),
    Metric(
        "lvsd_service_quorum",
        "gauge",
        "Total weight of healthy servers that the service needs.",
        ("service",),
        _services(lambda each: each.quorum),
    ),
    Metric(
        "lvsd_service_sorry_active",
        "gauge",
        "1 while the sorry server serves.",
        ("service",),
        _services(lambda each: each.sorry_active if each.sorry_server else None),
    ),
    Metric("lvsd_service_servers", "gauge", "Servers.", ("service",), _services(lambda each: len(each.servers))),
    Metric(
        "lvsd_service_servers_up",
        "gauge",
        "Servers whose checks all succeed.",
        ("service",),
        _services(lambda each: sum(server.health == "up" for server in each.servers)),
    ),
    Metric(
        "lvsd_service_connections_total",
        "counter",
        "Connections that the kernel counted since the row was made.",
        ("service",),
        _services(lambda each: each.connections),
    ),
    Metric(
        "lvsd_service_received_bytes_total",
        "counter",
        "Bytes from clients.",
        ("service",),
        _services(lambda each: each.bytes_in),
    ),
    Metric(
        "lvsd_service_sent_bytes_total",
        "counter",
        "Bytes to clients that came through this node (NAT).",
        ("service",),
        _services(lambda each: each.bytes_out),
    ),
    Metric(
        "lvsd_server_up",
        "gauge",
        "1 while all checks of the server succeed; absent before the first verdict.",
        _SERVER,
        _servers(lambda each: None if each.health == "unknown" else each.health == "up"),
    ),
    Metric("lvsd_server_weight", "gauge", "Configured weight.", _SERVER, _servers(lambda each: each.weight)),
    Metric(
        "lvsd_server_effective_weight",
        "gauge",
        "Weight after checks and overrides.",
        _SERVER,
        _servers(lambda each: each.effective_weight),
    ),
    Metric(
        "lvsd_server_kernel_weight",
        "gauge",
        "Weight in the kernel's table; absent where the server has no row.",
        _SERVER,
        _servers(lambda each: each.kernel_weight),
    ),
    Metric(
        "lvsd_server_override",
        "gauge",
        "1 for the operator's order that is in force: drain, maint or weight.",
        (*_SERVER, "verb"),
        _server_overrides,
    ),
    Metric(
        "lvsd_server_check_age_seconds",
        "gauge",
        "Seconds since the answer of the check that waits longest.",
        _SERVER,
        _servers(_check_age),
    ),
    Metric(
        "lvsd_server_check_seconds",
        "gauge",
        "How long the slowest check took last time.",
        _SERVER,
        _servers(_check_seconds),
    ),
    Metric(
        "lvsd_server_active_connections", "gauge", "Active connections.", _SERVER, _servers(lambda each: each.active)
    ),
    Metric(
        "lvsd_server_inactive_connections",
        "gauge",
        "Inactive connections.",
        _SERVER,
        _servers(lambda each: each.inactive),
    ),
    Metric(
        "lvsd_server_connections_total",
        "counter",
        "Connections that the kernel counted since the row was made.",
        _SERVER,
        _servers(lambda each: each.connections),
    ),
    Metric(
        "lvsd_server_received_bytes_total",
        "counter",
        "Bytes from clients.",
        _SERVER,
        _servers(lambda each: each.bytes_in),
    ),
    Metric(
        "lvsd_server_sent_bytes_total",
        "counter",
        "Bytes to clients that came through this node (NAT).",
        _SERVER,
        _servers(lambda each: each.bytes_out),
    ),
)


def reference() -> str:
    """docs/metrics.md."""
    lines = [
        "# Metrics",
        "",
        "`curl --unix-socket /run/lvsd/admin.sock http://lvsd/metrics`, in Prometheus' text format. Derived from",
        "`lvsd/admin/metrics.py` by `make docs`.",
        "",
        "When a process is silent, its series are absent and `lvsd_report_age_seconds` grows: alert on that, and on",
        "`lvsd_alarms`. A counter of the kernel's starts again when the row of the server is made again.",
        "",
        "| metric | type | labels | meaning |",
        "| --- | --- | --- | --- |",
    ]
    for metric in METRICS:
        labels = ", ".join(f"`{name}`" for name in metric.labels)
        lines.append(f"| `{metric.name}` | {metric.type} | {labels} | {metric.help} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(reference(), end="")
