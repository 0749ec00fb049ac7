"""Whole talks with agents from their folders: Flux, and two that were invented without a line of Python."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.bridge.upstreams.cascade.thinking.talks import Talk, differences, mind

TABLE = yaml.safe_load((Path(__file__).parent / "dialogues.yaml").read_text(encoding="utf-8"))


def cases() -> Iterator[object]:
    for agent, dialogues in TABLE.items():
        for name, lines in dialogues.items():
            yield pytest.param(agent, lines, id=f"{agent}: {name}")


def test_the_table_is_long_enough() -> None:
    assert sum(len(dialogues) for dialogues in TABLE.values()) >= 80


@pytest.mark.parametrize(("agent", "lines"), list(cases()))
async def test_a_talk_goes_as_written(agent: str, lines: list[str]) -> None:
    talk = Talk(mind(agent))
    expected = 0
    for line in lines:
        mark, _, text = line.partition(" ")
        match mark:
            case ">":
                assert expected == len(talk.calls), f"calls that nobody expected: {talk.calls[expected:]}"
                await talk.say(text)
                expected = 0
            case "~":
                said = " ".join(talk.said)
                assert any(words.strip() in said for words in text.split(" / ")), talk.said
            case "!":
                assert not any(words.strip() in " ".join(talk.said) for words in text.split(" / ")), talk.said
            case "=":
                name, _, arguments = text.partition(" ")
                assert len(talk.calls) > expected, talk.said
                assert differences(talk.calls[expected], name, yaml.safe_load(arguments)) == []
                expected += 1
            case _:
                assert talk.calls == []
                assert talk.said
    assert expected == len(talk.calls), f"calls that nobody expected: {talk.calls[expected:]}"
