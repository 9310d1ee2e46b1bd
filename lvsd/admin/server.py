"""HTTP on the admin socket: limits, who asks, and streams; every error is JSON. What is asked, app.py answers.
Importing it imports aiohttp, so only the admin process does."""

from __future__ import annotations

import asyncio
import concurrent.futures.thread  # noqa: F401  # asyncio imports it late, when this uid may not read it any more
import logging
import pwd
import socket
import struct

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from . import api
from .app import Admin, Follow, Reply, error_reply

log = logging.getLogger("lvsd.admin")

BODY_PATIENCE = 10.0
"""Seconds until a request's body must be here."""
IDLE = 75.0
"""Seconds that a connection may stay open between two requests."""
LONGEST_HEADER = 8190
"""Bytes of the request line, and of each header."""
HEARTBEAT = 15.0
"""Seconds between comments in a stream in which nothing happens."""
STREAM_PATIENCE = 30.0
"""Seconds that a follower may leave a full pipe unread."""
MOST_FOLLOWERS = 64
CLOSING = 0.5
"""Seconds that requests under way have at the end."""

_PEER = struct.Struct("iII")


async def serve(admin: Admin, listening: socket.socket) -> None:
    """Until admin.stopping. The socket's file stays: it is core's."""
    server = _Server(
        _Http(admin).handle,
        access_log=None,
        keepalive_timeout=IDLE,
        max_line_size=LONGEST_HEADER,
        max_field_size=LONGEST_HEADER,
        auto_decompress=False,  # what a body grows to is not its sender's to decide
    )
    runner = web.ServerRunner(server, shutdown_timeout=CLOSING)
    await runner.setup()
    site = web.SockSite(runner, listening)
    await site.start()
    await admin.stopping.wait()
    await runner.cleanup()


class _Server(web.Server):
    def __call__(self) -> RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class _Connection(RequestHandler):
    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """For what is no HTTP, and for a defect of lvsd's."""
        if status >= 500:
            log.error("%s %s could not be answered", request.method, request.path, exc_info=exc)
            what, where = "lvsd could not answer; its log says why", "admin"
        else:
            what, where = (message or "this is no HTTP").strip().splitlines()[0][:200], "request"
        if request.writer.output_size > 0:
            raise ConnectionError("the answer had begun")
        response = _response(error_reply(api.Refusal(status, what, where)))
        response.force_close()
        return response


def _response(reply: Reply) -> web.Response:
    headers = {"Content-Type": reply.content_type, "Cache-Control": "no-store"}
    if reply.allow:
        headers["Allow"] = reply.allow
    return web.Response(status=reply.status, body=reply.data, headers=headers)


class _Http:
    def __init__(self, admin: Admin) -> None:
        self._admin = admin
        self._names: dict[int, str] = {}
        self._followers = 0

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            route, named = api.find(request.method, request.rel_url.raw_path)
            data = await _body(request) if route.body is not None else b""
            query = request.rel_url.raw_query_string
            answer = await self._admin.answer(route, named, query, data, await self._actor(request))
            if isinstance(answer, Follow):
                return await self._stream(request, answer)
            return _response(answer)
        except api.Refusal as refusal:
            response = _response(error_reply(refusal))
            if refusal.status in (408, 413):
                response.force_close()
            return response

    # --- who asks -------------------------------------------------------------------------------------------------

    async def _actor(self, request: web.BaseRequest) -> str:
        """The name of the peer's uid, as the kernel knows it (SO_PEERCRED)."""
        transport = request.transport
        if transport is None:
            raise ConnectionResetError
        peer = transport.get_extra_info("socket")
        _, uid, _ = _PEER.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
        if uid not in self._names:
            # A directory service may take its time.
            self._names[uid] = await asyncio.to_thread(_name, uid)
        return self._names[uid]

    # --- streams --------------------------------------------------------------------------------------------------

    async def _stream(self, request: web.BaseRequest, follow: Follow) -> web.StreamResponse:
        if self._followers >= MOST_FOLLOWERS:
            raise api.Refusal(503, f"{MOST_FOLLOWERS} clients follow the events already", "query follow")
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )
        self._followers += 1
        try:
            await response.prepare(request)
            if request.method != "HEAD":
                await self._follow(response, self._start(request, follow))
            await response.write_eof()
        except (TimeoutError, ConnectionError):
            response.force_close()
        finally:
            self._followers -= 1
        return response

    def _start(self, request: web.BaseRequest, follow: Follow) -> int:
        last = request.headers.get("Last-Event-ID", "")
        if last.isascii() and last.isdecimal() and len(last) < 20:
            return int(last)
        return self._admin.events.last if follow.after is None else follow.after

    async def _follow(self, response: web.StreamResponse, after: int) -> None:
        """Keeps no queue for a follower: one that reads slowly is told that it missed something."""
        admin = self._admin
        await _write(response, b": events of lvsd\n\n")
        while True:
            if admin.events.lost_since(after):
                await _write(response, b"event: Lost\ndata: {}\n\n")
                after = 0
            found = admin.events.after(after)
            if found:
                after = found[-1].id
                await _write(response, b"".join(each.server_sent() for each in found))
                continue
            if admin.stopping.is_set():
                return
            before = admin.events.last
            await admin.news(HEARTBEAT)
            if admin.events.last == before and not admin.stopping.is_set():
                await _write(response, b":\n\n")


async def _write(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(STREAM_PATIENCE):
        await response.write(data)


async def _body(request: web.BaseRequest) -> bytes:
    too_large = api.Refusal(413, f"the body is larger than {api.LARGEST_BODY} bytes", "body")
    if (request.content_length or 0) > api.LARGEST_BODY:
        raise too_large
    data = bytearray()
    try:
        async with asyncio.timeout(BODY_PATIENCE):
            while chunk := await request.content.readany():
                data += chunk
                if len(data) > api.LARGEST_BODY:
                    raise too_large
    except TimeoutError:
        raise api.Refusal(408, f"the body did not come within {BODY_PATIENCE:g} s", "body") from None
    return bytes(data)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
