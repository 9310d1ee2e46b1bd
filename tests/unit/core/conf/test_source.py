from __future__ import annotations

import pytest

from lvsd.core.conf.source import SHOWN_MOST, Line, Origin, Source, Statement, decode

EXPANDED = Origin([(0, 0, 0), (2, 2, 10), (5, 12, 0)])


def part(source: Source, words: list[str], text: str, start: int, origin: Origin | None = None) -> Statement:
    return Statement(source, 1, words, Line(source, 1, text, start, origin))


def test_lines_end_with_or_without_carriage_return_and_a_mark_at_the_start_is_dropped() -> None:
    source, right = decode("f", b"\xef\xbb\xbfone\r\ntwo\n")
    assert source.lines == ["one", "two", ""]
    assert right


def test_a_file_that_is_not_utf8_is_read_as_latin1_and_said_so() -> None:
    source, right = decode("f", b"caf\xe9")
    assert source.lines == ["café"]
    assert not right


def test_a_place_never_holds_control_characters() -> None:
    place = Source("f", ["\tred \x1b[31m\x00"]).place(1)
    assert place.source_line == "\tred \N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("statement", "word", "column", "width"),
    [
        (Statement(Source("f", ["  key  value"]), 1, ["key", "value"]), 1, 8, 5),
        (Statement(Source("f", ["  key  value"]), 1, ["key", "value"]), 9, 8, 5),
        (part(Source("f", ['a { key "one two" }']), ["key", "one two"], ' key "one two" ', 3), 1, 9, 9),
        # "  ${KEYWORD} 1" became "  key 1": the name's place is that of its use, and what follows is moved.
        (part(Source("f", ["  ${KEYWORD} 1"]), ["key", "1"], "key 1", 2, EXPANDED), 0, 3, 10),
        (part(Source("f", ["  ${KEYWORD} 1"]), ["key", "1"], "key 1", 2, EXPANDED), 1, 14, 1),
    ],
)
def test_columns_are_worked_out_from_the_text(statement: Statement, word: int, column: int, width: int) -> None:
    place = statement.place(word)
    assert (place.line, place.column, place.width) == (1, column, width)


def test_a_line_without_end_is_not_shown_whole() -> None:
    source = Source("f", ["x" * 10_000])
    assert source.place(1, 5).source_line == "x" * SHOWN_MOST
    assert (source.place(1, 9_000).source_line, source.place(1, 9_000).column) == ("", 9_000)
