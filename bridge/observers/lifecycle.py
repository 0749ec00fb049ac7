"""Log lines of a session's life: one per step, ids on each, nothing that people said."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import structlog

from bridge.core import commands as do
from bridge.core import events as ev
from bridge.core import timers as due
from bridge.core.events import Event, Moment, PeerEvent
from bridge.core.model import Call, Result
from bridge.ports import SessionFacts

log = structlog.get_logger(__name__)


class Lifecycle:
    """Writes the life of sessions to the log. Never more than about a line a second for one session."""

    def stepped(
        self, facts: SessionFacts, event: Event | PeerEvent, commands: Sequence[do.Command], now: Moment
    ) -> None:
        line = _line_of(event)
        if line:
            name, fields = line
            log.info(name, **facts.log_fields, **fields)
        for command in commands:
            match command:
                case do.OpenAgent(history=history):
                    log.info(
                        "agent_opening", **facts.log_fields, upstream=facts.upstream, history=len(history)
                    )
                case do.CloseClient(code, reason):
                    log.info("client_closing", **facts.log_fields, close_code=code, reason=reason)
                case _:
                    pass

    def sounded(self, facts: SessionFacts, towards: str, frames: int, size: int) -> None:
        """Sound is counted, not logged."""

    def ended(self, facts: SessionFacts, reason: str, now: Moment) -> None:
        log.info("session_finished", **facts.log_fields, reason=reason)


NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
"""A function's."""
BARE: Mapping[type[Event | PeerEvent], str] = {
    due.AnswerLate: "answer_late",
    due.AnswerOverdue: "agent_silent",
    due.RenewalDue: "agent_renewal_due",
}
"""Events whose line has no fields of its own."""


def _line_of(event: Event | PeerEvent) -> tuple[str, dict[str, object]] | None:
    """Name and fields of the line an event is worth, if it is."""
    match event:
        case ev.Attached():
            return "client_attached", {}
        case ev.ClientSettings(instance=instance, audio_in=heard, audio_out=spoken):
            return "client_settings", {
                "instance": instance[:40],
                "audio_in": f"{heard.encoding}/{heard.sample_rate}",
                "audio_out": f"{spoken.encoding}/{spoken.sample_rate}",
            }
        case ev.ClientLeft(code):
            return "client_left", {"close_code": code}
        case ev.ClientErred(code):
            return "client_message_refused", {"code": code}
        case ev.AgentReady(request):
            return "agent_ready", {"request_id": request}
        case ev.AgentLeft(code, reason, retry):
            return "agent_left", {"close_code": code, "reason": reason[:120], "retry": retry}
        case ev.AgentErred(code=code, fatal=fatal, retry=retry):
            return "agent_error", {"code": code, "fatal": fatal, "retry": retry}
        case ev.AgentWarned(code=code):
            return "agent_warning", {"code": code}
        case ev.SoundDropped(towards, milliseconds, too_fast):
            return "sound_dropped", {"towards": towards, "ms": milliseconds, "too_fast": too_fast}
        case ev.EndRequested(code):
            return "end_requested", {"code": code}
        case ev.EntrySaved(entry):
            return _act_line(entry.what)
        case _:
            name = BARE.get(type(event))
            return (name, {}) if name else None


def _named(function: str) -> str:
    """A language model may put anything there, what people said included."""
    return function if NAME.fullmatch(function) else f"<{len(function)} characters>"


def _act_line(what: object) -> tuple[str, dict[str, object]] | None:
    match what:
        case Call(function=function, ours=ours):
            return "call_requested", {"function": _named(function.name), "call_id": function.id, "ours": ours}
        case Result(name=name, call_id=call_id, outcome=outcome):
            ended: dict[str, object] = {"function": _named(name), "call_id": call_id}
            return "call_ended", {**ended, "status": outcome.status.value, "duration_ms": outcome.duration_ms}
        case _:
            return None
