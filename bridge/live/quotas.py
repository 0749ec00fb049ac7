"""What one user, and one address, may have: new sessions in a while, sessions at a time, minutes a day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from limits import RateLimitItem
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from bridge.errors import StoreUnavailable, TooMany
from bridge.ports import Rate, Store

ADDRESS_RETRY_SECONDS = 30.0
"""When to try again while too many talk from one address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """The limits. What users have had is in the store; this process's own count is for when it is away."""

    rates: tuple[RateLimitItem, ...] = ()
    """New sessions a window; all must hold."""
    sessions: int = 1
    """Sessions of a user at a time; one more ends the oldest."""
    per_address: int = 0
    """Sessions from one address at a time, of this process; one more is refused. 0: any number."""
    minutes_per_day: int = 0
    """Of a user, from midnight to midnight, UTC. 0: any number."""
    _own: MovingWindowRateLimiter = field(
        default_factory=lambda: MovingWindowRateLimiter(MemoryStorage()), init=False, repr=False
    )

    async def count_session(self, store: Store, user_id: str, now: datetime) -> None:
        """Count one more new session of that user. Raises TooMany, which says when to try again."""
        rates = {Rate(item.amount, item.get_expiry()): item for item in self.rates}
        if not rates:
            return
        try:
            reached = await store.count_session(user_id, list(rates))
        except StoreUnavailable:
            self._count_here(user_id, now)
            return
        if reached:
            raise _too_many(rates[reached.rate], reached.wait)
        for item in self.rates:
            self._own.hit(item, user_id)

    def _count_here(self, user_id: str, now: datetime) -> None:
        full = next((item for item in self.rates if not self._own.test(item, user_id)), None)
        if full:
            reset = self._own.get_window_stats(full, user_id).reset_time
            raise _too_many(full, reset - now.timestamp())
        for item in self.rates:
            self._own.hit(item, user_id)

    def check_address(self, address: str, taken: Iterable[str]) -> None:
        """`taken`: the addresses of all sessions there are. Raises TooMany: no room for one more."""
        if not (self.per_address and address):
            return
        if sum(one == address for one in taken) >= self.per_address:
            told = f"At most {_many(self.per_address, 'session')} from one address."
            raise TooMany(told, retry_after=ADDRESS_RETRY_SECONDS, reason="address")

    def seconds_left(self, used: float, now: datetime) -> float:
        """How long they may still talk today. Raises TooMany: not at all."""
        left = self.minutes_per_day * 60 - used
        if left < 1:
            midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
            wait = (midnight - now).total_seconds()
            told = f"At most {_many(self.minutes_per_day, 'minute')} a day."
            raise TooMany(told, retry_after=wait, reason="minutes")
        return left


def _too_many(rate: RateLimitItem, wait: float) -> TooMany:
    window = _many(rate.multiples, rate.GRANULARITY.name)
    told = f"At most {_many(rate.amount, 'new session')} in {window}."
    return TooMany(told, retry_after=max(1.0, wait), reason="rate")


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
