from __future__ import annotations

import pytest

from tests.unit.core.rules.cases import INSTANCE, codes


def said(text: str) -> list[str]:
    return [each for each in codes(text) if each != "not-obeyed"]


PACE = "garp_group {\n garp_interval 0.1\n %s\n}\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("net_namespace blue\nnet_namespace_ipvs\nnamespace_with_ipsets\n", []),
        ("net_namespace_ipvs red\n", []),
        ("net_namespace_ipvs\nnamespace_with_ipsets\n", ["namespace-alone", "namespace-alone"]),
        ("net_namespace /run/netns/blue\n", ["bad-value"]),
        (PACE % "interface eth0\n interface eth1" + PACE % "interfaces { eth2 }", []),
        (PACE % "interface eth0" + PACE % "interfaces { eth1 eth0 }", ["two-garp-groups"]),
        (PACE % "interface eth0\n interfaces { eth0 }", ["two-garp-groups"]),
        (PACE % "", ["empty-garp-group"]),
        ("garp_group {\n interface eth0\n}\n", ["empty-garp-group"]),
        ("interface_up_down_delays {\n eth0 1\n eth1 1 2\n}\nlinkbeat_interfaces {\n eth0\n}\n", []),
        ("interface_up_down_delays {\n eth0 1\n eth0 2\n}\n", ["two-delays"]),
        ("linkbeat_interfaces {\n eth0\n}\nlinkbeat_interfaces {\n eth0 MII\n}\n", ["two-delays"]),
        ("global_defs {\n lvs_sync_daemon eth0 VI_1\n}\n" + INSTANCE % "", []),
        ("global_defs {\n lvs_sync_daemon eth0\n}\n" + INSTANCE % "", []),
        ("global_defs {\n lvs_sync_daemon eth0 VI_2\n}\n" + INSTANCE % "", ["unknown-sync-instance"]),
        ("track_group T {\n group { VI_1 }\n}\n" + INSTANCE % "", []),
        ("track_group T {\n group { VI_1 VI_2 }\n}\n" + INSTANCE % "", ["unknown-instance"]),
        ("track_group T {\n group { VI_1 }\n}\n" * 2 + INSTANCE % "", ["duplicate-name"]),
    ],
)
def test_rules_of_the_whole_daemon_speak_when_they_must_and_only_then(text: str, found: list[str]) -> None:
    assert said(text) == found
