"""A bounded run of the coverage-guided fuzzer; `make fuzz` is the long one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lvsd.core.conf.diagnose import Diagnostic, Place, Severity
from lvsd.core.config import Loaded
from tests.fuzz.coverage_guided import BOMBS, MAIN, judge, write_dictionary

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 600 if os.environ.get("LVSD_PROOF") else 20


def fuzz(directory: Path, *options: str) -> str:
    """What libFuzzer said. Fails with the input that an answer was wrong for."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.coverage_guided", str(directory), *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=SECONDS + 300,
    )
    said = done.stdout.decode(errors="replace")
    inputs = {path.name: path.read_bytes() for path in (directory / "crashes").iterdir()}
    assert done.returncode == 0, f"{inputs}\n{said[-3000:]}"
    assert inputs == {}, said[-3000:]
    return said


def test_only_findings_with_a_place_come_out(tmp_path: Path) -> None:
    said = fuzz(tmp_path, "-seed=1", "-runs=30000", f"-max_total_time={SECONDS}")
    done = re.search(r"Done (\d+) runs", said)
    assert done, said[-3000:]
    assert int(done.group(1)) > 300, said[-3000:]
    covered = [int(each) for each in re.findall(r" cov: (\d+)", said)]
    assert covered[-1] > 500, "the reader is not instrumented"


@pytest.mark.parametrize("bomb", BOMBS)
def test_an_input_that_grows_without_end_is_answered_in_bounded_time(tmp_path: Path, bomb: str) -> None:
    files = [tmp_path / f"{bomb}-{flags}" for flags in range(4)]
    for flags, file in enumerate(files):
        file.write_bytes(bytes([flags]) + BOMBS[bomb])
    said = fuzz(tmp_path / "run", *map(str, files))
    assert said.count("Executed ") == len(files), said


@pytest.mark.parametrize("place", [Place("other"), Place(MAIN, 0), Place(MAIN, 3), Place(MAIN, 1, 9, 1, "x")])
def test_a_finding_in_the_wrong_place_is_noticed(place: Place) -> None:
    finding = Diagnostic(Severity.ERROR, "bad-value", "no", place)
    with pytest.raises(AssertionError):
        judge(Loaded(None, (finding,)), {MAIN: b"x\ny"})


def test_the_dictionary_holds_the_declared_keywords(tmp_path: Path) -> None:
    write_dictionary(tmp_path / "dictionary")
    words = (tmp_path / "dictionary").read_text().splitlines()
    assert {'"vrrp_instance"', '"real_server"', '"virtual_router_id"', '"include"'} <= set(words)
