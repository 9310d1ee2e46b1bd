"""Every message between the four processes. State messages are whole snapshots: the last one is all that counts.
Only Prepare and Kept carry bytes that are not decoded here, and both travel only from core to a child."""

from __future__ import annotations

import msgspec

from lvsd.core.notify.events import AnyEvent


class Message(msgspec.Struct, frozen=True, tag=True):
    pass


# --- core to a child ------------------------------------------------------------------------------------------------


class Prepare(Message, frozen=True):
    """Take this configuration in hand without acting on it; answered by Ready or Refused.
    settings: the process's own part, pickled by the reader; never sent towards core."""

    generation: int
    settings: bytes


class Commit(Message, frozen=True):
    generation: int


class Abort(Message, frozen=True):
    generation: int


class Stop(Message, frozen=True):
    """End in order: give up what you hold, then exit with status 0."""

    why: str


class Ping(Message, frozen=True):
    number: int


class Kept(Message, frozen=True):
    """What the previous run of this process asked core to keep; sent before the first Prepare."""

    name: str
    data: bytes


class Restarted(Message, frozen=True):
    """Sent first to a child whose predecessor died without resigning: what the kernel holds is to be adopted.
    report: the last VrrpReport that reached core, for vrrp; seconds: how long ago that was."""

    report: VrrpReport | None
    seconds: float


class ProgramEnded(Message, frozen=True):
    """status: exit status, or minus the signal's number; 0 with `failed`, the reason why it was not started at all.
    A program that was killed at its time-out has timed_out set."""

    id: int
    status: int
    timed_out: bool
    output: str
    seconds: float
    failed: str = ""


# --- a child to core ------------------------------------------------------------------------------------------------


class Ready(Message, frozen=True):
    generation: int


class Refused(Message, frozen=True):
    generation: int
    problems: tuple[str, ...]


class Pong(Message, frozen=True):
    """lateness: the worst delay of the loop since the last answer, in seconds."""

    number: int
    lateness: float


class LogLine(Message, frozen=True):
    """level: of the logging module. lost: lines that did not fit the pipe before this one."""

    level: int
    text: str
    lost: int = 0


class Notice(Message, frozen=True):
    event: AnyEvent


class RunProgram(Message, frozen=True):
    """A program of the operator's, for core to run. queue: programs of one queue run one after the other, in order.
    An id of 0 wants no answer. timeout: seconds, then the process group is killed."""

    id: int
    argv: tuple[str, ...]
    user: str
    group: str
    timeout: float
    purpose: str
    queue: str = ""


class Keep(Message, frozen=True):
    """Bytes that must outlive this process; persistent ones outlive a reboot."""

    name: str
    data: bytes
    persistent: bool = False


class Programmed(Message, frozen=True):
    """check to vrrp: the kernel's table holds what generation wants."""

    generation: int


# --- state ----------------------------------------------------------------------------------------------------------


class InstanceReport(msgspec.Struct, frozen=True, kw_only=True):
    """state_seconds: how long it has been in its state. master: who sent the last accepted advert, with its age in
    seconds."""

    name: str
    interface: str
    virtual_router_id: int
    family: int
    version: int
    state: str
    why: str
    state_seconds: float
    base_priority: int
    effective_priority: int
    advert_int: float
    addresses: tuple[str, ...]
    group: str = ""
    master: str = ""
    master_priority: int = 0
    master_advert_age: float | None = None
    faults: tuple[str, ...] = ()
    counters: dict[str, int] = {}


class GroupReport(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    state: str
    why: str
    state_seconds: float
    members: tuple[str, ...]


class VrrpReport(Message, frozen=True, kw_only=True):
    """From vrrp, to check and admin. held: addresses that are here now. lateness: worst delay of the loop in seconds."""

    generation: int
    instances: tuple[InstanceReport, ...]
    groups: tuple[GroupReport, ...]
    held: tuple[str, ...]
    lateness: float
    counters: dict[str, int] = {}


class CheckLine(msgspec.Struct, frozen=True, kw_only=True):
    """One check of one server. state: up, down, unknown. age: seconds since its last answer."""

    kind: str
    state: str
    reason: str
    layer: str
    seconds: float
    attempt: int
    attempts: int
    age: float | None


class ServerReport(msgspec.Struct, frozen=True, kw_only=True):
    """The four things that are never mixed: configured weight, operator's override, health, and what the kernel has.
    health: up, down, unknown. override: "", drain, maint or weight, with its reason, owner and seconds left.
    kernel_weight None: no row in the kernel."""

    address: str
    weight: int
    effective_weight: int
    health: str
    why: str
    state_seconds: float
    checks: tuple[CheckLine, ...]
    override: str = ""
    override_weight: int | None = None
    override_reason: str = ""
    override_owner: str = ""
    override_seconds_left: float | None = None
    kernel_weight: int | None = None
    active: int = 0
    inactive: int = 0
    connections: int = 0
    bytes_in: int = 0
    bytes_out: int = 0


class ServiceReport(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    scheduler: str
    forwarding: str
    quorum: int
    quorum_up: bool
    sorry_server: str
    sorry_active: bool
    why: str
    servers: tuple[ServerReport, ...]
    connections: int = 0
    bytes_in: int = 0
    bytes_out: int = 0


class CheckReport(Message, frozen=True, kw_only=True):
    """From check, to admin. foreign: services in the kernel that are not ours and are left alone."""

    generation: int
    services: tuple[ServiceReport, ...]
    foreign: tuple[str, ...]
    problems: tuple[str, ...]
    lateness: float
    counters: dict[str, int] = {}


class ProcessReport(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    pid: int
    state: str
    restarts: int
    lateness: float


class CoreReport(Message, frozen=True, kw_only=True):
    """From core, to admin. stale: the running configuration is older than the file, and why."""

    node: str
    version: str
    configuration: str
    generation: int
    loaded_at: float
    stale: str
    warnings: tuple[str, ...]
    processes: tuple[ProcessReport, ...]


# --- admin: requests and answers ------------------------------------------------------------------------------------


class OverrideServer(Message, frozen=True, kw_only=True):
    """verb: drain, maint, weight or ready. server: address, or address:port, as the operator wrote it; service "" means
    every service. seconds: how long it holds, None for ever. force: also below the floor."""

    id: int
    verb: str
    server: str
    service: str
    weight: int | None
    seconds: float | None
    reason: str
    actor: str
    force: bool = False


class Reload(Message, frozen=True, kw_only=True):
    id: int
    actor: str


class Answer(Message, frozen=True, kw_only=True):
    """ok False: text says what was wrong with the request. lines: what was done, one sentence each."""

    id: int
    ok: bool
    lines: tuple[str, ...]


AnyMessage = (
    Prepare
    | Commit
    | Abort
    | Stop
    | Ping
    | Kept
    | Restarted
    | ProgramEnded
    | Ready
    | Refused
    | Pong
    | LogLine
    | Notice
    | RunProgram
    | Keep
    | Programmed
    | VrrpReport
    | CheckReport
    | CoreReport
    | OverrideServer
    | Reload
    | Answer
)
