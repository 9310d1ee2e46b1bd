"""The run folder: one daemon each, a lock that no stale number blocks, and what is kept over a restart."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lvsd.core.ipc.hub import Process
from lvsd.core.store import Store, Unusable


def test_a_second_daemon_is_refused_with_the_first_ones_number(tmp_path: Path) -> None:
    store = Store(tmp_path / "run", tmp_path / "state")
    with pytest.raises(Unusable, match=rf"pid {os.getpid()}\) already runs .*{tmp_path}/run"):
        Store(tmp_path / "run", tmp_path / "state")
    store.close()
    Store(tmp_path / "run", tmp_path / "state").close()


def test_a_daemon_that_was_killed_blocks_nobody(tmp_path: Path) -> None:
    script = (
        "import os; from pathlib import Path; from lvsd.core.store import Store; "
        f"store = Store(Path({str(tmp_path)!r}), Path({str(tmp_path)!r})); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script], check=False)
    assert (tmp_path / "lock").read_text().strip().isdigit()
    Store(tmp_path, tmp_path).close()


def test_what_is_kept_comes_back_whole(tmp_path: Path) -> None:
    store = Store(tmp_path / "run", tmp_path / "state")
    store.keep(Process.CHECK, "overrides", b"\0drain", persistent=True)
    store.keep(Process.CHECK, "ipvs", b"rows", persistent=False)
    store.keep(Process.CHECK, "ipvs", b"more rows", persistent=False)
    store.close()
    again = Store(tmp_path / "run", tmp_path / "state")
    assert again.kept() == {(Process.CHECK, "overrides"): b"\0drain", (Process.CHECK, "ipvs"): b"more rows"}
    again.close()


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "a/b", "A", "x" * 60])
def test_a_name_that_is_a_path_is_refused(tmp_path: Path, name: str) -> None:
    store = Store(tmp_path / "run", tmp_path / "state")
    with pytest.raises(ValueError, match="no name"):
        store.keep(Process.CHECK, name, b"", persistent=True)
    store.close()


def test_the_admin_socket_is_closed_to_others_and_gone_at_the_end(tmp_path: Path) -> None:
    store = Store(tmp_path / "run", tmp_path / "state")
    listening = store.listen()
    path = tmp_path / "run" / "admin.sock"
    assert path.stat().st_mode & 0o777 == 0o660
    listening.close()
    store.close()
    assert not path.exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unusable, match=f"{tmp_path}/file/run cannot be made: Not a directory"):
        Store(tmp_path / "file" / "run", tmp_path / "state")


def test_pid_files_are_written_and_removed(tmp_path: Path) -> None:
    store = Store(tmp_path / "run", tmp_path / "state")
    store.write_pid(tmp_path / "lvsd.pid", 4711)
    assert (tmp_path / "lvsd.pid").read_text() == "4711\n"
    store.close()
    assert not (tmp_path / "lvsd.pid").exists()
