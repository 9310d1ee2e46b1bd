from __future__ import annotations

from ipaddress import IPv4Address

from lvsd.vrrp.orders import Orders
from lvsd.vrrp.types import Announce, DropAddresses, HoldAddresses, RenewLeases, RunNotify, SendAdvert


def sent(name: str, priority: int) -> SendAdvert:
    here = IPv4Address("10.0.0.1")
    return SendAdvert(name, "eth0", here, here, b"", priority)


def test_removals_leave_before_goodbyes_and_adverts_before_additions() -> None:
    orders = Orders()
    notify = RunNotify(("/n",), "", "", "q")
    orders.notice(notify)
    orders.announce(Announce("A", 5, 0.0))
    orders.renew(RenewLeases(("A",), 1.0))
    orders.hold(HoldAddresses("A", "eth0", (), 3))
    orders.advert(sent("A", 100))
    orders.drop("B")
    orders.advert(sent("B", 0))
    assert orders.taken() == [
        DropAddresses("B"),
        sent("A", 100),
        sent("B", 0),
        HoldAddresses("A", "eth0", (), 3),
        RenewLeases(("A",), 1.0),
        Announce("A", 5, 0.0),
        notify,
    ]


def test_who_loses_within_the_same_call_takes_its_orders_back() -> None:
    orders = Orders()
    orders.advert(sent("A", 100))
    orders.hold(HoldAddresses("A", "eth0", (), 3))
    orders.announce(Announce("A", 5, 0.0))
    orders.drop("A")
    orders.advert(sent("A", 0))
    assert orders.taken() == [DropAddresses("A"), sent("A", 0)]


def test_who_loses_after_a_time_as_master_still_sends_its_last_advert() -> None:
    orders = Orders()
    orders.advert(sent("A", 100))
    orders.announce(Announce("A", 5, 0.0))
    orders.drop("A")
    assert orders.taken() == [DropAddresses("A"), sent("A", 100)]
