"""What was said is kept without personal data when that is wanted; what is to be done is kept as it is."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

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


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        (["my number is 555-123,", "4567, thanks"], ["my number is 555-123,", "[phone], thanks"]),
        (["4111 1111", "1111", "1111", "that's it"], ["4111 1111", "1111", "[card]", "that's it"]),
        (["DE89 3704 0044.", "0532\u00a00130 00. Bye"], ["DE89 3704 0044.", "[iban]. Bye"]),
        (["DE893704004405", "32013000, bye"], ["DE893704004405", "[iban], bye"]),
        (["(555) 12", "3-4567"], ["(555) 12", "[phone]"]),
        (["call 030 1234567", "5 minutes later"], ["call [phone]", "5 minutes later"]),
        (["it was at 5", "30 people came"], ["it was at 5", "30 people came"]),
        (["555-123", "it goes on 4567"], ["555-123", "it goes on 4567"]),
    ],
)
async def test_of_a_number_over_two_lines_the_rest_is_taken_out(lines: list[str], left: list[str]) -> None:
    inner = Kept()
    journal = RedactingJournal(inner, Personal)
    for n, line in enumerate(lines):
        await journal.append(entry(2 * n, Message(Role.USER, line)))
        await journal.append(entry(2 * n + 1, Message(Role.ASSISTANT, "and then?")))
    said = [e.what.content for e in inner.entries if isinstance(e.what, Message) and e.what.role is Role.USER]
    assert said == left


async def test_nobody_ends_what_somebody_else_began() -> None:
    inner = Kept()
    journal = RedactingJournal(inner, Personal)
    await journal.append(entry(0, Message(Role.USER, "my number is 555-123")))
    await journal.append(entry(1, Message(Role.ASSISTANT, "4567")))
    await journal.append(replace(entry(2, Message(Role.USER, "4567")), conversation_id="another"))
    assert [e.what.content for e in inner.entries[1:] if isinstance(e.what, Message)] == ["4567", "4567"]


async def test_what_is_to_be_done_is_kept_as_it_is() -> None:
    function = FunctionCall("f1", "add_task", '{"title": "call 555-123-4567"}')
    call = Call(request="r", function=function)
    assert await kept(call, *Personal) == call
