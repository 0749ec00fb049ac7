"""The agents of a folder as they are now: a change counts for new sessions, a broken one for none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import structlog

from bridge.background import Background
from bridge.core.agent import Agent
from bridge.errors import BadConfig
from intents.agents import load_agents

LOOK_SECONDS = 1.0
"""Between two looks at the files. What has changed must stay the same that long: editors write in pieces."""
FILES = ("agent.yaml", "prompt.md", "intents.yaml")

log = structlog.get_logger(__name__)

Print = tuple[tuple[str, int, int], ...]
"""Path, time of change and size of each file."""


class AgentFolder(Mapping[str, Agent], Background):
    """Agents by name. An async context manager: it looks at the files while it is open."""

    def __init__(self, folder: Path, *, default: str) -> None:
        """`default`: must be there. Raises BadConfig."""
        self._folder = folder
        self._default = default
        self.verify: Callable[[Iterable[Agent]], None] = lambda _: None
        """Raises BadConfig for agents that cannot be used."""
        self._print = _fingerprint(folder)
        self._agents = self._load()
        self.problem = ""
        """Why the files as they are now are not used; empty: they are."""

    def __getitem__(self, name: str) -> Agent:
        return self._agents[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._agents)

    def __len__(self) -> int:
        return len(self._agents)

    def _load(self) -> dict[str, Agent]:
        agents = load_agents(self._folder)
        if self._default not in agents:
            raise BadConfig(f"BRIDGE_AGENT: there is no agent {self._default!r} in {self._folder}")
        self.verify(agents.values())
        return agents

    async def _run(self) -> None:
        before = self._print
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = await asyncio.to_thread(_fingerprint, self._folder)
            if now == before != self._print:
                self._print = now
                await self._reload()
            before = now

    async def _reload(self) -> None:
        try:
            self._agents = await asyncio.to_thread(self._load)
        except BadConfig as error:
            self.problem = error.description
            log.error("agents_not_reloaded", problem=self.problem)
        else:
            self.problem = ""
            log.info("agents_reloaded", agents=sorted(self._agents))


def _fingerprint(folder: Path) -> Print:
    found = []
    for path in sorted(folder.glob("*/*")):
        if path.name in FILES:
            try:
                stat = path.stat()
            except OSError:  # gone since
                continue
            found.append((str(path), stat.st_mtime_ns, stat.st_size))
    return tuple(found)
