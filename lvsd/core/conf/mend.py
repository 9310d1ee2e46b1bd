"""A bound configuration without those of its blocks and values that a lenient reading leaves out."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypeVar, cast

from .keyword import KEYWORD, Keyword

if TYPE_CHECKING:
    from .bind import Binder

C = TypeVar("C")
Cuts = dict[int, set[tuple[str, int] | None]]
"""By the identity of a block: the fields that are left out, each with the index of the value; None for the block itself."""


def without(root: C, cuts: Cuts, binder: Binder) -> C:
    """The root block less what is cut; blocks that nothing was cut from stay the same objects."""
    return cast(C, _cut(root, cuts, binder) or root)


def _cut(block: Any, cuts: Cuts, binder: Binder) -> Any | None:
    gone = cuts.get(id(block), set())
    if None in gone:
        return None
    changed: dict[str, Any] = {}
    for item in dataclasses.fields(block):
        keyword: Keyword = item.metadata[KEYWORD]
        value = getattr(block, item.name)
        indices = {each[1] for each in gone if each is not None and each[0] == item.name}
        if keyword.blocks and keyword.repeats:
            kept: Any = tuple(one for each in value if (one := _cut(each, cuts, binder)) is not None)
            same = len(kept) == len(value) and all(a is b for a, b in zip(kept, value, strict=True))
        elif keyword.blocks:
            kept = _cut(value, cuts, binder) if value is not None else None
            same = kept is value
        elif not indices:
            continue
        elif keyword.entries is not None:
            kept = tuple(each for index, each in enumerate(value) if index not in indices)
            same = False
        elif keyword.required or keyword.header:
            return None
        else:
            kept, same = item.default, False
        if not same:
            changed[item.name] = kept
    if not changed:
        return block
    left = dataclasses.replace(block, **changed)
    binder.adopt(left, block)
    return left
