"""What systemd is told (sd_notify(3)): ready, reloading, stopping, and that the loop still runs."""

from __future__ import annotations

import contextlib
import os
import socket
import time


class Notifier:
    """Says nothing where nobody listens (NOTIFY_SOCKET is absent). watchdog: seconds between two signs of life, or None."""

    def __init__(self) -> None:
        self._address = os.environ.pop("NOTIFY_SOCKET", "")
        microseconds = os.environ.pop("WATCHDOG_USEC", "")
        pid = os.environ.pop("WATCHDOG_PID", "")
        mine = pid in ("", str(os.getpid()))
        self.watchdog = int(microseconds) / 2e6 if microseconds.isdigit() and mine and self._address else None

    def say(self, *lines: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock,
        ):
            sock.sendto("\n".join(lines).encode(), address)

    def ready(self, status: str) -> None:
        self.say("READY=1", f"MAINPID={os.getpid()}", f"STATUS={status}")

    def reloading(self) -> None:
        self.say("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        self.say("STOPPING=1")

    def alive(self) -> None:
        self.say("WATCHDOG=1")
