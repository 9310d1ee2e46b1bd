"""Lines to statements: a fast line lexer feeds the three tokens of grammar.lark to lark's LALR parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from .diagnose import Report
from .expand import STRICTNESS, Expander
from .source import Closing, Opening, Source, Statement
from .words import TokenError, split_plain, split_script, without_comment

# Anything that makes a line more than words with an opening or closing brace at its end.
_SPECIAL = re.compile(r'["#!\\$@~\x00]').search


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


def parse(name: str, more: list[str], expander: Expander, report: Report) -> list[Statement]:
    """The statements of the file `name` and of the files `more` behind it. Raises OSError if `name` cannot be read."""
    reader = _Reader(expander, report)
    reader.file(expander.open(name))
    reader.end_of_file()
    for each in more:
        try:
            reader.file(expander.open(each))
        except OSError as error:
            report.error("cannot-read", f"cannot be read: {error.strerror or error}", Source(each, []).place(0))
        reader.end_of_file()
    return reader.finish()


class _Reader:
    def __init__(self, expander: Expander, report: Report) -> None:
        self._expander = expander
        self._report = report
        self._parser = _grammar().parse_interactive("")
        self._feed = self._parser.feed_token
        self._open: list[Opening] = []
        # The last line, kept back: a brace on the next line makes it the head of a block.
        self._held: Statement | None = None

    def file(self, source: Source) -> None:
        special, feed, opened = _SPECIAL, self._feed, self._open
        held = self._held
        for number, line in enumerate(source.lines, 1):
            if special(line):
                self._held = held
                self._slow(source, number, line)
                held = self._held
                continue
            words = line.split()
            if not words:
                continue
            if ("{" in line or "}" in line) and words[0] not in STRICTNESS:
                if words[-1] == "{" and len(words) > 1 and line.count("{") == 1 and "}" not in line:
                    if held is not None:
                        feed(held)
                        held = None
                    del words[-1]
                    opening = Opening(source, number, words)
                    opened.append(opening)
                    feed(opening)
                    continue
                if len(words) == 1 and words[0] == "}" and opened:
                    if held is not None:
                        feed(held)
                        held = None
                    opened.pop()
                    feed(Closing(source, number, words))
                    continue
                self._held = held
                self._pieces(source, number, line, 0)
                held = self._held
                continue
            if held is not None:
                feed(held)
            held = Statement(source, number, words)
            if words[0] in STRICTNESS:
                self._held = None
                self._include(source, number, words)
                held = self._held
        self._held = held

    def _include(self, source: Source, number: int, words: list[str]) -> None:
        for included in self._expander.include(source, number, words[0], words[1] if len(words) > 1 else ""):
            self.file(included)

    def _slow(self, source: Source, number: int, line: str) -> None:
        if "\x00" in line:
            self._report.error(
                "bad-character", "the line holds a NUL character", source.place(number, line.find("\x00") + 1)
            )
            return
        text = without_comment(line)
        stripped = text.strip()
        if not stripped:
            return
        head = stripped.split(None, 1)[0]
        if head in STRICTNESS:
            words = self._words(source, number, text, 0)
            if words:
                self._flush()
                self._include(source, number, words)
            return
        if stripped[0] in "@~" or "$" in text:
            expanded = self._expander.expand(source, number, text)
            if expanded is None or not expanded.strip():
                return
            if expanded is not text:
                if expanded.split(None, 1)[0] in STRICTNESS:
                    self._report.error(
                        "not-supported",
                        "an include cannot depend on a condition or a definition",
                        source.place(number),
                    )
                    return
                self._pieces(source, number, expanded, -1)
                return
        self._pieces(source, number, text, 0)

    def _pieces(self, source: Source, number: int, text: str, origin: int) -> None:
        """Cuts a line at its braces outside double quotes; origin -1: the text is not the line's own."""
        start, inside, index = 0, False, 0
        while index < len(text):
            letter = text[index]
            if letter == "\\":
                index += 1
            elif letter == '"':
                inside = not inside
            elif letter in "{}" and not inside:
                self._piece(source, number, text[start:index], start if origin == 0 else -1)
                self._brace(source, number, letter, index if origin == 0 else -1)
                start = index + 1
            index += 1
        self._piece(source, number, text[start:], start if origin == 0 else -1)

    def _piece(self, source: Source, number: int, text: str, start: int) -> None:
        if not text.strip():
            return
        words = self._words(source, number, text, start)
        if words:
            self._flush()
            self._held = Statement(source, number, words, text, start)

    def _words(self, source: Source, number: int, text: str, start: int) -> list[str]:
        try:
            return [word for word, _, _ in split_plain(text)]
        except TokenError as error:
            # A quote behind a backslash is one only for the plain tokenizer.
            if "\\" in text:
                try:
                    return split_script(text)
                except TokenError:
                    pass
            self._report.error("unclosed-quote", error.message, source.place(number, max(0, start) + error.at + 1))
            return []

    def _brace(self, source: Source, number: int, brace: str, at: int) -> None:
        place = source.place(number, at + 1 if at >= 0 else 1)
        if brace == "}":
            self._flush()
            if not self._open:
                self._report.error("extra-brace", "'}' closes nothing", place)
                return
            self._open.pop()
            self._feed(Closing(source, number, []))
            return
        held, self._held = self._held, None
        if held is None:
            # Its lines are kept together under no keyword, so that its closing brace is not an error of its own.
            self._report.error("extra-brace", "'{' opens a block without a name", place)
            held = Statement(source, number, [], "", max(0, at))
        opening = Opening(held.source, held.line, held.words, held.text, held.start)
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
