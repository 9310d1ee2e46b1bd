from __future__ import annotations

import pytest

from lvsd.core.conf.types import Command, Secret, Tracked
from tests.unit.core.conf.toy import Box, Lid, Read, Settings

WHOLE = """
settings { title "A store"
  floors 3 }
box first {
    size 2
    mass 5
    dry-time 0.5
    fragile
    on_open "/bin/say 'it opens'" me
    lid {
        lock hush
        tight off
    }
    things { a b
        c }
    tracks {
        x
        y weight 2 reverse
    }
    things { d }
}
list l {
    4
    5
}
"""


def test_a_file_becomes_the_declared_values() -> None:
    read = Read(WHOLE)
    assert not read.headlines
    assert read.store.settings == Settings(title="A store", floors=3)
    assert read.store.boxes == (
        Box(
            name="first",
            size=2,
            weight=5,
            dry_time=0.5,
            fragile=True,
            on_open=Command(("/bin/say", "it opens"), "me"),
            lid=Lid(lock=Secret("hush"), tight=False),
            things=("a", "b", "c", "d"),
            tracks=(Tracked("x"), Tracked("y", 2, True)),
        ),
    )
    assert read.store.lists[0].numbers == (4, 5)


@pytest.mark.parametrize(
    ("main", "headlines"),
    [
        ("box a {\n}", ["main:1:1: error: 'size' is missing in this box block [missing-keyword]"]),
        ("box {\nsize 1\n}", ["main:1:1: error: 'box' needs a value [missing-value]"]),
        ("box a b {\nsize 1\n}", ["main:1:7: error: 'b' is too much here [surplus-word]"]),
        ("settings x {\n}", ["main:1:10: error: 'settings' takes no name, 'x' is too much [surplus-word]"]),
        (
            "box a {\nsize 1\nsize\n}",
            [
                "main:3:1: warning: 'size' stands here again; this one counts, not that of line 2 [duplicate-keyword]",
                "main:3:1: error: 'size' needs a value [missing-value]",
            ],
        ),
        ("box a {\nsize 1 2\n}", ["main:2:8: warning: '2' is too much behind 'size', and left out [surplus-word]"]),
        (
            "box a {\nsize 1 mass 2\n}",
            ["main:2:8: error: 'mass' must begin a line of its own, here it is no keyword [one-statement-a-line]"],
        ),
        ("box a {\nsize { 1 }\n}", ["main:2:1: error: 'size' takes no block [unexpected-block]"]),
        (
            "box a {\nsize 1\nthings x\n}",
            ["main:3:1: error: 'things' opens a block, and '{' is missing [missing-brace]"],
        ),
        (
            "box a {\nsize 1\nthings { x { y }\n}\n}",
            ["main:3:10: error: no block may stand in 'things' [unexpected-block]"],
        ),
        ("box a {\nsize 1\nold\n}", ["main:3:1: warning: 'old' is deprecated: boxes do not age [deprecated]"]),
        ("box a {\nsize 1\ncolour red\n}", ["main:3:1: warning: 'colour' is read but not obeyed yet [not-obeyed]"]),
        ("list a {\n1\n100\n}", ["main:3:1: error: 100 is out of range, 0 to 99 is allowed [bad-value]"]),
        ("list a {\n1 2\n}", ["main:2:3: error: '2' is too much: one entry a line [surplus-word]"]),
        (
            "box a {\nsize 1\ntracks {\nx weigh 2\n}\n}",
            ["main:4:3: error: 'weigh' is no option of a tracker [bad-value]"],
        ),
    ],
)
def test_what_does_not_fit_the_declaration_is_said_with_its_place(main: str, headlines: list[str]) -> None:
    read = Read(main)
    assert read.headlines == headlines


@pytest.mark.parametrize(
    ("main", "suggestion"),
    [
        ("bax a { }", "did you mean 'box'?"),
        ("box a {\nsize 1\nmas 2\n}", "did you mean 'mass'?"),
        ("size 1", "it belongs in block 'box'"),
        ("box a {\nsize 1\nsettings { }\n}", "it belongs in the outermost level"),
        ("quite-different", ""),
    ],
)
def test_an_unknown_keyword_comes_with_a_way_out(main: str, suggestion: str) -> None:
    (found,) = Read(main).diagnostics
    assert found.code == "unknown-keyword"
    assert found.suggestion == suggestion


def test_a_forgotten_brace_is_one_error_and_not_one_for_each_line_of_the_body() -> None:
    assert [(each.line, each.code) for each in Read("box a\nsize 1\nfragile\nwhat\n}").diagnostics] == [
        (1, "missing-brace"),
        (5, "extra-brace"),
    ]


def test_a_block_with_an_error_is_left_out_and_the_others_are_there() -> None:
    read = Read("box a { size 0 }\nbox b { size 1 }")
    assert [each.name for each in read.store.boxes] == ["b"]


def test_blocks_without_a_name_that_stand_twice_are_one() -> None:
    read = Read("settings { title one }\nbox a { size 1 }\nsettings { floors 4 }")
    assert read.store.settings == Settings(title="one", floors=4)
    assert len(read.store.boxes) == 1


def test_the_binder_tells_where_a_value_is_written() -> None:
    read = Read(WHOLE)
    box, numbers = read.store.boxes[0], read.store.lists[0]
    where = read.binder.place
    assert (where(box).line, where(box).column) == (4, 1)
    assert (where(box, "name").line, where(box, "name").column) == (4, 5)
    assert where(box, "weight").line == 6
    assert [where(box, "things", each).line for each in range(4)] == [14, 14, 15, 20]
    assert where(box, "tracks", 1).line == 18
    assert where(box, "colour").line == 4  # not written: the block
    assert where(numbers, "numbers", 1).line == 24


def test_the_same_secret_text_is_never_part_of_a_message() -> None:
    shown = "".join(
        each.render() for each in Read("box a {\nsize 1\nlid {\nlock hush hush\nlck hush\n}\n}").diagnostics
    )
    assert shown.count("***") >= 1
    assert "'lock hush" not in shown


def test_a_block_has_synonyms_and_a_line_may_stand_several_times() -> None:
    read = Read("list a {\n1\n}\nledger b {\n2\n}\ndoor front\ndoor back\ndoor front\n")
    assert not read.headlines
    assert [each.name for each in read.store.lists] == ["a", "b"]
    assert read.store.doors == ("front", "back", "front")
    assert read.binder.place(read.store, "doors", 1).line == 8
    assert read.binder.place(read.store.lists[1], "name").column == 8
    assert Read("ledger {\n1\n}").headlines == ["main:1:1: error: 'ledger' needs a value [missing-value]"]


def test_what_the_root_lacks_is_said_of_the_file() -> None:
    read = Read("")
    assert (read.binder.place(read.store).file, read.binder.place(read.store, "settings").line) == ("main", 0)
