from __future__ import annotations

from lvsd.check.desired import desired
from lvsd.check.ipvs.table import ServiceFlags
from lvsd.check.override import Overrides, order_of

from .farm_of import BAD, asked, farm, web


def weights(made) -> list[dict[str, int]]:  # type: ignore[no-untyped-def]
    table = desired(made.services.values())
    return [{str(key): row.weight for key, row in service.destinations.items()} for service in table.values()]


def test_servers_without_alpha_are_in_the_table_before_their_first_check() -> None:
    assert weights(farm(web("1", "2 weight 5"))) == [{"10.0.0.1:80": 1, "10.0.0.2:80": 5}]


def test_with_alpha_they_are_not() -> None:
    assert weights(farm(web("1", more="alpha"))) == [{}]


def test_a_failed_server_leaves_or_stays_with_weight_0() -> None:
    for more, expected in (("", {"10.0.0.2:80": 1}), ("inhibit_on_failure", {"10.0.0.1:80": 0, "10.0.0.2:80": 1})):
        made = farm(web("1", "2", more=more))
        made.observe(asked(made, "10.0.0.1"), BAD, 1.0)
        assert weights(made) == [expected]


def test_without_quorum_the_sorry_server_takes_the_place_of_the_living() -> None:
    made = farm(web("1", "2", more="quorum 2\n sorry_server 10.0.0.9 80"))
    made.observe(asked(made, "10.0.0.1"), BAD, 1.0)
    assert weights(made) == [{"10.0.0.9:80": 1}]


def test_without_quorum_and_without_sorry_server_the_living_stay() -> None:
    made = farm(web("1", "2", more="quorum 2"))
    made.observe(asked(made, "10.0.0.1"), BAD, 1.0)
    assert weights(made) == [{"10.0.0.2:80": 1}]


def test_an_inhibited_sorry_server_waits_with_weight_0() -> None:
    made = farm(web("1", more="sorry_server 10.0.0.9 80\n sorry_server_inhibit"))
    assert weights(made) == [{"10.0.0.1:80": 1, "10.0.0.9:80": 0}]


def test_drain_is_weight_0_and_maint_is_no_row() -> None:
    made = farm(web("1", "2", "3"))
    orders = [
        order_of("drain", "10.0.0.1", "", None, None, "", "", 0.0),
        order_of("maint", "10.0.0.2", "", None, None, "", "", 0.0),
    ]
    made.override(Overrides(orders), orders)
    assert weights(made) == [{"10.0.0.1:80": 0, "10.0.0.3:80": 1}]


def test_every_address_of_a_group_has_the_same_rows() -> None:
    group = "virtual_server_group g {\n 192.0.2.1-2 80\n 192.0.2.9 81\n}\n"
    made = farm(group + web("1").replace("192.0.2.1 80", "group g"))
    assert weights(made) == [{"10.0.0.1:80": 1}] * 3


def test_flags_and_persistence_are_the_kernels() -> None:
    text = web("1", more="persistence_timeout 60\n persistence_granularity 255.255.255.0\n sh-port\n sh-fallback")
    (service,) = desired(farm(text.replace("wrr", "sh")).services.values()).values()
    assert service.flags == ServiceFlags.PERSISTENT | ServiceFlags.SCHED1 | ServiceFlags.SCHED2
    assert (service.timeout, service.prefix, service.scheduler) == (60, 24, "sh")
