"""docs/client.md names what the thin client has: no more, and of what it is for no less."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOC = (ROOT / "docs" / "client.md").read_text(encoding="utf-8")
TYPES = ROOT / "web" / "client" / "types"
TSC = ROOT / ".venv" / "js" / "node_modules" / ".bin" / "tsc"


def section(title: str) -> str:
    """A chapter of the document."""
    return DOC.split(f"\n## {title}\n")[1].split("\n## ")[0]


def first_column(text: str) -> list[str]:
    """What the tables list, without backticks."""
    cells = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def interface(name: str) -> set[str]:
    """Keys of an interface in web/client/types.d.ts."""
    body = re.search(rf"export interface {name} {{\n(.*?)\n}}", (TYPES / "types.d.ts").read_text(), re.DOTALL)
    assert body
    return set(re.findall(r"^  (\w+)\??:", body[1], re.MULTILINE))


def members(file: str, kind: str) -> dict[str, str]:
    """Public members of a class: name → what follows it in its line."""
    text = re.sub(r"/\*.*?\*/", "", (TYPES / file).read_text(), flags=re.DOTALL)
    body = re.search(rf"export class {kind}\b.*?{{\n(.*?)\n}}", text, re.DOTALL)
    assert body
    found = re.findall(r"^    (\w+)(?:<.*?>)?[(:?](.*)$", body[1], re.MULTILINE)
    return {name: arguments for name, arguments in found if name != "constructor"}


def test_every_option_is_documented() -> None:
    assert set(first_column(section("Options"))) == interface("Options")


def test_every_event_is_documented() -> None:
    assert set(first_column(section("Events"))) == interface("Events")


def test_every_method_is_documented_with_its_arguments() -> None:
    named = first_column(section("Methods"))
    has = members("voice-bridge.d.ts", "VoiceBridge")
    own = {name.partition("(")[0]: name for name in named if not name.startswith("api.")}
    assert set(own) == set(has) - {"state", "api"}
    for name, written in own.items():
        asked = re.findall(r"(?:^|, )(\w+):", re.sub(r"\([^)]*\) =>", "", has[name]))
        assert re.findall(r"\w+", written)[1:] == asked
    rest = {name.partition("(")[0].removeprefix("api.") for name in named if name.startswith("api.")}
    assert rest == set(members("api.d.ts", "Api"))


def test_what_is_told_of_the_state_is_there() -> None:
    text = section("State").split("The other keys")[0]
    assert set(first_column(text)) <= interface("State")
    [details] = re.findall(r"^\| `details` \|(.*)\|$", text, re.MULTILINE)
    stages = {"hear", "think", "speak", "total"}
    assert set(re.findall(r"`(\w+)`", details)) == interface("Details") | stages


def test_every_phase_is_documented() -> None:
    phases = re.search(r"export type Phase = (.*);", (TYPES / "phases.d.ts").read_text())
    [row] = re.findall(r"^\| `phase` \|(.*)\|$", section("State"), re.MULTILINE)
    assert phases
    assert re.findall(r"`(\w+)`", row) == re.findall(r'"(\w+)"', phases[1])


def test_every_type_is_named() -> None:
    exported = re.findall(r"^export type (\w+)", (TYPES / "index.d.ts").read_text(), re.MULTILINE)
    assert set(re.findall(r"`([A-Z]\w+)`", section("Types"))) == {*exported, "VoiceBridge"}


def test_every_name_is_one_of_the_code() -> None:
    """Whatever stands in backticks and looks like a name."""
    code = "".join(path.read_text() for path in [*TYPES.glob("*.d.ts"), ROOT / "Makefile"])
    browser = {
        "online",
        "pageshow",
        "enumerateDevices",
        "TypeError",
        "json",
        "markdown",
        "true",
        "false",
        "limit",
    }
    for name in re.findall(r"`([A-Za-z_]\w*)(?:\(.*?\))?`", DOC):
        assert name in browser or re.search(rf"\b{name}\b", code) or name.startswith("BRIDGE_"), name


@pytest.mark.skipif(
    not TSC.exists() or not shutil.which("node"), reason="no npm; sudo apt-get install nodejs npm"
)
def test_the_programs_in_it_are_right(tmp_path: Path) -> None:
    blocks = re.findall(r"```js\n(.*?)```", DOC, re.DOTALL)
    assert len(blocks) >= 4
    (tmp_path / "client").symlink_to(ROOT / "web" / "client")
    (tmp_path / "ws.d.ts").write_text(
        'declare module "ws" { export const WebSocket: typeof globalThis.WebSocket; }'
    )
    for number, block in enumerate(blocks):
        (tmp_path / f"block{number}.mjs").write_text(block)
    options = (
        "--noEmit --allowJs --checkJs --strict --target es2022 --module esnext --moduleResolution bundler"
    )
    files = [path.name for path in tmp_path.glob("*.*s")]
    ran = subprocess.run(
        [TSC, *options.split(), *files], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout
