"""Who may import whom, who may touch the environment, who may start a task, and how long things may get."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).parent.parent
MAX_FILE = 350
MAX_FUNCTION = 40

OURS = ("bridge", "persistence", "intents", "web", "config")
LEAVES = (
    "bridge.auth",
    "bridge.routes",
    "bridge.transports",
    "bridge.upstreams",
    "bridge.observers",
    "persistence",
    "intents",
)
BASE = (
    "bridge.wire",
    "bridge.audio",
    "bridge.sockets",
    "bridge.ports",
    "bridge.background",
    "bridge.errors",
    "bridge.settings",
    "bridge.logs",
    "bridge.log_writer",
)
TOP = (
    *("bridge.app", "bridge.collector", "bridge.cli", "bridge.commands"),
    *("bridge.serving", "bridge.workers", "bridge.__main__"),
)

MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "bridge.core": (),
    **dict.fromkeys(BASE, ("bridge.core", *BASE)),
    "bridge.live": ("bridge.core", "bridge.ports", "bridge.background", "bridge.errors"),
    **dict.fromkeys(LEAVES, ("bridge.core", *BASE)),
    "bridge.routes": ("bridge.core", *BASE, "bridge.live.registry"),
    **dict.fromkeys(TOP, OURS),
}
"""Place in the picture of CONTRIBUTING.md → what of ours it may import beside itself."""

ONLY_IN: dict[str, tuple[str, ...]] = {
    "sqlmodel": ("persistence",),
    "sqlalchemy": ("persistence",),
    "alembic": ("persistence",),
    "picows": ("bridge.sockets", "bridge.upstreams.deepgram.on_picows"),
    "starlette": ("bridge.routes", "bridge.transports.websocket", "bridge.app"),
}
"""Package → the only places that may import it."""

NOT_IN_CORE = {
    *("asyncio", "logging", "os", "random", "secrets"),
    *("socket", "subprocess", "threading", "time", "uuid"),
}
"""The standard library's clocks, dice, logs and ways out: the core has none."""

CLOCKS = {
    f"{kind}.{now}"
    for kind in ("datetime", "datetime.datetime", "date")
    for now in ("now", "utcnow", "today")
}
ENVIRONMENT = {"os.environ", "os.environb", "os.getenv"}
SAID_BY_CLIENT = {"url", "base_url", "url_for"}
"""What Starlette makes of the Host header, of a request or a socket: routes/identity.py checks that one."""
REQUESTS = ("bridge.app", "bridge.routes", "bridge.transports")
"""Where there are any."""


def violations(root: Path) -> list[str]:
    """What breaks a rule in the tree under `root`, one line each: "file:line what"."""
    found = []
    for path in sorted(path for top in OURS for path in root.glob(f"{top}/**/*")):
        if path.suffix in {".py", ".js", ".css", ".html"}:
            found += [f"{path.relative_to(root)}:{line} {what}" for line, what in _check_file(path, root)]
    return found


def _check_file(path: Path, root: Path) -> Iterator[tuple[int, str]]:
    text = path.read_text(encoding="utf-8")
    if (length := len(text.splitlines())) > MAX_FILE:
        yield 1, f"has {length} lines, more than {MAX_FILE}"
    if path.suffix == ".js":
        yield from _long_functions_js(text)
    if path.suffix == ".py":
        module = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        tree = ast.parse(text)
        yield from _long_functions(tree)
        yield from _bad_imports(tree, module)
        yield from _bad_names(tree, module)
        yield from _loose_tasks(tree)


