"""Rules about how adverts travel: peers, groups, signatures, interfaces of their own."""

from __future__ import annotations

from collections.abc import Iterator

from lvsd.core.conf.diagnose import Severity
from lvsd.core.conf.rules import Finding, Mend
from lvsd.core.conf.types import Address
from lvsd.core.conf.values import HmacKey
from lvsd.core.root import Root
from lvsd.vrrp.settings import AuthHmac, HmacMode, VrrpInstance

from .common import RULES as rule
from .common import Findings, twice

KEY_LEAST, KEY_MOST = 32, 64  # bytes


@rule("unicast-without-peers", Severity.WARNING)
def settings_of_unicast_have_peers(root: Root) -> Findings:
    """The instance has settings for adverts to single directors, but no unicast_peer, so that it sends to the multicast
    group and they do nothing. keepalived does the same without a word. List the other directors in unicast_peer, or remove
    the setting."""
    for each in root.instances:
        for field in ("unicast_src_ip", "unicast_ttl", "check_unicast_src", "old_unicast_checksum"):
            value = getattr(each, field)
            if not each.unicast_peer and value is not None and value is not False:
                yield Finding(f"{field} acts with unicast_peer only", each, field)


@rule("own-peer", mend=Mend.VALUE)
def nobody_is_its_own_peer(root: Root) -> Findings:
    """An address in unicast_peer is the instance's own unicast_src_ip, so that the director would hear itself. List the
    addresses of the other directors only; a file shared by all of them can tell them apart with @ID lines."""
    for each in root.instances:
        for index, peer in enumerate(each.unicast_peer):
            if peer.address == each.unicast_src_ip:
                yield Finding(f"{peer.address} is the own unicast_src_ip", each, "unicast_peer", index)


@rule("duplicate-peer", mend=Mend.VALUE)
def a_peer_stands_once(root: Root) -> Findings:
    """A director stands twice in unicast_peer and would get each advert twice. keepalived leaves the second one out.
    Remove one of the two."""
    for each in root.instances:
        yield from twice(
            (peer.address, Finding(f"{peer.address} stands above already", each, "unicast_peer", index))
            for index, peer in enumerate(each.unicast_peer)
        )


@rule("peer-family", mend=Mend.VALUE)
def all_ends_are_of_one_family(root: Root) -> Findings:
    """Adverts of an instance are sent over the family of its addresses, and a peer, a source or a group is of the other
    one. keepalived refuses the instance. Give each family an instance of its own."""
    for each in root.instances:
        ends = list(_ends(each))
        named = each.virtual_ipaddress + each.virtual_ipaddress_excluded
        family = named[0].address.version if named else next((end.version for _, _, end in ends), 4)
        for field, index, end in ends:
            if end.version != family:
                yield Finding(
                    f"{end} is of another family than the instance, which is of IPv{family}", each, field, index
                )


def _ends(instance: VrrpInstance) -> Iterator[tuple[str, int, Address]]:
    if instance.unicast_src_ip is not None:
        yield "unicast_src_ip", 0, instance.unicast_src_ip
    for index, peer in enumerate(instance.unicast_peer):
        yield "unicast_peer", index, peer.address
    if instance.mcast_dst_ip is not None:
        yield "mcast_dst_ip", 0, instance.mcast_dst_ip


@rule("group-of-instance")
def groups_of_instances_are_multicast(root: Root) -> Findings:
    """mcast_dst_ip is the group that adverts go to, and this is no multicast address. Write a group such as 224.0.0.18 or
    ff02::12, or use unicast_peer for single directors."""
    for each in root.instances:
        if each.mcast_dst_ip is not None and not each.mcast_dst_ip.is_multicast:
            yield Finding(f"{each.mcast_dst_ip} is no multicast address", each, "mcast_dst_ip")


# --- signatures


def _signed(root: Root) -> Iterator[tuple[VrrpInstance, AuthHmac]]:
    for each in root.instances:
        if each.auth_hmac is not None:
            yield each, each.auth_hmac


@rule("two-authentications", mend=Mend.REFUSE)
def one_authentication_is_enough(root: Root) -> Findings:
    """An instance has both an authentication and an auth_hmac block; keepalived refuses that. auth_hmac protects against
    forged adverts, a password sent in plain text does not: remove the authentication block on every director."""
    for instance, signing in _signed(root):
        if instance.authentication is not None:
            yield Finding("auth_hmac cannot be combined with authentication", signing)


@rule("active-key", mend=Mend.REFUSE)
def the_active_key_is_there(root: Root) -> Findings:
    """Adverts are signed with the key whose number is active_key, and there is no such key, or no key at all, or several
    and no active_key. keepalived refuses the block. Write `key NUMBER VALUE` for each key, and the number of the one that
    signs as active_key."""
    for _, signing in _signed(root):
        numbers = {key.id for key in signing.keys}
        if not numbers:
            yield Finding("auth_hmac has no key", signing, "", 0, "write 'key 1 hex:...'")
        elif signing.active_key is None:
            if len(numbers) > 1 and signing.mode is not HmacMode.RECEIVE_ONLY:
                yield Finding("auth_hmac has several keys, and none is the active_key", signing)
        elif signing.active_key not in numbers:
            yield Finding(f"there is no key {signing.active_key}", signing, "active_key")


@rule("duplicate-key", mend=Mend.REFUSE)
def a_key_number_stands_once(root: Root) -> Findings:
    """Two keys of one auth_hmac block have the same number, and an advert names its key by number alone. Give the new key
    a number of its own; the old one stays until every director has the new one."""
    for _, signing in _signed(root):
        yield from twice(
            (key.id, Finding(f"key {key.id} stands above already", signing, "keys", index))
            for index, key in enumerate(signing.keys)
        )


@rule("key-length", mend=Mend.REFUSE)
def keys_are_long_enough(root: Root) -> Findings:
    """A key of auth_hmac has 32 to 64 bytes: shorter ones can be guessed, longer ones are not used as they stand.
    keepalived refuses others too. `openssl rand -hex 32` makes one; write it behind hex:, or keep it in a file and write
    file:PATH."""
    for _, signing in _signed(root):
        for index, key in enumerate(signing.keys):
            if problem := _key_problem(key):
                yield Finding(f"key {key.id} {problem}", signing, "keys", index)


def _key_problem(key: HmacKey) -> str:
    try:
        octets = key.octets()
    except ValueError:
        return "is no row of hexadecimal octets"
    if octets is None or KEY_LEAST <= len(octets) <= KEY_MOST:
        return ""
    return f"has {len(octets)} bytes, {KEY_LEAST} to {KEY_MOST} are allowed"


# --- interfaces of its own


@rule("address-on-vmac", Severity.WARNING)
def addresses_on_virtual_interfaces_are_not_obeyed(root: Root) -> Findings:
    """An address asks to be held on the virtual MAC interface of another interface (use_vmac behind the address). lvsd
    reads this but does not obey it yet: the address is added to the interface itself."""
    for each in root.instances:
        for field in ("virtual_ipaddress", "virtual_ipaddress_excluded"):
            for index, line in enumerate(getattr(each, field)):
                if line.use_vmac:
                    yield Finding(f"use_vmac of {line.address} is read but not obeyed yet", each, field, index)
