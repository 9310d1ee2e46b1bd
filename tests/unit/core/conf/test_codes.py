"""Every code that the engine can give is explained, and no other is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from lvsd.core.conf.codes import CODES, Code
from lvsd.core.rules import RULES

CORE = Path(__file__).resolve().parents[4] / "lvsd" / "core"
SEVERITIES = ("error", "warning")


def texts(node: ast.expr) -> Iterator[str]:
    """The literals that an expression may come to."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=body, orelse=other):
            yield from texts(body)
            yield from texts(other)


def given() -> Iterator[tuple[str, str]]:
    """Code and severity ("" where it is worked out) of every diagnostic that is made in the source."""
    for path in sorted([*CORE.glob("*.py"), *(CORE / "conf").glob("*.py")]):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Attribute(value=of, attr=severity), args=[first, *_]) if (
                    severity in SEVERITIES and ast.unparse(of).endswith("report")
                ):
                    yield from ((code, severity) for code in texts(first))
                case ast.Call(func=ast.Name(id="Diagnostic"), args=[_, second, *_]):
                    yield from ((code, "") for code in texts(second))


def test_every_code_of_the_engine_is_explained_and_no_other() -> None:
    assert {code for code, _ in given()} == {each.code for each in CODES}


def test_a_code_has_the_severity_that_it_is_said_to_have() -> None:
    for each in CODES:
        found = {severity for code, severity in given() if code == each.code}
        assert each.severity == (found.pop() if len(found) == 1 else ""), each.code


@pytest.mark.parametrize("code", CODES, ids=lambda each: each.code)
def test_an_explanation_says_something(code: Code) -> None:
    assert code.title.endswith(".")
    assert code.explanation.endswith(".")
    assert len(code.explanation.split()) > 12
    assert code.title not in code.explanation


def test_codes_stand_in_alphabetical_order() -> None:
    assert [each.code for each in CODES] == sorted({each.code for each in CODES})


@pytest.mark.xfail(reason="the docstrings of the rules are being written", strict=True)
def test_every_rule_explains_itself() -> None:
    assert [each.code for each in RULES if not each.check.__doc__] == []
