"""Reads a YAML file so that every error in it can name its line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from bridge.errors import BadConfig

Location = tuple[str | int, ...]
"""Where something stands in a document: keys and list indices from its root, as pydantic's `loc`."""
M = TypeVar("M", bound=BaseModel)

MAX_DEPTH = 32
"""Lists and mappings inside each other."""
MAX_PLACES = 20_000
"""Keys and list items of a document, those that an alias repeats counted each time."""
NOT_TEXT = re.compile("[\0\ud800-\udfff]")
NO_CHARACTER = "there is an escape that stands for no character"


class _Loader(yaml.SafeLoader):
    """Safe, and plain words stay words: `yes`, `7:30` and `2026-11-02` are text here."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own


for _tag, _pattern, _first in (
    ("null", r"~|null|", ["~", "n", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"-?(0|[1-9][0-9]{0,17})", list("-0123456789")),
    ("float", r"-?[0-9]+\.[0-9]+([eE][-+]?[0-9]+)?", list("-0123456789")),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _first)


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file: what it says, and where."""

    path: Path
    data: object
    lines: Mapping[Location, int]
    """Line of each key or list item, from 1."""

    def error(self, location: Location, text: str) -> BadConfig:
        """An error at that place, or at the nearest thing around it that has a line."""
        return BadConfig(f"{self.path}:{self._line(location)}: {text}")

    def check(self, model: type[M]) -> M:
        """What it says as a `model`. Raises BadConfig for the first thing that does not fit."""
        try:
            return model.model_validate(self.data)
        except ValidationError as error:
            first = min(error.errors(), key=lambda found: self._line(found["loc"]))
            raise self.error(first["loc"], _describe(first["loc"], first["type"], first["msg"])) from None

    def _line(self, location: Location) -> int:
        known = (self.lines.get(location[:depth]) for depth in range(len(location), -1, -1))
        return next((line for line in known if line), 1)


def read_text(path: Path) -> str:
    """The text of a file that must be there and hold something. Raises BadConfig."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadConfig(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise BadConfig(f"{path}:{line}: is not UTF-8") from None
    if not text.strip():
        raise BadConfig(f"{path}:1: is empty")
    return text


def read_yaml(path: Path) -> Document:
    """Read one YAML document. Raises BadConfig: not there, empty, not YAML, or a key twice."""
    text = read_text(path)
    lines: dict[Location, int] = {}
    try:
        _check(text)
        loader = _Loader(text)
        node = loader.get_single_node()
        _mark(lines, node, (), [])
        data: object = loader.construct_document(node) if node else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        why = " ".join(filter(None, [error.context, error.problem]))
        raise BadConfig(f"{path}:{mark.line + 1 if mark else 1}: is not valid YAML: {why}") from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise BadConfig(f"{path}:{line}: is not valid YAML: {error.reason}") from None
    return Document(path, data, lines)


def _check(text: str) -> None:
    """Refuse what YAML allows and no file of ours needs, at its line.

    Raises YAMLError: also for escapes of characters that are none, where PyYAML raises other things.
    """
    loader, depth = _Loader(text), 0
    try:
        while loader.check_event():
            event = loader.get_event()  # type: ignore[no-untyped-call]
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if problem := _problem(event, depth):
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
    except (ValueError, OverflowError):
        raise yaml.MarkedYAMLError(problem=NO_CHARACTER, problem_mark=loader.get_mark()) from None


def _problem(event: yaml.Event, depth: int) -> str:
    """What is wrong with it; empty: nothing."""
    if depth > MAX_DEPTH:
        return f"it is nested deeper than {MAX_DEPTH} levels"
    if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag:
        return "tags are not taken"
    if isinstance(event, yaml.ScalarEvent) and NOT_TEXT.search(event.value):
        return NO_CHARACTER
    return ""


def _mark(
    lines: dict[Location, int], node: yaml.Node | None, location: Location, around: list[yaml.Node]
) -> None:
    """Note the line of every key and list item in `node`.

    Raises MarkedYAMLError for a key that is there twice, for a node that holds itself and for too many.
    """
    if node is None:
        return
    if any(node is outer for outer in around):
        raise yaml.MarkedYAMLError(problem="it holds itself", problem_mark=node.start_mark)
    pairs: list[tuple[str | int, yaml.Node, yaml.Node]] = []
    if isinstance(node, yaml.MappingNode):
        pairs = [(str(key.value), key, value) for key, value in node.value]
    elif isinstance(node, yaml.SequenceNode):
        pairs = [(index, item, item) for index, item in enumerate(node.value)]
    for name, key, value in pairs:
        inner = (*location, name)
        if inner in lines:
            problem = f"{name} is there twice, first in line {lines[inner]}"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
        if len(lines) >= MAX_PLACES:
            problem = f"it has more than {MAX_PLACES} keys and items"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
        lines[inner] = key.start_mark.line + 1
        _mark(lines, value, inner, [*around, node])


def _describe(location: Location, kind: str, message: str) -> str:
    name = ".".join(map(str, location)) or "the file"
    match kind:
        case "extra_forbidden":
            return f"{name}: there is no such key"
        case "missing":
            return f"{name}: is missing"
        case "value_error":
            return f"{name}: {message.removeprefix('Value error, ')}"
        case _:
            return f"{name}: {message[0].lower()}{message[1:]}"
