"""All services at run time, and who shares which verdict. A new configuration is a comparison: what is the same goes on.
Knows neither probes nor the kernel: it is told outcomes and orders, and says what changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from lvsd.core.conf.values import Address

from .health import Health
from .inherit import Asked, Resolved, VirtualService
from .override import Override, Overrides, covers
from .probe import Check, Outcome, Target
from .service import QuorumChange, ServerChange, ServerState, ServiceState

Question = tuple[Check, Target, bool]


@dataclass(slots=True)
class Changes:
    """services: those whose rows may have to change. The others in the order in which they happened."""

    services: dict[str, ServiceState] = field(default_factory=dict)
    servers: list[tuple[ServiceState, ServerChange]] = field(default_factory=list)
    quorums: list[tuple[ServiceState, QuorumChange]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reconfigured:
    """ask, forget: probes to start and to end. removed: services that are no more."""

    ask: tuple[Asked, ...]
    forget: tuple[Asked, ...]
    removed: tuple[ServiceState, ...]
    changes: Changes


class Farm:
    def __init__(self) -> None:
        self.services: dict[str, ServiceState] = {}
        self.healths: dict[Asked, Health] = {}
        self._users: dict[Asked, list[tuple[ServiceState, ServerState]]] = {}

    # --- configuration --------------------------------------------------------------------------------------------

    def reconfigure(self, resolved: Resolved, overrides: Overrides, now: float) -> Reconfigured:
        """Every service counts as changed; those of the same rows come to nothing when the table is compared."""
        before, healths = self.services, self.healths
        by_question = {_question(asked): health for asked, health in healths.items()}
        self.services, self.healths, self._users = {}, {}, {}
        changes = Changes()
        for settings in resolved.services:
            self._build(settings, before.get(settings.name), healths, by_question, overrides, now, changes)
        return Reconfigured(
            ask=tuple(asked for asked in self.healths if asked not in healths),
            forget=tuple(asked for asked in healths if asked not in self.healths),
            removed=tuple(state for name, state in before.items() if name not in self.services),
            changes=changes,
        )

    def _build(
        self,
        settings: VirtualService,
        old: ServiceState | None,
        healths: dict[Asked, Health],
        by_question: dict[Question, Health],
        overrides: Overrides,
        now: float,
        changes: Changes,
    ) -> None:
        known: dict[tuple[Address, int], ServerState] = {}
        if old is not None:
            known = {(server.settings.address, server.settings.port): server for server in old.servers}
        state = ServiceState(settings, [])
        for wanted in settings.servers:
            past = known.get((wanted.address, wanted.port))
            own = tuple(self._health(asked, past, healths, by_question, now) for asked in wanted.checks)
            server = ServerState(wanted, own, now)
            server.override = overrides.find(settings.name, wanted)
            state.servers.append(server)
            for asked in wanted.checks:
                self._users.setdefault(asked, []).append((state, server))
            if past is not None:
                server.up, server.known, server.since = past.up, past.known, past.since
                if (change := server.judge(now)) is not None:
                    changes.servers.append((state, change))
        self.services[settings.name] = changes.services[settings.name] = state
        if old is not None:
            state.quorum_up = old.quorum_up
        quorum = state.judge()
        if old is not None and quorum is not None:
            changes.quorums.append((state, quorum))

    def _health(
        self,
        asked: Asked,
        past: ServerState | None,
        healths: dict[Asked, Health],
        by_question: dict[Question, Health],
        now: float,
    ) -> Health:
        health = self.healths.get(asked) or healths.get(asked)
        if health is None and (same := by_question.get(_question(asked))) is not None:
            health = same.asked_as(asked)
        if health is None:
            health = Health(asked, now)
            if past is not None:
                # Another check of a server that is there already: neither its being down nor its being up is forgotten.
                health.up = past.up
        self.healths[asked] = health
        return health

    # --- facts ----------------------------------------------------------------------------------------------------

    def observe(self, asked: Asked, outcome: Outcome, now: float) -> Changes:
        health = self.healths[asked]
        weight = health.weight
        verdict = health.observe(outcome, now)
        if verdict is None and health.weight == weight:
            return Changes()
        changes = Changes()
        for state, server in self._users[asked]:
            change = server.judge(now)
            if change is not None:
                changes.servers.append((state, change))
            changes.services[state.settings.name] = state
        self._judge_quorums(changes)
        return changes

    def override(self, overrides: Overrides, touched: Iterable[Override]) -> Changes:
        """Orders were given or ended: looks again at the servers that they cover."""
        orders = tuple(touched)
        changes = Changes()
        for state in self.services.values():
            for server in state.servers:
                if any(covers(order, state.settings.name, server.settings) for order in orders):
                    server.override = overrides.find(state.settings.name, server.settings)
                    changes.services[state.settings.name] = state
        self._judge_quorums(changes)
        return changes

    def covered(self, order: Override) -> list[tuple[ServiceState, ServerState]]:
        return [
            (state, server)
            for state in self.services.values()
            for server in state.servers
            if covers(order, state.settings.name, server.settings)
        ]

    @staticmethod
    def _judge_quorums(changes: Changes) -> None:
        for state in changes.services.values():
            if (quorum := state.judge()) is not None:
                changes.quorums.append((state, quorum))


def _question(asked: Asked) -> Question:
    return asked.check, asked.target, asked.alpha
