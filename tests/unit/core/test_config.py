"""The root block: defaults, rules across keywords, drop-ins, and the parts that the processes are given."""

from __future__ import annotations

import fnmatch
import pickle
from ipaddress import IPv4Address

import pytest

from lvsd.check.ipvs.table import Protocol, Scheduler
from lvsd.core.conf.keyword import empty
from lvsd.core.conf.values import AddressLine, Endpoint, Lease, LvsMethod, Tracked
from lvsd.core.config import Loaded, load
from lvsd.core.rules import RULES as rule
from lvsd.core.settings import GlobalDefs
from lvsd.vrrp.settings import AuthType, InitialState

INSTANCE = """
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    %s
    virtual_ipaddress {
        192.0.2.100/24
    }
}
"""


def read(text: str, **more: str) -> Loaded:
    files = {"etc/lvs.conf": text, **{f"etc/lvsd.d/{name}.conf": body for name, body in more.items()}}

    def glob(pattern: str) -> list[str]:
        return [name for name in reversed(files) if fnmatch.fnmatch(name, pattern)]

    return load("etc/lvs.conf", lambda name: files[name].encode(), glob=glob)


def codes(text: str) -> list[str]:
    return [each.code for each in read(text).diagnostics]


SCENARIO = """
global_defs { router_id lb1 }
vrrp_sync_group VG1 { group { VI_1 VI_2 } }
vrrp_instance VI_1 {
    state BACKUP
    nopreempt
    interface eth0
    virtual_router_id 51
    priority 100
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass 1111
    }
    track_interface {
        eth0
        eth1
    }
    virtual_ipaddress { 192.0.2.100/24 dev eth0 }
}
vrrp_instance VI_2 {
    interface eth1
    virtual_router_id 52
    virtual_ipaddress { 10.0.0.1/24 }
}
virtual_server 192.0.2.100 80 {
    delay_loop 1
    lb_algo wrr
    lb_kind NAT
    protocol TCP
    real_server 10.0.0.11 80 {
        TCP_CHECK { connect_timeout 2 }
    }
    real_server 10.0.0.12 80 {
        weight 3
        HTTP_GET {
            url {
                path /
                status_code 200
            }
        }
    }
}
"""


def test_the_scenario_of_the_main_job_is_read_as_it_is_meant() -> None:
    loaded = read(SCENARIO)
    assert not loaded.diagnostics
    assert loaded.config is not None
    vrrp, check = loaded.config.vrrp_part(), loaded.config.check_part()
    assert vrrp.globals == check.globals == loaded.config.globals
    assert vrrp.globals.router_id == "lb1"
    assert vrrp.groups[0].group == ("VI_1", "VI_2")
    first, second = vrrp.instances
    assert (first.interface, first.virtual_router_id, first.priority) == ("eth0", 51, 100)
    assert first.state is InitialState.BACKUP
    assert first.nopreempt
    assert first.authentication is not None
    assert first.authentication.auth_type is AuthType.PASS
    assert first.authentication.auth_pass.text == "1111"
    assert first.track_interface == (Tracked("eth0"), Tracked("eth1"))
    assert first.virtual_ipaddress == (AddressLine(IPv4Address("192.0.2.100"), 24, dev="eth0"),)
    assert (second.advert_int, second.priority, second.authentication) == (1.0, None, None)
    (service,) = check.virtual_servers
    assert service.header == Endpoint(IPv4Address("192.0.2.100"), 80)
    assert (service.delay_loop, service.lb_algo, service.lb_kind) == (1.0, Scheduler.WRR, LvsMethod("NAT"))
    assert service.protocol is Protocol.TCP
    assert [each.weight for each in service.real_servers] == [None, 3]
    assert [len(each.checks) for each in service.real_servers] == [1, 1]


def test_an_empty_file_gives_keepalived_s_defaults() -> None:
    config = read("").config
    assert config is not None
    assert config.globals == empty(GlobalDefs)
    assert config.vrrp_part().instances == ()


def test_a_service_without_more_has_keepalived_s_defaults() -> None:
    config = read("virtual_server 192.0.2.1 80 { real_server 192.0.2.2 80 { } }").config
    assert config is not None
    (service,) = config.check_part().virtual_servers
    assert (service.lb_algo, service.lb_kind, service.protocol) == (Scheduler.WLC, LvsMethod("NAT"), Protocol.UDP)
    assert (service.delay_loop, service.connect_timeout, service.weight, service.quorum) == (60.0, 5.0, 1, 1)


def test_drop_ins_are_read_after_the_file_in_the_order_of_their_names() -> None:
    loaded = read(
        "global_defs { router_id one }", b="global_defs { vip_lease off }", a="global_defs { vrrp_version 3 }"
    )
    assert loaded.files == ("etc/lvs.conf", "etc/lvsd.d/a.conf", "etc/lvsd.d/b.conf")
    assert loaded.config is not None
    defaults = loaded.config.globals
    assert (defaults.router_id, defaults.vrrp_version, defaults.vip_lease) == ("one", 3, Lease(False))


def test_drop_ins_can_be_switched_off_and_need_a_way_to_look_them_up() -> None:
    def glob(pattern: str) -> list[str]:
        return ["lvsd.d/x.conf"]

    assert load("main", lambda name: b"", glob=glob, drop_ins=False).files == ("main",)
    assert load("main", lambda name: b"").files == ("main",)


def test_a_block_left_open_does_not_swallow_a_drop_in() -> None:
    found = read("global_defs {", a="global_defs { router_id x }").diagnostics
    assert [(each.code, each.file) for each in found] == [("missing-brace", "etc/lvs.conf")]


def test_a_file_that_cannot_be_read_is_a_diagnostic() -> None:
    def refuse(name: str) -> bytes:
        raise PermissionError(13, "Permission denied", name)

    (found,) = load("lvs.conf", refuse).diagnostics
    assert found.headline() == "lvs.conf: error: cannot be read: Permission denied [cannot-read]"


def test_the_parts_can_be_handed_to_other_processes() -> None:
    config = read(SCENARIO).config
    assert config is not None
    for part in (config.vrrp_part(), config.check_part()):
        assert pickle.loads(pickle.dumps(part)) == part


@pytest.mark.parametrize(
    ("advert_int", "lease", "given"),
    [
        ("1", "", None),
        ("4", "", None),
        ("5", "", Lease(True, 15)),
        ("30", "vip_lease on", Lease(True, 90)),
        ("30", "vip_lease off", Lease(False)),
    ],
)
def test_a_derived_lease_is_never_too_short_for_slow_adverts(advert_int: str, lease: str, given: Lease | None) -> None:
    config = read(INSTANCE % f"advert_int {advert_int}\n{lease}").config
    assert config is not None
    assert config.vrrp_part().instances[0].vip_lease == given


def test_every_rule_has_its_case_in_the_corpus_or_here() -> None:
    from pathlib import Path

    here = Path(__file__)
    texts = [
        *(each.read_text() for each in (here.parent / "rules").glob("*.py")),
        *(each.read_text() for each in (here.parents[2] / "conf" / "bad").glob("*.expected")),
    ]
    missing = [
        each.code for each in rule if not any(f"[{each.code}]" in text or f'"{each.code}"' in text for text in texts)
    ]
    assert not missing
