"""Iterators of parts: each next item within its time limit, and what is behind them closed for certain."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

T = TypeVar("T")


async def within(seconds: float, items: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """The items, each within `seconds`, else TimeoutError. Closing this closes `items` too, where it can.

    The time the reader takes does not count.
    """
    try:
        while True:
            try:
                async with asyncio.timeout(seconds):
                    item = await anext(items)
            except StopAsyncIteration:
                return
            yield item
    finally:
        close = getattr(items, "aclose", None)
        if close is not None:
            await close()
