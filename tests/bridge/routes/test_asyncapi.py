"""What /asyncapi.json promises, against the readers, the writers, the samples and AsyncAPI's own schema."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import jsonschema_rs
import pytest

from bridge import __version__, wire
from bridge.core.events import ClientErred
from bridge.routes.asyncapi import document
from bridge.wire.reading import READERS
from tests.support.bridge import running

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "tests" / "fixtures" / "protocol"
SPECIFICATION = ROOT / ".venv/js/node_modules/@asyncapi/specs/schemas/3.0.0.json"
DOCUMENT = document("1.2.3")
MESSAGES: dict[str, dict[str, Any]] = DOCUMENT["components"]["messages"]
CLIENT: dict[str, dict[str, Any]] = json.loads((SAMPLES / "client.json").read_text("utf-8"))
SERVER: dict[str, dict[str, Any]] = {
    name: sample
    for name, sample in json.loads((SAMPLES / "server.json").read_text("utf-8")).items()
    if sample and "nobody here knows" not in name
}


def validator(message: str) -> jsonschema_rs.Draft7Validator:
    """Of the payload of `client.Settings`, …"""
    payload = MESSAGES[message]["payload"]
    return jsonschema_rs.Draft7Validator({**payload, "components": DOCUMENT["components"]})


VALIDATORS = {name: validator(name) for name in MESSAGES if not name.endswith(".sound")}


# ── the document ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.skipif(not SPECIFICATION.exists(), reason="no npm; sudo apt-get install nodejs npm")
def test_it_is_asyncapi_3() -> None:
    specification = json.loads(SPECIFICATION.read_text("utf-8"))
    jsonschema_rs.Draft7Validator(specification).validate(DOCUMENT)


async def test_it_is_served_to_everybody(tmp_path: Path) -> None:
    async with running(tmp_path) as server, httpx2.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"{server.http}/asyncapi.json")
    assert answer.status_code == 200
    assert answer.json() == document(__version__)


def test_every_reference_leads_somewhere() -> None:
    for reference in set(re.findall(r'"#/([^"]+)"', json.dumps(DOCUMENT))):
        place: Any = DOCUMENT
        for key in reference.split("/"):
            place = place[key]
        assert place


def test_each_side_says_its_messages_and_sound() -> None:
    for operation, action, side in (("clientSays", "receive", "client"), ("serverSays", "send", "server")):
        described = DOCUMENT["operations"][operation]
        names = [reference["$ref"].rsplit("/", 1)[1] for reference in described["messages"]]
        assert described["action"] == action
        assert sorted(names) == sorted(name for name in MESSAGES if name.startswith(f"{side}."))
        assert f"{side}.sound" in names
    assert MESSAGES["client.sound"]["contentType"] == "application/octet-stream"


def test_every_message_is_there_and_no_other() -> None:
    described = {name for name in MESSAGES if not name.endswith(".sound")}
    sent = {f"server.{sample['type']}" for sample in SERVER.values()}
    assert described == {f"client.{kind}" for kind in READERS} | sent


def test_every_message_is_told_in_words_and_has_examples_that_are_some() -> None:
    for name, check in VALIDATORS.items():
        assert schema(MESSAGES[name]["payload"])["description"]
        assert MESSAGES[name]["examples"]
        for example in MESSAGES[name]["examples"]:
            check.validate(example["payload"])
            assert example["payload"]["type"] == MESSAGES[name]["name"]


def schema(payload: dict[str, Any]) -> dict[str, Any]:
    """What it refers to."""
    while "$ref" in payload:
        payload = DOCUMENT["components"]["schemas"][payload["$ref"].rsplit("/", 1)[1]]
    return payload


# ── the samples ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", CLIENT)
def test_a_client_sample_is_as_described(name: str) -> None:
    VALIDATORS[f"client.{CLIENT[name]['type']}"].validate(CLIENT[name])


@pytest.mark.parametrize("name", SERVER)
def test_a_server_sample_is_as_described(name: str) -> None:
    VALIDATORS[f"server.{SERVER[name]['type']}"].validate(SERVER[name])


AGENTS_OWN = {"languages", "elapsed", "total_latency", "tts_latency", "ttt_latency", "stt_latency"}
"""Keys of the agent's that are passed on."""


