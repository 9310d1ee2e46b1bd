from __future__ import annotations

from ipaddress import ip_address

import pytest

from lvsd.check.override import BadOrder, Override, Overrides, covers, decode, encode, order_of, server_of

from .farm_of import farm, service, web


def given(
    verb: str, server: str, service_name: str = "", weight: int | None = None, until: float | None = None
) -> Override:
    return order_of(verb, server, service_name, weight, until, "kernel", "me", 0.0)


def test_a_server_is_an_address_with_or_without_a_port() -> None:
    assert server_of("10.0.0.1") == (ip_address("10.0.0.1"), None)
    assert server_of("10.0.0.1:80") == (ip_address("10.0.0.1"), 80)
    assert server_of("2001:db8::1") == (ip_address("2001:db8::1"), None)
    assert server_of("[2001:db8::1]:80") == (ip_address("2001:db8::1"), 80)


@pytest.mark.parametrize(
    "text", ["", "web2", "10.0.0.1:", "10.0.0.1:http", "10.0.0.1:70000", "[2001:db8::1", "[::1]80"]
)
def test_what_is_no_server_is_refused(text: str) -> None:
    with pytest.raises(BadOrder):
        server_of(text)


@pytest.mark.parametrize(
    ("verb", "weight", "seconds"),
    [("stop", None, None), ("weight", None, None), ("drain", 3, None), ("drain", None, 0)],
)
def test_an_order_that_makes_no_sense_is_refused(verb: str, weight: int | None, seconds: float | None) -> None:
    with pytest.raises(BadOrder):
        order_of(verb, "10.0.0.1", "", weight, seconds, "", "", 0.0)


def test_an_order_covers_every_port_and_service_unless_it_names_one() -> None:
    server = service(farm(web("1"))).servers[0].settings
    name = "tcp 192.0.2.1:80"
    assert covers(given("drain", "10.0.0.1"), name, server)
    assert covers(given("drain", "10.0.0.1:80", "192.0.2.1:80"), name, server)
    assert not covers(given("drain", "10.0.0.1:81"), name, server)
    assert not covers(given("drain", "10.0.0.1", "tcp 192.0.2.2:80"), name, server)


def test_the_narrowest_order_counts() -> None:
    server = service(farm(web("1"))).servers[0].settings
    narrow = given("weight", "10.0.0.1", "tcp 192.0.2.1:80", 3)
    orders = Overrides([narrow, given("maint", "10.0.0.1:80"), given("drain", "10.0.0.1")])
    assert orders.find("tcp 192.0.2.1:80", server) is narrow
    found = orders.find("tcp 192.0.2.2:80", server)
    assert found is not None
    assert found.verb == "maint"


def test_ready_ends_what_it_names_and_does_not_pretend_to_end_more() -> None:
    orders = Overrides([given("drain", "10.0.0.1")])
    with pytest.raises(BadOrder, match="every service"):
        orders.ready(ip_address("10.0.0.1"), 80, "")
    assert len(orders.ready(ip_address("10.0.0.1"), None, "")) == 1
    assert len(orders) == 0


def test_orders_end_by_themselves() -> None:
    orders = Overrides([given("drain", "10.0.0.1", until=30.0), given("drain", "10.0.0.2")])
    assert orders.deadline == 30.0
    assert orders.expire(29.9) == ()
    assert [order.server for order in orders.expire(30.0)] == ["10.0.0.1"]
    assert orders.deadline is None


def test_orders_outlive_a_reboot_with_the_time_that_is_left() -> None:
    orders = Overrides([given("drain", "10.0.0.1", until=100.0), given("weight", "[::1]:80", weight=2)])
    data = encode(orders, now=40.0, wall=5000.0)
    later = decode(data, now=1.0, wall=5010.0)
    assert later.deadline == pytest.approx(51.0)
    assert len(later) == 2
    assert len(decode(data, now=1.0, wall=5061.0)) == 1


def test_kept_bytes_that_are_no_orders_are_refused() -> None:
    with pytest.raises(BadOrder):
        decode(b"[1]", 0.0, 0.0)
