from __future__ import annotations

import re

import pytest

from lvsd.core.conf.rules import Finding, Rule
from lvsd.core.conf.types import Lease
from lvsd.core.root import Root
from lvsd.core.rules import RULES, vrrp
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


@pytest.mark.parametrize(
    "rule", [each for each in RULES if each.check.__module__ != vrrp.__name__], ids=lambda rule: rule.code
)
def test_a_rule_explains_itself_to_an_operator(rule: Rule[Root]) -> None:
    assert rule.check.__doc__ is not None
    assert len(re.findall(r"[.;] |\.$|:", rule.check.__doc__)) >= 2
