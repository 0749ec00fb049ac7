"""Speaking in real time: on a clock that only moves when the voice sleeps."""

import asyncio

import pytest

from bridge.core.events import PeerEvent, TextArrived
from bridge.core.model import AudioFormat
from bridge.upstreams.cascade.outlet import Outlet
from bridge.upstreams.cascade.voice import Pace, Voice
from tests.bridge.upstreams.cascade.sessions import Tones

WIRE = AudioFormat("linear16", 22_050)
PIECE = 22_050 * 2 // 10


class World:
    """A clock that sleeping moves, and a record of when what came out."""

    def __init__(self) -> None:
        self.now = 100.0
        self.out: list[tuple[float, bytes | PeerEvent]] = []
        self.outlet = Outlet()
        put = self.outlet.put

        def noting(item: bytes | PeerEvent) -> None:
            self.out.append((self.now, item))
            put(item)

        self.outlet.put = noting  # type: ignore[method-assign]
        self.voice = Voice(Tones(), WIRE, self.outlet, Pace(), clock=lambda: self.now, sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        """Let that much time pass at once."""
        await asyncio.sleep(0)
        self.now += seconds

    def pieces(self) -> list[tuple[float, bytes]]:
        """When each piece of sound went out."""
        return [(at, item) for at, item in self.out if isinstance(item, bytes)]


@pytest.fixture
async def world() -> World:
    return World()


async def test_text_goes_before_its_sound(world: World) -> None:
    await world.voice.speak("Hello, hello.")
    assert isinstance(world.out[0][1], TextArrived)
    assert all(isinstance(item, bytes) for _, item in world.out[1:])


async def test_sound_goes_out_in_pieces_of_a_tenth_of_a_second(world: World) -> None:
    await world.voice.speak("x" * 100)
    sizes = [len(piece) for _, piece in world.pieces()]
    assert set(sizes[:-1]) == {PIECE}
    assert sum(sizes) == pytest.approx(PIECE * 10, abs=PIECE)


async def test_sound_is_never_more_than_the_lead_ahead_of_the_ear(world: World) -> None:
    await world.voice.speak("x" * 300)
    played_before = 0.0
    for at, piece in world.pieces():
        assert 100.0 + played_before - at <= 0.4 + 1e-6
        played_before += len(piece) / WIRE.bytes_per_second
    assert world.now == pytest.approx(100.0 + 3.0 - 0.1 - 0.4, abs=0.11)


async def test_the_next_sentence_follows_without_a_gap(world: World) -> None:
    await world.voice.speak("x" * 100)
    await world.voice.speak("y" * 100)
    assert world.now == pytest.approx(100.0 + 2.0 - 0.5, abs=0.2)


async def test_a_cut_takes_back_what_was_not_read_and_tells_what_was_heard(world: World) -> None:
    world.voice.begin()
    await world.voice.speak("one two three four five six seven eight nine ten")
    await world.voice.speak("and then some more words of the second sentence")
    world.now = 100.0 + 0.5
    heard = world.voice.cut()
    assert world.outlet.drop_sound() == 0
    assert heard.startswith("one two three four five six seven eight nine ten")
    assert not heard.endswith("sentence")
    assert not world.voice.sounding


async def test_nothing_was_heard_when_it_is_cut_before_its_first_sound(world: World) -> None:
    world.voice.begin()
    await world.voice.speak("never heard")
    world.now = 100.0
    assert world.voice.cut() == ""


async def test_a_sentence_that_was_heard_to_its_end_is_told_whole(world: World) -> None:
    world.voice.begin()
    await world.voice.speak("short")
    world.now += 5
    assert world.voice.cut() == "short"
