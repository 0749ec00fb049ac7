"""The local voices: sound comes at once, can be cut off, and never holds up the event loop."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from threading import Event

import pytest

from bridge.audio.pcm import level
from bridge.errors import BadConfig, UpstreamFailed
from bridge.upstreams.cascade.speaking import make_engine
from bridge.upstreams.cascade.speaking.engine import Engine, Take, speakable
from bridge.upstreams.cascade.speaking.espeak import Espeak
from bridge.upstreams.cascade.speaking.flite import Flite


@pytest.fixture(params=[Flite, Espeak])
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    if not request.param.installed():
        pytest.skip(f"{request.param.__name__} is not installed: apt-get install libflite1, or make setup")
    made = Engine(request.param())
    yield made
    await made.aclose()


async def say(engine: Engine, sentence: str) -> bytes:
    return b"".join([pcm async for pcm in engine.voice().speak(sentence)])


async def test_a_sentence_becomes_sound(engine: Engine) -> None:
    pcm = await say(engine, "Task created: morning run, tomorrow at 7 AM.")
    assert len(pcm) % 2 == 0
    assert 2 < len(pcm) / 2 / engine.voice().sample_rate < 6
    assert -30 < level(pcm) < -10


async def test_it_comes_in_pieces_before_it_is_whole(engine: Engine) -> None:
    pieces = [pcm async for pcm in engine.voice().speak("I have moved your appointment to Friday afternoon.")]
    assert len(pieces) > 5
    assert all(pieces)


@pytest.mark.parametrize("nothing", ["", "  ", "...", "🎉", "**"])
async def test_nothing_to_say_is_no_sound(engine: Engine, nothing: str) -> None:
    assert await say(engine, nothing) == b""


async def test_a_sentence_that_is_cut_off_does_not_hold_up_the_next(engine: Engine) -> None:
    sentence = "This goes on and on, and nobody will hear the end of it, for somebody breaks in. "
    async with aclosing(engine.voice().speak(sentence)) as sound:
        async for _ in sound:
            break
    async with asyncio.timeout(2):
        assert await say(engine, "Yes?")


async def test_two_sessions_do_not_hear_each_other(engine: Engine) -> None:
    sentences = ["One, two, three, four, five, six.", "Yes."]
    alone = [await say(engine, sentence) for sentence in sentences]
    together = await asyncio.gather(*(say(engine, sentence) for sentence in sentences))
    rate = 2 * engine.sample_rate
    assert [len(pcm) / rate for pcm in together] == pytest.approx([len(pcm) / rate for pcm in alone], abs=0.1)


async def test_a_closed_voice_speaks_no_more(engine: Engine) -> None:
    await say(engine, "Yes.")
    await engine.aclose()
    with pytest.raises(UpstreamFailed, match="closed"):
        await say(engine, "Yes.")


class Slow:
    """A synthesiser of a test's own: it waits, or fails."""

    sample_rate = 16_000

    def __init__(self, *, fails: bool = False) -> None:
        self.go = Event()
        self.said: list[str] = []
        self.fails = fails

    def open(self) -> None:
        pass

    def say(self, text: str, take: Take) -> None:
        self.said.append(text)
        if self.fails:
            raise RuntimeError("no")
        while take(bytes(320)) and not self.go.is_set():
            time.sleep(0.001)

    def close(self) -> None:
        pass


async def test_the_loop_goes_on_while_a_slow_voice_speaks() -> None:
    slow = Slow()
    engine = Engine(slow)
    speaking = asyncio.ensure_future(say(engine, "Hello."))
    for _ in range(20):
        await asyncio.sleep(0.001)
    assert not speaking.done()
    slow.go.set()
    assert await speaking
    await engine.aclose()


async def test_a_sentence_given_up_before_its_turn_is_never_made() -> None:
    slow = Slow()
    engine = Engine(slow)
    first = asyncio.ensure_future(say(engine, "First."))
    second = asyncio.ensure_future(say(engine, "Second."))
    await asyncio.sleep(0.02)
    second.cancel()
    await asyncio.wait([second])
    slow.go.set()
    await first
    await engine.aclose()
    assert slow.said == ["First."]


async def test_a_voice_that_fails_is_told() -> None:
    engine = Engine(Slow(fails=True))
    with pytest.raises(UpstreamFailed, match="failed"):
        await say(engine, "Hello.")
    await engine.aclose()
    await engine.aclose()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("**Great** — I’ve moved it", "Great , I've moved it"),
        ("Café & bar 🎉", "Cafe and bar"),
        ("# Title\n- `code`", "Title - code"),
    ],
)
def test_only_what_can_be_said_is_spoken(text: str, said: str) -> None:
    assert speakable(text) == said


def test_without_any_voice_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Flite, "installed", lambda: False)
    monkeypatch.setattr(Espeak, "installed", lambda: False)
    with pytest.raises(BadConfig, match="libflite1"):
        make_engine()
