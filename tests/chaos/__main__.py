"""`make chaos`: the long form. `ARGS="--kills 1000 --talks 20 --seed 7"`."""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from pathlib import Path

from tests.chaos.kills import killed

SECONDS_A_KILL = 3.5


def main() -> None:
    """Run it and print what was seen. Ends with an error at the first thing that is lost or done twice."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=150)
    parser.add_argument("--talks", type=int, default=14)
    parser.add_argument("--seed", type=int, default=random.randrange(1, 10**6))
    options = parser.parse_args()
    minutes = options.kills * SECONDS_A_KILL / 60
    print(f"{options.kills} kills, {options.talks} talks, seed {options.seed}: about {minutes:.0f} minutes.")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        running = killed(Path(folder), seed=options.seed, kills=options.kills, talks=options.talks)
        world = asyncio.run(running)
    seen = sum(map(len, world.seen.values()))
    spent = (time.monotonic() - began) / 60
    print("| calls cut | entries seen | lost, doubled, holes | effects promised | missing, twice | minutes |")
    print("|---|---|---|---|---|---|")
    print(f"| {world.resumed} | {seen} | 0 | {len(world.promised)} | 0 | {spent:.1f} |")


main()
