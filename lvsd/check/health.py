"""The verdict on one check: failures that are forgiven, when to ask again, and the first answer that counts at once.
Knows no server and no service."""

from __future__ import annotations

from dataclasses import dataclass, field

from .inherit import Asked
from .probe import Layer, Outcome


@dataclass(frozen=True, slots=True)
class Verdict:
    """A check came to another verdict, or to its first one (initial). why: a sentence."""

    up: bool
    initial: bool
    why: str


@dataclass(slots=True)
class Health:
    """up: the verdict; before the first answer that is not known, a check without alpha counts as up.
    failures: in a row. weight: what the last answer that gave one said. since: when the verdict was reached."""

    asked: Asked
    since: float
    known: bool = False
    up: bool = field(init=False)
    failures: int = 0
    weight: int | None = None
    last: Outcome | None = None
    last_at: float | None = None
    why: str = "not checked yet"

    def __post_init__(self) -> None:
        self.up = not self.asked.alpha

    @property
    def state(self) -> str:
        """up, down or unknown."""
        if not self.known:
            return "unknown"
        return "up" if self.up else "down"

    @property
    def attempts(self) -> int:
        """Failures in a row that bring the check down."""
        return self.asked.retry + 1

    def observe(self, outcome: Outcome, now: float) -> Verdict | None:
        """Takes one answer. A void one, which says nothing about the server, changes nothing."""
        if outcome.void:
            return None
        self.last, self.last_at = outcome, now
        if outcome.ok:
            self.failures = 0
            if outcome.weight is not None:
                self.weight = outcome.weight
            return self._conclude(True, _sentence(outcome), now)
        self.failures += 1
        if self.known and self.up and self.failures < self.attempts:
            return None
        counted = f" ({self.failures} times in a row)" if self.failures > 1 else ""
        return self._conclude(False, _sentence(outcome) + counted, now)

    def _conclude(self, up: bool, why: str, now: float) -> Verdict | None:
        initial = not self.known
        changed = initial or up is not self.up
        self.known, self.up, self.why = True, up, why
        if not changed:
            return None
        self.since = now
        return Verdict(up, initial, why)

    @property
    def pause(self) -> float:
        """Seconds until a failure that is still forgiven is checked again; 0: the check's own interval."""
        forgiven = self.up and 0 < self.failures < self.attempts
        return self.asked.delay_before_retry if forgiven else 0.0

    def asked_as(self, asked: Asked) -> Health:
        """The same verdict for the same question with other timing (a reload)."""
        heir = Health(asked, self.since)
        heir.known, heir.up, heir.failures, heir.weight = self.known, self.up, self.failures, self.weight
        heir.last, heir.last_at, heir.why = self.last, self.last_at, self.why
        return heir


def _sentence(outcome: Outcome) -> str:
    return outcome.reason if outcome.layer is Layer.NONE else f"{outcome.layer.value}: {outcome.reason}"
