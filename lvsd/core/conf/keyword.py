"""How a block of the configuration language is declared: a frozen dataclass whose fields carry their keyword.
Knows no keyword of lvsd's, and reads nothing itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast, dataclass_transform

from .pickling import pickled_quickly

T = TypeVar("T")
KEYWORD = "keyword"


class Unreadable(Exception):
    """A value that a reader refuses. `word` is the index of the offending word among those given to the reader."""

    def __init__(self, message: str, word: int = 0, allowed: Sequence[str] = (), hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.word = word
        self.allowed = tuple(allowed)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Reader(Generic[T]):
    """Turns the words after a keyword into a value, and back.

    form: how the argument is written in the reference ("SECONDS", "IP [PORT]"); limits: its range in words of the reference.
    least, most: the number of words it takes, most None for any number. schema: its JSON schema.
    script: the line is cut by the second tokenizer (shell-like quotes and escapes).
    secret: no diagnostic and no dump shows the value.
    line: where it reads a line of options, its declaration and the fields left out of it (`options_of` of line.py)."""

    form: str
    read: Callable[[Sequence[str]], T]
    write: Callable[[T], str]
    schema: Mapping[str, Any]
    limits: str = ""
    least: int = 1
    most: int | None = 1
    script: bool = False
    secret: bool = False
    line: tuple[type, tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Keyword:
    """One declared keyword: exactly one of reader (a line), entries (a block of lines or names) or blocks (sub-blocks).

    header: the words behind the block's name. bare: entries that stand in the block without a keyword.
    filled: an entry must stand in it. name: the keyword where it is no Python name.
    obeyed: False is warned about by name, and is an error where it is vital: vital says what happens without it ("two
    directors would not hear each other")."""

    doc: str
    reader: Reader[Any] | None = None
    entries: Reader[Any] | None = None
    many_a_line: bool = False
    filled: bool = False
    blocks: tuple[type, ...] = ()
    header: bool = False
    bare: bool = False
    repeats: bool = False
    required: bool = False
    aliases: tuple[str, ...] = ()
    name: str = ""
    deprecated: str = ""
    obeyed: bool = True
    vital: str = ""


@dataclass(frozen=True, slots=True)
class BlockDeclaration:
    name: str
    doc: str


def _declare(keyword: Keyword, default: Any = dataclasses.MISSING) -> Any:
    if default is dataclasses.MISSING and not keyword.required:
        raise TypeError(f"{keyword.doc!r}: a keyword has a default or is required")
    # The binder refuses a block whose required keyword is missing, so the dataclass itself needs no default then.
    return dataclasses.field(default=default, metadata={KEYWORD: keyword})


def arg(reader: Reader[T], doc: str) -> T:
    """The words between a block's name and its brace."""
    return cast(T, _declare(Keyword(doc, reader=reader, header=True, required=True)))


def required(reader: Reader[T], doc: str, **more: Any) -> T:
    """A keyword that must stand in its block."""
    return cast(T, _declare(Keyword(doc, reader=reader, required=True, **more)))


def kw(reader: Reader[T], doc: str, *, default: T, **more: Any) -> T:
    """A keyword of one line; the last one counts where it stands twice."""
    return cast(T, _declare(Keyword(doc, reader=reader, **more), default))


def optional(reader: Reader[T], doc: str, **more: Any) -> T | None:
    """A keyword of one line that has no value of its own where it is absent (inherited, or left to the kernel)."""
    return cast("T | None", _declare(Keyword(doc, reader=reader, **more), None))


def several(reader: Reader[T], doc: str, **more: Any) -> tuple[T, ...]:
    """A keyword of one line that may stand any number of times; every one counts."""
    return cast("tuple[T, ...]", _declare(Keyword(doc, reader=reader, repeats=True, **more), ()))


def entries(reader: Reader[T], doc: str, **more: Any) -> tuple[T, ...]:
    """A value block: one entry a line."""
    return cast("tuple[T, ...]", _declare(Keyword(doc, entries=reader, **more), ()))


def lines(reader: Reader[T], doc: str) -> tuple[T, ...]:
    """Entries, one a line, that stand in the block itself without a keyword (virtual_server_group)."""
    return cast("tuple[T, ...]", _declare(Keyword(doc, entries=reader, bare=True), ()))


def names(reader: Reader[T], doc: str, **more: Any) -> tuple[T, ...]:
    """A value block of single words, several on a line if the operator likes."""
    return cast("tuple[T, ...]", _declare(Keyword(doc, entries=reader, many_a_line=True, **more), ()))


def sub(kind: type[T], doc: str, **more: Any) -> T | None:
    """A sub-block that stands at most once."""
    return cast("T | None", _declare(Keyword(doc, blocks=(kind,), **more), None))


def blocks(*kinds: type[Any], doc: str, **more: Any) -> tuple[Any, ...]:
    """Sub-blocks of the given kinds, any number, in the order of the file."""
    return cast("tuple[Any, ...]", _declare(Keyword(doc, blocks=kinds, repeats=True, **more), ()))


@dataclass_transform(
    frozen_default=True,
    kw_only_default=True,
    field_specifiers=(arg, required, kw, optional, several, entries, lines, names, sub, blocks),
)
def block(name: str, doc: str) -> Callable[[type[T]], type[T]]:
    """Makes a class with keyword fields a block of the language: a frozen dataclass with slots."""

    def wrap(cls: type[T]) -> type[T]:
        # Set before the dataclass is made: slots make a new class, which copies plain attributes.
        cls.__block__ = BlockDeclaration(name, doc)  # type: ignore[attr-defined]
        return pickled_quickly(dataclass(frozen=True, slots=True, kw_only=True)(cls))

    return wrap


def declaration(kind: type) -> BlockDeclaration:
    return cast(BlockDeclaration, kind.__block__)  # type: ignore[attr-defined]


def empty(kind: type[T]) -> T:
    """A block in which nothing stands. Raises TypeError if it has a required keyword.
    Type checkers take fields made by optional() and entries() for required ones, so this is the way to make it."""
    return kind()


def keywords(kind: type) -> dict[str, tuple[str, Keyword]]:
    """The keywords of a block by the word that introduces them: (field, keyword); aliases included, headers not."""
    table: dict[str, tuple[str, Keyword]] = {}
    for item in dataclasses.fields(kind):
        keyword: Keyword = item.metadata[KEYWORD]
        if keyword.header or keyword.bare:
            continue
        if keyword.blocks:
            for each in keyword.blocks:
                table[declaration(each).name] = (item.name, keyword)
        else:
            table[keyword.name or item.name] = (item.name, keyword)
        for alias in keyword.aliases:
            table[alias] = (item.name, keyword)
    return table


def reachable(root: type) -> list[type]:
    """The root and every block that can stand in it, at any depth, outermost first."""
    found = [root]
    for kind in found:
        for _, keyword in keywords(kind).values():
            found += [each for each in keyword.blocks if each not in found]
    return found


def secrets(root: type) -> list[str]:
    """The keywords anywhere below root whose value must not be shown."""
    return [
        word
        for kind in reachable(root)
        for word, (_, keyword) in keywords(kind).items()
        if keyword.reader is not None and keyword.reader.secret
    ]
