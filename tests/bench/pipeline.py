"""A process that relays with pipecat: one pipeline a session, from the client to the agent and back.

To compare with: what pipecat does with each frame when nothing is done with it. It runs in an environment of
its own (environments.py), on uvloop; turns, RTVI and idle timeouts are off.

python -m tests.bench.pipeline ws://agent        prints "listening on host:port", runs until it is killed
"""

from __future__ import annotations

import sys

import uvicorn
from loguru import logger
from pipecat.frames.frames import (
    CancelFrame,
    EndFrame,
    Frame,
    InputAudioRawFrame,
    InputTransportMessageFrame,
    OutputAudioRawFrame,
    OutputTransportMessageUrgentFrame,
    StartFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.serializers.base_serializer import FrameSerializer
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.workers.runner import WorkerRunner
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect

from tests.bench.listening import listen

RATE = 16_000
"""Samples a second, both ways."""


class AsItIs(FrameSerializer):
    """Sound is bytes, all else is text."""

    async def serialize(self, frame: Frame) -> str | bytes | None:
        match frame:
            case OutputAudioRawFrame():
                sound: bytes = frame.audio
                return sound
            case OutputTransportMessageUrgentFrame():
                return str(frame.message)
        return None

    async def deserialize(self, data: str | bytes) -> Frame | None:
        if isinstance(data, bytes):
            return InputAudioRawFrame(audio=data, sample_rate=RATE, num_channels=1)
        return InputTransportMessageFrame(message=data)


class AgentLink(FrameProcessor):
    """Stands where a speech-to-speech service does: sound to the agent, and from it."""

    def __init__(self, agent: str) -> None:
        super().__init__()
        self._url = agent
        self._agent: ClientConnection | None = None

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        match frame:
            case InputAudioRawFrame() if self._agent:
                await self._agent.send(frame.audio)
                return
            case InputTransportMessageFrame() if self._agent and direction is FrameDirection.DOWNSTREAM:
                await self._agent.send(frame.message)
                return
            case StartFrame():
                self._agent = await connect(self._url, compression=None, proxy=None)
                self.create_task(self._hear(self._agent))
            case EndFrame() | CancelFrame() if self._agent:
                await self._agent.close()
        await self.push_frame(frame, direction)

    async def _hear(self, agent: ClientConnection) -> None:
        async for message in agent:
            if isinstance(message, bytes):
                sound = OutputAudioRawFrame(audio=message, sample_rate=RATE, num_channels=1)
                await self.push_frame(sound)
            else:
                await self.push_frame(OutputTransportMessageUrgentFrame(message=message))


class Relay:
    """One pipeline a session."""

    def __init__(self, agent: str) -> None:
        self._agent = agent

    async def serve(self, websocket: WebSocket) -> None:
        await websocket.accept()
        transport = FastAPIWebsocketTransport(
            websocket,
            FastAPIWebsocketParams(
                audio_in_enabled=True,
                audio_out_enabled=True,
                audio_out_10ms_chunks=2,
                audio_out_auto_silence=False,
                serializer=AsItIs(),
            ),
        )
        worker = PipelineWorker(
            Pipeline([transport.input(), AgentLink(self._agent), transport.output()]),
            params=PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE),
            enable_rtvi=False,
            enable_turn_tracking=False,
            idle_timeout_secs=None,
        )

        async def left(*_: object) -> None:
            await worker.cancel()

        transport.add_event_handler("on_client_disconnected", left)
        await WorkerRunner(handle_sigint=False).run(worker)


def main(agent: str) -> None:
    """Serve on a free loopback port; compression is off, as it is in the bridge."""
    logger.remove()
    app = Starlette(routes=[WebSocketRoute("/{path:path}", Relay(agent).serve)])
    config = uvicorn.Config(app, ws_per_message_deflate=False, log_level="warning", loop="uvloop")
    uvicorn.Server(config).run(sockets=[listen()])


if __name__ == "__main__":
    main(sys.argv[1])
