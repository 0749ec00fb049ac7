"""Every message of the Voice Agent protocol, in and out."""

import json
from typing import Literal, get_args, get_origin

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from bridge.core import events as ev
from bridge.core.commands import Answer, Ask, Hear, Speak, Steer
from bridge.core.events import AgentErred, AgentSaidOther, PeerEvent
from bridge.core.model import JSON, FunctionCall, Message, Role
from bridge.upstreams.deepgram.messages import MAX_TEXT, Reader, decode, write
from tests.support.deepgram_schema import fault


def ready_reader(*, bridge: bool = False) -> Reader:
    """A reader whose session has begun."""
    reader = Reader("fallback")
    reader.read({"type": "Welcome", "request_id": "r1"} | ({"bridge": {"version": 1}} if bridge else {}))
    reader.read({"type": "SettingsApplied"})
    return reader


def one(message: JSON) -> PeerEvent:
    """The only event of a message in a session that has begun."""
    (event,) = ready_reader().read(message)
    return event


CALL: JSON = {"id": "fc_1", "name": "add_note", "arguments": '{"text":"milk"}', "client_side": True}
FAILED: JSON = {"type": "Error", "code": "FAILED_TO_THINK", "description": "the model is away"}

ROWS: list[tuple[JSON, PeerEvent]] = [
    (
        {"type": "ConversationText", "role": "user", "content": "hello"},
        ev.TextArrived(Message(Role.USER, "hello")),
    ),
    (
        {
            "type": "ConversationText",
            "role": "assistant",
            "content": "Hi.",
            "conversational_behavior": "filler",
        },
        ev.TextArrived(Message(Role.ASSISTANT, "Hi.", extra={"conversational_behavior": "filler"})),
    ),
    (
        {"type": "ConversationText", "role": "user", "content": "hola", "languages": ["es"], "new": {"a": 1}},
        ev.TextArrived(Message(Role.USER, "hola", extra={"languages": ["es"], "new": {"a": 1}})),
    ),
    ({"type": "UserStartedSpeaking"}, ev.UserStartedSpeaking()),
    ({"type": "UserStartedSpeaking", "at_ms": 3}, ev.UserStartedSpeaking({"at_ms": 3})),
    ({"type": "EndOfTurn", "trigger": "model"}, ev.TurnEnded("model")),
    ({"type": "EndOfTurn", "trigger": "manual", "x": 1}, ev.TurnEnded("manual", {"x": 1})),
    ({"type": "EndOfTurn"}, ev.TurnEnded()),
    ({"type": "AgentThinking", "content": "Which task?"}, ev.AgentThought("Which task?")),
    (
        {"type": "AgentStartedSpeaking", "total_latency": 1.2, "tts_latency": 0.3, "ttt_latency": 0.9},
        ev.AgentStartedSpeaking({"total_latency": 1.2, "tts_latency": 0.3, "ttt_latency": 0.9}),
    ),
    ({"type": "LatencyReport", "stt_latency": 0.2}, ev.LatencyReported({"stt_latency": 0.2})),
    ({"type": "AgentAudioDone"}, ev.AgentAudioDone()),
    (
        {"type": "FunctionCallRequest", "functions": [CALL]},
        ev.CallsRequested((FunctionCall("fc_1", "add_note", '{"text":"milk"}'),)),
    ),
    (
        {
            "type": "FunctionCallRequest",
            "functions": [CALL, {**CALL, "id": "fc_2", "thought_signature": "s"}],
        },
        ev.CallsRequested(
            (
                FunctionCall("fc_1", "add_note", '{"text":"milk"}'),
                FunctionCall("fc_2", "add_note", '{"text":"milk"}', thought_signature="s"),
            )
        ),
    ),
    (
        {"type": "FunctionCallRequest", "functions": [{**CALL, "arguments": "not json"}]},
        ev.CallsRequested((FunctionCall("fc_1", "add_note", "not json"),)),
    ),
    (
        {"type": "FunctionCallRequest", "functions": [{"id": "fc_1", "name": "add_note"}]},
        ev.CallsRequested((FunctionCall("fc_1", "add_note", "{}"),)),
    ),
    (
        {"type": "FunctionCallCancelled", "functions": [{"id": "fc_1", "name": "add_note"}]},
        ev.CallsCancelled(("fc_1",), {"functions": [{"id": "fc_1", "name": "add_note"}]}),
    ),
    (
        {"type": "Warning", "code": "SLOW_THINK_REQUEST", "description": "slow", "x": 1},
        ev.AgentWarned("SLOW_THINK_REQUEST", "slow", {"x": 1}),
    ),
    (FAILED, AgentErred("FAILED_TO_THINK", "the model is away")),
    ({"type": "Error", "code": "X"}, AgentErred("X", "")),
    ({"type": "Error", "message": "old"}, AgentErred("UNKNOWN", "old", {"message": "old"})),
    ({"type": "Error", "code": "X" * 100}, AgentErred("X" * 64, "")),
    ({"type": "Warning", "description": "no code"}, ev.AgentWarned("UNKNOWN", "no code")),
    (
        {"type": "ConversationText", "role": "user", "content": "nul \0 in", "extra": ["a\0b"]},
        ev.TextArrived(Message(Role.USER, "nul \ufffd in", extra={"extra": ["a\ufffdb"]})),
    ),
    (
        {"type": "FunctionCallRequest", "functions": [{**CALL, "arguments": '{"text":"\\u0000"}'}]},
        ev.CallsRequested((FunctionCall("fc_1", "add_note", '{"text":"\\u0000"}'),)),
    ),
]

