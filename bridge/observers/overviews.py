"""What an operator sees of a whole server: the overviews of all its processes, as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from pydantic import TypeAdapter

from bridge.errors import NotFound
from bridge.observers.overview import Overview
from bridge.observers.siblings import Siblings
from bridge.ports.console import Endable, Failure, View, absent

VIEW = TypeAdapter(View)
"""As one process tells it to another."""
ENDED, NOT_HERE = b"ended", b"not here"


class Overviews:
    """ports.console.Overviews. Made, it answers its siblings."""

    def __init__(
        self,
        own: Overview,
        siblings: Siblings,
        find: Callable[[str, str], Endable],
        now: Callable[[], datetime],
    ) -> None:
        """`find`: the session of that user with that id; raises NotFound."""
        self._own = own
        self._siblings = siblings
        self._find = find
        self._now = now
        siblings.answers["overview"] = lambda _: VIEW.dump_json(self._here())
        siblings.answers["end"] = lambda session_id: ENDED if self._end_here(session_id) else NOT_HERE

    async def look(self) -> View:
        """See ports.console.Overviews."""
        told = await self._siblings.ask("overview")
        here = self._here()
        views = [here, *(VIEW.validate_json(one) for one in told if one)]
        return View(
            at=here.at,
            sessions=sorted((seen for view in views for seen in view.sessions), key=lambda seen: seen.since),
            failures=added(failure for view in views for failure in view.failures),
            missing=told.count(None),
        )

    async def end(self, session_id: str) -> None:
        """See ports.console.Overviews."""
        if self._end_here(session_id):
            return
        told = await self._siblings.ask("end", session_id)
        if ENDED not in told:
            raise absent(told.count(None))

    def _here(self) -> View:
        worker, at = self._siblings.worker, self._now()
        sessions = self._own.sessions()
        if worker:
            sessions = [replace(seen, worker=worker.number) for seen in sessions]
        return View(at=at, sessions=sessions, failures=self._own.failures(at))

    def _end_here(self, session_id: str) -> bool:
        """False: it is not here."""
        for seen in self._own.sessions():
            if seen.facts.session_id == session_id:
                try:
                    session = self._find(seen.facts.user_id, session_id)
                except NotFound:  # it has just come to its end
                    return False
                session.end("BRIDGE_ENDED", "An operator ended the session.")
                return True
        return False


def added(failures: Iterable[Failure]) -> Sequence[Failure]:
    """One of each cause, the most frequent first."""
    found: dict[str, Failure] = {}
    for one in failures:
        before = found.get(one.cause)
        found[one.cause] = (
            replace(one, count=one.count + before.count, last=max(one.last, before.last)) if before else one
        )
    return sorted(found.values(), key=lambda failure: -failure.count)
