"""What one user, and one address, may have: new sessions in a while, sessions at a time, minutes a day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from limits import RateLimitItem
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from bridge.errors import TooMany

ADDRESS_RETRY_SECONDS = 30.0
"""When to try again while too many talk from one address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """The limits, and in this process's memory what users have taken of them."""

    rates: tuple[RateLimitItem, ...] = ()
    """New sessions a window; all must hold."""
    sessions: int = 1
    """Sessions of a user at a time; one more ends the oldest."""
    per_address: int = 0
    """Sessions from one address at a time; one more is refused. 0: any number."""
    minutes_per_day: int = 0
    """Of a user, from midnight to midnight, UTC. 0: any number."""
    _limiter: MovingWindowRateLimiter = field(
        default_factory=lambda: MovingWindowRateLimiter(MemoryStorage()), init=False, repr=False
    )

    def count_session(self, user_id: str, now: datetime) -> None:
        """Count one more new session of that user. Raises TooMany, which says when to try again."""
        for rate in self.rates:
            if not self._limiter.hit(rate, user_id):
                reset = self._limiter.get_window_stats(rate, user_id).reset_time
                wait = max(1.0, reset - now.timestamp())
                raise TooMany(f"At most {rate} of new sessions.", retry_after=wait, reason="rate")

    def check_address(self, address: str, taken: Iterable[str]) -> None:
        """`taken`: the addresses of all sessions there are. Raises TooMany: no room for one more."""
        if not (self.per_address and address):
            return
        if sum(one == address for one in taken) >= self.per_address:
            told = f"At most {self.per_address} sessions from one address."
            raise TooMany(told, retry_after=ADDRESS_RETRY_SECONDS, reason="address")

    def seconds_left(self, used: float, now: datetime) -> float | None:
        """How long they may still talk today; None: as long as they like. Raises TooMany: not at all."""
        if not self.minutes_per_day:
            return None
        left = self.minutes_per_day * 60 - used
        if left < 1:
            midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
            wait = (midnight - now).total_seconds()
            raise TooMany(
                f"At most {self.minutes_per_day} minutes a day.", retry_after=wait, reason="minutes"
            )
        return left
