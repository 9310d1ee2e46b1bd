"""The two ways in which the language cuts a line into words: plain, and like a shell for programs and patterns."""

from __future__ import annotations

import re
from collections.abc import Sequence

BLANKS = " \t\r\f\v"
_SIMPLE_ESCAPES = {"a": "\a", "b": "\b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_OCTAL = re.compile("[0-7]{1,3}")
_HEXADECIMAL = re.compile("[0-9a-fA-F]{1,2}")


class TokenError(Exception):
    """A line that cannot be cut. at: offset of the offending character."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.message = message
        self.at = at


def without_comment(line: str) -> str:
    """The line up to the first `#` or `!` outside double quotes; `\\#` and `\\!` are kept for the tokenizers."""
    inside = False
    index = 0
    while index < len(line):
        letter = line[index]
        if letter == "\\":
            index += 1
        elif letter == '"':
            inside = not inside
        elif letter in "#!" and not inside:
            return line[:index]
        index += 1
    return line


def split_plain(line: str) -> list[tuple[str, int, int]]:
    """Words with their start and end. A word in double quotes runs to the next double quote, blanks and all."""
    words: list[tuple[str, int, int]] = []
    index, end = 0, len(line)
    while index < end:
        if line[index] in BLANKS:
            index += 1
            continue
        start = index
        if line[index] == '"':
            close = line.find('"', index + 1)
            if close < 0:
                raise TokenError("this quote is never closed", index)
            words.append((line[index + 1 : close], start, close + 1))
            index = close + 1
            continue
        while index < end and line[index] not in BLANKS and line[index] != '"':
            index += 2 if line[index] == "\\" and line[index + 1 : index + 2] in ("#", "!") else 1
        words.append((line[start:index].replace("\\#", "#").replace("\\!", "!"), start, index))
    return words


def split_script_spans(line: str) -> list[tuple[str, int, int]]:
    """Words with their start and end, cut as a shell does: quotes of both kinds, parts that touch are one word, escapes
    of C behind a backslash outside single quotes."""
    words: list[tuple[str, int, int]] = []
    index, end = 0, len(line)
    while index < end:
        if line[index] in BLANKS:
            index += 1
            continue
        start = index
        parts: list[str] = []
        quote, opened = "", 0
        while index < end and (quote or line[index] not in BLANKS):
            letter = line[index]
            if letter == quote:
                quote = ""
                index += 1
            elif not quote and letter in "\"'":
                quote, opened = letter, index
                index += 1
            elif letter == "\\" and quote != "'":
                part, index = _escape(line, index)
                parts.append(part)
            else:
                parts.append(letter)
                index += 1
        if quote:
            raise TokenError("this quote is never closed", opened)
        words.append(("".join(parts), start, index))
    return words


def _escape(line: str, at: int) -> tuple[str, int]:
    """The character that an escape at `at` stands for, and where it ends."""
    letter = line[at + 1 : at + 2]
    if not letter:
        return "\\", at + 1
    if letter in _SIMPLE_ESCAPES:
        return _SIMPLE_ESCAPES[letter], at + 2
    if octal := _OCTAL.match(line, at + 1):
        return chr(int(octal.group(), 8) & 0xFF), octal.end()
    if letter == "x" and (digits := _HEXADECIMAL.match(line, at + 2)):
        return chr(int(digits.group(), 16)), digits.end()
    if letter == "c" and at + 2 < len(line):
        return chr(ord(line[at + 2]) & 0x1F), at + 3
    return letter, at + 2


def split_script(line: str) -> list[str]:
    return [word for word, _, _ in split_script_spans(line)]


def join_script(words: Sequence[str]) -> str:
    """A line that split_script cuts into these words again."""
    return " ".join(map(_quote, words))


def _quote(word: str) -> str:
    if word and not re.search(r"""[\s"'\\#!{}$\x00-\x1f]""", word):
        return word
    return '"' + re.sub(r'[\\"]', lambda found: "\\" + found.group(), word) + '"'
