"""The benchmark in small: it measures, its figures can be true, and it leaves nothing running."""

from __future__ import annotations

import asyncio
import math
import os
import re
import sys
import time
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from tests.bench.crowd import Crowd
from tests.bench.dress import JSON, PLAIN, Dress
from tests.bench.environments import python_with
from tests.bench.idle import sit_idle
from tests.bench.long import talk_long
from tests.bench.measuring import Load, open_bench, percentile
from tests.bench.most import Outcome, Step, carried, climb_all, next_count
from tests.bench.most_table import most_table
from tests.bench.processes import Cores, started
from tests.bench.start import time_openings
from tests.bench.ways import BRIDGE, FLOOR, listening, ways

MARK = "BENCH_TEST_MARK"
FIGURE = re.compile(r"-?\d+\.?\d*")


@asynccontextmanager
async def bench(mark: str, folder: Path, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m tests.bench`, its files under `folder`; all it starts carries `mark` in its environment."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench", *options),
        env={**os.environ, MARK: mark, "TMPDIR": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def marked(mark: str) -> list[str]:
    """Command lines of the processes that carry `mark` and still run."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


def figures(row: str) -> list[float]:
    """The medians of a row, without what stands in brackets."""
    return [float(cell) for cell in FIGURE.findall(re.sub(r"\(.*?\)", "", row))]


async def test_a_small_run_prints_a_table_whose_figures_can_be_true(tmp_path: Path) -> None:
    mark = uuid4().hex
    only = ",".join(way.key for way in ways() if way is not FLOOR)
    small = ("--sessions", "2", "--seconds", "1", "--rounds", "1", "--only", only)
    async with bench(mark, tmp_path, *small) as process:
        printed, complaints = (each.decode() for each in await process.communicate())
    assert process.returncode == 0, complaints
    lines = {line.split("  ")[0]: line for line in printed.splitlines()}
    direct = next(line for line in printed.splitlines() if line.startswith("directly"))
    assert all(0 < float(each) < 1000 for each in re.findall(r"p\d\d (\d+\.\d+)", direct)), direct
    for name in ("Voice Bridge", "Starlette, two tasks"):
        cpu = lines[name].removeprefix(name).split()[2]
        assert 0.1 < float(cpu) < 500, printed
        assert all(math.isfinite(each) for each in figures(lines[name])), printed
        *_, line_p50, line_p99 = figures(lines[name])
        assert 0 < line_p50 <= line_p99, printed
    assert "did not come back" not in printed
    assert marked(mark) == []
    assert list(tmp_path.iterdir()) == []


async def test_nothing_runs_on_when_it_is_killed(tmp_path: Path) -> None:
    mark = uuid4().hex
    async with bench(mark, tmp_path, "--rounds", "20") as process, asyncio.timeout(30):
        while len(marked(mark)) < 3:  # noqa: ASYNC110 — nobody tells what another process has started
            await asyncio.sleep(0.1)
        process.kill()
        await process.wait()
        while marked(mark):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("dress", [PLAIN, JSON], ids=lambda dress: dress.name)
async def test_sound_comes_back_in_its_dress_with_the_time_it_was_sent(dress: Dress, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.bench.agent"]
    log = tmp_path / "log"
    with started(command, listening, core=None, log=log) as (_, address), Crowd(address, dress) as crowd:
        await crowd.call(2)
        begun = time.monotonic_ns()
        tally = await crowd.talk(0.5)
        await crowd.await_echo()
    assert len(tally.round_trips) == tally.frames == 50
    assert all(0 < each < time.monotonic_ns() - begun for each in tally.round_trips)


async def test_the_bridge_runs_the_functions_that_are_called(tmp_path: Path) -> None:
    with (
        open_bench(tmp_path, Cores(None, None, None)) as bench,
        bench.relay(BRIDGE) as relay,
        Crowd(relay.address) as crowd,
    ):
        await crowd.call(1)
        tally = await crowd.talk(0.5)
        async with asyncio.timeout(5):
            while not tally.done:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("capacity", [3, 50, 730, 1600])
def test_the_most_that_is_carried_is_found_within_a_tenth(capacity: int) -> None:
    ladder: list[Step] = []
    while (count := next_count(ladder, 1600)) is not None:
        ladder.append(Step(count, Outcome.CARRIED if count <= capacity else Outcome.LATE))
        assert len(ladder) < 20
    most = carried(ladder)
    assert most is not None
    assert 0.9 * capacity <= most.sessions + 2
    assert most.sessions <= capacity


async def test_a_small_climb_says_what_stopped_it(tmp_path: Path) -> None:
    with open_bench(tmp_path, Cores(None, None, None)) as bench:
        ladders = await climb_all(bench, [FLOOR], 0.5, most=2)
    assert [step.sessions for step in ladders[FLOOR]] == [2]
    row = next(line for line in most_table(ladders).splitlines() if line.startswith(FLOOR.name))
    assert "≥ 2" in row
    assert "nothing" in row


async def test_openings_are_timed_less_the_agents_own(tmp_path: Path) -> None:
    with open_bench(tmp_path, Cores(None, None, None)) as bench:
        report = await time_openings(bench, [BRIDGE], Load(2, 1, 1))
    row = next(line for line in report.splitlines() if line.startswith(BRIDGE.name))
    alone_p50, _, together_p50, _ = (float(each) for each in row.removeprefix(BRIDGE.name).split())
    assert 0 < alone_p50 < together_p50 < 5000, report


async def test_a_long_talk_is_measured_at_both_ends(tmp_path: Path) -> None:
    with open_bench(tmp_path, Cores(None, None, None)) as bench:
        report = await talk_long(bench, [FLOOR], Load(2, 1, 1), minutes=0.02)
    parts = report.splitlines()[4:7]
    assert [line[:8] for line in parts] == ["the firs", "the last", "a fresh "], report
    assert "0 frames did not come back" in report
    assert all(0 < float(line.split()[-1]) < 1000 for line in parts), report


async def test_silent_sessions_are_weighed(tmp_path: Path) -> None:
    with open_bench(tmp_path, Cores(None, None, None)) as bench:
        report = await sit_idle(bench, [FLOOR], Load(10, 1, 1), seconds=0.2)
    whole, each, cpu = (float(cell) for cell in report.splitlines()[-1].removeprefix(FLOOR.name).split())
    assert 10 < whole < 500
    assert -100 < each < 1000
    assert 0 <= cpu < 1000


def test_packages_that_cannot_be_had_are_told_in_a_sentence() -> None:
    with pytest.raises(RuntimeError, match=r"^not a package cannot be had to compare with: "):
        python_with(("not a package",))


def test_a_percentile_is_a_value_that_was_measured() -> None:
    times = array("q", (n * 1_000_000 for n in range(1, 101)))
    assert (percentile(times, 50), percentile(times, 99)) == (51.0, 100.0)
    assert math.isnan(percentile(array("q"), 50))
