"""Logs: JSON lines with ids, without what people said, without secrets of the libraries below."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from bridge import logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    handlers, level = logging.getLogger().handlers, logging.getLogger().level
    yield io.StringIO()
    structlog.reset_defaults()
    logging.getLogger().handlers = handlers
    logging.getLogger().setLevel(level)


def read(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_level_time_and_the_ids_that_are_bound(stream: io.StringIO) -> None:
    logs.set_up("info", stream)
    with structlog.contextvars.bound_contextvars(session_id="s1"):
        structlog.get_logger("x").info("client_attached", agent="flux")
    [line] = read(stream)
    assert line.pop("at")
    assert line == {"event": "client_attached", "level": "info", "session_id": "s1", "agent": "flux"}


def test_what_is_below_the_level_is_not_written(stream: io.StringIO) -> None:
    logs.set_up("warning", stream)
    structlog.get_logger("x").info("quiet")
    logging.getLogger("x").info("quiet")
    assert stream.getvalue() == ""


@pytest.mark.parametrize("field", sorted(logs.PRIVATE))
def test_private_fields_are_replaced_by_their_length(field: str, stream: io.StringIO) -> None:
    logs.set_up("debug", stream)
    structlog.get_logger("x").info("event", **{field: "call my doctor"})
    [line] = read(stream)
    assert line[field] == "<14 characters>"


def test_the_standard_librarys_loggers_use_the_same_lines(stream: io.StringIO) -> None:
    logs.set_up("info", stream)
    logging.getLogger("some.library").warning("disk %s", "full")
    [line] = read(stream)
    assert (line["event"], line["level"], line["logger"]) == ("disk full", "warning", "some.library")


def test_libraries_that_print_headers_are_kept_quiet_even_at_debug(stream: io.StringIO) -> None:
    logs.set_up("debug", stream)
    logging.getLogger("websockets.client").debug("> Authorization: Token secret")
    logging.getLogger("uvicorn.error").info('"WebSocket /v1?token=secret" [accepted]')
    assert "secret" not in stream.getvalue()


def test_an_exceptions_local_variables_are_not_written(stream: io.StringIO) -> None:
    logs.set_up("info", stream)

    def fails() -> None:
        transcript = "call my doctor"
        raise ValueError(f"{len(transcript)}")

    try:
        fails()
    except ValueError:
        structlog.get_logger("x").exception("session_failed")
    [line] = read(stream)
    assert "doctor" not in json.dumps(line)
    assert "ValueError" in json.dumps(line["exception"])
