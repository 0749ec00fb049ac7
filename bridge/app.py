"""The only file that names concrete classes: builds the parts and wires them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from zoneinfo import ZoneInfo

import structlog
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.websockets import WebSocket

from bridge import __version__
from bridge.auth.choice import Access, open_access
from bridge.auth.fixed import own_names
from bridge.core.agent import Agent
from bridge.errors import BadConfig, StoreUnavailable
from bridge.live.admission import (
    Admission,
    agent_is_taken,
    descriptors_run_out,
    journal_is_full,
    loop_is_late,
)
from bridge.live.briefing import Briefing
from bridge.live.descriptors import used_descriptors
from bridge.live.holds import Holds
from bridge.live.places import Places
from bridge.live.quotas import Quotas
from bridge.live.redacting import RedactingJournal
from bridge.live.registry import Sessions
from bridge.live.runner import Parts
from bridge.live.watch import Audience
from bridge.observers.feed import Feed
from bridge.observers.latency import Latency
from bridge.observers.lifecycle import Lifecycle
from bridge.observers.loop import LoopWatch
from bridge.observers.metrics import Metrics
from bridge.observers.overview import Overview
from bridge.observers.overviews import Overviews
from bridge.observers.record import Figures, watch_record
from bridge.observers.scrape import Scrape
from bridge.observers.siblings import Siblings, Worker
from bridge.ports import Authenticator, Hold, Observer, SpokenTime, Transport, Upstreams
from bridge.routes.asyncapi import asyncapi_route
from bridge.routes.console import Console, console_routes
from bridge.routes.conversations import conversation_routes
from bridge.routes.errors import exception_handlers
from bridge.routes.events import event_routes
from bridge.routes.identity import Identity
from bridge.routes.me import me_routes
from bridge.routes.openapi import Api
from bridge.routes.operations import operations_routes
from bridge.routes.page import page_routes
from bridge.routes.planner import planner_routes
from bridge.routes.sessions import session_routes
from bridge.routes.sign_in import Door, sign_in_routes
from bridge.routes.talk import talk_routes
from bridge.settings import ROOT, Settings, wants_traces
from bridge.transports.client_frames import ClientFrames
from bridge.transports.on_picows import SOCKET, PicowsTransport
from bridge.transports.websocket import WebSocketTransport
from bridge.upstreams.cascade.local import LocalUpstreams, missing
from bridge.upstreams.deepgram import on_picows, on_websockets
from bridge.upstreams.deepgram.socket import DeepgramUpstreams
from intents.executor import Executor
from intents.folder import AgentFolder
from intents.handlers.http import HttpSettings
from intents.later import Later
from intents.times import find
from persistence.accounts import Accounts
from persistence.record import Record, open_record

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class App:
    """The server's parts that its owner needs."""

    asgi: Starlette
    sessions: Sessions
    feed: Feed


def now() -> datetime:
    """Wall time, UTC."""
    return datetime.now(UTC)


@asynccontextmanager
async def open_app(
    settings: Settings, *, warm: bool = False, worker: Worker | None = None
) -> AsyncIterator[App]:
    """Build everything; on leaving, sessions end, the journal is flushed, all is closed. Raises BadConfig.

    `warm`: start what takes a moment now, not with the first session. `worker`: it is one of several.
    """
    agents = AgentFolder(settings.agents_dir, default=settings.agent)
    async with AsyncExitStack() as stack:
        record = await stack.enter_async_context(_open_record(settings))
        access = await stack.enter_async_context(open_access(settings, Accounts(record.database), now))
        hold = await stack.enter_async_context(Holds(access.accounts, now))
        upstreams = await _open_upstreams(stack, settings, warm=warm)
        executor = Executor(ledger=record.ledger, clock=now, http=_http_settings(settings))
        stack.push_async_callback(executor.aclose)
        agents.verify = executor.verify
        executor.verify(agents.values())
        await stack.enter_async_context(agents)
        registry = CollectorRegistry()
        watch = stack.enter_context(LoopWatch(registry))
        metrics = Metrics(registry)
        feed, overview = await stack.enter_async_context(Feed(record.store)), Overview()
        parts = Parts(
            upstreams=upstreams,
            journal=RedactingJournal(record.journal, settings.redact) if settings.redact else record.journal,
            intents=executor,
            briefing=Briefing(record.store, now),
            audience=Audience(Lifecycle(), metrics, Latency(registry), feed, overview, *await _traces(stack)),
            now=now,
        )
        sessions = await stack.enter_async_context(_sessions(settings, agents, record, parts, hold))
        _watch(registry, record, sessions, upstreams)
        sessions.admission = _admission(settings, record, watch, sessions)
        sessions.count_refused = metrics.refused
        await stack.enter_async_context(Later(record.notes, executor, agents, sessions.noted_run))
        siblings = Siblings(worker)
        scrape = Scrape(registry, siblings)
        console = _console(settings, record, feed, Overviews(overview, siblings, sessions.find, now), agents)
        await stack.enter_async_context(siblings)
        yield App(_asgi(settings, access, hold, sessions, record, scrape, feed, console), sessions, feed)


