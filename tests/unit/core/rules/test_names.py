from __future__ import annotations

import pytest

from tests.unit.core.rules.cases import INSTANCE, codes

PAIR = INSTANCE % "" + (INSTANCE % "").replace("VI_1", "VI_2").replace("51", "52").replace("2.100", "2.101")
GROUP = "vrrp_sync_group G { group { VI_1 VI_2 } }\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (PAIR + GROUP, []),
        (GROUP + PAIR, []),
        (INSTANCE % "" + GROUP, ["unknown-instance"]),
        (PAIR + GROUP + GROUP.replace("G", "H"), ["two-groups", "two-groups"]),
        (PAIR + GROUP + "vrrp_sync_group G { group { VI_3 VI_4 } }", ["duplicate-name", *["unknown-instance"] * 2]),
    ],
)
def test_rules_of_names_speak_when_they_must_and_only_then(text: str, found: list[str]) -> None:
    assert codes(text) == found
