"""A conversation as a file: JSON for programs, Markdown for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import assert_never

import orjson

from bridge.core.model import Call, Conversation, Cursor, Cut, Entry, Message, Result, Role
from bridge.routes.answers import noun_json
from bridge.wire import entries_json


def as_json(conversation: Conversation, entries: Iterable[Entry]) -> bytes:
    """`{conversation, messages}`, indented."""
    content = {"conversation": noun_json(conversation), "messages": entries_json(entries)}
    return orjson.dumps(content, option=orjson.OPT_INDENT_2)


def as_markdown(conversation: Conversation, entries: tuple[Entry, ...]) -> bytes:
    """Times are UTC. What was said stands in quotes, so that nothing in it can be taken for ours."""
    cuts = {entry.what.of: entry.what for entry in entries if isinstance(entry.what, Cut)}
    title = " ".join(conversation.title.split()) or "Conversation"
    begun = f"{conversation.started_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    lines = [f"# {title}", "", f"With {conversation.agent}, {begun}, {conversation.message_count} messages."]
    for entry in entries:
        lines += _entry_lines(entry, conversation.agent, cuts)
    return ("\n".join(lines) + "\n").encode()


def _entry_lines(entry: Entry, agent: str, cuts: dict[Cursor, Cut]) -> Iterator[str]:
    match entry.what:
        case Message() as said:
            speaker = "You" if said.role is Role.USER else agent
            cut = cuts.get(entry.cursor)
            yield from _heading(speaker, entry.at, ", interrupted" if cut else "")
            yield from _quoted(said.content)
            if cut:
                yield from ("", "Heard:", "")
                yield from _quoted(cut.heard)
        case Call() as call:
            yield from _heading(call.function.name, entry.at, ", asked for")
            yield from _quoted(call.function.arguments)
        case Result() as result:
            yield from _heading(result.name, entry.at, f", {result.outcome.status.replace('_', ' ')}")
            yield from _quoted(result.outcome.content)
        case Cut():
            return
        case _:
            assert_never(entry.what)


def _heading(who: str, at: datetime, note: str) -> tuple[str, ...]:
    return ("", f"**{who}**, {at.astimezone(UTC):%H:%M:%S}{note}", "")


def _quoted(text: str) -> Iterator[str]:
    yield from (f"> {line}" for line in text.splitlines() or [""])
