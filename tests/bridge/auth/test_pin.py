"""Names and PINs: who gets in, who has to wait, and what is known of it afterwards."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bridge.auth.pin import ByPin
from bridge.auth.pins import MAX_WAITING, Pins, flaw, hash_pin, user_id_of
from bridge.errors import Refused, TooMany, Unauthenticated, Unavailable
from persistence import attempts
from persistence.accounts import Accounts
from persistence.attempts import FIRST_WAIT, LONGEST_WAIT, OF_ADDRESS, OF_USER
from persistence.record import Record, open_record
from persistence.tables import ATTEMPTS
from persistence.users import Users
from tests.support.postgres import empty_postgres_url, postgres_server, postgres_url

__all__ = ["empty_postgres_url", "postgres_server", "postgres_url"]

PIN, WRONG = "483920", "111222"
PIN_HASH = hash_pin(PIN)
HOME = "192.0.2.1"


class Clock:
    """Time that goes when it is told to."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def go(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    sqlite = request.param == "sqlite"
    return f"sqlite:///{tmp_path}/store.db" if sqlite else str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def record(url: str, tmp_path: Path) -> AsyncIterator[Record]:
    async with open_record(url, tmp_path / "data") as record:
        await Users(record.database).add("ada", PIN_HASH)
        yield record


@pytest.fixture
async def users(record: Record) -> Users:
    return Users(record.database)


Open = Callable[[], ByPin]


@pytest.fixture
async def reopen(record: Record, clock: Clock) -> AsyncIterator[Open]:
    """Each is another process on the same store."""
    with closing(Pins()) as pins:
        yield lambda: ByPin(
            accounts=Accounts(record.database, now=clock), pins=pins, lasting=timedelta(days=30), now=clock
        )


@pytest.fixture
def door(reopen: Open) -> ByPin:
    return reopen()


async def try_pin(door: ByPin, pin: str = WRONG, name: str = "ada", address: str = HOME) -> Refused | None:
    """Why it was refused; None: it was not."""
    try:
        await door.sign_in(name, pin, address)
    except Refused as refused:
        return refused
    return None


async def test_a_right_pin_gives_a_credential_that_says_who_it_is(door: ByPin, clock: Clock) -> None:
    credential, made = await door.sign_in(" ADA ", PIN, HOME)
    assert len(credential) > 43
    assert (await door({}, credential)).user_id == "ada"
    clock.go(30 * 86_400 - 1)
    assert (await door({}, credential)).sign_in == made
    clock.go(2)
    with pytest.raises(Unauthenticated, match="ended"):
        await door({}, credential)


@pytest.mark.parametrize("credential", [None, "", "vbu_", "vbu_" + "x" * 43, "vbs_x", PIN, "\ud800"])
async def test_anything_else_says_nothing(door: ByPin, credential: str | None) -> None:
    with pytest.raises(Unauthenticated):
        await door({}, credential)


@pytest.mark.parametrize("name", ["ada", "nobody", "deleted", "", "x" * 65, "a\0b"])
async def test_a_wrong_pin_and_a_wrong_name_are_told_alike(door: ByPin, users: Users, name: str) -> None:
    await users.add("deleted", PIN_HASH)
    await users.delete("deleted")
    for pin in (WRONG, "") if name == "ada" else (PIN, WRONG):
        refused = await try_pin(door, pin, name)
        assert refused
        assert (refused.status, refused.code) == (401, "BRIDGE_WRONG_PIN")
        assert refused.description == "The name or the PIN is wrong."


async def test_a_wrong_name_takes_as_long_as_a_wrong_pin(door: ByPin, clock: Clock) -> None:
    async def took(name: str) -> float:
        clock.go(86_401)
        begun = time.process_time()
        await try_pin(door, WRONG, name)
        return time.process_time() - begun

    known, unknown = [], []
    for _ in range(5):
        known.append(await took("ada"))
        unknown.append(await took("nobody"))
    assert statistics.median(unknown) == pytest.approx(statistics.median(known), rel=0.3)


