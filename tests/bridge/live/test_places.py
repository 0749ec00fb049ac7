"""So many agent sessions at a time: who waits, who is turned away, who comes first."""

from __future__ import annotations

import asyncio

import pytest

from bridge.core.model import Message, Role
from bridge.errors import UpstreamBusy, UpstreamFailed
from bridge.live.places import Places
from bridge.ports import Brief, Credit, Direct
from tests.support.briefs import brief
from tests.support.echo import EchoUpstream, EchoUpstreams
from tests.support.playbook import entry


def talk(*, goes_on: bool = False) -> Brief:
    return brief(history=(entry(0, Message(Role.USER, "hi")),) if goes_on else ())


def places(*, most: int = 1, queue: int = 2, wait: float = 5.0) -> Places:
    return Places(EchoUpstreams(), most=most, queue=queue, wait=wait)


async def waiting(room: Places, count: int) -> None:
    async with asyncio.timeout(5):
        while room.waiting != count:  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_the_last_place_is_given_and_the_next_is_waited_for() -> None:
    room = places(most=2)
    first, _ = await room.open(talk()), await room.open(talk())
    async with asyncio.TaskGroup() as group:
        third = group.create_task(room.open(talk()))
        await waiting(room, 1)
        assert not third.done()
        await first.close()
        await first.close()  # once more gives no second place
    assert room.waiting == 0
    async with asyncio.TaskGroup() as group:
        fourth = group.create_task(room.open(talk()))
        await waiting(room, 1)
        assert not fourth.done()
        fourth.cancel()


async def test_of_those_who_wait_one_too_many_is_turned_away_at_once() -> None:
    room = places(queue=1)
    first = await room.open(talk())
    async with asyncio.TaskGroup() as group:
        group.create_task(room.open(talk()))
        await waiting(room, 1)
        with pytest.raises(UpstreamBusy):
            await room.open(talk())
        await first.close()


async def test_talks_that_go_on_come_before_one_that_begins_each_in_its_turn() -> None:
    room, order = places(queue=3), []

    async def come(name: str, brief: Brief) -> None:
        upstream = await room.open(brief)
        order.append(name)
        await upstream.close()

    first = await room.open(talk())
    async with asyncio.TaskGroup() as group:
        group.create_task(come("new", talk()))
        await waiting(room, 1)
        for count, name in enumerate(["old", "older"], start=2):
            group.create_task(come(name, talk(goes_on=True)))
            await waiting(room, count)
        await first.close()
    assert order == ["old", "older", "new"]


async def test_nobody_waits_for_ever_and_whoever_gives_up_leaves_no_place_behind() -> None:
    room = places(wait=0.05)
    first = await room.open(talk())
    with pytest.raises(UpstreamBusy):
        await room.open(talk())
    async with asyncio.TaskGroup() as group:
        patient = group.create_task(room.open(talk()))
        await waiting(room, 1)
        patient.cancel()
    assert room.waiting == 0
    await first.close()
    await (await room.open(talk())).close()


async def test_an_agent_that_cannot_be_opened_keeps_no_place() -> None:
    class Broken(EchoUpstreams):
        async def open(self, brief: Brief) -> EchoUpstream:
            raise UpstreamFailed("no", retry=False)

    room = Places(Broken(), most=1, queue=0)
    for _ in range(3):
        with pytest.raises(UpstreamFailed, match="no"):
            await room.open(talk())


async def test_who_can_be_written_to_directly_still_can() -> None:
    class DirectEcho(EchoUpstream):
        def write(self, sound: bytes) -> bool:
            return bool(sound)

        def credit(self) -> Credit:
            return Credit(self.write)

    class DirectUpstreams(EchoUpstreams):
        async def open(self, brief: Brief) -> DirectEcho:
            return DirectEcho()

    upstream = await Places(DirectUpstreams(), most=1, queue=0).open(talk())
    assert isinstance(upstream, Direct)
    assert upstream.write(b"x")
    assert upstream.credit()
    assert not isinstance(await places().open(talk()), Direct)
