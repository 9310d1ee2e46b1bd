from __future__ import annotations

from lvsd.core.conf.rules import Finding
from lvsd.core.conf.types import Lease
from lvsd.core.rules.common import outgrown, twice


def test_what_has_been_seen_before_is_found_each_time() -> None:
    first, second, third = (Finding(text, None) for text in "abc")
    assert list(twice([(1, first), (2, second)])) == []
    assert list(twice([(1, first), (1, second), (1, third)])) == [second, third]


def test_a_derived_lease_needs_room_for_one_lost_renewal() -> None:
    assert not outgrown(Lease(True), 4)
    assert outgrown(Lease(True), 5)
    assert not outgrown(Lease(True, 3), 5)
    assert not outgrown(Lease(False), 5)
