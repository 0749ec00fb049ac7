"""`make eval`: says and types all sentences through the whole bridge, prints the tables, fails never."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.eval import voices
from tests.eval.cases import SETS, Case, load
from tests.eval.lane import Job, Run, Voiced, run
from tests.eval.report import Report

DOCUMENT = Path(__file__).parents[2] / "docs" / "evaluation.md"
BEGIN, END = "<!-- last run -->", "<!-- end of the last run -->"


def main() -> int:
    options = _options()
    cases = [case for name in options.sets for case in load(name)][:: options.every][: options.limit]
    if not options.typed and (lacking := voices.provide()):
        print(lacking)
        return 2
    begun = time.monotonic()
    found = asyncio.run(_measure(cases, options))
    report = Report(found.results)
    print(f"\n{report.text()}\n")
    print(report.failures() or "Nothing of the tuning set failed.")
    if found.faults:
        print(f"\nThe servers logged errors: {', '.join(sorted(set(found.faults)))}")
    print(f"\n{_circumstances(options, found, time.monotonic() - begun)}")
    if options.write:
        write(f"{report.text()}\n\n{_circumstances(options, found, time.monotonic() - begun)}")
        print(f"Written to {DOCUMENT.name}.")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.eval", description="How well wishes are understood."
    )
    parser.add_argument("--set", choices=(*SETS, "both"), default="both", dest="sets")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--typed", action="store_true", help="only type the sentences; no sound")
    way.add_argument("--spoken", action="store_true", help="only speak them")
    parser.add_argument("--voices", default=",".join(voices.VOICES), help="which speak: slt,rms,awb,kal16")
    parser.add_argument("--takes", type=int, default=2, help="how many of the voices speak each sentence")
    parser.add_argument("--limit", type=int, help="so many sentences at most")
    parser.add_argument("--every", type=int, default=1, help="every so many sentences")
    parser.add_argument("--lanes", type=int, default=10, help="how many talk at the same time")
    parser.add_argument("--write", action="store_true", help=f"keep the tables in {DOCUMENT.name}")
    options = parser.parse_args()
    options.sets = SETS if options.sets == "both" else (options.sets,)
    options.voices = options.voices.split(",")
    if strange := set(options.voices) - set(voices.VOICES):
        parser.error(f"there is no voice {', '.join(sorted(strange))}")
    return options


async def _measure(cases: Sequence[Case], options: argparse.Namespace) -> Run:
    jobs = [job for number, case in enumerate(cases) for job in _jobs(number, case, options)]
    typed = sum(not job.voice for job in jobs)
    print(f"{typed} talks typed, {len(jobs) - typed} spoken, {options.lanes} at a time.", flush=True)
    voiced = await _voiced([job for job in jobs if job.voice])
    with tempfile.TemporaryDirectory() as folder:
        return await run(jobs, lanes=options.lanes, folder=Path(folder), voiced=voiced)


def _jobs(number: int, case: Case, options: argparse.Namespace) -> list[Job]:
    """A sentence typed, and spoken by some of the voices; over all sentences each as often as the others."""
    names: list[str] = options.voices
    takes = 0 if options.typed else min(options.takes, len(names))
    turned = [names[(number + take * len(names) // takes) % len(names)] for take in range(takes)]
    return [Job(case=case, voice=voice) for voice in ([] if options.spoken else [""]) + turned]


async def _voiced(jobs: Sequence[Job]) -> Voiced:
    """The sound of every sentence, made before anything is measured."""
    wanted = {(turn, job.voice) for job in jobs for turn in (*job.case.say, job.case.answer)}
    made: Voiced = {}
    few = asyncio.Semaphore(os.cpu_count() or 1)

    async def one(sentence: str, voice: str) -> None:
        async with few:
            made[sentence, voice] = await voices.speak(sentence, voice)

    async with asyncio.TaskGroup() as group:
        for sentence, voice in sorted(wanted):
            group.create_task(one(sentence, voice), name="voice")
    return made


def _circumstances(options: argparse.Namespace, found: Run, seconds: float) -> str:
    day = datetime.now(UTC).date()
    return (
        f"{len(found.results)} talks on {day}, {options.lanes} at a time on {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, in {seconds / 60:.1f} minutes."
    )


def write(text: str) -> None:
    """Put the tables in their place in the document."""
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    sys.exit(main())
