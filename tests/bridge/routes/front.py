"""All our endpoints on a real server: real sessions, a real record, an agent that repeats what is typed."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect

from bridge.app import transport
from bridge.core.agent import Agent, Limits
from bridge.core.model import Cursor, Entry, What
from bridge.errors import Unauthenticated
from bridge.live.briefing import Briefing
from bridge.live.quotas import Quotas
from bridge.live.registry import Sessions
from bridge.live.runner import Parts
from bridge.live.watch import Audience
from bridge.observers.feed import Feed
from bridge.ports import Authenticator, Claim, Principal, SignIn
from bridge.routes.conversations import conversation_routes
from bridge.routes.errors import exception_handlers
from bridge.routes.events import event_routes
from bridge.routes.identity import Identity
from bridge.routes.me import me_routes
from bridge.routes.openapi import Api
from bridge.routes.planner import planner_routes
from bridge.routes.sessions import session_routes
from bridge.routes.talk import talk_routes
from intents.executor import Executor
from persistence.record import Record, open_record
from tests.support.echo import EchoUpstreams
from tests.support.serving import serving

AGENTS = {
    "flux": Agent(name="flux", title="Flux", prompt="Help.", greeting="Hey!", limits=Limits(idle_seconds=60)),
    "tutor": Agent(name="tutor", title="Tutor", prompt="Teach."),
}
on_shared_loop = pytest.mark.asyncio(loop_scope="module")
SETTINGS = json.dumps({"type": "Settings", "audio": {}})


class ByName:
    """An authenticator whose credentials are the users' names."""

    async def __call__(self, headers: Mapping[str, str], credential: str | None) -> Principal:
        if credential is None or not credential.startswith("user-"):
            raise Unauthenticated("Who are you?")
        return Principal(credential)


@dataclass(frozen=True, slots=True)
class Front:
    """The server as a client sees it, and what stands behind it."""

    address: str
    http: httpx2.AsyncClient
    sessions: Sessions
    record: Record

    def talk(self, *, path: str = "/v1/agent/converse", **wish: Any) -> connect:
        """To be entered: a WebSocket; `wish` as of websockets' `connect`, by default as user-ada."""
        if not {"additional_headers", "subprotocols"} & set(wish):
            wish["additional_headers"] = {"Authorization": "Token user-ada"}
        return connect(f"ws://{self.address}{path}", proxy=None, compression=None, **wish)

    async def start(self, **wish: str) -> dict[str, Any]:
        answer = await self.http.post("/api/v1/voice/session", json=wish)
        assert answer.status_code == 201, answer.text
        started: dict[str, Any] = answer.json()
        return started

    async def remember(self, *what: What, user_id: str = "user-ada", agent: str = "flux") -> Claim:
        """A conversation with these entries, one after the other."""
        claim = await self.record.store.claim(user_id, agent=agent, conversation_id=None)
        for idx, one in enumerate(what):
            await self.record.journal.append(
                Entry(
                    conversation_id=claim.conversation.id,
                    user_id=user_id,
                    cursor=Cursor(claim.epoch, idx),
                    at=datetime.now(UTC),
                    what=one,
                )
            )
        return claim


@asynccontextmanager
async def front(
    folder: Path,
    *,
    authenticate: Authenticator | None = None,
    origins: Sequence[str] = (),
    trust_proxy: bool = False,
    proxies: Sequence[IPv4Network] = (IPv4Network("127.0.0.0/8"),),
    hosts: Sequence[str] = (),
    quotas: Quotas | None = None,
) -> AsyncIterator[Front]:
    async with AsyncExitStack() as stack:
        record = await stack.enter_async_context(open_record(f"sqlite:///{folder}/store.db", folder / "data"))
        feed = await stack.enter_async_context(Feed(record.store))
        sessions = await stack.enter_async_context(_sessions(record, quotas or Quotas(), feed))
        identity = Identity(
            authenticate or ByName(), origins=origins, trust_proxy=trust_proxy, proxies=proxies, hosts=hosts
        )
        api = Api("1.2.3")
        described = [
            *session_routes(api, identity, sessions, record.store),
            *conversation_routes(api, identity, sessions, record.store),
            *event_routes(api, identity, record.store, feed, hold_nothing),
            *planner_routes(api, identity, record.store),
            *me_routes(api, identity, sessions, record.store),
        ]
        app = Starlette(
            routes=[
                *talk_routes(sessions, identity, transport),
                *described,
                api.document(described),
            ],
            exception_handlers=exception_handlers(),
        )
        address = await stack.enter_async_context(serving(app))
        http = await stack.enter_async_context(
            httpx2.AsyncClient(
                base_url=f"http://{address}",
                headers={"Authorization": "Bearer user-ada"},
                trust_env=False,
                verify=False,
            )
        )
        yield Front(address, http, sessions, record)


def _sessions(record: Record, quotas: Quotas, feed: Feed) -> Sessions:
    parts = Parts(
        upstreams=EchoUpstreams(),
        journal=record.journal,
        intents=Executor(ledger=record.ledger, clock=_now),
        briefing=Briefing(record.store, _now),
        audience=Audience(feed),
        now=_now,
    )
    return Sessions(
        agents=AGENTS,
        default_agent="flux",
        parts=parts,
        store=record.store,
        quotas=quotas,
        hold=hold_nothing,
        now=_now,
    )


def hold_nothing(sign_in: SignIn | None, end: Callable[[str, str], None]) -> Callable[[], None]:
    """ports.Hold of sign-ins that nothing takes back."""
    return lambda: None


def _now() -> datetime:
    return datetime.now(UTC)


async def receive(client: ClientConnection, kind: str) -> dict[str, Any]:
    """The next message of that type; others before it are skipped."""
    async for frame in client:
        if isinstance(frame, str) and (message := json.loads(frame))["type"] == kind:
            found: dict[str, Any] = message
            return found
    raise AssertionError(f"closed before {kind} came")
