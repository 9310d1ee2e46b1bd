"""The last configuration that was in force, kept as a whole: every file, what the wildcards matched, what was asked of the
machine. So `--last-good` starts with the same one after a reboot, whatever has become of the files."""

from __future__ import annotations

import glob
import os
import stat
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from lvsd.core.conf.expand import EVERY_POLICY, Surroundings


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """configuration: path of the main file. at: when it was read, Unix seconds."""

    configuration: str
    dropins: bool
    lenient: bool
    strict: bool
    identity: str
    seed: int
    at: float
    files: dict[str, bytes]
    globs: dict[str, list[str]]
    environment: dict[str, str]

    def read(self, name: str) -> bytes:
        if name not in self.files:
            raise FileNotFoundError(2, "it was not there when the last good configuration was read", name)
        return self.files[name]

    def glob(self, pattern: str) -> list[str]:
        return self.globs.get(pattern, [])

    @property
    def surroundings(self) -> Surroundings:
        return Surroundings(self.identity, self.environment, self.seed, EVERY_POLICY if self.strict else frozenset())


class Machine:
    """The files and the environment of this machine; remembers what was asked of them."""

    def __init__(self, identity: str, strict: bool) -> None:
        self._files: dict[str, bytes] = {}
        self._globs: dict[str, list[str]] = {}
        self._environment = _Asked(os.environ)
        self.surroundings = Surroundings(
            identity, self._environment, time.time_ns(), EVERY_POLICY if strict else frozenset()
        )

    def read(self, name: str) -> bytes:
        """Raises OSError. What is included may be no program and no device, as in keepalived; the main file is what the
        operator says it is (`lvsd validate <(render)`)."""
        with open(name, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if self._files and not stat.S_ISREG(mode):
                raise OSError(0, "it is no regular file", name)
            if self._files and mode & 0o111:
                raise PermissionError(0, "it is executable, which a configuration must not be", name)
            data = file.read()
        self._files[name] = data
        return data

    def glob(self, pattern: str) -> list[str]:
        found = self._globs[pattern] = glob.glob(pattern)
        return found

    def keep(self, path: Path, configuration: str, *, dropins: bool, lenient: bool) -> None:
        """Writes what a reading asked for, for root alone. Raises OSError."""
        kept = Kept(
            configuration=configuration,
            dropins=dropins,
            lenient=lenient,
            strict=bool(self.surroundings.strict),
            identity=self.surroundings.identity,
            seed=self.surroundings.seed,
            at=time.time(),
            files=self._files,
            globs=self._globs,
            environment=self._environment.asked,
        )
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.msgpack.encode(kept))
            file.flush()
            os.fsync(descriptor)


class _Asked(Mapping[str, str]):
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.asked: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        value = self.asked[name] = self._environment[name]
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._environment)

    def __len__(self) -> int:
        return len(self._environment)


def kept(path: Path) -> Kept:
    """Raises OSError, and ValueError for a file that does not hold a configuration."""
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=Kept)
    except msgspec.DecodeError as error:
        raise ValueError(f"{path} holds no configuration: {error}") from None
