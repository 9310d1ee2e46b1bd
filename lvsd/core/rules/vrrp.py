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
    for each in root.instances:
        for index, line in enumerate(each.virtual_ipaddress):
            if line.address.version != family(each):
                text = f"{line.address} is of another family than the instance's first address"
                yield Finding(text, each, "virtual_ipaddress", index, "give it an instance of its own")
        if each.mcast_src_ip is not None and each.mcast_src_ip.version != family(each):
            yield Finding(f"{each.mcast_src_ip} is of another family than the addresses", each, "mcast_src_ip")


@rule("no-address", Severity.WARNING)
def an_instance_has_an_address(root: Root) -> Findings:
    for each in root.instances:
        if not (each.virtual_ipaddress or each.virtual_ipaddress_excluded or each.no_virtual_ipaddress):
            yield Finding(f"vrrp_instance '{each.name}' has no address", each)


@rule("not-multicast", mend=Mend.VALUE)
def groups_are_multicast(root: Root) -> Findings:
    written = defaults(root)
    if root.global_defs is None:
        return
    for field in ("vrrp_mcast_group4", "vrrp_mcast_group6"):
        if not getattr(written, field).is_multicast:
            yield Finding(f"{getattr(written, field)} is no multicast address", written, field)


@rule("no-password")
def passwords_are_given(root: Root) -> Findings:
    for each in root.instances:
        secret = each.authentication
        if secret is not None and secret.auth_type is AuthType.PASS and not secret.auth_pass.text:
            yield Finding("auth_type PASS needs an auth_pass", secret, "auth_type", 0, "write it on a line of its own")


@rule("long-password", Severity.WARNING)
def passwords_fit(root: Root) -> Findings:
    for each in root.instances:
        secret = each.authentication
        if secret is not None and len(secret.auth_pass.text.encode()) > PASSWORD_MOST:
            text = f"the password is longer than {PASSWORD_MOST} bytes, the rest does not count"
            yield Finding(text, secret, "auth_pass")


@rule("authentication-type", mend=Mend.REFUSE)
def authentication_can_be_done(root: Root) -> Findings:
    for each in root.instances:
        if each.authentication is not None and each.authentication.auth_type is AuthType.AH:
            yield Finding("auth_type AH is not supported yet", each.authentication, "auth_type", 0, "use PASS")


@rule("authentication-version", Severity.WARNING)
def authentication_is_of_version_2(root: Root) -> Findings:
    for each in root.instances:
        if each.authentication is not None and version(root, each) == 3:
            yield Finding("VRRP version 3 has no authentication, the block is left out", each.authentication)


@rule("advert-interval", Severity.WARNING)
def intervals_can_be_sent(root: Root) -> Findings:
    for each in root.instances:
        if version(root, each) == 2 and each.advert_int != int(each.advert_int):
            sent = max(1, int(each.advert_int + 0.5))
            yield Finding(f"version 2 counts whole seconds, {sent} s is used", each, "advert_int", 0, "or version 3")
        elif version(root, each) == 3 and each.advert_int > MOST_V3_INTERVAL:
            yield Finding(f"version 3 counts to {MOST_V3_INTERVAL} s, which is used", each, "advert_int")


@rule("lease-too-short", mend=Mend.REFUSE)
def leases_outlast_adverts(root: Root) -> Findings:
    """The kernel ends a life time up to a second late, never early; one advert and a second must fit."""
    for each in root.instances:
        lease = each.vip_lease or defaults(root).vip_lease
        if lease.on and lease.seconds and lease.seconds < each.advert_int + 1:
            field = "vip_lease" if each.vip_lease else "advert_int"
            text = f"a lease of {lease.seconds} s ends before an advert each {each.advert_int:g} s can renew it"
            yield Finding(text, each, field, 0, f"vip_lease {3 * math.ceil(each.advert_int)}, on or off")


@rule("long-lease", Severity.WARNING)
def slow_adverts_have_long_leases(root: Root) -> Findings:
    for each in root.instances:
        if outgrown(each.vip_lease or defaults(root).vip_lease, each.advert_int):
            length = 3 * math.ceil(each.advert_int)
            text = f"addresses of a dead director stay up to {length} s, since adverts are as rare as each {each.advert_int:g} s"
            yield Finding(text, each, "advert_int")


@rule("preempting-master", Severity.WARNING)
def an_initial_master_preempts(root: Root) -> Findings:
    for each in root.instances:
        if each.nopreempt and each.state is InitialState.MASTER:
            yield Finding("nopreempt has no effect with state MASTER", each, "nopreempt", 0, "write state BACKUP")
