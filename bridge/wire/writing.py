"""What a client is told: news → JSON text; and an entry's JSON, the same on the socket and over HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import assert_never

import orjson

from bridge.core import commands, events
from bridge.core.commands import News
from bridge.core.model import AudioFormat, Call, Cut, Entry, FunctionCall, Message, Result
from bridge.wire import server_messages as sent

PROTOCOL_VERSION = 1
"""Of our additions; told in `Welcome.bridge.version`, raised by a breaking change."""

Written = Mapping[str, object]


def write(news: News) -> str | None:
    """News → one text frame. None: the client has no use for it (its own answer to a function call)."""
    message = _message(news)
    return None if message is None else orjson.dumps(message).decode()


def _message(news: News) -> Written | None:
    match news:
        case commands.Welcome():
            bridge = sent.BridgeVersion(version=PROTOCOL_VERSION)
            return sent.Welcome(type="Welcome", request_id=news.request_id, bridge=bridge)
        case commands.Ready():
            return _ready(news)
        case commands.Applied():
            return sent.SettingsApplied(type="SettingsApplied")
        case commands.Shown():
            return _shown(news.entry)
        case commands.Replayed():
            return sent.BridgeEntry(type="BridgeEntry", entry=entry_json(news.entry))
        case commands.Ponged():
            return sent.BridgePong(type="BridgePong", id=news.id)
        case commands.Warned():
            return sent.Warning(type="Warning", description=news.description, code=news.code)
        case commands.Failed():
            return sent.Error(type="Error", description=news.description, code=news.code)
        case events.AgentSaidOther():
            return news.raw
        case _:
            return {**news.extra, **_relayed(news)}


def _relayed(news: commands.Extended) -> Written:
    """A control event of the agent: its type and the keys we read; all others stay as they came."""
    match news:
        case events.UserStartedSpeaking():
            return sent.UserStartedSpeaking(type="UserStartedSpeaking")
        case events.TurnEnded(trigger=""):
            return sent.EndOfTurn(type="EndOfTurn")
        case events.TurnEnded(trigger=trigger):
            return sent.EndOfTurn(type="EndOfTurn", trigger=trigger)
        case events.AgentThought():
            return sent.AgentThinking(type="AgentThinking", content=news.content)
        case events.AgentStartedSpeaking():
            return sent.AgentStartedSpeaking(type="AgentStartedSpeaking")
        case events.AgentAudioDone():
            return sent.AgentAudioDone(type="AgentAudioDone")
        case events.CallsCancelled():
            return _cancelled(news)
        case events.LatencyReported():
            return sent.LatencyReport(type="LatencyReport")
        case events.AgentWarned():
            return sent.Warning(type="Warning", description=news.description, code=news.code)
        case events.AgentErred():
            return sent.Error(type="Error", description=news.description, code=news.code)
        case _:
            assert_never(news)


def _cancelled(news: events.CallsCancelled) -> Written:
    if "functions" in news.extra:
        return {"type": "FunctionCallCancelled"}
    functions = [sent.CancelledFunction(id=call_id, name="") for call_id in news.call_ids]
    return sent.FunctionCallCancelled(type="FunctionCallCancelled", functions=functions)


def _ready(ready: commands.Ready) -> sent.BridgeReady:
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


def _format(audio: AudioFormat) -> sent.Format:
    return {"encoding": audio.encoding, "sample_rate": audio.sample_rate}


# ── entries as they happen ─────────────────────────────────────────────────────────────────────────────


def _shown(entry: Entry) -> Written | None:
    place = _place(entry)
    match entry.what:
        case Message() as said:
            text: sent.ConversationText = {
                **place,
                "type": "ConversationText",
                "role": said.role,
                "content": said.content,
            }
            return {**said.extra, **text} if said.extra else text
        case Call() as call:
            functions = [_function(call.function, client_side=not call.ours)]
            return sent.FunctionCallRequest(type="FunctionCallRequest", functions=functions, **place)
        case Result() as result:
            made = sent.FunctionCallResponse(type="FunctionCallResponse", **_result(result), **place)
            return made if result.ours else None
        case Cut() as cut:
            return sent.BridgeCut(type="BridgeCut", of=str(cut.of), heard=cut.heard, **place)
        case _:
            assert_never(entry.what)


def _place(entry: Entry) -> sent.Place:
    return {"cursor": str(entry.cursor), "at": instant(entry.at)}


def _function(function: FunctionCall, *, client_side: bool) -> sent.RequestedFunction:
    written: sent.RequestedFunction = {
        "id": function.id,
        "name": function.name,
        "arguments": function.arguments,
        "client_side": client_side,
    }
    if function.thought_signature is not None:
        written["thought_signature"] = function.thought_signature
    return written


def _result(result: Result) -> sent.Finished:
    return {
        "id": result.call_id,
        "name": result.name,
        "content": result.outcome.content,
        "status": result.outcome.status,
        "duration_ms": result.outcome.duration_ms,
    }


# ── entries as a record ────────────────────────────────────────────────────────────────────────────────


def entry_json(entry: Entry) -> sent.EntryJson:
    """An entry for `BridgeEntry` and for HTTP; `kind` is message, call, result or cut."""
    place = _place(entry)
    match entry.what:
        case Message() as said:
            return _message_json(said, place)
        case Call(function=function):
            return {
                **place,
                "kind": "call",
                "id": function.id,
                "name": function.name,
                "arguments": function.arguments,
            }
        case Result(outcome=outcome) as result:
            return {
                **place,
                "kind": "result",
                **_result(result),
                "goal_id": outcome.goal_id,
                "task_id": outcome.task_id,
            }
        case Cut() as cut:
            return {**place, "kind": "cut", "of": str(cut.of), "heard": cut.heard}
        case _:
            assert_never(entry.what)


def _message_json(said: Message, place: sent.Place) -> sent.MessageEntry:
    return {
        **place,
        "kind": "message",
        "role": said.role,
        "content": said.content,
        "modality": said.modality,
        "interrupted": False,
        "heard": None,
    }


def entries_json(entries: Iterable[Entry]) -> list[sent.EntryJson]:
    """Entries for a list: a cut is folded into its message; one whose message is not here stays an entry."""
    written: dict[str, sent.EntryJson] = {}
    for entry in entries:
        match entry.what:
            case Cut(of=of, heard=heard) if (cut := written.get(str(of))) and cut["kind"] == "message":
                cut["interrupted"], cut["heard"] = True, heard
            case _:
                written[str(entry.cursor)] = entry_json(entry)
    return list(written.values())


def instant(at: datetime) -> str:
    """ISO 8601, UTC, milliseconds: `2026-11-03T12:00:00.123Z`."""
    text = orjson.dumps(at if at.tzinfo is UTC else at.astimezone(UTC)).decode()
    return f"{text[1:24]}Z" if at.microsecond else f"{text[1:20]}.000Z"
