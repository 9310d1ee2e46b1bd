"""The HTTP API without HTTP: its routes, requests turned into messages, and what the processes reported turned into answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qsl, unquote

import msgspec

from lvsd.core.ipc.messages import (
    Answer,
    CheckReport,
    CoreReport,
    GroupReport,
    InstanceReport,
    OverrideServer,
    ProcessReport,
    Reload,
    ServerReport,
    ServiceReport,
    VrrpReport,
)
from lvsd.core.notify.events import Alarm

LARGEST_BODY = 64 << 10
"""Bytes of a request's body."""
QUIET_AFTER = {"core": 10.0, "vrrp": 5.0, "check": 5.0}
"""Seconds without a report after which a process is said to be silent."""
LONGEST_OVERRIDE = 366 * 86400.0
"""Seconds."""


# --- what is known ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The last report of each process, None where there was none, and their ages in seconds."""

    core: CoreReport | None = None
    vrrp: VrrpReport | None = None
    check: CheckReport | None = None
    core_age: float = 0.0
    vrrp_age: float = 0.0
    check_age: float = 0.0
    alarms: tuple[Alarm, ...] = ()

    def runs(self, process: str) -> bool:
        """Whether this daemon has such a process, as far as core said."""
        return self.core is not None and any(each.name == process for each in self.core.processes)

    def age(self, process: str) -> float | None:
        """Seconds since its last report; None without one."""
        report, age = {
            "core": (self.core, self.core_age),
            "vrrp": (self.vrrp, self.vrrp_age),
            "check": (self.check, self.check_age),
        }[process]
        return age if report is not None else None

    def is_fresh(self, process: str) -> bool:
        age = self.age(process)
        return age is not None and age <= QUIET_AFTER[process]


# --- answers ----------------------------------------------------------------------------------------------------------


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Everything. alarms: what a person must look at, the worst first. ages: seconds since each process's last report,
    null without one; what it said is that old. held: addresses that are on this node now. foreign: services in the
    kernel that are not lvsd's. loaded_at: seconds since the epoch."""

    node: str
    version: str
    configuration: str
    generation: int
    loaded_at: float
    stale: str
    alarms: tuple[str, ...]
    warnings: tuple[str, ...]
    processes: tuple[ProcessReport, ...]
    ages: dict[str, float | None]
    silences: tuple[str, ...]
    instances: tuple[InstanceReport, ...]
    groups: tuple[GroupReport, ...]
    held: tuple[str, ...]
    services: tuple[ServiceReport, ...]
    foreign: tuple[str, ...]


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """age: seconds since check reported this; null without a report."""

    services: tuple[ServiceReport, ...]
    foreign: tuple[str, ...]
    age: float | None


class Instances(msgspec.Struct, frozen=True, kw_only=True):
    """age: seconds since vrrp reported this; null without a report."""

    instances: tuple[InstanceReport, ...]
    groups: tuple[GroupReport, ...]
    held: tuple[str, ...]
    age: float | None


class Done(msgspec.Struct, frozen=True):
    """What was done, one sentence a line."""

    lines: tuple[str, ...]


class Health(msgspec.Struct, frozen=True):
    """problems: why not ok, one sentence each."""

    ok: bool
    problems: tuple[str, ...] = ()


class Error(msgspec.Struct, frozen=True, omit_defaults=True):
    """error: what is wrong. where: the part of the request, or the process, that it is about. lines: all of it, where a
    process gave several reasons."""

    error: str
    where: str
    lines: tuple[str, ...] = ()


class Refusal(Exception):
    """An answer that is an error. status: of HTTP. allow: the methods that the path has, for status 405."""

    def __init__(self, status: int, error: str, where: str, *, lines: tuple[str, ...] = (), allow: str = "") -> None:
        super().__init__(error)
        self.status = status
        self.answer = Error(error, where, lines)
        self.allow = allow


def status(snapshot: Snapshot) -> Status:
    core, vrrp, check = snapshot.core, snapshot.vrrp, snapshot.check
    return Status(
        node=core.node if core else "",
        version=core.version if core else "",
        configuration=core.configuration if core else "",
        generation=core.generation if core else 0,
        loaded_at=core.loaded_at if core else 0.0,
        stale=core.stale if core else "",
        alarms=alarms(snapshot),
        warnings=core.warnings if core else (),
        processes=core.processes if core else (),
        ages={process: snapshot.age(process) for process in QUIET_AFTER},
        silences=silences(snapshot),
        instances=vrrp.instances if vrrp else (),
        groups=vrrp.groups if vrrp else (),
        held=vrrp.held if vrrp else (),
        services=check.services if check else (),
        foreign=check.foreign if check else (),
    )


