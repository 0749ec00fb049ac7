"""Work that goes on beside everything else for as long as its owner is open."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Background(ABC):
    """An async context manager, to be entered once: `_run` runs until its block is left."""

    async def __aenter__(self) -> Self:
        self._group = asyncio.TaskGroup()
        await self._group.__aenter__()
        self._running = self._group.create_task(self._run(), name=type(self).__name__.lower())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.cancel()
        await self._group.__aexit__(None, None, None)  # it would wrap what the block raises

    @abstractmethod
    async def _run(self) -> None:
        """The work; ended by being cancelled. What it raises ends the block."""
