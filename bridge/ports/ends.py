"""Both ends of the bridge: a client's socket, an agent's session, what the agent is told before it talks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from bridge.core.agent import Agent
from bridge.core.commands import Ask, News
from bridge.core.events import PeerEvent
from bridge.core.model import JSON, AudioFormat, Entry, Person, Thing
from bridge.ports.credit import Credit

Take = Callable[[bytes | PeerEvent], Credit | None]
"""Takes what an end brings, in the moment it comes; never waits. What it raises, `read` raises.

Returns for sound: leave to send what follows straight to the other end, if the end that brings it can.
"""


class Transport(Protocol):
    """One client's socket, accepted. Exactly one task calls `read`, once; exactly one calls `send`."""

    @property
    def stays(self) -> bool:
        """It does not end with the request it came with."""
        ...

    async def read(self, take: Take) -> None:
        """Bring sound as `bytes` (never empty), the rest as events, until the socket is gone.

        The last thing it brings is `ClientLeft`. Unreadable messages come as `ClientErred`.
        """
        ...

    async def send(self, frame: bytes | News) -> None:
        """Write one frame. Raises PeerGone when the socket is gone or takes nothing for 5 s."""
        ...

    def tell(self, news: News) -> bool:
        """Write this news now. False: it would have to wait, or the socket is gone; nothing was written.

        Only while no `send` is under way.
        """
        ...

    async def close(self, code: int, reason: str) -> None:
        """Close the socket; never raises, may be called twice."""
        ...


class Upstream(Protocol):
    """One agent session, open. Exactly one task calls `read`, once; exactly one calls `send`."""

    async def read(self, take: Take) -> None:
        """Bring sound as `bytes`, the rest as events, `AgentReady` first, until the agent is gone.

        The last thing it brings is `AgentLeft`.
        """
        ...

    async def send(self, frame: bytes | Ask) -> None:
        """Write one frame. Raises PeerGone when the agent is gone or takes nothing for 5 s."""
        ...

    async def close(self) -> None:
        """End the agent session; never raises, may be called twice."""
        ...


@runtime_checkable
class Direct(Protocol):
    """An end that can often be written to without waiting; a Transport or an Upstream may be one."""

    def write(self, sound: bytes) -> bool:
        """Write this frame now. False: it would have to wait, or the end is gone; nothing was written.

        `sound`: never empty. Only while no `send` is under way.
        """
        ...

    def credit(self) -> Credit | None:
        """Leave to write more frames in the same way, after one was written. None: ask for each."""
        ...


class References(Protocol):
    """The user's things an argument may refer to, as they are now."""

    async def __call__(self, kind: str) -> Sequence[Thing]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """All that an agent is told before it talks."""

    agent: Agent
    prompt: str
    """The agent's prompt with the user's context appended."""
    greeting: str
    """Spoken first; empty = the agent waits to be spoken to."""
    history: tuple[Entry, ...]
    audio_in: AudioFormat
    """What it will hear."""
    audio_out: AudioFormat
    """What it must speak."""
    person: Person
    references: References
    client_agent: JSON | None = None
    """A client's own `Settings.agent`, when the agent allows it: replaces prompt, models, functions."""
    context: JSON = field(default_factory=dict)
    """What another bridge in front of us told of its user: time_zone, things."""


class Upstreams(Protocol):
    """A way to reach agents."""

    @property
    def name(self) -> str:
        """`deepgram`, `local`, …: for logs, metrics and the page."""
        ...

    async def open(self, brief: Brief) -> Upstream:
        """Open an agent session. Raises UpstreamFailed."""
        ...

    async def aclose(self) -> None:
        """Give back what is shared between sessions."""
        ...
