"""How long users talk today: the store is told as they talk, for all processes, and says what is left."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from bridge.errors import StoreUnavailable
from bridge.live.live import Live
from bridge.live.quotas import Quotas
from bridge.ports import Store

log = structlog.get_logger(__name__)

LOOK_SECONDS = 15.0
"""Several sessions of a user begin with all that is left; so long after it is used up they have all ended."""
NONE_LEFT = "BRIDGE_SESSION_LIMIT", "You have talked for as long as you may today. Everything is saved."


@dataclass(kw_only=True)
class Meter:
    """One per process; counts nothing where there is no limit."""

    quotas: Quotas
    store: Store
    now: Callable[[], datetime]
    _untold: Counter[str] = field(default_factory=Counter)
    """Seconds by user that the store was not told of yet."""
    _told: dict[str, int] = field(default_factory=dict)
    """Of users who talk here: the seconds of today, as the store last said."""

    async def run(self, lives: Callable[[], Collection[Live]]) -> None:
        """Look at those that run, until cancelled."""
        while self.quotas.minutes_per_day:
            await asyncio.sleep(LOOK_SECONDS)
            await self._look(lives())

    async def _look(self, lives: Collection[Live]) -> None:
        """End those whose users have no minutes left."""
        users = {live.facts.user_id for live in lives}
        used = await self._used(users | set(self._untold), lives)
        self._told = {user_id: seconds for user_id, seconds in self._told.items() if user_id in users}
        for live in lives:
            if used[live.facts.user_id] >= self.quotas.minutes_per_day * 60:
                live.end(*NONE_LEFT)

    async def left(self, user_id: str, lives: Callable[[str], Collection[Live]]) -> float | None:
        """Seconds they may still talk today; None: any number. `lives`: of a user. Raises TooMany: none."""
        if not self.quotas.minutes_per_day:
            return None
        return self.quotas.seconds_left((await self._used({user_id}, lives(user_id)))[user_id], self.now())

    async def over(self, live: Live) -> None:
        """It talks no more."""
        if self.quotas.minutes_per_day:
            await self._used({live.facts.user_id}, [live])

    async def _used(self, users: Collection[str], lives: Collection[Live]) -> dict[str, int]:
        """Tell the store; the seconds each user has talked today. It is away: as far as is known here."""
        for live in lives:
            self._untold[live.facts.user_id] += live.take_seconds()
        telling = {user_id: self._untold.pop(user_id, 0) for user_id in users}
        if not telling:
            return {}
        try:
            told = dict(await self.store.spend(telling))
        except Exception as error:  # a fault of ours must end neither this nor the session that is over
            if not isinstance(error, StoreUnavailable):
                log.exception("minutes_not_counted")
            self._untold.update(telling)
            return {user_id: self._told.get(user_id, 0) + self._untold[user_id] for user_id in users}
        self._told.update(told)
        return told
