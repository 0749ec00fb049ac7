"""The dialogue of one session: hears a sentence, answers, asks for one thing at a time, calls functions.

Pure: the time, the person's zone and their things come in with every sentence. It is idle, or it asks for one
argument of the wish at hand, or it waits for the answer of a call.

    hear(sentence) ─▶ wishes ─▶ missing? ─▶ ask ─▶ hear …
                                   └ no ─▶ call ─▶ answered ─▶ next wish
"""

from collections import deque
from dataclasses import dataclass

from bridge.core.agent import Agent, Kind, Parameter
from bridge.upstreams.cascade.thinking import phrases, results
from bridge.upstreams.cascade.thinking.acts import Act, act_of, asks
from bridge.upstreams.cascade.thinking.answering import answered
from bridge.upstreams.cascade.thinking.corrections import correct, correct_done, mover, remainder
from bridge.upstreams.cascade.thinking.following import follow, pointing
from bridge.upstreams.cascade.thinking.listing import spread
from bridge.upstreams.cascade.thinking.matching import Book
from bridge.upstreams.cascade.thinking.questions import answers, ask
from bridge.upstreams.cascade.thinking.slots import Scene, at_customary_time, beside, from_match
from bridge.upstreams.cascade.thinking.splitting import split
from bridge.upstreams.cascade.thinking.telling import tell
from bridge.upstreams.cascade.thinking.things import Memory, Things
from bridge.upstreams.cascade.thinking.times import Clock, Said, read, whole
from bridge.upstreams.cascade.thinking.values import find_boolean
from bridge.upstreams.cascade.thinking.wishes import Wish

Step = str | Wish
"""A sentence to say, or a wish whose function is to be called now."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The question that is open."""

    parameter: Parameter | None
    """None: "shall I really?"."""
    tries: int = 0
    """How often the answer was none."""


