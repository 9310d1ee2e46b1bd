from __future__ import annotations

import errno
from dataclasses import replace
from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st

from lvsd.check.ipvs.plan import (
    HASHED,
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    Op,
    SetDestination,
    SetService,
    plan,
)
from lvsd.check.ipvs.table import (
    AddressKey,
    Destination,
    DestinationKey,
    Family,
    Forwarding,
    MarkKey,
    Protocol,
    Service,
    ServiceFlags,
    ServiceKey,
    Table,
    Tunnel,
    TunnelChecksum,
    TunnelType,
)
from tests.model.ipvs import IpvsModel
from tests.model.ipvs_tables import KEYS, tables

WEB = AddressKey(Protocol.TCP, ip_address("192.0.2.10"), 80)
WEB6 = AddressKey(Protocol.TCP, ip_address("2001:db8::10"), 80)
ONE, TWO, THREE = (DestinationKey(ip_address(f"10.0.0.{host}"), 80) for host in (1, 2, 3))
NOTHING_OWNED: frozenset[ServiceKey] = frozenset()


def web(**rows: int) -> Table:
    keys = {"one": ONE, "two": TWO, "three": THREE}
    return {WEB: Service("wrr", destinations={keys[name]: Destination(weight) for name, weight in rows.items()})}


def test_a_new_service_comes_before_its_destinations() -> None:
    wanted = web(one=1, two=2)
    assert plan({}, wanted, NOTHING_OWNED) == [
        AddService(WEB, wanted[WEB]),
        AddDestination(WEB, ONE, Destination(1)),
        AddDestination(WEB, TWO, Destination(2)),
    ]


def test_what_is_as_it_should_be_is_left_alone() -> None:
    assert plan(web(one=1, two=2), web(two=2, one=1), NOTHING_OWNED) == []


def test_what_grows_comes_before_what_shrinks_and_deletions_come_last() -> None:
    assert plan(web(one=5, two=1), web(one=0, three=1), NOTHING_OWNED) == [
        AddDestination(WEB, THREE, Destination(1)),
        SetDestination(WEB, ONE, Destination(0)),
        DeleteDestination(WEB, TWO),
    ]


def test_one_service_grows_before_another_shrinks() -> None:
    dns = AddressKey(Protocol.UDP, ip_address("192.0.2.10"), 53)
    actual = {
        WEB: Service("wrr", destinations={ONE: Destination(5)}),
        dns: Service("wrr", destinations={ONE: Destination(1)}),
    }
    wanted = {
        WEB: Service("wrr", destinations={ONE: Destination(1)}),
        dns: Service("wrr", destinations={ONE: Destination(5)}),
    }
    assert [op.service for op in plan(actual, wanted, NOTHING_OWNED) if isinstance(op, SetDestination)] == [dns, WEB]


def test_a_change_of_scheduler_is_made_in_place() -> None:
    wanted = {WEB: replace(web(one=1)[WEB], scheduler="mh", flags=ServiceFlags.SCHED1)}
    assert plan(web(one=1), wanted, NOTHING_OWNED) == [SetService(WEB, wanted[WEB])]


def test_a_change_of_forwarding_is_made_in_place() -> None:
    wanted = {WEB: Service("wrr", destinations={ONE: Destination(1, Forwarding.DR)})}
    assert plan(web(one=1), wanted, NOTHING_OWNED) == [SetDestination(WEB, ONE, Destination(1, Forwarding.DR))]


def test_another_port_is_another_destination_added_before_the_old_one_goes() -> None:
    moved = DestinationKey(ONE.address, 8080)
    wanted = {WEB: Service("wrr", destinations={moved: Destination(1)})}
    assert plan(web(one=1), wanted, NOTHING_OWNED) == [
        AddDestination(WEB, moved, Destination(1)),
        DeleteDestination(WEB, ONE),
    ]


def test_the_kernels_own_flag_is_no_difference() -> None:
    actual = {WEB: replace(web(one=1)[WEB], flags=ServiceFlags(HASHED))}
    assert plan(actual, web(one=1), NOTHING_OWNED) == []


def test_granularity_and_timeout_without_persistence_are_no_difference() -> None:
    actual = {WEB6: Service("wrr", prefix=128, timeout=0)}
    assert plan(actual, {WEB6: Service("wrr", prefix=32, timeout=50)}, NOTHING_OWNED) == []


def test_granularity_with_persistence_is_a_difference() -> None:
    one, other = (Service("wrr", ServiceFlags.PERSISTENT, 300, prefix) for prefix in (24, 32))
    assert plan({WEB: one}, {WEB: other}, NOTHING_OWNED) == [SetService(WEB, other)]


