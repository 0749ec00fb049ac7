"""What a client is told: news → JSON text; and an entry's JSON, the same on the socket and over HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import assert_never

import orjson

from bridge.core import commands, events
from bridge.core.commands import News
from bridge.core.model import AudioFormat, Call, Cut, Entry, FunctionCall, Message, Result

PROTOCOL_VERSION = 1
"""Of our additions; told in `Welcome.bridge.version`, raised by a breaking change."""

Written = dict[str, object]


def write(news: News) -> str | None:
    """News → one text frame. None: the client has no use for it (its own answer to a function call)."""
    message = _message(news)
    return None if message is None else orjson.dumps(message).decode()


def _message(news: News) -> Mapping[str, object] | None:
    match news:
        case commands.Welcome():
            bridge = {"version": PROTOCOL_VERSION}
            return {"type": "Welcome", "request_id": news.request_id, "bridge": bridge}
        case commands.Ready():
            return _ready(news)
        case commands.Applied():
            return {"type": "SettingsApplied"}
        case commands.Shown():
            return _shown(news.entry)
        case commands.Replayed():
            return {"type": "BridgeEntry", "entry": entry_json(news.entry)}
        case commands.Ponged():
            return {"type": "BridgePong", "id": news.id}
        case commands.Warned():
            return {"type": "Warning", "description": news.description, "code": news.code}
        case commands.Failed():
            return {"type": "Error", "description": news.description, "code": news.code}
        case _:
            return _relayed(news)


def _relayed(news: commands.Relayed) -> Mapping[str, object]:
    """A control event of the agent: its type, the keys we read, and all others as they came."""
    match news:
        case events.UserStartedSpeaking():
            return {**news.extra, "type": "UserStartedSpeaking"}
        case events.TurnEnded():
            trigger = {"trigger": news.trigger} if news.trigger else {}
            return {**news.extra, "type": "EndOfTurn", **trigger}
        case events.AgentThought():
            return {**news.extra, "type": "AgentThinking", "content": news.content}
        case events.AgentStartedSpeaking():
            return {**news.extra, "type": "AgentStartedSpeaking"}
        case events.AgentAudioDone():
            return {**news.extra, "type": "AgentAudioDone"}
        case events.CallsCancelled():
            functions = [{"id": call_id, "name": ""} for call_id in news.call_ids]
            return {"functions": functions, **news.extra, "type": "FunctionCallCancelled"}
        case events.LatencyReported():
            return {**news.extra, "type": "LatencyReport"}
        case events.AgentWarned():
            return {**news.extra, "type": "Warning", "description": news.description, "code": news.code}
        case events.AgentErred():
            return {**news.extra, "type": "Error", "description": news.description, "code": news.code}
        case events.AgentSaidOther():
            return news.raw
        case _:
            assert_never(news)


def _ready(ready: commands.Ready) -> Written:
    return {
        "type": "BridgeReady",
        "session_id": ready.session_id,
        "conversation_id": ready.conversation_id,
        "agent": ready.agent,
        "cursor": str(ready.cursor) if ready.cursor else None,
        "resumed": ready.resumed,
        "recovered": ready.recovered,
        "resume_token": ready.resume_token,
        "audio": {"input": _format(ready.audio_in), "output": _format(ready.audio_out)},
    }


def _format(audio: AudioFormat) -> Written:
    return {"encoding": audio.encoding, "sample_rate": audio.sample_rate}


# ── entries as they happen ─────────────────────────────────────────────────────────────────────────────


def _shown(entry: Entry) -> Written | None:
    place: Written = {"cursor": str(entry.cursor), "at": instant(entry.at)}
    match entry.what:
        case Message() as said:
            text = {"type": "ConversationText", "role": said.role, "content": said.content}
            return {**said.extra, **text, **place}
        case Call() as call:
            functions = [_function(call.function, client_side=not call.ours)]
            return {"type": "FunctionCallRequest", "functions": functions, **place}
        case Result() as result:
            return {"type": "FunctionCallResponse", **_result(result), **place} if result.ours else None
        case Cut() as cut:
            return {"type": "BridgeCut", "of": str(cut.of), "heard": cut.heard, **place}
        case _:
            assert_never(entry.what)


def _function(function: FunctionCall, *, client_side: bool) -> Written:
    written: Written = {
        "id": function.id,
        "name": function.name,
        "arguments": function.arguments,
        "client_side": client_side,
    }
    if function.thought_signature is not None:
        written["thought_signature"] = function.thought_signature
    return written


def _result(result: Result) -> Written:
    return {
        "id": result.call_id,
        "name": result.name,
        "content": result.outcome.content,
        "status": result.outcome.status,
        "duration_ms": result.outcome.duration_ms,
    }


# ── entries as a record ────────────────────────────────────────────────────────────────────────────────


def entry_json(entry: Entry) -> Written:
    """An entry for `BridgeEntry` and for HTTP; `kind` is message, call, result or cut."""
    place: Written = {"cursor": str(entry.cursor), "at": instant(entry.at)}
    match entry.what:
        case Message() as said:
            return {**place, "kind": "message", **_message_json(said)}
        case Call(function=function):
            call = {"id": function.id, "name": function.name, "arguments": function.arguments}
            return {**place, "kind": "call", **call}
        case Result() as result:
            made = {"goal_id": result.outcome.goal_id, "task_id": result.outcome.task_id}
            return {**place, "kind": "result", **_result(result), **made}
        case Cut() as cut:
            return {**place, "kind": "cut", "of": str(cut.of), "heard": cut.heard}
        case _:
            assert_never(entry.what)


def _message_json(said: Message) -> Written:
    return {
        "role": said.role,
        "content": said.content,
        "modality": said.modality,
        "interrupted": False,
        "heard": None,
    }


def entries_json(entries: Iterable[Entry]) -> list[Written]:
    """Entries for a list: a cut is folded into its message; one whose message is not here stays an entry."""
    written: dict[str, Written] = {}
    for entry in entries:
        match entry.what:
            case Cut(of=of, heard=heard) if (cut := written.get(str(of))) and cut["kind"] == "message":
                cut.update(interrupted=True, heard=heard)
            case _:
                written[str(entry.cursor)] = entry_json(entry)
    return list(written.values())


def instant(at: datetime) -> str:
    """ISO 8601, UTC, milliseconds: `2026-11-03T12:00:00.123Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
