"""What an agent is told before it talks."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.core.commands import OpenAgent
from bridge.core.model import JSON, AudioFormat, Person, Task
from bridge.live.briefing import Briefing, context
from persistence.record import open_record
from tests.support.playbook import AGENT

NOW = datetime(2026, 11, 21, 22, 30, tzinfo=UTC)
ANNA = Person(
    id="u", name="Anna", time_zone="Europe/Berlin", chronotype="early bird", work_hours="09:00-17:00"
)


def task(task_id: str, title: str, at: datetime | None) -> Task:
    return Task(id=task_id, title=title, trigger_type="time", scheduled_at=at, created_at=NOW)


def test_the_users_context_is_in_their_own_time() -> None:
    late = task("7", "call mom", datetime(2026, 11, 21, 22, 45, tzinfo=UTC))
    tomorrow = task("8", "run", datetime(2026, 11, 22, 23, 30, tzinfo=UTC))
    text = context(ANNA, [late, tomorrow], NOW)
    assert "- Now: Saturday, 21 November 2026, 23:30" in text
    assert "- Name: Anna" in text
    today, others = text.split("### Other tasks")
    assert "- task_id 7: call mom, Saturday 2026-11-21 23:45" in today
    assert "- task_id 8: run, Monday 2026-11-23 00:30" in others


def test_what_is_not_known_is_not_told() -> None:
    text = context(Person(id="u"), [], NOW)
    assert "Name" not in text
    assert text.count("- none") == 2


@pytest.mark.parametrize(
    ("greet", "own", "expected"),
    [
        (True, None, "Hey!"),
        (False, None, ""),
        (True, {"greeting": "Ahoy"}, "Ahoy"),
        (True, {"think": {}}, ""),
    ],
)
async def test_the_greeting_is_the_agents_or_that_of_the_clients_block(
    tmp_path: Path, greet: bool, own: JSON | None, expected: str
) -> None:
    command = OpenAgent(
        audio_in=AudioFormat(), audio_out=AudioFormat(), greet=greet, history=(), client_agent=own
    )
    async with open_record(f"sqlite:///{tmp_path}/x.db", tmp_path) as record:
        person = await record.store.person("u")
        brief = await Briefing(record.store, lambda: NOW).brief(person, AGENT, command)
    assert brief.greeting == expected
    assert brief.prompt.startswith("You help.\n\n## The user")
