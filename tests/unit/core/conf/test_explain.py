from __future__ import annotations

import pytest

from lvsd.core.conf.codes import Code
from lvsd.core.conf.derive import describe
from lvsd.core.conf.explain import WIDTH, Unknown, explain, overview
from lvsd.core.root import Root
from tests.unit.core.conf.toy import UNOBEYED, Store

BLOCKS = describe(Store, UNOBEYED)
CODES = (
    Code("too-heavy", "The box is too heavy.", "Nobody can lift it.\n\nTake something\nout.", "error"),
    Code("size", "The size is odd.", "An even one is used.", "warning"),
    Code("plain", "Plain is plain.", "Plain is plain."),
)


def told(word: str) -> str:
    return explain(word, BLOCKS, CODES)


def test_a_keyword_is_shown_with_all_that_is_declared() -> None:
    assert told("weight") == (
        "weight N\n    In box\n    Its weight.\n    Default: 1\n    Argument: 0 or more\n    Also written: mass\n    Obeyed: yes\n"
    )
    assert told("mass") == told("weight")
    assert "Obeyed: not yet" in told("colour")
    assert "Deprecated: boxes do not age." in told("old")
    assert "In the outermost level" in told("box")


def test_a_block_lists_what_may_stand_in_it() -> None:
    text = told("box")
    assert text.startswith("box WORD { ... }\n    In the outermost level\n    A box.\n    What is written on it.\n    ")
    assert "    size N                          Its size.\n" in text
    assert "    lid { ... }                     How the box is closed.\n" in text
    assert "    N  One a line.\n" in told("list")


def test_a_code_is_shown_with_its_explanation() -> None:
    assert told("too-heavy") == (
        "[too-heavy] The box is too heavy.\n    Severity: error\n    Nobody can lift it.\n    Take something out.\n"
    )
    assert told("plain") == "[plain] Plain is plain.\n    Severity: error or warning\n"


def test_a_word_that_means_several_things_is_shown_with_all() -> None:
    text = told("size")
    assert "Required." in text
    assert "\n\n[size] The size is odd.\n" in text


def test_a_keyword_that_only_keepalived_has_is_named_as_such() -> None:
    assert told("stamp").startswith("stamp\n    In box\n    A keyword of keepalived that lvsd does not obey yet")
    assert "In the outermost level" in told("shelf")


@pytest.mark.parametrize(
    ("word", "near"), [("wieght", "weight"), ("too-hevy", "too-heavy"), ("boxx", "box"), ("stanp", "stamp")]
)
def test_a_slip_of_the_pen_is_answered_with_the_nearest_word(word: str, near: str) -> None:
    with pytest.raises(Unknown) as unknown:
        told(word)
    assert unknown.value.suggestion == f"did you mean '{near}'?"


@pytest.mark.parametrize("word", ["", "root", "qqqqqqq"])
def test_what_is_no_word_is_unknown(word: str) -> None:
    with pytest.raises(Unknown) as unknown:
        told(word)
    assert unknown.value.suggestion == ""


def test_the_overview_has_every_block_and_every_code() -> None:
    text = overview(BLOCKS, CODES)
    assert "\n    lid " in text
    assert "too-heavy" in text
    assert text.index("box") < text.index("Codes") < text.index("plain")


def test_every_keyword_of_lvsd_is_explained_within_the_width() -> None:
    blocks = describe(Root)
    for block in blocks:
        for each in filter(None, (one.name for one in block.keywords)):
            lines = explain(each, blocks, ()).splitlines()
            assert lines
            assert [line for line in lines if len(line) > WIDTH and line.startswith(" " * 8)] == []


def test_the_same_keyword_is_told_once_for_all_blocks_where_it_means_the_same() -> None:
    assert explain("notify_master", describe(Root), ()).startswith(
        "notify_master COMMAND [USER [GROUP]]\n    In vrrp_instance, vrrp_sync_group"
    )
