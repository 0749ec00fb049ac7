"""Intents handed to another service, over real sockets: signed, repeated with one key, read with care."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from bridge.core.agent import Agent, Effect, Intent, Kind, Parameter
from bridge.core.model import Status
from intents.handlers.http import HttpSettings
from tests.intents.rig import NOW, Rig, rig
from tests.support.serving import serving

SECRET = "a secret of the test"
UNSURE = "The service for that is in trouble, so I can't tell whether that was done."
UNREADABLE = "The service answered in a way I can't read, so I can't tell whether that was done."


@dataclass
class Service:
    """A task service that does each `Idempotency-Key` once, and answers as the test says."""

    answers: list[Callable[[], Awaitable[Response]]] = field(default_factory=list)
    """One for each request to come; after the last, the sentence of what was done."""
    seen: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    done: dict[str, str] = field(default_factory=dict)

    async def respond(self, request: Request) -> Response:
        body = await request.body()
        self.seen.append((dict(request.headers), body))
        key = request.headers["Idempotency-Key"]
        self.done.setdefault(key, f"Ordered: {json.loads(body)['arguments']['what']}.")
        if self.answers:
            return await self.answers.pop(0)()
        return JSONResponse({"say": self.done[key]})


def answer(response: Response) -> Callable[[], Awaitable[Response]]:
    async def give() -> Response:
        return response

    return give


async def hang() -> Response:
    await asyncio.Event().wait()
    raise AssertionError("never")


def shop(url: str, limit_seconds: float = 5.0, effect: Effect = Effect.EXTERNAL) -> Agent:
    order = Intent(
        name="order",
        route="ORDER",
        description="Orders something.",
        handler=f"http:{url}",
        effect=effect,
        limit_seconds=limit_seconds,
        parameters=(Parameter(name="what", required=True), Parameter(name="when", kind=Kind.TIME)),
    )
    return Agent(name="shop", title="Shop", prompt="You sell.", intents=(order,))


def settings(host: str) -> HttpSettings:
    return HttpSettings(secret=SECRET, allowed_hosts=frozenset([host]))


@asynccontextmanager
async def shopping(
    folder: Path, service: Service, *, limit_seconds: float = 5.0, effect: Effect = Effect.EXTERNAL
) -> AsyncIterator[Rig]:
    """The agent `shop`, whose intent `order` is done by that service."""
    app = Starlette(
        routes=[
            Route("/orders", service.respond, methods=["POST"]),
            Route("/elsewhere", service.respond, methods=["POST"]),
        ]
    )
    async with serving(app) as host:
        agent = shop(f"http://{host}/orders", limit_seconds, effect)
        async with rig(folder, agent=agent, http=settings(host)) as made:
            yield made


async def test_a_call_is_one_signed_post(tmp_path: Path) -> None:
    service = Service()
    async with shopping(tmp_path, service) as made:
        outcome = await made.run("order", {"what": "milk", "when": "tomorrow at seven am"})

    assert (outcome.status, outcome.content, outcome.route) == (Status.DONE, "Ordered: milk.", "ORDER")
    ((headers, body),) = service.seen
    assert json.loads(body) == {
        "intent": "order",
        "route": "ORDER",
        "arguments": {"what": "milk", "when": "2026-11-03T06:00:00+00:00"},
        "said": {"what": "milk", "when": "tomorrow at seven am"},
        "user_id": "ada",
        "conversation_id": made.job.conversation_id,
        "time_zone": "Europe/Berlin",
    }
    stamp = headers["voice-bridge-timestamp"]
    assert stamp == str(int(NOW.timestamp()))
    expected = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["voice-bridge-signature"] == f"v1={expected}"
    assert headers["idempotency-key"] == f"{made.job.conversation_id}:request-1:call-1"
    assert headers["content-type"] == "application/json"


async def test_an_odd_call_id_makes_a_safe_and_distinct_key(tmp_path: Path) -> None:
    service = Service()
    async with shopping(tmp_path, service) as made:
        for call_id in ("a:b", "a%3Ab", "ä\r\nX-Evil: 1", "\ud800"):
            await made.executor.run(made.of("order", {"what": "milk"}, call_id))

    keys = [headers["idempotency-key"].rpartition(":")[2] for headers, _ in service.seen]
    assert keys == ["a%3Ab", "a%253Ab", "%C3%A4%0D%0AX-Evil%3A%201", "%3F"]
    assert not any("x-evil" in headers for headers, _ in service.seen)


async def test_trouble_is_tried_again_with_the_same_key_and_done_once(tmp_path: Path) -> None:
    service = Service([answer(Response(status_code=503)), answer(PlainTextResponse("oops", 500))])
    async with shopping(tmp_path, service) as made:
        outcome = await made.run("order", {"what": "milk"})

    assert (outcome.status, outcome.content) == (Status.DONE, "Ordered: milk.")
    assert len(service.seen) == 3
    assert len({headers["idempotency-key"] for headers, _ in service.seen}) == 1
    assert list(service.done.values()) == ["Ordered: milk."]


async def test_a_connection_that_breaks_after_the_effect_is_tried_again(tmp_path: Path) -> None:
    keys: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        fields = dict(line.split(": ", 1) for line in head.splitlines()[1:] if line)
        await reader.readexactly(int(fields["Content-Length"]))
        keys.append(fields["Idempotency-Key"])
        if len(keys) > 1:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nDone.")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, rig(tmp_path, agent=shop(f"http://{host}/orders"), http=settings(host)) as made:
        outcome = await made.run("order", {"what": "milk"})

    assert (outcome.status, outcome.content) == (Status.DONE, "Done.")
    assert len(keys) == 2
    assert len(set(keys)) == 1


async def test_trouble_that_stays_is_said_and_the_call_is_not_sent_again(tmp_path: Path) -> None:
    service = Service([answer(Response(status_code=502)) for _ in range(4)])
    async with shopping(tmp_path, service) as made:
        job = made.of("order", {"what": "milk"}, "call-1")
        first, second = [await made.executor.run(job) for _ in range(2)]

    assert (first.status, first.content) == (Status.FAILED, UNSURE)
    assert (second.status, second.content) == (Status.FAILED, UNSURE)
    assert len(service.seen) == 4


async def test_a_service_that_is_not_there_has_done_nothing(tmp_path: Path, unused_port: int) -> None:
    host = f"127.0.0.1:{unused_port}"
    async with rig(tmp_path, agent=shop(f"http://{host}/orders"), http=settings(host)) as made:
        outcome = await made.run("order", {"what": "milk"})

    assert outcome.status is Status.FAILED
    assert outcome.content == "I can't reach the service for that right now, so it isn't done yet."


@pytest.fixture
async def unused_port() -> int:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


async def test_a_call_that_was_answered_is_not_sent_again(tmp_path: Path) -> None:
    service = Service()
    async with shopping(tmp_path, service) as made:
        job = made.of("order", {"what": "milk"}, "call-1")
        first, second = [await made.executor.run(job) for _ in range(2)]

    assert first.content == second.content == "Ordered: milk."
    assert second.route == "ORDER"
    assert len(service.seen) == 1


async def test_a_call_that_was_withdrawn_on_its_way_is_sent_again_with_the_same_key(tmp_path: Path) -> None:
    service = Service([hang])
    async with shopping(tmp_path, service) as made:
        job = made.of("order", {"what": "milk"}, "call-1")
        async with asyncio.TaskGroup() as group:
            running = group.create_task(made.executor.run(job))
            async with asyncio.timeout(5):
                while not service.seen:  # noqa: ASYNC110 - until it has arrived
                    await asyncio.sleep(0.01)
            running.cancel()
        outcome = await made.executor.run(job)

    assert outcome.content == "Ordered: milk."
    assert len(service.seen) == 2
    assert list(service.done.values()) == ["Ordered: milk."]


@pytest.mark.parametrize(
    ("effect", "sentence"),
    [
        (Effect.EXTERNAL, "Sorry, that took too long, so I can't tell whether it was done."),
        (Effect.READ, "Sorry, that took too long, so it isn't done."),
    ],
)
async def test_a_service_that_hangs_is_given_up_in_time(
    tmp_path: Path, effect: Effect, sentence: str
) -> None:
    service = Service([hang, hang, hang, hang])
    async with shopping(tmp_path, service, limit_seconds=0.5, effect=effect) as made:
        outcome = await made.run("order", {"what": "milk"})

    assert (outcome.status, outcome.content) == (Status.TIMED_OUT, sentence)
    assert 400 <= outcome.duration_ms < 3000
    assert len({headers["idempotency-key"] for headers, _ in service.seen}) == 1


async def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    service = Service([answer(RedirectResponse("/elsewhere", 307))])
    async with shopping(tmp_path, service) as made:
        outcome = await made.run("order", {"what": "milk"})

    assert (outcome.status, outcome.content) == (Status.FAILED, UNREADABLE)
    assert len(service.seen) == 1


@pytest.mark.parametrize(
    ("response", "status", "content"),
    [
        (PlainTextResponse(" Ordered:\n milk. "), Status.DONE, "Ordered: milk."),
        (JSONResponse({"say": "Sold out.", "status": "refused"}), Status.REFUSED, "Sold out."),
        (JSONResponse({"say": "No luck.", "status": "failed"}), Status.FAILED, "No luck."),
        (JSONResponse({"say": "Ok.", "status": "done", "more": 1}, 201), Status.DONE, "Ok."),
        (JSONResponse({"say": "x" * 5000}), Status.DONE, "x" * 1000),
        (JSONResponse({"say": "Or\0dered:\x1b[31m milk."}), Status.DONE, "Or dered: [31m milk."),
        (JSONResponse({"say": "Ok."}, media_type="Application/JSON"), Status.DONE, "Ok."),
        (JSONResponse({"say": "\0 \u200b"}), Status.FAILED, UNREADABLE),
        (JSONResponse({"say": "Which size?"}, 422), Status.REFUSED, "Which size?"),
        (
            PlainTextResponse("Not Found", 404),
            Status.FAILED,
            "The service didn't accept that, so it isn't done.",
        ),
        (JSONResponse({"say": "Ok.", "status": "maybe"}), Status.FAILED, UNREADABLE),
        (JSONResponse({"said": "Ok."}), Status.FAILED, UNREADABLE),
        (JSONResponse(["Ok."]), Status.FAILED, UNREADABLE),
        (JSONResponse({"say": "  "}), Status.FAILED, UNREADABLE),
        (Response("{", media_type="application/json"), Status.FAILED, UNREADABLE),
        (Response("<html>", media_type="text/html"), Status.FAILED, UNREADABLE),
        (Response(status_code=204), Status.FAILED, UNREADABLE),
        (PlainTextResponse("x" * 70_000), Status.FAILED, UNREADABLE),
    ],
)
async def test_an_answer_is_read_with_care(
    tmp_path: Path, response: Response, status: Status, content: str
) -> None:
    service = Service([answer(response)])
    async with shopping(tmp_path, service) as made:
        outcome = await made.run("order", {"what": "milk"})

    assert (outcome.status, outcome.content) == (status, content)
    assert len(service.seen) == 1


async def test_nothing_is_sent_when_the_store_is_away_or_somebody_else_owns_the_talk(tmp_path: Path) -> None:
    service = Service()
    async with shopping(tmp_path, service) as made:
        await made.record.store.claim("ada", agent="shop", conversation_id=made.job.conversation_id)
        taken = await made.run("order", {"what": "milk"})
        await made.record.database.close()
        away = await made.run("order", {"what": "milk"})

    assert taken.content == "This conversation goes on somewhere else now, so that isn't done here."
    assert away.status is Status.NOTED
    assert service.seen == []


async def test_what_was_done_is_said_though_it_cannot_be_remembered(tmp_path: Path) -> None:
    service = Service()
    async with shopping(tmp_path, service) as made:

        async def close_and_answer() -> Response:
            await made.record.database.close()
            return JSONResponse({"say": "Ordered: milk."})

        service.answers.append(close_and_answer)
        outcome = await made.run("order", {"what": "milk"})

    assert (outcome.status, outcome.content) == (Status.DONE, "Ordered: milk.")
