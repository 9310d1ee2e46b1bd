"""What operators see of one service."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from lvsd.check.desired import rows
from lvsd.check.ipvs.table import AddressKey, Counters, DestinationKey, Protocol, ServiceCounters
from lvsd.check.override import Override, Overrides, order_of
from lvsd.check.report import service_report
from tests.unit.check.farm_of import BAD, OK, asked, farm, service, web

KEY = AddressKey(Protocol.TCP, ip_address("192.0.2.1"), 80)


def row(octet: int) -> DestinationKey:
    return DestinationKey(ip_address(f"10.0.0.{octet}"), 80)


def drained(server: str) -> Override:
    return order_of("drain", server, "", None, 60.0, "kernel", "ann", 10.0)


def test_the_four_weights_stand_apart() -> None:
    made = farm(web("1 weight 3", "2"))
    table = rows(service(made))
    made.observe(asked(made, "10.0.0.1"), OK, 5.0)
    overrides = Overrides()
    order = drained("10.0.0.1")
    overrides.give(order)
    made.override(overrides, (order,))
    first, second = service_report(service(made), 30.0, table, {}).servers
    assert (first.weight, first.effective_weight, first.health, first.kernel_weight) == (3, 0, "up", 3)
    assert (first.override, first.override_reason, first.override_owner) == ("drain", "kernel", "ann")
    assert first.override_seconds_left == 40.0
    assert (second.health, second.override, second.override_seconds_left) == ("unknown", "", None)


def test_a_check_tells_its_last_answer_and_its_age() -> None:
    made = farm(web("1", checks="TCP_CHECK {\n retry 2\n }"))
    (untold,) = service_report(service(made), 1.0, {}, {}).servers[0].checks
    assert (untold.state, untold.reason, untold.age, untold.attempts) == ("unknown", "not checked yet", None, 3)
    made.observe(asked(made, "10.0.0.1"), OK, 5.0)
    made.observe(asked(made, "10.0.0.1"), BAD, 7.0)
    report = service_report(service(made), 8.5, {}, {})
    (line,) = report.servers[0].checks
    assert (line.kind, line.state, line.reason, line.layer) == ("TCP_CHECK", "up", "connection refused", "L4")
    assert (line.attempt, line.attempts, line.age) == (1, 3, 1.5)
    assert report.servers[0].kernel_weight is None


def test_state_seconds_count_from_the_last_change() -> None:
    made = farm(web("1", "2", checks="TCP_CHECK {\n retry 0\n }"))
    made.observe(asked(made, "10.0.0.1"), BAD, 5.0)
    server = service_report(service(made), 9.25, {}, {}).servers[0]
    assert (server.health, server.why, server.state_seconds) == ("down", "L4: connection refused", 4.25)


def test_counters_of_a_service_with_two_rows_are_their_sums() -> None:
    text = "virtual_server_group both {\n 192.0.2.1 80\n 192.0.2.2 80\n}\n" + web("1").replace(
        "virtual_server 192.0.2.1 80", "virtual_server group both"
    )
    made = farm(text)
    table = rows(service(made))
    other = replace(KEY, address=ip_address("192.0.2.2"))
    counted = Counters(connections=3, bytes_in=100, bytes_out=200, active=1, inactive=2)
    both = {key: ServiceCounters(counted, {row(1): counted}) for key in (KEY, other)}
    report = service_report(service(made), 1.0, table, both)
    assert (report.connections, report.bytes_in, report.bytes_out) == (6, 200, 400)
    server = report.servers[0]
    assert (server.connections, server.active, server.inactive, server.kernel_weight) == (6, 2, 4, 1)
    half = service_report(service(made), 1.0, {KEY: table[KEY]}, {KEY: both[KEY]})
    assert half.connections == 3
    assert half.servers[0].kernel_weight is None


def test_a_sorry_server_in_charge_is_said() -> None:
    made = farm(web("1", more="sorry_server 10.0.0.9 80", checks="TCP_CHECK {\n retry 0\n }"))
    assert not service_report(service(made), 1.0, {}, {}).sorry_active
    made.observe(asked(made, "10.0.0.1"), BAD, 5.0)
    report = service_report(service(made), 6.0, {}, {})
    assert (report.sorry_active, report.quorum_up, report.sorry_server) == (True, False, "10.0.0.9:80")
    assert report.why == "quorum lost: weight 0 is below 1"
