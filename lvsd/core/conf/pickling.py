"""Settings go from the reader to the daemons pickled, and a reload reads those of the last reading back: 40,000 objects for a
large farm. What dataclasses and ipaddress bring for that takes three times as long as it must."""

from __future__ import annotations

import copyreg
import dataclasses
from ipaddress import IPv4Address, IPv6Address
from operator import attrgetter
from typing import Any, TypeVar

T = TypeVar("T")


def pickled_quickly(kind: type[T]) -> type[T]:
    """For a frozen dataclass with slots: its values are set without looking up its fields for each object."""
    names = [item.name for item in dataclasses.fields(kind)]  # type: ignore[arg-type]
    setters = [getattr(kind, name).__set__ for name in names]
    several = attrgetter(*names) if len(names) > 1 else None

    def getstate(self: object) -> Any:
        return several(self) if several is not None else tuple(getattr(self, name) for name in names)

    def setstate(self: object, state: Any) -> None:
        for set_field, value in zip(setters, state, strict=True):
            set_field(self, value)

    kind.__getstate__ = getstate  # type: ignore[method-assign]
    kind.__setstate__ = setstate  # type: ignore[attr-defined]
    return kind


def _by_number(address: IPv4Address | IPv6Address) -> Any:
    # An IPv6 address with a zone is more than its number, and rare.
    return (type(address), (int(address),)) if not getattr(address, "scope_id", None) else address.__reduce__()


copyreg.pickle(IPv4Address, _by_number)
copyreg.pickle(IPv6Address, _by_number)
