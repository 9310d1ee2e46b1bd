"""The admin process: keeps the last word of each process, passes orders on and waits for their answers; decides nothing.
Holds no right and nobody's uid. server.py speaks HTTP for it."""

from __future__ import annotations

import asyncio
import concurrent.futures.thread  # noqa: F401 (a lazy import fails once the uid is given away)
import contextlib
import gc
import itertools
import logging
import os
import pwd
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from lvsd.core.ipc.child import CoreLink
from lvsd.core.ipc.messages import (
    Answer,
    AnyMessage,
    CheckReport,
    CoreReport,
    Notice,
    OverrideServer,
    Prepare,
    Ready,
    Reload,
    Stop,
    VrrpReport,
)
from lvsd.core.rights import Rights, take

from . import api, metrics, openapi
from .recent import RecentEvents

log = logging.getLogger("lvsd.admin")

PATIENCE = 10.0
"""Seconds that an order may take."""
RELOAD_PATIENCE = 90.0
"""Seconds that a reload may take: core reads the files, then gives the processes 30 s."""

_UIDS = range(61_000, 61_100)
"""Below systemd's range of dynamic users; the first that nobody has is taken."""
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    content_type: str
    data: bytes
    allow: str = ""


@dataclass(frozen=True, slots=True)
class Follow:
    """A stream of the events behind `after`; None: of those to come."""

    after: int | None


def error_reply(refusal: api.Refusal) -> Reply:
    return Reply(refusal.status, _JSON, msgspec.json.encode(refusal.answer), refusal.allow)


def main(
    channel: socket.socket,
    listening: socket.socket,
    *,
    patience: float = PATIENCE,
    reload_patience: float = RELOAD_PATIENCE,
) -> int:
    """Until Stop, or until core is gone. Returns the exit status. listening: a bound unix socket, shared with core."""
    # Imported here, since core imports this module, and now, since files may be closed to the uid that is taken next.
    with _no_authorities():
        from . import server

    refused = _give_rights_away()
    gc.freeze()

    async def run() -> int:
        admin = Admin(channel, {"order": patience, "reload": reload_patience})
        for sentence in refused:
            log.warning("%s", sentence)
        await server.serve(admin, listening)
        admin.close()
        return 0

    with asyncio.Runner() as runner:
        return runner.run(run())


