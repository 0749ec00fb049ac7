"""Who is asking, with which credential, and from which page."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from itertools import zip_longest

from starlette.requests import HTTPConnection

from bridge.errors import BadRequest, Forbidden
from bridge.ports import Authenticator, Principal

SCHEMES = ("token", "bearer")
JWT_PREFIX = "access_token."
"""Sub-protocol of deepgram/starter-contracts: `access_token.<credential>`."""
HOST = re.compile(r"[A-Za-z0-9._-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")
COOKIE = "voice-bridge"
PORT = re.compile(r":\d+$")
IPvAnyNetwork = IPv4Network | IPv6Network
LOOPBACK = ip_network("127.0.0.0/8")
SAFE = ("GET", "HEAD", "OPTIONS")


class Identity:
    """Tells who is asking, and turns pages of foreign origins away.

    origins: pages allowed beside our own, exactly as browsers write them (`https://app.example.com`).
    trust_proxy: believe `X-Forwarded-Proto` and `-Host`, if the peer is in one of the networks `proxies`.
    hosts: the names, without port, by which clients may reach us; none: any.
    """

    def __init__(
        self,
        authenticate: Authenticator,
        *,
        origins: Collection[str] = (),
        trust_proxy: bool = False,
        proxies: Sequence[IPvAnyNetwork] = (LOOPBACK,),
        hosts: Collection[str] = (),
    ) -> None:
        self._authenticate = authenticate
        self._origins = frozenset(origins)
        self._proxies = tuple(proxies) if trust_proxy else ()
        self._hosts = frozenset(host.lower() for host in hosts)

    async def get_current_user(self, connection: HTTPConnection, credential: str | None = None) -> Principal:
        """The user. Raises Unauthenticated, or Forbidden for a foreign page that wants to change something.

        credential: from a sub-protocol, where there can be no header of one's own.
        """
        self.host(connection)
        if connection.scope.get("method") not in SAFE:
            self.check_origin(connection)
        given = credential or credential_of(connection.headers.get("authorization"))
        return await self._authenticate(
            connection.headers, given or connection.cookies.get(self.cookie(connection))
        )

    def cookie(self, connection: HTTPConnection) -> str:
        """The name of our cookie: by TLS one that no neighbouring host can set."""
        return f"__Host-{COOKIE}" if self.is_secure(connection) else COOKIE

    def check_origin(self, connection: HTTPConnection) -> None:
        """Raises Forbidden when a page that is neither ours nor allowed is behind the request."""
        host, origin = self.host(connection), connection.headers.get("origin")
        scheme, own_port = ("https", ":443") if self.is_secure(connection) else ("http", ":80")
        own = f"{scheme}://{host.lower().removesuffix(own_port)}"
        if origin is not None and origin != own and origin not in self._origins:
            raise Forbidden("Pages of that origin may not connect.", code="BRIDGE_FOREIGN_ORIGIN")

    def origin(self, connection: HTTPConnection) -> str:
        """The page behind the request, as its browser writes it; empty: none."""
        return connection.headers.get("origin", "")

    def host(self, connection: HTTPConnection) -> str:
        """`host[:port]` by which the client reached us. Raises BadRequest."""
        host = self._forwarded(connection, "host") or connection.headers.get("host", "")
        if not HOST.fullmatch(host):
            raise BadRequest("The Host header is missing or malformed.", status=400)
        if self._hosts and PORT.sub("", host.lower()) not in self._hosts:
            raise BadRequest("BRIDGE_HOSTS does not name this host.", status=421)
        return host

    def is_secure(self, connection: HTTPConnection) -> bool:
        """True: the client came by TLS."""
        scheme = self._forwarded(connection, "proto") or connection.scope["scheme"]
        return scheme in {"https", "wss"}

    def address(self, connection: HTTPConnection) -> str:
        """The IP address of the client: of all that our own proxies tell the last that is not one of them.

        Of IPv6 its network, `2001:db8::/64`: one household has one, and in it as many addresses as it likes.
        """
        if connection.client is None:
            return ""
        # Each proxy adds what it has seen at the end, some of them as a header of its own.
        told = connection.headers.getlist("x-forwarded-for") if self._from_proxy(connection) else []
        address = _plain(connection.client.host)
        for hop in reversed(",".join(told).split(",") if told else []):
            try:
                address = _plain(str(ip_address(hop.strip())))
            except ValueError:
                break
            if not self._is_proxy(address):
                break
        return str(ip_network(f"{address}/64", strict=False)) if ":" in address else address

    def _forwarded(self, connection: HTTPConnection, what: str) -> str:
        if not self._from_proxy(connection):
            return ""
        return connection.headers.get(f"x-forwarded-{what}", "").partition(",")[0].strip()

    def _from_proxy(self, connection: HTTPConnection) -> bool:
        """The other end of the connection is a proxy of ours."""
        return connection.client is not None and self._is_proxy(connection.client.host)

    def _is_proxy(self, address: str) -> bool:
        if not self._proxies:
            return False
        try:
            peer = ip_address(_plain(address))
        except ValueError:
            return False
        return any(peer in network for network in self._proxies)


def _plain(address: str) -> str:
    """Without its interface; one of IPv4 as it is, also where a socket of IPv6 has taken it."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped or found)


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
