"""Reads the configuration in a child that ends: grammar, syntax trees and diagnostics never stay in a daemon's memory."""

from __future__ import annotations

import asyncio
import gc
import glob
import os
import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from lvsd.check.settings import CheckSettings
from lvsd.core import machine
from lvsd.vrrp.settings import VrrpSettings

from .process import fork

if TYPE_CHECKING:
    from lvsd.core.config import Config, Loaded


@dataclass(frozen=True, slots=True)
class Sources:
    """configuration: path of the main file. dropins: lvsd.d/*.conf beside it is read too. identity: selects `@ID` lines.
    vrrp, check: the parts that this daemon runs. lenient: errors are passed over as keepalived does."""

    configuration: str
    dropins: bool = True
    identity: str = ""
    vrrp: bool = True
    check: bool = True
    lenient: bool = False


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """problems: errors, rendered for a person; not empty means that nothing may be used. The parts are pickled settings,
    for the processes that they belong to; core passes them on unread."""

    problems: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    router_id: str = ""
    vrrp: bytes = b""
    check: bytes = b""


def read_file(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def load(sources: Sources) -> Loaded:
    """Reads and checks the files, in this process. Never raises for what stands in them."""
    from lvsd.core import config
    from lvsd.core.conf.expand import Surroundings

    return config.load(
        os.path.abspath(sources.configuration),
        read_file,
        glob=glob.glob,
        surroundings=Surroundings(sources.identity, os.environ, time.time_ns()),
        drop_ins=sources.dropins,
        lenient=sources.lenient,
    )


def parts(loaded: Config, sources: Sources) -> tuple[CheckSettings, VrrpSettings]:
    """What each process gets; the settings of one that does not run are empty."""
    check, vrrp = loaded.check_part(), loaded.vrrp_part()
    if not sources.check:
        check = replace(check, virtual_servers=(), groups=())
    if not sources.vrrp:
        vrrp = replace(vrrp, instances=(), groups=())
    return check, vrrp


def read(sources: Sources) -> Reading:
    loaded = load(sources)
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


async def read_in_child(sources: Sources) -> Reading:
    """read(), in a process of its own. A reader that dies is a problem like any other."""
    loop = asyncio.get_running_loop()
    receiving, sending = os.pipe()
    child = fork("reader", _writes_to(sending, sources), [sending])
    os.close(sending)
    try:
        data = await _until_end(loop, receiving)
    finally:
        os.close(receiving)
    how = child.reap()
    try:
        return msgspec.msgpack.decode(data, type=Reading)
    except msgspec.DecodeError:
        return Reading(problems=(f"{sources.configuration}: the reader of the configuration {how}",))


def _writes_to(descriptor: int, sources: Sources) -> Callable[[], int]:
    def run() -> int:
        # A collection finds nothing in a tree that is all used, and would unshare the pages of the parent.
        gc.disable()
        with os.fdopen(descriptor, "wb") as pipe:
            pipe.write(msgspec.msgpack.encode(read(sources)))
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
