"""Who is asking, with which credential, and from which page."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import zip_longest
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from bridge.errors import BadRequest, Forbidden
from bridge.ports import Authenticator, Principal

SCHEMES = ("token", "bearer")
JWT_PREFIX = "access_token."
"""Sub-protocol of deepgram/starter-contracts: `access_token.<credential>`."""
HOST = re.compile(r"[A-Za-z0-9._-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")
SAFE = ("GET", "HEAD", "OPTIONS")


class Identity:
    """Tells who is asking, and turns pages of foreign origins away.

    origins: pages allowed beside our own, exactly as browsers write them (`https://app.example.com`).
    trust_proxy: believe `X-Forwarded-Proto` and `-Host`.
    """

    def __init__(
        self, authenticate: Authenticator, *, origins: Collection[str] = (), trust_proxy: bool = False
    ) -> None:
        self._authenticate = authenticate
        self._origins = frozenset(origins)
        self._trust_proxy = trust_proxy

    async def get_current_user(self, connection: HTTPConnection, credential: str | None = None) -> Principal:
        """The user. Raises Unauthenticated, or Forbidden for a foreign page that wants to change something.

        credential: from a sub-protocol, where there can be no header of one's own.
        """
        if connection.scope.get("method") not in SAFE:
            self.check_origin(connection)
        return await self._authenticate(
            connection.headers, credential or credential_of(connection.headers.get("authorization"))
        )

    def check_origin(self, connection: HTTPConnection) -> None:
        """Raises Forbidden when a page that is neither ours nor allowed is behind the request."""
        origin = connection.headers.get("origin")
        if origin is None or origin in self._origins:
            return
        if _bare_host(_netloc(origin)) != _bare_host(self.host(connection)):
            raise Forbidden("Pages of that origin may not connect.", code="BRIDGE_FOREIGN_ORIGIN")

    def origin(self, connection: HTTPConnection) -> str:
        """The page behind the request, as its browser writes it; empty: none."""
        return connection.headers.get("origin", "")

    def host(self, connection: HTTPConnection) -> str:
        """`host[:port]` by which the client reached us. Raises BadRequest."""
        host = self._forwarded(connection, "host") or connection.headers.get("host", "")
        if not HOST.fullmatch(host):
            raise BadRequest("The Host header is missing or malformed.", status=400)
        return host

    def is_secure(self, connection: HTTPConnection) -> bool:
        """True: the client came by TLS."""
        scheme = self._forwarded(connection, "proto") or connection.scope["scheme"]
        return scheme in {"https", "wss"}

    def _forwarded(self, connection: HTTPConnection, what: str) -> str:
        if not self._trust_proxy:
            return ""
        return connection.headers.get(f"x-forwarded-{what}", "").partition(",")[0].strip()


def credential_of(authorization: str | None) -> str | None:
    """What stands in `Authorization: Token x` or `Bearer x`, any case; None for anything else."""
    scheme, _, credential = (authorization or "").strip().partition(" ")
    return (credential.strip() or None) if scheme.lower() in SCHEMES else None


def credential_in(subprotocols: Sequence[str]) -> str | None:
    """What stands in `token, x`, `bearer, x` or `access_token.x`."""
    for offered, following in zip_longest(subprotocols, subprotocols[1:]):
        if offered.lower() in SCHEMES:
            return following or None
        if offered.startswith(JWT_PREFIX):
            return offered.removeprefix(JWT_PREFIX) or None
    return None


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _bare_host(host: str) -> str:
    """Lower case, without a scheme's own port."""
    return re.sub(r":(80|443)$", "", host.lower())
