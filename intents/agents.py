"""An agent from its folder: agent.yaml, prompt.md and intents.yaml. Errors name file and line."""

from __future__ import annotations

import re
from pathlib import Path

from bridge.core.agent import Agent, Intent, Limits
from bridge.errors import BadConfig
from intents.handlers import http, python
from intents.loader import Document, read_text, read_yaml
from intents.spec import AgentSpec, IntentsSpec

NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def load_agents(folder: Path) -> dict[str, Agent]:
    """Every agent in `folder`, by name, one folder each. Raises BadConfig."""
    try:
        found = sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] not in "._")
    except OSError as error:
        raise BadConfig(f"{folder}: cannot be read: {error.strerror}") from None
    if not found:
        raise BadConfig(f"{folder}: there is no agent in it")
    return {path.name: load_agent(path) for path in found}


def load_agent(folder: Path) -> Agent:
    """The agent in that folder; its name is the folder's. Raises BadConfig, beginning with `file:line:`."""
    if not NAME.fullmatch(folder.name):
        raise BadConfig(f"{folder}: an agent's name has lower-case letters, digits, - and _")
    spec = read_yaml(folder / "agent.yaml").check(AgentSpec)
    return Agent(
        name=folder.name,
        title=spec.title,
        description=spec.description,
        prompt=read_text(folder / "prompt.md").strip(),
        greeting=spec.greeting,
        language=spec.language,
        listen=spec.listen.model_dump(exclude_none=True),
        think=spec.think.model_dump(exclude_none=True),
        speak=spec.speak.model_dump(exclude_none=True),
        intents=_intents(read_yaml(folder / "intents.yaml")),
        client_settings=spec.client_settings == "allow",
        limits=Limits(**spec.limits.model_dump()),
        still_there=spec.still_there,
        one_moment=spec.one_moment,
    )


def _intents(document: Document) -> tuple[Intent, ...]:
    spec = document.check(IntentsSpec)
    for location, problem in spec.problems():
        raise document.error(location, problem)
    intents = tuple(inner.intent(name) for name, inner in spec.intents.items())
    for intent in intents:
        try:
            _check_handler(intent.handler)
        except BadConfig as error:
            raise document.error(("intents", intent.name, "handler"), error.description) from error
    return intents


def _check_handler(handler: str) -> None:
    if http.is_http(handler):
        http.target(handler)
    else:
        python.find(handler)
