"""Statements to declared dataclasses: every keyword is looked up in its block's declaration, every error is collected."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .diagnose import Place, Report, allowed, suggest
from .keyword import KEYWORD, Keyword, Reader, Unreadable, declaration, keywords, reachable
from .source import Line, Source, Statement
from .words import TokenError, split_script

_MISSING = object()
HINTS_MOST = 200  # each costs a millisecond


class _Entry:
    """What a word introduces in a block. known: values already read, by the text of their only word."""

    __slots__ = ("field", "keyword", "kind", "known", "reader", "single")

    def __init__(self, field: str, keyword: Keyword, kind: type | None) -> None:
        self.field = field
        self.keyword = keyword
        self.kind = kind
        self.reader: Reader[Any] | None = keyword.reader
        # The common case, taken without further looks.
        self.single = (
            keyword.reader is not None
            and not keyword.reader.script
            and keyword.reader.least <= 1
            and keyword.reader.most != 0
            and not keyword.repeats
            and keyword.obeyed
            and not keyword.deprecated
        )
        self.known: dict[str, Any] = {}


class _Table:
    """A block's declaration as the binder needs it."""

    def __init__(self, kind: type) -> None:
        self.kind = kind
        self.name = declaration(kind).name
        fields: dict[str, Keyword] = {item.name: item.metadata[KEYWORD] for item in dataclasses.fields(kind)}
        self.header = next(((name, each) for name, each in fields.items() if each.header), None)
        self.bare = next(((name, each) for name, each in fields.items() if each.bare), None)
        kinds = {declaration(sub).name: sub for each in fields.values() for sub in each.blocks}
        self.words = {
            # An alias of a block names no kind of its own; only a field of one kind has aliases.
            word: _Entry(field, keyword, kinds.get(word) or next(iter(keyword.blocks), None))
            for word, (field, keyword) in keywords(kind).items()
        }
        self.required = [
            (name, each.name or (declaration(each.blocks[0]).name if each.blocks else name))
            for name, each in fields.items()
            if each.required and not each.header
        ]
        self.needed = [name for name, each in fields.items() if each.required]
        self.kinds = kinds


