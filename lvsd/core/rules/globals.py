"""Rules about the whole daemon: namespaces, groups of interfaces, connection sync."""

from __future__ import annotations

from lvsd.core.conf.diagnose import Severity, suggest
from lvsd.core.conf.rules import Finding, Mend
from lvsd.core.root import Root

from .common import RULES as rule
from .common import Findings, defaults, twice


@rule("namespace-alone", Severity.WARNING)
def namespace_settings_need_a_namespace(root: Root) -> Findings:
    """net_namespace_ipvs without a name means the host's own namespace, and namespace_with_ipsets is about sets in a namespace.
    Without net_namespace the daemon runs in the host's namespace already. Leave the keyword out, or name a net_namespace."""
    if root.net_namespace:
        return
    if root.net_namespace_ipvs == "":
        yield Finding("the daemon has no net_namespace, IPVS is in the host's already", root, "net_namespace_ipvs")
    if root.namespace_with_ipsets:
        yield Finding("there is no net_namespace that could have sets", root, "namespace_with_ipsets")


@rule("two-garp-groups", mend=Mend.VALUE)
def an_interface_is_in_one_garp_group(root: Root) -> Findings:
    """An interface stands in two garp_groups, or in one twice. A group says how fast its interfaces may announce addresses
    together, so that one interface cannot follow two. Remove it from all but one."""
    yield from twice(
        (name, Finding(f"{name} is in a garp_group already", group, field, index))
        for group in root.garp_groups
        for field in ("interface", "interfaces")
        for index, name in enumerate(getattr(group, field))
    )


@rule("empty-garp-group", Severity.WARNING)
def garp_groups_have_a_pace_and_interfaces(root: Root) -> Findings:
    """A garp_group without interfaces, or without garp_interval and gna_interval, slows nothing down.
    Write what is missing, or remove the group."""
    for each in root.garp_groups:
        if not each.interface and not each.interfaces:
            yield Finding("this garp_group has no interface", each)
        elif each.garp_interval is None and each.gna_interval is None:
            yield Finding("this garp_group has neither garp_interval nor gna_interval", each)


@rule("unknown-sync-instance", mend=Mend.VALUE)
def the_sync_daemon_follows_an_instance(root: Root) -> Findings:
    """lvs_sync_daemon names a vrrp_instance that does not exist. IPVS would never know whether to send or to receive
    connections. Correct the name, or leave it out."""
    written = defaults(root).lvs_sync_daemon
    known = {each.name for each in root.instances}
    if written is not None and written.instance and written.instance not in known:
        name = written.instance
        text = f"there is no vrrp_instance '{name}'"
        missing = ("vrrp_instance", name)
        yield Finding(text, defaults(root), "lvs_sync_daemon", 0, suggest(name, known), missing)


@rule("two-delays", Severity.WARNING)
def an_interface_has_one_delay(root: Root) -> Findings:
    """An interface stands twice in interface_up_down_delays or in linkbeat_interfaces. The last line counts.
    Remove the others."""
    for field in ("interface_up_down_delays", "linkbeat_interfaces"):
        yield from twice(
            (line.interface, Finding(f"{line.interface} stands above already", root, field, index))
            for index, line in enumerate(getattr(root, field))
        )
