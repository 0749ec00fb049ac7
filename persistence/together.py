"""Noted calls of one conversation that are run together: effects, outcomes and results in one transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import bindparam, delete, select, tuple_, update

from bridge.core.agent import Effect
from bridge.core.model import JSON, Call, Entry, Note, Outcome, Result, Status
from bridge.errors import StaleEpoch, StoreUnavailable
from bridge.ports import Handle, Job
from persistence import lease
from persistence.codec import decode_outcome, encode_outcome, encode_what
from persistence.connection import Connection
from persistence.engine import Database
from persistence.ledger import CallClaim, Transaction, claim_of, key_of, link, links, new_row
from persistence.planner import Planner
from persistence.tables import ENTRIES, FUNCTION_CALLS, NOTED_CALLS
from persistence.walls import see_all


class _Undone(Exception):
    """Leaves the transaction so that nothing of it stays."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A call that was run before."""

    name: str
    fingerprint: str
    outcome: Outcome | None
    """None: nobody knows."""


class Together:
    """A ledger (ports.Ledger) in a transaction that alone acts in one conversation.

    It takes what goes well: calls that were done before, and those that it does. Anything else makes it
    `spoiled` and raises StoreUnavailable: nothing of it is kept, that call is to be run by itself.
    """

    def __init__(self, connection: Connection, notes: Sequence[Note]) -> None:
        """`notes`: the calls that are to be run, all of one conversation."""
        self.spoiled = False
        self.ended: list[Entry] = []
        """The results as they are once this is kept."""
        self._connection = connection
        self._notes = notes
        self._known: dict[tuple[str, str], _Known] = {}
        self._wishes: list[tuple[str, datetime, Outcome]] | None = None
        """What was done here, and when it was asked for; None: not looked for yet."""
        self._rows: list[dict[str, Any]] = []
        self._links: dict[str, Any] = {}

    async def open(self) -> None:
        """Look whether it may act at all, and what of this was done before. Must come first."""
        note = self._notes[0]
        try:
            person, conversation = note.person.id, note.call.conversation_id
            await self._connection.run(lambda one: lease.check(one, person, conversation, None, alone=True))
        except StaleEpoch:
            self.spoiled = True
            return
        calls = FUNCTION_CALLS.c
        asked = [one.call.what for one in self._notes]
        keys = [(key_of(one.request), key_of(one.function.id)) for one in asked if isinstance(one, Call)]
        rows = await self._connection.execute(
            select(calls.request, calls.call_id, calls.fingerprint, calls.name, calls.result).where(
                calls.conversation_id == conversation, tuple_(calls.request, calls.call_id).in_(keys)
            )
        )
        for row in rows:
            outcome = decode_outcome(row.result) if row.result else None
            self._known[row.request, row.call_id] = _Known(row.name, row.fingerprint, outcome)

    async def run_once(self, job: Job, arguments: JSON, handle: Handle) -> Outcome:
        """See ports.Ledger."""
        if self.spoiled:
            raise self._spoil()
        claim = claim_of(job, arguments)
        if known := self._known.get((claim.request, claim.call_id)):
            return self._again(claim, known)
        outcome = await self._same_wish(claim) if claim.wish else None
        if outcome is None:
            outcome = await self._run(claim, handle)
            self._links |= links(claim, outcome)
        self._remember(claim, outcome)
        return outcome

    async def begin(self, job: Job, arguments: JSON, question: Outcome | None = None) -> Outcome | None:
        """See ports.Ledger. Services are not called in a transaction."""
        raise self._spoil()

    async def settle(self, job: Job, arguments: JSON, outcome: Outcome) -> None:
        """See ports.Ledger."""
        raise self._spoil()

    def end(self, note: Note, outcome: Outcome) -> None:
        """The note was run: its result becomes that outcome."""
        self.ended.append(with_outcome(note, outcome))

    async def keep(self) -> None:
        """Write down what was done; the last step."""
        if self._rows:
            await self._connection.execute(FUNCTION_CALLS.insert(), self._rows)
            conversation_id = self._notes[0].call.conversation_id
            await self._connection.run(partial(link, conversation_id=conversation_id, values=self._links))
        await self._connection.run(see_all)  # what is still to be run is the system's
        await amend(self._connection, self.ended)

    def _spoil(self) -> StoreUnavailable:
        self.spoiled = True
        return StoreUnavailable("the call is to be run by itself")

    def _remember(self, claim: CallClaim, outcome: Outcome) -> None:
        ended = {"status": outcome.status.value, "result": encode_outcome(outcome)}
        row = new_row(claim) | ended | {"finished_at": datetime.now(UTC)}
        self._rows.append(row)
        self._known[claim.request, claim.call_id] = _Known(row["name"], claim.fingerprint, outcome)
        if claim.wish and self._wishes is not None:
            self._wishes.append((claim.wish, claim.asked_at, outcome))

    def _again(self, claim: CallClaim, known: _Known) -> Outcome:
        """What came of it the last time."""
        same = (known.name, known.fingerprint) == (new_row(claim)["name"], claim.fingerprint)
        if known.outcome is None or not same:
            raise self._spoil()
        return known.outcome

    async def _run(self, claim: CallClaim, handle: Handle) -> Outcome:
        intent = claim.job.agent.intent(claim.job.call.function.name)
        if intent is None or intent.effect is Effect.READ:  # nothing that it writes may stay
            raise self._spoil()
        planner = Planner(self._connection, claim.user_id, claim.conversation_id)
        try:
            outcome = await handle(Transaction(planner, self._connection, claim))
        except BaseException as error:
            spoilt = self._spoil()
            if isinstance(error, Exception):
                raise spoilt from error
            raise
        if outcome.status is not Status.DONE:
            raise self._spoil()
        return outcome

    async def _same_wish(self, claim: CallClaim) -> Outcome | None:
        """The outcome of another call for the same, done within the window."""
        if self._wishes is None:
            self._wishes = await self._done_here(claim)
        near = [
            (asked_at, outcome)
            for wish, asked_at, outcome in self._wishes
            if wish == claim.wish and abs(asked_at - claim.asked_at) < claim.window
        ]
        return min(near, key=lambda done: done[0])[1] if near else None

    async def _done_here(self, claim: CallClaim) -> list[tuple[str, datetime, Outcome]]:
        """Near enough in time to be the same wish as any of these calls."""
        calls = FUNCTION_CALLS.c
        window = timedelta(seconds=max(intent.dedupe_seconds for intent in claim.job.agent.intents))
        asked = [note.call.at for note in self._notes]
        rows = await self._connection.execute(
            select(calls.wish, calls.started_at, calls.result).where(
                calls.conversation_id == claim.conversation_id,
                calls.wish.is_not(None),
                calls.status == Status.DONE.value,
                calls.started_at > min(asked) - window,
                calls.started_at < max(asked) + window,
            )
        )
        return [(row.wish, row.started_at, decode_outcome(row.result)) for row in rows]


