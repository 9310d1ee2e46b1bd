"""The run folder and the state folder: lock, pid files, the admin socket, and what processes asked to be kept."""

from __future__ import annotations

import contextlib
import fcntl
import grp
import os
import re
import socket
from pathlib import Path

from .ipc.hub import Process

GROUP = "lvsd"
"""Its members may use the admin socket."""
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,40}")


class Unusable(Exception):
    """A folder, lock or file that this daemon cannot work with; the text says which and why."""


class Store:
    """Holds the lock of its run folder for life. The lock counts, not the number in the file: a stale pid blocks nobody.

    Raises Unusable, also where another lvsd has the folder."""

    def __init__(self, run_dir: Path, state_dir: Path) -> None:
        self._folders = {False: run_dir / "kept", True: state_dir}
        for folder in (run_dir, state_dir, *self._folders.values()):
            try:
                folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            except OSError as error:
                raise Unusable(f"{folder} cannot be made: {error.strerror}") from None
        self._socket_path = run_dir / "admin.sock"
        self.last_good = state_dir / "last-good"
        self.candidate = state_dir / "last-good.new"
        self._pid_files: list[Path] = []
        self._lock = self._take_lock(run_dir / "lock")

    @staticmethod
    def _take_lock(path: Path) -> int:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        except OSError as error:
            raise Unusable(f"{path} cannot be opened: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
            os.close(descriptor)
            raise Unusable(f"an lvsd (pid {holder}) already runs with the run folder {path.parent}") from None
        with contextlib.suppress(OSError):  # a full disk; the number is only for people
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return descriptor

    def listen(self) -> socket.socket:
        """The admin socket, for root and the group lvsd."""
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            self._socket_path.unlink(missing_ok=True)
            before = os.umask(0o117)
            try:
                listening.bind(str(self._socket_path))
            finally:
                os.umask(before)
            with contextlib.suppress(KeyError):
                os.chown(self._socket_path, -1, grp.getgrnam(GROUP).gr_gid)
            listening.listen(64)
        except OSError as error:
            listening.close()
            raise Unusable(f"{self._socket_path} cannot be served: {error.strerror or error}") from None
        return listening

    def write_pid(self, path: Path, pid: int) -> None:
        """Raises OSError."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{pid}\n")
        if path not in self._pid_files:
            self._pid_files.append(path)

    def keep(self, process: Process, name: str, data: bytes, persistent: bool) -> None:
        """Replaces what was kept under that name, whole or not at all. Raises OSError, ValueError for a name that is none."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name for something to keep")
        path = self._folders[persistent] / f"{process.value}.{name}"
        temporary = path.with_suffix(".new")
        with open(temporary, "wb") as file:
            file.write(data)
            if persistent:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)

    def kept(self) -> dict[tuple[Process, str], bytes]:
        """What earlier runs kept. Unreadable files are left out."""
        found: dict[tuple[Process, str], bytes] = {}
        for folder in self._folders.values():
            for process in Process:
                for path in sorted(folder.glob(f"{process.value}.*")):
                    name = path.name.partition(".")[2]
                    if _NAME.fullmatch(name):
                        with contextlib.suppress(OSError):
                            found[process, name] = path.read_bytes()
        return found

    def candidate_is_good(self) -> None:
        """The configuration that a reader kept is in force, and takes the place of the last one; a reader that could keep
        none has said so. Raises OSError."""
        with contextlib.suppress(FileNotFoundError):
            os.replace(self.candidate, self.last_good)

    def close(self) -> None:
        for path in (*self._pid_files, self._socket_path):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        os.close(self._lock)
