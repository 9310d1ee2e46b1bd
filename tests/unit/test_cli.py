"""The verbs that need no daemon, and the command line itself."""

from __future__ import annotations

import json
import subprocess
import sys
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


@pytest.mark.parametrize("arguments", [["validate", "--json"], ["check", "--json"], ["-t", "--json", "-c"]])
def test_validate_speaks_json(arguments: list[str], bad: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*arguments, bad]) == 1
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


def test_a_dump_speaks_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dump", "--json", GOOD]) == 0
    said = capsys.readouterr().out
    assert json.loads(said)["vrrp_instance"][0]["virtual_router_id"] == 51
    assert "1111" not in said


def test_explain_knows_keywords_and_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "advert_int"]) == 0
    assert "Default: 1\n    Argument: 0.01 to 255\n" in capsys.readouterr().out
    assert main(["explain", "unknown-keyword"]) == 0
    assert "[unknown-keyword] The block has no such keyword." in capsys.readouterr().out
    assert main(["explain"]) == 0
    assert "vrrp_instance" in capsys.readouterr().out


def test_explain_answers_a_slip_of_the_pen(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "adver_int"]) == 1
    assert "'adver_int' is neither a keyword nor a code: did you mean 'advert_int'?" in capsys.readouterr().err
    assert main(["explain", "xxxxxxxxx"]) == 1
    assert "`lvsd explain` lists all blocks and codes" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["explain", "state"], ["validate", GOOD], ["dump", "--json", GOOD]])
def test_a_verb_about_files_loads_no_server(arguments: list[str]) -> None:
    program = (
        f"import sys; from lvsd.cli import main; assert main({arguments!r}) == 0; assert 'aiohttp' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, cwd=ROOT)


def test_a_file_with_mistakes_is_not_dumped(bad: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dump", bad]) == 1
    assert ":3:23: error:" in capsys.readouterr().err
    assert main(["dump", "--json", bad]) == 1
    assert json.loads(capsys.readouterr().out)["diagnostics"][0]["code"] == "bad-value"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["frobnicate"], "invalid choice: 'frobnicate'"),
        (["-Z"], "unrecognized arguments: -Z"),
        (["--snmp"], "--snmp is not supported: lvsd has metrics"),
        (["-p", "/tmp/x.pid"], "need -f FILE or -c FILE"),
        (["validate"], "required: FILE"),
        (["--json", "-c", GOOD], "--json needs -t"),
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
