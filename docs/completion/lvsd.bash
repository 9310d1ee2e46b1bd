# Completion for bash. Derived from the command line and the declarations by `make docs`; do not edit.
# Source it, or copy it to /usr/share/bash-completion/completions/lvsd.

_lvsd() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]}
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        COMPREPLY=($(compgen -W 'validate check dump explain unit status services drain maint weight ready reload events -h --help -v --version -c --config --checkers_pid -f --use-file -p --pid -r --vrrp_pid -b --bfd_pid -P --vrrp -C --check -n --dont-fork -l --log-console -D --log-detail -t --config-test --json -i --config-id -e --all-config --no-dropins --lenient --last-good --run-dir --state-dir' -- "$word"))
        return
    fi
    case $before in
        --bfd_pid | --checkers_pid | --config | --pid | --run-dir | --state-dir | --use-file | --vrrp_pid | -b | -c | -f | -p | -r)
            COMPREPLY=($(compgen -f -- "$word"))
            return
            ;;
    esac
    case $verb in
        validate)
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '-h --help -i --config-id -e --all-config --no-dropins --lenient --json' -- "$word"))
            else
                COMPREPLY=($(compgen -f -- "$word"))
            fi
            ;;
        check)
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '-h --help -i --config-id -e --all-config --no-dropins --lenient --json' -- "$word"))
            else
                COMPREPLY=($(compgen -f -- "$word"))
            fi
            ;;
        dump)
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '-h --help -i --config-id -e --all-config --no-dropins --lenient --json' -- "$word"))
            else
                COMPREPLY=($(compgen -f -- "$word"))
            fi
            ;;
        explain)
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '-h --help' -- "$word"))
            else
                COMPREPLY=($(compgen -W 'BFD_CHECK DNS_CHECK FILE_CHECK HTTP_GET MISC_CHECK PING_CHECK SMTP_CHECK SSL SSL_GET TCP_CHECK UDP_CHECK accept active-key active_key address address-on-vmac admin admin-without-authentication admin-without-tls advert-interval advert_int alert alpha anti_replay arbiter arbiter-out-of-reach auth_hmac auth_pass auth_type authentication authentication-type authentication-version bad-character bad-repetition bad-value bfd-consumer bfd-family bfd_cpu_affinity bfd_instance bfd_no_swap bfd_priority bfd_process_name bfd_rlimit_rtime bfd_rlimit_rttime bfd_rt_priority bind_if bind_port bindto ca cannot-include cannot-read certificate check-without-port check_unicast_src checker checker_cpu_affinity checker_log_all_failures checker_no_swap checker_priority checker_process_name checker_rlimit_rtime checker_rlimit_rttime checker_rt_priority child_wait_time client_ca config_save_dir connect_ip connect_port connect_timeout data_use_instance dbus_no_interface_name dbus_service_name debug default_interface definition-not-last delay delay_before_retry delay_loop delays-twice deprecated digest disable_local_igmp dont_track_primary down_timer_adverts duplicate-address duplicate-key duplicate-keyword duplicate-link-key duplicate-name duplicate-peer duplicate-server duplicate-service duplicate-tracker duplicate-vrid dynamic_interfaces empty-garp-group enable_dbus enable_script_security enable_sni enable_snmp_checker enable_snmp_keepalived enable_snmp_rfc enable_snmp_rfcv2 enable_snmp_rfcv3 enable_snmp_vrrp enable_traps endless-definition extra-brace fall fast_recovery fence fifo_write_vrrp_states_on_reload file flag-1 flag-2 flag-3 fork_delay full_command fwmark garp_extra_if garp_group garp_interval garp_lower_prio_delay garp_lower_prio_repeat garp_master_delay garp_master_refresh garp_master_refresh_repeat garp_master_repeat gateway global_defs global_tracking gna_interval granularity group group-of-instance group_goodbye ha_suspend hashed helo_name higher_prio_send_advert hoplimit host http http_protocol hysteresis idle_tx include-loop include_check inhibit_on_failure init_fail init_file instance interface interface_up_down_delays interfaces interval ip-family ip_family iproute_etc_dir iproute_usr_dir json_dump_file json_version kernel_rx_buf_size key key-length lb_algo lb_kind lease-too-short linkbeat_interfaces linkbeat_use_polling listen log_all_failures log_unknown_vrids lone-member long-lease long-password lower_prio_no_advert lthreshold lvs_flush lvs_flush_on_stop lvs_flush_onstop lvs_method lvs_netlink_cmd_rcv_bufs lvs_netlink_cmd_rcv_bufs_force lvs_netlink_monitor_rcv_bufs lvs_netlink_monitor_rcv_bufs_force lvs_notify_fifo lvs_notify_fifo_script lvs_process_name lvs_sched lvs_sync_daemon lvs_sync_daemon_interface lvs_timeouts made-persistent mail mark-family max_auto_priority max_hops max_reply_length mcast_dst_ip mcast_src_ip mh-fallback mh-port min_auto_priority_delay min_reply_length min_rx min_tx misc_dynamic misc_path misc_timeout missing-brace missing-keyword missing-value mixed-families mode multihop multiplier name namespace-alone namespace_with_ipsets native_ipv6 nb_get_retry neighbor_ip neighbour_ip net_namespace net_namespace_ipvs nftables nftables_counters nftables_ifindex nftables_ipvs nftables_ipvs_priority nftables_ipvs_start_fwmark nftables_priority no-address no-interval no-match no-password no-protocol no-regex no-server no-sorry-server no-weight no_accept no_checker_emails no_email_faults no_virtual_ipaddress node nopreempt nopreempt-with-weight not-multicast not-obeyed not-utf8 notification_email notification_email_from notify notify_backup notify_deleted notify_down notify_fault notify_fifo notify_fifo_script notify_master notify_master_rx_lower_pri notify_priority_changes notify_stop notify_up old_unicast_checksum omega on_failure on_loss one-packet one-statement-a-line ops overlapping-entries own-node own-peer owner-by-state owner-with-weight owner_ignore_adverts param_match passive password path payload peer peer-family peer-link-without-key peer-link-without-peer peer-without-address peer_link persistence_engine persistence_granularity persistence_timeout port port-of-server preempt preempt-delay-without-preempting preempt_delay preempting-master priority process process-range process_monitor_rcv_bufs process_monitor_rcv_bufs_force process_name process_names promote_secondaries protocol quorum quorum-out-of-reach quorum_down quorum_max quorum_up random_seed real_server regex regex-offsets regex-option regex_max_offset regex_min_offset regex_no_match regex_options regex_stack reload_check_config reload_file reload_repeat reload_time_file repeat reply-length require require_reply retry rise router_id rs_init_notifies scheduler-flag script script_user server-family set_supplementary_groups sh-fallback sh-port shared-address shared-path short-key shutdown_script shutdown_script_timeout skip_check_adv_addr slow-arbiter slow-bfd slow-script smtp_alert smtp_alert_checker smtp_alert_vrrp smtp_connect_timeout smtp_helo_name smtp_server sni-without-name sni_name snmp_name snmp_rs_stats_update_interval snmp_socket snmp_vs_stats_update_interval socket sorry-is-a-server sorry_server sorry_server_inhibit sorry_server_lvs_method source_ip startup_script startup_script_timeout state state_dump_file static_ipaddress static_routes static_rules stats_dump_file status_code strict-override strict-refusal strict_mode surplus-word sync_group_tracking_weight terminate_delay thread_timer_expired thresholds time_window timeout timer-expired-without-nopreempt timer_expired_backup tls tls-words tls_compliant tmp_config_directory token_file too-many too-much track_bfd track_file track_group track_interface track_process track_script track_src_ip tracker-without-effect tracks-itself ttl two-authentications two-delays two-garp-groups two-groups type umask unclosed-quote undefined unexpected-block unfinished-definition unicast-without-peers unicast_fault_no_peer unicast_peer unicast_src_ip unicast_ttl unknown-arbiter unknown-group unknown-instance unknown-keyword unknown-sync-instance unknown-tracker unused-group unused-tracker url use_ipvlan use_pid_dir use_symlink_paths use_vmac use_vmac_addr user uthreshold v3_checksum_as_v2 version vip_lease vip_probe virtual_ipaddress virtual_ipaddress_excluded virtual_router_id virtual_routes virtual_rules virtual_server virtual_server_group virtualhost vmac_addr_prefix vmac_garp_intvl vmac_prefix vmac_xmit_base vrf vrrp vrrp_check_unicast_src vrrp_cpu_affinity vrrp_delay_after_boot vrrp_down_timer_adverts vrrp_garp_extra_if vrrp_garp_interval vrrp_garp_lower_prio_delay vrrp_garp_lower_prio_repeat vrrp_garp_master_delay vrrp_garp_master_refresh vrrp_garp_master_refresh_repeat vrrp_garp_master_repeat vrrp_gna_interval vrrp_higher_prio_send_advert vrrp_instance vrrp_ipsets vrrp_iptables vrrp_lower_prio_no_advert vrrp_mcast_group4 vrrp_mcast_group6 vrrp_min_garp vrrp_netlink_cmd_rcv_bufs vrrp_netlink_cmd_rcv_bufs_force vrrp_netlink_monitor_rcv_bufs vrrp_netlink_monitor_rcv_bufs_force vrrp_no_swap vrrp_notify_fifo vrrp_notify_fifo_script vrrp_notify_priority_changes vrrp_owner_ignore_adverts vrrp_priority vrrp_process_name vrrp_rlimit_rtime vrrp_rlimit_rttime vrrp_rt_priority vrrp_rx_bufs_multiplier vrrp_rx_bufs_policy vrrp_script vrrp_skip_check_adv_addr vrrp_startup_delay vrrp_strict vrrp_sync_group vrrp_track_file vrrp_track_process vrrp_version vrrp_vmac_garp_intvl warmup webhook weight weight-in-group' -- "$word"))
            fi
            ;;
        unit)
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '-h --help -c --config' -- "$word"))
            fi
            ;;
        status)
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '-h --help --run-dir --json --watch' -- "$word"))
            fi
            ;;
        services)
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '-h --help --run-dir --json' -- "$word"))
            fi
            ;;
        drain)
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '-h --help --run-dir --service --reason --for --force' -- "$word"))
            fi
            ;;
        maint)
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '-h --help --run-dir --service --reason --for --force' -- "$word"))
            fi
            ;;
        weight)
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '-h --help --run-dir --service --reason --for --force' -- "$word"))
            fi
            ;;
        ready)
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '-h --help --run-dir --service --reason' -- "$word"))
            fi
            ;;
        reload)
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '-h --help --run-dir' -- "$word"))
            fi
            ;;
        events)
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '-h --help --run-dir --follow --json' -- "$word"))
            fi
            ;;
        -*)
            COMPREPLY=($(compgen -W '-h --help -v --version -c --config --checkers_pid -f --use-file -p --pid -r --vrrp_pid -b --bfd_pid -P --vrrp -C --check -n --dont-fork -l --log-console -D --log-detail -t --config-test --json -i --config-id -e --all-config --no-dropins --lenient --last-good --run-dir --state-dir' -- "$word"))
            ;;
    esac
}

complete -F _lvsd lvsd
