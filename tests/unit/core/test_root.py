"""Every keyword of global_defs, of the outermost level and of the blocks that stand there for the whole daemon."""

from __future__ import annotations

import dataclasses

import pytest

from lvsd.core.conf.dump import dump
from lvsd.core.conf.keyword import Keyword, keywords
from lvsd.core.config import load
from lvsd.core.own import Admin, Alert, Arbiter, Fence, Peer, PeerLink, Tls
from lvsd.core.root import Root
from lvsd.core.settings import GarpGroup, GlobalDefs, Ssl, TrackGroup
from lvsd.core.trackers import BfdInstance, TrackFile, TrackProcess, TrackScript

GLOBALS = """
router_id lb1
notification_email { a@example.net b@example.net }
notification_email_from lvsd@example.net
smtp_server 192.0.2.25 587
smtp_connect_timeout 10
smtp_helo_name lb1.example.net
smtp_alert off
smtp_alert_vrrp
smtp_alert_checker on
no_email_faults
no_checker_emails
process_names
process_name one
vrrp_process_name two
lvs_process_name three
bfd_process_name four
umask IWGRP | IWOTH
random_seed 0
default_interface eth1
script_user nobody nogroup
enable_script_security
use_symlink_paths
set_supplementary_groups on
startup_script "/bin/start now" root
shutdown_script /bin/stop
startup_script_timeout 1000
shutdown_script_timeout 1
data_use_instance
iproute_usr_dir /usr/share/iproute2
iproute_etc_dir /etc/iproute2
state_dump_file /run/state
stats_dump_file /run/stats
json_dump_file /run/json
json_version 2
reload_check_config /var/log/check
reload_time_file /etc/when
reload_repeat
reload_file
include_check +match -read
config_save_dir /var/saved
tmp_config_directory /run/x
vrrp_version 3
vrrp_mcast_group4 224.0.0.19
vrrp_mcast_group6 ff02::13
vrrp_garp_master_delay 1
vrrp_garp_master_repeat 2
vrrp_garp_master_refresh 60
vrrp_garp_master_refresh_repeat 3
vrrp_garp_lower_prio_delay 4
vrrp_garp_lower_prio_repeat 0
vrrp_garp_interval 0.001
vrrp_gna_interval 0.000001
vrrp_min_garp
vrrp_down_timer_adverts 4
vrrp_lower_prio_no_advert true
vrrp_higher_prio_send_advert
vrrp_skip_check_adv_addr
vrrp_garp_extra_if all 30
vrrp_owner_ignore_adverts off
vrrp_check_unicast_src
v3_checksum_as_v2
log_unknown_vrids
vrrp_notify_priority_changes
vmac_prefix vm
vmac_addr_prefix va
disable_local_igmp
vrrp_rx_bufs_policy ADVERT
vrrp_rx_bufs_multiplier 4
vrrp_strict
vrrp_startup_delay 5.5
vrrp_delay_after_boot 30
dynamic_interfaces allow_if_changes
vrrp_iptables
vrrp_ipsets
nftables
nftables_priority -5
nftables_ifindex
nftables_counters
vrrp_priority -20
checker_priority 5
vrrp_rt_priority 40
checker_rt_priority 30
vrrp_no_swap
checker_no_swap
vrrp_cpu_affinity 0 1
checker_cpu_affinity 2
vrrp_rlimit_rttime 20000
checker_rlimit_rtime 20000
bfd_priority 1
bfd_rt_priority 2
bfd_no_swap
bfd_cpu_affinity 3
bfd_rlimit_rttime 5000
max_auto_priority
min_auto_priority_delay 500
vrrp_netlink_cmd_rcv_bufs 1000000
vrrp_netlink_cmd_rcv_bufs_force
vrrp_netlink_monitor_rcv_bufs 1000000
vrrp_netlink_monitor_rcv_bufs_force
process_monitor_rcv_bufs 1000000
process_monitor_rcv_bufs_force
lvs_netlink_cmd_rcv_bufs 1000000
lvs_netlink_cmd_rcv_bufs_force
lvs_netlink_monitor_rcv_bufs 1000000
lvs_netlink_monitor_rcv_bufs_force
lvs_timeouts tcp 900
lvs_sync_daemon eth1 id 9
lvs_flush
lvs_flush_on_stop
checker_log_all_failures
rs_init_notifies
nftables_ipvs mine
nftables_ipvs_priority 7
nftables_ipvs_start_fwmark 5000
notify_fifo /run/all
notify_fifo_script "/bin/read all" nobody
vrrp_notify_fifo /run/vrrp root
vrrp_notify_fifo_script /bin/read
lvs_notify_fifo /run/lvs root root
lvs_notify_fifo_script /bin/read
fifo_write_vrrp_states_on_reload
snmp_socket udp:localhost:705
enable_traps
enable_snmp_keepalived
enable_snmp_checker
enable_snmp_rfc
enable_snmp_rfcv2
enable_snmp_rfcv3
snmp_vs_stats_update_interval 0.001
snmp_rs_stats_update_interval 30
enable_dbus
dbus_service_name net.example.Vrrp
dbus_no_interface_name any
vip_lease 5
vip_probe wait 20
"""

