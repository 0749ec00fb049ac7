"""What every store must do, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from bridge.core.model import (
    Call,
    Cursor,
    Cut,
    FunctionCall,
    Message,
    Modality,
    Outcome,
    Result,
    Role,
    Status,
)
from bridge.errors import NotFound, Refused
from bridge.ports import Claim
from persistence.record import Record
from tests.persistence.build import (
    AGENT,
    NOON,
    STRANGER,
    USER,
    adds_goal,
    adds_task,
    append,
    begun,
    cursors,
    entry,
    job,
    stored,
)

POISON = "a\0b\ud800c"
CLEAN = "a\ufffdb\ufffdc"


async def test_an_unknown_person_is_made_with_defaults_and_stays(record: Record) -> None:
    first, again = await asyncio.gather(record.store.person(USER), record.store.person(USER))
    assert first == again
    assert (first.id, first.name, first.time_zone) == (USER, "", "Europe/Berlin")


async def test_a_persons_time_zone_is_what_they_last_said(record: Record) -> None:
    for zone in ("Asia/Kolkata", None, "America/New_York", None):
        claim = await record.store.claim(USER, agent="flux", conversation_id=None, time_zone=zone)
        assert claim.person == await record.store.person(USER)
        assert claim.person.time_zone == zone or zone is None
    assert claim.person.time_zone == "America/New_York"
    taken = {"agent": "flux", "conversation_id": claim.conversation.id, "time_zone": "Asia/Kolkata"}
    assert (await record.store.claim(USER, **taken)).person == await record.store.person(USER)
    assert (await record.store.person(USER)).time_zone == "Asia/Kolkata"
    assert (await record.store.person("somebody else")).time_zone == "Europe/Berlin"


async def test_a_new_conversation_is_its_users_at_epoch_one(record: Record) -> None:
    claim = await begun(record)
    assert claim.epoch == 1
    assert claim.history == ()
    assert claim.conversation.agent == "flux"
    assert claim.conversation.title == ""
    assert await record.store.conversation(USER, claim.conversation.id) == claim.conversation


async def test_taking_over_raises_the_epoch_and_gives_all_that_was_journalled(record: Record) -> None:
    first = await begun(record)
    futures = [record.journal.append(entry(first, idx, f"line {idx}")) for idx in range(50)]
    second = await record.store.claim(USER, agent="flux", conversation_id=first.conversation.id)
    assert second.epoch == 2
    assert cursors(second.history) == [f"1:{idx}" for idx in range(50)]
    assert all(future.done() for future in futures)


async def test_of_many_who_take_over_at_once_each_gets_an_epoch_of_its_own(record: Record) -> None:
    first = await begun(record)
    claims = await asyncio.gather(
        *[record.store.claim(USER, agent="flux", conversation_id=first.conversation.id) for _ in range(8)]
    )
    assert sorted(claim.epoch for claim in claims) == list(range(2, 10))


async def test_history_is_in_the_order_of_epoch_and_number_whenever_it_came(record: Record) -> None:
    claim = await begun(record)
    await append(record, entry(claim, 0, "two", epoch=2), entry(claim, 1, "late", epoch=1))
    await append(record, entry(claim, 10, "ten"), entry(claim, 9, "nine"))
    assert cursors(await stored(record, claim)) == ["1:1", "1:9", "1:10", "2:0"]


async def test_every_kind_of_entry_comes_back_as_it_was(record: Record) -> None:
    claim = await begun(record)
    function = FunctionCall("c1", "add_goal", '{"a": 1', client_side=False, thought_signature="s")
    outcome = Outcome(
        status=Status.TIMED_OUT,
        content="Too slow.",
        note="task_id: 12",
        duration_ms=5,
        route="GOAL",
        task_id="3",
    )
    said = [
        entry(claim, 0, Message(Role.ASSISTANT, "Hé ✓", Modality.TEXT, {"languages": ["en"], "x": None})),
        entry(claim, 1, Call(request="r", function=function, ours=False)),
        entry(claim, 2, Result(request="r", call_id="c1", name="add_goal", outcome=outcome, ours=False)),
        entry(claim, 3, Cut(Cursor(1, 0), "Hé")),
    ]
    await append(record, *said)
    assert await stored(record, claim) == said


async def test_text_no_database_takes_is_stored_with_replacements_everywhere(record: Record) -> None:
    claim = await begun(record)
    what = Message(Role.USER, POISON, Modality.VOICE, {POISON: [POISON, 2**70]})
    await append(record, entry(claim, 0, what), entry(claim, 1, Cut(Cursor(1, 0), POISON)))
    message, cut = await stored(record, claim)
    assert message.what == Message(Role.USER, CLEAN, Modality.VOICE, {CLEAN: [CLEAN, str(2**70)]})
    assert cut.what == Cut(Cursor(1, 0), CLEAN)
    conversation = await record.store.rename(USER, claim.conversation.id, POISON)
    assert conversation.title == CLEAN


async def test_the_title_is_the_first_wish_cut_after_a_word(record: Record) -> None:
    claim = await begun(record)
    await append(record, entry(claim, 0, Message(Role.ASSISTANT, "Hey! What can I help you with today?")))
    assert (await record.store.conversation(USER, claim.conversation.id)).title == ""
    await append(
        record,
        entry(claim, 1, "I want to learn   Spanish in three months, because I am going to move to Madrid"),
        entry(claim, 2, "and French"),
    )
    title = (await record.store.conversation(USER, claim.conversation.id)).title
    assert title == "I want to learn Spanish in three months, because I am going…"
    assert len(title) <= 60


async def test_messages_are_counted_and_activity_is_the_latest(record: Record) -> None:
    claim = await begun(record)
    later = claim.conversation.started_at + timedelta(hours=2)
    call = Call(request="r", function=FunctionCall("c", "add_goal", "{}"))
    await append(
        record, entry(claim, 1, "two", at=later), entry(claim, 2, call, at=later - timedelta(hours=1))
    )
    await append(record, entry(claim, 0, "one", at=later - timedelta(hours=1)))
    conversation = await record.store.conversation(USER, claim.conversation.id)
    assert conversation.message_count == 2
    assert conversation.last_activity_at == later


async def test_only_the_newest_owner_ends_a_conversation_but_all_sessions_count(record: Record) -> None:
    first = await begun(record)
    key = first.conversation.id
    second = await record.store.claim(USER, agent="flux", conversation_id=key)
    await record.store.release(USER, key, epoch=first.epoch, seconds=30)
    assert (await record.store.conversation(USER, key)).ended_at is None
    await record.store.release(USER, key, epoch=second.epoch, seconds=12)
    ended = await record.store.conversation(USER, key)
    assert ended.ended_at is not None
    assert ended.duration_seconds == 42
    again = await record.store.claim(USER, agent="flux", conversation_id=key)
    assert again.conversation.ended_at is None


async def test_an_end_that_is_told_again_counts_once(record: Record) -> None:
    """A transaction that was cut off, or whose teller was cancelled, may have been committed."""
    first = await begun(record)
    key, at = first.conversation.id, first.conversation.started_at + timedelta(seconds=30)
    for _ in range(2):
        await record.store.release(USER, key, epoch=first.epoch, seconds=30, at=at)
    ended = await record.store.conversation(USER, key)
    assert (ended.duration_seconds, ended.ended_at) == (30, at)


async def _three(record: Record) -> list[Claim]:
    """Three conversations, the last with the newest activity."""
    claims = []
    for day, text in enumerate(["Éclairs and 100% cocoa", "nothing special", "a_b"]):
        claim = await begun(record)
        at = claim.conversation.started_at + timedelta(days=day)
        await append(record, entry(claim, 0, "Hello", at=at), entry(claim, 1, text, at=at))
        await record.store.conversation(USER, claim.conversation.id)
        claims.append(claim)
    return claims


async def test_conversations_are_listed_page_by_page_newest_activity_first(record: Record) -> None:
    claims = await _three(record)
    await begun(record, STRANGER)
    found: list[str] = []
    after: str | None = None
    for _ in claims:
        page = await record.store.conversations(USER, agent=None, text=None, limit=1, after=after)
        found += [item.id for item in page.items]
        after = page.next
    assert after is None
    assert found == [claim.conversation.id for claim in reversed(claims)]


async def test_a_page_that_is_exactly_full_is_the_last(record: Record) -> None:
    await _three(record)
    page = await record.store.conversations(USER, agent=None, text=None, limit=3, after=None)
    assert len(page.items) == 3
    assert page.next is None


@pytest.mark.parametrize("token", ["", "x", "bm8", "W10", "WyIyMDI2LTAxLTAxIiwgIngiXQ", "\0", "é" * 50])
async def test_a_page_token_of_somebody_elses_making_is_refused(record: Record, token: str) -> None:
    with pytest.raises(Refused) as refused:
        await record.store.conversations(USER, agent=None, text=None, limit=1, after=token)
    assert refused.value.code == "BRIDGE_BAD_PAGE"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("éCLAIRS", [0]),
        ("0% c", [0]),
        ("%", [0]),
        ("_", [2]),
        ("hello", [2, 1, 0]),
        ("nobody said that", []),
        ("\\", []),
        ("\0", []),
    ],
)
async def test_text_is_found_in_messages_whatever_its_case_and_is_no_pattern(
    record: Record, text: str, found: list[int]
) -> None:
    claims = await _three(record)
    page = await record.store.conversations(USER, agent=None, text=text, limit=10, after=None)
    assert [item.id for item in page.items] == [claims[n].conversation.id for n in found]


async def test_text_is_found_in_titles_and_agents_are_told_apart(record: Record) -> None:
    claim = await begun(record)
    other = await record.store.claim(USER, agent="tutor", conversation_id=None)
    await record.store.rename(USER, claim.conversation.id, "Groceries")
    page = await record.store.conversations(USER, agent=None, text="groc", limit=10, after=None)
    assert [item.id for item in page.items] == [claim.conversation.id]
    page = await record.store.conversations(USER, agent="tutor", text=None, limit=10, after=None)
    assert [item.id for item in page.items] == [other.conversation.id]


async def test_entries_are_paged_by_cursor(record: Record) -> None:
    claim = await begun(record)
    await append(record, *[entry(claim, idx, "x") for idx in range(5)], entry(claim, 0, "y", epoch=2))
    key = claim.conversation.id
    page = await record.store.entries(USER, key, after=Cursor(1, 1), limit=3)
    assert cursors(page.items) == ["1:2", "1:3", "1:4"]
    assert page.next == "1:4"
    page = await record.store.entries(USER, key, after=Cursor.parse(page.next), limit=3)
    assert cursors(page.items) == ["2:0"]
    assert page.next is None


async def test_deleting_takes_entries_and_calls_along_and_leaves_goals_and_tasks(record: Record) -> None:
    claim = await begun(record)
    await append(record, entry(claim, 0, "hello"))
    await record.ledger.run_once(job(claim), {}, adds_goal())
    await record.ledger.run_once(job(claim, call_id="2", name="add_task"), {}, adds_task())
    await record.store.delete(USER, claim.conversation.id)
    with pytest.raises(NotFound):
        await record.store.conversation(USER, claim.conversation.id)
    assert [goal.conversation_id for goal in await record.store.goals(USER)] == [None]
    assert [task.conversation_id for task in await record.store.tasks(USER)] == [None]


async def test_delete_wins_over_what_is_still_journalled(record: Record) -> None:
    claim, other = await begun(record), await begun(record)
    futures = [record.journal.append(entry(claim, idx, "gone")) for idx in range(100)]
    await record.store.delete(USER, claim.conversation.id)
    await append(record, entry(claim, 100, "late"), entry(other, 0, "stays"))
    await asyncio.gather(*futures)
    assert cursors(await stored(record, other)) == ["1:0"]
    with pytest.raises(NotFound):
        await stored(record, claim)
    async with record.database.reading() as connection:
        left = await connection.text("SELECT count(*) FROM entries")
        assert left.scalar_one() == 1


async def test_an_entry_under_somebody_elses_name_is_dropped(record: Record) -> None:
    mine, theirs = await begun(record), await begun(record, STRANGER)
    forged = replace(entry(mine, 0, "forged"), user_id=STRANGER)
    await append(record, forged, entry(theirs, 0, "honest"))
    assert cursors(await stored(record, theirs)) == ["1:0"]
    assert await stored(record, mine) == []


@pytest.mark.parametrize("whose", ["another user's", "nobody's", "unstorable"])
async def test_what_is_not_theirs_is_not_found(record: Record, whose: str) -> None:
    claim = await begun(record)
    key = {"another user's": claim.conversation.id, "nobody's": "no-such", "unstorable": POISON}[whose]
    await append(record, entry(claim, 0, "private"))
    store = record.store
    for attempt in (
        store.claim(STRANGER, agent="flux", conversation_id=key),
        store.conversation(STRANGER, key),
        store.entries(STRANGER, key, after=None, limit=1),
        store.rename(STRANGER, key, "mine"),
        store.release(STRANGER, key, epoch=1, seconds=1),
        store.delete(STRANGER, key),
    ):
        with pytest.raises(NotFound):
            await attempt
    mine = await store.conversation(USER, claim.conversation.id)
    assert (mine.title, mine.ended_at, mine.duration_seconds) == ("private", None, 0)
    again = await store.claim(USER, agent=AGENT.name, conversation_id=mine.id)
    assert again.epoch == 2


async def test_lists_show_nothing_of_other_people(record: Record) -> None:
    claim = await begun(record)
    await append(record, entry(claim, 0, "private"))
    await record.ledger.run_once(job(claim), {}, adds_goal())
    await record.ledger.run_once(job(claim, call_id="2", name="add_task"), {}, adds_task())
    page = await record.store.conversations(STRANGER, agent=None, text="private", limit=10, after=None)
    assert page.items == ()
    assert await record.store.goals(STRANGER) == []
    assert await record.store.tasks(STRANGER) == []


async def test_times_are_in_utc_whatever_they_came_in(record: Record) -> None:
    claim = await begun(record)
    local = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
    await append(record, entry(claim, 0, "hello", at=local))
    (item,) = await stored(record, claim)
    assert item.at == NOON
    assert item.at.utcoffset() == timedelta(0)


async def test_a_store_that_answers_can_be_pinged(record: Record) -> None:
    await record.store.ping()
    assert record.ready
    assert record.problem == ""
