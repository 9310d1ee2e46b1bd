"""What happens to a line before it is cut into words: includes, `@ID` conditions, `$NAME` definitions, `~SEQ` and `~LST`."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from .diagnose import Report, suggest
from .source import Line, Origin, Source, decode

Read = Callable[[str], bytes]
Glob = Callable[[str], Sequence[str]]

EVERY_POLICY = frozenset({"read", "match", "wildcard_match", "brace_match"})
STRICTNESS: dict[str, frozenset[str]] = {
    "include": frozenset(),
    "includer": frozenset({"read"}),
    "includem": frozenset({"match"}),
    "includew": frozenset({"wildcard_match"}),
    "includeb": frozenset({"brace_match"}),
    "includea": EVERY_POLICY,
}
DEEPEST = 32
"""Includes, uses of definitions of several lines and repetitions that stand in each other."""
EXPANSIONS_MOST, EXPANDED_MOST = 1000, 1 << 16
"""Uses and characters of one line: a definition that names itself never ends."""
LINES_MOST, CHARACTERS_MOST = 300_000, 32 << 20
"""What all expansions of a configuration may come to; 300 services with 100 servers each come to 180,000 lines."""
PATTERNS_MOST = 1000
RANDOM_MOST = 32767

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_DEFINITION = re.compile(rf"\$({_NAME})=")
USE = re.compile(rf"\$\{{({_NAME})((?:[ \t]+[^}}\s]+)*)\}}|\$({_NAME})(?=[\s,)]|$)")
_CONDITION = re.compile(r"@(\^?)(\S*)\s*")
_REPETITION = re.compile(r"~(SEQx?|LST)(?![A-Za-z0-9_])\s*")
_NUMBER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+)\Z")
_TUPLE = re.compile(r"\s*\{([^{}]*)\}\s*(,|\Z)")
_LST_VALUE = re.compile(r"[^\s\"'{}]*\Z")


class Malformed(Exception):
    """A repetition or a pattern that cannot be understood, with the sentence that says why."""


def alternatives(pattern: str) -> list[str]:
    """The patterns that a brace expression stands for: a{b,c} is ab, ac. Raises Malformed where they are too many."""
    return _alternatives(pattern, [PATTERNS_MOST])


def _alternatives(pattern: str, left: list[int]) -> list[str]:
    left[0] -= 1
    if left[0] < 0:
        raise Malformed(f"its braces stand for more than {PATTERNS_MOST} patterns")
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
                    each
                    for middle in middles
                    for each in _alternatives(pattern[:start] + middle + pattern[index + 1 :], left)
                ]
    return [pattern]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a configuration may ask of the machine that reads it.

    identity: what `@ID` is compared with. environment: for `${_ENV NAME}`. seed: where the numbers of `${_RANDOM}` begin.
    strict: policies that every include of this reading has (`--all-config`)."""

    identity: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    strict: frozenset[str] = frozenset()


class Chance:
    """Numbers for `${_RANDOM}`: the same ones for the same seed, and nothing secret (a linear congruence of Knuth's)."""

    def __init__(self, seed: int) -> None:
        self._state = seed

    def number(self, least: int, most: int) -> int:
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        return least + (self._state >> 33) % (most - least + 1)


