"""What every health check shares: its common keywords, the target it is asked about, and the outcome it gives.
Does no I/O; a probe reaches the network only through the dial it is handed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, ClassVar

from lvsd.core.conf.keyword import block, kw, optional
from lvsd.core.conf.values import Address, boolean, integer, interface, ip, port, seconds

if TYPE_CHECKING:
    from .dial import Dial


class Layer(Enum):
    """Where a probe ended, lowest first; shown to operators beside the reason."""

    NONE = "-"
    SOCKET = "socket"  # our own side: no such source address, no descriptor left
    L4 = "L4"
    TLS = "L6"
    L7 = "L7"
    PROGRAM = "program"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One answer of one probe. reason is a sentence; weight is set by probes that give one (misc_dynamic).
    void: the question was not really asked (no descriptor left, loop stalled); it is asked again and counts for nothing."""

    ok: bool
    layer: Layer
    reason: str
    seconds: float
    weight: int | None = None
    void: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to ask, with everything that a probe inherits from its real and virtual server already resolved.

    timeout: seconds for the whole probe. host: Host header (virtualhost) or "" for address[:port]."""

    address: Address
    port: int
    timeout: float
    bind_address: Address | None = None
    bind_port: int = 0
    bind_interface: str = ""
    mark: int = 0
    host: str = ""
    user: str = ""
    group: str = ""


@block("", "Keywords of every check.")
class CheckWords:
    """A field that is None is inherited: real_server, then virtual_server, then the default of keepalived."""

    default_retry: ClassVar[int] = 1
    default_delay_before_retry: ClassVar[float] = 1.0

    retry: int | None = optional(integer(0), "Failures in a row that are forgiven before the server is down.")
    delay_before_retry: float | None = optional(seconds(1e-6), "Seconds between these retries.")
    delay_loop: float | None = optional(seconds(1e-6), "Seconds between two checks.")
    warmup: float | None = optional(seconds(0), "Random part of the delay before the first check.")
    alpha: bool | None = optional(boolean, "The server is down until the first success.")
    log_all_failures: bool | None = optional(boolean, "Log each failure.")


@block("", "Keywords of checks that open a connection.")
class ConnectingWords(CheckWords):
    connect_ip: Address | None = optional(ip, "Address to ask instead of the real server's.")
    connect_port: int | None = optional(port, "Port to ask instead of the real server's.")
    bindto: Address | None = optional(ip, "Source address.")
    bind_port: int | None = optional(port, "Source port.")
    bind_if: str | None = optional(interface, "Interface to send through.")
    connect_timeout: float | None = optional(seconds(1e-6), "Seconds for the whole check.")
    fwmark: int = kw(integer(0, 0xFFFFFFFF), "Firewall mark of the check's packets.", default=0)


@block("", "A check that can be run.")
class Check(CheckWords, ABC):
    patience: ClassVar[float] = 0.0
    """Seconds beyond its time-out that a run may take, where somebody else enforces the time-out."""

    @abstractmethod
    async def run(self, target: Target, dial: Dial) -> Outcome: ...


@block("", "A check that can be run, and opens a connection.")
class ConnectingCheck(ConnectingWords, Check):
    pass


CheckKinds = Sequence[type[Check]]
