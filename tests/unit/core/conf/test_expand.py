from __future__ import annotations

import pytest

from lvsd.core.conf.diagnose import Report
from lvsd.core.conf.expand import Expander, alternatives
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
    expander = Expander(files.__getitem__, None, "", report)
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


def test_an_error_in_an_expanded_line_shows_the_line_as_written() -> None:
    (found,) = Read("$N=ten\nbox a {\n  size ${N}\n}").diagnostics
    assert (found.line, found.column, found.place.source_line) == (3, 3, "  size ${N}")


@pytest.mark.parametrize(
    ("main", "code"),
    [
        ("settings { title ${NO} }", "undefined"),
        ("$A=$A\nsettings { title $A }", "endless-definition"),
        ("~SEQ(i, 1, 3) box b$i { size 1 }", "not-supported"),
        ("~LST(i, a, b) box b$i { size 1 }", "not-supported"),
        ("$A=one \\\ntwo", "not-supported"),
        ("@lb1 include x", None),
        ("$F=x\ninclude $F", "cannot-read"),
        ("@^lb1 include x", "not-supported"),
    ],
)
def test_what_cannot_be_expanded_is_said_and_never_misread(main: str, code: str | None) -> None:
    codes = [each.code for each in Read(main).diagnostics]
    assert (code in codes) if code else (codes == [])


def test_wildcards_without_a_way_to_look_them_up_are_an_error() -> None:
    report = Report()
    parse("main", [], Expander({"main": b"include *.conf"}.__getitem__, None, "", report), report)
    assert [each.code for each in report.found] == ["cannot-include"]
