from __future__ import annotations

import pytest

from lvsd.core.conf.diagnose import Report
from lvsd.core.conf.expand import Expander, Surroundings, alternatives
from lvsd.core.conf.syntax import parse
from tests.unit.core.conf.toy import Read


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("a", ["a"]),
        ("a{b,c}d", ["abd", "acd"]),
        ("{a,b}{1,2}", ["a1", "a2", "b1", "b2"]),
        ("x{a,{b,c}}", ["xa", "xb", "xc"]),
        ("x{,y}", ["x", "xy"]),
        ("open{a", ["open{a"]),
    ],
)
def test_braces_in_a_pattern_are_alternatives(pattern: str, meant: list[str]) -> None:
    assert alternatives(pattern) == meant


def test_an_included_file_stands_in_the_place_of_its_line() -> None:
    read = Read(
        "box a {\ninclude size.inc\n}\ninclude b*.inc\n",
        size_inc="size 3\n",
        b1_inc="box b { size 1 }",
        b2_inc="box c { size 2 }",
    )
    assert [(each.name, each.size) for each in read.store.boxes] == [("a", 3), ("b", 1), ("c", 2)]
    assert not read.headlines


def test_relative_names_start_from_the_including_files_folder() -> None:
    files = {"etc/main": b"include sub/one", "etc/sub/one": b"include two", "etc/sub/two": b"settings { title deep }"}
    report = Report()
    expander = Expander(files.__getitem__, None, Surroundings(), report)
    (statement,) = parse("etc/main", [], expander, report)
    assert statement.source.name == "etc/sub/two"
    assert statement.source.includes == ("etc/main:1", "etc/sub/one:1")
    assert expander.files == ["etc/main", "etc/sub/one", "etc/sub/two"]


def test_a_finding_in_an_included_file_names_the_way_to_it() -> None:
    (found,) = Read("\ninclude one.inc", one_inc="include two.inc", two_inc="\n  bax a {\n }").diagnostics
    assert (found.file, found.line, found.column) == ("two.inc", 2, 3)
    assert found.place.includes == ("main:2", "one.inc:1")


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        ("include none.*", []),
        ("include none", ["warning cannot-read"]),
        ("includer none", ["error cannot-read"]),
        ("includem none.*", ["error no-match"]),
        ("includew none.*", ["error no-match"]),
        ("includeb {main,none}.inc", ["error cannot-read", "error cannot-read"]),
        ("includea none.*", ["error no-match"]),
        ("include main", ["error include-loop"]),
        ("include", ["error missing-value"]),
        ('include "a', ["error unclosed-quote"]),
    ],
)
def test_the_forms_of_include_differ_in_what_they_forgive(line: str, codes: list[str]) -> None:
    assert [f"{each.severity.value} {each.code}" for each in Read(line).diagnostics] == codes


def test_a_loop_over_two_files_ends_with_an_error() -> None:
    assert [each.code for each in Read("include a.inc", a_inc="include main").diagnostics] == ["include-loop"]


@pytest.mark.parametrize(("config_id", "title"), [("lb1", "first"), ("lb2", "other"), ("", "other")])
def test_conditional_lines_count_for_their_id(config_id: str, title: str) -> None:
    read = Read("settings {\n@lb1 title first\n@^lb1 title other\n}", config_id=config_id)
    assert read.store.settings is not None
    assert read.store.settings.title == title
    assert not read.headlines


def test_definitions_are_put_in_where_they_are_used_with_the_value_of_that_moment() -> None:
    read = Read("$N=1\n$M=${N}\n$N=2\nbox a { size $M }\nbox b${N}c { size ${N}\n}\n")
    assert [(each.name, each.size) for each in read.store.boxes] == [("a", 2), ("b2c", 2)]


def test_predefined_names_are_known() -> None:
    read = Read("settings { title ${_INSTANCE}${_HASH}${_BANG}${_PWD} }", config_id="me")
    assert read.store.settings is not None
    assert read.store.settings.title == "me#!."


def test_an_error_in_an_expanded_line_points_at_the_name_that_brought_it() -> None:
    (found,) = Read("$N=ten\nbox a {\n  size ${N}\n}").diagnostics
    assert (found.line, found.column, found.place.width, found.place.source_line) == (3, 8, 4, "  size ${N}")
    (found,) = Read("$N=a\nbox ${N} { size 1 } bax ${N} { }").diagnostics
    assert (found.line, found.column) == (2, 21)


def titles(main: str, config_id: str = "", **files: str) -> list[str]:
    """What the titles of a text's boxes come to; the text must be clean."""
    read = Read(main, config_id, **files)
    assert not read.headlines
    return [each.name for each in read.store.boxes]


BOX = "box %s { size 1 }"


