from __future__ import annotations

import pytest

from tests.unit.core.rules.cases import codes

SERVER = "real_server 192.0.2.2 80 { }\n"


def service(*lines: str, header: str = "192.0.2.1 80", servers: str = SERVER) -> str:
    body = "".join(f"{each}\n" for each in lines)
    return f"virtual_server {header} {{\n{body}{servers}}}\n"


def group(*entries: str, used: tuple[str, ...] = ()) -> str:
    body = "".join(f"{each}\n" for each in entries)
    return f"virtual_server_group G {{\n{body}}}\n" + service(*used, header="group G")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (service("ip_family inet", header="fwmark 1")
         + service("ip_family inet6", header="fwmark 1", servers="real_server fe80::2 80 { }\n"), []),
        (service(header="fwmark 1") * 2, ["duplicate-service"]),
        (service(header="fwmark 1") + service("ip_family inet", header="fwmark 1"), ["duplicate-service"]),
        (service("protocol TCP") + service("protocol UDP"), []),
        (service("protocol UDP") + service(), ["duplicate-service"]),
        (service(servers=SERVER * 2), ["duplicate-server"]),
        (service(servers=""), ["no-server"]),
    ],
)  # fmt: skip
def test_a_service_stands_once_and_has_servers(text: str, found: list[str]) -> None:
    assert codes(text) == found


BOTH = "real_server 192.0.2.2 80 { }\nreal_server fe80::2 80 { }\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (service("lb_kind TUN", servers="real_server fe80::2 80 { }\n"), []),
        (service("sorry_server fe80::2"), ["server-family"]),
        (service("ip_family inet6", header="fwmark 1"), ["server-family"]),
        (service("ip_family inet6", "lb_kind TUN", header="fwmark 1"), []),
        (service(header="fwmark 1", servers=BOTH), ["mark-family", "server-family"]),
        (service("lb_kind TUN", header="fwmark 1", servers=BOTH), ["mark-family"]),
        (service("lb_kind TUN", "ip_family inet", header="fwmark 1", servers=BOTH), []),
        (service("ip_family inet"), []),
        (service("ip_family inet6"), ["ip-family"]),
        (group("192.0.2.1 80", "fwmark 2"), []),
        (group("192.0.2.1 80", "fwmark 2 inet6"), ["server-family"]),
        (group("fe80::1 80", "192.0.2.1 80"), ["server-family"]),
        (group("fe80::1 80", "192.0.2.1 80", used=("lb_kind TUN",)), []),
    ],
)
def test_one_family_is_not_carried_in_the_other(text: str, found: list[str]) -> None:
    assert codes(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (group("192.0.2.1-9 80", "192.0.2.10-12 80", "192.0.2.1-9 81", "fe80::1 82", used=("lb_kind TUN",)), []),
        (group("192.0.2.1 80", "192.0.2.1 80"), ["overlapping-entries"]),
        (group("192.0.2.20 80", "192.0.2.1-30 80", "192.0.2.25 80"), ["overlapping-entries"] * 2),
        (group("192.0.2.0/30 80", "192.0.2.1 80", "192.0.2.3-4 80"), ["overlapping-entries"] * 2),
        (group("fwmark 1", "fwmark 2", "fwmark 1 inet6", used=("lb_kind TUN",)), []),
        (group("fwmark 1", "fwmark 1 inet"), ["overlapping-entries"]),
        (group("192.0.2.1"), ["made-persistent"]),
        (group("192.0.2.1", used=("persistence_timeout",)), []),
    ],
)
def test_the_entries_of_a_group_are_apart_and_persistent_without_port(text: str, found: list[str]) -> None:
    assert codes(text) == found


WEIGHTLESS = "real_server 192.0.2.2 80 { weight 0 }\nreal_server 192.0.2.3 80 { weight %d }\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (service("quorum 2", "hysteresis 2", servers="real_server 192.0.2.2 80 { weight 5 }\n"), ["quorum-out-of-reach"]),
        (service("quorum 9"), ["quorum-out-of-reach"]),
        (service(servers=WEIGHTLESS % 0), ["no-weight"]),
        (service(servers=WEIGHTLESS % 1), []),
        (service("sorry_server 192.0.2.2 80"), ["sorry-is-a-server"]),
        (service("sorry_server 192.0.2.2"), ["sorry-is-a-server"]),
        (service("sorry_server 192.0.2.2 81"), []),
        (service("sorry_server 192.0.2.2 81", "lb_kind DR"), ["sorry-is-a-server"]),
        (service("sorry_server 192.0.2.2 81", header="fwmark 1"), []),
        (service("sorry_server 192.0.2.3 80", "sorry_server_inhibit", "sorry_server_lvs_method DR"), []),
        (service("sorry_server_inhibit", "sorry_server_lvs_method DR"), ["no-sorry-server"] * 2),
    ],
)  # fmt: skip
def test_a_quorum_can_be_reached_and_another_machine_says_sorry(text: str, found: list[str]) -> None:
    assert codes(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (service(header="192.0.2.1"), ["made-persistent"]),
        (service("persistence_timeout 5", header="192.0.2.1"), []),
        (service("lb_kind DR", servers="real_server 192.0.2.2 81 { }\n"), ["port-of-server"]),
        (service("persistence_granularity 64"), ["granularity"]),
        (service("ops", "protocol TCP"), ["one-packet"]),
        (service("sh-port", "lb_algo mh"), ["scheduler-flag"]),
        (service("sh-port", "lb_algo sh"), []),
        (service(servers="real_server 192.0.2.2 80 {\nlthreshold 8\nuthreshold 4\n}\n"), ["thresholds"]),
        (service(servers="real_server 192.0.2.2 80 { lthreshold 8 }\n"), ["thresholds"]),
        (service(servers="real_server 192.0.2.2 80 {\nlthreshold 4\nuthreshold 4\n}\n"), []),
    ],
)
def test_a_service_is_one_that_the_kernel_takes(text: str, found: list[str]) -> None:
    assert codes(text) == found


UDP_AND_TCP = group("192.0.2.1-9 80", used=("protocol TCP",)) + service("protocol UDP", header="192.0.2.5 80")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (UDP_AND_TCP, []),
        (UDP_AND_TCP.replace("TCP", "UDP"), ["shared-address"]),
        (group("192.0.2.1-9 80") + service(header="192.0.2.5 81"), []),
        (group("fwmark 1") + service(header="fwmark 1"), ["shared-address"]),
        (group("fwmark 1") + service("ip_family inet6", "lb_kind TUN", header="fwmark 1"), []),
        (group("192.0.2.1 80", "192.0.2.2 80") + service() + service(header="192.0.2.2 80"), ["shared-address"] * 2),
        (group("192.0.2.1-3 80") + group("192.0.2.3-5 80", "192.0.2.2 80").replace("G {", "H {").replace("group G", "group H"),
         ["shared-address"]),
        (service() * 2, ["duplicate-service"]),
    ],
)  # fmt: skip
def test_two_services_do_not_listen_to_the_same(text: str, found: list[str]) -> None:
    assert codes(text) == found
