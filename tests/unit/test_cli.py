"""The verbs that need no daemon, and the command line itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lvsd.cli import main

ROOT = Path(__file__).resolve().parents[2]
GOOD = str(ROOT / "examples" / "nat" / "lb1.conf")


@pytest.fixture
def bad(tmp_path: Path) -> str:
    path = tmp_path / "bad.conf"
    path.write_text("vrrp_instance VI_1 {\n    interface eth0\n    virtual_router_id 510\n}\n")
    return str(path)


@pytest.mark.parametrize("arguments", [["validate", GOOD], ["check", GOOD], ["-t", "-c", GOOD], ["-t", "-f", GOOD]])
def test_a_good_file_is_good(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    assert f"{GOOD}: no errors" in capsys.readouterr().out


def test_a_bad_file_is_shown_with_its_place(bad: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", bad]) == 1
    assert f"{bad}:3:23: error: virtual_router_id: 510 is out of range" in capsys.readouterr().err


def test_validate_speaks_json(bad: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "--json", bad]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is False
    assert [(each["line"], each["column"], each["code"]) for each in said["diagnostics"]] == [(3, 23, "bad-value")]


def test_a_dump_is_a_good_configuration_without_secrets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dump", GOOD]) == 0
    dumped = capsys.readouterr().out
    assert "1111" not in dumped
    again = tmp_path / "again.conf"
    again.write_text(dumped)
    assert main(["dump", str(again)]) == 0
    assert capsys.readouterr().out == dumped


def test_a_file_with_mistakes_is_not_dumped(bad: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dump", bad]) == 1
    assert ":3:23: error:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["frobnicate"], "invalid choice: 'frobnicate'"),
        (["-Z"], "unrecognized arguments: -Z"),
        (["--snmp"], "--snmp is not supported: lvsd has metrics"),
        (["-p", "/tmp/x.pid"], "need -f FILE or -c FILE"),
        (["validate"], "required: FILE"),
    ],
)
def test_a_wrong_command_line_is_usage(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        main(arguments)
    assert leaving.value.code == 2
    assert words in capsys.readouterr().err


def test_a_verb_without_a_daemon_says_where_it_looked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--run-dir", str(tmp_path)]) == 1
    assert f"{tmp_path}/admin.sock: is lvsd running?" in capsys.readouterr().err
