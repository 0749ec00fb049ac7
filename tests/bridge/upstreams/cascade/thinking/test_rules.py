"""The mind of rules behind `LanguageModel`: how finished words sound, withdrawn calls, the past, things."""

import json
from datetime import UTC, datetime

import pytest

from bridge.core.hints import to_function
from bridge.core.model import Call, Cursor, Entry, FunctionCall, Message, Outcome, Result, Role, Status, What
from bridge.upstreams.cascade.parts import Answer, CallFunction, Fit, Say, Turn
from tests.bridge.upstreams.cascade.thinking.talks import Talk, agent, instant, local, mind


@pytest.mark.parametrize(
    ("partial", "fit"),
    [
        ("", Fit.OPEN),
        ("remind me to", Fit.UNFINISHED),
        ("remind me to call", Fit.OPEN),
        ("remind me to call mom", Fit.OPEN),
        ("remind me to call mom tomorrow", Fit.OPEN),
        ("remind me to call mom tomorrow at", Fit.UNFINISHED),
        ("remind me to call mom tomorrow at five pm", Fit.COMPLETE),
        ("remind me to call mom tomorrow at nine am", Fit.COMPLETE),
        ("i want to learn spanish because i am", Fit.UNFINISHED),
        ("i want to learn spanish and", Fit.UNFINISHED),
        ("i want to learn spanish", Fit.OPEN),
        ("i want to learn spanish in three months", Fit.COMPLETE),
        ("add a task called", Fit.UNFINISHED),
        ("remind me to buy bread when i get to the", Fit.UNFINISHED),
        ("move my dentist appointment", Fit.OPEN),
        ("move my dentist appointment to friday at nine", Fit.COMPLETE),
        ("never mind", Fit.COMPLETE),
        ("thank you", Fit.COMPLETE),
        ("let me think", Fit.UNFINISHED),
        ("something completely different", Fit.OPEN),
    ],
)
def test_how_finished_words_sound(partial: str, fit: Fit) -> None:
    assert mind().fits(partial) is fit


async def test_an_answer_to_the_question_sounds_finished() -> None:
    talk = Talk(mind())
    await talk.say("remind me to call mom")
    assert talk.model.fits("tomorrow at six pm") is Fit.COMPLETE
    assert talk.model.fits("tomorrow") is Fit.OPEN


def test_asking_how_finished_words_sound_changes_nothing() -> None:
    model = mind()
    assert [model.fits("remind me to call mom tomorrow at five pm") for _ in range(3)] == [Fit.COMPLETE] * 3


@pytest.mark.parametrize(
    ("heard", "alternatives", "arguments"),
    [
        (
            "move the tent is to monday at nine am",
            ("move the tennis to monday at nine am", "move the dentist to monday at nine am"),
            {"task_id": "2"},
        ),
        (
            "remind me to call mom tomorrow at five pm",
            ("remind me to call tom tomorrow at five pm",),
            {"title": "call mom"},
        ),
        ("reminded too by bread", ("remind me to buy bread tomorrow at noon",), {"title": "buy bread"}),
    ],
)
async def test_of_what_may_have_been_said_it_takes_what_makes_sense(
    heard: str, alternatives: tuple[str, ...], arguments: dict[str, str]
) -> None:
    talk = Talk(mind())
    await talk.say("hello")
    await talk.say(talk.model.choose((heard, *alternatives)))
    assert arguments.items() <= json.loads(talk.calls[0].arguments_json).items()


async def _thoughts(model_turn: object) -> list[CallFunction | Say]:
    return [thought async for thought in model_turn]  # type: ignore[attr-defined]


async def test_a_call_that_was_withdrawn_is_made_again_when_nothing_was_said() -> None:
    model = mind()
    first = await _thoughts(model.reply(Turn("i want to learn spanish")))
    again = await _thoughts(model.reply(Turn("")))
    assert isinstance(first[0], CallFunction)
    assert isinstance(again[0], CallFunction)
    assert first[0].id != again[0].id
    assert first[0].arguments_json == again[0].arguments_json


async def test_a_call_that_was_withdrawn_is_not_done_when_it_is_cancelled() -> None:
    model = mind()
    await _thoughts(model.reply(Turn("i want to learn spanish")))
    after = await _thoughts(model.reply(Turn("no cancel that")))
    assert all(isinstance(thought, Say) for thought in after)


async def test_a_late_answer_to_a_withdrawn_call_is_ignored() -> None:
    model = mind()
    first = await _thoughts(model.reply(Turn("i want to learn spanish")))
    assert isinstance(first[0], CallFunction)
    await _thoughts(model.reply(Turn("never mind")))
    assert await _thoughts(model.answered([Answer(first[0].id, first[0].name, "Saved.")])) == []


async def test_a_refusal_that_asks_is_answered_and_the_call_made_again() -> None:
    model = mind()
    first = await _thoughts(model.reply(Turn("remind me to call mom today at nine am")))
    assert isinstance(first[0], CallFunction)
    refusal = "That was today at 9 AM, which has passed already. When should I remind you?"
    said = await _thoughts(model.answered([Answer(first[0].id, first[0].name, refusal)]))
    assert said == [Say(refusal, whole=True)]
    again = await _thoughts(model.reply(Turn("tomorrow at nine am then")))
    assert isinstance(again[0], CallFunction)
    arguments = json.loads(again[0].arguments_json)
    assert arguments["title"] == "call mom"
    assert instant(arguments["scheduled_at"]) == local("2026-11-19T09:00")


