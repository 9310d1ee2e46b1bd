"""The check process on a kernel without IPVS: it says so, and takes what needs none."""

from __future__ import annotations

import pytest

from lvsd.core.ipc.messages import Refused
from tests.lab.check_process import Process
from tests.lab.kernel_boot import host_has_ipvs

pytestmark = pytest.mark.lab
SERVICE = "virtual_server 10.9.9.9 80 {\n protocol TCP\n real_server 127.0.0.1 80 {\n }\n}\n"


@pytest.mark.xfail(host_has_ipvs(), reason="this kernel has IPVS", run=False)
def test_without_ipvs_a_configuration_with_services_is_refused_with_a_sentence() -> None:
    process = Process()
    process.prepare(SERVICE)
    refused = process.wait(Refused)
    assert refused.generation == 1
    (problem,) = refused.problems
    assert problem.startswith("The kernel has no IPVS: its module ip_vs is not there")
    assert process.stop() == 0