PASSED_ON: list[JSON] = [
    {"type": "FunctionCallResponse", "id": "fc_9", "name": "lookup", "content": "42"},
    {"type": "PromptUpdated"},
    {"type": "ThinkUpdated"},
    {"type": "SpeakUpdated"},
    {"type": "ListenUpdated"},
    {"type": "ThinkLiveUpdated"},
    {"type": "InjectionRefused", "message": "the user is speaking"},
    {"type": "FrustrationDetected", "count": 2, "escalated": False},
    {"type": "__customFromThinkProvider", "content": {"any": ["thing"]}},
    {"type": "SomethingNew", "with": "fields"},
]

INCOMPLETE: list[JSON] = [
    {"type": "ConversationText", "role": "user"},
    {"type": "ConversationText", "role": "system", "content": "?"},
    {"type": "ConversationText", "role": ["user"], "content": "?"},
    {"type": "ConversationText", "role": "user", "content": 7},
    {"type": "FunctionCallRequest"},
    {"type": "FunctionCallRequest", "functions": "all"},
    {"type": "FunctionCallRequest", "functions": []},
    {"type": "FunctionCallRequest", "functions": [{"name": "no_id"}, 7]},
    {"type": "FunctionCallResponse", "id": ["fc_1"], "name": "x", "content": ""},
    {"type": "FunctionCallCancelled"},
    {"type": "FunctionCallRequest", "functions": [{**CALL, "id": "x" * 257}]},
    {"type": "FunctionCallRequest", "functions": [{**CALL, "name": "x" * 257}]},
    {"type": "FunctionCallResponse", "id": "fc_1", "name": "x"},
    {"type": "FunctionCallCancelled", "functions": [7]},
    {"type": "FunctionCallCancelled", "functions": [{"id": 7}]},
]


@pytest.mark.parametrize(("message", "event"), ROWS, ids=[str(row[0]["type"]) for row in ROWS])
def test_a_message_becomes_an_event(message: JSON, event: PeerEvent) -> None:
    assert one(decode(json.dumps(message))) == event


@pytest.mark.parametrize("message", PASSED_ON, ids=[str(each.get("type")) for each in PASSED_ON])
def test_what_is_not_known_is_passed_on_as_it_came(message: JSON) -> None:
    assert one(message) == AgentSaidOther(message)


@pytest.mark.parametrize("message", INCOMPLETE, ids=[str(each["type"]) for each in INCOMPLETE])
def test_what_is_not_complete_is_not_passed_on(message: JSON) -> None:
    assert ready_reader().read(message) == ()


@pytest.mark.parametrize("kind", ["SettingsApplied", "BridgeReady", "BridgeEntry", "BridgeNew"])
@pytest.mark.parametrize("bridge", [True, False])
def test_what_only_we_tell_our_client_is_not_passed_on(kind: str, bridge: bool) -> None:
    assert ready_reader(bridge=bridge).read({"type": kind, "entry": {}}) == ()


SILENT = {"Welcome", "SettingsApplied", "History"}
"""Those this file looks at in tests of their own."""


@pytest.mark.filterwarnings("ignore:websockets.legacy is deprecated")  # imported by the SDK
def test_every_message_the_official_sdk_knows_is_looked_at_here() -> None:
    from deepgram.agent.v1.socket_client import V1SocketClientResponse

    def kind(model: type[BaseModel]) -> str:
        annotation = model.model_fields["type"].annotation
        assert get_origin(annotation) is Literal, model
        return str(get_args(annotation)[0])

    models = [each for each in get_args(V1SocketClientResponse) if issubclass(each, BaseModel)]
    known = {kind(model) for model in models if "type" in model.model_fields} | {"History"}
    seen = {message.get("type") for message, _ in ROWS} | {message.get("type") for message in PASSED_ON}
    assert len(known) > 15
    assert known - seen - SILENT == set()


