"""The check process alone, with a test as core at the other end of its line, and looks at the kernel's table."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from typing import TypeVar

import msgspec

from lvsd.check.inherit import resolve
from lvsd.core.config import load
from lvsd.core.ipc.channel import HEADER, pair
from lvsd.core.ipc.messages import (
    AnyMessage,
    Commit,
    Keep,
    Kept,
    Prepare,
    ProgramEnded,
    Programmed,
    Ready,
    Restarted,
    RunProgram,
    Stop,
)

M = TypeVar("M")
ENCODE = msgspec.msgpack.Encoder().encode
DECODE = msgspec.msgpack.Decoder(AnyMessage).decode


class Process:
    """The check process and core's end of its line."""

    def __init__(self, kept: dict[str, bytes] | None = None, *, restarted: bool = False) -> None:
        """kept, restarted: what core says of a predecessor."""
        self.sock, theirs = pair()
        self.kept: dict[str, bytes] = {}
        self.seen: list[object] = []
        self._buffer = b""
        self.pid = os.fork()
        if self.pid == 0:
            self.sock.close()
            from lvsd.check.main import main

            os._exit(main(theirs))
        theirs.close()
        if restarted:
            self.send(Restarted(None, 0.1))
        for name, data in (kept or {}).items():
            self.send(Kept(name, data))

    def send(self, message: AnyMessage) -> None:
        data = ENCODE(message)
        self.sock.sendall(HEADER.pack(len(data)) + data)

    def prepare(self, text: str, generation: int = 1) -> None:
        loaded = load("/t.conf", lambda path: text.encode())
        assert loaded.config is not None, loaded.diagnostics
        part = loaded.config.check_part()
        assert resolve(part).services
        self.send(Prepare(generation, pickle.dumps(part)))

    def load(self, text: str, generation: int = 1) -> None:
        self.prepare(text, generation)
        self.wait(Ready)
        self.send(Commit(generation))
        self.wait(Programmed)

    def wait(self, kind: type[M], seconds: float = 20.0, so: Callable[[M], bool] = lambda message: True) -> M:
        """The first message of the kind, and so; it is taken out of those seen."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for index, message in enumerate(self.seen):
                if isinstance(message, kind) and so(message):
                    del self.seen[index]
                    return message
            if not self.read(end - time.monotonic()):
                raise AssertionError(f"the check process ended without a {kind.__name__}")
        raise AssertionError(f"no {kind.__name__} within {seconds} s")

    def every(self, kind: type[M]) -> list[M]:
        return [message for message in self.seen if isinstance(message, kind)]

    def read(self, seconds: float) -> bool:
        self.sock.settimeout(max(seconds, 0.01))
        try:
            data = self.sock.recv(1 << 20)
        except TimeoutError:
            return True
        if not data:
            return False
        self._buffer += data
        while len(self._buffer) >= HEADER.size:
            (length,) = HEADER.unpack_from(self._buffer)
            if len(self._buffer) < HEADER.size + length:
                break
            message = DECODE(self._buffer[HEADER.size : HEADER.size + length])
            self._buffer = self._buffer[HEADER.size + length :]
            self.seen.append(message)
            if isinstance(message, Keep):
                self.kept[message.name] = message.data
            if isinstance(message, RunProgram) and message.id:
                self._run(message)
        return True

    def _run(self, message: RunProgram) -> None:
        done = subprocess.run(message.argv, capture_output=True, text=True, timeout=message.timeout, check=False)
        self.send(ProgramEnded(message.id, done.returncode, False, done.stdout, 0.0))

    def stop(self) -> int:
        """Its exit status, after the end in order."""
        self.send(Stop("the test is over"))
        while self.read(10.0):
            pass
        return self._reap()

    def abandon(self) -> int:
        """Core dies. The exit status."""
        self.sock.close()
        return self._reap()

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        while self.read(10.0):
            pass
        self._reap()

    def _reap(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def table() -> str:
    return subprocess.run(["ipvsadm", "-Sn"], capture_output=True, text=True, check=True).stdout


def until(wanted: bool, text: str, seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while (text in table()) is not wanted:
        assert time.monotonic() < end, f"{text!r} {'never came' if wanted else 'stayed'}:\n{table()}"
        time.sleep(0.1)


def listening(port: int, address: str = "127.0.0.1") -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address, port))
    sock.listen(512)
    return sock
