"""The Settings message, checked against the schema of what Deepgram takes."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import structlog

from bridge.core.agent import Agent
from bridge.core.hints import from_function, to_function
from bridge.core.model import (
    AudioFormat,
    Call,
    Cursor,
    Cut,
    Entry,
    FunctionCall,
    Message,
    Outcome,
    Result,
    Role,
    Status,
    What,
)
from bridge.ports import Brief
from bridge.upstreams.deepgram.settings import (
    BRIDGE_LIMIT,
    PROMPT_LIMIT,
    history,
    kinds_referred,
    settings_message,
)
from tests.support.briefs import AGENT, GOAL, LIST, MOVE, RUN, brief
from tests.support.deepgram_schema import fault


def at(settings: Mapping[str, object], path: str) -> object:
    """The value at a dotted path."""
    value: object = settings
    for step in path.split("."):
        assert isinstance(value, Mapping), f"{path} ends at {step}"
        value = value[step]
    return value


def valid(told: Brief) -> dict[str, object]:
    """The message to Deepgram, after JSON and the schema."""
    message: dict[str, object] = json.loads(json.dumps(settings_message(told, hints=False)))
    assert fault(message) is None
    return message


def entries(*whats: What) -> tuple[Entry, ...]:
    """One conversation's entries, numbered 1:0, 1:1, …"""
    when = datetime(2026, 11, 21, tzinfo=UTC)
    return tuple(
        Entry(conversation_id="c", user_id="u", cursor=Cursor(1, idx), at=when, what=what)
        for idx, what in enumerate(whats)
    )


def test_a_plain_agent_is_told_with_the_defaults_filled_in() -> None:
    plain = Agent(name="plain", title="Plain", prompt="You help.")
    assert valid(brief(agent=plain, prompt="You help.")) == {
        "type": "Settings",
        "flags": {"history": False},
        "audio": {
            "input": {"encoding": "linear16", "sample_rate": 16000},
            "output": {"encoding": "linear16", "sample_rate": 24000, "container": "none"},
        },
        "agent": {
            "listen": {
                "provider": {"type": "deepgram", "version": "v1", "model": "nova-3", "language": "en"}
            },
            "think": {"provider": {"type": "open_ai", "model": "gpt-4o-mini"}, "prompt": "You help."},
            "speak": {"provider": {"type": "deepgram", "model": "aura-2-thalia-en"}},
        },
    }


def test_the_functions_are_the_intents_and_writing_ones_wait_for_the_end_of_the_turn() -> None:
    functions = at(valid(brief()), "agent.think.functions")
    assert functions == [
        {
            "name": intent.name,
            "description": intent.description,
            "parameters": intent.schema(),
            **({"defer_until_eot": True} if intent is not LIST else {}),
        }
        for intent in (GOAL, MOVE, LIST)
    ]


def test_the_sound_is_what_the_brief_says() -> None:
    told = brief(audio_in=AudioFormat("mulaw", 8000), audio_out=AudioFormat("mulaw", 8000))
    assert at(valid(told), "audio") == {
        "input": {"encoding": "mulaw", "sample_rate": 8000},
        "output": {"encoding": "mulaw", "sample_rate": 8000, "container": "none"},
    }


def test_the_greeting_is_told_only_when_the_brief_has_one() -> None:
    assert at(valid(brief(greeting="Hey!")), "agent.greeting") == "Hey!"
    assert "greeting" not in str(valid(brief(greeting="")))


NOVA = {"type": "deepgram", "version": "v1", "model": "nova-3"}
FLUX = {"type": "deepgram", "version": "v2", "model": "flux-general-multi"}


@pytest.mark.parametrize(
    ("listen", "language", "provider"),
    [
        ({}, "de", {**NOVA, "language": "de"}),
        (
            {"language": "multi", "keyterms": ["Flux"]},
            "en",
            {**NOVA, "language": "multi", "keyterms": ["Flux"]},
        ),
        (
            {"model": "flux-general-en", "eot_threshold": 0.8},
            "en",
            {**FLUX, "model": "flux-general-en", "eot_threshold": 0.8},
        ),
        ({"model": "flux-general-multi"}, "pt", {**FLUX, "language_hints": ["pt"]}),
        (
            {"model": "flux-general-multi", "language_hints": ["pt", "en"]},
            "pt",
            {**FLUX, "language_hints": ["pt", "en"]},
        ),
    ],
)
def test_listen_gets_its_version_and_language(
    listen: dict[str, object], language: str, provider: dict[str, object]
) -> None:
    agent = replace(AGENT, listen=listen, language=language)
    assert at(valid(brief(agent=agent)), "agent.listen.provider") == provider


