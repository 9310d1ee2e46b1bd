"""A child's life: started again at once, then with back-off; killed when it is silent, not when we were."""

from __future__ import annotations

from lvsd.core.supervisor import (
    BACK_OFF,
    FAILING,
    LONG_LIFE,
    MISSED_PINGS,
    AskChild,
    KillChild,
    Life,
    Order,
    StartChild,
    Supervisor,
)


def running(now: float = 0.0) -> Supervisor:
    supervisor = Supervisor(ping_interval=1.0)
    assert supervisor.start(now) == [StartChild(again=False)]
    supervisor.ready(now)
    return supervisor


def run(supervisor: Supervisor, start: float, end: float, step: float = 0.25) -> list[tuple[float, Order]]:
    orders = []
    now = start
    while now <= end:
        orders += [(now, order) for order in supervisor.tick(now)]
        now += step
    return orders


def test_a_child_that_dies_is_started_again_at_once_and_then_ever_later() -> None:
    supervisor = running()
    now = 0.0
    pauses = []
    for _ in range(len(BACK_OFF) + 2):
        died = now
        orders = supervisor.ended(now)
        while not orders:
            assert supervisor.life is Life.WAITING
            assert supervisor.deadline is not None
            now = supervisor.deadline
            orders = supervisor.tick(now)
        assert orders == [StartChild(again=True)]
        supervisor.ready(now)
        pauses.append(now - died)
    assert pauses == [*BACK_OFF, BACK_OFF[-1], BACK_OFF[-1]]
    assert supervisor.restarts == len(BACK_OFF) + 2
    assert supervisor.failing


def test_a_death_after_a_long_life_is_forgiven() -> None:
    supervisor = running()
    for _ in range(FAILING):
        supervisor.ended(0.0)
        supervisor.start(0.0)
        supervisor.ready(0.0)
    assert supervisor.failing
    assert supervisor.ended(LONG_LIFE + 1) == [StartChild(again=True)]
    assert not supervisor.failing


def test_a_child_that_answers_is_left_alone() -> None:
    supervisor = running()
    for tick in range(400):
        for order in supervisor.tick(tick * 0.25):
            assert isinstance(order, AskChild)
            supervisor.ponged(order.number)


def test_a_child_that_misses_three_pings_is_killed() -> None:
    orders = run(running(), 0.0, 10.0)
    first_ping = next(now for now, order in orders if isinstance(order, AskChild))
    kill, order = next((now, order) for now, order in orders if isinstance(order, KillChild))
    assert kill == first_ping + MISSED_PINGS
    assert "3 pings" in str(order)


def test_silence_while_we_stood_still_ourselves_does_not_count() -> None:
    supervisor = running()
    run(supervisor, 0.0, 3.0)
    for late in (100.0, 200.0, 300.0, 400.0):
        assert not any(isinstance(order, KillChild) for order in supervisor.tick(late))


def test_a_child_that_never_becomes_ready_is_killed() -> None:
    supervisor = Supervisor(ping_interval=1.0, start_patience=30.0)
    supervisor.start(0.0)
    assert supervisor.tick(29.9) == []
    assert isinstance(supervisor.tick(30.0)[0], KillChild)


def test_a_child_told_to_stop_is_not_started_again_and_killed_when_it_lingers() -> None:
    supervisor = running()
    supervisor.stop(10.0)
    assert supervisor.tick(14.9) == []
    assert isinstance(supervisor.tick(15.0)[0], KillChild)
    assert supervisor.ended(15.1) == []
    assert supervisor.life is Life.STOPPED
    assert supervisor.tick(1000.0) == []


def test_a_stop_while_waiting_for_the_next_start_starts_nothing() -> None:
    supervisor = running()
    supervisor.ended(1.0)
    supervisor.ready(1.0)
    supervisor.ended(1.1)
    assert supervisor.life is Life.WAITING
    supervisor.stop(1.2)
    assert supervisor.tick(100.0) == []
