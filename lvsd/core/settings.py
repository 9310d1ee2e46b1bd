"""Declarations of global_defs and of the daemon-wide blocks. Nothing but declarations."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from .conf.keyword import block, kw, names, optional
from .conf.values import (
    Command,
    Endpoint,
    Lease,
    TimeoutsLine,
    boolean,
    flag,
    integer,
    ipv4,
    ipv6,
    lease,
    lvs_flush_on_stop,
    lvs_timeouts,
    seconds,
    smtp_server,
    text,
    user_group,
    word,
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

    # scripts
    script_user: Command | None = optional(
        user_group, "Identity that scripts run as; keepalived_script if that user exists, else lvsd's own."
    )
    enable_script_security: bool = kw(
        flag, "Refuse scripts that run as root and can be changed by somebody else.", default=False
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
    vrrp_strict: bool = kw(boolean, "Strict compliance with the protocol.", default=False, obeyed=False)
    vrrp_startup_delay: float = kw(seconds(0), "Wait after start before VRRP runs.", default=0.0)
    dynamic_interfaces: bool = kw(
        flag, "Interfaces may appear later; lvsd always permits that.", default=False, obeyed=True
    )

    # scheduling
    vrrp_priority: int | None = optional(integer(-20, 19), "Nice value of the vrrp process.")
    checker_priority: int | None = optional(integer(-20, 19), "Nice value of the check process.")
    vrrp_rt_priority: int = kw(integer(1, 99), "Real-time priority (SCHED_RR) of the vrrp process.", default=50)
    checker_rt_priority: int | None = optional(integer(1, 99), "Real-time priority (SCHED_RR) of the check process.")
    vrrp_no_swap: bool = kw(flag, "Lock the vrrp process in memory; lvsd always does where it may.", default=False)
    checker_no_swap: bool = kw(flag, "Lock the check process in memory.", default=False)
    vrrp_rlimit_rttime: int = kw(
        integer(1),
        "Microseconds of computing without a pause after which the vrrp process is warned; below a second a second counts.",
        default=10000,
    )
    max_auto_priority: int = kw(
        integer(-1, 99, bare=99),
        "keepalived raises its priority when late; lvsd's vrrp always runs in real time.",
        default=0,
    )

    # LVS
    lvs_timeouts: TimeoutsLine | None = optional(lvs_timeouts, "Connection timeouts of IPVS; restored at stop.")
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

    # lvsd's own
    vip_lease: Lease = kw(
        lease,
        "Life time of virtual addresses in the kernel, renewed while their master advertises: on, off or seconds.",
        default=Lease(),
    )
