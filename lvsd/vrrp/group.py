"""Sync groups: members that are master together or not at all. A lone instance is a group of one, without a name."""

from __future__ import annotations

from collections.abc import Sequence

from lvsd.core.notify.events import GroupChanged

from .instance import Instance, run_scripts
from .orders import Orders
from .resolve import SyncGroup
from .types import State, Tell


class Group:
    def __init__(self, settings: SyncGroup | None, members: Sequence[Instance], now: float) -> None:
        self.settings = settings
        self.members = tuple(members)
        self.state = State.INIT
        self.why = "started"
        self.since = now
        self.queued: float | None = None  # the deadline that the router has noted

    @property
    def deadline(self) -> float | None:
        return min((at for member in self.members if (at := member.deadline) is not None), default=None)

    def tick(self, now: float, orders: Orders) -> None:
        for member in self.members:
            member.tick(now, orders)

    def step(self, now: float, orders: Orders, *, may_promote: bool) -> None:
        """Brings the members to one state, as far as what they know permits. Idempotent."""
        if self.state is State.STOP or not all(member.verdict.known for member in self.members):
            return
        self._pass_on_signs(now, orders)
        self._gather(now, orders)
        faulty = [member for member in self.members if member.faults]
        if faulty:
            if self.state is not State.FAULT:
                self._fault(faulty[0], now, orders)
            return
        if self.state in (State.INIT, State.FAULT):
            self._begin(now, orders)
        elif self.state is State.MASTER and (losers := [member for member in self.members if member.yields]):
            self._yield(losers[0], now, orders)
        if self.state is State.BACKUP and may_promote and all(member.expired for member in self.members):
            self._promote(now, orders)

    def _pass_on_signs(self, now: float, orders: Orders) -> None:
        if any(member.bereaved for member in self.members):
            goodbye = self.settings is not None and self.settings.goodbye
            for bereaved in [member for member in self.members if member.bereaved]:
                bereaved.bereaved = False
                for mate in self.members:
                    if goodbye and mate is not bereaved:
                        mate.mates_master_resigned(now)
        if self.state is State.MASTER and any(member.contested for member in self.members):
            for member in self.members:
                member.contested = False
                member.announce_contested(now, orders)

    def _fault(self, first: Instance, now: float, orders: Orders) -> None:
        why = first.faults[0]
        for member in self.members:
            own = member.faults[0] if member.faults else f"{first.router.name} of the same group is in fault: {why}"
            member.become_fault(now, orders, own)
        self._change(State.FAULT, f"{first.router.name}: {why}", now, orders)

    def _begin(self, now: float, orders: Orders) -> None:
        """RFC 9568 section 6.4.1: an owner is master at once; as keepalived does it, after a fault it waits a moment."""
        after_fault = self.state is State.FAULT
        why = "the fault is over" if after_fault else "started"
        owners = all(member.router.owner for member in self.members)
        for member in self.members:
            wait = None
            if owners:
                wait = member.router.advert_int + member.skew if after_fault else 0.0
            member.become_backup(now, orders, why, wait=wait)
        self._change(State.BACKUP, why, now, orders)

    def _yield(self, loser: Instance, now: float, orders: Orders) -> None:
        why = loser.yields
        # Who gives way without a better master in sight says so, that a backup may come soon.
        unfollowed = loser.heard_at is None
        for member in self.members:
            own = member.yields or f"{loser.router.name} of the same group became backup: {why}"
            member.become_backup(now, orders, own, goodbye=unfollowed)
        self._change(State.BACKUP, f"{loser.router.name}: {why}", now, orders)

    def _promote(self, now: float, orders: Orders) -> None:
        owners = all(member.router.owner for member in self.members)
        reasons = ["it owns the addresses" if owners else member.silence(now) for member in self.members]
        cause = next((member for member in self.members if member.resigned is not None), self.members[0])
        why = reasons[self.members.index(cause)]
        for member, reason in zip(self.members, reasons, strict=True):
            member.become_master(now, orders, reason)
        self._change(State.MASTER, f"{cause.router.name}: {why}" if len(self.members) > 1 else why, now, orders)

    def adopt(self, now: float, orders: Orders) -> None:
        for member in self.members:
            member.adopt(now, orders)
        self.state, self.since, self.why = State.MASTER, now, "lvsd was restarted as master"

    def stop(self, now: float, orders: Orders, why: str) -> None:
        for member in self.members:
            member.stop(now, orders, why)
        self._change(State.STOP, why, now, orders)

    def inherit(self, predecessor: Group | None, now: float, orders: Orders) -> None:
        """After a reload: the group's state is that of its predecessor, else that of its members where they agree."""
        states = {member.state for member in self.members if member.state is not State.INIT}
        if predecessor is not None:
            self.state, self.why, self.since = predecessor.state, predecessor.why, predecessor.since
        elif len(states) == 1:
            first = next(member for member in self.members if member.state is not State.INIT)
            self.state, self.why, self.since = first.state, first.why, first.since
        elif states:
            self.state, self.why = State.BACKUP, "the group is new, and its members were not all in one state"
        self._gather(now, orders)

    def _gather(self, now: float, orders: Orders) -> None:
        """Members that joined take the group's state; a master that joins a backup resigns."""
        for member in self.members:
            if member.state is self.state or self.state is State.INIT:
                continue
            why = f"joined group {self.settings.name}" if self.settings else "left its group"
            if self.state is State.BACKUP:
                member.become_backup(now, orders, why, goodbye=True)
            elif self.state is State.FAULT:
                member.become_fault(now, orders, why)
            elif self.state is State.MASTER and member.verdict.known and not member.faults:
                member.become_master(now, orders, why)

    def _change(self, state: State, why: str, now: float, orders: Orders) -> None:
        previous, self.state, self.why = self.state, state, why
        if previous is state:
            return
        self.since = now
        if self.settings is not None:
            change = GroupChanged(at=0.0, why=why, name=self.settings.name, state=state.value, previous=previous.value)
            orders.notice(Tell(change))
            run_scripts(self.settings.notify, "GROUP", self.settings.name, state.value, 0, orders)
