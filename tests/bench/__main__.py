"""`python -m tests.bench`: measure, print a report, leave nothing behind."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop

from tests.bench.idle import sit_idle
from tests.bench.long import talk_long
from tests.bench.measuring import Load, open_bench
from tests.bench.processes import allow_many_sockets, cores, pin
from tests.bench.reports import Report, compare, find_most
from tests.bench.start import time_openings
from tests.bench.ways import Way, more_ways, ways

LIMIT_SECONDS = 5400.0
"""For all of it, whatever goes wrong."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command. Returns the process's exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    report, sessions = _report(options)
    load = Load(options.sessions or sessions, options.seconds, options.rounds)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            print(runner.run(_measured(report, _chosen(options.only, options.more), load)))
        except (OSError, RuntimeError) as error:
            print(f"bench: {str(error) or 'it took too long'}", file=sys.stderr)
            return 1
        except asyncio.CancelledError:
            return 128 + signal.SIGTERM
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure what a relay costs.")
    parser.add_argument("--sessions", type=_within(2, 4000), help="at a time (50)")
    parser.add_argument("--seconds", type=_within(1, 60), default=3, help="of talk in each round (3)")
    parser.add_argument("--rounds", type=_within(1, 20), default=3, help="in which all ways take turns (3)")
    parser.add_argument("--only", type=_keys, help=f"some of the ways: {','.join(w.key for w in ways())}")
    parser.add_argument(
        "--with", dest="more", type=_keys, default=(), help=f"also {','.join(w.key for w in more_ways())}"
    )
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument("--most", action="store_true", help="how many sessions a core carries")
    modes.add_argument("--start", action="store_true", help="how long a session takes to begin")
    modes.add_argument("--long", type=_within(1, 30), metavar="MINUTES", help="one long talk of 10 sessions")
    modes.add_argument("--idle", type=_within(2, 4000), metavar="SESSIONS", help="what silent sessions cost")
    return parser


def _report(options: argparse.Namespace) -> tuple[Report, int]:
    """What is asked for, and how many sessions it takes unless somebody says."""
    if options.most:
        return find_most, 50
    if options.start:
        return time_openings, 50
    if options.long:
        return partial(talk_long, minutes=options.long), 10
    if options.idle:
        return sit_idle, options.idle
    return compare, 50


def _within(low: int, high: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{value} is not within {low} and {high}")
        return value

    return number


def _keys(text: str) -> Sequence[str]:
    keys = text.split(",")
    if unknown := set(keys) - {way.key for way in (*ways(), *more_ways())}:
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: no such way here")
    return keys


def _chosen(only: Sequence[str] | None, more: Sequence[str]) -> list[Way]:
    asked = {*(only or [way.key for way in ways()]), *more}
    return [way for way in (*ways(), *more_ways()) if way.key in asked]


async def _measured(report: Report, chosen: Sequence[Way], load: Load) -> str:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    places = cores()
    pin(places.load)
    allow_many_sockets()
    with TemporaryDirectory(prefix="voice-bridge-bench-") as folder:
        async with asyncio.timeout(LIMIT_SECONDS):
            with open_bench(Path(folder), places) as bench:
                return await report(bench, chosen, load)


if __name__ == "__main__":
    sys.exit(main())