def _watch(registry: CollectorRegistry, record: Record, sessions: Sessions, upstreams: Upstreams) -> None:
    """The figures that are counted when somebody asks."""
    journal, ages = record.journal, record.journal.ages
    figures = Figures(
        journal_bytes=lambda: journal.size,
        journal_entries=lambda: ages.waiting,
        journal_age=lambda: ages.oldest,
        flush_lag=lambda: ages.lag,
        set_aside=lambda: journal.set_aside,
        store_up=lambda: not record.problem,
        descriptors=used_descriptors,
        agent_waiting=lambda: upstreams.waiting if isinstance(upstreams, Places) else 0,
        towards_client=lambda: sessions.queued_bytes()[0],
        towards_agent=lambda: sessions.queued_bytes()[1],
    )
    watch_record(registry, figures)


async def _traces(stack: AsyncExitStack) -> tuple[Observer, ...]:
    """Spans, for those who want them. Raises BadConfig."""
    if not wants_traces():
        return ()
    try:
        from bridge.observers.traces import Traces  # an extra: it may not be installed
    except ImportError as error:
        raise BadConfig("OTEL_EXPORTER_OTLP_ENDPOINT: pip install 'voice-bridge[otel]'") from error
    return (await stack.enter_async_context(Traces()),)


async def _open_upstreams(stack: AsyncExitStack, settings: Settings, *, warm: bool) -> Upstreams:
    upstreams = make_upstreams(settings)
    stack.push_async_callback(upstreams.aclose)
    if warm and isinstance(upstreams, LocalUpstreams):
        await upstreams.warm(settings.agent)
    if settings.agent_sessions:
        return Places(upstreams, most=settings.agent_sessions, queue=settings.agent_queue)
    return upstreams


def _open_record(settings: Settings) -> AbstractAsyncContextManager[Record]:
    return open_record(
        settings.store_url,
        settings.data_dir,
        default_zone=settings.time_zone,
        journal_quota_bytes=settings.journal_quota_mb * 1024 * 1024,
        durability=settings.durability,
        retention_days=settings.retention_days,
    )


def _sessions(
    settings: Settings, agents: Mapping[str, Agent], record: Record, parts: Parts, hold: Hold
) -> Sessions:
    return Sessions(
        agents=agents,
        default_agent=settings.agent,
        parts=parts,
        store=record.store,
        quotas=Quotas(
            rates=settings.session_rates,
            sessions=settings.sessions_per_user,
            per_address=settings.sessions_per_address,
            minutes_per_day=settings.minutes_per_day,
        ),
        hold=hold,
        now=now,
    )


def _admission(settings: Settings, record: Record, watch: LoopWatch, sessions: Sessions) -> Admission:
    quota = settings.journal_quota_mb * 1024 * 1024
    strains = [journal_is_full(lambda: record.journal.size / quota), descriptors_run_out(used_descriptors)]
    if settings.max_loop_lag_ms:
        strains.append(loop_is_late(lambda: watch.recent_lag, settings.max_loop_lag_ms / 1000))
    if settings.agent_sessions:
        room = settings.agent_sessions + settings.agent_queue
        strains.append(agent_is_taken(lambda: len(sessions), room))
    return Admission(strains)


def _http_settings(settings: Settings) -> HttpSettings:
    hosts = frozenset(host.lower() for host in settings.http_hosts)
    return HttpSettings(
        secret=settings.http_secret.get_secret_value(), allowed_hosts=hosts, networks=settings.http_networks
    )


