from __future__ import annotations

import pytest

from tests.unit.core.rules.cases import INSTANCE, codes, said


def tracks(*entries: str, kind: str = "interface") -> str:
    return f"track_{kind} {{\n" + "\n".join(entries) + "\n}\n"


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (tracks("eth0"), []),
        (tracks("eth0 weight 5"), ["tracks-itself"]),
        (tracks("eth0 weight 5") + "dont_track_primary", []),
        (tracks("eth1", "eth2", "eth1"), ["duplicate-tracker"]),
        (tracks("eth1") + tracks("eth1", kind="script"), []),
        (tracks("eth1", "eth1", kind="bfd"), ["duplicate-tracker"]),
        (tracks("eth1 weight -10") + "nopreempt", ["nopreempt-with-weight"]),
        (tracks("eth1") + "nopreempt", []),
        ("preempt_delay 5", []),
        ("preempt_delay 5\nnopreempt", ["preempt-delay-without-preempting"]),
        ("preempt_delay 5\nstate MASTER\npriority 150", ["preempt-delay-without-preempting"]),
        ("nopreempt\ntimer_expired_backup", []),
        ("timer_expired_backup 100", ["timer-expired-without-nopreempt"]),
        ("state MASTER", ["owner-by-state"]),
        ("state MASTER\npriority 255", []),
        ("priority 255\n" + tracks("eth1 weight -5"), ["owner-with-weight"]),
        ("priority 254\n" + tracks("eth1 weight 10"), ["tracker-without-effect"]),
        ("priority 254\n" + tracks("eth1 weight -10"), []),
        ("priority 1\n" + tracks("x weight -10", kind="script"), ["tracker-without-effect"]),
        ("priority 1\n" + tracks("x weight -10", kind="file"), []),
        ("priority 240\n" + tracks("eth1 weight 10", "eth2 weight 20"), ["tracker-without-effect"]),
        ("priority 1\n" + tracks("eth1 weight -10 reverse"), []),
    ],
)
def test_rules_of_trackers_speak_when_they_must_and_only_then(lines: str, found: list[str]) -> None:
    assert said(lines) == found


SECOND = (INSTANCE % "").replace("VI_1", "VI_2").replace("51", "52").replace("2.100", "2.101")


def grouped(first: str, more: str = "", members: str = "VI_1 VI_2") -> list[str]:
    text = INSTANCE % first + SECOND + f"vrrp_sync_group G {{\ngroup {{ {members} }}\n{more}\n}}\n"
    return [each for each in codes(text) if each != "not-obeyed"]


def test_weights_in_a_group_count_only_where_it_says_so() -> None:
    weight = tracks("eth1 weight -10")
    assert grouped(tracks("eth1")) == []
    assert grouped(weight) == ["weight-in-group"]
    assert grouped(weight + "priority 1\nnopreempt") == ["weight-in-group"]
    assert grouped("", weight) == ["weight-in-group"]
    assert grouped(weight, "sync_group_tracking_weight") == []


def test_a_group_has_more_than_one_member() -> None:
    assert grouped("", members="VI_1") == ["lone-member"]
    assert grouped("", members="") == ["missing-value"]