def test_think_of_another_type_keeps_what_it_is_and_its_endpoint_stands_beside() -> None:
    think = {"type": "groq", "model": "openai/gpt-oss-20b", "endpoint": {"url": "https://llm.example.com"}}
    told = valid(brief(agent=replace(AGENT, think=think)))
    assert at(told, "agent.think.provider") == {"type": "groq", "model": "openai/gpt-oss-20b"}
    assert at(told, "agent.think.endpoint") == {"url": "https://llm.example.com"}


@pytest.mark.parametrize(
    ("speak", "provider"),
    [
        (
            {"model": "flux-kit-en"},
            {"type": "deepgram", "version": "v2", "model": "flux-kit-en"},
        ),
        (
            {"model": "aura-2-orion-en", "speed": 1.1},
            {"type": "deepgram", "model": "aura-2-orion-en", "speed": 1.1},
        ),
        ({"type": "eleven_labs", "model_id": "m"}, {"type": "eleven_labs", "model_id": "m"}),
    ],
)
def test_speak_gets_its_version(speak: dict[str, object], provider: dict[str, object]) -> None:
    assert at(valid(brief(agent=replace(AGENT, speak=speak))), "agent.speak.provider") == provider


# ── the prompt ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_prompt_that_is_too_long_loses_the_authors_end_and_not_the_users_context() -> None:
    agent = replace(AGENT, prompt="p" * 30_000 + "\n")
    context = "\n\n## The user\n\n- Name: Ada\n"
    with structlog.testing.capture_logs() as logs:
        prompt = at(valid(brief(agent=agent, prompt="p" * 30_000 + context)), "agent.think.prompt")
    assert prompt == "p" * (PROMPT_LIMIT - len(context)) + context
    assert [line["event"] for line in logs] == ["prompt_cut"]


def test_a_long_prompt_that_does_not_begin_with_the_agents_is_cut_at_its_end() -> None:
    assert at(valid(brief(prompt="x" * 30_000)), "agent.think.prompt") == "x" * PROMPT_LIMIT


def test_a_prompt_within_the_limit_is_not_touched() -> None:
    with structlog.testing.capture_logs() as logs:
        assert at(valid(brief(prompt="x" * PROMPT_LIMIT)), "agent.think.prompt") == "x" * PROMPT_LIMIT
    assert logs == []


# ── the past ───────────────────────────────────────────────────────────────────────────────────────────

ADD = FunctionCall("fc_1", "add_note", '{"text":"milk"}', thought_signature="s1")
DONE = Outcome(status=Status.DONE, content="Noted.", note="note_id: 7")


def test_no_past_is_not_told() -> None:
    assert "context" not in str(at(valid(brief()), "agent.listen"))
    assert "context" not in json.dumps(valid(brief()))


def test_the_past_is_told_in_deepgrams_shapes() -> None:
    past = entries(
        Call(request="r1", function=ADD),
        Message(Role.USER, "note milk"),
        Message(Role.ASSISTANT, "Let me note that."),
        Result(request="r1", call_id="fc_1", name="add_note", outcome=DONE),
        Message(Role.ASSISTANT, "Noted."),
    )
    assert at(valid(brief(history=past)), "agent.context.messages") == [
        {"type": "History", "role": "user", "content": "note milk"},
        {"type": "History", "role": "assistant", "content": "Let me note that."},
        {
            "type": "History",
            "function_calls": [
                {
                    "id": "fc_1",
                    "name": "add_note",
                    "client_side": True,
                    "arguments": '{"text":"milk"}',
                    "response": "Noted. (note_id: 7)",
                    "thought_signature": "s1",
                }
            ],
        },
        {"type": "History", "role": "assistant", "content": "Noted."},
    ]


def test_a_cut_message_carries_only_what_was_heard() -> None:
    past = entries(
        Message(Role.ASSISTANT, "One. Two. Three."),
        Message(Role.ASSISTANT, "Four."),
        Cut(Cursor(1, 0), "One."),
        Cut(Cursor(1, 1), ""),
    )
    assert list(history(past)) == [{"type": "History", "role": "assistant", "content": "One."}]


def test_calls_without_an_outcome_and_outcomes_of_other_sessions_are_left_out() -> None:
    past = entries(
        Call(request="r1", function=ADD),
        Call(request="r2", function=replace(ADD, id="fc_2")),
        Result(request="r1", call_id="fc_2", name="add_note", outcome=DONE),
    )
    assert list(history(past)) == []


