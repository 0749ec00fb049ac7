"""What functions answered: the sentence that can be spoken, the ids that cannot, whether it asks for more."""

import json
import re
from typing import Final

from bridge.core.agent import Intent, Kind, Parameter
from bridge.core.questions import ASK_FIRST
from bridge.upstreams.cascade.thinking.words import norms

_ID: Final = re.compile(
    r"[\[(]?\b([a-z]+)_id\b[\"']?\s*[:=]\s*[\"']?([\w-]+)[\"']?[\])]?[.,;]?", re.IGNORECASE
)
_SPOKEN_KEYS: Final = (
    "message",
    "sentence",
    "say",
    "speech",
    "confirmation",
    "result",
    "content",
    "text",
    "detail",
)
_NEEDS: Final = re.compile(
    r"^(?:i need|i do need|please (?:tell|give|say)|what|when|where|which|who|how"
    r"|i (?:can't|cannot|couldn't) find"
    r"|i (?:don't|do not|didn't)|the .{1,40} has to be|that was .{1,60} passed)",
    re.IGNORECASE,
)


def spoken(content: str) -> str:
    """The part of a result that can be said: no ids, no JSON, no notes; empty when nothing is left."""
    text = content.partition(f"({ASK_FIRST}")[0].strip()
    if text[:1] in {"{", "[", '"'}:
        text = _from_json(text)
    lines = (_ID.sub("", line).strip(" ,;") for line in text.splitlines())
    return " ".join(line for line in lines if line)


def _from_json(text: str) -> str:
    try:
        data: object = json.loads(text)
    except ValueError:
        return text if text[:1] == "[" else ""
    if isinstance(data, dict):
        found = (data[key] for key in _SPOKEN_KEYS if isinstance(data.get(key), str))
        return next(found, "")
    return data if isinstance(data, str) else ""


def asks_first(content: str, note: str) -> bool:
    """Nothing was done: the result is a question for the person, and after a yes the same call is to come."""
    return ASK_FIRST in note or ASK_FIRST in content


def ids(text: str) -> dict[str, str]:
    """Kind → id, of what a result or its note names: "task_id: 12"."""
    return {kind.lower(): value for kind, value in _ID.findall(text)}


def wants_more(content: str, intent: Intent) -> Parameter | None:
    """The argument a refusal asks for; None when it does not ask."""
    text = spoken(content)
    if not (text.endswith("?") or _NEEDS.match(text)):
        return None
    heard = set(norms(text))
    for parameter in intent.parameters:
        if parameter.question and parameter.question.rstrip("?").lower() in text.lower():
            return parameter
    for parameter in intent.parameters:
        if set(norms(parameter.name.replace("_", " "))) & heard - {"id", "the", "at"}:
            return parameter
    if heard & {"time", "when", "day", "date", "passed"}:
        return next((p for p in intent.parameters if p.kind is Kind.TIME), None)
    kinds = (p for p in intent.parameters if p.kind is Kind.REFERENCE and p.refers_to in heard)
    return next(kinds, None)
