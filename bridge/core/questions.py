"""What the user is asked before something is done that cannot be undone, and whether they have answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from bridge.core.calls import Key
from bridge.core.events import Moment

ANSWER_SECONDS = 120.0
"""How long a turn of the user counts as an answer, from when the agent was told to ask."""
ASK_FIRST = "nothing is done yet: ask this, and once they have said yes call it again with the same arguments"
"""What an agent is told beside the question; never spoken."""


class Stage(IntEnum):
    """How far a question is; one comes after the other."""

    TOLD = 0
    """The agent knows that it has to ask."""
    ASKED = 1
    """It has said something since."""
    ANSWERING = 2
    """The user has begun to speak since, or has typed something."""
    ANSWERED = 3
    """Words of theirs arrived."""


@dataclass(slots=True)
class Question:
    """About one call that ended UNCONFIRMED."""

    told_at: float
    """Clock."""
    stage: Stage = Stage.TOLD


@dataclass(slots=True)
class Questions:
    """All of a session, by their call. Another session of the conversation knows none of them: it asks again.

    What is said is not looked at: whether it is a yes is for the agent to understand. But that somebody has
    said something, after they could know what about, is not for the agent to say.
    """

    _open: dict[Key, Question] = field(default_factory=dict)

    def told(self, key: Key, now: Moment) -> None:
        """The agent was told to ask. What was said before is no answer."""
        self._open = {known: question for known, question in self._open.items() if not _over(question, now)}
        self._open[key] = Question(now.clock)

    def asked(self) -> None:
        """The agent said something."""
        self._advance(Stage.ASKED)

    def answering(self) -> None:
        """The user begins to speak, or has typed something."""
        self._advance(Stage.ANSWERING)

    def heard(self) -> None:
        """Words of the user arrived."""
        self._advance(Stage.ANSWERED)

    def withdraw(self, key: Key) -> None:
        """The agent has forgotten that call, and the question with it."""
        self._open.pop(key, None)

    def answered(self, now: Moment) -> frozenset[Key]:
        """The calls whose question was answered: each may be made once more, and is done then."""
        return frozenset(
            key
            for key, question in self._open.items()
            if question.stage is Stage.ANSWERED and not _over(question, now)
        )

    def _advance(self, to: Stage) -> None:
        for question in self._open.values():
            if question.stage == to - 1:
                question.stage = to


def _over(question: Question, now: Moment) -> bool:
    return now.clock - question.told_at > ANSWER_SECONDS
