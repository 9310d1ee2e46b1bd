"""The outline of a plain configuration file: its statements, the blocks that they stand in and how those are declared.
Not lvsd's own parser, so that it can tell where a broken file stops making sense; it knows no includes and no expansion."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field

from lvsd.core.conf.keyword import KEYWORD, Keyword, declaration, keywords
from lvsd.core.root import Root

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|[{}]|[#!].*|[^\s{}"#!]+')


@dataclass(eq=False)
class Block:
    """kind: its declared class; entries: the keyword of a value block; both None in a block that nobody knows.
    opened: the line of its brace; closed: that of the other one, 0 where it is missing."""

    head: Statement | None
    kind: type | None
    entries: Keyword | None = None
    opened: int = 0
    closed: int = 0

    @property
    def line(self) -> int:
        return self.head.line if self.head else 0

    def knows(self, word: str) -> bool:
        if self.kind is None:
            return False
        return word in keywords(self.kind)

    @property
    def holds_bare_lines(self) -> bool:
        return self.kind is not None and any(each.metadata[KEYWORD].bare for each in dataclasses.fields(self.kind))


@dataclass(eq=False)
class Statement:
    line: int
    words: list[str]
    parent: Block
    block: Block | None = None

    @property
    def keyword(self) -> Keyword | None:
        """Its declaration, None for entries and for words that nobody knows."""
        if self.parent.kind is None:
            return None
        return keywords(self.parent.kind).get(self.words[0], ("", None))[1]

    @property
    def misplaced(self) -> bool:
        parent = self.parent
        return parent.kind is not None and not parent.holds_bare_lines and not parent.knows(self.words[0])


@dataclass
class Outline:
    """stray: lines of closing braces that close nothing."""

    lines: list[str]
    statements: list[Statement] = field(default_factory=list)
    unclosed: list[Block] = field(default_factory=list)
    stray: list[int] = field(default_factory=list)

    def alone(self, statement: Statement) -> bool:
        """Whether nothing else stands on the statement's line."""
        return self.lines[statement.line - 1].split() == statement.words

    def heads_its_line(self, statement: Statement) -> bool:
        return self.lines[statement.line - 1].split() == [*statement.words, "{"]

    def whole(self, block: Block) -> bool:
        """Whether the block has its lines, from its head to its brace, for itself."""
        assert block.head is not None
        return self.heads_its_line(block.head) and self.lines[block.closed - 1].strip() == "}"


def outline(text: str) -> Outline:
    lines = text.splitlines()
    result = Outline(lines)
    stack = [Block(None, Root)]
    words: list[str] = []
    last: Statement | None = None

    def end(number: int) -> Statement | None:
        if not words:
            return None
        statement = Statement(number, words.copy(), stack[-1])
        words.clear()
        result.statements.append(statement)
        return statement

    for number, line in enumerate(lines, 1):
        for token in _TOKEN.findall(line):
            if token[0] in "#!":
                continue
            if token == "{":
                last = end(number) or last
                block = _opened(last, number) if last else Block(None, None, opened=number)
                if last:
                    last.block = block
                stack.append(block)
                last = None
            elif token == "}":
                end(number)
                last = None
                if len(stack) == 1:
                    result.stray.append(number)
                else:
                    stack.pop().closed = number
            else:
                words.append(token)
        last = end(number) or last
    result.unclosed = stack[1:]
    return result


def _opened(head: Statement, number: int) -> Block:
    keyword = head.keyword
    if keyword is None:
        return Block(head, None, opened=number)
    kinds = {declaration(kind).name: kind for kind in keyword.blocks}
    return Block(head, kinds.get(head.words[0]), keyword if keyword.entries else None, number)