@pytest.mark.parametrize(
    ("main", "names"),
    [
        # definitions
        ("$A=foo\nbox $A { size 1 }", ["foo"]),
        ("  $A= foo  # comment\nbox $A { size 1 }", ["foo"]),
        ('$A="a # b"\nbox $A { size 1 }', ["a # b"]),
        ('$A=foo\nbox "x ${A} y" { size 1 }', ["x foo y"]),
        ("$A=foo\nbox x${A}y { size 1 }", ["xfooy"]),
        ("$A=foo\nbox $A.b { size 1 }", ["$A.b"]),
        ("$A=one\n$B=$A\n$A=two\nbox $B { size 1 }", ["two"]),
        ("$I=\nbox a$I { size 1 }\n$I", ["a"]),
        ("$A=box a { size 1 }\n$A", ["a"]),
        ("$B={\n$E=}\nbox a $B\nsize 1\n$E", ["a"]),
        ("settings { $A=foo }\nbox $A { size 1 }", ["foo"]),
        ("$A=b=c\nbox $A { size 1 }", ["b=c"]),
        ("settings { $A=${B}x }\n$B=b\nbox $A { size 1 }", ["bx"]),
        ("box ${_ENV COLOUR} { size 1 }", ["red"]),
        # definitions of several lines
        ("$M=box a { \\\n size 1 \\  \n }\n$M", ["a"]),
        ("$M=\\\nbox a { \\\nsize 1 # one \\\n# nothing \\\n}\n$M\nbox b {size 1}", ["a", "b"]),
        ("$M={ \\\nsize 1 \\\n}\nbox a $M\nbox b${M}", ["a", "b"]),
        ("$S=size 1 \\\n# end\nsettings {\ntitle x\n}\nbox a {\n$S\n}", ["a"]),
        ("$S=size ${N} \\\nfragile\n$M=box b$N { \\\n$S\n$N=1\n$M\n}", ["b1"]),
        # conditions
        ("@x $M=box a { \\\n size 1 \\\n}\n@^x $M=box b { \\\n size 1 \\\n}\n$M", ["b"]),
        ("@x box a {\n@^x box b {\nsize 1\n}", ["b"]),
        ("box a {\nsize 1\n@x mass 2 }\n}", ["a"]),
        # sequences
        ("~SEQ(i,3) box b$i { size 1 }", ["b1", "b2", "b3"]),
        ("~SEQ( i , 2 , 4 )box b${i} { size 1 }", ["b2", "b3", "b4"]),
        ("~SEQ(i,1,3,9) box b$i { size 1 }", ["b1", "b4", "b7"]),
        ("~SEQ(i,1,10,5) box b$i { size 1 }", ["b1"]),
        ("~SEQ(i,4,2) box b$i { size 1 }", ["b4", "b3", "b2"]),
        ("~SEQ(i,-2,1) box b$i { size 1 }", ["b-2", "b-1", "b0", "b1"]),
        ("~SEQ(i,9,-3,1) box b$i { size 1 }", ["b9", "b6", "b3"]),
        ("~SEQ(i,0) box b$i { size 1 }", ["b1", "b0"]),
        ("~SEQ(i,-2) box b$i { size 1 }", ["b-1", "b-2"]),
        ("~SEQ(i,0x8,010) box b$i { size 1 }", ["b8"]),
        ("~SEQx(i,254,257) box b$i { size 1 }", ["bfe", "bff", "b100", "b101"]),
        ("$LO=2\n$HI=3\n~SEQ(i,$LO,${HI}) box b$i { size 1 }", ["b2", "b3"]),
        ("~SEQ(i,1,2) ~SEQ(j,1,2) box b${i}-$j { size 1 }", ["b1-1", "b1-2", "b2-1", "b2-2"]),
        ("~SEQ(i,1,2) ~SEQ(j,1,$i) box b${i}-$j { size 1 }", ["b1-1", "b2-1", "b2-2"]),
        ("~SEQ(i,1,2)\nbox b$i { size 1 }", ["b2"]),
        ("$M=box b${i} { \\\nsize 1 \\\n}\n~SEQ(i,1,2) $M", ["b1", "b2"]),
        ("$A=~SEQ(i,1,2) box b$i { size 1 }\n$A", ["b1", "b2"]),
        ("@x ~SEQ(i,1,2) box b$i { size 1 }\n~SEQ(i,1,2) @^x box c$i { size 1 }", ["c1", "c2"]),
        # lists
        ("~LST(v, a, b ,c) box $v { size 1 }", ["a", "b", "c"]),
        ("~LST({a,b},{1,2},{3,4}) box ${a}-$b { size 1 }", ["1-2", "3-4"]),
        ("~LST({a,b},{1},{}, {,4}) box x${a}-$b { size 1 }", ["x1-", "x-", "x-4"]),
        ("$Q=q\n~LST(v,$Q,b) box $v { size 1 }", ["q", "b"]),
        ("~LST(v,a,b) ~SEQ(i,1,2) box ${v}$i { size 1 }", ["a1", "a2", "b1", "b2"]),
        # behind text they are words
        ("box a {\nsize 1\nthings { ~SEQ(i,1,2) t$i\n}\n}", ["a"]),
    ],
)  # fmt: skip
def test_names_conditions_and_repetitions_come_to_what_keepalived_makes_of_them(main: str, names: list[str]) -> None:
    assert titles(main) == names


