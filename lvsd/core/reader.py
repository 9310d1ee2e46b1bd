"""Reads the configuration in a child that ends: grammar, syntax trees and diagnostics never stay in a daemon's memory."""

from __future__ import annotations

import asyncio
import glob
import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from .process import fork


@dataclass(frozen=True, slots=True)
class Sources:
    """configuration: path of the main file. dropins: lvsd.d/*.conf beside it is read too. identity: selects `@ID` lines.
    vrrp, check: the parts that this daemon runs."""

    configuration: str
    dropins: bool = True
    identity: str = ""
    vrrp: bool = True
    check: bool = True


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


def read(sources: Sources) -> Reading:
    """Loads and checks everything in this process. Never raises for what stands in a file."""
    from lvsd.core import config, machine

    loaded = config.load(
        os.path.abspath(sources.configuration), read_file, glob.glob, dropins=sources.dropins, identity=sources.identity
    )
    problems = tuple(str(each) for each in loaded.diagnostics if each.is_error)
    warnings = tuple(str(each) for each in loaded.diagnostics if not each.is_error)
    if problems or loaded.config is None:
        return Reading(problems=problems, warnings=warnings)
    vrrp, check = loaded.config.vrrp_part(), loaded.config.check_part()
    if not sources.vrrp:
        vrrp = type(vrrp)(vrrp.globals, (), ())
    if not sources.check:
        check = type(check)(check.globals, (), ())
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
