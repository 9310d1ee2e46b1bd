"""Lines of options, such as a route's: a dataclass declares each word of such a line once, and its reader, its form and
the documentation of its words come from there. Knows no word of lvsd's."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar, cast, dataclass_transform

from .keyword import Reader, Unreadable
from .pickling import pickled_quickly

T = TypeVar("T")
D = TypeVar("D")
_OPTION = "option"
_MISSING: Any = dataclasses.MISSING
OPTIONS_IN_FORM = 16
"""A form that names more of them than this is read by nobody."""


class Misfit(Exception):
    """Raised by the hook `check` of a line: the value of this field does not fit the others."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class Option:
    """One field of a line.

    positional: the value may stand without a word before it. bare: its choices are words of the line themselves.
    lead: words that may stand between the word and its value; a reader of several words is given them, others not.
    also: a second field that the value, then a pair, fills. kind: of a part, the line that follows the word."""

    doc: str
    reader: Reader[Any] | None = None
    kind: type | None = None
    positional: bool = False
    bare: bool = False
    name: str = ""
    aliases: tuple[str, ...] = ()
    lead: tuple[str, ...] = ()
    also: str = ""


def _declare(option: Option, default: Any) -> Any:
    return dataclasses.field(default=default, metadata={_OPTION: option})


def first(reader: Reader[T], doc: str, *, default: D = _MISSING, name: str = "") -> T | D:
    """A value that stands without a word before it, or behind `name` if there is one. Of several that have a default, the
    last that can read a word takes it."""
    return cast(T, _declare(Option(doc, reader, positional=True, name=name), default))


def pair(reader: Reader[tuple[T, Any]], doc: str, *, also: str) -> T:
    """Like first, for a word with two values; the second goes to the plain field `also`."""
    return cast(T, _declare(Option(doc, reader, positional=True, also=also), _MISSING))


def option(
    reader: Reader[T],
    doc: str,
    *,
    default: D,
    name: str = "",
    aliases: tuple[str, ...] = (),
    lead: tuple[str, ...] = (),
    bare: bool = False,
) -> T | D:
    """A word and its value; a word alone if the reader takes none, or if it is one of the bare choices."""
    given = Option(doc, reader, bare=bare, name=name, aliases=aliases, lead=lead)
    return cast(T, _declare(given, default))


def part(kind: type[T], doc: str, *, default: D) -> D:
    """A word that begins a line within the line. Where the default is () it may stand several times."""
    return cast(D, _declare(Option(doc, kind=kind), default))


@dataclass_transform(frozen_default=True, field_specifiers=(first, pair, option, part))
def line(what: str, doc: str) -> Callable[[type[T]], type[T]]:
    """Makes a class a line of options: a frozen dataclass with slots. what: its name in messages ("a route")."""

    def wrap(cls: type[T]) -> type[T]:
        cls.__line__ = (what, doc)  # type: ignore[attr-defined]
        return pickled_quickly(dataclass(frozen=True, slots=True)(cls))

    return wrap


def what(kind: type) -> str:
    return cast(str, kind.__line__[0])  # type: ignore[attr-defined]


def line_reader(kind: type[T], *, without: tuple[str, ...] = (), limits: str = "") -> Reader[T]:
    """The reader of the line. without: fields whose words are none where this reader is used."""
    plan = _Plan(kind, without)
    return Reader(
        form=plan.form(),
        read=plan.read,
        write=plan.write,
        schema={"type": "string"},
        limits=limits,
        least=plan.least,
        most=None if plan.named else len(plan.firsts),
        secret=plan.secret,
        line=(kind, without),
    )


class Described(NamedTuple):
    word: str
    form: str
    default: str
    doc: str


def options_of(kind: type, without: Collection[str] = ()) -> list[Described]:
    """Every option for the reference, those of parts behind the word that begins the part."""
    return list(_Plan(kind, without).described())


class _Field:
    def __init__(self, item: dataclasses.Field[Any]) -> None:
        self.name = item.name
        self.option: Option = item.metadata[_OPTION]
        self.default = item.default
        self.reader = self.option.reader
        self.choices: tuple[str, ...] = ()
        if self.option.bare and self.reader is not None:
            self.choices = tuple(self.reader.schema["enum"])
        self.word = self.option.name or ("" if self.option.positional or self.option.bare else item.name)
        self.words = tuple(filter(None, (self.word, *self.option.aliases)))
        self.plan = _Plan(self.option.kind) if self.option.kind is not None else None
        self.repeats = self.plan is not None and self.default == ()

    @property
    def required(self) -> bool:
        return self.default is _MISSING

    def value_form(self) -> str:
        if self.plan is not None:
            return self.plan.form()
        assert self.reader is not None
        lead = "|".join(self.option.lead)
        return f"[{lead}] {self.reader.form}" if lead and self.reader.most == 1 else self.reader.form

    def form(self) -> str:
        word = f"[{self.word}]" if self.word and (self.option.positional or self.choices) else self.word
        text = f"{word} {self.value_form()}".strip()
        return text if self.required else f"[{text}]" + (" ..." if self.repeats else "")


