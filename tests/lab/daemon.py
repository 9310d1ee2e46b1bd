"""The daemons of a director: lvsd, or Debian's keepalived, started and treated in the same way."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent.parent
LVSD, KEEPALIVED = "lvsd", "keepalived"


# keepalived logs to /dev/console where no syslog daemon runs; `ip netns exec` gave it mounts of its own.
ON_CONSOLE = 'mount --bind "$0" /dev/console && exec "$@"'


class Daemon:
    """One running daemon in a director's namespace, with all its processes."""

    def __init__(self, kind: str, namespace: str, configuration: Path, folder: Path, *options: str) -> None:
        """folder: for pid files, sockets, state and the log; one started there later finds its predecessor's state.
        options: further words of the command line."""
        self.kind = kind
        self.namespace = namespace
        self.folder = folder
        self.log = folder / f"{kind}.log"
        folder.mkdir(parents=True, exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LVSD_LAB")}
        self._logger: subprocess.Popen[bytes] | None = None
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            if kind == KEEPALIVED:
                self._logger = _console(folder / "console", log)
            self._process = subprocess.Popen(
                ["ip", "netns", "exec", namespace, *command(kind, configuration, folder), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env=environment,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def listening(self) -> bool:
        """It has left its start behind: an instance is backup or more, so adverts of the other one are heard."""
        said = self.log.read_bytes()[self._log_start :]
        return (b" is BACKUP" if self.kind == LVSD else b"Entering BACKUP STATE") in said

    @property
    def processes(self) -> list[int]:
        """The daemon and everything below it, parents first."""
        parents: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError, ValueError, IndexError):
                    parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                    parents.setdefault(parent, []).append(int(entry.name))
        found = [self.pid]
        for pid in found:
            found.extend(sorted(parents.get(pid, [])))
        return found

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def stop(self, timeout: float = 15.0) -> float:
        """Ends it in order; returns the seconds it took, raises TimeoutError."""
        began = time.monotonic()
        self.send(signal.SIGTERM)
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self.kind} did not stop within {timeout:g} s\n{self.tail()}") from None
        self._close()
        if status != 0:
            raise RuntimeError(f"{self.kind} ended with status {status}\n{self.tail()}")
        return time.monotonic() - began

    def kill(self) -> None:
        """All processes at once: none of them sees another one die."""
        # Once reaped, its process id may be somebody else's.
        pids = self.processes if self.running else []
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        self._process.wait()
        self._close()

    def _close(self) -> None:
        if self._logger is not None:
            self._logger.kill()
            self._logger.wait()
            self._logger = None

    def freeze(self) -> None:
        for pid in self.processes:
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        for pid in reversed(self.processes):
            os.kill(pid, signal.SIGCONT)

    @property
    def log_size(self) -> int:
        return self.log.stat().st_size

    def logged(self, mark: int) -> str:
        """What was logged since the log had that size."""
        return self.log.read_bytes()[mark:].decode(errors="replace")

    def tail(self, characters: int = 4000) -> str:
        with contextlib.suppress(OSError):
            return self.log.read_text(errors="replace")[-characters:]
        return ""

    def lvsd(self, *arguments: str, timeout: float = 30.0) -> str:
        """A verb of the command line for this daemon; raises RuntimeError with its words."""
        done = subprocess.run(
            [sys.executable, "-m", "lvsd", *arguments, "--run-dir", str(self.folder / "run")],
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd=ROOT,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"lvsd {' '.join(arguments)}: status {done.returncode}: {done.stderr or done.stdout}")
        return done.stdout


def _console(path: Path, log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Copies to the log what is written to a FIFO at the path, by whoever opens it."""
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    both = os.open(path, os.O_RDWR)
    try:
        return subprocess.Popen(["cat"], stdin=both, stdout=log)
    finally:
        os.close(both)


def command(kind: str, configuration: Path, folder: Path) -> Sequence[str]:
    if kind == LVSD:
        run, state = folder / "run", folder / "state"
        return [
            sys.executable,
            "-m",
            "lvsd",
            "-c",
            str(configuration),
            "--run-dir",
            str(run),
            "--state-dir",
            str(state),
        ]
    pids = [part for option in "pcrb" for part in (f"-{option}", str(folder / f"{option}.pid"))]
    return [
        "sh",
        "-c",
        ON_CONSOLE,
        str(folder / "console"),
        "keepalived",
        "-n",
        "-l",
        "-D",
        "-f",
        str(configuration),
        *pids,
    ]
