"""Declarations of what can be tracked: scripts, files, processes and BFD sessions. Nothing but declarations."""

from __future__ import annotations

from .conf.keyword import arg, block, kw, optional, required
from .conf.values import (
    Address,
    Command,
    TrackerWeight,
    boolean,
    command,
    flag,
    init_file,
    integer,
    ip,
    parameter_match,
    path,
    process_line,
    seconds,
    short_word,
    tracker_weight,
    user_group,
    word,
)

DELAY_MOST = 3600.0  # seconds


NARROW, WIDE = tracker_weight(253), tracker_weight(254)


@block("vrrp_script", "A program whose exit code is tracked.")
class TrackScript:
    name: str = arg(word, "Name of the tracker.")
    script: Command = required(command, "The program; exit code 0 is success.")
    interval: float = kw(seconds(0), "Seconds between two runs.", default=1.0)
    timeout: float | None = optional(
        seconds(0), "Seconds after which a run is killed and has failed; the interval by default."
    )
    weight: TrackerWeight = kw(
        NARROW,
        "Added to the priority: a positive one on success, a negative one on failure; 0 makes failure a fault.",
        default=TrackerWeight(),
    )
    rise: int = kw(integer(1, 2**31 - 1), "Successes in a row that end a failure.", default=1)
    fall: int = kw(integer(1, 2**31 - 1), "Failures in a row that count.", default=1)
    user: Command | None = optional(user_group, "Identity that the program runs as; script_user by default.")
    init_fail: bool = kw(flag, "Failed until the first success.", default=False)


@block("track_file", "A file whose number moves priorities.")
class TrackFile:
    name: str = arg(word, "Name of the tracker.")
    file: str = required(path, "The file; no number in it counts as 0.")
    weight: TrackerWeight = kw(
        WIDE,
        "The number times this is added to the priority; 0 makes any other number a fault.",
        default=TrackerWeight(1),
    )
    init_file: tuple[int, bool] | None = optional(
        init_file, "Create the file at start, with this number in it; overwrite one that is there."
    )


@block("vrrp_track_process", "Processes whose number is tracked.")
class TrackProcess:
    name: str = arg(word, "Name of the tracker.")
    process: tuple[str, ...] = required(process_line, "The program; its arguments count with param_match.")
    param_match: str | None = optional(
        parameter_match, "Compare the arguments too: all of them, their beginning, or the beginning of the last one."
    )
    weight: TrackerWeight = kw(
        WIDE, "Added to the priority as for a vrrp_script; 0 makes failure a fault.", default=TrackerWeight()
    )
    quorum: int = kw(integer(1, 65535), "Least number of processes.", default=1)
    quorum_max: int | None = optional(integer(0, 65535), "Greatest number of processes; any by default.")
    fork_delay: float = kw(seconds(0, DELAY_MOST), "Seconds before a new process counts.", default=0.0)
    terminate_delay: float = kw(seconds(0, DELAY_MOST), "Seconds before an ended process counts.", default=0.0)
    delay: float | None = optional(seconds(0, DELAY_MOST), "Both fork_delay and terminate_delay.")
    full_command: bool = kw(flag, "Compare the path as it was started, not the kernel's short name.", default=False)


@block("bfd_instance", "A session of BFD (RFC 5880) with a neighbour.")
class BfdInstance:
    name: str = arg(short_word(31), "Name of the session.")
    neighbor_ip: Address = required(ip, "The neighbour.", aliases=("neighbour_ip",))
    source_ip: Address | None = optional(ip, "Own address; the kernel's choice by default.")
    min_rx: int = kw(integer(1), "Least milliseconds between packets that we can receive.", default=10)
    min_tx: int = kw(integer(1), "Least milliseconds between packets that we want to send.", default=10)
    idle_tx: int = kw(integer(1000), "Milliseconds between packets while the session is down.", default=1000)
    multiplier: int = kw(integer(1, 255), "Packets that may be missed before the session is down.", default=5)
    passive: bool = kw(flag, "Send nothing before the neighbour has.", default=False)
    ttl: int = kw(integer(1, 255), "TTL of packets over IPv4.", default=255)
    hoplimit: int = kw(integer(1, 255), "Hop limit of packets over IPv6.", default=64)
    max_hops: int = kw(integer(-1, 255), "Hops that a received packet may have made; -1 for any.", default=0)
    multihop: bool = kw(boolean, "The neighbour is not on the own link (RFC 5883).", default=False)
    weight: TrackerWeight = kw(
        NARROW, "Added to the priority as for a vrrp_script; 0 makes failure a fault.", default=TrackerWeight()
    )
    vrrp: bool = kw(flag, "Only VRRP learns of the session's state.", default=False)
    checker: bool = kw(flag, "Only the checks learn of the session's state.", default=False)
