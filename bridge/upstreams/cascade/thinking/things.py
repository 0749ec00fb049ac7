"""Which of a person's things is meant: by title, by "it", by "the second one", by its day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bridge.core.model import Thing
from bridge.upstreams.cascade.thinking.sounds import sound_likeness
from bridge.upstreams.cascade.thinking.times import Clock, read
from bridge.upstreams.cascade.thinking.values import find_number
from bridge.upstreams.cascade.thinking.words import content, norms, overlap

PRONOUNS: Final = frozenset(
    ["it", "that", "this", "that one", "this one", "the last one", "last one", "the same"]
)
ORDINALS: Final = ("first", "second", "third", "fourth", "fifth")
EARLIER: Final = frozenset(["earlier", "earliest", "sooner", "soonest", "next"])
LATER: Final = frozenset(["later", "latest"])
ALIKE: Final = 0.62
"""From here on a title is what was meant."""
HEARD: Final = 0.78
"""From here on it sounds like what was meant."""
PART: Final = 0.85
"""The same for one end of a title."""
DETERMINERS: Final = frozenset(["the", "my", "a", "an", "our", "that", "this"])
NEAR: Final = 0.12
"""Two titles closer than this cannot be told apart."""

Things = Mapping[str, Sequence[Thing]]
"""Kind → the person's things of that kind."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What was made or moved last, by kind."""

    last: Mapping[str, Thing] = field(default_factory=dict)
    """Kind → the last one."""
    made: tuple[Thing, ...] = ()
    """All of them, for when nobody else tells of them."""

    def remembering(self, thing: Thing) -> "Memory":
        """The memory with one more thing, or with it as it is now."""
        others = tuple(other for other in self.made if (other.kind, other.id) != (thing.kind, thing.id))
        return Memory({**self.last, thing.kind: thing}, (*others, thing))

    def without(self, things: Iterable[Thing]) -> "Memory":
        """The memory without things that are gone."""
        gone = {(thing.kind, thing.id) for thing in things}
        last = {kind: thing for kind, thing in self.last.items() if (kind, thing.id) not in gone}
        return Memory(last, tuple(made for made in self.made if (made.kind, made.id) not in gone))

    def with_made(self, kind: str, things: Sequence[Thing]) -> list[Thing]:
        """Things somebody told of, and those made since."""
        ids = {thing.id for thing in things}
        return [
            *things,
            *(made for made in self.made if made.kind == kind and made.id not in ids and made.title),
        ]

    def of(self, kind: str, things: Things) -> Thing | None:
        """The last one of a kind, as it is now."""
        last = self.last.get(kind)
        if last is None:
            return None
        return next((thing for thing in things.get(kind, ()) if thing.id == last.id), last)


def resolve(said: str, kind: str, things: Things, memory: Memory, clock: Clock) -> tuple[Thing, ...]:
    """The things of a kind that may be meant, best first: one = clear, several = ask, none = not there."""
    there = tuple(things.get(kind, ()))
    plain = " ".join(norms(said))
    last = memory.of(kind, things)
    if last and (plain in PRONOUNS or plain in {f"{pronoun} {kind}" for pronoun in ("the", "that", "this")}):
        return (last,)
    if by_id := [thing for thing in there if thing.id.lower() == plain]:
        return tuple(by_id)
    if not [word for word in content(said) if word not in {kind, "one"}]:
        return there
    named = _by_title(said, there)
    if len(named) == 1:
        return named
    if by_day := _by_day(said, named or there, clock):
        return by_day
    return named or ((last,) if last and overlap(said, last.title) >= ALIKE else ())


def pick(said: str, candidates: Sequence[Thing], clock: Clock) -> tuple[Thing, ...]:
    """Which of the candidates an answer chooses: "the second one", "the one on friday", "with David"."""
    heard = norms(said)
    for index, ordinal in enumerate(ORDINALS):
        if ordinal in heard and index < len(candidates):
            return (candidates[index],)
    if "last" in heard or "latter" in heard:
        return (candidates[-1],)
    if "former" in heard:
        return (candidates[0],)
    if "number" in heard and (number := find_number(heard[heard.index("number") + 1 :])):
        return tuple(candidates[int(number) - 1 : int(number)])
    dated = sorted((thing for thing in candidates if thing.at), key=lambda thing: str(thing.at))
    if dated and (EARLIER | LATER).intersection(heard):
        return (dated[0 if EARLIER.intersection(heard) else -1],)
    telling = _telling_apart(said, candidates)
    return telling if len(telling) == 1 else _by_day(said, candidates, clock) or telling


def _telling_apart(said: str, candidates: Sequence[Thing]) -> tuple[Thing, ...]:
    """Only the words count that not every candidate has."""
    titles = [frozenset(content(thing.title)) for thing in candidates]
    shared = frozenset.intersection(*titles) if titles else frozenset()
    wanted = " ".join(word for word in content(said) if word not in shared and word != "one")
    if not wanted:
        return ()
    scored = [(overlap(wanted, " ".join(t - shared)), c) for t, c in zip(titles, candidates, strict=True)]
    return _best(scored, least=0.5)


def _by_title(said: str, there: Sequence[Thing]) -> tuple[Thing, ...]:
    """By what is written, or narrowly not and by what is heard: "peer no lesson" is the piano lesson."""
    named = " ".join(word for word in content(said) if word != "one")
    written = _best([(overlap(named, thing.title), thing) for thing in there], least=ALIKE)
    return written or _best([(_sounds_like(said, thing.title), thing) for thing in there], least=HEARD)


def _sounds_like(said: str, title: str) -> float:
    """How much the words sound like the title, or like its beginning or end."""
    heard = " ".join(word for word in norms(said) if word not in DETERMINERS)
    words = norms(title)
    pieces = [words[:n] for n in range(1, len(words))] + [words[n:] for n in range(1, len(words))]
    parts = (sound_likeness(heard, " ".join(piece)) for piece in pieces if len("".join(piece)) > 3)
    part = max(parts, default=0.0)
    return max(sound_likeness(heard, " ".join(words)), part if part >= PART else 0.0)


def _best(scored: list[tuple[float, Thing]], *, least: float) -> tuple[Thing, ...]:
    top = max((score for score, _ in scored), default=0.0)
    if top < least:
        return ()
    near = [(score, thing) for score, thing in scored if score >= max(top - NEAR, least)]
    return tuple(thing for _, thing in sorted(near, key=lambda pair: -pair[0]))


def _by_day(said: str, there: Sequence[Thing], clock: Clock) -> tuple[Thing, ...]:
    timing = read(said, clock).timing
    if timing is None or timing.at is None:
        return ()
    day = clock.local(timing.at)
    same_day = [thing for thing in there if thing.at and clock.local(thing.at).date() == day.date()]
    if len(same_day) > 1 and timing.names_clock:
        return tuple(thing for thing in same_day if _same_minute(thing.at, day, clock)) or tuple(same_day)
    return tuple(same_day)


def _same_minute(at: datetime | None, day: datetime, clock: Clock) -> bool:
    return at is not None and clock.local(at).strftime("%H:%M") == day.strftime("%H:%M")
