from __future__ import annotations

import json

from lvsd.core.conf.diagnose import FOUND_MOST, Diagnostic, Place, Report, Severity, allowed, suggest

LINE = Place("a.conf", 3, 7, 4, "\tabc  wrong word", ("main.conf:9", "b.conf:2"))


def test_a_diagnostic_shows_its_line_a_caret_its_way_and_its_suggestion() -> None:
    shown = Diagnostic(Severity.ERROR, "some-code", "this is wrong", LINE, "try that").render()
    assert shown.splitlines() == [
        "a.conf:3:7: error: this is wrong [some-code]",
        "  3 | \tabc  wrong word",
        "    | \t     ^^^^",
        "    included from b.conf:2",
        "    included from main.conf:9",
        "    try that",
    ]


def test_a_finding_on_a_whole_file_has_no_line() -> None:
    assert Diagnostic(Severity.WARNING, "c", "odd", Place("a.conf")).render() == "a.conf: warning: odd [c]"


def test_a_diagnostic_is_json() -> None:
    as_dict = Diagnostic(Severity.ERROR, "c", "t", LINE, "s").as_dict()
    assert json.loads(json.dumps(as_dict)) == {
        "severity": "error",
        "code": "c",
        "text": "t",
        "file": "a.conf",
        "line": 3,
        "column": 7,
        "width": 4,
        "source": "\tabc  wrong word",
        "includes": ["main.conf:9", "b.conf:2"],
        "suggestion": "s",
    }


def test_findings_are_kept_once_and_sorted_by_file_and_place() -> None:
    report = Report()
    report.warning("w", "later", Place("b", 1, 1))
    report.error("e", "second", Place("a", 2, 1))
    report.error("e", "first", Place("a", 1, 5))
    report.error("e", "first", Place("a", 1, 5))
    assert [each.text for each in report.sorted(["a", "b"])] == ["first", "second", "later"]
    assert report.errors == 3


def test_what_stands_behind_a_secret_keyword_is_not_shown() -> None:
    report = Report(["auth_pass"])
    for line, column in (
        ("  auth_pass hush", 13),
        ('  Auth_Pas "hush hush" more', 24),
        ("auth_type PASS auth_pass hush x", 31),
    ):
        report.error("e", "t", Place("a", 1, column, 4, line))
    for each in report.found:
        assert "hush" not in each.render()
        assert "more" not in each.render()
        assert each.place.source_line[each.column - 1 :] == "***"
        assert each.place.width == 3


def test_near_words_are_proposed_and_far_ones_are_not() -> None:
    assert suggest("prioritty", ["priority", "interface"]) == "did you mean 'priority'?"
    assert suggest("xyz", ["priority"]) == ""
    assert allowed(["NAT", "DR"], "NTA") == "did you mean 'NAT'? allowed: NAT, DR"
    assert allowed([]) == ""


def test_a_file_of_nothing_but_errors_does_not_fill_the_memory() -> None:
    report = Report()
    for number in range(FOUND_MOST * 2):
        report.error("e", "t", Place("a", number + 1, 1))
    shown = report.sorted(["a"])
    assert report.errors == FOUND_MOST * 2
    assert len(shown) == FOUND_MOST + 1
    assert shown[0].code == "too-many"
    assert shown[0].severity is Severity.ERROR


def test_too_many_warnings_are_no_error() -> None:
    report = Report()
    for number in range(FOUND_MOST + 1):
        report.warning("w", "t", Place("a", number + 1, 1))
    assert report.sorted(["a"])[0].code == "too-many"
    assert {each.severity for each in report.sorted(["a"])} == {Severity.WARNING}


def test_a_finding_that_is_made_again_and_again_is_one_finding() -> None:
    report = Report()
    for _ in range(FOUND_MOST * 2):
        report.error("e", "t", Place("a", 1, 1))
    assert [each.code for each in report.sorted(["a"])] == ["e"]


def test_a_short_secret_keyword_hides_only_what_begins_with_it() -> None:
    report = Report(["key"])
    for number, line in enumerate(("key 1 hush", "keys hush", "kernel_rx_buf 5", "monkey 5"), 1):
        report.error("e", "t", Place("a", number, 1, source_line=line))
    shown = [each.place.source_line for each in report.sorted(["a"])]
    assert shown == ["key ***", "keys ***", "kernel_rx_buf 5", "monkey 5"]
