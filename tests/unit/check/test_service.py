from __future__ import annotations

import dataclasses

from lvsd.check.override import Overrides, order_of
from lvsd.check.service import objection

from .farm_of import BAD, OK, asked, farm, service, web


def order(verb: str, server: str, weight: int | None = None):  # type: ignore[no-untyped-def]
    return order_of(verb, server, "", weight, None, "", "me", 0.0)


def test_a_server_is_up_only_when_all_of_its_checks_are() -> None:
    made = farm(web("1", checks="TCP_CHECK {\n }\n TCP_CHECK {\n connect_port 81\n }"))
    first, second = made.healths
    made.observe(first, OK, 1.0)
    changes = made.observe(second, BAD, 1.0)
    assert [change.up for _, change in changes.servers] == [False]
    assert service(made).servers[0].health == "down"


def test_the_first_success_is_known_but_no_change() -> None:
    made = farm(web("1"))
    ((_, change),) = made.observe(asked(made, "10.0.0.1"), OK, 1.0).servers
    assert (change.up, change.initial, change.changed) == (True, True, False)


def test_the_quorum_is_lost_below_and_regained_above_its_margin() -> None:
    made = farm(web("1 weight 2", "2 weight 2", "3 weight 2", more="quorum 3\n hysteresis 1"))
    for octet in "123":
        made.observe(asked(made, f"10.0.0.{octet}"), OK, 0.0)
    failures = [BAD] * 2

    def fail(octet: int) -> list[bool]:
        return [q.up for o in failures for _, q in made.observe(asked(made, f"10.0.0.{octet}"), o, 1.0).quorums]

    assert fail(1) == []
    assert fail(2) == []
    assert service(made).weight == 2
    assert fail(3) == [False]
    assert made.observe(asked(made, "10.0.0.1"), OK, 2.0).quorums == []
    ((_, change),) = made.observe(asked(made, "10.0.0.2"), OK, 2.0).quorums
    assert change.up
    assert "weight 4 of 4" in change.why


def test_with_alpha_the_sorry_server_is_in_charge_from_the_start_and_nobody_is_told() -> None:
    made = farm(web("1", more="alpha\n sorry_server 10.0.0.9 80"))
    assert service(made).sorry_active
    changes = made.observe(asked(made, "10.0.0.1"), OK, 1.0)
    assert [change.up for _, change in changes.quorums] == [True]
    assert not service(made).sorry_active


def test_weights_of_several_programs_add_up() -> None:
    made = farm(web("1 weight 10"))
    made.observe(asked(made, "10.0.0.1"), dataclasses.replace(OK, weight=4), 1.0)
    assert service(made).servers[0].effective_weight == 4
    assert service(made).weight == 4


def test_an_operators_weight_comes_before_the_checks() -> None:
    made = farm(web("1 weight 10"))
    given = order("weight", "10.0.0.1", 3)
    made.override(Overrides([given]), [given])
    made.observe(asked(made, "10.0.0.1"), dataclasses.replace(OK, weight=4), 1.0)
    assert service(made).servers[0].effective_weight == 3


def test_a_drain_that_takes_the_last_weight_is_objected_to() -> None:
    made = farm(web("1", "2"))
    assert objection(service(made), order("drain", "10.0.0.1")) == ""
    first = order("drain", "10.0.0.1")
    made.override(Overrides([first]), [first])
    assert "weight 0" in objection(service(made), order("drain", "10.0.0.2"))


def test_a_service_without_its_quorum_has_nothing_to_lose() -> None:
    made = farm(web("1"))
    made.observe(asked(made, "10.0.0.1"), BAD, 1.0)
    assert objection(service(made), order("drain", "10.0.0.1")) == ""
