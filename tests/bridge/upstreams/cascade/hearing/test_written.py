"""Capital letters for an ear that knows none."""

import pytest

from bridge.upstreams.cascade.hearing.written import Writer


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("i want to learn spanish in three months", "I want to learn Spanish in three months"),
        ("remind me to call mom and i'll do it on monday", "Remind me to call mom and I'll do it on Monday"),
        ("it's david's book i said", "It's David's book I said"),
        ("this is in the garden", "This is in the garden"),
        ("a.m. or p.m.", "A.m. or p.m."),
        ("", ""),
    ],
)
def test_sentences_and_names_begin_with_a_capital(heard: str, written: str) -> None:
    assert Writer()(heard) == written
