"""The local ear on spoken sentences, and the processes behind it: shared, bounded, never left behind."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from bridge.errors import BadConfig, UpstreamFailed
from bridge.upstreams.cascade.hearing import pocketsphinx, worker
from bridge.upstreams.cascade.hearing.crew import Crew
from bridge.upstreams.cascade.hearing.pocketsphinx import PocketSphinx, make_crew
from bridge.upstreams.cascade.parts import FRAME_BYTES, Heard

pytest.importorskip("pocketsphinx", reason="the local ear's tests need the extra `local`: make setup")

ROOT = Path(__file__).parents[5]
MODEL = ROOT / "config" / "agents" / "flux" / "hearing"
VOICES = ROOT / "tests" / "fixtures" / "voices"


@pytest.fixture
async def crew() -> AsyncIterator[Crew]:
    made = make_crew(MODEL, processes=1)
    yield made
    await made.aclose()


def frames(name: str) -> list[bytes]:
    """A sentence with 0.3 s of silence before and 0.5 s after, in frames of 20 ms."""
    with wave.open(str(VOICES / f"{name}.wav"), "rb") as file:
        pcm = bytes(9_600) + file.readframes(file.getnframes()) + bytes(16_000)
    return [pcm[at : at + FRAME_BYTES] for at in range(0, len(pcm), FRAME_BYTES)]


async def hear(ear: PocketSphinx, name: str) -> Heard:
    await ear.start()
    for frame in frames(name):
        await ear.hear(frame)
    return await ear.finish()


def processes() -> list[psutil.Process]:
    children = psutil.Process().children()
    return [child for child in children if "hearing.worker" in " ".join(child.cmdline())]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("goal_slt", "i want to learn spanish in three months"),
        ("goal_rms", "i want to learn spanish in three months"),
        ("task_slt", "remind me to call mom tomorrow at five pm"),
        ("task_awb", "remind me to call mom tomorrow at five pm"),
        ("reschedule_rms", "move my dentist appointment to friday at ten am"),
        ("yes_slt", "yes"),
        ("yes_kal16", "yes"),
        ("never_mind_rms", "never mind"),
    ],
)
async def test_it_understands_what_the_agent_is_for(crew: Crew, name: str, words: str) -> None:
    heard = await hear(PocketSphinx(crew), name)
    assert heard.text == words
    assert 0 < heard.confidence <= 1


async def test_silence_is_no_words(crew: Crew) -> None:
    ear = PocketSphinx(crew)
    await ear.start()
    await ear.hear(bytes(32_000))
    assert (await ear.finish()).text == ""


async def test_the_words_so_far_can_be_read_while_somebody_talks(crew: Crew) -> None:
    ear = PocketSphinx(crew)
    await ear.start()
    for frame in frames("goal_slt"):
        await ear.hear(frame)
    async with asyncio.timeout(10):
        while "learn spanish" not in ear.partial:  # noqa: ASYNC110 - it is read, not told
            await asyncio.sleep(0.01)
    await ear.finish()
    assert ear.partial == ""


async def test_several_talk_at_once(crew: Crew) -> None:
    names = ["goal_slt", "task_awb", "never_mind_rms"]
    heard = await asyncio.gather(*(hear(PocketSphinx(crew), name) for name in names))
    assert [each.text.split()[0] for each in heard] == ["i", "remind", "never"]
    assert len(processes()) == 1


async def test_a_dropped_utterance_leaves_no_trace_in_the_next(crew: Crew) -> None:
    ear = PocketSphinx(crew)
    await ear.start()
    for frame in frames("goal_slt"):
        await ear.hear(frame)
    await ear.cancel()
    assert (await hear(ear, "never_mind_rms")).text == "never mind"


async def test_a_result_nobody_waited_for_is_not_given_to_the_next_utterance(crew: Crew) -> None:
    ear = PocketSphinx(crew)
    task = asyncio.create_task(hear(ear, "goal_slt"))
    await asyncio.sleep(0.5)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert (await hear(ear, "never_mind_rms")).text == "never mind"


async def test_without_an_utterance_there_is_nothing_to_finish_or_cancel(crew: Crew) -> None:
    ear = PocketSphinx(crew)
    await ear.cancel()
    await ear.hear(bytes(FRAME_BYTES))
    assert (await ear.finish()).text == ""
    assert processes() == []


async def test_one_too_many_is_not_understood_but_does_no_harm(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        pocketsphinx, "FINISH_SECONDS", 60
    )  # all decoders are made at once, on a busy machine
    ears = [PocketSphinx(crew) for _ in range(worker.MOST_DECODERS + 1)]
    for ear in ears:
        await ear.start()
    assert (await ears[-1].finish()).text == ""
    for ear in ears:
        await ear.aclose()
    assert (await hear(ears[-1], "yes_slt")).text == "yes"


async def test_a_process_that_dies_is_told_and_replaced(crew: Crew) -> None:
    ear = PocketSphinx(crew)
    await ear.start()
    processes()[0].kill()
    with pytest.raises(UpstreamFailed, match="gone"):
        await ear.finish()
    assert (await hear(ear, "yes_slt")).text == "yes"


async def test_closing_leaves_no_process(crew: Crew) -> None:
    await crew.warm()
    assert len(processes()) == 1
    await crew.aclose()
    assert processes() == []
    with pytest.raises(UpstreamFailed, match="closed"):
        await PocketSphinx(crew).start()


async def test_a_process_that_does_not_end_is_ended(crew: Crew) -> None:
    await crew.warm()
    processes()[0].send_signal(signal.SIGSTOP)
    await crew.aclose()
    assert processes() == []


def test_a_killed_server_leaves_no_process() -> None:
    server = textwrap.dedent(f"""
        import asyncio, pathlib
        from bridge.upstreams.cascade.hearing.pocketsphinx import PocketSphinx, make_crew

        async def main():
            ear = PocketSphinx(make_crew(pathlib.Path({str(MODEL)!r})))
            await ear.start()
            await ear.finish()
            print("heard", flush=True)
            await asyncio.sleep(60)

        asyncio.run(main())
    """)
    with subprocess.Popen([sys.executable, "-c", server], stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        while b"heard" not in (line := process.stdout.readline()):
            assert line
        child, *_ = psutil.Process(process.pid).children()
        os.kill(process.pid, signal.SIGKILL)
    gone, alive = psutil.wait_procs([child], timeout=5)
    assert (len(gone), alive) == (1, [])


def test_an_agent_without_a_model_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="build-language-model"):
        make_crew(tmp_path)
