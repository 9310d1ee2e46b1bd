"""Declarations of global_defs and of the daemon-wide blocks. Nothing but declarations."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from .conf.keyword import arg, block, kw, names, optional, several
from .conf.values import (
    Command,
    Endpoint,
    ExtraGarps,
    Fifo,
    FirewallChains,
    Lease,
    Probing,
    Secret,
    SyncDaemon,
    TimeoutsLine,
    absolute_path,
    boolean,
    buffer_rule,
    command,
    cpus,
    extra_garps,
    fifo,
    firewall_chains,
    flag,
    include_check,
    integer,
    interface,
    ipv4,
    ipv6,
    lease,
    lvs_flush_on_stop,
    lvs_timeouts,
    path,
    permission,
    probing,
    seconds,
    secret,
    set_names,
    short_word,
    smtp_server,
    sync_daemon,
    text,
    umask,
    user_group,
    word,
    word_or,
)


@block("global_defs", "Settings of the whole daemon, and defaults for the other blocks.")
class GlobalDefs:
    # identity, mail
    router_id: str = kw(
        text, "Name of this director in notices, mails and status; the host name by default.", default=""
    )
    notification_email: tuple[str, ...] = names(word, "Recipients of alert mails.", obeyed=False)
    notification_email_from: str = kw(word, "Sender of alert mails.", default="", obeyed=False)
    smtp_server: Endpoint | str | None = optional(smtp_server, "Mail relay for alert mails.", obeyed=False)
    smtp_connect_timeout: float = kw(
        seconds(1), "Time allowed for a mail to be handed over.", default=30.0, obeyed=False
    )
    smtp_helo_name: str = kw(word, "Name used to greet the mail relay.", default="", obeyed=False)
    smtp_alert: bool | None = optional(boolean, "Default of all mail alerts.", obeyed=False)
    smtp_alert_vrrp: bool | None = optional(boolean, "Default of mail alerts of VRRP.", obeyed=False)
    smtp_alert_checker: bool | None = optional(boolean, "Default of mail alerts of health checks.", obeyed=False)

    no_email_faults: bool = kw(flag, "Send no mail for a fault.", default=False, obeyed=False)
    no_checker_emails: bool = kw(
        boolean, "Mail only when a server is added or removed, not for each check.", default=False, obeyed=False
    )

    # processes
    process_names: bool = kw(
        flag, "Name the processes keepalived_vrrp, keepalived_lvs and so on.", default=False, obeyed=False
    )
    process_name: str = kw(short_word(15), "Name of the parent process.", default="", obeyed=False)
    vrrp_process_name: str = kw(short_word(15), "Name of the vrrp process.", default="", obeyed=False)
    checker_process_name: str = kw(
        short_word(15), "Name of the check process.", default="", obeyed=False, aliases=("lvs_process_name",)
    )
    bfd_process_name: str = kw(short_word(15), "Name of the process for BFD.", default="", obeyed=False)
    umask: int | None = optional(umask, "Rights that created files do not get.", obeyed=False)
    random_seed: int | None = optional(integer(0), "Seed of the numbers that ${_RANDOM} gives; the time by default.")
    default_interface: str = kw(
        interface, "Interface of static addresses, routes and rules that name none.", default="eth0", obeyed=False
    )

    # scripts
    script_user: Command | None = optional(
        user_group, "Identity that scripts run as; keepalived_script if that user exists, else lvsd's own."
    )
    enable_script_security: bool = kw(
        flag, "Refuse scripts that run as root and can be changed by somebody else.", default=False
    )

    use_symlink_paths: bool = kw(
        boolean, "Run scripts by the path as written, links unresolved.", default=False, obeyed=False
    )
    set_supplementary_groups: bool = kw(
        boolean, "Scripts get the supplementary groups of their user.", default=False, obeyed=False
    )
    startup_script: Command | None = optional(command, "Run once before the daemon starts its work.", obeyed=False)
    shutdown_script: Command | None = optional(command, "Run once when all has been stopped.", obeyed=False)
    startup_script_timeout: int = kw(
        integer(1, 1000), "Seconds allowed for the startup_script.", default=10, obeyed=False
    )
    shutdown_script_timeout: int = kw(
        integer(1, 1000), "Seconds allowed for the shutdown_script.", default=10, obeyed=False
    )

    # files
    data_use_instance: bool = kw(
        boolean, "Names of dumped files carry the instance and the namespace.", default=False, obeyed=False
    )
    iproute_usr_dir: str = kw(path, "Folder of iproute2's own tables of names.", default="", obeyed=False)
    iproute_etc_dir: str = kw(
        path, "Folder of iproute2's tables of names that an administrator changed.", default="", obeyed=False
    )
    state_dump_file: str = kw(path, "Where the state is dumped to.", default="", obeyed=False)
    stats_dump_file: str = kw(path, "Where the statistics are dumped to.", default="", obeyed=False)
    json_dump_file: str = kw(path, "Where the state is dumped to as JSON.", default="", obeyed=False)
    json_version: int = kw(integer(1, 2), "Layout of the state as JSON.", default=1, obeyed=False)

    # reload
    reload_check_config: str | None = optional(
        word_or("/dev/null", "FILE"),
        "Check a configuration before it is taken over; lvsd always does. What is wrong goes to the log, not to the file.",
    )
    reload_time_file: str = kw(
        absolute_path, "File that says when to reload: HH:MM:SS or YY-MM-DD HH:MM:SS.", default="", obeyed=False
    )
    reload_repeat: bool = kw(
        flag, "A time of day in reload_time_file comes again each day.", default=False, obeyed=False
    )
    reload_file: str | None = optional(
        word_or("", "PATH"), "File that exists while the configuration is read.", obeyed=False
    )
    include_check: tuple[str, ...] | None = optional(
        include_check, "Which include lines are errors when they find nothing; all checks without an argument."
    )
    config_save_dir: str = kw(path, "Folder for copies of the configuration at each reload.", default="", obeyed=False)
    tmp_config_directory: str = kw(
        path, "Folder for the copy of the configuration that keepalived's processes read; lvsd's read none.", default=""
    )

    # VRRP defaults
    vrrp_version: int = kw(integer(2, 3), "Protocol version of IPv4 instances; IPv6 instances use 3.", default=2)
    vrrp_mcast_group4: IPv4Address = kw(ipv4, "Multicast group of IPv4 adverts.", default=IPv4Address("224.0.0.18"))
    vrrp_mcast_group6: IPv6Address = kw(ipv6, "Multicast group of IPv6 adverts.", default=IPv6Address("ff02::12"))
    vrrp_garp_master_delay: float = kw(
        seconds(0), "Time from take-over to the second set of GARPs; 0 for none.", default=5.0
    )
    vrrp_garp_master_repeat: int = kw(integer(1), "GARPs in each set after take-over.", default=5)
    vrrp_garp_master_refresh: float = kw(seconds(0), "Period of GARPs as master; 0 for none.", default=0.0)
    vrrp_garp_master_refresh_repeat: int = kw(integer(1), "GARPs in each refresh.", default=1)
    vrrp_garp_lower_prio_delay: float | None = optional(
        seconds(0),
        "Time to the second set of GARPs after an advert of lower priority; as vrrp_garp_master_delay by default.",
    )
    vrrp_garp_lower_prio_repeat: int | None = optional(
        integer(0), "GARPs after an advert of lower priority; as vrrp_garp_master_repeat by default."
    )
    vrrp_garp_interval: float = kw(seconds(0), "Gap between two GARPs on one interface.", default=0.0)
    vrrp_gna_interval: float = kw(seconds(0), "Gap between two unsolicited neighbour advertisements.", default=0.0)
    vrrp_min_garp: bool = kw(boolean, "One GARP after take-over, no second set, no refresh.", default=False)
    vrrp_down_timer_adverts: int = kw(integer(1, 100), "Adverts that may be missed before a take-over.", default=3)
    vrrp_lower_prio_no_advert: bool = kw(boolean, "Do not answer an advert of lower priority with one.", default=False)
    vrrp_higher_prio_send_advert: bool = kw(
        boolean, "Send an advert before giving way to a higher priority.", default=False
    )
    vrrp_skip_check_adv_addr: bool = kw(boolean, "Do not compare the addresses of every advert.", default=False)
    vrrp_garp_extra_if: ExtraGarps | None = optional(
        extra_garps,
        "Period of GARPs on interfaces other than the instance's own.",
        obeyed=False,
        aliases=("vrrp_vmac_garp_intvl",),
    )
    vrrp_owner_ignore_adverts: bool | None = optional(
        boolean, "The owner of the addresses (255) takes no notice of adverts.", obeyed=False
    )
    vrrp_check_unicast_src: bool = kw(
        flag, "Take unicast adverts from configured peers only.", default=False, obeyed=False
    )
    v3_checksum_as_v2: bool = kw(
        flag, "The checksum of version 3 over IPv4 leaves out the pseudo header.", default=False, obeyed=False
    )
    log_unknown_vrids: bool = kw(flag, "Log adverts of unknown virtual routers.", default=False, obeyed=False)
    vrrp_notify_priority_changes: bool = kw(
        boolean, "Write changes of the priority to the FIFO too.", default=False, obeyed=False
    )
    vmac_prefix: str = kw(
        interface, "How the names of generated virtual-MAC interfaces begin.", default="vrrp", obeyed=False
    )
    vmac_addr_prefix: str = kw(
        interface,
        "How the names of interfaces generated for addresses on other interfaces begin.",
        default="vrrp",
        obeyed=False,
    )
    disable_local_igmp: bool = kw(flag, "Send no IGMP reports for groups of the own link.", default=False, obeyed=False)
    vrrp_rx_bufs_policy: int | str | None = optional(
        buffer_rule, "Size of the receive buffers: from the MTU, from an advert's size, or in bytes.", obeyed=False
    )
    vrrp_rx_bufs_multiplier: int = kw(integer(1), "How many packets a receive buffer holds.", default=3, obeyed=False)
    vrrp_strict: bool = kw(boolean, "Strict compliance with the protocol.", default=False, obeyed=False)
    vrrp_startup_delay: float = kw(seconds(0), "Wait after start before VRRP runs.", default=0.0)
    vrrp_delay_after_boot: float = kw(
        seconds(0),
        "Time since boot before VRRP runs; the longer of this and vrrp_startup_delay.",
        default=0.0,
        obeyed=False,
    )
    dynamic_interfaces: str | None = optional(
        permission("allow_if_changes"), "Interfaces may appear later and change; lvsd always permits that."
    )

    # firewall
    vrrp_iptables: FirewallChains | None = optional(
        firewall_chains, "Chains in which packets to addresses that are not accepted are dropped.", obeyed=False
    )
    vrrp_ipsets: tuple[str, ...] | None = optional(
        set_names, "Names of the sets that iptables look into.", obeyed=False
    )
    nftables: str | None = optional(
        word_or("keepalived", "TABLE"), "Use nftables, with a table of this name.", obeyed=False
    )
    nftables_priority: int = kw(
        integer(-(2**31), 2**31 - 1), "Priority of the chains of nftables.", default=-1, obeyed=False
    )
    nftables_ifindex: bool = kw(
        flag, "Sets of link-local addresses know interfaces by number, not by name.", default=False, obeyed=False
    )
    nftables_counters: bool = kw(flag, "Rules of nftables count packets.", default=False, obeyed=False)

    # scheduling
    vrrp_priority: int | None = optional(integer(-20, 19), "Nice value of the vrrp process.")
    checker_priority: int | None = optional(integer(-20, 19), "Nice value of the check process.")
    vrrp_rt_priority: int = kw(integer(1, 99), "Real-time priority (SCHED_RR) of the vrrp process.", default=50)
    checker_rt_priority: int | None = optional(integer(1, 99), "Real-time priority (SCHED_RR) of the check process.")
    vrrp_no_swap: bool = kw(flag, "Lock the vrrp process in memory; lvsd always does where it may.", default=False)
    checker_no_swap: bool = kw(flag, "Lock the check process in memory.", default=False)
    vrrp_cpu_affinity: tuple[int, ...] = kw(
        cpus, "Processors that the vrrp process may run on.", default=(), obeyed=False
    )
    checker_cpu_affinity: tuple[int, ...] = kw(
        cpus, "Processors that the check process may run on.", default=(), obeyed=False
    )
    vrrp_rlimit_rttime: int = kw(
        integer(1),
        "Microseconds of computing without a pause after which the vrrp process is warned; below a second a second counts.",
        default=10000,
        aliases=("vrrp_rlimit_rtime",),
    )
    checker_rlimit_rttime: int = kw(
        integer(1),
        "Microseconds that the check process may compute without a pause in real time.",
        default=10000,
        obeyed=False,
        aliases=("checker_rlimit_rtime",),
    )
    bfd_priority: int | None = optional(integer(-20, 19), "Nice value of the process for BFD.", obeyed=False)
    bfd_rt_priority: int | None = optional(
        integer(1, 99), "Real-time priority (SCHED_RR) of the process for BFD.", obeyed=False
    )
    bfd_no_swap: bool = kw(flag, "Lock the process for BFD in memory.", default=False, obeyed=False)
    bfd_cpu_affinity: tuple[int, ...] = kw(
        cpus, "Processors that the process for BFD may run on.", default=(), obeyed=False
    )
    bfd_rlimit_rttime: int = kw(
        integer(1),
        "Microseconds that the process for BFD may compute without a pause in real time.",
        default=10000,
        obeyed=False,
        aliases=("bfd_rlimit_rtime",),
    )
    max_auto_priority: int = kw(
        integer(-1, 99, bare=99),
        "keepalived raises its priority when late; lvsd's vrrp always runs in real time.",
        default=0,
    )

    min_auto_priority_delay: int = kw(
        integer(1, 10_000_000),
        "Microseconds between two steps of max_auto_priority, which lvsd does not take.",
        default=1_000_000,
    )

    # socket buffers
    vrrp_netlink_cmd_rcv_bufs: int | None = optional(
        integer(0), "Receive buffer of VRRP's requests to the kernel, in bytes.", obeyed=False
    )
    vrrp_netlink_cmd_rcv_bufs_force: bool = kw(
        boolean, "Exceed net.core.rmem_max for VRRP's requests to the kernel.", default=False, obeyed=False
    )
    vrrp_netlink_monitor_rcv_bufs: int | None = optional(
        integer(0), "Receive buffer of VRRP's watch of the kernel, in bytes.", obeyed=False
    )
    vrrp_netlink_monitor_rcv_bufs_force: bool = kw(
        boolean, "Exceed net.core.rmem_max for VRRP's watch of the kernel.", default=False, obeyed=False
    )
    process_monitor_rcv_bufs: int | None = optional(
        integer(0), "Receive buffer of the watch of processes, in bytes.", obeyed=False
    )
    process_monitor_rcv_bufs_force: bool = kw(
        boolean, "Exceed net.core.rmem_max for the watch of processes.", default=False, obeyed=False
    )
    lvs_netlink_cmd_rcv_bufs: int | None = optional(
        integer(0), "Receive buffer of the checks' requests to the kernel, in bytes.", obeyed=False
    )
    lvs_netlink_cmd_rcv_bufs_force: bool = kw(
        boolean, "Exceed net.core.rmem_max for the checks' requests to the kernel.", default=False, obeyed=False
    )
    lvs_netlink_monitor_rcv_bufs: int | None = optional(
        integer(0), "Receive buffer of the checks' watch of the kernel, in bytes.", obeyed=False
    )
    lvs_netlink_monitor_rcv_bufs_force: bool = kw(
        boolean, "Exceed net.core.rmem_max for the checks' watch of the kernel.", default=False, obeyed=False
    )

    # LVS
    lvs_timeouts: TimeoutsLine | None = optional(lvs_timeouts, "Connection timeouts of IPVS; restored at stop.")
    lvs_sync_daemon: SyncDaemon | None = optional(
        sync_daemon, "Tell the peer's IPVS of connections: as master on the master, as backup elsewhere.", obeyed=False
    )
    lvs_flush: bool = kw(flag, "Clear the whole IPVS table at start.", default=False)
    lvs_flush_on_stop: str = kw(
        lvs_flush_on_stop,
        "At stop, clear the whole IPVS table, or with VS only our services.",
        default="",
        aliases=("lvs_flush_onstop",),
    )
    checker_log_all_failures: bool = kw(
        boolean, "Log each failed check, not only those that change a state.", default=False
    )
    rs_init_notifies: bool = kw(flag, "Run notifies of real servers at start too.", default=False)

    nftables_ipvs: str | None = optional(
        word_or("keepalived_ipvs", "TABLE"),
        "One firewall mark for each virtual_server_group, set by nftables in a table of this name.",
        obeyed=False,
    )
    nftables_ipvs_priority: int = kw(
        integer(-(2**31), 2**31 - 1), "Priority of the chain of nftables_ipvs.", default=-1, obeyed=False
    )
    nftables_ipvs_start_fwmark: int = kw(
        integer(1), "First firewall mark of nftables_ipvs.", default=1000, obeyed=False
    )

    # FIFOs
    notify_fifo: Fifo | None = optional(fifo, "Named pipe that every change of state is written to.", obeyed=False)
    notify_fifo_script: Command | None = optional(command, "Program that reads notify_fifo.", obeyed=False)
    vrrp_notify_fifo: Fifo | None = optional(fifo, "Named pipe that every change of VRRP is written to.", obeyed=False)
    vrrp_notify_fifo_script: Command | None = optional(command, "Program that reads vrrp_notify_fifo.", obeyed=False)
    lvs_notify_fifo: Fifo | None = optional(
        fifo, "Named pipe that every change of the services is written to.", obeyed=False
    )
    lvs_notify_fifo_script: Command | None = optional(command, "Program that reads lvs_notify_fifo.", obeyed=False)
    fifo_write_vrrp_states_on_reload: bool = kw(
        flag, "Write all states to the FIFOs again at a reload.", default=False, obeyed=False
    )

    # SNMP, D-Bus
    snmp_socket: str = kw(word, "Where the AgentX master listens.", default="unix:/var/agentx/master", obeyed=False)
    enable_traps: bool = kw(flag, "Send traps of SNMP.", default=False, obeyed=False)
    enable_snmp_vrrp: bool = kw(
        flag, "Serve keepalived's MIB of VRRP.", default=False, obeyed=False, aliases=("enable_snmp_keepalived",)
    )
    enable_snmp_checker: bool = kw(flag, "Serve keepalived's MIB of services.", default=False, obeyed=False)
    enable_snmp_rfc: bool = kw(flag, "Serve both MIBs of VRRP that RFCs define.", default=False, obeyed=False)
    enable_snmp_rfcv2: bool = kw(flag, "Serve the MIB of VRRP version 2 (RFC 2787).", default=False, obeyed=False)
    enable_snmp_rfcv3: bool = kw(flag, "Serve the MIB of VRRP version 3 (RFC 6527).", default=False, obeyed=False)
    snmp_vs_stats_update_interval: float = kw(
        seconds(0.001, 30), "Age of a service's statistics before they are read again.", default=5.0, obeyed=False
    )
    snmp_rs_stats_update_interval: float | None = optional(
        seconds(0.001, 30),
        "Age of a server's statistics before they are read again; as snmp_vs_stats_update_interval by default.",
        obeyed=False,
    )
    enable_dbus: bool = kw(flag, "Serve keepalived's interface on D-Bus.", default=False, obeyed=False)
    dbus_service_name: str = kw(word, "Name on the bus.", default="org.keepalived.Vrrp1", obeyed=False)
    dbus_no_interface_name: str = kw(
        word, "Stands in the path of an instance that has no interface.", default="none", obeyed=False
    )

    # lvsd's own
    vip_lease: Lease = kw(
        lease,
        "Life time of virtual addresses in the kernel, renewed while their master advertises: on, off or seconds.",
        default=Lease(),
    )
    vip_probe: Probing = kw(
        probing,
        "What a backup does when a station that it does not know answers for a virtual address that it is about to take: "
        "nothing is asked, it takes over with an alarm, or it waits first.",
        default=Probing(),
        obeyed=False,
    )


@block("track_group", "Virtual routers on which the state of static addresses, routes and rules acts.")
class TrackGroup:
    name: str = arg(word, "Name of the group.")
    group: tuple[str, ...] = names(word, "The instances.", required=True)


@block("garp_group", "Interfaces that share one pace of GARPs and neighbour advertisements.")
class GarpGroup:
    garp_interval: float | None = optional(seconds(0), "Gap between two GARPs in the group.")
    gna_interval: float | None = optional(
        seconds(0), "Gap between two unsolicited neighbour advertisements in the group."
    )
    interfaces: tuple[str, ...] = names(interface, "Interfaces of the group.")
    interface: tuple[str, ...] = several(interface, "An interface of the group.")


@block("SSL", "Certificate that checks over TLS show to the servers.")
class Ssl:
    password: Secret = kw(secret, "Password of the key.", default=Secret(""))
    ca: str = kw(path, "File with the certificates of trusted authorities.", default="")
    certificate: str = kw(path, "File with the own certificate.", default="")
    key: str = kw(path, "File with the key of the own certificate.", default="")
