from __future__ import annotations

import pytest

from tests.unit.core.rules.cases import INSTANCE, codes

GROUP = "vrrp_sync_group G { group { VI_1 } }\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (INSTANCE % "" + GROUP, []),
        (GROUP + INSTANCE % "", []),
        (GROUP, ["unknown-instance"]),
        (INSTANCE % "" + GROUP + GROUP.replace("G", "H"), ["two-groups"]),
        (INSTANCE % "" + GROUP + "vrrp_sync_group G { group { VI_2 } }", ["duplicate-name", "unknown-instance"]),
    ],
)
def test_rules_of_names_speak_when_they_must_and_only_then(text: str, found: list[str]) -> None:
    assert codes(text) == found
