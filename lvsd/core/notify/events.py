"""What lvsd tells the world: one class for each kind of event, past tense, each with its reason.
Scripts, FIFOs, API, log and mail all show these same values."""

from __future__ import annotations

import msgspec


class Event(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """why: a sentence for operators. at: wall clock, seconds since the epoch (for people, never for decisions)."""

    at: float
    why: str


class InstanceChanged(Event, frozen=True):
    """state: MASTER, BACKUP, FAULT or STOP; priority: the effective one."""

    name: str
    state: str
    previous: str
    priority: int


class GroupChanged(Event, frozen=True):
    name: str
    state: str
    previous: str


class ServerChanged(Event, frozen=True):
    """A real server went up or down, as its checks see it. initial: the first verdict after start."""

    service: str
    server: str
    up: bool
    initial: bool = False


class QuorumChanged(Event, frozen=True):
    service: str
    up: bool


class OverrideChanged(Event, frozen=True):
    """An operator's order on a server; actor: who gave it."""

    server: str
    verb: str
    actor: str


class TableDrifted(Event, frozen=True):
    """Somebody else changed what lvsd owns (IPVS rows, addresses); what: each difference, as a sentence."""

    what: tuple[str, ...]
    repaired: bool


class ConfigurationLoaded(Event, frozen=True):
    generation: int


class ConfigurationRefused(Event, frozen=True):
    problems: tuple[str, ...]


class ProcessEnded(Event, frozen=True):
    process: str
    restarted: bool


class Alarm(Event, frozen=True):
    """Something that a person must look at. subject: what it is about; cleared: it is over."""

    subject: str
    cleared: bool = False


AnyEvent = (
    InstanceChanged
    | GroupChanged
    | ServerChanged
    | QuorumChanged
    | OverrideChanged
    | TableDrifted
    | ConfigurationLoaded
    | ConfigurationRefused
    | ProcessEnded
    | Alarm
)
