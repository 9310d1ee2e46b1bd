"""What the measuring client makes of its records: the figures that the scenario's tests and the benchmark stand on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.client import ANSWERED, REFUSED, ROW, TIMED_OUT, Request, Seen, read


def requests(*parts: tuple[float, float, int, str]) -> Seen:
    """From and until in seconds, at a pace of 10 ms; result and server of each request in between."""
    made = []
    for begin, end, result, server in parts:
        made += [
            Request(begin + 0.01 * number, 0.001 if result == ANSWERED else 0.25, 0.0, result, server)
            for number in range(round((end - begin) / 0.01))
        ]
    return Seen(tuple(made))


def test_no_outage_while_everything_is_answered() -> None:
    seen = requests((0.0, 2.0, ANSWERED, "web1"))
    assert seen.outages == []
    assert seen.outage == 0.0
    assert seen.failed == 0


def test_an_outage_lasts_from_the_last_answer_to_the_next() -> None:
    seen = requests((0.0, 1.0, ANSWERED, "web1"), (1.0, 1.6, TIMED_OUT, ""), (1.6, 2.0, ANSWERED, "web1"))
    [outage] = seen.outages
    assert outage.seconds == pytest.approx(0.61, abs=0.001)
    assert outage.failed == 60
    assert seen.failed == 60


def test_an_outage_that_has_not_ended_counts_until_the_last_request() -> None:
    seen = requests((0.0, 1.0, ANSWERED, "web1"), (1.0, 3.0, TIMED_OUT, ""))
    assert seen.outage == pytest.approx(2.0, abs=0.02)


def test_an_outage_that_had_begun_before_the_first_request_counts_from_there() -> None:
    seen = requests((0.0, 0.5, REFUSED, ""), (0.5, 1.0, ANSWERED, "web1"))
    assert seen.outage == pytest.approx(0.5, abs=0.02)


def test_failures_of_every_third_request_are_no_outage() -> None:
    rows = [
        Request(0.01 * n, 0.001, 0.0, REFUSED if n % 3 == 0 else ANSWERED, "" if n % 3 == 0 else "web2")
        for n in range(90)
    ]
    seen = Seen(tuple(rows))
    assert seen.failed == 30
    assert seen.outage == 0.0


def test_a_request_that_was_answered_late_hides_no_outage() -> None:
    rows = [
        Request(0.0, 0.001, 0.0, ANSWERED, "web1"),
        Request(0.01, 0.2, 0.0, ANSWERED, "web1"),
        Request(0.22, 0.001, 0.0, ANSWERED, "web1"),
    ]
    assert Seen(tuple(rows)).outage == pytest.approx(0.209, abs=0.001)


def test_spread_and_unevenness() -> None:
    seen = requests((0.0, 1.0, ANSWERED, "web1"), (1.0, 1.5, ANSWERED, "web2"), (1.5, 1.6, REFUSED, ""))
    assert seen.spread == {"web1": 100, "web2": 50}
    assert seen.unevenness(["web1", "web2"]) == pytest.approx(1 / 3)
    assert seen.unevenness(["web1", "web2", "web3"]) == 1.0


def test_records_come_back_from_the_file_in_the_order_of_their_beginning(tmp_path: Path) -> None:
    path = tmp_path / "requests"
    rows = [ROW.pack(2.0, 0.5, 0.0, ANSWERED, b"web2"), ROW.pack(1.0, 2.0, 0.5, TIMED_OUT, b"")]
    path.write_bytes(b"".join(rows) + rows[0][:7])
    seen = read(str(path))
    assert [request.start for request in seen.requests] == [1.0, 2.0]
    assert [request.server for request in seen.requests] == ["", "web2"]
    assert seen.late == 0.5
    assert [request.start for request in read(str(path), since=1.5).requests] == [2.0]
