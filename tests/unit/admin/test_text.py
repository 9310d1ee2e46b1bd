"""Status as text: what an operator must see, and where."""

from __future__ import annotations

import msgspec
import pytest

from lvsd.admin import api, text
from lvsd.core.ipc.messages import (
    CheckLine,
    CheckReport,
    CoreReport,
    GroupReport,
    InstanceReport,
    ProcessReport,
    ServerReport,
    ServiceReport,
    VrrpReport,
)

CORE = CoreReport(
    node="lb1", version="1", configuration="/etc/lvs.conf", generation=3, loaded_at=1000.0, stale="", warnings=("mind",),
    processes=(ProcessReport(name="vrrp", pid=7, state="running", restarts=2, lateness=0.0),),
)  # fmt: skip
INSTANCE = InstanceReport(
    name="VI_1", interface="eth0", virtual_router_id=51, family=4, version=2, state="BACKUP", why="an advert came",
    state_seconds=125, base_priority=100, effective_priority=90, advert_int=1.0, addresses=("10.0.0.1/24",), group="VG",
    master="10.0.0.3", master_priority=110, master_advert_age=0.4, faults=("eth1 is down",),
)  # fmt: skip
VRRP = VrrpReport(
    generation=3, instances=(INSTANCE, msgspec.structs.replace(INSTANCE, name="ALONE", group="")), held=("10.0.0.1/24",),
    groups=(GroupReport(name="VG", state="BACKUP", why="as its members", state_seconds=1, members=("VI_1",)),), lateness=0.0,
)  # fmt: skip
UP = ServerReport(
    address="10.0.0.11:80", weight=3, effective_weight=3, health="up", why="", state_seconds=5, checks=(),
    kernel_weight=3, active=12345,
)  # fmt: skip
CHECK_LINE = CheckLine(
    kind="TCP_CHECK", state="down", reason="refused", layer="connect", seconds=0.1, attempt=3, attempts=3, age=1.0
)
DOWN = msgspec.structs.replace(
    UP, address="10.0.0.9:80", health="down", kernel_weight=None, checks=(CHECK_LINE,), effective_weight=0
)
DRAINED = msgspec.structs.replace(
    UP, address="[fd00::1]:80", override="drain", override_owner="root", override_reason="new kernel",
    override_seconds_left=1799.0, kernel_weight=0,
)  # fmt: skip
SERVICE = ServiceReport(
    name="tcp 10.0.0.1:80", scheduler="wrr", forwarding="NAT", quorum=1, quorum_up=True, sorry_server="", sorry_active=False,
    why="", servers=(UP, DOWN, DRAINED),
)  # fmt: skip
CHECK = CheckReport(generation=3, services=(SERVICE,), foreign=("udp 10.0.0.1:53",), problems=(), lateness=0.0)


def shown() -> list[str]:
    return text.status(api.status(api.Snapshot(core=CORE, vrrp=VRRP, check=CHECK)), 1090.0).splitlines()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0s"), (-3, "0s"), (59.9, "59s"), (60, "1m"), (250, "4m 10s"), (3605, "1h"), (90061, "1d 1h"), (86405, "1d")],
)
def test_a_span_has_two_units_at_most(seconds: float, words: str) -> None:
    assert text.span(seconds) == words


def test_what_a_person_must_look_at_comes_first_then_the_node() -> None:
    lines = shown()
    assert lines[0] == "! service tcp 10.0.0.1:80: 1 of 3 servers is down: 10.0.0.9:80 (TCP_CHECK: refused)"
    assert lines[2] == "lb1  lvsd 1  configuration /etc/lvs.conf, generation 3, loaded 1m 30s ago"
    assert lines[3] == "  vrrp running (pid 7, started again 2 times)"
    assert "  holds 10.0.0.1/24" in lines
    assert "  warning: mind" in lines


def test_members_stand_below_their_group_and_the_others_behind() -> None:
    lines = shown()
    group = lines.index("GROUP VG  BACKUP for 1s: as its members")
    assert lines[group + 1] == "  INSTANCE VI_1  BACKUP for 2m 5s: an advert came"
    assert lines[group + 2] == "    eth0  VRID 51  VRRPv2  priority 90 (base 100)  10.0.0.1/24"
    assert lines[group + 3] == "    master 10.0.0.3 with priority 110, last advert 0.4 s ago"
    assert lines[group + 4] == "    fault: eth1 is down"
    assert lines[group + 5].startswith("INSTANCE ALONE")


def test_weight_override_health_and_kernel_are_four_columns() -> None:
    table = [line for line in text.services([SERVICE], ()) if line]
    assert table[0] == "SERVICE tcp 10.0.0.1:80  wrr NAT  2 of 3 up  quorum 1 ok"
    assert table[1].split() == ["SERVER", "WEIGHT", "OVERRIDE", "HEALTH", "KERNEL", "ACTIVE", "INACTIVE", "WHY"]
    assert table[2].split() == ["10.0.0.11:80", "3", "-", "up", "5s", "3", "12345", "0"]
    assert "DOWN 5s" in table[3]
    assert " none " in table[3]
    assert table[3].endswith("TCP_CHECK: refused (failed 3 times, connect)")
    assert "drain, 29m 59s left" in table[4]
    assert table[4].endswith("by root: new kernel")
    assert len({line.index(word) for line, word in zip(table[1:], ("HEALTH", "up", "DOWN", "up"), strict=True)}) == 1


def test_a_check_that_failed_once_or_never_answered_counts_nothing() -> None:
    once = msgspec.structs.replace(DOWN, checks=(msgspec.structs.replace(CHECK_LINE, attempt=1),))
    never = msgspec.structs.replace(DOWN, checks=(msgspec.structs.replace(CHECK_LINE, attempt=0, layer=""),))
    table = text.services([msgspec.structs.replace(SERVICE, servers=(once, never))], ())
    assert table[2].endswith("TCP_CHECK: refused (connect)")
    assert table[3].endswith("TCP_CHECK: refused")


def test_a_lost_quorum_says_why_and_what_serves_instead() -> None:
    lost = msgspec.structs.replace(
        SERVICE, quorum_up=False, why="0 of 1", sorry_server="10.0.0.99:80", sorry_active=True
    )
    assert "quorum 1 LOST: 0 of 1  sorry server 10.0.0.99:80 ACTIVE" in text.services([lost], ())[0]


def test_what_is_not_ours_is_named() -> None:
    assert "not lvsd's, left alone: udp 10.0.0.1:53" in shown()


def test_old_words_of_a_silent_process_are_marked_as_old() -> None:
    silent = api.Snapshot(core=CORE, vrrp=VRRP, check=CHECK, vrrp_age=30.0)
    lines = text.status(api.status(silent), 1090.0).splitlines()
    assert lines[0] == "! no answer from vrrp for 30 s"
    assert lines.index("(no answer from vrrp for 30 s)") < lines.index("GROUP VG  BACKUP for 1s: as its members")


def test_an_event_of_an_unknown_kind_is_one_line_all_the_same() -> None:
    line = text.event({"type": "Novelty", "server": "a", "why": "two\nlines"}, "12:00:00")
    assert line == "12:00:00 Novelty server=a: two lines"


def test_an_event_without_a_subject_has_no_gap_before_its_reason() -> None:
    assert text.event({"type": "TableDrifted", "why": "put right"}, "12:00:00") == "12:00:00 TableDrifted: put right"
