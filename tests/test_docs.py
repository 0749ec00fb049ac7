"""What is documented is what there is: settings, codes, messages, metrics, log events."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bridge import wire
from bridge.core.events import ClientErred
from bridge.settings import Settings, variable
from bridge.wire.reading import READERS
from tests.flows import test_matrix as matrix
from tests.support.figures import every_figure

ROOT = Path(__file__).parent.parent
SOURCES = [path for top in ("bridge", "persistence", "intents") for path in (ROOT / top).rglob("*.py")]
INTERNAL = {"BRIDGE_CONFIG"}
"""BRIDGE_ names in the code that are no codes."""


def docs(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented_with_its_meaning(name: str) -> None:
    line = next(
        (x for x in docs("configuration.md").splitlines() if x.startswith(f"| `{variable(name)}` |")), ""
    )
    assert f"`{name}`" in line
    assert (Settings.model_fields[name].description or "?") in line


def test_what_is_said_to_show_a_promise_is_there() -> None:
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", docs("guarantees.md")))
    assert len(named) > 20
    assert not {name for name in named if not (ROOT / name).is_file()}


def test_no_setting_is_documented_that_is_not_there() -> None:
    named = set(re.findall(r"^\| `([A-Z_]+)` \|", docs("configuration.md"), re.MULTILINE))
    assert named == {variable(name) for name in Settings.model_fields}


def test_the_example_of_an_environment_names_the_secrets_and_nothing_else() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))
    assert named == {
        variable(n) for n, field in Settings.model_fields.items() if field.annotation is SecretStr
    }


def test_every_code_is_documented() -> None:
    used = {code for path in SOURCES for code in re.findall(r'"(BRIDGE_[A-Z_]+)"', path.read_text("utf-8"))}
    assert used - INTERNAL <= set(re.findall(r"BRIDGE_[A-Z_]+", docs("protocol.md")))


def test_every_address_is_documented() -> None:
    told = re.sub(r"\{\w+\}", "{id}", docs("protocol.md") + docs("operations.md"))
    places = matrix.PUBLIC | matrix.ADMINS | matrix.LISTS | matrix.STARTS | set(matrix.THINGS)
    places |= matrix.FORGETS | matrix.ENTERS | matrix.LEAVES
    paths = {re.sub(r"\{\w+\}", "{id}", place.partition(" ")[2]) for place in places} - {""}
    assert len(paths) > 20
    assert not {path for path in paths if not re.search(rf"{re.escape(path)}(?![\w/{{])", told)}


CLOSE_CODE = re.compile(r"\b(1000|1002|1003|1007|1008|1009|101[1-4]|44\d\d)\b")
CONVERSION = re.compile(r"[*/] ?1000\b")
"""Seconds and milliseconds, no close codes."""


def test_every_close_code_is_documented() -> None:
    served = ("core", "live", "routes", "transports")
    sources = [path for path in SOURCES if path.is_relative_to(ROOT / "bridge") and path.parts[-2] in served]
    used = {
        code for path in sources for code in CLOSE_CODE.findall(CONVERSION.sub("", path.read_text("utf-8")))
    }
    named = set(re.findall(r"^\| (\d{4}) \|", docs("protocol.md"), re.MULTILINE))
    assert {"1000", "1008", "1009", "1011", "1012", "4410"} <= used <= named


def samples() -> Iterator[dict[str, Any]]:
    """Every example of a message in docs/protocol.md."""
    decoder = json.JSONDecoder()
    for block in re.findall(r"```json\n(.*?)```", docs("protocol.md"), re.DOTALL):
        rest = block.strip()
        while rest:
            sample, end = decoder.raw_decode(rest)
            yield sample
            rest = rest[end:].strip()


WRITTEN_IN_CODE = re.compile(r'#"(\{.*?\})"#|"""(\{.*?\})"""')
"""JSON in Swift and in Kotlin."""
FILLED_IN = {
    r"\\#\(place\)|\$place": ', "cursor": "3:4"',
    r"\\#\(quoted\(\w+\)\)|\$\{JSONObject\.quote\(\w+\)\}": '"text"',
    r"\\#\([\w.]+\)|\$\{[\w.()]+\}": "700",
}
"""What stands in it for a value → a value."""


def mobile_samples() -> Iterator[str]:
    """Every message in docs/mobile.md, in its text and in its code, as it would be sent."""
    yield from re.findall(r"```json\n(.*?)```", docs("mobile.md"), re.DOTALL)
    for swift, kotlin in WRITTEN_IN_CODE.findall(docs("mobile.md")):
        sample = swift or kotlin
        for pattern, value in FILLED_IN.items():
            sample = re.sub(pattern, value, sample)
        yield sample


@pytest.mark.parametrize("sample", [*mobile_samples()])
def test_what_the_snippets_for_phones_send_is_taken(sample: str) -> None:
    """Whatever /asyncapi.json refuses, the reader refuses: tests/bridge/routes/test_asyncapi.py."""
    assert not isinstance(wire.read(sample), ClientErred)


def test_both_languages_send_all_that_a_phone_has_to_send() -> None:
    kinds = [json.loads(sample)["type"] for sample in mobile_samples()]
    assert sorted(kinds) == sorted([*["Settings"] * 3, *["Playback"] * 2, *["InjectUserMessage"] * 2])


def server_samples() -> dict[str, dict[str, Any]]:
    """Messages to a client as they are: the samples of tests/bridge/test_wire.py."""
    file = ROOT / "tests" / "fixtures" / "protocol" / "server.json"
    return {name: sample for name, sample in json.loads(file.read_text("utf-8")).items() if sample}


def test_every_message_is_documented_with_an_example_that_is_one() -> None:
    shown = {example["type"] for example in samples()}
    sent = {sample["type"] for name, sample in server_samples().items() if "nobody here knows" not in name}
    assert shown == set(READERS) | sent


def test_the_examples_are_those_of_the_description() -> None:
    """In /asyncapi.json they stand beside their schemas."""
    told = json.loads((ROOT / "bridge" / "wire" / "examples.json").read_text(encoding="utf-8"))
    assert sorted(map(json.dumps, samples())) == sorted(map(json.dumps, told["client"] + told["server"]))


@pytest.mark.parametrize("example", [*samples()], ids=lambda example: str(example["type"]))
def test_an_example_is_what_goes_over_the_wire(example: dict[str, Any]) -> None:
    alike = [_shape(sample) for sample in server_samples().values() if sample["type"] == example["type"]]
    read = wire.read(json.dumps(example)) if example["type"] in READERS else None
    assert _shape(example) in alike or (read is not None and not isinstance(read, ClientErred))


OPTIONAL = {"languages", "thought_signature", "elapsed"}
"""Keys of the agent's that come along when there are any."""


