"""Talks of several turns with five agents: how many go as they were written down, against a floor."""

from pathlib import Path

import pytest
import yaml

from tests.bridge.upstreams.cascade.thinking.talks import Talk, differences, mind

TABLE = yaml.safe_load((Path(__file__).parent / "development.yaml").read_text(encoding="utf-8"))
FLOORS = {"flux": 0.97, "pantry": 0.95, "cafe": 0.93, "home": 0.97, "notebook": 0.95}


def test_the_list_is_long_enough() -> None:
    assert sum(len(talks) for talks in TABLE.values()) >= 150


@pytest.mark.parametrize("agent", list(TABLE))
async def test_most_talks_go_as_written(agent: str) -> None:
    wrong = {name: found for name, lines in TABLE[agent].items() if (found := await problems(agent, lines))}
    share = 1 - len(wrong) / len(TABLE[agent])
    report = "\n".join(f"{name}: {found}" for name, found in wrong.items())
    assert share >= FLOORS[agent], f"{share:.1%}\n{report}"


async def problems(agent: str, lines: list[str]) -> list[str]:
    """The first turn of a talk that does not go as written, and why; empty when all do."""
    talk, expected = Talk(mind(agent)), 0
    for line in [*lines, "> "]:
        mark, _, text = line.partition(" ")
        wrong: list[str] = []
        match mark:
            case ">":
                wrong = [f"also called {call}" for call in talk.calls[expected:]]
                if not wrong and line is not lines[-1]:
                    last, expected = text, 0
                    await talk.say(text)
            case "=":
                name, _, arguments = text.partition(" ")
                if expected < len(talk.calls):
                    wrong = differences(talk.calls[expected], name, yaml.safe_load(arguments))
                else:
                    wrong = [f"not called {text}"]
                expected += 1
            case "-":
                wrong = [f"called {call}" for call in talk.calls] + ([] if talk.said else ["said nothing"])
            case _:
                there = any(words.strip() in " ".join(talk.said) for words in text.split(" / "))
                wrong = [] if there is (mark == "~") else [line]
        if wrong:
            return [f"after “{last}”", *wrong, f"said {talk.said}"]
    return []
