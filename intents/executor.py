"""Executes function calls: each one checked, run once, within its time, and answered with a sentence."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from bridge.core.agent import Agent, Effect, Intent
from bridge.core.model import Outcome, Status
from bridge.errors import BadConfig, CallMismatch, StaleEpoch, StoreUnavailable
from bridge.ports import Job, Ledger, Transaction
from intents import outcomes, sentences
from intents.arguments import Arguments, understand
from intents.handlers import python
from intents.handlers.http import HttpHandler, HttpSettings, is_http

log = structlog.get_logger(__name__)

STORE_SECONDS = 1.25
"""How long the store may take to let a call begin; one that takes longer is as good as away.

To part from it takes 0.2 s more (persistence/engine.py), and whoever asked is answered after 1.5.
"""
SETTLE_SECONDS = 5.0
"""How long the outcome of an external call may take to be stored, beside the intent's own limit."""


class Executor:
    """ports.Intents. One for the process, for all sessions at once; `aclose` it at the end."""

    def __init__(
        self, *, ledger: Ledger, clock: Callable[[], datetime], http: HttpSettings | None = None
    ) -> None:
        """`clock` gives the wall time, aware. Without `http` no intent may have an HTTP handler."""
        self._ledger = ledger
        self._clock = clock
        self._http_settings = http or HttpSettings()
        self._http = HttpHandler(self._http_settings, clock)

    async def aclose(self) -> None:
        """Give back the connections to services. No `run` may follow."""
        await self._http.aclose()

    def using(self, ledger: Ledger) -> Executor:
        """The same with another ledger. Only this one is to be closed."""
        other = copy(self)
        other._ledger = ledger
        return other

    def verify(self, agents: Iterable[Agent]) -> None:
        """To be called at start: may all their HTTP handlers be reached from here? Raises BadConfig."""
        for agent in agents:
            for intent in agent.intents:
                if is_http(intent.handler) and (refusal := self._http_settings.refusal(intent.handler)):
                    raise BadConfig(f"{intent.name} of the agent {agent.name} cannot be used: {refusal}")

    async def run(self, job: Job) -> Outcome:
        """See ports.Intents. While the store is away what would write is NOTED; `run_noted` runs it later."""
        started = time.monotonic()
        try:
            outcome = await self.run_noted(job)
        except StoreUnavailable:
            outcome = _put_off(job.agent.intent(job.call.function.name))
        return replace(outcome, duration_ms=round((time.monotonic() - started) * 1000))

    async def run_noted(self, job: Job) -> Outcome:
        """The same for a call that can wait for the store. Raises StoreUnavailable."""
        function = job.call.function
        intent = job.agent.intent(function.name)
        if intent is None:
            return outcomes.refused(sentences.unknown_function(function.name))
        now = job.asked_at or self._clock()
        arguments = understand(function.arguments, intent, now=now, zone=_zone(job.person.time_zone))
        if isinstance(arguments, Outcome):
            return replace(arguments, route=intent.route)
        outcome = await self._guarded(job, intent, arguments)
        return replace(outcome, route=intent.route)

    async def _guarded(self, job: Job, intent: Intent, arguments: Arguments) -> Outcome:
        """Run it; every error but a store that is away becomes a sentence."""
        try:
            if is_http(intent.handler):
                return await self._outside(job, intent, arguments)
            return await self._inside(job, intent, arguments)
        except StoreUnavailable:
            raise
        except StaleEpoch:
            return outcomes.failed(sentences.TAKEN_OVER)
        except CallMismatch:
            return outcomes.refused(sentences.MISMATCH)
        except Exception as error:
            # Neither its text nor its locals: they may hold what people said.
            where = "".join(traceback.format_tb(error.__traceback__))
            log.error("intent_failed", intent=intent.name, error=type(error).__name__, traceback=where)
            return outcomes.failed(sentences.FAULT)

    async def _inside(self, job: Job, intent: Intent, arguments: Arguments) -> Outcome:
        """Handler, effect and outcome in one transaction."""
        handler = python.find(intent.handler)
        began = False

        async def handle(tx: Transaction) -> Outcome:
            nonlocal began
            began = True
            limit.reschedule(asyncio.get_running_loop().time() + intent.limit_seconds)
            made = _tentative(await handler(tx, job, arguments), intent)
            if intent.effect is Effect.DESTRUCTIVE and made.outcome.status is Status.DONE:
                question = _asked_first(intent, made.question, made.note)
                if not await tx.confirmed(question):
                    return question
            return replace(made.outcome, route=intent.route)

        try:
            async with asyncio.timeout(STORE_SECONDS) as limit:
                return await self._ledger.run_once(job, arguments.said, handle)
        except TimeoutError:
            if not limit.expired():
                raise
            if not began:
                raise StoreUnavailable("the store does not answer") from None
            log.warning("intent_timed_out", intent=intent.name, limit_seconds=intent.limit_seconds)
            return Outcome(status=Status.TIMED_OUT, content=sentences.TIMED_OUT)

    async def _outside(self, job: Job, intent: Intent, arguments: Arguments) -> Outcome:
        """Claimed, done elsewhere, remembered: at least once, with a key so that the service does it once.

        What is destructive is sent only on the user's answer.
        """
        question = _asked_first(intent, sentences.confirmation(intent))
        if known := await self._begin(
            job, arguments, question if intent.effect is Effect.DESTRUCTIVE else None
        ):
            return known
        try:
            async with asyncio.timeout(intent.limit_seconds) as limit:
                outcome = await self._http.run(job, intent, arguments)
        except TimeoutError:
            if not limit.expired():
                raise
            log.warning("intent_timed_out", intent=intent.name, limit_seconds=intent.limit_seconds)
            sure = intent.effect is Effect.READ
            outcome = Outcome(
                status=Status.TIMED_OUT, content=sentences.TIMED_OUT if sure else sentences.PERHAPS
            )
        await self._settle(job, intent, arguments, replace(outcome, route=intent.route))
        return outcome

    async def _begin(self, job: Job, arguments: Arguments, question: Outcome | None) -> Outcome | None:
        try:
            async with asyncio.timeout(STORE_SECONDS):
                return await self._ledger.begin(job, arguments.said, question)
        except TimeoutError:
            raise StoreUnavailable("the store does not answer") from None

    async def _settle(self, job: Job, intent: Intent, arguments: Arguments, outcome: Outcome) -> None:
        """What was done elsewhere is done: not being able to remember it changes nothing for the agent."""
        try:
            async with asyncio.timeout(SETTLE_SECONDS):
                await self._ledger.settle(job, arguments.said, outcome)
        except (StoreUnavailable, TimeoutError):
            log.warning("intent_not_settled", intent=intent.name)


