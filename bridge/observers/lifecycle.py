"""Log lines of a session's life: one per step, ids on each, nothing that people said."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import structlog

from bridge.core import commands as do
from bridge.core import events as ev
from bridge.core import timers as due
from bridge.core.events import Moment
from bridge.core.model import Call, Result
from bridge.ports import Happening, SessionFacts

log = structlog.get_logger(__name__)


class Lifecycle:
    """Writes the life of sessions to the log. Never more than about a line a second for one session."""

    kinds: Collection[type[Happening]] = (
        *(ev.Attached, ev.ClientSettings, ev.ClientLeft, ev.ClientErred),
        *(ev.AgentReady, ev.AgentLeft, ev.AgentErred, ev.AgentWarned),
        *(ev.SoundDropped, ev.EndRequested, ev.EntrySaved),
        *(due.AnswerLate, due.AnswerOverdue, due.RenewalDue),
        *(do.OpenAgent, do.CloseClient),
    )

    def saw(self, facts: SessionFacts, what: Happening, now: Moment) -> None:
        if line := _line_of(what, facts):
            name, fields = line
            log.info(name, **facts.log_fields, **fields)

    def ended(self, facts: SessionFacts, reason: str, now: Moment) -> None:
        log.info("session_finished", **facts.log_fields, reason=reason)


NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
"""A function's."""
BARE: Mapping[type[Happening], str] = {
    due.AnswerLate: "answer_late",
    due.AnswerOverdue: "agent_silent",
    due.RenewalDue: "agent_renewal_due",
}
"""Events whose line has no fields of its own."""


def _line_of(what: Happening, facts: SessionFacts) -> tuple[str, dict[str, object]] | None:
    """Name and fields of the line it is worth, if it is."""
    match what:
        case ev.EntrySaved():
            return _act_line(what.entry.what)
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
        case _:
            return _our_line(what, facts)


def _our_line(what: Happening, facts: SessionFacts) -> tuple[str, dict[str, object]] | None:
    """The same, of what happens between the two ends."""
    match what:
        case ev.SoundDropped(towards, milliseconds, too_fast):
            return "sound_dropped", {"towards": towards, "ms": milliseconds, "too_fast": too_fast}
        case ev.EndRequested(code):
            return "end_requested", {"code": code}
        case do.OpenAgent(history=history):
            return "agent_opening", {"upstream": facts.upstream, "history": len(history)}
        case do.CloseClient(code, reason):
            return "client_closing", {"close_code": code, "reason": reason}
        case _:
            name = BARE.get(type(what))
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
