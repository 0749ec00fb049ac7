"""What a resumed conversation was about: its last call that was done, and the thing that came of it."""

import json
from collections.abc import Iterator, Mapping, Sequence

from bridge.core.agent import Kind
from bridge.core.model import Call, Entry, Outcome, Result, Status, Thing
from bridge.upstreams.cascade.thinking.matching import Book
from bridge.upstreams.cascade.thinking.results import ids
from bridge.upstreams.cascade.thinking.things import Memory
from bridge.upstreams.cascade.thinking.wishes import Value, Wish


def recall(history: Sequence[Entry], book: Book) -> tuple[Memory, Wish | None]:
    """The memory and the last wish of what was said and done before."""
    memory, done = Memory(), None
    for call, outcome in _done(history):
        wish = _read(call.function.name, call.function.arguments, book)
        for kind, identity in _made(outcome):
            memory = memory.remembering(Thing(kind, identity, _title(wish)))
        done = wish or done
    return memory, done


def _done(history: Sequence[Entry]) -> Iterator[tuple[Call, Outcome]]:
    calls: dict[tuple[str, str], Call] = {}
    for entry in history:
        match entry.what:
            case Call() as call:
                calls[call.request, call.function.id] = call
            case Result(outcome=Outcome(status=Status.DONE | Status.NOTED)) as result:
                if call_of := calls.get((result.request, result.call_id)):
                    yield call_of, result.outcome
            case _:
                pass


def recall_told(context: object, book: Book) -> tuple[Memory, Wish | None]:
    """The same from a client's `agent.context`, as another bridge sends it (Deepgram: `History`)."""
    memory, done = Memory(), None
    messages = context.get("messages") if isinstance(context, Mapping) else None
    for message in messages if isinstance(messages, list) else ():
        calls = message.get("function_calls") if isinstance(message, Mapping) else None
        for past in calls if isinstance(calls, list) else ():
            if not isinstance(past, Mapping):
                continue
            wish = _read(str(past.get("name")), str(past.get("arguments")), book)
            for kind, identity in ids(str(past.get("response"))).items():
                memory = memory.remembering(Thing(kind, identity, _title(wish)))
                done = wish or done
    return memory, done


def _made(outcome: Outcome) -> Iterator[tuple[str, str]]:
    named = {"goal": outcome.goal_id, "task": outcome.task_id, **ids(f"{outcome.content}\n{outcome.note}")}
    yield from ((kind, identity) for kind, identity in named.items() if identity)


def _read(name: str, text: str, book: Book) -> Wish | None:
    """The wish a call was."""
    intent = book.intent(name)
    try:
        arguments: object = json.loads(text)
    except ValueError:
        return None
    if intent is None or not isinstance(arguments, Mapping):
        return None
    known = {p.name for p in intent.parameters}
    values = {
        n: Value(v) for n, v in arguments.items() if n in known and isinstance(v, str | float | int | bool)
    }
    return Wish(intent).knowing(values)


def _title(wish: Wish | None) -> str:
    text = wish.first(Kind.TEXT) if wish else None
    return str(wish.values[text.name].argument) if wish and text else ""
