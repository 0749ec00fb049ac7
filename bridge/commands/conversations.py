"""`voice-bridge conversations`: list, show and export what is in the database."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path

import orjson

from bridge.core.model import Conversation
from bridge.errors import BadConfig, BridgeError
from bridge.routes.answers import noun_json
from bridge.routes.export import as_json, as_markdown
from bridge.settings import load
from persistence.archive import open_archive

Work = Callable[[argparse.Namespace], Coroutine[None, None, bytes]]
"""What a command writes."""

FAILED = 1


def add_conversations(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command and its own commands."""
    parser = commands.add_parser("conversations", help="list, show and export what is in the database")
    actions = parser.add_subparsers(required=True, metavar="action")
    ls = actions.add_parser("ls", help="list them, newest activity first")
    ls.add_argument("--user", help="only those of this user")
    ls.add_argument("--limit", type=_count, default=50, help="at most so many (50)")
    ls.add_argument("--after", help="what the part before ended with")
    ls.add_argument("--json", action="store_true", help="as JSON")
    ls.set_defaults(output=None, run=lambda options: _run(_list, options))
    show = actions.add_parser("show", help="what was said in one, to read")
    show.add_argument("id")
    show.set_defaults(format="markdown", output=None, run=lambda options: _run(_export, options))
    export = actions.add_parser("export", help="one as a file")
    export.add_argument("id")
    export.add_argument("--format", choices=("json", "markdown"), default="json")
    export.add_argument("--output", type=Path, help="the file; without it to standard output")
    export.set_defaults(run=lambda options: _run(_export, options))


def _count(text: str) -> int:
    if not 1 <= (count := int(text)) <= 1000:
        raise ValueError
    return count


def _run(work: Work, options: argparse.Namespace) -> int:
    try:
        body = asyncio.run(work(options))
    except BadConfig:
        raise
    except BridgeError as error:
        sys.stderr.write(f"voice-bridge: {error}\n")
        return FAILED
    if options.output is None:
        sys.stdout.buffer.write(body)
    else:
        options.output.touch(mode=0o600)  # what people said is for whoever asked
        options.output.write_bytes(body)
    return 0


async def _list(options: argparse.Namespace) -> bytes:
    async with open_archive(load().store_url) as archive:
        part = await archive.conversations(user_id=options.user, limit=options.limit, after=options.after)
    if options.json:
        items = [{"user_id": one.user_id, **noun_json(one)} for one in part.items]
        return orjson.dumps({"items": items, "next": part.next}, option=orjson.OPT_INDENT_2) + b"\n"
    if part.next:
        sys.stderr.write(f"more: --after {part.next}\n")
    return "".join(f"{_line(one)}\n" for one in part.items).encode()


def _line(one: Conversation) -> str:
    title = " ".join(one.title.split()) or "–"
    at = f"{one.last_activity_at:%Y-%m-%d %H:%M}Z"
    return f"{one.id}  {at}  {one.user_id}  {one.agent}  {one.message_count:>4}  {title}"


async def _export(options: argparse.Namespace) -> bytes:
    async with open_archive(load().store_url) as archive:
        conversation, entries = await archive.conversation(options.id)
    return (as_json if options.format == "json" else as_markdown)(conversation, entries)
