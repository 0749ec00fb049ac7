"""What of the agent's reply was heard: which line began where in the sound, and where the user cut it."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.core.events import Moment
from bridge.core.model import Cursor, Cut


@dataclass(frozen=True, slots=True)
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
    played_ms: int | None = None
    """What the client reported of it; None = this client reports nothing."""
    ended: int = 0
    """Number of the reply whose last sound was sent."""

    def said(self, cursor: Cursor, content: str, now: Moment) -> None:
        """Note an assistant message. Its sound follows, or has just begun."""
        number = self.ended + 1 if now.reply <= self.ended else now.reply
        start = now.reply_ms if any(line.reply == number for line in self.lines) else 0
        self.lines = [line for line in self.lines if line.reply >= now.reply]
        self.lines.append(Line(cursor, content, number, start))

    def sound_ended(self, now: Moment) -> None:
        """The last sound of the current reply was sent; what comes next is a new one."""
        self.ended = now.reply

    def cut(self, now: Moment) -> list[Cut]:
        """The user broke in: what was heard of each line not heard whole. The reply is over after this."""
        lines, played = self.lines, self.played_ms
        self.lines, self.played_ms, self.ended = [], None, max(self.ended, now.reply)
        if played is None:
            return []
        cuts = []
        for line, following in zip(lines, [*lines[1:], None], strict=True):
            if line.reply < now.reply:
                continue
            end = following.start_ms if following and following.reply == line.reply else now.reply_ms
            heard = _heard(line, end, played) if line.reply == now.reply else ""
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
