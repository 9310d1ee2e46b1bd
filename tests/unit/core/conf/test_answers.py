from __future__ import annotations

from typing import Any

import pytest

from lvsd.core.conf.answers import (
    file_weight,
    md5_digest,
    payload,
    regex,
    regex_options,
    regex_stack,
    reply,
    status_codes,
)
from lvsd.core.conf.keyword import Reader, Unreadable
from lvsd.core.conf.types import BytePattern, FileWeight, StatusRange
from lvsd.core.conf.words import split_script

FREE_FORMAT = bytes.fromhex("ab120f03450654644312 03")


@pytest.mark.parametrize(
    ("reader", "line", "value"),
    [
        (status_codes, "200-204 301,302", (StatusRange(200, 204), StatusRange(301, 301), StatusRange(302, 302))),
        (md5_digest, "9B3A0C85A887A256D6939DA88AABD8CD", "9b3a0c85a887a256d6939da88aabd8cd"),
        (regex_options, "caseless dotall", ("caseless", "dotall")),
        (regex_stack, "1 8192", (1, 8192)),
        (payload, "Ab12f 3 456 546443123", FREE_FORMAT),
        (reply, "", BytePattern(b"", b"")),
        (reply, "1x X xX 7F", BytePattern(b"\x10\0\0\x7f", b"\xf0\xf0\0\xff")),
        (file_weight, "-2147483647", FileWeight(-2147483647)),
        (file_weight, "3 reverse", FileWeight(3, True)),
        (file_weight, "3 noreverse", FileWeight(3)),
    ],
)
def test_an_argument_is_read_and_written_back(reader: Reader[Any], line: str, value: object) -> None:
    assert reader.read(line.split()) == value
    assert reader.read(reader.write(value).split()) == value


@pytest.mark.parametrize("text", ["^a b$", r"\d+ [^\]]", 'say "x"', "a|b{2}"])
def test_a_regular_expression_is_written_as_the_second_tokenizer_reads_it(text: str) -> None:
    assert regex.script
    assert regex.read(split_script(regex.write(text))) == text


@pytest.mark.parametrize(
    ("reader", "words", "word", "part"),
    [
        (status_codes, ["200", "99"], 1, "100 to 999"),
        (status_codes, ["300-200"], 0, "end lies before"),
        (md5_digest, ["abc"], 0, "32 hexadecimal"),
        (regex, ["("], 0, "no regular expression"),
        (regex, ["^[[:digit:]]+$"], 0, "a class of PCRE2"),
        (regex_options, ["caseless", "upper"], 1, "no option"),
        (regex_stack, ["1", "x"], 1, "not a whole number"),
        (regex_stack, ["8", "4"], 1, "less than the 8"),
        (payload, ["00", "0x12"], 1, "hexadecimal digits$"),
        (reply, ["0x", "g"], 1, "and X"),
        (file_weight, ["2147483648"], 0, "out of range"),
        (file_weight, ["1", "back"], 1, "not allowed"),
    ],
)
def test_a_bad_argument_is_refused_at_its_word(reader: Reader[Any], words: list[str], word: int, part: str) -> None:
    with pytest.raises(Unreadable, match=part) as caught:
        reader.read(words)
    assert caught.value.word == word
