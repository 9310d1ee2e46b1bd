"""Files and the statements that are cut from them. Columns are worked out only where something is said about a word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .diagnose import Place
from .words import TokenError, split_plain, split_script_spans

SHOWN_MOST = 500
"""Characters of a line that a diagnostic shows; a finding further right is told by its column alone."""
# A diagnostic goes to terminals and logs, where a file's control characters have no business.
_UNPRINTABLE = dict.fromkeys((*range(9), *range(10, 32), *range(127, 160)), "�")


@dataclass(frozen=True, slots=True)
class Source:
    """One reading of one file. includes: `file:line` of the include lines that led here, outermost first."""

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


class Statement:
    """A line, or with a body the head of a block.

    text: what the words were cut from where that is not the whole line: a piece of it that begins at offset start, or with
    start -1 the outcome of an expansion."""

    __slots__ = ("body", "line", "source", "start", "text", "words")
    type: ClassVar[str] = "LINE"  # the grammar's token

    def __init__(self, source: Source, line: int, words: list[str], text: str | None = None, start: int = 0) -> None:
        self.source = source
        self.line = line
        self.words = words
        self.text = text
        self.start = start
        self.body: list[Statement] | None = None

    @property
    def raw(self) -> str:
        return self.source.lines[self.line - 1] if self.text is None else self.text

    def place(self, word: int = 0, *, script: bool = False) -> Place:
        """Where the word stands; its line where that cannot be told. script: which tokenizer numbered the words."""
        if self.start < 0:
            line = self.source.lines[self.line - 1]
            indent = len(line) - len(line.lstrip())
            return self.source.place(self.line, indent + 1, max(1, len(line.strip())))
        try:
            spans = split_script_spans(self.raw) if script else split_plain(self.raw)
        except TokenError as error:
            return self.source.place(self.line, self.start + error.at + 1)
        if not spans:
            return self.source.place(self.line, self.start + 1)
        _, start, end = spans[min(word, len(spans) - 1)]
        return self.source.place(self.line, self.start + start + 1, end - start)


class Opening(Statement):
    __slots__ = ()
    type = "OPEN"


class Closing(Statement):
    __slots__ = ()
    type = "CLOSE"
