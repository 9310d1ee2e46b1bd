"""Rules about virtual routers and their groups."""

from __future__ import annotations

import math

from lvsd.core.conf.diagnose import Severity
from lvsd.core.conf.rules import Finding, Mend
from lvsd.core.root import Root
from lvsd.vrrp.settings import AuthType, InitialState

from .common import RULES as rule
from .common import Findings, defaults, family, outgrown, twice, version

PASSWORD_MOST = 8  # bytes of the packet's field
MOST_V3_INTERVAL = 40.95  # seconds; twelve bits of centiseconds


@rule("duplicate-vrid")
def a_vrid_is_unique_on_its_link(root: Root) -> Findings:
    """Two instances on one interface and of one address family have the same virtual_router_id, so that each would take the
    adverts of the other for its own. keepalived refuses the second one, too. Give one of them another number, and the same
    one on the other directors."""
    yield from twice(
        (
            (each.interface, family(each), each.virtual_router_id),
            Finding(
                f"virtual_router_id {each.virtual_router_id} is taken on {each.interface} (IPv{family(each)}) already",
                each,
                "virtual_router_id",
            ),
        )
        for each in root.instances
    )


@rule("duplicate-address", mend=Mend.VALUE)
def an_address_stands_once(root: Root) -> Findings:
    """An address stands twice among the virtual addresses of one interface. keepalived 2.2.7 takes it and counts it twice
    in its adverts, so that a peer whose list differs drops them. Remove one of the two."""
    yield from twice(
        (
            (line.address, line.dev or each.interface),
            Finding(f"{line.address} stands above already", each, field, index),
        )
        for each in root.instances
        for field in ("virtual_ipaddress", "virtual_ipaddress_excluded")
        for index, line in enumerate(getattr(each, field))
    )


@rule("mixed-families", mend=Mend.VALUE)
def an_instance_has_one_family(root: Root) -> Findings:
    """An instance speaks for IPv4 or for IPv6 addresses, as its first address says, and this one is of the other family.
    keepalived does not take it into the adverts, either. Put it into an instance of its own, or into
    virtual_ipaddress_excluded."""
    for each in root.instances:
        for index, line in enumerate(each.virtual_ipaddress):
            if line.address.version != family(each):
                text = f"{line.address} is of another family than the instance's first address"
                yield Finding(text, each, "virtual_ipaddress", index, "give it an instance of its own")
        if each.mcast_src_ip is not None and each.mcast_src_ip.version != family(each):
            yield Finding(f"{each.mcast_src_ip} is of another family than the addresses", each, "mcast_src_ip")


@rule("no-address", Severity.WARNING)
def an_instance_has_an_address(root: Root) -> Findings:
    """The instance elects a master that holds no address, which is hardly ever meant. keepalived wants it confirmed, too.
    Add a virtual_ipaddress, or write no_virtual_ipaddress if only its scripts matter."""
    for each in root.instances:
        if not (each.virtual_ipaddress or each.virtual_ipaddress_excluded or each.no_virtual_ipaddress):
            yield Finding(f"vrrp_instance '{each.name}' has no address", each)


@rule("not-multicast", mend=Mend.VALUE)
def groups_are_multicast(root: Root) -> Findings:
    """The address is to be the multicast group that adverts go to, and it is none, so that no director would hear another.
    Write 224.0.0.18 or ff02::12, which are the defaults, or another multicast address, on every director."""
    written = defaults(root)
    if root.global_defs is None:
        return
    for field in ("vrrp_mcast_group4", "vrrp_mcast_group6"):
        if not getattr(written, field).is_multicast:
            yield Finding(f"{getattr(written, field)} is no multicast address", written, field)


@rule("no-password")
def passwords_are_given(root: Root) -> Findings:
    """auth_type PASS needs an auth_pass. keepalived goes on without authentication, so that two directors do not hear each
    other. Write auth_pass on a line of its own: behind auth_type on the same line it would be lost."""
    for each in root.instances:
        secret = each.authentication
        if secret is not None and secret.auth_type is AuthType.PASS and not secret.auth_pass.text:
            yield Finding("auth_type PASS needs an auth_pass", secret, "auth_type", 0, "write it on a line of its own")


