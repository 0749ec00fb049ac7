"""`voice-bridge check`: looks at all the server needs, changes nothing, says what to do about each fault."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import orjson

from bridge import logs
from bridge.auth.choice import check_access
from bridge.auth.fixed import check_exposure, takes_anybody
from bridge.errors import BadConfig, StoreUnavailable, UpstreamFailed
from bridge.ports import credit
from bridge.settings import Settings, load
from bridge.sockets import straight
from bridge.upstreams.cascade.local import missing
from bridge.upstreams.deepgram import on_websockets
from bridge.upstreams.deepgram.dialling import Timeouts
from intents.agents import load_agents
from intents.handlers.http import HttpSettings, is_http
from persistence.archive import sqlite_file
from persistence.engine import make_engine, mapped
from persistence.migrate import revisions
from persistence.users import able_to_sign_in

PATIENCE = Timeouts(open=5.0)
FAULTS = 1
"""Exit status when something is wrong; 2, as with `serve`: the settings themselves cannot be read."""
UNREADABLE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    name: str
    found: str
    advice: str = ""
    """What to do about it; empty: nothing."""
    ok: bool = True


def check(*, as_json: bool) -> int:
    """Look at everything and tell. Returns the process's exit status."""
    logs.set_up("error", lambda _: None)
    try:
        settings = load()
    except BadConfig as error:
        return _tell(
            [_fault("settings", error.description, "Correct that, and check again.")], as_json, UNREADABLE
        )
    findings = [
        Finding(name="settings", found="can be read"),
        *_agents(settings),
        _folder(settings),
        sound([Path(credit.__file__), Path(straight.__file__)]),
    ]
    findings += asyncio.run(_reached(settings))
    return _tell(findings, as_json, FAULTS)


def _tell(findings: list[Finding], as_json: bool, status: int) -> int:
    ok = all(finding.ok for finding in findings)
    if as_json:
        told = orjson.dumps(
            {"ok": ok, "checks": [asdict(one) for one in findings]}, option=orjson.OPT_INDENT_2
        )
        sys.stdout.write(told.decode() + "\n")
    else:
        sys.stdout.writelines(_lines(findings))
    return 0 if ok else status


def _lines(findings: list[Finding]) -> Iterator[str]:
    for one in findings:
        yield f"{'ok   ' if one.ok else 'FAULT'} {one.name}: {one.found}\n"
        if one.advice:
            yield f"      → {one.advice}\n"


def _fault(name: str, found: str, advice: str) -> Finding:
    return Finding(name=name, found=found, advice=advice, ok=False)


def _agents(settings: Settings) -> Iterator[Finding]:
    try:
        agents = load_agents(settings.agents_dir)
    except BadConfig as error:
        yield _fault("agents", error.description, "Correct the file, or set BRIDGE_AGENTS_DIR.")
        return
    if settings.agent not in agents:
        names = ", ".join(agents)
        yield _fault("agents", f"there is no agent {settings.agent}", f"Set BRIDGE_AGENT to one of: {names}.")
    else:
        yield Finding(name="agents", found=", ".join(agents))
    hosts = frozenset(host.lower() for host in settings.http_hosts)
    http = HttpSettings(secret=settings.http_secret.get_secret_value(), allowed_hosts=hosts)
    for agent in agents.values():
        for intent in agent.intents:
            if is_http(intent.handler) and (refusal := http.refusal(intent.handler)):
                yield _fault(
                    f"intent {intent.name}", refusal, "Set BRIDGE_HTTP_HOSTS and BRIDGE_HTTP_SECRET."
                )


