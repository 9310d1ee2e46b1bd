"""The exposition, read back by the rules of the text format, and the page that is derived from the declarations."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from lvsd.admin import api, metrics
from lvsd.core.ipc.messages import CheckReport, ServerReport, ServiceReport

LINE = re.compile(r'([a-z_]+)(\{(?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)*\})? (-?[0-9.e+-]+)')
SERVER = ServerReport(
    address="10.0.0.11:80", weight=3, effective_weight=3, health="up", why="", state_seconds=5, checks=()
)
SERVICE = ServiceReport(
    name='odd "name"\\\n', scheduler="wrr", forwarding="NAT", quorum=1, quorum_up=True, sorry_server="", sorry_active=False,
    why="", servers=(SERVER, SERVER),
)  # fmt: skip
CHECK = CheckReport(generation=1, services=(SERVICE,), foreign=(), problems=(), lateness=0.0)


def parsed(text: str) -> dict[str, float]:
    found: dict[str, float] = {}
    typed: set[str] = set()
    for line in text.removesuffix("\n").split("\n"):
        if line.startswith("# TYPE "):
            typed.add(line.split()[2])
        elif not line.startswith("# HELP "):
            match = LINE.fullmatch(line)
            assert match, line
            assert match[1] in typed
            series = match[1] + (match[2] or "")
            assert series not in found
            found[series] = float(match[3])
    return found


def test_odd_names_are_escaped_and_a_server_twice_is_one_series() -> None:
    found = parsed(metrics.exposition(api.Snapshot(check=CHECK), 0))
    assert found['lvsd_server_weight{service="odd \\"name\\"\\\\\\n",server="10.0.0.11:80"}'] == 3
    assert not [series for series in found if series.startswith("lvsd_server_kernel_weight")]


def test_a_silent_process_has_no_series_but_its_age() -> None:
    found = parsed(metrics.exposition(api.Snapshot(check=CHECK, check_age=60.0), 0))
    assert found['lvsd_report_age_seconds{process="check"}'] == 60
    assert not [series for series in found if series.startswith(("lvsd_server", "lvsd_service"))]


def test_counters_are_named_as_counters() -> None:
    assert all(each.name.endswith("_total") == (each.type == "counter") for each in metrics.METRICS)
    assert len({each.name for each in metrics.METRICS}) == len(metrics.METRICS)


def test_the_page_of_metrics_is_not_stale() -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "metrics.md"
    assert page.read_text() == metrics.reference()


def test_a_health_that_is_not_known_is_neither_up_nor_down() -> None:
    unknown = msgspec.structs.replace(SERVICE, servers=(msgspec.structs.replace(SERVER, health="unknown"),))
    found = parsed(metrics.exposition(api.Snapshot(check=msgspec.structs.replace(CHECK, services=(unknown,))), 0))
    assert not [series for series in found if series.startswith("lvsd_server_up")]
