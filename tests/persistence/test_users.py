"""What operators do about users, on both databases, beside a server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.errors import NotFound, Refused
from bridge.ports import SignIn
from persistence.accounts import Accounts
from persistence.record import Record
from persistence.users import Users, able_to_sign_in, open_users
from tests.persistence.build import adds_goal, append, begun, entry, job


def signed_in(user_id: str, digest: str) -> SignIn:
    now = datetime.now(UTC)
    return SignIn(user_id=user_id, digest=digest, issued_at=now, expires_at=now + timedelta(days=1))


async def test_who_can_sign_in_is_counted_and_nothing_is_made_for_it(
    database_url: str, tmp_path: Path
) -> None:
    if database_url.startswith("sqlite"):
        assert await able_to_sign_in(database_url) == 0
        assert not list(tmp_path.glob("*.db"))
    async with open_users(database_url) as users:
        for name in ("ada", "bob", "eve"):
            await users.add(name, "hash")
        assert await able_to_sign_in(database_url) == 3
        await users.lock("bob")
        await users.delete("eve")
        assert await able_to_sign_in(database_url) == 1
        assert [one.user_id for one in await users.all()] == ["ada", "bob"]


async def test_all_sign_ins_of_a_user_end_and_nobody_elses(record: Record) -> None:
    users, accounts = Users(record.database), Accounts(record.database)
    for name in ("ada", "bob"):
        await users.add(name, "hash")
    mine = [signed_in("ada", f"ada {number}") for number in range(3)]
    other = signed_in("bob", "bob 1")
    for one in (*mine, other):
        await accounts.keep(one)
        assert await accounts.find(one.digest) == one
    await accounts.revoke(mine[0], everywhere=False)
    assert [await accounts.stands(one) for one in (*mine, other)] == [False, True, True, True]
    assert [one.sign_ins for one in await users.all()] == [2, 1]
    await users.set_pin("ada", "another")
    assert [await accounts.stands(one) for one in (*mine, other)] == [False, False, False, True]
    assert await accounts.find(other.digest) == other


async def test_a_name_is_not_given_away_with_what_was_said_by_it(record: Record) -> None:
    users = Users(record.database)
    await users.add("ada", "hash")
    claim = await begun(record, "ada")
    await users.delete("ada", keep=True)
    with pytest.raises(NotFound):
        await users.unlock("ada")
    with pytest.raises(Refused, match="was deleted"):
        await users.add("ada", "somebody else's")
    await users.add("ada", "hers again", restore=True)
    with pytest.raises(Refused, match="is there already"):
        await users.add("ada", "hash", restore=True)
    assert (await record.store.conversation("ada", claim.conversation.id)).user_id == "ada"


@pytest.mark.parametrize("kept_first", [False, True])
async def test_what_was_said_and_made_goes_with_its_user_and_nobody_elses(
    record: Record, kept_first: bool
) -> None:
    users = Users(record.database)
    for name in ("ada", "bob"):
        await users.add(name, "hash")
        claim = await begun(record, name)
        await append(record, entry(claim, 0, f"hello from {name}"))
        await record.ledger.run_once(job(claim), {"a": 1}, adds_goal())
    if kept_first:
        await users.delete("ada", keep=True)
        assert await counted(record) == {"ada": (1, 1), "bob": (1, 1)}
    await users.delete("ada")
    assert await counted(record) == {"ada": (0, 0), "bob": (1, 1)}
    with pytest.raises(NotFound):
        await users.delete("ada")
    await users.add("ada", "of somebody else")
    assert [one.user_id for one in await users.all()] == ["ada", "bob"]


async def counted(record: Record) -> dict[str, tuple[int, int]]:
    """Conversations and goals of each."""
    found = {}
    for name in ("ada", "bob"):
        page = await record.store.conversations(name, agent=None, text=None, limit=9, after=None)
        found[name] = (len(page.items), len(await record.store.goals(name)))
    return found
