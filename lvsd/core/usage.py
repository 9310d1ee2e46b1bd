"""The command line as data, read off its parsers: for the man page and for completion."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Option:
    """flags: as they are written; none for an argument that stands by its place. argument: what is put in, or ""."""

    flags: tuple[str, ...]
    argument: str
    doc: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verb:
    name: str
    doc: str
    options: tuple[Option, ...]

    @property
    def flags(self) -> tuple[str, ...]:
        return tuple(flag for each in self.options for flag in each.flags)

    @property
    def arguments(self) -> tuple[Option, ...]:
        return tuple(each for each in self.options if not each.flags)

    @property
    def takes_file(self) -> bool:
        return any(each.argument in ("FILE", "DIR") for each in self.arguments)


def options(parser: argparse.ArgumentParser) -> tuple[Option, ...]:
    """The options that its help shows, in their order."""
    return tuple(_options(parser))


def _options(parser: argparse.ArgumentParser) -> Iterator[Option]:
    for action in parser._actions:
        if action.help == argparse.SUPPRESS or isinstance(action, argparse._SubParsersAction):
            continue
        takes = action.nargs != 0
        metavar = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
        if takes and not action.option_strings and action.nargs == "?":
            metavar = f"[{metavar}]"
        values = tuple(map(str, action.choices or ()))
        yield Option(tuple(action.option_strings), metavar if takes else "", action.help or "", values)


def verbs(parser: argparse.ArgumentParser) -> tuple[Verb, ...]:
    """The verbs of a parser that has some, in their order."""
    (group,) = (each for each in parser._actions if isinstance(each, argparse._SubParsersAction))
    docs = {each.dest: each.help or "" for each in group._choices_actions}
    return tuple(Verb(name, docs[name], options(each)) for name, each in group.choices.items())
