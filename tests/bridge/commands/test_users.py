"""`voice-bridge users`, run as an operator runs it; and what `voice-bridge check` says of who can come."""

from __future__ import annotations

import asyncio
import io
import json
import os
import pty
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.cli import main
from persistence.record import open_record
from tests.bridge.commands.test_commands import run
from tests.support.bridge import environment_for
from tests.support.users import add_users, sqlite_url

PIN = "483920"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command: exit status, output, errors; `pin` is a line on standard input."""

    def perform(*command: str, pin: str = PIN, **variables: str) -> tuple[int, str, str]:
        environment = environment_for(tmp_path, {"BRIDGE_AUTH": "pin", **variables})
        with monkeypatch.context() as patched:
            for name in set(os.environ) - set(environment):
                patched.delenv(name)
            for name, value in environment.items():
                patched.setenv(name, value)
            patched.setattr(sys, "stdin", io.StringIO(f"{pin}\n"))
            status = main(["users", *command])
        out, err = capsys.readouterr()
        assert PIN not in out + err
        return status, out, err

    return perform


def listed(users: Run, **variables: str) -> list[dict[str, Any]]:
    status, out, _ = users("ls", "--json", **variables)
    assert status == 0
    return list(json.loads(out))


def test_a_user_from_the_first_to_the_last_day(users: Run) -> None:
    assert users("add", "Ada") == (0, "ada may sign in\n", "")
    [ada] = listed(users)
    assert (ada["user_id"], ada["has_pin"], ada["locked"], ada["sign_ins"]) == ("ada", True, False, 0)
    assert users("add", "ADA")[::2] == (1, "voice-bridge: ada is there already\n")
    assert users("lock", "ada")[0] == 0
    assert "locked" in users("ls")[1]
    for command in ("unlock", "set-pin", "sign-out", "delete"):
        assert users(command, "ada")[0] == 0
    assert listed(users) == []


def test_what_was_said_goes_with_a_user_unless_it_is_to_be_kept(users: Run, tmp_path: Path) -> None:
    assert users("add", "ada")[0] == 0
    asyncio.run(talks(tmp_path, "ada"))
    gone = "ada may not sign in any more; "
    assert users("delete", "ada", "--keep")[:2] == (0, f"{gone}what was said is still there\n")
    status, _, said = users("add", "ada")
    assert status == 1
    assert "was deleted" in said
    assert users("add", "ada", "--restore")[0] == 0
    assert users("delete", "ada")[:2] == (0, f"{gone}all that was theirs is deleted\n")
    assert users("add", "ada")[0] == 0


async def talks(folder: Path, user_id: str) -> None:
    """A conversation of theirs is in the database of that folder."""
    async with open_record(sqlite_url(folder), folder, default_zone="UTC") as record:
        await record.store.claim(user_id, agent="flux", conversation_id=None)


@pytest.mark.parametrize("command", ["set-pin", "lock", "unlock", "sign-out", "delete"])
def test_who_is_not_there_is_said_in_a_line(users: Run, command: str) -> None:
    assert users(command, "nobody")[::2] == (1, "voice-bridge: there is no user nobody\n")


def test_users_of_an_issuer_are_locked_to_the_letter_though_nobody_added_them(users: Run) -> None:
    told = users("lock", "auth0|Ada", BRIDGE_AUTH="jwt")
    assert told[:2] == (0, "auth0|Ada is locked; all sign-ins are ended\n")
    [ada] = listed(users)
    assert (ada["user_id"], ada["has_pin"], ada["locked"]) == ("auth0|Ada", False, True)


@pytest.mark.parametrize("pin", ["", "1234", "123456", "000000", "secret"])
def test_a_pin_that_is_too_easy_is_not_taken(users: Run, pin: str) -> None:
    status, _, said = users("add", "ada", pin=pin)
    assert status == 2
    assert said.startswith("voice-bridge: PIN: ")
    assert not pin or pin not in said


async def test_on_a_terminal_the_pin_is_asked_for_twice_and_not_shown(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge", "users", "add", "ada"),
        env=environment_for(tmp_path, {"BRIDGE_AUTH": "pin"}),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    for question in (b"PIN (6 digits or more): ", b"Once more: "):
        while question not in shown:
            shown += await asyncio.to_thread(os.read, ours, 1000)
        os.write(ours, f"{PIN}\n".encode())
    while b"may sign in" not in shown:
        shown += await asyncio.to_thread(os.read, ours, 1000)
    assert await child.wait() == 0
    os.close(ours)
    assert PIN.encode() not in shown


async def test_check_says_what_to_do_while_nobody_can_sign_in(tmp_path: Path) -> None:
    async def found(**variables: str) -> tuple[bool, str]:
        _, out, _ = await run(tmp_path, "check", "--json", **variables)
        [users] = [one for one in json.loads(out)["checks"] if one["name"] == "users"]
        return users["ok"], users["advice"] or users["found"]

    assert await found(BRIDGE_AUTH="pin") == (False, "voice-bridge users add NAME")
    await add_users(sqlite_url(tmp_path), "ada")
    assert await found(BRIDGE_AUTH="pin") == (True, "1 can sign in")
    assert not (await found(BRIDGE_AUTH="jwt"))[0]
    told = "Be sure that what stands in front decides who may come, or set BRIDGE_AUTH=pin."
    assert await found(BRIDGE_ALLOW_ANYBODY="true") == (True, told)
    assert not (await found(BRIDGE_TRUST_PROXY="true"))[0]
