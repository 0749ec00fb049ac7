"""What one user may have: so many new sessions in a while, so many at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from limits import RateLimitItem
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from bridge.errors import TooMany


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """The limits, and in this process's memory what users have taken of them."""

    rates: tuple[RateLimitItem, ...] = ()
    """New sessions a window; all must hold."""
    sessions: int = 1
    """Sessions at a time; one more ends the oldest."""
    _limiter: MovingWindowRateLimiter = field(
        default_factory=lambda: MovingWindowRateLimiter(MemoryStorage()), init=False, repr=False
    )

    def count_session(self, user_id: str, now: datetime) -> None:
        """Count one more new session of that user. Raises TooMany, which says when to try again."""
        for rate in self.rates:
            if not self._limiter.hit(rate, user_id):
                reset = self._limiter.get_window_stats(rate, user_id).reset_time
                wait = max(1.0, reset - now.timestamp())
                raise TooMany(f"At most {rate} of new sessions.", retry_after=wait)
