"""The lab kernel is what the other tests in this folder take it for."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.lab


def test_the_tests_here_run_with_ipvs_in_the_kernel() -> None:
    assert os.environ["LVSD_LAB"] == "1"
    assert Path("/proc/net/ip_vs").read_text().startswith("IP Virtual Server")


def test_a_namespace_can_be_made_and_removed() -> None:
    subprocess.run(["ip", "netns", "add", "itself"], check=True)
    try:
        done = subprocess.run(
            ["ip", "netns", "exec", "itself", "ipvsadm", "-A", "-t", "192.0.2.1:80", "-s", "wrr"], check=False
        )
        assert done.returncode == 0
    finally:
        subprocess.run(["ip", "netns", "del", "itself"], check=True)