def make_upstreams(settings: Settings) -> Upstreams:
    """Who answers. Raises BadConfig."""
    if settings.chosen_upstream == "deepgram":
        if settings.lacks_key:
            raise BadConfig("BRIDGE_UPSTREAM: deepgram needs DEEPGRAM_API_KEY")
        return DeepgramUpstreams(
            settings.deepgram_agent_url,
            settings.deepgram_api_key.get_secret_value() or None,
            dial=on_picows.dial if settings.sockets == "picows" else on_websockets.dial,
        )
    if lacking := missing():
        log.warning("local_agent_incomplete", missing=lacking, help="pip install 'voice-bridge[local]'")
    return LocalUpstreams(spoken_time, agents=settings.agents_dir)


def transport(websocket: WebSocket, frames: ClientFrames | None = None) -> Transport:
    """The accepted socket behind the port, on what accepted it."""
    socket = websocket.scope["extensions"].get(SOCKET)
    return WebSocketTransport(websocket, frames) if socket is None else PicowsTransport(socket, frames)


def spoken_time(text: str, now: datetime, zone: ZoneInfo) -> SpokenTime | None:
    """ports.TimeGrammar: the time in what somebody said."""
    found = find(text, now, zone)
    return SpokenTime(found.phrase, found.rest, found.at, found.recurrence) if found else None


def _asgi(
    settings: Settings,
    access: Access,
    hold: Hold,
    sessions: Sessions,
    record: Record,
    scrape: Scrape,
    feed: Feed,
    console: Callable[[Identity], Console],
) -> Starlette:
    identity = _identity(settings, access.authenticate)
    api = Api(__version__, anybody=settings.auth == "none")
    described = [
        *sign_in_routes(api, _door(settings, identity, access)),
        *session_routes(api, identity, sessions, record.store),
        *conversation_routes(api, identity, sessions, record.store),
        *event_routes(api, identity, record.store, feed, hold),
        *planner_routes(api, identity, record.store),
        *me_routes(api, identity, sessions, record.store),
    ]
    routes = chain(
        talk_routes(sessions, identity, transport),
        described,
        [api.document(described), asyncapi_route(__version__)],
        operations_routes(partial(_problem, sessions, record), scrape.text),
        console_routes(console(identity), ROOT / "web" / "console.html", settings.admin_token),
        page_routes(ROOT / "web"),
    )
    return Starlette(
        routes=list(routes), exception_handlers=exception_handlers(), middleware=_cross_origin(settings)
    )


def _door(settings: Settings, identity: Identity, access: Access) -> Door:
    return Door(
        identity=identity,
        accounts=access.accounts,
        desk=access.desk,
        method=settings.auth,
        elsewhere=settings.sign_in_url,
        now=now,
    )


def _console(
    settings: Settings, record: Record, feed: Feed, overviews: Overviews, agents: AgentFolder
) -> Callable[[Identity], Console]:
    return partial(
        Console,
        token=settings.admin_token,
        overviews=overviews,
        store=record.store,
        feed=feed,
        agents_problem=lambda: agents.problem,
    )


async def _problem(sessions: Sessions, record: Record) -> str:
    """Why no session can be started now."""
    if sessions.draining:
        return "the server is about to stop"
    if strain := sessions.admission.strain():
        return strain.told
    if record.ready:
        try:
            await record.store.ping()
        except StoreUnavailable:
            return "the store is away"
    return record.problem


def _identity(settings: Settings, authenticate: Authenticator) -> Identity:
    return Identity(
        authenticate,
        origins=settings.allowed_origins,
        trust_proxy=settings.trust_proxy,
        proxies=settings.proxies,
        hosts=settings.hosts or own_names(settings),
    )


def _cross_origin(settings: Settings) -> list[Middleware]:
    """Lets the pages of allowed origins read the answers of the REST interface."""
    if not settings.allowed_origins:
        return []
    methods, headers = ["GET", "POST", "PATCH", "DELETE"], ["authorization", "content-type"]
    origins = list(settings.allowed_origins)
    return [Middleware(CORSMiddleware, allow_origins=origins, allow_methods=methods, allow_headers=headers)]
