"""`voice-bridge users`: who may sign in with a PIN; of those an issuer knows, who may not come."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys
from collections.abc import Callable, Coroutine
from functools import partial

import orjson

from bridge.auth.pins import flaw, hash_pin, user_id_of
from bridge.errors import BadConfig, BridgeError
from bridge.settings import Settings, load
from bridge.wire import instant
from persistence.users import UserFacts, Users, open_users

FAILED = 1
Work = Callable[[Users, argparse.Namespace], Coroutine[None, None, str]]
"""What a command does; gives what it writes."""


def add_users(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command and its own commands."""
    parser = commands.add_parser("users", help="who may sign in: add, list, lock, delete")
    actions = parser.add_subparsers(required=True, metavar="action")
    add = _named(
        actions, "add", "let somebody sign in; asks for a PIN, or reads it from standard input", _add
    )
    add.add_argument("--restore", action="store_true", help="give back the record of a deleted user")
    ls = actions.add_parser("ls", help="list them")
    ls.add_argument("--json", action="store_true", help="as JSON")
    ls.set_defaults(run=partial(_run, _list))
    _named(actions, "set-pin", "another PIN; asks for it, or reads it; ends all sign-ins", _set_pin)
    for name, what, work in (
        ("lock", "let nobody in by that name for now; ends all sign-ins", _lock),
        ("unlock", "let them in again, also after too many wrong PINs", _unlock),
        ("sign-out", "end all sign-ins, and what is open by them", _sign_out),
    ):
        _named(actions, name, what, work)
    delete = _named(actions, "delete", "let nobody in by that name, and delete all that is theirs", _delete)
    delete.add_argument("--keep", action="store_true", help="keep what was said, and goals and tasks")


def _named(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, what: str, work: Work
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=what)
    parser.add_argument("name")
    parser.set_defaults(run=partial(_run, work))
    return parser


def _run(work: Work, options: argparse.Namespace) -> int:
    try:
        sys.stdout.write(asyncio.run(_perform(work, load(), options)))
    except BadConfig:
        raise
    except BridgeError as error:
        sys.stderr.write(f"voice-bridge: {error}\n")
        return FAILED
    return 0


async def _perform(work: Work, settings: Settings, options: argparse.Namespace) -> str:
    if "name" in options:
        options.name = _user_id(settings, options.name)
    if work in (_add, _set_pin):
        options.pin_hash = hash_pin(_read_pin())
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    async with open_users(settings.store_url, strangers=settings.auth == "jwt") as users:
        return await work(users, options)


def _user_id(settings: Settings, name: str) -> str:
    """An issuer's are taken to the letter. Raises BadConfig."""
    user_id = name if settings.auth == "jwt" else user_id_of(name)
    if not user_id:
        raise BadConfig("a name has 1 to 64 characters that can be seen")
    return user_id


def _read_pin() -> str:
    """Asked for on a terminal, else one line is read; no argument: others would see it. Raises BadConfig."""
    if sys.stdin.isatty():
        pin = getpass.getpass("PIN (6 digits or more): ")
        if getpass.getpass("Once more: ") != pin:
            raise BadConfig("the two PINs are different")
    else:
        pin = sys.stdin.readline().strip()
    if wrong := flaw(pin):
        raise BadConfig(f"PIN: {wrong}")
    return pin


async def _add(users: Users, options: argparse.Namespace) -> str:
    await users.add(options.name, options.pin_hash, restore=options.restore)
    return f"{options.name} may sign in\n"


async def _set_pin(users: Users, options: argparse.Namespace) -> str:
    await users.set_pin(options.name, options.pin_hash)
    return f"{options.name} has another PIN; all sign-ins are ended\n"


async def _lock(users: Users, options: argparse.Namespace) -> str:
    await users.lock(options.name)
    return f"{options.name} is locked; all sign-ins are ended\n"


async def _unlock(users: Users, options: argparse.Namespace) -> str:
    await users.unlock(options.name)
    return f"{options.name} may sign in again\n"


async def _sign_out(users: Users, options: argparse.Namespace) -> str:
    await users.sign_out(options.name)
    return f"all sign-ins of {options.name} are ended\n"


async def _delete(users: Users, options: argparse.Namespace) -> str:
    await users.delete(options.name, keep=options.keep)
    left = "what was said is still there" if options.keep else "all that was theirs is deleted"
    return f"{options.name} may not sign in any more; {left}\n"


async def _list(users: Users, options: argparse.Namespace) -> str:
    found = await users.all()
    if options.json:
        return orjson.dumps([_json(one) for one in found], option=orjson.OPT_INDENT_2).decode() + "\n"
    return "".join(f"{_line(one)}\n" for one in found)


def _json(one: UserFacts) -> dict[str, object]:
    return {
        "user_id": one.user_id,
        "has_pin": one.has_pin,
        "locked": one.locked,
        "sign_ins": one.sign_ins,
        "created_at": instant(one.created_at),
    }


def _line(one: UserFacts) -> str:
    state = "locked" if one.locked else "open" if one.has_pin else "no PIN"
    return f"{one.user_id:<24}  {state:<7}  {one.sign_ins:>3} signed in  since {one.created_at:%Y-%m-%d}"
