"""Sends requests to the address that was looked at: names that point inside, or change, reach nothing."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Iterable

import httpx2

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
TUNNELS = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))
"""IPv6 addresses that lead to an IPv4 address: NAT64, 6to4, Teredo."""


class NotAllowed(Exception):
    """The name leads to no address that may be called."""


def may_call(address: Address, networks: Iterable[Network]) -> bool:
    """It is on the public internet, or in one of these networks."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if any(address in network for network in networks):
        return True
    tunnelled = any(address in tunnel for tunnel in TUNNELS)
    return address.is_global and not (address.is_multicast or address.is_reserved or tunnelled)


class PinnedTransport(httpx2.AsyncBaseTransport):
    """Looks a name up once for each request, and connects to what it has looked at. `aclose` it."""

    def __init__(self, networks: Iterable[Network], *, make: Callable[[], httpx2.AsyncBaseTransport]) -> None:
        """`networks`: beyond the public internet. `make`: what sends the requests of one host."""
        self._networks = tuple(networks)
        self._make = make
        self._by_host: dict[str, httpx2.AsyncBaseTransport] = {}
        """One for each: connections are kept by address, and two names at one address are two services."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Raises NotAllowed, and what httpx2 raises."""
        host = request.url.host
        address = await self._address(host, request.url.port, request)
        pinned = httpx2.Request(
            request.method,
            request.url.copy_with(host=str(address)),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": host},
        )
        if host not in self._by_host:
            self._by_host[host] = self._make()
        return await self._by_host[host].handle_async_request(pinned)

    async def aclose(self) -> None:
        """Close the connections that are kept open."""
        for transport in self._by_host.values():
            await transport.aclose()

    async def _address(self, host: str, port: int | None, request: httpx2.Request) -> Address:
        """An address as it stands in the settings is one the operator has allowed; a name is looked up."""
        try:
            return ipaddress.ip_address(host)
        except ValueError:
            pass
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpx2.ConnectError("the name is not known", request=request) from error
        addresses = [ipaddress.ip_address(str(sockaddr[0]).partition("%")[0]) for *_, sockaddr in found]
        allowed = [address for address in addresses if may_call(address, self._networks)]
        if not allowed:
            raise NotAllowed
        return allowed[0]
