"""An open session between our client and the scripted Deepgram."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bridge.ports import Brief
from bridge.upstreams.deepgram import on_picows
from bridge.upstreams.deepgram.dialling import Dial, Timeouts
from bridge.upstreams.deepgram.socket import DeepgramUpstreams
from tests.support.briefs import brief
from tests.support.deepgram import DeepgramSession, ScriptedDeepgram
from tests.support.upstreams import Reading, open_and_read


@asynccontextmanager
async def opened(
    deepgram: ScriptedDeepgram,
    told: Brief | None = None,
    *,
    timeouts: Timeouts | None = None,
    key: str | None = "test-key",
    dial: Dial = on_picows.dial,
) -> AsyncIterator[tuple[Reading, DeepgramSession]]:
    """An open upstream that is being read, and the agent's end of it."""
    upstreams = DeepgramUpstreams(deepgram.url, key, dial=dial, timeouts=timeouts)
    async with open_and_read(upstreams, told or brief()) as reading:
        yield reading, await deepgram.session()
