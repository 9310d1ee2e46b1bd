from __future__ import annotations

import pytest

from tests.unit.core.rules.cases import codes


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("virtual_server fwmark 1 {\nip_family inet\nreal_server 192.0.2.2 80 { }\n}\n"
         "virtual_server fwmark 1 {\nip_family inet6\nreal_server fe80::2 80 { }\n}", []),
        ("virtual_server fwmark 1 { real_server 192.0.2.2 80 { } }\nvirtual_server fwmark 1 { real_server 192.0.2.3 80 { } }",
         ["duplicate-service"]),
        ("virtual_server 192.0.2.1 80 {\nprotocol TCP\nreal_server 192.0.2.2 80 { }\n}\n"
         "virtual_server 192.0.2.1 80 {\nprotocol UDP\nreal_server 192.0.2.2 80 { }\n}", []),
        ("virtual_server 192.0.2.1 80 {\nlb_kind TUN\nreal_server fe80::2 80 { }\n}", []),
        ("virtual_server fwmark 1 { real_server 192.0.2.2 { TCP_CHECK { } } }", ["check-without-port"]),
        ("virtual_server fwmark 1 { real_server 192.0.2.2 { TCP_CHECK { connect_port 80 } } }", []),
        ("virtual_server 192.0.2.1 80 {\nquorum 2\nhysteresis 2\nreal_server 192.0.2.2 80 { weight 5 }\n}",
         ["quorum-out-of-reach"]),
    ],
)  # fmt: skip
def test_rules_of_services_speak_when_they_must_and_only_then(text: str, found: list[str]) -> None:
    assert codes(text) == found
