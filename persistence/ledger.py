"""Function calls: claimed once, run in one transaction with their effect, remembered (ports.Ledger)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import Row, and_, func, select, update

from bridge.core.agent import Effect
from bridge.core.model import JSON, Outcome, Status
from bridge.errors import CallMismatch
from bridge.ports import Handle, Job
from persistence import answers, lease
from persistence.codec import decode_outcome, encode_outcome, storable, storable_json
from persistence.connection import Connection
from persistence.engine import Database
from persistence.planner import Planner
from persistence.tables import CONVERSATIONS, FUNCTION_CALLS

PENDING: Final = "pending"
LONGEST_KEY = 200
"""Characters of a peer's id that are kept as they are; a longer one is hashed, an index takes no more."""


class _HandlerRaised(Exception):
    """Carries a handler's exception past the mapping of the database's."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


@dataclass(frozen=True, slots=True, kw_only=True)
class CallClaim:
    """A call, and how to find it again."""

    job: Job
    conversation_id: str
    user_id: str
    request: str
    call_id: str
    arguments: dict[str, Any]
    fingerprint: str
    wish: str | None
    window: timedelta
    asked_at: datetime

    @property
    def row(self) -> Any:
        """The condition that picks its row."""
        calls = FUNCTION_CALLS.c
        return and_(
            calls.conversation_id == self.conversation_id,
            calls.request == self.request,
            calls.call_id == self.call_id,
        )

    @property
    def alike(self) -> Any:
        """The condition that picks this user's calls of the same function with the same arguments."""
        calls = FUNCTION_CALLS.c
        return and_(
            calls.conversation_id == self.conversation_id,
            calls.user_id == self.user_id,
            calls.name == storable(self.job.call.function.name),
            calls.fingerprint == self.fingerprint,
        )


@dataclass(frozen=True, slots=True)
class Transaction:
    """What a handler may touch (ports.Transaction)."""

    planner: Planner
    _connection: Connection
    _claim: CallClaim

    async def confirmed(self, question: Outcome) -> bool:
        """See ports.Transaction."""
        return await _confirmed(self._connection, self._claim, question)


