"""The `Settings` message: the agent's folder, the history and the sound, as Deepgram wants to be told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from typing import Final

import orjson
import structlog

from bridge.core.agent import Intent
from bridge.core.hints import from_functions, to_function, without_hints
from bridge.core.model import JSON, AudioFormat, Call, Cut, Entry, Message, Result, Thing
from bridge.ports import Brief

log = structlog.get_logger(__name__)

PROMPT_LIMIT: Final = 25_000
"""Characters of a prompt; Deepgram cuts the end of a longer one, where the user's context stands."""
BRIDGE_LIMIT: Final = 60 * 1024
"""Bytes of a Settings message to another bridge, which takes 64 KiB from a client."""

LISTEN: Final[JSON] = {"type": "deepgram", "model": "nova-3"}
THINK: Final[JSON] = {"type": "open_ai", "model": "gpt-4o-mini"}
SPEAK: Final[JSON] = {"type": "deepgram", "model": "aura-2-thalia-en"}
BESIDE_PROVIDER: Final = ("endpoint", "context_length")
"""Keys an author may write among the provider's and Deepgram wants beside it."""

Things = Mapping[str, Sequence[Thing]]


def settings_message(brief: Brief, *, hints: bool, things: Things | None = None) -> dict[str, object]:
    """Deepgram's `Settings`. With `hints`, for another bridge, also what its local agent needs to know.

    `things` are the user's things of the kinds in `kinds_referred`; they are told only with `hints`.
    """
    block = (
        _own_agent(brief, hints=hints) if brief.client_agent is None else _client_agent(brief, hints=hints)
    )
    message: dict[str, object] = {
        "type": "Settings",
        "flags": {"history": False},
        "audio": {
            "input": _format(brief.audio_in),
            "output": {**_format(brief.audio_out), "container": "none"},
        },
        "agent": block,
    }
    if hints:
        message["bridge"] = {"context": _context(brief, things or {})}
        _fit(message, BRIDGE_LIMIT)
    return message


def kinds_referred(brief: Brief) -> tuple[str, ...]:
    """The kinds of things that parameters of the agent's functions refer to, each once."""
    intents = brief.agent.intents if brief.client_agent is None else _declared(brief.client_agent)
    kinds = (parameter.refers_to for intent in intents for parameter in intent.parameters)
    return tuple(dict.fromkeys(kind for kind in kinds if kind))


def _format(audio: AudioFormat) -> dict[str, object]:
    return {"encoding": audio.encoding, "sample_rate": audio.sample_rate}


# ── the agent ──────────────────────────────────────────────────────────────────────────────────────────


def _own_agent(brief: Brief, *, hints: bool) -> dict[str, object]:
    """`agent` from the folder. The deprecated `agent.language` is left out: some providers refuse it."""
    agent = brief.agent
    think = _block(agent.think, THINK)
    think["prompt"] = _prompt(brief) if "endpoint" not in think else brief.prompt
    functions = [to_function(intent) for intent in agent.intents]
    if functions:
        think["functions"] = functions if hints else [without_hints(function) for function in functions]
    block: dict[str, object] = {
        "listen": {"provider": _listen(agent.listen, agent.language)},
        "think": think,
        "speak": _speak(agent.speak),
    }
    if brief.greeting:
        block["greeting"] = brief.greeting
    return block | _past(brief.history)


def _client_agent(brief: Brief, *, hints: bool) -> dict[str, object] | str:
    """A client's own `agent`: our history follows its own; its greeting is told only when it is time."""
    given = brief.client_agent or {}
    if set(given) == {"id"}:
        return str(given["id"])
    block = {key: value for key, value in given.items() if key not in {"context", "greeting"}}
    if "think" in block and not hints:
        block["think"] = _think_without_hints(block["think"])
    if brief.greeting and given.get("greeting"):
        block["greeting"] = given["greeting"]
    context = given.get("context")
    told = context.get("messages") if isinstance(context, Mapping) else None
    return block | _past(brief.history, told if isinstance(told, list) else ())


def _think_without_hints(think: object) -> object:
    """`think`, or each of its fallbacks, with plain functions."""
    if isinstance(think, list):
        return [_think_without_hints(each) for each in think]
    if not isinstance(think, Mapping) or not isinstance(functions := think.get("functions"), list):
        return think
    return {**think, "functions": [without_hints(function) for function in functions]}


def _declared(client_agent: JSON) -> tuple[Intent, ...]:
    """The functions of a client's `agent` block."""
    think = client_agent.get("think")
    thinks = think if isinstance(think, list) else [think]
    return tuple(
        intent
        for each in thinks
        if isinstance(each, Mapping)
        for intent in from_functions(each.get("functions"))
    )


