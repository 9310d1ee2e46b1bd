"""Rules about what an instance depends on, and what its trackers do to its priority."""

from __future__ import annotations

from collections.abc import Iterator

from lvsd.core.conf.diagnose import Severity
from lvsd.core.conf.rules import Finding
from lvsd.core.conf.types import Tracked
from lvsd.core.root import Root
from lvsd.vrrp.settings import InitialState, VrrpInstance, VrrpSyncGroup

from .common import OWNER, Findings, never_preempts, owns, twice
from .common import RULES as rule

TRACK_LISTS = ("track_interface", "track_script", "track_file", "track_process", "track_bfd")


def _trackers(block: VrrpInstance | VrrpSyncGroup) -> Iterator[tuple[str, int, Tracked]]:
    for field in TRACK_LISTS:
        for index, tracked in enumerate(getattr(block, field)):
            yield field, index, tracked


def _weighted(block: VrrpInstance | VrrpSyncGroup) -> Iterator[tuple[str, int, Tracked]]:
    """Those with a weight on their line; what stands with the tracker itself is not looked up."""
    return (each for each in _trackers(block) if each[2].weight)


def _weightless_members(root: Root) -> dict[str, VrrpSyncGroup]:
    """The instances whose weights do not count, with their group."""
    return {member: group for group in root.groups if not group.sync_group_tracking_weight for member in group.group}


@rule("tracks-itself", Severity.WARNING)
def the_own_interface_has_no_weight(root: Root) -> Findings:
    """The instance's own interface stands in its track_interface with a weight. It is tracked anyway, its loss is a fault,
    and the weight does nothing; keepalived leaves the line out too. Remove the line, or write dont_track_primary if the
    weight is meant."""
    for each in root.instances:
        for index, tracked in enumerate(each.track_interface):
            if tracked.name == each.interface and tracked.weight and not each.dont_track_primary:
                text = f"{tracked.name} is the instance's own and tracked anyway, its weight does nothing"
                yield Finding(text, each, "track_interface", index)


@rule("duplicate-tracker", Severity.WARNING)
def a_tracker_stands_once_in_a_list(root: Root) -> Findings:
    """The same tracker stands twice in one list, and only one of the lines counts. keepalived keeps the first, lvsd the
    last. Remove one of the two."""
    blocks: tuple[VrrpInstance | VrrpSyncGroup, ...] = (*root.instances, *root.groups)
    for block in blocks:
        yield from twice(
            ((field, tracked.name), Finding(f"'{tracked.name}' stands above already", block, field, index))
            for field, index, tracked in _trackers(block)
        )


@rule("nopreempt-with-weight", Severity.WARNING)
def nopreempt_and_weights_contradict_each_other(root: Root) -> Findings:
    """A weight lowers the priority of a sick director so that a healthy one takes over; with nopreempt the healthy one
    does not take over, and the addresses stay where the trouble is. keepalived behaves the same way. Leave the weight out,
    so that the failure is a fault and the sick director gives up by itself, or remove nopreempt."""
    weightless = _weightless_members(root)
    for each in root.instances:
        if never_preempts(each) and each.name not in weightless:
            for field, index, tracked in _weighted(each):
                text = f"the weight of '{tracked.name}' never moves the addresses, since nopreempt keeps them on a sick director"
                yield Finding(text, each, field, index)


@rule("preempt-delay-without-preempting", Severity.WARNING)
def only_who_preempts_can_delay_it(root: Root) -> Findings:
    """preempt_delay says how long to wait before taking over from a director of lower priority, and this instance never
    does: nopreempt forbids it, or with state MASTER keepalived and lvsd leave the delay out. Remove one of the two."""
    for each in root.instances:
        if each.preempt_delay and (each.nopreempt or each.state is InitialState.MASTER):
            other = "nopreempt" if each.nopreempt else "state MASTER"
            yield Finding(f"preempt_delay has no effect with {other}", each, "preempt_delay")


