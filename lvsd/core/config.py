"""The root block: which blocks stand at the outermost level, and `load`, from files to a Config or to diagnostics.
Reads nothing itself; files come through the callables that `load` is given."""

from __future__ import annotations

import gc
import math
import posixpath
from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from lvsd.check.ipvs.table import Protocol, Scheduler
from lvsd.check.probe import ConnectingCheck
from lvsd.check.settings import CheckSettings, RealServer, VirtualServer, VirtualServerGroup
from lvsd.vrrp.settings import AuthType, InitialState, VrrpInstance, VrrpSettings, VrrpSyncGroup

from .conf.bind import Binder
from .conf.diagnose import Diagnostic, Place, Report, Severity, suggest
from .conf.expand import Expander, Glob, Read
from .conf.keyword import block, blocks, empty, secrets, sub
from .conf.rules import Finding, Rules
from .conf.syntax import parse
from .conf.types import ByGroup, ByMark, Endpoint, Lease
from .settings import GlobalDefs
from .unobeyed import INDISPENSABLE, UNOBEYED

DROP_INS = "lvsd.d/*.conf"
DERIVED_LEASE_MOST = 10  # seconds; what `vip_lease on` comes to at most
PASSWORD_MOST = 8  # bytes of the packet's field
MOST_V3_INTERVAL = 40.95  # seconds; twelve bits of centiseconds


@block("", "The outermost level of the configuration.")
class Root:
    global_defs: GlobalDefs | None = sub(GlobalDefs, "Settings of the whole daemon; several blocks are read as one.")
    instances: tuple[VrrpInstance, ...] = blocks(VrrpInstance, doc="Virtual routers.")
    groups: tuple[VrrpSyncGroup, ...] = blocks(VrrpSyncGroup, doc="Groups of virtual routers.")
    virtual_servers: tuple[VirtualServer, ...] = blocks(VirtualServer, doc="Virtual services.")
    virtual_server_groups: tuple[VirtualServerGroup, ...] = blocks(
        VirtualServerGroup, doc="Groups of addresses and marks."
    )


rule: Rules[Root] = Rules()
Findings = Iterator[Finding]


def _outgrown(lease: Lease, advert_int: float) -> bool:
    """Whether a derived life time, as it stands, would leave no room for one lost renewal."""
    return lease.on and not lease.seconds and 2 * advert_int + 1 > DERIVED_LEASE_MOST


def _defaults(root: Root) -> GlobalDefs:
    return root.global_defs or empty(GlobalDefs)


def _family(instance: VrrpInstance) -> int:
    named = instance.virtual_ipaddress + instance.virtual_ipaddress_excluded
    return named[0].address.version if named else 4


def _version(root: Root, instance: VrrpInstance) -> int:
    return 3 if _family(instance) == 6 else instance.version or _defaults(root).vrrp_version


def _twice(keyed: Iterable[tuple[Hashable, Finding]]) -> Findings:
    """The findings whose key has been seen before."""
    seen: set[Hashable] = set()
    for key, finding in keyed:
        if key in seen:
            yield finding
        seen.add(key)


# --- names


@rule("duplicate-name")
def names_are_unique(root: Root) -> Findings:
    kinds: tuple[tuple[str, tuple[VrrpInstance | VrrpSyncGroup | VirtualServerGroup, ...]], ...] = (
        ("vrrp_instance", root.instances),
        ("vrrp_sync_group", root.groups),
        ("virtual_server_group", root.virtual_server_groups),
    )
    for kind, named in kinds:
        yield from _twice(
            (each.name, Finding(f"a {kind} '{each.name}' stands above already", each, "name")) for each in named
        )


@rule("unknown-instance")
def groups_name_instances(root: Root) -> Findings:
    known = {each.name for each in root.instances}
    for group in root.groups:
        for index, member in enumerate(group.group):
            if member not in known:
                text = f"there is no vrrp_instance '{member}'"
                hint = suggest(member, known.difference(group.group))
                yield Finding(text, group, "group", index, hint, missing=("vrrp_instance", member))


