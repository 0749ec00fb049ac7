"""Questions that are answered without a function: which things there are, when one is, what to choose."""

import pytest

from tests.bridge.upstreams.cascade.thinking.talks import Talk, mind


@pytest.mark.parametrize(
    ("agent", "question", "answer"),
    [
        (
            "flux",
            "do i have any tasks on friday",
            "You have two tasks on friday: dentist appointment on Friday at 3 PM",
        ),
        ("flux", "what do i have to do tomorrow", "morning run tomorrow at 7 AM and call with Sarah"),
        ("flux", "do i have anything planned next week", "one task next week: team meeting on Monday"),
        ("flux", "can you show me my tasks", "You have five tasks: morning run"),
        ("flux", "what are my goals", "You don't have any goals yet."),
        ("flux", "do i have anything on saturday", "You don't have any tasks on saturday."),
        ("flux", "when is the team meeting", "Team meeting is on Monday at 10 AM."),
        ("cafe", "which sizes do you have", "There is small, medium or large."),
    ],
)
async def test_what_is_known_is_told(agent: str, question: str, answer: str) -> None:
    talk = Talk(mind(agent))
    await talk.say(question)
    assert answer in " ".join(talk.said)
    assert talk.calls == []


@pytest.mark.parametrize(
    ("agent", "wish"),
    [
        ("flux", "don't let me forget to pick up my kids tomorrow at nine"),
        ("flux", "i have to list my old bike tomorrow at nine"),
        ("pantry", "what do i need to buy"),
        ("notebook", "show me all my notes"),
        ("home", "what is on"),
    ],
)
async def test_a_wish_is_done_and_not_told(agent: str, wish: str) -> None:
    talk = Talk(mind(agent))
    await talk.say(wish)
    assert len(talk.calls) == 1
