"""What of the agent's reply was heard: which line began where in the sound, and where the user cut it."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.core.events import Moment
from bridge.core.fact import fact
from bridge.core.model import Cursor, Cut


@fact()
class Line:
    """One assistant message and where its sound begins."""

    cursor: Cursor
    content: str
    reply: int
    """Number of the reply it belongs to."""
    start_ms: int
    """Milliseconds of that reply's sound that came before it."""


@dataclass(slots=True)
class Reply:
    """The reply the user hears, or heard last."""

    lines: list[Line] = field(default_factory=list)
    """In order; the numbers of their replies only grow."""
    played_ms: int | None = None
    """What the client reported of it; None = this client reports nothing."""
    ended: int = 0
    """Number of the reply whose last sound was sent."""

    def said(self, cursor: Cursor, content: str, now: Moment) -> None:
        """Note an assistant message. Its sound follows, or has just begun."""
        number = self.ended + 1 if now.reply <= self.ended else now.reply
        start = now.reply_ms if self.lines and self.lines[-1].reply == number else 0
        if self.lines and self.lines[0].reply < now.reply:
            self.lines = [line for line in self.lines if line.reply >= now.reply]
        self.lines.append(Line(cursor, content, number, start))

    def sound_ended(self, now: Moment) -> None:
        """The last sound of the current reply was sent; what comes next is a new one."""
        self.ended = now.reply

    def break_off(self, now: Moment) -> Broken:
        """The reply is over before its end, and this is what there was of it."""
        broken = Broken(self.lines, now.reply, now.reply_ms, self.played_ms)
        self.lines, self.played_ms, self.ended = [], None, max(self.ended, now.reply)
        return broken


@dataclass(slots=True)
class Broken:
    """A reply the user broke into, or left. The client's last report of it may still come."""

    lines: list[Line]
    reply: int
    """Number of the reply whose sound was cut."""
    reply_ms: int
    """Milliseconds of its sound that were relayed."""
    played_ms: int | None
    """Milliseconds of it that were heard; None = this client reports nothing."""

    def cuts(self) -> list[Cut]:
        """What was heard of each line that was not heard whole."""
        played = self.played_ms
        if played is None:
            return []
        cuts = []
        for line, following in zip(self.lines, [*self.lines[1:], None], strict=True):
            if line.reply < self.reply:
                continue
            end = following.start_ms if following and following.reply == line.reply else self.reply_ms
            heard = _heard(line, end, played) if line.reply == self.reply else ""
            if heard != line.content:
                cuts.append(Cut(line.cursor, heard))
        return cuts


def _heard(line: Line, end_ms: int, played_ms: int) -> str:
    """The words of a line that fit into what was played of it."""
    if played_ms >= end_ms:
        return line.content
    if played_ms <= line.start_ms:
        return ""
    share = (played_ms - line.start_ms) / (end_ms - line.start_ms)
    letters = int(len(line.content) * share)
    return line.content[:letters].rsplit(maxsplit=1)[0] if " " in line.content[:letters].strip() else ""
