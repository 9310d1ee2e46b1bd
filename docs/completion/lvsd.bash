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
                COMPREPLY=($(compgen -W 'BFD_CHECK DNS_CHECK FILE_CHECK HTTP_GET MISC_CHECK PING_CHECK SMTP_CHECK SSL_GET TCP_CHECK UDP_CHECK accept active-key active_key address-on-vmac advert-interval advert_int alpha anti_replay arbiter auth_hmac auth_pass auth_type authentication authentication-type authentication-version bad-character bad-repetition bad-value bind_if bind_port bindto cannot-include cannot-read check-without-port check_unicast_src checker_log_all_failures checker_no_swap checker_priority checker_rt_priority connect_ip connect_port connect_timeout debug definition-not-last delay_before_retry delay_loop deprecated digest dont_track_primary down_timer_adverts duplicate-address duplicate-key duplicate-keyword duplicate-name duplicate-peer duplicate-server duplicate-service duplicate-tracker duplicate-vrid dynamic_interfaces enable_script_security enable_sni endless-definition extra-brace fast_recovery flag-1 flag-2 flag-3 fwmark garp_extra_if garp_lower_prio_delay garp_lower_prio_repeat garp_master_delay garp_master_refresh garp_master_refresh_repeat garp_master_repeat global_defs global_tracking granularity group group-of-instance group_goodbye ha_suspend hashed helo_name higher_prio_send_advert host http_protocol hysteresis include-loop inhibit_on_failure interface ip-family ip_family kernel_rx_buf_size key key-length lb_algo lb_kind lease-too-short linkbeat_use_polling log_all_failures lone-member long-lease long-password lower_prio_no_advert lthreshold lvs_flush lvs_flush_on_stop lvs_flush_onstop lvs_method lvs_sched lvs_sync_daemon_interface lvs_timeouts made-persistent mark-family max_auto_priority max_reply_length mcast_dst_ip mcast_src_ip mh-fallback mh-port min_reply_length misc_dynamic misc_path misc_timeout missing-brace missing-keyword missing-value mixed-families mode name native_ipv6 nb_get_retry no-address no-match no-password no-protocol no-regex no-server no-sorry-server no-weight no_accept no_virtual_ipaddress nopreempt nopreempt-with-weight not-multicast not-obeyed not-utf8 notification_email notification_email_from notify notify_backup notify_deleted notify_down notify_fault notify_master notify_master_rx_lower_pri notify_priority_changes notify_stop notify_up old_unicast_checksum omega one-packet one-statement-a-line ops overlapping-entries own-peer owner-by-state owner-with-weight owner_ignore_adverts path payload peer-family persistence_engine persistence_granularity persistence_timeout port-of-server preempt preempt-delay-without-preempting preempt_delay preempting-master priority promote_secondaries protocol quorum quorum-out-of-reach quorum_down quorum_up real_server regex regex-offsets regex-option regex_max_offset regex_min_offset regex_no_match regex_options regex_stack reply-length require_reply retry router_id rs_init_notifies scheduler-flag script_user server-family sh-fallback sh-port shared-address skip_check_adv_addr smtp_alert smtp_alert_checker smtp_alert_vrrp smtp_connect_timeout smtp_helo_name smtp_server sni-without-name sni_name snmp_name sorry-is-a-server sorry_server sorry_server_inhibit sorry_server_lvs_method state status_code strict-override strict-refusal strict_mode surplus-word sync_group_tracking_weight thread_timer_expired thresholds time_window timer-expired-without-nopreempt timer_expired_backup tls-words tls_compliant too-many too-much track_bfd track_file track_interface track_process track_script track_src_ip tracker-without-effect tracks-itself two-authentications two-groups type unclosed-quote undefined unexpected-block unfinished-definition unicast-without-peers unicast_fault_no_peer unicast_peer unicast_src_ip unicast_ttl unknown-group unknown-instance unknown-keyword unused-group url use_ipvlan use_vmac use_vmac_addr user uthreshold v3_checksum_as_v2 version vip_lease virtual_ipaddress virtual_ipaddress_excluded virtual_router_id virtual_routes virtual_rules virtual_server virtual_server_group virtualhost vmac_garp_intvl vmac_xmit_base vrf vrrp_down_timer_adverts vrrp_garp_interval vrrp_garp_lower_prio_delay vrrp_garp_lower_prio_repeat vrrp_garp_master_delay vrrp_garp_master_refresh vrrp_garp_master_refresh_repeat vrrp_garp_master_repeat vrrp_gna_interval vrrp_higher_prio_send_advert vrrp_instance vrrp_lower_prio_no_advert vrrp_mcast_group4 vrrp_mcast_group6 vrrp_min_garp vrrp_no_swap vrrp_priority vrrp_rlimit_rttime vrrp_rt_priority vrrp_skip_check_adv_addr vrrp_startup_delay vrrp_strict vrrp_sync_group vrrp_version warmup weight weight-in-group' -- "$word"))
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
