"""The shopping list of the agent pantry: another agent, made by other files alone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.core.model import Status
from tests.intents.rig import Rig, rig


@pytest.fixture
async def pantry(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rig(tmp_path, agent="pantry") as made:
        yield made


async def test_an_empty_list_is_said(pantry: Rig) -> None:
    assert (await pantry.run("read_list", {})).content == "There is nothing on your list."


async def test_what_was_added_is_read_back_in_order(pantry: Rig) -> None:
    added = await pantry.run("add_item", {"item": "milk", "amount": "two liters of"})
    await pantry.run("add_item", {"item": "eggs"})

    assert (added.status, added.content) == (Status.DONE, "Added to your list: two liters of milk.")
    outcome = await pantry.run("read_list", "")
    assert (outcome.status, outcome.route) == (Status.DONE, "READ_LIST")
    assert outcome.content == "On your list: two liters of milk and eggs."


async def test_what_is_on_the_list_stays_there_once(pantry: Rig) -> None:
    first = await pantry.run("add_item", {"item": "milk"})
    second = await pantry.run("add_item", {"item": "Milk"})
    third = await pantry.run("add_item", {"item": "milk", "amount": ""})

    assert first.task_id == second.task_id == third.task_id
    assert (await pantry.run("read_list", {})).content == "On your list: milk."


async def test_an_item_that_is_on_the_list_for_long_is_said_to_be(pantry: Rig) -> None:
    later = await pantry.record.store.claim("ada", agent="pantry", conversation_id=None)
    await pantry.run("add_item", {"item": "milk"})

    outcome = await pantry.run(
        "add_item", {"item": "milk"}, conversation_id=later.conversation.id, epoch=later.epoch
    )

    assert outcome.content == "Milk is on your list already."


async def test_a_long_list_is_cut(pantry: Rig) -> None:
    for number in range(1, 16):
        await pantry.run("add_item", {"item": f"thing {number}"})

    content = (await pantry.run("read_list", {})).content
    assert content.startswith("On your list: thing 1, thing 2, ")
    assert content.endswith("thing 12 and 3 more.")


async def test_an_item_is_needed(pantry: Rig) -> None:
    outcome = await pantry.run("add_item", {"amount": "some"})

    assert outcome.content == "I need the item: what should I put on the list?"
