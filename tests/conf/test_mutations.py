"""One mistake in a good file: it is refused, at the right line, in words that help. Two hundred of them, the same in each run."""

from __future__ import annotations

import random
import string
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import pytest

from lvsd.core.conf.diagnose import Diagnostic
from lvsd.core.conf.expand import STRICTNESS
from lvsd.core.conf.keyword import Reader, declaration, keywords, reachable
from lvsd.core.config import Loaded, load
from lvsd.core.root import Root
from tests.conf.corpus import GOOD
from tests.conf.outline import Block, Outline, Statement, outline

NOBODY = "nobody-has-this-name"


@dataclass(frozen=True)
class Mutation:
    """lines: where the mistake may be shown; names: words of which the answer names one; helps: what its suggestion holds, all
    of it."""

    kind: str
    file: str
    text: str
    lines: frozenset[int]
    names: tuple[str, ...]
    helps: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind}-{self.file}-{min(self.lines)}"


Made = Iterator[Mutation]


@dataclass(frozen=True)
class Good:
    name: str
    text: str
    outline: Outline

    def changed(self, kind: str, edit: dict[int, str | None], *rest: object, **more: object) -> Mutation:
        """edit: new text of lines by number, several lines or none at all."""
        lines = [edit.get(number, line) for number, line in enumerate(self.outline.lines, 1)]
        text = "".join(f"{line}\n" for line in lines if line is not None)
        return Mutation(kind, self.name, text, *rest, **more)  # type: ignore[arg-type]

    def line(self, number: int) -> str:
        return self.outline.lines[number - 1]

    def blocks(self) -> Iterator[Block]:
        return (each.block for each in self.outline.statements if each.block is not None)


@cache
def plain_files() -> list[Good]:
    """The good files without definitions, conditions and includes, whose lines are what they seem."""
    texts = {path.stem: path.read_bytes().decode() for path in GOOD}
    plain = {name: text for name, text in texts.items() if not any(each in text for each in ("$", "@", "~", "include"))}
    return [Good(name, text, outline(text)) for name, text in plain.items()]


@cache
def every_word() -> frozenset[str]:
    declared = (word for kind in reachable(Root) for word in keywords(kind))
    return frozenset([*declared, *STRICTNESS])


def replaced(line: str, old: str, new: str) -> str:
    assert old in line
    return line.replace(old, new, 1)


def at(*lines: int) -> frozenset[int]:
    return frozenset(lines)


def slips(word: str) -> Iterator[str]:
    """The word with one letter changed, left out, doubled or swapped with the next."""
    for index, letter in enumerate(word):
        following = string.ascii_lowercase[(ord(letter.lower()) - ord("a") + 1) % 26]
        yield word[:index] + following + word[index + 1 :]
        if len(word) > 3:
            yield word[:index] + word[index + 1 :]
        yield word[:index] + letter + word[index:]
        yield word[:index] + word[index + 1 : index + 2] + letter + word[index + 2 :]


# --- words


def letter_changed(good: Good) -> Made:
    for statement in good.outline.statements:
        word = statement.words[0]
        if statement.keyword is None or good.line(statement.line).split()[0] != word:
            continue
        for wrong in slips(word):
            if wrong not in every_word():
                line = replaced(good.line(statement.line), word, wrong)
                yield good.changed(
                    "letter", {statement.line: line}, at(statement.line), (f"'{wrong}'",), (f"'{word}'",)
                )


def quote_opened(good: Good) -> Made:
    for statement in good.outline.statements:
        if good.outline.alone(statement) and not any('"' in word for word in statement.words):
            for word in dict.fromkeys(statement.words[1:]):
                line = replaced(good.line(statement.line), f" {word}", f' "{word}')
                yield good.changed("quote", {statement.line: line}, at(statement.line), ("quote",))


def single_value(statement: Statement) -> Reader[object] | None:
    """The reader of a keyword with one argument, where one is written."""
    keyword = statement.keyword
    return keyword.reader if keyword is not None and len(statement.words) == 2 else None


