"""Several values said in a row, and wishes like the last one."""

import pytest

from bridge.upstreams.cascade.thinking.listing import items


@pytest.mark.parametrize(
    ("text", "single"),
    [
        ("milk and some bread", ("milk", "bread")),
        ("milk, eggs, and butter", ("milk", "eggs", "butter")),
        ("a sandwich & an apple", ("sandwich", "apple")),
        ("candy", ("candy",)),
        ("some more rice as well as beans", ("rice", "beans")),
        ("brandy, sandy sand", ("brandy", "sandy sand")),
        ("and", ("and",)),
    ],
)
def test_values_in_a_row_are_parted(text: str, single: tuple[str, ...]) -> None:
    assert items(text) == single