async def test_of_a_very_long_turn_the_beginning_is_understood() -> None:
    talk = Talk(mind())
    await talk.say("i want to learn spanish and " * 400)
    assert 1 < len(talk.calls) <= 6
    assert json.loads(talk.calls[0].arguments_json) == {"goal_statement": "learn spanish"}


async def test_ids_are_never_spoken() -> None:
    model = mind()
    first = await _thoughts(model.reply(Turn("i want to learn spanish")))
    assert isinstance(first[0], CallFunction)
    content = "Goal saved: learn Spanish. (goal_id: 0b9c-44)"
    said = await _thoughts(model.answered([Answer(first[0].id, first[0].name, content)]))
    assert said[0] == Say("Goal saved: learn Spanish.", whole=True)


def _entry(index: int, what: What) -> Entry:
    at = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)
    return Entry(conversation_id="c", user_id="user-1", cursor=Cursor(1, index), at=at, what=what)


def _past() -> tuple[Entry, ...]:
    arguments = json.dumps(
        {"title": "call mom", "trigger_type": "time", "scheduled_at": "tomorrow at five pm"}
    )
    function = FunctionCall("call_1", "submit_new_task_intent", arguments)
    outcome = Outcome(status=Status.DONE, content="Task created.", task_id="2", route="NEW_TASK")
    return (
        _entry(0, Message(Role.USER, "remind me to call mom tomorrow at five pm")),
        _entry(1, Call(request="old", function=function)),
        _entry(2, Result(request="old", call_id="call_1", name=function.name, outcome=outcome)),
    )


async def test_a_resumed_conversation_knows_what_it_was_about() -> None:
    talk = Talk(mind(history=_past()))
    await talk.say("move it to friday at six pm")
    arguments = json.loads(talk.calls[0].arguments_json)
    assert arguments["task_id"] == "2"
    assert instant(arguments["preferred_new_time"]) == local("2026-11-20T18:00")


async def test_a_correction_reaches_back_into_a_resumed_conversation() -> None:
    talk = Talk(mind(history=_past()))
    await talk.say("no at six pm")
    arguments = json.loads(talk.calls[0].arguments_json)
    assert (talk.calls[0].name, arguments["task_id"]) == ("submit_reschedule_intent", "2")


@pytest.mark.parametrize(
    "things",
    [
        {"task": [{"id": "b7", "title": "piano lesson", "at": "2026-11-19T15:00:00Z"}]},
        [{"kind": "task", "id": "b7", "title": "piano lesson", "at": "2026-11-19T15:00:00Z"}],
    ],
)
async def test_what_another_bridge_tells_of_its_user_counts(things: object) -> None:
    context = {"time_zone": "America/New_York", "things": things}
    talk = Talk(mind(context=context))
    await talk.say("move my piano lesson to five")
    arguments = json.loads(talk.calls[0].arguments_json)
    assert arguments["task_id"] == "b7"
    assert arguments["preferred_new_time"] == "2026-11-19T17:00:00-05:00"


async def test_the_past_that_another_bridge_tells_counts() -> None:
    arguments = json.dumps(
        {"title": "call mom", "trigger_type": "time", "scheduled_at": "tomorrow at five pm"}
    )
    past = {"id": "1", "name": "submit_new_task_intent", "client_side": True, "arguments": arguments}
    messages = [
        {"type": "History", "role": "user", "content": "remind me to call mom tomorrow at five pm"},
        {"type": "History", "function_calls": [{**past, "response": "Task created. (task_id: 12)"}]},
        {"type": "History", "function_calls": [3]},
        "nonsense",
    ]
    functions = [to_function(intent) for intent in agent("flux").intents]
    block = {"think": {"functions": functions}, "context": {"messages": messages}}
    talk = Talk(mind(client_agent=block))
    await talk.say("move it to friday at six pm")
    assert json.loads(talk.calls[0].arguments_json)["task_id"] == "12"


async def test_things_made_in_this_session_are_known_though_another_bridge_told_of_others() -> None:
    talk = Talk(mind(context={"things": {"task": [{"id": "b7", "title": "piano lesson", "at": None}]}}))
    await talk.say("remind me to call mom tomorrow at five pm")
    await talk.say("i want to learn spanish")
    await talk.say("reschedule the call with mom to friday at noon")
    assert json.loads(talk.calls[0].arguments_json)["task_id"] == "77"


@pytest.mark.parametrize(
    "context", [{"things": 3, "time_zone": "Mars/Base"}, {"things": [{"kind": 1}, 2]}, {}]
)
async def test_a_context_that_cannot_be_read_is_left_out(context: dict[str, object]) -> None:
    talk = Talk(mind(context=context))
    await talk.say("remind me to call mom tomorrow at five pm")
    assert talk.calls
