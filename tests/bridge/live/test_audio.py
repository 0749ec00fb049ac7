"""Gates: what is held and what is dropped."""

from __future__ import annotations

import pytest

from bridge.core.model import AudioFormat
from bridge.live.audio import KEPT_SECONDS, Speech, Voice, Way, silence
from bridge.live.outbox import Outbox
from tests.bridge.live.test_outbox import taken

FRAME = bytes(640)
SECOND = 50
"""Frames of 20 ms."""


async def test_first_words_are_held_and_sent_in_order_once_there_is_an_agent() -> None:
    speech, outbox = Speech(), Outbox[str]()
    assert not speech.hear(FRAME)
    speech.way = Way.HELD
    assert speech.hear(b"\1\0")
    speech.connect(outbox)
    assert speech.hear(b"\2\0")
    speech.open()
    assert speech.hear(b"\3\0")
    assert await taken(outbox, 3) == [b"\1\0", b"\2\0", b"\3\0"]
    assert speech.collect() == (3, 6, 0, 0)


def numbered(count: int, start: int = 0) -> list[bytes]:
    """Frames of 20 ms that can be told apart."""
    return [number.to_bytes(2, "big") * 320 for number in range(start, start + count)]


async def test_what_a_lost_agent_may_not_have_understood_is_sent_to_the_next() -> None:
    speech, first, second = Speech(), Outbox[str](), Outbox[str]()
    speech.connect(first)
    speech.open()
    frames = numbered(4 * SECOND)
    for frame in frames[:SECOND]:
        speech.hear(frame)
    speech.keep()
    for frame in frames[SECOND : 3 * SECOND]:
        speech.hear(frame)
    speech.hold()
    for frame in frames[3 * SECOND :]:
        speech.hear(frame)
    speech.connect(second)
    speech.open()
    before = SECOND // 2
    assert await taken(second, 3 * SECOND + before) == frames[SECOND - before :]


async def test_what_was_understood_is_not() -> None:
    speech, outbox = Speech(), Outbox[str]()
    speech.connect(Outbox[str]())
    speech.open()
    speech.keep()
    speech.hear(FRAME)
    speech.forget()
    speech.hold()
    speech.hear(b"\1\0")
    speech.connect(outbox)
    speech.open()
    assert await taken(outbox, 1) == [b"\1\0"]


async def test_of_a_long_speech_the_last_seconds_are_kept() -> None:
    speech, outbox = Speech(), Outbox[str]()
    speech.connect(Outbox[str]())
    speech.open()
    speech.keep()
    frames = numbered(8 * SECOND)
    for frame in frames:
        speech.hear(frame)
    speech.hold()
    speech.connect(outbox)
    speech.open()
    assert await taken(outbox, KEPT_SECONDS * SECOND) == frames[-KEPT_SECONDS * SECOND :]


def test_held_sound_is_bounded_and_what_had_to_go_is_counted() -> None:
    clock = Clock()
    speech = Speech(clock=clock)
    speech.way = Way.HELD
    for _ in range(12 * SECOND):
        clock.seconds += 1 / SECOND
        speech.hear(FRAME)
    assert speech.collect() == (12 * SECOND, 12 * SECOND * 640, 2 * SECOND * 640, 0)


class Clock:
    """Time as the test says it is."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def heard(speech: Speech, frames: int) -> tuple[int, int]:
    """After so many frames of 20 ms more: those that were let through, and bytes that came too fast."""
    for _ in range(frames):
        assert speech.hear(FRAME)
    passed = speech.collect()
    return passed.frames, passed.too_fast


def test_ten_seconds_of_sound_may_come_at_once_and_one_frame_more_may_not() -> None:
    speech = Speech(clock=Clock())
    speech.way = Way.HELD
    assert heard(speech, 10 * SECOND) == (10 * SECOND, 0)
    assert heard(speech, 1) == (0, len(FRAME))


def test_then_sound_may_come_one_and_a_half_times_as_fast_as_it_is_spoken() -> None:
    clock = Clock()
    speech = Speech(clock=clock)
    speech.way = Way.HELD
    heard(speech, 10 * SECOND)
    for _ in range(20):
        clock.seconds += 1
        assert heard(speech, 75) == (75, 0)
    clock.seconds += 1
    assert heard(speech, 76) == (75, len(FRAME))


def test_another_rate_may_be_allowed() -> None:
    clock = Clock()
    speech = Speech(4, clock)
    speech.way = Way.HELD
    heard(speech, 10 * SECOND)
    clock.seconds += 1
    assert heard(speech, 201) == (200, len(FRAME))


def test_a_clients_sound_is_not_expected_while_silence_is_played_for_it() -> None:
    speech = Speech()
    speech.way = Way.SILENCE
    assert not speech.hear(FRAME)


@pytest.mark.parametrize(
    ("audio", "expected"),
    [
        (AudioFormat("linear16", 16000), bytes(640)),
        (AudioFormat("mulaw", 8000), b"\xff" * 160),
        (AudioFormat("alaw", 8000), b"\xd5" * 160),
        (AudioFormat("opus", 48000), b""),
    ],
)
def test_silence_is_silent_in_each_format(audio: AudioFormat, expected: bytes) -> None:
    assert silence(audio, 20) == expected


async def test_the_agents_sound_is_counted_by_reply() -> None:
    voice, outbox = Voice(), Outbox[str]()
    voice.connect(outbox)
    voice.expect(AudioFormat("linear16", 24000))
    voice.say(bytes(4800))
    voice.say(bytes(4800))
    assert (voice.reply, voice.reply_ms) == (1, 200)
    voice.end_reply()
    assert (voice.reply, voice.reply_ms) == (1, 200)
    voice.say(bytes(480))
    assert (voice.reply, voice.reply_ms) == (2, 10)


async def test_a_cut_reply_is_dropped_with_what_still_comes() -> None:
    voice, outbox = Voice(), Outbox[str]()
    voice.connect(outbox)
    voice.say(b"11")
    voice.drop()
    voice.say(b"22")
    voice.go_on()
    voice.say(b"33")
    assert await taken(outbox, 1) == [b"33"]


def test_ten_seconds_of_sound_may_wait_whatever_its_format() -> None:
    voice, outbox = Voice(), Outbox[str]()
    voice.connect(outbox)
    voice.expect(AudioFormat("mulaw", 8000))
    for _ in range(600):
        voice.say(bytes(160))
    assert voice.collect() == (600, 600 * 160, 2 * 8000, 0)
