"""Tests in this folder run inside the lab kernel: the first one of a file boots a kernel for the whole file, pytest runs there,
and each test's reports come back through a file and are told here, test by test. A file that needs more than five
minutes says so with LAB_SECONDS."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.kernel_boot import LabKernel, NoLab
from tests.lab.scenario import MEASURED

HERE = Path(__file__).resolve().parent
INSIDE = os.environ.get("LVSD_LAB") == "1"
RESULTS = "LVSD_LAB_RESULTS"
DEFAULT_SECONDS = 300.0
TAIL = 6000


class Session:
    """One kernel with the selected tests of one file in it, read while it runs."""

    def __init__(self, path: Path, items: list[pytest.Item], config: pytest.Config) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="lvsd-lab-results-")
        self._results = Path(self._folder.name, "results")
        self._output = Path(self._folder.name, "output")
        self._results.touch()
        self._config = config
        self._read = 0
        self._pending = b""
        self._reports: dict[str, list[pytest.TestReport]] = {}
        self._kernel: LabKernel | None = None
        self._ended = ""
        seconds = float(getattr(getattr(items[0], "module", None), "LAB_SECONDS", DEFAULT_SECONDS))
        self._until = time.monotonic() + seconds
        self._limit = seconds
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rN", "--tb=short", "--color=no"]
        command += [item.nodeid for item in items]
        try:
            with self._output.open("ab") as output:
                self._kernel = LabKernel(command, environment={RESULTS: str(self._results)}, output=output)
        except NoLab as error:
            self._ended = str(error)

    def reports(self, nodeid: str) -> list[pytest.TestReport]:
        """Waits for the test's own end, and tells why there was none if the kernel or its time ended first."""
        while not self._complete(nodeid):
            running = self._kernel is not None and self._kernel.running
            self._collect()
            if self._complete(nodeid):
                break
            if not running:
                return [self._lost(nodeid, self._ended or "the lab kernel ended before this test did")]
            if time.monotonic() > self._until:
                self._ended = f"the lab kernel was ended after {self._limit:g} s (LAB_SECONDS)"
                self.close()
                return [self._lost(nodeid, self._ended)]
            time.sleep(0.05)
        return self._reports.pop(nodeid)

    def finish(self) -> None:
        """Lets the kernel end by itself, since the last test's reports come before the session's end."""
        if self._kernel is not None:
            with contextlib.suppress(TimeoutError, NoLab):
                self._kernel.wait(20.0)
        self.close()

    def close(self) -> None:
        if self._kernel is not None:
            self._kernel.close()
            self._kernel = None

    def _complete(self, nodeid: str) -> bool:
        return any(report.when == "teardown" for report in self._reports.get(nodeid, ()))

    def _collect(self) -> None:
        with self._results.open("rb") as file:
            file.seek(self._read)
            data = file.read()
        self._read += len(data)
        *lines, self._pending = (self._pending + data).split(b"\n")
        for line in lines:
            report = self._config.hook.pytest_report_from_serializable(config=self._config, data=json.loads(line))
            self._reports.setdefault(report.nodeid, []).append(report)

    def _lost(self, nodeid: str, why: str) -> pytest.TestReport:
        output = self._output.read_text(errors="replace") if self._output.exists() else ""
        return failed(nodeid, f"{why}\n--- output of the lab kernel ---\n{output[-TAIL:]}")


def failed(nodeid: str, why: str) -> pytest.TestReport:
    location = (nodeid.split("::", maxsplit=1)[0], None, nodeid.rsplit("::", maxsplit=1)[-1])
    return pytest.TestReport(nodeid, location, {}, "failed", why, "call", start=0, stop=0, duration=0)


def told_here(report: pytest.TestReport) -> pytest.TestReport:
    """A test that was skipped in there did not run at all, and that is a failure."""
    if report.outcome != "skipped" or hasattr(report, "wasxfail"):
        return report
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple | list) else str(report.longrepr)
    return failed(report.nodeid, f"skipped inside the lab kernel: {reason}")


SESSIONS = pytest.StashKey[dict[Path, Session]]()


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    if INSIDE or HERE not in item.path.parents:
        return None
    sessions = item.config.stash.setdefault(SESSIONS, {})
    if item.path not in sessions:
        mates = [mate for mate in item.session.items if mate.path == item.path]
        sessions[item.path] = Session(item.path, mates, item.config)
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in sessions[item.path].reports(item.nodeid):
        item.ihook.pytest_runtest_logreport(report=told_here(report))
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    if nextitem is None or nextitem.path != item.path:
        sessions[item.path].finish()
    return True


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Inside: each report goes out at once, so that a kernel that dies later takes none with it."""
    path = os.environ.get(RESULTS)
    if not INSIDE or path is None or _config is None:
        return
    data: dict[str, Any] = _config.hook.pytest_report_to_serializable(config=_config, report=report)
    with Path(path).open("a") as file:
        file.write(json.dumps(data) + "\n")


@pytest.fixture(autouse=True)
def _measured(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test measured goes out with its report."""
    MEASURED.clear()
    yield
    request.node.user_properties += [("measured", line) for line in MEASURED]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if INSIDE:
        return
    lines = [
        f"{report.nodeid.split('/')[-1]}\n    {line}"
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "teardown"
        for name, line in report.user_properties
        if name == "measured"
    ]
    if lines:
        terminalreporter.section("measured in the lab")
        for line in lines:
            terminalreporter.line(line)


_config: pytest.Config | None = None


def pytest_configure(config: pytest.Config) -> None:
    global _config
    _config = config


def pytest_unconfigure(config: pytest.Config) -> None:
    for session in config.stash.get(SESSIONS, {}).values():
        session.close()
