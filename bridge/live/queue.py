"""A queue that costs next to nothing while it is empty."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Queue(Generic[T]):
    """First in, first out; empty it takes next to no memory, as most are most of the time."""

    __slots__ = ("_items",)

    def __init__(self) -> None:
        self._items: deque[T] | None = None

    def __bool__(self) -> bool:
        return bool(self._items)

    def __iter__(self) -> Iterator[T]:
        return iter(self._items or ())

    def put(self, item: T) -> None:
        """Add it at the end."""
        self.putter()(item)

    def putter(self) -> Callable[[T], None]:
        """What adds an item at the end, until one is taken out or all are forgotten."""
        if self._items is None:
            self._items = deque()
        return self._items.append

    def first(self) -> T:
        """The oldest of some; it stays."""
        assert self._items
        return self._items[0]

    def pop(self) -> T:
        """Take the oldest of some out."""
        assert self._items
        item = self._items.popleft()
        if not self._items:
            self._items = None
        return item

    def popper(self) -> Callable[[], T]:
        """What takes the oldest of some out, quicker than `pop`; after the last one `clear` is due."""
        assert self._items
        return self._items.popleft

    def clear(self) -> None:
        """Forget them all."""
        self._items = None