def services(snapshot: Snapshot) -> Services:
    check = snapshot.check
    return Services(
        services=check.services if check else (), foreign=check.foreign if check else (), age=snapshot.age("check")
    )


def instances(snapshot: Snapshot) -> Instances:
    vrrp = snapshot.vrrp
    return Instances(
        instances=vrrp.instances if vrrp else (),
        groups=vrrp.groups if vrrp else (),
        held=vrrp.held if vrrp else (),
        age=snapshot.age("vrrp"),
    )


def silences(snapshot: Snapshot) -> tuple[str, ...]:
    """Which processes say nothing: what is shown of them is old, or nothing."""
    found = []
    for process, limit in QUIET_AFTER.items():
        age = snapshot.age(process)
        if age is None and (process == "core" or snapshot.runs(process)):
            found.append(f"no answer from {process} yet")
        elif age is not None and age > limit:
            found.append(f"no answer from {process} for {age:.0f} s")
    return tuple(found)


def alarms(snapshot: Snapshot) -> tuple[str, ...]:
    """What a person must look at, the worst first."""
    found = [f"{alarm.subject}: {alarm.why}" for alarm in snapshot.alarms]
    found += silences(snapshot)
    if snapshot.core is not None:
        for process in snapshot.core.processes:
            if process.state in ("failing", "waiting"):
                found.append(
                    f"process {process.name} is {process.state}: it was started again {process.restarts} times"
                )
        if snapshot.core.stale:
            found.append(f"configuration generation {snapshot.core.generation} is stale: {snapshot.core.stale}")
    if snapshot.vrrp is not None:
        found += [
            f"instance {each.name} is in FAULT: {'; '.join(each.faults) or each.why}"
            for each in snapshot.vrrp.instances
            if each.state == "FAULT"
        ]
    if snapshot.check is not None:
        found += [
            f"service {each.name} has no quorum: {each.why}" for each in snapshot.check.services if not each.quorum_up
        ]
        found += snapshot.check.problems
        found += [text for each in snapshot.check.services if (text := _servers_down(each))]
    return tuple(dict.fromkeys(found))


def _servers_down(service: ServiceReport) -> str:
    down = [each for each in service.servers if each.health == "down"]
    if not down:
        return ""
    named = ", ".join(f"{each.address} ({_why_down(each)})" for each in down[:3])
    more = f" and {len(down) - 3} more" if len(down) > 3 else ""
    verb = "is" if len(down) == 1 else "are"
    return f"service {service.name}: {len(down)} of {len(service.servers)} servers {verb} down: {named}{more}"


def _why_down(server: ServerReport) -> str:
    failed = [f"{check.kind}: {check.reason}" for check in server.checks if check.state == "down" and check.reason]
    return "; ".join(failed) or server.why


def ready(snapshot: Snapshot) -> Health:
    """Whether this node does its work: a configuration is in force, and every process lives and reports."""
    problems = list(silences(snapshot))
    if snapshot.core is not None:
        if snapshot.core.generation == 0:
            problems.append("no configuration is in force yet")
        problems += [
            f"process {process.name} is {process.state}"
            for process in snapshot.core.processes
            if process.state in ("failing", "waiting", "stopped", "stopping")
        ]
    return Health(not problems, tuple(problems))


def healthy(snapshot: Snapshot) -> Health:
    """Whether the daemon lives; one whose core is silent does not."""
    problems = () if snapshot.is_fresh("core") else tuple(text for text in silences(snapshot) if " core " in text)
    return Health(not problems, problems)


# --- requests ---------------------------------------------------------------------------------------------------------

_SPAN = re.compile(r"(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?")