def _folder(settings: Settings) -> Finding:
    folder = settings.data_dir.resolve()
    there = next(place for place in (folder, *folder.parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
        free = shutil.disk_usage(there).free // 2**20
    except OSError as error:
        advice = "Let the server's user write there, or set BRIDGE_DATA_DIR."
        return _fault("data folder", f"{folder}: {error.strerror}", advice)
    if free < settings.journal_quota_mb:
        found = f"{folder}: {free} MiB are free, the journal may take {settings.journal_quota_mb}"
        return _fault("data folder", found, "Make room, or lower BRIDGE_JOURNAL_QUOTA_MB.")
    return Finding(name="data folder", found=f"{folder}: {free} MiB free, {_journals(folder)}")


def sound(modules: Sequence[Path]) -> Finding:
    """What each frame passes through (ADR 15). `modules`: the files that were loaded, `.py` or compiled."""
    if any(made.suffix == ".py" for made in modules):
        needed = "a C compiler, the headers of Python, make compile"
        return Finding(
            name="sound", found=f"passes through Python, at twice the cost; to change that: {needed}"
        )
    written = [made.with_name(made.name.split(".")[0] + ".py") for made in modules]
    if min(file.stat().st_mtime for file in modules) < max(file.stat().st_mtime for file in written):
        return _fault("sound", "what is compiled is older than what is written", "make compile")
    return Finding(name="sound", found="compiled")


def _journals(folder: Path) -> str:
    count = len(list(folder.glob("journal-*.db")))
    damaged = len(list(folder.glob("damaged-journal-*.db")))
    return f"{count} journals" + (f", {damaged} damaged: see docs/operations.md" if damaged else "")


async def _reached(settings: Settings) -> list[Finding]:
    return [await _database(settings), *await _users(settings), await _agent(settings)]


async def _users(settings: Settings) -> list[Finding]:
    """Whether anybody can come in, where they have to prove who they are."""
    try:
        check_exposure(settings)
        check_access(settings)
        if takes_anybody(settings):
            advice = "Be sure that what stands in front decides who may come, or set BRIDGE_AUTH=pin."
            return [Finding(name="users", found="anybody may come", advice=advice)]
        if settings.auth != "pin":
            return []
        count = await able_to_sign_in(settings.store_url)
    except BadConfig as error:
        return [_fault("users", error.description, "Set it; docs/configuration.md says how people sign in.")]
    except StoreUnavailable:
        return []  # told already
    if not count:
        return [_fault("users", "nobody can sign in", "voice-bridge users add NAME")]
    return [Finding(name="users", found=f"{count} can sign in")]


async def _database(settings: Settings) -> Finding:
    file = sqlite_file(settings.store_url)
    if file and not file.exists():
        return Finding(name="database", found=f"{file} will be made at the start")
    try:
        engine = make_engine(settings.store_url, statement_seconds=5.0)
    except BadConfig as error:
        return _fault(
            "database", error.description, "Set DATABASE_URL to postgresql://user:password@host/name."
        )
    try:
        with mapped():
            there, newest = await revisions(engine)
    except StoreUnavailable as error:
        return _fault("database", str(error), "Start it, or correct host, user and password in DATABASE_URL.")
    except BadConfig as error:
        return _fault(
            "database", error.description, "Start the newer version of the program, or restore a backup."
        )
    finally:
        await engine.dispose()
    kind = "SQLite" if file else "PostgreSQL"
    if newest:
        return Finding(name="database", found=f"{kind}, tables as of {there}")
    was = f"tables as of {there}" if there else "no tables"
    return Finding(name="database", found=f"{kind}, {was}: brought up to date at the start")


async def _agent(settings: Settings) -> Finding:
    if settings.chosen_upstream == "local":
        if lacking := missing():
            advice = "pip install 'voice-bridge[local]', or set DEEPGRAM_API_KEY."
            return _fault("agent", f"local, lacks {', '.join(lacking)}", advice)
        return Finding(name="agent", found="local, complete")
    key = settings.deepgram_api_key.get_secret_value()
    if settings.lacks_key:
        return _fault("agent", "Deepgram, without a key", "Set DEEPGRAM_API_KEY.")
    headers = {"Authorization": f"Token {key}"} if key else {}
    try:
        socket = await on_websockets.dial(settings.deepgram_agent_url, headers, PATIENCE)
    except (UpstreamFailed, ValueError) as error:
        return _fault(
            "agent", str(error), "Correct DEEPGRAM_API_KEY or DEEPGRAM_AGENT_URL, or the way there."
        )
    await socket.close()
    return Finding(name="agent", found=f"{urlsplit(settings.deepgram_agent_url).hostname} answers")