def test_a_tunnel_that_is_not_used_is_no_difference() -> None:
    gue = Tunnel(TunnelType.GUE, 6080, TunnelChecksum.CSUM)
    actual = {WEB: Service("wrr", destinations={ONE: Destination(1)})}
    wanted = {WEB: Service("wrr", destinations={ONE: Destination(1, tunnel=gue)})}
    assert plan(actual, wanted, NOTHING_OWNED) == []
    tunnelled = {WEB: Service("wrr", destinations={ONE: Destination(1, Forwarding.TUN, tunnel=gue)})}
    assert (
        len(plan({WEB: Service("wrr", destinations={ONE: Destination(1, Forwarding.TUN)})}, tunnelled, NOTHING_OWNED))
        == 1
    )


def test_an_abandoned_service_goes_with_one_order_and_a_strangers_stays() -> None:
    mark = MarkKey(7, Family.IPV4)
    actual = {**web(one=1, two=1), mark: Service("rr", destinations={ONE: Destination(1)})}
    assert plan(actual, {}, frozenset({WEB})) == [DeleteService(WEB)]


def test_a_strangers_service_that_is_desired_is_adopted_with_its_destinations() -> None:
    assert plan(web(one=1, two=1), web(one=1), NOTHING_OWNED) == [DeleteDestination(WEB, TWO)]


def test_an_order_says_what_it_does() -> None:
    assert [str(op) for op in plan({}, web(one=1), NOTHING_OWNED)] == [
        "add service tcp 192.0.2.10:80 (wrr)",
        "add destination 10.0.0.1:80 to tcp 192.0.2.10:80 (weight 1, NAT)",
    ]
    assert str(DeleteDestination(WEB, ONE)) == "delete destination 10.0.0.1:80 of tcp 192.0.2.10:80"


@given(tables(), tables(), st.sets(st.sampled_from(KEYS)))
def test_any_plan_reaches_its_goal_and_leaves_strangers_alone(
    actual: Table, desired: Table, owned: set[ServiceKey]
) -> None:
    kernel = IpvsModel(actual)
    before = kernel.table
    assert not any(kernel.apply_all(plan(before, desired, frozenset(owned))))
    foreign = {key: row for key, row in before.items() if key not in owned and key not in desired}
    assert kernel.table == {**IpvsModel(desired).table, **foreign}
    assert plan(kernel.table, desired, frozenset(owned)) == []


@given(tables(), tables())
def test_after_any_order_no_service_has_less_than_the_smaller_of_before_and_after(
    actual: Table, desired: Table
) -> None:
    kernel = IpvsModel(actual)
    before, after = kernel.table, IpvsModel(desired).table
    for op in plan(before, desired, frozenset(actual)):
        assert kernel.apply(op) == 0
        now = kernel.table
        for key in before.keys() & after.keys():
            assert weight(now, key) >= min(weight(before, key), weight(after, key))
            assert usable(now, key) >= usable(before, key) & usable(after, key)
            assert len(usable(now, key)) >= min(len(usable(before, key)), len(usable(after, key)))


@given(tables(), tables(), st.data())
def test_a_plan_that_was_cut_short_is_finished_by_the_next(actual: Table, desired: Table, data: st.DataObject) -> None:
    kernel = IpvsModel(actual)
    owned = frozenset(actual)
    ops = plan(kernel.table, desired, owned)
    kernel.apply_all(ops[: data.draw(st.integers(0, len(ops)))])
    assert not any(kernel.apply_all(plan(kernel.table, desired, owned)))
    assert kernel.table == IpvsModel(desired).table


@given(tables(), tables())
def test_a_plan_never_deletes_what_it_is_to_keep(actual: Table, desired: Table) -> None:
    for op in plan(actual, desired, frozenset(actual)):
        if isinstance(op, DeleteService):
            assert op.key not in desired
        if isinstance(op, DeleteDestination):
            assert op.key not in desired[op.service].destinations


@given(tables())
def test_a_kernel_without_a_scheduler_refuses_its_services_and_gets_the_others(desired: Table) -> None:
    kernel = IpvsModel(schedulers=["wrr", "rr"])
    ops = plan({}, desired, NOTHING_OWNED)
    refused: list[tuple[Op, int]] = [(op, code) for op in ops if (code := kernel.apply(op))]
    lacking = {key for key, service in desired.items() if service.scheduler not in ("wrr", "rr")}
    assert {op.key for op, code in refused if isinstance(op, AddService) and code == errno.ENOENT} == lacking
    assert kernel.table.keys() == desired.keys() - lacking


def weight(table: Table, key: ServiceKey) -> int:
    return sum(row.weight for row in table[key].destinations.values())


def usable(table: Table, key: ServiceKey) -> set[DestinationKey]:
    return {where for where, row in table[key].destinations.items() if row.weight}
