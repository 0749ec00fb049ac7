"""Addresses of services: looked up once, looked at, and only then connected to."""

import asyncio
import socket
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from bridge.core.model import Status
from intents.handlers.http import HttpSettings
from intents.handlers.pinning import NotAllowed, PinnedTransport, may_call
from tests.intents.handlers.test_http import SECRET, Service, shop
from tests.intents.rig import rig
from tests.support.serving import serving

PRIVATE = [
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fc00::1",
    "fd12::1",
    "fe80::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_on_the_internet_are_not_called(address: str) -> None:
    assert not may_call(ip_address(address), ())


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_addresses_on_the_internet_are(address: str) -> None:
    assert may_call(ip_address(address), ())


def test_a_network_that_is_allowed_is_called() -> None:
    networks = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))

    assert may_call(ip_address("10.1.2.3"), networks)
    assert may_call(ip_address("::ffff:10.1.2.3"), networks)
    assert may_call(ip_address("fd12::1"), networks)
    assert not may_call(ip_address("192.168.1.1"), networks)


Answers = list[list[str]]


def name_server(monkeypatch: pytest.MonkeyPatch, answers: Answers) -> list[str]:
    """`service.test` leads where the answers say, one after the other; what was asked for."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def look_up(host: str, *given: object, **named: object) -> object:
        if host != "service.test":
            return real(host, *given, **named)  # type: ignore[arg-type]
        asked.append(host)
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, given[0])) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


async def test_a_name_that_leads_inside_is_refused_at_once_and_nothing_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service()
    async with serving(Starlette(routes=[Route("/orders", service.respond, methods=["POST"])])) as host:
        asked = name_server(monkeypatch, [["127.0.0.1"]])
        url = f"http://service.test:{host.partition(':')[2]}/orders"
        settings = HttpSettings(secret=SECRET, allowed_hosts=frozenset(["service.test"]))
        async with rig(tmp_path, agent=shop(url), http=settings) as made:
            outcome = await made.run("order", {"what": "milk"})

    assert (outcome.status, outcome.content) == (
        Status.FAILED,
        "I'm not set up to reach the service for that.",
    )
    assert service.seen == []
    assert asked == ["service.test"]


async def test_the_address_that_was_looked_at_is_the_one_that_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that leads somewhere else the second time it is looked up (DNS rebinding)."""
    service = Service()
    async with serving(Starlette(routes=[Route("/orders", service.respond, methods=["POST"])])) as host:
        asked = name_server(monkeypatch, [["127.0.0.1"], ["192.0.2.1"]])
        url = f"http://service.test:{host.partition(':')[2]}/orders"
        networks = (ip_network("127.0.0.0/8"),)
        settings = HttpSettings(secret=SECRET, allowed_hosts=frozenset(["service.test"]), networks=networks)
        async with rig(tmp_path, agent=shop(url), http=settings) as made:
            first = await made.run("order", {"what": "milk"})
            second = await made.run("order", {"what": "bread"})

    assert first.status is Status.DONE
    assert asked == ["service.test"] * 2
    assert second.content == "I'm not set up to reach the service for that."
    assert [headers["host"] for headers, _ in service.seen] == [f"service.test:{host.partition(':')[2]}"]


@pytest.mark.parametrize("found", [["10.0.0.1", "127.0.0.1"], ["169.254.169.254"], ["::1"]])
async def test_of_several_addresses_none_inside_is_taken(
    monkeypatch: pytest.MonkeyPatch, found: list[str]
) -> None:
    name_server(monkeypatch, [found])
    async with httpx2.AsyncClient(transport=PinnedTransport((), make=_never)) as client:
        with pytest.raises(NotAllowed):
            await client.get("http://service.test/")


async def test_a_name_that_is_not_known_is_a_service_that_cannot_be_reached() -> None:
    async with httpx2.AsyncClient(transport=PinnedTransport((), make=_never)) as client:
        with pytest.raises(httpx2.ConnectError):
            await client.get("http://no-such-name.invalid/")


def _never() -> httpx2.AsyncBaseTransport:
    raise AssertionError("nothing may be sent")


def _keep(made: list[httpx2.AsyncBaseTransport]) -> Callable[[], httpx2.AsyncBaseTransport]:
    def make() -> httpx2.AsyncBaseTransport:
        made.append(httpx2.AsyncHTTPTransport(trust_env=False))
        return made[-1]

    return make


async def test_two_names_at_one_address_share_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[httpx2.AsyncBaseTransport] = []

    async def answer(_: object) -> JSONResponse:
        return JSONResponse({})

    async with serving(Starlette(routes=[Route("/", answer)])) as host:
        name_server(monkeypatch, [["127.0.0.1"]])
        port = host.partition(":")[2]
        transport = PinnedTransport([ip_network("127.0.0.0/8")], make=_keep(made))
        async with httpx2.AsyncClient(transport=transport) as client:
            async with asyncio.timeout(5):
                await client.get(f"http://service.test:{port}/")
                await client.get(f"http://service.test:{port}/")
                await client.get(f"http://127.0.0.1:{port}/")

    assert len(made) == 2
