"""The rules of ARCHITECTURE.md that matter, read off the tree: who may import what, and who may do what."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "lvsd"

PURE = [
    "core/supervisor.py",
    "core/config.py",
    "core/root.py",
    "core/rules/*.py",
    "core/settings.py",
    "core/usage.py",
    "core/conf/*.py",
    "core/conf/*/*.py",
    "core/ipc/messages.py",
    "core/ipc/hub.py",
    "core/netlink/codec.py",
    "core/netlink/route.py",
    "core/notify/events.py",
    "admin/api.py",
    "admin/metrics.py",
    "admin/openapi.py",
    "admin/recent.py",
    "admin/text.py",
    "check/settings.py",
    "check/probe.py",
    "check/inherit.py",
    "check/farm.py",
    "check/health.py",
    "check/service.py",
    "check/override.py",
    "check/http1.py",
    "check/ownership.py",
    "check/report.py",
    "check/desired.py",
    "check/ipvs/table.py",
    "check/ipvs/plan.py",
    "check/ipvs/wire.py",
    "vrrp/settings.py",
    "vrrp/types.py",
    "vrrp/resolve.py",
    "vrrp/instance.py",
    "vrrp/group.py",
    "vrrp/orders.py",
    "vrrp/track.py",
    "vrrp/router.py",
    "vrrp/wire/*.py",
]
# What does I/O, waits, or gives another answer each time. Constants and address arithmetic of `socket` are no I/O.
IMPURE = {
    "asyncio",
    "os",
    "time",
    "random",
    "logging",
    "subprocess",
    "threading",
    "signal",
    "select",
    "pyroute2",
    "scapy",
    "aiohttp",
}
SOCKET_CONSTANTS = ("AF_", "IPPROTO_", "inet_")
PURE_ALL_THE_SAME = {"os.strerror"}  # a table of words
PROGRAM_STARTERS = {"core/program.py", "core/process.py", "cli.py"}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> set[str]:
    """Absolute names that a file imports at run time, each `from m import n` as m.n."""
    tree = ast.parse(path.read_text())
    checking_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in checking_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            found |= {f"{source}.{alias.name}" for alias in node.names}
    return found


def files(*patterns: str) -> list[Path]:
    return sorted({path for pattern in patterns for path in PACKAGE.glob(pattern)})


@pytest.mark.parametrize("path", files(*PURE), ids=module_name)
def test_a_pure_room_does_no_io_and_reads_no_clock(path: Path) -> None:
    forbidden = {name for name in imports(path) - PURE_ALL_THE_SAME if name.split(".")[0] in IMPURE}
    forbidden |= {
        name
        for name in imports(path)
        if name.split(".")[0] == "socket" and not name.removeprefix("socket.").startswith(SOCKET_CONSTANTS)
    }
    assert not forbidden


@pytest.mark.parametrize("pattern", PURE)
def test_the_list_of_pure_rooms_names_files_that_exist(pattern: str) -> None:
    assert files(pattern) or pattern == "core/conf/*/*.py"


def test_check_and_vrrp_never_import_each_other() -> None:
    for path in files("check/**/*.py"):
        assert not any(name.startswith("lvsd.vrrp") for name in imports(path)), path
    for path in files("vrrp/**/*.py"):
        assert not any(name.startswith("lvsd.check") for name in imports(path)), path


def test_core_imports_only_the_settings_of_the_others() -> None:
    """main.py starts the children, each in its own process after the fork."""
    allowed = ("lvsd.check.settings", "lvsd.vrrp.settings", "lvsd.check.probe", "lvsd.check.ipvs.table")
    for path in files("core/**/*.py"):
        if path.name == "main.py":
            continue
        strange = {
            name
            for name in imports(path)
            if name.startswith(("lvsd.check", "lvsd.vrrp", "lvsd.admin")) and not name.startswith(allowed)
        }
        assert not strange, path


def test_the_language_knows_no_keyword() -> None:
    for path in files("core/conf/**/*.py"):
        strange = {name for name in imports(path) if name.startswith("lvsd.") and not name.startswith("lvsd.core.conf")}
        if path.name == "derive.py":  # its `main` writes the reference of the root block
            strange = {name for name in strange if not name.startswith("lvsd.core.root")}
        assert not strange, path


def test_programs_are_started_in_one_place() -> None:
    starters = {
        str(path.relative_to(PACKAGE))
        for path in files("**/*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr
        in {"fork", "Popen", "posix_spawn", "create_subprocess_exec", "create_subprocess_shell", "execvp", "execv"}
    }
    assert starters <= PROGRAM_STARTERS


@pytest.mark.parametrize(
    ("room", "foreign"),
    [
        ("lvsd.vrrp.main", {"lark", "aiohttp", "jinja2", "scapy", "pyroute2", "lvsd.check", "lvsd.admin"}),
        ("lvsd.check.main", {"lark", "aiohttp", "jinja2", "scapy", "pyroute2", "lvsd.vrrp", "lvsd.admin"}),
        ("lvsd.core.main", {"lark", "aiohttp", "jinja2", "scapy", "pyroute2", "lvsd.check.main", "lvsd.vrrp.main"}),
    ],
)
def test_a_process_loads_only_what_it_needs(room: str, foreign: set[str]) -> None:
    listing = subprocess.run(
        [sys.executable, "-c", f"import {room}, sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not [name for name in listing if any(name == bad or name.startswith(bad + ".") for bad in foreign)]


@pytest.mark.parametrize(
    "path", [p for p in files(*PURE) if p.name not in ("__init__.py", "settings.py", "types.py")], ids=module_name
)
def test_each_pure_room_has_a_test_file_of_its_own(path: Path) -> None:
    declarations_only = {"root.py", "messages.py", "events.py", "table.py", "probe.py"}
    if path.name in declarations_only:
        return
    relative = path.relative_to(PACKAGE)
    assert (ROOT / "tests" / "unit" / relative.parent / f"test_{relative.name}").is_file()
