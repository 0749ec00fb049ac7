"""The mind that needs no model: rules that fill the slots of any agent's intents, behind `LanguageModel`."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bridge.core.agent import Intent
from bridge.core.hints import from_functions
from bridge.core.model import JSON, Thing
from bridge.ports import Brief, TimeGrammar
from bridge.upstreams.cascade.parts import (
    Answer,
    CallFunction,
    Fit,
    LanguageModel,
    MakeModel,
    Say,
    Thought,
    Turn,
)
from bridge.upstreams.cascade.thinking.dialogue import Dialogue, Step
from bridge.upstreams.cascade.thinking.fitting import fit, sense
from bridge.upstreams.cascade.thinking.matching import Book
from bridge.upstreams.cascade.thinking.past import recall, recall_told
from bridge.upstreams.cascade.thinking.slots import Scene
from bridge.upstreams.cascade.thinking.telling import kind_asked
from bridge.upstreams.cascade.thinking.times import Clock
from bridge.upstreams.cascade.thinking.words import norms

MOST_WORDS: Final = 120
"""Words of one turn that are looked at, from its beginning: most of a minute."""
UNLIKELIER: Final = 0.03
"""How much more sense each alternative must make than the one before."""
Now = Callable[[], datetime]
"""The wall clock, UTC."""


def rules(times: TimeGrammar, now: Now = lambda: datetime.now(UTC)) -> MakeModel:
    """How the pipeline gets a mind of rules: the grammar of times and the clock are bound here."""

    def make(brief: Brief) -> LanguageModel:
        return Rules(brief, times, now)

    return make


class Rules:
    """One session's mind of rules. See `LanguageModel` for the order of calls."""

    def __init__(self, brief: Brief, times: TimeGrammar, now: Now) -> None:
        self._brief = brief
        self._times = times
        self._now = now
        self._zone = _zone(brief)
        self._book = Book.of(intents_of(brief))
        memory, done = recall(brief.history, self._book)
        if brief.client_agent is not None and done is None:
            memory, done = recall_told(brief.client_agent.get("context"), self._book)
        self._dialogue = Dialogue(brief.agent, self._book, memory, done)
        self._things: Mapping[str, Sequence[Thing]] = _told(brief.context)
        self._calls = 0
        self._open: str | None = None
        self._fit: tuple[str, Fit] = ("", Fit.OPEN)

    async def reply(self, turn: Turn) -> AsyncIterator[Thought]:
        """Answer what the person said. Calls that are still open count as withdrawn."""
        self._open = None
        self._fit = ("", Fit.OPEN)
        await self._look(kind_asked(norms(turn.text), self._book))
        for thought in self._thoughts(self._dialogue.hear(_bounded(turn.text), self._clock(), self._things)):
            yield thought

    async def answered(self, answers: Sequence[Answer]) -> AsyncIterator[Thought]:
        """Go on after the call. Answers to calls that were withdrawn are ignored."""
        answer = next((answer for answer in answers if answer.id == self._open), None)
        if answer is None:
            return
        self._open = None
        await self._look()
        steps = self._dialogue.finished(answer.content, answer.note, self._clock(), self._things)
        for thought in self._thoughts(steps):
            yield thought

    def choose(self, heard: Sequence[str]) -> str:
        """An alternative that makes clearly more sense than the likeliest words; else these."""
        scene = Scene(self._clock(), self._things, self._dialogue.memory)
        best, most = "", -1.0
        for place, text in enumerate(heard):
            possible = 1 - UNLIKELIER * place
            if possible <= most:
                break
            made = sense(_bounded(text), self._dialogue, self._book, scene) - UNLIKELIER * place
            if made > most:
                best, most = text, made
        return best

    def fits(self, partial: str) -> Fit:
        """How finished `partial` sounds; remembered until the words change."""
        if partial != self._fit[0]:
            scene = Scene(self._clock(), self._things, self._dialogue.memory)
            self._fit = (partial, fit(_bounded(partial), self._dialogue, self._book, scene))
        return self._fit[1]

    def _clock(self) -> Clock:
        return Clock(self._now(), self._zone, self._times)

    async def _look(self, asked: str | None = None) -> None:
        """See which things there are now; what another bridge told comes first."""
        told = _told(self._brief.context)
        wanted = self._book.kinds() | ({asked} if asked else set())
        own = {kind: await self._brief.references(kind) for kind in wanted if kind not in told}
        kinds = {**own, **told}
        self._things = {kind: self._dialogue.memory.with_made(kind, things) for kind, things in kinds.items()}

    def _thoughts(self, steps: Iterable[Step]) -> Iterable[Thought]:
        for step in steps:
            if isinstance(step, str):
                yield Say(step, whole=True)
                continue
            self._calls += 1
            self._open = f"call_{self._calls}"
            yield CallFunction(self._open, step.intent.name, step.arguments())


def _bounded(text: str) -> str:
    """The words that are looked at: nobody waits for the rest."""
    return text if len(text) < MOST_WORDS else " ".join(text.split(maxsplit=MOST_WORDS)[:MOST_WORDS])


def intents_of(brief: Brief) -> tuple[Intent, ...]:
    """The functions this session may call: the client's own when it brought some, else the agent's."""
    if brief.client_agent is None:
        return brief.agent.intents
    return from_functions(functions_of(brief.client_agent))


def functions_of(agent: JSON) -> object:
    """The functions in a client's agent block; of an array of models those of the first."""
    think = agent.get("think")
    if isinstance(think, list):
        think = think[0] if think else None
    return think.get("functions") if isinstance(think, Mapping) else None


def _zone(brief: Brief) -> ZoneInfo:
    for name in (brief.context.get("time_zone"), brief.person.time_zone):
        try:
            if isinstance(name, str) and name:
                return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            continue
    return ZoneInfo("UTC")


def _told(context: JSON) -> dict[str, list[Thing]]:
    """The things another bridge told of, by kind; what cannot be read is left out."""
    told: dict[str, list[Thing]] = {}
    for kind, item in _items(context.get("things")):
        if isinstance(item, Mapping) and isinstance(kind, str) and "id" in item:
            title, at = item.get("title"), _instant(item.get("at"))
            told.setdefault(kind, []).append(Thing(kind, str(item["id"]), str(title or ""), at))
    return told


def _items(things: object) -> Iterator[tuple[object, object]]:
    """(kind, thing), from lists by kind or from one list of things that name their kind."""
    if isinstance(things, Mapping):
        yield from ((kind, item) for kind, some in things.items() if isinstance(some, list) for item in some)
    elif isinstance(things, list):
        yield from ((item.get("kind"), item) for item in things if isinstance(item, Mapping))


def _instant(text: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)
