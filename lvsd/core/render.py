"""The templates, from a wheel or from a checkout: everything longer than a line that lvsd writes for others to read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


def render(name: str, **data: Any) -> str:
    """The template of that name in templates/, filled. Raises jinja2's errors for what is missing in either."""
    return _environment().get_template(name).render(**data)


@cache
def _environment() -> Environment:
    # Only who renders pays for it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    package = Path(__file__).resolve().parents[1]
    environment = Environment(  # Markdown, troff and shell have no HTML to escape
        loader=FileSystemLoader([package / "templates", package.parent / "templates"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(text=text, cell=cell, code=code, names=names, troff=troff)
    return environment


def text(value: str) -> str:
    """Prose in Markdown: what looks like a tag is none."""
    return value.replace("<", "&lt;")


def cell(value: str) -> str:
    """Prose in a table of Markdown, where a pipe would end the cell."""
    return " ".join(text(value).replace("|", "\\|").split())


def code(value: str) -> str:
    """A cell in the words of the configuration; emphasis stays prose."""
    if not value or value.startswith("*"):
        return value
    return f"`{value}`".replace("|", "\\|")


def names(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def troff(value: str) -> str:
    """Text of a man page: hyphens that can be copied, backslashes, and nothing at the begin of a line that is a request.
    Words between backquotes are bold."""
    escaped = value.replace("\\", "\\e").replace("-", "\\-")
    escaped = re.sub(r"`([^`]+)`", r"\\fB\1\\fR", escaped)
    return re.sub(r"(?m)^(?=[.'])", r"\\&", escaped)
