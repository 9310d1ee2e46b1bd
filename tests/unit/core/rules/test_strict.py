from __future__ import annotations

import pytest

from tests.unit.core.rules.cases import INSTANCE, codes, said

OVERRIDE, REFUSAL = "strict-override", "strict-refusal"
KEY = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ("", []),
        ("priority 255\nstate MASTER\naccept\nowner_ignore_adverts", []),
        ("unicast_peer {\n192.0.2.2\n}", [OVERRIDE]),
        ("priority 255", [OVERRIDE]),
        ("priority 150\nstate MASTER", [OVERRIDE]),
        ("authentication {\nauth_pass hush\n}", [OVERRIDE]),
        (f"auth_hmac {{\nkey 1 {KEY}\n}}", []),
        (f"auth_hmac {{\nkey 1 {KEY}\nmode permissive\n}}", [REFUSAL]),
        ("preempt_delay 5", [OVERRIDE]),
        ("accept", [OVERRIDE]),
        ("no_accept", []),
        ("garp_lower_prio_repeat 1", [OVERRIDE]),
        ("garp_lower_prio_repeat 0", []),
        ("lower_prio_no_advert off\nhigher_prio_send_advert", [OVERRIDE, OVERRIDE]),
        ("use_vmac vrrp.51 02:00:5e:00:01\nvmac_xmit_base", [OVERRIDE, OVERRIDE]),
        ("use_vmac", []),
        ("down_timer_adverts 4", [OVERRIDE]),
        ("down_timer_adverts 3", []),
    ],
)
def test_strict_mode_speaks_when_it_must_and_only_then(lines: str, found: list[str]) -> None:
    assert said("strict_mode\n" + lines) == found
    assert said("strict_mode off\n" + lines) == []


def test_strict_mode_is_inherited() -> None:
    text = "global_defs {\nvrrp_strict\n}\n" + INSTANCE % "accept"
    assert codes(text) == ["not-obeyed", OVERRIDE]
    assert codes(text.replace("accept", "accept\nstrict_mode off")) == ["not-obeyed", "not-obeyed"]


def test_strict_mode_knows_ipv6() -> None:
    text = (INSTANCE % "strict_mode\nversion 2").replace("192.0.2.100/24", "2001:db8::1")
    assert codes(text) == ["not-obeyed", OVERRIDE, OVERRIDE]
    assert codes((INSTANCE % "strict_mode").replace("192.0.2.100/24", "fe80::1")) == ["not-obeyed"]


def test_strict_mode_refuses_an_instance_without_address() -> None:
    text = "vrrp_instance A {\ninterface eth0\nvirtual_router_id 1\nstrict_mode\nno_virtual_ipaddress\n}"
    assert codes(text) == [REFUSAL, "not-obeyed"]
