"""What of this machine breaks a director, found before it does: sysctls, modules, interfaces, programs, another keepalived.
Reads /proc and /sys; changes nothing."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

from lvsd.check.ipvs.table import Scheduler
from lvsd.check.settings import CheckSettings
from lvsd.core.conf.values import ByGroup, ByMark, Command, Endpoint
from lvsd.core.program import Unrunnable, identity
from lvsd.vrrp.settings import VrrpSettings

_IPV4 = Path("/proc/sys/net/ipv4")
_IPV6 = Path("/proc/sys/net/ipv6")


def running_keepalived() -> int | None:
    """The process id of a keepalived in this network namespace: two masters of one table and one set of addresses are none."""
    here = os.stat("/proc/self/ns/net").st_ino
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if (entry / "comm").read_text().strip() == "keepalived" and os.stat(entry / "ns/net").st_ino == here:
                found.append(int(entry.name))
        except OSError:  # it ended while we looked
            continue
    # Its children bear the same name; the parent is what an operator would stop.
    return min(found, default=None)


def warnings(check: CheckSettings, vrrp: VrrpSettings) -> tuple[str, ...]:
    """What an operator should mend, one sentence each."""
    return (*_of_forwarding(check), *_of_modules(check), *_of_interfaces(vrrp), *_of_programs(check, vrrp))


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _of_forwarding(check: CheckSettings) -> Iterator[str]:
    methods = {
        (server.lvs_method or service.lb_kind).name
        for service in check.virtual_servers
        for server in service.real_servers
    }
    families = {server.endpoint.address.version for service in check.virtual_servers for server in service.real_servers}
    if "NAT" in methods and 4 in families and _read(_IPV4 / "ip_forward") == "0":
        yield "net.ipv4.ip_forward is 0: replies of real servers behind NAT are not forwarded; set it to 1"
    if "NAT" in methods and 6 in families and _read(_IPV6 / "conf/all/forwarding") == "0":
        yield "net.ipv6.conf.all.forwarding is 0: replies of real servers behind NAT are not forwarded; set it to 1"
    if methods & {"NAT", "DR", "TUN"} and 4 in families:
        strict = sorted(
            path.parent.name
            for path in (_IPV4 / "conf").glob("*/rp_filter")
            if path.parent.name != "lo" and _read(path) == "1"
        )
        if strict:
            yield (
                f"rp_filter is 1 on {', '.join(strict)}: packets that arrive on another interface than the reply would take are "
                "dropped without a trace; 2 (loose) is safe for a director"
            )
    if "DR" in methods:
        yield (
            "DR: every real server must hold the service's address on lo with net.ipv4.conf.all.arp_ignore=1 and "
            "arp_announce=2, which a director cannot see from here; without them it answers ARP for the address itself"
        )


def _of_modules(check: CheckSettings) -> Iterator[str]:
    if not check.virtual_servers:
        return
    if not Path("/proc/net/ip_vs").exists() and not _module("ip_vs"):
        yield "the kernel has no IPVS (module ip_vs is neither loaded nor installed): no virtual server can work"
        return
    for scheduler in sorted({service.lb_algo for service in check.virtual_servers}, key=lambda each: each.value):
        name = f"ip_vs_{scheduler.value}"
        if not _module(name) and not _built_in(scheduler):
            yield f"the scheduler {scheduler.value} needs the module {name}, which is neither loaded nor installed"


def _built_in(scheduler: Scheduler) -> bool:
    listing = Path("/lib/modules") / os.uname().release / "modules.builtin"
    return f"/ip_vs_{scheduler.value}.ko" in _read(listing)


def _module(name: str) -> bool:
    if Path("/sys/module", name).exists():
        return True
    folder = Path("/lib/modules") / os.uname().release
    return f"/{name}.ko" in _read(folder / "modules.dep") or f"/{name}.ko" in _read(folder / "modules.builtin")


def _of_interfaces(vrrp: VrrpSettings) -> Iterator[str]:
    present = {name for _, name in socket.if_nameindex()}
    for instance in vrrp.instances:
        wanted = {instance.interface, *(tracked.name for tracked in instance.track_interface)}
        wanted |= {line.dev for line in (*instance.virtual_ipaddress, *instance.virtual_ipaddress_excluded) if line.dev}
        for name in sorted(wanted - present):
            yield f"vrrp_instance {instance.name}: there is no interface {name} yet; the instance is in fault until it appears"


def _of_programs(check: CheckSettings, vrrp: VrrpSettings) -> Iterator[str]:
    default = check.globals.script_user
    user, group = (default.user, default.group) if default else ("", "")
    for where, command in _commands(check, vrrp):
        program = command.argv[0]
        if shutil.which(program) is None:
            what = "is not executable" if os.path.exists(program) else "does not exist"
            yield f"{where}: {program} {what}"
        try:
            identity(command.user or user, command.group or group)
        except Unrunnable as error:
            yield f"{where}: {program} cannot be run: {error}"


def _commands(check: CheckSettings, vrrp: VrrpSettings) -> Iterator[tuple[str, Command]]:
    notifies = ("notify_master", "notify_backup", "notify_fault", "notify_stop", "notify")
    for kind, blocks in (("vrrp_instance", vrrp.instances), ("vrrp_sync_group", vrrp.groups)):
        for block in blocks:
            yield from _named(f"{kind} {block.name}", block, notifies)
    for service in check.virtual_servers:
        where = f"virtual_server {_header(service.header)}"
        yield from _named(where, service, ("quorum_up", "quorum_down"))
        for server in service.real_servers:
            yield from _named(f"{where}, real_server {server.endpoint.address}", server, ("notify_up", "notify_down"))


def _header(header: Endpoint | ByMark | ByGroup) -> str:
    match header:
        case ByMark(mark):
            return f"fwmark {mark}"
        case ByGroup(name):
            return f"group {name}"
        case Endpoint(address, port):
            return f"{address} {port}"


def _named(where: str, block: object, keywords: tuple[str, ...]) -> Iterator[tuple[str, Command]]:
    for keyword in keywords:
        command = getattr(block, keyword)
        if command is not None:
            yield f"{where}, {keyword}", command
