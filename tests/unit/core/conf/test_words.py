from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvsd.core.conf.words import TokenError, join_script, split_plain, split_script, without_comment


def plain(line: str) -> list[str]:
    return [word for word, _, _ in split_plain(line)]


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("a b # c", "a b "),
        ("a!b", "a"),
        ('a "# not" # but', 'a "# not" '),
        (r"a \# b ! c", r"a \# b "),
        ("! all", ""),
        ("nothing", "nothing"),
        (r'"a \" # b" # c', r'"a \" # b" '),
    ],
)
def test_a_comment_begins_outside_double_quotes(line: str, kept: str) -> None:
    assert without_comment(line) == kept


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a  b\tc", ["a", "b", "c"]),
        ('x "a b" c', ["x", "a b", "c"]),
        ('ab"c d"', ["ab", "c d"]),
        ('""', [""]),
        ("it's 'one two'", ["it's", "'one", "two'"]),
        (r"a\#b c\!", ["a#b", "c!"]),
        ("", []),
    ],
)
def test_the_plain_tokenizer_cuts_at_blanks_and_double_quotes(line: str, words: list[str]) -> None:
    assert plain(line) == words


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a 'b c' \"d e\"", ["a", "b c", "d e"]),
        ("ab'c d'\"e f\"g", ["abc de fg"]),
        (r"a\ b \x41\102\n", ["a b", "AB\n"]),
        (r"'a\n'", [r"a\n"]),
        (r'"\"" \cA', ['"', "\x01"]),
        ("''", [""]),
        ("a\\", ["a\\"]),
    ],
)
def test_the_script_tokenizer_cuts_as_a_shell_does(line: str, words: list[str]) -> None:
    assert split_script(line) == words


def test_words_know_where_they_stand() -> None:
    assert split_plain('ab "c d" e') == [("ab", 0, 2), ("c d", 3, 8), ("e", 9, 10)]


@pytest.mark.parametrize(("cut", "line", "at"), [(split_plain, 'a "b', 2), (split_script, "a b'c", 3)])
def test_an_open_quote_is_an_error_at_the_quote(cut: object, line: str, at: int) -> None:
    with pytest.raises(TokenError) as caught:
        cut(line)  # type: ignore[operator]
    assert caught.value.at == at


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=0), min_size=1))
def test_what_is_joined_is_cut_into_the_same_words(words: list[str]) -> None:
    assert split_script(join_script(words)) == words
