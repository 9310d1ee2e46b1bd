"""Rules about strict_mode, in which the protocol goes before the configuration."""

from __future__ import annotations

from collections.abc import Iterator

from lvsd.core.conf.diagnose import Severity
from lvsd.core.conf.rules import Finding
from lvsd.core.root import Root
from lvsd.vrrp.settings import HmacMode, InitialState, VrrpInstance

from .common import OWNER, Findings, defaults, family, owns
from .common import RULES as rule

DOWN_ADVERTS = 3  # RFC 9568 section 6.1


def _strict(root: Root) -> Iterator[VrrpInstance]:
    for each in root.instances:
        if defaults(root).vrrp_strict if each.strict_mode is None else each.strict_mode:
            yield each


@rule("strict-refusal")
def strict_mode_takes_whole_instances_only(root: Root) -> Findings:
    """In strict mode the protocol does not know such an instance: one without addresses, one whose signatures need not be
    there. keepalived refuses it. Give it what it lacks, or write `strict_mode off` in the instance."""
    for each in _strict(root):
        if not each.virtual_ipaddress:
            yield Finding(f"in strict mode vrrp_instance '{each.name}' needs a virtual_ipaddress", each)
        if each.auth_hmac is not None and each.auth_hmac.mode is not HmacMode.ENFORCE:
            yield Finding("in strict mode signatures are enforced", each.auth_hmac, "mode")


@rule("strict-override", Severity.WARNING)
def strict_mode_overrides(root: Root) -> Findings:
    """In strict mode keepalived leaves this keyword out, or takes the value that the protocol names, since RFC 9568 does
    not allow what it asks for. Remove the keyword, or write `strict_mode off` in the instance."""
    for each in _strict(root):
        for field, meaning in _overridden(each):
            yield Finding(f"in strict mode {meaning}", each, field)


def _overridden(instance: VrrpInstance) -> Iterator[tuple[str, str]]:
    """Field, and what holds instead."""
    if instance.unicast_peer:
        yield "unicast_peer", "adverts go to a multicast group where the interface can do that"
    if family(instance) == 6 and instance.version == 2:
        yield "version", "IPv6 has version 3"
    if family(instance) == 6 and instance.virtual_ipaddress and not instance.virtual_ipaddress[0].address.is_link_local:
        yield "virtual_ipaddress", "the first IPv6 address is a link-local one"
    if instance.priority is not None and owns(instance) != (instance.state is InitialState.MASTER):
        yield (
            "state" if instance.state is InitialState.MASTER else "priority",
            f"state MASTER and priority {OWNER} go together",
        )
    if instance.authentication is not None:
        yield "authentication", "there is no authentication by password"
    if instance.preempt_delay:
        yield "preempt_delay", "preempting is not delayed"
    if instance.accept and not owns(instance):
        yield "accept", "only an owner answers packets to its addresses"
    if instance.garp_lower_prio_repeat:
        yield "garp_lower_prio_repeat", "an advert of lower priority causes no GARP"
    if instance.lower_prio_no_advert is False:
        yield "lower_prio_no_advert", "an advert of lower priority is not answered"
    if instance.higher_prio_send_advert:
        yield "higher_prio_send_advert", "nothing is sent before giving way"
    if instance.vmac_xmit_base:
        yield "vmac_xmit_base", "adverts leave from the virtual MAC address"
    if instance.use_vmac is not None and instance.use_vmac.mac:
        yield "use_vmac", "the virtual MAC address is that of the protocol"
    if instance.down_timer_adverts not in (None, DOWN_ADVERTS):
        yield "down_timer_adverts", f"{DOWN_ADVERTS} adverts may be missed"
    if instance.owner_ignore_adverts is False and owns(instance):
        yield "owner_ignore_adverts", "an owner does not listen to adverts"
