"""How old the oldest entry is that is not in the store."""

from __future__ import annotations

from persistence.ages import Ages


class Clock:
    """Time as the test says it is."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_the_oldest_that_waits_tells_the_age() -> None:
    clock = Clock()
    ages = Ages(clock)
    assert (ages.waiting, ages.oldest) == (0, 0.0)
    for number in range(1, 7):
        ages.numbered(number)
        clock.seconds += 1
    assert (ages.waiting, ages.oldest) == (6, 6.0)
    ages.stored(2)
    assert (ages.waiting, ages.oldest, ages.lag) == (4, 4.0, 6.0)
    ages.stored(6)
    assert (ages.waiting, ages.oldest, ages.lag) == (0, 0.0, 4.0)
    clock.seconds += 100
    ages.numbered(9)  # two were copied from a journal that was left
    assert (ages.waiting, ages.oldest) == (3, 0.0)


def test_what_comes_at_once_is_of_the_same_age() -> None:
    clock = Clock()
    ages = Ages(clock)
    for number in range(1, 1001):
        ages.numbered(number)
        clock.seconds += 0.001
    ages.stored(400)
    assert (ages.waiting, round(ages.oldest)) == (600, 1)
    assert len(ages._steps) == 2
