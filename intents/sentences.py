"""What an agent is told when a call cannot be run: each one sentence it can say or act on."""

from __future__ import annotations

from bridge.core.agent import Intent, Kind, Parameter
from intents.wording import enumerated

MAX_QUOTED = 60
"""Characters of the user's words that are said back."""

UNREADABLE = "I couldn't read that request, so please say it again."
TOO_LONG = "That is too much at once, so please say it in fewer words."
TIMED_OUT = "Sorry, that took too long, so it isn't done."
PERHAPS = "Sorry, that took too long, so I can't tell whether it was done."
AWAY = "I can't look that up right now, so please try again in a moment."
NOT_NOW = "I can't do that right now, so please ask me again in a moment."
NOTED = "I've noted that, and I'll save it in a moment."
FAULT = "Sorry, something went wrong, so that isn't done."
TAKEN_OVER = "This conversation goes on somewhere else now, so that isn't done here."
MISMATCH = "That call was made before with other arguments, so it isn't done again."


def unknown_function(name: str) -> str:
    """The agent asked for a function that is not in its folder."""
    return f"I can't do that: there is no function called {quoted(name)}."


def missing(intent: Intent, parameter: Parameter) -> str:
    """A required argument is not there."""
    match parameter.kind:
        case Kind.TIME:
            wanted = f"a time for that {noun(intent)}"
        case Kind.RECURRENCE:
            wanted = f"to know how often for that {noun(intent)}"
        case Kind.REFERENCE:
            wanted = f"to know which {parameter.refers_to}"
        case _ if noun(intent) in label(parameter).split():
            wanted = f"the {label(parameter)}"
        case _:
            wanted = f"the {label(parameter)} for that {noun(intent)}"
    return _asking(f"I need {wanted}", parameter)


def unsuitable(parameter: Parameter) -> str:
    """A value is of the wrong type."""
    match parameter.kind:
        case Kind.CHOICE:
            choices = enumerated(parameter.choices, "or")
            return _asking(f"The {label(parameter)} has to be {choices}", parameter)
        case Kind.NUMBER:
            return _asking(f"The {label(parameter)} has to be a number", parameter)
        case Kind.BOOLEAN:
            return _asking(f"The {label(parameter)} has to be yes or no", parameter)
        case _:
            return _asking(f"I didn't get the {label(parameter)}", parameter)


def too_long(parameter: Parameter) -> str:
    """A text is longer than any we store."""
    return f"The {label(parameter)} is too long, so please say it in fewer words."


def not_understood(parameter: Parameter, words: str) -> str:
    """Words that should be a time or a repetition, and are none."""
    what = "how often" if parameter.kind is Kind.RECURRENCE else "what time"
    return _asking(f"I don't know {what} {quoted(words)} is", parameter)


def passed(parameter: Parameter, spoken: str) -> str:
    """A time in the past, as said in the user's zone."""
    return _asking(f"That was {spoken}, which has passed already", parameter)


def confirmation(intent: Intent) -> str:
    """Before something that cannot be undone, when its handler does not say what to ask."""
    words = intent.route.replace("_", " ").lower()
    return f"That cannot be undone: shall I really do it, {words}?"


def noun(intent: Intent) -> str:
    """What an intent is about: NEW_TASK → task."""
    return intent.route.rpartition("_")[2].lower()


def label(parameter: Parameter) -> str:
    """A parameter's name in words: goal_statement → goal statement."""
    return parameter.name.replace("_", " ").replace("-", " ").strip()


def quoted(words: str) -> str:
    """Somebody's words, shortened, on one line."""
    line = " ".join(words.split())
    return f"“{line}”" if len(line) <= MAX_QUOTED else f"“{line[: MAX_QUOTED - 1].rstrip()}…”"


def _asking(statement: str, parameter: Parameter) -> str:
    """Statement and question as one sentence."""
    question = parameter.question.strip()
    if not question:
        return f"{statement}."
    own = question.startswith(("I ", "I'"))
    return f"{statement}: {question if own else question[0].lower() + question[1:]}"