@rule("two-groups")
def an_instance_is_in_one_group(root: Root) -> Findings:
    yield from _twice(
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


# --- VRRP


@rule("duplicate-vrid")
def a_vrid_is_unique_on_its_link(root: Root) -> Findings:
    yield from _twice(
        (
            (each.interface, _family(each), each.virtual_router_id),
            Finding(
                f"virtual_router_id {each.virtual_router_id} is taken on {each.interface} (IPv{_family(each)}) already",
                each,
                "virtual_router_id",
            ),
        )
        for each in root.instances
    )


@rule("duplicate-address")
def an_address_stands_once(root: Root) -> Findings:
    yield from _twice(
        (
            (line.address, line.dev or each.interface),
            Finding(f"{line.address} stands above already", each, field, index),
        )
        for each in root.instances
        for field in ("virtual_ipaddress", "virtual_ipaddress_excluded")
        for index, line in enumerate(getattr(each, field))
    )


@rule("mixed-families")
def an_instance_has_one_family(root: Root) -> Findings:
    for each in root.instances:
        for index, line in enumerate(each.virtual_ipaddress):
            if line.address.version != _family(each):
                text = f"{line.address} is of another family than the instance's first address"
                yield Finding(text, each, "virtual_ipaddress", index, "give it an instance of its own")
        if each.mcast_src_ip is not None and each.mcast_src_ip.version != _family(each):
            yield Finding(f"{each.mcast_src_ip} is of another family than the addresses", each, "mcast_src_ip")


@rule("no-address", Severity.WARNING)
def an_instance_has_an_address(root: Root) -> Findings:
    for each in root.instances:
        if not each.virtual_ipaddress and not each.virtual_ipaddress_excluded:
            yield Finding(f"vrrp_instance '{each.name}' has no address", each)


@rule("not-multicast")
def groups_are_multicast(root: Root) -> Findings:
    defaults = _defaults(root)
    if root.global_defs is None:
        return
    for field in ("vrrp_mcast_group4", "vrrp_mcast_group6"):
        if not getattr(defaults, field).is_multicast:
            yield Finding(f"{getattr(defaults, field)} is no multicast address", defaults, field)


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


@rule("authentication-type")
def authentication_can_be_done(root: Root) -> Findings:
    for each in root.instances:
        if each.authentication is not None and each.authentication.auth_type is AuthType.AH:
            yield Finding("auth_type AH is not supported yet", each.authentication, "auth_type", 0, "use PASS")


@rule("authentication-version", Severity.WARNING)
def authentication_is_of_version_2(root: Root) -> Findings:
    for each in root.instances:
        if each.authentication is not None and _version(root, each) == 3:
            yield Finding("VRRP version 3 has no authentication, the block is left out", each.authentication)


@rule("advert-interval", Severity.WARNING)
def intervals_can_be_sent(root: Root) -> Findings:
    for each in root.instances:
        if _version(root, each) == 2 and each.advert_int != int(each.advert_int):
            sent = max(1, int(each.advert_int + 0.5))
            yield Finding(f"version 2 counts whole seconds, {sent} s is used", each, "advert_int", 0, "or version 3")
        elif _version(root, each) == 3 and each.advert_int > MOST_V3_INTERVAL:
            yield Finding(f"version 3 counts to {MOST_V3_INTERVAL} s, which is used", each, "advert_int")


@rule("lease-too-short")
def leases_outlast_adverts(root: Root) -> Findings:
    """The kernel ends a life time up to a second late, never early; one advert and a second must fit."""
    for each in root.instances:
        lease = each.vip_lease or _defaults(root).vip_lease
        if lease.on and lease.seconds and lease.seconds < each.advert_int + 1:
            field = "vip_lease" if each.vip_lease else "advert_int"
            text = f"a lease of {lease.seconds} s ends before an advert each {each.advert_int:g} s can renew it"
            yield Finding(text, each, field, 0, f"vip_lease {3 * math.ceil(each.advert_int)}, on or off")


@rule("long-lease", Severity.WARNING)
def slow_adverts_have_long_leases(root: Root) -> Findings:
    for each in root.instances:
        if _outgrown(each.vip_lease or _defaults(root).vip_lease, each.advert_int):
            length = 3 * math.ceil(each.advert_int)
            text = f"addresses of a dead director stay up to {length} s, since adverts are as rare as each {each.advert_int:g} s"
            yield Finding(text, each, "advert_int")


@rule("preempting-master", Severity.WARNING)
def an_initial_master_preempts(root: Root) -> Findings:
    for each in root.instances:
        if each.nopreempt and each.state is InitialState.MASTER:
            yield Finding("nopreempt has no effect with state MASTER", each, "nopreempt", 0, "write state BACKUP")


# --- services


def _name(server: VirtualServer) -> str:
    header = server.header
    if isinstance(header, ByMark):
        return f"fwmark {header.mark}"
    return f"group {header.name}" if isinstance(header, ByGroup) else f"{header.address} {header.port}"


@rule("duplicate-service")
def a_service_stands_once(root: Root) -> Findings:
    def key(server: VirtualServer) -> Hashable:
        if isinstance(server.header, ByMark):
            return server.header, server.ip_family or _server_family(server)
        return server.header, server.protocol

    yield from _twice(
        (key(each), Finding(f"the service {_name(each)} stands above already", each, "header"))
        for each in root.virtual_servers
    )


@rule("duplicate-server")
def a_server_stands_once_in_a_service(root: Root) -> Findings:
    for server in root.virtual_servers:
        yield from _twice(
            (
                each.endpoint,
                Finding(f"{each.endpoint.address} {each.endpoint.port} stands above already", each, "endpoint"),
            )
            for each in server.real_servers
        )


@rule("no-server", Severity.WARNING)
def a_service_has_servers(root: Root) -> Findings:
    for each in root.virtual_servers:
        if not each.real_servers:
            yield Finding(f"the service {_name(each)} has no real_server and is left out", each)


def _server_family(server: VirtualServer) -> int | None:
    return next((each.endpoint.address.version for each in server.real_servers), None)


@rule("server-family")
def servers_are_of_the_services_family(root: Root) -> Findings:
    """Only tunnels carry one family in the other."""
    for server in root.virtual_servers:
        family = server.header.address.version if isinstance(server.header, Endpoint) else _server_family(server)
        for each in server.real_servers:
            method = each.lvs_method or server.lb_kind
            if each.endpoint.address.version != family and method.name != "TUN":
                text = (
                    f"{each.endpoint.address} is of another family than the service, which {method.name} cannot bridge"
                )
                yield Finding(text, each, "endpoint")
        sorry, method = server.sorry_server, server.sorry_server_lvs_method or server.lb_kind
        if sorry is not None and sorry.address.version != family and method.name != "TUN":
            yield Finding(f"{sorry.address} is of another family than the service", server, "sorry_server")


@rule("check-without-port")
def checks_have_a_port(root: Root) -> Findings:
    for server in root.virtual_servers:
        if not isinstance(server.header, Endpoint) or not server.header.port:
            for each in server.real_servers:
                yield from _portless(each)


def _portless(server: RealServer) -> Findings:
    if not server.endpoint.port:
        for check in server.checks:
            if isinstance(check, ConnectingCheck) and check.connect_port is None:
                yield Finding("this check has no port to connect to", check, "", 0, "write connect_port")


@rule("quorum-out-of-reach", Severity.WARNING)
def a_quorum_can_be_reached(root: Root) -> Findings:
    for server in root.virtual_servers:
        total = sum(server.weight if each.weight is None else each.weight for each in server.real_servers)
        if server.real_servers and server.quorum > max(1, total):
            text = f"the servers' weights come to {total}, which is used in place of {server.quorum}"
            yield Finding(text, server, "quorum")
        elif server.hysteresis >= server.quorum:
            yield Finding(f"the hysteresis must be below the quorum, {server.quorum - 1} is used", server, "hysteresis")


@rule("made-persistent", Severity.WARNING)
def every_port_needs_persistence(root: Root) -> Findings:
    for each in root.virtual_servers:
        header = each.header
        if isinstance(header, Endpoint) and not header.port and not each.persistence_timeout:
            yield Finding("a service on every port must be persistent, 360 s is used", each, "header")


@rule("port-of-server", Severity.WARNING)
def only_nat_changes_ports(root: Root) -> Findings:
    for server in root.virtual_servers:
        if not isinstance(server.header, Endpoint) or not server.header.port:
            continue
        for each in server.real_servers:
            method = each.lvs_method or server.lb_kind
            if method.name != "NAT" and each.endpoint.port not in (0, server.header.port):
                text = f"{method.name} does not change the port, {server.header.port} is used"
                yield Finding(text, each, "endpoint")


@rule("granularity")
def granularity_fits_the_family(root: Root) -> Findings:
    for each in root.virtual_servers:
        header, width = each.header, each.persistence_granularity
        if width is not None and isinstance(header, Endpoint) and width > header.address.max_prefixlen:
            yield Finding(f"/{width} is longer than an IPv4 address", each, "persistence_granularity")


@rule("one-packet", Severity.WARNING)
def one_packet_scheduling_is_for_datagrams(root: Root) -> Findings:
    for each in root.virtual_servers:
        if each.ops and each.protocol is not Protocol.UDP and isinstance(each.header, Endpoint):
            yield Finding("ops acts on UDP only", each, "ops")


@rule("scheduler-flag", Severity.WARNING)
def flags_fit_the_scheduler(root: Root) -> Findings:
    flags = (
        ("sh_port", Scheduler.SH),
        ("sh_fallback", Scheduler.SH),
        ("mh_port", Scheduler.MH),
        ("mh_fallback", Scheduler.MH),
    )
    for each in root.virtual_servers:
        for field, scheduler in flags:
            if getattr(each, field) and each.lb_algo is not scheduler:
                text = f"{field.replace('_', '-')} acts with lb_algo {scheduler.value} only"
                yield Finding(text, each, field)


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration without an error in it, as it was written; what is inherited is worked out by each process."""

    root: Root
    globals: GlobalDefs

    def check_part(self) -> CheckSettings:
        return CheckSettings(self.globals, self.root.virtual_servers, self.root.virtual_server_groups)

    def vrrp_part(self) -> VrrpSettings:
        return VrrpSettings(self.globals, tuple(map(self._covered, self.root.instances)), self.root.groups)

    def _covered(self, instance: VrrpInstance) -> VrrpInstance:
        """A life time that `on` would make too short for slow adverts is lengthened, else the addresses would come and go."""
        written = instance.vip_lease or self.globals.vip_lease
        if not _outgrown(written, instance.advert_int):
            return instance
        return replace(instance, vip_lease=Lease(True, 3 * math.ceil(instance.advert_int)))


@dataclass(frozen=True, slots=True)
class Loaded:
    """config is None exactly if one of the diagnostics is an error. files: every file read, in order."""

    config: Config | None
    diagnostics: tuple[Diagnostic, ...]
    files: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(each for each in self.diagnostics if each.severity is Severity.ERROR)


def load(path: str, read: Read, *, glob: Glob | None = None, config_id: str = "", drop_ins: bool = True) -> Loaded:
    """The configuration in `path`, its includes and, with a glob, the files of lvsd.d beside it, in the order of their names.

    read: a file's bytes, raises OSError. glob: the files that a shell pattern matches. config_id: what `@ID` lines are
    compared with. All that is wrong is in the diagnostics; nothing is raised."""
    report = Report(secrets(Root))
    expander = Expander(read, glob, config_id, report)
    more: list[str] = []
    if drop_ins and glob is not None:
        more = sorted(glob(posixpath.join(posixpath.dirname(path), DROP_INS)))
    config = None
    with _collector_paused():
        try:
            statements = parse(path, more, expander, report)
        except OSError as error:
            report.error("cannot-read", f"cannot be read: {error.strerror or error}", Place(path))
            return Loaded(None, report.sorted([path]))
        binder = Binder(Root, report, UNOBEYED, INDISPENSABLE)
        root: Root = binder.bind(statements, Place(path))
        rule.apply(root, binder, report)
    if not report.errors:
        config = Config(root, _defaults(root))
    return Loaded(config, report.sorted(expander.files), tuple(expander.files))


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Nothing of a configuration is garbage before it is read to its end; looking for some costs a fifth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
