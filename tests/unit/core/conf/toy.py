"""A small language of its own, so that the engine is tested without lvsd's keywords."""

from __future__ import annotations

from lvsd.core.conf.bind import Binder
from lvsd.core.conf.diagnose import Diagnostic, Place, Report
from lvsd.core.conf.expand import Expander, Surroundings
from lvsd.core.conf.keyword import arg, block, blocks, entries, kw, lines, names, optional, required, secrets, sub
from lvsd.core.conf.syntax import parse
from lvsd.core.conf.values import (
    Command,
    Secret,
    Tracked,
    boolean,
    command,
    flag,
    integer,
    seconds,
    secret,
    text,
    tracked,
    word,
)


@block("lid", "How the box is closed.")
class Lid:
    lock: Secret = kw(secret, "What opens it.", default=Secret(""))
    tight: bool = kw(boolean, "Whether air stays out.", default=True)


@block("box", "A box.")
class Box:
    name: str = arg(word, "What is written on it.")
    size: int = required(integer(1, 9), "Its size.")
    weight: int = kw(integer(0), "Its weight.", default=1, aliases=("mass",))
    dry_time: float | None = optional(seconds(0), "How long it dries.", name="dry-time")
    fragile: bool = kw(flag, "Handle with care.", default=False)
    old: bool = kw(flag, "Old.", default=False, deprecated="boxes do not age")
    colour: str = kw(word, "Not painted yet.", default="", obeyed=False)
    on_open: Command | None = optional(command, "Run when it is opened.")
    lid: Lid | None = sub(Lid, "Its lid.")
    things: tuple[str, ...] = names(word, "What is in it.")
    tracks: tuple[Tracked, ...] = entries(tracked, "What it depends on.")


@block("list", "A list of numbers.")
class Numbers:
    name: str = arg(word, "Its name.")
    numbers: tuple[int, ...] = lines(integer(0, 99), "One a line.")


@block("settings", "For the whole store.")
class Settings:
    title: str = kw(text, "Over the door.", default="")
    floors: int = kw(integer(1, 9), "How many floors.", default=1)


@block("", "The store.")
class Store:
    settings: Settings | None = sub(Settings, "For the whole store.")
    boxes: tuple[Box, ...] = blocks(Box, doc="Boxes.")
    lists: tuple[Numbers, ...] = blocks(Numbers, doc="Lists.")


UNOBEYED = {"": frozenset({"shelf"}), "box": frozenset({"stamp"})}


class Read:
    """One reading of files of the toy language; the first is the main file."""

    def __init__(self, main: str, config_id: str = "", **files: str) -> None:
        everything = {"main": main, **{name.replace("_", "."): body for name, body in files.items()}}

        def read(name: str) -> bytes:
            if name not in everything:
                raise FileNotFoundError(2, "no such file", name)
            return everything[name].encode()

        def glob(pattern: str) -> list[str]:
            import fnmatch

            return [name for name in everything if fnmatch.fnmatch(name, pattern)]

        self.report = Report(secrets(Store))
        self.expander = Expander(read, glob, Surroundings(config_id, {"COLOUR": "red"}), self.report)
        self.statements = parse("main", [], self.expander, self.report)
        self.binder = Binder(Store, self.report, UNOBEYED)
        self.store: Store = self.binder.bind(self.statements, Place("main"))

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        return self.report.sorted(self.expander.files)

    @property
    def headlines(self) -> list[str]:
        return [each.headline() for each in self.diagnostics]
