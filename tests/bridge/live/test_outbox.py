"""What waits for a socket: order and bounds."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from bridge import wire
from bridge.core import commands as do
from bridge.core import events as ev
from bridge.core.model import Cursor, Entry, Message, Role
from bridge.errors import PeerGone
from bridge.live import ends
from bridge.live.ends import TOO_SLOW, Line, Seat
from bridge.live.outbox import MESSAGE_BYTES, Outbox, weigh
from bridge.ports import Credit, Take
from bridge.upstreams.deepgram import messages as deepgram
from tests.bridge.test_wire import NEWS


async def taken(outbox: Outbox[str], count: int) -> list[bytes | str]:
    async with asyncio.timeout(1):
        return [await outbox.take() for _ in range(count)]


async def test_sound_and_messages_leave_in_the_order_they_came() -> None:
    outbox: Outbox[str] = Outbox()
    outbox.put_sound(b"1")
    outbox.put("two")
    outbox.put_sound(b"3")
    assert await taken(outbox, 3) == [b"1", "two", b"3"]


async def test_taking_waits_for_something_to_come() -> None:
    outbox: Outbox[str] = Outbox()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(outbox.take())
        await asyncio.sleep(0)
        assert not waiting.done()
        outbox.put("x")
    assert waiting.result() == "x"


async def test_the_oldest_sound_goes_when_too_much_waits_and_messages_never_do() -> None:
    outbox: Outbox[str] = Outbox()
    outbox.max_sound = 3
    outbox.put("kept")
    for frame in (b"1", b"2", b"3", b"4", b"5"):
        outbox.put_sound(frame)
    assert outbox.collect_dropped() == 2
    assert outbox.collect_dropped() == 0
    assert await taken(outbox, 4) == ["kept", b"3", b"4", b"5"]


async def test_clearing_sound_keeps_messages() -> None:
    outbox: Outbox[str] = Outbox()
    outbox.put_sound(b"1")
    outbox.put("kept")
    outbox.clear_sound()
    assert await taken(outbox, 1) == ["kept"]
    assert outbox.collect_dropped() == 0


# ── writing directly ───────────────────────────────────────────────────────────────────────────────────


class Wire:
    """ports.Direct: notes what is written; takes nothing while it is full."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.full = False

    def write(self, sound: bytes) -> bool:
        if not self.full:
            self.written.append(sound)
        return not self.full

    def credit(self) -> Credit:
        return Credit(self.write)


async def _idle(outbox: Outbox[str]) -> None:
    """Somebody waits at the outbox; whoever calls this goes on."""
    await asyncio.sleep(0)
    assert outbox.idle


async def test_sound_goes_straight_to_a_socket_that_takes_it() -> None:
    outbox, wire_ = Outbox[str](), Wire()
    outbox.connect(wire_)
    async with asyncio.TaskGroup() as group:
        taking = group.create_task(taken(outbox, 1))
        await _idle(outbox)
        outbox.put_sound(b"1")
        outbox.put_sound(b"2")
        assert wire_.written == [b"1", b"2"]
        outbox.put("end")
    assert taking.result() == ["end"]


async def test_what_waits_is_never_overtaken() -> None:
    outbox, wire_ = Outbox[str](), Wire()
    outbox.connect(wire_)
    outbox.put_sound(b"before anybody takes")
    async with asyncio.TaskGroup() as group:
        taking = group.create_task(taken(outbox, 5))
        await asyncio.sleep(0)
        wire_.full = True
        outbox.put_sound(b"2")
        wire_.full = False
        outbox.put_sound(b"3")
        outbox.put("four")
        outbox.put_sound(b"5")
    assert taking.result() == [b"before anybody takes", b"2", b"3", "four", b"5"]
    assert wire_.written == []


