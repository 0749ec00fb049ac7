"""Every message on the wire, both ways, against the samples in tests/fixtures/protocol."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import wire
from bridge.core import commands as do
from bridge.core import events as ev
from bridge.core.model import (
    AudioFormat,
    Call,
    Cursor,
    Cut,
    Entry,
    FunctionCall,
    Message,
    Modality,
    Outcome,
    Result,
    Role,
    Status,
    What,
)
from bridge.wire.nesting import MAX_DEPTH
from bridge.wire.reading import READERS

SAMPLES = Path(__file__).parent.parent / "fixtures" / "protocol"
CLIENT: dict[str, dict[str, Any]] = json.loads((SAMPLES / "client.json").read_text("utf-8"))
SERVER: dict[str, dict[str, Any] | None] = json.loads((SAMPLES / "server.json").read_text("utf-8"))

AT = datetime(2026, 11, 3, 13, 0, 0, 123_400, timezone(timedelta(hours=1)))
CD_16, CD_24 = AudioFormat("linear16", 16000), AudioFormat("linear16", 24000)


def entry(what: What, idx: int = 14) -> Entry:
    return Entry(conversation_id="k1", user_id="u1", cursor=Cursor(3, idx), at=AT, what=what)


# ── from the client ─────────────────────────────────────────────────────────────────────────────────────────


def settings(name: str, *, audio_in: AudioFormat, audio_out: AudioFormat, **more: Any) -> ev.ClientSettings:
    agent = CLIENT[name].get("agent") if more.get("functions") or more.pop("keeps_agent", False) else None
    return ev.ClientSettings(
        **{"audio_in": audio_in, "audio_out": audio_out, "wants_greeting": False, "agent": agent, **more}
    )


def steered(name: str) -> ev.ClientSteered:
    return ev.ClientSteered(CLIENT[name]["type"], CLIENT[name])


READ: dict[str, ev.PeerEvent] = {
    "Settings of a stock client": settings(
        "Settings of a stock client",
        audio_in=CD_16,
        audio_out=CD_24,
        wants_greeting=True,
        functions=frozenset({"add_note"}),
    ),
    "Settings of our page": settings(
        "Settings of our page",
        audio_in=CD_16,
        audio_out=CD_24,
        wants_greeting=True,
        cursor=Cursor(3, 14),
        instance="tab-1",
    ),
    "Settings of our page, at the beginning": settings(
        "Settings of our page, at the beginning",
        audio_in=CD_16,
        audio_out=CD_24,
        wants_greeting=True,
        instance="tab-1",
    ),
    "Settings of a bridge in front of us": settings(
        "Settings of a bridge in front of us",
        audio_in=AudioFormat("mulaw", 8000),
        audio_out=AudioFormat("alaw", 16000),
        wants_greeting=True,
        functions=frozenset({"add_goal", "add_task"}),
        context={"time_zone": "Europe/Berlin", "things": []},
    ),
    "Settings with no more than they need": settings(
        "Settings with no more than they need", audio_in=CD_24, audio_out=CD_24
    ),
    "Settings as the Python SDK rewrites them": settings(
        "Settings as the Python SDK rewrites them",
        audio_in=AudioFormat("linear16", 44100),
        audio_out=CD_24,
        keeps_agent=True,
    ),
    "Settings that only ask for a greeting": settings(
        "Settings that only ask for a greeting",
        audio_in=CD_24,
        audio_out=AudioFormat("mulaw", 8000),
        wants_greeting=True,
    ),
    "Settings that name a stored agent": settings(
        "Settings that name a stored agent",
        audio_in=CD_24,
        audio_out=CD_24,
        agent={"id": "6f9619ff-8b86-d011-b42d-00c04fc964ff"},
    ),
    "InjectUserMessage": ev.ClientWrote("I want to learn Spanish"),
    "FunctionCallResponse": ev.ClientAnswered("c1", "add_note", '{"ok": true}'),
    "Playback": ev.ClientPlayed(1234),
    "Playback of our page": ev.ClientPlayed(1234),
    "KeepAlive": ev.ClientKeptAlive(),
    "BridgePing": ev.ClientPinged("7"),
    **{name: steered(name) for name in CLIENT if name.startswith(("Update", "InjectAgent", "Force", "__"))},
}


@pytest.mark.parametrize("name", CLIENT)
def test_a_client_message_is_read(name: str) -> None:
    assert wire.read(json.dumps(CLIENT[name])) == READ[name]


def test_every_message_a_client_may_send_has_a_sample() -> None:
    assert {sample["type"] for sample in CLIENT.values()} == set(READERS)


UNPARSABLE, INVALID = "UNPARSABLE_CLIENT_MESSAGE", "INVALID_SETTINGS"
BARE = {"type": "Settings", "audio": {}}


def heard(**given: object) -> dict[str, object]:
    return {"type": "Settings", "audio": {"input": given}}


def spoken(**given: object) -> dict[str, object]:
    return {"type": "Settings", "audio": {"output": given}}


@pytest.mark.parametrize(
    ("message", "code", "names"),
    [
        ("secret{", UNPARSABLE, "not JSON"),
        ("", UNPARSABLE, "not JSON"),
        ('{"type": "KeepAlive", "x": NaN}', UNPARSABLE, "not JSON"),
        ('"\\ud800"', UNPARSABLE, "not JSON"),
        ('{"type": "KeepAlive\ud800"}', UNPARSABLE, "not JSON"),
        ("[]", UNPARSABLE, "object"),
        ("[object Blob]", UNPARSABLE, "not JSON"),
        ('{"a":' * (MAX_DEPTH + 1) + "1" + "}" * (MAX_DEPTH + 1), UNPARSABLE, "nested"),
        ("[" * 60_000, UNPARSABLE, "not JSON"),
        ({"type": "InjectUserMessage", "content": "é" * 40_000}, UNPARSABLE, "65536 bytes"),
        ({}, UNPARSABLE, "`type` is missing"),
        ({"type": 7}, UNPARSABLE, "`type` must be text"),
        ({"type": "secret"}, UNPARSABLE, "`type`"),
        ({"type": "InjectUserMessage"}, UNPARSABLE, "`content` is missing"),
        ({"type": "InjectUserMessage", "content": {}}, UNPARSABLE, "`content` must be text"),
        ({"type": "InjectUserMessage", "content": "\x00 "}, UNPARSABLE, "`content` is empty"),
        ({"type": "FunctionCallResponse", "name": "n", "content": ""}, UNPARSABLE, "`id`"),
        ({"type": "FunctionCallResponse", "id": "1", "name": "n", "content": {}}, UNPARSABLE, "`content`"),
        ({"type": "Playback", "played_ms": True}, UNPARSABLE, "`played_ms`"),
        ({"type": "Playback", "played_ms": -1}, UNPARSABLE, "`played_ms`"),
        ('{"type": "Playback", "played_ms": 1e999}', UNPARSABLE, ""),
        ({"type": "BridgePing"}, UNPARSABLE, "`id`"),
        ({"type": "BridgePing", "id": "7" * 101}, UNPARSABLE, "`id`"),
        ({"type": "UpdatePrompt", "prompt": 1}, UNPARSABLE, "`prompt`"),
        ({"type": "UpdateThink", "think": "secret"}, UNPARSABLE, "`think`"),
        ({"type": "UpdateSpeak", "speak": ["secret"]}, UNPARSABLE, "`speak`"),
        ({"type": "UpdateListen"}, UNPARSABLE, "`listen` is missing"),
        ({"type": "InjectAgentMessage", "content": "secret"}, UNPARSABLE, "`message`"),
        ({"type": "Settings"}, INVALID, "`audio` is missing"),
        ({"type": "Settings", "audio": []}, INVALID, "`audio`"),
        (heard(encoding="linear16"), INVALID, "`audio.input.sample_rate` is missing"),
        (heard(sample_rate=16000), INVALID, "`audio.input.encoding` is missing"),
        (heard(encoding="linear16", sample_rate="16000"), INVALID, "`audio.input.sample_rate`"),
        (heard(encoding="linear16", sample_rate=16000.5), INVALID, "`audio.input.sample_rate`"),
        (heard(encoding="opus", sample_rate=48000), "USER_AUDIO_FORMAT", "`audio.input.encoding`"),
        (heard(encoding="linear16", sample_rate=96000), "USER_AUDIO_FORMAT", "`audio.input.sample_rate`"),
        (heard(encoding="mulaw", sample_rate=44100), "USER_AUDIO_FORMAT", "`audio.input.sample_rate`"),
        (spoken(encoding="mp3"), INVALID, "`audio.output.encoding`"),
        (spoken(encoding="linear16", sample_rate=7999), INVALID, "`audio.output.sample_rate`"),
        (spoken(container="wav"), INVALID, "`audio.output.container`"),
        ({**BARE, "agent": "secret"}, "INVALID_AGENT_ID", "`agent`"),
        ({**BARE, "agent": 5}, INVALID, "`agent`"),
        ({**BARE, "agent": {"greeting": 5}}, INVALID, "`agent.greeting`"),
        ({**BARE, "agent": {"think": 5}}, INVALID, "`agent.think`"),
        ({**BARE, "agent": {"think": {"functions": {}}}}, INVALID, "`agent.think.functions`"),
        ({**BARE, "agent": {"think": [{"functions": [{}]}]}}, INVALID, "`agent.think[0].functions[0].name`"),
        ({**BARE, "bridge": {"cursor": "secret"}}, INVALID, "`bridge.cursor`"),
        ({**BARE, "bridge": {"cursor": "1:99999999999"}}, INVALID, "`bridge.cursor`"),
        ({**BARE, "bridge": {"instance": "secret" * 50}}, INVALID, "`bridge.instance`"),
        ({**BARE, "bridge": {"context": "secret"}}, INVALID, "`bridge.context`"),
        ({**BARE, "bridge": True}, INVALID, "`bridge`"),
    ],
)  # fmt: skip
def test_a_bad_message_is_told_by_its_field_and_not_quoted(message: object, code: str, names: str) -> None:
    read = wire.read(message if isinstance(message, str) else json.dumps(message, ensure_ascii=False))
    assert isinstance(read, ev.ClientErred)
    assert read.code == code
    assert names in read.description
    assert "secret" not in read.description


@pytest.mark.parametrize(
    "prompt", ["[{" * 100, '"' + "]" * 100 + '\\"'], ids=["in a text that opens", "in one that closes"]
)
def test_brackets_side_by_side_are_not_deep(prompt: str) -> None:
    message = {"type": "UpdatePrompt", "prompt": prompt, "x": [{"y": []}] * 50}
    assert wire.read(json.dumps(message)) == ev.ClientSteered("UpdatePrompt", message)


def test_a_greeting_without_words_is_none() -> None:
    read = wire.read(json.dumps({**BARE, "agent": {"greeting": "  "}}))
    assert isinstance(read, ev.ClientSettings)
    assert not read.wants_greeting


def test_an_empty_bridge_object_asks_for_the_greeting() -> None:
    read = wire.read(json.dumps({**BARE, "bridge": {}}))
    assert isinstance(read, ev.ClientSettings)
    assert read.wants_greeting


@given(st.text())
def test_no_text_makes_it_raise(text: str) -> None:
    assert isinstance(wire.read(text), ev.PeerEvent)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("linear16"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(list(CLIENT.values())), st.data())
def test_no_value_in_place_of_another_makes_it_raise(sample: dict[str, Any], data: st.DataObject) -> None:
    message = json.loads(json.dumps(sample))
    place = message
    while True:
        key = data.draw(st.sampled_from(sorted(place)))
        if not (isinstance(place[key], dict) and place[key] and data.draw(st.booleans())):
            break
        place = place[key]
    place[key] = data.draw(VALUES)
    assert isinstance(wire.read(json.dumps(message)), ev.PeerEvent)


# ── to the client ───────────────────────────────────────────────────────────────────────────────────────────

READY = do.Ready(
    session_id="s1",
    conversation_id="k1",
    agent="flux",
    cursor=Cursor(2, 7),
    resumed=True,
    recovered=True,
    resume_token="token",
    audio_in=CD_16,
    audio_out=AudioFormat("mulaw", 8000),
)
CALL = Call(request="r1", function=FunctionCall("c1", "submit_goal_intent", "{}", thought_signature="sig"))
OUTCOME = Outcome(status=Status.DONE, content="Goal saved.", note="goal_id: g1", duration_ms=12, goal_id="g1")
RESULT = Result(request="r1", call_id="c1", name="submit_goal_intent", outcome=OUTCOME)
CUT = Cut(Cursor(3, 13), "Hey! What")

NEWS: dict[str, do.News] = {
    "Welcome": do.Welcome("r1"),
    "BridgeReady": READY,
    "BridgeReady, nothing said yet": replace(READY, cursor=None, resumed=False),
    "SettingsApplied": do.Applied(),
    "BridgePong": do.Ponged("7"),
    "ConversationText": do.Shown(
        entry(Message(Role.USER, "Ich möchte Spanisch lernen", extra={"languages": ["de"], "type": "Other"}))
    ),
    "FunctionCallRequest": do.Shown(entry(CALL)),
    "FunctionCallRequest, the client's own": do.Shown(
        entry(Call(request="r1", function=FunctionCall("c2", "add_note", "not JSON"), ours=False))
    ),
    "FunctionCallResponse": do.Shown(entry(RESULT)),
    "FunctionCallResponse, the client's own": do.Shown(entry(replace(RESULT, ours=False))),
    "BridgeCut": do.Shown(entry(CUT)),
    "BridgeEntry, a message": do.Replayed(entry(Message(Role.ASSISTANT, "Hey!"))),
    "BridgeEntry, a call": do.Replayed(entry(CALL)),
    "BridgeEntry, a result": do.Replayed(entry(RESULT)),
    "BridgeEntry, a cut": do.Replayed(entry(CUT)),
    "Warning": do.Warned("BRIDGE_UPSTREAM_LOST", "The agent is gone, wait."),
    "Error": do.Failed("BRIDGE_TAKEN_OVER", "Somebody took over."),
    "UserStartedSpeaking": ev.UserStartedSpeaking(),
    "EndOfTurn": ev.TurnEnded("model"),
    "AgentThinking": ev.AgentThought("Let me see."),
    "AgentStartedSpeaking": ev.AgentStartedSpeaking(
        {"total_latency": 0.9, "tts_latency": 0.2, "ttt_latency": 0.4}
    ),
    "AgentAudioDone": ev.AgentAudioDone(),
    "FunctionCallCancelled": ev.CallsCancelled(("c1",)),
    "FunctionCallCancelled, as it came": ev.CallsCancelled(
        ("c1",), {"functions": [{"id": "c1", "name": "submit_goal_intent"}]}
    ),
    "LatencyReport": ev.LatencyReported({"stt_latency": 0.31}),
    "Warning of the agent": ev.AgentWarned("SLOW_THINK_REQUEST", "Slow.", {"elapsed": 5}),
    "Error of the agent": ev.AgentErred("FAILED_TO_SPEAK", "No voice."),
    "a message nobody here knows": ev.AgentSaidOther(
        {"type": "FrustrationDetected", "count": 1, "escalated": False}
    ),
}


@pytest.mark.parametrize("name", SERVER)
def test_news_is_written(name: str) -> None:
    text = wire.write(NEWS[name])
    assert (text and json.loads(text)) == SERVER[name]


def test_every_news_has_a_sample() -> None:
    assert set(NEWS) == set(SERVER)
    assert {type(news) for news in NEWS.values()} == set(get_args(do.News))


# ── lists of entries ────────────────────────────────────────────────────────────────────────────────────────


def test_a_cut_is_folded_into_its_message() -> None:
    said = entry(Message(Role.ASSISTANT, "Hey! What can I do?", Modality.VOICE), 13)
    [message] = wire.entries_json([said, entry(CUT)])
    assert message["kind"] == "message"
    assert (message["interrupted"], message["heard"]) == (True, "Hey! What")
    assert message["cursor"] == "3:13"


def test_a_cut_of_a_message_that_is_not_in_the_list_stays_an_entry() -> None:
    assert [e["kind"] for e in wire.entries_json([entry(CUT)])] == ["cut"]


def test_entries_keep_their_order() -> None:
    entries = [entry(Message(Role.USER, "a"), 1), entry(CALL, 2), entry(RESULT, 3)]
    assert [e["kind"] for e in wire.entries_json(entries)] == ["message", "call", "result"]


def test_an_instant_is_utc_with_milliseconds() -> None:
    assert wire.instant(datetime(2026, 1, 2, tzinfo=UTC)) == "2026-01-02T00:00:00.000Z"


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (datetime(2026, 11, 3, 12, 0, 0, 123_999, UTC), "2026-11-03T12:00:00.123Z"),
        (datetime(2026, 11, 3, 12, tzinfo=UTC), "2026-11-03T12:00:00.000Z"),
        (datetime(2027, 1, 1, 1, 30, 5, 7_000, timezone(timedelta(hours=2))), "2026-12-31T23:30:05.007Z"),
    ],
)
def test_an_instant_is_written_in_utc_to_the_millisecond(at: datetime, written: str) -> None:
    assert wire.instant(at) == written
