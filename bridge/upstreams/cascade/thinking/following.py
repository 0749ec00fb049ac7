"""A wish like the last one: "and in the bedroom", "also eggs", "what about the hallway", "the tea too"."""

from typing import Final

from bridge.core.agent import Kind
from bridge.upstreams.cascade.thinking.slots import Scene, answer_text, plain_value, with_time
from bridge.upstreams.cascade.thinking.times import Said, read
from bridge.upstreams.cascade.thinking.wishes import Value, Wish
from bridge.upstreams.cascade.thinking.words import excerpt

_BEGINS: Final = (
    *(("and", "also"), ("and", "then"), ("and",), ("also",), ("plus",), ("then",), ("oh", "and")),
    *(("what", "about"), ("how", "about"), ("the", "same", "for"), ("the", "same", "in"), ("same", "for")),
)
_ENDS: Final = (("too",), ("as", "well"), ("also",))
POINTING: Final = frozenset(["it", "them", "those", "there"])
CLOSED: Final = frozenset([Kind.CHOICE, Kind.NUMBER, Kind.BOOLEAN])


def follow(done: Wish, said: Said, scene: Scene) -> Wish | None:
    """The last wish with what is said to be other now; None when nothing says that it is one like it."""
    if any(parameter.kind is Kind.REFERENCE for parameter in done.intent.parameters):
        return None
    tail = _tail(said, scene)
    if tail is None:
        return None
    closed = {p.name: p for p in done.intent.parameters if p.kind in CLOSED}
    kept = {name: value for name, value in done.values.items() if name in closed}
    new = {name: value for name, p in closed.items() if (value := plain_value(p, tail.norms))}
    text = next((p for p in done.intent.parameters if p.kind is Kind.TEXT and p.required), None)
    if text and not new and (heard := answer_text(tail, timeless=True)):
        new = {text.name: Value(heard)}
    if not new:
        return None
    wish = Wish(done.intent, {**kept, **new})
    return with_time(wish, tail.timing, scene) if tail.timing else wish


def pointing(wish: Wish, done: Wish | None, said: Said) -> Wish:
    """A wish that points at what the last one was about: "turn them off", "set it to twenty"."""
    if done is None or done.intent is not wish.intent or not POINTING.intersection(said.norms):
        return wish
    kinds = {p.name: p.kind for p in wish.intent.parameters if p.name not in wish.values}
    same = {name: value for name, value in done.values.items() if kinds.get(name) in CLOSED}
    return wish.knowing(same) if same else wish


def _tail(said: Said, scene: Scene) -> Said | None:
    """The sentence without what says that it follows; None when nothing does."""
    heard = said.norms
    begin = max((len(words) for words in _BEGINS if heard[: len(words)] == words), default=0)
    end = max((len(words) for words in _ENDS if heard[-len(words) :] == words), default=0)
    kept = said.words[begin : len(said.words) - end]
    return read(excerpt(said.text, kept), scene.clock) if kept and (begin or end) else None
