"""The page's pure modules, tested by Node."""

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NODE = shutil.which("node")


@pytest.mark.skipif(NODE is None, reason="no node; sudo apt-get install nodejs")
def test_the_pure_modules_of_the_page_do_what_their_tests_say() -> None:
    tests = sorted(str(path) for path in HERE.glob("*.test.mjs"))
    assert tests
    ran = subprocess.run([str(NODE), "--test", *tests], capture_output=True, text=True, timeout=100)
    assert ran.returncode == 0, ran.stdout + ran.stderr
