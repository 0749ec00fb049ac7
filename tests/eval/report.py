"""The tables of a run, and what of the tuning set failed, by cause."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from tests.eval.cases import SETS
from tests.eval.judging import TIMES
from tests.eval.lane import Result
from tests.eval.wording import errors, words

STAGES = {
    "stt_latency": "hearing",
    "ttt_text_latency": "thinking",
    "ttt_tool_latency": "functions",
    "tts_latency": "speaking",
    "total_latency": "all, as the agent reports it",
}
"""Key of Deepgram's `LatencyReport` → row of the table."""


class Cause(StrEnum):
    """Where a talk went wrong first."""

    BROKEN = "broken off"
    HEARING = "hearing"
    TURNS = "turns"
    UNDERSTANDING = "understanding"
    TIMES = "times"


@dataclass(frozen=True, slots=True)
class Report:
    """A run's results, typed and spoken."""

    results: Sequence[Result]

    def text(self) -> str:
        """All tables, as Markdown."""
        return "\n\n".join(
            table for table in (self._sets(), self._kinds(), self._voices(), self._delays()) if table
        )

    def failures(self) -> str:
        """What of the tuning set is not right, by cause. Never the held-out sentences."""
        bad = [r for r in self._of("tuning") if not r.verdict.good or r.problem]
        parts = []
        for cause in Cause:
            lines = sorted(_line(r) for r in bad if self.cause(r) == cause)
            if lines:
                parts.append(f"{cause} ({len(lines)})\n" + "\n".join(lines))
        return "\n\n".join(parts)

    def cause(self, result: Result) -> Cause:
        """Typed words that fail were heard right: then it is not the ear."""
        if result.problem:
            return Cause.BROKEN
        typed = [r for r in self.results if not r.job.voice and r.job.case == result.job.case]
        blame = result if not typed or typed[0].verdict.good else typed[0]
        if blame.job.voice:
            if errors(result.said, result.heard)[0]:
                return Cause.HEARING
            if len(result.said) != len(result.heard):
                return Cause.TURNS
        verdict = blame.verdict
        only_times = verdict.wrong and all(wrong.argument in TIMES for wrong in verdict.wrong)
        return Cause.TIMES if only_times and not verdict.missing else Cause.UNDERSTANDING

    def _of(self, name: str) -> list[Result]:
        return [result for result in self.results if result.job.case.set == name]

    def _sets(self) -> str:
        head = (
            "set", "how", "wishes", "every argument right", "without a question",
            "talks right", "wrong actions", "word error rate", "first sound p50", "p95",
        )  # fmt: skip
        groups = [(name, how) for name in SETS for how in ("typed", "spoken")]
        found = {g: [r for r in self._of(g[0]) if bool(r.job.voice) == (g[1] == "spoken")] for g in groups}
        rows = [(name.replace("_", " "), how, *_figures(r)) for (name, how), r in found.items() if r]
        return _table(head, rows)

    def _kinds(self) -> str:
        kinds = list(dict.fromkeys(r.job.case.kind for r in self.results))
        names = [(name, spoken) for name in SETS for spoken in (False, True)]
        names = [(n, s) for n, s in names if any(bool(r.job.voice) == s for r in self._of(n))]
        heads = [f"{name.replace('_', ' ')}, {'spoken' if spoken else 'typed'}" for name, spoken in names]
        rows = []
        for kind in kinds:
            cells = []
            for name, spoken in names:
                some = [r for r in self._of(name) if r.job.case.kind == kind and bool(r.job.voice) == spoken]
                cells.append(f"{sum(r.verdict.good for r in some)} of {len(some)}")
            rows.append((kind, *cells))
        return _table(("talks right", *heads), rows)

    def _voices(self) -> str:
        voices = sorted({r.job.voice for r in self.results if r.job.voice})
        rows = []
        for voice in voices:
            some = [r for r in self.results if r.job.voice == voice]
            rows.append((voice, _rate(some), _share(some, lambda r: r.verdict.good)))
        return _table(("voice", "word error rate", "talks right"), rows) if rows else ""

    def _delays(self) -> str:
        replies = [reply for r in self.results if r.job.voice for reply in r.replies]
        if not replies:
            return ""
        rows = [
            (
                "end of speech → first byte of the agent's sound",
                *_milliseconds(r.first_byte for r in replies),
            ),
            ("end of speech → first loud sample of it", *_milliseconds(r.first_sound for r in replies)),
        ]
        for key, stage in STAGES.items():
            rows.append((f"stage: {stage}", *_milliseconds(_number(r.stages.get(key)) for r in replies)))
        return _table(("delay", "p50", "p95"), rows)


def _figures(results: Sequence[Result]) -> tuple[str, ...]:
    wishes = sum(r.verdict.wishes for r in results)
    right = sum(r.verdict.right for r in results)
    at_once = sum(r.verdict.right for r in results if not r.asked)
    spoken = bool(results[0].job.voice)
    sounds = [reply.first_sound for r in results for reply in r.replies] if spoken else []
    return (
        str(wishes),
        _percent(right, wishes),
        _percent(at_once, wishes),
        _share(results, lambda r: r.verdict.good),
        str(sum(len(r.verdict.extra) for r in results)),
        _rate(results) if spoken else "",
        *(_milliseconds(sounds) if spoken else ("", "")),
    )


def _line(result: Result) -> str:
    asked = " (a question was answered)" if result.asked else ""
    text = f"- [{result.job.voice or 'typed'}] {' | '.join(result.said)}{asked}\n    {result.verdict}"
    if result.problem:
        text += f"\n    broke off: {result.problem}"
    if words(" ".join(result.heard)) != words(" ".join(result.said)) or len(result.heard) != len(result.said):
        text += f"\n    heard: {' | '.join(result.heard)}"
    return text + "\n    agent: " + " / ".join(line for reply in result.replies for line in reply.said)


def _rate(results: Sequence[Result]) -> str:
    counts = [errors(r.said, r.heard) for r in results]
    return _percent(sum(wrong for wrong, _ in counts), sum(said for _, said in counts))


def _share(results: Sequence[Result], good: Callable[[Result], bool]) -> str:
    return _percent(sum(good(r) for r in results), len(results))


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else ""


def _milliseconds(seconds: Iterable[float | None]) -> tuple[str, str]:
    known = [s for s in seconds if s is not None]
    if not known:
        return "", ""
    middle, high = np.percentile(known, (50, 95))
    return f"{middle * 1000:.0f} ms", f"{high * 1000:.0f} ms"


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown whose columns are also straight on a terminal."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |"
        for row in (head, *rows)
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]])
