"""TCP_CHECK: the server is up if it takes a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lvsd.check.probe import ConnectingCheck, Layer, Outcome, Target
from lvsd.core.conf.keyword import block

if TYPE_CHECKING:
    from lvsd.check.dial import Dial


@block("TCP_CHECK", "Up if a connection is taken.")
class TcpCheck(ConnectingCheck):
    async def run(self, target: Target, dial: Dial) -> Outcome:
        await dial.connect(target)
        return Outcome(True, Layer.L4, "connection taken", dial.elapsed)