class Ledger:
    """Of any number of processes that run the same call, one has the effect, and all get its outcome."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run_once(self, job: Job, arguments: JSON, handle: Handle) -> Outcome:
        """See ports.Ledger. A cancellation during the commit comes too late: the outcome is returned."""
        claim = claim_of(job, arguments)
        connection: Connection | None = None
        try:
            async with self._database.writing(claim.user_id, hasty=True) as connection:
                known = await self._enter(connection, claim)
                outcome = known or await _run(connection, claim, handle)
                if known is None:
                    await _store(connection, claim, outcome)
        except _HandlerRaised as raised:
            raise raised.error from None
        except asyncio.CancelledError:
            if not (connection and connection.committed):
                raise
        return outcome

    async def begin(self, job: Job, arguments: JSON, question: Outcome | None = None) -> Outcome | None:
        """See ports.Ledger. A call that was begun and never settled is given out again: at least once."""
        claim = claim_of(job, arguments)
        async with self._database.writing(claim.user_id, hasty=True) as connection:
            return await self._enter(connection, claim, question)

    async def settle(self, job: Job, arguments: JSON, outcome: Outcome) -> None:
        """See ports.Ledger. The first outcome stays; no epoch is checked, for the effect has happened."""
        claim = claim_of(job, arguments)
        async with self._database.writing(claim.user_id) as connection:
            await _store(connection, claim, outcome)

    async def _enter(
        self, connection: Connection, claim: CallClaim, question: Outcome | None = None
    ) -> Outcome | None:
        """Claim the call. An outcome: it, or the same wish, is done already; or the question is open."""
        await lease.check(connection, claim.user_id, claim.conversation_id, claim.job.epoch)
        if claim.wish and not self._database.is_sqlite:
            # The same wish under another id has another key, so the table alone would let both through.
            await connection.execute(select(func.pg_advisory_xact_lock(_lock_number(claim))))
        claimed = await connection.execute(
            self._database.insert(FUNCTION_CALLS)
            .values(**new_row(claim))
            .on_conflict_do_nothing()  # waits for a transaction that is inserting the same key
        )
        if not claimed.rowcount:
            return await _known(connection, claim)
        outcome = await _same_wish(connection, claim) if claim.wish else None
        if outcome is None and question and not await _confirmed(connection, claim, question):
            outcome = question
        if outcome:
            await _finish(connection, claim, outcome)
        return outcome


async def _confirmed(connection: Connection, claim: CallClaim, question: Outcome) -> bool:
    keys = [(key_of(request), key_of(call_id)) for request, call_id in claim.job.answered]
    return claim.job.confirmed or await answers.use(connection, claim.alike, keys, question)


async def _run(connection: Connection, claim: CallClaim, handle: Handle) -> Outcome:
    """Run the handler; what it wrote stays only when it is DONE, and of an intent that only reads never."""
    effect = await connection.savepoint()
    planner = Planner(connection, claim.user_id, claim.conversation_id)
    try:
        outcome = await handle(Transaction(planner, connection, claim))
    except Exception as error:
        raise _HandlerRaised(error) from error
    intent = claim.job.agent.intent(claim.job.call.function.name)
    writes = intent is None or intent.effect is not Effect.READ
    await (effect.keep() if writes and outcome.status is Status.DONE else effect.undo())
    return outcome


async def _known(connection: Connection, claim: CallClaim) -> Outcome | None:
    """The outcome of this very call. Raises CallMismatch."""
    row: Row[Any] = (await connection.execute(select(*FUNCTION_CALLS.c).where(claim.row))).one()
    if row.fingerprint != claim.fingerprint or row.name != claim.job.call.function.name:
        raise CallMismatch("this call came before, with other arguments")
    return decode_outcome(row.result) if row.result else None


async def _same_wish(connection: Connection, claim: CallClaim) -> Outcome | None:
    """The outcome of another call for the same, done within the window."""
    calls = FUNCTION_CALLS.c
    result = await connection.scalar(
        select(calls.result)
        .where(
            calls.conversation_id == claim.conversation_id,
            calls.wish == claim.wish,
            calls.status == Status.DONE.value,
            calls.started_at > claim.asked_at - claim.window,
            calls.started_at < claim.asked_at + claim.window,
        )
        .order_by(calls.started_at)
        .limit(1)
    )
    return decode_outcome(result) if result else None


async def _store(connection: Connection, claim: CallClaim, outcome: Outcome) -> None:
    """Keep the outcome, and link the conversation to what was made."""
    if await _finish(connection, claim, outcome):
        await link(connection, claim.conversation_id, links(claim, outcome))


def links(claim: CallClaim, outcome: Outcome) -> dict[str, Any]:
    """What its conversation says of what was made, by column."""
    if outcome.status is not Status.DONE:
        return {}
    found: dict[str, Any] = {"linked_goal_id": outcome.goal_id, "linked_task_id": outcome.task_id}
    if outcome.route:
        found |= {"extracted_intent": outcome.route, "intent_payload": claim.arguments}
    return {key: value for key, value in found.items() if value is not None}


async def link(connection: Connection, conversation_id: str, values: Mapping[str, Any]) -> None:
    """Link the conversation to what was made."""
    if values:
        mine = CONVERSATIONS.c.id == conversation_id
        await connection.execute(update(CONVERSATIONS).where(mine).values(**values))


async def _finish(connection: Connection, claim: CallClaim, outcome: Outcome) -> bool:
    """Write the outcome to the call's row; False when it has one already."""
    done = await connection.execute(
        update(FUNCTION_CALLS)
        .where(claim.row, FUNCTION_CALLS.c.status == PENDING)
        .values(status=outcome.status.value, result=encode_outcome(outcome), finished_at=datetime.now(UTC))
    )
    return bool(done.rowcount)


def new_row(claim: CallClaim) -> dict[str, Any]:
    return {
        "conversation_id": claim.conversation_id,
        "request": claim.request,
        "call_id": claim.call_id,
        "user_id": claim.user_id,
        "epoch": claim.job.cursor.epoch,
        "name": storable(claim.job.call.function.name),
        "arguments": claim.arguments,
        "fingerprint": claim.fingerprint,
        "wish": claim.wish,
        "status": PENDING,
        "started_at": claim.asked_at,
    }


def claim_of(job: Job, arguments: JSON) -> CallClaim:
    intent = job.agent.intent(job.call.function.name)
    clean: dict[str, Any] = storable_json(arguments)
    wish = {name: _folded(clean[name]) for name in (intent.dedupe if intent else ()) if name in clean}
    return CallClaim(
        job=job,
        conversation_id=storable(job.conversation_id),
        user_id=storable(job.person.id),
        request=key_of(job.call.request),
        call_id=key_of(job.call.function.id),
        arguments=clean,
        fingerprint=_hash(clean),
        wish=_hash([job.call.function.name, wish]) if wish else None,
        window=timedelta(seconds=intent.dedupe_seconds if intent else 0),
        asked_at=job.asked_at or datetime.now(UTC),
    )


def key_of(text: str) -> str:
    return storable(text) if len(text) <= LONGEST_KEY else f"sha256:{_hash(storable(text))}"


def _folded(value: Any) -> Any:
    """The same for texts that differ only in case and white space."""
    match value:
        case str():
            return " ".join(value.casefold().split())
        case Mapping():
            return {key: _folded(item) for key, item in value.items()}
        case list():
            return [_folded(item) for item in value]
        case _:
            return value


def _hash(value: object) -> str:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _lock_number(claim: CallClaim) -> int:
    digest = hashlib.sha256(f"{claim.conversation_id} {claim.wish}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
