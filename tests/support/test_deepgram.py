"""The scripted Deepgram itself: each rule a client breaks is found, and what it does reaches the client."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from copy import deepcopy

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from bridge.core.model import AudioFormat
from tests.support.deepgram import DeepgramSession, FunctionAsk, ScriptedDeepgram, tone
from tests.support.deepgram_echo import Echo
from tests.support.deepgram_schema import fault

SETTINGS: dict[str, object] = {
    "type": "Settings",
    "audio": {
        "input": {"encoding": "linear16", "sample_rate": 16000},
        "output": {"encoding": "linear16", "sample_rate": 24000, "container": "none"},
    },
    "agent": {
        "listen": {"provider": {"type": "deepgram", "version": "v1", "model": "nova-3"}},
        "think": {
            "provider": {"type": "open_ai", "model": "gpt-4o-mini"},
            "prompt": "…",
            "functions": [{"name": "add_note", "description": "…", "parameters": {"type": "object"}}],
        },
        "speak": {"provider": {"type": "deepgram", "model": "aura-2-thalia-en"}},
        "greeting": "Hello",
    },
}


@asynccontextmanager
async def client(deepgram: ScriptedDeepgram) -> AsyncIterator[ClientConnection]:
    """A client that does only what the test does."""
    headers = {"Authorization": "token test-key"}
    async with connect(deepgram.url, additional_headers=headers, proxy=None) as socket:
        yield socket


async def send(socket: ClientConnection, message: Mapping[str, object]) -> None:
    await socket.send(json.dumps(message))


async def receive(socket: ClientConnection, kind: str) -> dict[str, object]:
    """The next message of that type; others are skipped."""
    async with asyncio.timeout(5):
        while True:
            frame = await socket.recv()
            if isinstance(frame, str) and (message := json.loads(frame))["type"] == kind:
                assert isinstance(message, dict)
                return message


def changed(path: str, value: object) -> dict[str, object]:
    """SETTINGS with another value at a dotted path; `...` takes the key away."""
    settings = deepcopy(SETTINGS)
    *steps, last = path.split(".")
    inner = settings
    for step in steps:
        below = inner[step]
        assert isinstance(below, dict)
        inner = below
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return settings


def test_good_settings_are_taken() -> None:
    assert fault(SETTINGS) is None


FUNCTION = {"name": "f", "description": "", "parameters": {"type": "object"}}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("audio", ...),
        ("audio.input.sample_rate", ...),
        ("audio.input.encoding", "pcm"),
        ("audio.output.container", "webm"),
        ("flags", {"history": "no"}),
        ("settings", {"flags": {}}),
        ("bridge", {"context": {}}),
        ("agent.language", 7),
        ("agent.listen.provider", {"type": "deepgram", "model": "flux-general-en"}),
        ("agent.listen.provider", {"type": "deepgram", "version": "v2", "model": "nova-3"}),
        ("agent.think.provider", {"type": "open_ai"}),
        ("agent.think.prompt", "x" * 25_001),
        ("agent.think.functions", [{**FUNCTION, "client_side": True}]),
        ("agent.think.functions", [{"type": "function", "function": FUNCTION}]),
        ("agent.think.functions", [{**FUNCTION, "parameters": {"type": "object", "x-bridge": {}}}]),
        ("agent.speak.provider", {"type": "deepgram", "model": "aura-2-thalia-en", "language": "en"}),
        ("agent.context", {"messages": [{"role": "user", "content": "without its type"}]}),
        ("agent.context", {"messages": [{"type": "History", "function_calls": [{"id": "1", "name": "f"}]}]}),
    ],
)
def test_bad_settings_are_found(path: str, value: object) -> None:
    assert fault(changed(path, value)) is not None


def test_a_fault_says_where_it_is() -> None:
    wrong = fault(changed("agent.think.functions", [{**FUNCTION, "client_side": True}]))
    assert wrong is not None
    assert wrong.startswith("Settings: agent.think.functions.0")


# ── rules ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("frames", "code", "broken"),
    [
        ([b"\x00\x00"], "BINARY_MESSAGE_BEFORE_SETTINGS", "sound before SettingsApplied"),
        (
            [{"type": "KeepAlive"}],
            "NON_SETTINGS_MESSAGE_BEFORE_SETTINGS",
            "KeepAlive before Settings",
        ),
        ([SETTINGS, SETTINGS], "SETTINGS_ALREADY_APPLIED", "a second Settings"),
        ([{"type": "Settings"}], "INVALID_SETTINGS", '"audio" is a required property'),
        ([SETTINGS, {"type": "Nonsense"}], "UNPARSABLE_CLIENT_MESSAGE", "'Nonsense'"),
        ([SETTINGS, {"type": "InjectUserMessage"}], "UNPARSABLE_CLIENT_MESSAGE", "content"),
        ([SETTINGS, "not json"], "UNPARSABLE_CLIENT_MESSAGE", "not JSON"),
        (
            [SETTINGS, {"type": "FunctionCallResponse", "name": "f", "content": ""}],
            "UNPARSABLE_CLIENT_MESSAGE",
            '"id" is a required property',
        ),
    ],
)
async def test_a_broken_rule_is_answered_and_fails_the_test(
    frames: list[object], code: str, broken: str
) -> None:
    async def break_it(deepgram: ScriptedDeepgram) -> None:
        async with deepgram, client(deepgram) as socket:
            for frame in frames:
                await socket.send(frame if isinstance(frame, bytes | str) else json.dumps(frame))
            assert (await receive(socket, "Error"))["code"] == code

    deepgram = ScriptedDeepgram()
    with pytest.raises(AssertionError, match="broke rules"):
        await break_it(deepgram)
    assert broken in deepgram.violations[0]


async def test_sound_between_settings_and_applied_is_too_early() -> None:
    async with ScriptedDeepgram(applies=False) as deepgram, client(deepgram) as socket:
        await send(socket, SETTINGS)
        await deepgram.session()
        await socket.send(b"\x00\x00")
        await receive(socket, "Error")
        assert len(deepgram.forgive()) == 1


@asynccontextmanager
async def talking() -> AsyncIterator[tuple[ScriptedDeepgram, DeepgramSession, ClientConnection]]:
    """A session whose Settings are applied."""
    async with ScriptedDeepgram() as deepgram, client(deepgram) as socket:
        await send(socket, SETTINGS)
        yield deepgram, await deepgram.session(), socket


def response(call_id: str, name: str = "add_note") -> dict[str, object]:
    return {"type": "FunctionCallResponse", "id": call_id, "name": name, "content": "ok"}


async def test_wrong_answers_are_found() -> None:
    async with talking() as (deepgram, agent, socket):
        first, second, own = await agent.call_all(
            FunctionAsk("add_note"), FunctionAsk("add_note"), FunctionAsk("lookup", client_side=False)
        )
        answers = [response("fc_x"), response(first, "other"), response(own, "lookup")]
        for answer in [*answers, response(second), response(second)]:
            await send(socket, answer)
        for _ in range(5):
            await agent.expect("FunctionCallResponse")
        assert agent.unanswered == [first]
        found = deepgram.forgive()
    assert len(found) == 4
    for text, violation in zip(
        ["nobody asked", "under the name", "of the server's own", "second answer"], found, strict=True
    ):
        assert text in violation


async def test_an_answer_to_a_cancelled_call_is_only_recorded() -> None:
    async with talking() as (_, agent, socket):
        call = await agent.call("add_note")
        await agent.cancel(call)
        await send(socket, response(call))
        await agent.expect("FunctionCallResponse")
        assert agent.late_answers == [call]


async def test_an_empty_sound_frame_is_found() -> None:
    async with talking() as (deepgram, agent, socket):
        await socket.send(b"")
        await send(socket, {"type": "KeepAlive"})
        await agent.expect("KeepAlive")
        assert "an empty binary frame" in deepgram.forgive()[0]


@pytest.mark.parametrize("settings_first", [True, False])
async def test_a_silent_client_is_timed_out(*, settings_first: bool) -> None:
    limits = {"settings_seconds": 5.0 if settings_first else 0.1, "idle_seconds": 0.1}
    async with ScriptedDeepgram(**limits) as deepgram, client(deepgram) as socket:  # type: ignore[arg-type]
        if settings_first:
            await send(socket, SETTINGS)
        assert (await receive(socket, "Error"))["code"] == "CLIENT_MESSAGE_TIMEOUT"
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1011
        assert len(deepgram.forgive()) == 1


async def test_messages_other_than_keep_alive_do_not_keep_alive() -> None:
    async with ScriptedDeepgram(idle_seconds=0.3) as deepgram, client(deepgram) as socket:
        await send(socket, SETTINGS)
        async with asyncio.timeout(5):
            while not deepgram.violations:
                await asyncio.sleep(0.05)
                if socket.state.name == "OPEN":
                    await send(socket, {"type": "InjectUserMessage", "content": "hello"})
        assert "no sound and no KeepAlive" in deepgram.forgive()[0]


# ── help for tests ─────────────────────────────────────────────────────────────────────────────────────


async def test_what_does_not_come_fails_with_what_came() -> None:
    async with talking() as (_, agent, socket):
        with pytest.raises(AssertionError, match=r"KeepAlive did not come within .*: Settings and 0 bytes"):
            await agent.expect("KeepAlive", within=0.05)
        await socket.close()
        with pytest.raises(AssertionError, match="the client left"):
            await agent.expect("KeepAlive")
        assert await agent.expect_close() == 1000


async def test_a_script_that_fails_fails_the_test() -> None:
    async def script(_: DeepgramSession) -> None:
        raise KeyError("oops")

    async def talk() -> None:
        async with ScriptedDeepgram(script=script) as deepgram, client(deepgram) as socket:
            await send(socket, SETTINGS)
            await deepgram.session()

    with pytest.raises(ExceptionGroup, match="script"):
        await talk()


@pytest.mark.parametrize(("encoding", "size"), [("linear16", 3840), ("mulaw", 1920), ("alaw", 1920)])
def test_a_tone_has_the_right_length(encoding: str, size: int) -> None:
    assert len(tone(80, AudioFormat(encoding, 24000))) == size


# ── the echo ───────────────────────────────────────────────────────────────────────────────────────────


async def test_the_echo_greets_hears_speech_calls_and_says_the_answer() -> None:
    echo = Echo(
        spoken=["note milk and tea"], calls={"milk": FunctionAsk("add_note"), "tea": FunctionAsk("add_note")}
    )
    async with ScriptedDeepgram(script=echo) as deepgram, client(deepgram) as socket:
        await send(socket, SETTINGS)
        assert (await receive(socket, "ConversationText"))["content"] == "Hello"
        await receive(socket, "AgentAudioDone")
        await socket.send(tone(200, AudioFormat()))
        await receive(socket, "UserStartedSpeaking")
        await socket.send(bytes(16000))
        assert (await receive(socket, "ConversationText"))["content"] == "note milk and tea"
        functions = (await receive(socket, "FunctionCallRequest"))["functions"]
        assert isinstance(functions, list)
        for function in functions:
            await send(socket, response(function["id"]))
        assert (await receive(socket, "ConversationText"))["content"] == "ok ok"


async def test_the_echo_withdraws_calls_when_the_user_goes_on() -> None:
    async with (
        ScriptedDeepgram(script=Echo(calls={"milk": FunctionAsk("add_note")})) as deepgram,
        client(deepgram) as socket,
    ):
        await send(socket, SETTINGS)
        await send(socket, {"type": "InjectUserMessage", "content": "note milk"})
        await receive(socket, "FunctionCallRequest")
        await send(socket, {"type": "InjectUserMessage", "content": "never mind"})
        await receive(socket, "FunctionCallCancelled")
        assert (await receive(socket, "ConversationText"))["content"] == "never mind"
        assert (await receive(socket, "ConversationText"))["content"] == "You said: never mind"
