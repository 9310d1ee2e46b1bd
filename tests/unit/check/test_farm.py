from __future__ import annotations

from lvsd.check.override import Overrides

from .farm_of import BAD, OK, asked, farm, resolved, service, web


def test_one_answer_is_a_verdict_for_every_service_that_asks_the_same() -> None:
    made = farm(web("1", "2") + web("1", "2").replace("192.0.2.1", "192.0.2.2"))
    changes = made.observe(asked(made, "10.0.0.1"), BAD, 1.0)
    assert [state.settings.name for state, _ in changes.servers] == ["tcp 192.0.2.1:80", "tcp 192.0.2.2:80"]


def test_a_reload_asks_only_new_questions_and_keeps_every_state() -> None:
    made = farm(web("1", "2"))
    made.observe(asked(made, "10.0.0.1"), BAD, 1.0)
    found = made.reconfigure(resolved(web("1 weight 9", "3")), Overrides(), 50.0)
    assert [str(each.target.address) for each in found.ask] == ["10.0.0.3"]
    assert [str(each.target.address) for each in found.forget] == ["10.0.0.2"]
    server = service(made).servers[0]
    assert (server.up, server.since, server.settings.weight) == (False, 1.0, 9)
    assert found.changes.servers == []


def test_other_timing_of_a_check_keeps_its_verdict() -> None:
    made = farm(web("1", "2"))
    made.observe(asked(made, "10.0.0.1"), BAD, 1.0)
    made.reconfigure(resolved(web("1", "2", more="delay_loop 3")), Overrides(), 50.0)
    assert not service(made).servers[0].up
    assert asked(made, "10.0.0.1").interval == 3


def test_a_server_that_is_down_stays_so_under_another_check_until_that_succeeds() -> None:
    made = farm(web("1", "2"))
    made.observe(asked(made, "10.0.0.1"), BAD, 1.0)
    found = made.reconfigure(resolved(web("1", "2", checks="TCP_CHECK {\n connect_port 81\n }")), Overrides(), 50.0)
    assert found.changes.servers == []
    assert [server.up for server in service(made).servers] == [False, True]
    made.observe(asked(made, "10.0.0.1"), OK, 51.0)
    assert service(made).servers[0].up


def test_a_service_that_is_no_more_is_named() -> None:
    made = farm(web("1"))
    found = made.reconfigure(resolved(""), Overrides(), 1.0)
    assert [state.settings.name for state in found.removed] == ["tcp 192.0.2.1:80"]
    assert made.services == {}