def duration(text: str | float) -> float:
    """Seconds out of 90, '90s', '30m', '1h30m' or '2d'. Raises ValueError with a sentence."""
    if isinstance(text, str):
        found = _SPAN.fullmatch(text.strip())
        if found is None or not any(found.groups()):
            raise ValueError(f"{text!r} is no duration: write 90s, 30m, 1h30m or 2d")
        value = sum(float(part or 0) * unit for part, unit in zip(found.groups(), (86400, 3600, 60, 1), strict=True))
    else:
        value = float(text)
    if not 0 < value <= LONGEST_OVERRIDE:
        raise ValueError(f"{text} is out of range: more than nothing, at most {LONGEST_OVERRIDE / 86400:.0f} days")
    return value


Sentence = Annotated[str, msgspec.Meta(max_length=200, description="A line of text for people.")]
Span = Annotated[
    float | str | None, msgspec.Meta(description="Seconds, or a duration such as 30m or 1h30m; without it, for ever.")
]


class Drain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """service: only in this one, as status names it; every one otherwise. force: also below the floor of a service."""

    service: Sentence = ""
    for_: Span = msgspec.field(default=None, name="for")
    reason: Sentence = ""
    force: bool = False


class Weight(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As Drain, with the weight that replaces the configured one."""

    weight: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
    service: Sentence = ""
    for_: Span = msgspec.field(default=None, name="for")
    reason: Sentence = ""
    force: bool = False


class Ready(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """service: only in this one, as status names it; every one otherwise."""

    service: Sentence = ""
    reason: Sentence = ""


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No field."""


Body = Drain | Weight | Ready | Nothing


@dataclass(frozen=True, slots=True)
class Query:
    """A parameter of the query. default None: absent."""

    name: str
    kind: type[int] | type[bool]
    doc: str
    least: int = 0
    most: int = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Route:
    """answer: the type of a JSON answer, or a media type. body: what an order carries."""

    name: str
    method: str
    path: str
    doc: str
    answer: type[msgspec.Struct] | str
    body: type[Body] | None = None
    queries: tuple[Query, ...] = ()
    statuses: tuple[int, ...] = (200,)


ORDER_STATUSES = (200, 400, 409, 413, 504)
_SERVER = "/v1/servers/{server}"
ROUTES = (
    Route("status", "GET", "/v1/status", "Everything about this node.", Status),
    Route("services", "GET", "/v1/services", "Services and their servers.", Services),
    Route("instances", "GET", "/v1/instances", "VRRP instances and groups.", Instances),
    Route(
        "events",
        "GET",
        "/v1/events",
        "The last events, the oldest first; with follow, a stream of server-sent events that goes on.",
        "application/json",
        queries=(
            Query("follow", bool, "Stream what comes, as text/event-stream; Last-Event-ID is honoured."),
            Query("after", int, "Only events with a larger id."),
            Query("limit", int, "The newest ones of these.", least=0, most=1000),
        ),
        statuses=(200, 400, 503),
    ),
    Route("drain", "POST", f"{_SERVER}/drain", "No new connections.", Done, Drain, statuses=ORDER_STATUSES),
    Route("maint", "POST", f"{_SERVER}/maint", "Out of the table at once.", Done, Drain, statuses=ORDER_STATUSES),
    Route("weight", "POST", f"{_SERVER}/weight", "Another weight.", Done, Weight, statuses=ORDER_STATUSES),
    Route("ready", "POST", f"{_SERVER}/ready", "Back to what is configured.", Done, Ready, statuses=ORDER_STATUSES),
    Route("reload", "POST", "/v1/reload", "Read the configuration again.", Done, Nothing, statuses=ORDER_STATUSES),
    Route("openapi", "GET", "/v1/openapi.json", "This description.", "application/json"),
    Route("metrics", "GET", "/metrics", "Prometheus' text format 0.0.4.", "text/plain; version=0.0.4; charset=utf-8"),
    Route("healthz", "GET", "/healthz", "Whether the daemon lives.", Health, statuses=(200, 503)),
    Route("readyz", "GET", "/readyz", "Whether this node does its work.", Health, statuses=(200, 503)),
)


def find(method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The route and the parts of the path that it names. path: as sent, still percent-encoded. Raises Refusal."""
    parts = [unquote(part) for part in path.split("/")]
    matching = [(route, named) for route in ROUTES if (named := _match(route, parts)) is not None]
    if not matching:
        raise Refusal(404, f"there is no {path[:200]} here; /v1/openapi.json lists what is", "path")
    for route, named in matching:
        if method == route.method or (method == "HEAD" and route.method == "GET"):
            return route, named
    allow = ", ".join(sorted({route.method for route, _ in matching}))
    raise Refusal(405, f"{path[:200]} takes {allow}, not {method[:20]}", "method", allow=allow)


def _match(route: Route, parts: list[str]) -> dict[str, str] | None:
    pattern = route.path.split("/")
    if len(pattern) != len(parts):
        return None
    named: dict[str, str] = {}
    for wanted, part in zip(pattern, parts, strict=True):
        if wanted.startswith("{"):
            if not part or len(part) > 100 or not part.isprintable():
                return None
            named[wanted[1:-1]] = part
        elif wanted != part:
            return None
    return named


def queries(route: Route, text: str) -> dict[str, int]:
    """The query's parameters; a flag is 1 with no value, 1, true or yes. Raises Refusal."""
    known = {query.name: query for query in route.queries}
    found: dict[str, int] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        query = known.get(name)
        if query is None:
            takes = ", ".join(known) or "none"
            raise Refusal(400, f"{route.path} has no parameter {name[:50]!r} (it takes {takes})", f"query {name[:50]}")
        found[name] = _flag(query, value) if query.kind is bool else _number(query, value)
    return found


def _flag(query: Query, value: str) -> int:
    if value.lower() in ("", "1", "true", "yes"):
        return 1
    if value.lower() in ("0", "false", "no"):
        return 0
    raise Refusal(400, f"{value[:50]!r} is neither true nor false", f"query {query.name}")


def _number(query: Query, value: str) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) < 20 and query.least <= int(value) <= query.most):
        raise Refusal(400, f"{value[:50]!r} is no number from {query.least} to {query.most}", f"query {query.name}")
    return int(value)


