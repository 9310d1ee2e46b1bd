"""Operators' programs, with real ones: order, time-out, flood, process group, one result each."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from lvsd.core.ipc.messages import ProgramEnded, RunProgram
from lvsd.core.notify.script import LONGEST_QUEUE, Scripts


def order(script: str, number: int = 1, queue: str = "", timeout: float = 10.0, user: str = "root") -> RunProgram:
    return RunProgram(number, ("/bin/sh", "-c", script), user, "", timeout, "test", queue)


async def results(*orders: RunProgram) -> list[ProgramEnded]:
    scripts = Scripts(asyncio.get_running_loop())
    ended: list[ProgramEnded] = []
    for each in orders:
        scripts.run(each, ended.append)
    async with asyncio.timeout(20):
        while len(ended) < len(orders):
            await asyncio.sleep(0.01)
    return ended


async def test_status_and_output_come_back() -> None:
    (result,) = await results(order("echo out; echo err >&2; exit 3"))
    assert (result.status, result.output, result.timed_out, result.failed) == (3, "out\nerr\n", False, "")


async def test_programs_of_one_queue_run_in_order_and_never_together(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    pauses = (0.2, 0.0, 0.1, 0.0)
    await results(
        *(order(f"echo a{n} >> {trace}; sleep {s}; echo b{n} >> {trace}", n + 1, "VI_1") for n, s in enumerate(pauses))
    )
    assert trace.read_text().split() == [f"{side}{n}" for n in range(len(pauses)) for side in "ab"]


async def test_other_queues_do_not_wait() -> None:
    ended = await results(order("sleep 0.5", 1, "slow"), order("true", 2, "quick"), order("true", 3))
    assert ended[-1].id == 1


async def test_a_hung_program_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    (result,) = await results(order(f"trap '' TERM; sleep 60 & echo $! $$ > {pids}; wait; wait", timeout=0.3))
    assert result.timed_out
    deadline = time.monotonic() + 5
    for pid in map(int, pids.read_text().split()):
        while _alive(pid):
            assert time.monotonic() < deadline, f"{pid} still runs"
            await asyncio.sleep(0.02)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


async def test_a_flood_of_output_is_cut_and_the_program_not_stopped_by_it() -> None:
    (result,) = await results(order("head -c 3000000 /dev/zero | tr '\\0' x; exit 0"))
    assert result.status == 0
    assert len(result.output) == 8192


async def test_a_descendant_that_keeps_the_output_open_is_not_waited_for() -> None:
    (result,) = await results(order("sleep 3 & echo done"))
    assert result.output == "done\n"
    assert result.seconds < 2


async def test_what_cannot_be_run_has_a_result_that_says_why() -> None:
    missing = RunProgram(1, ("/no/such/program",), "root", "", 1.0, "test")
    stranger = order("true", 2, user="nosuchuser")
    by_id = {result.id: result for result in await results(missing, stranger)}
    assert "/no/such/program could not be run: No such file" in by_id[1].failed
    assert "the user nosuchuser is unknown" in by_id[2].failed


async def test_a_program_runs_as_its_user_without_supplementary_groups() -> None:
    (result,) = await results(order("id -u; id -G", user="nobody"))
    uid, groups = result.output.split("\n")[:2]
    assert uid != str(os.getuid())
    assert "0" not in groups.split()


async def test_dangerous_variables_are_not_inherited() -> None:
    os.environ["LD_PRELOAD"] = ""
    os.environ["NOTIFY_SOCKET"] = "/run/x"
    try:
        (result,) = await results(order("env"))
    finally:
        del os.environ["LD_PRELOAD"], os.environ["NOTIFY_SOCKET"]
    assert "LD_PRELOAD" not in result.output
    assert "NOTIFY_SOCKET" not in result.output


async def test_a_queue_that_grows_without_end_loses_its_oldest_with_a_result() -> None:
    orders = [order("sleep 0.4" if n == 0 else "true", n + 1, "VI_1") for n in range(LONGEST_QUEUE + 5)]
    ended = await results(*orders)
    dropped = [result.id for result in ended if "was not run" in result.failed]
    assert dropped == [2, 3, 4, 5]
    assert len(ended) == len(orders)


async def test_draining_kills_what_does_not_end() -> None:
    scripts = Scripts(asyncio.get_running_loop())
    ended: list[ProgramEnded] = []
    scripts.run(order("sleep 60"), ended.append)
    await scripts.drain(0.1)
    async with asyncio.timeout(5):
        while not ended:
            await asyncio.sleep(0.01)
    assert ended[0].status == -9
