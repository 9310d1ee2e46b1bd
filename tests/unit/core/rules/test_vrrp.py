from __future__ import annotations

import pytest

from tests.unit.core.rules.cases import INSTANCE, codes


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (INSTANCE % "version 3" + INSTANCE.replace("VI_1", "V6").replace("192.0.2.100/24", "fe80::1") % "", []),
        (INSTANCE % "advert_int 0.5\nversion 3", []),
        (INSTANCE % "advert_int 50\nversion 3\nvip_lease off", ["advert-interval"]),
        ("global_defs { vrrp_mcast_group4 192.0.2.1 }", ["not-multicast"]),
        ("global_defs { vrrp_mcast_group4 224.0.0.19 }", []),
        ("vrrp_instance A {\ninterface eth0\nvirtual_router_id 1\n}", ["no-address"]),
        ("vrrp_instance A {\ninterface eth0\nvirtual_router_id 1\nno_virtual_ipaddress\n}", []),
    ],
)
def test_rules_of_vrrp_speak_when_they_must_and_only_then(text: str, found: list[str]) -> None:
    assert codes(text) == found
