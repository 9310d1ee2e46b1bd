from __future__ import annotations

import subprocess
import sys
import time

import pytest

from lvsd.core.conf.source import Statement
from tests.unit.core.conf.toy import Read

Tree = list[object]


def tree(statements: list[Statement]) -> Tree:
    return [
        " ".join(each.words) if each.body is None else (" ".join(each.words), tree(each.body)) for each in statements
    ]


@pytest.mark.parametrize(
    "main",
    [
        "box a {\n  size 1\n}\n",
        "box a\n{\n  size 1\n}",
        "box a{\nsize 1}",
        "box a { size 1 }",
        "box a\n\n# between\n{ size 1\n} # after",
        "box a { size 1! one\n}",
        "\tbox\ta\t{\r\n\tsize\t1\r\n}\r\n",
    ],
)
def test_braces_may_stand_in_every_style(main: str) -> None:
    assert tree(Read(main).statements) == [("box a", ["size 1"])]


def test_what_follows_a_brace_is_a_line_of_its_own() -> None:
    assert tree(Read("box a { size 1 } box b { size 2 lid { } }").statements) == [
        ("box a", ["size 1"]),
        ("box b", [("size 2 lid", [])]),
    ]


def test_braces_and_comment_signs_in_double_quotes_are_text() -> None:
    read = Read("box a {\nsize 1\non_open \"/bin/sh -c '{ true; } # x'\"\n}")
    assert not read.headlines
    assert read.store.boxes[0].on_open is not None
    assert read.store.boxes[0].on_open.argv == ("/bin/sh", "-c", "{ true; } # x")


def test_positions_are_those_of_the_file_also_in_one_line_blocks() -> None:
    assert Read("box a { size 1 }   box b { size ten }").headlines == [
        "main:1:33: error: size: 'ten' is not a whole number [bad-value]"
    ]


@pytest.mark.parametrize(
    ("main", "headline"),
    [
        ("box a {\nsize 1\n", "main:1:1: error: the block 'box a' is never closed by '}' [missing-brace]"),
        ("}\n", "main:1:1: error: '}' closes nothing [extra-brace]"),
        ("box a { size 1 } }", "main:1:18: error: '}' closes nothing [extra-brace]"),
        ("{\n}\n", "main:1:1: error: '{' opens a block without a name [extra-brace]"),
        ('settings { title "x }', "main:1:18: error: this quote is never closed [unclosed-quote]"),
        ("set\0tings", "main:1:4: error: the line holds a NUL character [bad-character]"),
    ],
)
def test_what_is_no_statement_is_said_with_its_place(main: str, headline: str) -> None:
    assert headline in Read(main).headlines


def test_all_errors_of_a_file_are_said_at_once() -> None:
    read = Read("}\nbox a { size x }\n}\nbox b { size 1 colour }\nbox c {\n")
    assert [each.line for each in read.diagnostics] == [1, 2, 3, 4, 5, 5]


@pytest.mark.parametrize(
    "main", ["{" * 20_000, "box a {" * 5_000, "}" * 20_000, "x " * 100_000, '"' * 20_001], ids=range(5)
)
def test_hostile_text_takes_no_more_than_its_length_deserves(main: str) -> None:
    start = time.process_time()
    assert Read(main).headlines
    assert time.process_time() - start < 5


def test_reading_settings_from_another_process_needs_no_lark() -> None:
    script = """
import pickle, sys
from lvsd.core.config import load
import subprocess
text = b"virtual_server 192.0.2.1 80 { real_server 192.0.2.2 80 { } }"
part = pickle.dumps(load("f", lambda name: text).config.check_part())
assert "lark" in sys.modules
code = "import sys, pickle; pickle.load(sys.stdin.buffer); assert 'lark' not in sys.modules; print('clean')"
print(subprocess.run([sys.executable, "-c", code], input=part, capture_output=True, check=True).stdout.decode())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "clean"
