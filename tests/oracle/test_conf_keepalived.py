"""Debian's keepalived reads the same files: what it takes lvsd takes, what lvsd refuses it complains about.
Every disagreement stands here with the words that explain it in docs/compatibility.md."""

from __future__ import annotations

import glob
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lvsd.core.conf.expand import Surroundings
from lvsd.core.config import Loaded, load
from tests.conf.corpus import BAD, CONSTRUCTS, GOOD, load_file

pytestmark = pytest.mark.lab

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = sorted(Path("/usr/share/doc/keepalived/samples").glob("keepalived.conf.*"))

IDENTITY = "high"  # one of the two that the sample with conditions is made for

NOT_UNDERSTOOD = (
    "Unknown keyword",
    "Missing '{'",
    "missing '}'",
    "Extra '}'",
    "Unexpected '{'",
    "nvalid",
    "outside",
    "unknown",
)
"""What keepalived says where it does not understand a word; its other messages are about what it makes of it."""

REFUSED_HERE = {
    "keepalived.conf.SSL_GET": "`auth_type AH`",
    "keepalived.conf.vrrp": "address that stands twice",
    "keepalived.conf.vrrp.lvs_syncd": "members without `group { }`",
    "keepalived.conf.vrrp.rules": "route or rule with an address that is none",
    "auth-ah": "`auth_type AH`",
    "duplicate-address": "address that stands twice",
    "bytes": "NUL character",
}
"""Files that lvsd refuses and keepalived takes, in whole or with a complaint; the value stands in the document."""

TAKEN_HERE: dict[str, str] = {}
"""Files of which keepalived does not understand a word, and lvsd takes them with a warning."""


@dataclass(frozen=True)
class Verdict:
    status: int
    text: str

    @property
    def complains(self) -> bool:
        return self.status != 0

    @property
    def understands(self) -> bool:
        return self.status >= 0 and not any(each in self.text for each in NOT_UNDERSTOOD)


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    """keepalived's test looks at interfaces, so it gets a network of its own with eth0 and eth1."""
    name = f"lvsd-oracle-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        for number in range(2):
            words = ["link", "add", f"eth{number}", "type", "veth", "peer", "name", f"far{number}"]
            subprocess.run(["ip", "-n", name, *words], check=True)
            subprocess.run(["ip", "-n", name, "link", "set", f"eth{number}", "up"], check=True)
        yield name
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


def keepalived(namespace: str, path: Path) -> Verdict:
    done = subprocess.run(
        ["ip", "netns", "exec", namespace, "keepalived", "-t", "-i", IDENTITY, "-f", str(path)],
        cwd=path.parent,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    return Verdict(done.returncode, done.stdout + done.stderr)


def sample(path: Path) -> Loaded:
    surroundings = Surroundings(IDENTITY)
    return load(
        str(path), lambda name: Path(name).read_bytes(), glob=glob.glob, surroundings=surroundings, drop_ins=False
    )


def test_the_samples_of_the_package_are_there() -> None:
    assert len(SAMPLES) >= 20


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_keepalived_understands_every_word_of_our_good_files(namespace: str, path: Path) -> None:
    verdict = keepalived(namespace, path)
    assert verdict.understands, verdict.text
    assert load_file(path).config is not None


@pytest.mark.parametrize("path", CONSTRUCTS, ids=lambda path: path.stem)
def test_keepalived_takes_every_construct_without_complaint(namespace: str, path: Path) -> None:
    assert keepalived(namespace, path) == Verdict(0, "")


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_what_lvsd_refuses_keepalived_complains_about(namespace: str, path: Path) -> None:
    verdict = keepalived(namespace, path)
    if load_file(path).errors:
        assert verdict.complains != (path.stem in REFUSED_HERE), (verdict.status, verdict.text)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_the_package_s_samples_are_taken_as_keepalived_takes_them(namespace: str, path: Path) -> None:
    loaded = sample(path)
    assert (loaded.config is None) == (path.name in REFUSED_HERE), [each.render() for each in loaded.errors]
    if loaded.config is not None:
        verdict = keepalived(namespace, path)
        assert verdict.understands != (path.name in TAKEN_HERE), verdict.text


@pytest.mark.parametrize(("name", "words"), [*REFUSED_HERE.items(), *TAKEN_HERE.items()])
def test_every_disagreement_is_explained(name: str, words: str) -> None:
    assert words in (ROOT / "docs" / "compatibility.md").read_text(), name
