from __future__ import annotations

import pytest

from lvsd.core.config import load
from lvsd.core.root import Root
from tests.unit.core.rules.cases import codes, findings


def said(text: str) -> list[str]:
    return [each for each in codes(text) if each not in ("not-obeyed", "unused-tracker")]


SCRIPT = "vrrp_script S {\n script /bin/true\n %s\n}\n"
BFD = "bfd_instance B {\n neighbor_ip 192.0.2.1\n %s\n}\n"
PROCESS = "vrrp_track_process P {\n process sshd\n %s\n}\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (SCRIPT % "", []),
        (SCRIPT % "timeout 1", []),
        (SCRIPT % "timeout 2", ["slow-script"]),
        (SCRIPT % "interval 0.2\n timeout 0.3", ["slow-script"]),
        (SCRIPT % "interval 0\n timeout 0", ["no-interval", "no-interval"]),
        (PROCESS % "quorum 3\n quorum_max 3", []),
        (PROCESS % "quorum_max 0", []),
        (PROCESS % "quorum 3\n quorum_max 2", ["process-range"]),
        (PROCESS % "delay 2", []),
        (PROCESS % "delay 2\n fork_delay 1", ["delays-twice"]),
        (BFD % "source_ip 192.0.2.2", []),
        (BFD % "source_ip 2001:db8::2", ["bfd-family"]),
        (BFD % "min_rx 10000\n multiplier 10", []),
        (BFD % "min_rx 10001\n min_tx 20000\n multiplier 11", ["slow-bfd"] * 3),
        (BFD % "vrrp", []),
        (BFD % "vrrp\n checker", ["bfd-consumer"]),
        (SCRIPT % "" + SCRIPT % "", ["duplicate-name"]),
        ("track_file F {\n file /a\n}\nvrrp_track_file F {\n file /b\n}\n", ["duplicate-name"]),
        (BFD.replace("neighbor", "neighbour") % "" + BFD % "", ["duplicate-name"]),
        (PROCESS % "" + PROCESS % "", ["duplicate-name"]),
    ],
)
def test_rules_of_trackers_speak_when_they_must_and_only_then(text: str, found: list[str]) -> None:
    assert said(text) == found


def test_an_unused_tracker_is_named_unless_its_user_may_be_the_block_with_a_mistake() -> None:
    assert codes(SCRIPT % "").count("unused-tracker") == 1
    assert codes("track_file F {\n file /a\n}\n").count("unused-tracker") == 1
    assert codes(PROCESS % "").count("unused-tracker") == 1
    assert "unused-tracker" not in codes(BFD % "")
    assert "unused-tracker" not in codes(SCRIPT % "" + "vrrp_instance V {\n interface eth0\n}\n")


class Tracking:
    """As an instance or a group that declares the lists."""

    def __init__(self, **lists: list[str]) -> None:
        for field, members in lists.items():
            setattr(self, field, [type("Line", (), {"name": each}) for each in members])


def root(*tracking: Tracking) -> Root:
    text = SCRIPT % "" + "track_file F {\n file /a\n}\n" + PROCESS % "" + BFD % ""
    config = load("lvs.conf", lambda name: text.encode()).config
    assert config is not None
    read = config.root
    object.__setattr__(read, "instances", tracking)
    return read


def test_lists_name_trackers() -> None:
    good = Tracking(track_script=["S"], track_file=["F"], track_process=["P"], track_bfd=["B"])
    assert not [*findings("unknown-tracker", root(good)), *findings("unused-tracker", root(good))]
    bad = Tracking(track_script=["S", "F"], track_file=["f"], track_process=["Q"], track_bfd=["S"])
    found = list(findings("unknown-tracker", root(bad)))
    assert [(each.field, each.index) for each in found] == [
        ("track_script", 1),
        ("track_file", 0),
        ("track_process", 0),
        ("track_bfd", 0),
    ]
    assert [each.text for each in findings("unused-tracker", root(bad))] == [
        "nothing tracks the track_file 'F'",
        "nothing tracks the vrrp_track_process 'P'",
    ]
