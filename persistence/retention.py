"""Deletes what is old: conversations nobody talks in any more, a few at a time, and counts of past days."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from bridge.background import Background
from bridge.errors import StoreUnavailable
from persistence.engine import Database
from persistence.forgetting import expire, forget_counts

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 3600.0
"""Between looks for what is old; the first one comes within the first tenth of it."""
PAUSE_SECONDS: Final = 0.25
"""Between batches: the database belongs to those who talk."""


class Retention(Background):
    """One per process."""

    def __init__(self, database: Database, *, days: int, look_seconds: float = LOOK_SECONDS) -> None:
        """`days` since anybody has talked in a conversation; 0: it is kept for ever."""
        self._database = database
        self._days = days
        self._look_seconds = look_seconds

    async def _run(self) -> None:
        wait = self._look_seconds * random.uniform(0.02, 0.1)
        while True:
            await asyncio.sleep(wait)
            wait = self._look_seconds
            try:
                await self._sweep()
            except StoreUnavailable:
                log.debug("retention_put_off")
            except Exception:  # a fault of ours must not end it for good
                log.exception("retention_broke")

    async def _sweep(self) -> None:
        """All that is old now."""
        await forget_counts(self._database)
        before, deleted = datetime.now(UTC) - timedelta(days=self._days), 0
        while self._days and (batch := await expire(self._database, before)):
            deleted += batch
            await asyncio.sleep(PAUSE_SECONDS)
        if deleted:
            log.info("conversations_expired", conversations=deleted, days=self._days)
