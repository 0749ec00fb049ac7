"""One session of the scripted Deepgram: what the agent says and does, in the order of the test."""

import asyncio
import json
import socket as sockets
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from bridge.audio.mulaw import pcm_to_alaw, pcm_to_mulaw
from bridge.core.model import JSON, AudioFormat
from tests.support.deepgram_record import Record
from tests.support.deepgram_rules import Asked, CallState, Fault, Rules


@dataclass(frozen=True, slots=True)
class FunctionAsk:
    """One item of a `FunctionCallRequest`."""

    name: str
    arguments: Mapping[str, object] | str = field(default_factory=dict)
    """An object, or any text: a language model's JSON may be broken."""
    id: str = ""
    """Empty = one is made."""
    client_side: bool = True
    thought_signature: str | None = None

    def item(self, call_id: str) -> JSON:
        """Deepgram's JSON."""
        arguments = self.arguments if isinstance(self.arguments, str) else json.dumps(dict(self.arguments))
        item = {"id": call_id, "name": self.name, "arguments": arguments, "client_side": self.client_side}
        return item | ({"thought_signature": self.thought_signature} if self.thought_signature else {})


class DeepgramSession(Record):
    """What a test does as Deepgram (`hear`, `say`, `call`, …) and what it got (`expect`, `settings`, …).

    Nothing happens by itself but `Welcome`, `SettingsApplied` and the errors for broken rules.
    """

    def __init__(self, socket: ServerConnection, *, number: int, bridge: bool, violations: list[str]) -> None:
        super().__init__()
        self.number = number
        """Of all sessions of its server: the first has 1."""
        self.request_id = f"request-{number}"
        self.voice = b""
        """What its sound is made of, over and over; empty = a tone."""
        self.rules = Rules(bridge=bridge)
        self.ready = asyncio.Event()
        """Set once the Settings are in (and applied, unless the test does that)."""
        self._socket = socket
        self._violations = violations
        self._reading = asyncio.Event()
        self._reading.set()

    @property
    def settings(self) -> JSON:
        """The client's Settings."""
        assert self.rules.settings is not None, "no Settings came"
        return self.rules.settings

    @property
    def headers(self) -> Mapping[str, str]:
        """Of the client's handshake."""
        assert self._socket.request is not None
        return self._socket.request.headers

    @property
    def unanswered(self) -> list[str]:
        """Ids of client-side calls that are neither answered nor cancelled."""
        asked = self.rules.asked.items()
        return [call_id for call_id, ask in asked if ask.client_side and ask.state is CallState.OPEN]

    @property
    def late_answers(self) -> list[str]:
        """Ids answered after their cancellation."""
        return self.rules.late_answers

    # ── the beginning ───────────────────────────────────────────────────────────────────────────────────────

    async def welcome(self) -> None:
        """`Welcome`; with a `bridge` key when another Voice Bridge is played."""
        extra = {"bridge": {"version": 1}} if self.rules.bridge else {}
        await self.send({"type": "Welcome", "request_id": self.request_id, **extra})

    async def apply(self) -> None:
        """`SettingsApplied`: sound is allowed from now on."""
        self.rules.applied = True
        await self.send({"type": "SettingsApplied"})

    # ── the user, as the agent hears them ───────────────────────────────────────────────────────────────────

    async def user_starts(self) -> None:
        """`UserStartedSpeaking`: a turn begins, or a barge-in."""
        await self.send({"type": "UserStartedSpeaking"})

    async def hear(self, text: str, *, end_of_turn: bool = False, **extra: object) -> None:
        """A whole spoken turn: `UserStartedSpeaking`, the text, and with Flux listening `EndOfTurn`."""
        await self.user_starts()
        await self.user_text(text, **extra)
        if end_of_turn:
            await self.send({"type": "EndOfTurn", "trigger": "model"})

    async def user_text(self, text: str, **extra: object) -> None:
        """`ConversationText` of the user alone: the echo of typed text, or a turn whose start came before."""
        await self.send({"type": "ConversationText", "role": "user", "content": text, **extra})

    # ── the agent ───────────────────────────────────────────────────────────────────────────────────────────

    async def say(self, *sentences: str, ms: int = 160) -> None:
        """A reply: each sentence as text and `ms` of sound, then `AgentAudioDone`."""
        for sentence in sentences:
            await self.agent_text(sentence)
            await self.audio_out(ms)
        await self.audio_done()

    async def agent_text(self, text: str, **extra: object) -> None:
        """`ConversationText` of the agent, without sound."""
        await self.send({"type": "ConversationText", "role": "assistant", "content": text, **extra})

    async def audio_out(self, ms: int, *, frame_ms: int = 80, real_time: bool = False) -> bytes:
        """A tone, faster than real time unless told; returns it. Also for what trickles in after a cut."""
        sound = tone(ms, self.audio_format)
        if self.voice:
            sound = (self.voice * len(sound))[: len(sound)]
        step = max(2, self.audio_format.bytes_per_second * frame_ms // 1000 // 2 * 2)
        for start in range(0, len(sound), step):
            await self._socket.send(sound[start : start + step])
            if real_time:
                await asyncio.sleep(frame_ms / 1000)
        return sound

    async def send_audio(self, frame: bytes) -> None:
        """One binary frame as given: empty, odd, huge."""
        await self._socket.send(frame)

    async def audio_done(self) -> None:
        """`AgentAudioDone`."""
        await self.send({"type": "AgentAudioDone"})

    @property
    def audio_format(self) -> AudioFormat:
        """How the client wants the agent's sound."""
        audio = self.settings["audio"]
        assert isinstance(audio, dict)
        return AudioFormat(audio["output"]["encoding"], audio["output"]["sample_rate"])

    # ── function calls ──────────────────────────────────────────────────────────────────────────────────────

    async def call(self, name: str, /, **arguments: object) -> str:
        """Ask the client for one function; returns the call's id."""
        return (await self.call_all(FunctionAsk(name, arguments)))[0]

    async def call_all(self, *asks: FunctionAsk) -> list[str]:
        """Ask for several in one `FunctionCallRequest`; returns their ids in order."""
        items = []
        for ask in asks:
            call_id = ask.id or f"fc_{len(self.rules.asked)}_{self.request_id}"
            self.rules.asked[call_id] = Asked(ask.name, ask.client_side)
            items.append(ask.item(call_id))
        await self.send({"type": "FunctionCallRequest", "functions": items})
        return [str(item["id"]) for item in items]

    async def cancel(self, *call_ids: str) -> None:
        """Withdraw calls: the real server does so when the user goes on speaking."""
        for call_id in call_ids:
            self.rules.asked[call_id].state = CallState.CANCELLED
        functions = [{"id": call_id, "name": self.rules.asked[call_id].name} for call_id in call_ids]
        await self.send({"type": "FunctionCallCancelled", "functions": functions})

    async def expect_answer(self, call_id: str, within: float = 5.0) -> str:
        """The content of the client's `FunctionCallResponse` to that call."""

        def answer() -> str | None:
            asked = self.rules.asked[call_id]
            return asked.content if asked.state is CallState.ANSWERED else None

        return await self._until(answer, f"the answer to {call_id}", within)

    # ── trouble ─────────────────────────────────────────────────────────────────────────────────────────────

    async def warn(self, code: str, description: str = "a warning") -> None:
        """`Warning`."""
        await self.send({"type": "Warning", "code": code, "description": description})

    async def error(self, code: str, description: str = "an error", *, close: int | None = None) -> None:
        """`Error`, and with `close` the end of the socket under that code."""
        await self.send({"type": "Error", "code": code, "description": description})
        if close is not None:
            await self.close(close)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the socket with any code."""
        await self._socket.close(code, reason)

    def reset(self) -> None:
        """Cut the connection hard: the client's kernel gets a TCP RST."""
        transport = self._socket.transport
        raw = transport.get_extra_info("socket")
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()

    def stall(self) -> None:
        """Read nothing any more, pongs and pings included: an agent that hangs."""
        self._reading.clear()
        self._socket.transport.pause_reading()

    def resume(self) -> None:
        """Read again after `stall`."""
        self._socket.transport.resume_reading()
        self._reading.set()

    # ── anything ────────────────────────────────────────────────────────────────────────────────────────────

    async def send(self, message: Mapping[str, object]) -> None:
        """Any message, known or not."""
        await self._socket.send(json.dumps(dict(message)))

    async def send_text(self, text: str) -> None:
        """Any text frame, JSON or not."""
        await self._socket.send(text)

    def write_raw(self, data: bytes) -> None:
        """Any bytes: frames made before, or none at all."""
        self._socket.transport.write(data)

    # ── for the server ──────────────────────────────────────────────────────────────────────────────────────

    async def read(self, *, applies: bool, settings_seconds: float, idle_seconds: float) -> None:
        """Take frames, judge them and note them until the socket ends."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + settings_seconds
        try:
            while True:
                if not self._reading.is_set():
                    await self._reading.wait()
                    deadline = loop.time() + idle_seconds
                try:
                    async with asyncio.timeout_at(deadline):
                        frame = await self._socket.recv()
                except TimeoutError:
                    if self._reading.is_set():
                        raise
                    continue
                if await self._take(frame, applies=applies):
                    deadline = loop.time() + idle_seconds
        except TimeoutError:
            what = "no sound and no KeepAlive in time" if self.rules.settings else "no Settings in time"
            await self._object(Fault("CLIENT_MESSAGE_TIMEOUT", what, closes=True))
        except ConnectionClosed:
            pass
        finally:
            self.note_close(self._socket.close_code or 1006)

    async def _take(self, frame: bytes | str, *, applies: bool) -> bool:
        """Judge and note one frame; True when it shows that the client is alive."""
        if isinstance(frame, bytes):
            if fault := self.rules.sound(frame):
                await self._object(fault)
            self.note(frame)
            return True
        message, fault = self.rules.text(frame)
        if fault:
            await self._object(fault)
        self.note(message)
        if message.get("type") == "Settings" and not fault:
            if applies:
                await self.apply()
            self.ready.set()
            return True
        return message.get("type") == "KeepAlive"

    async def _object(self, fault: Fault) -> None:
        self._violations.append(f"{self.request_id}: {fault.what}")
        if fault.code:
            await self.error(fault.code, fault.what, close=1011 if fault.closes else None)


def tone(ms: int, form: AudioFormat) -> bytes:
    """A 440 Hz tone of that length in a raw encoding; for other encodings filler, which cannot be played."""
    count = form.sample_rate * ms // 1000
    sine = 8000 * np.sin(2 * np.pi * 440 / form.sample_rate * np.arange(count))
    wave = bytes(sine.astype("<i2").tobytes())
    match form.encoding:
        case "linear16":
            return wave
        case "mulaw":
            return pcm_to_mulaw(wave)
        case "alaw":
            return pcm_to_alaw(wave)
        case _:
            return b"\x55" * (form.bytes_per_second * ms // 1000)
