"""Runs a command on a kernel that has IPVS: Debian's user-mode-linux, booted on this machine's own files, or fresh namespaces
where the host's kernel has IPVS itself.

    python -m tests.lab.kernel_boot [--timeout SECONDS] COMMAND [ARGUMENT]...
"""

from __future__ import annotations

import argparse
import compileall
import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent.parent
UML = "linux.uml"
MODULES = (
    "ipv6 ip_vs ip_vs_rr ip_vs_wrr ip_vs_lc ip_vs_wlc ip_vs_sh ip_vs_mh ip_vs_sed ip_vs_nq ip_vs_dh ip_vs_fo ip_vs_ovf "
    "ip_vs_lblc ip_vs_lblcr veth dummy bridge macvlan ipip sch_netem iptable_filter iptable_nat xt_tcpudp xt_conntrack"
)
KILL_AFTER = 5.0


class NoLab(Exception):
    """This machine can run no kernel with IPVS; the text says what is missing."""


def host_has_ipvs() -> bool:
    """Loads the module where the host's kernel has one."""
    if Path("/proc/net/ip_vs").exists():
        return True
    modprobe = shutil.which("modprobe") or "/sbin/modprobe"
    try:
        tried = subprocess.run([modprobe, "-q", "ip_vs"], capture_output=True, check=False)
    except OSError:
        return False
    return tried.returncode == 0 and Path("/proc/net/ip_vs").exists()


def _common(command: Sequence[str], environment: Mapping[str, str], status: Path) -> str:
    exports = "\n".join(f"export {name}={shlex.quote(value)}" for name, value in environment.items())
    return f"""
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
unset NOTIFY_SOCKET
{exports}
mount -t tmpfs tmpfs /run
mkdir -p /run/netns /run/lock
mount -t tmpfs tmpfs /var/lib/nginx 2>/dev/null
ip link set lo up
cd {shlex.quote(str(ROOT))}
{shlex.join(command)}
echo $? >{shlex.quote(str(status))}
"""


def _uml_script(command: Sequence[str], environment: Mapping[str, str], status: Path) -> str:
    return f"""#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
mkdir -p /dev/pts /dev/shm
ln -sf /proc/self/fd /dev/fd
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount --bind /usr/lib/uml/modules /lib/modules
/sbin/modprobe -q -a {MODULES}
hostname lab
{_common(command, environment, status)}
/sbin/halt -f 2>/dev/null || echo o >/proc/sysrq-trigger
"""


def _namespace_script(command: Sequence[str], environment: Mapping[str, str], status: Path) -> str:
    return f"""#!/bin/sh
modprobe -q -a {MODULES}
mount --make-rprivate /
mount -t sysfs sysfs /sys
{_common(command, environment, status)}
"""


class LabKernel:
    """A running kernel with one command in it. Its output goes to `output`, a file or a pipe, while it runs."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        output: IO[bytes] | int | None = None,
        terminal: int | None = None,
        memory: int = 768,
    ) -> None:
        """terminal: what the command reads, nothing by default. memory: MiB, of a lab kernel. Raises NoLab."""
        if os.geteuid() != 0:
            raise NoLab("the lab needs root: namespaces, addresses and IPVS")
        # Inside nothing is written to the tree, and without its bytecode every start of a daemon would compile it again.
        for package in ("lvsd", "tests/lab"):
            compileall.compile_dir(ROOT / package, quiet=2)
        self._folder = Path(tempfile.mkdtemp(prefix="lvsd-lab-"))
        self._status = self._folder / "status"
        script = self._folder / "init.sh"
        passed = {name: value for name, value in os.environ.items() if name.startswith("LVSD_LAB_")}
        inside = {"LVSD_LAB": "1", **passed, **(environment or {})}
        if host_has_ipvs():
            script.write_text(_namespace_script(command, inside, self._status))
            start = [
                "unshare",
                "--net",
                "--mount",
                "--pid",
                "--fork",
                "--mount-proc",
                "--kill-child",
                "sh",
                str(script),
            ]
        else:
            if shutil.which(UML) is None:
                shutil.rmtree(self._folder, ignore_errors=True)
                raise NoLab(f"this kernel has no IPVS and {UML} is not installed: run `sh tests/lab/install`")
            # The mount point for the lab kernel's modules must exist on the host's file system.
            Path("/lib/modules").mkdir(exist_ok=True)
            script.write_text(_uml_script(command, inside, self._status))
            start = [
                UML,
                "rootfstype=hostfs",
                "rootflags=/",
                "rw",
                f"mem={memory}M",
                f"init={script}",
                f"uml_dir={self._folder}/",
                f"umid={self._folder.name}",
                "con=null",
                "con0=fd:0,fd:1",
                "quiet",
                "loglevel=0",
            ]
        script.chmod(0o755)
        self._terminal = terminal
        self._settings = termios.tcgetattr(terminal) if terminal is not None else None
        # Whoever started the lab and is killed takes it along; nothing else would ever end it.
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *start],
            stdin=subprocess.DEVNULL if terminal is None else terminal,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A session of its own would take the terminal away.
            start_new_session=terminal is None,
        )

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait(self, timeout: float | None) -> int:
        """The command's exit status; `timeout` in seconds, None waits for ever.

        Raises TimeoutError, and NoLab where the kernel itself died."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"the lab did not end within {timeout:g} s") from None
        try:
            return int(self._status.read_text())
        except (OSError, ValueError):
            raise NoLab("the lab kernel ended before its command did") from None

    def close(self) -> None:
        """Ends whatever still runs, reaps it and removes its files."""
        # A kernel in user space is a family of processes in the session that was made for it.
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is None:
                self._signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(KILL_AFTER)
        if self._terminal is None:
            self._signal(signal.SIGKILL)
        elif self._settings is not None:
            # A lab kernel leaves its console raw.
            termios.tcsetattr(self._terminal, termios.TCSADRAIN, self._settings)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self._terminal is None:
                os.killpg(self._process.pid, number)
            else:
                self._process.send_signal(number)

    def __enter__(self) -> LabKernel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def run(command: Sequence[str], *, timeout: float = 600.0, environment: Mapping[str, str] | None = None) -> int:
    """Runs the command with its output on our own, live. Returns its exit status, 124 after the time limit as timeout(1) does."""
    with LabKernel(command, environment=environment, output=sys.stdout.fileno()) as kernel:
        try:
            return kernel.wait(timeout)
        except TimeoutError as error:
            print(f"lab: {error}", file=sys.stderr)
            return 124


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.lab.kernel_boot", description=__doc__)
    parser.add_argument("--timeout", type=float, default=600.0, metavar="SECONDS")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        parser.error("no command")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends it ends the lab too
    try:
        return run(command, timeout=options.timeout)
    except NoLab as error:
        print(f"lab: {error}", file=sys.stderr)
        return 125
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
