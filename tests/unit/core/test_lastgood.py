from __future__ import annotations

import os
from pathlib import Path

import pytest

from lvsd.core.config import Loaded, load
from lvsd.core.lastgood import Kept, Machine, kept
from lvsd.core.reader import Memory, Sources, read, read_kept

MAIN = """
include parts/*.conf
global_defs {
@lb1 router_id one-${_RANDOM}
@lb1 notification_email_from ${_ENV LVSD_TEST_NAME}
}
"""
PART = "vrrp_instance %s {\ninterface eth0\nvirtual_router_id %d\nvirtual_ipaddress { 192.0.2.%d }\n}\n"


@pytest.fixture
def main(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LVSD_TEST_NAME", "ops@example.net")
    (tmp_path / "parts").mkdir()
    for number, name in enumerate(("A", "B"), 1):
        (tmp_path / "parts" / f"{name}.conf").write_text(PART % (name, number, number))
    (tmp_path / "lvs.conf").write_text(MAIN)
    return tmp_path / "lvs.conf"


def through(machine: Machine | Kept, path: Path) -> Loaded:
    return load(str(path), machine.read, glob=machine.glob, surroundings=machine.surroundings)


def test_what_is_kept_is_read_again_whatever_becomes_of_the_machine(
    main: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine("lb1", strict=False)
    first = through(machine, main)
    assert first.config is not None
    machine.keep(tmp_path / "kept", str(main), dropins=True, lenient=False)
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o600
    for path in (main, *(tmp_path / "parts").iterdir()):
        path.unlink()
    monkeypatch.delenv("LVSD_TEST_NAME")
    assert through(kept(tmp_path / "kept"), main).config == first.config


def test_a_reading_keeps_what_is_good_and_only_that(main: Path, tmp_path: Path) -> None:
    sources, memory, path = Sources(str(main), identity="lb1"), Memory(), tmp_path / "kept"
    assert not read(sources, memory, path).problems
    good = path.read_bytes()
    main.write_text(MAIN + "frobnicate")
    assert read(sources, memory, path).problems
    assert path.read_bytes() == good
    again = read_kept(sources, path)
    assert not again.problems
    assert again.of > 0
    elsewhere = Sources(str(tmp_path / "other.conf"))
    assert "of another file" in read_kept(elsewhere, path).problems[0]


def test_a_reading_that_cannot_be_kept_is_a_warning(main: Path, tmp_path: Path) -> None:
    reading = read(Sources(str(main), identity="lb1"), Memory(), tmp_path / "no" / "folder")
    assert not reading.problems
    assert "cannot be kept for --last-good: No such file" in reading.warnings[-1]


def test_a_file_that_holds_nothing_of_the_kind_is_named(tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"\x00")
    assert "holds no configuration" in read_kept(Sources("x"), tmp_path / "kept").problems[0]
    assert "no last good configuration" in read_kept(Sources("x"), tmp_path / "none").problems[0]


def test_a_program_is_included_by_nobody(main: Path, tmp_path: Path) -> None:
    (tmp_path / "parts" / "A.conf").chmod(0o755)
    loaded = through(Machine("lb1", strict=False), main)
    assert any("it is executable" in each.text for each in loaded.diagnostics)
    assert loaded.config is not None
    assert [each.name for each in loaded.config.root.instances] == ["B"]
    assert through(Machine("lb1", strict=True), main).config is None


def test_a_memory_that_was_cut_short_is_none(main: Path) -> None:
    memory, sources = Memory(), Sources(str(main), identity="lb1")
    read(sources, memory, None)
    assert len(list(memory.known(lenient=False))) == 2
    assert not list(memory.known(lenient=True))
    os.ftruncate(memory.descriptor, 40)
    assert not list(memory.known(lenient=False))
    assert not read(sources, memory, None).problems
