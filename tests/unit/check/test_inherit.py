from __future__ import annotations

from ipaddress import ip_address

from lvsd.check.ipvs.table import AddressKey, DestinationKey, Family, Forwarding, MarkKey, Protocol

from .farm_of import resolved, web


def test_a_check_inherits_from_its_server_then_the_service_then_keepalived() -> None:
    text = web("1", "2 retry 4", more="retry 2\n delay_loop 7\n connect_timeout 3")
    first, second = (server.checks[0] for server in resolved(text).services[0].servers)
    assert (first.retry, first.interval, first.delay_before_retry, first.target.timeout, first.warmup) == (
        2,
        7,
        1,
        3,
        7,
    )
    assert second.retry == 4
    assert resolved(web("1")).services[0].servers[0].checks[0].retry == 1


def test_an_http_check_waits_three_seconds_before_a_retry_and_a_program_has_none() -> None:
    http = resolved(web("1", checks="HTTP_GET {\n url {\n path /\n }\n }")).services[0].servers[0].checks[0]
    misc = resolved(web("1", more="delay_loop 9", checks='MISC_CHECK {\n misc_path "/bin/true"\n }'))
    assert http.delay_before_retry == 3
    assert misc.services[0].servers[0].checks[0].retry == 0
    assert misc.services[0].servers[0].checks[0].target.timeout == 9


def test_services_that_ask_the_same_of_the_same_target_share_a_question() -> None:
    other = web("1").replace("192.0.2.1", "192.0.2.2")
    spelled = web("1", checks="TCP_CHECK {\n retry 1\n }").replace("192.0.2.1", "192.0.2.3")
    questions = {s.servers[0].checks[0] for s in resolved(web("1") + other + spelled).services}
    assert len(questions) == 1


def test_direct_routing_takes_the_port_of_the_service() -> None:
    text = web("1").replace("NAT", "DR").replace("10.0.0.1 80", "10.0.0.1 8080")
    server = resolved(text).services[0].servers[0]
    key = AddressKey(Protocol.TCP, ip_address("192.0.2.1"), 80)
    assert server.row(key) == DestinationKey(ip_address("10.0.0.1"), 80)
    assert server.forward.method is Forwarding.DR
    assert server.checks[0].target.port == 80


def test_a_service_by_mark_without_nat_has_rows_of_port_0() -> None:
    text = web("1").replace("192.0.2.1 80", "fwmark 7").replace("NAT", "DR")
    service = resolved(text).services[0]
    assert service.keys == (MarkKey(7, Family.IPV4),)
    assert service.servers[0].row(service.keys[0]).port == 0
    assert service.servers[0].checks[0].target.port == 80


def test_a_group_is_one_service_with_a_row_for_each_address() -> None:
    group = "virtual_server_group g {\n 192.0.2.1-3 80\n fwmark 5\n}\n"
    service = resolved(group + web("1").replace("192.0.2.1 80", "group g")).services[0]
    assert [str(key) for key in service.keys] == [
        "tcp 192.0.2.1:80",
        "tcp 192.0.2.2:80",
        "tcp 192.0.2.3:80",
        "fwmark 5",
    ]


def test_a_quorum_beyond_all_weights_is_corrected_and_told() -> None:
    found = resolved(web("1", "2", more="quorum 5\n hysteresis 4"))
    assert (found.services[0].quorum, found.services[0].hysteresis) == (2, 0)
    assert len(found.problems) == 2
    assert "quorum 5" in found.problems[0]


def test_two_servers_that_direct_routing_makes_the_same_row_count_once() -> None:
    twice = web("1", "2").replace("NAT", "DR").replace("10.0.0.2 80", "10.0.0.1 8080")
    found = resolved(twice)
    assert len(found.services[0].servers) == 1
    assert "stands twice" in found.problems[0]


def test_every_port_and_a_granularity_need_persistence() -> None:
    assert resolved(web("1", more="persistence_granularity 255.255.255.0")).services[0].timeout == 360
    assert resolved(web("1")).services[0].timeout == 0


def test_a_check_that_is_not_run_yet_leaves_its_server_without_one() -> None:
    (server,) = resolved(web("1", checks="PING_CHECK {\n }")).services[0].servers
    assert server.checks == ()
