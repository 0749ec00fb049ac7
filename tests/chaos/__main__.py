"""`make chaos`: faults on and on. `ARGS="kills drain --seed 7"` chooses scenarios and repeats a run."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos import agents, away, doubles, drains, fuzz, half_open, kills, lines, noted, soak
from tests.chaos.figures import Figure, Scenario, table
from tests.chaos.servers import nothing_left

SCENARIOS = (
    *(kills.SCENARIO, drains.SCENARIO, away.SCENARIO, noted.SCENARIO, doubles.SCENARIO),
    *(agents.SCENARIO, lines.SCENARIO, half_open.SCENARIO),
    fuzz.SCENARIO,
    soak.SCENARIO,
)


def main() -> None:
    """Run them and print what was found. Ends at the first thing lost or done twice, with an error."""
    known = {scenario.name: scenario for scenario in SCENARIOS}
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="|".join(known), help="default: all")
    parser.add_argument("--seed", type=int, default=random.randrange(1, 10**6))
    options = parser.parse_args()
    if unknown := set(options.names) - set(known):
        parser.error(f"there is no scenario {', '.join(sorted(unknown))}")
    chosen = [known[name] for name in options.names or known]
    minutes = sum(scenario.minutes for scenario in chosen)
    print(f"{len(chosen)} scenarios, seed {options.seed}: about {minutes:.0f} minutes.", flush=True)
    figures = [figure for scenario in chosen for figure in _run(scenario, options.seed)]
    sys.exit(not all(figure.met for figure in figures))


def _run(scenario: Scenario, seed: int) -> list[Figure]:
    print(f"{scenario.name}: {scenario.says}", end=" ", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        figures = list(asyncio.run(_awaited(scenario, Path(folder), seed)))
    print(f"{(time.monotonic() - began) / 60:.1f} min", table(figures), sep="\n", flush=True)
    return figures


async def _awaited(scenario: Scenario, folder: Path, seed: int) -> list[Figure]:
    async with nothing_left(folder):
        return list(await scenario.run(folder, seed))


main()
