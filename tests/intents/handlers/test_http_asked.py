"""What is done elsewhere and cannot be undone: sent on the user's answer only, once for each answer."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from bridge.core.agent import Effect
from bridge.core.model import Outcome, Status
from tests.intents.handlers.test_http import Service, hang, shopping
from tests.intents.rig import Rig

QUESTION = "That cannot be undone: shall I really do it, order?"


async def order(made: Rig, call_id: str, answered: str = "", what: str = "milk") -> Outcome:
    """The call; the user has answered what was asked about that other one."""
    keys = frozenset([("request-1", answered)] if answered else [])
    return await made.executor.run(replace(made.of("order", {"what": what}, call_id), answered=keys))


async def test_nothing_is_sent_before_the_user_has_answered(tmp_path: Path) -> None:
    service = Service()
    async with shopping(tmp_path, service, effect=Effect.DESTRUCTIVE) as made:
        asked = await order(made, "c1")
        for answered in ("", "c0", "c2"):
            assert (await order(made, "c2", answered)).status is Status.UNCONFIRMED
        assert (await order(made, "c3", "c1", what="bread")).status is Status.UNCONFIRMED
        assert (asked.status, asked.content, asked.route) == (Status.UNCONFIRMED, QUESTION, "ORDER")
        assert service.seen == []


async def test_an_answer_is_good_for_one_call(tmp_path: Path) -> None:
    service = Service()
    async with shopping(tmp_path, service, effect=Effect.DESTRUCTIVE) as made:
        await order(made, "c1")
        outcomes = await asyncio.gather(*(order(made, f"d{n}", "c1") for n in range(4)))
        assert sorted(outcome.status for outcome in outcomes) == ["done", *["unconfirmed"] * 3]
        assert (await order(made, "e1", "c1")).status is Status.UNCONFIRMED
    assert len(service.seen) == 1


async def test_a_call_that_was_sent_and_not_heard_of_is_sent_again_with_its_key_and_not_asked_about(
    tmp_path: Path,
) -> None:
    service = Service(answers=[hang])
    async with shopping(tmp_path, service, effect=Effect.DESTRUCTIVE) as made:
        await order(made, "c1")
        async with asyncio.TaskGroup() as group:
            cut_off = group.create_task(order(made, "c2", "c1"))
            while not service.seen:  # noqa: ASYNC110 - it is over there
                await asyncio.sleep(0.01)
            cut_off.cancel()
        assert (await order(made, "c2", "c1")).content == "Ordered: milk."
    assert len({headers["idempotency-key"] for headers, _ in service.seen}) == 1
    assert len(service.done) == 1


async def test_what_did_not_work_is_asked_about_again(tmp_path: Path) -> None:
    service = Service(answers=[hang])
    async with shopping(tmp_path, service, effect=Effect.DESTRUCTIVE, limit_seconds=0.2) as made:
        await order(made, "c1")
        assert (await order(made, "c2", "c1")).status is Status.TIMED_OUT
        assert (await order(made, "c3", "c1")).status is Status.UNCONFIRMED
        assert (await order(made, "c4", "c3")).status is Status.DONE
