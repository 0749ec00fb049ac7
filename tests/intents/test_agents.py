"""Agents from their folders: what is in ours, and what is said about a folder that is wrong."""

from pathlib import Path
from textwrap import dedent

import pytest

from bridge.core.agent import Effect, Kind, Limits
from bridge.errors import BadConfig
from intents.agents import load_agent, load_agents
from intents.handlers.planner import HANDLERS
from intents.spec import AgentSpec, IntentSpec, LimitsSpec, ParameterSpec
from tests.intents.rig import AGENTS

ROOT = Path(__file__).parents[2]

AGENT = "title: Test\n"
INTENTS = """\
intents:
  add:
    route: ADD
    description: Adds something.
    handler: planner.add_goal
    dedupe: [what]
    parameters:
      what: {type: text, required: true, question: "What?"}
      how: {type: choice, choices: [fast, slow]}
      when: {type: time, required_when: {how: slow}}
    examples:
      - add {what}
      - add {what} {when}
"""


def folder(tmp_path: Path, *, agent: str = AGENT, prompt: str = "You test.", intents: str = INTENTS) -> Path:
    made = tmp_path / "tester"
    made.mkdir()
    (made / "agent.yaml").write_text(dedent(agent), encoding="utf-8")
    (made / "prompt.md").write_text(prompt, encoding="utf-8")
    (made / "intents.yaml").write_text(dedent(intents), encoding="utf-8")
    return made


def complaint(made: Path) -> str:
    """What is said about the folder, with its path cut off."""
    with pytest.raises(BadConfig) as caught:
        load_agent(made)
    return str(caught.value).removeprefix(f"{made}/")


def test_flux_has_the_three_functions_of_the_product_and_deletes() -> None:
    flux = load_agent(AGENTS / "flux")

    assert [(intent.name, intent.route) for intent in flux.intents] == [
        ("submit_goal_intent", "GOAL"),
        ("submit_new_task_intent", "NEW_TASK"),
        ("submit_reschedule_intent", "RESCHEDULE_TASK"),
        ("submit_delete_goal_intent", "DELETE_GOAL"),
        ("submit_delete_task_intent", "DELETE_TASK"),
    ]
    shapes = {
        p.name: (p.required, p.required_when, p.kind) for intent in flux.intents for p in intent.parameters
    }
    assert shapes == {
        "goal_statement": (True, None, Kind.TEXT),
        "timeline": (False, None, Kind.TIME),
        "context_notes": (False, None, Kind.TEXT),
        "title": (True, None, Kind.TEXT),
        "trigger_type": (True, None, Kind.CHOICE),
        "scheduled_at": (False, ("trigger_type", "time"), Kind.TIME),
        "recurrence_rule": (False, None, Kind.RECURRENCE),
        "location_trigger": (False, ("trigger_type", "location"), Kind.TEXT),
        "task_id": (True, None, Kind.REFERENCE),
        "goal_id": (True, None, Kind.REFERENCE),
        "preferred_new_time": (False, None, Kind.TIME),
        "reason": (False, None, Kind.TEXT),
    }


def test_flux_has_the_defaults_of_the_product() -> None:
    flux = load_agent(AGENTS / "flux")

    assert (flux.name, flux.greeting) == ("flux", "Hey! What can I help you with today?")
    assert flux.listen == {"type": "deepgram", "model": "nova-3"}
    assert flux.think == {"type": "open_ai", "model": "gpt-4o-mini"}
    assert flux.speak == {"type": "deepgram", "model": "aura-2-thalia-en"}
    assert flux.limits == Limits()
    assert not flux.client_settings
    assert all(intent.deferred for intent in flux.intents)
    for intent in flux.intents:
        assert intent.name in flux.prompt