@contextlib.contextmanager
def _no_authorities() -> Iterator[None]:
    """aiohttp's import loads every certificate authority of the machine for a client that lvsd has not: 2 MiB, 60 ms."""
    before = {name: os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")}
    os.environ.update(dict.fromkeys(before, os.devnull))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _give_rights_away() -> tuple[str, ...]:
    if os.geteuid() != 0:
        return ()
    uid = next((uid for uid in _UIDS if not _is_taken(uid)), _UIDS[0])
    try:
        return take(Rights(uid=uid))
    except OSError as error:
        return (f"the admin process keeps its user: {error.strerror}",)


def _is_taken(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


class Admin:
    """stopping: set when this process is to end. patience: seconds to wait for the answer to an order, and to a reload."""

    def __init__(self, channel: socket.socket, patience: dict[str, float]) -> None:
        self._loop = asyncio.get_running_loop()
        self._patience = patience
        self._reports: dict[type[AnyMessage], tuple[AnyMessage, float]] = {}
        # Not from 1: an answer to a predecessor of this process must not be taken for one of its own.
        self._numbers = itertools.count(time.time_ns())
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._openapi = msgspec.json.encode(openapi.document())
        self.events = RecentEvents()
        self._news: asyncio.Future[None] = self._loop.create_future()
        self.stopping = asyncio.Event()
        self._link = CoreLink(channel, self._loop, self._receive, self._core_gone)

    def close(self) -> None:
        self._link.flush(0.5)
        self._link.close()

    # --- core -----------------------------------------------------------------------------------------------------

    def _core_gone(self, why: str) -> None:
        self.stopping.set()
        self._tell_followers()

    def _receive(self, message: AnyMessage) -> None:
        match message:
            case VrrpReport() | CheckReport() | CoreReport():
                self._reports[type(message)] = (message, self._loop.time())
            case Notice(event):
                self.events.record(event)
                self._tell_followers()
            case Answer(id=number):
                waiting = self._waiting.pop(number, None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)
                else:
                    log.info("an answer came too late: %s", "; ".join(message.lines))
            case Prepare(generation):
                self._link.send(Ready(generation))
            case Stop():
                self.stopping.set()
                self._tell_followers()
            case _:
                pass

    def _tell_followers(self) -> None:
        if not self._news.done():
            self._news.set_result(None)
        self._news = self._loop.create_future()

    async def news(self, seconds: float) -> None:
        """Returns at the next event, at the end, or after this time."""
        await asyncio.wait((self._news,), timeout=seconds)

    # --- requests -------------------------------------------------------------------------------------------------

    def snapshot(self) -> api.Snapshot:
        now = self._loop.time()
        core, core_at = self._reports.get(CoreReport, (None, now))
        vrrp, vrrp_at = self._reports.get(VrrpReport, (None, now))
        check, check_at = self._reports.get(CheckReport, (None, now))
        return api.Snapshot(
            core=core if isinstance(core, CoreReport) else None,
            vrrp=vrrp if isinstance(vrrp, VrrpReport) else None,
            check=check if isinstance(check, CheckReport) else None,
            core_age=now - core_at,
            vrrp_age=now - vrrp_at,
            check_age=now - check_at,
            alarms=tuple(self.events.alarms.values()),
        )

    async def answer(
        self, route: api.Route, named: dict[str, str], query: str, data: bytes, actor: str
    ) -> Reply | Follow:
        """data: the body of an order. Raises api.Refusal."""
        wanted = api.queries(route, query)
        if route.body is not None:
            return _json(await self._order(api.order(route, named, data, next(self._numbers), actor)))
        match route.name:
            case "status":
                return _json(api.status(self.snapshot()))
            case "services":
                return _json(api.services(self.snapshot()))
            case "instances":
                return _json(api.instances(self.snapshot()))
            case "events":
                return self._events(wanted)
            case "metrics":
                text = metrics.exposition(self.snapshot(), self.events.total)
                return Reply(200, str(route.answer), text.encode())
            case "openapi":
                return Reply(200, _JSON, self._openapi)
            case "healthz":
                return _health(api.healthy(self.snapshot()))
            case _:
                return _health(api.ready(self.snapshot()))

    def _events(self, wanted: dict[str, int]) -> Reply | Follow:
        limit = wanted.get("limit")
        if wanted.get("follow"):
            after = wanted.get("after")
            if after is None and limit is not None:
                newest = self.events.after(0, limit + 1)
                after = newest[0].id if len(newest) > limit else 0
            return Follow(after)
        recorded = self.events.after(wanted.get("after", 0), limit)
        return Reply(200, _JSON, api.event_list([each.json for each in recorded]))

    async def _order(self, message: OverrideServer | Reload) -> api.Done:
        is_reload = isinstance(message, Reload)
        patience = self._patience["reload" if is_reload else "order"]
        waiting: asyncio.Future[Answer] = self._loop.create_future()
        self._waiting[message.id] = waiting
        order = api.sentence(message)
        self._link.send(message)
        try:
            async with asyncio.timeout(patience):
                answer = await waiting
        except TimeoutError:
            refusal = api.unanswered("core" if is_reload else "check", patience)
            log.warning("%s: %s", order, refusal)
            raise refusal from None
        finally:
            self._waiting.pop(message.id, None)
        # What is wrong with a configuration core has logged already, over many lines.
        why = "" if is_reload else f", {'; '.join(answer.lines)}"
        log.info("%s: %s", order, "done" if answer.ok else f"refused{why}")
        return api.done(answer)


def _json(answer: msgspec.Struct) -> Reply:
    return Reply(200, _JSON, msgspec.json.encode(answer))


def _health(health: api.Health) -> Reply:
    return Reply(200 if health.ok else 503, _JSON, msgspec.json.encode(health))
