"""Every document that is derived from declarations: `python -m lvsd.core.documents` writes them into docs/, and a test fails
where one is stale."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lvsd import cli

from .conf.codes import Code
from .conf.derive import ROOT, BlockView, KeywordView, codes, describe, schema, tree
from .conf.rules import Rule
from .render import render
from .root import Root
from .rules import RULES
from .unobeyed import UNOBEYED
from .usage import options, verbs

DOCS = Path(__file__).resolve().parents[2] / "docs"
FOLDERS = ("configuration", "man", "completion")
"""Folders of docs/ in which nothing else stands."""


def documents() -> dict[str, str]:
    """The text of each document of lvsd, by its path below docs/."""
    blocks, known = describe(Root, UNOBEYED), codes(RULES)
    return {
        **configuration(blocks, known),
        "lvs.conf.schema.json": _json(schema(Root)),
        "completion/lvs.conf.json": _json(completion(blocks)),
        **command_line(blocks, known),
        "man/lvs.conf.5": render("lvs.conf.5", blocks=blocks, codes=known),
    }


def of_language(root: type, rules: Iterable[Rule[Any]] = ()) -> dict[str, str]:
    """The reference of any language that is declared as lvsd's is."""
    return configuration(describe(root), codes(rules))


def configuration(blocks: Sequence[BlockView], known: Sequence[Code]) -> dict[str, str]:
    """The pages of the reference: one for each block, and those around them."""
    by_key = {each.key: each for each in blocks}
    pages = {
        "configuration/index.md": render("configuration/index.md", root=by_key[ROOT], tree=tree(blocks)),
        "configuration/diagnostics.md": render("configuration/diagnostics.md", codes=known),
    }
    for block in blocks:
        if block.key != ROOT:
            parents = [by_key[key] for key in block.parents]
            pages[f"configuration/{block.key}.md"] = render("configuration/block.md", block=block, parents=parents)
    return pages


def command_line(blocks: Sequence[BlockView], known: Sequence[Code]) -> dict[str, str]:
    run, of_verbs = options(cli.run_parser()), verbs(cli.verb_parser())
    words = {word for block in blocks for each in block.keywords for word in (each.name, *each.aliases)}
    explained = sorted((words | {each.code for each in known}) - {""})
    everywhere = [*run, *(each for verb in of_verbs for each in verb.options)]
    files = sorted({flag for each in everywhere if each.argument in ("FILE", "DIR") for flag in each.flags})
    return {
        "man/lvsd.8": render("lvsd.8", options=run, verbs=of_verbs),
        "completion/lvsd.bash": render("lvsd.bash", options=run, verbs=of_verbs, words=explained, files=files),
    }


def completion(blocks: Iterable[BlockView]) -> dict[str, Any]:
    """What an editor offers: the keywords of each block, by the block's key; `opens` is the key of the block behind one.
    What is as with most keywords is left out."""
    return {
        block.key: {
            "name": block.name,
            "header": block.header,
            "doc": block.doc,
            "entry": next((each.form for each in block.keywords if not each.name), ""),
            "keywords": {each.name: _offered(asdict(each)) for each in block.keywords if each.name},
        }
        for block in blocks
    }


def _offered(keyword: dict[str, Any]) -> dict[str, Any]:
    usual = asdict(KeywordView("", "", ""))
    found = {field: value for field, value in keyword.items() if field != "name" and value != usual[field]}
    if keyword["options"]:
        found["options"] = {each["name"] or each["form"]: _offered(each) for each in keyword["options"]}
    return found


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def stale(documents: dict[str, str], docs: Path) -> list[str]:
    """Paths below docs that differ from what is derived, are missing, or are derived no more."""
    there = {str(path.relative_to(docs)) for each in FOLDERS for path in (docs / each).rglob("*") if path.is_file()}
    differing = {
        name for name, text in documents.items() if not (docs / name).is_file() or (docs / name).read_text() != text
    }
    return sorted(differing | (there - set(documents)))


def main() -> None:
    derived = documents()
    for name in stale(derived, DOCS):
        path = DOCS / name
        if name in derived:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(derived[name])
        else:
            path.unlink()
        print(f"{'wrote' if name in derived else 'removed'} {path}")


if __name__ == "__main__":
    main()
