from __future__ import annotations

import pytest

from tests.unit.core.rules.cases import INSTANCE, codes

PAIR = INSTANCE % "" + (INSTANCE % "").replace("VI_1", "VI_2").replace("51", "52").replace("2.100", "2.101")
GROUP = "vrrp_sync_group G { group { VI_1 VI_2 } }\n"
SHOP = "virtual_server_group SHOP { 192.0.2.1 80 }\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (PAIR + GROUP, []),
        (GROUP + PAIR, []),
        (INSTANCE % "" + GROUP, ["unknown-instance"]),
        (PAIR + GROUP + GROUP.replace("G", "H"), ["two-groups", "two-groups"]),
        (PAIR + GROUP + "vrrp_sync_group G { group { VI_3 VI_4 } }", ["duplicate-name", *["unknown-instance"] * 2]),
        (SHOP, ["unused-group"]),
        (SHOP + "virtual_server group SHOP { real_server 192.0.2.2 80 { } }", []),
        (SHOP + "virtual_server group SHIP { real_server 192.0.2.2 80 { } }", ["unused-group", "unknown-group"]),
        (SHOP + "virtual_server group SHOP {\nquorum x\nreal_server 192.0.2.2 80 { }\n}", ["bad-value"]),
    ],
)
def test_rules_of_names_speak_when_they_must_and_only_then(text: str, found: list[str]) -> None:
    assert codes(text) == found
