"""Whose turn it is, told by made-up frames: no clock, no sound."""

from dataclasses import replace

import pytest

from bridge.upstreams.cascade.parts import Fit
from bridge.upstreams.cascade.turns import Ended, Rules, Started, Turns

FRAME = 0.02


class Talk:
    """Feeds frames of 20 ms and keeps what came out, with the time."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.turns = Turns(rules or Rules())
        self.frames = 0
        self.fit = Fit.OPEN
        self.asked = 0
        self.events: list[tuple[float, Started | Ended]] = []

    @property
    def now(self) -> float:
        return self.frames * FRAME

    def _fits(self) -> Fit:
        self.asked += 1
        return self.fit

    def hear(self, speech: float, seconds: float, *, over_agent: bool = False) -> "Talk":
        for _ in range(round(seconds / FRAME)):
            self.frames += 1
            event = self.turns.hear(speech, self.now, self._fits, over_agent=over_agent)
            if event is not None:
                self.events.append((round(self.now, 3), replace(event, at=round(event.at, 3))))
        return self


@pytest.mark.parametrize(("fit", "silence"), [(Fit.COMPLETE, 0.35), (Fit.OPEN, 0.6), (Fit.UNFINISHED, 1.0)])
def test_the_words_so_far_decide_how_much_silence_ends_a_turn(fit: Fit, silence: float) -> None:
    talk = Talk()
    talk.fit = fit
    talk.hear(0.01, 1.0).hear(0.9, 1.5).hear(0.01, 2.0)
    (begun, started), (over, ended) = talk.events
    assert started == Started(1.0)
    assert begun == pytest.approx(1.1)
    assert ended == Ended(2.5, "model")
    assert over == pytest.approx(2.5 + silence, abs=FRAME + 1e-6)


def test_a_pause_shorter_than_the_silence_does_not_split_a_turn() -> None:
    talk = Talk().hear(0.9, 0.5).hear(0.1, 0.5).hear(0.9, 0.5).hear(0.1, 1.0)
    assert [type(event) for _, event in talk.events] == [Started, Ended]


def test_words_that_become_complete_in_the_pause_end_it_sooner() -> None:
    talk = Talk()
    talk.fit = Fit.UNFINISHED
    talk.hear(0.9, 0.5).hear(0.0, 0.5)
    assert talk.turns.talking
    talk.fit = Fit.COMPLETE
    talk.hear(0.0, FRAME)
    assert not talk.turns.talking


def test_the_words_are_looked_at_only_in_a_pause() -> None:
    talk = Talk().hear(0.9, 3.0).hear(0.0, 0.3)
    assert talk.asked == 0


def test_a_click_starts_nothing() -> None:
    assert Talk().hear(0.9, 0.06).hear(0.0, 0.3).hear(0.9, 0.06).hear(0.0, 1.0).events == []


def test_a_short_dip_does_not_hold_up_the_start() -> None:
    talk = Talk().hear(0.9, 0.06).hear(0.2, 0.04).hear(0.9, 0.04)
    assert talk.events == [(0.12, Started(0.0))]


def test_a_soft_ending_still_counts_as_speech() -> None:
    talk = Talk().hear(0.9, 0.5).hear(0.4, 1.0).hear(0.0, 0.7)
    assert talk.events[-1][1] == Ended(1.5, "model")


def test_a_soft_sound_alone_starts_nothing() -> None:
    assert Talk().hear(0.4, 2.0).events == []


def test_speech_over_the_agent_interrupts_a_little_later() -> None:
    talk = Talk().hear(0.9, 0.14, over_agent=True)
    assert talk.events == []
    assert talk.hear(0.9, FRAME, over_agent=True).events == [(0.16, Started(0.0))]


def test_an_endless_turn_is_ended() -> None:
    talk = Talk(Rules(longest=5.0)).hear(0.9, 5.2)
    assert talk.events[1] == (5.0, Ended(5.0, "timeout"))


def test_a_turn_can_be_ended_by_hand_once() -> None:
    talk = Talk().hear(0.9, 0.5).hear(0.0, 0.2)
    assert talk.turns.end(talk.now) == Ended(0.5, "manual")
    assert talk.turns.end(talk.now) is None
    assert talk.hear(0.0, 1.0).events[1:] == []


def test_one_turn_follows_another() -> None:
    talk = Talk().hear(0.9, 0.5).hear(0.0, 1.0).hear(0.9, 0.5).hear(0.0, 1.0)
    assert [type(event) for _, event in talk.events] == [Started, Ended, Started, Ended]
