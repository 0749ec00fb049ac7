"""A client's other messages: prompts, functions, injected sentences, a forced end of turn."""

from collections.abc import Mapping
from typing import Final, Protocol

from bridge.core.events import AgentErred, AgentSaidOther, AgentWarned, PeerEvent
from bridge.core.model import JSON

DONE: Final[Mapping[str, str]] = {
    "UpdatePrompt": "PromptUpdated",
    "UpdateThink": "ThinkUpdated",
    "UpdateThink_Live": "ThinkLiveUpdated",
    "UpdateSpeak": "SpeakUpdated",
    "UpdateListen": "ListenUpdated",
}
"""Message → its acknowledgement. Rules have no prompt, and the local parts no models to change."""
NEEDED: Final[Mapping[str, tuple[str, type | tuple[type, ...]]]] = {
    "UpdatePrompt": ("prompt", str),
    "UpdateThink": ("think", (dict, list)),
    "UpdateSpeak": ("speak", (dict, list)),
    "UpdateListen": ("listen", dict),
    "InjectAgentMessage": ("message", str),
}
BEHAVIORS: Final = frozenset({"default", "queue", "interrupt"})


class Steered(Protocol):
    """What can be steered: a pipeline."""

    def tell(self, event: PeerEvent) -> None: ...

    def inject(self, message: str, behavior: str) -> None: ...

    def force_end(self) -> bool: ...

    def rethink(self, think: object) -> None: ...


def steer(pipeline: Steered, raw: JSON) -> None:
    """Do what a client's message says and acknowledge it, or say what is wrong with it."""
    kind = raw.get("type")
    field, type_ = NEEDED.get(str(kind), ("type", str))
    if not isinstance(raw.get(field), type_):
        description = f"{kind} needs {field}."
        pipeline.tell(AgentErred("UNPARSABLE_CLIENT_MESSAGE", description, fatal=False))
        return
    match kind:
        case "InjectAgentMessage":
            behavior = str(raw.get("behavior", "default"))
            pipeline.inject(str(raw["message"]), behavior if behavior in BEHAVIORS else "default")
        case "ForceEndTurn":
            if not pipeline.force_end():
                pipeline.tell(AgentWarned("FORCE_END_TURN_UNSUPPORTED", "There is no turn to end."))
        case "KeepAlive":
            pass
        case str() if kind in DONE:
            if kind == "UpdateThink":
                pipeline.rethink(raw["think"])
            pipeline.tell(AgentSaidOther({"type": DONE[kind]}))
        case _:
            description = "This agent does not know that message."
            pipeline.tell(AgentErred("UNPARSABLE_CLIENT_MESSAGE", description, fatal=False))
