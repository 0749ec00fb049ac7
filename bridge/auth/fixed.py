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
    if settings.auth != "none" or settings.allow_anybody or is_loopback(settings.host):
        return
    raise BadConfig(
        f"BRIDGE_AUTH: with none, whoever reaches {settings.host}:{settings.port} reads and says everything "
        f"as {settings.user!r}; set HOST=127.0.0.1, or BRIDGE_ALLOW_ANYBODY=true if something in front of it "
        "decides who may come"
    )


def is_loopback(host: str) -> bool:
    """Only this machine reaches that address; names but `localhost` may be anything."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