@pytest.mark.parametrize("name", [path.name for path in AGENTS.iterdir()])
def test_every_intent_of_ours_tells_the_local_agent_enough(name: str) -> None:
    for intent in load_agent(AGENTS / name).intents:
        assert len(set(intent.examples)) == len(intent.examples) >= 25, intent.name
        used = {p.name for p in intent.parameters if any(f"{{{p.name}}}" in e for e in intent.examples)}
        for parameter in intent.parameters:
            assert parameter.question.endswith("?"), parameter.name
            assert parameter.description, parameter.name
            if parameter.kind is Kind.TEXT and parameter.required:
                assert parameter.name in used, parameter.name


def test_a_folder_with_other_files_is_another_agent() -> None:
    agents = load_agents(AGENTS)

    assert set(agents) >= {"flux", "pantry"}
    assert [intent.name for intent in agents["pantry"].intents] == ["add_item", "read_list"]
    assert agents["pantry"].intents[1].effect is Effect.READ


def test_a_small_folder_is_filled_up_with_defaults(tmp_path: Path) -> None:
    agent = load_agent(folder(tmp_path, intents="intents: {}"))

    assert (agent.name, agent.title, agent.prompt, agent.intents) == ("tester", "Test", "You test.", ())
    assert agent.listen == {"type": "deepgram", "model": "nova-3"}
    assert agent.still_there == "Are you still there?"


def test_what_is_written_arrives(tmp_path: Path) -> None:
    agent = load_agent(
        folder(
            tmp_path,
            agent="""\
                title: Test
                client_settings: allow
                speak: {type: eleven_labs, model_id: eleven_turbo_v2_5, language: "no"}
                limits: {session_seconds: 60}
            """,
        )
    )

    assert agent.client_settings
    assert agent.speak == {"type": "eleven_labs", "model_id": "eleven_turbo_v2_5", "language": "no"}
    assert agent.limits == Limits(session_seconds=60)
    (intent,) = agent.intents
    assert (intent.dedupe, intent.dedupe_seconds, intent.limit_seconds) == (("what",), 120, 5)
    assert intent.parameters[1].choices == ("fast", "slow")
    assert intent.parameters[2].required_when == ("how", "slow")


def test_plain_words_stay_words(tmp_path: Path) -> None:
    made = folder(tmp_path, intents=INTENTS.replace("[fast, slow]", "[yes, off, 7:30, slow, 2026-13-40, 08]"))

    assert load_agent(made).intents[0].parameters[1].choices == (
        "yes",
        "off",
        "7:30",
        "slow",
        "2026-13-40",
        "08",
    )


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("agent.yaml", "title: [Test", "agent.yaml:1: is not valid YAML: "),
        ("agent.yaml", "title: Test\n\tgreeting: Hi", "agent.yaml:2: is not valid YAML: "),
        ("agent.yaml", "title: Test\ngreeting: \x07", "agent.yaml:2: is not valid YAML: "),
        ("agent.yaml", "title: Test\n---\ntitle: Two", "agent.yaml:2: is not valid YAML: "),
        ("agent.yaml", "title: !!python/name:os.system", "agent.yaml:1: is not valid YAML: "),
        ("agent.yaml", "title: !!int many", "agent.yaml:1: is not valid YAML: tags are not taken"),
        ("agent.yaml", "title: &x {a: *x}", "agent.yaml:1: is not valid YAML: it holds itself"),
        (
            "agent.yaml",
            "title: A\n\ntitle: B",
            "agent.yaml:3: is not valid YAML: title is there twice, first in line 1",
        ),
        ("agent.yaml", "", "agent.yaml:1: is empty"),
        ("agent.yaml", "# nothing", "agent.yaml:1: the file: input should be"),
        ("agent.yaml", "- title", "agent.yaml:1: the file: input should be"),
        ("agent.yaml", "greeting: Hi", "agent.yaml:1: title: is missing"),
        ("agent.yaml", "title: A\ngreting: Hi", "agent.yaml:2: greting: there is no such key"),
        (
            "agent.yaml",
            "title: A\ngreeting:\n  - Hi",
            "agent.yaml:2: greeting: input should be a valid string",
        ),
        (
            "agent.yaml",
            "title: A\nlimits:\n  idle_seconds: soon",
            "agent.yaml:3: limits.idle_seconds: input should",
        ),
        (
            "agent.yaml",
            "title: A\nlimits:\n  idle_seconds: -1",
            "agent.yaml:3: limits.idle_seconds: input should",
        ),
        ("agent.yaml", "title: A\nclient_settings: maybe", "agent.yaml:2: client_settings: input should be"),
        ("agent.yaml", "title: A\nspeak:\n  model: aura", "agent.yaml:2: speak.type: is missing"),
        ("prompt.md", " \n", "prompt.md:1: is empty"),
        ("intents.yaml", "intents: []", "intents.yaml:1: intents: input should be a valid dictionary"),
    ],
)
def test_a_file_that_is_wrong_is_named_with_its_line(tmp_path: Path, file: str, text: str, said: str) -> None:
    made = folder(tmp_path)
    (made / file).write_text(text, encoding="utf-8")

    assert complaint(made).startswith(said)