@pytest.mark.parametrize("name", SERVER)
def test_every_key_of_a_server_sample_is_described_and_those_that_must_be_there_are(name: str) -> None:
    sample = SERVER[name]
    check = VALIDATORS[f"server.{sample['type']}"]
    described = set(re.findall(r'"(\w+)": \{', json.dumps([*_schemas(MESSAGES[f"server.{sample['type']}"])])))
    for path in _paths(sample):
        if path[-1] in AGENTS_OWN or not isinstance(path[-1], str):
            continue
        assert path[-1] in described
        if path[-1] not in {"trigger", "thought_signature"}:
            assert not check.is_valid(_without(sample, path)), path


def _schemas(part: object) -> Iterator[object]:
    """A schema and all those it refers to."""
    yield part
    for name in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(part)):
        yield from _schemas(DOCUMENT["components"]["schemas"][name])


# ── the readers ─────────────────────────────────────────────────────────────────────────────────────────────

Path_ = tuple[str | int, ...]
VALUES: tuple[object, ...] = (
    *(None, True, False, 0, -1, 5, 5.5, 8000, 16000.0, 44100, 96000, 1e9),
    *("", " ", "secret", "mulaw", "linear16", "none", "3:14", "x" * 101),
    *([], ["x"], [{}], [[]], {}, {"functions": {}}, {"functions": [{"name": 5}]}),
)
"""Put in the place of each value of each sample."""


@pytest.mark.parametrize("name", CLIENT)
def test_what_the_schema_refuses_is_refused_and_nothing_else(name: str) -> None:
    sample = CLIENT[name]
    changed = [_without(sample, path) for path in _paths(sample)]
    changed += [_with(sample, path, value) for path in _paths(sample) for value in VALUES]
    check = VALIDATORS[f"client.{sample['type']}"]
    for message in changed:
        if message.get("type") == sample["type"]:
            taken = not isinstance(wire.read(json.dumps(message)), ClientErred)
            assert check.is_valid(message) == taken, message


def _paths(value: object, above: Path_ = ()) -> Iterator[Path_]:
    """The way to each value inside, the outer ones first."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield (*above, key)
        yield from _paths(inner, (*above, key))


def _with(sample: dict[str, Any], path: Path_, value: object) -> dict[str, Any]:
    changed = copy.deepcopy(sample)
    _place(changed, path)[path[-1]] = value
    return changed


def _without(sample: dict[str, Any], path: Path_) -> dict[str, Any]:
    changed = copy.deepcopy(sample)
    del _place(changed, path)[path[-1]]
    return changed


def _place(message: dict[str, Any], path: Path_) -> Any:
    place: Any = message
    for key in path[:-1]:
        place = place[key]
    return place


# ── codes ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_codes_are_those_of_the_docs() -> None:
    told = (ROOT / "docs" / "protocol.md").read_text("utf-8")
    for close in DOCUMENT["x-close-codes"]:
        assert f"| {close['code']} | {close['why']} | {close['what_to_do']} |" in told
    closes = re.findall(r"^\| (\d{4}) \|", told, re.MULTILINE)
    assert [str(close["code"]) for close in DOCUMENT["x-close-codes"]] == closes
    rows = re.findall(r"^\| (`[A-Z].*) \| (.*) \|(.*)\|$", told[told.index("## Codes") :], re.MULTILINE)
    codes = DOCUMENT["x-codes"]["codes"]
    assert [
        (", ".join(f"`{name}`" for name in code["names"]), code["where"], code["meaning"]) for code in codes
    ] == [(names, where, meaning.strip()) for names, where, meaning in rows]
