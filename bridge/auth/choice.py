"""The authenticator that the settings ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2

from bridge.auth.fixed import FixedUser, is_loopback
from bridge.auth.key_set import KeySet
from bridge.auth.web_token import WebToken
from bridge.errors import BadConfig
from bridge.ports import Authenticator
from bridge.settings import Settings, variable


@asynccontextmanager
async def open_authenticator(settings: Settings) -> AsyncIterator[Authenticator]:
    """Good while the block lasts. Raises BadConfig."""
    if settings.auth == "none":
        yield FixedUser(settings.user)
        return
    _check(settings)
    async with httpx2.AsyncClient(follow_redirects=False, trust_env=False) as client:
        yield WebToken(
            keys=KeySet(settings.jwt_jwks_url, settings.jwt_algorithms, client),
            issuer=settings.jwt_issuer,
            audience=settings.jwt_audience,
            algorithms=settings.jwt_algorithms,
            user_claim=settings.jwt_user_claim,
            leeway_seconds=settings.jwt_leeway_seconds,
        )


def _check(settings: Settings) -> None:
    for name in ("jwt_issuer", "jwt_audience", "jwt_jwks_url"):
        if not getattr(settings, name):
            raise BadConfig(f"{variable(name)}: BRIDGE_AUTH=jwt needs it")
    try:
        url = httpx2.URL(settings.jwt_jwks_url)
    except httpx2.InvalidURL:
        url = httpx2.URL("")
    if not (url.host and (url.scheme == "https" or (url.scheme == "http" and is_loopback(url.host)))):
        raise BadConfig("BRIDGE_JWT_JWKS_URL: is not an https:// address (http:// on this machine alone)")
