"""A talk as a real collector of OpenTelemetry gets it: over HTTP, from a server that is told where to."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.support.bridge import process
from tests.support.client import client
from tests.support.deepgram import ScriptedDeepgram

SECRET = "zanzibar"
"""Stands in all that is said, and in who says it."""


class Collector(HTTPServer):
    """Takes OTLP over HTTP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.bodies: list[bytes] = []

    @property
    def spans(self) -> list[Span]:
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        scopes = [scope for one in requests for of in one.resource_spans for scope in of.scope_spans]
        return [span for scope in scopes for span in scope.spans]


class Taking(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        assert self.path == "/v1/traces"
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def collecting() -> Iterator[Collector]:
    with Collector() as collector:
        thread = threading.Thread(target=collector.serve_forever, daemon=True)
        thread.start()
        yield collector
        collector.shutdown()
        thread.join()


def told(span: Span) -> dict[str, str]:
    return {one.key: one.value.string_value for one in span.attributes}


async def test_a_talk_its_turns_and_its_functions_are_spans(tmp_path: Path) -> None:
    with collecting() as collector:
        named = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}"}
        async with ScriptedDeepgram(key=None) as deepgram:
            variables = {"DEEPGRAM_AGENT_URL": deepgram.url, "BRIDGE_USER": SECRET, **named}
            async with process(tmp_path, **variables) as server, client(server.ws) as talker:
                await talker.settle()
                agent = await deepgram.session()
                await agent.hear(f"I want to see {SECRET}", end_of_turn=True)
                call = await agent.call("submit_goal_intent", goal_statement=f"see {SECRET}")
                await agent.expect_answer(call)
                await agent.say(f"You will see {SECRET}.")
                await talker.expect("AgentAudioDone")
                assert await server.terminate() == 0
        spans = {span.name: span for span in collector.spans}
        assert sorted(span.name for span in collector.spans) == ["call", "function", "turn"]
        talk, turn, function = spans["call"], spans["turn"], spans["function"]
        assert not talk.parent_span_id
        assert (turn.parent_span_id, function.parent_span_id) == (talk.span_id, turn.span_id)
        assert talk.trace_id == turn.trace_id == function.trace_id
        assert told(talk)["bridge.agent"] == "flux"
        assert told(talk)["bridge.reason"] == "BRIDGE_GOING_AWAY"
        assert told(turn) == {"bridge.modality": "voice"}
        assert told(function) == {"bridge.function": "submit_goal_intent", "bridge.status": "done"}
        sounds = [event for event in turn.events if event.name == "first_sound"]
        assert len(sounds) == 1
        for inner, outer in ((function, turn), (turn, talk)):
            assert outer.start_time_unix_nano <= inner.start_time_unix_nano <= inner.end_time_unix_nano
            assert inner.end_time_unix_nano <= outer.end_time_unix_nano
        assert turn.start_time_unix_nano < sounds[0].time_unix_nano <= turn.end_time_unix_nano
        assert b"voice-bridge" in b"".join(collector.bodies)
        assert SECRET.encode() not in b"".join(collector.bodies)


def test_without_a_collector_nothing_of_it_is_loaded() -> None:
    look = "import sys, bridge.app; print([name for name in sys.modules if 'opentelemetry' in name])"
    found = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


async def test_a_collector_that_is_away_holds_nobody_up(tmp_path: Path) -> None:
    async with ScriptedDeepgram(key=None) as deepgram:
        variables = {"DEEPGRAM_AGENT_URL": deepgram.url, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
        async with process(tmp_path, **variables) as server, client(server.ws) as talker:
            await talker.settle()
            await (await deepgram.session()).say("All is well.")
            await talker.expect_text("assistant", "All is well.")
            told = time.monotonic()
            assert await server.terminate() == 0
            assert time.monotonic() - told < 6
