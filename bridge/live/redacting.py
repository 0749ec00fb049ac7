"""A journal that is given what was said without the personal data in it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from bridge.core.model import Cut, Entry, Message, What
from bridge.core.personal import Personal, redact, redact_part
from bridge.ports import Journal


class RedactingJournal:
    """ports.Journal, before another one. Whoever talks sees their own words; what is kept are these."""

    def __init__(self, journal: Journal, kinds: Iterable[Personal]) -> None:
        self._journal = journal
        kinds = tuple(kinds)
        self._redact = partial(redact, kinds=kinds)
        self._redact_part = partial(redact_part, kinds=kinds)

    def append(self, entry: Entry) -> asyncio.Future[None]:
        """See ports.Journal."""
        return self._journal.append(replace(entry, what=self._without(entry.what)))

    def _without(self, what: What) -> What:
        """Calls stay as they are: what is asked for there is to be done."""
        match what:
            case Message():
                return replace(what, content=self._redact(what.content))
            case Cut():
                return replace(what, heard=self._redact_part(what.heard))
            case _:
                return what
