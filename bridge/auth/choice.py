"""The authenticator that the settings ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx2

from bridge.auth.fixed import FixedUser, is_loopback
from bridge.auth.key_set import KeySet
from bridge.auth.pin import ByPin
from bridge.auth.pins import Pins
from bridge.auth.web_token import WebToken
from bridge.errors import BadConfig
from bridge.ports import Accounts, Authenticator, PinDesk
from bridge.settings import Settings, variable


@dataclass(frozen=True, slots=True)
class Access:
    """How people come in."""

    authenticate: Authenticator
    accounts: Accounts
    desk: PinDesk | None = None
    """None: not by PIN."""


@asynccontextmanager
async def open_access(
    settings: Settings, accounts: Accounts, now: Callable[[], datetime]
) -> AsyncIterator[Access]:
    """Good while the block lasts. Raises BadConfig."""
    check_access(settings)
    if settings.auth == "none":
        yield Access(FixedUser(settings.user), accounts)
    elif settings.auth == "pin":
        with closing(Pins()) as pins:
            lasting = timedelta(days=settings.sign_in_days)
            by_pin = ByPin(accounts=accounts, pins=pins, lasting=lasting, now=now)
            yield Access(by_pin, accounts, by_pin)
    else:
        async with httpx2.AsyncClient(follow_redirects=False, trust_env=False) as client:
            yield Access(_web_token(settings, client, accounts), accounts)


def _web_token(settings: Settings, client: httpx2.AsyncClient, accounts: Accounts) -> WebToken:
    return WebToken(
        keys=KeySet(settings.jwt_jwks_url, settings.jwt_algorithms, client),
        accounts=accounts,
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
        algorithms=settings.jwt_algorithms,
        user_claim=settings.jwt_user_claim,
        leeway_seconds=settings.jwt_leeway_seconds,
    )


def check_access(settings: Settings) -> None:
    """Raises BadConfig when something is missing that the choice needs."""
    if settings.auth != "jwt":
        return
    for name in ("jwt_issuer", "jwt_audience", "jwt_jwks_url"):
        if not getattr(settings, name):
            raise BadConfig(f"{variable(name)}: BRIDGE_AUTH=jwt needs it")
    try:
        url = httpx2.URL(settings.jwt_jwks_url)
    except httpx2.InvalidURL:
        url = httpx2.URL("")
    if not (url.host and (url.scheme == "https" or (url.scheme == "http" and is_loopback(url.host)))):
        raise BadConfig("BRIDGE_JWT_JWKS_URL: is not an https:// address (http:// on this machine alone)")
