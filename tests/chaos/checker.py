"""Compares what everybody saw and was promised with what the store has."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from tests.chaos.world import World, place, text_of
from tests.support.client import items


async def check(world: World) -> None:
    """All that was seen is there, in order and without a hole; all that was promised was done once, for the
    user who said it, in the conversation it was said in; nobody heard what was said in another one."""
    wishes: dict[str, set[str]] = {}
    for conversation, book in world.seen.items():
        stored = await entries(world, conversation)
        wrong = {cursor: text for cursor, text in book.items() if stored.get(cursor) != text}
        assert not wrong, f"seed {world.seed}: seen and not stored: {wrong}"
        holes = _holes(stored)
        assert not holes, f"seed {world.seed}: {conversation} lacks {holes}"
        wishes[conversation] = {text.removeprefix("user: ") for text in stored.values()}
    told = Counter(wish for said in wishes.values() for wish in said if wish in world.said)
    assert max(told.values(), default=1) == 1, (
        f"seed {world.seed}: {told.most_common(1)} in two conversations"
    )
    made = Counter(await _made(world, wishes))
    twice = sorted(wish for wish in world.said if made[wish] > 1)
    missing = sorted(set(world.promised) - made.keys())
    assert not twice, f"seed {world.seed}: done twice: {twice}"
    assert not missing, f"seed {world.seed}: promised and not done: {missing}"
    known = world.hearings.check(wishes)
    assert known or not world.hearings.talkers, f"seed {world.seed}: nobody was heard"


async def _made(world: World, wishes: Mapping[str, set[str]]) -> list[str]:
    """The goals of all users, each where it belongs."""
    assert world.server
    made = []
    for user, credential in world.users.items():
        for goal in await items(world.server.http, "/api/v1/goals", credential):
            wish, conversation = str(goal["statement"]), str(goal["conversation_id"])
            assert world.owner.get(conversation, user) == user, f"seed {world.seed}: {wish} is not {user}'s"
            if wish in world.said and conversation in wishes:
                assert wish in wishes[conversation], f"seed {world.seed}: nobody said {wish} there"
            made.append(wish)
        newest = await items(world.server.http, "/api/v1/conversations?limit=100", credential)
        mine = {str(one["id"]) for one in newest}
        theirs = {conversation for conversation, owner in world.owner.items() if owner != user}
        assert not mine & theirs, f"seed {world.seed}: {user} is shown what is somebody else's"
    return made


async def entries(world: World, conversation: str) -> dict[str, str]:
    """Cursor → text of all entries the store has."""
    assert world.server
    credential = world.users[world.owner[conversation]]
    found: dict[str, str] = {}
    path = f"/api/v1/conversations/{conversation}/messages?limit=200"
    after = ""
    while page := await items(world.server.http, path + after, credential):
        assert not found.keys() & {str(entry["cursor"]) for entry in page}
        found |= {str(entry["cursor"]): text_of(entry) for entry in page}
        after = f"&after={page[-1]['cursor']}"
    return found


def _holes(stored: dict[str, str]) -> list[str]:
    epochs: dict[int, set[int]] = defaultdict(set)
    for cursor in stored:
        epoch, idx = place(cursor)
        epochs[epoch].add(idx)
    return [f"{e}:{n}" for e, there in epochs.items() for n in range(max(there)) if n not in there]
