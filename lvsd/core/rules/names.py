"""Rules about names: unique, and there where they are named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from lvsd.core.conf.diagnose import suggest
from lvsd.core.conf.rules import Finding
from lvsd.core.conf.types import ByGroup
from lvsd.core.root import Root
from lvsd.core.settings import TrackGroup
from lvsd.vrrp.settings import VrrpSyncGroup

from .common import RULES as rule
from .common import Findings, twice


class Named(Protocol):
    @property
    def name(self) -> str: ...


@rule("duplicate-name")
def names_are_unique(root: Root) -> Findings:
    """Two blocks of the same kind have the same name, so that a name elsewhere could mean either.
    Rename one of them, and what refers to it."""
    kinds: tuple[tuple[str, Sequence[Named]], ...] = (
        ("vrrp_instance", root.instances),
        ("vrrp_sync_group", root.groups),
        ("virtual_server_group", root.virtual_server_groups),
        ("vrrp_script", root.scripts),
        ("track_file", root.files),
        ("vrrp_track_process", root.processes),
        ("bfd_instance", root.bfd_sessions),
        ("track_group", root.track_groups),
        ("arbiter", root.arbiters),
        ("peer", root.peer_link.peers if root.peer_link is not None else ()),
    )
    for kind, named in kinds:
        yield from twice(
            (each.name, Finding(f"a {kind} '{each.name}' stands above already", each, "name")) for each in named
        )


@rule("unknown-instance")
def groups_name_instances(root: Root) -> Findings:
    known = {each.name for each in root.instances}
    groups: tuple[VrrpSyncGroup | TrackGroup, ...] = (*root.groups, *root.track_groups)
    for group in groups:
        for index, member in enumerate(group.group):
            if member not in known:
                text = f"there is no vrrp_instance '{member}'"
                hint = suggest(member, known.difference(group.group))
                yield Finding(text, group, "group", index, hint, missing=("vrrp_instance", member))


@rule("two-groups")
def an_instance_is_in_one_group(root: Root) -> Findings:
    yield from twice(
        (member, Finding(f"'{member}' is a member of a group already", group, "group", index))
        for group in root.groups
        for index, member in enumerate(group.group)
    )


@rule("unknown-group")
def services_name_groups(root: Root) -> Findings:
    known = {each.name for each in root.virtual_server_groups}
    for server in root.virtual_servers:
        if isinstance(server.header, ByGroup) and server.header.name not in known:
            name = server.header.name
            text = f"there is no virtual_server_group '{name}'"
            yield Finding(text, server, "header", 1, suggest(name, known), missing=("virtual_server_group", name))
