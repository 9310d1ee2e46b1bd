"""Rules across keywords: functions from a bound configuration to findings, each with its stable code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from .bind import Binder
from .diagnose import Report, Severity

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says about a bound block; field and index tell which of its values is meant.

    missing: keyword and name of a block that is not there; the finding is left out where it only has mistakes of its own.
    unless: blocks whose own mistakes may be all that is wrong; the finding is left out where one of these has some."""

    text: str
    block: object
    field: str = ""
    index: int = 0
    suggestion: str = ""
    missing: tuple[str, str] | None = None
    unless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule(Generic[C]):
    code: str
    severity: Severity
    check: Callable[[C], Iterable[Finding]]


class Rules(Generic[C]):
    """The rules of one kind of configuration, in the order of their declaration."""

    def __init__(self) -> None:
        self.rules: list[Rule[C]] = []

    def __call__(
        self, code: str, severity: Severity = Severity.ERROR
    ) -> Callable[[Callable[[C], Iterable[Finding]]], Callable[[C], Iterable[Finding]]]:
        """Decorates a rule. Raises ValueError for a code that another rule has."""

        def register(check: Callable[[C], Iterable[Finding]]) -> Callable[[C], Iterable[Finding]]:
            if any(each.code == code for each in self.rules):
                raise ValueError(f"two rules have the code {code}")
            self.rules.append(Rule(code, severity, check))
            return check

        return register

    def __iter__(self) -> Iterator[Rule[C]]:
        return iter(self.rules)

    def apply(self, configuration: C, binder: Binder, report: Report) -> None:
        for rule in self.rules:
            for finding in rule.check(configuration):
                if finding.missing in binder.unbound or any(kind in finding.unless for kind, _ in binder.unbound):
                    continue
                place = binder.place(finding.block, finding.field, finding.index)
                say: Any = report.error if rule.severity is Severity.ERROR else report.warning
                say(rule.code, finding.text, place, finding.suggestion)
