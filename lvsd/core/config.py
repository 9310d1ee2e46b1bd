"""`load`: from files to a Config or to diagnostics. Reads nothing itself; files come through the callables that it is given."""

from __future__ import annotations

import gc
import math
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from lvsd.check.settings import CheckSettings
from lvsd.vrrp.settings import VrrpInstance, VrrpSettings

from .conf.bind import Binder
from .conf.diagnose import Diagnostic, Place, Report, Severity
from .conf.expand import Expander, Glob, Read, Surroundings
from .conf.keyword import secrets
from .conf.known import NOTHING_KNOWN, Known, remembered
from .conf.syntax import parse, parse_again
from .conf.types import Lease
from .root import Root
from .rules import RULES
from .rules.common import defaults, outgrown
from .settings import GlobalDefs
from .unobeyed import INDISPENSABLE, UNOBEYED

DROP_INS = "lvsd.d/*.conf"


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration without an error in it, as it was written; what is inherited is worked out by each process."""

    root: Root
    globals: GlobalDefs

    def check_part(self) -> CheckSettings:
        return CheckSettings(self.globals, self.root.virtual_servers, self.root.virtual_server_groups)

    def vrrp_part(self) -> VrrpSettings:
        return VrrpSettings(self.globals, tuple(map(self._covered, self.root.instances)), self.root.groups)

    def _covered(self, instance: VrrpInstance) -> VrrpInstance:
        """A life time that `on` would make too short for slow adverts is lengthened, else the addresses would come and go."""
        written = instance.vip_lease or self.globals.vip_lease
        if not outgrown(written, instance.advert_int):
            return instance
        return replace(instance, vip_lease=Lease(True, 3 * math.ceil(instance.advert_int)))


@dataclass(frozen=True, slots=True)
class Loaded:
    """config is None exactly if one of the diagnostics is an error. files: every file read, in order.
    known: what the next reading may find again."""

    config: Config | None
    diagnostics: tuple[Diagnostic, ...]
    files: tuple[str, ...] = ()
    known: Known = NOTHING_KNOWN

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(each for each in self.diagnostics if each.severity is Severity.ERROR)


NOWHERE = Surroundings()


def load(
    path: str,
    read: Read,
    *,
    glob: Glob | None = None,
    surroundings: Surroundings = NOWHERE,
    drop_ins: bool = True,
    lenient: bool = False,
    known: Known = NOTHING_KNOWN,
) -> Loaded:
    """The configuration in `path`, its includes and, with a glob, the files of lvsd.d beside it, in the order of their names.

    read: a file's bytes, raises OSError. glob: the files that a shell pattern matches. lenient: go on after errors as
    keepalived would, where it would. known: of an earlier reading with the same
    `lenient`. All that is wrong is in the diagnostics; nothing is raised."""
    report = Report(secrets(Root), lenient=lenient)
    expander = Expander(read, glob, surroundings, report)
    more: list[str] = []
    if drop_ins and glob is not None:
        more = sorted(glob(posixpath.join(posixpath.dirname(path), DROP_INS)))
    config = None
    with _collector_paused():
        try:
            statements = parse(path, more, expander, report, known)
        except OSError as error:
            report.error("cannot-read", f"cannot be read: {error.strerror or error}", Place(path))
            return Loaded(None, report.sorted([path]))
        binder = Binder(Root, report, UNOBEYED, INDISPENSABLE, lambda each: parse_again(each, expander))
        root: Root = binder.bind(statements, Place(path))
        said = tuple(report.found)
        root = RULES.apply(root, binder, report)
        if not report.errors:
            config = Config(root, defaults(root))
            known = remembered(binder.outermost(), said)
    return Loaded(config, report.sorted(expander.files), tuple(expander.files), known)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Nothing of a configuration is garbage before it is read to its end; looking for some costs a fifth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
