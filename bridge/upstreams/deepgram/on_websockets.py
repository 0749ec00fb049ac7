"""The agent's socket on `websockets`: messages in order, writes that wait for a limited time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidStatus,
    InvalidURI,
    SecurityError,
    WebSocketException,
)
from websockets.protocol import State

from bridge.errors import PeerGone
from bridge.sockets import Closed, TakeMessage
from bridge.sockets.patience import Patience
from bridge.upstreams.deepgram.dialling import (
    MAX_MESSAGE,
    USER_AGENT,
    Timeouts,
    limit,
    refused,
    unreachable,
)

FRAMES_IN_A_ROW: Final = 8
"""Frames that are read before others have their turn, however many are there."""
HOPELESS: Final = (SecurityError, InvalidURI, ValueError)
"""Errors of the handshake that come again: a redirect nobody can follow."""


class Connection(ClientConnection):
    """websockets' own, whose writes wait no longer than `patience.seconds`; then the socket is gone."""

    patience: Patience

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Bound what the kernel takes and gives at once, and how long it waits."""
        self.patience = Patience(Timeouts().send)
        super().connection_made(transport)
        limit(transport.get_extra_info("socket"))

    def write(self, sound: bytes) -> bool:
        """Write one binary frame now; False: it would have to wait, or the socket is going."""
        if self.paused or self.protocol.state is not State.OPEN or self.transport.is_closing():
            return False
        self.protocol.send_binary(sound)
        self.send_data()
        return True

    def pause_writing(self) -> None:
        """Its buffer is full: a write waits from now on."""
        super().pause_writing()
        self.patience.begin(self.transport)

    def resume_writing(self) -> None:
        """It takes again."""
        self.patience.end()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self.patience.end()
        super().connection_lost(exc)


class WebsocketsSocket:
    """AgentSocket on a `Connection`."""

    def __init__(self, connection: Connection, timeouts: Timeouts) -> None:
        self.connection = connection
        self.write = connection.write
        self._timeouts = timeouts

    @property
    def request_id(self) -> str:
        response = self.connection.response
        return response.headers.get("dg-request-id", "") if response else ""

    @property
    def close_code(self) -> int | None:
        return self.connection.close_code

    async def receive(self) -> bytes | str | Closed:
        try:
            return await self.connection.recv()
        except ConnectionClosed as closed:
            return Closed(closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else Closed()

    async def read(self, take: TakeMessage) -> Closed:
        count = 0
        while not isinstance(message := await self.receive(), Closed):
            take(message)
            count += 1
            if count % FRAMES_IN_A_ROW == 0:
                await asyncio.sleep(0)  # `recv` does not wait while there are frames
        return message

    async def send(self, message: bytes | str) -> None:
        try:
            await self.connection.send(message)
        except ConnectionClosed:
            raise PeerGone("the agent is gone, or takes nothing") from None

    async def close(self) -> None:
        try:
            async with asyncio.timeout(self._timeouts.close + 1):
                await self.connection.close()
        except TimeoutError:
            self.connection.transport.abort()


async def dial(url: str, headers: Mapping[str, str], wait: Timeouts) -> WebsocketsSocket:
    """Connect. Raises UpstreamFailed."""
    logger = logging.getLogger("websockets.client.deepgram")
    # At DEBUG the library logs the headers of the handshake, and with them the key.
    logger.setLevel(logging.WARNING)
    try:
        connection = await connect(
            url,
            create_connection=Connection,
            additional_headers=headers,
            user_agent_header=USER_AGENT,
            compression=None,
            proxy=None,
            open_timeout=wait.open,
            ping_interval=wait.ping,
            ping_timeout=wait.pong,
            close_timeout=wait.close,
            max_size=MAX_MESSAGE,
            logger=logger,
        )
    except InvalidStatus as answer:
        raise refused(answer.response.status_code, answer.response.headers) from None
    except (OSError, WebSocketException, ValueError) as error:
        raise unreachable(error, hopeless=isinstance(error, HOPELESS)) from None
    assert isinstance(connection, Connection)
    connection.patience.seconds = wait.send
    return WebsocketsSocket(connection, wait)