async def test_what_may_follow_straight_may_no_more_once_something_waits() -> None:
    outbox, wire_ = Outbox[str](), Wire()
    outbox.connect(wire_)
    assert outbox.put_sound(b"nobody takes yet") is None
    async with asyncio.TaskGroup() as group:
        taking = group.create_task(taken(outbox, 3))
        await _idle(outbox)
        credit = outbox.put_sound(b"1")
        assert credit
        assert credit.most
        assert credit.write(b"2")
        outbox.put("three")
        assert not credit.most
        assert outbox.put_sound(b"4") is None
    assert taking.result() == [b"nobody takes yet", "three", b"4"]
    assert wire_.written == [b"1", b"2"]


async def test_while_something_is_being_sent_sound_waits() -> None:
    outbox, wire_ = Outbox[str](), Wire()
    outbox.connect(wire_)
    outbox.put("being sent")
    assert await taken(outbox, 1) == ["being sent"]
    outbox.put_sound(b"next")
    assert await taken(outbox, 1) == [b"next"]
    assert wire_.written == []


# ── bytes ──────────────────────────────────────────────────────────────────────────────────────────────

TEXTS = ["", "hello " * 20, "\u00fc\u4f60\U0001f600" * 300, '\n\0"' * 300, "x" * 100_000]


def shown(text: str) -> do.Shown:
    said = Message(Role.ASSISTANT, text)
    return do.Shown(
        Entry(
            conversation_id="c" * 36,
            user_id="u" * 36,
            cursor=Cursor(1, 2),
            at=datetime.now(UTC),
            what=said,
        )
    )


@pytest.mark.parametrize("name", NEWS)
def test_what_news_weighs_is_about_what_it_has_on_the_wire(name: str) -> None:
    assert abs(weigh(NEWS[name]) - len(wire.write(NEWS[name]) or "")) < 400


@pytest.mark.parametrize("text", TEXTS)
def test_the_same_whatever_the_text(text: str) -> None:
    raw = {"type": "Odd", "deep": [{"text": text}] * 3}
    for news in (shown(text), do.Warned("X", text), ev.AgentSaidOther(raw)):
        assert abs(weigh(news) - len((wire.write(news) or "").encode())) < 400
    for ask in (do.Hear(text), do.Answer("id", "name", text, text), do.Speak(text), do.Steer(raw)):
        assert abs(weigh(ask) - len(deepgram.write(ask).encode())) < 400


def test_what_is_no_json_weighs_something_too() -> None:
    assert weigh(do.Hear("\ud800" * 1000)) >= 3000
    assert weigh(do.Steer({"n": 2**70, "text": "x" * 1000})) > 1000


async def test_what_waits_is_counted_and_what_is_taken_no_more() -> None:
    outbox: Outbox[do.Ask] = Outbox()
    outbox.put(do.Hear("x" * MESSAGE_BYTES))
    assert outbox.crowded
    outbox.put_sound(bytes(640))
    await outbox.take()
    assert (outbox.crowded, outbox.message_bytes) == (False, 0)
    outbox.put(do.Hear("x" * MESSAGE_BYTES))
    outbox.clear()
    assert outbox.message_bytes == 0


# ── the ends ───────────────────────────────────────────────────────────────────────────────────────────


class Stuck:
    """ports.Transport to a client that takes `room` frames, then nothing more."""

    stays = True

    def __init__(self, room: int) -> None:
        self.room = room
        self.sent: list[object] = []
        self.closed: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.goes_on = asyncio.Event()

    async def send(self, frame: bytes | do.News) -> None:
        if len(self.sent) >= self.room:
            try:
                async with asyncio.timeout(1):
                    await self.goes_on.wait()
            except TimeoutError:
                raise PeerGone("stuck") from None
        self.sent.append(frame)

    def tell(self, news: do.News) -> bool:
        return False

    async def close(self, code: int, reason: str) -> None:
        if not self.closed.done():
            self.closed.set_result(code)

    async def read(self, take: Take) -> None:
        """Nothing comes from it."""


