"""What a session leaves behind when it is over: nothing that only the garbage collector could find."""

import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.bridge import running
from tests.support.client import client
from tests.support.deepgram import ScriptedDeepgram
from tests.support.deepgram_echo import Echo


@contextmanager
def garbage_kept() -> Iterator[list[object]]:
    """What is found in cycles stays in the list."""
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield gc.garbage
    finally:
        gc.set_debug(0)
        gc.garbage.clear()


@pytest.mark.parametrize("upstream", ["deepgram", "local"])
async def test_a_session_leaves_nothing_of_ours_in_cycles(tmp_path: Path, upstream: str) -> None:
    async with (
        ScriptedDeepgram(key=None, script=Echo()) as deepgram,
        running(tmp_path, upstream=upstream, deepgram_agent_url=deepgram.url) as server,
    ):
        with garbage_kept() as garbage:
            async with client(server.ws) as talker:
                await talker.settle()
                await talker.send(type="InjectUserMessage", content="hello")
                await talker.expect("ConversationText")
            await server.app.sessions.drain(0.0)
            gc.unfreeze()
            gc.collect()
            ours = Counter(type(each).__qualname__ for each in garbage if _is_ours(each))
    assert ours == {}


def _is_ours(each: object) -> bool:
    return type(each).__module__.partition(".")[0] in {"bridge", "persistence", "intents"}
