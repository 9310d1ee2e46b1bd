"""What is installed from a wheel is whole: code, grammar, templates, the command."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_a_wheel_brings_templates_and_grammar_and_runs_outside_of_the_checkout(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)], cwd=ROOT, check=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(installed)
    assert {"lvsd/templates/lvsd.service", "lvsd/core/conf/grammar.lark", "lvsd/py.typed", "lvsd/cli.py"} <= names
    assert {"lvsd/templates/lvs.conf.5", "lvsd/templates/configuration/block.md"} <= names
    shared = {name.partition(".data/data/")[2] for name in names if ".data/data/" in name}
    assert shared == {
        "share/man/man5/lvs.conf.5",
        "share/man/man8/lvsd.8",
        "share/bash-completion/completions/lvsd",
    }
    assert not {name for name in names if name.startswith(("tests/", "bench/"))}

    command = (
        f"import sys; sys.path.insert(0, {str(installed)!r}); "
        f"import lvsd; assert lvsd.__file__.startswith({str(installed)!r}); "
        "from lvsd.cli import main; raise SystemExit(main(['unit', '-c', '/etc/lvsd/web.conf']))"
    )
    unit = subprocess.run(
        [sys.executable, "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert "-c /etc/lvsd/web.conf" in unit
    for line in ("Type=notify", "KillMode=mixed", "Restart=on-failure", "LimitMEMLOCK=infinity", "OOMScoreAdjust=-900"):
        assert line in unit.splitlines()
    assert "Conflicts=keepalived.service" in unit
    assert "{{" not in unit
