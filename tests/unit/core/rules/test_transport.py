from __future__ import annotations

import pytest

from tests.unit.core.rules.cases import INSTANCE, codes, said

PEERS = "unicast_peer {\n192.0.2.2\n192.0.2.3 min_ttl 254\n}\n"
KEY, OTHER = "0123456789abcdef" * 2, "hex:" + "00ff" * 16


def signing(*lines: str) -> str:
    return "auth_hmac {\n" + "\n".join(lines) + "\n}\n"


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (PEERS + "unicast_src_ip 192.0.2.1\nunicast_ttl 255\ncheck_unicast_src\nold_unicast_checksum never", []),
        (
            "unicast_src_ip 192.0.2.1\nunicast_ttl 0\ncheck_unicast_src\nold_unicast_checksum",
            ["unicast-without-peers"] * 4,
        ),
        ("unicast_fault_no_peer", []),
        ("unicast_peer {\n}", ["missing-value"]),
        (PEERS + "unicast_src_ip 192.0.2.3", ["own-peer"]),
        (PEERS.replace(".3", ".2"), ["duplicate-peer"]),
        (PEERS.replace("192.0.2.3", "fe80::3"), ["peer-family"]),
        (PEERS + "unicast_src_ip fe80::1", ["peer-family"]),
        ("mcast_dst_ip ff02::12", ["peer-family"]),
        ("mcast_dst_ip 224.0.0.19", []),
        ("mcast_dst_ip 192.0.2.9", ["group-of-instance"]),
    ],
)
def test_rules_of_peers_speak_when_they_must_and_only_then(lines: str, found: list[str]) -> None:
    assert said(lines) == found


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (signing(f"key 1 {KEY}"), []),
        (signing(f"key 1 {KEY}", f"key 2 {OTHER}", "key 3 file:/etc/lvsd/key", "active_key 3"), []),
        (signing(f"key 1 {KEY}", f"key 2 {OTHER}"), ["active-key"]),
        (signing(f"key 1 {KEY}", f"key 2 {OTHER}", "mode receive-only"), []),
        (signing(f"key 1 {KEY}", "active_key 2"), ["active-key"]),
        (signing("mode permissive", "anti_replay monotonic", "time_window 300"), ["active-key"]),
        (signing(f"key 1 {KEY}", f"key 1 {OTHER}"), ["duplicate-key"]),
        (signing("key 1 short"), ["key-length"]),
        (signing("key 1 hex:0011"), ["key-length"]),
        (signing("key 1 hex:zz"), ["key-length"]),
        (signing(f"key 1 {KEY * 2}x"), ["key-length"]),
        (signing(f"key 1 {KEY}") + "authentication {\nauth_pass hush\n}", ["two-authentications"]),
    ],
)
def test_rules_of_signatures_speak_when_they_must_and_only_then(lines: str, found: list[str]) -> None:
    assert said(lines) == found


def test_use_vmac_of_an_address_is_not_obeyed_yet() -> None:
    assert codes((INSTANCE % "").replace("/24", "/24 dev eth1 use_vmac")) == ["address-on-vmac"]
