from __future__ import annotations

from lvsd.core.conf.mend import without
from tests.unit.core.conf.toy import Read

STORE = """
box a {
size 1
weight 5
lid {
}
things { x y z }
}
box b {
size 2
}
"""


def test_what_is_cut_is_gone_and_the_rest_is_the_same() -> None:
    read = Read(STORE)
    a, b = read.store.boxes
    assert without(read.store, {}, read.binder) is read.store
    assert without(read.store, {id(a): {None}}, read.binder).boxes == (b,)
    assert without(read.store, {id(a.lid): {None}}, read.binder).boxes[0].lid is None
    left = without(read.store, {id(a): {("things", 1), ("weight", 0)}}, read.binder)
    assert left.boxes[1] is b
    assert (left.boxes[0].things, left.boxes[0].weight) == (("x", "z"), 1)
    assert read.binder.place(left.boxes[0]).line == 2


def test_a_block_that_loses_what_it_needs_is_gone() -> None:
    read = Read(STORE)
    assert [each.name for each in without(read.store, {id(read.store.boxes[0]): {("size", 0)}}, read.binder).boxes] == [
        "b"
    ]
