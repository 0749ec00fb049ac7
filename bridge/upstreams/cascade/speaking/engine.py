"""Speaks in a thread of its own: a C library that calls back becomes a `TextToSpeech` that never blocks.

The libraries keep their state in globals, so a process has one engine, and it makes one sentence at a time;
many times faster than it is spoken, so sessions hardly wait for each other.
"""

import asyncio
import re
import unicodedata
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Final, Protocol

from bridge.errors import UpstreamFailed

Take = Callable[[bytes], bool]
"""Is given PCM16 as it is made; answers whether to go on."""

_PLAIN: Final = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "–": ", ", "—": ", ", "…": "...", "&": " and "}
)
_MARKUP: Final = re.compile(r"[*_`#~|<>\\^{}\[\]]+")


class Synthesiser(Protocol):
    """A library that speaks. Called from one thread only, one call at a time."""

    sample_rate: int
    """Samples a second; constant."""

    def open(self) -> None:
        """Load the library; before the first `say`."""

    def say(self, text: str, take: Take) -> None:
        """Speak plain ASCII text: give the sound to `take` as it is made, and stop when it answers False."""

    def close(self) -> None:
        """Give back what the library holds."""


class Engine:
    """The thread and the library in it."""

    def __init__(self, synthesiser: Synthesiser) -> None:
        self._synthesiser = synthesiser
        self._thread = ThreadPoolExecutor(1, "voice", initializer=synthesiser.open)
        self._closed = False

    @property
    def sample_rate(self) -> int:
        """Samples a second of what it speaks."""
        return self._synthesiser.sample_rate

    def voice(self) -> "Voice":
        """A `TextToSpeech` for one session."""
        return Voice(self)

    async def speak(self, sentence: str) -> AsyncGenerator[bytes, None]:
        """Yield PCM16 mono as it is made. Raises UpstreamFailed after `aclose`, or when the library fails."""
        text = speakable(sentence)
        if not text:
            return
        if self._closed:
            raise UpstreamFailed("the voice is closed", retry=False)
        loop = asyncio.get_running_loop()
        sound: asyncio.Queue[bytes | None] = asyncio.Queue()
        stop = Event()

        def take(pcm: bytes) -> bool:
            if pcm and not stop.is_set():
                loop.call_soon_threadsafe(sound.put_nowait, pcm)
            return not stop.is_set()

        done = loop.run_in_executor(self._thread, self._say, text, take, stop)
        done.add_done_callback(lambda _: sound.put_nowait(None))
        try:
            while (pcm := await sound.get()) is not None:
                yield pcm
        finally:
            stop.set()
            failed = done.done() and (done.cancelled() or done.exception())
        if failed:
            raise UpstreamFailed("the voice failed", retry=True)

    def _say(self, text: str, take: Take, stop: Event) -> None:
        if not stop.is_set():
            self._synthesiser.say(text, take)

    async def aclose(self) -> None:
        """End the thread; sentences that wait for it are dropped."""
        if self._closed:
            return
        self._closed = True
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._synthesiser.close)
        self._thread.shutdown(wait=False, cancel_futures=True)


class Voice:
    """A `TextToSpeech`: one session's share of the engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def sample_rate(self) -> int:
        """Samples a second of what `speak` yields."""
        return self._engine.sample_rate

    def speak(self, sentence: str) -> AsyncGenerator[bytes, None]:
        """Yield PCM16 mono; closing the iterator stops the work behind it."""
        return self._engine.speak(sentence)

    async def aclose(self) -> None:
        """Nothing is held: the engine is closed by whoever made it."""


def speakable(text: str) -> str:
    """What an English voice can say of a text: ASCII, no markup, no emoji; empty when no word is left."""
    plain = unicodedata.normalize("NFKD", text.translate(_PLAIN)).encode("ascii", "ignore").decode()
    plain = " ".join(_MARKUP.sub(" ", plain).split())
    return plain if any(letter.isalnum() for letter in plain) else ""
