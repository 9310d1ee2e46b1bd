"""Network namespaces from the outside: enter one, read its addresses and its IPVS table, without a program for each look."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import socket
import struct
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)

_RTM_NEWADDR, _RTM_GETADDR, _NLMSG_DONE = 20, 22, 3
_NLM_F_REQUEST_DUMP = 0x301
_IFA_ADDRESS, _IFA_LOCAL = 1, 2


def _setns(file: int) -> None:
    if _libc.setns(file, _CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


@contextlib.contextmanager
def inside(name: str) -> Iterator[None]:
    """Moves this thread into the namespace; a socket or /proc/self/net file opened there stays there."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        target = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _setns(target)
        finally:
            os.close(target)
        try:
            yield
        finally:
            _setns(home)
    finally:
        os.close(home)


def run(command: Sequence[str], *, stdin: str | None = None) -> str:
    """Raises RuntimeError with the command's own words."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: status {done.returncode}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def ip(namespace: str, *lines: str) -> None:
    """Runs lines of ip(8) in the namespace, in one process."""
    run(["ip", "-n", namespace, "-batch", "-"], stdin="\n".join(lines) + "\n")


def sysctl(namespace: str, values: dict[str, int]) -> None:
    """Names as below /proc/sys, with slashes."""
    with inside(namespace):
        for name, value in values.items():
            Path("/proc/sys", name).write_text(f"{value}\n")


def addresses(namespace: str) -> frozenset[IPv4Address | IPv6Address]:
    """Every address of the namespace (rtnetlink, RTM_GETADDR)."""
    with inside(namespace), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
        sock.settimeout(5.0)
        sock.send(struct.pack("=IHHII4xIBBBBi", 24, _RTM_GETADDR, _NLM_F_REQUEST_DUMP, 1, 0, 0, 0, 0, 0, 0, 0)[:24])
        found: set[IPv4Address | IPv6Address] = set()
        while True:
            data = sock.recv(65536)
            offset = 0
            while offset < len(data):
                length, kind = struct.unpack_from("=IH", data, offset)
                if kind == _NLMSG_DONE:
                    return frozenset(found)
                if kind == _RTM_NEWADDR:
                    attributes = _attributes(data[offset + 24 : offset + length])
                    # With a peer, IFA_ADDRESS is the peer's and IFA_LOCAL the own one.
                    found.add(ip_address(attributes.get(_IFA_LOCAL, attributes[_IFA_ADDRESS])))
                offset += (length + 3) & ~3


def _attributes(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    offset = 0
    while offset + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, offset)
        found[kind] = data[offset + 4 : offset + length]
        offset += (length + 3) & ~3
    return found


@dataclass(frozen=True, slots=True)
class Row:
    forwarding: str
    weight: int
    active: int
    inactive: int


_SERVICE = re.compile(r"^(TCP|UDP)\s+([0-9A-F]{8}):([0-9A-F]{4})\s+(\S+)")
_SERVER = re.compile(r"^\s+->\s+([0-9A-F]{8}):([0-9A-F]{4})\s+(\S+)\s+(\d+)\s+(\d+)\s+(\d+)")


def ipvs(namespace: str) -> dict[str, dict[str, Row]]:
    """The namespace's IPVS table: "address:port" of each service, then of each server (IPv4)."""
    with inside(namespace):
        text = Path("/proc/self/net/ip_vs").read_text()
    table: dict[str, dict[str, Row]] = {}
    current: dict[str, Row] = {}
    for line in text.splitlines():
        if service := _SERVICE.match(line):
            current = table.setdefault(_endpoint(service[2], service[3]), {})
        elif server := _SERVER.match(line):
            current[_endpoint(server[1], server[2])] = Row(server[3], int(server[4]), int(server[5]), int(server[6]))
    return table


def _endpoint(address: str, port: str) -> str:
    return f"{IPv4Address(int(address, 16))}:{int(port, 16)}"