def _shape(message: object) -> object:
    """The keys of a message, at every depth."""
    match message:
        case dict():
            return {key: _shape(value) for key, value in message.items() if key not in OPTIONAL}
        case list():
            return [_shape(item) for item in message]
        case _:
            return None


def test_every_metric_is_documented_and_no_other() -> None:
    registry = every_figure()
    there = {f"{m.name}_total" if m.type == "counter" else m.name for m in registry.collect()}
    named = set(re.findall(r"`(bridge_[a-z_]+)`", docs("operations.md")))
    assert named == there


def lines_logged() -> Iterator[tuple[str, set[str]]]:
    """Every event that is logged somewhere, with fields of its own."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="log" | "_log"), attr=attr),
                    args=[ast.Constant(value=str(event)), *_],
                    keywords=given,
                ) if attr in LEVELS:
                    yield event, {one.arg for one in given if one.arg} - {"exc_info"}
                case ast.Return(ast.Tuple([ast.Constant(value=str(event)), ast.Dict(keys=keys)])) if (
                    path.name == "lifecycle.py"
                ):
                    yield event, {str(key.value) for key in keys if isinstance(key, ast.Constant)}


LEVELS = {"debug", "info", "warning", "error", "exception"}


def test_every_log_event_is_documented_with_its_fields() -> None:
    told: dict[str, set[str]] = {}
    for row in re.findall(r"^\| (`[a-z_`, ]+`) \|.*?\|([^|]*)\|$", docs("operations.md"), re.MULTILINE):
        for event in re.findall(r"`([a-z_]+)`", row[0]):
            told.setdefault(event, set()).update(re.findall(r"`([a-z_]+)`", row[1]))
    logged = list(lines_logged())
    assert len(logged) > 60
    missing = {event: fields - told.get(event, set()) for event, fields in logged}
    assert not {event for event, _ in logged if event not in told}
    assert not {event: fields for event, fields in missing.items() if fields}
    assert not {field for _, fields in logged for field in fields} & SPOKEN


SPOKEN = {"content", "text", "arguments", "prompt", "transcript", "title", "name", "token"}
"""Fields that could say what somebody said: nobody logs them."""
