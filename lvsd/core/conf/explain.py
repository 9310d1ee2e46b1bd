"""`lvsd explain`: what the declarations and the codes say about a word, as text for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from .codes import Code
from .derive import ROOT, BlockView, KeywordView, tree
from .diagnose import suggest

WIDTH = 100
INDENT = "    "


class Unknown(Exception):
    """Neither keyword nor code. suggestion: a sentence, or ""."""

    def __init__(self, word: str, suggestion: str) -> None:
        super().__init__(word)
        self.suggestion = suggestion


def explain(word: str, blocks: Sequence[BlockView], codes: Sequence[Code]) -> str:
    """All meanings of the word, an empty line between two. Raises Unknown."""
    meanings = [
        *(_keyword(each, homes) for each, homes in _lines(word, blocks).items()),
        *(_block(each, blocks) for each in blocks if each.key != ROOT and word in _names(each)),
        *_not_obeyed(word, blocks),
        *(_code(each) for each in codes if each.code == word),
    ]
    if not meanings:
        raise Unknown(word, suggest(word, _known(blocks, codes)))
    return "\n".join(meanings)


def overview(blocks: Sequence[BlockView], codes: Sequence[Code]) -> str:
    """Every block and every code, a line each."""
    of_blocks = [(INDENT * depth + each.name, each.doc) for depth, each in tree(blocks)]
    of_codes = [(each.code, each.title) for each in codes]
    return "\n".join(("Blocks", *_columns(of_blocks), "", "Codes of diagnostics", *_columns(of_codes), ""))


def _known(blocks: Iterable[BlockView], codes: Iterable[Code]) -> list[str]:
    words = {word for block in blocks for each in block.keywords for word in (each.name, *each.aliases)}
    words |= {word for block in blocks for word in (block.name, block.key, *block.unknown)}
    return sorted((words | {each.code for each in codes}) - {"", ROOT})


def _names(block: BlockView) -> set[str]:
    return {block.name, block.key, *(alias for each in block.opened_by for alias in each.aliases)}


def _lines(word: str, blocks: Iterable[BlockView]) -> dict[KeywordView, list[BlockView]]:
    """The keywords of that name that open no block, each with the blocks where it means the same."""
    found: dict[KeywordView, list[BlockView]] = {}
    for block in blocks:
        for each in block.lines:
            if each.name and word in (each.name, *each.aliases):
                found.setdefault(each, []).append(block)
    return found


def _keyword(keyword: KeywordView, homes: Iterable[BlockView]) -> str:
    head = _entry(keyword.usage, _where(homes), keyword.doc, *_facts(keyword))
    return head + _listed("Words of its line:", keyword.options)


def _facts(keyword: KeywordView) -> Iterator[str]:
    if keyword.required:
        yield "Required."
    if keyword.default:
        yield f"Default: {keyword.default}"
    if keyword.limits:
        yield f"Argument: {keyword.limits}"
    if keyword.aliases:
        yield f"Also written: {', '.join(keyword.aliases)}"
    if keyword.repeats:
        yield "May stand several times."
    if keyword.deprecated:
        yield f"Deprecated: {keyword.deprecated}."
    if keyword.obeyed:
        yield "Obeyed: yes"
    elif keyword.vital:
        yield f"Obeyed: not yet; it is an error, since without it {keyword.vital}."
    else:
        yield "Obeyed: not yet; it is read, and warned about."


def _block(block: BlockView, blocks: Sequence[BlockView]) -> str:
    parents = [each for each in blocks if each.key in block.parents]
    facts = dict.fromkeys(fact for each in block.opened_by for fact in _facts(each))
    head = _entry(block.usage, _where(parents), block.doc, *filter(None, [block.header_doc]), *facts)
    return head + _listed("What may stand in it:", block.keywords)


def _listed(title: str, keywords: Sequence[KeywordView]) -> str:
    if not keywords:
        return ""
    rows = [(f"{INDENT}{each.usage}", each.doc) for each in keywords]
    return "".join(f"{line}\n" for line in ("", f"{INDENT}{title}", *_columns(rows)))


def _not_obeyed(word: str, blocks: Sequence[BlockView]) -> Iterator[str]:
    homes = [each for each in blocks if word in each.unknown]
    if homes:
        yield _entry(word, _where(homes), "A keyword of keepalived that lvsd does not obey yet; it is warned about.")


def _code(code: Code) -> str:
    severity = f"Severity: {code.severity or 'error or warning'}"
    # A docstring may have paragraphs of its own; its lines were broken for another width.
    paragraphs = [" ".join(each.split()) for each in code.explanation.split("\n\n")]
    return _entry(f"[{code.code}] {code.title}", severity, *(each for each in paragraphs if each != code.title))


def _where(blocks: Iterable[BlockView]) -> str:
    return "In " + ", ".join(each.key if each.name else "the outermost level" for each in blocks)


def _entry(title: str, *paragraphs: str) -> str:
    filled = (textwrap.fill(each, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT) for each in paragraphs)
    return "".join(f"{line}\n" for line in (title, *filled))


def _columns(rows: Sequence[tuple[str, str]], most: int = 34) -> Iterator[str]:
    """Two columns; where the first is too long for its own, the second begins on the next line."""
    width = max((len(left) + 2 for left, _ in rows if len(left) <= most), default=2 * len(INDENT))
    for left, right in rows:
        wrapped = textwrap.wrap(right, max(40, WIDTH - width)) or [""]
        if len(left) > most:
            yield left
            left = ""
        for line in wrapped:
            yield f"{left:<{width}}{line}".rstrip()
            left = ""
