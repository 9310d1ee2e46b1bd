from __future__ import annotations

from lvsd.core.conf.bind import Binder
from lvsd.core.conf.diagnose import Place, Report
from lvsd.core.conf.expand import Expander, Surroundings
from lvsd.core.conf.known import NOTHING_KNOWN, Known, remembered
from lvsd.core.conf.syntax import parse, parse_again
from tests.unit.core.conf.toy import Box, Store

FIRST = """box a {
size 1
lid {
tight off
}
}

box b {
size 2  # two
colour red
}
box c { size 3 }
$S=4
box d {
size $S
}
box e {
size 5
}
"""


class Reading:
    def __init__(self, text: str, known: Known = NOTHING_KNOWN) -> None:
        self.report = Report()
        expander = Expander(lambda name: text.encode(), None, Surroundings(), self.report)
        self.statements = parse("main", [], expander, self.report, known)
        self.binder = Binder(Store, self.report, {}, again=lambda each: parse_again(each, expander))
        self.store: Store = self.binder.bind(self.statements, Place("main"))
        self.known = remembered(self.binder.outermost(), self.report.found)
        self.found_again = [each.bound.name for each in self.statements if each.known is not None]


def box(reading: Reading, name: str) -> Box:
    return next(each for each in reading.store.boxes if each.name == name)


def test_what_did_not_change_is_found_again_and_what_depends_on_more_than_its_text_is_not() -> None:
    first = Reading(FIRST)
    again = Reading(FIRST.replace("size 1", "size 9"), first.known)
    assert again.found_again == ["b", "e"]
    assert [(each.name, each.size) for each in again.store.boxes] == [("a", 9), ("b", 2), ("c", 3), ("d", 4), ("e", 5)]
    assert Reading(FIRST, again.known).found_again == ["b", "e"]
    assert Reading(FIRST).store == Reading(FIRST, first.known).store


def test_blocks_that_moved_keep_their_findings_and_their_places() -> None:
    first = Reading(FIRST)
    moved = Reading("box z {\nsize 1\n}\n\n" + FIRST, first.known)
    assert moved.found_again == ["a", "b", "e"]
    assert [(each.code, each.line) for each in moved.report.found] == [("not-obeyed", 14)]
    a, b = box(moved, "a"), box(moved, "b")
    assert moved.binder.place(b, "size").line == 13
    assert a.lid is not None
    assert (moved.binder.place(a.lid, "tight").line, moved.binder.place(a).line) == (8, 5)


def test_a_block_that_was_cut_short_or_goes_on_is_another_one() -> None:
    first = Reading(FIRST)
    assert Reading(FIRST.replace("size 5\n}", "size 5\nfragile\n}"), first.known).found_again == ["a", "b"]
    assert Reading(FIRST[: FIRST.index("size 5")], first.known).report.errors
