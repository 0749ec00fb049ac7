"""Several values said in a row: "milk, eggs and some bread"."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from bridge.core.agent import Parameter, Several
from bridge.upstreams.cascade.thinking.wishes import Value, Wish

_BETWEEN: Final = re.compile(
    r"\s*(?:,\s*(?:and|plus|or)?|\b(?:and(?: also)?|plus|as well as)\b|&)\s+", re.IGNORECASE
)
_QUANTITY: Final = re.compile(r"^(?:(?:and|some|a|an|also)(?: more)?\s+)+(?=\S)", re.IGNORECASE)


def items(text: str) -> tuple[str, ...]:
    """The single values of a text: milk; eggs; bread."""
    found = (_QUANTITY.sub("", part.strip(" ,.")) for part in _BETWEEN.split(text))
    return tuple(item for item in found if item)


def spread(wish: Wish) -> Iterator[Wish]:
    """The wish as its functions take it: one for each of several values, or one with a list of them."""
    for parameter in wish.intent.parameters:
        value = wish.values.get(parameter.name)
        if value is None or not isinstance(value.argument, str) or parameter.several is Several.TOGETHER:
            continue
        single = items(value.argument) or (value.argument,)
        if parameter.several is Several.LIST:
            yield from spread(_with(wish, parameter, single))
        else:
            for item in single:
                yield _with(wish, parameter, item)
        return
    yield wish


def _with(wish: Wish, parameter: Parameter, argument: str | tuple[str, ...]) -> Wish:
    return replace(wish, values={**wish.values, parameter.name: Value(argument)})
