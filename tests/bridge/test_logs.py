"""Logs: JSON lines with ids, without what people said, without secrets of the libraries below."""

from __future__ import annotations

import io
import json
import logging
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import structlog

from bridge import logs
from bridge.log_writer import LogWriter


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
    logs.set_up("info", partial(print, file=stream))
    with structlog.contextvars.bound_contextvars(session_id="s1"):
        structlog.get_logger("x").info("client_attached", agent="flux")
    [line] = read(stream)
    assert line.pop("at")
    assert line == {"event": "client_attached", "level": "info", "session_id": "s1", "agent": "flux"}


def test_what_is_below_the_level_is_not_written(stream: io.StringIO) -> None:
    logs.set_up("warning", partial(print, file=stream))
    structlog.get_logger("x").info("quiet")
    logging.getLogger("x").info("quiet")
    assert stream.getvalue() == ""


@pytest.mark.parametrize("field", sorted(logs.PRIVATE))
def test_private_fields_are_replaced_by_their_length(field: str, stream: io.StringIO) -> None:
    logs.set_up("debug", partial(print, file=stream))
    structlog.get_logger("x").info("event", **{field: "call my doctor"})
    [line] = read(stream)
    assert line[field] == "<14 characters>"


def test_personal_data_is_taken_out_wherever_it_is(stream: io.StringIO) -> None:
    logs.set_up("info", partial(print, file=stream))
    try:
        raise ValueError("cannot reach ada@example.org")
    except ValueError:
        structlog.get_logger("x").exception("broke", reason="of 555-123-4567", session_id="4111111111111111")
    logging.getLogger("library").warning("card 4111 1111 1111 1111 of %s", ["ada@example.org"])
    text = stream.getvalue()
    assert "ada@" not in text
    assert "555-123" not in text
    assert "4111 1111" not in text
    assert '"session_id":"4111111111111111"' in text
    assert "cannot reach [email]" in text


def test_what_is_too_long_is_cut(stream: io.StringIO) -> None:
    logs.set_up("info", partial(print, file=stream))
    structlog.get_logger("x").info("agent_error", code="C" * 1_000_000)
    [line] = read(stream)
    assert line["code"] == "C" * 500 + "… (1000000 characters)"


@pytest.mark.parametrize("value", ["journal-\udcff.db", 10**30, {"a": {"b": "\ud800"}}])
def test_what_json_has_no_word_for_is_written_all_the_same(value: object, stream: io.StringIO) -> None:
    logs.set_up("info", partial(print, file=stream))
    structlog.get_logger("x").info("journal_adopted", file=value)
    [line] = read(stream)
    assert line["file"] == value


def test_a_line_that_cannot_be_written_harms_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    with Path("/dev/full").open("w") as full, LogWriter(full.fileno(), str) as log:
        log("client_attached")
    assert capsys.readouterr() == ("", "")


def test_whoever_reads_the_log_slowly_delays_nobody_and_is_told_what_is_lost() -> None:
    reader, writer = os.pipe()
    with LogWriter(writer, lambda lost: f"lost {lost}") as log:
        for n in range(10_000):  # nobody reads yet, and a pipe holds 64 KiB
            log(f"{n} {'x' * 1000}")
        with open(reader, closefd=False) as pipe:
            first = [pipe.readline().split()[0] for _ in range(2000)]
            log("next")
            rest = iter(pipe.readline, "next\n")
            told = [line for line in rest if line.startswith("lost")]
    assert first == [str(n) for n in range(2000)]
    (lost,) = told
    assert 3000 < int(lost.split()[1]) < 8000
    os.close(reader)
    os.close(writer)


def test_one_session_cannot_fill_the_log(stream: io.StringIO) -> None:
    now = [0.5]
    logs.set_up("info", partial(print, file=stream), clock=lambda: now[0])
    log = structlog.get_logger("x")
    for session in ("s1", "s1", "s2"):
        for _ in range(30):
            log.info("client_message_refused", session_id=session)
    now[0] = 1.0
    log.info("client_message_refused", session_id="s1")
    log.info("client_message_refused", session_id="s1")
    lines = read(stream)
    assert [line["session_id"] for line in lines] == ["s1"] * 20 + ["s2"] * 20 + ["s1"] * 2
    assert [line.get("left_out") for line in lines[-2:]] == [40, None]


def test_a_warning_that_comes_all_the_time_is_counted_not_repeated(stream: io.StringIO) -> None:
    now = [60.0]
    logs.set_up("info", partial(print, file=stream), clock=lambda: now[0])
    log = structlog.get_logger("x")
    for second in range(60):
        now[0] = 60.0 + second
        log.warning("talk_refused")
        log.warning("talk_refused")
        log.info("client_left")
    now[0] = 120.0
    log.warning("talk_refused")
    lines = read(stream)
    refused = [line for line in lines if line["event"] == "talk_refused"]
    assert [line.get("left_out") for line in refused] == [None] * 30 + [90]
    assert len(lines) - len(refused) == 60


def test_errors_are_all_written(stream: io.StringIO) -> None:
    logs.set_up("info", partial(print, file=stream))
    for _ in range(100):
        structlog.get_logger("x").error("entry_not_saved", session_id="s1")
    assert len(read(stream)) == 100


def test_the_standard_librarys_loggers_use_the_same_lines(stream: io.StringIO) -> None:
    logs.set_up("info", partial(print, file=stream))
    logging.getLogger("some.library").warning("disk %s", "full")
    [line] = read(stream)
    assert (line["event"], line["level"], line["logger"]) == ("disk full", "warning", "some.library")


def test_libraries_that_print_headers_are_kept_quiet_even_at_debug(stream: io.StringIO) -> None:
    logs.set_up("debug", partial(print, file=stream))
    logging.getLogger("websockets.client").debug("> Authorization: Token secret")
    logging.getLogger("uvicorn.error").info('"WebSocket /v1?token=secret" [accepted]')
    assert "secret" not in stream.getvalue()


@pytest.mark.parametrize("said", logs.CLIENTS_FAULTS)
def test_uvicorns_complaints_about_a_client_are_not_written(said: str, stream: io.StringIO) -> None:
    logs.set_up("info", partial(print, file=stream))
    logging.getLogger("uvicorn.error").error(f"{said}.")
    logging.getLogger("uvicorn.error").error("Exception in ASGI application")
    assert [line["event"] for line in read(stream)] == ["Exception in ASGI application"]


def test_an_exceptions_local_variables_are_not_written(stream: io.StringIO) -> None:
    logs.set_up("info", partial(print, file=stream))

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
