"""MISC_CHECK: the server is up if a program of the operator's says so. Core runs the program."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from lvsd.check.probe import Check, Layer, Outcome, Target
from lvsd.core.conf.keyword import block, kw, optional, required
from lvsd.core.conf.values import Command, command, flag, seconds, user_group

if TYPE_CHECKING:
    from lvsd.check.dial import Dial

WEIGHT_BIAS = 2
"""With misc_dynamic, exit statuses from 2 to 255 mean up with weight status - 2."""


@block("MISC_CHECK", "Up if a program ends with status 0.")
class MiscCheck(Check):
    default_retry: ClassVar[int] = 0
    patience: ClassVar[float] = 5.0

    misc_path: Command = required(command, "The program and its arguments.")
    misc_timeout: float | None = optional(
        seconds(1e-6), "Seconds until the program is killed and has failed; delay_loop of the service by default."
    )
    misc_dynamic: bool = kw(
        flag, "Exit status 0 is up, 1 is down, 2 to 255 is up with a weight of status - 2.", default=False
    )
    user: Command | None = optional(user_group, "Identity that the program runs as; script_user by default.")

    async def run(self, target: Target, dial: Dial) -> Outcome:
        ended = await dial.program(self.misc_path.argv, target)
        if ended.failed:
            return Outcome(False, Layer.PROGRAM, f"the program was not started: {ended.failed}", ended.seconds)
        if ended.timed_out:
            return Outcome(False, Layer.PROGRAM, f"the program was killed after {target.timeout:g} s", ended.seconds)
        said = last_line(ended.output)
        if ended.status < 0:
            return Outcome(False, Layer.PROGRAM, f"the program died of signal {-ended.status}{said}", ended.seconds)
        reason = f"the program ended with status {ended.status}{said}"
        if ended.status == 0:
            return Outcome(True, Layer.PROGRAM, reason, ended.seconds)
        if self.misc_dynamic and ended.status >= WEIGHT_BIAS:
            return Outcome(True, Layer.PROGRAM, reason, ended.seconds, weight=ended.status - WEIGHT_BIAS)
        return Outcome(False, Layer.PROGRAM, reason, ended.seconds)


def last_line(output: str) -> str:
    lines = output.strip().splitlines()
    return f": {lines[-1][:120]}" if lines else ""