def order(route: Route, named: dict[str, str], data: bytes, number: int, actor: str) -> OverrideServer | Reload:
    """The message that an order becomes; an empty body is an empty object. Raises Refusal."""
    assert route.body is not None
    try:
        body: Body = msgspec.json.decode(data.strip() or b"{}", type=route.body)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at ")
        raise Refusal(400, what, f"body {where.strip('`').removeprefix('$.')}".strip()) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refusal(400, f"the body is no JSON: {error}", "body") from None
    if isinstance(body, Nothing):
        return Reload(id=number, actor=actor)
    for name, text in (("reason", body.reason), ("service", body.service)):
        if not text.isprintable():
            raise Refusal(400, "control characters do not belong here", f"body {name}")
    seconds = None
    if not isinstance(body, Ready) and body.for_ is not None:
        try:
            seconds = duration(body.for_)
        except ValueError as error:
            raise Refusal(400, str(error), "body for") from None
    return OverrideServer(
        id=number,
        verb=route.name,
        server=named["server"],
        service=body.service,
        weight=body.weight if isinstance(body, Weight) else None,
        seconds=seconds,
        reason=body.reason,
        actor=actor,
        force=not isinstance(body, Ready) and body.force,
    )


def done(answer: Answer) -> Done:
    """Raises Refusal where the process refused the order."""
    if not answer.ok:
        what = answer.lines[0] if answer.lines else "the order was refused without a reason"
        raise Refusal(409, what, "order", lines=answer.lines if len(answer.lines) > 1 else ())
    return Done(answer.lines)


def unanswered(process: str, seconds: float) -> Refusal:
    text = f"{process} did not answer within {seconds:g} s; it may still carry the order out: see `lvsd status`"
    return Refusal(504, text, process)


def sentence(message: OverrideServer | Reload) -> str:
    """An order in words, for the log."""
    if isinstance(message, Reload):
        return f"{message.actor} asks for a reload"
    words: list[str] = [message.actor, "orders", message.verb]
    if message.weight is not None:
        words.append(str(message.weight))
    words += ["for", message.server, f"in {message.service}" if message.service else "in every service"]
    if message.seconds is not None:
        words.append(f"for {message.seconds:g} s")
    if message.force:
        words.append("by force")
    return " ".join(words) + (f" (reason: {message.reason})" if message.reason else "")


def event_list(recorded: Sequence[bytes]) -> bytes:
    """{"events": [...]} of events that are encoded already."""
    return b'{"events":[' + b",".join(recorded) + b"]}"
