"""Rules about names: unique, there where they are named, and named where they are there."""

from __future__ import annotations

from lvsd.check.settings import VirtualServerGroup
from lvsd.core.conf.diagnose import Severity, suggest
from lvsd.core.conf.rules import Finding, Mend
from lvsd.core.conf.types import ByGroup
from lvsd.core.root import Root
from lvsd.vrrp.settings import VrrpInstance, VrrpSyncGroup

from .common import RULES as rule
from .common import Findings, twice


@rule("duplicate-name")
def names_are_unique(root: Root) -> Findings:
    """Two blocks of one kind have the same name, so nothing can tell which of them a reference means.
    keepalived takes one of them and drops or mixes the other. Give each a name of its own, or delete the copy."""
    kinds: tuple[tuple[str, tuple[VrrpInstance | VrrpSyncGroup | VirtualServerGroup, ...]], ...] = (
        ("vrrp_instance", root.instances),
        ("vrrp_sync_group", root.groups),
        ("virtual_server_group", root.virtual_server_groups),
    )
    for kind, named in kinds:
        yield from twice(
            (each.name, Finding(f"a {kind} '{each.name}' stands above already", each, "name")) for each in named
        )


@rule("unknown-instance", mend=Mend.VALUE)
def groups_name_instances(root: Root) -> Findings:
    """A vrrp_sync_group names an instance that does not exist, so this member would never move with the others.
    keepalived drops the member and goes on. Correct the name, or write the vrrp_instance."""
    known = {each.name for each in root.instances}
    for group in root.groups:
        for index, member in enumerate(group.group):
            if member not in known:
                text = f"there is no vrrp_instance '{member}'"
                hint = suggest(member, known.difference(group.group))
                yield Finding(text, group, "group", index, hint, missing=("vrrp_instance", member))


@rule("two-groups", mend=Mend.VALUE)
def an_instance_is_in_one_group(root: Root) -> Findings:
    """An instance is a member of two groups, or twice of one; it can move with one group only.
    Name it once. Where two groups share an instance, they are one group: write all members in it."""
    yield from twice(
        (member, Finding(f"'{member}' is a member of a group already", group, "group", index))
        for group in root.groups
        for index, member in enumerate(group.group)
    )


@rule("unknown-group")
def services_name_groups(root: Root) -> Findings:
    """A `virtual_server group NAME` names a virtual_server_group that does not exist, so the service has no address.
    keepalived drops the whole service. Correct the name, or write the virtual_server_group."""
    known = {each.name for each in root.virtual_server_groups}
    for server in root.virtual_servers:
        if isinstance(server.header, ByGroup) and server.header.name not in known:
            name = server.header.name
            text = f"there is no virtual_server_group '{name}'"
            yield Finding(text, server, "header", 1, suggest(name, known), missing=("virtual_server_group", name))


@rule("unused-group", Severity.WARNING)
def groups_are_used(root: Root) -> Findings:
    """No virtual_server uses this virtual_server_group, so its addresses and marks are not served.
    keepalived says nothing. Write `virtual_server group NAME`, or delete the group."""
    used = {each.header.name for each in root.virtual_servers if isinstance(each.header, ByGroup)}
    for group in root.virtual_server_groups:
        if group.name not in used:
            hint = f"write virtual_server group {group.name}"
            text = f"no virtual_server uses the group '{group.name}'"
            # One that has mistakes of its own may be the one that uses it.
            yield Finding(text, group, "name", 0, hint, missing=("virtual_server", "group"))
