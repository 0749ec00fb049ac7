"""The live sessions of this process: started, found, joined again, taken over, drained."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import TracebackType
from weakref import WeakValueDictionary

import structlog

from bridge.core.agent import Agent
from bridge.core.events import NotedCallRun
from bridge.core.model import Entry, Person
from bridge.core.session import Session
from bridge.errors import NotFound, Refused, StoreUnavailable, Unauthenticated, Unavailable
from bridge.live.admission import Admission
from bridge.live.live import Live
from bridge.live.meter import Meter
from bridge.live.once import Once
from bridge.live.prepared import Closed, Prepared
from bridge.live.quotas import Quotas
from bridge.live.releases import Releases
from bridge.live.roster import ELSEWHERE, Roster
from bridge.live.runner import Parts, Runner
from bridge.live.tokens import Tokens, digest, digests, is_ours, is_ticket
from bridge.ports import Claim, Hold, SessionFacts, SignIn, Store, Transport

__all__ = ["Live", "Sessions"]

log = structlog.get_logger(__name__)

CLOSE_SECONDS = 5.0
"""How long ended sessions may take to save what was said and done."""


@dataclass(kw_only=True)
class Sessions:
    """All live sessions. An async context manager: leaving it ends them all."""

    agents: Mapping[str, Agent]
    default_agent: str
    parts: Parts
    store: Store
    quotas: Quotas
    hold: Hold
    now: Callable[[], datetime]
    admission: Admission = field(default_factory=Admission)
    count_refused: Callable[[str], None] = lambda _: None
    """Is told why somebody was refused."""
    unattached_seconds: float = 30.0
    """How long a session waits for its first client."""
    draining: bool = False
    ended: int = 0
    """Sessions that have ended here so far."""
    _live: Roster = field(default_factory=Roster)
    tokens: Tokens[Live] = field(default_factory=Tokens)
    meter: Meter = field(init=False)
    _releases: Releases = field(init=False)
    _beginning: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    """By user: one begins after the other, so that the one who came last is the one who stays."""
    _group: asyncio.TaskGroup = field(default_factory=asyncio.TaskGroup)

    def __post_init__(self) -> None:
        self.meter = Meter(quotas=self.quotas, store=self.store, now=self.now)
        self._releases = Releases(self.store, self.now)

    async def __aenter__(self) -> Sessions:
        await self._group.__aenter__()
        beside = {
            "take-overs": self.store.watch(self._live.owned, self._live.end_older),
            "minutes": self.meter.run(lambda: list(self._live.values())),
            "releases": self._releases.run(),
        }
        self._beside = [self._group.create_task(work, name=name) for name, work in beside.items()]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.drain(patience=0.0)
        for work in self._beside:
            work.cancel()
        await self._group.__aexit__(None, None, None)  # it would wrap what the block raises
        await self._releases.tell_owed()

    def __len__(self) -> int:
        return len(self._live)

    def queued_bytes(self) -> tuple[int, int]:
        """What waits for the sockets of all clients, and of all their agents."""
        return self._live.queued_bytes()

    # ── for the routes ──────────────────────────────────────────────────────────────────────

    async def prepare(
        self,
        user_id: str,
        *,
        agent: str | None,
        conversation_id: str | None,
        time_zone: str | None = None,
        origin: str = "",
        sign_in: SignIn | None = None,
        address: str = "",
    ) -> Prepared:
        """Start a session that waits 30 s for its client. Ends the user's older ones beyond the quota.

        `time_zone`: IANA name, the user's from now on. `origin`: of the page that asks.
        `sign_in`: it ends with that. `address`: the client's.

        Raises NotFound, TooMany, Unavailable, StoreUnavailable.
        """
        with self._counted():
            self._check_open(address)
            if conversation_id and not agent:
                agent = (await self.store.conversation(user_id, conversation_id)).agent
            # In line before the store is asked: who asks for many at once holds up nobody else there.
            async with self._beginning.setdefault(user_id, asyncio.Lock()):
                chosen = await self._within_the_day(user_id, agent or self.default_agent)
                await self.quotas.count_session(self.store, user_id, self.now())
                await self._make_room(user_id, conversation_id)
                live, claim = await self._open(user_id, chosen, conversation_id, sign_in, address, time_zone)
        return Prepared(
            session_id=live.facts.session_id,
            conversation=claim.conversation,
            token=await self._ticket(live, origin),
            agent=chosen,
            upstream=live.facts.upstream,
            history=claim.history,
        )

    def _check_open(self, address: str) -> None:
        """Is there room for one more? Raises Unavailable, TooMany."""
        if self.draining:
            told = "The server is about to stop."
            raise Unavailable(told, code="BRIDGE_GOING_AWAY", retry_after=5, reason="draining")
        self.admission.check()
        self.quotas.check_address(address, (live.address for live in self._live.values()))

    @contextmanager
    def _counted(self) -> Iterator[None]:
        try:
            yield
        except Refused as error:
            if error.reason:
                self.count_refused(error.reason)
            raise

    async def _open(
        self,
        user_id: str,
        agent: Agent,
        conversation_id: str | None,
        sign_in: SignIn | None,
        address: str,
        time_zone: str | None = None,
    ) -> tuple[Live, Claim]:
        """A session that owns its conversation."""
        claim = await self.store.claim(
            user_id, agent=agent.name, conversation_id=conversation_id, time_zone=time_zone
        )
        session = Session(
            session_id=secrets.token_hex(12),
            conversation_id=claim.conversation.id,
            user_id=claim.person.id,
            agent=agent,
            epoch=claim.epoch,
            history=claim.history,
        )
        try:
            self._check_open(address)  # again: others came while we waited
        except Refused:
            await self._releases.release(session, 0)
            raise
        live = await self._begin(session, claim.person, sign_in, address)
        await self._recall(session.user_id)
        return live, claim

    async def admit(self, credential: str | None, origin: str = "", address: str = "") -> Live | None:
        """The session a token of ours is for; None: not one of ours. Raises Unauthenticated if it is void.

        A ticket of another process is honoured too: the session begins here then. Raises Unavailable,
        StoreUnavailable.
        """
        if credential is None or not is_ours(credential):
            return None
        live = self.tokens.use(credential, origin)
        if is_ticket(credential) and self.store.shared:
            with self._counted():
                live = await self._redeem(credential, origin, address, live)
        if live is None or live.runner.finished.is_set():
            raise Unauthenticated("That token is used, expired or unknown.", code="BRIDGE_TOKEN_VOID")
        return live

    async def _redeem(self, ticket: str, origin: str, address: str, live: Live | None) -> Live | None:
        """Of all processes the one that takes the ticket out of the store has it."""
        if live is None:
            self._check_open(address)  # before it is taken: another process may have room
        try:
            taken = await self.store.take_ticket(digests(ticket, origin))
        except StoreUnavailable:
            if live:
                return live
            raise
        if taken is None or live:
            return live if taken else None
        conversation = taken.conversation
        agent = await self._within_the_day(conversation.user_id, conversation.agent)
        return (await self._open(conversation.user_id, agent, conversation.id, taken.sign_in, address))[0]

    def serve(self, live: Live, transport: Transport) -> None:
        """Give it a client's accepted socket, beside whoever brings it."""
        self._group.create_task(live.serve(transport), name="client")

    def find(self, user_id: str, session_id: str) -> Live:
        """A live session of that user. Raises NotFound."""
        live = self._live.get(session_id)
        if live is None or live.facts.user_id != user_id:
            raise NotFound("There is no such session.")
        return live

    async def end(self, user_id: str, session_id: str) -> Closed:
        """End a session; returns when all it said and did is saved. Raises NotFound."""
        live = self.find(user_id, session_id)
        live.end("")
        await live.gone.wait()
        return Closed(session_id, live.message_count)

    async def end_conversation(self, conversation_id: str, code: str, description: str) -> None:
        """End whatever session a conversation has here; returns when it is over."""
        await self._end_all(self._live.talking_in(conversation_id), code, description)

    def noted_run(self, entry: Entry) -> None:
        """A noted call was run: whoever has its conversation open here sees what came of it."""
        for live in self._live.talking_in(entry.conversation_id):
            live.runner.step(NotedCallRun(entry))

    # ── its own ─────────────────────────────────────────────────────────────────────────────

    async def drain(self, patience: float) -> None:
        """Take no new sessions, end the live ones with 1012 and wait until all of them is saved.

        `patience`: seconds their turns may take to come to their end. May be called again, with less.
        """
        self.draining = True
        lives = list(self._live.values())
        if lives:
            log.info("draining", sessions=len(lives), patience=patience)
        for live in lives:
            live.end("BRIDGE_GOING_AWAY", "The server stops; come back.", close_code=1012, patience=patience)
        try:
            async with asyncio.timeout(patience + CLOSE_SECONDS):
                for live in lives:
                    await live.gone.wait()
        except TimeoutError:
            log.warning("drain_incomplete", sessions=len(self._live))
            for live in lives:
                live.runner.finished.set()

    async def _within_the_day(self, user_id: str, name: str) -> Agent:
        """The agent of that name, for no longer than the user may still talk today. Raises TooMany."""
        if (agent := self.agents.get(name)) is None:
            raise NotFound(f"There is no agent called {name[:60]!r}.", code="BRIDGE_UNKNOWN_AGENT")
        left = await self.meter.left(user_id, self._live.of)
        if left is None or left >= agent.limits.session_seconds:
            return agent
        return replace(agent, limits=replace(agent.limits, session_seconds=left))

    async def _make_room(self, user_id: str, conversation_id: str | None) -> None:
        """End the user's session in that conversation, and the oldest of their others beyond the quota."""
        mine = self._live.of(user_id)
        same = [live for live in mine if live.facts.conversation_id == conversation_id]
        others = [live for live in mine if live not in same]
        over = len(others) - self.quotas.sessions + 1
        ending = same + others[: max(0, over)]
        await self._end_all(ending, *ELSEWHERE)

    async def _recall(self, user_id: str) -> None:
        """End the oldest of the user's sessions beyond the quota at other processes."""
        try:
            ending = await self.store.recall(user_id, self.quotas.sessions)
        except StoreUnavailable:
            return
        for conversation_id, epoch in ending.items():  # another process may have told us before we had it
            self._live.end_older(conversation_id, epoch + 1)

    async def _end_all(self, ending: list[Live], code: str, description: str) -> None:
        for live in ending:
            live.end(code, description)
        for live in ending:
            await live.gone.wait()

    async def _ticket(self, live: Live, origin: str) -> str:
        token = self.tokens.ticket(live, origin)
        if live.runner.finished.is_set():
            self.tokens.forget(live)  # it was forgotten before
        if self.store.shared:
            stored, wait, key = digest(token, origin), self.unattached_seconds, live.facts.conversation_id
            await self.store.keep_ticket(key, digest=stored, seconds=wait, sign_in=live.sign_in)
        return token

    def _expire(self, session_id: str) -> None:
        live = self._live.get(session_id)
        if live and not live.attached:
            live.end("")

    async def _begin(self, session: Session, person: Person, sign_in: SignIn | None, address: str) -> Live:
        facts = SessionFacts(
            session_id=session.session_id,
            conversation_id=session.conversation_id,
            user_id=session.user_id,
            agent=session.agent.name,
            upstream=self.parts.upstreams.name,
        )
        runner = Runner(session, person, facts, self.parts)
        live, started = Live(runner, self.tokens, sign_in, address), Once()
        self._live[facts.session_id] = live
        self._group.create_task(self._keep(live, started), name=f"session-{facts.session_id}")
        # By its id: a session that has ended until then is not kept in memory for this.
        asyncio.get_running_loop().call_later(self.unattached_seconds, self._expire, facts.session_id)
        await started.wait()
        return live

    async def _keep(self, live: Live, started: Once) -> None:
        """One session's life. Whatever goes wrong in it stays in it."""
        facts = live.facts
        structlog.contextvars.bind_contextvars(**facts.log_fields)
        release = self.hold(live.sign_in, live.end)
        try:
            await live.runner.run(started)
        except Exception:
            log.exception("session_failed")
        finally:
            release()
            self._live.pop(facts.session_id, None)
            self.ended += 1
            self.tokens.forget(live)
            await self.meter.over(live)
            await self._releases.release(live.runner.session, live.seconds)
            live.gone.set()
