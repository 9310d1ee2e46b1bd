"""The corpus of configurations, and how a test reads it. `python -m tests.conf.corpus` writes the expected diagnostics anew:
read the difference before you commit it."""

from __future__ import annotations

import glob
from pathlib import Path

from lvsd.core.config import Loaded, load

HERE = Path(__file__).resolve().parent
GOOD = sorted((HERE / "good").glob("*.conf"))
CONSTRUCTS = sorted((HERE / "constructs").glob("*.conf"))
BAD = sorted((HERE / "bad").glob("*.conf"))


def read(name: str) -> bytes:
    return (HERE / name).read_bytes()


def find(pattern: str) -> list[str]:
    return [str(Path(each).relative_to(HERE)) for each in glob.glob(str(HERE / pattern))]


def load_file(path: Path) -> Loaded:
    """Loads with names relative to this folder, so that diagnostics are the same everywhere."""
    return load(str(path.relative_to(HERE)), read, glob=find)


def shown(loaded: Loaded) -> str:
    return "".join(f"{each.render()}\n" for each in loaded.diagnostics)


if __name__ == "__main__":
    for path in BAD:
        path.with_suffix(".expected").write_text(shown(load_file(path)))