def argument_dropped(good: Good) -> Made:
    for statement in good.outline.statements:
        word = statement.words[0]
        reader = single_value(statement)
        if good.outline.alone(statement) and reader is not None and reader.least:
            edit = {statement.line: replaced(good.line(statement.line), f" {statement.words[1]}", "")}
            yield good.changed("argument", edit, at(statement.line), (f"'{word}'",), (f"{word} {reader.form}",))
        if good.outline.heads_its_line(statement) and len(statement.words) > 1:
            edit = {statement.line: f"{word} {{"}
            yield good.changed("argument", edit, at(statement.line), (f"'{word}'",), (word,))


def out_of_range(good: Good) -> Made:
    for statement in good.outline.statements:
        reader = single_value(statement)
        if reader is None or not good.outline.alone(statement):
            continue
        least, most = reader.schema.get("minimum"), reader.schema.get("maximum")
        whole = reader.schema.get("type") == "integer"
        beyond = [] if most is None else [f"{most + 1:.0f}"]
        if least is not None and (whole or least > 0):
            beyond.append(f"{least - 1}" if whole else "0")
        for value in beyond:
            word, right = statement.words
            edit = {statement.line: replaced(good.line(statement.line), f" {right}", f" {value}")}
            yield good.changed("range", edit, at(statement.line), (f"{word}: {value}",), (" allowed",))


def not_allowed(good: Good) -> Made:
    for statement in good.outline.statements:
        reader = single_value(statement)
        choices = [*reader.schema.get("enum", ())] if reader is not None else []
        if not choices or not good.outline.alone(statement):
            continue
        right = statement.words[1]
        legal = {str(choice).lower() for choice in choices}
        # Which choice is near is a guess, but one is near; a word of two letters has no near one.
        near = {each: ("did you mean",) for each in slips(right) if each.lower() not in legal and len(each) > 2}
        for wrong, helps in {"purple": (), **near}.items():
            edit = {statement.line: replaced(good.line(statement.line), f" {right}", f" {wrong}")}
            listed = tuple(str(each) for each in choices if each)
            yield good.changed("choice", edit, at(statement.line), (f"'{wrong}'",), (*helps, *listed))


# --- braces


def symptoms(text: str, gap: int) -> frozenset[int]:
    """Where a reader without foresight can see that a brace is wrong: the first statement behind line `gap` that cannot stand
    where it now stands, or a closing brace that closes nothing; if there is neither, the heads of what is open at the end."""
    broken = outline(text)
    lacks = [each.line for each in broken.statements if each.line >= gap and each.misplaced][:1] + broken.stray[:1]
    return frozenset(lacks or [each.line for each in broken.unclosed])


def closing_dropped(good: Good) -> Made:
    for block in good.blocks():
        assert block.head is not None
        line = good.line(block.closed)
        if line.count("}") != 1 or '"' in line:
            continue
        made = good.changed("closing-dropped", {block.closed: line.replace("}", "")}, at(block.line), ())
        lines = at(block.line) | symptoms(made.text, block.closed)
        if block.entries is not None:
            lines |= behind(good, block)
        yield with_lines(made, lines)


def behind(good: Good, block: Block) -> frozenset[int]:
    """The line of the first statement behind a value block: without the brace it is taken for an entry, and may be none."""
    following = [each.line for each in good.outline.statements if each.parent is not block]
    return frozenset([line for line in following if line >= block.closed and line > block.line][:1])


def closing_added(good: Good) -> Made:
    for statement in good.outline.statements:
        if good.outline.alone(statement):
            edit = {statement.line: f"{good.line(statement.line)}\n}}"}
            made = good.changed("closing-added", edit, at(statement.line + 1), ())
            yield with_lines(made, made.lines | symptoms(made.text, statement.line + 1))


def with_lines(made: Mutation, lines: frozenset[int]) -> Mutation:
    """The answer must name what stands in one of the lines: its keyword, or the brace itself."""
    broken = made.text.splitlines()
    words = [word for line in lines for word in broken[line - 1].replace("{", " ").split()[:1]]
    return Mutation(made.kind, made.file, made.text, lines, (*words, "'}'"))


def opening_dropped(good: Good) -> Made:
    for block in good.blocks():
        assert block.head is not None
        word = block.head.words[0]
        line = good.line(block.opened)
        if (
            line.count("{") == 1
            and '"' not in line
            and (good.outline.heads_its_line(block.head) or line.strip() == "{")
        ):
            made = {block.opened: line.replace("{", "").rstrip()}
            yield good.changed("opening-dropped", made, at(block.line), (f"'{word}'",), (word, "{"))


