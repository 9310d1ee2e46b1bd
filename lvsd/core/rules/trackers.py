"""Rules about what is tracked: scripts, files, processes and BFD sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from lvsd.core.conf.diagnose import Severity, suggest
from lvsd.core.conf.keyword import declaration
from lvsd.core.conf.rules import Finding, Mend
from lvsd.core.root import Root
from lvsd.core.trackers import BfdInstance, TrackFile, TrackProcess, TrackScript

from .common import RULES as rule
from .common import Findings

Tracker = TrackScript | TrackFile | TrackProcess | BfdInstance
_LISTS: tuple[tuple[str, str, Callable[[Root], Sequence[Tracker]]], ...] = (
    ("track_script", "vrrp_script", lambda root: root.scripts),
    ("track_file", "track_file", lambda root: root.files),
    ("track_process", "vrrp_track_process", lambda root: root.processes),
    ("track_bfd", "bfd_instance", lambda root: root.bfd_sessions),
)
"""The list of an instance or a group, the block that its names stand for, and those blocks."""

_USERS = ("vrrp_instance", "vrrp_sync_group", "virtual_server")


def _tracked(root: Root, field: str) -> Iterator[tuple[object, int, str]]:
    """Who tracks: the instance or group, the index in its list, the name."""
    for each in (*root.instances, *root.groups):
        for index, line in enumerate(getattr(each, field)):
            yield each, index, line.name


def _checked(root: Root, kind: str, field: str) -> Iterator[tuple[object, str]]:
    """The checks of one kind, and the name that stands in their field. They belong to another room: only names are known here."""
    for server in root.virtual_servers:
        for real in server.real_servers:
            for check in (*real.checks, *real.checks_not_run_yet):
                if declaration(type(check)).name == kind:
                    yield check, getattr(check, field)


_CHECKS = {"track_file": ("FILE_CHECK", "track_file"), "track_bfd": ("BFD_CHECK", "name")}


@rule("unknown-tracker", mend=Mend.VALUE)
def what_is_tracked_is_declared(root: Root) -> Findings:
    """A name in track_script, track_file, track_process or track_bfd, or in a FILE_CHECK or BFD_CHECK, stands for no block.
    Without its tracker the instance would never fail over for that reason. Declare the tracker, or correct the name."""
    for field, kind, declared in _LISTS:
        known = {each.name for each in declared(root)}
        found = [(block, field, index, name) for block, index, name in _tracked(root, field)]
        if field in _CHECKS:
            check, where = _CHECKS[field]
            found += [(block, where, 0, name) for block, name in _checked(root, check, where)]
        for block, where, index, name in found:
            if name not in known:
                text = f"there is no {kind} '{name}'"
                yield Finding(text, block, where, index, suggest(name, known), missing=(kind, name))


@rule("unused-tracker", Severity.WARNING)
def trackers_are_tracked(root: Root) -> Findings:
    """A vrrp_script, track_file or vrrp_track_process is declared, but no instance, group or check tracks it.
    It has no effect, so it is neither run nor watched. Name it in a track list, or remove it."""
    for field, kind, declared in _LISTS:
        if kind == "bfd_instance":
            continue  # a session is of use by its own state, which the neighbour sees
        used = {name for _, _, name in _tracked(root, field)}
        if field in _CHECKS:
            used |= {name for _, name in _checked(root, *_CHECKS[field])}
        for each in declared(root):
            if each.name not in used:
                yield Finding(f"nothing tracks the {kind} '{each.name}'", each, "name", unless=_USERS)


@rule("slow-script", Severity.WARNING)
def a_script_ends_before_it_is_due_again(root: Root) -> Findings:
    """The timeout of a vrrp_script is longer than its interval. Two runs never overlap, so a slow script runs less often than
    its interval says, and its failures are noticed later. Make the timeout at most the interval."""
    for each in root.scripts:
        if each.timeout is not None and each.timeout > (each.interval or 1.0):
            text = f"a run may take {each.timeout:g} s, longer than the interval of {each.interval:g} s"
            yield Finding(text, each, "timeout")


@rule("no-interval", Severity.WARNING)
def scripts_and_their_timeouts_take_time(root: Root) -> Findings:
    """An interval or timeout of a vrrp_script is 0, which keepalived reads as one second and as the interval. So does lvsd.
    Write the number of seconds that is meant."""
    for each in root.scripts:
        if not each.interval:
            yield Finding("an interval of 0 is no interval, 1 s is used", each, "interval")
        if each.timeout == 0:
            yield Finding("a timeout of 0 would fail every run, the interval is used", each, "timeout")


@rule("process-range")
def a_number_of_processes_is_possible(root: Root) -> Findings:
    """The quorum_max of a vrrp_track_process is smaller than its quorum, so that no number of processes is right.
    Raise quorum_max, or lower the quorum; quorum_max 0 alone means that no such process may run."""
    for each in root.processes:
        if each.quorum_max is not None and 0 < each.quorum_max < each.quorum:
            yield Finding(f"quorum_max is below the quorum of {each.quorum}", each, "quorum_max")


@rule("delays-twice", Severity.WARNING)
def process_delays_are_written_once(root: Root) -> Findings:
    """A vrrp_track_process has `delay`, which stands for both fork_delay and terminate_delay, and also one of these.
    It is not clear which is meant. Write `delay` alone, or the other two."""
    for each in root.processes:
        if each.delay is not None and (each.fork_delay or each.terminate_delay):
            yield Finding("delay stands for both fork_delay and terminate_delay", each, "delay")


@rule("bfd-family")
def bfd_sessions_have_one_family(root: Root) -> Findings:
    """The source_ip of a bfd_instance is of another family than its neighbour, so that no packet could be sent.
    Give it an address of the neighbour's family, or leave it to the kernel."""
    for each in root.bfd_sessions:
        if each.source_ip is not None and each.source_ip.version != each.neighbor_ip.version:
            yield Finding(f"{each.source_ip} is of another family than {each.neighbor_ip}", each, "source_ip")


@rule("slow-bfd", Severity.WARNING)
def bfd_is_fast(root: Root) -> Findings:
    """A bfd_instance counts so many or so rare packets that it notices a loss late: BFD is meant for fractions of a second.
    min_rx and min_tx are in milliseconds; more than 10000, or a multiplier above 10, is likely a mistake."""
    for each in root.bfd_sessions:
        for field in ("min_rx", "min_tx"):
            if getattr(each, field) > 10_000:
                yield Finding(f"{field} is in milliseconds, this is {getattr(each, field) / 1000:g} s", each, field)
        if each.multiplier > 10:
            yield Finding("a multiplier above 10 notices a loss late", each, "multiplier")


@rule("bfd-consumer", Severity.WARNING)
def a_bfd_session_is_limited_to_one(root: Root) -> Findings:
    """A bfd_instance says both `vrrp` and `checker`, each of which keeps the other from learning of the session.
    Both learn of it where neither is written; leave both out."""
    for each in root.bfd_sessions:
        if each.vrrp and each.checker:
            yield Finding("'vrrp' and 'checker' exclude each other; both learn of it now", each, "checker")
