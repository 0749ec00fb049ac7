"""Whose turn it is: does the user speak, does the agent owe an answer, does it give one."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.core.events import Moment

SPEAKING_SECONDS = 30.0
"""Who has spoken for that long without a word being understood made a noise."""
SILENT_SECONDS = 2.0
"""A reply of which no sound came for that long is over, with or without Deepgram's `AgentAudioDone`."""


@dataclass(slots=True)
class Turn:
    """How far the turn under way is."""

    speaking_since: float | None = None
    """Clock at which the user began to speak; None = the user does not."""
    owed: bool = False
    """The agent owes an answer."""
    repeated: bool = False
    """It was asked again, by another agent session: once is enough."""
    untold: list[str] = field(default_factory=list)
    """Sentences of results that no reply of the agent has followed yet."""
    replying: bool = False
    """The agent answers; its last sound was not sent yet."""
    sound: tuple[int, int] = (0, 0)
    """Reply and milliseconds of it that were relayed when that was last looked at."""
    moved_at: float = 0.0
    """Clock at which more of a reply was last seen."""

    def user_speaks(self, now: Moment) -> None:
        """What was to be said is not waited for any more."""
        self.speaking_since, self.owed, self.replying, self.repeated = now.clock, False, False, False
        self.untold.clear()

    def agent_speaks(self, now: Moment) -> None:
        """A reply has begun, or goes on."""
        self.replying, self.moved_at = True, now.clock

    def over(self, now: Moment) -> bool:
        """Nobody speaks and nothing is owed."""
        since = self.speaking_since
        speaking = since is not None and now.clock - since < SPEAKING_SECONDS
        return not (speaking or self.owed or self._sounds(now))

    def moved(self, now: Moment) -> bool:
        """More sound was relayed since this was last asked."""
        before, self.sound = self.sound, (now.reply, now.reply_ms)
        return self.sound != before

    def _sounds(self, now: Moment) -> bool:
        if self.replying and self.moved(now):
            self.moved_at = now.clock
        return self.replying and now.clock - self.moved_at < SILENT_SECONDS
