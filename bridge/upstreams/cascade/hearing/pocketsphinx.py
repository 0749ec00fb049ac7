"""The ear that needs no key: CMU's pocketsphinx with the agent's own language model, in processes of its own.

A demo-grade ear: 4–6 of 100 words wrong in what an agent is for, many more outside of it.
"""

import asyncio
import importlib.util
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bridge.errors import BadConfig, UpstreamFailed
from bridge.upstreams.cascade.hearing import MODEL_FILE, WORDS_FILE
from bridge.upstreams.cascade.hearing.crew import Crew, Line
from bridge.upstreams.cascade.parts import Heard

FINISH_SECONDS: Final = 5.0
"""How long the result may take (it takes about 10 ms when the process has kept up)."""


def make_crew(folder: Path, processes: int | None = None) -> Crew:
    """The processes of an agent's ear, none started yet. Raises `BadConfig` without the wheel or model."""
    if importlib.util.find_spec("pocketsphinx") is None:
        raise BadConfig("the local ear needs the extra `local`: pip install 'voice-bridge[local]'")
    for name in (MODEL_FILE, WORDS_FILE):
        if not (folder / name).is_file():
            raise BadConfig(f"{folder / name}: not there; make it with `voice-bridge build-language-model`")
    return Crew(folder, processes)


class PocketSphinx:
    """A `SpeechToText`: one session's ear. It remembers the voice between utterances, no decoder."""

    def __init__(self, crew: Crew, write: Callable[[str], str] = str) -> None:
        """`write` makes text of words."""
        self._crew = crew
        self._write = write
        self._voice = ""
        self._line: Line | None = None

    @property
    def partial(self) -> str:
        """The words so far, at most 100 ms old."""
        return self._line.partial if self._line else ""

    async def start(self) -> None:
        """Begin an utterance; starts a process when none is free. Raises UpstreamFailed."""
        await self.cancel()
        self._line = await self._crew.open(self._voice)

    async def hear(self, frame: bytes) -> None:
        """Send a frame on its way."""
        if self._line:
            self._line.hear(frame)

    async def finish(self) -> Heard:
        """The text; empty too when every decoder was in use. Raises UpstreamFailed when the process died."""
        began = time.perf_counter()
        line, self._line = self._line, None
        if line is None:
            return Heard("", 0.0, 0.0)
        try:
            async with asyncio.timeout(FINISH_SECONDS):
                result = await line.finish()
        except TimeoutError:
            line.worker.kill()
            raise UpstreamFailed("the ear does not answer", retry=True) from None
        finally:
            line.worker.lines.pop(line.number, None)
        self._voice = result.state
        took_ms = (time.perf_counter() - began) * 1000
        return Heard(
            self._write(result.text), result.confidence, took_ms, tuple(map(self._write, result.alternatives))
        )

    async def cancel(self) -> None:
        """Drop the utterance."""
        line, self._line = self._line, None
        if line:
            line.drop()

    async def aclose(self) -> None:
        """Drop the utterance; the crew is closed by whoever made it."""
        await self.cancel()
