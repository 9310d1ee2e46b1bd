"""The way back: a bound block as text that binds to an equal block, or as JSON; secrets apart. Keywords at their default
are left out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from .keyword import KEYWORD, Keyword, Reader, declaration

INDENT = "    "
HIDDEN = "***"


def dump(root: object) -> str:
    """The statements of a root block, in the order of its declaration."""
    return "".join(f"{line}\n" for line in _body(root, 0))


def _written(bound: object) -> Iterator[tuple[dataclasses.Field[Any], Keyword, Any]]:
    """The fields that say more than their default, with their value. A header always stands there."""
    for item in dataclasses.fields(bound):  # type: ignore[arg-type]
        keyword: Keyword = item.metadata[KEYWORD]
        value = getattr(bound, item.name)
        if keyword.header or (value is not None and (keyword.required or value != item.default)):
            yield item, keyword, value


def _body(bound: object, depth: int) -> Iterator[str]:
    margin = INDENT * depth
    for item, keyword, value in _written(bound):
        if keyword.header:
            continue
        name = keyword.name or item.name
        if keyword.blocks:
            for each in value if keyword.repeats else (value,):
                yield from _block(each, depth)
        elif keyword.entries is not None and keyword.bare:
            yield from (margin + keyword.entries.write(each) for each in value)
        elif keyword.entries is not None:
            yield f"{margin}{name} {{"
            yield from (margin + INDENT + keyword.entries.write(each) for each in value)
            yield margin + "}"
        elif keyword.reader is not None:
            for each in value if keyword.repeats else (value,):
                yield margin + _line(name, keyword.reader, each)


def _block(bound: object, depth: int) -> Iterator[str]:
    margin = INDENT * depth
    header = next(
        (item for item in dataclasses.fields(bound) if item.metadata[KEYWORD].header),  # type: ignore[arg-type]
        None,
    )
    words = [declaration(type(bound)).name]
    if header is not None:
        words.append(header.metadata[KEYWORD].reader.write(getattr(bound, header.name)))
    yield f"{margin}{' '.join(words)} {{"
    yield from _body(bound, depth + 1)
    yield margin + "}"


def _line(name: str, reader: Reader[Any], value: Any) -> str:
    return f"{name} {reader.write(value)}".rstrip()


def as_json(bound: object) -> dict[str, Any]:
    """A block as an object that derive.schema describes: keywords are keys, blocks that repeat are arrays by their kind,
    the words behind a block's name stand under the name of their field."""
    found: dict[str, Any] = {}
    for item, keyword, value in _written(bound):
        name = keyword.name or item.name
        reader = keyword.entries or keyword.reader
        if keyword.blocks and keyword.repeats:
            for each in value:
                found.setdefault(declaration(type(each)).name, []).append(as_json(each))
        elif keyword.blocks:
            found[declaration(type(value)).name] = as_json(value)
        elif reader is not None and (keyword.entries is not None or keyword.repeats):
            found[name] = [json_value(reader, each) for each in value]
        elif reader is not None:
            found[name] = json_value(reader, value)
    return found


def json_value(reader: Reader[Any], value: Any) -> Any:
    """Numbers, booleans and single words as they are; what has a form of its own as the configuration writes it."""
    if reader.secret:
        return HIDDEN
    if isinstance(value, int | float) and reader.schema.get("type") in ("boolean", "integer", "number"):
        return value
    if isinstance(value, str) and reader.most == 1:
        return value
    written = reader.write(value)
    return written.split() if reader.schema.get("type") == "array" else written
