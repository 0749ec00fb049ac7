"""Sound that tells whose it is: what clients and agents send each other, and who heard whom."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field

import numpy as np

FRAME_BYTES = 640
"""20 ms of a client's sound."""
NUMBER = struct.Struct("<I")
"""Whose it is. Sound is made of this, over and over: any part of it tells."""
_SENT = struct.Struct("<d")
"""When it was sent, on the monotonic clock: at the beginning of a client's frame."""


def spoken(talker: int, at: float) -> bytes:
    """20 ms of that talker."""
    return _SENT.pack(at) + NUMBER.pack(talker) * ((FRAME_BYTES - _SENT.size) // NUMBER.size)


def understood(sound: bytes) -> Iterator[tuple[int, float]]:
    """Who said each 20 ms of a client's sound, and when. Silence is the bridge's own: nobody said it."""
    if any(sound):
        assert len(sound) % FRAME_BYTES == 0, f"{len(sound)} bytes are no whole frames"
        for start in range(0, len(sound), FRAME_BYTES):
            frame = sound[start : start + FRAME_BYTES]
            (talker,) = voices(frame[_SENT.size :])
            yield talker, _SENT.unpack_from(frame)[0]


def voices(sound: bytes) -> set[int]:
    """All whose sound is in there."""
    return {int(number) for number in np.unique(np.frombuffer(sound, "<u4"))}


@dataclass(eq=False)
class Hearings:
    """Who heard whom. The sessions of the agents are known by their wishes: a wish is in one conversation."""

    talkers: dict[str, int] = field(default_factory=dict)
    """Conversation → the number of whoever talks in it."""
    wishes: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Session of the agent → what was wished in it."""
    by_agents: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Session → the talkers it heard."""
    by_clients: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Conversation → the sessions whose sound its client heard."""

    def talker(self, conversation: str) -> int:
        """Its number; the first one has 1."""
        return self.talkers.setdefault(conversation, len(self.talkers) + 1)

    def check(self, said: Mapping[str, Set[str]]) -> int:
        """`said`: conversation → its lines. How many times it is known that somebody heard the right one.

        Raises AssertionError when sound of one talk was heard in another.
        """
        where = {wish: conversation for conversation, lines in said.items() for wish in lines}
        home: dict[int, str] = {}
        for session, wishes in self.wishes.items():
            homes = {where[wish] for wish in wishes if wish in where}
            assert len(homes) <= 1, f"agent's session {session} was in {homes}"
            home.update((session, conversation) for conversation in homes)
        for session, heard in self.by_agents.items():
            assert len(heard) == 1, f"agent's session {session} heard {heard}"
            if session in home:
                assert heard == {self.talkers[home[session]]}, f"agent's session {session} heard {heard}"
        for conversation, sessions in self.by_clients.items():
            others = {session for session in sessions if home.get(session, conversation) != conversation}
            assert not others, f"the client in {conversation} heard {others}"
        agents = sum(session in home for session in self.by_agents)
        return min(agents, sum(len(sessions & home.keys()) for sessions in self.by_clients.values()))