@rule("long-password", Severity.WARNING)
def passwords_fit(root: Root) -> Findings:
    """The packet has room for eight bytes of the password, and the rest is cut off, by keepalived as well. Two passwords that
    differ only behind the eighth byte are the same. Write eight bytes at most."""
    for each in root.instances:
        secret = each.authentication
        if secret is not None and len(secret.auth_pass.text.encode()) > PASSWORD_MOST:
            text = f"the password is longer than {PASSWORD_MOST} bytes, the rest does not count"
            yield Finding(text, secret, "auth_pass")


@rule("authentication-type", mend=Mend.REFUSE)
def authentication_can_be_done(root: Root) -> Findings:
    """auth_type AH is not supported, and a director that left it out would be deaf to its peers. RFC 3768 took AH out of the
    protocol in 2004. Write auth_type PASS, on every director at once."""
    for each in root.instances:
        if each.authentication is not None and each.authentication.auth_type is AuthType.AH:
            yield Finding("auth_type AH is not supported yet", each.authentication, "auth_type", 0, "use PASS")


@rule("authentication-version", Severity.WARNING)
def authentication_is_of_version_2(root: Root) -> Findings:
    """The instance uses version 3 of the protocol, which has no authentication: RFC 5798 took it out. keepalived leaves
    the block out, too. Remove it, or write version 2."""
    for each in root.instances:
        if each.authentication is not None and version(root, each) == 3:
            yield Finding("VRRP version 3 has no authentication, the block is left out", each.authentication)


@rule("advert-interval", Severity.WARNING)
def intervals_can_be_sent(root: Root) -> Findings:
    """An advert states the interval in whole seconds in version 2, and in hundredths of a second up to 40.95 s in version 3;
    lvsd takes the nearest that can be stated. Write one that can, the same on every director, or choose version 3."""
    for each in root.instances:
        if version(root, each) == 2 and each.advert_int != int(each.advert_int):
            sent = max(1, int(each.advert_int + 0.5))
            yield Finding(f"version 2 counts whole seconds, {sent} s is used", each, "advert_int", 0, "or version 3")
        elif version(root, each) == 3 and each.advert_int > MOST_V3_INTERVAL:
            yield Finding(f"version 3 counts to {MOST_V3_INTERVAL} s, which is used", each, "advert_int")


@rule("lease-too-short", mend=Mend.REFUSE)
def leases_outlast_adverts(root: Root) -> Findings:
    """The life time of an address ends before an advert can renew it, so that the address would come and go on a healthy
    director. Write a longer vip_lease or `vip_lease on`, or `vip_lease off`, which is how keepalived works: then the
    addresses of a dead director stay."""
    # The kernel ends a life time up to a second late, never early; one advert and a second must fit.
    for each in root.instances:
        lease = each.vip_lease or defaults(root).vip_lease
        if lease.on and lease.seconds and lease.seconds < each.advert_int + 1:
            field = "vip_lease" if each.vip_lease else "advert_int"
            text = f"a lease of {lease.seconds} s ends before an advert each {each.advert_int:g} s can renew it"
            yield Finding(text, each, field, 0, f"vip_lease {3 * math.ceil(each.advert_int)}, on or off")


@rule("long-lease", Severity.WARNING)
def slow_adverts_have_long_leases(root: Root) -> Findings:
    """A dead director keeps its addresses until their life time in the kernel ends, and that must be longer than the time
    between two adverts, which renew it. Since adverts are so rare here, it is long. Write a shorter advert_int, or
    vip_lease to say which life time you accept. keepalived has no life times; its addresses stay for good."""
    for each in root.instances:
        if outgrown(each.vip_lease or defaults(root).vip_lease, each.advert_int):
            length = 3 * math.ceil(each.advert_int)
            text = f"addresses of a dead director stay up to {length} s, since adverts are as rare as each {each.advert_int:g} s"
            yield Finding(text, each, "advert_int")


@rule("preempting-master", Severity.WARNING)
def an_initial_master_preempts(root: Root) -> Findings:
    """state MASTER means to become master, nopreempt not to take over from another: keepalived and lvsd leave nopreempt out.
    Write state BACKUP on every director; the one of the highest priority still becomes the first master."""
    for each in root.instances:
        if each.nopreempt and each.state is InitialState.MASTER:
            yield Finding("nopreempt has no effect with state MASTER", each, "nopreempt", 0, "write state BACKUP")