def test_the_same_call_id_in_two_sessions_is_two_calls() -> None:
    past = entries(
        Call(request="r1", function=ADD),
        Result(request="r1", call_id="fc_1", name="add_note", outcome=DONE),
        Call(request="r2", function=replace(ADD, arguments='{"text":"tea"}')),
        Result(request="r2", call_id="fc_1", name="add_note", outcome=replace(DONE, content="Tea.", note="")),
    )
    assert [json.dumps(item).count("tea") for item in history(past)] == [0, 1]


# ── a client's own agent ───────────────────────────────────────────────────────────────────────────────

OWN = {
    "listen": {"provider": {"type": "deepgram", "model": "nova-3"}},
    "think": {
        "provider": {"type": "open_ai", "model": "gpt-4o"},
        "prompt": "Mine.",
        "functions": [to_function(MOVE)],
    },
    "speak": {"provider": {"type": "deepgram", "model": "aura-2-thalia-en"}},
    "greeting": "Mine too.",
    "context": {"messages": [{"type": "History", "role": "user", "content": "before"}]},
}


def test_a_clients_agent_replaces_ours_and_our_history_follows_its_own() -> None:
    past = entries(Message(Role.USER, "hello"))
    told = valid(brief(client_agent=OWN, history=past))
    assert at(told, "agent.think.prompt") == "Mine."
    assert at(told, "agent.context.messages") == [
        {"type": "History", "role": "user", "content": "before"},
        {"type": "History", "role": "user", "content": "hello"},
    ]
    assert "x-bridge" not in str(told)


def test_a_clients_greeting_is_spoken_only_when_it_is_time_for_one() -> None:
    assert "greeting" not in str(valid(brief(client_agent=OWN)))
    assert at(valid(brief(client_agent=OWN, greeting="Hey!")), "agent.greeting") == "Mine too."
    silent = {key: value for key, value in OWN.items() if key != "greeting"}
    assert "greeting" not in str(valid(brief(client_agent=silent, greeting="Hey!")))


def test_a_clients_fallbacks_lose_their_hints_too() -> None:
    told = valid(brief(client_agent={**OWN, "think": [OWN["think"], OWN["think"]]}))
    assert "x-bridge" not in str(told)
    assert str(told).count("submit_reschedule_intent") == 2


def test_a_stored_agent_goes_by_its_id() -> None:
    uuid = "5f2b7c9e-0000-4000-8000-0123456789ab"
    assert valid(brief(client_agent={"id": uuid}))["agent"] == uuid


# ── another bridge ─────────────────────────────────────────────────────────────────────────────────────


def test_hints_are_what_from_function_reads() -> None:
    message = settings_message(brief(), hints=True)
    functions = at(message, "agent.think.functions")
    assert isinstance(functions, list)
    assert [from_function(function).parameters for function in functions] == [
        intent.parameters for intent in AGENT.intents
    ]
    assert from_function(functions[0]).examples == GOAL.examples


def test_the_context_tells_of_the_user_and_what_was_told_to_us_wins() -> None:
    told = brief(context={"time_zone": "Asia/Tokyo", "mood": "good"})
    message = settings_message(told, hints=True, things={"task": [RUN, replace(RUN, at=None)]})
    assert at(message, "bridge.context") == {
        "time_zone": "Asia/Tokyo",
        "user_name": "Ada",
        "mood": "good",
        "things": {
            "task": [
                {"id": "7", "title": "morning run", "at": "2026-11-21T07:00:00Z"},
                {"id": "7", "title": "morning run", "at": None},
            ]
        },
    }


def test_the_kinds_referred_to_are_those_of_the_agent_in_force() -> None:
    assert kinds_referred(brief()) == ("task",)
    assert kinds_referred(brief(client_agent=OWN)) == ("task",)
    assert kinds_referred(brief(client_agent={"think": {"functions": [to_function(GOAL)]}})) == ()
    assert kinds_referred(brief(client_agent={"think": "?"})) == ()


def test_a_message_to_another_bridge_fits_and_loses_the_oldest_past() -> None:
    past = entries(*(Message(Role.USER, f"{n} " + "x" * 1000) for n in range(100)))
    with structlog.testing.capture_logs() as logs:
        message = settings_message(brief(history=past), hints=True)
    kept = at(message, "agent.context.messages")
    assert isinstance(kept, list)
    assert len(json.dumps(message)) <= BRIDGE_LIMIT + 1024
    assert 50 < len(kept) < 60
    assert kept[-1]["content"].startswith("99 ")
    assert [line["event"] for line in logs] == ["history_cut"]
    assert len(list(history(past))) == 100