def opening_added(good: Good) -> Made:
    for statement in good.outline.statements:
        keyword = statement.keyword
        if good.outline.alone(statement) and keyword is not None and keyword.reader is not None:
            edit = {statement.line: good.line(statement.line) + " {"}
            yield good.changed("opening-added", edit, at(statement.line), (f"'{statement.words[0]}'",))


# --- places and names


def strangers(good: Good, word: str) -> Iterator[Block]:
    """Blocks of the file that do not know the word, and whose head has a line for itself."""
    for block in good.blocks():
        assert block.head is not None
        if block.kind is not None and not block.knows(word) and good.outline.heads_its_line(block.head):
            yield block


def homes(word: str) -> list[str]:
    return [declaration(kind).name for kind in reachable(Root) if word in keywords(kind)]


def belongs(word: str) -> tuple[str, ...]:
    """What the suggestion says about a word that has one home; of several it may leave some out."""
    known = homes(word)
    return (
        ("it belongs in", f"'{known[0]}'" if known[0] else "outermost level") if len(known) == 1 else ("it belongs in",)
    )


def moved(good: Good, kind: str, first: int, last: int, target: Block, word: str) -> Mutation:
    """The lines first to last stand behind the opening line of the target block instead."""
    edit: dict[int, str | None] = dict.fromkeys(range(first, last + 1))
    edit[target.opened] = "\n".join([good.line(target.opened), *good.outline.lines[first - 1 : last]])
    above = target.opened if target.opened < first else target.opened - (last - first + 1)
    return good.changed(kind, edit, at(above + 1), (f"'{word}'",), belongs(word))


def block_moved(good: Good) -> Made:
    for block in good.blocks():
        assert block.head is not None
        if block.head.keyword is None or not good.outline.whole(block):
            continue
        word = block.head.words[0]
        for target in strangers(good, word):
            if not block.line <= target.line <= block.closed:
                yield moved(good, "block-moved", block.line, block.closed, target, word)


def keyword_moved(good: Good) -> Made:
    for statement in good.outline.statements:
        if statement.keyword is None or not good.outline.alone(statement) or statement.block is not None:
            continue
        for target in strangers(good, statement.words[0]):
            yield moved(good, "keyword-moved", statement.line, statement.line, target, statement.words[0])


def no_such_name(good: Good) -> Made:
    for statement in good.outline.statements:
        head = statement.parent.head
        if head is not None and head.words[0] == "group":
            for name in statement.words:
                # The last one: in `group { group }` the keyword stands in front of the name.
                before, _, behind = good.line(statement.line).rpartition(name)
                for wrong, helps in ((NOBODY, ()), (name + name[-1], (f"'{name}'",))):
                    edit = {statement.line: before + wrong + behind}
                    yield good.changed("name", edit, at(statement.line), (f"'{wrong}'",), helps)
        if statement.words[:2] == ["virtual_server", "group"]:
            name = statement.words[2]
            for wrong, helps in ((NOBODY, ()), (name + name[-1], (f"'{name}'",))):
                edit = {statement.line: replaced(good.line(statement.line), name, wrong)}
                yield good.changed("name", edit, at(statement.line), (f"'{wrong}'",), helps)


def block_doubled(good: Good) -> Made:
    for block in good.blocks():
        assert block.head is not None
        if len(block.head.words) > 1 and good.outline.whole(block):
            copy = good.outline.lines[block.line - 1 : block.closed]
            edit = {block.closed: "\n".join([good.line(block.closed), *copy])}
            yield good.changed("doubled", edit, at(block.closed + 1), (block.head.words[-1], *block.head.words[1:]))


KINDS: dict[Callable[[Good], Made], int] = {
    letter_changed: 60,
    quote_opened: 15,
    argument_dropped: 15,
    out_of_range: 18,
    not_allowed: 14,
    closing_dropped: 18,
    closing_added: 12,
    opening_dropped: 12,
    opening_added: 8,
    block_moved: 8,
    keyword_moved: 8,
    no_such_name: 6,
    block_doubled: 6,
}
"""How many of each."""


