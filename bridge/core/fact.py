"""Facts: values that nobody changes, of which a talk makes some twenty with each line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def fact(*, kw_only: bool = False, order: bool = False) -> Callable[[type[T]], type[T]]:
    """A slotted dataclass, frozen for mypy: frozen at run time as well, each would cost twice as much."""
    return dataclass(slots=True, unsafe_hash=True, kw_only=kw_only, order=order)
