"""The files of examples/ are taken by both daemons, and the two of a pair differ only where they must."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.lab

ROOT = Path(__file__).resolve().parent.parent.parent.parent
FILES = sorted((ROOT / "examples").glob("*/*.conf"))
# keepalived tracks an instance's own interface in any case, and says so.
HARMLESS = "since own interface"
STATUS_OF_A_REMARK = 5


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    """A director's interfaces: keepalived refuses a file that names others."""
    name = f"examples{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run(["ip", "-n", name, "link", "add", "eth0", "type", "veth", "peer", "name", "eth1"], check=True)
        for device in ("eth0", "eth1"):
            subprocess.run(["ip", "-n", name, "link", "set", device, "up"], check=True)
        yield name
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


def test_there_is_a_pair_for_each_way_of_forwarding() -> None:
    assert [str(path.relative_to(ROOT / "examples")) for path in FILES] == [
        "dr/lb1.conf",
        "dr/lb2.conf",
        "nat/lb1.conf",
        "nat/lb2.conf",
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_keepalived_accepts_it(path: Path, namespace: str) -> None:
    done = subprocess.run(
        ["ip", "netns", "exec", namespace, "keepalived", "-t", "-f", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    remarks = [line for line in (done.stdout + done.stderr).splitlines() if line and HARMLESS not in line]
    assert remarks == []
    assert done.returncode in (0, STATUS_OF_A_REMARK)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_lvsd_accepts_it(path: Path, namespace: str) -> None:
    done = subprocess.run(
        ["ip", "netns", "exec", namespace, sys.executable, "-m", "lvsd", "validate", str(path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no error" in done.stdout


@pytest.mark.parametrize("kind", ["nat", "dr"])
def test_the_two_of_a_pair_differ_in_name_and_priority_only(kind: str) -> None:
    first, second = ((ROOT / "examples" / kind / f"{name}.conf").read_text().splitlines() for name in ("lb1", "lb2"))
    differing = {
        (left.split()[0], right.split()[0])
        for left, right in zip(first, second, strict=True)
        if left != right and not left.startswith("#")
    }
    assert differing == {("router_id", "router_id"), ("priority", "priority")}
