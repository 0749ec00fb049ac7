"""`python -m tests.bench`: measure, print one table, leave nothing behind."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop

from tests.bench.measuring import Load, Sample, measure
from tests.bench.processes import cores, pin
from tests.bench.table import table
from tests.bench.ways import Way, ways

MARGIN_SECONDS = 45.0
"""For each measurement, beyond its talk: to start a relay on a busy machine and to connect."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command. Returns the process's exit status."""
    options = _parser().parse_args(arguments)
    load = Load(options.sessions, options.seconds, options.rounds)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            print(table(runner.run(_measured(load)), load))
        except (OSError, RuntimeError, TimeoutError) as error:
            print(f"bench: {str(error) or 'it took too long'}", file=sys.stderr)
            return 1
        except asyncio.CancelledError:
            return 128 + signal.SIGTERM
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure what a relay costs.")
    parser.add_argument("--sessions", type=_within(2, 1000), default=50, help="at a time (50)")
    parser.add_argument("--seconds", type=_within(1, 60), default=3, help="of talk in each round (3)")
    parser.add_argument("--rounds", type=_within(1, 20), default=3, help="in which all ways take turns (3)")
    return parser


def _within(low: int, high: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{value} is not within {low} and {high}")
        return value

    return number


async def _measured(load: Load) -> dict[Way, list[Sample]]:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    chosen, places = ways(), cores()
    pin(places.load)
    limit = load.rounds * len(chosen) * (load.seconds + MARGIN_SECONDS)
    with TemporaryDirectory(prefix="voice-bridge-bench-") as folder:
        async with asyncio.timeout(limit):
            return await measure(chosen, load, places, Path(folder))


if __name__ == "__main__":
    sys.exit(main())
