from __future__ import annotations

import pytest

from lvsd.core.config import load
from lvsd.core.root import Root
from tests.unit.core.rules.cases import codes, findings


def said(text: str) -> list[str]:
    return [each for each in codes(text) if each != "not-obeyed"]


ADMIN = "admin {\n listen 10.0.0.1 8404\n %s\n}\n"
TLS = "tls {\n certificate /c\n key /k\n %s\n}\n"
KEY = 'key 1 "at least ten"'
PEER = "peer lb2 {\n address 10.0.0.2\n}\n"
LINK = "peer_link {\n node lb1\n %s\n}\n"
ARBITER = "arbiter A {\n %s\n}\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("admin {\n socket /s\n}\n", []),
        (ADMIN % (TLS % "" + "token_file /t"), []),
        (ADMIN % (TLS % "client_ca /a"), []),
        (ADMIN % (TLS % ""), ["admin-without-authentication"]),
        (ADMIN % "token_file /t", ["admin-without-tls"]),
        (ADMIN % "", ["admin-without-tls", "admin-without-authentication"]),
        (LINK % (PEER + KEY), []),
        (LINK % (PEER + KEY + "\n key 2 file:/etc/lvsd/key"), []),
        (LINK % KEY, ["peer-link-without-peer"]),
        (LINK % PEER, ["peer-link-without-key"]),
        (LINK % (PEER + 'key 1 "nine byte"'), ["short-key"]),
        (LINK % (PEER + "key 1 file:"), ["short-key"]),
        (LINK % (PEER + KEY + "\n" + KEY), ["duplicate-link-key"]),
        (LINK % (PEER.replace("lb2", "lb1") + KEY), ["own-node"]),
        (LINK % ("peer lb2 {\n}\n" + KEY), ["peer-without-address"]),
        (LINK % (PEER + PEER.replace("lb2", "lb3") + KEY), ["shared-path"]),
        (LINK % (PEER + PEER.replace(".2", ".3") + KEY), ["duplicate-name"]),
        (LINK % ("peer lb2 {\n address none\n}\n" + KEY), ["bad-value"]),
        (ARBITER % "gateway 10.0.0.1", []),
        (ARBITER % "gateway 10.0.0.1\n gateway 10.0.0.2\n http http://10.0.0.3/\n script /x\n require 4", []),
        (ARBITER % "gateway 10.0.0.1\n require 2", ["arbiter-out-of-reach"]),
        (ARBITER % "", ["arbiter-out-of-reach"]),
        (ARBITER % "gateway 10.0.0.1\n timeout 2", ["slow-arbiter"]),
        (ARBITER % "gateway 10.0.0.1" * 2, ["duplicate-name"]),
    ],
)
def test_rules_of_lvsds_own_blocks_speak_when_they_must_and_only_then(text: str, found: list[str]) -> None:
    assert said(text) == found


def test_a_key_is_in_no_diagnostic() -> None:
    for line in ('key 1 "hush"', 'key "hush hush" 1', 'key 1 "hush" "hush"', "keys 1 hush", 'key 999 "hush"'):
        found = load("lvs.conf", lambda name, line=line: (LINK % (PEER + line)).encode()).diagnostics
        shown = "".join(each.render() for each in found)
        assert shown
        assert "hush" not in shown


class Asking:
    """As an instance or a group that declares the keyword."""

    def __init__(self, arbiter: str | None) -> None:
        self.arbiter = arbiter


def test_an_arbiter_that_is_asked_exists() -> None:
    config = load("lvs.conf", lambda name: (ARBITER % "gateway 10.0.0.1").encode()).config
    assert config is not None
    root: Root = config.root
    object.__setattr__(root, "instances", (Asking("A"), Asking(None), Asking("B")))
    assert [each.text for each in findings("unknown-arbiter", root)] == ["there is no arbiter 'B'"]
