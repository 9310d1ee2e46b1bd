"""Keywords of keepalived that no declaration has yet, by block. A configuration that uses one is taken, and the keyword is
warned about by name; a block among them is skipped whole. The list may only shrink."""

from __future__ import annotations

from collections.abc import Mapping

_TRACKERS = "track_script track_file track_process track_bfd"
_CHECKS = "SMTP_CHECK DNS_CHECK UDP_CHECK PING_CHECK BFD_CHECK FILE_CHECK"

_BY_BLOCK = {
    "vrrp_sync_group": f"{_TRACKERS} notify_priority_changes sync_group_tracking_weight",
    "vrrp_instance": f"""
        {_TRACKERS} no_virtual_ipaddress virtual_routes virtual_rules unicast_src_ip unicast_peer unicast_ttl
        unicast_fault_no_peer check_unicast_src old_unicast_checksum mcast_dst_ip track_src_ip vrf kernel_rx_buf_size
        native_ipv6 use_vmac vmac_xmit_base use_vmac_addr use_ipvlan promote_secondaries accept no_accept
        linkbeat_use_polling strict_mode timer_expired_backup thread_timer_expired owner_ignore_adverts
        v3_checksum_as_v2 garp_extra_if vmac_garp_intvl auth_hmac notify_deleted notify_master_rx_lower_pri
        notify_priority_changes lvs_sync_daemon_interface
        """,
    "virtual_server": "snmp_name",
    "real_server": f"snmp_name {_CHECKS}",
}

UNOBEYED: Mapping[str, frozenset[str]] = {block: frozenset(words.split()) for block, words in _BY_BLOCK.items()}

INDISPENSABLE: Mapping[str, frozenset[str]] = {
    "vrrp_instance": frozenset({"unicast_peer", "mcast_dst_ip", "auth_hmac"}),
}
"""Those among them without which a director would be deaf to its peers, so that both would be master."""
