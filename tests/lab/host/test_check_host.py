"""The check process on a kernel without IPVS: it says so."""

from __future__ import annotations

import pytest

from lvsd.core.ipc.messages import Ready, Refused
from tests.lab.check_process import Process
from tests.lab.kernel_boot import host_has_ipvs

pytestmark = pytest.mark.lab
SERVICE = "virtual_server 10.9.9.9 80 {\n protocol TCP\n real_server 127.0.0.1 80 {\n }\n}\n"


def test_without_ipvs_a_configuration_with_services_is_refused_with_a_sentence() -> None:
    process = Process()
    process.prepare(SERVICE)
    if host_has_ipvs():
        process.wait(Ready)
    else:
        (problem,) = process.wait(Refused).problems
        assert problem.startswith("The kernel has no IPVS: its module ip_vs is not there")
    assert process.stop() == 0
