"""`voice-bridge build-language-model`: teaches the local ear the words of an agent."""

from __future__ import annotations

import argparse
import sys

from bridge.errors import BadConfig
from bridge.settings import load
from bridge.upstreams.cascade.hearing.language_model import build_for
from bridge.upstreams.cascade.local import missing
from intents.agents import load_agent


def add_language_model(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command."""
    build = commands.add_parser("build-language-model", help="teach the local ear the words of an agent")
    build.add_argument("agent", help="the name of its folder")
    build.set_defaults(run=_build)


def _build(options: argparse.Namespace) -> int:
    """Write it into the agent's folder. Raises BadConfig."""
    if lacking := missing():
        raise BadConfig(f"the local agent is not installed; missing: {', '.join(lacking)}")
    folder = load().agents_dir / options.agent
    report = build_for(load_agent(folder), folder / "hearing")
    lines = [f"{report.sentences} sentences, {report.words} words, {report.ngrams} n-grams"]
    for what, words in (("pronunciation guessed", report.guessed), ("left out", report.left_out)):
        if words:
            lines.append(f"{what}: {', '.join(words)}")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0
