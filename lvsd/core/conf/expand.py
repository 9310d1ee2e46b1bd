"""What happens to a line before it is cut into words: includes, `@ID` conditions, `$NAME` definitions."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from .diagnose import Report
from .source import Source, decode

Read = Callable[[str], bytes]
Glob = Callable[[str], Sequence[str]]

STRICTNESS: dict[str, frozenset[str]] = {
    "include": frozenset(),
    "includer": frozenset({"read"}),
    "includem": frozenset({"match"}),
    "includew": frozenset({"wildcard_match"}),
    "includeb": frozenset({"brace_match"}),
    "includea": frozenset({"read", "match", "wildcard_match", "brace_match"}),
}
DEEPEST = 32
EXPANSIONS_MOST, EXPANDED_MOST = (
    1000,
    1 << 16,
)  # uses and characters of one line: a definition that names itself never ends

_DEFINITION = re.compile(r"\s*\$([A-Za-z_]\w*)=(.*)", re.ASCII)
_USE = re.compile(r"\$\{([A-Za-z_]\w*)([^}]*)\}|\$([A-Za-z_]\w*)(?=[\s,)]|$)", re.ASCII)
_CONDITION = re.compile(r"\s*@(\^?)(\S*)\s*(.*)")


def alternatives(pattern: str) -> list[str]:
    """The patterns that a brace expression stands for: a{b,c} is ab, ac."""
    depth, start = 0, -1
    commas: list[int] = []
    for index, letter in enumerate(pattern):
        if letter == "{":
            if depth == 0:
                start, commas = index, []
            depth += 1
        elif letter == "," and depth == 1:
            commas.append(index)
        elif letter == "}" and depth:
            depth -= 1
            if depth == 0:
                cuts = [start, *commas, index]
                middles = [pattern[a + 1 : b] for a, b in pairwise(cuts)]
                return [
                    each for middle in middles for each in alternatives(pattern[:start] + middle + pattern[index + 1 :])
                ]
    return [pattern]


class Expander:
    """The files, definitions and conditions of one configuration."""

    def __init__(self, read: Read, glob: Glob | None, config_id: str, report: Report) -> None:
        self._read = read
        self._glob = glob
        self._config_id = config_id
        self._report = report
        self._definitions: dict[str, str] = {}
        self.files: list[str] = []

    def open(self, name: str, includes: tuple[str, ...] = ()) -> Source:
        """Raises OSError as the reader does."""
        source, right = decode(name, self._read(name), includes)
        if name not in self.files:
            self.files.append(name)
        if not right:
            self._report.warning("not-utf8", "the file is not UTF-8; it is read as Latin-1", source.place(0))
        return source

    def include(self, source: Source, number: int, keyword: str, pattern: str) -> Iterator[Source]:
        """The sources that an include line brings, a file at a time; relative names start from the including file's folder."""
        place = source.place(number, source.lines[number - 1].find(pattern) + 1 if pattern else 1, len(pattern) or 1)
        if not pattern:
            self._report.error("missing-value", f"'{keyword}' needs the name of a file", place)
            return
        way = (*source.includes, f"{source.name}:{number}")
        if len(way) > DEEPEST:
            self._report.error("include-loop", f"includes stand more than {DEEPEST} deep", place)
            return
        strict = STRICTNESS[keyword]
        found = 0
        for each in alternatives(posixpath.join(posixpath.dirname(source.name), pattern)):
            wild = any(letter in each for letter in "*?[")
            if wild and self._glob is None:
                self._report.error("cannot-include", f"'{each}': wildcards cannot be looked up here", place)
                continue
            names = sorted(self._glob(each)) if wild and self._glob else [each]
            if not names and wild and "wildcard_match" in strict:
                self._report.error("no-match", f"'{each}' matches no file", place)
            if not names and "{" in pattern and "brace_match" in strict:
                self._report.error("no-match", f"'{each}' matches no file", place)
            found += len(names)
            for name in names:
                if name == source.name or any(step.rpartition(":")[0] == name for step in way):
                    self._report.error("include-loop", f"'{name}' includes itself", place)
                    continue
                try:
                    yield self.open(name, way)
                except OSError as error:
                    why = error.strerror or str(error)
                    if strict & {"read", "match"} or ("brace_match" in strict and "{" in pattern):
                        self._report.error("cannot-read", f"'{name}' cannot be read: {why}", place)
                    else:
                        self._report.warning("cannot-read", f"'{name}' cannot be read: {why}; it is left out", place)
        if not found and "match" in strict:
            self._report.error("no-match", f"'{pattern}' matches no file", place)

    def expand(self, source: Source, number: int, text: str) -> str | None:
        """The line as it counts, None where nothing is left of it. text: the line without its comment."""
        condition = _CONDITION.match(text)
        if condition and text.lstrip().startswith("@"):
            inverted, wanted, rest = condition.groups()
            if (wanted == self._config_id) == bool(inverted):
                return None
            return self.expand(source, number, rest)
        if text.lstrip().startswith(("~SEQ", "~LST")):
            column = len(text) - len(text.lstrip()) + 1
            self._report.error(
                "not-supported",
                "~SEQ and ~LST are not supported yet",
                source.place(number, column, 4),
                "write the lines out",
            )
            return None
        definition = _DEFINITION.match(text)
        if definition:
            name, value = definition.groups()
            if value.rstrip().endswith("\\"):
                self._report.error(
                    "not-supported",
                    "definitions of several lines are not supported yet",
                    source.place(number, len(text.rstrip()), 1),
                )
            self._definitions[name] = value.strip()
            return None
        return self._substitute(source, number, text)

    def _substitute(self, source: Source, number: int, text: str) -> str:
        start = 0
        for _ in range(EXPANSIONS_MOST):
            use = _USE.search(text, start)
            if use is None:
                return text
            if len(text) > EXPANDED_MOST:
                break
            value = self._value(source, use)
            if value is None:
                whole = use.group()
                column = source.lines[number - 1].find(whole) + 1
                self._report.error(
                    "undefined",
                    f"'{whole}' is not defined before this line",
                    source.place(number, max(1, column), len(whole) if column else 1),
                )
                text = text[: use.start()] + text[use.end() :]
                continue
            text = text[: use.start()] + value + text[use.end() :]
        self._report.error(
            "endless-definition", "this line's definitions name each other without end", source.place(number)
        )
        return ""

    def _value(self, source: Source, use: re.Match[str]) -> str | None:
        name = use.group(1) or use.group(3)
        if name in self._definitions:
            return self._definitions[name]
        predefined = {
            "_PWD": posixpath.dirname(source.name) or ".",
            "_INSTANCE": self._config_id,
            "_HASH": "\\#",
            "_BANG": "\\!",
        }
        return predefined.get(name)