def test_a_sequence_may_bring_files_and_entries() -> None:
    assert titles("~SEQ(i,1,2) include f${i}.inc", f1_inc=BOX % "a", f2_inc=BOX % "b") == ["a", "b"]
    assert titles("$F=f1.inc\ninclude ${F}\n@me include f2.inc", "me", f1_inc=BOX % "a", f2_inc=BOX % "b") == ["a", "b"]
    (box,) = Read("box a { size 1\nthings {\n~SEQ(i,1,3) t$i\n}\n}").store.boxes
    assert box.things == ("t1", "t2", "t3")


def test_an_error_in_a_definition_of_several_lines_is_told_where_it_stands_and_where_it_is_used() -> None:
    (found,) = Read("$M=box a { \\\n  size ten \\\n}\n\n$M").diagnostics
    assert (found.line, found.column, found.place.source_line) == (2, 8, "  size ten \\")
    assert found.place.includes == ("main:5 ($M)",)
    assert "included from main:5 ($M)" in found.render()


def test_random_numbers_keep_to_their_range_and_follow_their_seed() -> None:
    main = "~SEQ(i,1,50) box b${i}-${_RANDOM 5 9} { size 1 }"
    first, again = titles(main), titles(main)
    assert first == again
    assert {name.rpartition("-")[2] for name in first} == {"5", "6", "7", "8", "9"}
    assert [each.name for each in Read(f"random_seed 7\n{main}").store.boxes] != first


@pytest.mark.parametrize(
    ("main", "codes"),
    [
        ("settings { title ${NO} }", ["undefined"]),
        ("settings { title $NO }", ["undefined"]),
        ("settings { title \"$NO z ${HOME}\" }", []),
        ("$HOMES=x\nsettings { title \"${HOME}\" }", ["undefined"]),
        ("$A=$A\nsettings { title $A }", ["endless-definition"]),
        ("$A=$B$B$B\n$B=$A$A\nsettings { title ${A} }", ["endless-definition"]),
        ("$M=a \\\nb\nsettings { title $M }", ["definition-not-last"]),
        ("$M=settings { \\\n}\n$N=$M\n$N", ["definition-not-last", "unknown-keyword"]),
        ("$M=a \\", ["unfinished-definition"]),
        ("~SEQ(i,1,0,3) x", ["bad-repetition"]),
        ("~SEQ(i,1,-1,3) x", ["bad-repetition"]),
        ("~SEQ(i,08) x", ["bad-repetition"]),
        ("~SEQ(i,x) x", ["bad-repetition"]),
        ("~SEQ(i) x", ["bad-repetition"]),
        ("~SEQ(i,1,2 x", ["bad-repetition"]),
        ("~SEQ i", ["bad-repetition"]),
        ("~SEQx(i,-1,2) x", ["bad-repetition"]),
        ("~LST(v) x", ["bad-repetition"]),
        ("~LST(v,\"a b\") x", ["bad-repetition"]),
        ("~LST({a},{1,2}) x", ["bad-repetition"]),
        ("~LST({a},1) x", ["bad-repetition"]),
        ("~FOO(1) x", ["unknown-keyword"]),
        ("$F=x\ninclude $F", ["cannot-read"]),
        ("@lb1 include x", []),
    ],
)  # fmt: skip
def test_what_cannot_be_expanded_is_said_and_never_misread(main: str, codes: list[str]) -> None:
    assert [each.code for each in Read(main).diagnostics] == codes


def test_a_definition_of_several_lines_that_uses_itself_ends() -> None:
    read = Read("$M=settings { \\\n} \\\n$M\n$M")
    assert "endless-definition" in {each.code for each in read.diagnostics}


def test_a_repetition_without_end_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    from lvsd.core.conf import expand

    monkeypatch.setattr(expand, "LINES_MOST", 1000)
    read = Read("~SEQ(i,1,1000000000) box b$i { size 1 }\n~SEQ(i,1,100000) ~SEQ(j,1,100000) settings { title ${i} }")
    assert [each.code for each in read.diagnostics].count("too-much") == 1
    assert len(read.store.boxes) == 1000


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        ("include_check\ninclude none", ["cannot-read"]),
        ("include_check match\ninclude none.*", ["no-match"]),
        ("include_check\ninclude_check -read -match\ninclude none", []),
    ],
)
def test_the_policy_of_includes_counts_for_those_that_follow(line: str, codes: list[str]) -> None:
    errors = [
        each.code
        for each in Read(line).diagnostics
        if each.code != "unknown-keyword" and each.severity.value == "error"
    ]
    assert errors == codes


def test_wildcards_without_a_way_to_look_them_up_are_an_error() -> None:
    report = Report()
    parse("main", [], Expander({"main": b"include *.conf"}.__getitem__, None, Surroundings(), report), report)
    assert [each.code for each in report.found] == ["cannot-include"]
