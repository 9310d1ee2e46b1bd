"""Reads the configuration in a child that ends: grammar, syntax trees and diagnostics never stay in a daemon's memory."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from lvsd.check.settings import CheckSettings
from lvsd.core import machine
from lvsd.core.conf.known import NOTHING_KNOWN, Known
from lvsd.core.lastgood import Kept, Machine, kept
from lvsd.vrrp.settings import VrrpSettings

from .process import fork

if TYPE_CHECKING:
    from lvsd.core.config import Config, Loaded


@dataclass(frozen=True, slots=True)
class Sources:
    """configuration: path of the main file. dropins: lvsd.d/*.conf beside it is read too. identity: selects `@ID` lines.
    vrrp, check: the parts that this daemon runs. lenient: errors are passed over as keepalived does.
    strict: every include must be there (`--all-config`)."""

    configuration: str
    dropins: bool = True
    identity: str = ""
    vrrp: bool = True
    check: bool = True
    lenient: bool = False
    strict: bool = False


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """problems: errors, rendered for a person; not empty means that nothing may be used. The parts are pickled settings,
    for the processes that they belong to; core passes them on unread. of: when the files were read, if that was earlier."""

    problems: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    router_id: str = ""
    vrrp: bytes = b""
    check: bytes = b""
    of: float = 0.0


class Memory:
    """What one reader remembers for the next, in a file without a name: it costs no process an address."""

    def __init__(self) -> None:
        self.descriptor = os.memfd_create("lvsd-known", os.MFD_CLOEXEC)

    def known(self, lenient: bool) -> Known:
        """Nothing, if the last reader read otherwise or did not live to write to the end."""
        data = os.pread(self.descriptor, os.fstat(self.descriptor).st_size, 0)
        with contextlib.suppress(EOFError, pickle.UnpicklingError):
            of, blocks = pickle.loads(data)
            if of == lenient:
                return Known(blocks)
        return Known()

    def remember(self, known: Known, lenient: bool) -> None:
        os.ftruncate(self.descriptor, 0)
        with os.fdopen(os.dup(self.descriptor), "wb") as file:
            file.seek(0)
            pickle.dump((lenient, list(known)), file, pickle.HIGHEST_PROTOCOL)


def load(sources: Sources) -> Loaded:
    """Reads and checks the files, in this process. Never raises for what stands in them."""
    return _load(sources, Machine(sources.identity, sources.strict))


def _load(sources: Sources, machine: Machine | Kept, known: Known = NOTHING_KNOWN) -> Loaded:
    from lvsd.core import config

    return config.load(
        os.path.abspath(sources.configuration),
        machine.read,
        glob=machine.glob,
        surroundings=machine.surroundings,
        drop_ins=sources.dropins,
        lenient=sources.lenient,
        known=known,
    )


def parts(loaded: Config, sources: Sources) -> tuple[CheckSettings, VrrpSettings]:
    """What each process gets; the settings of one that does not run are empty."""
    check, vrrp = loaded.check_part(), loaded.vrrp_part()
    if not sources.check:
        check = replace(check, virtual_servers=(), groups=())
    if not sources.vrrp:
        vrrp = replace(vrrp, instances=(), groups=())
    return check, vrrp


def read(sources: Sources, memory: Memory, keep: Path | None) -> Reading:
    """keep: where the files are kept for `--last-good`, if they are good."""
    machine = Machine(sources.identity, sources.strict)
    loaded = _load(sources, machine, memory.known(sources.lenient))
    reading = _reading(loaded, sources)
    if reading.problems:
        return reading
    with contextlib.suppress(OSError):  # the next reader binds all of it again
        memory.remember(loaded.known, sources.lenient)
    if keep is not None:
        path = os.path.abspath(sources.configuration)
        try:
            machine.keep(keep, path, dropins=sources.dropins, lenient=sources.lenient)
        except OSError as error:
            keep.unlink(missing_ok=True)
            warning = f"{keep}: this configuration cannot be kept for --last-good: {error.strerror}"
            return msgspec.structs.replace(reading, warnings=(*reading.warnings, warning))
    return reading


def read_kept(sources: Sources, path: Path) -> Reading:
    """The last good configuration of these sources."""
    try:
        last = kept(path)
    except OSError as error:
        return Reading(problems=(f"{path}: no last good configuration: {error.strerror}",))
    except ValueError as error:
        return Reading(problems=(str(error),))
    if last.configuration != os.path.abspath(sources.configuration):
        return Reading(problems=(f"{path} is the last good configuration of another file, {last.configuration}",))
    loaded = _load(replace(sources, dropins=last.dropins, lenient=last.lenient), last)
    return msgspec.structs.replace(_reading(loaded, sources), of=last.at)


def _reading(loaded: Loaded, sources: Sources) -> Reading:
    problems = tuple(each.render() for each in loaded.errors)
    warnings = tuple(each.render() for each in loaded.diagnostics if each not in loaded.errors)
    if loaded.config is None:
        return Reading(problems=problems, warnings=warnings)
    check, vrrp = parts(loaded.config, sources)
    return Reading(
        problems=(),
        warnings=(*warnings, *machine.warnings(check, vrrp)),
        router_id=loaded.config.globals.router_id,
        vrrp=pickle.dumps(vrrp, pickle.HIGHEST_PROTOCOL),
        check=pickle.dumps(check, pickle.HIGHEST_PROTOCOL),
    )


async def in_child(reader: Callable[[], Reading], configuration: str, memory: Memory) -> Reading:
    """A reading in a process of its own. A reader that dies is a problem like any other."""
    loop = asyncio.get_running_loop()
    receiving, sending = os.pipe()
    child = fork("reader", _writes_to(sending, reader), [sending, memory.descriptor])
    os.close(sending)
    try:
        data = await _until_end(loop, receiving)
    finally:
        os.close(receiving)
    how = child.reap()
    try:
        return msgspec.msgpack.decode(data, type=Reading)
    except msgspec.DecodeError:
        return Reading(problems=(f"{configuration}: the reader of the configuration {how}",))


def _writes_to(descriptor: int, reader: Callable[[], Reading]) -> Callable[[], int]:
    def run() -> int:
        # A collection finds nothing in a tree that is all used, and would unshare the pages of the parent.
        gc.disable()
        with os.fdopen(descriptor, "wb") as pipe:
            pipe.write(msgspec.msgpack.encode(reader()))
        return 0

    return run


async def _until_end(loop: asyncio.AbstractEventLoop, descriptor: int) -> bytes:
    os.set_blocking(descriptor, False)
    parts: list[bytes] = []
    ended: asyncio.Future[None] = loop.create_future()

    def readable() -> None:
        try:
            part = os.read(descriptor, 1 << 20)
        except (BlockingIOError, InterruptedError):
            return
        if part:
            parts.append(part)
        elif not ended.done():
            ended.set_result(None)

    loop.add_reader(descriptor, readable)
    try:
        await ended
    finally:
        loop.remove_reader(descriptor)
    return b"".join(parts)
