"""The four processes as one daemon, on the host's kernel: start, deaths, reload, stop, and what is refused."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from tests.lab.daemon import LVSD, ROOT, Daemon
from tests.lab.namespace import addresses, ip, run

pytestmark = pytest.mark.lab

VIP = ip_address("192.0.2.10")
SECOND_VIP = ip_address("192.0.2.11")
CONFIGURATION = """
global_defs {
    router_id lb1
}
vrrp_instance VI_1 {
    interface dv0
    virtual_router_id 51
    version 3
    priority 100
    advert_int 0.2
    vip_lease 4
    virtual_ipaddress {
        192.0.2.10/24
    }
    notify "FOLDER/notify"
}
"""


def wait_for(what: str, condition: Callable[[], object], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s"
        time.sleep(0.02)


@pytest.fixture
def namespace() -> Iterator[str]:
    name = f"lvsd-daemon-{os.getpid()}"
    run(["ip", "netns", "add", name])
    try:
        ip(name, "link set lo up", "link add dv0 type veth peer name dv1", "addr add 192.0.2.1/24 dev dv0")
        ip(name, "link set dv0 up", "link set dv1 up")
        yield name
    finally:
        run(["ip", "netns", "del", name])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    notify = tmp_path / "notify"
    notify.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/notified\n')
    notify.chmod(0o755)
    tmp_path.chmod(0o777)
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o755)  # the scripts' user has to get here
    write(tmp_path, CONFIGURATION)
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "lvs.conf"
    path.write_text(text.replace("FOLDER", str(folder)))
    return path


@pytest.fixture
def daemon(namespace: str, folder: Path) -> Iterator[Daemon]:
    daemon = Daemon(LVSD, namespace, folder / "lvs.conf", folder)
    try:
        wait_for("the address", lambda: VIP in addresses(namespace) or not daemon.running)
        assert daemon.running, daemon.tail()
        yield daemon
    finally:
        if daemon.running:
            daemon.kill()


def children(daemon: Daemon) -> dict[str, int]:
    named = {}
    for pid in daemon.processes[1:]:
        try:
            name = Path(f"/proc/{pid}/comm").read_text().strip()
        except OSError:
            continue
        if name.startswith("lvsd-"):  # and not a script of the operator's
            named[name.removeprefix("lvsd-")] = pid
    return named


def one_shot(namespace: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["ip", "netns", "exec", namespace, sys.executable, "-m", "lvsd", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        cwd=ROOT,
        check=False,
    )


def test_a_stop_in_order_leaves_nothing_behind(daemon: Daemon, folder: Path) -> None:
    assert set(children(daemon)) == {"vrrp", "check", "admin"}
    assert "VI_1" in daemon.lvsd("status")
    daemon.stop()
    assert VIP not in addresses(daemon.namespace)
    assert not (folder / "run" / "admin.sock").exists()
    assert (folder / "notified").read_text().splitlines() == [
        "INSTANCE VI_1 BACKUP 100",
        "INSTANCE VI_1 MASTER 100",
        "INSTANCE VI_1 STOP 100",
    ]


def test_a_killed_vrrp_is_back_as_master_without_a_failover(daemon: Daemon, folder: Path) -> None:
    before = children(daemon)["vrrp"]
    wait_for("the first report", lambda: "MASTER" in daemon.lvsd("status"))
    os.kill(before, signal.SIGKILL)
    wait_for("another vrrp", lambda: children(daemon).get("vrrp", before) != before)
    for _ in range(50):
        assert VIP in addresses(daemon.namespace)
        time.sleep(0.1)  # longer than the lease: it is renewed again
    assert (folder / "notified").read_text().count("MASTER") == 1


@pytest.mark.parametrize("name", ["check", "admin"])
def test_a_killed_child_is_replaced_and_the_others_do_not_notice(daemon: Daemon, name: str) -> None:
    before = children(daemon)
    os.kill(before[name], signal.SIGKILL)
    wait_for("its successor", lambda: children(daemon).get(name, before[name]) != before[name])
    wait_for("an answer", lambda: "VI_1" in daemon.lvsd("status"))
    after = children(daemon)
    assert {other: pid for other, pid in after.items() if other != name} == {
        other: pid for other, pid in before.items() if other != name
    }
    assert VIP in addresses(daemon.namespace)


def test_a_killed_parent_takes_everything_down_in_order(daemon: Daemon) -> None:
    pids = daemon.processes
    daemon.send(signal.SIGKILL)
    wait_for("the children to resign", lambda: VIP not in addresses(daemon.namespace), seconds=2.0)
    wait_for("the children's end", lambda: not any(_alive(pid) for pid in pids[1:]))


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_frozen_parent_stops_nobody(daemon: Daemon) -> None:
    daemon.send(signal.SIGSTOP)
    for _ in range(60):
        assert VIP in addresses(daemon.namespace)
        time.sleep(0.1)
    before = children(daemon)
    daemon.send(signal.SIGCONT)
    time.sleep(2.0)
    assert children(daemon) == before
    daemon.stop()


def test_a_frozen_vrrp_is_replaced(daemon: Daemon) -> None:
    before = children(daemon)["vrrp"]
    os.kill(before, signal.SIGSTOP)
    wait_for("another vrrp", lambda: children(daemon).get("vrrp", before) != before)
    wait_for("the address", lambda: VIP in addresses(daemon.namespace))


def test_a_reload_adds_what_is_new_and_refuses_what_is_broken(daemon: Daemon, folder: Path) -> None:
    more = CONFIGURATION.replace("        192.0.2.10/24", "        192.0.2.10/24\n        192.0.2.11/24")
    write(folder, more)
    daemon.send(signal.SIGHUP)
    wait_for("the second address", lambda: SECOND_VIP in addresses(daemon.namespace))

    path = write(folder, more.replace("virtual_router_id 51", "virtual_router_id 510"))
    with pytest.raises(RuntimeError) as refusal:
        daemon.lvsd("reload")
    line = 1 + path.read_text()[: path.read_text().index("virtual_router_id")].count("\n")
    assert f"{path}:{line}:" in str(refusal.value)
    assert {VIP, SECOND_VIP} <= addresses(daemon.namespace)
    assert "refused" in daemon.lvsd("status")

    write(folder, CONFIGURATION)
    daemon.lvsd("reload")
    wait_for("the second address to go", lambda: SECOND_VIP not in addresses(daemon.namespace))
    assert VIP in addresses(daemon.namespace)
    assert (folder / "notified").read_text().count("MASTER") == 1


def test_a_broken_configuration_starts_nothing(namespace: str, folder: Path) -> None:
    path = write(folder, CONFIGURATION.replace("interface dv0", "interfaec dv0"))
    done = one_shot(namespace, "-c", str(path), "--run-dir", f"{folder}/run", "--state-dir", f"{folder}/state")
    assert done.returncode == 2
    assert re.search(rf"{re.escape(str(path))}:\d+:5", done.stderr), done.stderr
    assert "interface" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_daemon_names_the_first(daemon: Daemon, folder: Path) -> None:
    arguments = ("-c", f"{folder}/lvs.conf", "--run-dir", f"{folder}/run", "--state-dir", f"{folder}/state")
    done = one_shot(daemon.namespace, *arguments)
    assert done.returncode == 1
    assert f"(pid {daemon.pid}) already runs" in done.stderr


def test_a_running_keepalived_is_refused_by_its_number(namespace: str, folder: Path) -> None:
    configuration = folder / "keepalived.conf"
    configuration.write_text(
        "vrrp_instance A {\n interface dv0\n virtual_router_id 9\n virtual_ipaddress {\n 192.0.2.99\n }\n}\n"
    )
    keepalived = Daemon("keepalived", namespace, configuration, folder)
    try:
        wait_for("keepalived", lambda: len(keepalived.processes) > 1)
        done = one_shot(
            namespace, "-c", f"{folder}/lvs.conf", "--run-dir", f"{folder}/run", "--state-dir", f"{folder}/state"
        )
        assert done.returncode == 1
        assert f"keepalived runs here (pid {keepalived.pid})" in done.stderr
    finally:
        keepalived.kill()


def test_the_last_good_configuration_starts_where_the_file_is_broken_and_says_stale(
    namespace: str, folder: Path
) -> None:
    path = folder / "lvs.conf"
    first = Daemon(LVSD, namespace, path, folder)
    wait_for("the address", lambda: VIP in addresses(namespace))
    write(folder, CONFIGURATION + "vrrp_instance VI_2 {\n")
    with pytest.raises(RuntimeError, match="never closed"):
        first.lvsd("reload")
    first.stop()
    refused = Daemon(LVSD, namespace, path, folder)
    wait_for("the refusal", lambda: not refused.running)
    again = Daemon(LVSD, namespace, path, folder, "--last-good")
    try:
        wait_for("the address", lambda: VIP in addresses(namespace))
        assert "is stale: " in again.lvsd("status")
        assert "the last good configuration, of " in again.lvsd("status")
        write(folder, CONFIGURATION.replace("192.0.2.10", "192.0.2.11"))
        again.lvsd("reload")
        wait_for("the other address", lambda: SECOND_VIP in addresses(namespace))
        assert "stale" not in again.lvsd("status")
    finally:
        again.stop()


def test_a_director_starts_leniently_with_what_keepalived_would_have_taken(namespace: str, folder: Path) -> None:
    write(folder, CONFIGURATION + "frobnicate 1\nvrrp_instance VI_2 {\ninterface dv0\n}\n")
    daemon = Daemon(LVSD, namespace, folder / "lvs.conf", folder, "--lenient")
    try:
        wait_for("the address", lambda: VIP in addresses(namespace))
        assert "error passed over: 'frobnicate' is no keyword" in daemon.tail()
    finally:
        daemon.stop()


def test_a_reload_takes_what_changed_from_the_file_and_the_rest_from_its_memory(daemon: Daemon, folder: Path) -> None:
    second = CONFIGURATION.replace("VI_1", "VI_2").replace(" 51", " 52").replace("192.0.2.10", "192.0.2.11")
    write(folder, CONFIGURATION + second[second.index("vrrp_instance") :])
    daemon.lvsd("reload")
    wait_for("the second address", lambda: SECOND_VIP in addresses(daemon.namespace))
    write(folder, CONFIGURATION + second[second.index("vrrp_instance") :].replace(" 52", " 51"))
    with pytest.raises(RuntimeError, match=r"lvs.conf:\d+:23: error: virtual_router_id 51 is taken on dv0"):
        daemon.lvsd("reload")
    assert {VIP, SECOND_VIP} <= set(addresses(daemon.namespace))


def test_the_command_line_of_keepalived_is_understood(namespace: str, folder: Path) -> None:
    pids = {name: folder / f"{name}.pid" for name in ("parent", "vrrp", "checkers", "bfd")}
    command = [
        *("ip", "netns", "exec", namespace, sys.executable, "-m", "lvsd", "-n", "-l", "-D", "-f", f"{folder}/lvs.conf"),
        *("-p", str(pids["parent"]), "-r", str(pids["vrrp"]), "-c", str(pids["checkers"]), "-b", str(pids["bfd"])),
        *("--run-dir", f"{folder}/run", "--state-dir", f"{folder}/state"),
    ]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        wait_for("the address", lambda: VIP in addresses(namespace))
        assert int(pids["parent"].read_text()) == process.pid
        assert Path(f"/proc/{pids['vrrp'].read_text().strip()}/comm").read_text() == "lvsd-vrrp\n"
        assert Path(f"/proc/{pids['checkers'].read_text().strip()}/comm").read_text() == "lvsd-check\n"
    finally:
        process.terminate()
        assert process.wait(15) == 0
    assert not any(path.exists() for path in pids.values())


@pytest.mark.parametrize(
    ("option", "word"), [("-x", "metrics"), ("-V", "never leaves an address behind"), ("-S", "stderr")]
)
def test_an_option_that_is_not_supported_is_refused_by_name(namespace: str, option: str, word: str) -> None:
    done = one_shot(namespace, option)
    assert done.returncode == 2
    assert f"option {option} is not supported" in done.stderr
    assert word in done.stderr


def test_only_vrrp_runs_where_only_vrrp_is_wanted(namespace: str, folder: Path) -> None:
    command = [sys.executable, "-m", "lvsd", "-P", "-c", f"{folder}/lvs.conf"]
    folders = ["--run-dir", f"{folder}/run", "--state-dir", f"{folder}/state"]
    process = subprocess.Popen(
        ["ip", "netns", "exec", namespace, *command, *folders], cwd=ROOT, stderr=subprocess.DEVNULL
    )
    try:
        wait_for("the address", lambda: VIP in addresses(namespace))
        listing = run(["ps", "--ppid", str(process.pid), "-o", "comm="]).split()
        assert sorted(listing) == ["lvsd-admin", "lvsd-vrrp"]
    finally:
        process.terminate()
        assert process.wait(15) == 0


def test_systemd_is_told_when_it_is_ready_and_that_it_lives(namespace: str, folder: Path) -> None:
    path = str(folder / "notify.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(path)
        systemd.settimeout(15)
        environment = os.environ | {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "1000000"}
        command = [sys.executable, "-m", "lvsd", "-c", f"{folder}/lvs.conf"]
        folders = ["--run-dir", f"{folder}/run", "--state-dir", f"{folder}/state"]
        process = subprocess.Popen(
            ["ip", "netns", "exec", namespace, *command, *folders], cwd=ROOT, stderr=subprocess.DEVNULL, env=environment
        )
        try:
            heard = b""
            while b"READY=1" not in heard:
                heard = systemd.recv(4096)
            assert f"MAINPID={process.pid}".encode() in heard
            while b"WATCHDOG=1" not in heard:
                heard = systemd.recv(4096)
            process.send_signal(signal.SIGHUP)
            while b"RELOADING=1" not in heard:
                heard = systemd.recv(4096)
            assert b"MONOTONIC_USEC=" in heard
            while b"READY=1" not in heard:
                heard = systemd.recv(4096)
        finally:
            process.terminate()
            assert process.wait(15) == 0
        while b"STOPPING=1" not in heard:
            heard = systemd.recv(4096)


def test_all_processes_of_a_small_configuration_fit_in_64_mib(daemon: Daemon) -> None:
    daemon.lvsd("status")
    total = 0
    for pid in daemon.processes:
        found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        assert found is not None
        total += int(found[1])
    assert total < 64 * 1024, f"{total / 1024:.1f} MiB"