class Expander:
    """The files, definitions and conditions of one configuration."""

    def __init__(self, read: Read, glob: Glob | None, surroundings: Surroundings, report: Report) -> None:
        self._read = read
        self._glob = glob
        self._surroundings = surroundings
        self._report = report
        self._chance = Chance(surroundings.seed)
        self._strict = surroundings.strict
        # A definition of several lines is a tuple of them.
        self._definitions: dict[str, str | tuple[Line, ...]] = {}
        self._lines = self._characters = 0
        self.files: list[str] = []

    # --- files

    def open(self, name: str, includes: tuple[str, ...] = ()) -> Source:
        """Raises OSError as the reader does."""
        source, right = decode(name, self._read(name), includes)
        if name not in self.files:
            self.files.append(name)
        if not right:
            self._report.warning("not-utf8", "the file is not UTF-8; it is read as Latin-1", source.place(0))
        return source

    def include(self, line: Line, keyword: str, pattern: str) -> Iterator[Source]:
        """The sources that an include line brings, a file at a time; relative names start from the including file's folder."""
        source = line.source
        at = line.text.find(pattern) if pattern else 0
        place = line.place(at, at + len(pattern)) if pattern else line.place(0, len(keyword))
        if not pattern:
            self._report.error(
                "missing-value", f"'{keyword}' needs the name of a file", place, f"write '{keyword} FILE'"
            )
            return
        way = (*source.includes, f"{source.name}:{line.number}")
        if len(way) > DEEPEST:
            self._report.error("include-loop", f"includes stand more than {DEEPEST} deep", place)
            return
        strict = STRICTNESS[keyword] | self._strict
        found = 0
        try:
            patterns = alternatives(posixpath.join(posixpath.dirname(source.name), pattern))
        except Malformed as error:
            self._report.error("cannot-include", f"'{pattern}': {error}", place)
            return
        for each in patterns:
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

    def include_check(self, words: Sequence[str]) -> None:
        """Sets the policies of the includes that follow; words of the form +POLICY and -POLICY change them. Others are the
        binder's to refuse."""
        if not words:
            self._strict = EVERY_POLICY
            return
        chosen = self._strict if words[0][:1] in "+-" else frozenset()
        for word in words:
            policy = frozenset({word.lstrip("+-")}) & EVERY_POLICY
            chosen = chosen - policy if word.startswith("-") else chosen | policy
        self._strict = chosen | self._surroundings.strict

    def random_seed(self, words: Sequence[str]) -> None:
        if words and words[0].isdecimal():
            self._chance = Chance(int(words[0]))

    # --- conditions and definitions

    def condition(self, line: Line) -> Line | None:
        """What stands behind `@ID` or `@^ID`, None if it is not for us."""
        found = _CONDITION.match(line.text)
        assert found is not None
        inverted, wanted = found.groups()
        if (wanted == self._surroundings.identity and bool(wanted)) == bool(inverted):
            return None
        return line.cut(found.end())

    def opens_definition(self, text: str) -> bool:
        """Whether a text, conditions apart, is the first line of a definition."""
        while text.startswith("@"):
            text = text[_CONDITION.match(text).end() :]  # type: ignore[union-attr]
        return _DEFINITION.match(text) is not None

    def define(self, line: Line, more: Sequence[Line] = ()) -> bool:
        """Takes `$NAME=VALUE`, with more lines for a value of several; False if the line is no definition."""
        found = _DEFINITION.match(line.text)
        if found is None:
            return False
        first = line.cut(found.end()).stripped()
        if more:
            self._definitions[found[1]] = (first, *more) if first.text else tuple(more)
        else:
            self._definitions[found[1]] = first.text
        return True

    # --- names

    def substitute(self, line: Line) -> tuple[Line, tuple[Line, ...]]:
        """The line with its names put in, and the lines that follow it where it ends in a definition of several.
        Names that are not known stay: a repetition further right may bring them, and text in quotes may mean a shell's."""
        text = line.text
        more: tuple[Line, ...] = ()
        parts: list[str] = []
        runs: list[tuple[int, int, int]] = []
        last = length = 0
        budget = [EXPANSIONS_MOST, EXPANDED_MOST]
        for use in USE.finditer(text):
            value: str | tuple[Line, ...] | None = self._definitions.get(use[1] or use[3])
            if isinstance(value, tuple):
                if use.end() != len(text):
                    continue
                lines = self._used(line, use, value)
                if not text[: use.start()].strip():
                    return line.cut(0, 0), lines
                value, more = lines[0].text, lines[1:]
            elif value is None:
                value = self._predefined(line, use)
            if value is None:
                continue
            whole = self._whole(value, line, budget, 1) if "$" in value else value
            if whole is None:
                self._report.error(
                    "endless-definition",
                    f"'{use[0]}' never ends: its definitions name each other",
                    line.place(use.start(), use.end()),
                )
                return line.cut(0, 0), ()
            runs.append((length, line.span(last)[0], 0))
            length += use.start() - last
            first_column, last_column = line.span(use.start(), use.end())
            runs.append((length, first_column, last_column - first_column))
            length += len(whole)
            parts += text[last : use.start()], whole
            last = use.end()
        if not runs:
            return line, ()
        runs.append((length, line.span(last)[0], 0))
        parts.append(text[last:])
        return Line(line.source, line.number, "".join(parts), 0, Origin(runs)), more

    @staticmethod
    def _used(line: Line, use: re.Match[str], lines: tuple[Line, ...]) -> tuple[Line, ...]:
        """The lines of a definition, each at its own place with how it came to be read."""
        way = (*line.source.includes, f"{line.source.name}:{line.number} ({use[0]})")
        own = lines[0].source
        source = Source(own.name, own.lines, way)
        return tuple(Line(source, each.number, each.text, each.start, each.origin) for each in lines)

    def _whole(self, value: str, line: Line, budget: list[int], depth: int) -> str | None:
        """A value with the names in it put in too, None if that does not end."""
        parts: list[str] = []
        last = 0
        for use in USE.finditer(value):
            budget[0] -= 1
            if budget[0] < 0 or depth > DEEPEST:
                return None
            inner = self._definitions.get(use[1] or use[3])
            if isinstance(inner, tuple):
                continue
            if inner is None:
                inner = self._predefined(line, use)
            if inner is None:
                continue
            whole = self._whole(inner, line, budget, depth + 1) if "$" in inner else inner
            if whole is None:
                return None
            parts += value[last : use.start()], whole
            last = use.end()
        parts.append(value[last:])
        whole = "".join(parts)
        budget[1] -= len(whole)
        return whole if budget[1] >= 0 else None

    def _predefined(self, line: Line, use: re.Match[str]) -> str | None:
        name, words = use[1] or use[3], (use[2] or "").split()
        if name == "_RANDOM" and len(words) <= 2 and all(word.isdecimal() for word in words):
            least, most = int(words[0]) if words else 0, int(words[1]) if len(words) > 1 else RANDOM_MOST
            return str(self._chance.number(least, most)) if least <= most else None
        if name == "_ENV" and len(words) == 1:
            return self._surroundings.environment.get(words[0])
        if words:
            return None
        if name == "_PWD":
            return posixpath.dirname(line.source.name) or "."
        if name == "_INSTANCE":
            return self._surroundings.identity
        return {"_HASH": "#", "_BANG": "!"}.get(name)

    def undefined(self, line: Line, use: re.Match[str], start: int, *, quoted: bool) -> None:
        """Says that a name is not known. In quotes it may well be meant for a shell, unless it is nearly one of ours."""
        name = use[1] or use[3]
        place = line.place(start, start + len(use[0]))
        if isinstance(self._definitions.get(name), tuple):
            text = f"'{use[0]}' stands for several lines, so nothing may stand behind it"
            self._report.error("definition-not-last", text, place, "break the line behind it")
            return
        hint = suggest(name, self._definitions)
        if not quoted:
            self._report.error("undefined", f"'{use[0]}' is not defined before this line", place, hint)
        elif hint:
            self._report.warning(
                "undefined", f"'{use[0]}' is not defined before this line and stays as it is", place, hint
            )

    # --- repetitions

    def turns(self, line: Line) -> Iterator[Line] | None:
        """For `~SEQ(...) TEXT` and `~LST(...) TEXT` the text, once a turn with the names of that turn defined; else None."""
        found = _REPETITION.match(line.text)
        if found is None:
            return None
        return self._turns(line, found)

    def _turns(self, line: Line, found: re.Match[str]) -> Iterator[Line]:
        text = line.text
        close = text.find(")", found.end())
        try:
            if text[found.end() : found.end() + 1] != "(" or close < 0:
                raise Malformed("its values must stand in parentheses")
            inside = text[found.end() + 1 : close]
            values = self._list(inside) if found[1] == "LST" else self._sequence(line, inside, found[1] == "SEQx")
        except Malformed as error:
            form = "({a,b},{1,2},{3,4})" if found[1] == "LST" else "(NAME[, START[, STEP]], END)"
            shown = line.place(0, close + 1 if close >= 0 else None)
            self._report.error("bad-repetition", f"~{found[1]}: {error}", shown, f"form: ~{found[1]}{form} TEXT")
            return
        rest = line.cut(close + 1).stripped()
        for names in values:
            self._definitions.update(names)
            if rest.text:
                if self.exhausted(line):
                    return
                yield rest

    def exhausted(self, line: Line) -> bool:
        """Counts an expanded line; whether all of them have become too many, which is said once."""
        before = self._lines <= LINES_MOST and self._characters <= CHARACTERS_MOST
        self._lines += 1
        self._characters += len(line.text)
        if self._lines <= LINES_MOST and self._characters <= CHARACTERS_MOST:
            return False
        if before:
            text = f"definitions and repetitions come to more than {LINES_MOST} lines or {CHARACTERS_MOST >> 20} MiB"
            self._report.error("too-much", text, line.place())
        return True

    def _sequence(self, line: Line, inside: str, hexadecimal: bool) -> Iterator[dict[str, str]]:
        name, *numbers = (
            part.strip() for part in self.substitute(Line(line.source, line.number, inside))[0].text.split(",")
        )
        if not name or not 1 <= len(numbers) <= 3:
            raise Malformed("it takes a name and one to three numbers")
        values = [self._whole_number(each) for each in numbers]
        end = values[-1]
        start = values[0] if len(values) > 1 else 1 if end >= 0 else -1
        step = values[1] if len(values) == 3 else 1 if end >= start else -1
        if step == 0 or (end - start) * step < 0:
            raise Malformed(f"{step} does not lead from {start} to {end}")
        if hexadecimal and min(start, end) < 0:
            raise Malformed("hexadecimal numbers are not negative")
        last = end + (1 if step > 0 else -1)
        return ({name: f"{each:x}" if hexadecimal else str(each)} for each in range(start, last, step))

    @staticmethod
    def _whole_number(text: str) -> int:
        if not _NUMBER.match(text) or len(text) > 20:
            raise Malformed(f"'{text}' is no whole number")
        digits = text.lstrip("+-")
        octal = digits.startswith("0") and digits.isdecimal() and len(digits) > 1
        try:
            number = int(digits, 8 if octal else 0)
        except ValueError:
            raise Malformed(f"'{text}' is no octal number") from None
        return -number if text.startswith("-") else number

    @staticmethod
    def _list(inside: str) -> list[dict[str, str]]:
        if not inside.lstrip().startswith("{"):
            name, *values = (part.strip() for part in inside.split(","))
            groups = [[name], *([value] for value in values)]
        else:
            groups = []
            at = 0
            while at < len(inside):
                found = _TUPLE.match(inside, at)
                if found is None:
                    raise Malformed("each of its values must stand in braces, as its names do")
                groups.append([part.strip() for part in found[1].split(",")])
                at = found.end()
        names = groups[0]
        if not all(names) or len(groups) < 2:
            raise Malformed("it takes a name, or names in braces, and values")
        for group in groups[1:]:
            if len(group) > len(names):
                raise Malformed(f"'{{{','.join(group)}}}' has more values than there are names")
            for value in group:
                if not _LST_VALUE.match(value):
                    raise Malformed(f"'{value}' is no single word without quotes and braces")
        return [
            {name: group[index] if index < len(group) else "" for index, name in enumerate(names)}
            for group in groups[1:]
        ]
