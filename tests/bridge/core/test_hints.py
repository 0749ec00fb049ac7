"""Intents as function JSON and back, with hints and without."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.agent import Effect, Intent, Kind, Parameter, Several
from bridge.core.hints import (
    CLIENT,
    ask_for,
    from_function,
    from_functions,
    guess_kind,
    to_function,
    without_hints,
)

TASK = Intent(
    name="submit_new_task_intent",
    route="NEW_TASK",
    description="Creates a task.",
    handler="planner.add_task",
    dedupe=("title",),
    limit_seconds=3,
    parameters=(
        Parameter(name="title", required=True, description="What to do.", question="What is it?"),
        Parameter(
            name="trigger_type",
            kind=Kind.CHOICE,
            required=True,
            choices=("time", "location"),
            question="Which?",
        ),
        Parameter(
            name="scheduled_at", kind=Kind.TIME, required_when=("trigger_type", "time"), question="When?"
        ),
        Parameter(name="recurrence_rule", kind=Kind.RECURRENCE, question="How often?"),
        Parameter(name="parent", kind=Kind.REFERENCE, refers_to="task", question="Part of which task?"),
        Parameter(name="minutes", kind=Kind.NUMBER, question="How long?"),
        Parameter(name="urgent", kind=Kind.BOOLEAN, question="Is it urgent?"),
    ),
    examples=("remind me to {title}", "remind me to {title} {scheduled_at}"),
)


def seen_from_outside(intent: Intent) -> Intent:
    """The intent without what only its executor needs."""
    return Intent(
        name=intent.name,
        route="",
        description=intent.description,
        parameters=intent.parameters,
        handler=CLIENT,
        effect=Effect.WRITE if intent.effect is Effect.DESTRUCTIVE else intent.effect,
        examples=intent.examples,
    )


@pytest.mark.parametrize("effect", list(Effect))
def test_an_intent_comes_back_as_it_was(effect: Effect) -> None:
    intent = replace(TASK, effect=effect)
    there = json.loads(json.dumps(to_function(intent)))
    assert from_function(there) == seen_from_outside(intent)


names = st.from_regex(r"[a-z][a-z_]{0,12}", fullmatch=True)
parameters = st.builds(
    lambda name, kind, required, question: Parameter(
        name=name,
        kind=kind,
        required=required,
        question=question,
        choices=("a", "b") if kind is Kind.CHOICE else (),
        refers_to="task" if kind is Kind.REFERENCE else "",
    ),
    names,
    st.sampled_from(Kind),
    st.booleans(),
    st.text(min_size=1, max_size=20),
)
intents = st.builds(
    lambda name, some, examples: replace(TASK, name=name, parameters=tuple(some), examples=tuple(examples)),
    names,
    st.lists(parameters, max_size=5, unique_by=lambda parameter: parameter.name),
    st.lists(st.text(max_size=20), max_size=3),
)


@given(intents)
def test_any_intent_comes_back_as_it_was(intent: Intent) -> None:
    assert from_function(json.loads(json.dumps(to_function(intent)))) == seen_from_outside(intent)


@pytest.mark.parametrize(
    ("name", "description", "question"),
    [
        ("destination", "Where to go.", "Where would you like to go?"),
        ("recipient", "Who gets it.", "Who gets it?"),
        ("message", "What it says.", "What is the message?"),
        ("text", "The words of the note.", "What is the text?"),
    ],
)
def test_a_description_that_is_nearly_a_question_is_asked(name: str, description: str, question: str) -> None:
    assert ask_for(name, Kind.TEXT, (), description) == question


def test_an_array_is_a_list_of_what_is_said() -> None:
    schema = {"type": "object", "properties": {"items": {"type": "array", "items": {"type": "string"}}}}
    intent = from_function({"name": "buy", "parameters": schema})
    assert intent.parameters[0].several is Several.LIST


def test_what_several_values_are_comes_back() -> None:
    intent = replace(TASK, parameters=(Parameter(name="item", question="?", several=Several.EACH),))
    assert from_function(to_function(intent)).parameters[0].several is Several.EACH


def test_the_executors_secrets_are_not_told() -> None:
    text = json.dumps(to_function(replace(TASK, handler="http:https://internal.example.com/hook")))
    assert "internal.example.com" not in text


def test_writing_intents_are_deferred() -> None:
    assert to_function(TASK)["defer_until_eot"] is True
    assert "defer_until_eot" not in to_function(replace(TASK, effect=Effect.READ))


def test_without_hints_it_is_a_plain_function() -> None:
    plain = without_hints(to_function(TASK))
    assert plain["parameters"] == TASK.schema()
    assert without_hints(plain) == plain
    assert without_hints({"name": "ping"}) == {"name": "ping"}


@pytest.mark.parametrize(
    ("name", "schema", "kind"),
    [
        ("title", {"type": "string"}, Kind.TEXT),
        ("scheduled_at", {"type": "string"}, Kind.TIME),
        ("scheduledAt", {"type": "string"}, Kind.TIME),
        ("preferred_new_time", {}, Kind.TIME),
        ("date", {"type": ["string", "null"]}, Kind.TIME),
        ("due_date", {"type": "string"}, Kind.TIME),
        ("moment", {"type": "string", "description": "An ISO 8601 instant"}, Kind.TIME),
        ("moment", {"type": "string", "format": "date-time"}, Kind.TIME),
        ("birthday", {"type": "string", "format": "date"}, Kind.TIME),
        ("time_zone", {"type": "string"}, Kind.TEXT),
        ("trigger_type", {"type": "string", "description": "time or location"}, Kind.TEXT),
        ("trigger_time", {"type": "string", "enum": ["morning", "evening"]}, Kind.CHOICE),
        ("location", {"type": "string", "description": "Where it takes place"}, Kind.TEXT),
        ("candidate", {"type": "string"}, Kind.TEXT),
        ("recurrence_rule", {"type": "string"}, Kind.RECURRENCE),
        ("every", {"type": "string", "description": "An RFC 5545 rule"}, Kind.RECURRENCE),
        ("count", {"type": "integer"}, Kind.NUMBER),
        ("times", {"type": "number"}, Kind.NUMBER),
        ("urgent", {"type": "boolean"}, Kind.BOOLEAN),
        ("task_id", {"type": "string"}, Kind.REFERENCE),
        ("id", {"type": "string"}, Kind.TEXT),
        ("dates", {"type": "array"}, Kind.TEXT),
    ],
)
def test_a_kind_is_guessed(name: str, schema: dict[str, object], kind: Kind) -> None:
    assert guess_kind(name, schema) is kind


def test_a_plain_function_makes_a_usable_intent() -> None:
    intent = from_function(
        {
            "name": "book_table",
            "description": "Books a table.",
            "defer_until_eot": True,
            "parameters": {
                "type": "object",
                "properties": {
                    "restaurant": {"type": "string", "description": "Its name."},
                    "at": {"type": "string"},
                    "seating": {"type": "string", "enum": ["inside", "outside", "bar"]},
                    "guest_id": {"type": "string"},
                },
                "required": ["restaurant", "at"],
            },
        }
    )
    assert (intent.name, intent.description, intent.effect) == ("book_table", "Books a table.", Effect.WRITE)
    assert intent.parameters == (
        Parameter(
            name="restaurant", required=True, description="Its name.", question="What is the restaurant?"
        ),
        Parameter(name="at", kind=Kind.TIME, required=True, question="When should that be?"),
        Parameter(
            name="seating",
            kind=Kind.CHOICE,
            choices=("inside", "outside", "bar"),
            question="Which seating: inside, outside or bar?",
        ),
        Parameter(name="guest_id", kind=Kind.REFERENCE, refers_to="guest", question="Which guest?"),
    )


@pytest.mark.parametrize("function", [{}, {"name": ""}, {"name": 7}])
def test_a_function_without_a_name_is_none(function: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="name"):
        from_function(function)
    assert from_functions([function, {"name": "ping"}, 7]) == (from_function({"name": "ping"}),)


def test_a_choice_without_choices_is_text() -> None:
    parameters: dict[str, object] = {
        "properties": {"size": {"type": "string"}},
        "x-bridge": {"parameters": {"size": {"kind": "choice"}}},
    }
    assert from_function({"name": "order", "parameters": parameters}).parameters[0].kind is Kind.TEXT


rubbish = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["string", "time", "reference", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["properties", "x-bridge", "parameters", "a", "kind", "enum", "type", "examples"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@given(rubbish)
def test_rubbish_makes_an_intent_all_the_same(parameters: object) -> None:
    assert from_function({"name": "f", "parameters": parameters}).name == "f"
    assert isinstance(from_functions(parameters), tuple)
