"""What is said about a configuration: one Diagnostic for each finding, shown with its line and a caret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import Enum
from typing import Any

SHORT = 4  # a keyword below that is matched as a whole: 'ke' would hide half of the language
FOUND_MOST = 1000
"""Findings that are kept; a file that is no configuration at all must not fill the memory or the log."""

LISTED_MOST = 16


FATAL = frozenset(
    {
        "cannot-read",
        "no-match",
        "cannot-include",
        "include-loop",
        "missing-value",
        "endless-definition",
        "too-much",
        "too-many",
    }
)
"""Codes of errors that keepalived does not go on after either, so that `--lenient` does not pass over them."""


class Severity(Enum):
    """ERROR: the configuration is refused as a whole. WARNING: it is taken, and does not all that it says.
    PASSED_OVER: an error in a configuration that is read leniently, which goes on as keepalived would."""

    ERROR = "error"
    PASSED_OVER = "error passed over"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column count from 1, a column is a character; line 0 means the whole file. width: characters under the caret.
    includes: `file:line` of the include lines that led here, outermost first."""

    file: str
    line: int = 0
    column: int = 0
    width: int = 1
    source_line: str = ""
    includes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """code: stable name of the kind of finding (`unknown-keyword`). suggestion: what to write instead, or ""."""

    severity: Severity
    code: str
    text: str
    place: Place
    suggestion: str = ""

    @property
    def file(self) -> str:
        return self.place.file

    @property
    def line(self) -> int:
        return self.place.line

    @property
    def column(self) -> int:
        return self.place.column

    def headline(self) -> str:
        """One line: `file:line:column: error: text [code]`."""
        where = self.place.file
        if self.place.line:
            where += f":{self.place.line}:{self.place.column}"
        return f"{where}: {self.severity.value}: {self.text} [{self.code}]"

    def render(self) -> str:
        """The headline, the line with a caret, the way through includes and the suggestion; several lines without a final end."""
        rows = [self.headline()]
        place = self.place
        if place.line and place.source_line:
            # Tabs stay in front of the caret, so that it stands right whatever a tab's width is.
            before = "".join("\t" if letter == "\t" else " " for letter in place.source_line[: place.column - 1])
            number = str(place.line)
            rows.append(f"  {number} | {place.source_line}")
            rows.append(f"  {' ' * len(number)} | {before}{'^' * max(1, place.width)}")
        rows += [f"    included from {each}" for each in reversed(place.includes)]
        if self.suggestion:
            rows.append(f"    {self.suggestion}")
        return "\n".join(rows)

    def as_dict(self) -> dict[str, Any]:
        """For JSON; keys are part of the admin API."""
        return {
            "severity": self.severity.value,
            "code": self.code,
            "text": self.text,
            "file": self.place.file,
            "line": self.place.line,
            "column": self.place.column,
            "width": self.place.width,
            "source": self.place.source_line,
            "includes": list(self.place.includes),
            "suggestion": self.suggestion,
        }


class Report:
    """Collects diagnostics; one is kept once. secrets: keywords whose value no diagnostic shows.
    lenient: errors that are not fatal are passed over. errors: how many were not."""

    def __init__(self, secrets: Iterable[str] = (), *, lenient: bool = False) -> None:
        self.lenient = lenient
        self.found: dict[Diagnostic, None] = {}
        self._more = False
        self.errors = 0
        # A slip of the pen in the keyword ("auth_passs", "Auth_pass") must not show the value either.
        words = "|".join(rf"\b{each}\b" if len(each) < SHORT else re.escape(each[:-1]) for each in secrets)
        self._secret = re.compile(rf'((?:{words})\w*\s+)("[^"]*"?|\S+)', re.IGNORECASE) if words else None

    def error(self, code: str, text: str, place: Place, suggestion: str = "", *, fatal: bool = False) -> None:
        passed = self.lenient and not fatal and code not in FATAL
        self.add(Diagnostic(Severity.PASSED_OVER if passed else Severity.ERROR, code, text, place, suggestion))

    def warning(self, code: str, text: str, place: Place, suggestion: str = "") -> None:
        self.add(Diagnostic(Severity.WARNING, code, text, place, suggestion))

    def add(self, diagnostic: Diagnostic) -> None:
        place = diagnostic.place
        hidden = self._secret.search(place.source_line) if self._secret else None
        if hidden is not None:
            # What stands behind the secret would no longer stand over its column.
            line = place.source_line[: hidden.end(1)] + "***"
            covered = place.column > hidden.start(2)
            column, width = (hidden.end(1) + 1, 3) if covered else (place.column, place.width)
            diagnostic = replace(diagnostic, place=replace(place, source_line=line, column=column, width=width))
        if diagnostic.severity is Severity.ERROR:
            self.errors += 1
        if len(self.found) < FOUND_MOST:
            self.found[diagnostic] = None
        else:
            self._more = self._more or diagnostic not in self.found

    def sorted(self, files: Sequence[str]) -> tuple[Diagnostic, ...]:
        """By file in the order of reading, then by line and column."""
        order = {name: index for index, name in enumerate(files)}
        unique = dict(self.found)
        if self._more:
            text = f"{FOUND_MOST} findings are shown, there are more"
            # An error only if there is one, since a configuration with warnings alone is taken.
            severity = Severity.ERROR if self.errors else Severity.WARNING
            unique[Diagnostic(severity, "too-many", text, Place(files[0] if files else ""))] = None
        return tuple(sorted(unique, key=lambda each: (order.get(each.file, len(order)), each.line, each.column)))


def suggest(word: str, known: Iterable[str]) -> str:
    """A sentence that proposes the nearest of the known words, of whatever case, or ""."""
    by_lower = {each.lower(): each for each in known}
    near = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f"did you mean '{by_lower[near[0]]}'?" if near else ""


def allowed(words: Sequence[str], wrong: str = "") -> str:
    """A sentence that names the allowed words, the nearest first if one is near; then a long list is left out."""
    if not words:
        return ""
    proposal = suggest(wrong, words) if wrong else ""
    if proposal and len(words) > LISTED_MOST:
        return proposal
    listed = "allowed: " + ", ".join(words)
    return f"{proposal} {listed}".strip()
