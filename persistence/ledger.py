"""Function calls: claimed once, run in one transaction with their effect, remembered (ports.Ledger)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import orjson
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import and_, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

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
_CALLS: Final = FUNCTION_CALLS.c
_THIS: Final = and_(
    _CALLS.conversation_id == bindparam("in_conversation"),
    _CALLS.request == bindparam("of_request"),
    _CALLS.call_id == bindparam("of_call"),
)
_CLAIM: Final = {  # waits for a transaction that is inserting the same key
    "sqlite": sqlite.insert(FUNCTION_CALLS).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(FUNCTION_CALLS).on_conflict_do_nothing(),
}
_KNOWN: Final = select(_CALLS.name, _CALLS.fingerprint, _CALLS.result).where(_THIS)
_SAME_WISH: Final = (
    select(_CALLS.result)
    .where(
        _CALLS.conversation_id == bindparam("in_conversation"),
        _CALLS.wish == bindparam("same_wish"),
        _CALLS.status == Status.DONE.value,
        _CALLS.started_at > bindparam("after"),
        _CALLS.started_at < bindparam("before"),
    )
    .order_by(_CALLS.started_at)
    .limit(1)
)
_FINISH: Final = update(FUNCTION_CALLS).where(_THIS, _CALLS.status == PENDING)
_LINK: Final = update(CONVERSATIONS).where(CONVERSATIONS.c.id == bindparam("in_conversation"))


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
    def key(self) -> dict[str, str]:
        """What picks its row."""
        return {
            "in_conversation": self.conversation_id,
            "of_request": self.request,
            "of_call": self.call_id,
        }

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
        return await self._connection.run(partial(_confirmed, claim=self._claim, question=question))


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
                known = await connection.run(partial(_enter_with_effect, claim=claim))
                outcome = known or await _handled(connection, claim, handle)
                if known is None:
                    await connection.finish(partial(_end_effect, claim=claim, outcome=outcome))
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
            return await connection.run(partial(_enter, claim=claim, question=question))

    async def settle(self, job: Job, arguments: JSON, outcome: Outcome) -> None:
        """See ports.Ledger. The first outcome stays; no epoch is checked, for the effect has happened."""
        claim = claim_of(job, arguments)
        async with self._database.writing(claim.user_id) as connection:
            await connection.run(partial(_store, claim=claim, outcome=outcome))


def _enter(connection: SyncConnection, claim: CallClaim, question: Outcome | None = None) -> Outcome | None:
    """Claim the call. An outcome: it, or the same wish, is done already; or the question is open."""
    lease.check(connection, claim.user_id, claim.conversation_id, claim.job.epoch)
    database = connection.dialect.name
    if claim.wish and database == "postgresql":
        # The same wish under another id has another key, so the table alone would let both through.
        connection.execute(select(func.pg_advisory_xact_lock(_lock_number(claim))))
    if not connection.execute(_CLAIM[database], new_row(claim)).rowcount:
        return _known(connection, claim)
    outcome = _same_wish(connection, claim) if claim.wish else None
    if outcome is None and question and not _confirmed(connection, claim, question):
        outcome = question
    if outcome:
        _finish(connection, claim, outcome)
    return outcome


def _enter_with_effect(connection: SyncConnection, claim: CallClaim) -> Outcome | None:
    """The same; what is done after it, when no outcome is known, can be undone by itself."""
    known = _enter(connection, claim)
    if known is None:
        connection.exec_driver_sql("SAVEPOINT effect")
    return known


def _confirmed(connection: SyncConnection, claim: CallClaim, question: Outcome) -> bool:
    keys = [(key_of(request), key_of(call_id)) for request, call_id in claim.job.answered]
    return claim.job.confirmed or answers.use(connection, claim.alike, keys, question)


async def _handled(connection: Connection, claim: CallClaim, handle: Handle) -> Outcome:
    planner = Planner(connection, claim.user_id, claim.conversation_id)
    try:
        return await handle(Transaction(planner, connection, claim))
    except Exception as error:
        raise _HandlerRaised(error) from error


def _end_effect(connection: SyncConnection, claim: CallClaim, outcome: Outcome) -> None:
    """What the handler wrote stays only when it is DONE, and of an intent that only reads never."""
    intent = claim.job.agent.intent(claim.job.call.function.name)
    writes = intent is None or intent.effect is not Effect.READ
    stays = writes and outcome.status is Status.DONE
    connection.exec_driver_sql("RELEASE SAVEPOINT effect" if stays else "ROLLBACK TO SAVEPOINT effect")
    _store(connection, claim, outcome)


def _known(connection: SyncConnection, claim: CallClaim) -> Outcome | None:
    """The outcome of this very call. Raises CallMismatch."""
    row = connection.execute(_KNOWN, claim.key).one()
    if row.fingerprint != claim.fingerprint or row.name != claim.job.call.function.name:
        raise CallMismatch("this call came before, with other arguments")
    return decode_outcome(row.result) if row.result else None


def _same_wish(connection: SyncConnection, claim: CallClaim) -> Outcome | None:
    """The outcome of another call for the same, done within the window."""
    result = connection.scalar(
        _SAME_WISH,
        {
            "in_conversation": claim.conversation_id,
            "same_wish": claim.wish,
            "after": claim.asked_at - claim.window,
            "before": claim.asked_at + claim.window,
        },
    )
    return decode_outcome(result) if result else None


def _store(connection: SyncConnection, claim: CallClaim, outcome: Outcome) -> None:
    """Keep the outcome, and link the conversation to what was made."""
    if _finish(connection, claim, outcome):
        link(connection, claim.conversation_id, links(claim, outcome))


def links(claim: CallClaim, outcome: Outcome) -> dict[str, Any]:
    """What its conversation says of what was made, by column."""
    if outcome.status is not Status.DONE:
        return {}
    found: dict[str, Any] = {"linked_goal_id": outcome.goal_id, "linked_task_id": outcome.task_id}
    if outcome.route:
        found |= {"extracted_intent": outcome.route, "intent_payload": claim.arguments}
    return {key: value for key, value in found.items() if value is not None}


def link(connection: SyncConnection, conversation_id: str, values: Mapping[str, Any]) -> None:
    """Link the conversation to what was made."""
    if values:
        connection.execute(_LINK, {"in_conversation": conversation_id, **values})


def _finish(connection: SyncConnection, claim: CallClaim, outcome: Outcome) -> bool:
    """Write the outcome to the call's row; False when it has one already."""
    values = {
        "status": outcome.status.value,
        "result": encode_outcome(outcome),
        "finished_at": datetime.now(UTC),
    }
    return bool(connection.execute(_FINISH, claim.key | values).rowcount)


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