@cache
def mutations() -> list[Mutation]:
    chosen: list[Mutation] = []
    for make, count in KINDS.items():
        made = [each for good in plain_files() for each in make(good)]
        assert len(made) >= count, f"{make.__name__} made only {len(made)}"
        chosen += random.Random(make.__name__).sample(made, count)
    return chosen


def answer(mutation: Mutation) -> Loaded:
    return load("broken.conf", lambda name: mutation.text.encode())


def at_the_right_line(mutation: Mutation) -> list[Diagnostic]:
    return [each for each in answer(mutation).errors if each.line in mutation.lines]


def test_there_are_two_hundred_of_all_kinds() -> None:
    counts = Counter(each.kind for each in mutations())
    assert sum(counts.values()) == 200
    assert len(counts) == len(KINDS)
    assert len({each.text for each in mutations()}) == 200
    assert len({each.file for each in mutations()}) >= 4


def numbered() -> list[object]:
    return [pytest.param(each, id=f"{index}-{each}") for index, each in enumerate(mutations())]


@pytest.mark.parametrize("mutation", numbered())
def test_it_is_refused_at_the_right_line_in_words_that_help(mutation: Mutation) -> None:
    loaded = answer(mutation)
    said = "\n".join(each.render() for each in loaded.diagnostics)
    assert loaded.config is None, mutation.text
    right = at_the_right_line(mutation)
    assert right, f"expected at {sorted(mutation.lines)}, not:\n{said}\nin:\n{mutation.text}"
    shown = [each.render() for each in right]
    useful = [each for each in shown if any(name in each.split("\n")[0] for name in mutation.names)]
    assert useful, f"none of {mutation.names} is named in:\n{said}"
    for each in useful:
        assert_caret(each)
    if mutation.kind != "letter":  # which word is near is a guess, judged over all of them
        for each in mutation.helps:
            assert any(each in text for text in useful), f"'{each}' does not stand in:\n{said}"


def assert_caret(rendered: str) -> None:
    _, line, mark, *_ = rendered.split("\n")
    assert set(mark.partition("|")[2].strip()) == {"^"}, rendered
    assert mark.index("^") < len(line), rendered


def test_a_slip_of_one_letter_is_answered_with_the_right_keyword() -> None:
    slipped = [each for each in mutations() if each.kind == "letter"]
    answered = [
        each
        for each in slipped
        if any(f"did you mean {each.helps[0]}" in one.suggestion for one in at_the_right_line(each))
    ]
    missed = [(each.names, each.helps) for each in slipped if each not in answered]
    assert len(answered) > 0.9 * len(slipped), missed


def test_a_keyword_among_the_lines_of_a_group_is_sent_home() -> None:
    """virtual_server_group has no keywords, so a keyword is taken for an entry; the answer must tell it from one."""
    lost = [each for good in plain_files() for each in keyword_moved(good) if "_group" in neighbour(each)]
    assert lost
    unhelped = [
        each.names for each in lost if not any("it belongs in" in one.suggestion for one in at_the_right_line(each))
    ]
    assert unhelped == []


@pytest.mark.parametrize("wrong", ["tpc", "udpp", "stcp"])
def test_a_choice_of_either_case_is_proposed_to_a_word_of_the_other(wrong: str) -> None:
    text = f"virtual_server 10.0.0.1 80 {{\n    protocol {wrong}\n    real_server 10.0.0.2 80 {{ }}\n}}\n"
    [error] = load("broken.conf", lambda name: text.encode()).errors
    assert error.suggestion.lower().startswith("did you mean '"), error.suggestion


def neighbour(mutation: Mutation) -> str:
    """The line above the mistake."""
    return mutation.text.splitlines()[min(mutation.lines) - 2]


FLOODING = {"closing-dropped", "closing-added", "opening-dropped", "opening-added", "doubled"}


def test_one_mistake_is_not_answered_by_a_flood() -> None:
    """A wrong brace moves whatever stands behind it, a copy repeats all its addresses; any other mistake has one answer or two."""
    counts = [(len(answer(each).errors), each) for each in mutations()]
    braces = sorted(count for count, each in counts if each.kind in FLOODING)
    assert braces[len(braces) // 2] <= 3
    assert [(count, str(each)) for count, each in counts if count > 3 and each.kind not in FLOODING] == []
