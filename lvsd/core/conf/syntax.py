"""Lines to statements: a fast line lexer feeds the three tokens of grammar.lark to lark's LALR parser."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any

from .diagnose import Report
from .expand import DEEPEST, STRICTNESS, USE, Expander
from .known import NOTHING_KNOWN, Known, KnownBlock, bind
from .source import Closing, Line, Opening, Source, Statement
from .words import BLANKS, TokenError, split_plain, split_script, without_comment

# Anything that makes a line more than words with an opening or closing brace at its end.
_SPECIAL = re.compile(r'["#!\\$@~\x00]').search
# Keywords that change how the lines behind them are read.
_DIRECTIVES = {*STRICTNESS, "include_check", "random_seed"}


@cache
def _grammar() -> Any:
    # Only the short-lived reader of configurations pays for lark; unpickling settings must not.
    from lark import Lark, Transformer
    from lark.lexer import Lexer

    class Nothing(Lexer):
        """Tokens are fed one by one, so that a wrong one can be reported and dropped."""

        def __init__(self, lexer_conf: Any) -> None:
            pass

        def lex(self, lexer_state: Any, parser_state: Any) -> Iterator[Any]:
            return iter(())

    class Build(Transformer):  # type: ignore[type-arg]
        def start(self, children: list[Statement]) -> list[Statement]:
            return children

        def block(self, children: list[Statement]) -> Statement:
            opening = children[0]
            opening.body = children[1:-1]
            return opening

    text = files(__package__).joinpath("grammar.lark").read_text()
    return Lark(text, parser="lalr", lexer=Nothing, transformer=Build())


def parse(
    name: str, more: list[str], expander: Expander, report: Report, known: Known = NOTHING_KNOWN
) -> list[Statement]:
    """The statements of the file `name` and of the files `more` behind it. Raises OSError if `name` cannot be read."""
    reader = _Reader(expander, report, known)
    reader.file(expander.open(name))
    reader.end_of_file()
    for each in more:
        try:
            reader.file(expander.open(each))
        except OSError as error:
            report.error("cannot-read", f"cannot be read: {error.strerror or error}", Source(each, []).place(0))
        reader.end_of_file()
    return reader.finish()


def parse_again(statement: Statement, expander: Expander) -> Statement:
    """The block that a statement was found to be, cut into words after all; it is known to be free of errors."""
    reader = _Reader(expander, Report(), NOTHING_KNOWN)
    reader.file(statement.source, statement.line, statement.last)
    (again,) = reader.finish()
    return again


class _Reader:
    def __init__(self, expander: Expander, report: Report, known: Known) -> None:
        self._known = known
        # Counts what makes a block depend on more than its own lines.
        self._entangled = 0
        self._entangled_before = 0
        self._expander = expander
        self._report = report
        self._parser = _grammar().parse_interactive("")
        self._feed = self._parser.feed_token
        self._open: list[Opening] = []
        # The last line, kept back: a brace on the next line makes it the head of a block.
        self._held: Statement | None = None

    def file(self, source: Source, first: int = 1, last: int | None = None) -> None:
        special, feed, opened, directives, known = _SPECIAL, self._feed, self._open, _DIRECTIVES, self._known
        held = self._held
        lines = source.lines if last is None else source.lines[first - 1 : last]
        numbered = enumerate(lines, first)
        for number, line in numbered:
            if not opened and line in known and (block := known.at(source, number)) is not None:
                if held is not None:
                    feed(held)
                    held = None
                self._block(source, number, block)
                deque(islice(numbered, len(block.lines) - 1), 0)
                continue
            if special(line):
                self._held = held
                self._special(source, number, line, numbered)
                held = self._held
                continue
            words = line.split()
            if not words:
                continue
            if words[0] in directives:
                self._held = held
                self._line(Line(source, number, line))
                held = self._held
                continue
            if "{" in line or "}" in line:
                if words[-1] == "{" and len(words) > 1 and line.count("{") == 1 and "}" not in line:
                    if held is not None:
                        feed(held)
                        held = None
                    del words[-1]
                    opening = Opening(source, number, words)
                    if not opened:
                        self._entangled_before = self._entangled
                    opened.append(opening)
                    feed(opening)
                    continue
                if len(words) == 1 and words[0] == "}" and opened:
                    if held is not None:
                        feed(held)
                        held = None
                    opening = opened.pop()
                    if not opened:
                        self._ends(opening, source, number)
                    feed(Closing(source, number, words))
                    continue
                self._held = held
                self._line(Line(source, number, line))
                held = self._held
                continue
            if held is not None:
                feed(held)
            held = Statement(source, number, words)
        self._held = held

    def _ends(self, opening: Opening, source: Source, number: int) -> None:
        """Notes how far an outermost block reaches, if its text alone says what it means."""
        if self._entangled == self._entangled_before and opening.source is source and opening.part is None:
            opening.last = number

    def _block(self, source: Source, number: int, block: KnownBlock) -> None:
        opening = Opening(source, number, without_comment(block.lines[0]).replace("{", " ").split())
        opening.last = number + len(block.lines) - 1
        for each in bind(block, opening):
            self._report.add(each)
        self._feed(opening)
        self._feed(Closing(source, opening.last, []))

    def _special(self, source: Source, number: int, raw: str, numbered: Iterator[tuple[int, str]]) -> None:
        """A line with a comment, quotes, names or conditions in it, and the lines that belong to its definition."""
        line = self._without_comment(source, number, raw)
        if line is None:
            return
        if self._expander.opens_definition(line.text) and _continues(raw, line.text):
            self._entangled += 1
            more: list[Line] = []
            line = line.cut(0, len(line.text.rstrip("\\")))
            for following, text in numbered:
                part = self._without_comment(source, following, text)
                going_on = _continues(text, part.text if part else "")
                if part is not None:
                    more.append(part.cut(0, len(part.text.rstrip("\\"))).stripped() if going_on else part)
                if not going_on:
                    break
            else:
                self._report.error(
                    "unfinished-definition",
                    "the file ends within this definition",
                    line.place(),
                    "its last line has no '\\'",
                )
            selected: Line | None = line
            while selected is not None and selected.text.startswith("@"):
                selected = self._expander.condition(selected)
            if selected is not None:
                self._expander.define(selected, more)
            return
        self._line(line)

    def _without_comment(self, source: Source, number: int, raw: str) -> Line | None:
        """The line without comment and blanks around it, None if nothing is left."""
        if "\x00" in raw:
            place = source.place(number, raw.find("\x00") + 1)
            self._report.error("bad-character", "the line holds a NUL character", place)
            return None
        line = Line(source, number, without_comment(raw)).stripped()
        return line if line.text else None

    def _line(self, line: Line, depth: int = 0) -> None:
        """A line without its comment, to statements. depth: the definitions and repetitions around it."""
        if depth > DEEPEST:
            self._report.error(
                "endless-definition", "definitions or repetitions stand in each other without end", line.place()
            )
            return
        fresh, whole = True, True
        while True:
            line = line.stripped()
            text = line.text
            if not text:
                return
            if text[0] in "@~$" or (fresh and "$" in text):
                self._entangled += 1
            if text[0] == "@":
                rest = self._expander.condition(line)
                if rest is None:
                    return
                line = rest
                continue
            if text[0] == "~" and (turns := self._expander.turns(line)) is not None:
                for turn in turns:
                    self._line(turn, depth + 1)
                return
            if text[0] == "$":
                end = len(text) if whole else self._brace_in(line, tell=False)
                if self._expander.define(line.cut(0, end)):
                    line = line.cut(end)
                    continue
            if fresh and "$" in text:
                fresh = False
                line, more = self._expander.substitute(line)
                if more:
                    self._lines(line, more, depth)
                    return
                continue
            if text.split(None, 1)[0] in _DIRECTIVES and self._directive(line):
                return
            rest = self._statement(line)
            if rest is None:
                return
            line, whole = rest, False

    def _lines(self, first: Line, more: tuple[Line, ...], depth: int) -> None:
        for each in (first, *more):
            if self._expander.exhausted(each):
                return
            self._line(each, depth + 1)

    def _directive(self, line: Line) -> bool:
        """Whether the line is done with."""
        self._entangled += 1
        keyword, *words = line.text.split()
        if keyword == "include_check":
            self._expander.include_check([word for word in words if word != "}"])
        elif keyword == "random_seed":
            self._expander.random_seed(words)
        else:
            self._flush()
            pattern = line.text[len(keyword) :].strip(BLANKS)
            if pattern.startswith('"'):
                if not pattern.endswith('"', 1):
                    at = line.text.find('"')
                    self._report.error("unclosed-quote", "this quote is never closed", line.place(at, at + 1))
                    return True
                pattern = pattern[1:-1]
            for included in self._expander.include(line, keyword, pattern):
                self.file(included)
            return True
        return False

    def _statement(self, line: Line) -> Line | None:
        """Takes the line up to its first brace, and the brace; what is left of it, None where there is no brace."""
        text = line.text
        at = self._brace_in(line)
        self._piece(line.cut(0, at))
        if at == len(text):
            return None
        self._brace(line, at)
        return line.cut(at + 1)

    def _brace_in(self, line: Line, *, tell: bool = True) -> int:
        """Offset of the first brace outside double quotes, the line's length without one. tell: say which names are not known;
        those in the value of a definition may become known before it is used."""
        text, inside, index = line.text, False, 0
        while index < len(text):
            letter = text[index]
            if letter == "\\":
                index += 1
            elif letter == '"':
                inside = not inside
            elif letter == "$" and (use := USE.match(text, index)) is not None:
                if tell:
                    self._expander.undefined(line, use, index, quoted=inside)
                index = use.end() - 1
            elif letter in "{}" and not inside:
                return index
            index += 1
        return len(text)

    def _piece(self, line: Line) -> None:
        line = line.stripped()
        if not line.text:
            return
        words = self._words(line)
        if words:
            self._flush()
            self._held = Statement(line.source, line.number, words, line)

    def _words(self, line: Line) -> list[str]:
        try:
            return [word for word, _, _ in split_plain(line.text)]
        except TokenError as error:
            # A quote behind a backslash is one only for the plain tokenizer.
            if "\\" in line.text:
                try:
                    return split_script(line.text)
                except TokenError:
                    pass
            self._report.error("unclosed-quote", error.message, line.place(error.at, error.at + 1))
            return []

    def _brace(self, line: Line, at: int) -> None:
        if line.text[at] == "}":
            self._flush()
            if not self._open:
                self._report.error("extra-brace", "'}' closes nothing", line.place(at, at + 1))
                return
            self._open.pop()
            self._feed(Closing(line.source, line.number, []))
            return
        held, self._held = self._held, None
        if held is None:
            # Its lines are kept together under no keyword, so that its closing brace is not an error of its own.
            self._report.error("extra-brace", "'{' opens a block without a name", line.place(at, at + 1))
            held = Statement(line.source, line.number, [], line.cut(at, at + 1))
        opening = Opening(held.source, held.line, held.words, held.part)
        self._open.append(opening)
        self._feed(opening)

    def _flush(self) -> None:
        if self._held is not None:
            self._feed(self._held)
            self._held = None

    def end_of_file(self) -> None:
        """A block ends with its file (includes apart): a drop-in must not fall into a block left open."""
        self._flush()
        while self._open:
            opening = self._open.pop()
            name = " ".join(opening.words[:2])
            self._report.error("missing-brace", f"the block '{name}' is never closed by '}}'", opening.place())
            self._feed(Closing(opening.source, opening.line, []))

    def finish(self) -> list[Statement]:
        self._flush()
        return list(self._parser.feed_eof())


def _continues(raw: str, text: str) -> bool:
    """Whether the line of a definition is not its last: a backslash ends it, before its comment or after."""
    return text.endswith("\\") or raw.rstrip(BLANKS).endswith("\\")
