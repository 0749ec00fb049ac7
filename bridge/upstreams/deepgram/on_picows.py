"""The agent's socket on picows: what it says is relayed in the moment it is parsed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from picows import WSError, WSHandshakeError, WSInvalidURL, WSTransport

from bridge.sockets import Limits, handshakes
from bridge.sockets.picows import BROKE, PicowsSocket
from bridge.upstreams.deepgram.dialling import (
    MAX_MESSAGE,
    USER_AGENT,
    Timeouts,
    limit,
    refused,
    unreachable,
)

REDIRECTS: Final = range(300, 400)


class AgentSocket(PicowsSocket):
    """dialling.AgentSocket."""

    request_id = ""

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The handshake is over."""
        super().on_ws_connected(transport)
        limit(transport.underlying_transport.get_extra_info("socket"))

    @property
    def close_code(self) -> int | None:
        """None: it is open."""
        if not self.closed.done():
            return None
        return BROKE if self.closed.exception() else self.closed.result().code

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close it in time; never raises, may be called twice."""
        await super().close(code, reason)
        if self.transport is not None:
            self.abort()
            with suppress(WSError, TimeoutError):  # nobody else looks at a rule that the agent broke
                async with asyncio.timeout(self.limits.close):
                    await self.transport.wait_disconnected()


async def dial(url: str, headers: Mapping[str, str], wait: Timeouts) -> AgentSocket:
    """Connect. Raises UpstreamFailed."""
    limits = Limits(message=MAX_MESSAGE, send=wait.send, ping=wait.ping, pong=wait.pong, close=wait.close)
    socket = AgentSocket(limits)
    try:
        async with asyncio.timeout(wait.open):
            told = {**headers, "User-Agent": USER_AGENT}
            answer = await handshakes.dial(url, told, socket, seconds=wait.open)
    except asyncio.CancelledError:
        socket.abandon()
        raise
    except WSHandshakeError as error:
        if error.response is None or error.response.status == 101:
            raise unreachable(error) from None
        if error.response.status in REDIRECTS:
            raise unreachable(error, hopeless=True) from None
        raise refused(error.response.status, error.response.headers) from None
    except (OSError, WSError, ValueError) as error:
        socket.abandon()
        raise unreachable(error, hopeless=isinstance(error, WSInvalidURL | ValueError)) from None
    socket.request_id = answer.get("dg-request-id", "")
    return socket
