"""Files, their lines, and the statements cut from them. Columns are worked out only where something is said about a word."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from .diagnose import Place
from .words import BLANKS, TokenError, split_plain, split_script_spans

if TYPE_CHECKING:
    from .known import KnownBlock

SHOWN_MOST = 500
"""Characters of a line that a diagnostic shows; a finding further right is told by its column alone."""
# A diagnostic goes to terminals and logs, where a file's control characters have no business.
_UNPRINTABLE = dict.fromkeys((*range(9), *range(10, 32), *range(127, 160)), "�")


@dataclass(frozen=True, slots=True)
class Source:
    """One reading of one file. includes: `file:line` of the include lines and of the uses of definitions that led here,
    outermost first."""

    name: str
    lines: list[str]
    includes: tuple[str, ...] = ()

    def place(self, line: int, column: int = 1, width: int = 1) -> Place:
        text = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        if len(text) > SHOWN_MOST:
            text = text[:SHOWN_MOST] if column + width <= SHOWN_MOST else ""
        return Place(self.name, line, column, width, text.rstrip().translate(_UNPRINTABLE), self.includes)


def decode(name: str, data: bytes, includes: tuple[str, ...] = ()) -> tuple[Source, bool]:
    """The file's lines, and whether it was UTF-8; else it is read as Latin-1, which old files with accents are."""
    try:
        text, right = data.decode("utf-8-sig"), True
    except UnicodeDecodeError:
        text, right = data.decode("latin-1"), False
    return Source(name, [line.removesuffix("\r") for line in text.split("\n")], includes), right


class Origin:
    """Where the characters of an expanded text stand in its line: runs of (offset, column, width), width 0 where they stand
    one by one from that column on, else the width of the name that they were put in for. Columns count from 0."""

    __slots__ = ("_columns", "_offsets", "_widths")

    def __init__(self, runs: list[tuple[int, int, int]]) -> None:
        self._offsets = [offset for offset, _, _ in runs]
        self._columns = [column for _, column, _ in runs]
        self._widths = [width for _, _, width in runs]

    def span(self, start: int, end: int) -> tuple[int, int]:
        first = self._at(start)
        last = self._at(max(start, end - 1))
        return first[0], max(first[1], last[1])

    def _at(self, offset: int) -> tuple[int, int]:
        run = max(0, bisect_right(self._offsets, offset) - 1)
        column, width = self._columns[run], self._widths[run]
        if width:
            return column, column + width
        at = column + offset - self._offsets[run]
        return at, at + 1


class Line:
    """A part of a line on its way to statements. start: offset of the text in its line, or in the expanded text that
    `origin` knows the columns of."""

    __slots__ = ("number", "origin", "source", "start", "text")

    def __init__(self, source: Source, number: int, text: str, start: int = 0, origin: Origin | None = None) -> None:
        self.source = source
        self.number = number
        self.text = text
        self.start = start
        self.origin = origin

    def cut(self, start: int, end: int | None = None) -> Line:
        return Line(self.source, self.number, self.text[start:end], self.start + start, self.origin)

    def stripped(self) -> Line:
        text = self.text
        if text and text[0] not in BLANKS and text[-1] not in BLANKS:
            return self
        inner = text.lstrip(BLANKS)
        return Line(self.source, self.number, inner.rstrip(BLANKS), self.start + len(text) - len(inner), self.origin)

    def span(self, start: int = 0, end: int | None = None) -> tuple[int, int]:
        """The columns, counted from 0, that these characters of the text come from."""
        end = len(self.text) if end is None else end
        if self.origin is None:
            return self.start + start, self.start + max(end, start + 1)
        return self.origin.span(self.start + start, self.start + end)

    def place(self, start: int = 0, end: int | None = None) -> Place:
        first, last = self.span(start, end)
        return self.source.place(self.number, first + 1, max(1, last - first))


class Statement:
    """A line, or with a body the head of a block. part: what the words were cut from where that is not a whole line.

    last: for an outermost block that depends on nothing but its own lines the number of its last one, else 0.
    known: the block of an earlier reading that it was found to be; then bound is what it binds to, and its body is not cut."""

    __slots__ = ("body", "bound", "known", "last", "line", "part", "source", "words")
    type: ClassVar[str] = "LINE"  # the grammar's token

    def __init__(self, source: Source, line: int, words: list[str], part: Line | None = None) -> None:
        self.source = source
        self.line = line
        self.words = words
        self.part = part
        self.body: list[Statement] | None = None
        self.bound: Any = None
        self.known: KnownBlock | None = None
        self.last = 0

    @property
    def raw(self) -> str:
        return self.source.lines[self.line - 1] if self.part is None else self.part.text

    def place(self, word: int = 0, *, script: bool = False) -> Place:
        """Where the word stands. script: which tokenizer numbered the words."""
        part = self.part or Line(self.source, self.line, self.raw)
        try:
            spans = split_script_spans(part.text) if script else split_plain(part.text)
        except TokenError as error:
            return part.place(error.at, error.at + 1)
        if not spans:
            return part.place(0, 1)
        _, start, end = spans[min(word, len(spans) - 1)]
        return part.place(start, end)


class Opening(Statement):
    __slots__ = ()
    type = "OPEN"


class Closing(Statement):
    __slots__ = ()
    type = "CLOSE"