ROOT = """
net_namespace blue
net_namespace_ipvs
namespace_with_ipsets
use_pid_dir
instance one
child_wait_time 8
linkbeat_use_polling
vrrp_script S {
script "/bin/true -x 'a b'"
interval 0.5
timeout 0.25
weight -5 reverse
rise 2
fall 3
user nobody
init_fail
}
track_file F {
file /run/number
weight 2
init_file 7 overwrite
}
vrrp_track_file G {
file /run/other
}
vrrp_track_process P {
process sshd -D
param_match
weight 10
quorum 2
quorum_max 0
fork_delay 0.5
terminate_delay 1
full_command
delay 0
}
bfd_instance B {
neighbour_ip 192.0.2.1
source_ip 192.0.2.2
min_rx 50
min_tx 60
idle_tx 2000
multiplier 3
passive
ttl 254
hoplimit 63
max_hops -1
multihop
weight 9
checker
vrrp
}
static_ipaddress {
192.0.2.7/24 dev eth1
}
static_ipaddress {
192.0.2.8/24 dev eth1
}
static_routes {
198.51.100.0/24 via 192.0.2.1 dev eth1
}
static_rules {
from 192.0.2.0/24 table 7
}
garp_group {
garp_interval 0.01
gna_interval 0.02
interface eth0
interface eth1
interfaces { eth2 eth3 }
}
garp_group {
garp_interval 1
interface eth4
}
interface_up_down_delays {
eth0 1
eth1 2 3
}
linkbeat_interfaces {
eth0
eth1 MII
}
track_group T {
group { VI_1 }
}
SSL {
ca /etc/ca
certificate /etc/cert
key /etc/key
}
admin {
socket /run/other.sock
listen 10.0.0.1 8404
tls {
certificate /etc/cert
key /etc/key
client_ca /etc/ca
}
token_file /etc/tokens
}
peer_link {
node lb1
peer lb2 {
address 10.10.0.3
address 10.20.0.3
}
peer lb3 {
address 10.10.0.4
}
key 1 file:/etc/lvsd/key
key 2 file:/etc/lvsd/key2
port 8406
interval 0.05
}
arbiter A {
gateway 10.10.0.254 dev eth0
gateway 10.20.0.254
http http://10.10.0.250/alive
script "/usr/local/bin/is-core-up -q"
require 4
interval 2
timeout 1.5
on_loss yield
}
fence {
script "/usr/local/bin/power-off lb2"
timeout 20
delay 0
on_failure takeover
}
alert {
mail ops@example.net
mail boss@example.net
webhook https://sms.example.net/send
script "/usr/local/bin/page me" nobody
repeat 60
}
vrrp_instance VI_1 {
interface eth0
virtual_router_id 51
virtual_ipaddress {
192.0.2.100/24
}
}
"""
KINDS: tuple[type, ...] = (
    Root,
    GlobalDefs,
    TrackScript,
    TrackFile,
    TrackProcess,
    BfdInstance,
    TrackGroup,
    GarpGroup,
    Ssl,
    Admin,
    Tls,
    PeerLink,
    Peer,
    Arbiter,
    Fence,
    Alert,
)
QUIET = {"duplicate-name", "not-obeyed", "unused-tracker", "delays-twice", "bfd-consumer", "process-range"}


def read(text: str) -> Root:
    found = load("lvs.conf", lambda name: text.encode())
    assert not [each.render() for each in found.diagnostics if each.code not in QUIET]
    assert found.config is not None, found.diagnostics
    return found.config.root


def whole() -> Root:
    return read(f"global_defs {{{GLOBALS}}}\n{ROOT}")


def test_a_configuration_with_every_keyword_is_dumped_and_read_back_as_equal() -> None:
    root = whole()
    assert read(dump(root)) == root


@pytest.mark.parametrize("kind", KINDS)
def test_every_keyword_is_in_that_configuration_and_none_at_its_default(kind: type) -> None:
    root = whole()
    inside: list[object] = [root]
    for each in inside:
        for item in dataclasses.fields(each):  # type: ignore[arg-type]
            value = getattr(each, item.name)
            keyword: Keyword = item.metadata["keyword"]
            if keyword.blocks and value:
                inside += value if keyword.repeats else [value]
    mine = [each for each in inside if type(each) is kind]
    fields = dict(keywords(kind).values())
    skipped = {"groups", "virtual_servers", "virtual_server_groups", "password"}
    default = {item.name: item.default for item in dataclasses.fields(kind)}
    for field, keyword in fields.items():
        if not keyword.required and field not in skipped:
            assert any(getattr(each, field) != default[field] for each in mine), field


def test_a_secret_is_in_no_dump() -> None:
    text = 'SSL {\n password hush\n}\npeer_link {\n peer b {\n address 10.0.0.1\n }\n key 1 "hush hush hush"\n}\n'
    written = dump(read(text))
    assert "hush" not in written
    assert "key 1 ***" in written


def test_blocks_without_a_name_are_merged_and_entries_add_up() -> None:
    text = "admin {\n socket /a\n}\nadmin {\n token_file /t\n}\nalert {\n mail a\n}\nalert {\n mail b\n}\n"
    root = read(text)
    assert root.admin is not None
    assert (root.admin.socket, root.admin.token_file) == ("/a", "/t")
    assert root.alert is not None
    assert root.alert.mail == ("a", "b")
    assert len(whole().static_ipaddress) == 2
    assert len(whole().garp_groups) == 2


def test_what_is_not_obeyed_is_warned_about_only_where_it_is_written() -> None:
    found = load("lvs.conf", lambda name: b"global_defs {\n router_id a\n}\narbiter A {\n gateway 10.0.0.1\n}\n")
    assert [(each.code, each.line) for each in found.diagnostics] == [("not-obeyed", 4)]
