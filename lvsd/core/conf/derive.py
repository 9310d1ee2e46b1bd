"""What is derived from the declarations, as data: blocks and keywords as every document shows them, and the JSON schema.
Renders, reads and writes nothing; lvsd/core/documents.py does."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .codes import CODES, Code
from .dump import json_value
from .keyword import KEYWORD, Keyword, Reader, Unreadable, declaration, reachable
from .line import options_of
from .rules import Rule

ROOT = "root"


@dataclass(frozen=True, slots=True)
class KeywordView:
    """One keyword of a block. name "": entries that stand in the block itself, without a keyword.

    opens: key of the block that it opens, or "". values: all that may be written, where they can be listed.
    vital: why a configuration with it is refused while it is not obeyed.
    options: the words of a line of options, with their own arguments; name "" where a value stands without a word."""

    name: str
    form: str
    doc: str
    default: str = ""
    limits: str = ""
    aliases: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    required: bool = False
    repeats: bool = False
    obeyed: bool = True
    vital: str = ""
    deprecated: str = ""
    opens: str = ""
    options: tuple[KeywordView, ...] = ()

    @property
    def usage(self) -> str:
        """The whole line: keyword and argument."""
        return f"{self.name} {self.form}".strip()


@dataclass(frozen=True, slots=True)
class BlockView:
    """key: a name that no other block has. name "": the outermost level. parents: keys of the blocks that it stands in.

    opened_by: the views of its own keyword in these. unknown: keywords of keepalived that no declaration has yet."""

    key: str
    name: str
    doc: str
    header: str = ""
    header_doc: str = ""
    parents: tuple[str, ...] = ()
    opened_by: tuple[KeywordView, ...] = ()
    keywords: tuple[KeywordView, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return self.name or "Outermost level"

    @property
    def usage(self) -> str:
        return " ".join(part for part in (self.name, self.header, "{ ... }") if part)

    @property
    def lines(self) -> tuple[KeywordView, ...]:
        return tuple(each for each in self.keywords if not each.opens)

    @property
    def option_lines(self) -> dict[tuple[KeywordView, ...], list[str]]:
        """The keywords with lines of options, by these options: many have the same."""
        found: dict[tuple[KeywordView, ...], list[str]] = {}
        for each in self.keywords:
            if each.options:
                found.setdefault(each.options, []).append(each.name)
        return found

    @property
    def blocks(self) -> tuple[KeywordView, ...]:
        return tuple(each for each in self.keywords if each.opens)


def keys(root: type) -> dict[type, str]:
    """A name for each block below root that no other has: its keyword, behind that of its parent where several share it."""
    kinds = reachable(root)
    times = Counter(declaration(kind).name for kind in kinds)
    found = {root: ROOT}
    for parent in kinds:
        for kind in _sub_blocks(parent):
            name = declaration(kind).name
            alone = times[name] == 1 or parent is root
            found.setdefault(kind, name if alone else f"{found[parent]}.{name}")
    return found


def describe(root: type, unknown: Mapping[str, Iterable[str]] | None = None) -> tuple[BlockView, ...]:
    """Every block that can stand below root, the root first. unknown: see BlockView, by the name of the block."""
    key_of = keys(root)
    return tuple(_block(kind, key_of, (unknown or {}).get(declaration(kind).name, ())) for kind in key_of)


def tree(blocks: Iterable[BlockView]) -> list[tuple[int, BlockView]]:
    """The blocks as they stand in each other, with their depth; the root is not among them."""
    by_key = {each.key: each for each in blocks}

    def below(key: str, way: tuple[str, ...]) -> Iterator[tuple[int, BlockView]]:
        for each in by_key[key].blocks:
            if each.opens not in way:
                yield len(way), by_key[each.opens]
                yield from below(each.opens, (*way, each.opens))

    return list(below(ROOT, ()))


def codes(rules: Iterable[Rule[Any]]) -> tuple[Code, ...]:
    """Every code that a diagnostic may have, in alphabetical order."""
    of_rules = (Code(each.code, each.title, each.explanation, each.severity.value) for each in rules)
    return tuple(sorted((*CODES, *of_rules), key=lambda each: each.code))


def _fields(kind: type) -> list[tuple[dataclasses.Field[Any], Keyword]]:
    return [(item, item.metadata[KEYWORD]) for item in dataclasses.fields(kind)]


def _sub_blocks(kind: type) -> Iterator[type]:
    for _, keyword in _fields(kind):
        yield from keyword.blocks


def _header(kind: type) -> Keyword | None:
    return next((keyword for _, keyword in _fields(kind) if keyword.header), None)


def _header_form(kind: type) -> str:
    header = _header(kind)
    return header.reader.form if header is not None and header.reader is not None else ""


def _block(kind: type, key_of: Mapping[type, str], unknown: Iterable[str]) -> BlockView:
    block, header = declaration(kind), _header(kind)
    known = tuple(_keywords(kind, key_of))
    names = {name for each in known for name in (each.name, *each.aliases)}
    parents = [parent for parent in key_of if kind in _sub_blocks(parent)]
    openers = (each for parent in parents for each in _keywords(parent, key_of) if each.opens == key_of[kind])
    return BlockView(
        key=key_of[kind],
        name=block.name,
        doc=block.doc,
        header=_header_form(kind),
        header_doc=header.doc if header else "",
        parents=tuple(key_of[parent] for parent in parents),
        opened_by=tuple(dict.fromkeys(openers)),
        keywords=known,
        unknown=tuple(sorted(set(unknown) - names)),
    )


def _keywords(kind: type, key_of: Mapping[type, str]) -> Iterator[KeywordView]:
    for item, keyword in _fields(kind):
        yield from _views(item, keyword, key_of)


def _views(item: dataclasses.Field[Any], keyword: Keyword, key_of: Mapping[type, str]) -> Iterator[KeywordView]:
    """The views of one field: none for a header, one for each kind of sub-block."""
    if keyword.header:
        return
    view = KeywordView(
        name="" if keyword.bare else keyword.name or item.name,
        form="",
        doc=keyword.doc,
        aliases=keyword.aliases,
        required=keyword.required,
        repeats=keyword.repeats,
        obeyed=keyword.obeyed,
        vital=keyword.vital,
        deprecated=keyword.deprecated,
    )
    for kind in keyword.blocks:
        block = declaration(kind)
        form = f"{_header_form(kind)} {{ ... }}".strip()
        yield replace(view, name=block.name, form=form, doc=block.doc, opens=key_of[kind])
    reader = keyword.entries or keyword.reader
    if reader is None:
        return
    in_braces = keyword.entries is not None and not keyword.bare
    yield replace(
        view,
        form=f"{{ {reader.form} ... }}" if in_braces else reader.form,
        default=_default(item, keyword, reader),
        limits=reader.limits,
        values=_values(reader),
        options=_options(reader),
    )


def _options(reader: Reader[Any]) -> tuple[KeywordView, ...]:
    if reader.line is None:
        return ()
    described = options_of(*reader.line)
    return tuple(KeywordView(each.word, each.form, each.doc, each.default) for each in described)


def _default(item: dataclasses.Field[Any], keyword: Keyword, reader: Reader[Any]) -> str:
    value = item.default
    if keyword.required or keyword.entries is not None or value is None or value == () or reader.secret:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    written = reader.write(value)
    return "" if written == '""' else written


def _values(reader: Reader[Any]) -> tuple[str, ...]:
    if reader.schema.get("type") == "boolean":
        return ("on", "off") if reader.most else ()
    items = reader.schema.get("items", reader.schema)
    return tuple(each for each in items.get("enum", ()) if each)


# --- the schema


def schema(root: type) -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of what dump.as_json gives for a root block."""
    key_of = keys(root)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": f"#/$defs/{ROOT}",
        "$defs": {key: _object(kind, key_of) for kind, key in sorted(key_of.items(), key=lambda each: each[1])},
    }


