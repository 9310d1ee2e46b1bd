"""Rules across keywords: functions from a bound configuration to findings, each with its stable code."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from .bind import Binder
from .diagnose import Report, Severity
from .mend import Cuts, without

C = TypeVar("C")


PASSES_MOST = 8


class Mend(Enum):
    """What a lenient reading does about a finding that is an error, for the most part what keepalived does."""

    BLOCK = "the block is left out"
    VALUE = "the value is left out"
    KEEP = "it is taken as it is written"
    REFUSE = "it is refused all the same"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says about a bound block; field and index tell which of its values is meant.

    missing: keyword and name of a block that is not there; the finding is left out where it only has mistakes of its own."""

    text: str
    block: object
    field: str = ""
    index: int = 0
    suggestion: str = ""
    missing: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Rule(Generic[C]):
    code: str
    severity: Severity
    check: Callable[[C], Iterable[Finding]]
    mend: Mend

    @property
    def title(self) -> str:
        """The name of the function, which says what holds, as a sentence."""
        words = self.check.__name__.strip("_").replace("_", " ")
        return f"{words[:1].upper()}{words[1:]}."

    @property
    def explanation(self) -> str:
        """The docstring of the function; its title where it has none."""
        return inspect.getdoc(self.check) or self.title


class Rules(Generic[C]):
    """The rules of one kind of configuration, in the order of their declaration."""

    def __init__(self) -> None:
        self.rules: list[Rule[C]] = []

    def __call__(
        self, code: str, severity: Severity = Severity.ERROR, *, mend: Mend = Mend.BLOCK
    ) -> Callable[[Callable[[C], Iterable[Finding]]], Callable[[C], Iterable[Finding]]]:
        """Decorates a rule. Raises ValueError for a code that another rule has."""

        def register(check: Callable[[C], Iterable[Finding]]) -> Callable[[C], Iterable[Finding]]:
            if any(each.code == code for each in self.rules):
                raise ValueError(f"two rules have the code {code}")
            self.rules.append(Rule(code, severity, check, mend))
            return check

        return register

    def __iter__(self) -> Iterator[Rule[C]]:
        return iter(self.rules)

    def apply(self, configuration: C, binder: Binder, report: Report) -> C:
        """Says what the rules find. Gives the configuration back, without what a lenient report passes over."""
        cuts = self._findings(configuration, binder, report, self.rules)
        for _ in range(PASSES_MOST):
            if not cuts:
                return configuration
            # What is left out may be what something else names, so the rules that led to it are asked again.
            configuration = without(configuration, cuts, binder)
            errors = [rule for rule in self.rules if rule.severity is Severity.ERROR and rule.mend is not Mend.KEEP]
            cuts = self._findings(configuration, binder, report, errors)
        return configuration

    @staticmethod
    def _findings(configuration: C, binder: Binder, report: Report, rules: Iterable[Rule[C]]) -> Cuts:
        cuts: Cuts = {}
        for rule in rules:
            for finding in rule.check(configuration):
                if finding.missing in binder.unbound and not report.lenient:
                    continue
                place = binder.place(finding.block, finding.field, finding.index)
                if rule.severity is not Severity.ERROR:
                    report.warning(rule.code, finding.text, place, finding.suggestion)
                    continue
                report.error(rule.code, finding.text, place, finding.suggestion, fatal=rule.mend is Mend.REFUSE)
                if report.lenient and rule.mend in (Mend.BLOCK, Mend.VALUE):
                    whole = rule.mend is Mend.BLOCK or not finding.field
                    cuts.setdefault(id(finding.block), set()).add(None if whole else (finding.field, finding.index))
        return cuts
