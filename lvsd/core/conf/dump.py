"""The way back: a bound block as text that binds to an equal block, secrets apart. Keywords at their default are left out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from .keyword import KEYWORD, Keyword, Reader, declaration

INDENT = "    "


def dump(root: object) -> str:
    """The statements of a root block, in the order of its declaration."""
    return "".join(f"{line}\n" for line in _body(root, 0))


def _body(bound: object, depth: int) -> Iterator[str]:
    margin = INDENT * depth
    for item in dataclasses.fields(bound):  # type: ignore[arg-type]
        keyword: Keyword = item.metadata[KEYWORD]
        value = getattr(bound, item.name)
        if keyword.header or value is None or (value == item.default and not keyword.required):
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
