"""The record: the journal, and the store behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from bridge.core.model import (
    Conversation,
    Cursor,
    Entry,
    Goal,
    Person,
    Task,
)
from bridge.ports.accounts import SignIn

T = TypeVar("T")


class Journal(Protocol):
    """The local, durable, append-only log."""

    def append(self, entry: Entry) -> asyncio.Future[None]:
        """Queue an entry, without waiting. The future ends when it is durable, in the order of the calls.

        It fails with JournalFailed.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A conversation and the right to act in it."""

    person: Person
    """Whose it is."""
    conversation: Conversation
    epoch: int
    """Ours; older owners' intents fail from now on."""
    history: tuple[Entry, ...]
    """All entries so far, oldest first."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a one-time token is for."""

    conversation: Conversation
    sign_in: SignIn | None
    """What its user came with."""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most so many new sessions of a user in so many seconds, whenever those begin."""

    sessions: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RateReached:
    """One more is too many."""

    rate: Rate
    wait: float
    """Seconds until it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """A part of a list."""

    items: tuple[T, ...]
    next: str | None
    """Give it back to get the next part; None = this was the last."""


class Store(Protocol):
    """The SQL database. Every method takes the user first; what is not theirs is NotFound.

    All raise StoreUnavailable.
    """

    async def person(self, user_id: str) -> Person:
        """The user; made with defaults when there is none yet."""
        ...

    async def claim(
        self, user_id: str, *, agent: str, conversation_id: str | None, time_zone: str | None = None
    ) -> Claim:
        """Begin a conversation, or take one over: raises its epoch. Journalled entries are flushed first.

        The user is made when there is none yet. `time_zone`: IANA name, theirs from now on.
        """
        ...

    @property
    def shared(self) -> bool:
        """Other processes may use it too."""
        ...

    async def keep_ticket(
        self, conversation_id: str, *, digest: str, seconds: float, sign_in: SignIn | None
    ) -> None:
        """Let any process honour a one-time token for that conversation. Only its digest is kept."""
        ...

    async def take_ticket(self, digests: Sequence[str]) -> Ticket | None:
        """What one of these is for: once, to one process, in time, while its sign-in is good. Else None."""
        ...

    async def watch(self, owned: Callable[[], Mapping[str, int]], taken: Callable[[str, int], None]) -> None:
        """Tell `taken` of conversations in `owned` (id → epoch) that got a newer epoch; until cancelled.

        Those that were recalled are told with the epoch after theirs.
        """
        ...

    async def release(
        self, user_id: str, conversation_id: str, *, epoch: int, seconds: int, at: datetime | None = None
    ) -> None:
        """A session ended after that many seconds; sets `ended_at` when the epoch is still the newest.

        `at`: when that was; None: now. Told again, because nobody knows whether it took it, it counts once.
        Waits until all that was journalled for it is in the store.
        """
        ...

    async def count_session(self, user_id: str, rates: Sequence[Rate]) -> RateReached | None:
        """Count one more new session, of all processes together; or say which rate is reached."""
        ...

    async def recall(self, user_id: str, keep: int) -> Mapping[str, int]:
        """Have all their sessions end but for the newest `keep`, at whichever process.

        They hear of it by `watch`. Gives the conversations whose sessions have to end, and their epochs.
        """
        ...

    async def spend(self, talked: Mapping[str, int]) -> Mapping[str, int]:
        """Users (of all: there is no other) have talked so many seconds more; how many since midnight, UTC.

        Those that were told by all processes.
        """
        ...

    async def conversations(
        self, user_id: str, *, agent: str | None, text: str | None, limit: int, after: str | None
    ) -> Page[Conversation]:
        """Newest activity first; `text` is looked for in titles and messages."""
        ...

    async def conversation(self, user_id: str, conversation_id: str) -> Conversation: ...

    async def entries(
        self, user_id: str, conversation_id: str, *, after: Cursor | None, limit: int
    ) -> Page[Entry]:
        """Oldest first, those after the cursor. Cuts are entries of their own here."""
        ...

    async def rename(self, user_id: str, conversation_id: str, title: str) -> Conversation: ...

    async def delete(self, user_id: str, conversation_id: str) -> None:
        """The conversation, its entries and calls; goals and tasks stay. Wins over what is journalled."""
        ...

    async def forget(self, user_id: str) -> None:
        """The user and all that is theirs, goals and tasks too. Wins over what is journalled."""
        ...

    async def goals(self, user_id: str) -> Sequence[Goal]: ...

    async def tasks(self, user_id: str) -> Sequence[Task]: ...

    async def ping(self) -> None:
        """One round trip, for `/ready`."""
        ...
