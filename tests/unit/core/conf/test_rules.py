from __future__ import annotations

from collections.abc import Iterator

import pytest

from lvsd.core.conf.diagnose import Severity
from lvsd.core.conf.rules import Finding, Rules
from tests.unit.core.conf.toy import Read, Store

rule: Rules[Store] = Rules()


@rule("heavy-box")
def boxes_are_light(store: Store) -> Iterator[Finding]:
    for each in store.boxes:
        if each.weight > 9:
            yield Finding("too heavy", each, "weight", 0, "take less")


@rule("odd-thing", Severity.WARNING)
def things_are_even(store: Store) -> Iterator[Finding]:
    for each in store.boxes:
        for index, thing in enumerate(each.things):
            if len(thing) % 2:
                yield Finding(f"'{thing}' is odd", each, "things", index)


lonely: Rules[Store] = Rules()


@lonely("unlisted")
def boxes_are_listed(store: Store) -> Iterator[Finding]:
    yield from (Finding("on no list", each, unless=("list",)) for each in store.boxes)


def test_a_finding_that_another_block_may_refute_waits_until_that_block_is_right() -> None:
    for text, said in (("", ["unlisted"]), ("list l {\n5\n}", ["unlisted"]), ("list l {\nx\n}", ["bad-value"])):
        read = Read("box a {\n size 1\n}\n" + text)
        lonely.apply(read.store, read.binder, read.report)
        assert [each.code for each in read.diagnostics] == said


def test_a_rule_speaks_at_the_place_of_the_value_with_its_code_and_severity() -> None:
    read = Read("box a {\n  size 1\n  mass 10\n  things {\n    ab c\n    d\n  }\n}")
    rule.apply(read.store, read.binder, read.report)
    assert read.headlines == [
        "main:3:8: error: too heavy [heavy-box]",
        "main:5:8: warning: 'c' is odd [odd-thing]",
        "main:6:5: warning: 'd' is odd [odd-thing]",
    ]
    assert read.diagnostics[0].suggestion == "take less"


def test_two_rules_cannot_share_a_code() -> None:
    with pytest.raises(ValueError, match="heavy-box"):
        rule("heavy-box")(boxes_are_light)
    assert [each.code for each in rule] == ["heavy-box", "odd-thing"]