def _asked_first(intent: Intent, question: str, note: str = "") -> Outcome:
    return replace(outcomes.unconfirmed(question, note), route=intent.route)


def _tentative(result: object, intent: Intent) -> outcomes.Tentative:
    """What a handler returned, with the question to ask if it did not say one. Raises TypeError."""
    if isinstance(result, str):
        result = Outcome(status=Status.DONE, content=result)
    if isinstance(result, Outcome):
        result = outcomes.Tentative(result, sentences.confirmation(intent))
    if not isinstance(result, outcomes.Tentative):
        raise TypeError(f"{intent.handler} returned neither a sentence nor an Outcome")
    told = result.outcome
    told = replace(told, content=_sendable(told.content), note=_sendable(told.note))
    return outcomes.Tentative(told, _sendable(result.question), _sendable(result.note))


def _sendable(text: str) -> str:
    """The text with a question mark for each lone surrogate: no message could hold it."""
    return text.encode("utf-8", "replace").decode()


def _zone(name: str) -> ZoneInfo:
    """The user's zone; UTC when there is no such zone."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def _put_off(intent: Intent | None) -> Outcome:
    """The answer while the store is away. What cannot be undone is not left to be done later, unattended."""
    route = intent.route if intent else ""
    if intent and intent.effect is Effect.DESTRUCTIVE:
        return Outcome(status=Status.FAILED, content=sentences.NOT_NOW, route=route)
    if intent and intent.effect is not Effect.READ:
        return Outcome(status=Status.NOTED, content=sentences.NOTED, route=route)
    return Outcome(status=Status.FAILED, content=sentences.AWAY, route=route)