@rule("timer-expired-without-nopreempt", Severity.WARNING)
def a_late_timer_matters_without_preempting(root: Root) -> Findings:
    """timer_expired_backup makes a director that was held up stay backup, which only lasts if it does not preempt.
    keepalived leaves it out without nopreempt. Add nopreempt and state BACKUP, or remove it."""
    for each in root.instances:
        if each.timer_expired_backup is not None and not never_preempts(each):
            yield Finding("timer_expired_backup acts with nopreempt only", each, "timer_expired_backup")


@rule("owner-by-state", Severity.WARNING)
def an_owner_says_so(root: Root) -> Findings:
    """state MASTER without a priority makes the instance an owner of its addresses, with priority 255: it takes them back
    at once, always, and no tracker with a weight changes that. keepalived does the same. Write the priority that you mean;
    with 255 this warning goes away."""
    for each in root.instances:
        if each.state is InitialState.MASTER and each.priority is None:
            yield Finding(
                f"state MASTER without a priority means priority {OWNER}", each, "state", 0, "write a priority"
            )


@rule("owner-with-weight", Severity.WARNING)
def weights_do_not_move_an_owner(root: Root) -> Findings:
    """Priority 255 is that of the owner of the addresses, and weights never change it, so this tracker does nothing.
    keepalived behaves the same way. Use a priority up to 254, or no weight, so that the failure is a fault."""
    weightless = _weightless_members(root)
    for each in root.instances:
        if owns(each) and each.name not in weightless:
            for field, index, tracked in _weighted(each):
                yield Finding(f"the weight of '{tracked.name}' never moves priority {OWNER}", each, field, index)


@rule("tracker-without-effect", Severity.WARNING)
def a_failure_moves_the_priority(root: Root) -> Findings:
    """The effective priority stays between 1 and 254, in keepalived as well. While all is well the weights lead to or beyond
    one of these ends, and still do when this tracker fails, so that nobody takes over. Choose a priority further from the
    end, or another weight."""
    weightless = _weightless_members(root)
    for each in root.instances:
        if not owns(each) and each.name not in weightless:
            # What a file adds is its number times the weight, which only the file knows.
            listed = [entry for entry in _weighted(each) if entry[0] != "track_file"]
            healthy = (each.priority or 100) + sum(_adds(tracked, True) for _, _, tracked in listed)
            for field, index, tracked in listed:
                if _held(healthy) == _held(healthy - _adds(tracked, True) + _adds(tracked, False)):
                    text = f"'{tracked.name}' has no effect: with or without it the priority is {_held(healthy)}"
                    yield Finding(text, each, field, index)


def _adds(tracked: Tracked, up: bool) -> int:
    weight = tracked.weight or 0
    if up != (weight > 0):
        return 0
    return -weight if tracked.reverse else weight


def _held(priority: int) -> int:
    return max(1, min(OWNER - 1, priority))


@rule("weight-in-group", Severity.WARNING)
def members_have_no_weights(root: Root) -> Findings:
    """Instances of a group change state together, so a weight on one of them is left out and its failure is a fault of
    the whole group. keepalived does the same. Remove the weight, or write sync_group_tracking_weight in the group, where
    the weights of all members add up."""
    weightless = _weightless_members(root)
    blocks: list[tuple[VrrpInstance | VrrpSyncGroup, str]] = [
        (each, weightless[each.name].name) for each in root.instances if each.name in weightless
    ]
    blocks += [(group, group.name) for group in root.groups if not group.sync_group_tracking_weight]
    for block, group in blocks:
        for field, index, tracked in _weighted(block):
            text = f"in group '{group}' the weight of '{tracked.name}' is left out, its failure is a fault"
            yield Finding(text, block, field, index)


@rule("lone-member", Severity.WARNING)
def a_group_has_several_members(root: Root) -> Findings:
    """A group of one instance has nobody to keep in step with; it only delays the start and takes weights out of force.
    Add the other instances, or remove the group."""
    for group in root.groups:
        if len(group.group) == 1:
            yield Finding(f"'{group.group[0]}' is the only member of the group", group, "group")
