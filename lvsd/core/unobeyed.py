"""Keywords of keepalived that no declaration has yet, by block. A configuration that uses one is taken, and the keyword is
warned about by name; a block among them is skipped whole. The list may only shrink."""

from __future__ import annotations

from collections.abc import Mapping

_BY_BLOCK = {
    "": """
        vrrp_script static_ipaddress static_routes static_rules track_group track_file vrrp_track_file vrrp_track_process
        bfd_instance garp_group SSL interface_up_down_delays linkbeat_interfaces linkbeat_use_polling net_namespace
        net_namespace_ipvs namespace_with_ipsets use_pid_dir instance child_wait_time
        """,
    "global_defs": """
        no_email_faults no_checker_emails process_names process_name vrrp_process_name checker_process_name
        lvs_process_name bfd_process_name use_symlink_paths set_supplementary_groups startup_script shutdown_script
        startup_script_timeout shutdown_script_timeout umask random_seed min_auto_priority_delay default_interface
        data_use_instance iproute_usr_dir iproute_etc_dir state_dump_file stats_dump_file json_dump_file json_version
        reload_check_config reload_time_file reload_repeat reload_file include_check config_save_dir
        tmp_config_directory vrrp_garp_extra_if vrrp_vmac_garp_intvl vrrp_owner_ignore_adverts vrrp_check_unicast_src
        v3_checksum_as_v2 vrrp_delay_after_boot log_unknown_vrids vrrp_notify_priority_changes vmac_prefix
        vmac_addr_prefix disable_local_igmp vrrp_rx_bufs_policy vrrp_rx_bufs_multiplier vrrp_iptables vrrp_ipsets
        nftables nftables_priority nftables_ifindex nftables_counters vrrp_cpu_affinity vrrp_rlimit_rtime
        vrrp_netlink_cmd_rcv_bufs vrrp_netlink_cmd_rcv_bufs_force vrrp_netlink_monitor_rcv_bufs
        vrrp_netlink_monitor_rcv_bufs_force process_monitor_rcv_bufs process_monitor_rcv_bufs_force lvs_sync_daemon
        nftables_ipvs nftables_ipvs_priority nftables_ipvs_start_fwmark lvs_netlink_cmd_rcv_bufs
        lvs_netlink_cmd_rcv_bufs_force lvs_netlink_monitor_rcv_bufs lvs_netlink_monitor_rcv_bufs_force
        checker_cpu_affinity checker_rlimit_rttime checker_rlimit_rtime bfd_priority bfd_rt_priority bfd_no_swap
        bfd_cpu_affinity bfd_rlimit_rttime bfd_rlimit_rtime notify_fifo notify_fifo_script vrrp_notify_fifo
        vrrp_notify_fifo_script lvs_notify_fifo lvs_notify_fifo_script fifo_write_vrrp_states_on_reload snmp_socket
        enable_traps enable_snmp_vrrp enable_snmp_keepalived enable_snmp_checker enable_snmp_rfc enable_snmp_rfcv2
        enable_snmp_rfcv3 snmp_vs_stats_update_interval snmp_rs_stats_update_interval enable_dbus dbus_service_name
        dbus_no_interface_name
        """,
}

UNOBEYED: Mapping[str, frozenset[str]] = {block: frozenset(words.split()) for block, words in _BY_BLOCK.items()}

INDISPENSABLE: Mapping[str, frozenset[str]] = {}
"""Those among them without which a director would be deaf to its peers, so that both would be master."""
