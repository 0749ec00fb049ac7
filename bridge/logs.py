"""Logging: JSON lines on stdout, one per life-cycle step, with the ids of the session on each."""

from __future__ import annotations

import json
import logging
import logging.config
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import orjson
import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor, WrappedLogger

from bridge.core import personal
from bridge.log_writer import LogWriter

PRIVATE = frozenset(
    {"content", "text", "arguments", "prompt", "transcript", "title", "name", "token", "authorization"}
)
"""Fields that may hold what people said, or a secret: never logged as they are."""
PLAIN = frozenset({"at", "level", "logger"})
"""Fields that are ours alone; so are those that end in `_id`."""
LINES_PER_SECOND = 20
"""Of one event of one session, or of none."""
WARNINGS_PER_MINUTE = 30
"""The same, of warnings: what goes wrong all the time is told, not repeated."""
Key = tuple[object, object]
"""Event and session."""
MAX_LEFT_OUT = 1000
"""Sessions and events whose left out lines are remembered."""
MAX_VALUE = 500
"""Characters of a field that are logged; agents and services choose some of them."""

QUIET = {
    # Both print headers or query strings below these levels, credentials included.
    "websockets": logging.WARNING,
    "uvicorn.access": logging.WARNING,
    "uvicorn.error": logging.WARNING,
    "httpx2": logging.WARNING,
    "httpcore2": logging.WARNING,
    "asyncio": logging.WARNING,
    "alembic": logging.WARNING,
    "aiosqlite": logging.WARNING,
}


def redact(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """Of private fields only the length, of the others no personal data and not too much."""
    for key in PRIVATE & line.keys():
        line[key] = f"<{len(str(line[key]))} characters>"
    for key, value in line.items():
        if key not in PLAIN and not key.endswith("_id"):
            line[key] = value = _impersonal(value)
        if isinstance(value, str) and len(value) > MAX_VALUE:
            line[key] = f"{value[:MAX_VALUE]}… ({len(value)} characters)"
    return line


def _impersonal(value: object) -> object:
    """Without e-mail addresses, phone numbers and the like, in whatever it is made of."""
    match value:
        case str():
            return personal.redact(value)
        case dict():
            return {key: _impersonal(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_impersonal(inner) for inner in value]
        case _:
            return value


class Window:
    """Counts by key, anew in each stretch of so many seconds."""

    def __init__(self, clock: Callable[[], float], seconds: int) -> None:
        self._clock = clock
        self._seconds = seconds
        self._number = -1
        self._counts: Counter[Key] = Counter()

    def count(self, key: Key) -> int:
        """One more; how many that makes in this stretch."""
        if (number := int(self._clock()) // self._seconds) != self._number:
            self._number = number
            self._counts.clear()
        self._counts[key] += 1
        return self._counts[key]


class Throttle:
    """Keeps the log from being filled: of each event of a session a few lines a second; errors always.

    Warnings: some a minute too. The next line of that event says how many were left out before it.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._second = Window(clock, 1)
        self._minute = Window(clock, 60)
        self._left_out: Counter[Key] = Counter()

    def __call__(self, _: WrappedLogger, __: str, line: EventDict) -> EventDict:
        """A structlog processor."""
        level = line.get("level")
        if level in ("error", "critical"):
            return line
        key = line.get("event"), line.get("session_id")
        many = self._second.count(key) > LINES_PER_SECOND
        if many or (level == "warning" and self._minute.count(key) > WARNINGS_PER_MINUTE):
            self._leave_out(key)
            raise structlog.DropEvent
        if left_out := self._left_out.pop(key, 0):
            line["left_out"] = left_out
        return line

    def _leave_out(self, key: Key) -> None:
        if len(self._left_out) > MAX_LEFT_OUT:
            self._left_out.clear()
        self._left_out[key] += 1


CLIENTS_FAULTS = (
    "Invalid UTF-8 sequence received from client",
    "Invalid HTTP request received",
    "Unsupported upgrade request",
)
"""How uvicorn's warnings and errors about what a client sent begin; the client is told."""


def _is_ours(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(CLIENTS_FAULTS)


FIRST = ("at", "level", "event")


def _render(_: WrappedLogger, __: str, line: EventDict) -> str:
    ordered = {**{key: line[key] for key in FIRST if key in line}, **line}
    try:
        return orjson.dumps(ordered, default=str).decode()
    except TypeError:  # a lone surrogate, of a file's name for example, or a giant number
        return json.dumps(ordered, default=str)


Write = Callable[[str], None]
"""Takes a line."""


class _Lines:
    """Hands lines on."""

    def __init__(self, write: Write) -> None:
        self.msg = write
        self.log = self.debug = self.info = self.warning = write
        self.error = self.critical = self.exception = write


class _Handler(logging.Handler):
    """The same for the standard library's loggers."""

    def __init__(self, write: Write) -> None:
        super().__init__()
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._write(self.format(record))
        except Exception:  # as all handlers do
            self.handleError(record)


@contextmanager
def written(level: str) -> Iterator[None]:
    """`set_up` for as long as the block lasts, to stdout, by a thread of its own."""
    with LogWriter(sys.stdout.fileno(), _lost) as writer:
        set_up(level, writer)
        yield


def _lost(lines: int) -> str:
    at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return _render(None, "", {"at": at, "level": "error", "event": "log_lines_lost", "lines": lines})


def set_up(level: str, write: Write, *, clock: Callable[[], float] = time.monotonic) -> None:
    """Send structlog and the standard library's loggers through one chain to `write`."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
        redact,
    ]
    floor = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, Throttle(clock), _render],
        wrapper_class=structlog.make_filtering_bound_logger(floor),
        logger_factory=lambda *_: _Lines(write),
        cache_logger_on_first_use=False,
    )
    handler = _Handler(write)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _render],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(floor)
    logging.getLogger("uvicorn.error").addFilter(_is_ours)
    for name, quiet in QUIET.items():
        logging.getLogger(name).setLevel(max(quiet, floor))
