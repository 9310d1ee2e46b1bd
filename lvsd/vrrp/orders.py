"""The actions of one call, gathered from all machines and put into the order in which they must leave."""

from __future__ import annotations

from .types import Announce, DropAddresses, HoldAddresses, RenewLeases, RunNotify, SendAdvert, Tell, VrrpAction


class Orders:
    """Break before make: removals first, then goodbyes and adverts, then additions, renewals, announcements, notices.

    An instance that wins and loses again within one call takes back what it has not carried out."""

    def __init__(self) -> None:
        self._drops: list[DropAddresses] = []
        self._adverts: list[SendAdvert] = []
        self._holds: list[HoldAddresses] = []
        self._renewals: list[RenewLeases] = []
        self._announcements: list[Announce] = []
        self._notices: list[Tell | RunNotify] = []

    def advert(self, advert: SendAdvert) -> None:
        self._adverts.append(advert)

    def hold(self, hold: HoldAddresses) -> None:
        self._holds.append(hold)

    def drop(self, instance: str) -> None:
        if any(hold.instance == instance for hold in self._holds):
            self._adverts = [advert for advert in self._adverts if advert.instance != instance]
            self._holds = [hold for hold in self._holds if hold.instance != instance]
        self._announcements = [announce for announce in self._announcements if announce.instance != instance]
        self._drops.append(DropAddresses(instance))

    def renew(self, renewal: RenewLeases) -> None:
        self._renewals.append(renewal)

    def announce(self, announce: Announce) -> None:
        self._announcements.append(announce)

    def notice(self, notice: Tell | RunNotify) -> None:
        self._notices.append(notice)

    def taken(self) -> list[VrrpAction]:
        return [
            *self._drops,
            *self._adverts,
            *self._holds,
            *self._renewals,
            *self._announcements,
            *self._notices,
        ]
