"""The queues of operators' programs: those of one queue run one after the other, in order; those of none at once."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections import deque
from collections.abc import Callable

from lvsd.core.ipc.messages import ProgramEnded, RunProgram
from lvsd.core.program import Program

LONGEST_QUEUE = 100
"""Programs that wait in one queue; a further one pushes out the oldest, which is said in the log."""
log = logging.getLogger("lvsd.script")

Answer = Callable[[ProgramEnded], None]


class Scripts:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: dict[str, deque[tuple[RunProgram, Answer]]] = {}
        self._running: set[Program] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    def run(self, order: RunProgram, answer: Answer) -> None:
        """answer is called once with what became of it, also where it could not be started."""
        if not order.queue:
            self._start(order, answer)
            return
        queue = self._waiting.get(order.queue)
        if queue is None:
            self._waiting[order.queue] = deque()
            self._start(order, answer)
            return
        if len(queue) >= LONGEST_QUEUE:
            dropped, its_answer = queue.popleft()
            why = f"{dropped.argv[0]} was not run: {LONGEST_QUEUE} programs wait before it"
            its_answer(ProgramEnded(dropped.id, 0, False, "", 0.0, why))
            log.error("%s: %s", dropped.purpose, why)
        queue.append((order, answer))

    def _start(self, order: RunProgram, answer: Answer) -> None:
        def ended(result: ProgramEnded) -> None:
            self._running.discard(program)
            self._tell(order, result)
            answer(result)
            self._next(order.queue)
            if not self._running:
                self._idle.set()

        program = Program(order, self._loop, ended)
        self._running.add(program)
        self._idle.clear()
        program.start()

    def _next(self, name: str) -> None:
        queue = self._waiting.get(name)
        if queue:
            self._start(*queue.popleft())
        else:
            self._waiting.pop(name, None)

    @staticmethod
    def _tell(order: RunProgram, result: ProgramEnded) -> None:
        if order.id:  # who asked for an answer judges it himself
            return
        if result.failed:
            log.error("%s: %s", order.purpose, result.failed)
        elif result.timed_out:
            log.error("%s: %s was killed after %g s", order.purpose, order.argv[0], order.timeout)
        elif result.status:
            how = f"status {result.status}" if result.status > 0 else f"signal {signal.Signals(-result.status).name}"
            said = f": {result.output.strip()[:200]}" if result.output.strip() else ""
            log.warning("%s: %s ended with %s%s", order.purpose, order.argv[0], how, said)

    async def drain(self, patience: float) -> None:
        """Waits until nothing runs, at most patience seconds, then kills what still does."""
        try:
            async with asyncio.timeout(patience):
                await self._idle.wait()
        except TimeoutError:
            for program in self._running:
                program.kill(signal.SIGKILL)
