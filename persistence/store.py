"""Conversations and their entries, people and what they have planned (ports.Store)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection as SyncConnection
from sqlalchemy import Row, Select, and_, bindparam, case, delete, select, tuple_, update

from bridge.core.model import Conversation, Cursor, Entry, Goal, Person, Task
from bridge.errors import NotFound
from bridge.ports import Claim, Page, Rate, RateReached, SignIn, Ticket
from persistence import clock, forgetting, lease, starts, takeovers, tickets, usage
from persistence.claimed import Claimed, remember_deletions
from persistence.codec import storable
from persistence.connection import Connection
from persistence.engine import Database
from persistence.flusher import Flusher
from persistence.journal import Journal
from persistence.pages import position, token
from persistence.people import People
from persistence.rows import to_conversation, to_entry, to_goal, to_task
from persistence.search import mentions
from persistence.tables import CONVERSATIONS, ENTRIES, GOALS, LEASES, TASKS

HANDOVER_SECONDS = 0.5
"""How long the owner before is waited for; one that was killed elsewhere never comes."""
HANDOVER_POLL = 0.02


class Store:
    """What is queried. It lags behind the journal by a moment; reading a conversation waits for that."""

    def __init__(self, database: Database, flusher: Flusher, journal: Journal, *, default_zone: str) -> None:
        """`default_zone`: IANA name, of people nobody has told us about."""
        self._database = database
        self._journal = journal
        self._settle = flusher.settle
        self._default_zone = default_zone
        self._people = People(database, default_zone)

    # ── people ────────────────────────────────────────────────────────────────────────────────────────────

    async def person(self, user_id: str) -> Person:
        """See ports.Store."""
        user_id = storable(user_id)
        found = await self._database.look(partial(self._people.find, user_id=user_id), user_id)
        if found is not None:
            return found
        return await self._database.transaction(partial(self._people.meet, user_id=user_id), user_id)

    # ── owning a conversation ─────────────────────────────────────────────────────────────────────────────

    async def claim(
        self, user_id: str, *, agent: str, conversation_id: str | None, time_zone: str | None = None
    ) -> Claim:
        """See ports.Store."""
        user_id = storable(user_id)
        if conversation_id is None:
            return await self._begin(user_id, storable(agent), time_zone)
        conversation_id = storable(conversation_id)
        await self._settle(conversation_id)

        def take(connection: SyncConnection) -> tuple[Person, int, Conversation]:
            owner = self._journal.name
            epoch = lease.take(connection, self._database, user_id, conversation_id, owner)
            person = self._people.meet(connection, user_id, time_zone)  # locks them: after the lease
            takeovers.announce(connection, self._database, conversation_id, epoch)
            taken = _one(connection.execute(_update(user_id, conversation_id, ended_at=None)))
            return person, epoch, to_conversation(taken)

        person, epoch, taken = await self._database.transaction(take, user_id)
        await self._note(taken, epoch)
        # Only now: what the owner before appended until it lost its lease is part of the history.
        await self._settle(conversation_id)
        await self._handed_over(user_id, conversation_id, epoch - 1)
        async with self._database.reading(user_id) as connection:
            conversation = await _find(connection, user_id, conversation_id)
            rows = await connection.execute(_entries(conversation_id))
        history = tuple(to_entry(row) for row in rows)
        return Claim(person=person, conversation=conversation, epoch=epoch, history=history)

    async def _begin(self, user_id: str, agent: str, time_zone: str | None) -> Claim:
        now = datetime.now(UTC)
        conversation = Conversation(
            id=str(uuid4()), user_id=user_id, agent=agent, title="", started_at=now, last_activity_at=now
        )
        values = {name: getattr(conversation, name) for name in CONVERSATIONS.columns.keys()}  # noqa: SIM118 - columns

        def begin(connection: SyncConnection) -> Person:
            person = self._people.meet(connection, user_id, time_zone)
            connection.execute(_ADD, values)
            lease.first(connection, self._database, user_id, conversation.id, self._journal.name)
            return person

        person = await self._database.transaction(begin, user_id)
        await self._note(conversation, 1)
        return Claim(person=person, conversation=conversation, epoch=1, history=())

    async def _note(self, conversation: Conversation, epoch: int) -> None:
        if self.shared:  # a file loses nothing
            await self._journal.note(
                Claimed(
                    conversation_id=conversation.id,
                    user_id=conversation.user_id,
                    time_zone=self._default_zone,
                    agent=conversation.agent,
                    epoch=epoch,
                    owner=self._journal.name,
                    at=datetime.now(UTC),
                )
            )

    async def _handed_over(self, user_id: str, conversation_id: str, epoch: int) -> None:
        """Wait a moment for an owner at another process to bring what it has into the store."""
        with suppress(TimeoutError):
            async with asyncio.timeout(HANDOVER_SECONDS):
                while True:
                    async with self._database.reading(user_id) as connection:
                        if await lease.released(connection, conversation_id) >= epoch:
                            return
                    await asyncio.sleep(HANDOVER_POLL)

    @property
    def shared(self) -> bool:
        """See ports.Store."""
        return not self._database.is_sqlite

    async def keep_ticket(
        self, conversation_id: str, *, digest: str, seconds: float, sign_in: SignIn | None
    ) -> None:
        """See ports.Store."""
        async with self._database.writing() as connection:
            await tickets.keep(connection, storable(conversation_id), digest, seconds, sign_in)

    async def take_ticket(self, digests: Sequence[str]) -> Ticket | None:
        """See ports.Store."""
        async with self._database.writing() as connection:
            return await tickets.take(connection, digests)

    async def watch(self, owned: takeovers.Owned, taken: takeovers.Taken) -> None:
        """See ports.Store."""
        await takeovers.watch(self._database, owned, taken)

    async def release(
        self, user_id: str, conversation_id: str, *, epoch: int, seconds: int, at: datetime | None = None
    ) -> None:
        """See ports.Store."""
        now = at or datetime.now(UTC)
        user_id, conversation_id = storable(user_id), storable(conversation_id)
        await self._settle(conversation_id)
        mine = {"in_conversation": conversation_id, "theirs": user_id}

        def release(connection: SyncConnection) -> None:
            if lease.release(connection, user_id, conversation_id, epoch):
                _one(connection.execute(_END, mine | {"over": epoch, "more": seconds, "now": now}))

        await self._database.transaction(release, user_id)

    # ── what a user may have ──────────────────────────────────────────────────────────────────────────────

    async def count_session(self, user_id: str, rates: Sequence[Rate]) -> RateReached | None:
        """See ports.Store."""
        user_id = storable(user_id)
        count = partial(starts.count, database=self._database, user_id=user_id, rates=rates)
        return await self._database.transaction(count, user_id, hasty=True)

    async def recall(self, user_id: str, keep: int) -> Mapping[str, int]:
        """See ports.Store."""
        user_id = storable(user_id)

        def recall(connection: SyncConnection) -> Mapping[str, int]:
            ending = lease.recall(connection, self._database, user_id, keep)
            for conversation_id, epoch in ending.items():
                takeovers.announce(connection, self._database, conversation_id, epoch + 1)
            return ending

        return await self._database.transaction(recall, user_id)

    async def spend(self, talked: Mapping[str, int]) -> Mapping[str, int]:
        """See ports.Store."""
        stored = {storable(user_id): seconds for user_id, seconds in talked.items()}
        async with self._database.writing(hasty=True) as connection:
            today = (await connection.run(lambda one: clock.now(one, self._database))).date()
            found = await usage.add(connection, self._database, stored, today)
        return {user_id: found[storable(user_id)] for user_id in talked}

    # ── reading ───────────────────────────────────────────────────────────────────────────────────────────

    async def conversations(
        self, user_id: str, *, agent: str | None, text: str | None, limit: int, after: str | None
    ) -> Page[Conversation]:
        """See ports.Store. Raises Refused when `after` is none of our tokens."""
        columns = CONVERSATIONS.c
        newest = columns.last_activity_at.desc(), columns.id.desc()
        query = (
            select(*columns).where(columns.user_id == storable(user_id)).order_by(*newest).limit(limit + 1)
        )
        if agent is not None:
            query = query.where(columns.agent == storable(agent))
        if text:
            query = query.where(mentions(storable(text), sqlite=self._database.is_sqlite))
        if after is not None:
            at, key = position(after)
            # Spelt out: a row comparison would send the instant past its type, and SQLite compares texts.
            earlier = columns.last_activity_at < at
            same = and_(columns.last_activity_at == at, columns.id < key)
            query = query.where(earlier | same)
        async with self._database.reading(storable(user_id)) as connection:
            found = [to_conversation(row) for row in await connection.execute(query)]
        last = found[limit - 1] if len(found) > limit else None
        return Page(items=tuple(found[:limit]), next=token(last.last_activity_at, last.id) if last else None)

    async def conversation(self, user_id: str, conversation_id: str) -> Conversation:
        """See ports.Store."""
        conversation_id = storable(conversation_id)
        await self._settle(conversation_id)
        async with self._database.reading(storable(user_id)) as connection:
            return await _find(connection, storable(user_id), conversation_id)

    async def entries(
        self, user_id: str, conversation_id: str, *, after: Cursor | None, limit: int
    ) -> Page[Entry]:
        """See ports.Store; `next` reads as a cursor."""
        conversation_id = storable(conversation_id)
        await self._settle(conversation_id)
        query = _entries(conversation_id).limit(limit + 1)
        if after is not None:
            query = query.where(tuple_(ENTRIES.c.epoch, ENTRIES.c.idx) > (after.epoch, after.idx))
        async with self._database.reading(storable(user_id)) as connection:
            await _find(connection, storable(user_id), conversation_id)
            found = [to_entry(row) for row in await connection.execute(query)]
        more = str(found[limit - 1].cursor) if len(found) > limit else None
        return Page(items=tuple(found[:limit]), next=more)

    async def goals(self, user_id: str) -> Sequence[Goal]:
        """See ports.Store; the newest first."""
        return [to_goal(row) for row in await self._all(user_id, _GOALS)]

    async def tasks(self, user_id: str) -> Sequence[Task]:
        """See ports.Store; the newest first."""
        return [to_task(row) for row in await self._all(user_id, _TASKS)]

    async def _all(self, user_id: str, theirs: Select[Any]) -> Sequence[Row[Any]]:
        user_id = storable(user_id)

        def read(connection: SyncConnection) -> Sequence[Row[Any]]:
            return connection.execute(theirs, {"theirs": user_id}).all()

        return await self._database.look(read, user_id)

    # ── changing ──────────────────────────────────────────────────────────────────────────────────────────

    async def rename(self, user_id: str, conversation_id: str, title: str) -> Conversation:
        """See ports.Store."""
        renamed = _update(storable(user_id), storable(conversation_id), title=storable(title))
        async with self._database.writing(storable(user_id)) as connection:
            return to_conversation(_one(await connection.execute(renamed)))

    async def delete(self, user_id: str, conversation_id: str) -> None:
        """See ports.Store. The flusher drops entries whose conversation is gone."""
        conversation_id = storable(conversation_id)
        async with self._database.writing(storable(user_id)) as connection:
            await lease.drop(connection, storable(user_id), conversation_id)
            await remember_deletions(connection, self._database, [conversation_id])
            await connection.execute(delete(CONVERSATIONS).where(CONVERSATIONS.c.id == conversation_id))

    async def forget(self, user_id: str) -> None:
        """See ports.Store."""
        await forgetting.forget(self._database, storable(user_id))

    async def ping(self) -> None:
        """See ports.Store."""
        await self._database.ping()


_newest_epoch = select(LEASES.c.epoch).where(LEASES.c.conversation_id == CONVERSATIONS.c.id).scalar_subquery()
"""The epoch of a conversation's newest owner. Made once: each leaves some eighty objects in cycles."""
_GOALS = select(*GOALS.c).where(GOALS.c.user_id == bindparam("theirs")).order_by(GOALS.c.id.desc())
_TASKS = select(*TASKS.c).where(TASKS.c.user_id == bindparam("theirs")).order_by(TASKS.c.id.desc())
_ADD = CONVERSATIONS.insert()
_ended_at = CONVERSATIONS.c.ended_at
_END = (
    update(CONVERSATIONS)
    .where(CONVERSATIONS.c.id == bindparam("in_conversation"), CONVERSATIONS.c.user_id == bindparam("theirs"))
    .values(
        duration_seconds=CONVERSATIONS.c.duration_seconds + bindparam("more"),
        ended_at=case(
            (_newest_epoch == bindparam("over"), bindparam("now", type_=_ended_at.type)), else_=_ended_at
        ),
    )
    .returning(CONVERSATIONS.c.id)
)


def _mine(user_id: str, conversation_id: str) -> Any:
    return and_(CONVERSATIONS.c.id == conversation_id, CONVERSATIONS.c.user_id == user_id)


def _update(user_id: str, conversation_id: str, **values: object) -> Any:
    changed = update(CONVERSATIONS).where(_mine(user_id, conversation_id)).values(**values)
    return changed.returning(*CONVERSATIONS.c)


def _one(result: Any) -> Row[Any]:
    row: Row[Any] | None = result.one_or_none()
    if row is None:
        raise NotFound("there is no such conversation")
    return row


async def _find(connection: Connection, user_id: str, conversation_id: str) -> Conversation:
    found = await connection.execute(select(*CONVERSATIONS.c).where(_mine(user_id, conversation_id)))
    return to_conversation(_one(found))


def _entries(conversation_id: str) -> Select[Any]:
    columns = ENTRIES.c
    mine = columns.conversation_id == conversation_id
    return select(*columns).where(mine).order_by(columns.epoch, columns.idx)
