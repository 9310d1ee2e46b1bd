"""One virtual router: the state machine of RFC 9568 section 6 (RFC 5798 for timers of version 2), with keepalived's options.

The machine knows facts and its own timers; when it may change state is the group's decision (group.py), since members of
a sync group change together. A lone instance is a group of one."""

from __future__ import annotations

from collections import Counter
from ipaddress import IPv4Address, IPv6Address

from lvsd.core.notify.events import Alarm, InstanceChanged, TableDrifted

from .orders import Orders
from .resolve import Announcing, Notify, VirtualRouter
from .track import UNKNOWN, Verdict
from .types import Announce, HoldAddresses, RunNotify, SendAdvert, State, Tell
from .wire import auth, packet
from .wire.packet import Advert, Malformed, Reason

Address = IPv4Address | IPv6Address

ALARM_REPEAT = 60.0  # seconds between two alarms about the same thing
SEND_RETRY = 10.0  # seconds in FAULT after adverts could not be sent
FAILED_SENDS = 3  # in a row, until a master believes that nobody hears it
REPAIRS = 3  # removals by somebody else that are repaired within REPAIR_WINDOW, before the master gives way
REPAIR_WINDOW = 60.0
CONTEST_REPEAT = 0.5  # seconds between two announcements because of adverts of lower priority