class _Plan:
    """A line's declaration as its reader needs it."""

    def __init__(self, kind: type, without: Collection[str] = ()) -> None:
        self.kind = kind
        self.what = what(kind)
        items = [each for each in dataclasses.fields(kind) if _OPTION in each.metadata and each.name not in without]
        fields = [_Field(each) for each in items]
        self.firsts = [each for each in fields if each.option.positional]
        # As keepalived wants it: bare choices before the value that they qualify. A part takes all that it knows, so it is last.
        qualified = any(each.required for each in self.firsts)
        self.fields = sorted(
            fields, key=lambda each: 0 if each.choices and qualified else 1 if each.required else 3 if each.plan else 2
        )
        self.named = {word: each for each in fields for word in each.words}
        self.bare = {word: each for each in fields for word in each.choices}
        self.known = (*self.named, *self.bare)
        self.least = sum(each.required for each in fields)
        self.secret = any(each.reader is not None and each.reader.secret for each in fields)

    # --- reading

    def read(self, words: Sequence[str]) -> Any:
        value, index = self.take(words, 0, ())
        if index < len(words):
            raise Unreadable(f"'{words[index]}' is no option of {self.what}", index, self.known)
        return value

    def take(self, words: Sequence[str], index: int, outer: Collection[str]) -> tuple[Any, int]:
        """The line from words[index] on, and where it ends. outer: words that belong to the line around it."""
        start = index
        found: dict[str, Any] = {}
        at: dict[str, int] = {}
        while index < len(words):
            word = words[index]
            if word in self.named:
                field, begin = self.named[word], index + 1
            elif word in self.bare:
                field, begin = self.bare[word], index
            elif word in outer:
                break
            else:
                chosen = self._first(words, index, found)
                if chosen is None:
                    break
                field, begin = chosen, index
            at[field.name] = index
            value, index = self._value(field, words, begin, outer)
            found[field.name] = (*found.get(field.name, ()), value) if field.repeats else value
        for each in self.firsts:
            if each.required and each.name not in found:
                raise Unreadable(f"{each.value_form()} is missing in {self.what}", max(start, index) - 1)
        for each in self.firsts:
            if each.option.also and each.name in found:
                found[each.name], found[each.option.also] = found[each.name]
        return self._checked(self.kind(**found), at, start), index

    def _first(self, words: Sequence[str], index: int, found: dict[str, Any]) -> _Field | None:
        """The value without a word that words[index] is meant for."""
        vacant = [each for each in self.firsts if each.name not in found]
        for each in vacant:
            if each.required:
                return each
        # The last one is the pickiest: what it cannot read is meant for one before it.
        return next((each for each in reversed(vacant) if each is vacant[0] or _reads(each, words[index])), None)

    def _value(self, field: _Field, words: Sequence[str], begin: int, outer: Collection[str]) -> tuple[Any, int]:
        if field.plan is not None:
            return field.plan.take(words, begin, {*outer, *self.known})
        reader = field.reader
        assert reader is not None
        if reader.most == 0:
            return reader.read(()), begin
        end = begin
        if end < len(words) and words[end] in field.option.lead:
            end += 1
        if end >= len(words):
            raise Unreadable(f"'{words[end - 1]}' needs a value", end - 1, hint=f"form: {field.form().strip('[]')}")
        if reader.most == 1:
            begin = end
        try:
            return reader.read(words[begin : end + 1]), end + 1
        except Unreadable as error:
            if self.secret:  # a message that shows the word might show the secret, where the order is wrong
                raise Unreadable(f"{reader.form} must stand here ({reader.limits})", begin) from None
            raise Unreadable(error.message, begin + error.word, error.allowed, error.hint) from None

    def _checked(self, value: Any, at: dict[str, int], start: int) -> Any:
        check = getattr(value, "check", None)
        if check is not None:
            try:
                check()
            except Misfit as misfit:
                index = at.get(misfit.field, start)
                raise Unreadable(misfit.message, index + (misfit.field in at and self._behind(misfit.field))) from None
        return value

    def _behind(self, field: str) -> bool:
        """Whether the value stands behind a word, so that the caret belongs under the value."""
        each = next(one for one in self.fields if one.name == field)
        return each.reader is not None and each.reader.most != 0 and not each.option.positional and not each.choices

    # --- writing

    def write(self, value: Any) -> str:
        return " ".join(filter(None, (self._written(each, getattr(value, each.name), value) for each in self.fields)))

    def _written(self, field: _Field, value: Any, whole: Any) -> str:
        if value == field.default:
            return ""
        if field.plan is not None:
            return " ".join(f"{field.word} {field.plan.write(each)}" for each in (value if field.repeats else (value,)))
        assert field.reader is not None
        if field.option.also:
            value = (value, getattr(whole, field.option.also))
        text: str = field.reader.write(value)
        if field.choices or (field.option.positional and not self._mistakable(field, text)):
            return text
        return f"{field.word} {text}".strip()

    def _mistakable(self, field: _Field, text: str) -> bool:
        """Whether the value of a field without its word would be read as something else."""
        others = self.firsts[self.firsts.index(field) + 1 :]
        return text in self.known or (not field.required and any(_reads(each, text) for each in others))

    # --- describing

    def form(self) -> str:
        stated = [each.form() for each in self.fields]
        if len(stated) > OPTIONS_IN_FORM:
            stated = [each.form() for each in self.fields if each.required] + ["[OPTION ...]"]
        return " ".join(stated)

    def described(self, before: str = "") -> Iterator[Described]:
        for each in self.fields:
            also = ", ".join(f"`{word}`" for word in each.option.aliases)
            doc = each.option.doc + (f" Also written {also}." if also else "")
            default = ""
            if not (
                each.required or each.plan or each.reader is None or each.reader.secret or each.default in (None, "")
            ):
                default = "off" if each.default is False else each.reader.write(each.default)
            yield Described(f"{before}{each.word}".strip(), each.value_form(), default, doc)
            if each.plan is not None:
                yield from each.plan.described(f"{before}{each.word} ")


def _reads(field: _Field, word: str) -> bool:
    assert field.reader is not None
    try:
        field.reader.read((word,))
    except Unreadable:
        return False
    return True
