"""OpenTelemetry spans: one of each talk, in it one of each turn, in that one of each function call.

Whose talk it was, what was said and what functions were given is in none of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Self

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, Status, StatusCode, set_span_in_context

from bridge.core import events as ev
from bridge.core.events import Moment
from bridge.core.model import Call, Cursor, Message, Result, Role
from bridge.core.model import Status as CallStatus
from bridge.ports import Happening, SessionFacts

WENT_WRONG = {CallStatus.FAILED, CallStatus.TIMED_OUT}
STAGES = ("stt_latency", "ttt_text_latency", "tts_latency", "total_latency")
"""Of Deepgram's `LatencyReport`, seconds."""


@dataclass(slots=True)
class _Talk:
    """The spans of a session that are not over."""

    span: Span
    turn: Span | None = None
    functions: dict[Cursor, Span] = field(default_factory=dict)
    reply: int = 0
    """The last one whose first sound was noted."""


LAST_SECONDS = 2.0
"""How long what is left may take at the end, with a collector that is away."""


class Traces:
    """An observer. An async context manager: what is left is sent when it is closed.

    Where to, how often and under which name: the standard variables, OTEL_EXPORTER_OTLP_ENDPOINT and so on.
    """

    kinds: Collection[type[Happening]] = (
        *(ev.Attached, ev.UserStartedSpeaking, ev.TextArrived, ev.TurnEnded, ev.LatencyReported),
        *(ev.AgentAudioDone, ev.AgentLeft, ev.EntrySaved),
    )

    def __init__(self) -> None:
        resource = Resource.create()
        if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
            resource = resource.merge(Resource({SERVICE_NAME: "voice-bridge"}))
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._exporter = OTLPSpanExporter()
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("voice-bridge")
        self._talks: dict[str, _Talk] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        async with asyncio.TaskGroup() as group:
            closing = group.create_task(asyncio.to_thread(self._provider.shutdown), name="traces-end")
            await asyncio.wait([closing], timeout=LAST_SECONDS)
            if not closing.done():
                self._exporter.shutdown()  # type: ignore[no-untyped-call]  # what failed is not tried again

    # ── what is observed ────────────────────────────────────────────────────────────────────

    def saw(self, facts: SessionFacts, what: Happening, now: Moment) -> None:
        talk = self._talks.get(facts.session_id) or self._begin(facts, now)
        self._note_sound(talk, now)
        match what:
            case ev.UserStartedSpeaking():
                self._begin_turn(talk, now, "voice")
            case ev.TextArrived(Message(Role.USER)) if talk.turn is None:
                self._begin_turn(talk, now, "text")
            case ev.TurnEnded() if talk.turn:
                talk.turn.add_event("turn_ended", timestamp=_ns(now.at))
            case ev.LatencyReported(extra) if talk.turn:
                known = {key: extra[key] for key in STAGES if isinstance(extra.get(key), int | float)}
                talk.turn.set_attributes({f"bridge.{key}": float(str(known[key])) for key in known})
            case ev.AgentAudioDone():
                self._end_turn(talk, now)
            case ev.AgentLeft(code):
                talk.span.add_event("agent_lost", {"bridge.close_code": code}, _ns(now.at))
            case ev.EntrySaved(entry):
                self._saved(talk, entry.cursor, entry.what, now)
            case _:
                pass

    def ended(self, facts: SessionFacts, reason: str, now: Moment) -> None:
        if (talk := self._talks.pop(facts.session_id, None)) is None:
            return
        for function in talk.functions.values():
            function.end(_ns(now.at))
        self._note_sound(talk, now)
        self._end_turn(talk, now)
        talk.span.set_attribute("bridge.reason", reason)
        if reason in {"fault", "cut_off"}:
            talk.span.set_status(Status(StatusCode.ERROR, reason))
        talk.span.end(_ns(now.at))

    # ── spans ───────────────────────────────────────────────────────────────────────────────

    def _begin(self, facts: SessionFacts, now: Moment) -> _Talk:
        attributes = {
            "bridge.session_id": facts.session_id,
            "bridge.conversation_id": facts.conversation_id,
            "bridge.agent": facts.agent,
            "bridge.upstream": facts.upstream,
        }
        span = self._tracer.start_span("call", attributes=attributes, start_time=_ns(now.at))
        talk = self._talks[facts.session_id] = _Talk(span)
        return talk

    def _begin_turn(self, talk: _Talk, now: Moment, modality: str) -> None:
        self._end_turn(talk, now)
        talk.turn = self._under(talk.span, "turn", now)
        talk.turn.set_attribute("bridge.modality", modality)

    def _end_turn(self, talk: _Talk, now: Moment) -> None:
        if talk.turn:
            talk.turn.end(_ns(now.at))
            talk.turn = None

    def _saved(self, talk: _Talk, cursor: Cursor, what: object, now: Moment) -> None:
        match what:
            case Call():
                talk.functions[cursor] = self._under(talk.turn or talk.span, "function", now)
            case Result(name=name, outcome=outcome, of=of) if of in talk.functions:
                function = talk.functions.pop(of)
                function.set_attribute("bridge.function", name if outcome.route else "unknown")
                function.set_attribute("bridge.status", outcome.status.value)
                if outcome.status in WENT_WRONG:
                    function.set_status(Status(StatusCode.ERROR))
                function.end(_ns(now.at))
            case _:
                pass

    def _note_sound(self, talk: _Talk, now: Moment) -> None:
        """The first sound of a reply is part of the turn it answers."""
        if talk.turn and now.reply != talk.reply:
            at = _ns(now.at) - round((now.clock - now.reply_began) * 1e9)
            talk.turn.add_event("first_sound", timestamp=at)
        talk.reply = now.reply

    def _under(self, parent: Span, name: str, now: Moment) -> Span:
        context = set_span_in_context(parent)
        return self._tracer.start_span(name, context=context, start_time=_ns(now.at))


def _ns(at: datetime) -> int:
    return round(at.timestamp() * 1e9)