async def test_each_wrong_pin_after_the_fifth_has_to_wait_twice_as_long(
    door: ByPin, reopen: Open, clock: Clock
) -> None:
    waits = []
    for _ in range(OF_USER.tries + 9):
        refused = await try_pin(door, address="")
        assert refused
        assert refused.code == "BRIDGE_WRONG_PIN"
        waits.append(refused.retry_after or 0.0)
        if waits[-1]:
            clock.go(waits[-1] - 1)
            held = await try_pin(reopen(), PIN, address="198.51.100.7")  # another process, address, the PIN
            assert held
            assert (held.status, held.code) == (429, "BRIDGE_LOCKED_OUT")
            assert held.retry_after == pytest.approx(1)
            clock.go(1)
    assert waits[: OF_USER.tries - 1] == [0.0] * (OF_USER.tries - 1)
    assert waits[OF_USER.tries - 1 :][:3] == [FIRST_WAIT, FIRST_WAIT * 2, FIRST_WAIT * 4]
    assert waits[-1] == LONGEST_WAIT


async def test_the_right_pin_ends_the_count(door: ByPin, clock: Clock) -> None:
    for _ in range(3):
        for _ in range(OF_USER.tries - 1):
            assert await try_pin(door)
        assert await try_pin(door, PIN) is None
        clock.go(86_401)


async def test_who_tries_many_names_from_one_address_has_to_wait(door: ByPin) -> None:
    for number in range(OF_ADDRESS.tries):
        refused = await try_pin(door, name=f"user {number}", address="192.0.2.9")
        assert isinstance(refused, Unauthenticated), number
    held = await try_pin(door, PIN, address="192.0.2.9")
    assert held
    assert (held.status, held.code) == (429, "BRIDGE_TOO_MANY_TRIES")
    assert await try_pin(door, PIN) is None


async def test_a_right_pin_of_ones_own_does_not_free_an_address_for_others(door: ByPin, users: Users) -> None:
    await users.add("mallory", PIN_HASH)
    for number in range(OF_ADDRESS.tries - 1):
        assert await try_pin(door, name=f"user {number}")
        assert await try_pin(door, PIN, "mallory") is None or number == OF_ADDRESS.tries - 2
    assert isinstance(await try_pin(door, name="one more"), Unauthenticated)
    assert isinstance(await try_pin(door, name="too many"), TooMany)


async def test_many_at_the_same_moment_have_no_more_tries(reopen: Open, clock: Clock) -> None:
    guesses = [try_pin(reopen(), address=f"192.0.2.{number}") for number in range(12)]
    refused = await asyncio.gather(*guesses)
    assert sum(isinstance(one, Unauthenticated) for one in refused) == OF_USER.tries


async def test_an_operator_ends_the_wait_and_it_is_forgotten_after_a_day(
    door: ByPin, users: Users, clock: Clock
) -> None:
    for end in (lambda: users.unlock("ada"), lambda: users.set_pin("ada", PIN_HASH), None):
        for _ in range(OF_USER.tries):
            assert await try_pin(door, address="")
        assert isinstance(await try_pin(door, PIN, address=""), TooMany)
        await end() if end else clock.go(86_401)
        assert await try_pin(door, PIN, address="") is None


async def test_a_locked_user_is_told_so_only_with_the_right_pin(door: ByPin, users: Users) -> None:
    credential, _ = await door.sign_in("ada", PIN, HOME)
    await users.lock("ada")
    with pytest.raises(Unauthenticated, match="ended"):
        await door({}, credential)
    codes = [refused.code for pin in (WRONG, PIN) if (refused := await try_pin(door, pin))]
    assert codes == ["BRIDGE_WRONG_PIN", "BRIDGE_USER_LOCKED"]
    await users.unlock("ada")
    with pytest.raises(Unauthenticated, match="ended"):
        await door({}, credential)
    assert await try_pin(door, PIN) is None


