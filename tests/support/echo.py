"""An agent inside the process that repeats what is typed: for tests of what stands in front of it."""

import asyncio

from bridge.core.commands import Ask, Hear
from bridge.core.events import AgentAudioDone, AgentLeft, AgentReady, PeerEvent, TextArrived
from bridge.core.model import Message, Modality, Role
from bridge.ports import Brief, Take


class EchoUpstream:
    """ports.Upstream: sound comes back as it is, "x" is answered with "You said: x"."""

    def __init__(self) -> None:
        self._frames: asyncio.Queue[bytes | PeerEvent | None] = asyncio.Queue()
        self._frames.put_nowait(AgentReady("echo-1"))

    async def read(self, take: Take) -> None:
        while (frame := await self._frames.get()) is not None:
            take(frame)
        take(AgentLeft(1000))

    async def send(self, frame: bytes | Ask) -> None:
        if isinstance(frame, bytes):
            self._frames.put_nowait(frame)
        elif isinstance(frame, Hear):
            heard = Message(Role.USER, frame.content, Modality.TEXT)
            answer = Message(Role.ASSISTANT, f"You said: {frame.content}")
            for event in (TextArrived(heard), TextArrived(answer), AgentAudioDone()):
                self._frames.put_nowait(event)

    async def close(self) -> None:
        self._frames.put_nowait(None)


class EchoUpstreams:
    """ports.Upstreams."""

    name = "echo"

    async def open(self, brief: Brief) -> EchoUpstream:
        return EchoUpstream()

    async def aclose(self) -> None:
        """Nothing is shared."""