def _long_functions(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION:
                yield node.lineno, f"{node.name} has {length} lines, more than {MAX_FUNCTION}"


def _long_functions_js(text: str) -> Iterator[tuple[int, str]]:
    """A function goes from its head to the first closing brace at the same indentation."""
    lines = text.splitlines()
    head = re.compile(r"^(\s*)(?!(?:if|for|while|switch|catch|do|else|try)\b|\})\S.*(?:\)|=>)\s*\{$")
    for start, line in enumerate(lines):
        if match := head.match(line):
            rest = lines[start + 1 :]
            length = next((n for n, line in enumerate(rest, 2) if line.startswith(match[1] + "}")), 0)
            if length > MAX_FUNCTION:
                yield start + 1, f"{line.strip()} has {length} lines, more than {MAX_FUNCTION}"


def _bad_imports(tree: ast.Module, module: str) -> Iterator[tuple[int, str]]:
    place = next((p for p in MAY_IMPORT if _within(module, p)), None)
    if place is None:
        if module not in {"bridge", "web"}:
            yield 1, f"{module} has no place in the picture"
        return
    for line, target in _imports(tree):
        package = target.partition(".")[0]
        if not package:
            yield line, "a relative import"
        elif package in OURS:
            if not any(_within(target, allowed) for allowed in (place, *MAY_IMPORT[place])):
                yield line, f"{module} may not import {target}"
        elif place == "bridge.core" and (package not in sys.stdlib_module_names or package in NOT_IN_CORE):
            yield line, f"the core may not import {target}"
        elif package in ONLY_IN and not any(_within(module, allowed) for allowed in ONLY_IN[package]):
            yield line, f"{module} may not import {target}"


def _imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every imported name in full: `from bridge import wire` gives `bridge.wire`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = "." * bool(node.level) + f"{node.module or ''}."
            yield from ((node.lineno, package + alias.name) for alias in node.names)


def _within(module: str, place: str) -> bool:
    return module == place or module.startswith(place + ".")


def _bad_names(tree: ast.Module, module: str) -> Iterator[tuple[int, str]]:
    used = [(n.lineno, ast.unparse(n)) for n in ast.walk(tree) if isinstance(n, ast.Attribute)]
    for line, name in [*_imports(tree), *used]:
        if name in ENVIRONMENT and module != "bridge.settings":
            yield line, "only bridge/settings.py reads the environment"
        if name in CLOCKS and _within(module, "bridge.core"):
            yield line, "the core has no clock"
        if name.rpartition(".")[2] in SAID_BY_CLIENT and any(_within(module, place) for place in REQUESTS):
            yield line, "nothing is decided by an address that the client has made up"


def _loose_tasks(tree: ast.Module) -> Iterator[tuple[int, str]]:
    groups = _task_groups(tree)
    for line, target in _imports(tree):
        if target in {"asyncio.create_task", "asyncio.ensure_future"}:
            yield line, "a task is started by a TaskGroup"
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=owner, attr="create_task") if ast.unparse(owner) not in groups:
                yield node.lineno, f"{ast.unparse(owner)} is not known to be a TaskGroup"
            case ast.Attribute(attr="ensure_future"):
                yield node.lineno, "a task is started by a TaskGroup"


def _task_groups(tree: ast.Module) -> set[str]:
    """The names in a file that hold a TaskGroup: made, annotated, or assigned from such a name."""
    groups: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.withitem(context_expr=made, optional_vars=ast.expr() as target) if _makes_group(made):
                groups.add(ast.unparse(target))
            case ast.Assign(value=made) if _makes_group(made):
                groups |= {ast.unparse(target) for target in node.targets}
            case ast.arg(arg=name, annotation=ast.expr() as kind) if "TaskGroup" in ast.unparse(kind):
                groups.add(name)
            case ast.AnnAssign(target=target, annotation=kind) if "TaskGroup" in ast.unparse(kind):
                groups |= {ast.unparse(target), f"self.{ast.unparse(target)}"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.value) in groups:
            groups |= {ast.unparse(target) for target in node.targets}
    return groups


def _makes_group(node: ast.expr) -> bool:
    """`asyncio.TaskGroup()`, bare or inside the call that enters it: `await stack.enter_async_context(…)`."""
    return any(isinstance(n, ast.Call) and ast.unparse(n.func).endswith("TaskGroup") for n in ast.walk(node))