@asynccontextmanager
async def together(database: Database, notes: Sequence[Note]) -> AsyncIterator[Together]:
    """Kept when the block is left, but for one that is spoiled. Raises StoreUnavailable."""
    with suppress(_Undone):
        async with database.writing(notes[0].person.id) as connection:
            batch = Together(connection, notes)
            await batch.open()
            yield batch
            if batch.spoiled:
                raise _Undone
            await batch.keep()


def with_outcome(note: Note, outcome: Outcome) -> Entry:
    """Its result, with that outcome."""
    assert isinstance(note.result.what, Result)
    return replace(note.result, what=replace(note.result.what, outcome=outcome))


async def amend(connection: Connection, ended: Sequence[Entry]) -> None:
    """Those results stand instead of the noted ones; their calls are not to be run any more."""
    if not ended:
        return
    at = [
        {
            "in_conversation": entry.conversation_id,
            "in_epoch": entry.cursor.epoch,
            "at_idx": entry.cursor.idx,
        }
        for entry in ended
    ]
    details = [
        {key: value for key, value in encode_what(entry.what).items() if key != "kind"} for entry in ended
    ]
    await connection.execute(
        update(ENTRIES).where(*_here(ENTRIES.c)).values(detail=bindparam("new", type_=ENTRIES.c.detail.type)),
        [{**place, "new": detail} for place, detail in zip(at, details, strict=True)],
    )
    await connection.execute(delete(NOTED_CALLS).where(*_here(NOTED_CALLS.c)), at)


def _here(columns: Any) -> tuple[Any, Any, Any]:
    return (
        columns.conversation_id == bindparam("in_conversation"),
        columns.epoch == bindparam("in_epoch"),
        columns.idx == bindparam("at_idx"),
    )
