"""What an operator does to a running pair, under traffic: drains, reloads, mistakes. lvsd on both sides, behind NAT."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from tests.lab.farm import NAT, Director, Farm

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    with Farm(NAT) as farm:
        farm.start_client()
        yield farm


@pytest.fixture
def pair(farm: Farm) -> tuple[Director, Director]:
    """Master and backup, whichever is which; everything is well."""
    master, backup = farm.settle()
    farm.wait(farm.answered_for(0.3), 10.0, "the client is not served")
    return master, backup


def ask(sock: socket.socket) -> str:
    """Name of the server behind an open connection."""
    sock.sendall(b"GET / HTTP/1.1\r\nHost: farm\r\n\r\n")
    return sock.recv(2048).decode().split()[-1]


def test_a_broken_configuration_is_refused_and_the_old_one_goes_on(farm: Farm, pair: tuple[Director, Director]) -> None:
    master, _ = pair
    text = master.configuration.read_text()
    since = time.monotonic()
    mark = master.running.log_size
    try:
        master.configuration.write_text(
            text.replace("priority 100", "priority many").replace("priority 90", "priority many")
        )
        master.reload()
        farm.wait(lambda: "lvs.conf:" in master.running.logged(mark), 10.0, "no complaint in the log")
    finally:
        master.configuration.write_text(text)
    assert farm.moved_to(master)
    assert farm.complete(master)
    assert farm.seen(since).failed == 0


def test_a_drained_server_gets_no_new_connection_and_keeps_the_old_one(
    farm: Farm, pair: tuple[Director, Director]
) -> None:
    master, _ = pair
    drained = farm.webs[1]
    connections = []
    try:
        names: dict[str, socket.socket] = {}
        while drained.name not in names:  # the client's requests take their turns in between
            assert len(connections) < 30, f"{drained.name} gets no connection"
            connections.append(farm.connect())
            names[ask(connections[-1])] = connections[-1]
        since = time.monotonic()
        master.running.lvsd("drain", drained.address, "--reason", "kernel")
        farm.wait(lambda: master.weights.get(drained.key) == 0, 5.0, "the drained server keeps its weight")
        quiet = time.monotonic() + 0.05
        farm.wait(lambda: len(farm.seen(quiet).requests) > 100, 10.0, "the client does not ask")
        assert drained.name not in farm.seen(quiet).spread
        assert ask(names[drained.name]) == drained.name, "the connection that was open is cut off"
        assert "drain" in master.running.lvsd("status")

        master.reload()
        time.sleep(1.5)
        assert master.weights[drained.key] == 0, "the drain is forgotten at a reload"
        master.running.lvsd("ready", drained.address)
        farm.wait(lambda: master.weights.get(drained.key) == 1, 5.0, "the server does not come back")
        assert farm.seen(since).failed == 0
    finally:
        for sock in connections:
            sock.close()


def test_a_drained_server_stays_drained_over_a_restart(farm: Farm, pair: tuple[Director, Director]) -> None:
    _, backup = pair
    drained = farm.webs[2]
    backup.running.lvsd("drain", drained.address)
    farm.wait(lambda: backup.weights.get(drained.key) == 0, 5.0, "the drained server keeps its weight")
    backup.stop()
    assert backup.table == {}
    backup.start()
    farm.wait(lambda: backup.weights.get(drained.key) == 0, 15.0, "the drain is forgotten at a restart")
    backup.running.lvsd("ready", drained.address)
    farm.wait(lambda: backup.weights.get(drained.key) == 1, 5.0, "the server does not come back")