def _object(kind: type, key_of: Mapping[type, str]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    required: list[str] = []
    for item, keyword in _fields(kind):
        for name, described in _properties(item, keyword, key_of):
            if name in properties:
                raise TypeError(f"{declaration(kind).name}: two things would have the key {name}")
            properties[name] = described
            # Of several kinds that one field takes, no single one is required.
            if keyword.required and len(keyword.blocks) <= 1:
                required.append(name)
    return {
        "type": "object",
        "description": declaration(kind).doc,
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _properties(
    item: dataclasses.Field[Any], keyword: Keyword, key_of: Mapping[type, str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for kind in keyword.blocks:
        link: dict[str, Any] = {"$ref": f"#/$defs/{key_of[kind]}"}
        yield declaration(kind).name, {"type": "array", "items": link} if keyword.repeats else link
    reader = keyword.entries or keyword.reader
    if reader is None:
        return
    value = dict(reader.schema)
    if keyword.entries is not None or keyword.repeats:
        value = {"type": "array", "items": value}
    value["description"] = keyword.doc
    if keyword.deprecated:
        value["deprecated"] = True
    if _can_be_written(item.default, reader):
        value["default"] = json_value(reader, item.default)
    yield keyword.name or item.name, value


def _can_be_written(default: Any, reader: Reader[Any]) -> bool:
    """Whether a line of the configuration says the same; no line says that a keyword is absent."""
    if default is dataclasses.MISSING or default in (None, ()) or reader.secret:
        return False
    if isinstance(default, bool):
        return True
    try:
        return bool(reader.read(reader.write(default).split()) == default)
    except (Unreadable, IndexError):
        return False
