from __future__ import annotations

import dataclasses

from lvsd.check.health import Health
from lvsd.check.inherit import Asked

from .farm_of import BAD, OK, VOID, asked, farm, web


def question(retry: int = 2, alpha: bool = False) -> Asked:
    made = farm(web("1"))
    return dataclasses.replace(asked(made, "10.0.0.1"), retry=retry, alpha=alpha, delay_before_retry=0.5)


def test_the_first_failure_counts_at_once() -> None:
    health = Health(question(), 0.0)
    assert health.up
    verdict = health.observe(BAD, 1.0)
    assert verdict is not None
    assert (verdict.up, verdict.initial) == (False, True)
    assert health.pause == 0.0


def test_later_failures_are_forgiven_retry_times() -> None:
    health = Health(question(retry=2), 0.0)
    health.observe(OK, 0.0)
    assert health.observe(BAD, 1.0) is None
    assert health.pause == 0.5
    assert health.observe(BAD, 1.5) is None
    verdict = health.observe(BAD, 2.0)
    assert verdict is not None
    assert not verdict.up
    assert "3 times in a row" in verdict.why
    assert health.since == 2.0
    assert health.pause == 0.0


def test_a_success_between_starts_the_count_again() -> None:
    health = Health(question(retry=1), 0.0)
    for outcome in (OK, BAD, OK, BAD):
        health.observe(outcome, 1.0)
    assert health.up


def test_one_success_brings_it_back() -> None:
    health = Health(question(), 0.0)
    health.observe(BAD, 1.0)
    verdict = health.observe(OK, 2.0)
    assert verdict is not None
    assert verdict.up
    assert not verdict.initial


def test_alpha_is_down_until_the_first_success() -> None:
    health = Health(question(alpha=True), 0.0)
    assert not health.up
    assert health.state == "unknown"
    health.observe(OK, 1.0)
    assert health.up


def test_a_void_answer_changes_nothing() -> None:
    health = Health(question(retry=0), 0.0)
    health.observe(OK, 0.0)
    assert health.observe(VOID, 1.0) is None
    assert health.up
    assert health.failures == 0
    assert health.last is OK


def test_status_0_leaves_the_weight_that_a_program_gave() -> None:
    health = Health(question(), 0.0)
    health.observe(dataclasses.replace(OK, weight=7), 0.0)
    health.observe(OK, 1.0)
    assert health.weight == 7


def test_other_timing_keeps_the_verdict() -> None:
    health = Health(question(), 0.0)
    health.observe(BAD, 1.0)
    heir = health.asked_as(dataclasses.replace(health.asked, interval=99.0))
    assert (heir.up, heir.known, heir.since, heir.why) == (False, True, 1.0, health.why)
