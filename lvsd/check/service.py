"""One virtual service at run time: which servers are up, with what weight, and whether that is a quorum.
Knows neither probes nor the kernel; it is told verdicts and orders, and says what changed and why."""

from __future__ import annotations

from dataclasses import dataclass, field

from .health import Health
from .inherit import Server, VirtualService
from .override import Override, covers

LARGEST_WEIGHT = 2**31 - 1


@dataclass(frozen=True, slots=True)
class ServerChange:
    """changed: the server was thought to be in the other state before. initial: its first verdict."""

    server: ServerState
    up: bool
    changed: bool
    initial: bool
    why: str


@dataclass(frozen=True, slots=True)
class QuorumChange:
    up: bool
    why: str


@dataclass(slots=True, eq=False)
class ServerState:
    """healths: its checks' verdicts, shared with every service that asks the same. known: they have decided."""

    settings: Server
    healths: tuple[Health, ...]
    since: float
    up: bool = field(init=False)
    known: bool = field(init=False)
    why: str = field(init=False)
    override: Override | None = None

    def __post_init__(self) -> None:
        self.up = all(health.up for health in self.healths)
        self.known = _is_known(self.healths)
        self.why = self._reason()

    @property
    def health(self) -> str:
        """up, down or unknown."""
        if not self.known:
            return "unknown"
        return "up" if self.up else "down"

    @property
    def checked_weight(self) -> int:
        """The configured weight with what the checks made of it (misc_dynamic): their differences add up."""
        weight = self.settings.weight
        for health in self.healths:
            if health.weight is not None:
                weight += health.weight - self.settings.weight
        return min(max(weight, 0), LARGEST_WEIGHT)

    @property
    def effective_weight(self) -> int:
        """What the server may take: 0 when it is down or drained, the operator's weight before the checks'."""
        if not self.up:
            return 0
        return self.wanted_weight

    @property
    def wanted_weight(self) -> int:
        """What it may take while it is up."""
        if self.override is None:
            return self.checked_weight
        return self.override.weight or 0 if self.override.verb == "weight" else 0

    @property
    def in_table(self) -> bool:
        """False: taken out of the table by an operator (maint)."""
        return self.override is None or self.override.verb != "maint"

    def judge(self, now: float) -> ServerChange | None:
        """Looks at the checks again; says what is different: the state, or that it is now known (initial)."""
        up = all(health.up for health in self.healths)
        first = not self.known and _is_known(self.healths)
        changed = up is not self.up
        self.known = self.known or first
        self.why = self._reason()
        if not changed and not first:
            return None
        self.up = up
        self.since = now
        return ServerChange(self, up, changed, first, self.why)

    def _reason(self) -> str:
        if not self.healths:
            return "has no check"
        down = next((health.why for health in self.healths if health.known and not health.up), None)
        return down or next((health.why for health in self.healths if health.known), "not checked yet")


def _is_known(healths: tuple[Health, ...]) -> bool:
    """Whether the answers decide: every check has answered, or one has failed."""
    return all(health.known for health in healths) or any(health.known and not health.up for health in healths)


@dataclass(slots=True, eq=False)
class ServiceState:
    """quorum_up: whether the quorum is held; with a sorry server, its loss hands the service over."""

    settings: VirtualService
    servers: list[ServerState]
    quorum_up: bool = True
    why: str = ""

    @property
    def weight(self) -> int:
        return sum(server.effective_weight for server in self.servers)

    @property
    def sorry_active(self) -> bool:
        return self.settings.sorry is not None and not self.quorum_up

    def judge(self) -> QuorumChange | None:
        """Lost at weight 0 or below quorum - hysteresis, regained at quorum + hysteresis."""
        weight = self.weight
        if self.quorum_up and holds(self.settings, weight):
            self.why = f"weight {weight} of quorum {self.settings.quorum}"
            return None
        if self.quorum_up:
            self.quorum_up = False
            edge = max(1, self.settings.quorum - self.settings.hysteresis)
            self.why = f"quorum lost: weight {weight} is below {edge}"
            return QuorumChange(False, self.why)
        needed = self.settings.quorum + self.settings.hysteresis
        if weight < needed:
            self.why = f"no quorum: weight {weight} is below {needed}"
            return None
        self.quorum_up = True
        self.why = f"quorum reached: weight {weight} of {needed}"
        return QuorumChange(True, self.why)


def holds(settings: VirtualService, weight: int) -> bool:
    """Whether a service that has its quorum keeps it with this weight."""
    return weight > 0 and weight >= settings.quorum - settings.hysteresis


def objection(state: ServiceState, order: Override) -> str:
    """Why an order must be forced: it would take the service's quorum away. "" where it does not."""
    before = state.weight
    after = sum(
        replace_weight(server, order)
        if covers(order, state.settings.name, server.settings)
        else server.effective_weight
        for server in state.servers
    )
    if not holds(state.settings, before) or holds(state.settings, after):
        return ""
    edge = max(1, state.settings.quorum - state.settings.hysteresis)
    return f"{state.settings.name} would be left with weight {after} of the {edge} that it needs"


def replace_weight(server: ServerState, order: Override) -> int:
    if not server.up:
        return 0
    return order.weight or 0 if order.verb == "weight" else 0