@pytest.mark.parametrize("file", ["agent.yaml", "prompt.md", "intents.yaml"])
def test_a_file_that_is_missing_is_named(tmp_path: Path, file: str) -> None:
    made = folder(tmp_path)
    (made / file).unlink()

    assert complaint(made) == f"{file}: cannot be read: No such file or directory"


def test_a_file_that_is_not_utf_8_is_named_with_its_line(tmp_path: Path) -> None:
    made = folder(tmp_path)
    (made / "prompt.md").write_bytes(b"You\ntest \xff")

    assert complaint(made) == "prompt.md:2: is not UTF-8"


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("    route: ADD\n", "    route: add\n", 3, "intents.add.route: string should match pattern"),
        ("    route: ADD\n", "", 2, "intents.add.route: is missing"),
        ("    dedupe: [what]", "    colour: red", 6, "intents.add.colour: there is no such key"),
        ("{type: text,", "{type: words,", 8, "intents.add.parameters.what.type: input should be 'text'"),
        ("required: true", 'required: "true"', 8, "intents.add.parameters.what.required: input should be"),
        ("question:", "ask:", 8, "intents.add.parameters.what.ask: there is no such key"),
        (", choices: [fast, slow]", "", 9, "intents.add.parameters.how: choices belong to type: choice"),
        ("{type: choice,", "{type: text,", 9, "intents.add.parameters.how: choices belong to type: choice"),
        ("{type: time,", "{type: reference,", 10, "intents.add.parameters.when: refers_to belongs to"),
        ("{type: time,", "{type: time, several: each,", 10, "intents.add.parameters.when: several is"),
        ("{how: slow}", "{pace: slow}", 10, "there is no other parameter pace"),
        ("{how: slow}", "{when: slow}", 10, "there is no other parameter when"),
        ("{how: slow}", "{how: lazy}", 10, "how is never lazy"),
        (
            "{how: slow}",
            "{how: slow, what: x}",
            10,
            "intents.add.parameters.when.required_when: dictionary should",
        ),
        ("[what]", "[what, who]", 6, "there is no parameter who"),
        ("- add {what}\n", "- add {whom}\n", 12, "there is no parameter whom for {whom}"),
        ("- add {what} {when}", "- add {what", 13, "a slot is written {name}"),
        ("- add {what} {when}", "- add {what} or {what}", 13, "a slot is there twice"),
        (
            "      what: {",
            "      user_id: {",
            8,
            "user_id is no parameter: who the user is comes from the session",
        ),
        (
            "      what: {",
            "      userId: {",
            8,
            "userId is no parameter: who the user is comes from the session",
        ),
        ("      what: {", "      what for: {", 8, "what for cannot be the name of a parameter"),
        ("  add:", "  add it:", 2, "add it cannot be the name of a function"),
        (
            "planner.add_goal",
            "planner.add_gaol",
            5,
            "there is no handler planner.add_gaol: use planner.add_goal, ",
        ),
        ("planner.add_goal", "ftp://x", 5, "there is no handler ftp://x: use planner.add_goal, "),
        (
            "planner.add_goal",
            "python:intents",
            5,
            "python:intents is not of the form python:package.module:function",
        ),
        (
            "planner.add_goal",
            "python:intents.no:f",
            5,
            "intents.no cannot be imported: ModuleNotFoundError: ",
        ),
        ("planner.add_goal", "python:intents.times:f", 5, "intents.times has no async function f"),
        ("planner.add_goal", "python:intents.times:find", 5, "intents.times has no async function find"),
        (
            "planner.add_goal",
            "python:asyncio:sleep",
            5,
            "asyncio.sleep does not take (transaction, job, arguments)",
        ),
        ("planner.add_goal", "http:https://x.test/y", 2, "intents.add: an http handler has effect: external"),
        ("dedupe: [what]", "effect: external", 2, "intents.add: effect: external belongs to an http handler"),
        ("dedupe: [what]", "limit_seconds: 61", 6, "intents.add.limit_seconds: input should be less"),
    ],
)
def test_an_intent_that_is_wrong_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, said: str
) -> None:
    assert old in INTENTS
    text = complaint(folder(tmp_path, intents=INTENTS.replace(old, new, 1)))

    assert text.startswith(f"intents.yaml:{line}: {said}")


