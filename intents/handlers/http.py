"""Hands an intent to another service: one signed POST, repeated with the same key until it is answered."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from urllib.parse import quote

import httpx2
import orjson
import structlog

from bridge.core.agent import Intent
from bridge.core.model import Outcome, Status
from bridge.errors import BadConfig
from bridge.ports import Job
from intents.arguments import CONTROL, Arguments
from intents.handlers.pinning import Network, NotAllowed, PinnedTransport
from intents.outcomes import failed, refused

log = structlog.get_logger(__name__)

MAX_ANSWER_BYTES = 64 * 1024
"""Of the body of an answer; a longer one is unusable."""
MAX_SENTENCE = 1000
"""Characters of an answer that reach the agent."""
PREFIX = "http:"
"""Of a handler that is a service, before its address."""
HOST = re.compile(rb"[A-Za-z0-9.:-]+")
PAUSES = (0.2, 0.4, 0.8)
"""Seconds before the second and each further attempt."""
UNREADABLE = "The service answered in a way I can't read, so I can't tell whether that was done."
UNREACHABLE = "I can't reach the service for that right now, so it isn't done yet."
UNSURE = "The service for that is in trouble, so I can't tell whether that was done."
UNACCEPTED = "The service didn't accept that, so it isn't done."
NOT_ALLOWED = "I'm not set up to reach the service for that."


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """What this deployment allows intents to reach."""

    secret: str = field(default="", repr=False)
    """Key of the signature; without one nothing is sent."""
    allowed_hosts: frozenset[str] = frozenset()
    """`host` or `host:port`, lower case; every other host is refused."""
    networks: tuple[Network, ...] = ()
    """Where a host's name may lead beyond the public internet."""

    def refusal(self, handler: str) -> str:
        """Why a handler may not be used here; empty = it may. Raises BadConfig when it is no HTTP handler."""
        url = target(handler)
        if not self.secret:
            return "no secret is set to sign the request with"
        port = url.port or (443 if url.scheme == "https" else 80)
        if {url.host, f"{url.host}:{port}"} & self.allowed_hosts:
            return ""
        return f"{url.host} is not one of the allowed hosts"


def is_http(handler: str) -> bool:
    """The handler is a service, and no Python function."""
    return handler.startswith(PREFIX)


def target(handler: str) -> httpx2.URL:
    """The address in `http:https://host/path`. Raises BadConfig."""
    try:
        url = httpx2.URL(handler.removeprefix(PREFIX))
    except httpx2.InvalidURL:
        url = httpx2.URL("")
    if (
        url.scheme not in {"http", "https"}
        or not HOST.fullmatch(url.raw_host)
        or url.userinfo
        or url.fragment
    ):
        raise BadConfig(f"{handler} is not of the form http:https://host/path, without credentials")
    return url


class HttpHandler:
    """Sends calls to services. One for the process; `aclose` it at the end."""

    def __init__(self, settings: HttpSettings, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._clock = clock
        transport = PinnedTransport(
            settings.networks, make=partial(httpx2.AsyncHTTPTransport, trust_env=False)
        )
        self._client = httpx2.AsyncClient(follow_redirects=False, trust_env=False, transport=transport)

    async def aclose(self) -> None:
        """Close the connections that are kept open."""
        await self._client.aclose()

    async def run(self, job: Job, intent: Intent, arguments: Arguments) -> Outcome:
        """Send the call and wait for the service's answer; the caller limits how long.

        Lost connections and 5xx are tried again with the same `Idempotency-Key`. Only cancelling raises.
        """
        if refusal := self._settings.refusal(intent.handler):
            log.error("intent_target_refused", intent=intent.name, reason=refusal)
            return failed(NOT_ALLOWED)
        url, body = target(intent.handler), _body(job, intent, arguments)
        content = UNREACHABLE
        for pause in (*PAUSES, 0.0):
            try:
                return await self._attempt(url, body, job, intent)
            except NotAllowed:
                log.error(
                    "intent_target_refused", intent=intent.name, reason="its name leads to a private address"
                )
                return failed(NOT_ALLOWED)
            except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout):
                pass
            except (httpx2.TransportError, _TryAgain):
                content = UNSURE
            await asyncio.sleep(pause)
        return failed(content)

    async def _attempt(self, url: httpx2.URL, body: bytes, job: Job, intent: Intent) -> Outcome:
        timestamp = str(int(self._clock().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/plain",
            "Accept-Encoding": "identity",
            "User-Agent": "voice-bridge",
            "Idempotency-Key": idempotency_key(job),
            "Voice-Bridge-Timestamp": timestamp,
            "Voice-Bridge-Signature": "v1=" + signature(self._settings.secret, timestamp, body),
        }
        timeout = intent.limit_seconds / 2
        async with self._client.stream(
            "POST", url, content=body, headers=headers, timeout=timeout
        ) as response:
            if response.status_code >= 500:
                raise _TryAgain
            answer = await _read(response)
        outcome = _outcome(response, answer)
        if outcome.status is Status.FAILED:
            log.warning("intent_answer_unusable", intent=intent.name, http_status=response.status_code)
        return outcome


class _TryAgain(Exception):
    """The service says that it is in trouble."""


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """HMAC-SHA256, in hexadecimal, over the timestamp, a full stop and the body."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def idempotency_key(job: Job) -> str:
    """`conversation:request:call id`, each percent-encoded; the same for every attempt of the same call."""
    parts = (job.conversation_id, job.call.request, job.call.function.id)
    return ":".join(quote(part, safe="", errors="replace") for part in parts)


def _body(job: Job, intent: Intent, arguments: Arguments) -> bytes:
    return orjson.dumps(
        {
            "intent": intent.name,
            "route": intent.route,
            "arguments": arguments.understood(intent),
            "said": dict(arguments.said),
            "user_id": job.person.id,
            "conversation_id": job.conversation_id,
            "time_zone": arguments.zone.key,
        }
    )


async def _read(response: httpx2.Response) -> bytes | None:
    """The body; None when it is too large."""
    answer = bytearray()
    async for piece in response.aiter_raw():
        answer += piece
        if len(answer) > MAX_ANSWER_BYTES:
            return None
    return bytes(answer)


def _outcome(response: httpx2.Response, answer: bytes | None) -> Outcome:
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    status, said = _parse(answer, media_type)
    sentence = _sentence(said)
    if response.is_success:
        return Outcome(status=status, content=sentence) if sentence else failed(UNREADABLE)
    if not 400 <= response.status_code < 500:
        return failed(UNREADABLE)
    explained = sentence and media_type == "application/json"
    return refused(sentence) if explained else failed(UNACCEPTED)


def _sentence(said: str) -> str:
    """On one line, without control characters; empty when there is nothing to see in it."""
    sentence = " ".join(CONTROL.sub(" ", said).split())[:MAX_SENTENCE]
    return sentence if any(c.isprintable() and c != " " for c in sentence) else ""


def _parse(answer: bytes | None, media_type: str) -> tuple[Status, str]:
    """Status and sentence of an answer, JSON `{"say": …, "status"?: …}` or plain text; "" = unusable."""
    if answer is None or media_type not in {"application/json", "text/plain"}:
        return Status.FAILED, ""
    if media_type == "text/plain":
        return Status.DONE, answer.decode("utf-8", "replace")
    try:
        data = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return Status.FAILED, ""
    match data:
        case {"say": str(say), "status": "done" | "refused" | "failed" as status}:
            return Status(status), say
        case {"say": str(say)} if "status" not in data:
            return Status.DONE, say
        case _:
            return Status.FAILED, ""
