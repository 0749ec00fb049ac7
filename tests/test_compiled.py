"""What sound passes through is compiled where it can be; uncompiled it does the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.ports import credit
from bridge.sockets import straight

ROOT = Path(__file__).parent.parent
MODULES = [credit, straight]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.__name__))
def test_it_is_compiled_from_what_is_written(module: object) -> None:
    made = Path(str(vars(module)["__file__"]))
    if made.suffix == ".py":
        if os.environ.get("CI") == "true":
            pytest.fail("it is not compiled: .venv/compile.log")
        pytest.skip("no C compiler")
    written = [made.with_name(made.name.split(".")[0] + end) for end in (".py", ".pxd")]
    assert made.stat().st_mtime >= max(file.stat().st_mtime for file in written), "run make compile"


def test_uncompiled_it_does_the_same() -> None:
    command = (
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "tests.support.uncompiled",
        "-p",
        "no:cacheprovider",
    )
    told = subprocess.run(
        [*command, "tests/flows/test_straight.py", "-k", "not plain"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "passed" in told.stdout