@pytest.mark.parametrize(
    "target", ["x.test", "file:///etc/passwd", "https://", "https://a:b@x.test/", "https://["]
)
def test_an_http_handler_that_is_no_address_is_named_with_its_line(tmp_path: Path, target: str) -> None:
    text = INTENTS.replace("planner.add_goal", f'"http:{target}"').replace(
        "dedupe: [what]", "effect: external"
    )

    said = complaint(folder(tmp_path, intents=text))
    assert said.startswith(f"intents.yaml:5: http:{target} is not of the form http:https://host/path")


def test_an_intent_that_is_there_twice_is_named_with_both_lines(tmp_path: Path) -> None:
    twice = INTENTS + INTENTS.removeprefix("intents:\n")

    said = complaint(folder(tmp_path, intents=twice))
    assert said == "intents.yaml:14: is not valid YAML: add is there twice, first in line 2"


def test_every_key_and_value_is_in_the_documentation() -> None:
    text = (ROOT / "docs" / "agents.md").read_text(encoding="utf-8")

    models = (AgentSpec, LimitsSpec, IntentSpec, ParameterSpec)
    words = [*Kind, *Effect, *HANDLERS, *(name for model in models for name in model.model_fields)]
    assert [word for word in words if f"`{word}`" not in text] == []


def test_the_example_in_the_documentation_works(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "agents.md").read_text(encoding="utf-8")
    example = text.partition("```yaml\n")[2].partition("```")[0]

    (intent,) = load_agent(folder(tmp_path, intents=example)).intents
    assert [p.name for p in intent.parameters if p.required] == ["title", "trigger_type"]


@pytest.mark.parametrize("name", ["Flux", "my agent", "flux.old", "é"])
def test_a_folder_needs_a_name_that_is_safe_in_an_address(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()

    with pytest.raises(BadConfig, match="an agent's name has lower-case letters"):
        load_agents(tmp_path)


def test_a_place_without_agents_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="there is no agent in it"):
        load_agents(tmp_path)
    with pytest.raises(BadConfig, match="cannot be read"):
        load_agents(tmp_path / "nowhere")


def test_hidden_folders_and_files_are_no_agents(tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "README.md").write_text("Agents.", encoding="utf-8")

    assert list(load_agents(tmp_path)) == ["tester"]
