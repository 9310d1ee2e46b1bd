"""The log: lines to stderr, for a terminal, a file or the journal. A line that cannot be written at once is counted,
not waited for."""

from __future__ import annotations

import logging
import os
import socket
import stat
import time

_SYSLOG_LEVEL = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


class StderrHandler(logging.Handler):
    """lost: lines that could not be written since the last one that was."""

    def __init__(self) -> None:
        super().__init__()
        self.lost = 0
        self._journal = "JOURNAL_STREAM" in os.environ and stat.S_ISSOCK(os.fstat(2).st_mode)
        self._socket = socket.socket(fileno=os.dup(2)) if stat.S_ISSOCK(os.fstat(2).st_mode) else None
        self._descriptor = 2 if self._socket else _own_descriptor()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except (TypeError, ValueError) as error:
            text = f"{record.msg} ({error})"
        if record.exc_info and record.exc_info[1] is not None:
            text += f": {logging.Formatter().formatException(record.exc_info)}"
        self.line(record.levelno, record.name.removeprefix("lvsd.").partition(".")[0], text)

    def line(self, level: int, process: str, text: str) -> None:
        if self.lost:
            text = f"{text} ({self.lost} lines before this one were lost)"
        prefix = f"<{_SYSLOG_LEVEL.get(level, 6)}>" if self._journal else _stamp(level)
        data = "".join(f"{prefix}{process:5} {line}\n" for line in text.split("\n")).encode(errors="backslashreplace")
        try:
            if self._socket is not None:
                self._socket.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
            else:
                os.write(self._descriptor, data)
        except OSError:
            self.lost += 1
        else:
            self.lost = 0


def _own_descriptor() -> int:
    """A description of our own, so that O_NONBLOCK does not reach those who share the terminal or pipe."""
    try:
        return os.open("/proc/self/fd/2", os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return 2


def _stamp(level: int) -> str:
    now = time.time()
    clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))
    return f"{clock}.{int(now * 1000) % 1000:03d} {logging.getLevelName(level).lower():7} "
