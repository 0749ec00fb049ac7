"""`BRIDGE_AUTH=none`: everybody is the same user."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from bridge.errors import BadConfig
from bridge.ports import Principal
from bridge.settings import Settings


@dataclass(frozen=True, slots=True)
class FixedUser:
    """ports.Authenticator that asks for nothing."""

    user_id: str

    async def __call__(self, headers: Mapping[str, str], credential: str | None) -> Principal:
        return Principal(self.user_id)


def check_exposure(settings: Settings) -> None:
    """Nobody may serve strangers by accident. Raises BadConfig."""
    alone = is_loopback(settings.host) and not settings.trust_proxy
    if settings.auth != "none" or settings.allow_anybody or alone:
        return
    where = "the proxy" if settings.trust_proxy else f"{settings.host}:{settings.port}"
    remedy = "set BRIDGE_AUTH=pin" if settings.trust_proxy else "set HOST=127.0.0.1"
    raise BadConfig(
        f"BRIDGE_AUTH: with none, whoever reaches {where} reads and says everything as {settings.user!r}; "
        f"{remedy}, or BRIDGE_ALLOW_ANYBODY=true if something in front of it decides who may come"
    )


def takes_anybody(settings: Settings) -> bool:
    """Others reach it, and nobody is asked who they are: what stands in front has to decide who may come."""
    return settings.auth == "none" and settings.allow_anybody


def own_names(settings: Settings) -> tuple[str, ...]:
    """The hosts, without port, by which a server that is for this machine alone may be reached; none: any.

    A page that has a name of its own lead here would be at home otherwise (DNS rebinding).
    """
    if settings.auth != "none" or takes_anybody(settings):
        return ()
    return "localhost", "127.0.0.1", "[::1]", settings.host


def is_loopback(host: str) -> bool:
    """Only this machine reaches that address; names but `localhost` may be anything."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
