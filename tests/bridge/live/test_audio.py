"""Gates: what is held and what is dropped."""

from __future__ import annotations

import random

import pytest

from bridge.core.model import AudioFormat
from bridge.live.outbox import Outbox
from bridge.live.speech import KEPT_SECONDS, Speech, Way, silence
from bridge.live.voice import Voice
from bridge.ports import Credit
from bridge.ports.credit import MOST_FRAMES
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


# ── straight from socket to socket ──────────────────────────────────────────────────────────────────────


class Wire:
    """A sink whose socket always takes; it lets sound come straight, or not at all."""

    max_sound = 0

    def __init__(self, *, straight: bool) -> None:
        self.written: list[bytes] = []
        self._straight = straight

    def put_sound(self, frame: bytes) -> Credit | None:
        self.written.append(frame)
        return Credit(self._write) if self._straight else None

    def _write(self, sound: bytes) -> bool:
        self.written.append(sound)
        return True

    def clear_sound(self) -> None:
        pass

    def collect_dropped(self) -> int:
        return 0


def spent(credit: Credit | None, frame: bytes) -> bool:
    """What a socket does with a frame it may send straight."""
    if credit is None or credit.frames >= credit.most or not credit.write(frame):
        return False
    credit.frames += 1
    credit.bytes += len(frame)
    if credit.keep:
        credit.keep(frame)
    return True


class Mouth:
    """Brings the user's sound; straight to the agent where that is allowed."""

    def __init__(self, *, straight: bool) -> None:
        self.clock = Clock()
        self.speech = Speech(clock=self.clock)
        self.straight = straight
        self.wires: list[Wire] = []
        self.answers: list[object] = []
        self.brought = 0

    def say(self, frame: bytes) -> None:
        self.clock.seconds += 0.02
        if not spent(self.speech.credit, frame):
            self.brought += 1
            self.answers.append(self.speech.hear(frame))
        else:
            self.answers.append(True)

    def act(self, what: str) -> None:
        match what:
            case "keep" | "forget" | "hold" | "open":
                getattr(self.speech, what)()
            case "silence":
                self.speech.way = Way.SILENCE
            case "collect":
                self.answers.append(self.speech.collect())
            case "lost":
                self.speech.connect(None)
            case "connect":
                self.wires.append(Wire(straight=self.straight))
                self.speech.connect(self.wires[-1])


@pytest.mark.parametrize("seed", range(20))
def test_what_goes_straight_is_kept_counted_and_held_as_if_it_had_not(seed: int) -> None:
    dice = random.Random(seed)
    plain, straight = Mouth(straight=False), Mouth(straight=True)
    acts = ("keep", "forget", "hold", "open", "silence", "collect", "lost", "connect", "open", "open")
    for number in range(4000):
        act = dice.choice(acts) if dice.random() < 0.02 else None
        for mouth in (plain, straight):
            if act:
                mouth.act(act)
            mouth.say(number.to_bytes(2, "big") * 320)
    for mouth in (plain, straight):
        mouth.act("collect")
    assert straight.answers == plain.answers
    assert [wire.written for wire in straight.wires] == [wire.written for wire in plain.wires]
    assert straight.brought < plain.brought


def test_who_sends_too_fast_is_held_up_straight_as_well() -> None:
    mouth = Mouth(straight=True)
    mouth.act("connect")
    mouth.act("open")
    for _ in range(11 * SECOND):
        mouth.clock.seconds -= 0.02  # all at once
        mouth.say(FRAME)
    passed = mouth.speech.collect()
    assert 10 * SECOND <= passed.frames <= 10 * SECOND + MOST_FRAMES
    assert passed.frames + passed.too_fast // len(FRAME) == 11 * SECOND


def test_a_reply_that_goes_straight_is_counted_and_cut_at_once() -> None:
    voice, wire = Voice(), Wire(straight=True)
    voice.connect(wire)
    voice.expect(AudioFormat("linear16", 24000))
    credit = voice.say(bytes(4800))
    assert spent(credit, bytes(4800))
    assert (voice.reply, voice.reply_ms) == (1, 200)
    voice.drop()
    assert not spent(credit, bytes(4800))
    assert voice.say(bytes(4800)) is None
    assert voice.reply_ms == 200
    voice.go_on()
    voice.end_reply()
    credit = voice.say(bytes(4800))
    voice.end_reply()
    assert not spent(credit, bytes(4800))
    assert voice.collect() == (3, 3 * 4800, 0, 0)
    assert len(wire.written) == 3
