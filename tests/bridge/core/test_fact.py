"""Facts behave as frozen dataclasses do, as far as anybody looks; that nobody changes one, mypy sees to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.core import commands as do
from bridge.core.model import Cursor


def test_facts_are_equal_by_what_they_say_and_only_to_their_own_kind() -> None:
    assert Cursor(1, 2) == Cursor(1, 2) != Cursor(1, 3)
    assert len({Cursor(1, 2), Cursor(1, 2), replace(Cursor(1, 3), idx=2)}) == 1
    commands: list[do.Command] = [do.ForgetSpeech(), do.PassReply()]
    assert commands[0] != commands[1]


def test_they_have_no_room_for_more() -> None:
    with pytest.raises(AttributeError):
        object.__setattr__(Cursor(1, 2), "more", 1)