def _block(given: JSON, defaults: JSON) -> dict[str, object]:
    """`{provider, endpoint?, …}`: the default model goes with the default type only."""
    merged = {**defaults, **given} if given.get("type", defaults["type"]) == defaults["type"] else dict(given)
    provider = {key: value for key, value in merged.items() if key not in BESIDE_PROVIDER}
    return {"provider": provider, **{key: merged[key] for key in BESIDE_PROVIDER if key in merged}}


def _listen(given: JSON, language: str) -> dict[str, object]:
    """`listen.provider`: Flux is version 2 and hears several languages by hints, Nova is version 1."""
    provider = {**LISTEN, **given}
    if provider["type"] != "deepgram":
        return provider
    model = str(provider["model"])
    if not model.startswith("flux"):
        return {"version": "v1", "language": language, **provider}
    hinted = {"language_hints": [language]} if model.endswith("-multi") and language != "multi" else {}
    return {"version": "v2", **hinted, **provider}


def _speak(given: JSON) -> dict[str, object]:
    """`speak`: Flux voices are version 2; Aura's `language` key is refused, so none is made up."""
    block = _block(given, SPEAK)
    provider = block["provider"]
    assert isinstance(provider, dict)
    if provider["type"] == "deepgram" and str(provider["model"]).startswith("flux"):
        block["provider"] = {"version": "v2", **provider}
    return block


def _prompt(brief: Brief) -> str:
    """The prompt within the limit; what is cut is the end of the author's text, never the user's context."""
    prompt, own = brief.prompt, brief.agent.prompt.rstrip()
    if len(prompt) <= PROMPT_LIMIT:
        return prompt
    log.warning("prompt_cut", agent=brief.agent.name, characters=len(prompt), limit=PROMPT_LIMIT)
    context = prompt.removeprefix(own) if prompt.startswith(own) else ""
    return (own[: max(0, PROMPT_LIMIT - len(context))] + context if context else prompt)[:PROMPT_LIMIT]


# ── the past ───────────────────────────────────────────────────────────────────────────────────────────


def _past(entries: Sequence[Entry], before: Sequence[object] = ()) -> dict[str, object]:
    """`{context: {messages}}`, or nothing when there is no past. `before`: a client's own, as it came."""
    messages = [*before, *history(entries)]
    return {"context": {"messages": messages}} if messages else {}


def history(entries: Sequence[Entry]) -> Iterator[dict[str, object]]:
    """Entries in Deepgram's `History` shapes: what was heard of cut messages, and calls that have an outcome.

    A call stands where its result came: it may have been asked for before the user's text that caused it.
    """
    heard = {entry.what.of: entry.what.heard for entry in entries if isinstance(entry.what, Cut)}
    calls: dict[tuple[str, str], Call] = {}
    for entry in entries:
        match entry.what:
            case Message() as said:
                if content := heard.get(entry.cursor, said.content):
                    yield {"type": "History", "role": said.role.value, "content": content}
            case Call() as call:
                calls[call.request, call.function.id] = call
            case Result() as result:
                if found := calls.get((result.request, result.call_id)):
                    yield {"type": "History", "function_calls": [_past_call(found, result)]}
            case Cut():
                pass


def _past_call(call: Call, result: Result) -> dict[str, object]:
    function, outcome = call.function, result.outcome
    past = {
        "id": function.id,
        "name": function.name,
        "client_side": function.client_side,
        "arguments": function.arguments,
        "response": f"{outcome.content} ({outcome.note})" if outcome.note else outcome.content,
    }
    return past | ({"thought_signature": function.thought_signature} if function.thought_signature else {})


# ── another bridge ─────────────────────────────────────────────────────────────────────────────────────


def _context(brief: Brief, things: Things) -> dict[str, object]:
    """What another bridge's local agent must know of the user; what we were told ourselves wins."""
    own = {
        "time_zone": brief.person.time_zone,
        "user_name": brief.person.name,
        "things": {kind: [_thing(thing) for thing in some] for kind, some in things.items()},
    }
    return {**own, **brief.context}


def _thing(thing: Thing) -> dict[str, object]:
    at = thing.at.astimezone(UTC).isoformat().replace("+00:00", "Z") if thing.at else None
    return {"id": thing.id, "title": thing.title, "at": at}


def _fit(message: dict[str, object], limit: int) -> None:
    """Forget the oldest part of the history until the message fits."""
    agent = message["agent"]
    past = agent.get("context") if isinstance(agent, dict) else None
    if not isinstance(past, dict):
        return
    messages: list[object] = past["messages"]
    excess = len(orjson.dumps(message)) - limit
    dropped = 0
    while excess > 0 and dropped < len(messages):
        excess -= len(orjson.dumps(messages[dropped])) + 1
        dropped += 1
    if dropped:
        del messages[:dropped]
        log.warning("history_cut", dropped=dropped, limit=limit)
