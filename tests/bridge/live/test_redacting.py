"""What was said is kept without personal data when that is wanted; what is to be done is kept as it is."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from bridge.core.model import Call, Cursor, Cut, Entry, FunctionCall, Message, Role, What
from bridge.core.personal import Personal
from bridge.live.redacting import RedactingJournal
from tests.support.playbook import entry


class Kept:
    """Remembers what it was given."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def append(self, entry: Entry) -> asyncio.Future[None]:
        self.entries.append(entry)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


async def kept(what: What, *kinds: Personal) -> What:
    journal = Kept()
    original = entry(0, what)
    await RedactingJournal(journal, kinds).append(original)
    (found,) = journal.entries
    assert replace(found, what=what) == original
    return found.what


async def test_what_was_said_and_heard_is_kept_without_personal_data() -> None:
    said = Message(Role.USER, "I'm ada@example.org, 555-123-4567")
    assert await kept(said, *Personal) == Message(Role.USER, "I'm [email], [phone]")
    assert await kept(said, Personal.EMAIL) == Message(Role.USER, "I'm [email], 555-123-4567")
    part = Cut(Cursor(2, 1), "your card is 4111 1111 1111")
    assert await kept(part, *Personal) == Cut(Cursor(2, 1), "your card is")
    heard = Cut(Cursor(2, 1), "write to ada@example.org")
    assert await kept(heard, *Personal) == Cut(Cursor(2, 1), "write to [email]")


async def test_what_is_to_be_done_is_kept_as_it_is() -> None:
    function = FunctionCall("f1", "add_task", '{"title": "call 555-123-4567"}')
    call = Call(request="r", function=function)
    assert await kept(call, *Personal) == call
