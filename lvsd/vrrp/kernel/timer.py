"""One timer descriptor for the earliest deadline: finer than the loop's own timers, which epoll rounds up to milliseconds.
(os.timerfd_create exists only from Python 3.13 on.)"""

from __future__ import annotations

import ctypes
import os
import time

_CLOCK_MONOTONIC = 1  # the clock of time.monotonic()
_NONBLOCK_CLOEXEC = os.O_NONBLOCK | os.O_CLOEXEC  # TFD_NONBLOCK and TFD_CLOEXEC are defined as these
_ABSOLUTE = 1

_libc = ctypes.CDLL(None, use_errno=True)


class _Timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


class _Setting(ctypes.Structure):
    _fields_ = [("interval", _Timespec), ("value", _Timespec)]


class Timer:
    def __init__(self) -> None:
        self._fd = _libc.timerfd_create(_CLOCK_MONOTONIC, _NONBLOCK_CLOEXEC)
        if self._fd < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        self._armed: float | None = None
        self._setting = _Setting()

    def fileno(self) -> int:
        return int(self._fd)

    def set(self, deadline: float | None) -> None:
        """deadline: of time.monotonic(); one in the past fires at once, None never."""
        if deadline == self._armed:
            return
        self._armed = deadline
        value = self._setting.value
        if deadline is None:
            value.seconds = value.nanoseconds = 0
        else:
            # Zero would disarm the timer.
            nanoseconds = max(1, int(deadline * 1e9))
            value.seconds, value.nanoseconds = divmod(nanoseconds, 1_000_000_000)
        if _libc.timerfd_settime(self._fd, _ABSOLUTE, ctypes.byref(self._setting), None) < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))

    def clear(self) -> bool:
        """Takes note of an expiry, so that the descriptor is no longer readable. True: there was one."""
        try:
            os.read(self._fd, 8)
        except BlockingIOError:
            return False
        self._armed = None
        return True

    def seconds_late(self) -> float:
        return 0.0 if self._armed is None else max(0.0, time.monotonic() - self._armed)

    def close(self) -> None:
        os.close(self._fd)
