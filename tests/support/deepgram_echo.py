"""An agent that answers by itself, for whole-system tests: it repeats what it hears, and calls on keywords.

    echo = Echo(
        spoken=["I want to learn Spanish"],                                  # what its ears make of each turn
        calls={"spanish": FunctionAsk("submit_goal_intent", {"goal_statement": "learn Spanish"})},
    )
    async with ScriptedDeepgram(script=echo) as deepgram: ...

Typed text is echoed as `ConversationText{user}` and answered. In sound it hears a turn: 100 ms or more that
is loud, then 400 ms that is not. It answers "You said: …", or asks for the functions whose keywords are in
the text and then says their answers. A new turn withdraws calls that are still open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from bridge.audio.mulaw import alaw_to_pcm, mulaw_to_pcm
from bridge.core.model import JSON, AudioFormat
from tests.support.deepgram_session import DeepgramSession, FunctionAsk

LOUD = 500.0
"""Root mean square of a frame's samples from which it counts as speech; full scale is 32,767."""
TURN_MS = 100.0
PAUSE_MS = 400.0


@dataclass(frozen=True, slots=True)
class Echo:
    """A script for `ScriptedDeepgram`; the same one serves any number of sessions."""

    spoken: Sequence[str] = ()
    """What is heard in the first, second, … spoken turn of a session; after the last: "something"."""
    calls: Mapping[str, FunctionAsk] = field(default_factory=dict)
    """Keyword in lower case → the function to ask for."""
    reply_ms: int = 160
    """Length of each answer's sound."""

    async def __call__(self, session: DeepgramSession) -> None:
        """Answer until the client leaves."""
        await _Talk(self, session).run()


class _Talk:
    """One session with the echo."""

    def __init__(self, echo: Echo, session: DeepgramSession) -> None:
        self._echo = echo
        self._session = session
        self._ear = Ear(_input(session.settings))
        self._turns = 0
        self._asked: list[str] = []
        """Ids of the calls of the newest turn that had any."""

    async def run(self) -> None:
        agent = self._session.settings["agent"]
        if isinstance(agent, dict) and agent.get("greeting"):
            await self._say(str(agent["greeting"]))
        async for frame in self._session.frames():
            if isinstance(frame, bytes):
                await self._hear(frame)
            else:
                await self._read(frame)

    async def _hear(self, frame: bytes) -> None:
        match self._ear.feed(frame):
            case "started":
                await self._session.user_starts()
                await self._withdraw()
            case "ended":
                spoken = self._echo.spoken
                text = spoken[self._turns] if self._turns < len(spoken) else "something"
                self._turns += 1
                await self._turn(text)

    async def _read(self, message: JSON) -> None:
        match message.get("type"):
            case "InjectUserMessage":
                await self._withdraw()
                await self._turn(str(message["content"]))
            case "InjectAgentMessage" if "message" in message:
                await self._say(str(message["message"]))
            case "FunctionCallResponse" if message["id"] in self._asked and not self._session.unanswered:
                await self._say(
                    " ".join(self._session.rules.asked[call_id].content for call_id in self._asked)
                )

    async def _turn(self, text: str) -> None:
        await self._session.user_text(text)
        asks = [ask for keyword, ask in self._echo.calls.items() if keyword in text.lower()]
        if asks:
            self._asked = await self._session.call_all(*asks)
        else:
            await self._say(f"You said: {text}")

    async def _say(self, sentence: str) -> None:
        await self._session.say(sentence, ms=self._echo.reply_ms)

    async def _withdraw(self) -> None:
        if open_calls := self._session.unanswered:
            self._asked = []
            await self._session.cancel(*open_calls)


class Ear:
    """Finds turns by loudness, on the clock of the sound itself."""

    def __init__(self, form: AudioFormat) -> None:
        self._form = form
        self._loud_ms = 0.0
        self._quiet_ms = 0.0
        self._speaking = False

    def feed(self, frame: bytes) -> str:
        """`started`, `ended`, or nothing."""
        ms = len(frame) * 1000 / self._form.bytes_per_second
        if _loudness(frame, self._form.encoding) >= LOUD:
            self._loud_ms, self._quiet_ms = self._loud_ms + ms, 0.0
        else:
            self._quiet_ms += ms
        if not self._speaking and self._loud_ms >= TURN_MS:
            self._speaking = True
            return "started"
        if self._quiet_ms >= PAUSE_MS:
            was, self._speaking, self._loud_ms = self._speaking, False, 0.0
            return "ended" if was else ""
        return ""


def _loudness(frame: bytes, encoding: str) -> float:
    match encoding:
        case "mulaw":
            frame = mulaw_to_pcm(frame)
        case "alaw":
            frame = alaw_to_pcm(frame)
    samples = np.frombuffer(frame[: len(frame) // 2 * 2], "<i2").astype(np.float64)
    return float(np.sqrt(np.mean(samples**2))) if samples.size else 0.0


def _input(settings: JSON) -> AudioFormat:
    audio = settings["audio"]
    assert isinstance(audio, dict)
    return AudioFormat(audio["input"]["encoding"], audio["input"]["sample_rate"])
