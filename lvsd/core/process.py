"""Forks the children. A child leaves its parent's loop, signal handlers and descriptors behind, and never returns."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass

_PR_SET_NAME = 15
_FAILED = 70
"""Exit status of a program error (EX_SOFTWARE of sysexits.h)."""


@dataclass(frozen=True, slots=True)
class Forked:
    """pidfd becomes readable when the process ends."""

    pid: int
    pidfd: int

    def kill(self, number: int) -> None:
        signal.pidfd_send_signal(self.pidfd, number)

    def reap(self) -> str:
        """How it ended, in words; to be called once, when pidfd is readable."""
        _, status = os.waitpid(self.pid, 0)
        os.close(self.pidfd)
        code = os.waitstatus_to_exitcode(status)
        if code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return "ended" if code == 0 else f"ended with status {code}"


def freeze() -> None:
    """Moves all that lives to where no collection touches it, so that children share these pages with their parent."""
    gc.collect()
    gc.freeze()


def fork(name: str, run: Callable[[], int], keep: Iterable[int]) -> Forked:
    """Starts run() in a child of that name (as ps and pkill see it), with standard streams and `keep` as its descriptors.

    Its exit status is what run() returns."""
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return Forked(pid, os.pidfd_open(pid))
    status = _FAILED
    try:
        _leave_parent(name, sorted(keep))
        status = run()
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _leave_parent(name: str, keep: list[int]) -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    # Core decides on reload and stop; a child that a terminal or a supervisor signals as well goes on until told.
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    asyncio._set_running_loop(None)
    asyncio.set_event_loop(None)
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    # Objects of the parent that own descriptors are never collected here: its frames still hold them.
    start = 3
    for descriptor in keep:
        os.closerange(start, descriptor)
        start = descriptor + 1
    os.closerange(start, os.sysconf("SC_OPEN_MAX") if os.sysconf("SC_OPEN_MAX") > 0 else 65536)
    ctypes.CDLL(None).prctl(_PR_SET_NAME, f"lvsd-{name}".encode(), 0, 0, 0)