class Quick(Stuck):
    """ports.Transport and ports.Direct: takes everything at once, but while it is full."""

    def __init__(self) -> None:
        super().__init__(1000)
        self.full = False

    def tell(self, news: do.News) -> bool:
        if not self.full:
            self.sent.append(news)
        return not self.full

    def write(self, sound: bytes) -> bool:
        if not self.full:
            self.sent.append(sound)
        return not self.full

    def credit(self) -> Credit:
        return Credit(self.write)


async def test_news_go_straight_to_a_client_that_takes_them_and_sound_stays_straight() -> None:
    quick = Quick()
    seat = Seat(quick)
    async with asyncio.TaskGroup() as group:
        group.create_task(seat.pump())
        await asyncio.sleep(0)
        credit = seat.outbox.put_sound(b"1")
        seat.tell(do.Applied())
        assert quick.sent == [b"1", do.Applied()]
        assert credit
        assert credit.most
        seat.close(1000, "done")
    assert quick.closed.result() == 1000


async def test_news_that_would_have_to_wait_keep_their_place() -> None:
    quick = Quick()
    seat = Seat(quick)
    seat.tell(do.Ponged("before anybody takes"))
    async with asyncio.TaskGroup() as group:
        group.create_task(seat.pump())
        await asyncio.sleep(0)
        credit = seat.outbox.put_sound(b"1")
        quick.full = True
        seat.tell(do.Ponged("2"))
        assert credit
        assert not credit.most
        quick.full = False
        seat.tell(do.Ponged("3"))
        assert seat.outbox.put_sound(b"4") is None
        seat.close(1000, "done")
    assert quick.sent == [do.Ponged("before anybody takes"), b"1", do.Ponged("2"), do.Ponged("3"), b"4"]


async def _seated(stuck: Stuck, news: list[do.News]) -> int:
    """The close code a client gets that is told all this at once."""
    seat = Seat(stuck)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        pump = group.create_task(seat.pump())
        for each in news:
            seat.tell(each)
        code = await stuck.closed
        pump.cancel()
    return code


async def test_a_client_that_leaves_too_much_unread_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends, "BURST_SECONDS", 0.05)
    stuck = Stuck(1)
    asyncio.get_running_loop().call_later(0.1, stuck.goes_on.set)
    assert await _seated(stuck, [shown("x" * 10_000)] * 30) == TOO_SLOW
    assert len(stuck.sent) <= 2


async def test_what_comes_at_once_closes_nobody_who_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends, "BURST_SECONDS", 0.05)
    stuck = Stuck(1000)
    seat = Seat(stuck)
    async with asyncio.TaskGroup() as group:
        group.create_task(seat.pump())
        for _ in range(60):
            seat.tell(shown("x" * 10_000))
        await asyncio.sleep(0.1)
        seat.close(1000, "done")
    assert stuck.closed.result() == 1000
    assert len(stuck.sent) == 60


async def test_never_do_more_than_some_megabytes_wait() -> None:
    seat = Seat(Stuck(0))
    for _ in range(50):
        seat.tell(shown("x" * 100_000))
    assert seat.outbox.message_bytes < 100_000
    assert await seat.outbox.take() == ends.Close(TOO_SLOW, "too slow")


async def test_what_is_replayed_closes_nobody() -> None:
    seat = Seat(Stuck(0))
    for _ in range(500):
        seat.tell(do.Replayed(shown("x" * 10_000).entry))
    assert not seat.outbox.crowded
    assert isinstance(await seat.outbox.take(), do.Replayed)


async def test_an_agent_that_takes_nothing_is_asked_no_more() -> None:
    line = Line(lambda *_: None)
    asked = [line.ask(do.Hear("x" * 10_000)) for _ in range(40)]
    assert asked == [True] * 27 + [False] * 13
    assert line.outbox.message_bytes < MESSAGE_BYTES + 11_000


async def test_it_tells_how_many_bytes_wait() -> None:
    outbox = Outbox[str]()
    outbox.put_sound(bytes(100))
    outbox.put("message", 20)
    assert outbox.queued_bytes == 120
    await taken(outbox, 2)
    assert outbox.queued_bytes == 0
