"""`--lenient`: what keepalived goes on after, lvsd goes on after too, and in the same way; each error is shown all the same."""

from __future__ import annotations

import pytest

from lvsd.core.conf.diagnose import Severity
from lvsd.core.config import Loaded, load

HEAD = "vrrp_instance A {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress { 192.0.2.1 }\n}\n"
SERVICE = "virtual_server 192.0.2.1 80 {\n%s\nreal_server 192.0.2.2 80 { }\n}\n"


def read(text: str) -> Loaded:
    return load("lvs.conf", lambda name: text.encode(), lenient=True)


@pytest.mark.parametrize(
    ("text", "codes", "left"),
    [
        ("frobnicate 1\n" + HEAD, ["unknown-keyword"], ["A"]),
        (HEAD.replace("virtual_router_id 1", "virtual_router_id 1\nadvert_int x"), ["bad-value"], ["A"]),
        (HEAD + HEAD, ["duplicate-name", "duplicate-vrid", "duplicate-address"], ["A"]),
        (HEAD + "vrrp_instance B {\ninterface eth0\n}", ["missing-keyword"], ["A"]),
        (HEAD + "}", ["extra-brace"], ["A"]),
        (HEAD[:-2], ["missing-brace"], ["A"]),
        (HEAD.replace("{ 192.0.2.1 }", "{\n192.0.2.1\n192.0.2.1\nfoo\n}"), ["duplicate-address", "bad-value"], ["A"]),
        ("vrrp_sync_group G {\ngroup {\nA\nB\n}\n}\n" + HEAD, ["unknown-instance"], ["A"]),
    ],
)  # fmt: skip
def test_an_error_is_shown_and_the_rest_counts(text: str, codes: list[str], left: list[str]) -> None:
    loaded = read(text)
    assert loaded.config is not None
    assert [each.code for each in loaded.diagnostics if each.severity is Severity.PASSED_OVER] == codes
    assert [each.name for each in loaded.config.root.instances] == left
    assert load("lvs.conf", lambda name: text.encode()).config is None


def test_what_named_a_block_that_is_left_out_is_left_out_with_it() -> None:
    text = "vrrp_sync_group G { group { A B } }\n" + HEAD + "vrrp_instance B {\ninterface eth1\n}\n"
    loaded = read(text)
    assert loaded.config is not None
    assert loaded.config.root.groups[0].group == ("A",)


def test_a_bad_value_leaves_the_default() -> None:
    config = read(SERVICE % "delay_loop x\nlb_algo foo").config
    assert config is not None
    assert config.root.virtual_servers[0].delay_loop == 60.0
    assert len(config.root.virtual_servers[0].real_servers) == 1


def test_a_server_that_stands_twice_stands_once() -> None:
    config = read(SERVICE % "real_server 192.0.2.2 80 { weight 7 }").config
    assert config is not None
    assert [each.weight for each in config.root.virtual_servers[0].real_servers] == [7]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (HEAD.replace("virtual_router_id 1", "virtual_router_id 1\npriority"), "missing-value"),
        ("includer none", "cannot-read"),
        ("include lvs.conf", "include-loop"),
        (HEAD.replace("virtual_router_id 1", "virtual_router_id 1\nadvert_int 9\nvip_lease 3"), "lease-too-short"),
    ],
)
def test_what_keepalived_stops_at_and_what_breaks_lvsd_s_promises_is_refused_all_the_same(text: str, code: str) -> None:
    loaded = load("lvs.conf", {"lvs.conf": text.encode()}.__getitem__ if "none" not in text else missing, lenient=True)
    assert [each.code for each in loaded.errors] == [code]
    assert loaded.config is None


def missing(name: str) -> bytes:
    if name == "lvs.conf":
        return b"includer none"
    raise FileNotFoundError(2, "no such file", name)