# ── the beginning ──────────────────────────────────────────────────────────────────────────────────────


def test_welcome_gives_the_session_its_id_and_ready_carries_it() -> None:
    reader = Reader("fallback")
    assert reader.read({"type": "Welcome", "request_id": "r1"}) == ()
    assert reader.welcomed
    assert not reader.bridge
    assert reader.read({"type": "SettingsApplied"}) == (ev.AgentReady("r1"),)


@pytest.mark.parametrize(
    "welcome",
    [{"type": "Welcome"}, {"type": "Welcome", "request_id": 7}, {"type": "Welcome", "request_id": "x" * 257}],
)
def test_a_welcome_without_an_id_leaves_our_own(welcome: JSON) -> None:
    reader = Reader("fallback")
    reader.read(welcome)
    assert reader.read({"type": "SettingsApplied"}) == (ev.AgentReady("fallback"),)


def test_history_is_dropped() -> None:
    assert ready_reader().read({"type": "History", "role": "user", "content": "hello"}) == ()
    assert ready_reader().read({"type": "History", "function_calls": []}) == ()


# ── calls ──────────────────────────────────────────────────────────────────────────────────────────────


def test_calls_of_the_agents_own_are_shown_and_not_run() -> None:
    own = {**CALL, "id": "fc_2", "name": "lookup", "client_side": False}
    request: JSON = {"type": "FunctionCallRequest", "functions": [own, CALL], "x": 1}
    assert ready_reader().read(request) == (
        ev.CallsRequested((FunctionCall("fc_1", "add_note", '{"text":"milk"}'),)),
        AgentSaidOther({"type": "FunctionCallRequest", "functions": [own], "x": 1}),
    )
    only = {"type": "FunctionCallRequest", "functions": [own]}
    assert ready_reader().read(only) == (AgentSaidOther(only),)


def test_the_echo_of_our_answer_is_dropped() -> None:
    reader = ready_reader()
    reader.read({"type": "FunctionCallRequest", "functions": [CALL]})
    echo: JSON = {"type": "FunctionCallResponse", "id": "fc_1", "name": "add_note", "content": "ok"}
    assert reader.read(echo) == ()
    theirs: JSON = {**echo, "id": "fc_2"}
    assert reader.read(theirs) == (AgentSaidOther(theirs),)


# ── errors ─────────────────────────────────────────────────────────────────────────────────────────────

RETRIED = """INTERNAL_SERVER_ERROR CLIENT_MESSAGE_TIMEOUT NON_SETTINGS_MESSAGE_BEFORE_SETTINGS
    BINARY_MESSAGE_BEFORE_SETTINGS FAILED_TO_START_LISTENING ASR_CONNECTION_CLOSED ASR_DRIVER_TIMEOUT
    FAILED_TO_THINK FAILED_TO_SPEAK SERVER_GOING_AWAY NON_EXISTENT_FUNCTION_CALLED
    MAXIMUM_SESSION_LENGTH_REACHED SOMETHING_NEW"""
REFUSED = "INVALID_AGENT_ID AGENT_ID_NOT_SUPPORTED USER_AUDIO_FORMAT"


def _error(reader: Reader, code: str) -> tuple[bool, bool]:
    (event,) = reader.read({"type": "Error", "code": code, "description": ""})
    assert isinstance(event, AgentErred)
    return event.fatal, event.retry


@pytest.mark.parametrize("code", RETRIED.split())
def test_what_may_pass_is_fatal_and_tried_again(code: str) -> None:
    assert _error(ready_reader(), code) == (True, True)
    assert _error(Reader("r"), code) == (True, True)


@pytest.mark.parametrize("code", REFUSED.split())
def test_what_would_be_refused_again_is_not_tried_again(code: str) -> None:
    assert _error(ready_reader(), code) == (True, False)
    assert _error(Reader("r"), code) == (True, False)


def test_bad_settings_are_hopeless_at_first_but_a_bad_update_is_not() -> None:
    assert _error(Reader("r"), "INVALID_SETTINGS") == (True, False)
    assert _error(ready_reader(), "INVALID_SETTINGS") == (True, True)


