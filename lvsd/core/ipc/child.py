"""A child's end of its line to core: the channel, its log handler, answers to pings, and how late its loop runs.
Knows nothing of what the child does."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

from .channel import Channel, ChannelLogHandler, without_sources
from .messages import AnyMessage, Ping, Pong

TICK = 0.1
"""Seconds between two looks at the loop's clock."""


class CoreLink:
    """on_core_gone: core is dead, with a reason; the child resigns in order within a second.

    lateness: the worst delay of the loop since the last answer to a ping, in seconds."""

    def __init__(
        self,
        sock: socket.socket,
        loop: asyncio.AbstractEventLoop,
        on_message: Callable[[AnyMessage], None],
        on_core_gone: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._on_message = on_message
        self._channel = Channel(sock, loop, self._receive, on_core_gone)
        self.lateness = 0.0
        root = logging.getLogger()
        root.handlers[:] = [ChannelLogHandler(self._channel)]
        root.setLevel(logging.INFO)
        loop.set_exception_handler(_log_exception)
        self._expected = loop.time() + TICK
        self._timer = loop.call_at(self._expected, self._look)

    def _look(self) -> None:
        now = self._loop.time()
        self.lateness = max(self.lateness, now - self._expected)
        self._expected = now + TICK
        self._timer = self._loop.call_at(self._expected, self._look)

    def _receive(self, message: AnyMessage) -> None:
        if isinstance(message, Ping):
            self._channel.send(Pong(message.number, self.lateness))
            self.lateness = 0.0
            return
        self._on_message(message)

    def send(self, message: AnyMessage) -> None:
        self._channel.send(message)

    def flush(self, timeout: float) -> bool:
        """Blocks until core has everything, at most timeout seconds."""
        return self._channel.flush(timeout)

    def close(self) -> None:
        self._timer.cancel()
        self._channel.close()


def _log_exception(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    error = context.get("exception")
    text = str(context.get("message", "error in the loop"))
    if isinstance(error, BaseException):
        text = f"{text}: {without_sources(error)}"
    logging.getLogger("lvsd").error("%s", text)