async def test_another_pin_ends_what_the_old_one_gave(door: ByPin, users: Users, clock: Clock) -> None:
    credential, _ = await door.sign_in("ada", PIN, HOME)
    other = hash_pin("735194")
    await users.set_pin("ada", other)
    with pytest.raises(Unauthenticated, match="ended"):
        await door({}, credential)
    assert await try_pin(door, PIN)
    clock.now = datetime.now(UTC)
    credential, _ = await door.sign_in("ada", "735194", HOME)
    assert (await door({}, credential)).user_id == "ada"


async def test_of_pins_and_credentials_the_store_has_only_hashes(door: ByPin, record: Record) -> None:
    credential, _ = await door.sign_in("ada", PIN, HOME)
    await try_pin(door, WRONG, PIN)  # typed into the wrong field
    async with record.database.reading() as connection:
        stored = [
            str(await connection.text(f"SELECT * FROM {table}"))
            + "".join(str(row) for row in (await connection.text(f"SELECT * FROM {table}")).all())
            for table in ("accounts", "sign_ins", "attempts", "revoked")
        ]
    for secret in (PIN, WRONG, credential, credential.removeprefix("vbu_"), HOME):
        assert secret not in "".join(stored)
    assert "$argon2id$v=19$m=65536,t=3,p=1$" in stored[0]


async def test_the_loop_goes_on_while_pins_are_looked_at() -> None:
    with closing(Pins()) as pins:
        gaps: list[float] = []

        async def tick() -> None:
            while True:
                begun = time.perf_counter()
                await asyncio.sleep(0.001)
                gaps.append(time.perf_counter() - begun)

        async with asyncio.TaskGroup() as group:
            ticking = group.create_task(tick(), name="tick")
            guesses = [group.create_task(pins.fits(PIN, PIN_HASH), name="guess") for _ in range(6)]
            for guess in guesses:
                assert await guess
            ticking.cancel()
    assert statistics.median(gaps) < 0.01


async def test_more_than_a_few_that_wait_are_sent_away_and_have_not_tried(door: ByPin, users: Users) -> None:
    names = [f"user {number}" for number in range(MAX_WAITING)]
    for name in [*names, "late"]:
        await users.add(name, PIN_HASH)
    crowd = [try_pin(door, PIN, name, address=name) for name in names]
    late = [try_pin(door, PIN, "late") for _ in range(OF_USER.tries + 1)]
    refused = await asyncio.gather(*crowd, *late)
    assert refused[:MAX_WAITING] == [None] * MAX_WAITING
    assert {type(one) for one in refused[MAX_WAITING:]} == {Unavailable}
    assert await try_pin(door, PIN, "late") is None


async def test_a_count_that_is_cleared_while_somebody_waits_for_it_begins_anew(
    record: Record, door: ByPin
) -> None:
    """One name, two devices: the one is let in while the other is counted."""
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    assert await try_pin(door)
    async with asyncio.TaskGroup() as group, record.database.writing() as other:
        mine = ATTEMPTS.c.key == OF_USER.key("ada")
        await other.execute(select(ATTEMPTS.c.key).where(mine).with_for_update())
        trying = group.create_task(try_pin(door, PIN), name="trying")
        while not (record.database.is_sqlite or (await other.text(waiting)).scalar_one()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await attempts.clear(other, OF_USER, "ada")
    assert trying.result() is None


@pytest.mark.parametrize("pin", ["", "12345", "x" * 8, "000000", "123456", "987654", "1" * 33, "48392٠"])
def test_some_pins_are_too_easy(pin: str) -> None:
    assert flaw(pin)


@pytest.mark.parametrize("pin", ["483920", "112233", "1" * 31 + "2"])
def test_others_are_not(pin: str) -> None:
    assert flaw(pin) == ""


@pytest.mark.parametrize(
    ("name", "user_id"), [(" Ada\tLovelace ", "ada lovelace"), ("ＡＤＡ", "ada"), ("\x07", "")]
)
def test_case_width_and_spaces_of_a_name_do_not_count(name: str, user_id: str) -> None:
    assert user_id_of(name) == user_id
