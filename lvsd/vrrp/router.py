"""The whole node: packets and links in, actions out, every machine brought to its fixed point at each call.

The shell calls `handle` for every packet that waits in its sockets before it calls `tick`: after a stall a director
must hear what it missed before it acts."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from lvsd.core.ipc.messages import GroupReport, InstanceReport, VrrpReport
from lvsd.core.notify.events import Alarm, InstanceChanged

from .group import Group
from .instance import Instance, run_scripts
from .orders import Orders
from .resolve import Identity, Node, resolve
from .settings import VrrpSettings
from .track import judge
from .types import (
    AddressesFailed,
    AddressRemoved,
    AdvertReceived,
    AdvertSent,
    LinkChanged,
    RenewLeases,
    SendFailed,
    State,
    TableProgrammed,
    Tell,
    VrrpAction,
    VrrpEvent,
)
from .wire.packet import Malformed, Reason, decode

TABLE_PATIENCE = 10.0  # seconds without a programmed IPVS table before an instance may be master all the same
STALL = 0.05  # seconds behind the deadline, from which on the loop is said to have stood still
RENEWAL_PERIOD = 1.0  # seconds at least between two rounds
RENEWAL_SLACK = 0.02  # a round may come this much earlier, to leave together with an advert
RENEWAL_LAG = 0.15  # and waits this much longer for one
FRESH = 1.5  # an advert proves mastership for so many intervals


class Router:
    """Raises Unresolvable where the settings make no node.

    adopted: names of instances whose addresses are still here from a predecessor that was their master.
    wait_for_table: no instance becomes master before TableProgrammed, or TABLE_PATIENCE."""

    def __init__(
        self,
        settings: VrrpSettings,
        now: float,
        *,
        adopted: frozenset[str] = frozenset(),
        wait_for_table: bool = False,
    ) -> None:
        self.counters: Counter[str] = Counter()
        self._node: Node = resolve(settings)
        self._links: dict[str, LinkChanged] = {}
        self._instances: dict[Identity, Instance] = {}
        self._by_key: dict[tuple[str, int, int], Instance] = {}
        self._by_name: dict[str, Instance] = {}
        self._groups: list[Group] = []
        self._group_of: dict[Identity, Group] = {}
        self._queue: list[tuple[float, int, Group]] = []
        self._queued = 0
        self._stopped = False
        self._runs_at: float | None = None
        self._table_until = now + TABLE_PATIENCE if wait_for_table else None
        self._table_late = False
        self._renew_at: float | None = None
        self._expected: float | None = None
        self._orders = Orders()
        for router in self._node.routers:
            self._instances[router.identity] = Instance(router, now)
        self._rebuild(now)
        self._adopt(adopted, now)
        if self._node.startup_delay > 0 and not any(group.state is State.MASTER for group in self._groups):
            self._runs_at = now + self._node.startup_delay

    @property
    def interfaces(self) -> frozenset[str]:
        """Interfaces whose state the shell must tell with LinkChanged."""
        return self._node.interfaces

    @property
    def deadline(self) -> float | None:
        """When tick wants to be called, on the same clock as `now`; None: not before another event."""
        queue = self._queue
        while queue and queue[0][2].queued != queue[0][0]:
            heapq.heappop(queue)
        times = [queue[0][0]] if queue and self._runs_at is None else []
        if self._runs_at is not None:
            times.append(self._runs_at)
        if self._table_until is not None:
            times.append(self._table_until)
        if self._renew_at is not None:
            times.append(self._renew_at + RENEWAL_LAG)
        return min(times, default=None)

    # --- calls --------------------------------------------------------------------------------------------------------

    def handle(self, event: VrrpEvent, now: float) -> list[VrrpAction]:
        if self._stopped:
            return []
        self._notice_stall(now)
        if isinstance(event, AdvertReceived):
            self._receive(event, now)
        elif isinstance(event, AdvertSent):
            self._advert_sent(event.instance, now)
        elif isinstance(event, LinkChanged):
            self._link_changed(event, now)
        elif isinstance(event, TableProgrammed):
            self._table_programmed(now)
        else:
            self._failure(event, now)
        return self._take(now)

    def tick(self, now: float) -> list[VrrpAction]:
        if self._stopped:
            return []
        self._notice_stall(now)
        if self._runs_at is not None and now >= self._runs_at:
            self._runs_at = None
            self._settle(self._groups, now)
        if self._table_until is not None and now >= self._table_until:
            self._table_until, self._table_late = None, True
            why = f"the IPVS table is not programmed after {TABLE_PATIENCE:g} s; instances become master all the same"
            self._orders.notice(Tell(Alarm(at=0.0, why=why, subject="ipvs table")))
            self._settle(self._groups, now)
        if self._runs_at is None:
            self._tick_groups(now)
        if self._renew_at is not None and now >= self._renew_at + RENEWAL_LAG:
            self._renew(now)
        return self._take(now)

    def reconfigure(self, settings: VrrpSettings, now: float) -> list[VrrpAction]:
        """A comparison: what did not change keeps its state and its timers. Raises Unresolvable, and then nothing
        has changed. Interfaces that are new in `interfaces` are to be told with LinkChanged directly afterwards."""
        node = resolve(settings)
        self._notice_stall(now)
        if node == self._node or self._stopped:
            return self._take(now)
        wanted = {router.identity: router for router in node.routers}
        for identity, instance in list(self._instances.items()):
            if identity not in wanted:
                self._remove(instance, now)
            elif wanted[identity].name != instance.router.name and instance.state is State.MASTER:
                self._orders.drop(instance.router.name)
        for identity, router in wanted.items():
            present = self._instances.get(identity)
            if present is None:
                self._instances[identity] = Instance(router, now)
            elif replace(present.router, group="") != replace(router, group=""):
                present.reconfigure(router, now, self._orders)
            else:
                present.router = router
        self._node = node
        self._rebuild(now)
        for instance in self._instances.values():
            instance.judged(judge(instance.router, self._links), now)
        self._settle(self._groups, now)
        return self._take(now)

    def stop(self, now: float, why: str) -> list[VrrpAction]:
        """Gives up everything, addresses before goodbyes; afterwards the router answers nothing."""
        if self._stopped:
            return []
        for group in self._groups:
            group.stop(now, self._orders, why)
        actions = self._take(now)
        self._stopped = True
        self._queue.clear()
        self._runs_at = self._table_until = self._renew_at = None
        return actions

    # --- events -------------------------------------------------------------------------------------------------------

    def _receive(self, event: AdvertReceived, now: float) -> None:
        advert = decode(event.data, event.source, event.destination, event.ttl)
        if isinstance(advert, Malformed):
            self.counters[advert.reason.value] += 1
            return
        instance = self._by_key.get((event.interface, advert.virtual_router_id, event.source.version))
        if instance is None:
            self.counters[Reason.VRID.value] += 1
            return
        if self._runs_at is not None:
            self.counters[Reason.NOT_RUNNING.value] += 1
            return
        refused = instance.receive(advert, event.source, event.destination, now, self._orders)
        if refused is not None:
            self.counters[refused.value] += 1
            return
        self._settle((self._group_of[instance.router.identity],), now)

    def _advert_sent(self, name: str, now: float) -> None:
        instance = self._by_name.get(name)
        if instance is None or instance.state is not State.MASTER:
            return
        instance.advert_sent(now)
        if self._renew_at is not None and now >= self._renew_at - RENEWAL_SLACK:
            self._renew(now)

    def _link_changed(self, link: LinkChanged, now: float) -> None:
        if self._links.get(link.interface) == link:
            return
        self._links[link.interface] = link
        touched = []
        for identity, instance in self._instances.items():
            router = instance.router
            concerned = router.interface == link.interface or any(t.name == link.interface for t in router.trackers)
            if concerned and instance.judged(judge(router, self._links), now):
                touched.append(self._group_of[identity])
        self._settle(dict.fromkeys(touched), now)

    def _table_programmed(self, now: float) -> None:
        if self._table_late:
            self._table_late = False
            why = "the IPVS table is programmed"
            self._orders.notice(Tell(Alarm(at=0.0, why=why, subject="ipvs table", cleared=True)))
        if self._table_until is not None:
            self._table_until = None
            self._settle(self._groups, now)

    def _failure(self, event: SendFailed | AddressRemoved | AddressesFailed, now: float) -> None:
        instance = self._by_name.get(event.instance)
        if instance is None:
            return
        if isinstance(event, SendFailed):
            instance.send_failed(event.errno, now)
        elif isinstance(event, AddressRemoved):
            instance.address_removed(event.address, now, self._orders)
        else:
            instance.addresses_failed(event.why, now, self._orders)
        self._settle((self._group_of[instance.router.identity],), now)

    # --- time ---------------------------------------------------------------------------------------------------------

    def _notice_stall(self, now: float) -> None:
        if self._expected is None or now <= self._expected + STALL:
            return
        late = now - self._expected
        self.counters["stalls"] += 1
        self.counters["stalled_milliseconds"] += round(late * 1000)
        for instance in self._instances.values():
            instance.stood_still(late, now)
        for group in self._groups:
            self._note(group)

    def _tick_groups(self, now: float) -> None:
        due = []
        while self._queue and self._queue[0][0] <= now:
            at, _, group = heapq.heappop(self._queue)
            if group.queued == at:
                group.queued = None
                due.append(group)
        for group in due:
            group.tick(now, self._orders)
        self._settle(due, now)

    def _renew(self, now: float) -> None:
        """One burst for every master that proved itself: leases of different phase would each cost the kernel's timer
        up to a second more (RTM_NEWADDR renews, but would also re-create what has lapsed: hence the deadline)."""
        masters = [i for i in self._instances.values() if i.state is State.MASTER and i.router.lease]
        if not masters:
            self._renew_at = None
            return
        proved = [
            instance
            for instance in masters
            if instance.sent_at is not None
            and now <= instance.sent_at + FRESH * instance.router.advert_int
            and now < instance.lease_until
            and not instance.lapsed
        ]
        self._renew_at = now + max(RENEWAL_PERIOD, min(instance.router.lease for instance in masters) / 3)
        if not proved:
            return
        until = min(min(instance.lease_until, now + instance.router.lease / 2) for instance in proved)
        for instance in proved:
            instance.lease_until = now + instance.router.lease
        self._orders.renew(RenewLeases(tuple(instance.router.name for instance in proved), until))
        self.counters["renewals"] += 1

    # --- fixed point --------------------------------------------------------------------------------------------------

    def _settle(self, groups: Iterable[Group], now: float) -> None:
        may_promote = self._table_until is None
        for group in groups:
            if self._runs_at is None:
                group.step(now, self._orders, may_promote=may_promote)
            self._note(group)
            if group.state is State.MASTER:
                self._expect_renewal(group, now)

    def _expect_renewal(self, group: Group, now: float) -> None:
        for member in group.members:
            if member.router.lease:
                due = now + max(RENEWAL_PERIOD, member.router.lease / 3)
                if self._renew_at is None or due < self._renew_at:
                    self._renew_at = due

    def _note(self, group: Group) -> None:
        at = group.deadline
        if at is not None and at != group.queued:
            self._queued += 1
            heapq.heappush(self._queue, (at, self._queued, group))
        group.queued = at

    def _take(self, now: float) -> list[VrrpAction]:
        due = self.deadline
        # What is overdue now was noticed now: the next call must not count the same stall again.
        self._expected = None if due is None else max(due, now)
        actions = self._orders.taken()
        if actions:
            self._orders = Orders()
        return actions

    # --- configuration ------------------------------------------------------------------------------------------------

    def _rebuild(self, now: float) -> None:
        """Indices and groups, from the instances and the node's settings."""
        self._by_key = {(i.interface, i.virtual_router_id, i.family): m for i, m in self._instances.items()}
        self._by_name = {instance.router.name: instance for instance in self._instances.values()}
        before = {group.settings.name: group for group in self._groups if group.settings is not None}
        alone = {group.members[0].router.identity: group for group in self._groups if group.settings is None}
        groups = []
        for settings in self._node.groups:
            members = tuple(self._by_name[name] for name in settings.members)
            old = before.get(settings.name)
            if old is not None and old.settings == settings and old.members == members:
                groups.append(old)
                continue
            group = Group(settings, members, now)
            group.inherit(old, now, self._orders)
            groups.append(group)
        for identity, instance in self._instances.items():
            if not instance.router.group:
                single = alone.get(identity)
                if single is None or single.members != (instance,):
                    single = Group(None, (instance,), now)
                    single.inherit(None, now, self._orders)
                groups.append(single)
        self._groups = groups
        self._group_of = {member.router.identity: group for group in groups for member in group.members}
        self._queue.clear()
        for group in groups:
            group.queued = None
            self._note(group)

    def _adopt(self, adopted: frozenset[str], now: float) -> None:
        for group in self._groups:
            ours = [member for member in group.members if member.router.name in adopted]
            if ours and len(ours) == len(group.members):
                group.adopt(now, self._orders)
                self._renew_at = now
            else:
                # A group is adopted whole or not at all.
                for member in ours:
                    self._orders.drop(member.router.name)
        for group in self._groups:
            self._note(group)

    def _remove(self, instance: Instance, now: float) -> None:
        """As keepalived does it: goodbye, and FAULT to the scripts, since the instance is not stopped but gone."""
        del self._instances[instance.router.identity]
        previous = instance.state
        notify = instance.router.notify
        instance.leave(now, self._orders, goodbye=True)
        instance.state = State.STOP
        why = "removed from the configuration"
        change = InstanceChanged(
            at=0.0,
            why=why,
            name=instance.router.name,
            state="STOP",
            previous=previous.value,
            priority=instance.priority,
        )
        self._orders.notice(Tell(change))
        run_scripts(notify, "INSTANCE", instance.router.name, "FAULT", instance.priority, self._orders)

    # --- report -------------------------------------------------------------------------------------------------------

    def report(
        self, now: float, *, generation: int = 0, held: tuple[str, ...] | None = None, lateness: float = 0.0
    ) -> VrrpReport:
        """What the node is and why. held: the addresses that the kernel has; by default what was ordered."""
        instances = tuple(self._report(instance, now) for instance in self._instances.values())
        groups = tuple(
            GroupReport(
                name=group.settings.name,
                state=group.state.value,
                why=group.why,
                state_seconds=now - group.since,
                members=group.settings.members,
            )
            for group in self._groups
            if group.settings is not None
        )
        if held is None:
            held = tuple(address for report in instances if report.state == "MASTER" for address in report.addresses)
        return VrrpReport(
            generation=generation,
            instances=instances,
            groups=groups,
            held=held,
            lateness=lateness,
            counters=dict(self.counters),
        )

    def _report(self, instance: Instance, now: float) -> InstanceReport:
        router = instance.router
        return InstanceReport(
            name=router.name,
            interface=router.interface,
            virtual_router_id=router.identity.virtual_router_id,
            family=router.identity.family,
            version=router.version,
            state=instance.state.value,
            why=instance.why,
            state_seconds=now - instance.since,
            base_priority=router.priority,
            effective_priority=instance.priority,
            advert_int=router.advert_int,
            addresses=tuple(f"{line.address}/{line.prefix}" for line in router.addresses),
            group=router.group,
            master=str(instance.master) if instance.master is not None else "",
            master_priority=instance.master_priority,
            master_advert_age=None if instance.heard_at is None else now - instance.heard_at,
            faults=instance.faults,
            counters=dict(instance.counters),
        )