class Binder:
    """Binds the statements of one configuration. root: the class of the root block."""

    def __init__(
        self,
        root: type,
        report: Report,
        again: Callable[[Statement], Statement] | None = None,
    ) -> None:
        """again: cuts a block of an earlier reading into words."""
        self._root = root
        self._report = report
        # Blocks that stand in the file but have mistakes of their own, by keyword and name.
        self.unbound: set[tuple[str, str]] = set()
        self._tables: dict[type, _Table] = {}
        self._origins: dict[int, tuple[object, Statement]] = {}
        self._homes: dict[str, list[str]] | None = None
        self._hints: dict[tuple[str, str], str] = {}
        # Errors that leave their block whole, so that the rules look at it.
        self._harmless = 0
        self._outermost: list[tuple[Statement, object]] = []
        # Blocks of an earlier reading, whose lines are cut into words only where something is said about them.
        self._unread: list[Statement] = []
        self._again = again

    def bind(self, statements: list[Statement], whole: Place) -> Any:
        """The root block; blocks with an error in them are left out. whole: where the file itself is, for what it lacks."""
        nowhere = Source(whole.file, [])
        top = Statement(nowhere, 0, [], Line(nowhere, 0, ""))
        top.body = statements
        values = self._body(self._table(self._root), top, whole)
        bound = self._root(**values)
        self._origins[id(bound)] = (bound, top)
        return bound

    def outermost(self) -> Iterator[tuple[Statement, object]]:
        """The blocks that may stand several times at the outermost level, each with its statement."""
        return iter(self._outermost)

    def adopt(self, bound: object, former: object) -> None:
        """Gives a block that was made of another one the place of that one."""
        self._origins[id(bound)] = (bound, self.origin(former))

    def origin(self, bound: object) -> Statement:
        """The statement that a bound block came from. Raises KeyError for anything else."""
        if self._unread:
            self._read_again(bound)
        return self._origins[id(bound)][1]

    def place(self, bound: object, field: str = "", index: int = 0) -> Place:
        """Where the field of a bound block is written (its index-th value if it has several), else the head of the block."""
        statement = self.origin(bound)
        table = self._table(type(bound))
        if table.header and field == table.header[0]:
            return statement.place(1 + index)
        seen = 0
        for each in statement.body or ():
            entry = table.words.get(each.words[0]) if each.words else None
            if table.bare and field == table.bare[0] and entry is None:
                values = [(each, 0)]
            elif entry is None or entry.field != field:
                continue
            elif entry.keyword.entries is None:
                values = [(each, min(1, len(each.words) - 1))]
            elif entry.keyword.many_a_line:
                values = [(row, word) for row in each.body or () for word in range(len(row.words))]
            else:
                values = [(row, 0) for row in each.body or ()]
            for row, word in values:
                if seen == index:
                    return row.place(word)
                seen += 1
        return statement.place()

    # --- blocks

    def _table(self, kind: type) -> _Table:
        table = self._tables.get(kind)
        if table is None:
            table = self._tables[kind] = _Table(kind)
        return table

    def _block(self, kind: type, statement: Statement) -> Any:
        """The block, or None if anything in it is wrong."""
        table = self._table(kind)
        mistakes = self._mistakes()
        values: dict[str, Any] = {}
        if table.header is not None:
            name, keyword = table.header
            assert keyword.reader is not None
            value = self._read(keyword.reader, statement, 1)
            if value is not _MISSING:
                values[name] = value
            most = keyword.reader.most
            if most is not None and len(statement.words) > most + 1:
                surplus = statement.words[most + 1]
                form = f"form: {table.name} {keyword.reader.form}"
                self._report.error("surplus-word", f"'{surplus}' is too much here", statement.place(most + 1), form)
        elif len(statement.words) > 1:
            self._report.error(
                "surplus-word", f"'{table.name}' takes no name, '{statement.words[1]}' is too much", statement.place(1)
            )
        values.update(self._body(table, statement, None))
        lacking = any(field not in values for field in table.needed)
        if self._mistakes() != mistakes or lacking:
            self.unbound.update((table.name, word) for word in statement.words[1:2])
            return None
        bound = kind(**values)
        self._origins[id(bound)] = (bound, statement)
        return bound

    def _mistakes(self) -> int:
        return self._report.errors - self._harmless

    def _known(self, statement: Statement) -> Any:
        self._origins[id(statement.bound)] = (statement.bound, statement)
        self._unread.append(statement)
        return statement.bound

    def _read_again(self, bound: object) -> None:
        """Finds the origins within the block of an earlier reading that `bound` is, or is a part of."""
        for statement in self._unread:
            if self._again is not None and any(each is bound for each in _parts(statement.bound)):
                self._unread.remove(statement)
                again = self._again(statement)
                statement.body = again.body
                twin = self._block(type(statement.bound), again)
                for mine, same in zip(_parts(statement.bound), _parts(twin), strict=True):
                    self._origins[id(mine)] = (mine, self._origins[id(same)][1])
                return

    def _body(self, table: _Table, statement: Statement, whole: Place | None) -> dict[str, Any]:
        values: dict[str, Any] = {}
        first: dict[str, Statement] = {}
        words_of, report = table.words, self._report
        skip_to_known = False
        for each in self._merged(table, statement.body or []):
            words = each.words
            entry = words_of.get(words[0]) if words else None
            if entry is None:
                if not words or skip_to_known:
                    continue
                if table.bare is not None and self._bare(table, each, values):
                    continue
                self._unknown(table, each)
                continue
            skip_to_known = False
            field = entry.field
            if entry.single and each.body is None and len(words) == 2 and field not in first:
                value = entry.known.get(words[1], _MISSING)
                if value is _MISSING:
                    value = self._line(table, entry, each)
                    if value is _MISSING:
                        first[field] = each
                        continue
                    entry.known[words[1]] = value
                values[field] = value
                first[field] = each
                continue
            keyword = entry.keyword
            if not keyword.obeyed:
                self._not_obeyed(keyword, each)
            if keyword.deprecated:
                report.warning("deprecated", f"'{words[0]}' is deprecated: {keyword.deprecated}", each.place())
            if keyword.reader is not None:
                if each.body is not None:
                    report.error("unexpected-block", f"'{words[0]}' takes no block", each.place())
                    first[field] = each
                    continue
                if field in first and not keyword.repeats:
                    before = first[field]
                    report.warning(
                        "duplicate-keyword",
                        f"'{words[0]}' stands here again; this one counts, not that of line {before.line}",
                        each.place(),
                    )
                value = self._line(table, entry, each)
                first[field] = each
                if value is not _MISSING:
                    values[field] = (*values.get(field, ()), value) if keyword.repeats else value
                continue
            if each.body is None:
                report.error(
                    "missing-brace",
                    f"'{words[0]}' opens a block, and '{{' is missing",
                    each.place(),
                    f"write '{' '.join(words[:2])} {{'" if entry.kind is not None else f"write '{words[0]} {{'",
                )
                first[field] = each
                skip_to_known = True  # what follows is its body, and would only be called unknown
                continue
            first[field] = each
            if entry.kind is not None:
                block = self._block(entry.kind, each) if each.known is None else self._known(each)
                if keyword.repeats:
                    values.setdefault(field, []).append(block)
                    if whole is not None and block is not None:
                        self._outermost.append((each, block))
                else:
                    values[field] = block
            else:
                values[field] = (*values.get(field, ()), *self._entries(keyword, each))
                if keyword.filled and not any(row.words for row in each.body):
                    report.error("missing-value", f"nothing stands in '{words[0]}'", each.place())
        for field, name in table.required:
            if field not in first:
                place = whole or statement.place()
                report.error("missing-keyword", f"'{name}' is missing in this {table.name} block", place)
        return {
            field: tuple(one for one in value if one is not None) if isinstance(value, list) else value
            for field, value in values.items()
        }

    def _not_obeyed(self, keyword: Keyword, statement: Statement) -> None:
        text = f"'{statement.words[0]}' is read but not obeyed yet"
        if keyword.vital:
            self._report.error("not-obeyed", f"{text}, and without it {keyword.vital}", statement.place(), fatal=True)
            self._harmless += 1
        else:
            self._report.warning("not-obeyed", text, statement.place())

    def _merged(self, table: _Table, body: list[Statement]) -> list[Statement]:
        """Blocks without a name that stand several times (global_defs in a drop-in) are one block, as in keepalived."""
        first: dict[str, Statement] = {}
        doubled: set[int] = set()
        for each in body:
            if each.body is None or not each.words:
                continue
            entry = table.words.get(each.words[0])
            if entry is None or entry.kind is None or entry.keyword.repeats or self._table(entry.kind).header:
                continue
            whole = first.setdefault(each.words[0], each)
            if whole is not each:
                whole.body = (whole.body or []) + each.body
                doubled.add(id(each))
        return [each for each in body if id(each) not in doubled] if doubled else body

    # --- lines

    def _line(self, table: _Table, entry: _Entry, statement: Statement) -> Any:
        assert entry.reader is not None
        value = self._read(entry.reader, statement, 1)
        reader = entry.reader
        if reader.most is not None and len(statement.words) > reader.most + 1 and not reader.script:
            self._surplus(table, statement, reader)
        return value

    def _surplus(self, table: _Table, statement: Statement, reader: Reader[Any]) -> None:
        index = (reader.most or 0) + 1
        word = statement.words[index]
        place = statement.place(index)
        if word in table.words:
            self._report.error(
                "one-statement-a-line",
                f"'{word}' must begin a line of its own, here it is no keyword",
                place,
                "keepalived would leave it out without a word",
            )
        else:
            shown = "a word" if reader.secret else f"'{word}'"  # the rest of a password without quotes
            self._report.warning(
                "surplus-word", f"{shown} is too much behind '{statement.words[0]}', and left out", place
            )

    def _read(self, reader: Reader[Any], statement: Statement, skip: int) -> Any:
        words: Sequence[str] = statement.words
        if reader.script:
            try:
                words = split_script(statement.raw)
            except TokenError:
                self._report.error("unclosed-quote", "this quote is never closed", statement.place(script=True))
                return _MISSING
        words = words[skip:]
        if len(words) < reader.least:
            more = "a value" if reader.least == 1 else f"{reader.least} values"
            self._report.error(
                "missing-value",
                f"'{statement.words[0]}' needs {more}" if skip else "a value is missing",
                statement.place(script=reader.script),
                f"write '{statement.words[0]} {reader.form}'" if skip else "",
            )
            return _MISSING
        if reader.most is not None and len(words) > reader.most:
            words = words[: reader.most]
        try:
            return reader.read(words)
        except Unreadable as error:
            hint = allowed(error.allowed, words[error.word] if error.word < len(words) else "")
            name = statement.words[0] if skip else ""
            self._report.error(
                "bad-value",
                f"{name}: {error.message}" if name else error.message,
                statement.place(error.word + skip, script=reader.script),
                hint or error.hint,
            )
            return _MISSING

    def _entries(self, keyword: Keyword, statement: Statement) -> Iterator[Any]:
        reader = keyword.entries
        assert reader is not None
        for row in statement.body or ():
            if not row.words:
                continue
            if row.body is not None:
                self._report.error("unexpected-block", f"no block may stand in '{statement.words[0]}'", row.place())
                continue
            if keyword.many_a_line:
                for index, word in enumerate(row.words):
                    yield from self._entry(reader, row, [word], index)
            else:
                yield from self._entry(reader, row, row.words, 0)

    def _entry(self, reader: Reader[Any], row: Statement, words: list[str], skip: int, home: str = "") -> Iterator[Any]:
        """home: where a keyword that stands among the entries belongs."""
        if reader.most is not None and len(words) > reader.most:
            place = row.place(skip + reader.most)
            self._report.error(
                "surplus-word",
                f"'{words[reader.most]}' is too much: one entry a line",
                place,
                home or f"form: {reader.form}",
            )
            return
        try:
            yield reader.read(words)
        except Unreadable as error:
            hint = allowed(error.allowed, words[error.word] if error.word < len(words) else "")
            self._report.error("bad-value", error.message, row.place(skip + error.word), home or hint or error.hint)

    def _bare(self, table: _Table, row: Statement, values: dict[str, Any]) -> bool:
        assert table.bare is not None
        name, keyword = table.bare
        if row.body is not None or keyword.entries is None:
            return False
        home = self._home(row.words[0])
        values[name] = (*values.get(name, ()), *self._entry(keyword.entries, row, row.words, 0, home))
        return True

    # --- what is not known

    def _unknown(self, table: _Table, statement: Statement) -> None:
        word = statement.words[0]
        place = statement.place()
        where = f"block '{table.name}'" if table.name else "outermost level"
        self._report.error("unknown-keyword", f"'{word}' is no keyword of the {where}", place, self._hint(table, word))

    def _hint(self, table: _Table, word: str) -> str:
        """A way out for an unknown keyword. A file that is no configuration at all has hints for its first words only."""
        hint = self._hints.get((table.name, word))
        if hint is not None or len(self._hints) >= HINTS_MOST:
            return hint or ""
        hint = self._home(word) or suggest(word, table.words)
        self._hints[table.name, word] = hint
        return hint

    def _home(self, word: str) -> str:
        homes = self._homes_of(word)
        named = [f"block '{each}'" if each else "the outermost level" for each in homes[:3]]
        return f"it belongs in {' or '.join(named)}" if named else ""

    def _homes_of(self, word: str) -> list[str]:
        """The blocks that know the word, outermost first."""
        if self._homes is None:
            self._homes = {}
            for table in map(self._table, reachable(self._root)):
                for each in table.words:
                    homes = self._homes.setdefault(each, [])
                    if table.name not in homes:
                        homes.append(table.name)
        return self._homes.get(word, [])


def _parts(bound: object) -> Iterator[object]:
    """A bound block and the blocks in it, in the order of their declaration."""
    yield bound
    for item in dataclasses.fields(bound):  # type: ignore[arg-type]
        if item.metadata[KEYWORD].blocks:
            value = getattr(bound, item.name)
            for each in value if isinstance(value, tuple) else (value,):
                if each is not None:
                    yield from _parts(each)