class Dialogue:
    """Keeps what one session is about. `hear` and `finished` return what to say and to call, in order."""

    def __init__(
        self, agent: Agent, book: Book, memory: Memory | None = None, done: Wish | None = None
    ) -> None:
        self._agent = agent
        self._book = book
        self._phrases = phrases.Phrases()
        self.memory = memory or Memory()
        self._wishes: deque[Wish] = deque()
        """What is still to be done; the first is the one at hand."""
        self._asked: Asked | None = None
        self._done = done
        """The wish that was done last."""
        self._calling = False
        self._misses = 0
        """How many sentences in a row meant nothing."""
        self._last: tuple[str, ...] = ()
        """What was said last, to be repeated."""

    # ── hearing ──────────────────────────────────────────────────────────────────────────────────────

    def hear(self, text: str, clock: Clock, things: Things) -> list[Step]:
        """Take one sentence of the person's."""
        scene = Scene(clock, things, self.memory)
        withdrawn, self._calling = self._calling, False
        said = read(text, clock)
        if not said.words:
            steps = self._proceed(scene) if withdrawn else self._unclear(scene)
        else:
            steps = self._listen(said, scene, withdrawn)
        return self._spoken(steps)

    def _spoken(self, steps: list[Step]) -> list[Step]:
        sentences = tuple(step for step in steps if isinstance(step, str) and step)
        self._last = sentences or self._last
        return [step for step in steps if step]

    def _listen(self, said: Said, scene: Scene, withdrawn: bool) -> list[Step]:
        act = act_of(said.norms)
        if act and (steps := self._act(act, scene, withdrawn)) is not None:
            return steps
        if told := tell(said, self._book, scene):
            self._misses = 0
            return [told, *self._again(scene)]
        if steps := self._corrected(said, scene):
            return steps
        if steps := self._wished(said, scene):
            return steps
        if self._asked and self._wishes:
            return self._answer(said, scene)
        if steps := self._guessed(said, scene):
            return steps
        if withdrawn:
            return self._proceed(scene)
        return self._missed(said)

    # ── acts ─────────────────────────────────────────────────────────────────────────────────────────

    def _act(self, act: Act, scene: Scene, withdrawn: bool) -> list[Step] | None:
        """What an act leads to; None when it answers the open question instead."""
        self._misses = 0
        match act:
            case Act.CANCEL:
                return self._cancel(scene)
            case Act.REPEAT:
                return list(self._last) or self._unclear(scene)
            case Act.PAUSE:
                return [self._phrases.say("pause")]
            case Act.HELP:
                return [phrases.abilities(self._agent, self._book), *self._again(scene)]
            case Act.HELLO:
                return [self._phrases.say("hello")] if not self._asked else self._again(scene)
            case Act.BYE:
                self._forget()
                return [self._phrases.say("bye")]
            case Act.THANKS if not self._asked:
                return self._proceed(scene) if withdrawn else [self._phrases.say("thanks")]
            case Act.YES | Act.NO if self._asked:
                return self._yes_or_no(act is Act.YES, scene)
            case Act.YES:
                return self._proceed(scene) if withdrawn else [self._phrases.say("go on")]
            case Act.NO:
                return self._no(withdrawn)
            case _:
                return self._shrug(scene) if self._asked else None

    def _no(self, withdrawn: bool) -> list[Step]:
        if withdrawn:
            self._forget()
            return [self._phrases.say("cancelled")]
        return [self._phrases.say("bye")]

    def _yes_or_no(self, yes: bool, scene: Scene) -> list[Step] | None:
        asked = self._asked
        if asked and asked.parameter is None:
            if not yes:
                return self._cancel(scene)
            self._wishes[0] = Wish(self._wishes[0].intent, self._wishes[0].values, confirmed=True)
            return self._proceed(scene)
        if asked and asked.parameter and asked.parameter.kind in {Kind.BOOLEAN, Kind.CHOICE}:
            return None
        return self._shrug(scene)

    def _shrug(self, scene: Scene) -> list[Step]:
        """No answer to the question: what may be left open is left open."""
        if self._wishes and (usual := at_customary_time(self._wishes[0], scene)):
            self._wishes[0] = usual
            return self._proceed(scene)
        if self._asked and self._asked.parameter and self._asked.parameter.required:
            return [self._phrases.say("needed"), *self._again(scene)]
        return self._again(scene)

    def _cancel(self, scene: Scene) -> list[Step]:
        self._asked = None
        if self._wishes:
            self._wishes.popleft()
            return [self._phrases.say("cancelled"), *(self._proceed(scene) if self._wishes else [])]
        if self._done:
            self._done = None
            return [self._phrases.say("done already")]
        return [self._phrases.say("nothing to cancel")]

    def _forget(self) -> None:
        self._wishes.clear()
        self._asked = None

    # ── wishes ───────────────────────────────────────────────────────────────────────────────────────

    def _wished(self, said: Said, scene: Scene) -> list[Step]:
        """Wishes in the sentence; while a question is open, only what is clearly one."""
        found: list[Wish] = []
        for part in split(said, self._book, scene):
            match = self._book.match(part, scene.clock, scene.refers)
            if match and not (self._asked and answers(match, self.at_hand, self.asking)):
                found += spread(pointing(from_match(match, part, scene), self._done, part))
        if not found:
            return []
        self._misses = 0
        first, *more = found
        if self._wishes and self._wishes[0].intent is first.intent and not more and self._adds(first):
            self._wishes[0] = self._wishes[0].knowing(first.values).doubting(first.unclear)
        else:
            self._wishes.extendleft(reversed(found))
        self._asked = None
        return self._proceed(scene)

    def _adds(self, wish: Wish) -> bool:
        return self._asked is not None and bool(wish.values)

    def _guessed(self, said: Said, scene: Scene) -> list[Step]:
        """A wish without any example's words: "dentist on friday at three", "and in the bedroom"."""
        if self._done and (like := follow(self._done, said, scene)):
            self._wishes.extendleft(reversed(list(spread(like))))
            return self._proceed(scene)
        if asks(said.norms):
            return []
        timing = said.timing or whole(said.text, scene.clock)
        if self._done and timing and (not said.rest or not said.timing):
            wish = mover(self._book, self._done, scene, timing)
            if wish:
                self._wishes.appendleft(wish)
                return self._proceed(scene)
        intent = self._book.guess(said)
        if intent is None:
            return []
        wish = pointing(beside(Wish(intent), said, scene), self._done, said)
        text = next((p for p in wish.open(Kind.TEXT) if p.required), None)
        if text and said.timing and (told := answered(wish, text, said, self._book, scene)):
            wish = told
        self._wishes.appendleft(wish)
        return self._proceed(scene)

    def _corrected(self, said: Said, scene: Scene) -> list[Step]:
        """ "No, at six", "I meant Tuesday": about the wish at hand, else about the last one that was done."""
        left = remainder(said, self.at_hand or self._done, scene)
        if left is None or (act := act_of(left.norms)) is Act.CANCEL:
            return self._cancel(scene) if left else []
        if act or self._is_new_wish(left, scene):
            return []
        if wish := self.at_hand:
            better = correct(wish, left, scene, self.asking)
            if better is None or better.values == wish.values:
                return []
            self._wishes[0] = better
        elif better := correct_done(self._done, left, self._book, scene):
            self._wishes.appendleft(better)
        else:
            return []
        return self._proceed(scene)

    def _is_new_wish(self, said: Said, scene: Scene) -> bool:
        match = self._book.match(said, scene.clock, scene.refers)
        return match is not None and bool(match.template.strong) and bool(match.slots)

    # ── questions ────────────────────────────────────────────────────────────────────────────────────

    def _answer(self, said: Said, scene: Scene) -> list[Step]:
        asked = self._asked
        if asked is None or asked.parameter is None:
            yes = find_boolean(said.norms)
            return self._missed_answer(said, scene) if yes is None else self._yes_or_no(yes, scene) or []
        if asks(said.norms) and not said.timing:
            return [self._phrases.say("stay"), *self._again(scene)]
        wish = answered(self._wishes[0], asked.parameter, said, self._book, scene)
        if wish is None:
            return self._missed_answer(said, scene)
        self._wishes.popleft()
        self._wishes.extendleft(reversed(list(spread(wish))))
        self._misses = 0
        self._asked = None
        return self._proceed(scene)

    def _missed_answer(self, said: Said, scene: Scene) -> list[Step]:
        asked = self._asked
        if asked is None:
            return self._missed(said)
        self._asked = Asked(asked.parameter, asked.tries + 1)
        if asked.tries == 0:
            return [self._phrases.say("sorry"), *self._again(scene)]
        return [self._phrases.say("type"), *self._again(scene)]

    def _again(self, scene: Scene) -> list[Step]:
        """The open question once more; nothing when there is none."""
        if self._asked is None or not self._wishes:
            return []
        return [ask(self._wishes[0], self._asked.parameter, scene, self._phrases)]

    def _unclear(self, scene: Scene) -> list[Step]:
        self._misses += 1
        return [self._phrases.say("unclear" if self._misses == 1 else "type"), *self._again(scene)]

    def _missed(self, said: Said) -> list[Step]:
        """Nothing this agent does; examples are told once."""
        self._misses += 1
        beyond = asks(said.norms)
        if self._misses > 1:
            return [self._phrases.say("stay" if beyond else "type")]
        return [self._phrases.say("stay" if beyond else "sorry"), phrases.abilities(self._agent, self._book)]

    # ── going on ─────────────────────────────────────────────────────────────────────────────────────

    def _proceed(self, scene: Scene) -> list[Step]:
        """Go on with the wish at hand: ask what is missing, or call its function."""
        if not self._wishes:
            return [self._phrases.say("go on")]
        wish = self._wishes[0]
        missing = wish.missing()
        if missing and missing.kind is Kind.REFERENCE and not self._things(missing, scene):
            self._wishes.popleft()
            none = f"You don't have any {missing.refers_to} yet that I could use for that."
            return [none, *(self._proceed(scene) if self._wishes else [])]
        if missing:
            fresh = self._asked is None
            self._asked = Asked(missing)
            lead = [self._phrases.say("got it")] if fresh and missing.name not in wish.unclear else []
            return [" ".join([*lead, ask(wish, missing, scene, self._phrases)])]
        if wish.to_be_confirmed:
            self._asked = Asked(None)
            return [ask(wish, None, scene, self._phrases)]
        self._asked = None
        self._calling = True
        return [wish]

    def _things(self, parameter: Parameter, scene: Scene) -> bool:
        return bool(scene.things.get(parameter.refers_to)) or parameter.refers_to in self.memory.last

    # ── results ──────────────────────────────────────────────────────────────────────────────────────

    def finished(self, content: str, note: str, clock: Clock, things: Things) -> list[Step]:
        """Take the answer to the call that is open."""
        self._calling = False
        wish = self._wishes.popleft()
        told = results.spoken(content) or self._phrases.say("done")
        if results.asks_first(content, note):
            self._wishes.appendleft(Wish(wish.intent, wish.values, asked=True))
            self._asked = Asked(None)
            return self._spoken([told])
        if parameter := results.wants_more(content, wish.intent):
            known = {name: value for name, value in wish.values.items() if name != parameter.name}
            self._wishes.appendleft(Wish(wish.intent, known))
            self._asked = Asked(parameter)
            return self._spoken([told])
        self._done = wish
        for kind, identity in results.ids(f"{content}\n{note}").items():
            self.memory = self.memory.remembering(wish.thing(kind, identity))
        if wish.confirmed:
            self.memory = self.memory.without(value.thing for value in wish.values.values() if value.thing)
        if self._wishes:
            return self._spoken([told, *self._proceed(Scene(clock, things, self.memory))])
        return self._spoken([told, self._phrases.say("more")])

    # ── watching ─────────────────────────────────────────────────────────────────────────────────────

    @property
    def asking(self) -> Parameter | None:
        """The argument that is asked for, if one is."""
        return self._asked.parameter if self._asked else None

    @property
    def at_hand(self) -> Wish | None:
        """The wish that is being filled or called."""
        return self._wishes[0] if self._wishes else None
