"""A session of this process, as the registry and the routes see it."""

from __future__ import annotations

import asyncio
import secrets

import structlog

from bridge.core.events import EndRequested
from bridge.core.model import Message
from bridge.live.once import Once
from bridge.live.runner import Runner
from bridge.live.tokens import Tokens
from bridge.ports import SessionFacts, SignIn, Transport

log = structlog.get_logger(__name__)


class Live:
    """A session of this process."""

    def __init__(self, runner: Runner, tokens: Tokens[Live], sign_in: SignIn | None, address: str) -> None:
        self.runner = runner
        self.address = address
        """From which it was wished for; empty: not known."""
        self._clock = asyncio.get_running_loop().time
        self._begun = self._counted_to = self._clock()
        self.sign_in = sign_in
        """What its user came with."""
        self._tokens = tokens
        self.gone = Once()
        """Set when nothing of it runs any more and its conversation is released."""
        self.attached = False
        """A client's socket has come."""

    @property
    def facts(self) -> SessionFacts:
        return self.runner.facts

    @property
    def message_count(self) -> int:
        return sum(isinstance(entry.what, Message) for entry in self.runner.session.entries)

    @property
    def seconds(self) -> int:
        """How long it has been there."""
        return int(self._clock() - self._begun)

    def take_seconds(self) -> int:
        """Whole seconds it has been there since this was asked last; the rest is for the next time."""
        seconds = int(self._clock() - self._counted_to)
        self._counted_to += seconds
        return seconds

    async def serve(self, transport: Transport) -> None:
        """Give it a client's accepted socket. Returns when the socket is done with."""
        structlog.contextvars.bind_contextvars(**self.facts.log_fields)  # of a task that does only this
        self.attached = True
        token = self._tokens.resume(self)
        try:
            await self.runner.serve(transport, request_id=secrets.token_hex(16), resume_token=token)
        except Exception:  # a fault of ours must not end the other sessions
            log.exception("client_failed")
            await transport.close(1011, "internal error")

    def end(self, code: str, description: str = "", *, close_code: int = 1000, patience: float = 0.0) -> None:
        """Ask the session to end; `gone` is set when all is saved, done and released.

        `patience`: seconds the turn under way may take to come to its end first.
        """
        if not self.runner.finished.is_set():
            self.runner.step(EndRequested(code, description, close_code, patience))
