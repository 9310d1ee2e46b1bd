"""What is derived from the declarations: the reference page and the JSON schema.
`python -m lvsd.core.conf.derive` writes docs/configuration.md; a test fails where it is stale."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .keyword import KEYWORD, Keyword, Reader, declaration, reachable

HEAD = """\
# Configuration reference

Derived from the declarations by `make docs`; do not edit. The language is keepalived's: one statement a line, blocks in braces,
comments from `#` or `!` to the end of the line, text with blanks in double quotes. How lvsd differs stands in
[compatibility.md](compatibility.md).

`NAME ...` stands for one argument, `[...]` for one that may be left out. *Required* keywords must stand in their block.
`on|off` may also be written `true|false` or `yes|no`, and means on where the argument is left out. A keyword without argument is on
where it stands.
"""


def reference(root: type) -> str:
    """The reference page of every block that can stand below root, as Markdown."""
    parts = [HEAD]
    seen: set[str] = set()
    for kind in reachable(root):
        name = declaration(kind).name
        if name in seen:
            continue
        seen.add(name)
        parts.append("\n".join(_page(kind, root)))
    return "\n".join(parts)


def _page(kind: type, root: type) -> Iterator[str]:
    block = declaration(kind)
    fields = [(item, item.metadata[KEYWORD]) for item in dataclasses.fields(kind)]
    header = next((keyword.reader.form for _, keyword in fields if keyword.header), "")
    yield f"## {block.name} {header}".rstrip() if block.name else "## Outermost level"
    yield ""
    yield block.doc
    parents = [
        declaration(parent).name or "the outermost level"
        for parent in reachable(root)
        if any(kind in keyword.blocks for _, keyword in _fields(parent))
    ]
    if parents:
        yield ""
        yield "Stands in " + ", ".join(f"`{name}`" if " " not in name else name for name in parents) + "."
    yield ""
    yield "| keyword | argument | default | meaning |"
    yield "| --- | --- | --- | --- |"
    for item, keyword in fields:
        if not keyword.header:
            yield from _rows(item, keyword)
    yield ""


def _fields(kind: type) -> list[tuple[dataclasses.Field[Any], Keyword]]:
    return [(item, item.metadata[KEYWORD]) for item in dataclasses.fields(kind)]


def _rows(item: dataclasses.Field[Any], keyword: Keyword) -> Iterator[str]:
    if keyword.blocks:
        for each in keyword.blocks:
            block = declaration(each)
            header = next((one.reader.form for _, one in _fields(each) if one.header and one.reader), "")
            form = f"{header} {{ ... }}".strip()
            yield _row(block.name, form, "*required*" if keyword.required else "", block.doc, keyword)
        return
    reader = keyword.entries or keyword.reader
    assert reader is not None
    form = reader.form if keyword.bare else f"{{ {reader.form} ... }}" if keyword.entries else reader.form
    name = "" if keyword.bare else keyword.name or item.name
    meaning = keyword.doc + (f" ({reader.limits})" if reader.limits else "")
    yield _row(name, form, _default(item, keyword, reader), meaning, keyword)


def _default(item: dataclasses.Field[Any], keyword: Keyword, reader: Reader[Any]) -> str:
    if keyword.required:
        return "*required*"
    value = item.default
    if keyword.entries is not None or value is None or value == () or reader.secret:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"`{reader.write(value)}`" if reader.write(value) not in ("", '""') else ""


def _row(name: str, form: str, default: str, meaning: str, keyword: Keyword) -> str:
    notes = [meaning]
    if keyword.aliases:
        notes.append("Also written " + ", ".join(f"`{each}`" for each in keyword.aliases) + ".")
    if keyword.deprecated:
        notes.append(f"Deprecated: {keyword.deprecated}.")
    if not keyword.obeyed:
        notes.append("**Not obeyed yet.**")
    cells = [f"`{name}`" if name else "", f"`{form}`" if form else "", default, " ".join(notes)]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def schema(root: type) -> dict[str, Any]:
    """A JSON schema (draft 2020-12) of a configuration whose keywords are keys and whose repeated blocks are arrays."""
    kinds = {declaration(kind).name: kind for kind in reversed(reachable(root))}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": "#/$defs/root",
        "$defs": {name or "root": _object(kind) for name, kind in sorted(kinds.items())},
    }


def _object(kind: type) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    required: list[str] = []
    for item, keyword in _fields(kind):
        if keyword.blocks:
            for each in keyword.blocks:
                name = declaration(each).name
                link = {"$ref": f"#/$defs/{name}"}
                properties[name] = {"type": "array", "items": link} if keyword.repeats else link
            continue
        reader = keyword.entries or keyword.reader
        assert reader is not None
        name = keyword.name or item.name
        value = dict(reader.schema)
        properties[name] = {"type": "array", "items": value} if keyword.entries else value
        properties[name] = {**properties[name], "description": keyword.doc}
        if keyword.required:
            required.append(name)
    return {
        "type": "object",
        "description": declaration(kind).doc,
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def main() -> None:
    from lvsd.core.root import Root

    target = Path(__file__).resolve().parents[3] / "docs" / "configuration.md"
    target.write_text(reference(Root))
    print(f"wrote {target}")


if __name__ == "__main__":
    main()
