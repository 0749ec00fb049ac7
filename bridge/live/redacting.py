"""A journal that is given what was said without the personal data in it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace

from bridge.core.model import Cut, Entry, Message, Role, What
from bridge.core.personal import Personal, beginning, redact_part, redact_rest
from bridge.ports import Journal

MOST_BEGUN = 1000
"""Numbers whose rest may come with the next line, in all conversations; the oldest are forgotten."""
Voice = tuple[str, Role]
"""A conversation, and who speaks in it."""


class RedactingJournal:
    """ports.Journal, before another one. Whoever talks sees their own words; what is kept are these.

    What was kept stays as it is: of a number that is spoken over two lines it is the rest that is taken out.
    """

    def __init__(self, journal: Journal, kinds: Iterable[Personal]) -> None:
        self._journal = journal
        self._kinds = tuple(kinds)
        self._begun: OrderedDict[Voice, str] = OrderedDict()
        """How the last line of somebody ended, where that may be the beginning of a number."""

    def append(self, entry: Entry) -> asyncio.Future[None]:
        """See ports.Journal."""
        return self._journal.append(replace(entry, what=self._without(entry.conversation_id, entry.what)))

    def _without(self, conversation_id: str, what: What) -> What:
        """Calls stay as they are: what is asked for there is to be done."""
        match what:
            case Message():
                return replace(what, content=self._said((conversation_id, what.role), what.content))
            case Cut():
                return replace(what, heard=redact_part(what.heard, self._kinds))
            case _:
                return what

    def _said(self, voice: Voice, text: str) -> str:
        before = self._begun.pop(voice, "")
        redacted = redact_rest(before, text, self._kinds)
        if begun := beginning(f"{before} {redacted}"):
            self._begun[voice] = begun
            if len(self._begun) > MOST_BEGUN:
                self._begun.popitem(last=False)
        return redacted
