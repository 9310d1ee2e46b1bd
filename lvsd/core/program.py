"""Runs an operator's program: its user, its process group, its time-out, and exactly one result.
The only starter of programs; what order they run in is decided in notify/script.py."""

from __future__ import annotations

import asyncio
import contextlib
import grp
import os
import pwd
import signal
import subprocess
from collections.abc import Callable

from .ipc.messages import ProgramEnded, RunProgram

DEFAULT_USER = "keepalived_script"
"""Programs run as this user where it exists, else as lvsd itself, as keepalived has it."""
GRACE = 1.0
"""Seconds between SIGTERM and SIGKILL of a program that overran its time."""
LARGEST_OUTPUT = 8192
"""Bytes that are kept; more is read and thrown away, so that a flooding program never waits."""
_DANGEROUS = (
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "IFS",
    "PYTHONPATH",
    "PYTHONHOME",
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
)


class Unrunnable(Exception):
    """The program was not started; the text says why."""


def identity(user: str, group: str) -> tuple[int, int] | None:
    """User and group id to run as; None: as lvsd itself. Raises Unrunnable for a name that the system does not know."""
    if not user:
        try:
            entry = pwd.getpwnam(DEFAULT_USER)
        except KeyError:
            return None
        return entry.pw_uid, entry.pw_gid
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise Unrunnable(f"the user {user} is unknown") from None
    if not group:
        return entry.pw_uid, entry.pw_gid
    try:
        return entry.pw_uid, grp.getgrnam(group).gr_gid
    except KeyError:
        raise Unrunnable(f"the group {group} is unknown") from None


class Program:
    """One run. ended is called once, never within start()."""

    def __init__(
        self, order: RunProgram, loop: asyncio.AbstractEventLoop, ended: Callable[[ProgramEnded], None]
    ) -> None:
        self._order = order
        self._loop = loop
        self._ended = ended
        self._output = bytearray()
        self._timed_out = False
        self._timer: asyncio.TimerHandle | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._pidfd = -1

    def start(self) -> None:
        self._begun = self._loop.time()
        try:
            self._spawn()
        except (Unrunnable, OSError) as error:
            why = str(error) if isinstance(error, Unrunnable) else f"{error.strerror}"
            self._loop.call_soon(self._ended, self._result(0, f"{self._order.argv[0]} could not be run: {why}"))

    def _spawn(self) -> None:
        ids = identity(self._order.user, self._order.group)
        process = subprocess.Popen(
            self._order.argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={name: value for name, value in os.environ.items() if name not in _DANGEROUS},
            cwd="/",
            start_new_session=True,
            user=None if ids is None or os.geteuid() != 0 else ids[0],
            group=None if ids is None or os.geteuid() != 0 else ids[1],
            extra_groups=None if ids is None or os.geteuid() != 0 else [],
        )
        assert process.stdout is not None
        self._process = process
        self._pipe = process.stdout.fileno()
        os.set_blocking(self._pipe, False)
        self._loop.add_reader(self._pipe, self._read)
        self._pidfd = os.pidfd_open(process.pid)
        self._loop.add_reader(self._pidfd, self._exited)
        self._timer = self._loop.call_later(self._order.timeout, self._overran)

    def _read(self) -> None:
        try:
            data = os.read(self._pipe, 65536)
        except (BlockingIOError, InterruptedError):
            return
        if not data:
            self._loop.remove_reader(self._pipe)
        self._output += data[: LARGEST_OUTPUT - len(self._output)]

    def _overran(self) -> None:
        if self._timed_out:
            self.kill(signal.SIGKILL)
            return
        self._timed_out = True
        self.kill(signal.SIGTERM)
        self._timer = self._loop.call_later(GRACE, self._overran)

    def kill(self, number: int) -> None:
        """Signals the program and what it started."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def _exited(self) -> None:
        process = self._process
        assert process is not None
        status = process.wait()
        if self._timed_out:
            self.kill(signal.SIGKILL)  # its descendants
        self._read_rest()
        self._loop.remove_reader(self._pipe)
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        if process.stdout is not None:
            process.stdout.close()
        if self._timer is not None:
            self._timer.cancel()
        self._ended(self._result(status))

    def _read_rest(self) -> None:
        """What the program itself wrote; a descendant that keeps the pipe open is not waited for."""
        while len(self._output) < LARGEST_OUTPUT:
            before = len(self._output)
            self._read()
            if len(self._output) == before:
                return

    def _result(self, status: int, failed: str = "") -> ProgramEnded:
        return ProgramEnded(
            id=self._order.id,
            status=status,
            timed_out=self._timed_out,
            output=self._output.decode(errors="replace"),
            seconds=self._loop.time() - self._begun,
            failed=failed,
        )
