"""The check process alone, on the kernel's own table, over a real channel."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from lvsd.core.ipc.messages import Answer, CheckReport, Keep, Notice, OverrideServer, RunProgram
from tests.lab.check_process import Process, listening, table, until

pytestmark = pytest.mark.lab


def configuration(more: str = "", ports: tuple[int, ...] = (8001, 8002)) -> str:
    servers = "".join(
        f" real_server 127.0.0.1 {port} {{\n  TCP_CHECK {{\n   connect_timeout 1\n   retry 1\n   delay_before_retry 0.2\n"
        "   warmup 0\n  }\n }\n"
        for port in ports
    )
    return f"virtual_server 10.9.9.9 80 {{\n delay_loop 0.5\n protocol TCP\n lb_algo wrr\n lb_kind NAT\n{more}\n{servers}}}\n"


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    subprocess.run(["ipvsadm", "-C"], check=True)
    yield
    subprocess.run(["ipvsadm", "-C"], check=True)


def test_a_server_leaves_and_comes_back_and_the_sorry_server_stands_in() -> None:
    process = Process()  # before the sockets, of which it would have copies else
    first, second = listening(8001), listening(8002)
    process.load(configuration(" sorry_server 127.0.0.1 8009"))
    until(True, "127.0.0.1:8001 -m -w 1")
    first.close()
    until(False, "127.0.0.1:8001")
    second.close()
    until(True, "127.0.0.1:8009")
    with listening(8001):
        until(True, "127.0.0.1:8001 -m -w 1")
        until(False, "127.0.0.1:8009")
        assert process.stop() == 0
    assert table() == ""


def test_foreign_rows_stay_and_drift_is_put_right() -> None:
    subprocess.run(["ipvsadm", "-A", "-t", "10.8.8.8:80", "-s", "rr"], check=True)
    process = Process()
    with listening(8001), listening(8002):
        process.load(configuration())
        until(True, "127.0.0.1:8002")
        subprocess.run(["ipvsadm", "-d", "-t", "10.9.9.9:80", "-r", "127.0.0.1:8002"], check=True)
        until(True, "127.0.0.1:8002")
        assert process.stop() == 0
    assert table().split() == ["-A", "-t", "10.8.8.8:80", "-s", "rr"]


def test_a_drain_outlives_the_process() -> None:
    process = Process()
    with listening(8001), listening(8002):
        process.load(configuration())
        order = OverrideServer(
            id=1, verb="drain", server="127.0.0.1:8001", service="", weight=None, seconds=None, reason="r", actor="me"
        )
        process.send(order)
        answer = process.wait(Answer)
        assert answer.ok, answer
        until(True, "127.0.0.1:8001 -m -w 0")
        refused = msgspec.structs.replace(order, id=2, server="127.0.0.1:8002")
        process.send(refused)
        answer = process.wait(Answer)
        assert not answer.ok
        assert process.stop() == 0
        again = Process(process.kept)
        again.load(configuration())
        until(True, "127.0.0.1:8001 -m -w 0")
        assert again.stop() == 0


def test_a_process_that_stood_still_fails_no_server() -> None:
    process = Process()
    with listening(8001), listening(8002):
        process.load(configuration())
        time.sleep(2)
        for _ in range(3):
            os.kill(process.pid, signal.SIGSTOP)
            time.sleep(2)
            os.kill(process.pid, signal.SIGCONT)
            end = time.monotonic() + 2
            while time.monotonic() < end:
                assert table().count("127.0.0.1:800") == 2
                time.sleep(0.05)
        assert process.stop() == 0


@pytest.fixture
def _addresses() -> Iterator[None]:
    for address in ("10.9.9.9", "10.9.9.10"):
        subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
    yield
    for address in ("10.9.9.9", "10.9.9.10"):
        subprocess.run(["ip", "address", "del", f"{address}/32", "dev", "lo"], check=True)


@pytest.mark.usefixtures("_addresses")
def test_a_killed_process_loses_no_row_and_no_connection() -> None:
    process = Process()
    text = configuration(ports=()).replace("}\n", " real_server 10.9.9.10 8001 {\n }\n}\n")
    other = text.replace("10.9.9.9 80", "10.9.9.9 81")
    process.load(text + other)
    with listening(8001, "10.9.9.10") as server, socket.create_connection(("10.9.9.9", 80), 5) as client:
        served, _ = server.accept()
        with served:
            process.kill()
            before = table()
            assert "10.9.9.9:80" in before
            assert "10.9.9.9:81" in before
            again = Process(process.kept, restarted=True)
            again.load(text)
            assert table() == before.replace("-A -t 10.9.9.9:81 -s wrr\n", "").replace(
                "-a -t 10.9.9.9:81 -r 10.9.9.10:8001 -m -w 1\n", ""
            )
            client.sendall(b"still here")
            served.settimeout(5)
            assert served.recv(100) == b"still here"
            deadline = time.monotonic() + 5
            while connections("10.9.9.9:80") != 1:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            assert again.stop() == 0
    assert table() == ""


def connections(service: str) -> int:
    """Counted since the row was made: a row that was made anew starts at 0. The kernel sums up what its processors counted
    each two seconds (estimation_timer of ip_vs_est.c)."""
    listed = subprocess.run(["ipvsadm", "-Ln", "--stats"], capture_output=True, text=True, check=True).stdout
    return next(int(line.split()[2]) for line in listed.splitlines() if service in line)


def test_where_core_dies_our_rows_go_and_foreign_ones_stay() -> None:
    subprocess.run(["ipvsadm", "-A", "-t", "10.8.8.8:80", "-s", "rr"], check=True)
    process = Process()
    process.load(configuration())
    began = time.monotonic()
    assert process.abandon() == 0
    assert time.monotonic() - began < 5
    assert table().split() == ["-A", "-t", "10.8.8.8:80", "-s", "rr"]


def test_lvs_flush_clears_the_table_at_start_but_not_after_a_death() -> None:
    subprocess.run(["ipvsadm", "-A", "-t", "10.8.8.8:80", "-s", "rr"], check=True)
    text = "global_defs {\n lvs_flush\n}\n" + configuration()
    process = Process()
    process.load(text)
    assert "10.8.8.8" not in table()
    process.kill()
    subprocess.run(["ipvsadm", "-A", "-t", "10.8.8.8:80", "-s", "rr"], check=True)
    again = Process(process.kept, restarted=True)
    again.load(text)
    assert "10.8.8.8" in table()
    assert again.stop() == 0


@pytest.mark.parametrize(("keyword", "left"), [("lvs_flush_on_stop", ""), ("lvs_flush_on_stop VS", "10.8.8.8")])
def test_lvs_flush_on_stop_takes_the_whole_table_or_only_what_is_ours(keyword: str, left: str) -> None:
    process = Process()
    process.load(f"global_defs {{\n {keyword}\n}}\n" + configuration())
    subprocess.run(["ipvsadm", "-A", "-t", "10.8.8.8:80", "-s", "rr"], check=True)
    assert process.stop() == 0
    assert "10.9.9.9" not in table()
    assert ("10.8.8.8" in table()) is bool(left)


def timeouts() -> list[int]:
    told = subprocess.run(["ipvsadm", "-L", "--timeout"], capture_output=True, text=True, check=True).stdout
    return [int(word) for word in told.split(":")[1].split()]


def test_lvs_timeouts_are_set_and_those_from_before_come_back() -> None:
    subprocess.run(["ipvsadm", "--set", "901", "121", "301"], check=True)
    text = "global_defs {\n lvs_timeouts tcp 100 tcpfin 50 udp 20\n}\n" + configuration()
    process = Process()
    process.load(text)
    process.wait(Keep, so=lambda kept: kept.name == "timeouts")
    assert timeouts() == [100, 50, 20]
    process.kill()
    again = Process(process.kept, restarted=True)
    again.load(text)
    assert again.stop() == 0
    assert timeouts() == [901, 121, 301]


def test_omega_runs_the_notifies_of_what_goes_down_at_stop() -> None:
    text = configuration(" omega\n quorum_down /bin/quorum").replace("8001 {\n", "8001 {\n  notify_down /bin/one\n")
    process = Process()
    with listening(8001), listening(8002):
        process.load(text)
        assert not process.every(RunProgram)
        assert process.stop() == 0
    assert [program.argv for program in process.every(RunProgram)] == [("/bin/one",), ("/bin/quorum",)]


def test_notifies_tell_each_change_once() -> None:
    text = configuration(" quorum_down /bin/lost\n quorum_up /bin/found", (8001,)).replace(
        "8001 {\n", "8001 {\n  notify_down /bin/down\n  notify_up /bin/up\n"
    )
    process = Process()
    process.load(text)
    process.wait(RunProgram, so=lambda program: program.argv == ("/bin/lost",))
    with listening(8001):
        process.wait(RunProgram, so=lambda program: program.argv == ("/bin/found",))
        assert process.stop() == 0
    assert [program.argv for program in process.every(RunProgram)] == [("/bin/down",), ("/bin/up",)]


@pytest.fixture
def https(tmp_path: Path) -> Iterator[list[str]]:
    """A real TLS server on 127.0.0.1:8443, whose certificate is of another name and signed by itself.
    Gives the names that it is told in handshakes; only those that ask for www.example.net get an answer with 200."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=wrong.example"]
    subprocess.run([*make, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    names: list[str] = []
    context.sni_callback = lambda sock, name, _: names.append(name or "")
    server = listening(8443)

    def serve() -> None:
        while True:
            try:
                sock, _ = server.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), context.wrap_socket(sock, server_side=True) as stream:
                asked = stream.recv(4096)
                good = b"Host: www.example.net" in asked and names[-1] == "www.example.net"
                stream.sendall(b"HTTP/1.0 " + (b"200 OK" if good else b"421 Misdirected") + b"\r\n\r\nhello")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield names
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(5)


def test_ssl_get_tells_the_name_and_takes_any_certificate(https: list[str]) -> None:
    def check(more: str) -> str:
        return (
            f"SSL_GET {{\n   {more}\n   connect_timeout 5\n   retry 0\n   warmup 0\n   url {{\n    path /\n"
            "    status_code 200\n   }\n  }\n"
        )

    text = configuration(" inhibit_on_failure", ()).replace(
        "}\n",
        f" real_server 127.0.0.1 8443 {{\n  {check('enable_sni')}  virtualhost www.example.net\n }}\n}}\n"
        f"virtual_server 10.9.9.9 81 {{\n protocol TCP\n delay_loop 0.5\n inhibit_on_failure\n"
        f" real_server 127.0.0.1 8443 {{\n  {check('virtualhost www.example.net')} }}\n}}\n",
    )
    process = Process()
    process.load(text)
    report = process.wait(
        CheckReport, so=lambda report: all(s.servers[0].health != "unknown" for s in report.services), seconds=30
    )
    with_name, without = (service.servers[0] for service in report.services)
    assert (with_name.health, with_name.why) == ("up", "L7: / answered 200")
    assert without.health == "down"
    assert "answered 421" in without.why
    assert set(https) == {"www.example.net", ""}
    assert process.stop() == 0


def test_a_program_s_exit_status_is_a_weight(tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text("12")
    script = tmp_path / "check"
    script.write_text(f"#!/bin/sh\nexit $(cat {status})\n")
    script.chmod(0o755)
    text = configuration(ports=()).replace(
        "}\n",
        f" real_server 127.0.0.1 8001 {{\n  weight 5\n  MISC_CHECK {{\n   misc_path {script}\n   misc_dynamic\n"
        "   warmup 0\n  }\n }\n real_server 127.0.0.1 8002 {\n }\n}\n",
    )
    process = Process()
    process.load(text)

    def read_until(wanted: bool, row: str) -> None:
        end = time.monotonic() + 15
        while (row in table()) is not wanted:
            assert time.monotonic() < end, table()
            process.read(0.1)

    read_until(True, "127.0.0.1:8001 -m -w 10")
    status.write_text("1")
    read_until(False, "127.0.0.1:8001")
    status.write_text("0")
    read_until(True, "127.0.0.1:8001 -m -w")
    assert process.stop() == 0


def test_a_quorum_is_lost_and_found_with_hysteresis() -> None:
    process = Process()
    ports = (8001, 8002, 8003, 8004)
    servers = {port: listening(port) for port in ports}
    process.load(configuration(" quorum 3\n hysteresis 1\n sorry_server 127.0.0.1 8009", ports))
    for port in ports[:2]:
        servers.pop(port).close()
        until(False, f"127.0.0.1:{port}")
    assert "8009" not in table()
    servers.pop(8003).close()
    until(True, "127.0.0.1:8009")
    assert "8004" not in table()
    for port in ports[:2]:
        servers[port] = listening(port)
        process.wait(
            Notice, so=lambda notice, port=port: f":{port} of" in notice.event.why and "is up" in notice.event.why
        )
    time.sleep(0.5)
    assert "8009" in table()
    servers[8003] = listening(8003)
    until(False, "127.0.0.1:8009")
    assert all(f"127.0.0.1:{port}" in table() for port in ports)
    for server in servers.values():
        server.close()
    assert process.stop() == 0


SERVICES = """
virtual_server fd00::1 80 {
 delay_loop 0.5
 protocol TCP
 lb_algo rr
 lb_kind NAT
 real_server ::1 8001 {
  TCP_CHECK {
   connect_timeout 1
   retry 0
   warmup 0
  }
 }
 real_server ::1 8002 {
  weight 3
 }
}
virtual_server fwmark 7 {
 protocol TCP
 lb_algo sh
 lb_kind DR
 sh-port
 persistence_timeout 60
 real_server 10.9.9.10 {
 }
}
virtual_server 10.9.9.9 53 {
 protocol UDP
 lb_algo rr
 lb_kind NAT
 ops
 real_server 10.9.9.10 5353 {
  weight 2
 }
}
"""


def test_services_of_ipv6_of_a_mark_and_of_udp() -> None:
    process = Process()
    with listening(8001, "::1"):
        process.load(SERVICES)
        rows = table()
        assert "-a -t [fd00::1]:80 -r [::1]:8001 -m -w 1" in rows
        assert "-a -t [fd00::1]:80 -r [::1]:8002 -m -w 3" in rows
        assert "-A -f 7 -s sh -p 60 -b sh-port" in rows
        assert "-a -f 7 -r 10.9.9.10:0 -g -w 1" in rows
        assert "-A -u 10.9.9.9:53 -s rr -o" in rows
        assert "-a -u 10.9.9.9:53 -r 10.9.9.10:5353 -m -w 2" in rows
    until(False, "[::1]:8001")
    again = SERVICES.replace("weight 3", "weight 4")
    process.load(again, 2)
    assert "-r [::1]:8002 -m -w 4" in table()
    assert "[::1]:8001" not in table()
    assert process.stop() == 0
    assert table() == ""


def test_2_000_rows_are_gone_within_two_seconds() -> None:
    servers = "".join(f" real_server 10.1.0.{server} 80 {{\n }}\n" for server in range(1, 21))
    process = Process()
    process.load(
        "".join(
            f"virtual_server 10.2.0.{service} 80 {{\n protocol TCP\n lb_algo rr\n lb_kind NAT\n{servers}}}\n"
            for service in range(1, 101)
        )
    )
    assert table().count("-a ") == 2000
    began = time.monotonic()
    assert process.stop() == 0
    took = time.monotonic() - began
    assert table() == ""
    assert took < 2


def test_a_reload_of_a_table_that_somebody_had_changed_ends_right() -> None:
    text = configuration(ports=()).replace(
        "}\n", " real_server 127.0.0.1 8001 {\n }\n real_server 127.0.0.1 8002 {\n }\n}\n"
    )
    process = Process()
    process.load(text)
    rows = table()
    for change in (["-d", "-t", "10.9.9.9:80", "-r", "127.0.0.1:8001"], ["-D", "-t", "10.9.9.9:80"]):
        subprocess.run(["ipvsadm", *change], check=True)
        process.load(text.replace("8002 {\n", "8002 {\n  weight 3\n"), 2)
        until(True, "127.0.0.1:8002 -m -w 3")
        until(True, "127.0.0.1:8001 -m -w 1")
        process.load(text, 3)
        assert table() == rows
    assert process.stop() == 0
