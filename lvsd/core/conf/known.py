"""Blocks of an earlier reading, found again by their text: what did not change is neither cut into words nor bound again."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from .diagnose import Diagnostic
from .source import Source, Statement


@dataclass(frozen=True, slots=True)
class KnownBlock:
    """lines: its text, from the line of its keyword to that of its closing brace. pickled: what it was bound to.
    warnings: what was said about it, line 1 being its first."""

    lines: tuple[str, ...]
    pickled: bytes
    warnings: tuple[Diagnostic, ...] = ()


def _first_line(block: KnownBlock) -> str:
    return block.lines[0]


class Known:
    """The outermost blocks of one reading whose meaning depends on nothing but their text."""

    def __init__(self, blocks: Iterable[KnownBlock] = ()) -> None:
        self._by_first_line = {
            first: tuple(group) for first, group in groupby(sorted(blocks, key=_first_line), _first_line)
        }

    def __contains__(self, first_line: str) -> bool:
        return first_line in self._by_first_line

    def __iter__(self) -> Iterator[KnownBlock]:
        for blocks in self._by_first_line.values():
            yield from blocks

    def at(self, source: Source, number: int) -> KnownBlock | None:
        """The block whose text stands from this line on."""
        lines = source.lines
        for block in self._by_first_line.get(lines[number - 1], ()):
            if tuple(lines[number - 1 : number - 1 + len(block.lines)]) == block.lines:
                return block
        return None


NOTHING_KNOWN = Known()


def bind(block: KnownBlock, statement: Statement) -> Iterator[Diagnostic]:
    """Gives the statement what the block was bound to; what is to be said about it, at its present place."""
    statement.known = block
    statement.bound = pickle.loads(block.pickled)
    source = statement.source
    for each in block.warnings:
        place = replace(each.place, file=source.name, line=each.line + statement.line - 1, includes=source.includes)
        yield replace(each, place=place)


def remembered(statements: Iterable[tuple[Statement, object]], said: Iterable[Diagnostic]) -> Known:
    """What of this reading the next one may find again. statements: the outermost blocks with what they were bound to.
    said: all that was said about them alone."""
    by_file: dict[str, list[Diagnostic]] = {}
    for each in said:
        by_file.setdefault(each.file, []).append(each)
    return Known(
        _remember(statement, bound, by_file.get(statement.source.name, []))
        for statement, bound in statements
        if statement.last
    )


def _remember(statement: Statement, bound: object, said: list[Diagnostic]) -> KnownBlock:
    if statement.known is not None:
        return statement.known
    first, last = statement.line, statement.last
    warnings = tuple(
        replace(each, place=replace(each.place, line=each.line - first + 1))
        for each in said
        if first <= each.line <= last
    )
    lines = tuple(statement.source.lines[first - 1 : last])
    return KnownBlock(lines, pickle.dumps(bound, pickle.HIGHEST_PROTOCOL), warnings)