def test_one_refused_message_does_not_end_a_session_that_runs() -> None:
    assert _error(ready_reader(), "UNPARSABLE_CLIENT_MESSAGE") == (False, True)
    assert _error(Reader("r"), "UNPARSABLE_CLIENT_MESSAGE") == (True, False)
    assert _error(ready_reader(), "SETTINGS_ALREADY_APPLIED") == (False, True)


# ── another bridge ─────────────────────────────────────────────────────────────────────────────────────


def test_another_bridges_additions_are_not_passed_on() -> None:
    reader = ready_reader(bridge=True)
    assert reader.bridge
    said: JSON = {"type": "ConversationText", "role": "user", "content": "x", "cursor": "1:3", "at": "now"}
    assert reader.read(said) == (ev.TextArrived(Message(Role.USER, "x")),)
    assert reader.read({"type": "New", "cursor": "1:4"}) == (AgentSaidOther({"type": "New"}),)


def test_deepgrams_own_keys_of_those_names_are() -> None:
    assert one({"type": "New", "cursor": "1:4"}) == AgentSaidOther({"type": "New", "cursor": "1:4"})


# ── bad input ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "not json",
        "[]",
        '"x"',
        "7",
        "null",
        "{}",
        "[" * 5000,
        '{"a":NaN}',
        '{"no":"type"}',
        '{"type":null}',
        '{"type":7}',
        '{"type":"X","a":"\\ud800"}',
        "[" * 300 + "]" * 300,
    ],
)
def test_what_is_no_message_is_ignored(text: str) -> None:
    assert ready_reader().read(decode(text)) == ()


def test_a_message_too_large_to_look_through_is_none() -> None:
    filling = "x" * (MAX_TEXT - len('{"type":"New","a":""}'))
    assert decode(f'{{"type":"New","a":"{filling}"}}') != {}
    assert decode(f'{{"type":"New","a":"{filling}x"}}') == {}


@pytest.mark.parametrize("depth", [31, 300, 1000, 100_000])
def test_json_that_nobody_could_write_again_is_no_message(depth: int) -> None:
    message = decode('{"type":"New","a":' + "[" * depth + "]" * depth + "}")
    assert bool(message) == (depth == 31)
    assert not message or orjson.dumps(message)


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    "role",
    "content",
    "functions",
    "id",
    "name",
    "trigger",
    "code",
    "description",
    "request_id",
    "bridge",
]
KINDS = sorted(
    {str(message.get("type")) for message, _ in ROWS} | {str(each.get("type")) for each in PASSED_ON}
)


@given(st.sampled_from([*KINDS, *SILENT]), st.dictionaries(st.sampled_from(FIELDS), anything), st.booleans())
def test_no_message_can_make_it_raise(kind: str, fields: dict[str, object], applied: bool) -> None:
    reader = ready_reader() if applied else Reader("r")
    assert all(isinstance(event, PeerEvent) for event in reader.read({**fields, "type": kind}))


@given(st.text() | anything.map(json.dumps))
def test_no_text_can_make_it_raise(text: str) -> None:
    ready_reader().read(decode(text))


# ── asks ───────────────────────────────────────────────────────────────────────────────────────────────

ASKS: list[tuple[Ask, JSON]] = [
    (Hear("hello"), {"type": "InjectUserMessage", "content": "hello"}),
    (Speak("Bye."), {"type": "InjectAgentMessage", "message": "Bye.", "behavior": "queue"}),
    (
        Speak("Bye.", "interrupt"),
        {"type": "InjectAgentMessage", "message": "Bye.", "behavior": "interrupt"},
    ),
    (
        Answer("fc_1", "add_note", "Noted."),
        {"type": "FunctionCallResponse", "id": "fc_1", "name": "add_note", "content": "Noted."},
    ),
    (
        Answer("fc_1", "add_note", "Noted.", "note_id: 7"),
        {"type": "FunctionCallResponse", "id": "fc_1", "name": "add_note", "content": "Noted. (note_id: 7)"},
    ),
    (
        Steer({"type": "UpdatePrompt", "prompt": "Être bref ☂"}),
        {"type": "UpdatePrompt", "prompt": "Être bref ☂"},
    ),
    (Steer({"type": "ForceEndTurn"}), {"type": "ForceEndTurn"}),
]


@pytest.mark.parametrize(("ask", "message"), ASKS, ids=[type(ask).__name__ for ask, _ in ASKS])
def test_an_ask_becomes_a_message(ask: Ask, message: JSON) -> None:
    assert json.loads(write(ask)) == message
    assert fault(message) is None