class Instance:
    def __init__(self, router: VirtualRouter, now: float) -> None:
        self.router = router
        self.state = State.INIT
        self.why = "started"
        self.since = now
        self.verdict: Verdict = UNKNOWN
        self.expired = False  # Master_Down_Timer ran out, and no advert has come since
        self.yields = ""  # why this master must become backup
        self.contested = False  # a lower priority advertises while this is master
        self.bereaved = False  # the master that this backup follows has said goodbye
        self.resigned: Address | None = None  # who said so, until a master is heard again
        self.lapsed = False  # the loop stood still for so long that the leases are gone
        self.adopted = False  # the addresses of the predecessor are here, and have not been ordered anew yet
        self.counters: Counter[str] = Counter()

        self.master: Address | None = None
        self.master_priority = 0
        self.heard_at: float | None = None
        self.master_adver_int = router.advert_int

        self.down_at: float | None = None
        self.advert_at: float | None = None
        self.preempt_at: float | None = None
        self.second_at: float | None = None
        self.second_repeat = 0
        self.refresh_at: float | None = None
        self.sent_at: float | None = None
        self.lease_until = now
        self._contested_at = -CONTEST_REPEAT
        self._failed_sends = 0
        self._send_fault_until: float | None = None
        self._send_fault = ""
        self._repairs: list[float] = []
        self._alarms: dict[str, float] = {}
        self._packets: dict[tuple[int, Address], bytes] = {}

    def silence(self, now: float) -> str:
        """Why this backup may take over, as a sentence."""
        if self.resigned is not None:
            return f"the master {self.resigned} resigned"
        if self.master is not None and self.heard_at is not None and now - self.heard_at < 2 * self.master_down:
            return f"the master {self.master} has been silent for {now - self.heard_at:.2f} s"
        return "no master of equal or higher priority is heard"

    # --- timers of RFC 9568 section 6.1 -------------------------------------------------------------------------------

    @property
    def priority(self) -> int:
        return self.verdict.priority if self.verdict.known else self.router.priority

    @property
    def skew(self) -> float:
        """Skew_Time; version 2 counts in seconds (RFC 3768 section 6.1), version 3 in the master's interval."""
        unit = 1.0 if self.router.version == 2 else self.master_adver_int
        return (256 - self.priority) / 256 * unit

    @property
    def master_down(self) -> float:
        """Master_Down_Interval."""
        return self.router.down_adverts * self.master_adver_int + self.skew

    @property
    def deadline(self) -> float | None:
        if self.state is State.BACKUP:
            return self.down_at
        if self.state is State.MASTER:
            if not self.verdict.known:
                return None
            return min((at for at in (self.advert_at, self.second_at, self.refresh_at) if at is not None), default=None)
        return self._send_fault_until

    @property
    def faults(self) -> tuple[str, ...]:
        if self._send_fault_until is None:
            return self.verdict.faults
        return (*self.verdict.faults, self._send_fault)

    # --- facts --------------------------------------------------------------------------------------------------------

    def judged(self, verdict: Verdict, now: float) -> bool:
        """Takes the trackers' verdict; True if it is another than before."""
        if verdict == self.verdict:
            return False
        changed_on_wire = (verdict.source, verdict.priority) != (self.verdict.source, self.verdict.priority)
        if self.state is State.MASTER and (changed_on_wire or not self.verdict.known):
            self.advert_at = now
        self._send_fault_until = None
        self.verdict = verdict
        return True

    def receive(
        self, advert: Advert, source: Address, destination: Address, now: float, orders: Orders
    ) -> Reason | None:
        """Takes an advert for this VRID and family; a Reason if it is dropped."""
        if self.state not in (State.BACKUP, State.MASTER) or not self.verdict.known:
            return Reason.NOT_RUNNING
        refused = self._refusal(advert, source, destination)
        if refused is not None:
            if refused.reason is not Reason.OWN:
                self.alarm(
                    "peer", f"dropped an advert of {source} for {self.router.name}: {refused.detail}", now, orders
                )
            return refused.reason
        self.counters["adverts_received"] += 1
        if not advert.pseudo_header and advert.version == 3:
            self.counters["checksum_without_pseudo_header"] += 1
        if advert.priority == 0:
            self.counters["priority_zero_received"] += 1
        elif self.router.compares_every_advert or source != self.master:
            self._compare_addresses(advert, source, now, orders)
        if self.state is State.BACKUP:
            self._receive_as_backup(advert, source, now)
        else:
            self._receive_as_master(advert, source, now, orders)
        return None

    def _refusal(self, advert: Advert, source: Address, destination: Address) -> Malformed | None:
        router = self.router
        if advert.version != router.version:
            return Malformed(Reason.OTHER_VERSION, f"version {advert.version}, here {router.version}")
        if advert.version == 2:
            if not auth.type_agrees(router.password, advert.auth_type):
                return Malformed(Reason.OTHER_AUTH, f"authentication type {advert.auth_type}")
            if not auth.data_agree(router.password, advert.auth_data):
                return Malformed(Reason.PASSWORD, "wrong password")
            if advert.advert_int != router.advert_int:  # RFC 3768 section 7.1
                return Malformed(
                    Reason.OTHER_INTERVAL, f"advert_int {advert.advert_int:g} s, here {router.advert_int:g} s"
                )
        if destination != router.destination:
            return Malformed(Reason.DESTINATION, f"sent to {destination}, not to {router.destination}")
        if source == self.verdict.source:
            self.counters["own_source_address"] += 1
            return Malformed(Reason.OWN, "the own source address")
        return None

    def _compare_addresses(self, advert: Advert, source: Address, now: float, orders: Orders) -> None:
        """keepalived only logs a difference since 2.3.3; a lasting one is a mistake in one of the two files."""
        if set(advert.addresses) == set(self.router.advertised):
            self.calm("peer", f"adverts of {source} for {self.router.name} agree again", orders)
            return
        self.counters["address_list_differs"] += 1
        theirs = ", ".join(map(str, advert.addresses)) or "none"
        ours = ", ".join(map(str, self.router.advertised)) or "none"
        why = f"{source} advertises other addresses for {self.router.name}: {theirs}; here: {ours}"
        self.alarm("peer", why, now, orders)

    def _receive_as_backup(self, advert: Advert, source: Address, now: float) -> None:
        """RFC 9568 section 6.4.2."""
        if advert.priority == 0:
            # (430) the master resigned: wait Skew_Time, so that the best of the backups comes first
            if self.master in (None, source):
                self.bereaved, self.resigned = True, source
            if not self.expired:
                self.down_at = now + self.skew
            return
        higher = advert.priority >= self.priority
        waits = self.router.preempt_delay > 0 and (self.preempt_at is None or now < self.preempt_at)
        if not (higher or self.router.nopreempt or waits):
            # (460) a lower priority while preempting: the timer goes on, and its end takes over
            self.counters["lower_priority_discarded"] += 1
            return
        if higher:
            self.preempt_at = None
        elif waits and self.preempt_at is None:
            self.preempt_at = now + self.router.preempt_delay
        self._follow(advert, source, now)
        self.down_at = now + self.master_down
        self.expired = False

    def _receive_as_master(self, advert: Advert, source: Address, now: float, orders: Orders) -> None:
        """RFC 9568 section 6.4.3."""
        if advert.priority == 0:
            # (710) another master resigned: say at once that this one is here
            self.advert_at = now
            return
        if self.lapsed:
            # After a stall longer than the lease the addresses are gone and the peer has them: give way, however it ranks.
            self._follow(advert, source, now)
            self.yields = f"{source} took over while lvsd stood still for longer than the lease"
            return
        higher = advert.priority > self.priority
        own = self.verdict.source
        if advert.priority == self.priority and own is not None:
            # (725) equal priorities: the greater primary address wins
            higher = int(source) > int(own)
        if higher:
            if self.router.adverts_before_yielding:
                self._send(now, orders)
            rank = "higher" if advert.priority > self.priority else "the same"
            self.yields = f"{source} advertises {rank} priority {advert.priority}, here {self.priority}"
            if rank == "the same":
                self.yields += f" on {own}, the lower address"
            self._follow(advert, source, now)
            return
        self.counters["lower_priority_while_master"] += 1
        self.contested = True
        if self.router.answers_lower:
            self.advert_at = now  # RFC 9568: assert that this is the master

    def _follow(self, advert: Advert, source: Address, now: float) -> None:
        self.master, self.master_priority, self.heard_at = source, advert.priority, now
        self.bereaved, self.resigned = False, None
        if self.router.version == 3:
            self.master_adver_int = advert.advert_int  # (450) Active_Adver_Interval

    def advert_sent(self, now: float) -> None:
        self.sent_at = now
        self._failed_sends = 0
        self.counters["adverts_sent"] += 1

    def send_failed(self, errno: int, now: float) -> None:
        """A master whose adverts do not leave is none: its peers take over, so it goes to FAULT for a while."""
        self.counters["adverts_failed"] += 1
        self._failed_sends += 1
        if self._failed_sends >= FAILED_SENDS and self.state is State.MASTER and self.router.tracks_own_interface:
            self._send_fault = f"adverts cannot be sent on {self.router.interface} (errno {errno})"
            self._send_fault_until = now + SEND_RETRY
            self._failed_sends = 0

    def address_removed(self, address: Address, now: float, orders: Orders) -> None:
        """Put back what somebody else removed, but not in an endless fight."""
        if self.state is not State.MASTER or self.lapsed:
            return
        if any(line.address == address and line.no_track for line in self.router.addresses):
            return
        self.counters["addresses_removed_by_others"] += 1
        self._repairs = [at for at in self._repairs if at > now - REPAIR_WINDOW]
        if len(self._repairs) >= REPAIRS:
            self.yields = f"{address} was removed by somebody else {REPAIRS + 1} times within a minute"
            return
        self._repairs.append(now)
        why = f"{address} of {self.router.name} was removed by somebody else and is put back"
        orders.notice(Tell(TableDrifted(at=0.0, why=why, what=(f"address {address} was missing",), repaired=True)))
        self._hold(now, orders)
        self._announce(self.router.announcing.repeat, orders)

    def addresses_failed(self, why: tuple[str, ...], now: float, orders: Orders) -> None:
        self.counters["addresses_refused"] += len(why)
        self.alarm("addresses", f"the kernel refused addresses of {self.router.name}: {'; '.join(why)}", now, orders)

    def stood_still(self, late: float, now: float) -> None:
        """The loop ran `late` seconds after its deadline. Silence in that time proves nothing: listen for as long again, or
        for as long as a living master would take to be heard."""
        if self.state is State.BACKUP:
            if self.down_at is not None:
                self.down_at = max(self.down_at, now + min(late, self.master_adver_int + self.skew))
        elif self.state is State.MASTER:
            limit = self.lease_until if self.router.lease else (self.sent_at or self.since) + self.master_down
            self.lapsed = self.lapsed or now >= limit

    # --- changes of state, at the group's order -----------------------------------------------------------------------

    def become_backup(
        self, now: float, orders: Orders, why: str, *, wait: float | None = None, goodbye: bool = False
    ) -> None:
        """RFC 9568 sections 6.4.1 (155) and 6.4.3 (730). wait: seconds instead of Master_Down_Interval."""
        self.leave(now, orders, goodbye=goodbye)
        if not self.yields:
            self.master_adver_int = self.router.advert_int
        self.yields, self.contested, self.bereaved, self.expired = "", False, False, wait == 0
        self.preempt_at = None
        self.down_at = None if self.expired else now + (self.master_down if wait is None else wait)
        self._change(State.BACKUP, now, orders, why)

    def become_master(self, now: float, orders: Orders, why: str) -> None:
        """RFC 9568 section 6.4.2 (380): advert, then addresses, then announcements."""
        self.counters["became_master"] += 1
        self._reset_timers()
        self.yields, self.contested, self.bereaved, self.lapsed = "", False, False, False
        self.master, self.master_priority, self.heard_at, self.resigned = None, 0, None, None
        self._failed_sends = 0
        self.advert_at = now + self.router.advert_int
        self._send(now, orders)
        self._hold(now, orders)
        self._announce_twice(self.router.announcing.repeat, self.router.announcing.second_after, now, orders)
        if self.router.announcing.refresh_every:
            self.refresh_at = now + self.router.announcing.refresh_every
        self._change(State.MASTER, now, orders, why)

    def adopt(self, now: float, orders: Orders) -> None:
        """The predecessor of this process was master, and its addresses are still here."""
        self.why, self.since, self.state = "lvsd was restarted as master", now, State.MASTER
        self.advert_at, self.lease_until, self.adopted = now, now + 1.0, True
        change = InstanceChanged(
            at=0.0, why=self.why, name=self.router.name, state="MASTER", previous="MASTER", priority=self.priority
        )
        orders.notice(Tell(change))

    def become_fault(self, now: float, orders: Orders, why: str) -> None:
        self.leave(now, orders, goodbye=True)
        self.expired, self.yields = False, ""
        self._change(State.FAULT, now, orders, why)

    def stop(self, now: float, orders: Orders, why: str) -> None:
        """RFC 9568 section 6.4.3 (680), after the addresses are gone: break before make."""
        self.leave(now, orders, goodbye=True)
        self._change(State.STOP, now, orders, why)

    def reconfigure(self, router: VirtualRouter, now: float, orders: Orders) -> None:
        """Takes other settings of the same virtual router; its state stays."""
        old, self.router = self.router, router
        self._packets.clear()
        if self.state is State.MASTER:
            if (old.name, old.addresses, old.lease) != (router.name, router.addresses, router.lease):
                self._hold(now, orders)
            if (old.name, old.addresses) != (router.name, router.addresses):
                self._announce_twice(router.announcing.repeat, router.announcing.second_after, now, orders)
            if old.announcing.refresh_every != router.announcing.refresh_every:
                self.refresh_at = now + router.announcing.refresh_every if router.announcing.refresh_every else None
            self.advert_at = now
        elif self.state is State.BACKUP:
            timing = (old.advert_int, old.version, old.down_adverts, old.priority)
            if timing != (router.advert_int, router.version, router.down_adverts, router.priority):
                self.master_adver_int = router.advert_int
                if self.down_at is not None:
                    self.down_at = now + self.master_down

    # --- time ---------------------------------------------------------------------------------------------------------

    def tick(self, now: float, orders: Orders) -> None:
        if self.state is State.BACKUP:
            if self.down_at is not None and now >= self.down_at:
                self.expired, self.down_at = True, None
        elif self.state is State.MASTER:
            self._tick_master(now, orders)
        elif self._send_fault_until is not None and now >= self._send_fault_until:
            self._send_fault_until = None

    def _tick_master(self, now: float, orders: Orders) -> None:
        if self.yields or not self.verdict.known:
            return
        if self.advert_at is not None and now >= self.advert_at:
            self.advert_at = now + self.router.advert_int
            self._send(now, orders)
            if self.adopted:
                self.adopted = False
                self._hold(now, orders)
            if self.lapsed:
                self.lapsed = False
                why = f"lvsd stood still for longer than the lease of {self.router.name}, and nobody took over"
                orders.notice(Tell(TableDrifted(at=0.0, why=why, what=("the addresses had lapsed",), repaired=True)))
                self._hold(now, orders)
                self._announce_twice(self.router.announcing.repeat, self.router.announcing.second_after, now, orders)
        if self.second_at is not None and now >= self.second_at:
            self.second_at = None
            self._announce(self.second_repeat, orders)
        if self.refresh_at is not None and now >= self.refresh_at:
            self.refresh_at = now + self.router.announcing.refresh_every
            self._announce(self.router.announcing.refresh_repeat, orders)

    def announce_contested(self, now: float, orders: Orders) -> None:
        """After an advert of lower priority: that master may have drawn the neighbours to itself."""
        if now - self._contested_at < CONTEST_REPEAT:
            return
        self._contested_at = now
        announcing: Announcing = self.router.announcing
        self._announce_twice(announcing.lower_repeat, announcing.lower_second_after, now, orders)

    def mates_master_resigned(self, now: float) -> None:
        """The master of another member of the group said goodbye: that of this member has most likely gone too. An advert
        that still comes puts the timer back."""
        if self.state is not State.BACKUP or self.down_at is None:
            return
        patience = now + self.skew
        if self.heard_at is not None:
            patience = max(patience, self.heard_at + self.master_adver_int + self.skew / 10)
        self.down_at = min(self.down_at, patience)

    # --- orders -------------------------------------------------------------------------------------------------------

    def leave(self, now: float, orders: Orders, *, goodbye: bool) -> None:
        was_master = self.state is State.MASTER
        self._reset_timers()
        self.lapsed = self.adopted = False
        if not was_master:
            return
        orders.drop(self.router.name)
        if goodbye and self.verdict.can_send:
            self._send(now, orders, priority=0)
            self.counters["priority_zero_sent"] += 1
        self.counters["released_master"] += 1
        self.calm("addresses", f"{self.router.name} holds no addresses any more", orders)

    def _reset_timers(self) -> None:
        self.down_at = self.advert_at = self.preempt_at = self.second_at = self.refresh_at = self.sent_at = None

    def _send(self, now: float, orders: Orders, priority: int | None = None) -> None:
        router, source = self.router, self.verdict.source
        if source is None:
            return
        rank = self.priority if priority is None else priority
        data = self._packets.get((rank, source))
        if data is None:
            auth_type, auth_data = auth.fields(router.password)
            vrid = router.identity.virtual_router_id
            advert = Advert(router.version, vrid, rank, router.advert_int, router.advertised, auth_type, auth_data)
            data = self._packets[rank, source] = packet.encode(advert, source, router.destination)
        orders.advert(SendAdvert(router.name, router.interface, source, router.destination, data, rank))

    def _hold(self, now: float, orders: Orders) -> None:
        self.lease_until = now + self.router.lease
        orders.hold(HoldAddresses(self.router.name, self.router.interface, self.router.addresses, self.router.lease))

    def _announce(self, repeat: int, orders: Orders) -> None:
        if repeat:
            orders.announce(Announce(self.router.name, repeat, self.router.announcing.interval))

    def _announce_twice(self, repeat: int, second_after: float, now: float, orders: Orders) -> None:
        self._announce(repeat, orders)
        if repeat and second_after:
            self.second_at, self.second_repeat = now + second_after, repeat

    def _change(self, state: State, now: float, orders: Orders, why: str) -> None:
        previous, self.state, self.why = self.state, state, why
        if previous is state:
            return
        self.since = now
        change = InstanceChanged(
            at=0.0,
            why=why,
            name=self.router.name,
            state=state.value,
            previous=previous.value,
            priority=self.priority,
        )
        orders.notice(Tell(change))
        run_scripts(self.router.notify, "INSTANCE", self.router.name, state.value, self.priority, orders)

    def alarm(self, subject: str, why: str, now: float, orders: Orders) -> None:
        """At most once a minute for one subject."""
        if now - self._alarms.get(subject, -ALARM_REPEAT) >= ALARM_REPEAT:
            self._alarms[subject] = now
            orders.notice(Tell(Alarm(at=0.0, why=why, subject=f"{self.router.name} {subject}")))

    def calm(self, subject: str, why: str, orders: Orders) -> None:
        if self._alarms.pop(subject, None) is not None:
            orders.notice(Tell(Alarm(at=0.0, why=why, subject=f"{self.router.name} {subject}", cleared=True)))


def run_scripts(notify: Notify, kind: str, name: str, state: str, priority: int, orders: Orders) -> None:
    """keepalived's arguments: none for a script of one state; TYPE NAME STATE PRIORITY for the common one."""
    queue = f"vrrp {kind} {name}"
    for of_state, command in notify.by_state:
        if of_state == state:
            orders.notice(RunNotify(command.argv, command.user, command.group, queue))
    if notify.every is not None:
        argv = (*notify.every.argv, kind, name, state, str(priority))
        orders.notice(RunNotify(argv, notify.every.user, notify.every.group, queue))
