"""The routes between the processes, and what a process that starts again is told."""

from __future__ import annotations

import pytest

from lvsd.core.ipc.hub import Delivery, Forbidden, Hub, Process
from lvsd.core.ipc.messages import (
    Answer,
    CheckReport,
    Keep,
    Kept,
    Notice,
    OverrideServer,
    Prepare,
    Programmed,
    Restarted,
    RunProgram,
    VrrpReport,
)
from lvsd.core.notify.events import Alarm

VRRP_REPORT = VrrpReport(generation=1, instances=(), groups=(), held=("192.0.2.1",), lateness=0.0)
CHECK_REPORT = CheckReport(generation=1, services=(), foreign=(), problems=(), lateness=0.0)
ALL = (Process.VRRP, Process.CHECK, Process.ADMIN)


def drain(number: int = 1) -> OverrideServer:
    return OverrideServer(
        id=number, verb="drain", server="10.0.0.1", service="", weight=None, seconds=None, reason="test", actor="root"
    )


def test_a_report_of_vrrp_reaches_those_who_need_it() -> None:
    deliveries = Hub(ALL).receive(Process.VRRP, VRRP_REPORT, 0.0)
    assert {each.to for each in deliveries} == {Process.CORE, Process.CHECK, Process.ADMIN}


def test_a_process_that_this_daemon_does_not_have_is_sent_nothing() -> None:
    deliveries = Hub((Process.VRRP, Process.ADMIN)).receive(Process.VRRP, VRRP_REPORT, 0.0)
    assert {each.to for each in deliveries} == {Process.CORE, Process.ADMIN}


@pytest.mark.parametrize(
    "message",
    [
        RunProgram(1, ("/bin/sh",), "root", "", 1.0, "mischief"),
        Prepare(1, b"cos\nsystem\n"),
        Keep("overrides", b""),
        VRRP_REPORT,
        Programmed(1),
    ],
)
def test_the_admin_process_can_neither_run_programs_nor_speak_for_others(message: object) -> None:
    with pytest.raises(Forbidden, match="admin sent"):
        Hub(ALL).receive(Process.ADMIN, message, 0.0)  # type: ignore[arg-type]


def test_an_order_for_a_server_is_refused_where_there_are_no_checks() -> None:
    (delivery,) = Hub((Process.VRRP, Process.ADMIN)).receive(Process.ADMIN, drain(7), 0.0)
    assert delivery.to is Process.ADMIN
    assert isinstance(delivery.message, Answer)
    assert (delivery.message.id, delivery.message.ok) == (7, False)


def test_an_order_for_a_server_goes_to_check() -> None:
    assert Hub(ALL).receive(Process.ADMIN, drain(), 0.0) == [Delivery(Process.CHECK, drain())]


def test_a_restarted_vrrp_is_told_what_it_last_said_and_how_long_ago() -> None:
    hub = Hub(ALL)
    hub.receive(Process.VRRP, VRRP_REPORT, 10.0)
    hub.receive(Process.CHECK, Programmed(1), 10.0)
    assert hub.replay(Process.VRRP, again=True, now=11.5) == [Restarted(VRRP_REPORT, 1.5), Programmed(1)]


def test_a_first_start_adopts_nothing_but_is_told_what_earlier_runs_kept() -> None:
    hub = Hub(ALL, {(Process.CHECK, "overrides"): b"old", (Process.VRRP, "other"): b"x"})
    assert hub.replay(Process.CHECK, again=False, now=0.0) == [Kept("overrides", b"old")]


def test_the_last_word_is_kept() -> None:
    hub = Hub(ALL, {(Process.CHECK, "overrides"): b"old"})
    hub.receive(Process.CHECK, Keep("overrides", b"new", True), 0.0)
    assert Kept("overrides", b"new") in hub.replay(Process.CHECK, again=True, now=1.0)


def test_a_restarted_admin_gets_the_last_of_each_report_and_the_events() -> None:
    hub = Hub(ALL)
    notice = Notice(Alarm(at=0.0, why="two masters", subject="VI_1"))
    hub.receive(Process.VRRP, VRRP_REPORT, 0.0)
    hub.receive(Process.CHECK, CHECK_REPORT, 0.0)
    hub.receive(Process.VRRP, notice, 0.0)
    assert hub.replay(Process.ADMIN, again=True, now=1.0) == [notice, VRRP_REPORT, CHECK_REPORT]


def test_a_restarted_check_knows_who_is_master() -> None:
    hub = Hub(ALL)
    hub.receive(Process.VRRP, VRRP_REPORT, 0.0)
    assert hub.replay(Process.CHECK, again=True, now=1.0) == [Restarted(None, 1.0), VRRP_REPORT]
