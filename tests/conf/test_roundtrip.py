"""What is dumped is read again as the same: every block with made-up values of every keyword, derived from the declarations.
A keyword whose values nobody knows how to make up fails by its name."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lvsd.core.conf.bind import Binder
from lvsd.core.conf.diagnose import Place, Report
from lvsd.core.conf.dump import dump
from lvsd.core.conf.expand import Expander, Surroundings
from lvsd.core.conf.keyword import KEYWORD, Keyword, Reader, declaration, reachable
from lvsd.core.conf.syntax import parse
from lvsd.core.conf.values import Secret
from lvsd.core.root import Root
from lvsd.vrrp.settings import VrrpSyncGroup
from tests.conf.written import SECRET, values_of_form, written

KINDS = reachable(Root)


def fields(kind: type) -> dict[str, Keyword]:
    return {item.name: item.metadata[KEYWORD] for item in dataclasses.fields(kind)}


def can_come_back(keyword: Keyword) -> bool:
    """A secret does not, nor a keyword that makes an error wherever it stands."""
    reader = reader_of(keyword)
    return not (reader is not None and reader.secret) and (keyword.obeyed or not keyword.vital)


def reader_of(keyword: Keyword) -> Reader[Any] | None:
    return keyword.entries or keyword.reader


BACK = [
    kind
    for kind in KINDS
    if kind is Root
    or any(kind in keyword.blocks and can_come_back(keyword) for up in KINDS for keyword in fields(up).values())
]
"""Blocks that can stand in a configuration which is taken."""
EXAMPLES = max(3, (30_000 if os.environ.get("LVSD_PROOF") else 300) // len(KINDS))


KEYWORDS = [
    (f"{declaration(kind).name or 'root'}.{name}", reader)
    for kind in KINDS
    for name, keyword in fields(kind).items()
    if (reader := reader_of(keyword)) is not None
]


@pytest.mark.parametrize("reader", [pytest.param(reader, id=name) for name, reader in KEYWORDS])
def test_values_of_every_keyword_can_be_made_up(reader: Reader[Any]) -> None:
    written(reader)


# --- blocks


def field_values(keyword: Keyword, depth: int) -> SearchStrategy[Any]:
    if keyword.blocks:
        one = st.one_of([block_values(kind, depth + 1) for kind in keyword.blocks])
        return st.lists(one, min_size=1, max_size=2).map(tuple) if keyword.repeats else one
    reader = reader_of(keyword)
    assert reader is not None
    if keyword.entries is not None:  # an empty line is no entry
        return st.lists(written(reader).filter(reader.write), min_size=1, max_size=3).map(tuple)
    if keyword.repeats:
        return st.lists(written(reader), min_size=1, max_size=3).map(tuple)
    return written(reader)


@st.composite
def block_values(draw: st.DrawFn, kind: type, depth: int = 0) -> Any:
    """A block with about half of its keywords, fewer and fewer the deeper it stands."""
    values: dict[str, Any] = {}
    most = (1000, 4, 2, 1, 0, 0)[depth]
    free = [name for name, keyword in fields(kind).items() if not keyword.required and can_come_back(keyword)]
    chosen = (
        {name for name in free if draw(st.booleans())} if most > len(free) else set(draw(st.permutations(free))[:most])
    )
    for name, keyword in fields(kind).items():
        if keyword.required or name in chosen:
            values[name] = draw(field_values(keyword, depth))
    return kind(**values)


def parent_of(kind: type) -> tuple[type, str, Keyword]:
    return next((up, name, each) for up in KINDS for name, each in fields(up).items() if kind in each.blocks)


@st.composite
def configurations(draw: st.DrawFn, kind: type) -> Root:
    """A configuration with one block of the kind in it, and around it the blocks that it stands in."""
    bound = draw(block_values(kind))
    while kind is not Root:
        kind, name, keyword = parent_of(kind)
        required = {
            each: draw(field_values(needed, 3))
            for each, needed in fields(kind).items()
            if needed.required and each != name
        }
        bound = kind(**required, **{name: (bound,) if keyword.repeats else bound})
    return bound


def read_back(text: str) -> tuple[Any, str]:
    """The root block and the errors, without the rules across keywords: made-up values fit each other by chance only."""
    report = Report()
    expander = Expander(lambda name: text.encode(), None, Surroundings(), report)
    root = Binder(Root, report).bind(parse("dump", [], expander, report), Place("dump"))
    # A vital keyword that is not obeyed is an error, and is read all the same.
    errors = [each for each in report.sorted(["dump"]) if each.severity.value == "error" and each.code != "not-obeyed"]
    return root, "\n".join(each.render() for each in errors)


@pytest.mark.parametrize("kind", BACK, ids=lambda kind: declaration(kind).name or "root")
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # a failure is shown as it came: making it smaller takes minutes
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_what_is_dumped_is_read_as_the_same(kind: type, data: st.DataObject) -> None:
    root = data.draw(configurations(kind))
    text = dump(root)
    again, errors = read_back(text)
    assert errors == "", text
    assert again == root, text
    assert dump(again) == text


@pytest.mark.parametrize("name", ["@x", "@^x", "~SEQ(i,1,2)", "include", "a#b", "a!b", "{", "}", "a b", "\\", "$"])
def test_a_name_that_means_something_at_the_start_of_a_line_is_read_as_a_name(name: str) -> None:
    root = Root(groups=(VrrpSyncGroup(name=name, group=("first", name)),))  # type: ignore[call-arg]
    again, errors = read_back(dump(root))
    assert errors == "", dump(root)
    assert again == root, dump(root)


# --- secrets


def secret_values(reader: Reader[Any]) -> list[Any]:
    plain = reader.read([SECRET]) if reader.least <= 1 else None
    return [plain] if isinstance(plain, Secret) else values_of_form(reader)


SECRETS = [
    (kind, name, keyword)
    for kind in KINDS
    for name, keyword in fields(kind).items()
    if (reader := reader_of(keyword)) is not None and reader.secret
]


def test_there_are_secrets() -> None:
    assert SECRETS


@pytest.mark.parametrize(("kind", "name", "keyword"), SECRETS)
def test_no_secret_is_dumped_or_shown(kind: type, name: str, keyword: Keyword) -> None:
    reader = reader_of(keyword)
    assert reader is not None
    made = secret_values(reader)
    assert made, f"no value of the form '{reader.form}' can be made up"
    for value in made:
        several = keyword.repeats or keyword.entries is not None
        needed = {each: minimal(one) for each, one in fields(kind).items() if one.required and each != name}
        bound = kind(**needed, **{name: (value,) if several else value})
        assert SECRET not in dump(bound)
        assert SECRET not in repr(bound)
        assert "***" in dump(bound) or "file:" in dump(bound)  # where a key stands is no secret


def minimal(keyword: Keyword) -> Any:
    """Some value of a required keyword."""
    reader = reader_of(keyword)
    assert reader is not None
    value = values_of_form(reader)[0]
    return (value,) if keyword.entries is not None or keyword.repeats else value
