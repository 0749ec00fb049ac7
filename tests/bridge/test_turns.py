"""Threads take short turns while the server runs, and Python's own afterwards."""

from __future__ import annotations

import sys

import pytest

from bridge.turns import TURN_SECONDS, short_turns


def test_turns_are_short_for_a_while() -> None:
    before = sys.getswitchinterval()
    with short_turns():
        assert sys.getswitchinterval() == pytest.approx(TURN_SECONDS)
    assert sys.getswitchinterval() == before > TURN_SECONDS
