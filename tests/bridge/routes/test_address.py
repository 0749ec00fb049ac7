"""From which address somebody comes, whatever they say of it themselves."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from starlette.requests import HTTPConnection

from bridge.auth.fixed import FixedUser
from bridge.routes.identity import Identity

PROXIES = [ip_network("10.0.0.0/8"), ip_network("127.0.0.0/8")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.7", None, "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),  # no proxy of ours: not believed
        ("10.0.0.2", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.2", "192.0.2.66, 198.51.100.1", "198.51.100.1"),  # the first is what the client made up
        ("10.0.0.2", "198.51.100.1, 10.0.0.9", "198.51.100.1"),  # two proxies in a row
        ("10.0.0.2", "2001:db8::1", "2001:db8::/64"),
        ("10.0.0.2", "192.0.2.66, nonsense", "10.0.0.2"),
        ("10.0.0.2", None, "10.0.0.2"),
        ("10.0.0.2", ["192.0.2.66", "198.51.100.1"], "198.51.100.1"),  # HAProxy adds a header of its own
        ("::ffff:203.0.113.7", None, "203.0.113.7"),  # HOST=:: takes IPv4 as well
        ("::ffff:10.0.0.2", "::ffff:198.51.100.1", "198.51.100.1"),
        ("fe80::1%eth0", None, "fe80::/64"),
    ],
)
def test_an_address_is_what_our_own_proxies_have_seen(
    peer: str, forwarded: str | list[str] | None, address: str
) -> None:
    identity = Identity(FixedUser("u"), trust_proxy=True, proxies=PROXIES)
    lines = [forwarded] if isinstance(forwarded, str) else forwarded or []
    headers = [(b"x-forwarded-for", line.encode()) for line in lines]
    scope = {"type": "http", "client": (peer, 1), "headers": headers}
    assert identity.address(HTTPConnection(scope)) == address


def test_without_a_proxy_of_ours_nobody_is_believed() -> None:
    headers = [(b"x-forwarded-for", b"198.51.100.1")]
    scope = {"type": "http", "client": ("10.0.0.2", 1), "headers": headers}
    assert Identity(FixedUser("u")).address(HTTPConnection(scope)) == "10.0.0.2"
