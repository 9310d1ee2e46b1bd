"""The root block: which blocks stand at the outermost level. Nothing but declarations."""

from __future__ import annotations

from lvsd.check.settings import VirtualServer, VirtualServerGroup
from lvsd.vrrp.settings import VrrpInstance, VrrpSyncGroup

from .conf.keyword import block, blocks, sub
from .settings import GlobalDefs


@block("", "The outermost level of the configuration.")
class Root:
    global_defs: GlobalDefs | None = sub(GlobalDefs, "Settings of the whole daemon; several blocks are read as one.")
    instances: tuple[VrrpInstance, ...] = blocks(VrrpInstance, doc="Virtual routers.")
    groups: tuple[VrrpSyncGroup, ...] = blocks(VrrpSyncGroup, doc="Groups of virtual routers.")
    virtual_servers: tuple[VirtualServer, ...] = blocks(VirtualServer, doc="Virtual services.")
    virtual_server_groups: tuple[VirtualServerGroup, ...] = blocks(
        VirtualServerGroup, doc="Groups of addresses and marks."
    )