def test_the_tree_keeps_the_rules() -> None:
    assert violations(ROOT) == []


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("bridge/core/session.py", "import asyncio"),
        ("bridge/core/session.py", "from uuid import uuid4"),
        ("bridge/core/session.py", "from datetime import datetime\nx = datetime.now()"),
        ("bridge/core/session.py", "import numpy"),
        ("bridge/core/session.py", "from bridge.ports import Store"),
        ("bridge/core/session.py", "from ..ports import Store"),
        ("bridge/live/runner.py", "from . import registry"),
        ("bridge/wire.py", "from bridge.live.registry import Registry"),
        ("bridge/audio/pcm.py", "from bridge import routes"),
        ("bridge/live/runner.py", "from bridge.wire import parse"),
        ("bridge/live/runner.py", "import persistence.store"),
        ("bridge/routes/talk.py", "from bridge.transports.websocket import Socket"),
        ("bridge/routes/talk.py", "from bridge.live.runner import Runner"),
        ("bridge/routes/talk.py", "from bridge.app import build"),
        ("bridge/routes/talk.py", "def f(request):\n    return request.url.scheme"),
        ("bridge/routes/talk.py", "def f(request):\n    return str(request.base_url)"),
        ("bridge/routes/talk.py", "def f():\n    from sqlalchemy import select"),
        ("bridge/upstreams/deepgram/socket.py", "from bridge.live.registry import Registry"),
        ("bridge/upstreams/deepgram/socket.py", "from starlette.websockets import WebSocket"),
        ("bridge/transports/webrtc.py", "import starlette"),
        ("bridge/observers/metrics.py", "from bridge.routes import talk"),
        ("persistence/store.py", "from intents.spec import Intent"),
        ("persistence/store.py", "from bridge.routes import talk"),
        ("intents/handlers/planner.py", "import persistence"),
        ("intents/handlers/planner.py", "from sqlmodel import select"),
        ("intents/executor.py", "if TYPE_CHECKING:\n    from bridge.live.runner import Runner"),
        ("bridge/helpers.py", "x = 1"),
        ("persistence/engine.py", "import os\nx = os.environ['DATABASE_URL']"),
        ("persistence/engine.py", "from os import getenv"),
        ("bridge/cli.py", "import os\nx = os.getenv('PORT')"),
        ("bridge/live/runner.py", "import asyncio\nasyncio.create_task(f())"),
        ("bridge/live/runner.py", "import asyncio\nasyncio.get_running_loop().create_task(f())"),
        ("bridge/live/runner.py", "import asyncio\nasyncio.ensure_future(f())"),
        ("bridge/live/runner.py", "from asyncio import create_task"),
        ("bridge/live/runner.py", "def f():\n" + "    x = 1\n" * MAX_FUNCTION),
        ("bridge/live/runner.py", "x = 1\n" * (MAX_FILE + 1)),
        ("web/main.js", "export function draw(a) {\n" + "  a();\n" * MAX_FUNCTION + "}\n"),
        ("web/main.js", "const draw = (a) => {\n" + "  a();\n" * MAX_FUNCTION + "};\n"),
        ("web/style.css", "a { }\n" * (MAX_FILE + 1)),
    ],
)
def test_a_broken_rule_is_found(tmp_path: Path, file: str, code: str) -> None:
    _write(tmp_path, file, code)
    assert len(violations(tmp_path)) == 1


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("bridge/core/session.py", "from dataclasses import dataclass\nfrom bridge.core.events import Event"),
        ("bridge/live/registry.py", "import asyncio\nfrom bridge import core, ports"),
        ("bridge/routes/talk.py", "import starlette.routing\nfrom bridge.live.registry import Registry"),
        ("bridge/transports/websocket.py", "import starlette.websockets\nfrom bridge import wire"),
        ("bridge/transports/websocket.py", "from bridge.transports import frames"),
        ("bridge/app.py", "import persistence.store, intents, bridge.live.runner, starlette.applications"),
        ("bridge/__main__.py", "from bridge.cli import main"),
        ("bridge/settings.py", "import os\nx = os.environ"),
        ("persistence/store.py", "from sqlmodel import select\nfrom bridge.errors import BridgeError"),
        ("bridge/live/runner.py", "async with TaskGroup() as group:\n    group.create_task(f())"),
        (
            "bridge/live/runner.py",
            """\
            class Runner:
                def __init__(self, group: asyncio.TaskGroup) -> None:
                    self._group = group

                def start(self) -> None:
                    self._group.create_task(f(), name="f")
            """,
        ),
    ],
)
def test_what_the_picture_allows_passes(tmp_path: Path, file: str, code: str) -> None:
    _write(tmp_path, file, code)
    assert violations(tmp_path) == []


def _write(root: Path, file: str, code: str) -> None:
    path = root / file
    path.parent.mkdir(parents=True)
    path.write_text(dedent(code), encoding="utf-8")
